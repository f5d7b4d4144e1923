public import TradingTypes

/// Updates a regime model's parameters with every observation: online expectation and maximisation.
///
/// An option for research and slow markets. It has no holdout and no refusal, so it follows whatever comes and may drift;
/// `RegimeRefit` off the hot path is the safer way, and the one the engine takes. One dimension, in percent.
///
/// The parameters it begins with count as `priorCount` observations. Observation n of the stream then weighs
/// `(priorCount + n)^−0.6`: ever less, but enough for the start to be forgotten.
/// - Complexity: a step is O(states⁴), no allocation; a copy is a snapshot.
/// - Source: Cappé 2011, "Online EM algorithm for hidden Markov models", J. Comput. Graph. Stat. 20(3), algorithm 1. Differs: the
///   statistics begin as the given model's instead of empty; squares are taken around one centre, the first parameters' mean, so
///   that they lose no digits; variances and transitions have floors; states are exchanged when their variances cross.
public struct OnlineHiddenMarkov: BitwiseCopyable, Sendable {
  /// How it learns.
  public struct Rules: Hashable, Sendable, BitwiseCopyable {
    /// An observation weighs its number to the power of minus this; above ½, at most 1.
    public var stepExponent = 0.6
    /// Observations that the first parameters count for, 1 or more.
    public var priorCount = 100
    /// Observations before the first change of the parameters.
    public var burnInCount = 20
    /// Least variance, percent².
    public var varianceMin = 1e-6
    /// Least transition probability.
    public var transitionFloor = RegimeParameters.transitionFloorStandard

    /// The rules of the paper.
    public init() {}
  }

  /// States of the model.
  public let stateCount: Int
  /// How it learns.
  public let rules: Rules
  /// Observations that were taken.
  public private(set) var observationCount: Int64 = 0
  /// Observations that were refused: not finite, or beyond ±1e5 percent.
  public private(set) var refusalCount: Int64 = 0
  /// Log-likelihood of the observations, each predicted with the parameters before it.
  public private(set) var logLikelihood = 0.0
  private var chain: MarkovChain
  private var emissions: ScalarEmissions
  private let centre: Double
  private var filtered: StateVector
  private var statistics = OnlineStatistics()

  /// Begins with `parameters`.
  ///
  /// - Throws: `ConfigurationError` when the rules are out of range, or no share of time is known for a state: transitions of 0.
  public init(_ parameters: RegimeParameters, rules: Rules = Rules()) throws(ConfigurationError) {
    guard rules.stepExponent > 0.5, rules.stepExponent <= 1, rules.priorCount >= 1, rules.burnInCount >= 0,
      rules.varianceMin >= HiddenMarkovModel.varianceMin, rules.varianceMin < 1e6, rules.transitionFloor > 0,
      rules.transitionFloor < 0.25
    else { throw ConfigurationError("online regime model: rules \(rules), expected as each one's docs say") }
    let model = HiddenMarkovModel(parameters)
    guard let shares = model.stationaryDistribution else {
      throw ConfigurationError("online regime model: transitions \(model.transition), positive ones expected")
    }
    guard model.means.allSatisfy({ $0[0].magnitude <= Self.magnitudeMax }),
      model.covariances.allSatisfy({ $0[0] <= Self.magnitudeMax * Self.magnitudeMax })
    else { throw ConfigurationError("online regime model: means and deviations within ±1e5 expected") }
    stateCount = parameters.stateCount
    self.rules = rules
    chain = MarkovChain(model)
    emissions = ScalarEmissions(model)
    centre = (0..<parameters.stateCount).reduce(0) { $0 + shares[$1] * model.means[$1][0] }
    filtered = chain.start
    for state in 0..<stateCount {
      for lane in 0..<stateCount {
        statistics.counts[state][lane] = shares[state]
        let distance = emissions.means[state] - centre
        statistics.distances[state][lane] = shares[state] * distance
        statistics.squares[state][lane] = shares[state] * (emissions.variances[state] + distance * distance)
        for next in 0..<stateCount {
          statistics.transitions[4 * state + next][lane] = shares[state] * chain.rows[state][next]
        }
      }
    }
  }

  private static var magnitudeMax: Double { 1e5 }

