public import LockFreeRings
public import TradingTypes

/// Turns book and trade messages into feature vectors, incrementally.
///
/// Every message goes through `update`, which does only what must be remembered; `vector` computes the slots when a
/// decision needs them.
@frozen public struct FeatureEngine: ~Copyable {
  /// Instruments the engine holds: indices 0 ..< `instrumentCount`.
  public let instrumentCount: Int
  /// Timeframes of an instrument's bars, the primary one first: 1…5.
  public let timeframeCount: Int
  @usableFromInline let constants: FeatureConstants
  @usableFromInline var states: Slab<InstrumentState>
  // The rings of all instruments, one after the other.
  @usableFromInline var levels: Slab<DepthLevel>
  @usableFromInline var bookEntries: Slab<BookEntry>
  @usableFromInline var eventEntries: Slab<EventEntry>
  @usableFromInline var tradeEntries: Slab<TradeEntry>
  @usableFromInline var moves: Slab<TradeMove>
  @usableFromInline var imbalances: Slab<Int64>
  @usableFromInline var pending: Slab<PendingTrade>
  // A row of timeframes for each instrument.
  @usableFromInline var builders: Slab<BarBuilder>
  @usableFromInline var bars: Slab<BarState>
  @usableFromInline var barValues: Slab<Double>
  @usableFromInline var blocks: Slab<BarBlockState>
  // The cross-section.
  @usableFromInline var members: Slab<UniverseMember>
  @usableFromInline var universe: UniverseState
  @usableFromInline var microprice: Slab<Double>
  @usableFromInline var market: MarketContext
  @usableFromInline var counted: FeatureCounters
  // Borrowed without a copy.
  @usableFromInline let place = InPlace()

  /// Takes all memory the stage ever uses from `arena`.
  ///
  /// - Throws: `ConfigurationError` for a configuration that does not validate or a count outside 1…1,048,576.
  public init(
    instrumentCount: Int, configuration: FeatureConfiguration, in arena: Arena
  ) throws(ConfigurationError) {
    try configuration.validate()
    guard (1...1 << 20).contains(instrumentCount) else {
      throw ConfigurationError("features: \(instrumentCount) instruments, expected 1…1048576")
    }
    self.instrumentCount = instrumentCount
    let rules = configuration.timeframes
    timeframeCount = rules.count
    constants = FeatureConstants(configuration)
    let count = instrumentCount
    states = Slab(repeating: InstrumentState(), count: count, in: arena)
    levels = Slab(repeating: .empty, count: count * BookFlow.levelCount, in: arena)
    bookEntries = Slab(repeating: BookEntry(), count: count * BookFlow.entryCount, in: arena)
    eventEntries = Slab(
      repeating: EventEntry(time: .distantPast, cancels: 0, adds: 0), count: count * EventFlow.entryCount, in: arena)
    tradeEntries = Slab(
      repeating: TradeEntry(price: 0, size: 0, sign: 0), count: count * TradeFlow.entryCount, in: arena)
    moves = Slab(repeating: TradeMove(size: 0, midTwice: 0), count: count * TradeImpact.moveRingCount, in: arena)
    imbalances = Slab(repeating: 0, count: count * VolumeBuckets.ringCount, in: arena)
    pending = Slab(
      repeating: PendingTrade(due: .distantPast, priceTwice: 0, midTwice: 0, sign: 0),
      count: count * configuration.delayedCapacity, in: arena)
    builders = Slab(repeating: BarBuilder(rules[0]), count: count * rules.count, in: arena)
    for place in 0..<count * rules.count { builders[place] = BarBuilder(rules[place % rules.count]) }
    bars = Slab(repeating: BarState(), count: count * rules.count, in: arena)
    barValues = Slab(repeating: 0, count: count * rules.count * BarBlock.count, in: arena)
    blocks = Slab(repeating: BarBlockState(), count: count * rules.count, in: arena)
    members = Slab(repeating: UniverseMember(), count: count, in: arena)
    universe = UniverseState()
    microprice = Slab(repeating: 0, count: 30, in: arena)
    for place in 0..<30 { microprice[place] = configuration.micropriceTable.moves[place] }
    market = MarketContext()
    counted = FeatureCounters()
  }

  /// What was met and not used.
  @inlinable public var counters: FeatureCounters { counted }

