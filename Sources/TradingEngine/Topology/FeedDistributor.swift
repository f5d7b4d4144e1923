public import LockFreeRings
public import MarketIngest
public import TradingTypes

/// Which shard trades which instrument.
public struct ShardMap: Sendable {
  /// Shards an engine can have.
  public static var countMax: Int { 16 }
  /// Number of shards.
  public let count: Int
  let shards: [UInt8]

  /// `count` shards that take turns over the instruments.
  public init(instruments: Int, count: Int) throws(ConfigurationError) {
    try self.init((0..<max(0, instruments)).map { $0 % max(1, count) }, count: count)
  }

  /// `count` shards, that of each instrument given.
  public init(_ shards: [Int], count: Int) throws(ConfigurationError) {
    guard (1...Self.countMax).contains(count) else {
      throw ConfigurationError("\(count) shards, expected 1 to \(Self.countMax)")
    }
    guard shards.allSatisfy({ (0..<count).contains($0) }) else {
      throw ConfigurationError("a shard map names shards 0 to \(count - 1) only")
    }
    self.count = count
    self.shards = shards.map { UInt8($0) }
  }

  /// The shard that trades `instrument`: the first one where the map does not name it, as events are distributed.
  func shard(of instrument: InstrumentID) -> Int {
    Int(instrument.index) < shards.count ? Int(shards[Int(instrument.index)]) : 0
  }
}

/// The thread that sees the whole input: gives each event to the pipeline that trades its instrument, and marks what concerns all.
///
/// Bar ends and a silent feed are seen here, on every event, and marked in every ring at their place in the input: a shard alone sees
/// only its own events. While one ring is full the others are told how far the input has come, so that no shard's output is held back
/// by a shard that has nothing to do: without that, full rings could wait for each other.
@frozen public struct FeedDistributor: ~Copyable {
  @usableFromInline var lanes: InlineArray<16, ThroughputRing<TopologyInput>.Producer?>
  // How far a ring was told the input has come.
  @usableFromInline var toldKeys = InlineArray<16, UInt64>(repeating: 0)
  @usableFromInline let count: Int
  @usableFromInline let shards: Slab<UInt8>
  @usableFromInline let rules: PipelineRules
  @usableFromInline let silenceMax: TimeSpan
  @usableFromInline let marksBarriers: Bool
  @usableFromInline let wait: TopologyWait
  @usableFromInline var barrier: Timestamp
  @usableFromInline var lastMessage = Timestamp.distantPast
  @usableFromInline var key: UInt64 = 0
  @usableFromInline var sinceProgress = 0
  @usableFromInline var line = LineState.valid
  /// Events given to a pipeline.
  @inlinable public var eventCount: UInt64 { storedEventCount }
  @usableFromInline var storedEventCount: UInt64 = 0

  /// A distributor over `lanes`, one for each shard of `map`.
  ///
  /// - Parameters:
  ///   - map: the shards; nil where one pipeline sees everything and marks its bars itself.
  public init(
    lanes: [Handoff<ThroughputRing<TopologyInput>.Producer>], map: ShardMap?, configuration: EngineConfiguration,
    midnight: Timestamp, wait: TopologyWait, in arena: Arena
  ) throws(ConfigurationError) {
    precondition(lanes.count == map?.count ?? 1, "FeedDistributor: a ring for each shard")
    let rules = try PipelineRules(configuration, midnight: midnight)
    var shards = Slab(repeating: UInt8(0), count: max(1, map?.shards.count ?? 0), in: arena)
    for (index, shard) in (map?.shards ?? []).enumerated() { shards[index] = shard }
    self.lanes = InlineArray { index in index < lanes.count ? lanes[index].take() : nil }
    count = lanes.count
    self.shards = shards
    self.rules = rules
    marksBarriers = map != nil
    silenceMax = .seconds(map == nil ? 0 : configuration.kill.feedSilenceSecondsMax)
    self.wait = wait
    barrier = .distantPast
  }

  /// Gives an event to its pipeline, after the marks that come before it; false when the topology stops.
  ///
  /// - Precondition: in a sharded topology the events' sequences rise.
  /// - Complexity: O(1) beside barriers, which cost a push a shard; no allocation.
  @inlinable public mutating func distribute(_ event: MarketEvent) -> Bool {
    if marksBarriers, !mark(event) { return false }
    let index = Int(event.instrument.index)
    let lane = index < shards.count ? Int(shards[index]) : 0
    guard push(.event(event), to: lane) else { return false }
    // Wrapping: message numbers stay far below 2^63.
    key = event.sequence &<< 1 | 1
    toldKeys[lane] = key
    // Wrapping: a count below 257; 2^64 events take centuries.
    sinceProgress &+= 1
    storedEventCount &+= 1
    if sinceProgress > 256, marksBarriers { tellProgress() }
    return true
  }

  /// Marks a bar's end and a silence in every ring.
  @inlinable mutating func mark(_ event: MarketEvent) -> Bool {
    if event.time >= barrier {
      precondition(event.sequence > key &>> 1 || key == 0, "FeedDistributor: the sequences of sharded events rise")
      for lane in 0..<count {
        guard push(.barrier(sequence: event.sequence, time: event.time), to: lane) else { return false }
      }
      // Wrapping: as above.
      key = event.sequence &<< 1
      barrier = rules.barEnd(before: event.time) + rules.barSpan
    }
    if silenceMax > .zero, lastMessage > .distantPast, event.time - lastMessage > silenceMax {
      for lane in 0..<count { guard push(.silence(time: event.time), to: lane) else { return false } }
    }
    if event.time > lastMessage { lastMessage = event.time }
    return true
  }

  /// Gives a context value to every pipeline; false when the topology stops.
  public mutating func distribute(_ event: ContextEvent) -> Bool {
    for lane in 0..<count { guard push(.context(event), to: lane) else { return false } }
    return true
  }

  /// Tells every pipeline how the feed's line stands from the next event on, where that is news; false when the topology stops.
  ///
  /// Ahead of every event of an `ItchLine`: `distribute(feed.arbiter.state)`, then `distribute(event)`.
  @inlinable public mutating func distribute(_ state: LineState) -> Bool {
    guard state != line else { return true }
    line = state
    for lane in 0..<count { guard push(.line(state), to: lane) else { return false } }
    return true
  }

  /// Ends the input; false when the topology stops.
  public mutating func finish() -> Bool {
    for lane in 0..<count { guard push(.end, to: lane) else { return false } }
    return true
  }

  /// Tells every shard how far the input has come, as far as there is room: also to be called while the feed is idle.
  public mutating func tellProgress() {
    sinceProgress = 0
    for lane in 0..<count where toldKeys[lane] < key {
      if lanes[lane]!.tryPush(.progress(key: key)) { toldKeys[lane] = key }
    }
  }

  @inlinable mutating func push(_ input: TopologyInput, to lane: Int) -> Bool {
    if lanes[lane]!.tryPush(input) { return true }
    return pushWhenFree(input, to: lane)
  }

  @inline(never) @usableFromInline mutating func pushWhenFree(_ input: TopologyInput, to lane: Int) -> Bool {
    let deadline = wait.patience
    while true {
      tellProgress()
      // Short, so that the others are told again while they take what they have.
      if lanes[lane]!.push(input, waiting: wait.strategy, until: .after(nanoseconds: 100_000)) { return true }
      if wait.isOver { return false }
      if deadline.hasPassed {
        wait.reportStall(of: count == 1 ? "decide" : "shard \(lane)")
        return false
      }
    }
  }
}
