public import TradingTypes

// From target to order.
extension PositionSizer {
  /// The limit of an order on `side`: the opposite best price, `limitTicks` further on the grid; zero without a quote.
  @inlinable func limitPrice(_ side: Side, _ inputs: borrowing SizingInputs) -> Price {
    let best = side == .buy ? inputs.quote.ask : inputs.quote.bid
    guard best.quantity.lots > 0, best.price > .zero, best.price.nanos < Int64.max / 2 else { return .zero }
    var nanos = best.price.nanos
    for _ in 0..<parameters.limitTicks {
      if side == .buy {
        nanos += inputs.instrument.ticks.increment(at: Price(nanos: nanos)).nanos
      } else {
        // One billionth lower, so that a step down from the threshold uses the increment below it.
        let lower = nanos - inputs.instrument.ticks.increment(at: Price(nanos: nanos - 1)).nanos
        guard lower > 0 else { break }
        nanos = lower
      }
    }
    return Price(nanos: nanos)
  }

  /// The price that values a short target: the higher of bid and ask; zero without a bid.
  @inlinable func shortReference(_ inputs: borrowing SizingInputs) -> Price {
    guard inputs.quote.bid.quantity.lots > 0, inputs.quote.bid.price > .zero else { return .zero }
    return inputs.quote.ask.quantity.lots > 0
      ? max(inputs.quote.bid.price, inputs.quote.ask.price) : inputs.quote.bid.price
  }

  /// The order for what is left between the target and the position with its open orders.
  @inlinable mutating func order(_ inputs: borrowing SizingInputs) -> SizingOutcome {
    let target = lastRecord.target.lots
    let position = inputs.position.lots
    // Cannot overflow: all are within 2^60.
    let difference = target - position - (inputs.openBuy.lots - inputs.openSell.lots)
    lastRecord.difference = Quantity(lots: difference)
    let openLots = inputs.openBuy.lots + inputs.openSell.lots
    let isFlat = position == 0 && openLots == 0
    guard difference != 0 else {
      guard isFlat else { return .noSize(.atTarget) }
      return .noSize(lastRecord.nothing)
    }
    // Cannot overflow: 2^60 × 2^20 has 80 bits.
    let share = Int64(millionths(Int128(target.magnitude), Int64(parameters.noTradeShareMillionths)))
    let band = max(parameters.noTradeLots, share)
    lastRecord.band = Quantity(lots: band)
    guard target == 0 || difference.magnitude > UInt64(band) else { return .noSize(.withinBand) }
    let hasRoom = inputs.openPositions < inputs.policy.openPositionsMax
    guard !isFlat || hasRoom else { return .noSize(.openPositionsMax) }

    let side: Side = difference > 0 ? .buy : .sell
    var lots = min(Int64(difference.magnitude), inputs.instrument.orderQuantityMax.lots)
    let isLiquid = applyLiquidity(side, &lots, inputs)
    guard isLiquid else { return .noSize(.illiquid) }
    if !inputs.instrument.flags.contains(.acceptsOddLots), inputs.instrument.roundLot.lots > 1 {
      lots -= lots % inputs.instrument.roundLot.lots
    }
    guard lots > 0, lots >= inputs.instrument.orderQuantityMin.lots else { return .noSize(.belowOrderMinimum) }
    let price = limitPrice(side, inputs)
    guard price > .zero else { return .noSize(.noQuote) }
    let openReducing = side == .buy ? inputs.openBuy.lots : inputs.openSell.lots
    let isReducing = side == .buy ? position < 0 : position > 0
    return .intent(
      OrderIntent(
        clientOrderID: inputs.nextClientOrderID, causeSequence: inputs.causeSequence, time: inputs.time,
        instrument: inputs.instrument.id, strategy: inputs.strategy, account: inputs.account, side: side,
        price: price, quantity: Quantity(lots: lots),
        isExit: isReducing && lots <= Int64(position.magnitude) - openReducing))
  }

  /// Cuts what an order adds to the position to what the liquidity rules allow; what closes a position is left whole. False where nothing is left.
  @inlinable mutating func applyLiquidity(
    _ side: Side, _ lots: inout Int64, _ inputs: borrowing SizingInputs
  ) -> Bool {
    guard parameters.displayShareMillionths > 0 || parameters.spreadMillionthsMax > 0 else { return true }
    // What open orders will have made of the position. Cannot overflow: all are within 2^60.
    let after = inputs.position.lots + inputs.openBuy.lots - inputs.openSell.lots
    let closing = side == .buy ? max(0, -after) : max(0, after)
    var most = Int64.max
    if parameters.displayShareMillionths > 0 {
      let shown = side == .buy ? inputs.quote.ask.quantity.lots : inputs.quote.bid.quantity.lots
      // Cannot overflow: shown is below 2^63 and the share at most one.
      most = Int64(millionths(Int128(max(0, shown)), parameters.displayShareMillionths))
    }
    if parameters.spreadMillionthsMax > 0, isWide(inputs) { most = 0 }
    lastRecord.increaseMax = Quantity(lots: most)
    guard lots > closing else { return true }
    lots = closing + min(lots - closing, most)
    return lots > 0
  }

  /// Whether the spread is above its limit, or is none: a side is missing, or the bid is above the ask.
  @inlinable func isWide(_ inputs: borrowing SizingInputs) -> Bool {
    let (bid, ask) = (inputs.quote.bid, inputs.quote.ask)
    guard bid.quantity.lots > 0, ask.quantity.lots > 0, bid.price > .zero, ask.price >= bid.price else { return true }
    // Spread / ((bid + ask) / 2) > limit / 10^6, without a division; products of 64 by 21 bits.
    let spread = Int128(ask.price.nanos) - Int128(bid.price.nanos)
    let sum = Int128(ask.price.nanos) + Int128(bid.price.nanos)
    return spread * 2_000_000 > sum * Int128(parameters.spreadMillionthsMax)
  }
}
