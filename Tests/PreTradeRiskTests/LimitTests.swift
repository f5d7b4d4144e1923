import PreTradeRisk
import Testing
import TradingTypes

// Goal: each check permits its limit exactly and nothing beyond, and says so in code, limit and observed value. Method: a table; a row
// changes one thing of an order that passes, once to the limit, once one unit beyond.

/// One row: what to change for the limit and for one beyond it, and what the gate must answer to the second.
struct LimitCase: CustomTestStringConvertible, Sendable {
  let name: String
  let check: RiskCheck
  let limit: Int128
  let observed: Int128
  let atLimit: @Sendable (inout Scenario) -> Void
  let beyond: @Sendable (inout Scenario) -> Void
  var testDescription: String { name }
}

let cent: Int128 = 10_000_000
let unit: Int128 = 1_000_000_000
let second: Int128 = 1_000_000_000

let limitCases: [LimitCase] = [
  LimitCase(name: "heartbeat age", check: .permission, limit: second, observed: second + 1) {
    $0.permissions.heartbeat.nanoseconds -= 1_000_000_000
  } beyond: {
    $0.permissions.heartbeat.nanoseconds -= 1_000_000_001
  },
  LimitCase(name: "tick", check: .tick, limit: cent, observed: 100 * unit + 1) {
    $0.intent.price = Price(nanos: 100_010_000_000)
  } beyond: {
    $0.intent.price = Price(nanos: 100_000_000_001)
  },
  LimitCase(name: "tick below a dollar", check: .tick, limit: 100_000, observed: 999_950_000) {
    $0.inputs.quote = Scenario.quote(99, 101)
    $0.intent.price = Price(nanos: 999_900_000)
  } beyond: {
    $0.inputs.quote = Scenario.quote(99, 101)
    $0.intent.price = Price(nanos: 999_950_000)
  },
  LimitCase(name: "least quantity", check: .lot, limit: 10, observed: 9) {
    $0.instrument.orderQuantityMin = Quantity(lots: 10)
  } beyond: {
    $0.instrument.orderQuantityMin = Quantity(lots: 10)
    $0.intent.quantity = Quantity(lots: 9)
  },
  LimitCase(name: "one lot at least, whatever the terms say", check: .lot, limit: 1, observed: 0) {
    $0.instrument.orderQuantityMin = .zero
    $0.intent.quantity = Quantity(lots: 1)
  } beyond: {
    $0.instrument.orderQuantityMin = .zero
    $0.intent.quantity = .zero
  },
  LimitCase(name: "most quantity of the venue", check: .lot, limit: 10, observed: 11) {
    $0.instrument.orderQuantityMax = Quantity(lots: 10)
  } beyond: {
    $0.instrument.orderQuantityMax = Quantity(lots: 10)
    $0.intent.quantity = Quantity(lots: 11)
  },
  LimitCase(name: "odd lot", check: .lot, limit: 100, observed: 201) {
    $0.instrument.flags = .tradable
    $0.intent.quantity = Quantity(lots: 200)
  } beyond: {
    $0.instrument.flags = .tradable
    $0.intent.quantity = Quantity(lots: 201)
  },
  LimitCase(name: "number rises", check: .identity, limit: 7, observed: 7) {
    $0.before = [Scenario.order(number: 7, lots: 1)]
    $0.intent.clientOrderID = ClientOrderID(value: 8)
  } beyond: {
    $0.before = [Scenario.order(number: 7, lots: 1)]
    $0.intent.clientOrderID = ClientOrderID(value: 7)
  },
  LimitCase(name: "order has a number", check: .identity, limit: 0, observed: 0) {
    $0.intent.clientOrderID = ClientOrderID(value: 1)
  } beyond: {
    $0.intent.clientOrderID = .none
  },
  LimitCase(name: "order quantity", check: .orderQuantity, limit: 10, observed: 11) {
    $0.limits.orderQuantityMax = Quantity(lots: 10)
  } beyond: {
    $0.limits.orderQuantityMax = Quantity(lots: 10)
    $0.intent.quantity = Quantity(lots: 11)
  },
  LimitCase(name: "share of daily volume", check: .orderQuantity, limit: 10, observed: 11) {
    // 1 % of 1,099 lots is 10.99.
    $0.instrument.averageDailyVolume = Quantity(lots: 1_099)
    $0.limits.orderVolumeShareMillionthsMax = 10_000
  } beyond: {
    $0.instrument.averageDailyVolume = Quantity(lots: 1_099)
    $0.limits.orderVolumeShareMillionthsMax = 10_000
    $0.intent.quantity = Quantity(lots: 11)
  },
  LimitCase(name: "order notional", check: .orderNotional, limit: 1_000 * unit - 1, observed: 1_000 * unit) {
    $0.limits.orderNotionalMax = Money(units: 1_000)
  } beyond: {
    $0.limits.orderNotionalMax = Money(nanos: 1_000 * unit - 1)
  },
  LimitCase(name: "notional with a multiplier", check: .orderNotional, limit: 50_000 * unit, observed: 55_000 * unit) {
    $0.instrument.contractMultiplier = 50
    $0.limits.orderNotionalMax = Money(units: 50_000)
  } beyond: {
    $0.instrument.contractMultiplier = 50
    $0.limits.orderNotionalMax = Money(units: 50_000)
    $0.intent.quantity = Quantity(lots: 11)
  },
  LimitCase(name: "collar of a buy, basis points", check: .priceCollar, limit: 10 * cent, observed: 11 * cent) {
    $0.limits.collarBasisPointsMax = 10
    $0.intent.price = Scenario.cents(10_010)
  } beyond: {
    $0.limits.collarBasisPointsMax = 10
    $0.intent.price = Scenario.cents(10_011)
  },
  LimitCase(name: "collar of a sell, basis points", check: .priceCollar, limit: 10 * cent, observed: 11 * cent) {
    $0.limits.collarBasisPointsMax = 10
    $0.intent = Scenario.order(side: .sell, cents: 9_990)
  } beyond: {
    $0.limits.collarBasisPointsMax = 10
    $0.intent = Scenario.order(side: .sell, cents: 9_989)
  },
  // The mid is 100.005: ten basis points are 0.100005, the limit rounds down and the distance up.
  LimitCase(name: "collar round a half cent", check: .priceCollar, limit: 100_005_000, observed: 105_000_000) {
    $0.inputs.quote = Scenario.quote(9_999, 10_002)
    $0.limits.collarBasisPointsMax = 10
    $0.intent.price = Scenario.cents(10_010)
  } beyond: {
    $0.inputs.quote = Scenario.quote(9_999, 10_002)
    $0.limits.collarBasisPointsMax = 10
    $0.intent.price = Scenario.cents(10_011)
  },
  LimitCase(name: "collar in ticks", check: .priceCollar, limit: 5 * cent, observed: 6 * cent) {
    $0.limits.collarTicksMax = 5
    $0.intent.price = Scenario.cents(10_005)
  } beyond: {
    $0.limits.collarTicksMax = 5
    $0.intent.price = Scenario.cents(10_006)
  },
  LimitCase(name: "far passive buy", check: .priceCollar, limit: 10 * cent, observed: 11 * cent) {
    $0.limits.passiveBasisPointsMax = 10
    $0.intent.price = Scenario.cents(9_990)
  } beyond: {
    $0.limits.passiveBasisPointsMax = 10
    $0.intent.price = Scenario.cents(9_989)
  },
  LimitCase(name: "far passive sell", check: .priceCollar, limit: 10 * cent, observed: 11 * cent) {
    $0.limits.passiveBasisPointsMax = 10
    $0.intent = Scenario.order(side: .sell, cents: 10_010)
  } beyond: {
    $0.limits.passiveBasisPointsMax = 10
    $0.intent = Scenario.order(side: .sell, cents: 10_011)
  },
  LimitCase(name: "age of the book", check: .marketData, limit: second, observed: second + 1) {
    $0.inputs.bookTime.nanoseconds -= 1_000_000_000
  } beyond: {
    $0.inputs.bookTime.nanoseconds -= 1_000_000_001
  },
  LimitCase(name: "crossed quote", check: .marketData, limit: 0, observed: cent) {
    $0.inputs.quote = Scenario.quote(10_000, 10_000)
  } beyond: {
    $0.inputs.quote = Scenario.quote(10_001, 10_000)
    $0.inputs.lastTrade = Scenario.cents(10_000)
    $0.inputs.lastTradeTime = $0.inputs.now
  },
]

