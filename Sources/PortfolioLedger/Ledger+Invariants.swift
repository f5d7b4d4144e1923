internal import LockFreeRings
internal import TradingTypes

extension Ledger {
  /// Recomputes every sum from the positions and open orders; the first that differs, or nil when all agree.
  ///
  /// - Complexity: O(instruments × (strategies + accounts) + open orders), allocates: for tests and restored snapshots.
  public func checkInvariants() -> String? {
    let t = _totals
    if t.cash.nanos + t.basis.nanos - t.realised.nanos + t.fees.nanos != t.startingCash.nanos {
      return "cash + basis − realised + fees is not the starting cash"
    }
    if t.dayPeakTwice < equityTwice { return "the day's peak is below the equity" }
    return positionViolation() ?? orderViolation()
  }

  /// Positions, basis and exposure of positions.
  private func positionViolation() -> String? {
    var sectorSums = [Exposure](repeating: Exposure(), count: sectorCount)
    var strategySums = [Exposure](repeating: Exposure(), count: strategyCount)
    var accountSums = [Exposure](repeating: Exposure(), count: accountCount)
    var firmSum = Exposure()
    var basis: Int128 = 0
    var held = 0
    var engaged = 0
    for index in 0..<instrumentCount {
      let line = lines[index]
      let value = Int128(line.markTwice) * Int128(line.multiplier)
      func add(_ position: Quantity, to exposure: inout Exposure) {
        exposure.positionNetTwice += Int128(position.lots) * value
        exposure.positionGrossTwice += Int128((Int128(position.lots) * value).magnitude)
      }
      basis += line.basis
      held += line.holding.position == .zero ? 0 : 1
      engaged += line.holding.isEngaged ? 1 : 0
      if line.holding.position == .zero && line.basis != 0 { return "instrument \(index): a basis without a position" }
      if line.holding.position != .zero && !line.isMarked { return "instrument \(index): held but not marked" }
      add(line.holding.position, to: &sectorSums[Int(line.sector)])
      var strategyPositions: Int64 = 0
      for strategy in 0..<strategyCount {
        let position = strategyHoldings[strategyPlace(index, strategy)].position
        strategyPositions += position.lots
        add(position, to: &strategySums[strategy])
        if (line.strategies >> UInt64(strategy)) & 1 != (position == .zero ? 0 : 1) {
          return "instrument \(index): holder bit of strategy \(strategy)"
        }
      }
      var accountPositions: Int64 = 0
      for account in 0..<accountCount {
        let position = accountHoldings[accountPlace(index, account)].position
        accountPositions += position.lots
        add(position, to: &accountSums[account])
        add(position, to: &firmSum)
        if (line.accounts >> UInt64(account)) & 1 != (position == .zero ? 0 : 1) {
          return "instrument \(index): holder bit of account \(account)"
        }
      }
      if strategyPositions != line.holding.position.lots || accountPositions != line.holding.position.lots {
        return "instrument \(index): the owners' positions do not add up"
      }
    }
    if basis != _totals.basis.nanos { return "the bases of the positions do not add up" }
    if engaged != instrumentsEngaged { return "\(engaged) instruments are engaged, \(instrumentsEngaged) counted" }
    if held != _totals.positionsHeld { return "\(held) positions are held, \(_totals.positionsHeld) counted" }
    for sector in 0..<sectorCount where !sameMarks(sectorSums[sector], sectors[sector]) { return "sector \(sector)" }
    for strategy in 0..<strategyCount where !sameMarks(strategySums[strategy], strategies[strategy]) {
      return "marked positions of strategy \(strategy)"
    }
    for account in 0..<accountCount where !sameMarks(accountSums[account], accounts[account]) {
      return "marked positions of account \(account)"
    }
    return sameMarks(firmSum, firm) ? nil : "marked positions of the firm"
  }

  /// Open orders, their table, and exposure of orders.
  private func orderViolation() -> String? {
    var sums = [String: Exposure]()
    var holdings = [String: Holding]()
    var counts = [String: Int]()
    let open = openOrders()
    if open.count != orders.count { return "\(open.count) orders in the table, \(orders.count) counted" }
    for order in open {
      let number = order.clientOrderID
      if openOrder(number) != order { return "order \(number.value) cannot be reached" }
      if order.state.isFinal || order.leaves.lots <= 0 { return "order \(number.value) is over and still open" }
      let instrument = Int(order.instrument.index)
      for key in [
        "sector \(lines[instrument].sector)", "strategy \(order.strategy.index)", "account \(order.account.index)",
        "firm", "instrument \(instrument)",
      ] {
        var sum = sums[key] ?? Exposure()
        if order.side == .buy { sum.openBuy += order.reserved } else { sum.openSell += order.reserved }
        sums[key] = sum
      }
      for key in [
        "instrument \(instrument)", "instrument \(instrument) strategy \(order.strategy.index)",
        "instrument \(instrument) account \(order.account.index)",
      ] {
        var sum = holdings[key] ?? Holding()
        if order.side == .buy {
          sum.openBuy = sum.openBuy + order.leaves
        } else {
          sum.openSell = sum.openSell + order.leaves
        }
        holdings[key] = sum
      }
      for key in ["instrument \(instrument)", "venue \(order.venue.index)", "strategy \(order.strategy.index)"] {
        counts[key, default: 0] += 1
      }
    }
    func differs(_ key: String, _ found: Exposure) -> Bool {
      let sum = sums[key] ?? Exposure()
      return sum.openBuy != found.openBuy || sum.openSell != found.openSell
    }
    func differs(_ key: String, _ found: Holding) -> Bool {
      let sum = holdings[key] ?? Holding()
      return sum.openBuy != found.openBuy || sum.openSell != found.openSell
    }
    for index in 0..<instrumentCount {
      let id = InstrumentID(index: UInt32(index))
      if differs("instrument \(index)", exposure(of: id)) || differs("instrument \(index)", lines[index].holding)
        || counts["instrument \(index)", default: 0] != openOrderCount(of: id)
      {
        return "open orders of instrument \(index)"
      }
      for strategy in 0..<strategyCount
      where differs("instrument \(index) strategy \(strategy)", strategyHoldings[strategyPlace(index, strategy)]) {
        return "open orders of instrument \(index), strategy \(strategy)"
      }
      for account in 0..<accountCount
      where differs("instrument \(index) account \(account)", accountHoldings[accountPlace(index, account)]) {
        return "open orders of instrument \(index), account \(account)"
      }
    }
    for sector in 0..<sectorCount where differs("sector \(sector)", sectors[sector]) {
      return "open orders of sector \(sector)"
    }
    for strategy in 0..<strategyCount
    where differs("strategy \(strategy)", strategies[strategy])
      || counts["strategy \(strategy)", default: 0] != Int(strategyOpenOrders[strategy])
    {
      return "open orders of strategy \(strategy)"
    }
    for account in 0..<accountCount where differs("account \(account)", accounts[account]) {
      return "open orders of account \(account)"
    }
    for venue in 0..<64 where counts["venue \(venue)", default: 0] != Int(venueOpenOrders[venue]) {
      return "open orders of venue \(venue)"
    }
    return differs("firm", firm) ? "open orders of the firm" : nil
  }

  private func sameMarks(_ left: Exposure, _ right: Exposure) -> Bool {
    left.positionGrossTwice == right.positionGrossTwice && left.positionNetTwice == right.positionNetTwice
  }
}
