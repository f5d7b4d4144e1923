import ModelInference
import Testing
import TradingTypes

@testable import ModelImport

struct QuantiserTests {
  // Goal: quantised networks stay near the original. Method: calibrate on some windows, compare on others. Random weights
  // are harder than trained ones, and calibration rows few, so single outputs get more room than the gates give.
  @Test func `perceptrons and an LSTM stay near their originals`() throws {
    let seed: UInt64 = 1
    var networks = QuantisationNetworks(seed: seed)
    for (kind, network) in networks.everyKind().prefix(3).enumerated() {
      let count = network.window == 1 ? 400 : 60
      let windows = networks.windows(count, for: network)
      let others = networks.windows(count, for: network)
      let labels = others.map { window in network.predictReference(window)[0] + networks.normal() > 0 }
      let wide = try Quantiser(widensInput: true).quantise(network, windows: windows)
      #expect(wide.network.fault == nil)
      let report = QuantisationReport(wide, windows: others, labels: labels)
      var gates = QuantisationGates()
      // Few rows: one flip is more than 0.7 % of them, and one pair moves the area.
      gates.flippedShareMax = max(2.1 / Double(count), 0.0126)
      gates.errorMax = 0.7
      gates.areaChangeMax = 0.005
      #expect(gates.reasons(against: report) == [], "seed \(seed) kind \(kind)\n\(report)")
      #expect(report.tensors.allSatisfy { $0.signalToNoise > 18 }, "seed \(seed) kind \(kind)\n\(report)")
      // Eight bits for features of heavy tails cost more, and the report shows where.
      let narrow = try Quantiser(calibration: .percentile(99.99)).quantise(network, windows: windows)
      let other = QuantisationReport(narrow, windows: others)
      #expect(other.logits.errorShare > report.logits.errorShare)
      #expect(other.logits.errorShare < 0.25, "seed \(seed) kind \(kind)\n\(other)")
      #expect(other.tensors[0].saturatedShare > 0 && report.tensors[0].saturatedShare == 0)
    }
  }

  // Goal: folding the scaler changes nothing but roundings. Method: original and folded network in single precision.
  @Test func `folded scaler predicts the same`() throws {
    var networks = QuantisationNetworks(seed: 6)
    for network in networks.everyKind() {
      let outcome = try Quantiser().quantise(network, windows: networks.windows(3, for: network))
      // The scaler is gone, and its steps with it.
      #expect(outcome.folded.operators.count == network.operators.count - 1)
      for window in networks.windows(10, for: network) {
        for (one, other) in zip(network.predictReference(window), outcome.folded.predictReference(window))
        where network.convolutionCount == 0 {
          #expect(abs(one - other) <= 2e-5 * max(1, abs(one)))
        }
      }
    }
  }

  // Goal: a folded scaler in front of a convolution pads with what the scaler makes 0. Method: padding codes by hand, and
  // the quantised network beside the float one on a window that is mostly padding.
  @Test func `padding before a folded scaler is its zero`() throws {
    let scaler = NeuralNetwork.Operator.affine(source: 0, gain: [0.5], shift: [-50])
    let convolution = NeuralNetwork.Operator.convolution(
      NeuralNetwork.Convolution(
        source: 1, inputs: 1, outputs: 1, kernel: 3, dilation: 4, weights: [1, 2, 3], bias: [0.25]))
    let network = NeuralNetwork(
      featureCount: 1, window: 4, missingValues: [100], operators: [scaler, convolution, .lastRow(source: 2)],
      link: .identity)
    let windows = (0..<40).map { start in (0..<4).map { [Float(90 + (start + $0 * 7) % 21)] } }
    let outcome = try Quantiser(calibration: .minimumMaximum).quantise(network, windows: windows)
    #expect(outcome.folded.operators.count == 2)
    #expect(outcome.network.input.paddingCodes == [outcome.network.input.code(100, feature: 0)])
    for window in windows {
      let error = abs(outcome.network.predictReference(window)[0] - network.predictReference(window)[0])
      #expect(error < 0.15)
    }
  }