let positionCases: [LimitCase] = [
  LimitCase(name: "long position with open buys", check: .position, limit: 35, observed: 36) {
    $0.fills = [(20, 10_000, 0, 0)]
    $0.open = [(5, 10_000, 0, 0), (-3, 10_000, 0, 0)]
    $0.limits.longPositionMax = Quantity(lots: 35)
  } beyond: {
    $0.fills = [(20, 10_000, 0, 0)]
    $0.open = [(6, 10_000, 0, 0), (-3, 10_000, 0, 0)]
    $0.limits.longPositionMax = Quantity(lots: 35)
  },
  LimitCase(name: "short position with open sells", check: .position, limit: 35, observed: 36) {
    $0.fills = [(-20, 10_000, 0, 0)]
    $0.open = [(-5, 10_000, 0, 0), (3, 10_000, 0, 0)]
    $0.limits.shortPositionMax = Quantity(lots: 35)
    $0.intent.side = .sell
  } beyond: {
    $0.fills = [(-20, 10_000, 0, 0)]
    $0.open = [(-6, 10_000, 0, 0), (3, 10_000, 0, 0)]
    $0.limits.shortPositionMax = Quantity(lots: 35)
    $0.intent.side = .sell
  },
  LimitCase(name: "long only", check: .position, limit: 0, observed: 1) {
    $0.fills = [(10, 10_000, 0, 0)]
    $0.limits.shortPositionMax = .zero
    $0.intent.side = .sell
  } beyond: {
    $0.fills = [(9, 10_000, 0, 0)]
    $0.limits.shortPositionMax = .zero
    $0.intent.side = .sell
  },
  LimitCase(name: "gross of the symbol", check: .exposure, limit: 3_600 * unit - 1, observed: 3_600 * unit) {
    // 20 held, 5 and 1 open at 100, 10 ordered: 36 × 100.
    $0.fills = [(20, 10_000, 0, 0)]
    $0.open = [(5, 10_000, 0, 0), (-1, 10_000, 0, 0)]
    $0.limits.symbolGrossMax = Money(units: 3_600)
  } beyond: {
    $0.fills = [(20, 10_000, 0, 0)]
    $0.open = [(5, 10_000, 0, 0), (-1, 10_000, 0, 0)]
    $0.limits.symbolGrossMax = Money(nanos: 3_600 * unit - 1)
  },
  LimitCase(name: "gross of the sector", check: .exposure, limit: 3_000 * unit - 1, observed: 3_000 * unit) {
    $0.fills = [(-20, 10_000, 0, 0)]
    $0.intent.side = .sell
    $0.limits.sectorGrossMax = Money(units: 3_000)
  } beyond: {
    $0.fills = [(-20, 10_000, 0, 0)]
    $0.intent.side = .sell
    $0.limits.sectorGrossMax = Money(nanos: 3_000 * unit - 1)
  },
  LimitCase(name: "gross of the strategy", check: .exposure, limit: 2_000 * unit - 1, observed: 2_000 * unit) {
    // The other strategy's 20 do not count.
    $0.fills = [(20, 10_000, 1, 0), (10, 10_000, 0, 0)]
    $0.limits.strategyGrossMax = Money(units: 2_000)
  } beyond: {
    $0.fills = [(20, 10_000, 1, 0), (10, 10_000, 0, 0)]
    $0.limits.strategyGrossMax = Money(nanos: 2_000 * unit - 1)
  },
  LimitCase(name: "gross of the account", check: .exposure, limit: 2_000 * unit - 1, observed: 2_000 * unit) {
    $0.fills = [(20, 10_000, 0, 1), (10, 10_000, 0, 0)]
    $0.limits.accountGrossMax = Money(units: 2_000)
  } beyond: {
    $0.fills = [(20, 10_000, 0, 1), (10, 10_000, 0, 0)]
    $0.limits.accountGrossMax = Money(nanos: 2_000 * unit - 1)
  },
  LimitCase(name: "gross of the firm", check: .exposure, limit: 4_000 * unit - 1, observed: 4_000 * unit) {
    // Opposite positions of two accounts do not hide each other.
    $0.fills = [(-20, 10_000, 0, 1), (10, 10_000, 0, 0)]
    $0.limits.firmGrossMax = Money(units: 4_000)
  } beyond: {
    $0.fills = [(-20, 10_000, 0, 1), (10, 10_000, 0, 0)]
    $0.limits.firmGrossMax = Money(nanos: 4_000 * unit - 1)
  },
  LimitCase(name: "net of the firm, long", check: .exposure, limit: 1_500 * unit - 1, observed: 1_500 * unit) {
    $0.fills = [(20, 10_000, 0, 1), (-20, 10_000, 0, 0)]
    $0.open = [(5, 10_000, 1, 1), (-7, 10_000, 1, 1)]
    $0.limits.firmNetMax = Money(units: 1_500)
  } beyond: {
    $0.fills = [(20, 10_000, 0, 1), (-20, 10_000, 0, 0)]
    $0.open = [(5, 10_000, 1, 1), (-7, 10_000, 1, 1)]
    $0.limits.firmNetMax = Money(nanos: 1_500 * unit - 1)
  },
  LimitCase(name: "net of the firm, short", check: .exposure, limit: 1_700 * unit - 1, observed: 1_700 * unit) {
    $0.open = [(5, 10_000, 1, 1), (-7, 10_000, 1, 1)]
    $0.intent.side = .sell
    $0.limits.firmNetMax = Money(units: 1_700)
  } beyond: {
    $0.open = [(5, 10_000, 1, 1), (-7, 10_000, 1, 1)]
    $0.intent.side = .sell
    $0.limits.firmNetMax = Money(nanos: 1_700 * unit - 1)
  },
  LimitCase(name: "daily loss", check: .dailyLoss, limit: 200 * unit - 1, observed: 200 * unit) {
    $0.fills = [(20, 11_000, 0, 0)]
    $0.limits.dailyLossMax = Money(units: 200)
  } beyond: {
    $0.fills = [(20, 11_000, 0, 0)]
    $0.limits.dailyLossMax = Money(nanos: 200 * unit - 1)
  },
  LimitCase(name: "fall from the day's peak", check: .dailyLoss, limit: 100 * unit - 1, observed: 100 * unit) {
    // Bought at 90 and half sold at 115: 250 above the start. The other half, now at 80, costs 100 of it.
    $0.fills = [(20, 9_000, 0, 0), (-10, 11_500, 0, 0)]
    $0.markCents = 8_000
    $0.limits.drawdownMax = Money(units: 100)
    $0.limits.dailyLossMax = Money(nanos: 1)
  } beyond: {
    $0.fills = [(20, 9_000, 0, 0), (-10, 11_500, 0, 0)]
    $0.markCents = 8_000
    $0.limits.drawdownMax = Money(nanos: 100 * unit - 1)
    $0.limits.dailyLossMax = Money(nanos: 1)
  },
]

