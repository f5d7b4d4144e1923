public import ModelInference

/// Makes a network with 8-bit products from one in single precision, by what it computes for calibration windows.
///
/// Weights are symmetric per output channel. A value that a product reads gets the range the calibration chooses, always
/// with 0 in it (a ReLU's result has zero point 0). The input gets a range a feature, whose steps the weights absorb; a
/// scaler in front is folded away first. The mean error of the last layer is taken off its bias.
///
/// - Source: Jacob et al. 2018, arXiv:1712.05877, section 3; Nagel et al. 2019, arXiv:1906.04721, section 4.2 (bias
///   correction, here of the last layer only).
public struct Quantiser: Hashable, Sendable {
  /// A quantised network and what it came from.
  public struct Outcome: Hashable, Sendable {
    /// The network as given.
    public var original: NeuralNetwork
    /// The same with its scaler folded: value for value beside `network`.
    public var folded: NeuralNetwork
    /// The result.
    public var network: QuantisedNetwork
    /// How its ranges were chosen.
    public var calibration: RangeCalibration
  }

  /// How ranges are chosen.
  public var calibration: RangeCalibration
  /// Whether the mean error of the last layer is taken off its bias.
  public var correctsBias: Bool

  /// Whether the input gets codes of 16 bits, where every product that reads it may.
  public var widensInput: Bool

  /// A quantiser.
  public init(calibration: RangeCalibration = .minimumMaximum, correctsBias: Bool = true, widensInput: Bool = false) {
    self.calibration = calibration
    self.correctsBias = correctsBias
    self.widensInput = widensInput
  }

  /// Quantises a network.
  ///
  /// - Parameters:
  ///   - windows: `[count][window][featureCount]`, the newest row last, NaN where there is no value; some hundreds that
  ///     look like those to come.
  ///   - hints: scales the network brings along; nothing is folded then.
  ///   - name: what errors call the windows.
  /// - Throws: `ImportError` where the network is not sound, no window is given, or one has another shape.
  /// - Complexity: O(windows × products), allocates.
  public func quantise(
    _ network: NeuralNetwork, windows: [[[Float]]], hints: QuantisationHints = QuantisationHints(),
    name: String = "calibration"
  ) throws(ImportError) -> Outcome {
    try Self.check(network, windows, name)
    let folded = FoldedNetwork(network, isFolded: hints.isEmpty)
    let ranges = CalibratedRanges(of: folded.network, windows: windows, calibration: calibration)
    let builder = QuantisedBuilder(folded: folded, ranges: ranges, hints: hints, widensInput: widensInput)
    var quantised = builder.network()
    if let fault = quantised.fault {
      throw ImportError(file: name, place: "quantised network", expected: fault)
    }
    // With given scales the author's own bias stands.
    if correctsBias, hints.isEmpty { Self.correctBias(of: &quantised, by: folded.network, windows: windows) }
    return Outcome(original: network, folded: folded.network, network: quantised, calibration: calibration)
  }

  /// The outcome of several calibrations whose raw outputs differ the least from the original's, in root mean square.
  ///
  /// - Throws: as `quantise`; where the list is empty.
  public static func best(
    of calibrations: [RangeCalibration] = [.minimumMaximum, .percentile(99.99), .percentile(99.9), .entropy],
    _ network: NeuralNetwork, windows: [[[Float]]], widensInput: Bool = false, name: String = "calibration"
  ) throws(ImportError) -> Outcome {
    var best: (error: Double, outcome: Outcome)?
    for calibration in calibrations {
      let outcome = try Quantiser(calibration: calibration, widensInput: widensInput)
        .quantise(network, windows: windows, name: name)
      let report = QuantisationReport(outcome, windows: windows)
      if report.logits.errorRMS < best?.error ?? .infinity { best = (report.logits.errorRMS, outcome) }
    }
    guard let best else {
      throw ImportError(file: name, place: "calibrations", expected: "one that gives finite errors")
    }
    return best.outcome
  }

