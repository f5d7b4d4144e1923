public import EngineTelemetry
public import LockFreeRings
public import OrderBooks
public import OrderRouting
public import PortfolioLedger
public import PositionSizing
public import PreTradeRisk
public import RegimeDetection
public import SignalFeatures
public import TradingTypes

// The steps that `ingest` and `decide` name, in the order they are met.
extension TradingPipeline where Model: ~Copyable, Gateway: ~Copyable, Probe: ~Copyable, Sink: ~Copyable {
  // MARK: - Before the event

  /// Takes in every report that is due at or before `time`.
  @inlinable mutating func settle(by time: Timestamp) {
    while let id = gateway.nextReport(by: time) {
      // A venue may name any instrument; an unknown one has no book.
      let received =
        Int(id.index) < states.count
        ? gateway.receive(by: time, market: books[depth: id]) : gateway.receive(by: time, market: DepthView())
      guard let report = received else { return }
      // A position that a fill opens is worth today's mid, not the mark that an earlier position left behind.
      if report.kind == .filled, Int(report.instrument.index) < states.count { markPosition(of: report.instrument) }
      let outcome = ledger.apply(report)
      if outcome.isAlarming {
        // The venue and the books tell different stories: nothing may trade on either until a person has looked.
        counts.misplacedReports &+= 1
        let isKnown = Int(report.instrument.index) < states.count
        kill.trip(isKnown ? .symbol(report.instrument) : .global, to: .halted, .positionBreach, at: report.time)
      }
      triggers.reported(report, &kill)
      guard outcome.changedLedger else { continue }
      share.isOld = share.isLimited
      switch report.kind {
      case .filled: counts.fills &+= 1
      case .rejected: counts.refused &+= 1
      case .accepted, .cancelled: break
      }
      if report.kind == .filled { triggers.dayResult(ledger.dayProfit, at: report.time, &kill) }
      sink.record(report)
    }
  }

  /// Closes the bars of the event's instrument that have ended before it.
  @inlinable mutating func closeBars(before event: MarketEvent) {
    triggers.sawMessage(at: event.time, &kill)
    let index = Int(event.instrument.index)
    guard index < states.count, features.barIsDue(event.instrument, at: event.time) else { return }
    closeDueBars(of: event.instrument, at: event.time)
    probe.skip()
  }

  /// Order at a bar close: the bar, the volatility, the slots stage 2 does not own, the regime, the model.
  @inlinable mutating func closeDueBars(of id: InstrumentID, at time: Timestamp) {
    while let bar = features.closeBar(id, at: time) {
      customFeatures.close(bar, of: id)
      if !bar.isFirst {
        let variance = sizer.stepVolatility(id, returnPercent: bar.returnPercent)
        features.setModelSlots(id, garchVariance: variance, regimeProbabilities: regimes.probabilities(of: id))
        regimes.step(id, returnPercent: bar.returnPercent)
        if refits != nil { refits!.value.close(id, returnPercent: bar.returnPercent) }
      }
      if model.readsBars { closeModelBar(bar, of: id) }
    }
  }

  /// Samples equity and the cross-section at the end of the last primary bar before `time`: the same instant in every topology.
  ///
  /// Reports due up to that end are in, those due after it are not, whichever message crosses it.
  @inlinable mutating func crossBarrier(at time: Timestamp) {
    let end = rules.barEnd(before: time)
    let part = sampleBarrier(end: end)
    takeBarrier(part, at: time)
    barrier = end + rules.barSpan
  }

  /// What this pipeline's instruments add to portfolio and cross-section at `end`; the first half of a barrier.
  @inlinable mutating func sampleBarrier(end: Timestamp) -> BarrierPart {
    settle(by: end + TimeSpan(nanoseconds: -1))
    let totals = ledger.totals
    let equityTwice = ledger.equityTwice
    var part = BarrierPart()
    // Wrapping: each is below 2^126 in a ledger.
    part.gainTwice = equityTwice &- 2 &* totals.startingCash.nanos
    part.dayGainTwice = equityTwice &- totals.dayEquityTwice
    part.fallTwice = totals.dayPeakTwice &- equityTwice
    part.gross = ledger.exposureOfFirm().gross
    part.universe = features.sampleUniverse(at: end)
    if refits != nil { part.refits = refits!.value.vote(at: end) }
    return part
  }

