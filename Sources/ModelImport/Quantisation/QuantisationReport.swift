internal import ModelInference

/// How far a quantised network is from the one it came from, over windows: value by value, and in what it predicts.
public struct QuantisationReport: Hashable, Sendable, CustomStringConvertible {
  /// Of one value.
  public struct Tensor: Hashable, Sendable {
    /// The value's number in the folded and the quantised network.
    public var value: Int
    /// What makes it: `input`, or the operator.
    public var name: String
    /// Units in one step; nil where it has no codes, or the input, where each feature has its own.
    public var step: Float?
    /// The code of 0; nil where it has no codes.
    public var zeroPoint: UInt8?
    /// The smallest number in single precision.
    public var minimum: Float
    /// The largest.
    public var maximum: Float
    /// Share of the codes that are 0 or 255 though the number does not encode to it without saturation.
    public var saturatedShare: Double
    /// The largest difference of the quantised network's value.
    public var errorMax: Double
    /// Signal to quantisation noise: `10 log10(Σ x² / Σ error²)` in decibels, infinite without error.
    public var signalToNoise: Double
  }

  /// Of the raw outputs.
  public struct Logits: Hashable, Sendable {
    /// Windows.
    public var count: Int
    /// Standard deviation of the original's.
    public var deviation: Double
    /// Root mean square of the differences.
    public var errorRMS: Double
    /// The largest difference.
    public var errorMax: Double
    /// Share of windows whose sign (one output) or largest output (several) changed.
    public var flippedShare: Double
    /// Area under the ROC curve of the original and of the quantised network; nil without labels of both kinds.
    public var areas: Areas?

    /// `errorRMS / deviation`: 0 without error, infinite where the original is constant and the quantised is not it.
    public var errorShare: Double { errorRMS == 0 ? 0 : errorRMS / deviation }
  }

  /// Areas under the ROC curve.
  public struct Areas: Hashable, Sendable {
    /// Of the original.
    public var original: Double
    /// Of the quantised network.
    public var quantised: Double
    /// Their difference.
    public var change: Double { quantised - original }
  }

  /// How ranges were chosen.
  public var calibration: RangeCalibration
  /// Every value, the input first.
  public var tensors: [Tensor]
  /// The outputs.
  public var logits: Logits

  /// Computes both networks for windows, best ones that were not calibrated with.
  ///
  /// - Parameters:
  ///   - windows: `[count][window][featureCount]`, at least one.
  ///   - labels: one a window for an AUC of the first output, or nil.
  /// - Complexity: O(windows × products), allocates.
  public init(_ outcome: Quantiser.Outcome, windows: [[[Float]]], labels: [Bool]? = nil) {
    precondition(!windows.isEmpty, "QuantisationReport: at least one window")
    precondition(labels == nil || labels?.count == windows.count, "QuantisationReport: a label for each window")
    let original = NetworkReference(outcome.original)
    let folded = NetworkReference(outcome.folded)
    let quantised = QuantisedReference(outcome.network)
    var sums = [TensorSums](repeating: TensorSums(), count: outcome.network.operators.count + 1)
    var wanted: [[Float]] = []
    var given: [[Float]] = []
    for window in windows {
      let values = folded.values(window)
      let trace = quantised.trace(window)
      for value in values.indices {
        sums[value].add(values[value], trace.values[value], outcome.network.saturatedCount(trace, value))
      }
      wanted.append(original.predict(window))
      given.append(trace.values[outcome.network.operators.count])
    }
    calibration = outcome.calibration
    tensors = sums.indices.map { value in
      let encoding = outcome.network.encodings[value]
      return Tensor(
        value: value, name: value == 0 ? "input" : outcome.folded.operators[value - 1].name, step: encoding?.step,
        zeroPoint: value == 0 ? outcome.network.input.zeroPoint : encoding?.zeroPoint, minimum: sums[value].minimum,
        maximum: sums[value].maximum, saturatedShare: sums[value].saturatedShare, errorMax: sums[value].errorMax,
        signalToNoise: sums[value].signalToNoise)
    }
    logits = Logits(original: wanted, quantised: given, labels: labels)
  }

  /// A table: one line a value, then the outputs.
  public var description: String {
    func number(_ value: Double) -> String {
      guard value.isFinite else { return "inf" }
      let scaled = (value * 1e6).rounded() / 1e6
      return "\(scaled)"
    }
    var lines = ["calibration \(calibration)"]
    for tensor in tensors {
      let codes = tensor.zeroPoint.map { zeroPoint in
        (tensor.step.map { "step \($0) " } ?? "") + "zero point \(zeroPoint) "
      }
      lines.append(
        "value \(tensor.value) \(tensor.name): \(codes ?? "")range \(tensor.minimum)...\(tensor.maximum) "
          + "saturated \(number(tensor.saturatedShare)) error max \(number(tensor.errorMax)) "
          + "SQNR \(number(tensor.signalToNoise)) dB")
    }
    lines.append(
      "outputs of \(logits.count) windows: error rms \(number(logits.errorRMS)) "
        + "(\(number(100 * logits.errorShare)) % of deviation \(number(logits.deviation))), "
        + "max \(number(logits.errorMax)), flipped \(number(100 * logits.flippedShare)) %")
    if let areas = logits.areas {
      lines.append("AUC \(number(areas.original)) to \(number(areas.quantised))")
    }
    return lines.joined(separator: "\n")
  }
}

/// What may be lost by quantisation before a network is refused.
public struct QuantisationGates: Hashable, Sendable {
  /// Most change of the area under the ROC curve, either way.
  public var areaChangeMax = 0.0005
  /// Most root mean square error of the raw output, as a share of its standard deviation.
  public var errorShareMax = 0.03
  /// Most error of one raw output.
  public var errorMax = 0.25
  /// Most windows whose sign, or largest output, changes.
  public var flippedShareMax = 0.007

  /// The gates of the project.
  public init() {}

  /// Why a report does not pass, one line each; empty where it does.
  public func reasons(against report: QuantisationReport) -> [String] {
    let logits = report.logits
    var reasons: [String] = []
    if let areas = logits.areas, !(abs(areas.change) <= areaChangeMax) {
      reasons.append("AUC changes by \(areas.change), at most \(areaChangeMax) is allowed")
    }
    if !(logits.errorShare <= errorShareMax) {
      reasons.append(
        "the error's root mean square is \(logits.errorShare) of the deviation, at most \(errorShareMax) is allowed")
    }
    if !(logits.errorMax <= errorMax) {
      reasons.append("an output is off by \(logits.errorMax), at most \(errorMax) is allowed")
    }
    if !(logits.flippedShare <= flippedShareMax) {
      reasons.append("\(logits.flippedShare) of the outputs flip, at most \(flippedShareMax) is allowed")
    }
    return reasons
  }
}
