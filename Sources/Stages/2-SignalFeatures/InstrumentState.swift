public import LockFreeRings
public import TradingTypes

/// Everything stage 2 remembers of one instrument's events.
@frozen @usableFromInline struct InstrumentState: BitwiseCopyable {
  /// Time of the last message, never running backwards.
  @usableFromInline var clock: Timestamp
  @usableFromInline var book: BookFlow
  @usableFromInline var events: EventFlow
  @usableFromInline var trades: TradeFlow
  @usableFromInline var impact: TradeImpact
  @usableFromInline var buckets: VolumeBuckets

  @inlinable init() {
    clock = .distantPast
    book = BookFlow()
    events = EventFlow()
    trades = TradeFlow()
    impact = TradeImpact()
    buckets = VolumeBuckets()
  }

  /// Publishes the realised spreads whose horizon lies before `now`: no later message can change the mid there.
  @inlinable mutating func resolve(
    before now: Timestamp, _ pending: borrowing Slab<PendingTrade>, base: Int, _ constants: FeatureConstants
  ) {
    while impact.head < impact.tail {
      let slot = base &+ Int(truncatingIfNeeded: impact.head) & (constants.delayedCapacity &- 1)
      let trade = pending[slot]
      guard trade.due < now else { return }
      impact.resolve(trade, midTwice: book.midTwice)
      impact.head &+= 1
    }
  }

  /// Writes what `resolve(before: now, …)` would publish, for a `now` beyond the last message.
  @inlinable func writeResolved(
    before now: Timestamp, _ pending: borrowing Slab<PendingTrade>, base: Int, _ constants: FeatureConstants,
    into vector: inout FeatureVector
  ) {
    var head = impact.head
    while head < impact.tail {
      let slot = base &+ Int(truncatingIfNeeded: head) & (constants.delayedCapacity &- 1)
      guard pending[slot].due < now else { return }
      vector[.realisedSpread5s] = pending[slot].realisedSpread(midTwice: book.midTwice)
      vector[.priceImpact5s] = pending[slot].priceImpact(midTwice: book.midTwice)
      vector.valid[.realisedSpread5s] = true
      vector.valid[.priceImpact5s] = true
      head &+= 1
    }
  }

  /// Takes in a printed trade, before the book it left behind.
  ///
  /// - Returns: whether its realised spread will be known; false when too many wait already.
  @inlinable mutating func append(
    _ print: TradePrint, at time: Timestamp, _ pending: inout Slab<PendingTrade>, base: Int,
    _ constants: FeatureConstants
  ) -> Bool {
    let price = print.price.nanos
    let mid = book.midTwice
    let trade = TradeFlow.Entry(
      price: price, size: print.quantity.lots,
      sign: print.sign != 0 ? print.sign : trades.inferredSign(price: price, midTwice: mid))
    trades.append(trade, at: time, constants)
    buckets.append(size: trade.size, sign: trade.sign, constants)
    guard mid > 0 else { return true }
    impact.append(trade, midTwice: mid)
    guard impact.tail &- impact.head < Int64(constants.delayedCapacity) else { return false }
    let slot = base &+ Int(truncatingIfNeeded: impact.tail) & (constants.delayedCapacity &- 1)
    pending[slot] = PendingTrade(
      due: time + constants.delayedHorizon, priceTwice: 2 &* price, midTwice: mid, sign: trade.sign)
    impact.tail &+= 1
    return true
  }
}
