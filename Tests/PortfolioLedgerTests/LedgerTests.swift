import CAllocationCounter
import LockFreeRings
import PortfolioLedger
import TestSupport
import Testing
import TradingTypes

// Goal: the rules of the books, one by one. Method: examples small enough to check by hand.

let share = Instrument(id: InstrumentID(index: 0), symbol: Symbol("MART")!)

func emptyBooks(_ capacity: Int = 4) throws -> Ledger {
  let configuration = LedgerConfiguration(
    instruments: [share], venueCount: 2, openOrderCapacity: capacity, startingCash: Money(units: 1_000))
  return try Ledger(configuration: configuration, in: Arena(capacityBytes: configuration.arenaBytes))
}

func order(_ number: UInt64, _ lots: Int64, at units: Int64 = 10) -> ChildOrder {
  let intent = OrderIntent(
    clientOrderID: ClientOrderID(value: number), causeSequence: 0, time: Timestamp(nanoseconds: 0),
    instrument: share.id, side: lots > 0 ? .buy : .sell, price: Price(nanos: units * 1_000_000_000),
    quantity: Quantity(lots: abs(lots)))
  return ChildOrder(
    part: intent, clientOrderID: intent.clientOrderID, venue: VenueID(index: 0), price: intent.price,
    quantity: intent.quantity, isSweep: false)
}

func report(
  _ kind: ExecutionKind, _ order: ChildOrder, _ lots: Int64 = 0, leaves: Int64 = 0, at nanos: Int64? = nil,
  fee: Int64 = 0
) -> ExecutionReport {
  ExecutionReport(
    kind, of: order, time: order.time, price: nanos.map { Price(nanos: $0) } ?? order.price,
    quantity: Quantity(lots: lots), leaves: Quantity(lots: leaves), feeNanos: fee)
}

@Test func `an order is reserved at once and released by what the venue says`() throws {
  var ledger = try emptyBooks()
  let buy = order(1, 10)
  var outcome = ledger.reserve(buy)
  #expect(outcome == .applied)
  var open = ledger.openBuy(of: share.id).lots
  #expect(open == 10)
  let reserved = ledger.exposureOfFirm().gross
  #expect(reserved == Money(units: 100))
  outcome = ledger.apply(report(.accepted, buy, leaves: 10))
  #expect(outcome == .applied)
  outcome = ledger.apply(report(.filled, buy, 4, leaves: 6, fee: 5))
  #expect(outcome == .applied)
  open = ledger.openBuy(of: share.id).lots
  #expect(open == 6)
  let state = ledger.openOrder(buy.clientOrderID)?.state
  #expect(state == .partlyFilled)
  outcome = ledger.apply(report(.cancelled, buy, 6))
  #expect(outcome == .applied)
  let money = (ledger.cash, ledger.fees, ledger.costBasis(of: share.id), ledger.openOrderCount)
  #expect(money.0 == Money(nanos: 960_000_000_000 - 5))
  #expect(money.1 == Money(nanos: 5))
  #expect(money.2 == Money(units: 40))
  #expect(money.3 == 0)
  let exposure = ledger.exposureOfFirm()
  #expect(exposure.openBuy == .zero)
  // The first fill stands in for the mark.
  #expect(exposure.gross == Money(units: 40))
}

@Test func `average cost leaves its remainder with the position`() throws {
  var ledger = try emptyBooks()
  // Three lots for 10 billionths: 3 1/3 each.
  for (number, nanos) in [(1, 3), (2, 3), (3, 4)] as [(UInt64, Int64)] {
    let buy = order(number, 1)
    _ = ledger.reserve(buy)
    _ = ledger.apply(report(.filled, buy, 1, at: nanos))
  }
  var bases: [Int128] = []
  var realised: [Int128] = []
  for number in 4...6 as ClosedRange<UInt64> {
    let sell = order(number, -1)
    _ = ledger.reserve(sell)
    _ = ledger.apply(report(.filled, sell, 1, at: 5))
    bases.append(ledger.costBasis(of: share.id).nanos)
    realised.append(ledger.realised.nanos)
  }
  // 10/3 and 7/2 round toward zero to 3; the last lot releases the 4 that are left.
  #expect(bases == [7, 4, 0])
  #expect(realised == [2, 4, 5])
}

