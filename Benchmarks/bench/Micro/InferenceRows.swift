import BacktestHarness
import EngineTelemetry
import LockFreeRings
import ModelInference
import TradingTypes

/// Stage 3 by model: single calls of the shapes that the inference league races, 4,096 rows in a hashed order.
///
/// The models come from a seed: nothing here reads ONNX. What trained ones take is in `Benchmarks/league/inference`.
extension MicroBenchmarks {
  static let modelNames = [
    "inference.trees500", "inference.mlp", "inference.lstm.window", "inference.lstm.step", "inference.tcn",
    "inference.transformer",
  ]

  private static let rowCount = 4_096

  func modelRows(notes: inout [String], _ isSelected: (String) -> Bool) throws -> [MicroRow] {
    var rows: [MicroRow] = []
    for name in Self.modelNames where isSelected(name) {
      var calls = CallTimes(capacity: callCount, clock: clock)
      let what = try model(name, &calls)
      guard let row = calls.row(name) else { continue }
      rows.append(row)
      notes.append("\(name): \(what), seeded weights; \(calls.text)")
    }
    return rows
  }

  private var rounds: Int { effort == .brief ? 1 : effort.repetitions }
  private var callsPerRound: Int {
    switch effort {
    case .brief: 8
    case .quick: Self.rowCount / 8
    default: Self.rowCount
    }
  }
  private var callCount: Int { (rounds + 1) * callsPerRound }

  /// Times the model of a row; what it is.
  private func model(_ name: String, _ calls: inout CallTimes) throws -> String {
    var models = InferenceModels(seed: input.seed)
    switch name {
    case "inference.trees500":
      let forest = models.forest(trees: effort == .brief ? 20 : 500, leaves: 31, features: 64)
      let arena = Arena(capacityBytes: ForestKernel.arenaBytes(for: forest, set: setup.kernels))
      let kernel = ForestKernel(forest, set: setup.kernels, in: arena)
      times(kernel, models.rows(Self.rowCount, width: 64), &calls)
      return "\(forest.trees.count) trees of 31 leaves over 64 features, \(kernel.form)"
    case "inference.mlp":
      let kernel = kernel(try models.perceptron())
      times(kernel, models.rows(Self.rowCount, width: 64), &calls)
      return "64-128-64-1 in 8 bits"
    case "inference.lstm.step":
      let network = try models.recurrent()
      let arena = Arena(capacityBytes: NetworkKernel.arenaBytes(for: network, mode: .stateful))
      let kernel = kernel(network)
      let state = kernel.state(.stateful, in: arena)
      times(kernel, state, models.rows(Self.rowCount, width: 16), &calls)
      return "an LSTM of 64 over 16 features, a prediction and the closing of its row, state kept"
    case "inference.lstm.window":
      windows(kernel(try models.recurrent()), models.rows(Self.rowCount + 31, width: 16), &calls)
      return "an LSTM of 64, a whole window of 32 × 16"
    case "inference.tcn":
      windows(kernel(try models.convolutional()), models.rows(Self.rowCount + 31, width: 16), &calls)
      return "4 convolutions of 32 channels, a whole window of 32 × 16"
    default:
      windows(kernel(try models.transformer()), models.rows(Self.rowCount + 31, width: 16), &calls)
      return "2 layers of 64, 2 heads, a whole window of 32 × 16"
    }
  }

  private func kernel(_ network: QuantisedNetwork) -> NetworkKernel {
    NetworkKernel(
      network, set: setup.kernels, in: Arena(capacityBytes: NetworkKernel.arenaBytes(for: network)))
  }

  /// The row of a call: an odd factor visits every row once, far from the last one.
  @inline(__always) private func place(_ call: Int) -> Int { (call * 2_531) & (Self.rowCount - 1) }

  private func row(_ width: Int) -> KernelRow {
    KernelRow(featureCount: width, in: Arena(capacityBytes: KernelRow.arenaBytes(featureCount: width)))
  }

  /// A call is one raw score. The row is loaded beforehand.
  @inline(never) private func times(
    _ kernel: borrowing ForestKernel, _ rows: [Float], _ calls: inout CallTimes
  ) {
    var row = row(64)
    var sum = 0.0
    for round in 0...rounds {
      calls.startCounting()
      for call in 0..<callsPerRound {
        let first = place(call) * 64
        row.load(rows.span.extracting(first..<first + 64))
        let start = calls.now()
        sum += kernel.raw(row)
        calls.add(from: start, to: calls.now())
      }
      calls.stopCounting()
      if round == 0 { calls.forget() }
    }
    keep(sum)
  }

  /// A call is one prediction of a network that remembers nothing. The row is loaded beforehand.
  @inline(never) private func times(
    _ kernel: borrowing NetworkKernel, _ rows: [Float], _ calls: inout CallTimes
  ) {
    let width = kernel.featureCount
    var row = row(width)
    var sum: Float = 0
    for round in 0...rounds {
      calls.startCounting()
      for call in 0..<callsPerRound {
        let first = place(call) * width
        row.load(rows.span.extracting(first..<first + width))
        let start = calls.now()
        sum += kernel.predict(row)
        calls.add(from: start, to: calls.now())
      }
      calls.stopCounting()
      if round == 0 { calls.forget() }
    }
    keep(Double(sum))
  }

  /// A call is one prediction with everything that the next one needs: the state moves along the rows.
  @inline(never) private func times(
    _ kernel: borrowing NetworkKernel, _ kept: consuming NetworkState, _ rows: [Float], _ calls: inout CallTimes
  ) {
    let width = kernel.featureCount
    var state = kept
    var row = row(width)
    var sum: Float = 0
    for round in 0...rounds {
      calls.startCounting()
      for call in 0..<callsPerRound {
        row.load(rows.span.extracting(call * width..<(call + 1) * width))
        let start = calls.now()
        sum += kernel.predictClosing(row, &state)
        while kernel.advance(&state) {}
        calls.add(from: start, to: calls.now())
      }
      calls.stopCounting()
      if round == 0 { calls.forget() }
    }
    keep(Double(sum))
  }

  /// A call is one whole window, nothing kept.
  @inline(never) private func windows(
    _ kernel: borrowing NetworkKernel, _ rows: [Float], _ calls: inout CallTimes
  ) {
    let length = kernel.window * kernel.featureCount
    var sum: Float = 0
    for round in 0...rounds {
      calls.startCounting()
      for call in 0..<callsPerRound {
        let first = place(call) * kernel.featureCount
        let start = calls.now()
        sum += kernel.predictWindow(rows.span.extracting(first..<first + length))
        calls.add(from: start, to: calls.now())
      }
      calls.stopCounting()
      if round == 0 { calls.forget() }
    }
    keep(Double(sum))
  }
}
