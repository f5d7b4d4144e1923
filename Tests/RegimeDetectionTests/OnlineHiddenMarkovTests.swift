import CAllocationCounter
import RegimeDetection
import TestSupport
import Testing
import TradingTypes

// Goal: the online fit goes where the batch fit goes, keeps its labels, and survives whatever comes. Method: long simulated series, a plain
// twin of the paper's recursion, and wild input.
@Suite struct OnlineHiddenMarkovTests {
  private static let truth = try! HiddenMarkovModel(
    start: [1, 0], transition: [[0.97, 0.03], [0.06, 0.94]], means: [0.08, -0.1], variances: [0.5, 5])

  private func first() throws -> RegimeParameters {
    try RegimeParameters(
      start: [0.5, 0.5], transition: [[0.8, 0.2], [0.2, 0.8]], means: [0, 0], variances: [1, 2])
  }

  /// The recursion as the paper has it: lists of lists, all sums written out, no exchange of states.
  private struct Twin {
    var start: [Double]
    var transition: [[Double]]
    var means: [Double]
    var variances: [Double]
    var filtered: [Double]
    /// `[statistic][state][state now]`: count, value, square; and `[from][to][state now]`.
    var moments: [[[Double]]]
    var moves: [[[Double]]]
    var number = 0.0
    let prior: Double

    init(_ model: HiddenMarkovModel, prior: Int) {
      (start, transition) = (model.start, model.transition)
      (means, variances) = (model.means.map { $0[0] }, model.covariances.map { $0[0] })
      filtered = model.start
      self.prior = Double(prior)
      let shares = model.stationaryDistribution!
      let lanes = model.start.indices
      moments = (0..<3).map { power in
        lanes.map { state in
          let mean = model.means[state][0]
          let moment = [1, mean, model.variance(state: state) + mean * mean][power]
          return lanes.map { _ in shares[state] * moment }
        }
      }
      moves = lanes.map { from in lanes.map { to in lanes.map { _ in shares[from] * model.transition[from][to] } } }
    }

    mutating func step(_ x: Double, burnIn: Int) {
      let states = start.indices
      let density = states.map { state in
        DeterministicMath.exp(-(x - means[state]) * (x - means[state]) / (2 * variances[state]))
          / variances[state].squareRoot()
      }
      let past = number == 0 ? states.map { moments[0][$0][0] } : filtered
      let reached = states.map { to in states.map { past[$0] * transition[$0][to] }.reduce(0, +) }
      let predicted = number == 0 ? start : reached
      let origin = states.map { from in states.map { past[from] * transition[from][$0] / reached[$0] } }
      number += 1
      let weight = DeterministicMath.exp(-0.6 * DeterministicMath.log(prior + number))
      for power in 0..<3 {
        let value = [1, x, x * x][power]
        moments[power] = states.map { state in
          states.map { now in
            (1 - weight) * states.map { moments[power][state][$0] * origin[$0][now] }.reduce(0, +)
              + (state == now ? weight * value : 0)
          }
        }
      }
      moves = states.map { from in
        states.map { to in
          states.map { now in
            (1 - weight) * states.map { moves[from][to][$0] * origin[$0][now] }.reduce(0, +)
              + (to == now ? weight * origin[from][now] : 0)
          }
        }
      }
      let joint = states.map { predicted[$0] * density[$0] }
      filtered = joint.map { $0 / joint.reduce(0, +) }
      guard number > Double(burnIn) else { return }
      for state in states {
        func whole(_ lanes: [Double]) -> Double { states.map { lanes[$0] * filtered[$0] }.reduce(0, +) }
        let count = whole(moments[0][state])
        means[state] = whole(moments[1][state]) / count
        variances[state] = whole(moments[2][state]) / count - means[state] * means[state]
        let row = states.map { whole(moves[state][$0]) }
        transition[state] = row.map { $0 / row.reduce(0, +) }
      }
    }
  }

  @Test(arguments: Seeds.brief) func `it is the paper's recursion`(seed: UInt64) throws {
    var simulation = SimulatedMarkov(Self.truth, seed: seed)
    let begin = try first()
    var online = try OnlineHiddenMarkov(begin)
    var twin = Twin(HiddenMarkovModel(begin), prior: online.rules.priorCount)
    for value in simulation.returns(400) {
      online.step(returnPercent: value)
      twin.step(value, burnIn: online.rules.burnInCount)
    }
    let parameters = try online.parameters()
    let probabilities = online.probabilities
    for state in 0..<2 {
      #expect(abs(parameters.means[state] - twin.means[state]) < 1e-9, "seed \(seed)")
      #expect(abs(parameters.variances[state] - twin.variances[state]) < 1e-9, "seed \(seed)")
      #expect(abs(probabilities[state] - twin.filtered[state]) < 1e-9, "seed \(seed)")
      // The floor of the transitions is 1e-8.
      for next in 0..<2 {
        let difference = parameters.transition[4 * state + next] - twin.transition[state][next]
        #expect(abs(difference) < 1e-7, "seed \(seed)")
      }
    }
  }

