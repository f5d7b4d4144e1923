public import LockFreeRings
public import TradingTypes

// What the books say. Ids that are not in the books are a misuse: ask `knows` first where they come from outside.
extension Ledger {
  /// Position and open quantity of an instrument over all owners.
  @inlinable public func holding(of instrument: InstrumentID) -> Holding { lines[Int(instrument.index)].holding }

  /// Signed lots held of an instrument over all owners.
  @inlinable public func position(of instrument: InstrumentID) -> Quantity { holding(of: instrument).position }

  /// Lots of open buy orders, unacknowledged ones included.
  @inlinable public func openBuy(of instrument: InstrumentID) -> Quantity { holding(of: instrument).openBuy }

  /// Lots of open sell orders, unacknowledged ones included.
  @inlinable public func openSell(of instrument: InstrumentID) -> Quantity { holding(of: instrument).openSell }

  /// Position and open quantity of a strategy in an instrument.
  @inlinable public func holding(of instrument: InstrumentID, strategy: StrategyID) -> Holding {
    precondition(Int(strategy.index) < strategyCount, "Ledger: the strategy is in the books")
    return strategyHoldings[strategyPlace(Int(instrument.index), Int(strategy.index))]
  }

  /// Signed lots a strategy holds of an instrument.
  @inlinable public func strategyPosition(_ strategy: StrategyID, of instrument: InstrumentID) -> Quantity {
    holding(of: instrument, strategy: strategy).position
  }

  /// Position and open quantity of an account in an instrument.
  @inlinable public func holding(of instrument: InstrumentID, account: AccountID) -> Holding {
    precondition(Int(account.index) < accountCount, "Ledger: the account is in the books")
    return accountHoldings[accountPlace(Int(instrument.index), Int(account.index))]
  }

  /// Signed lots an account holds of an instrument.
  @inlinable public func accountPosition(_ account: AccountID, of instrument: InstrumentID) -> Quantity {
    holding(of: instrument, account: account).position
  }

  /// Twice the mark of an instrument in billionths, or nil before the first mark or fill.
  @inlinable public func markNanosTwice(of instrument: InstrumentID) -> Int64? {
    let index = Int(instrument.index)
    return lines[index].isMarked ? lines[index].markTwice : nil
  }

  /// What the position of an instrument cost, short positions negative.
  @inlinable public func costBasis(of instrument: InstrumentID) -> Money {
    Money(nanos: lines[Int(instrument.index)].basis)
  }

  /// Billionths of the currency per billionth of price and lot.
  @inlinable public func notionalMultiplier(of instrument: InstrumentID) -> Int64 {
    lines[Int(instrument.index)].multiplier
  }

  /// The sector an instrument is in.
  @inlinable public func sector(of instrument: InstrumentID) -> Int { Int(lines[Int(instrument.index)].sector) }

  // MARK: - Exposure

  /// Exposure of an instrument, its position netted over all owners.
  @inlinable public func exposure(of instrument: InstrumentID) -> Exposure {
    let line = lines[Int(instrument.index)]
    var exposure = Exposure()
    // Wrapping: a marked lot is below 2^73, times lots below 2^110.
    exposure.positionNetTwice =
      Int128(line.holding.position.lots) &* (Int128(line.markTwice) &* Int128(line.multiplier))
    exposure.positionGrossTwice = Int128(exposure.positionNetTwice.magnitude)
    exposure.openBuy = Money(nanos: line.openBuyNanos)
    exposure.openSell = Money(nanos: line.openSellNanos)
    return exposure
  }

  /// Exposure of a sector: the sum over its instruments.
  @inlinable public func exposure(sector: Int) -> Exposure { sectors[sector] }

  /// Exposure of a strategy: the sum over its own positions.
  @inlinable public func exposure(strategy: StrategyID) -> Exposure { strategies[Int(strategy.index)] }

  /// Exposure of an account: the sum over its own positions.
  @inlinable public func exposure(account: AccountID) -> Exposure { accounts[Int(account.index)] }

  /// Exposure of the firm: the sum over its accounts.
  @inlinable public func exposureOfFirm() -> Exposure { firm }

