public import LockFreeRings
public import TradingTypes

/// One event of slots 14–20.
@frozen @usableFromInline struct EventEntry: BitwiseCopyable {
  @usableFromInline var time: Timestamp
  @usableFromInline var cancels: Int32
  @usableFromInline var adds: Int32
  @inlinable init(time: Timestamp, cancels: Int32, adds: Int32) {
    self.time = time
    self.cancels = cancels
    self.adds = adds
  }
}

/// Slots 18 and 19: how many events cancel, add, and come per second.
@frozen @usableFromInline struct EventFlow: BitwiseCopyable {
  /// Entries an instrument has in the ring of events.
  @inlinable static var entryCount: Int { 128 }

  /// Events so far.
  @usableFromInline var count: Int64
  @usableFromInline var cancelSum: Int64
  @usableFromInline var addSum: Int64
  @usableFromInline var lastTime: Timestamp

  @inlinable init() {
    count = 0
    cancelSum = 0
    addSum = 0
    lastTime = .distantPast
  }

  /// Cancels and adds a message counts for, or nil when it is no event of slots 14–20.
  ///
  /// Events are the messages about resting orders and levels and hidden trades (ITCH A F E C X D U P): a replacement is one
  /// cancel and one add, a level is an add unless it is removed. Auction trades, status and snapshots are none.
  @inlinable @inline(__always) static func counts(of event: borrowing MarketEvent) -> (cancels: Int32, adds: Int32)? {
    if event.flags.contains(.snapshot) { return nil }
    switch event.kind {
    case .addOrder: return (0, 1)
    case .executeOrder, .executeOrderAtPrice, .trade: return (0, 0)
    case .reduceOrder, .deleteOrder: return (1, 0)
    case .replaceOrder, .modifyOrder: return (1, 1)
    case .setLevel: return event.quantity.lots > 0 ? (0, 1) : (1, 0)
    case .clearBook, .crossTrade, .brokenTrade, .tradingStatus, .information: return nil
    }
  }

  /// Moves the windows of 100 events on by one.
  @inlinable @inline(__always) mutating func append(
    _ counts: (cancels: Int32, adds: Int32), at time: Timestamp, _ entries: inout Slab<EventEntry>, base: Int
  ) {
    // Wrapping here and below: at most 100 small numbers are summed.
    cancelSum &+= Int64(counts.cancels)
    addSum &+= Int64(counts.adds)
    if count >= 100 {
      let old = entries[base &+ Int(truncatingIfNeeded: (count &- 100) & 127)]
      cancelSum &-= Int64(old.cancels)
      addSum &-= Int64(old.adds)
    }
    entries[base &+ Int(truncatingIfNeeded: count & 127)] = EventEntry(
      time: time, cancels: counts.cancels, adds: counts.adds)
    lastTime = time
    count &+= 1
  }

  /// Writes slots 18 and 19.
  ///
  /// The rate is taken from seconds since midnight, each rounded to a `Double` as the batch definition has them; the
  /// rounding is 7e-12 s.
  @inlinable @inline(__always) func write(
    _ constants: borrowing FeatureConstants, _ entries: borrowing Slab<EventEntry>, base: Int,
    into vector: inout FeatureVector
  ) {
    vector[.cancelAddRatio] = Double(cancelSum) / Double(max(1, addSum))
    let gaps = min(count &- 1, 99)
    guard gaps > 0 else {
      vector[.eventRate] = 0
      return
    }
    let last = (lastTime - constants.dayStart).seconds
    let start = entries[base &+ Int(truncatingIfNeeded: (count &- 1 &- gaps) & 127)].time
    let first = (start - constants.dayStart).seconds
    vector[.eventRate] = FeatureArithmetic.ratio(Double(gaps), last - first)
  }
}
