public import LockFreeRings
public import PortfolioLedger
public import TradingTypes

// The checks, in number order. Each reads what it needs and answers; none changes anything.
// Sums are formed in 128 bits, where 64-bit terms cannot overflow; money is added with an overflow check that rejects.
extension RiskGate {
  /// Check 1. The level is the worst of the order's scopes and the best of the venues it could use.
  ///
  /// Limit: lots that may pass. Observed: lots ordered.
  @inlinable func checkKill(
    _ intent: borrowing OrderIntent, _ inputs: borrowing RiskInputs, _ listed: UInt64, _ reducible: Int64,
    _ isReducing: Bool
  ) -> RiskVerdict {
    let usable = listed & permissions.venues & permissions.connectedVenues
    let kill = inputs.kill
    let isExit = intent.isExit
    var level = kill.level
    let open = usable & ~kill.venuesHalted
    if usable != 0 && open & ~kill.venuesReducing == 0 {
      level = max(level, open == 0 ? .halted : .reducing)
    }
    switch level {
    case .active: return .pass
    case .reducing where isReducing: return .pass
    case .halted where isReducing && isExit: return .pass
    default:
      let limit = level == .halted && !isExit ? 0 : reducible
      return .reject(.killState, limit: Int128(limit), observed: Int128(intent.quantity.lots))
    }
  }

  /// Checks 2 to 4. Limit 1, observed 0 where a bit is missing; nanoseconds for the sign of life.
  @inlinable func checkPermission(
    _ intent: borrowing OrderIntent, _ inputs: borrowing RiskInputs, _ ledger: borrowing Ledger, _ instrument: Int,
    _ isKnown: Bool
  ) -> RiskVerdict {
    let strategy = intent.strategy.index
    let account = intent.account.index
    // A shift by 64 or more gives no bit, so that ids out of range have no permission.
    let isOwner = permissions.strategies & (1 << UInt64(strategy)) & ownerMask(ledger.strategyCount) != 0
    let isHolder = permissions.accounts & (1 << UInt64(account)) & ownerMask(ledger.accountCount) != 0
    let venues = permissions.venues & permissions.connectedVenues
    let hasVenue = !isKnown || (terms[instrument].isAuthorised && terms[instrument].venues & venues != 0)
    guard isOwner, isHolder, hasVenue, permissions.isLoggedOn else {
      return .reject(.permission, limit: 1, observed: 0)
    }
    let age = (inputs.now - permissions.heartbeat).nanoseconds
    guard age >= 0, age <= permissions.heartbeatAgeMax.nanoseconds, permissions.heartbeatAgeMax > .zero else {
      return .reject(
        .permission, limit: Int128(permissions.heartbeatAgeMax.nanoseconds), observed: Int128(age))
    }
    guard isKnown else { return .reject(.tradable, limit: 1, observed: 0) }
    if terms[instrument].isRestricted { return .reject(.restricted, limit: 0, observed: 1) }
    let isMarket = intent.type == .market
    let isImmediate = intent.timeInForce == .immediateOrCancel
    let isSupported =
      isMarket ? permissions.allowsMarketOrders && isImmediate : permissions.allowsDayOrders || isImmediate
    guard terms[instrument].isTradable, isSupported else { return .reject(.tradable, limit: 1, observed: 0) }
    return .pass
  }

  /// The first `count` bits.
  @inlinable func ownerMask(_ count: Int) -> UInt64 { count >= 64 ? .max : (1 << UInt64(count)) - 1 }

