import LockFreeRings
import PortfolioLedger
import TradingTypes

@testable import PreTradeRisk

/// Seeded random orders in random situations, judged by the gate and by its slow twin side by side.
struct GateRun {
  var random: SplitMix64
  let seed: UInt64
  var now: Int64 = 1_000_000_000_000
  var nextNumber: UInt64 = 1
  var instruments: [Instrument] = []
  var limits = Scenario.generousLimits
  var permissions: RiskPermissions
  var portfolio = SlowPortfolio()
  /// Open orders as the twin sees them, with what the ledger needs to fill them.
  var children: [ChildOrder] = []
  var cash: Int128
  var lastPassed: OrderIntent?
  static let bases: [Int64] = [100_000_000_000, 20_000_000_000, 1_000_000_000]
  static let duplicateCapacity = 32

  init(seed: UInt64) {
    self.seed = seed
    random = SplitMix64(seed: seed)
    let start = Money(units: 1_000_000)
    cash = start.nanos
    permissions = RiskPermissions.everything(
      venueCount: 3, heartbeat: Timestamp(nanoseconds: now), heartbeatAgeMax: .seconds(1))
    portfolio.marksTwice = [0, 0, 0]
    portfolio.dayStartTwice = 2 * cash
    portfolio.peakTwice = 2 * cash
    portfolio.equityTwice = 2 * cash
    for index in 0..<3 {
      var instrument = Scenario().instrument
      instrument.id = InstrumentID(index: UInt32(index))
      instrument.sector = UInt16(index / 2)
      instrument.venueMask = UInt64(random.below(7) + 1)
      instrument.averageDailyVolume = Quantity(lots: Int64(pick([100_000, 1_000, 10_000_000])))
      if index == 1 {
        instrument.contractMultiplier = 50
        instrument.flags = .tradable
        instrument.roundLot = Quantity(lots: 10)
      }
      if random.below(20) == 0 { instrument.flags.insert(.restricted) }
      if random.below(20) == 0 { instrument.flags.remove(.tradable) }
      instruments.append(instrument)
    }
    if random.below(30) == 0 { permissions.accounts = 0b1 }
    if random.below(30) == 0 { permissions.strategies = 0b10 }
    if random.below(30) == 0 { permissions.connectedVenues = 0b110 }
    if random.below(30) == 0 { permissions.allowsMarketOrders = false }
    if random.below(30) == 0 { permissions.allowsDayOrders = false }
    limits = tightened(limits)
  }

  mutating func pick(_ values: [Int]) -> Int { values[random.below(values.count)] }

  /// Some limits so tight that they matter, now and then one that was never set.
  mutating func tightened(_ base: LimitSet) -> LimitSet {
    var limits = base
    func value(_ tight: Int, _ loose: Int64, _ random: inout SplitMix64) -> Int64 {
      switch random.below(40) {
      case 0: 0
      case 1...10: Int64(random.below(tight) + 1)
      default: loose
      }
    }
    func money(_ tight: Int, _ random: inout SplitMix64) -> Money {
      Money(nanos: Int128(value(tight, 1_000_000_000, &random)) * 1_000_000_000 + Int128(random.below(2)))
    }
    limits.orderQuantityMax = Quantity(lots: value(100, 1_000_000, &random))
    limits.orderVolumeShareMillionthsMax = value(5_000, 1_000_000, &random)
    limits.orderNotionalMax = money(10_000, &random)
    limits.collarBasisPointsMax = value(30, 1_000, &random)
    limits.collarTicksMax = value(20, 10_000, &random)
    limits.passiveBasisPointsMax = value(30, 1_000, &random)
    limits.longPositionMax = Quantity(lots: value(200, 1_000_000, &random))
    limits.shortPositionMax = Quantity(lots: value(200, 1_000_000, &random))
    limits.symbolGrossMax = money(100_000, &random)
    limits.sectorGrossMax = money(200_000, &random)
    limits.strategyGrossMax = money(200_000, &random)
    limits.accountGrossMax = money(200_000, &random)
    limits.firmGrossMax = money(300_000, &random)
    limits.firmNetMax = money(100_000, &random)
    limits.dailyLossMax = money(2_000, &random)
    limits.drawdownMax = money(2_000, &random)
    limits.strategyOrdersPerSecond = value(100, 1_000, &random)
    limits.strategyOrdersBurst = value(5, 1_000, &random)
    limits.symbolOrdersPerSecond = value(100, 1_000, &random)
    limits.symbolOrdersBurst = value(5, 1_000, &random)
    limits.sessionOrdersPerSecond = value(100, 1_000, &random)
    limits.sessionOrdersBurst = value(5, 1_000, &random)
    limits.duplicateWindow.nanoseconds = Int64(pick([10_000_000, 100_000_000, 1_000_000_000]))
    return limits
  }