@Test func `a fill through zero closes the old position and opens the new one`() throws {
  var ledger = try emptyBooks()
  let buy = order(1, 10)
  _ = ledger.reserve(buy)
  _ = ledger.apply(report(.filled, buy, 10))
  let sell = order(2, -15, at: 12)
  _ = ledger.reserve(sell)
  _ = ledger.apply(report(.filled, sell, 15))
  let answers = (ledger.position(of: share.id).lots, ledger.realised, ledger.costBasis(of: share.id))
  #expect(answers.0 == -5)
  #expect(answers.1 == Money(units: 20))
  #expect(answers.2 == Money(units: -60))
  // The first fill marked it at 10: the short was sold at 12.
  let unrealised = ledger.unrealised
  #expect(unrealised == Money(units: 10))
}

@Test func `more than was ordered is booked and says so`() throws {
  var ledger = try emptyBooks()
  let buy = order(1, 10)
  _ = ledger.reserve(buy)
  let over = ledger.apply(report(.filled, buy, 12))
  #expect(over == .overfill)
  var answers = (ledger.position(of: share.id).lots, ledger.openBuy(of: share.id).lots, ledger.openOrderCount)
  #expect(answers == (12, 0, 0))
  // The order is over, and another fill of it comes.
  let late = ledger.apply(report(.filled, buy, 1))
  #expect(late == .overfill)
  answers = (ledger.position(of: share.id).lots, ledger.openBuy(of: share.id).lots, ledger.openOrderCount)
  #expect(answers == (13, 0, 0))
  let count = ledger.count(of: .overfill)
  #expect(count == 2)
  let violation = ledger.checkInvariants()
  #expect(violation == nil)
}

@Test func `what cannot be booked is named and changes nothing`() throws {
  var ledger = try emptyBooks(2)
  let buy = order(1, 10)
  _ = ledger.reserve(buy)
  _ = ledger.apply(report(.accepted, buy, leaves: 10))
  var unknown = order(9, 1)
  unknown.instrument = InstrumentID(index: 7)
  var nobody = order(9, 1)
  nobody.account = AccountID(index: 1)
  var nowhere = order(9, 1)
  nowhere.venue = VenueID(index: 2)
  var nothing = order(9, 1)
  nothing.quantity = .zero
  var huge = order(9, 1)
  huge.quantity = Quantity(lots: .max)
  var dear = order(9, 1)
  dear.price = Price(nanos: .min)
  var other = report(.filled, buy, 1)
  other.side = .sell
  let before = ledger.snapshot()
  let outcomes = [
    ledger.reserve(unknown), ledger.reserve(nobody), ledger.reserve(nowhere), ledger.reserve(nothing),
    ledger.reserve(order(0, 1)), ledger.reserve(huge), ledger.reserve(dear), ledger.reserve(buy),
    ledger.apply(report(.filled, order(5, 1), 1)), ledger.apply(report(.rejected, buy, 10)),
    ledger.apply(report(.accepted, buy)), ledger.apply(other), ledger.apply(report(.filled, buy, 0)),
    ledger.apply(report(.filled, buy, -1)), ledger.apply(report(.filled, buy, 1, at: .max)),
    ledger.apply(report(.filled, buy, .max)), ledger.release(unsent: buy.clientOrderID),
    ledger.release(unsent: ClientOrderID(value: 5)), ledger.release(unsent: .none),
  ]
  #expect(
    outcomes == [
      .unknownInstrument, .unknownOwner, .unknownOwner, .invalid, .invalid, .outOfRange, .outOfRange, .duplicate,
      .unknownOrder, .illegalTransition, .illegalTransition, .mismatch, .invalid, .invalid, .outOfRange, .outOfRange,
      .illegalTransition, .unknownOrder, .unknownOrder,
    ])
  let marks = [
    ledger.mark(InstrumentID(index: 7), nanosTwice: 1), ledger.mark(share.id, nanosTwice: 0),
    ledger.mark(share.id, nanosTwice: .min), ledger.mark(share.id, price: Price(nanos: .max)),
  ]
  #expect(marks == [false, false, false, false])
  var after = ledger.snapshot()
  after.outcomeCounts = before.outcomeCounts
  #expect(after == before)
}