  /// Checks 8 to 10. Limit and observed: increment and price; bound or round lot and lots; highest number so far and number.
  @inlinable func checkTerms(_ intent: borrowing OrderIntent, _ price: Price, _ instrument: Int) -> RiskVerdict {
    let ticks = terms[instrument].ticks
    let isMarket = intent.type == .market
    let named = intent.price
    let isOnGrid = isMarket ? named == .zero : ticks.contains(price)
    guard price.nanos > 0, isOnGrid else {
      let increment = ticks.increment(at: price).nanos
      // A market order must not name a price, and shows the one it named.
      let shown = isMarket && named != .zero ? named : price
      return .reject(.tick, limit: Int128(increment), observed: Int128(shown.nanos))
    }
    let lots = intent.quantity.lots
    if lots < terms[instrument].quantityMin {
      return .reject(.lot, limit: Int128(terms[instrument].quantityMin), observed: Int128(lots))
    }
    if lots > terms[instrument].quantityMax {
      return .reject(.lot, limit: Int128(terms[instrument].quantityMax), observed: Int128(lots))
    }
    if !terms[instrument].acceptsOddLots && lots % terms[instrument].roundLot != 0 {
      return .reject(.lot, limit: Int128(terms[instrument].roundLot), observed: Int128(lots))
    }
    let highest = highestNumbers[Int(intent.account.index)]
    guard intent.clientOrderID.value > highest else {
      return .reject(.identity, limit: Int128(highest), observed: Int128(intent.clientOrderID.value))
    }
    return .pass
  }

  /// Checks 11 and 12. Lots; billionths of the currency, `Money.max` where the notional does not fit.
  @inlinable func checkSize(
    _ intent: borrowing OrderIntent, _ notional: Money, _ instrument: Int, _ limits: Int
  ) -> RiskVerdict {
    let lots = intent.quantity.lots
    guard lots <= limitSets[limits].orderQuantityMax.lots else {
      return .reject(
        .orderQuantity, limit: Int128(limitSets[limits].orderQuantityMax.lots), observed: Int128(lots))
    }
    // q ≤ share · ADV / 10⁶ without a division; unknown volume is zero and permits nothing.
    let share = Int128(limitSets[limits].orderVolumeShareMillionthsMax) * Int128(terms[instrument].averageDailyVolume)
    guard Int128(lots) * 1_000_000 <= share else {
      return .reject(.orderQuantity, limit: share / 1_000_000, observed: Int128(lots))
    }
    // The largest amount is also the answer of an overflow, and so never passes.
    guard notional <= limitSets[limits].orderNotionalMax, notional != .max else {
      return .reject(.orderNotional, limit: limitSets[limits].orderNotionalMax.nanos, observed: notional.nanos)
    }
    return .pass
  }

  /// Checks 15, 16 and 20. Lots; billionths of the currency.
  @inlinable func checkExposure(
    _ intent: borrowing OrderIntent, _ ledger: borrowing Ledger, _ notional: Money, _ limits: Int, _ isReducing: Bool,
    others: OtherBooks
  ) -> RiskVerdict {
    let holding = ledger.holding(of: intent.instrument)
    let lots = intent.quantity.lots
    let isBuy = intent.side == .buy
    // The worst case on the order's side: every open order of that side fills and none of the other does.
    let position = isBuy ? Int128(holding.position.lots) : -Int128(holding.position.lots)
    let worst = position + Int128(isBuy ? holding.openBuy.lots : holding.openSell.lots) + Int128(lots)
    let positionMax = isBuy ? limitSets[limits].longPositionMax.lots : limitSets[limits].shortPositionMax.lots
    guard worst <= Int128(positionMax) else {
      return .reject(.position, limit: Int128(positionMax), observed: worst)
    }

    if !isReducing {
      let symbol = ledger.exposure(of: intent.instrument)
      var verdict = checkGross(symbol, notional, limitSets[limits].symbolGrossMax)
      if !verdict.isPass { return verdict }
      let sector = ledger.exposure(sector: ledger.sector(of: intent.instrument))
      verdict = checkGross(sector, notional, limitSets[limits].sectorGrossMax)
      if !verdict.isPass { return verdict }
    }
    if lots > ledger.holding(of: intent.instrument, strategy: intent.strategy).reducible(by: intent.side).lots {
      let verdict = checkGross(
        ledger.exposure(strategy: intent.strategy), notional, limitSets[limits].strategyGrossMax)
      if !verdict.isPass { return verdict }
    }
    if lots > ledger.holding(of: intent.instrument, account: intent.account).reducible(by: intent.side).lots {
      var verdict = checkGross(ledger.exposure(account: intent.account), notional, limitSets[limits].accountGrossMax)
      if !verdict.isPass { return verdict }
      verdict = checkGross(ledger.exposureOfFirm(), notional, limitSets[limits].firmGrossMax)
      if !verdict.isPass { return verdict }
    }
    let firm = ledger.exposureOfFirm()
    // The far end of the net on the order's side, as a positive amount where it is beyond zero.
    let far = isBuy ? firm.netHighest.nanos : -firm.netLowest.nanos
    let (net, overflow) = far.addingReportingOverflow(notional.nanos)
    guard !overflow, net <= limitSets[limits].firmNetMax.nanos else {
      return .reject(.exposure, limit: limitSets[limits].firmNetMax.nanos, observed: overflow ? .max : net)
    }

    if isReducing { return .pass }
    let loss = -(ledger.dayProfit + others.dayProfit)
    guard limitSets[limits].dailyLossMax > .zero, loss <= limitSets[limits].dailyLossMax else {
      return .reject(.dailyLoss, limit: limitSets[limits].dailyLossMax.nanos, observed: loss.nanos)
    }
    let fall = ledger.drawdown + others.drawdown
    guard limitSets[limits].drawdownMax > .zero, fall <= limitSets[limits].drawdownMax else {
      return .reject(.dailyLoss, limit: limitSets[limits].drawdownMax.nanos, observed: fall.nanos)
    }
    return .pass
  }