  /// The mean of each feature where it is not missing, 0 where it always is: what may stand in for a missing value.
  public static func means(of rows: [[Float]]) -> [Float] {
    guard let width = rows.first?.count else { return [] }
    return (0..<width).map { feature in
      let numbers = rows.map { $0[feature] }.filter(\.isFinite).map(Double.init)
      return numbers.isEmpty ? 0 : Float(numbers.reduce(0, +) / Double(numbers.count))
    }
  }

  static func check(_ network: NeuralNetwork, _ windows: [[[Float]]], _ name: String) throws(ImportError) {
    if let fault = network.fault { throw ImportError(file: name, place: "network", expected: fault) }
    guard !windows.isEmpty else {
      throw ImportError(file: name, place: "rows", expected: "at least one window of \(network.window) rows")
    }
    for (number, window) in windows.enumerated() {
      guard window.count == network.window, window.allSatisfy({ $0.count == network.featureCount }) else {
        throw ImportError(
          file: name, place: "window \(number)",
          expected: "\(network.window) rows of \(network.featureCount) features")
      }
      guard window.allSatisfy({ $0.allSatisfy { !$0.isInfinite } }) else {
        throw ImportError(file: name, place: "window \(number)", expected: "finite or missing values")
      }
    }
  }

  private static func correctBias(of network: inout QuantisedNetwork, by original: NeuralNetwork, windows: [[[Float]]])
  {
    guard case .dense(var layer) = network.operators.last, layer.activation == .identity else { return }
    let reference = NetworkReference(original)
    let quantised = QuantisedReference(network)
    var errors = [Double](repeating: 0, count: network.outputCount)
    for window in windows {
      let pair = zip(reference.predict(window), quantised.predict(window))
      for (output, pair) in pair.enumerated() { errors[output] += Double(pair.0) - Double(pair.1) }
    }
    for output in errors.indices {
      let correction = Float(errors[output] / Double(windows.count))
      if correction.isFinite { layer.product.bias[output] += correction }
    }
    network.operators[network.operators.count - 1] = .dense(layer)
  }
}

/// The range of each feature and of each value that needs codes.
struct CalibratedRanges {
  /// One a feature of value 0.
  var input: [ClosedRange<Float>]
  /// Everything seen of each feature, and its standard deviation.
  var inputSpans: [(range: ClosedRange<Float>, deviation: Float)]
  /// By value; nil where no codes are needed.
  var values: [ClosedRange<Float>?]

  init(of network: NeuralNetwork, windows: [[[Float]]], calibration: RangeCalibration) {
    let reference = NetworkReference(network)
    let shapes = (try? network.shapes().get()) ?? []
    let isEncoded = network.encodedValues
    var input = [CalibrationSamples](
      repeating: CalibrationSamples(expectedCount: windows.count * network.window), count: network.featureCount)
    var values = shapes.map { CalibrationSamples(expectedCount: windows.count * $0.rows * $0.width) }
    for window in windows {
      let computed = reference.values(window)
      for (place, number) in computed[0].enumerated() { input[place % network.featureCount].add(number) }
      for value in computed.indices.dropFirst() where isEncoded[value] {
        for number in computed[value] { values[value].add(number) }
      }
    }
    inputSpans = input.map { (range: $0.minimum...$0.maximum, deviation: $0.deviation) }
    self.input = input.map { calibration.range(of: $0) }
    self.values = values.indices.map { isEncoded[$0] && $0 > 0 ? calibration.range(of: values[$0]) : nil }
  }
}

extension NeuralNetwork {
  /// Whether each value needs codes: a product reads it, or it is a hidden state.
  var encodedValues: [Bool] {
    var isEncoded = [Bool](repeating: false, count: operators.count + 1)
    for (number, step) in operators.enumerated() {
      switch step {
      case .dense, .convolution: isEncoded[step.sources[0]] = true
      case .recurrent:
        isEncoded[step.sources[0]] = true
        isEncoded[number + 1] = true
      default: continue
      }
    }
    return isEncoded
  }
}