  // Goal: two convolutions that disagree on the padding are left alone. Method: one reads the input, one the scaler.
  @Test func `scaler stays where paddings disagree`() throws {
    func convolution(_ source: Int) -> NeuralNetwork.Operator {
      .convolution(
        NeuralNetwork.Convolution(
          source: source, inputs: 1, outputs: 1, kernel: 2, dilation: 1, weights: [1, 2], bias: [0]))
    }
    let network = NeuralNetwork(
      featureCount: 1, window: 2, missingValues: [0],
      operators: [
        .affine(source: 0, gain: [1], shift: [3]), convolution(0), convolution(1), .add(2, 3), .lastRow(source: 4),
      ], link: .identity)
    let outcome = try Quantiser().quantise(network, windows: [[[1], [2]], [[-1], [0.5]]])
    #expect(outcome.folded == network)
  }

  // Goal: the calibrations do what they say. Method: a value with one far outlier, seen through a dense layer's input.
  @Test func `calibrations treat an outlier differently`() throws {
    let network = NeuralNetwork(
      featureCount: 1, window: 1, missingValues: [0],
      operators: [.dense(NeuralNetwork.Dense(source: 0, inputs: 1, outputs: 1, weights: [1], bias: [0]))],
      link: .identity)
    var networks = QuantisationNetworks(seed: 8)
    var windows = (0..<3_000).map { _ in [[networks.normal()]] }
    windows[5] = [[400]]
    func range(_ calibration: RangeCalibration) throws -> Float {
      let input = try Quantiser(calibration: calibration).quantise(network, windows: windows).network.input
      return 255 / input.factors[0]
    }
    #expect(try range(.minimumMaximum) > 400)
    #expect(try abs(range(.headroom(50)) / range(.minimumMaximum) - 1.5) < 1e-5)
    #expect(try range(.percentile(100)) > 400)
    #expect(try range(.percentile(99.9)) < 10)
    #expect(try range(.percentile(50)) < 2)
    // The best of all on rows without the outlier clips it.
    let calm = Array(windows.dropFirst(6))
    let best = try Quantiser.best(network, windows: calm)
    #expect(QuantisationReport(best, windows: calm).logits.errorShare < 0.01)
  }

  // Goal: the entropy calibration clips what carries no information, and nothing where numbers are few. Method: a normal
  // sample with one far outlier, and a uniform one.
  @Test func `entropy calibration clips an outlier`() {
    var networks = QuantisationNetworks(seed: 18)
    var normal = CalibrationSamples(expectedCount: 40_000)
    var uniform = normal
    var few = normal
    for place in 0..<40_000 {
      let number = networks.normal()
      normal.add(place == 7 ? 400 : number)
      uniform.add(Float(place % 1_000) / 1_000)
      if place < 1_000 { few.add(place == 7 ? 100 : Float(place)) }
    }
    let range = RangeCalibration.entropy.range(of: normal)
    #expect(range.upperBound < 40 && range.upperBound > 1)
    #expect(RangeCalibration.entropy.range(of: uniform).upperBound > 0.9)
    #expect(RangeCalibration.entropy.range(of: few) == 0...999)
  }

  // Goal: a wide input codes padding without error and leaves room. Method: a folded scaler far from 0, rows far beyond
  // those calibrated with.
  @Test func `wide input leaves room beyond what was seen`() throws {
    let network = NeuralNetwork(
      featureCount: 1, window: 2, missingValues: [1_000],
      operators: [
        .affine(source: 0, gain: [0.1], shift: [-100]),
        .convolution(
          NeuralNetwork.Convolution(
            source: 1, inputs: 1, outputs: 1, kernel: 2, dilation: 3, weights: [2, 1], bias: [0.5])),
        .lastRow(source: 2),
      ], link: .identity)
    var windows: [[[Float]]] = []
    for start in 0..<50 {
      let (first, second) = (990 + start % 20, 993 + start * 7 % 13)
      windows.append([[Float(first)], [Float(second)]])
    }
    let outcome = try Quantiser(widensInput: true).quantise(network, windows: windows)
    let input = outcome.network.input
    #expect(input.isWide && outcome.network.fault == nil)
    // The scaler's 0 is 1,000, which the padding stands for to the last bit of the low byte.
    #expect(input.wideCode(1_000, feature: 0) == UInt16(input.paddingCodes[0]) << 8)
    for x in [Float(1_000), 1_004.5, 1_020, 970] {
      let wanted = network.predictReference([[0], [x]])[0]
      let given = outcome.network.predictReference([[0], [x]])[0]
      #expect(abs(given - wanted) < 0.01 * max(1, abs(wanted)))
    }
  }

