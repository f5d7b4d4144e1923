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

  /// Densities at every observation, each row divided by one number; the sum of the logarithms of those.
  ///
  /// Divided by the first state's: its own exponential is saved, and no branch asks which state is the most likely. Two
  /// observations are taken side by side, unless a state is far from one: that row is divided by its largest.
  /// - Complexity: O(observations), no allocation.
  func fill(_ densities: inout [StateVector], at observations: [Double]) -> Double {
    var densities = densities.mutableSpan
    let observations = observations.span
    // Logarithms to base 2.
    let binary = 0x1.71547652b82fep0
    let peaks = logPeaks * binary
    let precisions = precisionHalves * binary
    var (shifts, binaryShifts) = (0.0, 0.0)
    var row = 0
    while row < observations.count {
      if row + 1 < observations.count {
        let pair = SIMD2(observations[row], observations[row + 1])
        @inline(__always) func logarithms(_ state: Int) -> SIMD2<Double> {
          let distances = pair - means[state]
          return peaks[state] - distances * distances * precisions[state]
        }
        let base = logarithms(0)
        let first = logarithms(1) - base
        let second = stateCount > 2 ? logarithms(2) - base : SIMD2()
        let third = stateCount > 3 ? logarithms(3) - base : SIMD2()
        let squares = first * first + second * second + third * third
        // Written so that NaN fails.
        if squares[0] + squares[1] < 200 * 200 {
          let one = StateVector.pairExp2(first)
          let two = stateCount > 2 ? StateVector.pairExp2(second) : SIMD2()
          let three = stateCount > 3 ? StateVector.pairExp2(third) : SIMD2()
          densities[row] = StateVector(1, one[0], two[0], three[0])
          densities[row + 1] = StateVector(1, one[1], two[1], three[1])
          binaryShifts += base[0] + base[1]
          row += 2
          continue
        }
      }
      let logarithms = logDensities(at: observations[row])
      let shift = logarithms.largest
      densities[row] = .densities(ofLogarithms: logarithms, shift: shift, stateCount: stateCount)
      shifts += shift
      row += 1
    }
    return shifts + binaryShifts / binary
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
