public import ModelInference
public import TradingTypes

/// What a model does at a `ModelDesk`.
@frozen public enum ModelPlace: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Decides, except what the challenger decides.
  case champion = 0
  /// Decides a share of the instruments.
  case challenger = 1
  /// Computes and is compared, and never decides.
  case shadow = 2
}

/// A change of models as it took effect: what a replay needs to repeat it. 48 bytes of plain values.
///
/// A sink is told of it before anything of its event: `JournalSink` keeps it, and `recorded(inJournal:)` reads it back.
@frozen public struct ModelSwap: BitwiseCopyable, Hashable, Sendable {
  /// Sequence of the event that was the first one under the new models: its bars and its decision too.
  public var sequence: UInt64
  /// Time of that event.
  public var time: Timestamp
  /// The model that took the place, or 0 where it is empty since.
  public var model: UInt64
  /// The model that had it, or 0.
  public var former: UInt64
  /// Version of the model that took the place.
  public var version: UInt32
  /// The challenger's buckets of 10,000 from here on; 0 in other places.
  public var challengerBucketCount: UInt32
  /// The place.
  public var place: ModelPlace
  /// The desk's `shard`.
  public var shard: UInt16

  /// Whether it is no change but the champion at the beginning: the first record of a run.
  @inlinable public var isBeginning: Bool { place == .champion && former == 0 }

  /// A change that took effect with the event `sequence`.
  @inlinable public init(
    sequence: UInt64, time: Timestamp, place: ModelPlace, model: UInt64, version: UInt32 = 0, former: UInt64 = 0,
    challengerBucketCount: UInt32 = 0, shard: UInt16 = 0
  ) {
    self.sequence = sequence
    self.time = time
    self.model = model
    self.former = former
    self.version = version
    self.challengerBucketCount = challengerBucketCount
    self.place = place
    self.shard = shard
  }
}

/// A change of models on its way to a `ModelDesk`, and the former model on its way back.
public struct ModelChange: ~Copyable, Sendable {
  /// Whose model changes.
  public let place: ModelPlace
  /// On the way there the new model, nil to leave the place empty; on the way back the former one, nil where there was none.
  public var model: DeskModel?
  /// The challenger's share.
  public let split: ChallengerSplit
  /// The first event that may see the change: a number ahead gives every shard the same one, and idle time before it fills the
  /// windows; 0 for the next event.
  public var earliestSequence: UInt64 = 0
  /// When and how it took effect; nil on the way there.
  public internal(set) var effect: ModelSwap?

  private init(_ place: ModelPlace, _ model: consuming DeskModel?, split: ChallengerSplit = ChallengerSplit()) {
    self.place = place
    self.model = model
    self.split = split
  }

  /// `model` decides from here on.
  public static func champion(_ model: consuming DeskModel) -> ModelChange { ModelChange(.champion, model) }

  /// `model` decides the share `split` of the instruments from here on.
  public static func challenger(_ model: consuming DeskModel, _ split: ChallengerSplit) -> ModelChange {
    ModelChange(.challenger, model, split: split)
  }

  /// The champion decides everything from here on.
  public static func endChallenger() -> ModelChange { ModelChange(.challenger, nil) }

  /// `model` is compared with the champion from here on.
  public static func shadow(_ model: consuming DeskModel) -> ModelChange { ModelChange(.shadow, model) }

  /// Nothing is compared with the champion from here on.
  public static func endShadow() -> ModelChange { ModelChange(.shadow, nil) }

  init<Failure: Error>(
    repeating swap: ModelSwap, _ make: (ModelSwap) throws(Failure) -> DeskModel
  ) throws(Failure) {
    let buckets = Int(min(swap.challengerBucketCount, UInt32(ChallengerSplit.bucketCount)))
    if swap.model == 0, swap.place != .champion {
      self.init(swap.place, nil)
    } else {
      self.init(swap.place, try make(swap), split: ChallengerSplit(challengerBucketCount: buckets))
    }
  }
}

/// Changes that a replay repeats at the events where they took effect.
///
/// The models are made beforehand; those that were replaced end with the plan. A plan serves one desk.
public struct SwapPlan: Sendable {
  /// Holds a change until it is due; touched by the desk's thread only, once the plan is the desk's.
  final class Entry: @unchecked Sendable {
    let sequence: UInt64
    // The planned change, then what it replaced.
    var change: ModelChange?
    var isTaken = false

    init(_ sequence: UInt64, _ change: consuming ModelChange) {
      self.sequence = sequence
      self.change = consume change
    }
  }

  private(set) var entries: [Entry] = []

  /// No change.
  public init() {}

  /// The plan that repeats `swaps`, in their order, with the models that `make` gives.
  ///
  /// - Parameters:
  ///   - swaps: recorded changes of one desk, in the order in which they took effect; the beginning, which is none, is passed over.
  ///   - make: the model that took the place, by `ModelSwap.model`; not asked where the place became empty.
  /// - Throws: what `make` throws.
  public init<Failure: Error>(
    repeating swaps: [ModelSwap], _ make: (ModelSwap) throws(Failure) -> DeskModel
  ) throws(Failure) {
    for swap in swaps where !swap.isBeginning { append(try ModelChange(repeating: swap, make), at: swap.sequence) }
  }

  /// Changes planned.
  public var count: Int { entries.count }

  /// Plans `change` for the first event of the sequence `sequence` or above: `ModelSwap.sequence` of the recorded one.
  ///
  /// - Precondition: sequences do not fall.
  public mutating func append(_ change: consuming ModelChange, at sequence: UInt64) {
    precondition(entries.last.map { $0.sequence <= sequence } ?? true, "SwapPlan: changes in the order of their events")
    entries.append(Entry(sequence, change))
  }
}
