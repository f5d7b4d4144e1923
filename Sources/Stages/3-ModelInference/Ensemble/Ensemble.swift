public import LockFreeRings
public import TradingTypes

/// Stage 3: a feature vector in, a forecast out.
///
/// The same bits on every instruction set. Slots of the vector that are not valid are missing: trees take their default
/// direction, networks the training mean, and a member that requires such a slot leaves its weight to the others
/// (`Combiner`). Values are narrowed to single precision, ties to even, and magnitudes up to 1e-35 become 0 (LightGBM
/// knows no smaller number); where a value is not finite then, the forecast is unusable.
@frozen public struct Ensemble: ~Copyable {
  /// How many forecasts were asked for, and how they went.
  @frozen public struct Counters: BitwiseCopyable, Hashable, Sendable {
    /// Vectors that came.
    public var forecasts: UInt64 = 0
    /// Vectors with a value that is not finite.
    public var notFinite: UInt64 = 0
    /// Forecasts without any member, for either reason.
    public var unusable: UInt64 = 0
    /// Usable forecasts that lacked a member.
    public var partial: UInt64 = 0

    /// All zero.
    @inlinable public init() {}
  }

  /// The members.
  public let kernels: EnsembleKernels
  /// How they are joined.
  public let combiner: Combiner
  /// What happened so far.
  @inlinable public var counters: Counters { counted }
  @usableFromInline var counted = Counters()

  /// Copies a verified model into `arena`, ready to run.
  ///
  /// - Parameters:
  ///   - kernels: the instruction set, forced for tests and comparisons.
  /// - Precondition: the arena has `arenaBytes(for:)` left, and the processor has the instruction set.
  /// - Complexity: O(model); the only allocation.
  public init(_ artifact: ModelArtifact, kernels: KernelSet = .best, in arena: Arena) {
    self.init(artifact.model, kernels: kernels, in: arena)
  }

  /// As above, from a model whose `fault` is nil.
  ///
  /// - Precondition: the model is sound.
  public init(_ model: EnsembleModel, kernels: KernelSet = .best, in arena: Arena) {
    precondition(model.fault == nil, "Ensemble: the model is sound")
    self.kernels = EnsembleKernels(model.members, set: kernels, in: arena)
    combiner = Combiner(model.combiner)
  }

  /// Bytes of arena memory a model takes.
  public static func arenaBytes(for model: EnsembleModel) -> Int { EnsembleKernels.arenaBytes(for: model.members) }

  /// The forecast of a vector.
  ///
  /// - Complexity: O(model), no allocation.
  @inlinable public mutating func forecast(_ vector: borrowing FeatureVector) -> Forecast {
    // Wrapping: a count of 2^64 forecasts takes longer than any machine lives.
    counted.forecasts &+= 1
    var logits = InlineArray<8, Double>(repeating: 0)
    guard let present = kernels.logits(vector, into: &logits) else {
      counted.notFinite &+= 1
      counted.unusable &+= 1
      return .unusable
    }
    let forecast = combiner.forecast(logits, present: present)
    if !forecast.isUsable {
      counted.unusable &+= 1
    } else if present.nonzeroBitCount < kernels.count {
      counted.partial &+= 1
    }
    return forecast
  }

  /// The logit of each member and the members that took part, or nil for a vector that is not finite.
  public func memberLogits(_ vector: borrowing FeatureVector) -> (logits: InlineArray<8, Double>, members: UInt32)? {
    var logits = InlineArray<8, Double>(repeating: 0)
    guard let present = kernels.logits(vector, into: &logits) else { return nil }
    return (logits, present)
  }

  /// The raw score of a tree member, as its trainer calls it, or nil where there is none. Off the hot path.
  public func rawScore(of member: Int, _ vector: borrowing FeatureVector) -> Double? {
    kernels.rawSum(of: member, vector)
  }

  /// The exit leaf of each tree of a member in the trainer's numbering; empty for a network. Off the hot path,
  /// allocates.
  public func exitLeaves(of member: Int, _ vector: borrowing FeatureVector) -> [UInt32] {
    kernels.exitLeaves(of: member, vector)
  }
}

extension EnsembleModel {
  /// The first rule the model breaks, or nil.
  public var fault: String? {
    for (number, member) in members.enumerated() {
      if let fault = member.fault { return "member \(number) with \(fault)" }
    }
    return combiner.fault(memberCount: members.count)
  }
}

extension GoldenRow {
  /// The row with the answers the scalar kernels give, or nil where a value is not finite.
  public func answered(by ensemble: borrowing Ensemble) -> GoldenRow? {
    guard let (logits, members) = ensemble.memberLogits(vector) else { return nil }
    let forecast = ensemble.combiner.forecast(logits, present: members)
    return GoldenRow(
      values: values, valid: valid, logits: (0..<ensemble.kernels.count).map { logits[$0].bitPattern },
      members: members, probabilityUp: forecast.probabilityUp.bitPattern, confidence: forecast.confidence.bitPattern)
  }

  /// The rows with the answers of the scalar kernels, up to the first whose values are not finite.
  ///
  /// - Precondition: the model is sound.
  public static func answers(_ rows: [GoldenRow], of model: EnsembleModel) -> [GoldenRow] {
    let ensemble = Ensemble(model, kernels: .scalar, in: Arena(capacityBytes: Ensemble.arenaBytes(for: model)))
    var answered: [GoldenRow] = []
    for row in rows {
      guard let row = row.answered(by: ensemble) else { break }
      answered.append(row)
    }
    return answered
  }

  /// The first row whose answers the scalar kernels do not repeat, in words, or nil.
  static func firstFault(of rows: [GoldenRow], in model: EnsembleModel) -> String? {
    let ensemble = Ensemble(model, kernels: .scalar, in: Arena(capacityBytes: Ensemble.arenaBytes(for: model)))
    for (number, row) in rows.enumerated() where row.answered(by: ensemble) != row {
      return "the bits of golden row \(number) to repeat"
    }
    return nil
  }
}