  /// Takes the next return, in percent; one that is not finite or beyond ±1e5 is refused and counted, and changes nothing.
  public mutating func step(returnPercent: Double) {
    // A NaN fails the comparison.
    guard returnPercent.magnitude <= Self.magnitudeMax else {
      refusalCount += 1
      return
    }
    let logarithms = emissions.logDensities(at: returnPercent)
    let shift = logarithms.largest
    let densities = StateVector.densities(ofLogarithms: logarithms, shift: shift, stateCount: stateCount)
    let isFirst = observationCount == 0
    let predicted = isFirst ? chain.start : chain.predicted(after: filtered)
    var joint = predicted * densities
    // Only a start of 0 can rule the state out that explains the observation.
    if joint.total <= 0 { joint = densities }
    let scale = joint.total
    // Where a state comes from; before the first observation lies the long run.
    var past = filtered
    if isFirst { for state in 0..<stateCount { past[state] = statistics.counts[state][state] } }
    let reached = chain.predicted(after: past)
    var origins = InlineArray<4, StateVector>(repeating: StateVector())
    for before in 0..<stateCount {
      for state in 0..<stateCount {
        // A state that nothing leads to has no origin; 0/0 would end all learning.
        origins[before][state] = reached[state] > 0 ? past[before] * chain.rows[before][state] / reached[state] : 0
      }
    }
    observationCount += 1
    let number = Double(rules.priorCount) + Double(observationCount)
    let step = DeterministicMath.exp(-rules.stepExponent * DeterministicMath.log(number))
    statistics.append(returnPercent - centre, origins: origins, step: step, stateCount: stateCount)
    filtered = joint / scale
    logLikelihood += shift + DeterministicMath.log(scale)
    if observationCount > Int64(rules.burnInCount) { maximise() }
  }

  /// The parameters that are most likely under the statistics; a state that is hardly ever there keeps its own.
  private mutating func maximise() {
    for state in 0..<stateCount {
      let share = (statistics.counts[state] * filtered).total
      guard share > 1e-9 else { continue }
      let distance = (statistics.distances[state] * filtered).total / share
      let square = (statistics.squares[state] * filtered).total / share
      emissions.means[state] = centre + distance
      emissions.variances[state] = max(square - distance * distance, rules.varianceMin)
      var row = StateVector()
      for next in 0..<stateCount { row[next] = (statistics.transitions[4 * state + next] * filtered).total }
      let leaves = row.total
      guard leaves > 1e-12 else { continue }
      row /= leaves
      for next in 0..<stateCount { row[next] = max(row[next], rules.transitionFloor) }
      chain.rows[state] = row / row.total
    }
    order()
    emissions.prepare()
  }

  /// Puts the states in ascending variance again, with everything that is known of them.
  private mutating func order() {
    for end in stride(from: stateCount - 1, to: 0, by: -1) {
      for state in 0..<end where emissions.variances[state] > emissions.variances[state + 1] {
        exchange(state, state + 1)
      }
    }
    // Equal ones, both at the floor, are held apart: parameters stand in strictly ascending variance.
    for state in 1..<stateCount where emissions.variances[state] <= emissions.variances[state - 1] {
      emissions.variances[state] = emissions.variances[state - 1] * (1 + 1e-9)
    }
  }

  private mutating func exchange(_ one: Int, _ other: Int) {
    func exchange(_ vector: inout StateVector) { (vector[one], vector[other]) = (vector[other], vector[one]) }
    exchange(&emissions.means)
    exchange(&emissions.variances)
    exchange(&filtered)
    exchange(&chain.start)
    let row = chain.rows[one]
    chain.rows[one] = chain.rows[other]
    chain.rows[other] = row
    for state in 0..<stateCount { exchange(&chain.rows[state]) }
    statistics.exchange(one, other)
  }

  // MARK: - What it knows

  /// Filtered probability of each state after the newest observation; 0 from `stateCount` on.
  public var probabilities: InlineArray<4, Double> {
    var probabilities = InlineArray<4, Double>(repeating: 0)
    for state in 0..<stateCount { probabilities[state] = filtered[state] }
    return probabilities
  }

  /// The parameters as they are now, in ascending variance; the start is that of the first parameters.
  ///
  /// - Throws: `ConfigurationError` when a number left the range of parameters.
  /// - Complexity: O(states²); allocates.
  public func parameters() throws(ConfigurationError) -> RegimeParameters {
    let states = 0..<stateCount
    return try RegimeParameters(
      start: states.map { chain.start[$0] }, transition: states.map { row in states.map { chain.rows[row][$0] } },
      means: states.map { emissions.means[$0] }, variances: states.map { emissions.variances[$0] },
      transitionFloor: rules.transitionFloor)
  }

  /// Everything it knows: a copy that goes on as the original would.
  @inlinable public func snapshot() -> OnlineHiddenMarkov { self }

  /// Goes on from a snapshot.
  ///
  /// - Throws: `ConfigurationError` when the snapshot is for another number of states, or holds what is no number; nothing changed.
  public mutating func restore(_ snapshot: OnlineHiddenMarkov) throws(ConfigurationError) {
    guard snapshot.stateCount == stateCount else {
      throw ConfigurationError(
        "online regime model: a snapshot of \(snapshot.stateCount) states, \(stateCount) expected")
    }
    _ = try snapshot.parameters()
    guard snapshot.statistics.isFinite, abs(snapshot.filtered.total - 1) <= 1e-9, snapshot.logLikelihood.isFinite else {
      throw ConfigurationError("online regime model: a snapshot of finite numbers expected")
    }
    self = snapshot
  }
}
