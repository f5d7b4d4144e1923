public import LockFreeRings
public import TradingTypes

/// What the filter knows of one instrument: its snapshot.
@frozen public struct RegimeState: BitwiseCopyable, Sendable {
  /// Filtered probability of each state given everything observed, by state; sums to 1.
  public var probabilities: InlineArray<4, Double>
  /// Log-likelihood of the observations under the model.
  public var logLikelihood: Double
  /// Observations that were taken.
  public var observations: Int64
  /// Times the regime in force changed.
  public var flips: Int64
  /// The regime in force.
  public var regime: Regime
  /// The most probable regime at the last observation.
  public var candidate: Regime
  /// Observations in a row, up to the last one, for which `candidate` was the most probable.
  public var candidateObservations: Int32

  /// What is known of an instrument before its first observation: the model's start.
  ///
  /// The regime in force is the most probable one at the start.
  @inlinable public init(start parameters: borrowing RegimeParameters, table: borrowing RegimeTable) {
    probabilities = parameters.start
    logLikelihood = 0
    observations = 0
    flips = 0
    regime = .sideways
    candidate = .sideways
    candidateObservations = 0
    regime = RegimeFilter.mostProbable(RegimeFilter.sums(probabilities, table))
    candidate = regime
  }
}

/// Follows the market regime of each instrument by a hidden Markov model's filter, and applies the regime table to forecasts.
///
/// Filtered probabilities only: a smoothed or Viterbi path would look into the future.
/// - Complexity: a step is O(states²), 50 ns for two and 80 ns for four; nothing allocates after `init`.
/// - Source: Hamilton 1989, "A new approach to the economic analysis of nonstationary time series", section 4; densities
///   are divided by the largest one first, so that no observation can make all of them underflow.
@frozen public struct RegimeFilter: ~Copyable {
  /// The model.
  public private(set) var parameters: RegimeParameters
  /// The regime table.
  public private(set) var table: RegimeTable
  @usableFromInline var states: Slab<RegimeState>
  @usableFromInline var refusals: Int64 = 0
  @usableFromInline var restarts: Int64 = 0
  // Borrowed without a copy.
  @usableFromInline let place = InPlace()

  /// A filter that has observed nothing.
  ///
  /// - Parameters:
  ///   - instrumentCount: instruments, positive; ids are below it.
  /// - Throws: `ConfigurationError` when the table is for another number of states than the model.
  public init(
    instrumentCount: Int, parameters: RegimeParameters, table: RegimeTable, in arena: Arena
  ) throws(ConfigurationError) {
    guard instrumentCount > 0 else {
      throw ConfigurationError("regime filter: \(instrumentCount) instruments, 1 or more expected")
    }
    try Self.check(table, for: parameters)
    self.parameters = parameters
    self.table = table
    states = Slab(repeating: RegimeState(start: parameters, table: table), count: instrumentCount, in: arena)
  }

  /// Instruments it follows.
  @inlinable public var instrumentCount: Int { states.count }

  /// Observations refused because they, or all densities at them, were not finite, over all instruments.
  @inlinable public var refusalCount: Int64 { refusals }

  /// Observations the model calls impossible (every reachable state underflows), after which the filter began anew.
  @inlinable public var restartCount: Int64 { restarts }