  /// Check 16 for one sum: positions and open orders without regard to sign, with this order.
  @inlinable func checkGross(_ exposure: Exposure, _ notional: Money, _ limit: Money) -> RiskVerdict {
    let (gross, overflow) = exposure.gross.nanos.addingReportingOverflow(notional.nanos)
    guard !overflow, gross <= limit.nanos else {
      return .reject(.exposure, limit: limit.nanos, observed: overflow ? .max : gross)
    }
    return .pass
  }

  /// Checks 26 and 28. Messages; nanoseconds since an equal order, or places of the table when it is full.
  ///
  /// Strategy, session and repetition are measured by the common limits, whatever instrument an order is for: what they count is
  /// common to all.
  @inlinable func checkRate(
    _ intent: borrowing OrderIntent, _ now: Timestamp, _ instrument: Int, _ limits: Int
  ) -> RiskVerdict {
    var verdict = checkBucket(
      strategyBuckets[Int(intent.strategy.index)], now, limitSets[0].strategyOrdersPerSecond,
      limitSets[0].strategyOrdersBurst)
    if !verdict.isPass { return verdict }
    verdict = checkBucket(
      symbolBuckets[instrument], now, limitSets[limits].symbolOrdersPerSecond, limitSets[limits].symbolOrdersBurst)
    if !verdict.isPass { return verdict }
    verdict = checkBucket(
      sessionBucket, now, limitSets[0].sessionOrdersPerSecond, limitSets[0].sessionOrdersBurst)
    if !verdict.isPass { return verdict }

    let window = limitSets[0].duplicateWindow
    guard window > .zero else { return .reject(.duplicate, limit: Int128(window.nanoseconds)) }
    if let last = duplicates.lastTime(of: DuplicateKey(intent)), now - last < window {
      let age = (now - last).nanoseconds
      return .reject(.duplicate, limit: Int128(window.nanoseconds), observed: Int128(age))
    }
    guard duplicates.hasRoom(at: now, window: window) else {
      return .reject(.duplicate, limit: Int128(duplicates.capacity), observed: Int128(duplicates.capacity) + 1)
    }
    return .pass
  }

  /// Check 26 for one budget. Limit: messages the bucket holds. Observed: messages it would have to hold.
  @inlinable func checkBucket(
    _ bucket: TokenBucket, _ now: Timestamp, _ perSecond: Int64, _ burst: Int64
  ) -> RiskVerdict {
    if bucket.admits(at: now, perSecond: perSecond, burst: burst) { return .pass }
    return .reject(
      .throttle, limit: Int128(perSecond > 0 ? burst : 0),
      observed: Int128(bucket.messagesNeeded(at: now, perSecond: perSecond)))
  }
}