  @Test func `over a long series it comes near the batch fit`() throws {
    let count = countsAllocations ? 200_000 : 12_000
    var simulation = SimulatedMarkov(Self.truth, seed: 3)
    let returns = simulation.returns(count)
    var online = try OnlineHiddenMarkov(first())
    for value in returns { online.step(returnPercent: value) }
    let batch = try HiddenMarkovFit.fit(Array(returns.prefix(6_000)), from: Self.truth)
    let parameters = try online.parameters()
    // The weight of an observation is at the end its number to the power of −0.6: the newest few hundred speak.
    for state in 0..<2 {
      let ratio = parameters.variances[state] / batch.model.variance(state: state)
      #expect(abs(ratio - 1) < 0.25, "state \(state): \(ratio)")
      #expect(abs(parameters.means[state] - batch.model.means[state][0]) < 0.25)
      #expect(abs(parameters.transition[5 * state] - batch.model.transition[state][state]) < 0.03)
    }
    #expect(online.logLikelihood / Double(count) > batch.logLikelihood / 6_000 - 0.05)
  }

  @Test(arguments: Seeds.brief) func `whatever comes, parameters stay parameters`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let begin = try RegimeParameters(
      start: [0.2, 0.3, 0.5], transition: [[0.9, 0.1, 0], [0.05, 0.9, 0.05], [0, 0.1, 0.9]], means: [0, 0.1, -0.2],
      variances: [0.1, 1, 9])
    var online = try OnlineHiddenMarkov(begin)
    var refused: Int64 = 0
    for number in 0..<1_500 {
      let value: Double =
        switch random.below(12) {
        case 0: 0
        case 1: [Double.nan, .infinity, -.infinity, 1e200, -1e6][random.below(5)]
        case 2: -100
        case 3: (random.unit() - 0.5) * 2e5
        case 4: 1e-300
        default: (random.unit() - 0.5) * (number / 300 % 2 == 0 ? 1e-3 : 8)
        }
      if !(value.magnitude <= 1e5) { refused += 1 }
      online.step(returnPercent: value)
      // Throws where a number is none, or variances do not ascend.
      _ = try online.parameters()
    }
    #expect(online.refusalCount == refused && refused > 0, "seed \(seed)")
    #expect(online.logLikelihood.isFinite && online.observationCount == 1_500 - refused, "seed \(seed)")
    let probabilities = online.probabilities
    #expect(abs(probabilities[0] + probabilities[1] + probabilities[2] - 1) < 1e-12, "seed \(seed)")
  }

  @Test func `a constant series ends at the floor`() throws {
    var online = try OnlineHiddenMarkov(first())
    for _ in 0..<3_000 { online.step(returnPercent: 0.25) }
    let parameters = try online.parameters()
    #expect(parameters.variances[0] >= online.rules.varianceMin && parameters.variances[0] < 0.01)
    #expect(parameters.variances[1] > parameters.variances[0])
  }

  @Test func `states whose variances cross are exchanged, with their statistics`() throws {
    // The calm state has the negative mean; then it becomes the wild one.
    let before = try HiddenMarkovModel(
      start: [0.5, 0.5], transition: [[0.95, 0.05], [0.05, 0.95]], means: [-20, 20], variances: [1, 3])
    let after = try HiddenMarkovModel(
      start: [0.5, 0.5], transition: [[0.95, 0.05], [0.05, 0.95]], means: [-20, 20], variances: [9, 1])
    var online = try OnlineHiddenMarkov(before.regimeParameters())
    var (calm, wild) = (SimulatedMarkov(before, seed: 1), SimulatedMarkov(after, seed: 2))
    for value in calm.returns(300) { online.step(returnPercent: value) }
    #expect(try online.parameters().means[0] < -15)
    for value in wild.returns(3_000) { online.step(returnPercent: value) }
    let parameters = try online.parameters()
    #expect(parameters.means[0] > 15 && parameters.means[1] < -15)
    #expect(parameters.variances[0] < 2 && parameters.variances[1] > 5)
  }

  @Test func `a snapshot goes on as the original does`() throws {
    var simulation = SimulatedMarkov(Self.truth, seed: 9)
    var online = try OnlineHiddenMarkov(first())
    for value in simulation.returns(200) { online.step(returnPercent: value) }
    var other = try OnlineHiddenMarkov(first())
    try other.restore(online.snapshot())
    for value in simulation.returns(200) {
      online.step(returnPercent: value)
      other.step(returnPercent: value)
    }
    #expect(online.logLikelihood.bitPattern == other.logLikelihood.bitPattern)
    #expect(HiddenMarkovModel(try online.parameters()) == HiddenMarkovModel(try other.parameters()))
    let three = try OnlineHiddenMarkov(
      RegimeParameters(
        start: [1, 0, 0], transition: [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], means: [0, 0, 0],
        variances: [1, 2, 3]))
    #expect(throws: ConfigurationError.self) { try other.restore(three) }
    var rules = OnlineHiddenMarkov.Rules()
    rules.stepExponent = 0.5
    #expect(throws: ConfigurationError.self) { try OnlineHiddenMarkov(first(), rules: rules) }
  }

  @Test(.enabled(if: countsAllocations)) func `a step allocates nothing`() throws {
    var online = try OnlineHiddenMarkov(first())
    func work() { for step in 0..<500 { online.step(returnPercent: Double(step % 7) - 3) } }
    work()
    let counts = counting { work() }
    #expect(counts.allocations == 0)
  }
}