  /// Takes the next return of `id`, in percent.
  ///
  /// A return that is not finite, or so large that every density is zero even as a logarithm, is refused and counted; the
  /// state stays. Where every state that can be reached is impossible at this return (only a model with zero transitions
  /// can get there), the filter begins anew from the densities alone, counted.
  ///
  /// - Precondition: `id.index < instrumentCount`.
  @inlinable public mutating func step(_ id: InstrumentID, returnPercent: Double) {
    let index = Int(id.index)
    precondition(index < states.count, "RegimeFilter: the instrument is below instrumentCount")
    let count = parameters.stateCount
    var densities = InlineArray<4, Double>(repeating: -.infinity)
    var shift = -Double.infinity
    for state in 0..<count {
      let distance = returnPercent - parameters.means[state]
      let density = parameters.logPeaks[state] - distance * distance * parameters.precisionHalves[state]
      densities[state] = density
      shift = max(shift, density)
    }
    // A NaN return fails the comparison: every density and the maximum are then NaN or −infinity.
    guard returnPercent.isFinite, shift > -.infinity else {
      refusals += 1
      return
    }
    let prior = states[index].probabilities
    // The start is the distribution of the first observation's state: no transition lies before it.
    let isFirst = states[index].observations == 0
    var weights = InlineArray<4, Double>(repeating: 0)
    var sum = 0.0
    for state in 0..<count {
      densities[state] = DeterministicMath.exp(densities[state] - shift)
      var predicted = prior[state]
      if !isFirst {
        predicted = 0
        for before in 0..<count { predicted += prior[before] * parameters.transition[4 * before + state] }
      }
      weights[state] = predicted * densities[state]
      sum += weights[state]
    }
    if sum <= 0 {
      restarts += 1
      sum = 0
      for state in 0..<count {
        weights[state] = densities[state]
        sum += densities[state]
      }
    }
    for state in 0..<count { states[index].probabilities[state] = weights[state] / sum }
    states[index].logLikelihood += shift + DeterministicMath.log(sum)
    states[index].observations += 1
    follow(index)
  }

  /// Applies the hysteresis after an observation.
  @inlinable mutating func follow(_ index: Int) {
    let sums = Self.sums(states[index].probabilities, table)
    let first = Self.mostProbable(sums)
    if first == states[index].candidate {
      // Saturates: only whether it reached `observationsMin` matters.
      if states[index].candidateObservations < .max { states[index].candidateObservations += 1 }
    } else {
      states[index].candidate = first
      states[index].candidateObservations = 1
    }
    guard first != states[index].regime, sums[Int(first.rawValue)] > table.hysteresis.probabilityMin,
      states[index].candidateObservations >= table.hysteresis.observationsMin
    else { return }
    states[index].regime = first
    states[index].flips += 1
  }

  /// Probability of each regime: the sum over the states that have its role, by the regime's raw value.
  @inlinable static func sums(
    _ probabilities: InlineArray<4, Double>, _ table: borrowing RegimeTable
  ) -> InlineArray<3, Double> {
    var sums = InlineArray<3, Double>(repeating: 0)
    for state in 0..<table.stateCount { sums[Int(table.roles[state].rawValue)] += probabilities[state] }
    for regime in 0..<3 { sums[regime] = min(sums[regime], 1) }
    return sums
  }

  /// The most probable regime; among equals the more careful one, bear before sideways before bull.
  @inlinable static func mostProbable(_ sums: InlineArray<3, Double>) -> Regime {
    if sums[0] >= sums[1], sums[0] >= sums[2] { return .bear }
    return sums[1] >= sums[2] ? .sideways : .bull
  }

  /// Filtered probabilities of the three regimes: slots 82, 83 and 84.
  @inlinable public func probabilities(of id: InstrumentID) -> (bear: Double, sideways: Double, bull: Double) {
    let sums = Self.sums(states[Int(id.index)].probabilities, table)
    return (sums[0], sums[1], sums[2])
  }

  /// Filtered probability of each state, by state; 0 from `stateCount` on.
  @inlinable public func stateProbabilities(of id: InstrumentID) -> InlineArray<4, Double> {
    states[Int(id.index)].probabilities
  }

  /// Probability of each state at the next observation, given what was observed.
  public func predictedProbabilities(of id: InstrumentID) -> InlineArray<4, Double> {
    let now = states[Int(id.index)]
    guard now.observations > 0 else { return now.probabilities }
    var next = InlineArray<4, Double>(repeating: 0)
    for state in 0..<parameters.stateCount {
      for before in 0..<parameters.stateCount {
        next[state] += now.probabilities[before] * parameters.transition[4 * before + state]
      }
    }
    return next
  }

