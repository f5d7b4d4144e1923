public import LockFreeRings
public import ModelInference
internal import SignalFeatures
public import TradingTypes

/// Stage 3 with models that can be changed while it runs: a champion, a challenger for a share of the instruments, and a shadow.
///
/// ```
///  another thread                                    the pipeline's thread
///  ModelPublisher ──publish(change)──► slot ──┐      takeSwap: takes a change over, between two events
///        ▲                                    └────► champion │ challenger │ shadow
///        └──────collect() ◄── former model ◄──────── (moved, never made or ended here)
/// ```
///
/// A change takes effect when an event begins, before the bars that close with it: no event sees two models, and there is always
/// a champion. The event's sequence is recorded with the change; a `SwapPlan` repeats it in a replay, in every topology.
///
/// Windows: the desk keeps the closed rows of each instrument itself, so that a model which looks back can go on where the former
/// one stood. Its windows of an instrument are filled from them in idle time (`advance`, a row a slice), and what lacks is made up
/// before the first forecast of that instrument: forecasts never depend on whether there was idle time. A windowed member then gives the
/// bits of one that has always been there; a stateful one begins with the rows of one window before its first event.
///
/// - SeeAlso: `ModelSwap` for what is recorded, `DriftWatch` for what is watched.
public struct ModelDesk: Forecaster, ~Copyable {
  /// What the desk did.
  @frozen public struct Counters: BitwiseCopyable, Hashable, Sendable {
    /// Changes that took effect.
    public var swaps: UInt64 = 0
    /// Forecasts that the challenger decided.
    public var challenged: UInt64 = 0
    /// Notices that found no room.
    public var lostNotices: UInt64 = 0

    /// All zero.
    @inlinable public init() {}
  }

  /// Comparisons with the shadow that a notice speaks of.
  public static let shadowBlockCount: UInt64 = 1_024

  /// Rows that the windows of a model may have.
  public let windowMax: Int
  /// The host's number of the session, such as its day: an input of the challenger's share, to be set between sessions.
  public var session: UInt64 = 0
  /// Which shard's desk it is, for the record: to be set before the first event.
  public var shard: UInt16 = 0
  /// What happened so far.
  public internal(set) var counters = Counters()
  /// The model of the last forecast, as in `ModelNotice.model`.
  public private(set) var lastModel: UInt64
  /// How far the shadow is from the champion, since it came.
  public internal(set) var shadowTally = ShadowTally()
  /// What the shadow said when the champion was asked last; unusable where it was not asked.
  public internal(set) var lastShadow = Forecast.unusable
  /// Watches for drift, where there is one.
  public var drift: DriftWatch?

  /// Slices of every model's dry run.
  public internal(set) var warmSliceCount: Int

  var champion: DeskModel
  var challenger: DeskModel?
  var shadow: DeskModel?
  var split = ChallengerSplit(challengerBucketCount: 0)
  var rows: ClosedRows
  var scratch = FeatureVector()
  // The tally as the last notice of the shadow told it.
  var toldTally = ShadowTally()
  // Taken from the publisher, and not due yet.
  var held: ModelChange?
  var heldSequence: UInt64 = .max
  var plan: SwapPlan
  var planned = 0
  // Where `fillSlice` goes on, and whether it would find anything.
  var fillCursor = 0
  var mayLackRows = false
  var publisher: ModelPublisher?
  var notices: LatencyRing<ModelNotice>.Producer
  @usableFromInline var incoming: ExchangeSlot<ModelChange>.Consumer
  // Whether the first champion was told.
  var hasBegun = false
  // The least sequence at which a planned or held change is due.
  @usableFromInline var dueSequence: UInt64

