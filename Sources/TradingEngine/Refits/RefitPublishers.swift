public import LockFreeRings
internal import PositionSizing
internal import RegimeDetection
public import TradingTypes

/// The other thread's ends of all desks that one `Refitter` serves: that of a pipeline which is alone, or those of all shards.
///
/// Returns of an instrument come from the desk of its shard. A change goes out to every desk, each with the states of its own instruments,
/// and is back when it is back from all of them; the desks take it over at the same bar's end.
public struct RefitPublishers: ~Copyable, Sendable {
  /// Instruments of each desk.
  public let instrumentCount: Int
  /// Desks.
  public let count: Int
  private var ends: InlineArray<16, RefitPublisher?>
  // Which desk has which instrument.
  private let shards: [Int]
  // Desks from which the last change has not come back, and what the others said of it.
  private var awaited = 0
  private var outcome: RefitChange.Outcome?

  /// The end of a desk that is alone.
  ///
  /// - Throws: `ConfigurationError` where the desk was made to change together with others.
  public init(_ publisher: consuming RefitPublisher) throws(ConfigurationError) {
    let instruments = publisher.instrumentCount
    try self.init([Handoff(publisher)], map: ShardMap(instruments: instruments, count: 1))
  }

  /// The ends of the shards' desks.
  ///
  /// - Parameters:
  ///   - publishers: in shard order; taken.
  ///   - map: which shard trades which instrument: that of the distributor.
  /// - Throws: `ConfigurationError` where they are not as many as the map's shards, in another order, or the desks were not made for as
  ///   many, or not for the same instruments.
  public init(_ publishers: [Handoff<RefitPublisher>], map: ShardMap) throws(ConfigurationError) {
    guard publishers.count == map.count else {
      throw ConfigurationError("refits: the desks of \(publishers.count) shards, \(map.count) expected")
    }
    var ends = InlineArray<16, RefitPublisher?> { _ in nil }
    var instruments = 0
    for index in 0..<map.count {
      let end = publishers[index].take()
      if index == 0 { instruments = end.instrumentCount }
      guard end.instrumentCount == instruments, end.deskCount == map.count else {
        throw ConfigurationError(
          "refits: desk \(index) is for \(end.instrumentCount) instruments and one of \(end.deskCount) that change together; \(instruments) and \(map.count) expected"
        )
      }
      guard map.count == 1 || end.shard == index else {
        throw ConfigurationError("refits: desk \(index) is that of shard \(end.shard); shard \(index) expected")
      }
      ends[index] = consume end
    }
    self.ends = ends
    count = map.count
    instrumentCount = instruments
    shards = (0..<instruments).map { map.shard(of: InstrumentID(index: UInt32($0))) }
  }

  /// A return that was not taken yet, the oldest of its desk, or nil.
  mutating func nextReturn() -> ClosedReturn? {
    for index in 0..<count {
      if let next = ends[index]!.nextReturn() { return next }
    }
    return nil
  }

  /// Whether `publish` would take a change; mutating, because reading a part of an optional would take it out.
  mutating func isFree() -> Bool {
    guard awaited == 0 else { return false }
    for index in 0..<count where !ends[index]!.isFreeNow() { return false }
    return true
  }

  /// Makes a change for each desk, and hands all of them over.
  ///
  /// - Precondition: `isFree`.
  /// - Throws: `ConfigurationError` as `RefitChange.init` does; nothing is handed over then.
  mutating func publish(
    regime: (parameters: RegimeParameters, table: RegimeTable)?, volatility: [VolatilityParameters?],
    series: [ReturnSeries], reseedCount: Int
  ) throws(ConfigurationError) {
    let isFree = isFree()
    precondition(isFree, "RefitPublishers: free")
    let isRecorded = (0..<instrumentCount).map { regime != nil || volatility[$0] != nil }
    let recordCount = UInt32(truncatingIfNeeded: isRecorded.count { $0 })
    var changes = InlineArray<16, RefitChange?> { _ in nil }
    var firstPlace: UInt32 = 0
    for shard in 0..<count {
      changes[shard] = try RefitChange(
        regime: regime, volatility: volatility, series: series, reseedCount: reseedCount,
        part: RefitChange.Part(
          isIncluded: shards.map { $0 == shard }, firstPlace: firstPlace, recordCount: recordCount))
      firstPlace += UInt32(truncatingIfNeeded: shards.indices.count { isRecorded[$0] && shards[$0] == shard })
    }
    for shard in 0..<count {
      guard let change = changes[shard].take() else { preconditionFailure("RefitPublishers: a change for each desk") }
      let isTaken = ends[shard]!.publishPart(change)
      precondition(isTaken, "RefitPublishers: a free desk takes a change")
    }
    awaited = count
    outcome = nil
  }

  /// What became of the last change, once, when it is back from every desk; the returns taken in late are the most of any.
  mutating func collect() -> RefitChange.Outcome? {
    guard awaited > 0 else { return nil }
    for index in 0..<count {
      guard let change = ends[index]!.collect() else { continue }
      awaited -= 1
      guard let heard = change.outcome else { continue }
      switch (outcome, heard) {
      case (.adopted(let number, let barrier, let most), .adopted(let again, let same, let other)):
        precondition(number == again && barrier == same, "RefitPublishers: desks change together")
        outcome = .adopted(number: number, barrier: barrier, caughtUp: max(most, other))
      case (.late, .late), (nil, _): outcome = heard
      case (.adopted, .late), (.late, .adopted): preconditionFailure("RefitPublishers: desks change together")
      }
    }
    return awaited == 0 ? outcome : nil
  }
}
