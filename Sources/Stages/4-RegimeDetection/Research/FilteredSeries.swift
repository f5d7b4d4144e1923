import TradingTypes

/// What a model's filter says at each observation of a whole series: probabilities given the past and the present alone.
///
/// For research and for checking. Of one dimension it equals `RegimeFilter` bit for bit; of several it is the only filter there is.
/// - Source: Hamilton 1989, section 4.
public struct FilteredSeries: Hashable, Sendable {
  /// States of the model.
  public let stateCount: Int
  /// Filtered probability of each state after each observation, `[observations × states]`, row-major.
  public let probabilities: [Double]
  /// What each observation adds to the log-likelihood, `[observations]`.
  public let increments: [Double]
  /// Observations no state that could be reached explains, after which the filter began anew.
  public let restartCount: Int

  /// Log-likelihood of the series: the increments, added in order.
  public var logLikelihood: Double { increments.reduce(0, +) }

  /// Runs the filter of `model` over `observations`.
  ///
  /// - Parameters:
  ///   - observations: `[rows × dimensions]`, row-major, in order of time; finite, within ±1e6.
  /// - Throws: `HiddenMarkovError` naming the first observation that is out of range.
  /// - Complexity: O(observations × states × (states + dimensions²)).
  public init(_ observations: [Double], _ model: HiddenMarkovModel) throws(HiddenMarkovError) {
    let series = try ObservedSeries(observations, dimensionCount: model.dimensionCount)
    let emissions = SeriesEmissions(series, model)
    let chain = MarkovChain(model)
    var probabilities: [Double] = []
    var increments: [Double] = []
    probabilities.reserveCapacity(series.count * model.stateCount)
    increments.reserveCapacity(series.count)
    var restarts = 0
    var predicted = chain.start
    for row in 0..<series.count {
      let (densities, shift) = emissions.densities(at: row)
      var joint = predicted * densities
      if joint.total <= 0 {
        restarts += 1
        joint = densities
      }
      let scale = joint.total
      let now = joint / scale
      for state in 0..<model.stateCount { probabilities.append(now[state]) }
      increments.append(shift + DeterministicMath.log(scale))
      predicted = chain.predicted(after: now)
    }
    stateCount = model.stateCount
    self.probabilities = probabilities
    self.increments = increments
    restartCount = restarts
  }

  /// Probability of each state after observation `row`.
  ///
  /// - Precondition: the row is one of the series.
  public func probabilities(at row: Int) -> ArraySlice<Double> {
    probabilities[row * stateCount..<(row + 1) * stateCount]
  }

  /// The most probable state after each observation; among equals the lowest.
  public var mostProbableStates: [Int] { Self.mostProbableStates(probabilities, stateCount) }

  static func mostProbableStates(_ probabilities: [Double], _ stateCount: Int) -> [Int] {
    stride(from: 0, to: probabilities.count, by: stateCount).map { first in
      var best = 0
      for state in 1..<stateCount where probabilities[first + state] > probabilities[first + best] { best = state }
      return best
    }
  }
}
