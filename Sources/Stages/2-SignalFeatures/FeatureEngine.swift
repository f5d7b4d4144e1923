public import LockFreeRings
public import TradingTypes

/// Turns book and trade messages into feature vectors, incrementally.
///
/// Every message goes through `update`, which does only what must be remembered; `vector` computes the slots when a
/// decision needs them.
@frozen public struct FeatureEngine: ~Copyable {
  /// Instruments the engine holds: indices 0 ..< `instrumentCount`.
  public let instrumentCount: Int
  @usableFromInline let constants: FeatureConstants
  @usableFromInline var states: Slab<InstrumentState>
  /// Trades that wait for their realised spread, `delayedCapacity` to each instrument.
  @usableFromInline var pending: Slab<PendingTrade>
  @usableFromInline var bars: Slab<BarState>
  @usableFromInline var market: MarketContext
  @usableFromInline var counted: FeatureCounters

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
    constants = FeatureConstants(configuration)
    states = Slab(repeating: InstrumentState(), count: instrumentCount, in: arena)
    pending = Slab(
      repeating: PendingTrade(due: .distantPast, priceTwice: 0, midTwice: 0, sign: 0),
      count: instrumentCount * configuration.delayedCapacity, in: arena)
    bars = Slab(repeating: BarState(), count: instrumentCount, in: arena)
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
  @inlinable public mutating func update(
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
    let base = index &* constants.delayedCapacity
    states[index].resolve(before: time, pending, base: base, constants)
    if let print = FeatureEngine.print(of: event, effect) { take(print, kind: event.kind, at: time, index: index) }
    let counts = EventFlow.counts(of: event)
    states[index].book.update(depth: depth, isChanged: effect.depthChanged, isEvent: counts != nil, at: time)
    if let counts { states[index].events.append(counts, at: time) }
  }

  /// The trade of a message; a hidden trade takes the side of the resting order where the feed tells it.
  @inlinable static func print(of event: borrowing MarketEvent, _ effect: BookEffect) -> TradePrint? {
    guard var print = TradePrint(event, effect: effect) else { return nil }
    if event.kind == .trade, event.flags.contains(.hasSide) { print.sign = -event.side.sign }
    return print
  }

  /// Takes in a trade; auction trades make bars only.
  @inlinable mutating func take(_ print: TradePrint, kind: MarketEventKind, at time: Timestamp, index: Int) {
    guard (1..<1 << 53).contains(print.price.nanos), (1..<1 << 40).contains(print.quantity.lots) else {
      // Wrapping: a count of messages.
      counted.invalidTrades &+= 1
      return
    }
    let isInTime = bars[index].builder.append(
      price: print.price.nanos, size: print.quantity.lots, at: time, constants)
    if !isInTime { counted.overdueTrades &+= 1 }
    guard kind != .crossTrade else { return }
    let isKept = states[index].append(print, at: time, &pending, base: index &* constants.delayedCapacity, constants)
    if !isKept { counted.delayedDropped &+= 1 }
  }

  /// Writes the feature vector of an instrument as of `now`.
  ///
  /// - Parameters:
  ///   - depth: the book after the last message given to `update`.
  ///   - now: decayed and elapsed quantities are taken at this time; earlier than the last message counts as then.
  ///   - vector: overwritten.
  /// - Complexity: O(1), no allocation.
  @inlinable public func vector(
    of instrument: InstrumentID, depth: borrowing DepthView, at now: Timestamp, into vector: inout FeatureVector
  ) {
    let index = Int(instrument.index)
    precondition(index < instrumentCount, "FeatureEngine: the instrument is one of the engine's")
    let time = max(now, states[index].clock)
    states[index].book.write(depth: depth, at: time, constants, into: &vector)
    states[index].events.write(constants, into: &vector)
    states[index].trades.write(midTwice: states[index].book.midTwice, at: time, constants, into: &vector)
    states[index].impact.write(constants, into: &vector)
    vector[.vpin] = states[index].buckets.imbalance(constants)
    states[index].writeMasks(depth: depth, at: time, constants, into: &vector)
    bars[index].write(market: market, at: time, constants, into: &vector)
    if time > states[index].clock {
      states[index].writeResolved(
        before: time, pending, base: index &* constants.delayedCapacity, constants, into: &vector)
    }
  }
}
