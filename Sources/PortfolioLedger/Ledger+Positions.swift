public import LockFreeRings
public import TradingTypes

// What a fill and a mark do to positions, cash, profit and exposure.
extension Ledger {
  /// Values the position of `instrument` at `price` from now on.
  ///
  /// - Returns: false, and nothing changes, when the instrument is unknown, or the price zero (unknown) or too large for the books.
  @inlinable public mutating func mark(_ instrument: InstrumentID, price: Price) -> Bool {
    let (twice, overflow) = price.nanos.addingReportingOverflow(price.nanos)
    guard !overflow else { return false }
    return mark(instrument, nanosTwice: twice)
  }

  /// Values the position of `instrument` at half of `nanosTwice` billionths (`BestQuote.midNanosTwice`) from now on, exactly.
  ///
  /// - Returns: false, and nothing changes, when the instrument is unknown, or the price zero (unknown) or too large for the books.
  /// - Complexity: O(1) without a position, else O(strategies and accounts that hold it).
  @inlinable public mutating func mark(_ instrument: InstrumentID, nanosTwice: Int64) -> Bool {
    guard knows(instrument) else { return false }
    let index = Int(instrument.index)
    let old = lines[index].markTwice
    // Not above twice the largest price, which is below half of the 64-bit range.
    guard nanosTwice != 0, nanosTwice.magnitude <= 2 * lines[index].priceNanosMax.magnitude else { return false }
    lines[index].markTwice = nanosTwice
    lines[index].isMarked = true
    if nanosTwice == old || (lines[index].strategies | lines[index].accounts) == 0 { return true }
    revalue(index, from: old)
    return true
  }

  /// Moves every sum that `instrument` counts in from the mark `old` to the mark it has now.
  @inlinable mutating func revalue(_ instrument: Int, from old: Int64) {
    let line = lines[instrument]
    let multiplier = Int128(line.multiplier)
    // Wrapping, here and below: a lot's value is below 2^72, so twice the difference of two below 2^74, times lots below 2^110, and
    // sums over all instruments below 2^124 (`lotNanosMax`).
    let signed = (Int128(line.markTwice) &- Int128(old)) &* multiplier
    let sized = (Int128(line.markTwice.magnitude) &- Int128(old.magnitude)) &* multiplier
    let sector = Int(line.sector)
    let position = Int128(line.holding.position.lots)
    sectors[sector].positionNetTwice &+= position &* signed
    sectors[sector].positionGrossTwice &+= Int128(position.magnitude) &* sized
    var holders = line.strategies
    while holders != 0 {
      let strategy = holders.trailingZeroBitCount
      // Wrapping: not zero, so the lowest bit can be taken off.
      holders &= holders &- 1
      let held = Int128(strategyHoldings[strategyPlace(instrument, strategy)].position.lots)
      strategies[strategy].positionNetTwice &+= held &* signed
      strategies[strategy].positionGrossTwice &+= Int128(held.magnitude) &* sized
    }
    holders = line.accounts
    while holders != 0 {
      let account = holders.trailingZeroBitCount
      // Wrapping: not zero, so the lowest bit can be taken off.
      holders &= holders &- 1
      let held = Int128(accountHoldings[accountPlace(instrument, account)].position.lots)
      let net = held &* signed
      let gross = Int128(held.magnitude) &* sized
      accounts[account].positionNetTwice &+= net
      accounts[account].positionGrossTwice &+= gross
      firm.positionNetTwice &+= net
      firm.positionGrossTwice &+= gross
    }
    raisePeak()
  }

  /// Books a fill for an owner; false, and nothing changes, when the books cannot hold it.
  @inlinable mutating func book(_ fill: ExecutionReport, strategy: StrategyID, account: AccountID) -> Bool {
    let instrument = Int(fill.instrument.index)
    guard fill.price.nanos.magnitude <= lines[instrument].priceNanosMax.magnitude,
      fill.quantity.lots <= Self.lotsMax
    else { return false }
    let lots = fill.side == .buy ? fill.quantity.lots : 0 - fill.quantity.lots
    let strategyPlace = strategyPlace(instrument, Int(strategy.index))
    let accountPlace = accountPlace(instrument, Int(account.index))
    // Each position is at most `lotsMax` before, so that no sum overflows.
    let position = lines[instrument].holding.position.lots
    guard (position + lots).magnitude <= Self.lotsMax.magnitude,
      (strategyHoldings[strategyPlace].position.lots + lots).magnitude <= Self.lotsMax.magnitude,
      (accountHoldings[accountPlace].position.lots + lots).magnitude <= Self.lotsMax.magnitude
    else { return false }
    // Wrapping: below 2^72 by the check of the price; the product below 2^108, and cash and fees below 2^123.
    let nanosPerLot = Int128(fill.price.nanos) &* Int128(lines[instrument].multiplier)
    let fee = Int128(fill.feeNanos)
    let cash = _totals.cash.nanos &- nanosPerLot &* Int128(lots) &- fee
    let fees = _totals.fees.nanos &+ fee
    guard cash.magnitude <= Self.cashNanosMax.magnitude, fees.magnitude <= Self.cashNanosMax.magnitude else {
      return false
    }
    _totals.cash.nanos = cash
    _totals.fees.nanos = fees
    if !lines[instrument].isMarked {
      // Without a position nothing has to move; the first fill stands in for the mark. No overflow: at most half the range.
      lines[instrument].markTwice = 2 * fill.price.nanos
      lines[instrument].isMarked = true
    }
    settle(instrument, lots: lots, nanosPerLot: nanosPerLot)
    shift(instrument, strategy: Int(strategy.index), account: Int(account.index), lots: lots)
    raisePeak()
    return true
  }

