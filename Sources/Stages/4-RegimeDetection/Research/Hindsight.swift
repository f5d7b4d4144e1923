import TradingTypes

/// What a model says of a series in hindsight: every answer about a day uses the days after it.
///
/// **Never trade on it, and never train a strategy on it.** On the day itself nobody knows what follows; a backtest that reads these
/// answers sees the future and looks better than anything that can be had. On the S&P 500 of 1999–2018 they name another regime
/// than the filter on 8 % (two states) and 12 % (three states) of all days, most often at the turns, where the money is. What
/// may be traded on is filtered: `RegimeFilter`. Hindsight is for looking at history: how long regimes lasted, when they began,
/// how a fit divides the past.
///
/// Nothing of the hot path can reach it.
public enum Hindsight {
  /// Smoothed probabilities: of each state at each observation, given the whole series.
  public struct Probabilities: Hashable, Sendable {
    /// States of the model.
    public let stateCount: Int
    /// `[observations × states]`, row-major; each row sums to 1.
    public let values: [Double]
    /// Log-likelihood of the series.
    public let logLikelihood: Double

    /// Probability of each state at observation `row`.
    ///
    /// - Precondition: the row is one of the series.
    public func values(at row: Int) -> ArraySlice<Double> { values[row * stateCount..<(row + 1) * stateCount] }

    /// The most probable state at each observation, each for itself; among equals the lowest.
    public var mostProbableStates: [Int] { FilteredSeries.mostProbableStates(values, stateCount) }
  }

  /// The single most probable path of states through the whole series.
  public struct Path: Hashable, Sendable {
    /// The state at each observation.
    public let states: [Int]
    /// Logarithm of the joint density of path and series.
    public let logProbability: Double

    /// Times the path goes from one state to another.
    public var transitionCount: Int { zip(states, states.dropFirst()).count { $0 != $1 } }
  }

  /// Smooths a series: forward and backward.
  ///
  /// - Parameters:
  ///   - observations: `[rows × dimensions]`, row-major, in order of time; finite, within ±1e6; one or more.
  /// - Throws: `HiddenMarkovError`: an observation out of range, or impossible.
  /// - Complexity: O(observations × states × (states + dimensions²)).
  /// - Source: Rabiner 1989, section III B.
  public static func smoothed(
    _ observations: [Double], _ model: HiddenMarkovModel
  ) throws(HiddenMarkovError) -> Probabilities {
    let series = try someSeries(observations, model)
    let emissions = SeriesEmissions(series, model)
    var pass = MarkovChain.Pass(count: series.count)
    var shifts = 0.0
    for row in 0..<series.count {
      let here = emissions.densities(at: row)
      pass.densities[row] = here.densities
      shifts += here.shift
    }
    let logLikelihood = try pass.run(MarkovChain(model))
    return Probabilities(
      stateCount: model.stateCount,
      values: pass.posteriors.flatMap { probabilities in (0..<model.stateCount).map { probabilities[$0] } },
      logLikelihood: shifts + logLikelihood)
  }

  /// The most probable path, by Viterbi's algorithm; among equals the lowest states.
  ///
  /// - Parameters:
  ///   - observations: `[rows × dimensions]`, row-major, in order of time; finite, within ±1e6; one or more.
  /// - Throws: `HiddenMarkovError`: an observation out of range, or impossible.
  /// - Complexity: O(observations × states × (states + dimensions²)); in logarithms, so that nothing underflows.
  /// - Source: Rabiner 1989, section III B, "Viterbi algorithm".
  public static func mostProbablePath(
    _ observations: [Double], _ model: HiddenMarkovModel
  ) throws(HiddenMarkovError) -> Path {
    let series = try someSeries(observations, model)
    let emissions = SeriesEmissions(series, model)
    let states = 0..<model.stateCount
    let logTransition = model.transition.map { $0.map { DeterministicMath.log($0) } }
    var best = model.start.map { DeterministicMath.log($0) }
    var origins: [UInt8] = []
    origins.reserveCapacity(series.count * model.stateCount)
    for row in 0..<series.count {
      let logDensities = emissions.logDensities(at: row)
      var next = best
      for state in states {
        var origin = 0
        if row > 0 {
          for before in states.dropFirst()
          where best[before] + logTransition[before][state] > best[origin] + logTransition[origin][state] {
            origin = before
          }
          next[state] = best[origin] + logTransition[origin][state]
        }
        next[state] += logDensities[state]
        origins.append(UInt8(origin))
      }
      guard next.contains(where: { $0 > -.infinity }) else { throw .impossible(row: row) }
      best = next
    }
    var state = 0
    for other in states where best[other] > best[state] { state = other }
    let logProbability = best[state]
    var path = [Int](repeating: 0, count: series.count)
    for row in stride(from: series.count - 1, through: 0, by: -1) {
      path[row] = state
      state = Int(origins[row * model.stateCount + state])
    }
    return Path(states: path, logProbability: logProbability)
  }

  private static func someSeries(
    _ observations: [Double], _ model: HiddenMarkovModel
  ) throws(HiddenMarkovError) -> ObservedSeries {
    let series = try ObservedSeries(observations, dimensionCount: model.dimensionCount)
    guard series.count > 0 else { throw .tooFewObservations(count: 0, minimum: 1, freeParameters: 0) }
    return series
  }
}
