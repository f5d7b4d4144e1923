import ModelInference
import Testing
import TradingTypes

@testable import ModelImport

// Goal: the 8-bit form of a trained network keeps within the gates on rows it was not calibrated with. Method: three networks that
// learned a small process (Fixtures/models/onnx_gates.py), which is drawn again here: calibrated on some thousand rows of one draw, judged
// on windows of another, in the kernels that run. Few rows are not enough: 300 leave tails of the others outside the codes, and outputs
// are off by more than 1.
@Suite struct OnnxGateTests {
  /// Rows of the process, and whether each goes up.
  struct Process {
    private static let scales: [Double] = [0.01, 0.1, 1, 10, 100, 1000]

    var rows: [[Float]] = []
    var labels: [Bool] = []

    init(count: Int, seed: UInt64) {
      var random = SplitMix64(seed: seed)
      var before = [Double](repeating: 0, count: 6)
      for _ in 0..<count {
        let state = before.map { value in
          0.7 * value + 1.2 * (random.unit() + random.unit() + random.unit() + random.unit() - 2)
        }
        let pair = 1.5 * state[0] - state[1] + state[2] * before[3]
        let logit = pair + 0.8 * abs(state[4]) - 0.8 * before[5]
        rows.append(zip(state, Self.scales).map { Float($0 * $1) })
        labels.append(random.unit() < DeterministicMath.sigmoid(logit))
        before = state
      }
    }

    /// Windows, one behind the other or each a row after the one before, and the labels of their newest rows.
    func windows(of size: Int, apart step: Int) -> (rows: [[[Float]]], labels: [Bool]) {
      let starts = Array(stride(from: 0, through: rows.count - size, by: step))
      return (starts.map { Array(rows[$0..<($0 + size)]) }, starts.map { labels[$0 + size - 1] })
    }
  }

  /// What the kernels and the trained network give for windows of the process that the calibration did not see.
  static func judged(_ name: String, rows: Int, held count: Int) throws -> QuantisationReport.Logits {
    let imported = try OnnxFixture.network(name)
    let calibration = Process(count: rows, seed: 21).windows(of: imported.window, apart: imported.window)
    let quantised = try Quantiser(calibration: .headroom(25)).quantise(imported, windows: calibration.rows).network
    let model = EnsembleModel(
      features: (0..<6).map { "f\($0)" },
      members: [
        EnsembleModel.Member(
          name: "net", kind: .network(NetworkMember(inputs: Array(0..<6), quantised: quantised, float: imported)))
      ], metadata: ["name": "net"])
    let held = Process(count: count + imported.window - 1, seed: 22).windows(of: imported.window, apart: 1)
    let kernels = ModelPredictor(model)
    let given = held.rows.map { kernels.prediction($0[...]).scores.map { Float($0) } }
    let wanted = held.rows.map { imported.predictReference($0) }
    return QuantisationReport.Logits(original: wanted, quantised: given, labels: held.labels)
  }

  @Test(arguments: [("gates_mlp", 2_000, 2_000), ("gates_lstm", 3_200, 500), ("gates_tcn", 3_200, 2_000)])
  func `a trained network in 8 bits passes every gate on rows nobody calibrated with`(
    name: String, rows: Int, held: Int
  ) throws {
    let logits = try Self.judged(name, rows: rows, held: held)
    let areas = try #require(logits.areas)
    // It has learned: a gate on noise says nothing.
    #expect(areas.original > 0.75 && logits.deviation > 1, "\(logits)")
    let gates = QuantisationGates()
    #expect(abs(areas.change) <= gates.areaChangeMax, "\(areas)")
    #expect(logits.errorShare <= gates.errorShareMax && logits.errorMax <= gates.errorMax, "\(logits)")
    #expect(logits.flippedShare <= gates.flippedShareMax, "\(logits)")
    #expect(logits.errorRMS > 0)
  }
}