  /// Takes in a message of an instrument and the book after it.
  ///
  /// - Parameters:
  ///   - effect: what the message did to the book.
  ///   - depth: the ten best levels of each side after the message.
  /// - Complexity: O(1), no allocation.
  @inlinable @inline(__always) public mutating func update(
    _ event: borrowing MarketEvent, effect: BookEffect, depth: borrowing DepthView
  ) {
    let index = Int(event.instrument.index)
    guard index < instrumentCount else {
      // Wrapping: a count of messages.
      counted.unknownInstrument &+= 1
      return
    }
    var time = event.time
    let clock = states[index].clock
    if time < clock {
      counted.outOfOrder &+= 1
      time = clock
    } else {
      states[index].clock = time
    }
    states[index].resolve(before: time, pending, index: index, capacity: constants.delayedCapacity)
    if let print = FeatureEngine.print(of: event, effect) { take(print, kind: event.kind, at: time, index: index) }
    let counts = EventFlow.counts(of: event)
    states[index].book.update(
      depth: depth, isChanged: effect.depthChanged, isEvent: counts != nil, at: time, &levels, &bookEntries,
      index: index)
    if let counts { states[index].events.append(counts, at: time, &eventEntries, base: index &* EventFlow.entryCount) }
  }

  /// The trade of a message; a hidden trade takes the side of the resting order where the feed tells it.
  @inlinable @inline(__always) static func print(of event: borrowing MarketEvent, _ effect: BookEffect) -> TradePrint? {
    guard var print = TradePrint(event, effect: effect) else { return nil }
    if event.kind == .trade, event.flags.contains(.hasSide) { print.sign = -event.side.sign }
    return print
  }

  /// Takes in a trade, before the book it left behind; auction trades make bars and durations only.
  @inlinable mutating func take(_ print: TradePrint, kind: MarketEventKind, at time: Timestamp, index: Int) {
    let price = print.price.nanos
    let size = print.quantity.lots
    guard price > 0, price < 1 << 53, size > 0, size < 1 << 40 else {
      // Wrapping here and below: counts of messages.
      counted.invalidTrades &+= 1
      return
    }
    let first = index &* timeframeCount
    var due = Timestamp.distantFuture
    for place in first..<(first &+ timeframeCount) {
      let isInTime = builders[place].append(price: price, size: size, at: time, midnight: constants.dayStart)
      if !isInTime { counted.overdueTrades &+= 1 }
      due = min(due, builders[place].dueTime)
    }
    states[index].barDue = due
    states[index].trades.note(at: time)
    guard kind != .crossTrade else { return }
    let mid = states[index].book.midTwice
    let trade = TradeEntry(
      price: price, size: size,
      sign: print.sign != 0 ? print.sign : states[index].trades.inferredSign(price: price, midTwice: mid))
    states[index].trades.append(trade, at: time, constants, &tradeEntries, base: index &* TradeFlow.entryCount)
    states[index].buckets.append(
      size: size, sign: trade.sign, constants, &imbalances, base: index &* VolumeBuckets.ringCount)
    guard mid > 0 else { return }
    states[index].impact.append(trade, midTwice: mid, &moves, base: index &* TradeImpact.moveRingCount)
    let capacity = constants.delayedCapacity
    let tail = states[index].impact.tail
    guard tail &- states[index].impact.head < Int64(capacity) else {
      counted.delayedDropped &+= 1
      return
    }
    pending[index &* capacity &+ Int(truncatingIfNeeded: tail) & (capacity &- 1)] = PendingTrade(
      due: time + constants.delayedHorizon, priceTwice: 2 &* price, midTwice: mid, sign: trade.sign)
    states[index].impact.tail = tail &+ 1
  }

  /// Writes the feature vector of an instrument as of `now`.
  ///
  /// - Parameters:
  ///   - depth: the book after the last message given to `update`.
  ///   - now: decayed and elapsed quantities are taken at this time; earlier than the last message counts as then.
  ///   - vector: overwritten, all slots and both masks.
  /// - Precondition: the instrument is one of the engine's.
  /// - Complexity: O(1), no allocation.
  @inlinable @inline(__always) public func vector(
    of instrument: InstrumentID, depth: borrowing DepthView, at now: Timestamp, into vector: inout FeatureVector
  ) {
    let index = Int(instrument.index)
    precondition(index < instrumentCount, "FeatureEngine: the instrument is one of the engine's")
    let time = max(now, states[index].clock)
    states[index].book.write(depth: depth, at: time, constants, levels, microprice, index: index, into: &vector)
    states[index].events.write(constants, eventEntries, base: index &* EventFlow.entryCount, into: &vector)
    states[index].trades.write(midTwice: states[index].book.midTwice, at: time, constants, into: &vector)
    states[index].impact.write(constants, into: &vector)
    vector[.vpin] = states[index].buckets.imbalance(constants)
    writeMasks(index, isUsable: BookFlow.isUsable(depth), at: time, into: &vector)
    writeBars(index, at: time, into: &vector)
    for slot in 88..<96 { vector.values[slot] = 0 }
    if time > states[index].clock {
      states[index].writeResolved(
        before: time, pending, index: index, capacity: constants.delayedCapacity, into: &vector)
    }
  }
}
