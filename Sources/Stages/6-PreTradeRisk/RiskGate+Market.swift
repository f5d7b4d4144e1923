public import LockFreeRings
public import TradingTypes

// Checks 13 and 14: is the price near a reference we may trust, and may we trust the market data at all.
extension RiskGate {
  /// What check 13 measures from.
  @frozen @usableFromInline struct Reference: BitwiseCopyable {
    /// Twice the price in billionths; 0 when there is none.
    @usableFromInline var nanosTwice: Int128
    /// Age of the last trade when it was the only reference and too old, else 0.
    @usableFromInline var staleAge: Int64
    @inlinable init(nanosTwice: Int128, staleAge: Int64 = 0) {
      self.nanosTwice = nanosTwice
      self.staleAge = staleAge
    }
  }

  /// Whether an input of `age` may be used: not from the future, not beyond `limit`, and a limit was set.
  @inlinable func isFresh(_ age: TimeSpan, _ limit: TimeSpan) -> Bool {
    limit > .zero && age >= .zero && age <= limit
  }

  /// A fresh two-sided mid; else the last trade of the day, which must be fresh; else, before the first trade, the prior close.
  @inlinable func reference(_ inputs: borrowing RiskInputs, _ ageMax: TimeSpan) -> Reference {
    let bid = inputs.quote.bid
    let ask = inputs.quote.ask
    if bid.price.nanos > 0, bid.quantity.lots > 0, ask.price >= bid.price, ask.quantity.lots > 0,
      !inputs.bookIsStale, !inputs.bookHasGap, isFresh(inputs.now - inputs.quote.time, ageMax)
    {
      return Reference(nanosTwice: Int128(bid.price.nanos) + Int128(ask.price.nanos))
    }
    if inputs.lastTrade.nanos > 0 {
      let age = inputs.now - inputs.lastTradeTime
      guard isFresh(age, ageMax) else { return Reference(nanosTwice: 0, staleAge: age.nanoseconds) }
      return Reference(nanosTwice: 2 * Int128(inputs.lastTrade.nanos))
    }
    return Reference(nanosTwice: 2 * Int128(Swift.max(0, inputs.priorClose.nanos)))
  }

  /// Checks 13 and 14. Distances in billionths of a price (the limit rounded down, what was observed up); ages in nanoseconds.
  @inlinable func checkMarket(
    _ intent: borrowing OrderIntent, _ inputs: borrowing RiskInputs, _ price: Price, _ instrument: Int,
    _ limits: Int
  ) -> RiskVerdict {
    let ageMax = limitSets[limits].marketDataAgeMax
    let reference = reference(inputs, ageMax)
    guard reference.nanosTwice > 0 else {
      // A stale last trade shows its age; no reference at all shows 1 missing.
      return reference.staleAge == 0
        ? .reject(.priceCollar, limit: 0, observed: 1)
        : .reject(.priceCollar, limit: Int128(ageMax.nanoseconds), observed: Int128(reference.staleAge))
    }
    // Wrapping, here and below: twice a price is below 2^64, its difference below 2^65, times 10⁴ below 2^79; reference times basis points is
    // below 2^64 · 2^63; twice the ticks below 2 · 2^63 · 2^63.
    let sign = Int128(intent.side.sign)
    let worseTwice = sign &* (2 &* Int128(price.nanos) &- reference.nanosTwice)
    let basisPoints = limitSets[limits].collarBasisPointsMax
    let allowed = reference.nanosTwice &* Int128(Swift.max(0, basisPoints))
    guard basisPoints > 0, worseTwice &* 10_000 <= allowed else {
      return .reject(.priceCollar, limit: allowed / 20_000, observed: (worseTwice + 1) >> 1)
    }
    let tickCount = Int128(Swift.max(0, limitSets[limits].collarTicksMax))
    let ticks = tickCount &* Int128(terms[instrument].ticks.increment(at: price).nanos)
    guard tickCount > 0, worseTwice <= 2 &* ticks else {
      return .reject(.priceCollar, limit: ticks, observed: (worseTwice + 1) >> 1)
    }
    let passivePoints = limitSets[limits].passiveBasisPointsMax
    let passive = reference.nanosTwice &* Int128(Swift.max(0, passivePoints))
    guard passivePoints > 0, (0 &- worseTwice) &* 10_000 <= passive else {
      return .reject(.priceCollar, limit: passive / 20_000, observed: (1 - worseTwice) >> 1)
    }
    return checkMarketData(inputs, ageMax)
  }

  /// Check 14. Nanoseconds; limit 0, observed 1 for a book not to be trusted; sides of the quote; billionths it is crossed by.
  @inlinable func checkMarketData(_ inputs: borrowing RiskInputs, _ ageMax: TimeSpan) -> RiskVerdict {
    let age = inputs.now - inputs.bookTime
    guard isFresh(age, ageMax) else {
      return .reject(.marketData, limit: Int128(ageMax.nanoseconds), observed: Int128(age.nanoseconds))
    }
    let hasGap = inputs.bookHasGap
    if inputs.bookIsStale || hasGap { return .reject(.marketData, limit: 0, observed: 1) }
    let bid = inputs.quote.bid
    let ask = inputs.quote.ask
    let hasBid = bid.price.nanos > 0 && bid.quantity.lots > 0
    let hasAsk = ask.price.nanos > 0 && ask.quantity.lots > 0
    guard hasBid && hasAsk else {
      return .reject(.marketData, limit: 2, observed: hasBid || hasAsk ? 1 : 0)
    }
    guard bid.price <= ask.price else {
      return .reject(.marketData, limit: 0, observed: Int128(bid.price.nanos) - Int128(ask.price.nanos))
    }
    return .pass
  }
}