  /// Takes the totals over; the second half of a barrier.
  @inlinable mutating func takeBarrier(_ total: BarrierPart, at time: Timestamp) {
    // Wrapping: below 2^126. Halves are rounded down, the fall up, as the ledger rounds them.
    equity = Money(nanos: (2 &* ledger.totals.startingCash.nanos &+ total.gainTwice) >> 1)
    peakEquity = max(peakEquity, equity)
    features.takeUniverse(total.universe, at: rules.barEnd(before: time))
    triggers.dayResult(Money(nanos: total.dayGainTwice >> 1), at: time, &kill)
    if control.refresh() { obeyControl(at: time) }
    let drawdownMax = control.value.policy.dailyDrawdownMax * equity.real
    let drawdown = Money(nanos: (total.fallTwice &+ 1) >> 1)
    if drawdown.real > drawdownMax { kill.trip(.global, to: .reducing, .dailyLoss, at: time) }
    if refits != nil { takeRefit(at: rules.barEnd(before: time), votes: total.refits) }
  }

  /// Takes over a refit that is due at a bar's end, and tells the sink of it, one instrument after the other.
  @inlinable @inline(never) mutating func takeRefit(at end: Timestamp, votes: RefitVote) {
    guard refits!.value.adopt(at: end, &regimes, &sizer.volatility, votes: votes) else { return }
    for index in 0..<states.count {
      if let refit = refits!.value.record(of: index, regimes, sizer.volatility) { sink.record(refit) }
    }
  }

  // MARK: - After the book

  /// Remembers what checks and quotes need of the event.
  @inlinable mutating func note(_ event: MarketEvent, _ effect: BookEffect) {
    let index = Int(event.instrument.index)
    if event.time > states[index].bookTime { states[index].bookTime = event.time }
    if let trade = TradePrint(event, effect: effect) {
      states[index].lastTrade = trade.price
      states[index].lastTradeTime = event.time
    }
    guard effect.bestChanged else { return }
    states[index].quoteIsOld = true
    let bid = books[depth: event.instrument].bids[0]
    let ask = books[depth: event.instrument].asks[0]
    health.observe(event.instrument, bid: bid, ask: ask, at: event.time)
    guard ledger.position(of: event.instrument).lots != 0 else { return }
    markPosition(of: event.instrument)
    triggers.dayResult(ledger.dayProfit, at: event.time, &kill)
  }

  /// Values the instrument at the mid of a two-sided book.
  @inlinable mutating func markPosition(of id: InstrumentID) {
    // Read in place: a copy of the view would be 320 bytes.
    let isTwoSided = books[depth: id].isTwoSided
    if isTwoSided { _ = ledger.mark(id, nanosTwice: books[depth: id].midNanosTwice) }
  }

  /// Whether the event starts a decision.
  @inlinable mutating func isTrigger(_ event: MarketEvent, _ effect: BookEffect) -> Bool {
    let isBest = effect.bestChanged && rules.onBestChange
    let isTrade = rules.onTrade && TradePrint(event, effect: effect) != nil
    let isCause = (isBest || isTrade) && !event.flags.contains(.snapshot)
    let index = Int(event.instrument.index)
    // What an exchange tells in several messages is judged when all of it is there: until then its book may be locked or crossed.
    if event.flags.contains(.partial) {
      states[index].hasCause = states[index].hasCause || isCause
      return false
    }
    guard isCause || states[index].hasCause, states[index].isTraded else { return false }
    states[index].hasCause = false
    if rules.interval.nanoseconds > 0 {
      guard event.time - states[index].lastDecision >= rules.interval else { return false }
      states[index].lastDecision = event.time
    }
    return true
  }

  // MARK: - Within a decision

  /// Takes over what other threads asked for since the last decision.
  @inlinable mutating func obeyControl(at time: Timestamp) {
    let order = control.value
    if order.rearmCount != rearmCount {
      rearmCount = order.rearmCount
      kill.rearmAll(at: time)
      triggers.forgetRuns()
    }
    if order.requestedLevel > .active { kill.trip(.global, to: order.requestedLevel, .manual, at: time) }
  }

  /// The best quote over all venues; the venues' shares of a changed book are entered first.
  @inlinable mutating func refreshQuote(of id: InstrumentID) -> BestQuote {
    let index = Int(id.index)
    if states[index].quoteIsOld {
      states[index].quoteIsOld = false
      let time = states[index].bookTime
      let bid = books[depth: id].bids[0]
      let ask = books[depth: id].asks[0]
      // Venue 0 shows what the others leave: last, so that every share is computed once.
      var restOfBid = bid.quantity.lots
      var restOfAsk = ask.quantity.lots
      var venue = rules.split.venueCount
      while venue > 0 {
        venue -= 1
        let bidLots = venue == 0 ? restOfBid : rules.split.share(bid.quantity, venue: venue).lots
        let askLots = venue == 0 ? restOfAsk : rules.split.share(ask.quantity, venue: venue).lots
        // Cannot overflow: shares of a whole.
        restOfBid -= bidLots
        restOfAsk -= askLots
        consolidated.update(
          id, venue: VenueID(index: UInt16(truncatingIfNeeded: venue)),
          bid: DepthLevel(price: bid.price, quantity: Quantity(lots: bidLots)),
          ask: DepthLevel(price: ask.price, quantity: Quantity(lots: askLots)), at: time)
      }
    }
    var quote = consolidated.best(of: id)
    // One feed speaks for every venue: each of its messages about the instrument confirms what they show.
    if quote.time < states[index].bookTime { quote.time = states[index].bookTime }
    return quote
  }

