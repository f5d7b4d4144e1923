internal import LockFreeRings
public import TradingTypes

/// The books at one moment as plain values: restored, they answer every question as before.
///
/// Sums of exposure are not part of it: they are formed anew from positions and orders, so that a snapshot cannot contradict itself.
public struct LedgerSnapshot: Equatable, Sendable {
  /// What is kept of one instrument; instruments that were never touched are left out.
  public struct Line: Equatable, Sendable {
    /// The instrument.
    public var instrument: InstrumentID
    /// Twice the mark in billionths, nil before the first.
    public var markTwice: Int64?
    /// What the position cost.
    public var basis: Money
    /// Signed lots by strategy.
    public var strategyPositions: [Quantity]
    /// Signed lots by account.
    public var accountPositions: [Quantity]
  }

  /// Instruments that were marked or held, by rising id.
  public var lines: [Line] = []
  /// Cash, profit and loss.
  public var totals: LedgerTotals
  /// Open orders by rising number.
  public var openOrders: [OpenOrder] = []
  /// Remembered finished orders by place.
  public var finishedOrders: [FinishedOrder] = []
  /// Answers given, by `LedgerOutcome.rawValue`.
  public var outcomeCounts: [UInt64] = []
  /// Reports whose `leaves` were not ours.
  public var leavesDisagreements: UInt64 = 0
}

extension Ledger {
  /// The books as plain values; allocates, not for the hot path.
  public func snapshot() -> LedgerSnapshot {
    var snapshot = LedgerSnapshot(totals: _totals)
    for index in 0..<instrumentCount where lines[index].isMarked {
      snapshot.lines.append(
        LedgerSnapshot.Line(
          instrument: InstrumentID(index: UInt32(index)), markTwice: lines[index].markTwice,
          basis: Money(nanos: lines[index].basis),
          strategyPositions: (0..<strategyCount).map { strategyHoldings[strategyPlace(index, $0)].position },
          accountPositions: (0..<accountCount).map { accountHoldings[accountPlace(index, $0)].position }))
    }
    snapshot.openOrders = openOrders()
    for place in 0..<finished.count where finished[place].clientOrderID != .none {
      snapshot.finishedOrders.append(finished[place])
    }
    for outcome in LedgerOutcome.allCases { snapshot.outcomeCounts.append(count(of: outcome)) }
    snapshot.leavesDisagreements = _leavesDisagreements
    return snapshot
  }

  /// Takes over the content of `snapshot` into books that are still empty and have the shape it was taken from.
  ///
  /// - Throws: `ConfigurationError` where the books are not empty, the snapshot does not fit them, or its numbers do not add up;
  ///   the ledger must then be thrown away.
  public mutating func restore(_ snapshot: LedgerSnapshot) throws(ConfigurationError) {
    guard orders.count == 0, (0..<instrumentCount).allSatisfy({ !lines[$0].isMarked }) else {
      throw ConfigurationError("ledger snapshot: the books are not empty")
    }
    let t = snapshot.totals
    let amounts = [t.cash, t.startingCash, t.realised, t.fees, t.basis, t.dayRealised, t.dayFees].map(\.nanos)
    // Twice the bound of cash plus positions; equity counts twice.
    guard amounts.allSatisfy({ $0.magnitude <= 1 << 125 }), t.dayEquityTwice.magnitude <= 1 << 126,
      t.dayPeakTwice.magnitude <= 1 << 126
    else { throw ConfigurationError("ledger snapshot: an amount is out of range") }
    _totals = t
    for line in snapshot.lines { try restore(line) }
    for order in snapshot.openOrders { try restore(order) }
    for order in snapshot.finishedOrders {
      try requireOwner(order.instrument, order.strategy, order.account, order.venue)
      finished[masked: OpenOrderTable.home(order.clientOrderID.value)] = order
    }
    guard snapshot.outcomeCounts.count == LedgerOutcome.allCases.count else {
      throw ConfigurationError("ledger snapshot: \(snapshot.outcomeCounts.count) counts, expected 11")
    }
    for (index, count) in snapshot.outcomeCounts.enumerated() { outcomeCounts[index] = count }
    _leavesDisagreements = snapshot.leavesDisagreements
    if let violation = checkInvariants() { throw ConfigurationError("ledger snapshot: \(violation)") }
  }