@Test func `a full table says so and frees with the next order that ends`() throws {
  var ledger = try emptyBooks(2)
  let outcomes = [ledger.reserve(order(1, 1)), ledger.reserve(order(2, 1)), ledger.reserve(order(3, 1))]
  #expect(outcomes == [.applied, .applied, .full])
  let released = ledger.release(unsent: ClientOrderID(value: 1))
  #expect(released == .applied)
  let again = ledger.reserve(order(3, 1))
  #expect(again == .applied)
}

@Test func `a new day counts from the equity of its start`() throws {
  var ledger = try emptyBooks()
  let buy = order(1, 10)
  _ = ledger.reserve(buy)
  _ = ledger.apply(report(.filled, buy, 10, fee: 1_000_000_000))
  _ = ledger.mark(share.id, price: Price(nanos: 12_000_000_000))
  var day = (ledger.dayProfit, ledger.dayRealised, ledger.dayUnrealised, ledger.dayFees, ledger.dayPeak)
  #expect(day == (Money(units: 19), .zero, Money(units: 20), Money(units: 1), Money(units: 1_019)))
  ledger.startDay()
  _ = ledger.mark(share.id, price: Price(nanos: 11_000_000_000))
  day = (ledger.dayProfit, ledger.dayRealised, ledger.dayUnrealised, ledger.dayFees, ledger.dayPeak)
  #expect(day == (Money(units: -10), .zero, Money(units: -10), .zero, Money(units: 1_019)))
  let fall = ledger.drawdown
  #expect(fall == Money(units: 10))
}

@Test func `a mid of half a billionth is kept exactly`() throws {
  var ledger = try emptyBooks()
  let sell = order(1, -1)
  _ = ledger.reserve(sell)
  _ = ledger.apply(report(.filled, sell, 1, at: 7))
  _ = ledger.mark(share.id, nanosTwice: 9)
  // Sold for 7, now worth 4.5: profit 2.5, rounded down; exposure 4.5, rounded up.
  let answers = (ledger.equityTwice - 2_000_000_000_000, ledger.dayProfit.nanos, ledger.exposureOfFirm().gross.nanos)
  #expect(answers == (5, 2, 5))
}

@Test func `bad shapes are refused at start-up`() {
  let good = LedgerConfiguration(instruments: [share])
  let changes: [(inout LedgerConfiguration) -> Void] = [
    { $0.instruments = [] }, { $0.instruments[0].id = InstrumentID(index: 1) }, { $0.instruments[0].sector = 64 },
    { $0.instruments[0].lotUnits = 0 }, { $0.instruments[0].contractMultiplier = -1 },
    {
      $0.instruments[0].lotUnits = .max
      $0.instruments[0].contractMultiplier = 2
    },
    { $0.venueCount = 65 }, { $0.strategyCount = 0 }, { $0.accountCount = 65 }, { $0.sectorCount = 0 },
    { $0.openOrderCapacity = 3 }, { $0.openOrderCapacity = 0 }, { $0.startingCash = .max },
  ]
  for (index, change) in changes.enumerated() {
    var configuration = good
    change(&configuration)
    #expect(throws: ConfigurationError.self, "change \(index)") {
      _ = try Ledger(configuration: configuration, in: Arena(capacityBytes: 1 << 22))
    }
  }
}

