import LockFreeRings
import PortfolioLedger
import TradingTypes

@testable import PreTradeRisk

/// One order in one situation, as plain values: everything is in order until a test changes one thing.
struct Scenario {
  /// 100.00 is the mid, a lot is a share.
  var instrument = Instrument(
    id: InstrumentID(index: 0), symbol: Symbol("MART")!, averageDailyVolume: Quantity(lots: 1_000_000),
    venueMask: 0b11)
  var limits = Scenario.generousLimits
  var permissions = RiskPermissions.everything(
    venueCount: 2, heartbeat: Timestamp(nanoseconds: Scenario.now), heartbeatAgeMax: .seconds(1))
  var inputs = RiskInputs(
    now: Timestamp(nanoseconds: Scenario.now), kill: KillState(), quote: Scenario.quote(9_999, 10_001),
    bookTime: Timestamp(nanoseconds: Scenario.now))
  var intent = Scenario.order()
  /// Fills before the order: signed lots at a price in cents, and whose.
  var fills: [(lots: Int64, cents: Int64, strategy: UInt16, account: UInt16)] = []
  /// Open orders: signed lots at a price in cents, and whose.
  var open: [(lots: Int64, cents: Int64, strategy: UInt16, account: UInt16)] = []
  /// Orders that were judged before, each at its intent's time.
  var before: [OrderIntent] = []
  /// What the position is worth, in cents.
  var markCents: Int64 = 10_000
  /// Limits of this instrument alone.
  var ownLimits: LimitSet?
  var duplicateCapacity = 16

  static let now: Int64 = 1_000_000_000_000

  static var generousLimits: LimitSet {
    var limits = LimitSet()
    limits.orderQuantityMax = Quantity(lots: 1_000_000)
    limits.orderVolumeShareMillionthsMax = 1_000_000
    limits.orderNotionalMax = Money(units: 1_000_000_000)
    limits.collarBasisPointsMax = 1_000
    limits.collarTicksMax = 1_000
    limits.passiveBasisPointsMax = 1_000
    limits.marketDataAgeMax = .seconds(1)
    limits.longPositionMax = Quantity(lots: 1_000_000)
    limits.shortPositionMax = Quantity(lots: 1_000_000)
    limits.symbolGrossMax = Money(units: 1_000_000_000)
    limits.sectorGrossMax = Money(units: 1_000_000_000)
    limits.strategyGrossMax = Money(units: 1_000_000_000)
    limits.accountGrossMax = Money(units: 1_000_000_000)
    limits.firmGrossMax = Money(units: 1_000_000_000)
    limits.firmNetMax = Money(units: 1_000_000_000)
    limits.dailyLossMax = Money(units: 100_000)
    limits.drawdownMax = Money(units: 100_000)
    limits.strategyOrdersPerSecond = 1_000
    limits.strategyOrdersBurst = 1_000
    limits.symbolOrdersPerSecond = 1_000
    limits.symbolOrdersBurst = 1_000
    limits.sessionOrdersPerSecond = 1_000
    limits.sessionOrdersBurst = 1_000
    limits.duplicateWindow = .seconds(1)
    return limits
  }

  static func cents(_ count: Int64) -> Price { Price(nanos: count * 10_000_000) }

  static func quote(_ bid: Int64, _ ask: Int64, time: Int64 = Scenario.now) -> BestQuote {
    var quote = BestQuote()
    quote.bid = DepthLevel(price: cents(bid), quantity: Quantity(lots: 500))
    quote.ask = DepthLevel(price: cents(ask), quantity: Quantity(lots: 500))
    quote.time = Timestamp(nanoseconds: time)
    quote.state = bid < ask ? .normal : (bid == ask ? .locked : .crossed)
    return quote
  }

  static func order(
    number: UInt64 = 100, side: Side = .buy, lots: Int64 = 10, cents: Int64 = 10_000, at time: Int64 = Scenario.now
  ) -> OrderIntent {
    OrderIntent(
      clientOrderID: ClientOrderID(value: number), causeSequence: 1, time: Timestamp(nanoseconds: time),
      instrument: InstrumentID(index: 0), side: side, price: Scenario.cents(cents), quantity: Quantity(lots: lots))
  }

  /// The gate's verdict, and that a second judgement without trace says the same as the first.
  func judge() -> RiskVerdict {
    let arena = Arena(capacityBytes: 1 << 22)
    var ledger = try! Ledger(
      configuration: LedgerConfiguration(
        instruments: [instrument], venueCount: 2, openOrderCapacity: 64, sectorCount: 4, strategyCount: 2,
        accountCount: 2, startingCash: Money(units: 1_000_000)), in: arena)
    prepare(&ledger)
    var gate = try! RiskGate(
      configuration: RiskGateConfiguration(
        instruments: [instrument], venueCount: 2, limits: limits, permissions: permissions,
        duplicateCapacity: duplicateCapacity, overrideCapacity: 1), in: arena)
    if let ownLimits { precondition(gate.setLimits(ownLimits, for: instrument.id)) }
    for earlier in before {
      var then = inputs
      then.now = earlier.time
      then.bookTime = earlier.time
      then.quote.time = earlier.time
      gate.permissions.heartbeat = earlier.time
      let verdict = gate.check(earlier, then, ledger)
      precondition(verdict.isPass, "the orders before pass")
    }
    gate.permissions = permissions
    let dry = gate.evaluate(intent, inputs, ledger)
    let verdict = gate.check(intent, inputs, ledger)
    precondition(dry.check == verdict.check && dry.limit == verdict.limit && dry.observed == verdict.observed)
    return verdict
  }

  private func prepare(_ ledger: inout Ledger) {
    var number: UInt64 = 1
    func child(_ lots: Int64, _ cents: Int64, _ strategy: UInt16, _ account: UInt16) -> ChildOrder {
      var intent = Scenario.order(number: number, side: lots > 0 ? .buy : .sell, lots: abs(lots), cents: cents)
      intent.strategy = StrategyID(index: strategy)
      intent.account = AccountID(index: account)
      number += 1
      return ChildOrder(
        part: intent, clientOrderID: intent.clientOrderID, venue: VenueID(index: 0), price: intent.price,
        quantity: intent.quantity, isSweep: false)
    }
    for fill in fills {
      let order = child(fill.lots, fill.cents, fill.strategy, fill.account)
      precondition(ledger.reserve(order) == .applied)
      let report = ExecutionReport(
        .filled, of: order, time: order.time, price: order.price, quantity: order.quantity, leaves: .zero)
      precondition(ledger.apply(report) == .applied)
    }
    for order in open {
      precondition(ledger.reserve(child(order.lots, order.cents, order.strategy, order.account)) == .applied)
    }
    precondition(ledger.mark(instrument.id, price: Scenario.cents(markCents)))
  }
}