  // Goal: a feature that never moves, or is always missing, breaks nothing. Method: one of each beside a live one.
  @Test func `constant and missing features get usable steps`() throws {
    var networks = QuantisationNetworks(seed: 9)
    var network = networks.perceptron(4)
    network.operators.removeFirst()
    network.operators = network.operators.enumerated().map { number, step in
      guard case .dense(var layer) = step else { return step }
      layer.source = number
      return .dense(layer)
    }
    #expect(network.fault == nil)
    let windows = (0..<50).map { _ in [[Float(3), .nan, networks.normal(), 0]] }
    let outcome = try Quantiser().quantise(network, windows: windows)
    #expect(outcome.network.fault == nil)
    let wide = try Quantiser(widensInput: true).quantise(network, windows: windows)
    #expect(wide.network.fault == nil && wide.network.input.isWide)
    // One weak feature moves at all, so the deviation is small beside the errors.
    #expect(QuantisationReport(wide, windows: windows).logits.errorShare < 0.25)
    #expect(outcome.network.input.factors.allSatisfy { $0.isFinite && $0 > 0 })
    let report = QuantisationReport(outcome, windows: windows)
    #expect(report.logits.errorShare < 0.25, "\(report)")
  }

  // Goal: a ReLU's codes start at 0 and use them all. Method: encodings of a quantised perceptron.
  @Test func `relu uses the whole code range`() throws {
    var networks = QuantisationNetworks(seed: 10)
    let network = networks.perceptron()
    let outcome = try Quantiser(calibration: .minimumMaximum).quantise(
      network, windows: networks.windows(200, for: network))
    let encoding = try #require(outcome.network.encodings[1])
    #expect(encoding.zeroPoint == 0)
    let codes = networks.windows(200, for: network).flatMap { QuantisedReference(outcome.network).trace($0).codes[1] }
    #expect((codes.max() ?? 0) > 200)
    // Every channel of weights reaches 127.
    for case .dense(let layer) in outcome.network.operators {
      for output in 0..<layer.product.outputs {
        let row = layer.product.weights[output * layer.product.terms..<(output + 1) * layer.product.terms]
        #expect(row.map { $0.magnitude }.max() == 127)
      }
    }
  }

