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
    var next = StateVector()
    for state in 0..<stateCount { next += rows[state] * now[state] }
    return next
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

  /// Filtered probabilities of every observation; the log-likelihood less the shifts of the densities.
  ///
  /// - Parameters:
  ///   - densities: of each state at each observation, divided by the largest.
  ///   - filtered: as many rows, overwritten.
  /// - Throws: `HiddenMarkovError.impossible` where no state that can be reached has a density above 0.
  /// - Complexity: O(observations × states²), no allocation.
  func filter(_ densities: [StateVector], into filtered: inout [StateVector]) throws(HiddenMarkovError) -> Double {
    let densities = densities.span
    var filtered = filtered.mutableSpan
    var predicted = start
    var logLikelihood = 0.0
    // A logarithm of a product of many scales in place of one a scale.
    var product = 1.0
    for row in densities.indices {
      let joint = predicted * densities[row]
      let scale = joint.total
      // Written so that NaN fails.
      guard scale > 0 else { throw .impossible(row: row) }
      let now = joint / scale
      filtered[row] = now
      predicted = self.predicted(after: now)
      if scale < 1e-150 {
        logLikelihood += DeterministicMath.log(scale)
        continue
      }
      // Above 1e-300: neither factor is below 1e-150.
      product *= scale
      if product < 1e-150 {
        logLikelihood += DeterministicMath.log(product)
        product = 1
      }
    }
    return logLikelihood + DeterministicMath.log(product)
  }

  /// Turns filtered probabilities into smoothed ones; expected transitions, and expected observations of each state.
  ///
  /// - Throws: `HiddenMarkovError.impossible` where what follows an observation has no density above 0.
  /// - Complexity: O(observations × states²), no allocation.
  func smooth(
    _ posteriors: inout [StateVector], _ densities: [StateVector]
  ) throws(HiddenMarkovError) -> (transitions: InlineArray<4, StateVector>, occupancy: StateVector) {
    let densities = densities.span
    var posteriors = posteriors.mutableSpan
    let columns = columns
    var pairs = InlineArray<4, StateVector>(repeating: StateVector())
    var backward = StateVector()
    for state in 0..<stateCount { backward[state] = 1 }
    var occupancy = posteriors[posteriors.count - 1]
    for row in stride(from: posteriors.count - 2, through: 0, by: -1) {
      let ahead = densities[row + 1] * backward
      var raw = StateVector()
      for state in 0..<stateCount { raw += columns[state] * ahead[state] }
      let filtered = posteriors[row]
      let scale = (filtered * raw).total
      guard scale > 0 else { throw .impossible(row: row + 1) }
      let weights = filtered / scale
      let smoothed = weights * raw
      posteriors[row] = smoothed
      occupancy += smoothed
      // The factor `transition[i][j]` is the same at every row and comes last.
      for state in 0..<stateCount { pairs[state] += ahead * weights[state] }
      backward = raw / raw.largest
    }
    for state in 0..<stateCount { pairs[state] *= rows[state] }
    return (pairs, occupancy)
  }
}
