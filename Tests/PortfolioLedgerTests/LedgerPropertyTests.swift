import LockFreeRings
import PortfolioLedger
import TestSupport
import Testing
import TradingTypes

// Goal: every answer of the ledger is exact at every moment. Method: random orders, reports (also wrong, late and duplicate ones),
// marks and days go to the ledger and to its slow twin, which computes each answer from the list of all fills; after every step
// each query must agree and the ledger's own invariants must hold.

/// The first query on which ledger and twin differ.
func disagreement(_ ledger: borrowing Ledger, _ twin: SlowLedger) -> String? {
  let books = twin.books()
  let equity = twin.equityTwice(books)
  let basis = books.basis.values.reduce(0, +)
  let unrealisedTwice = equity - 2 * books.cash - 2 * basis
  let half = { (twice: Int128) in twice >= 0 ? twice / 2 : (twice - 1) / 2 }
  let money: [(String, Money, Int128)] = [
    ("cash", ledger.cash, books.cash), ("fees", ledger.fees, books.fees), ("realised", ledger.realised, books.realised),
    ("equity", ledger.equity, half(equity)), ("unrealised", ledger.unrealised, half(unrealisedTwice)),
    ("day profit", ledger.dayProfit, half(equity - books.dayEquity)),
    ("day realised", ledger.dayRealised, books.realised - books.dayRealised),
    ("day fees", ledger.dayFees, books.fees - books.dayFees),
    ("day peak", ledger.dayPeak, half(books.dayPeak)), ("drawdown", ledger.drawdown, -half(equity - books.dayPeak)),
    ("conservation", Money(nanos: ledger.cash.nanos + basis - ledger.realised.nanos + ledger.fees.nanos), twin.start),
  ]
  for (name, ours, theirs) in money where ours.nanos != theirs { return "\(name): \(ours.nanos), twin \(theirs)" }
  if ledger.equityTwice != equity { return "equity, twice" }
  if ledger.openOrderCount != twin.open.count { return "open orders: \(ledger.openOrderCount), \(twin.open.count)" }
  if ledger.positionsHeld != books.positions.values.count(where: { $0 != 0 }) { return "positions held" }
  let engaged = Set(twin.open.values.map { Int($0.child.instrument.index) })
    .union(books.positions.filter { $0.value != 0 }.keys)
  if ledger.instrumentsEngaged != engaged.count { return "instruments engaged" }

  for instrument in 0..<twin.instruments.count {
    let id = InstrumentID(index: UInt32(instrument))
    let lots = books.positions[instrument] ?? 0
    let isHere = { (child: ChildOrder) in child.instrument == id }
    if ledger.position(of: id).lots != lots { return "position \(instrument)" }
    if ledger.costBasis(of: id).nanos != books.basis[instrument] ?? 0 { return "basis \(instrument)" }
    if ledger.openBuy(of: id).lots != twin.openLots(.buy, isHere) { return "open buy \(instrument)" }
    if ledger.openSell(of: id).lots != twin.openLots(.sell, isHere) { return "open sell \(instrument)" }
    if ledger.openOrderCount(of: id) != twin.open.values.count(where: { isHere($0.child) }) {
      return "count \(instrument)"
    }
    if ledger.exposure(of: id) != twin.exposure(books, positions: [(instrument, lots)], orders: isHere) {
      return "exposure \(instrument)"
    }
    for strategy in 0..<twin.strategyCount {
      let owner = StrategyID(index: UInt16(strategy))
      let holding = ledger.holding(of: id, strategy: owner)
      let isOurs = { (child: ChildOrder) in isHere(child) && child.strategy == owner }
      if holding.position.lots != books.strategyPositions[[instrument, strategy]] ?? 0
        || holding.openBuy.lots != twin.openLots(.buy, isOurs) || holding.openSell.lots != twin.openLots(.sell, isOurs)
      {
        return "holding \(instrument) of strategy \(strategy)"
      }
    }
    for account in 0..<twin.accountCount {
      let owner = AccountID(index: UInt16(account))
      let holding = ledger.holding(of: id, account: owner)
      let isOurs = { (child: ChildOrder) in isHere(child) && child.account == owner }
      if holding.position.lots != books.accountPositions[[instrument, account]] ?? 0
        || holding.openBuy.lots != twin.openLots(.buy, isOurs) || holding.openSell.lots != twin.openLots(.sell, isOurs)
      {
        return "holding \(instrument) of account \(account)"
      }
    }
  }
  return exposureDisagreement(ledger, twin, books) ?? ledger.checkInvariants()
}