  // Goal: an imported model's own scales are taken, weights come back as the integers they were. Method: weights that are
  // multiples of a given scale.
  @Test func `hints are used as given`() throws {
    let integers: [Int8] = [127, -3, 0, 5, -127, 64]
    let weightScales: [Float] = [0.01, 0.25]
    let weights = integers.indices.map { Float(integers[$0]) * weightScales[$0 / 3] }
    let step: Float = 0.05
    let bias: [Int32] = [12, -700]
    let network = NeuralNetwork(
      featureCount: 3, window: 1, missingValues: [0, 0, 0],
      operators: [
        .dense(
          NeuralNetwork.Dense(
            source: 0, inputs: 3, outputs: 2, weights: weights,
            bias: bias.indices.map { Float(bias[$0]) * step * weightScales[$0] }, activation: .relu)),
        .dense(NeuralNetwork.Dense(source: 1, inputs: 2, outputs: 1, weights: [1, -1], bias: [0])),
      ], link: .identity)
    let hints = QuantisationHints(
      values: [
        0: QuantisationHints.Scale(step: step, zeroPoint: 131), 1: QuantisationHints.Scale(step: 0.5, zeroPoint: 0),
      ],
      weightScales: [0: weightScales], integerBiases: [0: bias])
    let outcome = try Quantiser().quantise(network, windows: [[[1, 2, 3]]], hints: hints)
    guard case .dense(let layer) = outcome.network.operators[0] else { return }
    #expect(layer.product.weights == integers)
    #expect(layer.product.integerBias == bias)
    #expect(layer.product.bias == [0, 0])
    #expect(layer.product.scales == weightScales.map { Float(Double($0) * Double(step)) })
    #expect(outcome.network.input.divides && outcome.network.input.zeroPoint == 131)
    #expect(outcome.network.encodings[1] == QuantisedNetwork.Encoding(factor: 0.5, divides: true, zeroPoint: 0))
    // 0.125 / 0.05 is a tie, to the even 2 by division.
    let trace = QuantisedReference(outcome.network).trace([[0.125, -0.2, .nan]])
    #expect(trace.codes[0] == [133, 127, 131])
    // Scales that cannot hold the weights are passed over.
    var narrow = hints
    narrow.weightScales[0] = [0.001, 0.25]
    guard
      case .dense(let other) = try Quantiser().quantise(network, windows: [[[1, 2, 3]]], hints: narrow)
        .network.operators[0]
    else { return }
    #expect(other.product.weights == integers)
    #expect(other.product.bias[0] != 0 && other.product.integerBias[0] == 0)
  }

  // Goal: the gates refuse, each in its own words. Method: a network quantised for other rows.
  @Test func `gates give their reasons`() throws {
    var networks = QuantisationNetworks(seed: 14)
    let network = networks.perceptron()
    var outcome = try Quantiser().quantise(network, windows: networks.windows(50, for: network))
    let windows = networks.windows(100, for: network)
    let labels = windows.map { network.predictReference($0)[0] > 0 }
    guard case .dense(var layer) = outcome.network.operators[2] else { return }
    layer.product.weights = layer.product.weights.map { $0 / 16 * 16 + 7 }
    outcome.network.operators[2] = .dense(layer)
    let report = QuantisationReport(outcome, windows: windows, labels: labels)
    let reasons = QuantisationGates().reasons(against: report)
    #expect(reasons.count == 4, "\(report)")
    #expect(reasons.contains { $0.hasPrefix("AUC changes") })
    #expect(reasons.contains { $0.contains("of the outputs flip") })
    #expect(report.logits.areas?.original == 1)
  }

  // Goal: bad input is refused in a line. Method: no windows, wrong shapes, an infinity, an unsound network.
  @Test func `quantiser refuses what it cannot use`() throws {
    var networks = QuantisationNetworks(seed: 15)
    let network = networks.perceptron(4)
    func refusal(_ network: NeuralNetwork, _ windows: [[[Float]]]) -> String? {
      do {
        _ = try Quantiser().quantise(network, windows: windows, name: "rows.csv")
        return nil
      } catch { return error.description }
    }
    #expect(refusal(network, []) == "rows.csv: rows: expected at least one window of 1 rows")
    #expect(refusal(network, [[[1, 2, 3]]]) == "rows.csv: window 0: expected 1 rows of 4 features")
    #expect(
      refusal(network, [[[1, 2, 3, 4]], [[1, 2, 3, .infinity]]])
        == "rows.csv: window 1: expected finite or missing values")
    var unsound = network
    unsound.window = 0
    #expect(refusal(unsound, [[[1, 2, 3, 4]]])?.hasPrefix("rows.csv: network: expected a window") == true)
  }

  // Goal: means of what is there. Method: by hand.
  @Test func `means leave missing values out`() {
    #expect(Quantiser.means(of: [[1, .nan, 4], [3, .nan, .nan]]) == [2, 0, 4])
    #expect(Quantiser.means(of: []) == [])
  }
}

extension NeuralNetwork {
  /// Convolutions that a folded padding could make differ by more than a rounding.
  fileprivate var convolutionCount: Int {
    operators.count {
      if case .convolution = $0 { return true }
      return false
    }
  }
}
