import TradingTypes

/// The chain of a model: start and transitions in lanes.
struct MarkovChain: BitwiseCopyable {
  let stateCount: Int
  var start: StateVector
  /// Row `i` holds the probabilities of going from state i.
  var rows: InlineArray<4, StateVector>

  init(_ model: borrowing HiddenMarkovModel) {
    stateCount = model.stateCount
    start = StateVector()
    rows = InlineArray(repeating: StateVector())
    for state in 0..<stateCount {
      start[state] = model.start[state]
      for next in 0..<stateCount { rows[state][next] = model.transition[state][next] }
    }
  }

  /// Probability of each state one observation after `now`.
  @inline(__always) func predicted(after now: StateVector) -> StateVector {
    combined(rows, now)
  }

  /// `Σ matrix[state] · weights[state]` over the states, from the first on.
  ///
  /// Written out: a lane whose number is known stays in its register.
  @inline(__always) private func combined(
    _ matrix: InlineArray<4, StateVector>, _ weights: StateVector
  ) -> StateVector {
    var sum = matrix[0] * weights[0] + matrix[1] * weights[1]
    if stateCount > 2 { sum += matrix[2] * weights[2] }
    if stateCount > 3 { sum += matrix[3] * weights[3] }
    return sum
  }

  /// The columns of the matrix: column `j` holds the probabilities of going to state j.
  var columns: InlineArray<4, StateVector> {
    var columns = InlineArray<4, StateVector>(repeating: StateVector())
    for state in 0..<stateCount {
      for next in 0..<stateCount { columns[next][state] = rows[state][next] }
    }
    return columns
  }

  // MARK: - Recursions

  /// The logarithm of a product of scales: one logarithm for many.
  struct ScaleProduct {
    private var logarithms = 0.0
    private var product = 1.0

    @inline(__always) mutating func append(_ scale: Double) {
      if scale < 1e-150 {
        logarithms += DeterministicMath.log(scale)
        return
      }
      // Above 1e-300: neither factor is below 1e-150.
      product *= scale
      if product < 1e-150 {
        logarithms += DeterministicMath.log(product)
        product = 1
      }
    }

    var logarithm: Double { logarithms + DeterministicMath.log(product) }
  }

  /// The log-likelihood less the shifts of the densities.
  ///
  /// - Parameters:
  ///   - densities: of each state at each observation, divided by the largest.
  /// - Throws: `HiddenMarkovError.impossible` where no state that can be reached has a density above 0.
  /// - Complexity: O(observations × states²), no allocation.
  func logLikelihood(_ densities: [StateVector]) throws(HiddenMarkovError) -> Double {
    let densities = densities.span
    var predicted = start
    var scales = ScaleProduct()
    for row in densities.indices {
      let joint = predicted * densities[row]
      let scale = joint.total
      // Written so that NaN fails.
      guard scale > 0 else { throw .impossible(row: row) }
      predicted = self.predicted(after: joint / scale)
      scales.append(scale)
    }
    return scales.logarithm
  }

  /// What a pass over the series expects.
  struct Expectation {
    /// Log-likelihood less the shifts of the densities.
    var logLikelihood: Double
    /// Expected transitions, row is the state left.
    var transitions: InlineArray<4, StateVector>
    /// Expected observations of each state.
    var occupancy: StateVector
  }

  /// Smoothed probabilities of every observation, with expected transitions.
  ///
  /// Forward and backward recursion run in one loop from both ends: each waits for its own last result most of the time, so two
  /// take hardly longer than one.
  ///
  /// - Parameters:
  ///   - densities: of each state at each observation, divided by the largest; one row or more.
  ///   - posteriors: as many rows, overwritten by the smoothed probabilities.
  ///   - backward: as many rows, for the backward variables, each divided by its largest.
  ///   - factors: as many, for one over those largest.
  /// - Throws: `HiddenMarkovError.impossible`.
  /// - Complexity: O(observations × states²), no allocation.
  func expect(
    _ densities: [StateVector], posteriors: inout [StateVector], backward: inout [StateVector], factors: inout [Double]
  ) throws(HiddenMarkovError) -> Expectation {
    let densities = densities.span
    var posteriors = posteriors.mutableSpan
    var backward = backward.mutableSpan
    var factors = factors.mutableSpan
    let columns = columns
    let last = densities.count - 1
    var scales = ScaleProduct()
    var predicted = start
    var after = StateVector()
    for state in 0..<stateCount { after[state] = 1 }
    backward[last] = after
    for row in 0...last {
      let joint = predicted * densities[row]
      let scale = joint.total
      guard scale > 0 else { throw .impossible(row: row) }
      let now = joint / scale
      posteriors[row] = now
      predicted = self.predicted(after: now)
      scales.append(scale)

      let mirror = last - 1 - row
      guard mirror >= 0 else { continue }
      let ahead = densities[mirror + 1] * after
      let raw = combined(columns, ahead)
      let factor = 1 / raw.largest
      guard factor < .infinity else { throw .impossible(row: mirror + 1) }
      after = raw * factor
      backward[mirror] = after
      factors[mirror] = factor
    }

    var pairs = InlineArray<4, StateVector>(repeating: StateVector())
    var occupancy = posteriors[last]
    for row in 0..<last {
      let filtered = posteriors[row]
      let joint = filtered * backward[row]
      let scale = joint.total
      guard scale > 0 else { throw .impossible(row: row + 1) }
      let weights = filtered / scale
      let smoothed = joint / scale
      posteriors[row] = smoothed
      occupancy += smoothed
      // The factor `transition[i][j]` is the same at every row and comes last.
      let ahead = densities[row + 1] * backward[row + 1] * factors[row]
      pairs[0] += ahead * weights[0]
      pairs[1] += ahead * weights[1]
      if stateCount > 2 { pairs[2] += ahead * weights[2] }
      if stateCount > 3 { pairs[3] += ahead * weights[3] }
    }
    for state in 0..<stateCount { pairs[state] *= rows[state] }
    return Expectation(logLikelihood: scales.logarithm, transitions: pairs, occupancy: occupancy)
  }
}