  mutating func intent() -> OrderIntent {
    let instrument = random.below(50) == 0 ? 3 : random.below(3)
    let tick: Int64 = instrument == 2 && random.below(2) == 0 ? 100_000 : 10_000_000
    var price = Self.bases[min(instrument, 2)] + Int64(random.below(41) - 20) * tick
    var lots = instrument == 1 ? Int64(random.below(6)) * 10 : Int64(random.below(60))
    let isMarket = random.below(10) == 0
    if isMarket { price = 0 }
    switch random.below(60) {
    case 0: price = Int64(bitPattern: random.next())
    case 1: price = pick([0, 1]) == 0 ? .max : .min
    case 2: price += 1
    case 3: price = Self.bases[min(instrument, 2)] / 10 * Int64(random.below(20))
    case 4: lots = Int64(bitPattern: random.next())
    case 5: lots = pick([0, 1]) == 0 ? .max : .min
    case 6: lots = 1 << Int64(random.below(40))
    default: break
    }
    if let last = lastPassed, random.below(12) == 0 {
      // The same order again under a new number.
      var again = last
      again.clientOrderID.value = nextNumber
      again.causeSequence = nextNumber
      nextNumber += 1
      return again
    }
    var number = nextNumber
    if random.below(30) == 0 { number = UInt64(random.below(Int(nextNumber) + 1)) } else { nextNumber += 1 }
    return OrderIntent(
      clientOrderID: ClientOrderID(value: number), causeSequence: number, time: Timestamp(nanoseconds: now),
      instrument: InstrumentID(index: UInt32(instrument)),
      strategy: StrategyID(index: UInt16(random.below(100) == 0 ? pick([2, 64, 65_535]) : random.below(2))),
      account: AccountID(index: UInt16(random.below(100) == 0 ? pick([2, 64, 65_535]) : random.below(2))),
      side: random.below(2) == 0 ? .buy : .sell, price: Price(nanos: price), quantity: Quantity(lots: lots),
      type: isMarket ? .market : .limit, timeInForce: random.below(5) == 0 ? .day : .immediateOrCancel,
      isExit: random.below(4) == 0)
  }

  /// A time that is mostly a little ago, sometimes at the edge of what may be used.
  mutating func age() -> Timestamp {
    let back: Int64
    switch random.below(100) {
    case 0: back = 1_000_000_000
    case 1: back = 1_000_000_001
    case 2: back = -1
    default: back = Int64(random.below(1_000_000))
    }
    return Timestamp(nanoseconds: now - back)
  }

