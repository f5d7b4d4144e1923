public import LockFreeRings
public import TradingTypes

/// What stage 2 remembers of one instrument, but for the rings, which lie in slabs beside it.
@frozen @usableFromInline struct InstrumentState: BitwiseCopyable {
  /// Time of the last message, never running backwards.
  @usableFromInline var clock: Timestamp
  /// From when on one of the instrument's bars may be closed.
  @usableFromInline var barDue: Timestamp
  @usableFromInline var book: BookFlow
  @usableFromInline var events: EventFlow
  @usableFromInline var trades: TradeFlow
  @usableFromInline var impact: TradeImpact
  @usableFromInline var buckets: VolumeBuckets
  /// The instrument's own sentiment, which goes before the market's.
  @usableFromInline var sentiment: ContextValue
  /// What it was before, for bars that ended before it came.
  @usableFromInline var earlierSentiment: ContextValue

  @inlinable init() {
    clock = .distantPast
    barDue = .distantFuture
    book = BookFlow()
    events = EventFlow()
    trades = TradeFlow()
    impact = TradeImpact()
    buckets = VolumeBuckets()
    sentiment = ContextValue()
    earlierSentiment = ContextValue()
  }

  /// Publishes the realised spreads whose horizon lies before `now`: no later message can change the mid there.
  @inlinable @inline(__always) mutating func resolve(
    before now: Timestamp, _ pending: borrowing Slab<PendingTrade>, index: Int, capacity: Int
  ) {
    while impact.head < impact.tail {
      let trade = pending[index &* capacity &+ Int(truncatingIfNeeded: impact.head) & (capacity &- 1)]
      guard trade.due < now else { return }
      impact.resolve(trade, midTwice: book.midTwice)
      impact.head &+= 1
    }
  }

  /// Writes what `resolve(before: now, …)` would publish, for a `now` beyond the last message.
  @inlinable func writeResolved(
    before now: Timestamp, _ pending: borrowing Slab<PendingTrade>, index: Int, capacity: Int,
    into vector: inout FeatureVector
  ) {
    var head = impact.head
    while head < impact.tail {
      let trade = pending[index &* capacity &+ Int(truncatingIfNeeded: head) & (capacity &- 1)]
      guard trade.due < now else { return }
      vector[.realisedSpread5s] = trade.realisedSpread(midTwice: book.midTwice)
      vector[.priceImpact5s] = trade.priceImpact(midTwice: book.midTwice)
      let bits = InstrumentState.bits(29, 30)
      // As old as every trade slot.
      if vector.stale.low & InstrumentState.bits(23, 23) == 0 {
        vector.valid.low |= bits
      } else {
        vector.stale.low |= bits
      }
      head &+= 1
    }
  }
}
