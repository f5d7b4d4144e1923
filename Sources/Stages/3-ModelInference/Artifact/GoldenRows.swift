internal import TradingTypes

/// Rows an artifact carries, with the bits that every machine must give for them.
public struct GoldenRows: Hashable, Sendable {
  /// What a model gives for one window.
  public struct Answer: Hashable, Sendable {
    /// Bits of the raw scores of every member in order, as doubles; 0 where a member does not take part.
    public var raw: [UInt64]
    /// Members that take part, a bit each.
    public var members: UInt32
    /// Bits of the joined probability; 0 without a combiner.
    public var probabilityUp: UInt64
    /// Bits of the confidence; 0 without a combiner.
    public var confidence: UInt64

    /// An answer.
    public init(raw: [UInt64], members: UInt32, probabilityUp: UInt64 = 0, confidence: UInt64 = 0) {
      self.raw = raw
      self.members = members
      self.probabilityUp = probabilityUp
      self.confidence = confidence
    }
  }

  /// Most rows.
  public static let rowCountMax = 8_192

  /// Float, `[features]` each, NaN where there is no value, in the order of time.
  public var rows: [[Float]]
  /// One for each row that ends a whole window.
  public var answers: [Answer]

  /// Rows and their answers.
  public init(rows: [[Float]], answers: [Answer]) {
    self.rows = rows
    self.answers = answers
  }

  /// The rows with the answers of `model`, in the scalar kernels unless told otherwise.
  ///
  /// - Precondition: the model is sound and has no more features than each row; there is a whole window of rows.
  public init(_ rows: [[Float]], answeredBy model: EnsembleModel, kernels: KernelSet = .scalar) {
    let predictor = ModelPredictor(model, kernels: kernels)
    self.rows = rows
    answers = (model.window...rows.count).map { end in
      let prediction = predictor.prediction(rows[(end - model.window)..<end])
      return Answer(
        raw: prediction.raw.map(\.bitPattern), members: prediction.members,
        probabilityUp: prediction.forecast?.probabilityUp.bitPattern ?? 0,
        confidence: prediction.forecast?.confidence.bitPattern ?? 0)
    }
  }

  /// Whether `model` repeats every answer in some kernels.
  ///
  /// - Precondition: the model is sound and the processor has the instruction set.
  public func hold(in model: EnsembleModel, kernels: KernelSet) -> Bool {
    GoldenRows(rows, answeredBy: model, kernels: kernels) == self
  }

  /// The first answer that `model` does not repeat in some kernels, in words, or nil.
  func fault(in model: EnsembleModel, kernels: KernelSet) -> String? {
    let now = GoldenRows(rows, answeredBy: model, kernels: kernels)
    guard let place = zip(answers, now.answers).enumerated().first(where: { $1.0 != $1.1 })?.offset else { return nil }
    return "the bits of golden answer \(place) to repeat in the \(kernels.resolved) kernels"
  }
}
