public import LockFreeRings
public import TradingTypes

// The life of an order in the books: reserved when sent, released or booked as venues report.
extension Ledger {
  /// Counts `child` as sent: its lots and its notional are reserved until the venue reports.
  ///
  /// A market order without a price is reserved at the mark. Call it before the order leaves, and `release` when it could not.
  ///
  /// - Returns: `.applied`, or why nothing changed: `.full`, `.duplicate`, `.unknownInstrument`, `.unknownOwner`, `.invalid`
  ///   (no number, no lots, no price and no mark), `.outOfRange`.
  @inlinable public mutating func reserve(_ child: ChildOrder) -> LedgerOutcome { counted(reserved(child)) }

  @inlinable mutating func reserved(_ child: ChildOrder) -> LedgerOutcome {
    guard knows(child.instrument) else { return .unknownInstrument }
    guard Int(child.strategy.index) < strategyCount, Int(child.account.index) < accountCount,
      Int(child.venue.index) < venueCount
    else { return .unknownOwner }
    let number = child.clientOrderID
    guard number != .none, child.quantity.lots > 0 else { return .invalid }
    let instrument = Int(child.instrument.index)
    var price = child.price.nanos
    if child.type == .market && price == 0 {
      guard lines[instrument].isMarked else { return .invalid }
      // Half of twice the mark, rounded away from zero so that the reservation is not too small.
      let twice = lines[instrument].markTwice
      price = twice / 2 + (twice % 2)
    }
    let line = lines[instrument]
    guard price.magnitude <= line.priceNanosMax.magnitude, child.quantity.lots <= Self.lotsMax else {
      return .outOfRange
    }
    let open = child.side == .buy ? line.holding.openBuy.lots : line.holding.openSell.lots
    guard open + child.quantity.lots <= Self.lotsMax else { return .outOfRange }
    if orders.place(of: number.value) != nil { return .duplicate }
    if finished[masked: OpenOrderTable.home(number.value)].clientOrderID == number { return .duplicate }
    let nanosPerLot = Int128(price.magnitude) * Int128(line.multiplier)
    let order = OpenOrder(child, reservedNanosPerLot: nanosPerLot)
    guard orders.insert(order) else { return .full }
    moveOpen(order, lots: child.quantity.lots)
    countOpen(order, by: 1)
    return .applied
  }

  /// Takes back a reservation whose order was not sent.
  ///
  /// - Returns: `.applied`, `.unknownOrder`, or `.illegalTransition` when a venue has already reported on it.
  @inlinable public mutating func release(unsent number: ClientOrderID) -> LedgerOutcome {
    guard let place = orders.place(of: number.value) else { return counted(.unknownOrder) }
    let order = orders.orders[place]
    guard order.state == .sent else { return counted(.illegalTransition) }
    moveOpen(order, lots: 0 - order.leaves.lots)
    countOpen(order, by: -1)
    orders.remove(at: place)
    return counted(.applied)
  }

  /// Books what a venue reports.
  ///
  /// The ledger counts what still works itself and does not rely on the venue's `leaves`; where they differ,
  /// `leavesDisagreements` counts. A fill that comes after its order ended is booked for the order's owner as an `.overfill`
  /// as long as the order is remembered (the last finished order in each place of the table).
  ///
  /// - Returns: `.applied` or `.overfill` when booked, else why not. Every answer is counted.
  @inlinable public mutating func apply(_ report: ExecutionReport) -> LedgerOutcome { counted(applied(report)) }

  @inlinable mutating func applied(_ report: ExecutionReport) -> LedgerOutcome {
    guard let place = orders.place(of: report.clientOrderID.value) else { return late(report) }
    let order = orders.orders[place]
    guard order.instrument == report.instrument, order.side == report.side, order.venue == report.venue else {
      return .mismatch
    }
    switch report.kind {
    case .accepted:
      guard let state = order.state.after(.accepted, leaves: order.leaves) else { return .illegalTransition }
      orders.orders[place].state = state
      noteLeaves(report, order.leaves)
      return .applied
    case .filled:
      guard report.quantity.lots > 0 else { return .invalid }
      let filled = Swift.min(report.quantity.lots, order.leaves.lots)
      let leaves = Quantity(lots: order.leaves.lots - filled)
      guard let state = order.state.after(.filled, leaves: leaves) else { return .illegalTransition }
      guard book(report, strategy: order.strategy, account: order.account) else { return .outOfRange }
      moveOpen(order, lots: 0 - filled)
      if state.isFinal {
        finish(order, at: place, as: state)
      } else {
        orders.orders[place].leaves = leaves
        orders.orders[place].state = state
      }
      if report.quantity.lots > filled { return .overfill }
      noteLeaves(report, leaves)
      return .applied
    case .cancelled, .rejected:
      guard let state = order.state.after(report.kind, leaves: .zero) else { return .illegalTransition }
      moveOpen(order, lots: 0 - order.leaves.lots)
      finish(order, at: place, as: state)
      noteLeaves(report, .zero)
      return .applied
    }
  }

