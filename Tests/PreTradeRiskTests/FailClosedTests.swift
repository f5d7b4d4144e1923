import PreTradeRisk
import Testing
import TradingTypes

// Goal: what is missing, stale, out of range or never set rejects, and the way out of a position stays open. Method: examples by name.

/// One thing wrong with an order that passes otherwise, and the check that must say so.
struct RefusedCase: CustomTestStringConvertible, Sendable {
  let name: String
  let check: RiskCheck
  let change: @Sendable (inout Scenario) -> Void
  init(_ name: String, _ check: RiskCheck, _ change: @escaping @Sendable (inout Scenario) -> Void) {
    self.name = name
    self.check = check
    self.change = change
  }
  var testDescription: String { name }
}

let refusedCases: [RefusedCase] = [
  RefusedCase("limits that were never set", .orderQuantity) { $0.limits = LimitSet() },
  RefusedCase("permissions that were never set", .permission) { $0.permissions = RiskPermissions() },
  RefusedCase("unknown instrument", .tradable) { $0.intent.instrument = InstrumentID(index: 1) },
  RefusedCase("no instrument", .tradable) { $0.intent.instrument = .none },
  RefusedCase("strategy without permission", .permission) { $0.permissions.strategies = 0b10 },
  RefusedCase("strategy that is not in the books", .permission) { $0.intent.strategy = StrategyID(index: 2) },
  RefusedCase("strategy beyond every mask", .permission) { $0.intent.strategy = StrategyID(index: 64) },
  RefusedCase("account without permission", .permission) { $0.permissions.accounts = 0b10 },
  RefusedCase("account that is not in the books", .permission) { $0.intent.account = AccountID(index: 2) },
  RefusedCase("account beyond every mask", .permission) { $0.intent.account = AccountID(index: .max) },
  RefusedCase("no authorised venue", .permission) { $0.permissions.venues = 0b100 },
  RefusedCase("no connected venue", .permission) { $0.permissions.connectedVenues = 0 },
  RefusedCase("listed nowhere", .permission) { $0.instrument.venueMask = 0 },
  RefusedCase("session logged off", .permission) { $0.permissions.isLoggedOn = false },
  RefusedCase("no sign of life ever", .permission) { $0.permissions.heartbeat = .distantPast },
  RefusedCase("sign of life from the future", .permission) { $0.permissions.heartbeat.nanoseconds += 1 },
  RefusedCase("age limit of the sign of life never set", .permission) { $0.permissions.heartbeatAgeMax = .zero },
  RefusedCase("restricted", .restricted) { $0.instrument.flags.insert(.restricted) },
  RefusedCase("not tradable", .tradable) { $0.instrument.flags.remove(.tradable) },
  RefusedCase("day order where there are none", .tradable) {
    $0.permissions.allowsDayOrders = false
    $0.intent.timeInForce = .day
  },
  RefusedCase("market order where there are none", .tradable) {
    $0.permissions.allowsMarketOrders = false
    $0.makeMarket(worst: 10_001)
  },
  RefusedCase("market order for the day", .tradable) {
    $0.makeMarket(worst: 10_001)
    $0.intent.timeInForce = .day
  },
  RefusedCase("market order that names a price", .tick) {
    $0.makeMarket(worst: 10_001)
    $0.intent.price = Scenario.cents(10_000)
  },
  RefusedCase("market order into a book too thin", .tick) { $0.makeMarket(worst: 0) },
  RefusedCase("market order far through the book", .priceCollar) { $0.makeMarket(worst: 11_001) },
  RefusedCase("price zero", .tick) { $0.intent.price = .zero },
  RefusedCase("price below zero", .tick) { $0.intent.price = Scenario.cents(-10_000) },
  RefusedCase("price at the least integer", .tick) { $0.intent.price = Price(nanos: .min) },
  RefusedCase("price at the largest integer", .tick) { $0.intent.price = Price(nanos: .max) },
  RefusedCase("largest price on the grid", .orderNotional) {
    $0.instrument.ticks = TickTable(Price(nanos: 1))
    $0.intent.price = Price(nanos: .max)
  },
  RefusedCase("quantity below zero", .lot) { $0.intent.quantity = Quantity(lots: -10) },
  RefusedCase("quantity at the least integer", .lot) { $0.intent.quantity = Quantity(lots: .min) },
  RefusedCase("quantity at the largest integer", .lot) { $0.intent.quantity = Quantity(lots: .max) },
  RefusedCase("notional beyond 128 bits", .orderNotional) {
    $0.makeBoundless()
    $0.instrument.contractMultiplier = 1 << 40
    $0.markCents = 100
    $0.intent.quantity = Quantity(lots: .max)
    $0.intent.price = Price(nanos: .max)
  },
  RefusedCase("largest notional of all against no limit at all", .priceCollar) {
    $0.makeBoundless()
    $0.intent.quantity = Quantity(lots: .max)
    $0.intent.price = Price(nanos: .max)
    $0.limits.collarBasisPointsMax = 1
  },
  RefusedCase("worst case beyond 64 bits", .position) {
    $0.makeBoundless()
    $0.fills = [(1, 10_000, 0, 0)]
    $0.intent.quantity = Quantity(lots: .max)
  },
  RefusedCase("unknown daily volume", .orderQuantity) { $0.instrument.averageDailyVolume = .zero },
  RefusedCase("no reference at all", .priceCollar) { $0.inputs.quote = BestQuote() },
  RefusedCase("stale quote and no trade", .priceCollar) { $0.inputs.quote.time.nanoseconds -= 1_000_000_001 },
  RefusedCase("quote from the future", .priceCollar) { $0.inputs.quote.time.nanoseconds += 1 },
  RefusedCase("stale quote and stale trade, although there is a close", .priceCollar) {
    $0.inputs.quote.time.nanoseconds -= 1_000_000_001
    $0.inputs.lastTrade = Scenario.cents(10_000)
    $0.inputs.lastTradeTime = Timestamp(nanoseconds: Scenario.now - 1_000_000_001)
    $0.inputs.priorClose = Scenario.cents(10_000)
  },
  RefusedCase("one-sided quote", .marketData) {
    $0.inputs.quote.ask = .empty
    $0.inputs.priorClose = Scenario.cents(10_000)
  },
  RefusedCase("quote with no size", .marketData) {
    $0.inputs.quote.bid.quantity = .zero
    $0.inputs.priorClose = Scenario.cents(10_000)
  },
  RefusedCase("empty quote", .marketData) {
    $0.inputs.quote = BestQuote()
    $0.inputs.priorClose = Scenario.cents(10_000)
  },
  RefusedCase("crossed quote that claims to be normal", .marketData) {
    $0.inputs.quote = Scenario.quote(10_001, 9_999)
    $0.inputs.quote.state = .normal
    $0.inputs.priorClose = Scenario.cents(10_000)
  },
  RefusedCase("stale book", .marketData) {
    $0.inputs.bookIsStale = true
    $0.inputs.priorClose = Scenario.cents(10_000)
  },
  RefusedCase("gap in the feed", .marketData) {
    $0.inputs.bookHasGap = true
    $0.inputs.priorClose = Scenario.cents(10_000)
  },
  RefusedCase("book from the future", .marketData) { $0.inputs.bookTime.nanoseconds += 1 },
  RefusedCase("book never updated", .marketData) { $0.inputs.bookTime = .distantPast },
  RefusedCase("order quantity limit never set", .orderQuantity) { $0.limits.orderQuantityMax = .zero },
  RefusedCase("volume share limit never set", .orderQuantity) { $0.limits.orderVolumeShareMillionthsMax = 0 },
  RefusedCase("notional limit never set", .orderNotional) { $0.limits.orderNotionalMax = .zero },
  RefusedCase("collar never set, better price", .priceCollar) {
    $0.limits.collarBasisPointsMax = 0
    $0.intent.price = Scenario.cents(9_990)
  },
  RefusedCase("collar in ticks never set, better price", .priceCollar) {
    $0.limits.collarTicksMax = 0
    $0.intent.price = Scenario.cents(9_990)
  },
  RefusedCase("passive bound never set, worse price", .priceCollar) {
    $0.limits.passiveBasisPointsMax = 0
    $0.intent.price = Scenario.cents(10_010)
  },
  RefusedCase("market data age never set", .priceCollar) { $0.limits.marketDataAgeMax = .zero },
  RefusedCase("long limit never set", .position) { $0.limits.longPositionMax = .zero },
  RefusedCase("short limit never set", .position) {
    $0.limits.shortPositionMax = .zero
    $0.intent.side = .sell
  },
  RefusedCase("symbol gross never set", .exposure) { $0.limits.symbolGrossMax = .zero },
  RefusedCase("sector gross never set", .exposure) { $0.limits.sectorGrossMax = .zero },
  RefusedCase("strategy gross never set", .exposure) { $0.limits.strategyGrossMax = .zero },
  RefusedCase("account gross never set", .exposure) { $0.limits.accountGrossMax = .zero },
  RefusedCase("firm gross never set", .exposure) { $0.limits.firmGrossMax = .zero },
  RefusedCase("firm net never set", .exposure) { $0.limits.firmNetMax = .zero },
  RefusedCase("daily loss never set", .dailyLoss) { $0.limits.dailyLossMax = .zero },
  RefusedCase("drawdown never set", .dailyLoss) { $0.limits.drawdownMax = .zero },
  RefusedCase("strategy rate never set", .throttle) { $0.limits.strategyOrdersPerSecond = 0 },
  RefusedCase("strategy burst never set", .throttle) { $0.limits.strategyOrdersBurst = 0 },
  RefusedCase("symbol rate never set", .throttle) { $0.limits.symbolOrdersPerSecond = 0 },
  RefusedCase("symbol burst never set", .throttle) { $0.limits.symbolOrdersBurst = 0 },
  RefusedCase("session rate never set", .throttle) { $0.limits.sessionOrdersPerSecond = 0 },
  RefusedCase("session burst never set", .throttle) { $0.limits.sessionOrdersBurst = 0 },
  RefusedCase("duplicate window never set", .duplicate) { $0.limits.duplicateWindow = .zero },
]