  /// A desk with a champion.
  ///
  /// - Parameters:
  ///   - champion: a model for as many instruments as the engine has.
  ///   - windowMax: the longest window a model may ever have; 1 keeps no rows.
  ///   - plan: changes that a replay repeats.
  ///   - noticeCapacity: notices that wait for the publisher; a power of two.
  /// - Throws: `RingError` for a wrong capacity or a full arena.
  /// - Precondition: the models' instruments are as many, and their windows no longer than `windowMax`.
  /// - Complexity: takes `arenaBytes` from the arena.
  public init(
    champion: consuming DeskModel, windowMax: Int = 64, plan: SwapPlan = SwapPlan(), noticeCapacity: Int = 256,
    in arena: Arena
  ) throws(RingError) {
    precondition(windowMax >= 1, "ModelDesk: windows of at least one row")
    let instrumentCount = champion.instrumentCount
    var ring = try LatencyRing<ModelNotice>(capacity: noticeCapacity, in: arena)
    var slot: ExchangeSlot<ModelChange>
    do throws(ArenaError) { slot = try ExchangeSlot(in: arena) } catch { throw .arena(error) }
    let publisher = ModelPublisher(
      slot: slot.takePublisher(), notices: ring.takeConsumer(), champion: (champion.id, champion.version),
      instrumentCount: instrumentCount, windowMax: windowMax)
    precondition(
      publisher.fault(of: champion) == nil,
      "ModelDesk: models of one number of instruments and windows up to the longest")
    self.publisher = consume publisher
    self.windowMax = windowMax
    lastModel = champion.id
    warmSliceCount = champion.ensemble.value.warmSliceCount
    self.champion = champion
    rows = ClosedRows(instrumentCount: instrumentCount, capacity: windowMax - 1, in: arena)
    notices = ring.takeProducer()
    incoming = slot.takeConsumer()
    self.plan = plan
    dueSequence = 0
  }

  /// Bytes of arena memory a desk takes besides its models' own.
  public static func arenaBytes(instrumentCount: Int, windowMax: Int = 64, noticeCapacity: Int = 256) -> Int {
    ClosedRows.arenaBytes(instrumentCount: instrumentCount, capacity: windowMax - 1) + noticeCapacity * 128
      + MemoryLayout<ModelChange>.stride + 4_096
  }

  /// The other thread's end.
  ///
  /// - Precondition: taken once.
  public mutating func takePublisher() -> ModelPublisher {
    guard let taken = publisher.take() else { preconditionFailure("ModelDesk: the publisher is taken once") }
    return taken
  }

  /// The champion, as in `ModelNotice.model`.
  public var championModel: UInt64 { champion.id }
  /// The champion's counts since it was made.
  public var championCounters: Ensemble.Counters { champion.counters }

  // MARK: - Forecaster

  /// Takes over a change that waits or is due; how it took effect. The first time the champion itself: `ModelSwap.isBeginning`.
  ///
  /// - Complexity: a comparison and one acquiring load when there is none; no allocation.
  @inlinable @inline(__always) public mutating func takeSwap(before sequence: UInt64, at time: Timestamp) -> ModelSwap?
  {
    guard sequence >= dueSequence || incoming.isWaiting else { return nil }
    return takeOver(sequence, at: time)
  }

  /// The forecast of the model that decides about `instrument`.
  ///
  /// - Complexity: O(model), no allocation; more where windows have to be made up, see the type.
  public mutating func forecast(
    _ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp
  ) -> Forecast {
    let index = Int(instrument.index)
    if challenger != nil, split.isChallenger(instrument, session: session) {
      // Wrapping, here and below: 2^64 forecasts take longer than any machine lives.
      counters.challenged &+= 1
      lastModel = challenger!.traits().id
      return challenger!.forecast(features, of: index, from: rows, by: &scratch)
    }
    lastModel = champion.id
    let forecast = champion.forecast(features, of: index, from: rows, by: &scratch)
    if shadow != nil { compare(forecast, features, index, at: time) }
    if drift != nil { watch(forecast, features, at: time) }
    return forecast
  }

  /// Whether closed bars matter to any model that may come.
  public var readsBars: Bool { rows.capacity > 0 }