  mutating func inputs(_ intent: OrderIntent) -> RiskInputs {
    let base = Self.bases[min(Int(intent.instrument.index), 2)]
    let cent: Int64 = 10_000_000
    var quote = BestQuote()
    let bid = base - Int64(random.below(4)) * cent
    let ask = random.below(30) == 0 ? bid - Int64(random.below(3)) * cent : bid + Int64(random.below(4)) * cent
    quote.bid = DepthLevel(price: Price(nanos: bid), quantity: Quantity(lots: random.below(120) == 0 ? 0 : 100))
    quote.ask = DepthLevel(price: Price(nanos: ask), quantity: Quantity(lots: 100))
    if random.below(120) == 0 { quote.ask = .empty }
    if random.below(120) == 0 { quote.bid = .empty }
    quote.time = age()
    var kill = KillState()
    if random.below(12) == 0 { kill.level = random.below(2) == 0 ? .reducing : .halted }
    if random.below(12) == 0 { kill.venuesReducing = UInt64(random.below(8)) }
    if random.below(12) == 0 { kill.venuesHalted = UInt64(random.below(8)) }
    var inputs = RiskInputs(
      now: Timestamp(nanoseconds: now), kill: kill, quote: quote, bookTime: age(),
      bookIsStale: random.below(120) == 0, bookHasGap: random.below(120) == 0)
    if random.below(2) == 0 {
      inputs.lastTrade = Price(nanos: base + Int64(random.below(5) - 2) * cent)
      inputs.lastTradeTime = age()
    }
    if random.below(2) == 0 { inputs.priorClose = Price(nanos: base) }
    if intent.type == .market, random.below(10) != 0 {
      inputs.marketOrderPrice = Price(nanos: base + Int64(random.below(5) - 2) * cent)
    }
    return inputs
  }

  // MARK: - What happens between the orders

  mutating func revalue() {
    var equity = 2 * cash
    for position in portfolio.positions {
      equity +=
        position.lots * portfolio.marksTwice[position.instrument]
        * Int128(instruments[position.instrument].notionalMultiplier)
    }
    portfolio.equityTwice = equity
    portfolio.peakTwice = max(portfolio.peakTwice, equity)
  }

  mutating func mark(_ ledger: inout Ledger) {
    let instrument = random.below(3)
    let twice = 2 * Self.bases[instrument] + Int64(random.below(40_000_001)) - 20_000_000
    precondition(ledger.mark(InstrumentID(index: UInt32(instrument)), nanosTwice: twice))
    portfolio.marksTwice[instrument] = Int128(twice)
    revalue()
  }

  /// Reserves what passed, if the ledger can hold it.
  mutating func send(_ intent: OrderIntent, _ inputs: RiskInputs, _ ledger: inout Ledger) {
    lastPassed = intent
    let price = intent.type == .market ? inputs.marketOrderPrice : intent.price
    let child = ChildOrder(
      part: intent, clientOrderID: ClientOrderID(value: UInt64(intent.causeSequence) + 1_000_000),
      venue: VenueID(index: 0), price: price, quantity: intent.quantity, isSweep: false)
    guard ledger.reserve(child) == .applied else { return }
    children.append(child)
    portfolio.orders.append(
      SlowPortfolio.Order(
        instrument: Int(intent.instrument.index), strategy: Int(intent.strategy.index),
        account: Int(intent.account.index), isBuy: intent.side == .buy, lots: Int128(intent.quantity.lots),
        price: Int128(price.nanos)))
  }