extension Scenario {
  /// A market order whose walk through the book ends at `worst` cents.
  mutating func makeMarket(worst: Int64) {
    intent.type = .market
    intent.price = .zero
    inputs.marketOrderPrice = Scenario.cents(worst)
  }

  /// Limits as wide as their types, and a venue that takes anything.
  mutating func makeBoundless() {
    instrument.ticks = TickTable(Price(nanos: 1))
    instrument.orderQuantityMax = Quantity(lots: .max)
    instrument.averageDailyVolume = Quantity(lots: .max)
    limits.orderQuantityMax = Quantity(lots: .max)
    limits.orderVolumeShareMillionthsMax = .max
    limits.orderNotionalMax = .max
    limits.collarBasisPointsMax = .max
    limits.collarTicksMax = .max
    limits.passiveBasisPointsMax = .max
    limits.longPositionMax = Quantity(lots: .max)
    limits.shortPositionMax = Quantity(lots: .max)
    limits.symbolGrossMax = .max
    limits.sectorGrossMax = .max
    limits.strategyGrossMax = .max
    limits.accountGrossMax = .max
    limits.firmGrossMax = .max
    limits.firmNetMax = .max
    limits.dailyLossMax = .max
    limits.drawdownMax = .max
    limits.strategyOrdersPerSecond = .max
    limits.strategyOrdersBurst = .max
  }
}