  /// A report about an order that is not open.
  @inlinable mutating func late(_ report: ExecutionReport) -> LedgerOutcome {
    let order = finished[masked: OpenOrderTable.home(report.clientOrderID.value)]
    guard report.clientOrderID != .none, order.clientOrderID == report.clientOrderID else { return .unknownOrder }
    guard order.instrument == report.instrument, order.side == report.side, order.venue == report.venue else {
      return .mismatch
    }
    guard report.kind == .filled else { return .illegalTransition }
    guard report.quantity.lots > 0 else { return .invalid }
    return book(report, strategy: order.strategy, account: order.account) ? .overfill : .outOfRange
  }

  /// Moves an order from the open to the remembered ones.
  @inlinable mutating func finish(_ order: OpenOrder, at place: Int, as state: OrderState) {
    countOpen(order, by: -1)
    orders.remove(at: place)
    finished[masked: OpenOrderTable.home(order.clientOrderID.value)] = FinishedOrder(order, state: state)
  }

  @inlinable mutating func noteLeaves(_ report: ExecutionReport, _ leaves: Quantity) {
    // Wrapping: 2^64 reports do not happen.
    if report.leaves != leaves { _leavesDisagreements &+= 1 }
  }

  /// Adds `lots` (negative: takes away) to the open quantity and notional that `order` counts in.
  @inlinable mutating func moveOpen(_ order: OpenOrder, lots: Int64) {
    let instrument = Int(order.instrument.index)
    let strategy = Int(order.strategy.index)
    let account = Int(order.account.index)
    let sector = Int(lines[instrument].sector)
    // Wrapping, here and below: a lot's value is below 2^72, lots below 2^36, sums over all instruments below 2^122.
    let amount = order.reservedNanosPerLot &* Int128(lots)
    let strategyPlace = strategyPlace(instrument, strategy)
    let accountPlace = accountPlace(instrument, account)
    let wasEngaged = lines[instrument].holding.isEngaged
    defer { noteEngagement(instrument, since: wasEngaged) }
    if order.side == .buy {
      lines[instrument].holding.openBuy.lots += lots
      lines[instrument].openBuyNanos &+= amount
      strategyHoldings[strategyPlace].openBuy.lots += lots
      accountHoldings[accountPlace].openBuy.lots += lots
      sectors[sector].openBuy.nanos &+= amount
      strategies[strategy].openBuy.nanos &+= amount
      accounts[account].openBuy.nanos &+= amount
      firm.openBuy.nanos &+= amount
    } else {
      lines[instrument].holding.openSell.lots += lots
      lines[instrument].openSellNanos &+= amount
      strategyHoldings[strategyPlace].openSell.lots += lots
      accountHoldings[accountPlace].openSell.lots += lots
      sectors[sector].openSell.nanos &+= amount
      strategies[strategy].openSell.nanos &+= amount
      accounts[account].openSell.nanos &+= amount
      firm.openSell.nanos &+= amount
    }
  }

  /// Counts an instrument that has become engaged or ceased to be.
  @inlinable mutating func noteEngagement(_ instrument: Int, since wasEngaged: Bool) {
    _instrumentsEngaged += (lines[instrument].holding.isEngaged ? 1 : 0) - (wasEngaged ? 1 : 0)
  }

  /// Counts an order in or out of the open ones of its instrument, venue and strategy.
  @inlinable mutating func countOpen(_ order: OpenOrder, by step: Int32) {
    lines[Int(order.instrument.index)].openOrders += step
    venueOpenOrders[Int(order.venue.index)] += step
    strategyOpenOrders[Int(order.strategy.index)] += step
  }
}
