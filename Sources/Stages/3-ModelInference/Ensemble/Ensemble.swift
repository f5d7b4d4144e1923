public import LockFreeRings
public import TradingTypes

/// Stage 3: a feature vector in, a forecast out.
///
/// The same bits on every instruction set. Slots of the vector that are not valid are missing: trees take their default
/// direction, networks the training mean, and a member that requires such a slot leaves its weight to the others
/// (`Combiner`). Values are narrowed to single precision, ties to even; where a valid one is not finite then, the
/// forecast is unusable.
///
/// A member that looks back reads a window of rows for each instrument: the vector at each close of a primary bar
/// (`close`), and the vector asked about as the newest row. Until its window is full it does not take part. What its
/// prediction needs of the closed rows is computed between ticks (`advance`), or at the latest when it is needed: the
/// results are the same.
public struct Ensemble: ~Copyable {
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

  private var kernels: EnsembleKernels
  private var joint: JointKernel
  private var row: KernelRow
  private var counted = Counters()
  private var lastInstrument = 0

  /// What happened so far.
  public var counters: Counters { counted }
  /// Members there are.
  public var memberCount: Int { kernels.count }
  /// The instruction set that is used.
  public var kernelSet: KernelSet { kernels.set }
  /// Whether a member looks back, so that closed bars matter.
  public let readsBars: Bool

  /// Copies a verified model into `arena`, ready to run.
  ///
  /// - Parameters:
  ///   - instrumentCount: instruments that windows are kept of.
  ///   - kernels: the instruction set, forced for tests and comparisons.
  ///   - customNames: names of slots 88–95 in order (`CustomFeatures.names`).
  /// - Throws: `ArtifactError` for a model that does not read slots of this engine, or cannot run in it.
  /// - Precondition: the arena has `arenaBytes` left, and the processor has the instruction set.
  /// - Complexity: O(model); the only allocation.
  public init(
    _ artifact: ModelArtifact, instrumentCount: Int = 1, kernels: KernelSet = .best, customNames: [String] = [],
    in arena: Arena
  ) throws(ArtifactError) {
    self.init(
      try artifact.onSlots(customNames: customNames, kernels: kernels), instrumentCount: instrumentCount,
      kernels: kernels, in: arena)
  }

  /// As above, from a model over the slots of a vector (`ModelArtifact.onSlots`).
  ///
  /// - Precondition: the model is sound, forecasts a direction and has 96 features.
  public init(_ model: EnsembleModel, instrumentCount: Int = 1, kernels: KernelSet = .best, in arena: Arena) {
    precondition(model.features.count == FeatureVector.count, "Ensemble: a model over the slots of a vector")
    precondition(model.fault == nil && model.isBinary, "Ensemble: a sound model that forecasts a direction")
    self.kernels = EnsembleKernels(model, instrumentCount: instrumentCount, set: kernels, in: arena)
    joint = JointKernel(model, set: kernels.resolved, in: arena)
    readsBars = model.window > 1
    row = KernelRow(featureCount: FeatureVector.count, in: arena)
  }

  /// Bytes of arena memory a model takes.
  public static func arenaBytes(for model: EnsembleModel, instrumentCount: Int = 1) -> Int {
    EnsembleKernels.arenaBytes(for: model, instrumentCount: instrumentCount) + JointKernel.arenaBytes(for: model)
      + KernelRow.arenaBytes(featureCount: FeatureVector.count)
  }

  /// The same for an artifact that `init` accepts.
  public static func arenaBytes(
    for artifact: ModelArtifact, instrumentCount: Int = 1, customNames: [String] = []
  ) throws(ArtifactError) -> Int {
    arenaBytes(for: try artifact.onSlots(customNames: customNames), instrumentCount: instrumentCount)
  }

  /// The forecast of a vector of `instrument`.
  ///
  /// - Precondition: `instrument` is below the number of instruments.
  /// - Complexity: O(model), no allocation.
  public mutating func forecast(_ vector: borrowing FeatureVector, of instrument: Int = 0) -> Forecast {
    // Wrapping: a count of 2^64 forecasts takes longer than any machine lives.
    counted.forecasts &+= 1
    lastInstrument = instrument
    var logits = InlineArray<8, Double>(repeating: 0)
    guard row.load(vector, set: kernels.set) else {
      counted.notFinite &+= 1
      counted.unusable &+= 1
      return .unusable
    }
    let present = kernels.logits(row, valid: vector.valid, of: instrument, into: &logits)
    let forecast = joint.forecast(logits, present: present)
    if !forecast.isUsable {
      counted.unusable &+= 1
    } else if present.nonzeroBitCount < kernels.count {
      counted.partial &+= 1
    }
    return forecast
  }

  /// The vector of `instrument` at the close of a primary bar becomes the newest closed row of its window.
  ///
  /// A vector that is not finite empties the window: what was missed cannot be made up.
  ///
  /// - Parameters:
  ///   - isFirst: rows before it are not its past: the window is emptied first.
  /// - Complexity: the urgent part only, no allocation; `advance` does the rest.
  public mutating func close(_ vector: borrowing FeatureVector, of instrument: Int, isFirst: Bool = false) {
    guard readsBars else { return }
    if isFirst { kernels.reset(instrument) }
    guard row.load(vector, set: kernels.set) else { return kernels.reset(instrument) }
    kernels.close(row, of: instrument)
  }

  /// Empties the windows of `instrument`, as if nothing of it had closed yet.
  ///
  /// - Complexity: O(model × window), no allocation.
  public mutating func reset(_ instrument: Int) { kernels.reset(instrument) }

  /// One slice of the work that closed bars left to be done; false when none is left.
  ///
  /// - Complexity: about a microsecond, no allocation.
  public mutating func advance() -> Bool { kernels.advance() }

  /// Slices of a dry run: a member each, then what joins them.
  public var warmSliceCount: Int { kernels.count + 1 }

  /// Goes over a slice of the last forecast again: its tables stay near, and nothing changes.
  ///
  /// - Precondition: `slice` is below `warmSliceCount`.
  /// - Complexity: O(member), no allocation.
  public mutating func warm(_ slice: Int) {
    guard slice < kernels.count else {
      _ = joint.forecast(InlineArray(repeating: 0.1), present: (1 << UInt32(kernels.count)) - 1)
      return
    }
    kernels.warm(slice, row, of: lastInstrument)
  }

  /// The logit of each member and the members that took part, or nil for a vector that is not finite.
  public mutating func memberLogits(
    _ vector: borrowing FeatureVector, of instrument: Int = 0
  ) -> (logits: InlineArray<8, Double>, members: UInt32)? {
    guard row.load(vector, set: kernels.set) else { return nil }
    var logits = InlineArray<8, Double>(repeating: 0)
    let present = kernels.logits(row, valid: vector.valid, of: instrument, into: &logits)
    return (logits, present)
  }
}