@Test(arguments: Seeds.brief)
func `a restored snapshot goes on like the original`(seed: UInt64) throws {
  var run = LedgerRun(seed: seed)
  var ledger = try Ledger(configuration: run.configuration, in: Arena(capacityBytes: run.configuration.arenaBytes))
  var known: [ChildOrder] = []
  func step(_ ledger: inout Ledger, _ run: inout LedgerRun, _ known: inout [ChildOrder]) -> LedgerOutcome {
    if known.isEmpty || run.random.below(2) == 0 {
      let child = run.child()
      known.append(child)
      return ledger.reserve(child)
    }
    _ = ledger.mark(InstrumentID(index: UInt32(run.random.below(4))), price: run.price())
    return ledger.apply(run.report(known[max(0, known.count - 20) + run.random.below(min(20, known.count))]))
  }
  for _ in 0..<400 { _ = step(&ledger, &run, &known) }
  let snapshot = ledger.snapshot()
  var copy = try Ledger(configuration: run.configuration, in: Arena(capacityBytes: run.configuration.arenaBytes))
  try copy.restore(snapshot)
  var runOfCopy = run
  var knownOfCopy = known
  for _ in 0..<400 {
    let ours = step(&ledger, &run, &known)
    let theirs = step(&copy, &runOfCopy, &knownOfCopy)
    #expect(ours == theirs, "seed \(seed)")
  }
  let ends = (ledger.snapshot(), copy.snapshot())
  #expect(ends.0 == ends.1, "seed \(seed)")
  var twice = false
  do { try copy.restore(snapshot) } catch { twice = true }
  #expect(twice)
}

@Test func `a snapshot that does not add up is refused`() throws {
  var ledger = try emptyBooks()
  let buy = order(1, 10)
  _ = ledger.reserve(buy)
  _ = ledger.apply(report(.filled, buy, 4, leaves: 6))
  let good = ledger.snapshot()
  let changes: [(inout LedgerSnapshot) -> Void] = [
    { $0.totals.cash += Money(nanos: 1) }, { $0.totals.cash = .max }, { $0.totals.positionsHeld = 2 },
    { $0.lines[0].basis += Money(nanos: 1) }, { $0.lines[0].strategyPositions[0].lots = 5 },
    { $0.lines[0].accountPositions = [] }, { $0.lines[0].instrument = .none }, { $0.lines[0].markTwice = .min },
    { $0.lines[0].accountPositions[0].lots = .min }, { $0.openOrders[0].leaves = Quantity(lots: 11) },
    { $0.openOrders.append($0.openOrders[0]) }, { $0.openOrders[0].state = .filled },
    { $0.openOrders[0].venue = VenueID(index: 9) }, { $0.openOrders[0].reservedNanosPerLot = .max },
    { $0.outcomeCounts = [] }, { $0.finishedOrders = [FinishedOrder()] },
  ]
  for (index, change) in changes.enumerated() {
    var bad = good
    change(&bad)
    var restored = try emptyBooks()
    var isRefused = false
    do { try restored.restore(bad) } catch { isRefused = true }
    #expect(isRefused, "change \(index)")
  }
  var restored = try emptyBooks()
  try restored.restore(good)
}

@Test(.enabled(if: countsAllocations))
func `reserving, booking and marking allocate nothing`() throws {
  var ledger = try emptyBooks(64)
  func trade(_ first: UInt64, _ ledger: inout Ledger) {
    for number in first..<(first + 5_000) {
      let child = order(number, number % 2 == 0 ? 3 : -3)
      _ = ledger.reserve(child)
      _ = ledger.apply(report(.accepted, child, leaves: 3))
      _ = ledger.apply(report(.filled, child, 2, leaves: 1))
      _ = ledger.apply(report(.cancelled, child, 1))
      _ = ledger.mark(share.id, nanosTwice: 20_000_000_000 + Int64(number % 7))
    }
  }
  trade(1, &ledger)
  martlet_count_begin()
  trade(10_001, &ledger)
  let counts = martlet_count_end()
  #expect(counts.allocations == 0)
  #expect(counts.retains == 0)
  let violation = ledger.checkInvariants()
  #expect(violation == nil)
}