func exposureDisagreement(_ ledger: borrowing Ledger, _ twin: SlowLedger, _ books: SlowLedger.Books) -> String? {
  for sector in 0..<2 {
    let positions = books.positions.filter { Int(twin.instruments[$0.key].sector) == sector }
    let sum = twin.exposure(books, positions: positions.map { ($0.key, $0.value) }) {
      Int(twin.instruments[Int($0.instrument.index)].sector) == sector
    }
    if ledger.exposure(sector: sector) != sum { return "exposure of sector \(sector)" }
  }
  for strategy in 0..<twin.strategyCount {
    let owner = StrategyID(index: UInt16(strategy))
    let positions = books.strategyPositions.filter { $0.key[1] == strategy }
    let sum = twin.exposure(books, positions: positions.map { ($0.key[0], $0.value) }) { $0.strategy == owner }
    if ledger.exposure(strategy: owner) != sum { return "exposure of strategy \(strategy)" }
    let count = twin.open.values.count(where: { $0.child.strategy == owner })
    if ledger.openOrderCount(strategy: owner) != count { return "open orders of strategy \(strategy)" }
  }
  for account in 0..<twin.accountCount {
    let owner = AccountID(index: UInt16(account))
    let positions = books.accountPositions.filter { $0.key[1] == account }
    let sum = twin.exposure(books, positions: positions.map { ($0.key[0], $0.value) }) { $0.account == owner }
    if ledger.exposure(account: owner) != sum { return "exposure of account \(account)" }
  }
  for venue in 0..<twin.venueCount {
    let place = VenueID(index: UInt16(venue))
    let count = twin.open.values.count(where: { $0.child.venue == place })
    if ledger.openOrderCount(venue: place) != count { return "open orders at venue \(venue)" }
  }
  let firm = twin.exposure(books, positions: books.accountPositions.map { ($0.key[0], $0.value) }) { _ in true }
  if ledger.exposureOfFirm() != firm { return "exposure of the firm" }
  for instrument in twin.instruments.indices {
    let others = books.accountPositions.filter { $0.key[0] != instrument }.map { ($0.key[0], $0.value) }
    let gross = twin.exposure(books, positions: others) { Int($0.instrument.index) != instrument }.gross
    let answer = ledger.grossExposure(without: InstrumentID(index: UInt32(instrument)))
    if answer != gross { return "exposure without \(instrument)" }
  }
  return nil
}

/// Runs random steps; the first disagreement.
func runAgainstTwin(seed: UInt64, steps: Int, plantsFault: Bool = false, counts: inout [LedgerOutcome: Int]) -> String?
{
  var run = LedgerRun(seed: seed)
  let arena = Arena(capacityBytes: run.configuration.arenaBytes)
  guard var ledger = try? Ledger(configuration: run.configuration, in: arena) else { return "not configured" }
  let twin = SlowLedger(run.configuration)
  twin.roundsAway = plantsFault
  var known: [ChildOrder] = []
  for step in 0..<steps {
    let ours: LedgerOutcome
    let theirs: LedgerOutcome
    switch run.random.below(10) {
    case 0...3:
      let child = run.child()
      ours = ledger.reserve(child)
      theirs = twin.reserve(child)
      if ours == .applied { known.append(child) }
    case 4...7 where !known.isEmpty:
      // Mostly one of the last orders, so that many are open.
      let recent = max(0, known.count - 24)
      let order = known[recent + run.random.below(known.count - recent)]
      let report = run.report(order)
      ours = ledger.apply(report)
      theirs = twin.apply(report)
    case 8 where !known.isEmpty:
      let number = known[run.random.below(known.count)].clientOrderID
      ours = ledger.release(unsent: number)
      theirs = twin.release(unsent: number)
    default:
      if run.random.below(20) == 0 {
        ledger.startDay()
        twin.startDay()
      } else {
        let instrument = run.random.below(4)
        let twice = run.price().nanos + run.price().nanos
        _ = ledger.mark(InstrumentID(index: UInt32(instrument)), nanosTwice: twice)
        twin.mark(instrument, twice: twice)
      }
      ours = .applied
      theirs = .applied
    }
    counts[ours, default: 0] += 1
    if ours != theirs { return "seed \(seed), step \(step): \(ours), twin \(theirs)" }
    if let found = disagreement(ledger, twin) { return "seed \(seed), step \(step) after \(ours): \(found)" }
  }
  return nil
}

@Test(arguments: Seeds.brief)
func `every query equals the twin after every step`(seed: UInt64) {
  var counts: [LedgerOutcome: Int] = [:]
  let found = runAgainstTwin(seed: seed, steps: 300, counts: &counts)
  #expect(found == nil, "\(found ?? "")")
}

@Test func `the random steps reach every answer`() {
  var counts: [LedgerOutcome: Int] = [:]
  for seed in Seeds.brief { _ = runAgainstTwin(seed: seed &+ 100, steps: 300, counts: &counts) }
  for outcome in LedgerOutcome.allCases where outcome != .outOfRange {
    #expect(counts[outcome, default: 0] > 0, "\(outcome) did not occur")
  }
}

@Test func `a wrong rounding planted in the twin is found`() {
  var counts: [LedgerOutcome: Int] = [:]
  let found = runAgainstTwin(seed: 1, steps: 300, plantsFault: true, counts: &counts)
  #expect(found != nil)
}
