public import LockFreeRings
public import TradingTypes

/// Turns a regime-adjusted signal into an order for the difference between the wanted and the present position.
///
/// The table preset: quarter Kelly × VIX table × volatility target × |signal| × confidence × mode, then caps on the share of
/// equity, the notional and the leverage, rounded toward zero lots. No rounding on the way increases a position.
/// - Complexity: O(1), about 60 ns; nothing allocates after `init`.
/// - Source: Kelly 1956 for the fraction, in the form with a payoff ratio of Thorp 2006, section 2.
@frozen public struct PositionSizer: ~Copyable {
  /// The preset's numbers.
  public let parameters: SizingParameters
  /// The variance forecasts.
  public var volatility: VolatilityFilter
  @usableFromInline var lastRecord = SizingRecord()
  // Borrowed without a copy.
  @usableFromInline let place = InPlace()

  /// A sizer whose variance forecasts start from the model's backcast.
  ///
  /// - Parameters:
  ///   - instrumentCount: instruments, positive; ids are below it.
  /// - Throws: `ConfigurationError` naming the number of `parameters` that breaks a rule.
  public init(
    instrumentCount: Int, parameters: SizingParameters = SizingParameters(), volatility: VolatilityParameters,
    in arena: Arena
  ) throws(ConfigurationError) {
    guard instrumentCount > 0 else {
      throw ConfigurationError("sizing: \(instrumentCount) instruments, 1 or more expected")
    }
    try parameters.validate()
    self.parameters = parameters
    self.volatility = VolatilityFilter(instrumentCount: instrumentCount, parameters: volatility, in: arena)
  }

  /// Every intermediate of the last `size`; those it did not reach are 0.
  @inlinable public var record: SizingRecord { lastRecord }

  /// Puts back the record of the last decision, after a dry run.
  @inlinable public mutating func restore(_ record: SizingRecord) { lastRecord = record }

  /// Takes the next primary bar's return of `id`, in percent; gives the variance forecast for the bar after it, percent².
  ///
  /// The same number is slot 48. See `VolatilityFilter.step`.
  @inlinable public mutating func stepVolatility(_ id: InstrumentID, returnPercent: Double) -> Double {
    volatility.step(id, returnPercent: returnPercent)
  }

  /// The order that takes the position of `inputs` to what `signal` is worth, or why there is none.
  ///
  /// A signal without an edge has the target 0: it closes what is open. The no-trade band holds back every order but one
  /// that closes the position. The order is an immediate-or-cancel limit order at the opposite best price (plus
  /// `limitTicks`); it is an exit when it only reduces the position, open reducing orders counted.
  ///
  /// The target is valued at the least favourable of the order's limit and the quotes, so that its notional at any price it
  /// can trade at, or that is quoted, stays within the caps.
  ///
  /// - Precondition: `inputs.instrument.id` is below the number of instruments.
  @inlinable public mutating func size(_ signal: RegimeSignal, _ inputs: borrowing SizingInputs) -> SizingOutcome {
    lastRecord = SizingRecord()
    lastRecord.variance = volatility.variance(of: inputs.instrument.id)
    guard isSound(signal, inputs) else { return .noSize(.badInput) }
    setFraction(signal, inputs)
    guard lastRecord.fraction.isFinite else { return .noSize(.badInput) }

    let isLong = signal.signal > 0
    guard setNotional(isLong, inputs) else { return .noSize(.badInput) }
    if lastRecord.notional > .zero {
      let reference = isLong ? limitPrice(.buy, inputs) : shortReference(inputs)
      guard reference > .zero else { return .noSize(.noQuote) }
      lastRecord.referencePrice = reference
      guard applyLeverage(inputs, reference) else { return .noSize(.badInput) }
      setTarget(isLong, inputs, reference)
    }
    return order(inputs)
  }

  /// Whether every input is a number in its range: what NaN fails.
  @inlinable func isSound(_ signal: RegimeSignal, _ inputs: borrowing SizingInputs) -> Bool {
    let lotsMax: Int64 = 1 << 60
    // Guards, because a borrowed argument cannot enter the closure behind `&&`.
    guard signal.signal.magnitude <= 100, signal.confidence >= 0, signal.confidence <= 1,
      signal.directionProbability >= 0, signal.directionProbability <= 1,
      inputs.policy.sizeFactor >= 0, inputs.policy.sizeFactor <= 1000,
      inputs.policy.leverageMax >= 0, inputs.policy.leverageMax <= 1000,
      inputs.openBuy.lots >= 0, inputs.openBuy.lots <= lotsMax,
      inputs.openSell.lots >= 0, inputs.openSell.lots <= lotsMax,
      inputs.position.lots <= lotsMax, inputs.position.lots >= -lotsMax,
      inputs.equity.nanos < Int128(1) << 90, inputs.equity.nanos > -(Int128(1) << 90),
      inputs.grossExposure >= .zero, inputs.grossExposure.nanos <= Int128(1) << 100
    else { return false }
    return true
  }

