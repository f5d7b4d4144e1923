import TradingTypes

/// Gaussian emissions of one dimension.
struct ScalarEmissions: BitwiseCopyable {
  let stateCount: Int
  var means = StateVector()
  var variances = StateVector(repeating: 1)
  private var logPeaks = StateVector(repeating: -.infinity)
  private var precisionHalves = StateVector()

  init(_ model: borrowing HiddenMarkovModel) {
    stateCount = model.stateCount
    guard model.dimensionCount == 1 else { return }
    for state in 0..<stateCount {
      means[state] = model.means[state][0]
      variances[state] = model.covariances[state][0]
    }
    prepare()
  }

  /// What the densities need, from means and variances.
  mutating func prepare() {
    for state in 0..<stateCount {
      logPeaks[state] =
        -0.5 * (DeterministicMath.log(2 * Double.pi) + DeterministicMath.log(variances[state]))
      precisionHalves[state] = 0.5 / variances[state]
    }
  }

  /// Logarithms of the densities at `x`, in the order of operations of the filter of the hot path.
  @inline(__always) func logDensities(at x: Double) -> StateVector {
    let distances = x - means
    return logPeaks - distances * distances * precisionHalves
  }

  /// Densities at every observation, each row divided by its largest; the sum of the logarithms of those.
  ///
  /// - Complexity: O(observations), no allocation.
  func fill(_ densities: inout [StateVector], at observations: [Double]) -> Double {
    var densities = densities.mutableSpan
    let observations = observations.span
    var shifts = 0.0
    for row in observations.indices {
      let logarithms = logDensities(at: observations[row])
      let shift = logarithms.largest
      densities[row] = .densities(ofLogarithms: logarithms, shift: shift, stateCount: stateCount)
      shifts += shift
    }
    return shifts
  }

  /// Means and variances that are most likely under `weights`, variances in two passes; floors are applied after.
  ///
  /// - Parameters:
  ///   - weights: probability of each state at each observation.
  ///   - occupancy: their sums, positive.
  /// - Complexity: O(observations), no allocation.
  mutating func maximise(
    _ weights: [StateVector], _ occupancy: StateVector, at observations: [Double], varianceFloor: Double
  ) {
    let weights = weights.span
    let observations = observations.span
    var sums = StateVector()
    for row in observations.indices { sums += weights[row] * observations[row] }
    for state in 0..<stateCount { means[state] = sums[state] / occupancy[state] }
    var squares = StateVector()
    for row in observations.indices {
      let distances = observations[row] - means
      squares += weights[row] * (distances * distances)
    }
    for state in 0..<stateCount { variances[state] = max(squares[state] / occupancy[state], varianceFloor) }
    prepare()
  }
}