@Test(arguments: refusedCases)
func `input that is missing, stale or out of range rejects`(_ row: RefusedCase) {
  var scenario = Scenario()
  row.change(&scenario)
  let verdict = scenario.judge()
  #expect(verdict.check == row.check.rawValue, "limit \(verdict.limit), observed \(verdict.observed)")
}

@Test func `limits as wide as their types pass a normal order and overflow nowhere`() {
  var scenario = Scenario()
  scenario.makeBoundless()
  scenario.limits.marketDataAgeMax.nanoseconds = .max
  scenario.limits.duplicateWindow.nanoseconds = .max
  let normal = scenario.judge()
  #expect(normal.isPass)
  // The largest order that 128 bits can hold passes limits that are not there; the ledger refuses to reserve it.
  scenario.intent.quantity = Quantity(lots: .max)
  scenario.intent.price = Price(nanos: .max)
  let largest = scenario.judge()
  #expect(largest.isPass, "check \(largest.check), \(largest.limit), \(largest.observed)")
}

@Test func `a market order passes at the worst visible price`() {
  var scenario = Scenario()
  scenario.makeMarket(worst: 10_003)
  let verdict = scenario.judge()
  #expect(verdict.isPass)
}

@Test func `a fresh last trade stands in for a quote, a close for both`() {
  // The reference is what the distance is measured from: 110 is within the collar of 105, not of 100.
  var scenario = Scenario()
  scenario.limits.collarBasisPointsMax = 500
  scenario.limits.collarTicksMax = 10_000
  scenario.intent.price = Scenario.cents(11_000)
  scenario.inputs.quote.time.nanoseconds -= 1_000_000_001
  scenario.inputs.lastTrade = Scenario.cents(10_500)
  scenario.inputs.lastTradeTime = scenario.inputs.now
  scenario.inputs.priorClose = Scenario.cents(10_000)
  let byTrade = scenario.judge()
  #expect(byTrade.isPass)
  scenario.inputs.lastTrade = .zero
  let byClose = scenario.judge()
  #expect(byClose.check == RiskCheck.priceCollar.rawValue)
  #expect(byClose.limit == 500 * cent)
  #expect(byClose.observed == 1_000 * cent)
  scenario.inputs.priorClose = Scenario.cents(10_500)
  let byNearClose = scenario.judge()
  #expect(byNearClose.isPass)
}
