import LockFreeRings
import PortfolioLedger
import PreTradeRisk
import Testing
import TradingTypes

// Goal: REDUCING and HALTED let pass exactly what DESIGN section 9 says. Method: examples round both edges of the rule.

/// A position of 20, 5 of them already being sold, and an order to sell `lots`.
func reducing(_ lots: Int64, _ kill: KillState, isExit: Bool = false, side: Side = .sell) -> RiskVerdict {
  var scenario = Scenario()
  scenario.fills = [(20, 10_000, 0, 0)]
  scenario.open = [(-5, 10_000, 0, 0), (7, 10_000, 0, 0)]
  scenario.intent = Scenario.order(side: side, lots: lots)
  scenario.intent.isExit = isExit
  scenario.inputs.kill = kill
  return scenario.judge()
}

@Test func `reducing passes up to the position less what reduces it already`() {
  let kill = KillState(level: .reducing)
  let atLimit = reducing(15, kill)
  #expect(atLimit.isPass)
  let beyond = reducing(16, kill)
  #expect(beyond.check == RiskCheck.killState.rawValue)
  #expect(beyond.limit == 15)
  #expect(beyond.observed == 16)
  let growing = reducing(1, kill, side: .buy)
  #expect(growing.check == RiskCheck.killState.rawValue)
  #expect(growing.limit == 0)
  let flagged = reducing(16, kill, isExit: true)
  #expect(flagged.check == RiskCheck.killState.rawValue)
}

@Test func `reducing refuses everything without a position`() {
  for side in Side.allCases {
    var scenario = Scenario()
    scenario.intent = Scenario.order(side: side, lots: 1)
    scenario.inputs.kill = KillState(level: .reducing)
    let verdict = scenario.judge()
    #expect(verdict.check == RiskCheck.killState.rawValue)
  }
}

@Test func `reducing passes a buy that covers a short position`() {
  var scenario = Scenario()
  scenario.fills = [(-20, 10_000, 0, 0)]
  scenario.intent = Scenario.order(side: .buy, lots: 20)
  scenario.inputs.kill = KillState(level: .reducing)
  let covers = scenario.judge()
  #expect(covers.isPass)
  scenario.intent.quantity = Quantity(lots: 21)
  let flips = scenario.judge()
  #expect(flips.check == RiskCheck.killState.rawValue)
}

@Test func `halted passes only a flagged exit that reduces`() {
  let kill = KillState(level: .halted)
  let unflagged = reducing(15, kill)
  #expect(unflagged.check == RiskCheck.killState.rawValue)
  #expect(unflagged.limit == 0)
  let flagged = reducing(15, kill, isExit: true)
  #expect(flagged.isPass)
  let tooLarge = reducing(16, kill, isExit: true)
  #expect(tooLarge.check == RiskCheck.killState.rawValue)
  #expect(tooLarge.limit == 15)
  let growing = reducing(1, kill, isExit: true, side: .buy)
  #expect(growing.check == RiskCheck.killState.rawValue)
}

@Test func `an unknown instrument does not pass a kill state`() {
  for level in [KillLevel.reducing, .halted] {
    var scenario = Scenario()
    scenario.intent.instrument = .none
    scenario.intent.isExit = true
    scenario.inputs.kill = KillState(level: level)
    let verdict = scenario.judge()
    #expect(verdict.check == RiskCheck.killState.rawValue)
  }
}

@Test func `the best usable venue sets the level`() {
  // Two venues list the instrument; one halted or reducing leaves the other.
  let oneHalted = reducing(1, KillState(venuesHalted: 0b01), side: .buy)
  #expect(oneHalted.isPass)
  let oneEach = reducing(1, KillState(venuesReducing: 0b10, venuesHalted: 0b01), side: .buy)
  #expect(oneEach.check == RiskCheck.killState.rawValue)
  let shrinks = reducing(15, KillState(venuesReducing: 0b10, venuesHalted: 0b01))
  #expect(shrinks.isPass)
  let allHalted = reducing(15, KillState(venuesHalted: 0b11))
  #expect(allHalted.check == RiskCheck.killState.rawValue)
  let exit = reducing(15, KillState(venuesHalted: 0b11), isExit: true)
  #expect(exit.isPass)
  // A venue that cannot be used does not help.
  var scenario = Scenario()
  scenario.permissions.connectedVenues = 0b01
  scenario.inputs.kill = KillState(venuesHalted: 0b01)
  let disconnected = scenario.judge()
  #expect(disconnected.check == RiskCheck.killState.rawValue)
}

@Test func `an order that only shrinks passes the gross limits and the daily loss`() {
  var scenario = Scenario()
  scenario.fills = [(20, 11_000, 0, 0)]
  scenario.limits.symbolGrossMax = Money(units: 1)
  scenario.limits.sectorGrossMax = Money(units: 1)
  scenario.limits.strategyGrossMax = Money(units: 1)
  scenario.limits.accountGrossMax = Money(units: 1)
  scenario.limits.firmGrossMax = Money(units: 1)
  scenario.limits.dailyLossMax = Money(units: 1)
  scenario.limits.drawdownMax = Money(units: 1)
  scenario.intent = Scenario.order(side: .sell, lots: 20)
  let shrinks = scenario.judge()
  #expect(shrinks.isPass)
  scenario.intent.quantity = Quantity(lots: 21)
  let flips = scenario.judge()
  #expect(flips.check == RiskCheck.exposure.rawValue)
}

@Test func `a strategy that holds nothing does not shrink the position of another`() {
  var scenario = Scenario()
  scenario.fills = [(20, 10_000, 1, 0)]
  scenario.limits.strategyGrossMax = Money(units: 999)
  scenario.intent = Scenario.order(side: .sell, lots: 10)
  let verdict = scenario.judge()
  #expect(verdict.check == RiskCheck.exposure.rawValue)
  #expect(verdict.limit == 999 * unit)
}

@Test func `cancels pass in every state and new orders cannot use up their budget`() throws {
  let arena = Arena(capacityBytes: 1 << 22)
  var gate = try RiskGate(
    configuration: RiskGateConfiguration(
      instruments: [Scenario().instrument], venueCount: 1, limits: LimitSet(), cancelsPerSecond: 1, cancelsBurst: 2),
    in: arena)
  let now = Timestamp(nanoseconds: Scenario.now)
  for _ in 0..<5 {
    let verdict = gate.checkCancel(now: now)
    #expect(verdict.isPass)
  }
  let counts = (gate.cancelCount, gate.cancelsOverBudget)
  #expect(counts == (5, 3))
}