  /// Moves cost basis and realised profit: lots toward zero close at average cost, lots away from zero open at their price.
  @inlinable mutating func settle(_ instrument: Int, lots: Int64, nanosPerLot: Int128) {
    let position = lines[instrument].holding.position.lots
    let basis = lines[instrument].basis
    let isOpposite = (position > 0 && lots < 0) || (position < 0 && lots > 0)
    let closed = isOpposite ? Swift.min(position.magnitude, lots.magnitude) : 0
    let closedLots = lots < 0 ? 0 - Int128(closed) : Int128(closed)
    let released = closed == 0 ? 0 : Self.share(of: basis, closed, of: position.magnitude)
    // Wrapping: products below 2^108, the basis of an instrument below 2^109.
    let realised = 0 &- nanosPerLot &* closedLots &- released
    let opened = nanosPerLot &* (Int128(lots) &- closedLots)
    lines[instrument].basis = basis - released + opened
    _totals.basis.nanos += opened - released
    _totals.realised.nanos += realised
  }

  /// `amount × part / whole`, rounded toward zero, without an intermediate overflow; `0 < part ≤ whole`.
  @inlinable static func share(of amount: Int128, _ part: UInt64, of whole: UInt64) -> Int128 {
    if part == whole { return amount }
    let (quotient, remainder) = amount.quotientAndRemainder(dividingBy: Int128(whole))
    // Exact: amount·part = quotient·whole·part + remainder·part, and both parts have the sign of the amount. The remainder is
    // below 2^36, so its product is below 2^72. Wrapping: the result is not larger than the amount.
    return quotient &* Int128(part) &+ remainder &* Int128(part) / Int128(whole)
  }

  /// Moves the position of every owner by `lots` and the sums with it.
  @inlinable mutating func shift(_ instrument: Int, strategy: Int, account: Int, lots: Int64) {
    let multiplier = Int128(lines[instrument].multiplier)
    // Wrapping, here and below: a marked lot is below 2^73, times lots below 2^110, sums over all instruments below 2^124.
    let signed = Int128(lines[instrument].markTwice) &* multiplier
    let sized = Int128(lines[instrument].markTwice.magnitude) &* multiplier
    let net = Int128(lots) &* signed
    let sector = Int(lines[instrument].sector)

    let old = lines[instrument].holding.position.lots
    let new = old + lots
    let wasEngaged = lines[instrument].holding.isEngaged
    lines[instrument].holding.position.lots = new
    noteEngagement(instrument, since: wasEngaged)
    sectors[sector].positionNetTwice &+= net
    sectors[sector].positionGrossTwice &+= Int128(Int64(new.magnitude) &- Int64(old.magnitude)) &* sized
    _totals.positionsHeld += (new == 0 ? 0 : 1) - (old == 0 ? 0 : 1)

    let strategyPlace = strategyPlace(instrument, strategy)
    let oldOfStrategy = strategyHoldings[strategyPlace].position.lots
    let newOfStrategy = oldOfStrategy + lots
    strategyHoldings[strategyPlace].position.lots = newOfStrategy
    strategies[strategy].positionNetTwice &+= net
    strategies[strategy].positionGrossTwice &+=
      Int128(Int64(newOfStrategy.magnitude) &- Int64(oldOfStrategy.magnitude)) &* sized
    let strategyBit: UInt64 = 1 << UInt64(strategy)
    if newOfStrategy == 0 {
      lines[instrument].strategies &= ~strategyBit
    } else {
      lines[instrument].strategies |= strategyBit
    }

    let accountPlace = accountPlace(instrument, account)
    let oldOfAccount = accountHoldings[accountPlace].position.lots
    let newOfAccount = oldOfAccount + lots
    let growth = Int128(Int64(newOfAccount.magnitude) &- Int64(oldOfAccount.magnitude)) &* sized
    accountHoldings[accountPlace].position.lots = newOfAccount
    accounts[account].positionNetTwice &+= net
    accounts[account].positionGrossTwice &+= growth
    firm.positionNetTwice &+= net
    firm.positionGrossTwice &+= growth
    let accountBit: UInt64 = 1 << UInt64(account)
    if newOfAccount == 0 {
      lines[instrument].accounts &= ~accountBit
    } else {
      lines[instrument].accounts |= accountBit
    }
  }
}