  /// Gross exposure of the firm in all instruments but one, open orders counted; rounded up.
  ///
  /// - Complexity: O(accounts that hold the instrument), no allocation.
  @inlinable public func grossExposure(without instrument: InstrumentID) -> Money {
    let index = Int(instrument.index)
    let line = lines[index]
    var lots: Int64 = 0
    var holders = line.accounts
    while holders != 0 {
      lots &+= abs(accountHoldings[accountPlace(index, holders.trailingZeroBitCount)].position.lots)
      holders &= holders &- 1
    }
    var others = firm
    // Wrapping, as in the sums it is a part of (`lotNanosMax`).
    others.positionGrossTwice &-= Int128(lots) &* (Int128(line.markTwice.magnitude) &* Int128(line.multiplier))
    others.openBuy -= Money(nanos: line.openBuyNanos)
    others.openSell -= Money(nanos: line.openSellNanos)
    return others.gross
  }

  // MARK: - Money

  /// Cash: the start, less what was bought, plus what was sold, less fees.
  @inlinable public var cash: Money { _totals.cash }

  /// Twice cash and marked positions, in billionths: exact.
  @inlinable public var equityTwice: Int128 {
    // Wrapping: cash is below 2^123, the positions below 2^124.
    2 &* _totals.cash.nanos &+ firm.positionNetTwice
  }

  /// Cash and marked positions, rounded down to a billionth.
  @inlinable public var equity: Money { Money(nanos: equityTwice >> 1) }

  /// Marked positions less what they cost, rounded down to a billionth.
  @inlinable public var unrealised: Money { Money(nanos: (firm.positionNetTwice >> 1) - _totals.basis.nanos) }

  /// Profit of closed lots since the books began, before fees.
  @inlinable public var realised: Money { _totals.realised }

  /// Fees less rebates since the books began.
  @inlinable public var fees: Money { _totals.fees }

  /// Profit of closed lots since the day began, before fees.
  @inlinable public var dayRealised: Money { _totals.realised - _totals.dayRealised }

  /// Fees less rebates since the day began.
  @inlinable public var dayFees: Money { _totals.fees - _totals.dayFees }

  /// Change of the equity since the day began (realised, unrealised, less fees), rounded down to a billionth.
  @inlinable public var dayProfit: Money { Money(nanos: (equityTwice - _totals.dayEquityTwice) >> 1) }

  /// Change of unrealised profit since the day began: `dayProfit − dayRealised + dayFees`.
  @inlinable public var dayUnrealised: Money { dayProfit - dayRealised + dayFees }

  /// Highest equity of the day, rounded down to a billionth.
  @inlinable public var dayPeak: Money { Money(nanos: _totals.dayPeakTwice >> 1) }

  /// Fall of the equity from the day's peak, never negative, rounded up to a billionth.
  @inlinable public var drawdown: Money { Money(nanos: halfUp(_totals.dayPeakTwice - equityTwice)) }

  // MARK: - Orders and counts

  /// Orders that venues may still fill.
  @inlinable public var openOrderCount: Int { orders.count }

  /// Open orders of an instrument.
  @inlinable public func openOrderCount(of instrument: InstrumentID) -> Int {
    Int(lines[Int(instrument.index)].openOrders)
  }

  /// Open orders at a venue.
  @inlinable public func openOrderCount(venue: VenueID) -> Int { Int(venueOpenOrders[Int(venue.index)]) }

  /// Open orders of a strategy.
  @inlinable public func openOrderCount(strategy: StrategyID) -> Int {
    Int(strategyOpenOrders[Int(strategy.index)])
  }

  /// Instruments with a position.
  @inlinable public var positionsHeld: Int { _totals.positionsHeld }

  /// The open order of that number, or nil.
  @inlinable public func openOrder(_ number: ClientOrderID) -> OpenOrder? {
    guard let place = orders.place(of: number.value) else { return nil }
    return orders.orders[place]
  }

  /// How often the verbs gave that answer.
  @inlinable public func count(of outcome: LedgerOutcome) -> UInt64 { outcomeCounts[Int(outcome.rawValue)] }

  /// Reports whose `leaves` were not ours.
  @inlinable public var leavesDisagreements: UInt64 { _leavesDisagreements }

  // MARK: - In fixed order, off the hot path

  /// Every open order by rising number; allocates.
  public func openOrders() -> [OpenOrder] {
    var found: [OpenOrder] = []
    found.reserveCapacity(orders.count)
    for place in 0..<orders.numbers.count where orders.numbers[place] != 0 { found.append(orders.orders[place]) }
    found.sort { $0.clientOrderID.value < $1.clientOrderID.value }
    return found
  }

  /// Every instrument with a position, by rising id; allocates.
  public func heldInstruments() -> [InstrumentID] {
    (0..<instrumentCount).compactMap {
      lines[$0].holding.position == .zero ? nil : InstrumentID(index: UInt32($0))
    }
  }
}