  /// The regime in force, after hysteresis.
  @inlinable public func regime(of id: InstrumentID) -> Regime { states[Int(id.index)].regime }

  /// Log-likelihood of everything observed of `id`.
  @inlinable public func logLikelihood(of id: InstrumentID) -> Double { states[Int(id.index)].logLikelihood }

  /// The forecast as the regime in force trades it: signal × multiplier, confidence × probability of the regime.
  ///
  /// `directionProbability` is the forecast's own probability of the direction that is then traded. Momentum keeps the
  /// forecast's direction, at least ½. Mean reversion trades against it, and the only calibrated probability there is
  /// says 1 − that, at most ½: sizing then takes the position only where its payoff ratio pays for being wrong more often
  /// than right, and bets less the surer the forecast was. A multiplier or signal of 0 trades nothing: ½.
  ///
  /// A forecast that is not usable, or holds what no forecast may hold (NaN, a probability outside [0, 1]), gives a signal
  /// of 0 with confidence 0.
  ///
  /// - Precondition: `id.index < instrumentCount`.
  @inlinable public func adjust(_ forecast: Forecast, for id: InstrumentID) -> RegimeSignal {
    let regime = states[Int(id.index)].regime
    let probability = Self.sums(states[Int(id.index)].probabilities, table)[Int(regime.rawValue)]
    // Written so that NaN fails.
    guard forecast.isUsable, forecast.probabilityUp >= 0, forecast.probabilityUp <= 1, forecast.signal >= -1,
      forecast.signal <= 1, forecast.confidence >= 0, forecast.confidence <= 1
    else {
      return RegimeSignal(
        regime: regime, probability: probability, signal: 0, confidence: 0, directionProbability: 0.5)
    }
    let signal = forecast.signal * table.rule(of: regime).multiplier
    let up = forecast.probabilityUp
    return RegimeSignal(
      regime: regime, probability: probability, signal: signal, confidence: forecast.confidence * probability,
      directionProbability: signal > 0 ? up : (signal < 0 ? 1 - up : 0.5))
  }

  // MARK: - Snapshot, restore, refit

  /// Everything known of `id`.
  @inlinable public func snapshot(of id: InstrumentID) -> RegimeState { states[Int(id.index)] }

  /// Takes over a snapshot made under the same model.
  ///
  /// - Throws: `ConfigurationError` when its probabilities are no distribution over the model's states.
  public mutating func restore(_ snapshot: RegimeState, of id: InstrumentID) throws(ConfigurationError) {
    var sum = 0.0
    for state in 0..<4 {
      let probability = snapshot.probabilities[state]
      guard probability >= 0, probability <= 1, state < parameters.stateCount || probability == 0 else {
        throw ConfigurationError("regime snapshot: probability \(state) is \(probability)")
      }
      sum += probability
    }
    guard abs(sum - 1) <= 1e-9, snapshot.logLikelihood.isFinite, snapshot.observations >= 0,
      snapshot.candidateObservations >= 0
    else { throw ConfigurationError("regime snapshot: probabilities sum to \(sum), expected 1, and finite values") }
    states[Int(id.index)] = snapshot
  }

  /// Puts a refitted model in place; every instrument begins anew at its start.
  ///
  /// Seed it by stepping over the last 250 or so returns of each instrument. Off the hot path.
  ///
  /// - Throws: `ConfigurationError` when the table is for another number of states; nothing changed.
  public mutating func adopt(_ parameters: RegimeParameters, table: RegimeTable) throws(ConfigurationError) {
    try Self.check(table, for: parameters)
    self.parameters = parameters
    self.table = table
    for index in 0..<states.count { states[index] = RegimeState(start: parameters, table: table) }
  }

  private static func check(_ table: RegimeTable, for parameters: RegimeParameters) throws(ConfigurationError) {
    guard table.stateCount == parameters.stateCount else {
      throw ConfigurationError(
        "regime filter: a table for \(table.stateCount) states, the model has \(parameters.stateCount)")
    }
  }
}
