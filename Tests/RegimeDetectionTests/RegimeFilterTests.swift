import CAllocationCounter
import LockFreeRings
import RegimeDetection
import TestSupport
import Testing
import TradingTypes

// Goal: the filter is right for every model, refuses what is not a number, and applies the table as documented.
// Method: seeded comparison with the textbook recursion, and small cases worked out by hand.
@Suite struct RegimeFilterTests {
  private let first = InstrumentID(index: 0)

  private func bullBear(hysteresis: RegimeHysteresis = RegimeHysteresis()) throws -> RegimeFilter {
    try RegimeFilter(
      instrumentCount: 2,
      parameters: RegimeParameters(
        start: [1, 0], transition: [[0.9, 0.1], [0.1, 0.9]], means: [0.1, -0.1], variances: [0.5, 5]),
      table: .standard(stateCount: 2, hysteresis: hysteresis), in: Arena(capacityBytes: 1 << 16))
  }

  @Test(arguments: Seeds.brief) func `the filter equals the textbook recursion`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<30 {
      let count = 2 + random.below(3)
      func distribution() -> [Double] {
        let raw = (0..<count).map { _ in random.unit() + 0.01 }
        return raw.map { $0 / raw.reduce(0, +) }
      }
      let start = distribution()
      let transition = (0..<count).map { _ in distribution() }
      let means = (0..<count).map { _ in random.unit() - 0.5 }
      var variances: [Double] = []
      for _ in 0..<count { variances.append((variances.last ?? 0) + 0.1 + 3 * random.unit()) }
      let parameters = try RegimeParameters(
        start: start, transition: transition, means: means, variances: variances)
      let roles = (0..<count).map { _ in Regime.allCases[random.below(3)] }
      var filter = try RegimeFilter(
        instrumentCount: 3, parameters: parameters, table: RegimeTable(roles: roles),
        in: Arena(capacityBytes: 1 << 16))
      var twins = (0..<3).map { _ in
        ReferenceFilter(start: start, transition: transition, means: means, variances: variances)
      }
      for step in 0..<200 {
        let instrument = random.below(3)
        let value = (random.unit() - 0.5) * (step % 50 == 0 ? 200 : 6)
        filter.step(InstrumentID(index: UInt32(instrument)), returnPercent: value)
        twins[instrument].step(value)
      }
      for instrument in 0..<3 {
        let id = InstrumentID(index: UInt32(instrument))
        let now = filter.stateProbabilities(of: id)
        for state in 0..<count {
          #expect(abs(now[state] - twins[instrument].probabilities[state]) <= 1e-9, "seed \(seed)")
        }
        let scale = max(1, abs(twins[instrument].logLikelihood))
        #expect(abs(filter.logLikelihood(of: id) - twins[instrument].logLikelihood) <= 1e-11 * scale, "seed \(seed)")
        let slots = filter.probabilities(of: id)
        let expected = Regime.allCases.map { regime in
          (0..<count).filter { roles[$0] == regime }.map { now[$0] }.reduce(0, +)
        }
        #expect(abs(slots.bear - expected[0]) < 1e-15)
        #expect(abs(slots.sideways - expected[1]) < 1e-15)
        #expect(abs(slots.bull - expected[2]) < 1e-15)
      }
    }
  }

  @Test func `what is not a number is refused, counted, and changes nothing`() throws {
    var filter = try bullBear()
    filter.step(first, returnPercent: 0.3)
    let before = filter.snapshot(of: first)
    for value in [Double.nan, .infinity, -.infinity, 1e200, -1e300] { filter.step(first, returnPercent: value) }
    let after = filter.snapshot(of: first)
    #expect(filter.refusalCount == 5)
    #expect(after.observations == before.observations)
    #expect(after.probabilities[0] == before.probabilities[0])
    filter.step(first, returnPercent: 1e100)
    let extreme = filter.stateProbabilities(of: first)
    #expect(extreme[0] == 0 && extreme[1] == 1)
    #expect(filter.logLikelihood(of: first).isFinite)
  }

  @Test func `an observation no reachable state explains begins anew`() throws {
    // State 1 cannot be reached, state 0 has a density of zero beside state 1's at 100 percent.
    var filter = try RegimeFilter(
      instrumentCount: 1,
      parameters: RegimeParameters(
        start: [1, 0], transition: [[1, 0], [0, 1]], means: [0, 0], variances: [0.1, 10], transitionFloor: 0),
      table: .standard(stateCount: 2), in: Arena(capacityBytes: 1 << 16))
    filter.step(first, returnPercent: 100)
    #expect(filter.restartCount == 1)
    let now = filter.stateProbabilities(of: first)
    #expect(now[0] == 0 && now[1] == 1)
    // With the production floor the same observation is explained without a restart.
    var floored = try RegimeFilter(
      instrumentCount: 1,
      parameters: RegimeParameters(
        start: [1, 0], transition: [[1, 0], [0, 1]], means: [0, 0], variances: [0.1, 10]),
      table: .standard(stateCount: 2), in: Arena(capacityBytes: 1 << 16))
    floored.step(first, returnPercent: 0)
    floored.step(first, returnPercent: 100)
    #expect(floored.restartCount == 0)
    #expect(floored.stateProbabilities(of: first)[1] == 1)
  }

  @Test func `the regime switches only after the wait and above the probability`() throws {
    var filter = try bullBear(hysteresis: RegimeHysteresis(probabilityMin: 0.7, observationsMin: 3))
    #expect(filter.regime(of: first) == .bull)
    // The start rules the bear state out for the first observation; it leads from the second on, so the third of its run
    // is the fourth observation.
    for observation in 1...4 {
      #expect(filter.regime(of: first) == .bull, "before observation \(observation)")
      filter.step(first, returnPercent: -4)
    }
    #expect(filter.regime(of: first) == .bear)
    let flips = filter.snapshot(of: first).flips
    #expect(flips == 1)
    filter.step(first, returnPercent: 0)
    #expect(filter.regime(of: first) == .bear)
  }

  @Test(arguments: Seeds.brief) func `the regime in force follows the rule as a plain list would`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let wait = 1 + random.below(4)
    var filter = try bullBear(hysteresis: RegimeHysteresis(probabilityMin: 0.7, observationsMin: Int32(wait)))
    var firsts: [Regime] = []
    var inForce = Regime.bull
    var flips = 0
    for _ in 0..<2000 {
      filter.step(first, returnPercent: (random.unit() - 0.5) * (random.below(40) == 0 ? 12 : 3))
      let now = filter.probabilities(of: first)
      firsts.append(now.bear >= now.bull ? .bear : .bull)
      let leader = firsts.last!
      let probability = leader == .bear ? now.bear : now.bull
      // The start counts as no observation, so a run is at most as long as the list; the start's own leader is bull.
      let run = firsts.reversed().prefix { $0 == leader }.count
      if leader != inForce, probability > 0.7, run >= wait {
        inForce = leader
        flips += 1
      }
      #expect(filter.regime(of: first) == inForce, "seed \(seed)")
    }
    #expect(filter.snapshot(of: first).flips == Int64(flips), "seed \(seed)")
    #expect(flips > 2, "seed \(seed)")
  }

  @Test func `the table scales the forecast by hand-computed numbers`() throws {
    var filter = try bullBear(hysteresis: RegimeHysteresis(probabilityMin: 0.7, observationsMin: 1))
    let forecast = Forecast(probabilityUp: 0.75, confidence: 0.6, members: 1)
    let bull = filter.adjust(forecast, for: first)
    #expect(bull.regime == .bull && bull.probability == 1)
    #expect(bull.signal == 0.5 * 1.2 && bull.confidence == 0.6 && bull.directionProbability == 0.75)
    for _ in 0..<4 { filter.step(first, returnPercent: -6) }
    let bear = filter.adjust(forecast, for: first)
    let probability = filter.probabilities(of: first).bear
    #expect(bear.regime == .bear && bear.probability == probability)
    #expect(bear.signal == 0.5 * -0.8 && bear.confidence == 0.6 * probability)
    #expect(bear.directionProbability == 0.25)
    let down = filter.adjust(Forecast(probabilityUp: 0.25, confidence: 0.6, members: 1), for: first)
    #expect(down.signal == 0.4 && down.directionProbability == 0.25)
    // The other instrument has seen nothing.
    #expect(filter.regime(of: InstrumentID(index: 1)) == .bull)
  }

  @Test func `a forecast that is no forecast becomes no signal`() throws {
    let filter = try bullBear()
    var broken = Forecast(probabilityUp: 0.75, confidence: 0.6, members: 1)
    broken.signal = .nan
    let confident = Forecast(probabilityUp: 0.5, confidence: .nan, members: 1)
    let outside = Forecast(probabilityUp: 1.5, confidence: 0.5, members: 1)
    for forecast in [.unusable, broken, confident, outside, Forecast(probabilityUp: .nan, confidence: 1, members: 1)] {
      let signal = filter.adjust(forecast, for: first)
      #expect(signal.signal == 0 && signal.confidence == 0 && signal.directionProbability == 0.5)
    }
  }

  @Test func `a snapshot continues as the original would`() throws {
    var random = SplitMix64(seed: 7)
    var filter = try bullBear()
    var copy = try bullBear()
    for _ in 0..<100 { filter.step(first, returnPercent: (random.unit() - 0.5) * 8) }
    try copy.restore(filter.snapshot(of: first), of: first)
    for _ in 0..<100 {
      let value = (random.unit() - 0.5) * 8
      filter.step(first, returnPercent: value)
      copy.step(first, returnPercent: value)
    }
    let one = filter.snapshot(of: first)
    let other = copy.snapshot(of: first)
    #expect(one.probabilities[0].bitPattern == other.probabilities[0].bitPattern)
    #expect(one.logLikelihood.bitPattern == other.logLikelihood.bitPattern)
    #expect(one.regime == other.regime && one.flips == other.flips && one.observations == other.observations)
    var bad = one
    bad.probabilities[0] = .nan
    #expect(throws: ConfigurationError.self) { try copy.restore(bad, of: first) }
    bad.probabilities[0] = 0.2
    bad.probabilities[1] = 0.2
    #expect(throws: ConfigurationError.self) { try copy.restore(bad, of: first) }
  }

  @Test func `a refitted model begins anew`() throws {
    var filter = try bullBear()
    for _ in 0..<10 { filter.step(first, returnPercent: -5) }
    let three = try RegimeParameters(
      start: [0, 0, 1], transition: [[0.9, 0.1, 0], [0.1, 0.8, 0.1], [0, 0.1, 0.9]], means: [0, 0, 0],
      variances: [0.1, 1, 9])
    #expect(throws: ConfigurationError.self) { try filter.adopt(three, table: .standard(stateCount: 2)) }
    try filter.adopt(three, table: .standard(stateCount: 3))
    #expect(filter.regime(of: first) == .bear)
    #expect(filter.snapshot(of: first).observations == 0)
  }

  @Test func `bad models and tables are named`() {
    let rows = [[0.9, 0.1], [0.2, 0.8]]
    let cases: [([Double], [[Double]], [Double], [Double], Double)] = [
      ([1], [[1]], [0], [1], 0),
      ([0.2, 0.2, 0.2, 0.2, 0.2], rows, [0, 0], [1, 2], 0),
      ([0.6, 0.6], rows, [0, 0], [1, 2], 0),
      ([0.5, 0.5], [[0.9, 0.2], [0.2, 0.8]], [0, 0], [1, 2], 0),
      ([0.5, 0.5], [[0.9, 0.1], [1.2, -0.2]], [0, 0], [1, 2], 0),
      ([0.5, 0.5], [[0.9, 0.1]], [0, 0], [1, 2], 0),
      ([0.5, 0.5], rows, [0, .nan], [1, 2], 0),
      ([0.5, 0.5], rows, [0, 0], [2, 1], 0),
      ([0.5, 0.5], rows, [0, 0], [1, 1], 0),
      ([0.5, 0.5], rows, [0, 0], [0, 1], 0),
      ([0.5, 0.5], rows, [0, 0], [-1, 1], 0),
      ([0.5, 0.5], rows, [0, 0], [1, .infinity], 0),
      ([.nan, 0.5], rows, [0, 0], [1, 2], 0),
      ([0.5, 0.5], rows, [0, 0], [1, 2], 0.5),
      ([0.5, 0.5], rows, [0, 0], [1, 2], .nan),
    ]
    for (index, (start, transition, means, variances, floor)) in cases.enumerated() {
      #expect(throws: ConfigurationError.self, "case \(index)") {
        try RegimeParameters(
          start: start, transition: transition, means: means, variances: variances, transitionFloor: floor)
      }
    }
    #expect(throws: ConfigurationError.self) { try RegimeTable.standard(stateCount: 4) }
    #expect(throws: ConfigurationError.self) { try RegimeTable(roles: [.bull]) }
    #expect(throws: ConfigurationError.self) { try RegimeTable(roles: [.bull, .bear], rules: [:]) }
    #expect(throws: ConfigurationError.self) {
      try RegimeTable(
        roles: [.bull, .bull], rules: [.bull: RegimeRule(multiplier: -1, style: .momentum)])
    }
    #expect(throws: ConfigurationError.self) {
      try RegimeTable(roles: [.bull, .bear], hysteresis: RegimeHysteresis(probabilityMin: 0.7, observationsMin: 0))
    }
  }

  @Test func `the floor keeps every state reachable and rows at one`() throws {
    let parameters = try RegimeParameters(
      start: [1, 0], transition: [[1, 0], [1e-40, 1]], means: [0, 0], variances: [1, 2])
    for row in 0..<2 {
      let one = parameters.transition[4 * row]
      let other = parameters.transition[4 * row + 1]
      #expect(min(one, other) > 0.99e-8 && abs(one + other - 1) < 1e-15)
    }
  }

  @Test func `an instrument the filter does not follow is misuse`() async {
    await #expect(processExitsWith: .failure) {
      var filter = try RegimeFilter(
        instrumentCount: 1,
        parameters: RegimeParameters(
          start: [1, 0], transition: [[0.9, 0.1], [0.1, 0.9]], means: [0, 0], variances: [1, 2]),
        table: .standard(stateCount: 2), in: Arena(capacityBytes: 1 << 16))
      filter.step(InstrumentID(index: 1), returnPercent: 0)
    }
  }

  @Test(.enabled(if: countsAllocations)) func `stepping and adjusting allocate nothing`() throws {
    var filter = try bullBear()
    var sum = 0.0
    func work() {
      for step in 0..<1000 {
        filter.step(first, returnPercent: Double(step % 7) - 3)
        sum += filter.adjust(Forecast(probabilityUp: 0.7, confidence: 0.6, members: 1), for: first).signal
      }
    }
    work()
    let counts = counting { work() }
    #expect(counts.allocations == 0, "sum \(sum)")
  }
}