  @inlinable func sizingInputs(
    for id: InstrumentID, cause event: MarketEvent, quote: BestQuote, policy: PolicySnapshot
  ) -> SizingInputs {
    SizingInputs(
      instrument: states[Int(id.index)].terms, policy: policy, equity: equity, peakEquity: peakEquity,
      otherExposure: ledger.grossExposure(without: id) + share.othersGross,
      openPositions: Int64(ledger.instrumentsEngaged),
      position: ledger.position(of: id), openBuy: ledger.openBuy(of: id), openSell: ledger.openSell(of: id),
      quote: quote, vix: context.vix, vixAge: event.time - context.vixTime, time: event.time,
      causeSequence: event.sequence, nextClientOrderID: ClientOrderID(value: lastClientOrderID &+ 1),
      strategy: rules.strategy, account: rules.account)
  }

  @inlinable func killState(of intent: OrderIntent) -> KillState {
    // Asked here first, because the call copies the switch.
    kill.hasTripped
      ? kill.state(account: intent.account, strategy: intent.strategy, instrument: intent.instrument) : KillState()
  }

  @inlinable func riskInputs(
    for id: InstrumentID, at time: Timestamp, quote: BestQuote, kill: KillState
  ) -> RiskInputs {
    var inputs = RiskInputs(
      now: time, kill: kill, quote: quote, bookTime: states[Int(id.index)].bookTime,
      bookIsStale: books.isStale(id) || health.isStale(id, at: time),
      lastTrade: states[Int(id.index)].lastTrade, lastTradeTime: states[Int(id.index)].lastTradeTime)
    inputs.others = share.others
    return inputs
  }

  /// Writes what `venue` shows an order, down to the level that would fill all of it: the router looks no deeper.
  @inlinable @inline(__always) mutating func setLadder(_ venue: Int, for intent: OrderIntent) {
    let id = intent.instrument
    let isBuy = intent.side == .buy
    ladders[venue].venue = VenueID(index: UInt16(truncatingIfNeeded: venue))
    ladders[venue].isUp = true
    // The depth is read in place, level by level: a copy of one side is 160 bytes.
    let shown = Int(isBuy ? books[depth: id].askCount : books[depth: id].bidCount)
    var missing = intent.quantity.lots
    var count = 0
    for level in 0..<shown where missing > 0 {
      let whole = isBuy ? books[depth: id].asks[level] : books[depth: id].bids[level]
      let part = rules.split.share(whole.quantity, venue: venue)
      guard part.lots > 0 else { continue }
      ladders[venue].levels[count] = DepthLevel(price: whole.price, quantity: part)
      count += 1
      // Cannot overflow: both are positive.
      missing -= part.lots
    }
    ladders[venue].count = Int32(truncatingIfNeeded: count)
  }

  /// Plans and sends the child orders of `intent`; true when at least one went out.
  @inlinable mutating func route(_ intent: OrderIntent, kill killState: KillState) -> Bool {
    let id = intent.instrument
    for venue in 0..<rules.split.venueCount { setLadder(venue, for: intent) }
    // A venue that orders may not go to, or whose session is lost, is as good as halted.
    var reach = killState
    reach.venuesHalted |= ~(gate.permissions.venues & gate.permissions.connectedVenues)
    _ = router.route(
      intent, ladders: ladders, terms: states[Int(id.index)].terms, kill: reach,
      nextChildID: ClientOrderID(value: lastClientOrderID &+ 1), into: &plan)
    var sent = 0
    for index in 0..<plan.count {
      let child = plan.children[index]
      lastClientOrderID = max(lastClientOrderID, child.clientOrderID.value)
      // A trip by the children before it stops the rest of the plan.
      let now = self.killState(of: intent)
      guard now.level <= killState.level, now.venuesHalted & child.venue.bit == 0, ledger.reserve(child).changedLedger
      else {
        counts.withheld &+= 1
        continue
      }
      let isTaken = gateway.send(child, at: intent.time)
      triggers.sent(child, isTaken: isTaken, &kill)
      if isTaken {
        // The plan keeps what really went out: checksum and journal tell of no other child.
        if sent < index { plan.children[sent] = child }
        sent += 1
        counts.orders &+= 1
      } else {
        _ = ledger.release(unsent: child.clientOrderID)
        counts.refused &+= 1
      }
    }
    plan.count = sent
    return sent > 0
  }
}
