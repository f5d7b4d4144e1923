import RegimeDetection
import TestSupport
import Testing
import TradingTypes

// Goal: a refit replaces parameters only by better ones, keeps labels, and says why it keeps what there is. Method: simulated series
// whose parameters are known, and each refusal by a series made for it.
@Suite struct RegimeRefitTests {
  private static let truth = try! HiddenMarkovModel(
    start: [1, 0], transition: [[0.98, 0.02], [0.04, 0.96]], means: [0.05, -0.1], variances: [0.5, 6])

  private func stale() throws -> RegimeParameters {
    try RegimeParameters(
      start: [0.5, 0.5], transition: [[0.9, 0.1], [0.1, 0.9]], means: [0, 0], variances: [0.1, 40])
  }

  /// The rules of production with fewer starts: debug builds are slow.
  private var rules: RegimeRefit.Rules {
    var rules = RegimeRefit.Rules()
    rules.fit.startCount = 1
    rules.fit.startIterations = 5
    return rules
  }

  private func window(_ count: Int, seed: UInt64 = 5) -> [Double] {
    var simulation = SimulatedMarkov(Self.truth, seed: seed)
    return simulation.returns(count)
  }

  @Test(arguments: Seeds.brief) func `stale parameters are replaced by ones near the truth`(seed: UInt64) throws {
    let window = window(900, seed: seed)
    let adoption = try RegimeRefit.refit(window, inForce: stale(), table: .standard(stateCount: 2), rules: rules)
    #expect(adoption.report.holdoutGain > 0, "seed \(seed)")
    let (calm, wild) = (adoption.parameters.variances[0], adoption.parameters.variances[1])
    #expect(abs(calm - 0.5) < 0.2 && abs(wild - 6) < 2.5, "seed \(seed): \(calm), \(wild)")
    // Pure: the same again.
    let again = try RegimeRefit.refit(window, inForce: stale(), table: .standard(stateCount: 2), rules: rules)
    #expect(HiddenMarkovModel(again.parameters) == HiddenMarkovModel(adoption.parameters), "seed \(seed)")
  }

  @Test func `the state is that of a filter over the last returns, the regime in force stays`() throws {
    let window = window(600)
    let table = try RegimeTable.standard(stateCount: 2)
    var now = RegimeState(start: try stale(), table: table)
    (now.regime, now.flips, now.observations) = (.bear, 7, 5_000)
    let adoption = try RegimeRefit.refit(window, inForce: stale(), table: table, state: now, rules: rules)
    let plain = try RegimeRefit.reseed(window.suffix(250), adoption.parameters, table)
    #expect(plain.observations == 250)
    for state in 0..<2 {
      #expect(adoption.state.probabilities[state].bitPattern == plain.probabilities[state].bitPattern)
    }
    #expect(adoption.state.candidate == plain.candidate)
    #expect(adoption.state.candidateObservations == plain.candidateObservations)
    #expect(adoption.state.regime == .bear && adoption.state.flips == 7 && adoption.state.observations == 5_000)
    // The start is forgotten after so many.
    let longer = try RegimeRefit.reseed(window, adoption.parameters, table)
    #expect(abs(longer.probabilities[0] - plain.probabilities[0]) < 1e-9)
    // A filter that has seen nothing yet goes on from the seed, not from its start.
    let fresh = try RegimeRefit.reseed(
      window, adoption.parameters, table, keeping: RegimeState(start: adoption.parameters, table: table))
    #expect(fresh.observations == 600)
  }

  @Test func `parameters that are as good stay`() throws {
    let window = window(600)
    let table = try RegimeTable.standard(stateCount: 2)
    let first = try RegimeRefit.refit(window, inForce: stale(), table: table, rules: rules)
    // The same window again: the candidate is what is in force.
    #expect {
      try RegimeRefit.refit(window, inForce: first.parameters, table: table, rules: rules)
    } throws: { error in
      guard case .notBetter(let report) = error as? RegimeRefit.Reason else { return false }
      return report.holdoutGain <= 0.1
    }
    var strict = rules
    strict.holdoutGainMin = 1e6
    #expect(throws: RegimeRefit.Reason.self) {
      try RegimeRefit.refit(window, inForce: stale(), table: table, rules: strict)
    }
  }

  @Test func `every bad window keeps the parameters, with its reason`() throws {
    let inForce = try stale()
    let table = try RegimeTable.standard(stateCount: 2)
    func reason(_ window: [Double], _ change: (inout RegimeRefit.Rules) -> Void = { _ in }) -> RegimeRefit.Reason? {
      var rules = rules
      change(&rules)
      do {
        _ = try RegimeRefit.refit(window, inForce: inForce, table: table, rules: rules)
        return nil
      } catch { return error }
    }
    let good = window(600)
    #expect(reason(Array(good.prefix(312))) == .tooShort(count: 312, minimum: 313))
    #expect(reason(Array(repeating: 0.1, count: 600)) == .failed(.constant(dimension: 0)))
    var broken = good
    broken[599] = .nan
    #expect(reason(broken) == .failed(.notFinite(row: 599, dimension: 0)))
    broken[599] = 0
    broken[100] = 1e9
    #expect(reason(broken) == .failed(.outOfRange(row: 100, dimension: 0, value: 1e9)))
    broken[100] = 5e5
    #expect(reason(broken) == .failed(.outlier(row: 100, dimension: 0, value: 5e5)))
    #expect(
      reason(good) {
        $0.fit.iterationsMax = 3
        $0.fit.gainMin = 0
      } == .notConverged(iterationCount: 3))
    guard case .degenerate = reason(good, { $0.varianceRatioMin = 100 }) else {
      Issue.record("variances that are near each other")
      return
    }
    guard case .refused = reason(good, { $0.holdoutCount = 0 }) else {
      Issue.record("no holdout")
      return
    }
  }
}