  /// Keeps the row, and gives it to every model.
  ///
  /// - Complexity: the urgent part only, no allocation; `advance` does the rest.
  public mutating func close(
    _ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp, isFirst: Bool
  ) {
    let index = Int(instrument.index)
    // Where a longer memory begins must not depend on idle time: before the rows go on.
    if champion.isStateful { champion.fill(index, from: rows, by: &scratch) }
    if challenger != nil, challenger!.traits().isStateful { challenger!.fill(index, from: rows, by: &scratch) }
    if shadow != nil, shadow!.traits().isStateful { shadow!.fill(index, from: rows, by: &scratch) }
    let champions = champion.isFilled(index, from: rows)
    let challengers = challenger != nil && challenger!.isFilled(index, from: rows)
    let shadows = shadow != nil && shadow!.isFilled(index, from: rows)
    rows.close(features, of: index, isFirst: isFirst)
    if !champions || challenger != nil && !challengers || shadow != nil && !shadows || held != nil {
      mayLackRows = true
    }
    champion.close(features, of: index, isFirst: isFirst, wasFilled: champions, from: rows)
    if challengers { challenger!.close(features, of: index, isFirst: isFirst, wasFilled: true, from: rows) }
    if shadows { shadow!.close(features, of: index, isFirst: isFirst, wasFilled: true, from: rows) }
  }

  /// One slice of what closed bars left, or of filling the windows of a model that came; false when nothing is left.
  ///
  /// - Complexity: about a microsecond, or one row into the windows of one instrument; no allocation.
  public mutating func advance() -> Bool {
    if champion.ensemble.value.advance() { return true }
    if challenger != nil, challenger!.ensemble.value.advance() { return true }
    if shadow != nil, shadow!.ensemble.value.advance() { return true }
    return fillSlice()
  }

  /// Goes over slice `slice` of the models' last forecasts again: changes nothing.
  public mutating func warm(_ slice: Int) {
    var slice = slice
    guard slice >= champion.ensemble.value.warmSliceCount else { return champion.ensemble.value.warm(slice) }
    slice -= champion.ensemble.value.warmSliceCount
    if challenger != nil {
      guard slice >= challenger!.traits().sliceCount else { return challenger!.ensemble.value.warm(slice) }
      slice -= challenger!.traits().sliceCount
    }
    if shadow != nil, slice < shadow!.traits().sliceCount { shadow!.ensemble.value.warm(slice) }
  }

  // MARK: - The shadow

  private mutating func compare(
    _ forecast: Forecast, _ features: borrowing FeatureVector, _ index: Int, at time: Timestamp
  ) {
    lastShadow = shadow!.forecast(features, of: index, from: rows, by: &scratch)
    shadowTally.record(champion: forecast, shadow: lastShadow)
    // In range: the tally only grows.
    if shadowTally.compared &- toldTally.compared == Self.shadowBlockCount { tellDisagreement(at: time) }
  }

  /// Tells the share of disagreements since the last such notice, where there was one.
  mutating func tellDisagreement(at time: Timestamp) {
    let disagreed = shadowTally.disagreed - toldTally.disagreed
    if disagreed > 0, shadow != nil {
      tell(
        ModelNotice(
          .shadowDisagreement, model: shadow!.traits().id, version: shadow!.traits().version,
          value: Double(disagreed) / Double(shadowTally.compared - toldTally.compared), at: time))
    }
    toldTally = shadowTally
  }

  // MARK: - Notices

  mutating func tell(_ notice: ModelNotice) {
    if !notices.tryPush(notice) { counters.lostNotices &+= 1 }
  }

  private mutating func watch(_ forecast: Forecast, _ features: borrowing FeatureVector, at time: Timestamp) {
    let (first, second) = drift!.observe(features, forecast, of: champion.id, at: time)
    if let first { tell(first) }
    if let second { tell(second) }
  }
}

// The only owner of its models and rows; the publisher is another value: it may move to another thread.
extension ModelDesk: @unchecked Sendable {}