  /// Everything up to the wanted share of equity.
  @inlinable mutating func setFraction(_ signal: RegimeSignal, _ inputs: borrowing SizingInputs) {
    let p = signal.directionProbability
    let kelly = max(0, (p * parameters.payoff - (1 - p)) / parameters.payoff)
    // The comparisons are written so that NaN is unusable.
    let isUsable = isUsableVIX(inputs.vix, age: inputs.vixAge)
    var vixFactor = 1.0
    if isUsable {
      if inputs.vix > parameters.vixHigh {
        vixFactor = parameters.vixHighFactor
      } else if inputs.vix > parameters.vixRaised {
        vixFactor = parameters.vixRaisedFactor
      } else if inputs.vix < parameters.vixLow {
        vixFactor = parameters.vixLowFactor
      }
    }
    var annual = (lastRecord.variance * parameters.barsPerYear).squareRoot() / 100
    if !isUsable { annual *= parameters.volatilityPenaltyWithoutVIX }
    let volatilityFactor = min(1, parameters.volatilityTargetAnnual / annual)
    lastRecord.kelly = kelly
    lastRecord.isVIXUsable = isUsable
    lastRecord.vixFactor = vixFactor
    lastRecord.volatilityAnnual = annual
    lastRecord.volatilityFactor = volatilityFactor
    lastRecord.signalSize = signal.signal.magnitude
    lastRecord.confidence = signal.confidence
    lastRecord.modeFactor = inputs.policy.sizeFactor
    // The order of the factors is part of the answer: a replay must round alike.
    lastRecord.fraction =
      parameters.kellyFraction * kelly * vixFactor * volatilityFactor * signal.signal.magnitude * signal.confidence
      * inputs.policy.sizeFactor
  }

  /// A VIX that says something: finite, positive, not absurd, not from the future and not stale.
  @inlinable func isUsableVIX(_ vix: Double, age: TimeSpan) -> Bool {
    vix > 0 && vix <= parameters.vixMax && age >= .zero && age <= parameters.vixAgeMax
  }

  /// Wanted notional and the caps that need no price; false when the numbers do not fit.
  @inlinable mutating func setNotional(_ isLong: Bool, _ inputs: borrowing SizingInputs) -> Bool {
    guard inputs.equity > .zero, lastRecord.fraction > 0 else { return true }
    let wanted = lastRecord.fraction * Double(approximating: inputs.equity.nanos)
    guard wanted < 0x1p100 else { return false }
    // Conversions round toward zero. The one by 64 bits is a single instruction, the other 100 times as long.
    lastRecord.notionalWanted = Money(nanos: wanted < 0x1p62 ? Int128(Int64(wanted)) : Int128(wanted))
    lastRecord.notional = lastRecord.notionalWanted
    // Cannot overflow: equity is below 2^90 and the share below 2^20.
    limit(Money(nanos: millionths(inputs.equity.nanos, Int64(parameters.equityShareMillionths))), .equityShare)
    limit(inputs.policy.positionNotionalMax, .positionNotional)
    return true
  }

  /// `amount × share / 10⁶`, rounded toward zero; the product fits 128 bits.
  ///
  /// A division of 128 bits is a call of some 30 ns; by a constant, 64 bits take two multiplications.
  @inlinable func millionths(_ amount: Int128, _ share: Int64) -> Int128 {
    guard let small = Int64(exactly: amount), share >= 0, share < 1 << 43 else {
      return amount * Int128(share) / 1_000_000
    }
    let (quotient, remainder) = small.quotientAndRemainder(dividingBy: 1_000_000)
    // Wrapping: 2^44 millions times a share below 2^43, and 10^6 times 2^43 below 2^63. Quotient and remainder have the same sign, so
    // that both parts are rounded toward zero alike.
    return Int128(quotient) &* Int128(share) &+ Int128(remainder &* share / 1_000_000)
  }

  @inlinable mutating func limit(_ most: Money, _ cap: SizingCap) {
    guard lastRecord.notional > most else { return }
    lastRecord.notional = max(most, .zero)
    lastRecord.cap = cap
  }

  /// The leverage cap: what is left of it beside the exposure in all other instruments.
  @inlinable mutating func applyLeverage(_ inputs: borrowing SizingInputs, _ reference: Price) -> Bool {
    guard
      let own = Money(
        notional: reference, inputs.position, multiplier: inputs.instrument.notionalMultiplier)
    else { return false }
    let others = max(.zero, inputs.grossExposure - min(own.magnitude, inputs.grossExposure))
    let leverageMillionths = Int64((inputs.policy.leverageMax * 1e6).rounded(.towardZero))
    // Cannot overflow: equity is below 2^90 and the leverage below 2^30.
    let most = Money(nanos: millionths(inputs.equity.nanos, leverageMillionths))
    limit(most - others, .leverage)
    return true
  }

  /// Lots of the target, rounded toward zero.
  @inlinable mutating func setTarget(_ isLong: Bool, _ inputs: borrowing SizingInputs, _ reference: Price) {
    let lotNanos = Int128(reference.nanos) * Int128(inputs.instrument.notionalMultiplier)
    var lots = Int64(1) << 60
    if let notional = Int64(exactly: lastRecord.notional.nanos), let lot = Int64(exactly: lotNanos) {
      lots = min(notional / lot, lots)
    } else {
      lots = Int64(min(lastRecord.notional.nanos / lotNanos, Int128(lots)))
    }
    lastRecord.target = Quantity(lots: isLong ? lots : -lots)
  }

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
      return .noSize(lastRecord.notional > .zero ? .belowOneLot : .noEdge)
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
}