  private func requireOwner(
    _ instrument: InstrumentID, _ strategy: StrategyID, _ account: AccountID, _ venue: VenueID
  ) throws(ConfigurationError) {
    guard knows(instrument), Int(strategy.index) < strategyCount, Int(account.index) < accountCount,
      Int(venue.index) < venueCount
    else { throw ConfigurationError("ledger snapshot: an order of an unknown instrument, owner or venue") }
  }

  private mutating func restore(_ line: LedgerSnapshot.Line) throws(ConfigurationError) {
    let name = "ledger snapshot, instrument \(line.instrument.index)"
    guard knows(line.instrument) else { throw ConfigurationError("\(name): unknown") }
    let index = Int(line.instrument.index)
    let bound = Self.lotsMax.magnitude
    guard line.strategyPositions.count == strategyCount, line.accountPositions.count == accountCount,
      line.strategyPositions.allSatisfy({ $0.lots.magnitude <= bound }),
      line.accountPositions.allSatisfy({ $0.lots.magnitude <= bound })
    else { throw ConfigurationError("\(name): positions do not fit the books") }
    // Below 2^42: at most 64 positions of at most 2^36.
    let position = line.accountPositions.map(\.lots).reduce(0, +)
    let twice = line.markTwice ?? 0
    guard twice.magnitude <= 2 * lines[index].priceNanosMax.magnitude, position.magnitude <= bound,
      line.basis.nanos.magnitude <= (Self.lotNanosMax * Int128(Self.lotsMax)).magnitude
    else { throw ConfigurationError("\(name): position, mark or basis do not fit the books") }
    lines[index].markTwice = twice
    lines[index].isMarked = line.markTwice != nil
    lines[index].basis = line.basis.nanos
    lines[index].holding.position.lots = position
    noteEngagement(index, since: false)
    let value = Int128(twice) * Int128(lines[index].multiplier)
    sectors[Int(lines[index].sector)].add(position, value)
    for (strategy, held) in line.strategyPositions.enumerated() where held != .zero {
      strategyHoldings[strategyPlace(index, strategy)].position = held
      lines[index].strategies |= 1 << UInt64(strategy)
      strategies[strategy].add(held.lots, value)
    }
    for (account, held) in line.accountPositions.enumerated() where held != .zero {
      accountHoldings[accountPlace(index, account)].position = held
      lines[index].accounts |= 1 << UInt64(account)
      accounts[account].add(held.lots, value)
      firm.add(held.lots, value)
    }
  }

  private mutating func restore(_ order: OpenOrder) throws(ConfigurationError) {
    try requireOwner(order.instrument, order.strategy, order.account, order.venue)
    let holding = lines[Int(order.instrument.index)].holding
    let open = order.side == .buy ? holding.openBuy.lots : holding.openSell.lots
    guard order.clientOrderID != .none, !order.state.isFinal, order.leaves.lots > 0, order.leaves <= order.quantity,
      order.quantity.lots <= Self.lotsMax, open + order.leaves.lots <= Self.lotsMax,
      (0...Self.lotNanosMax).contains(order.reservedNanosPerLot),
      orders.place(of: order.clientOrderID.value) == nil, orders.insert(order)
    else { throw ConfigurationError("ledger snapshot: order \(order.clientOrderID.value) does not fit the books") }
    moveOpen(order, lots: order.leaves.lots)
    countOpen(order, by: 1)
  }
}

extension Exposure {
  /// Adds a position of `lots`, each twice worth `value` billionths.
  fileprivate mutating func add(_ lots: Int64, _ value: Int128) {
    positionNetTwice += Int128(lots) * value
    positionGrossTwice += Int128((Int128(lots) * value).magnitude)
  }
}