  /// Fills or cancels an open order.
  mutating func report(_ ledger: inout Ledger) {
    guard !children.isEmpty else { return }
    let index = random.below(children.count)
    let child = children[index]
    let open = portfolio.orders[index]
    let isFill = random.below(4) != 0
    let lots = isFill ? Int64(random.below(Int(open.lots))) + 1 : Int64(open.lots)
    let left = Quantity(lots: Int64(open.lots) - lots)
    let price = Price(nanos: child.price.nanos + Int64(random.below(3) - 1) * 10_000_000)
    let fee: Int64 = Int64(random.below(1_000_000))
    let report = ExecutionReport(
      isFill ? .filled : .cancelled, of: child, time: child.time, price: price, quantity: Quantity(lots: lots),
      leaves: left, feeNanos: fee)
    guard ledger.apply(report) == .applied else { return }
    portfolio.orders[index].lots -= Int128(lots)
    if portfolio.orders[index].lots == 0 {
      portfolio.orders.remove(at: index)
      children.remove(at: index)
    }
    guard isFill else { return }
    let signed = open.isBuy ? Int128(lots) : -Int128(lots)
    let multiplier = Int128(instruments[open.instrument].notionalMultiplier)
    cash -= signed * Int128(price.nanos) * multiplier + Int128(fee)
    if let place = portfolio.positions.firstIndex(where: {
      $0.instrument == open.instrument && $0.strategy == open.strategy && $0.account == open.account
    }) {
      portfolio.positions[place].lots += signed
    } else {
      portfolio.positions.append(
        SlowPortfolio.Position(
          instrument: open.instrument, strategy: open.strategy, account: open.account, lots: signed))
    }
    revalue()
  }
}

/// What the runs saw: verdicts by check number.
struct RunCounts {
  var verdicts = [Int](repeating: 0, count: 36)
}

/// Judges `count` orders on both sides; the first disagreement.
func runGate(
  seed: UInt64, count: Int, counts: inout RunCounts, plant: (SlowGate) -> Void = { _ in }
) -> String? {
  var run = GateRun(seed: seed)
  let arena = Arena(capacityBytes: 1 << 21)
  guard
    var ledger = try? Ledger(
      configuration: LedgerConfiguration(
        instruments: run.instruments, venueCount: 3, openOrderCapacity: 16, sectorCount: 2, strategyCount: 2,
        accountCount: 2, startingCash: Money(units: 1_000_000)), in: arena),
    var gate = try? RiskGate(
      configuration: RiskGateConfiguration(
        instruments: run.instruments, venueCount: 3, limits: run.limits, permissions: run.permissions,
        duplicateCapacity: GateRun.duplicateCapacity, overrideCapacity: 1), in: arena)
  else { return "not configured" }
  let twin = SlowGate(
    instruments: run.instruments, limits: run.limits, permissions: run.permissions, strategyCount: 2, accountCount: 2,
    duplicateCapacity: GateRun.duplicateCapacity)
  plant(twin)
  if run.random.below(3) == 0 {
    let own = run.tightened(run.limits)
    guard gate.setLimits(own, for: InstrumentID(index: 1)) else { return "no room for own limits" }
    twin.ownLimits[1] = own
  }
  for instrument in 0..<3 {
    let twice = 2 * GateRun.bases[instrument]
    guard ledger.mark(InstrumentID(index: UInt32(instrument)), nanosTwice: twice) else { return "not marked" }
    run.portfolio.marksTwice[instrument] = Int128(twice)
  }
  for step in 0..<count {
    run.now += Int64(run.random.below(run.random.below(20) == 0 ? 2_000_000_000 : 20_000_000))
    let heartbeat = Timestamp(nanoseconds: run.age().nanoseconds)
    gate.permissions.heartbeat = heartbeat
    twin.permissions.heartbeat = heartbeat
    let intent = run.intent()
    let inputs = run.inputs(intent)
    let dry = gate.evaluate(intent, inputs, ledger)
    let ours = gate.check(intent, inputs, ledger)
    let theirs = twin.check(intent, inputs, run.portfolio)
    if ours.check != theirs.check || ours.limit != theirs.limit || ours.observed != theirs.observed {
      return "seed \(seed), order \(step): \(ours), twin \(theirs)"
    }
    if dry.check != ours.check { return "seed \(seed), order \(step): \(ours), without trace \(dry)" }
    counts.verdicts[Int(ours.check)] += 1
    if ours.isPass { run.send(intent, inputs, &ledger) }
    while run.random.below(3) == 0 { run.report(&ledger) }
    if run.random.below(4) == 0 { run.mark(&ledger) }
  }
  return ledger.checkInvariants().map { "seed \(seed): \($0)" }
}