let rateCases: [LimitCase] = [
  LimitCase(name: "burst of the strategy", check: .throttle, limit: 2, observed: 3) {
    $0.limits.strategyOrdersBurst = 2
    $0.before = [Scenario.order(number: 1, lots: 1)]
  } beyond: {
    $0.limits.strategyOrdersBurst = 2
    $0.before = [Scenario.order(number: 1, lots: 1), Scenario.order(number: 2, lots: 2)]
  },
  LimitCase(name: "burst of the symbol", check: .throttle, limit: 2, observed: 3) {
    $0.limits.symbolOrdersBurst = 2
    $0.before = [Scenario.order(number: 1, lots: 1)]
  } beyond: {
    $0.limits.symbolOrdersBurst = 2
    $0.before = [Scenario.order(number: 1, lots: 1), Scenario.order(number: 2, lots: 2)]
  },
  LimitCase(name: "burst of the session", check: .throttle, limit: 2, observed: 3) {
    $0.limits.sessionOrdersBurst = 2
    $0.before = [Scenario.order(number: 1, lots: 1)]
  } beyond: {
    $0.limits.sessionOrdersBurst = 2
    $0.before = [Scenario.order(number: 1, lots: 1), Scenario.order(number: 2, lots: 2)]
  },
  LimitCase(name: "refill to the nanosecond", check: .throttle, limit: 1, observed: 2) {
    // Three a second: a message comes back after 333,333,333.3… ns.
    $0.limits.sessionOrdersBurst = 1
    $0.limits.sessionOrdersPerSecond = 3
    $0.before = [Scenario.order(number: 1, lots: 1, at: Scenario.now - 333_333_334)]
  } beyond: {
    $0.limits.sessionOrdersBurst = 1
    $0.limits.sessionOrdersPerSecond = 3
    $0.before = [Scenario.order(number: 1, lots: 1, at: Scenario.now - 333_333_333)]
  },
  LimitCase(name: "duplicate window", check: .duplicate, limit: second, observed: second - 1) {
    $0.before = [Scenario.order(number: 1, at: Scenario.now - 1_000_000_000)]
  } beyond: {
    $0.before = [Scenario.order(number: 1, at: Scenario.now - 999_999_999)]
  },
  LimitCase(name: "room for remembered orders", check: .duplicate, limit: 4, observed: 5) {
    $0.duplicateCapacity = 4
    $0.before = (1...4).map {
      Scenario.order(number: $0, lots: Int64($0), at: Scenario.now - ($0 == 1 ? 1_000_000_000 : 5))
    }
  } beyond: {
    $0.duplicateCapacity = 4
    $0.before = (1...4).map {
      Scenario.order(number: $0, lots: Int64($0), at: Scenario.now - ($0 == 1 ? 999_999_999 : 5))
    }
  },
]

@Test func `the order that nothing was changed of passes`() {
  let verdict = Scenario().judge()
  #expect(verdict.isPass, "\(verdict)")
}

@Test(arguments: limitCases + positionCases + rateCases)
func `a check permits its limit and nothing beyond`(_ row: LimitCase) {
  var scenario = Scenario()
  row.atLimit(&scenario)
  let permitted = scenario.judge()
  #expect(permitted.isPass, "at the limit: check \(permitted.check), \(permitted.limit), \(permitted.observed)")
  scenario = Scenario()
  row.beyond(&scenario)
  let refused = scenario.judge()
  #expect(refused.check == row.check.rawValue)
  #expect(refused.limit == row.limit)
  #expect(refused.observed == row.observed)
}

@Test func `own limits of an instrument replace the common ones`() {
  var scenario = Scenario()
  scenario.ownLimits = scenario.limits
  scenario.ownLimits?.orderQuantityMax = Quantity(lots: 9)
  let verdict = scenario.judge()
  #expect(verdict.check == RiskCheck.orderQuantity.rawValue)
  #expect(verdict.limit == 9)
}
