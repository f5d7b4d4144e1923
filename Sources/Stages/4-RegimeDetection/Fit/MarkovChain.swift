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
  @inline(__always) func combined(
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

  /// Outside, a vector is divided by its total. Between, the recursions go on without: a step waits for a division about once
  /// in fifty observations. Far from the smallest number, so that a state that is nearly ruled out keeps its digits.
  @inline(__always) private static func isNear(_ total: Double) -> Bool { total >= 0x1p-64 && total <= 0x1p64 }

  /// Forward variables of one observation after the other.
  private struct Forward {
    /// Probability of each state at the next observation, times a number.
    var predicted: StateVector
    private var total = 1.0
    private var logarithms = 0.0

    init(_ chain: borrowing MarkovChain) { predicted = chain.start }

    /// - Returns: the forward variables of the row; their total is 2^−64 to 2^64.
    @inline(__always) mutating func step(
      _ chain: borrowing MarkovChain, _ densities: StateVector, _ row: Int
    ) throws(HiddenMarkovError) -> StateVector {
      var joint = predicted * densities
      total = joint.total
      if !MarkovChain.isNear(total) {
        // Written so that NaN fails.
        guard total > 0, total < .infinity else { throw .impossible(row: row) }
        logarithms += DeterministicMath.log(total)
        joint /= total
        total = 1
      }
      predicted = chain.predicted(after: joint)
      return joint
    }

    /// Of all that was divided by.
    var logarithm: Double { logarithms + DeterministicMath.log(total) }
  }

  /// The log-likelihood less the shifts of the densities.
  ///
  /// - Parameters:
  ///   - densities: of each state at each observation, each row divided by one number.
  /// - Throws: `HiddenMarkovError.impossible` where no state that can be reached has a density above 0.
  /// - Complexity: O(observations × states²), no allocation.
  func logLikelihood(_ densities: [StateVector]) throws(HiddenMarkovError) -> Double {
    let densities = densities.span
    var forward = Forward(self)
    for row in densities.indices { _ = try forward.step(self, densities[row], row) }
    return forward.logarithm
  }

  /// A pass over a series: rows that are overwritten, and what it expects.
  struct Pass {
    /// Densities of each state at each observation, each row divided by one number; filled before the pass.
    var densities: [StateVector]
    /// The smoothed probabilities.
    private(set) var posteriors: [StateVector]
    /// Backward variables.
    private var backward: [StateVector]
    /// Densities at the next observation times the backward variables there, in the scale of the row's own.
    private var ahead: [StateVector]
    /// Expected transitions, row is the state left.
    private(set) var transitions = InlineArray<4, StateVector>(repeating: StateVector())
    /// Expected observations of each state.
    private(set) var occupancy = StateVector()
    /// The first row of which past and future share so little probability that no number holds the transitions out of it; the posteriors
    /// stand all the same.
    private(set) var rowWithoutTransitions: Int?

    /// - Complexity: O(count); takes 128 bytes an observation.
    init(count: Int) {
      densities = Array(repeating: StateVector(), count: count)
      (posteriors, backward, ahead) = (densities, densities, densities)
    }

    /// Smoothed probabilities of every observation, with expected transitions.
    ///
    /// Forward and backward recursion run in one loop from both ends: each waits for its own last result most of the time, so two
    /// take hardly longer than one.
    ///
    /// - Returns: the log-likelihood less the shifts of the densities.
    /// - Throws: `HiddenMarkovError.impossible`.
    /// - Complexity: O(observations × states²), no allocation.
    mutating func run(_ chain: MarkovChain) throws(HiddenMarkovError) -> Double {
      let logLikelihood = try Self.recur(chain, densities, &posteriors, &backward, &ahead)
      (transitions, occupancy, rowWithoutTransitions) = try Self.combine(chain, &posteriors, backward, ahead)
      return logLikelihood
    }

    private static func recur(
      _ chain: MarkovChain, _ densities: [StateVector], _ forwards: inout [StateVector],
      _ backward: inout [StateVector],
      _ aheads: inout [StateVector]
    ) throws(HiddenMarkovError) -> Double {
      let densities = densities.span
      var forwards = forwards.mutableSpan
      var backward = backward.mutableSpan
      var aheads = aheads.mutableSpan
      let columns = chain.columns
      let last = densities.count - 1
      var forward = Forward(chain)
      var after = StateVector()
      for state in 0..<chain.stateCount { after[state] = 1 }
      backward[last] = after
      for row in 0..<last {
        forwards[row] = try forward.step(chain, densities[row], row)

        let mirror = last - 1 - row
        var ahead = densities[mirror + 1] * after
        after = chain.combined(columns, ahead)
        let total = after.total
        if !MarkovChain.isNear(total) {
          let factor = 1 / total
          guard factor > 0, factor < .infinity else { throw .impossible(row: mirror + 1) }
          after *= factor
          ahead *= factor
        }
        backward[mirror] = after
        aheads[mirror] = ahead
      }
      forwards[last] = try forward.step(chain, densities[last], last)
      return forward.logarithm
    }

    private static func combine(
      _ chain: MarkovChain, _ posteriors: inout [StateVector], _ backward: [StateVector], _ aheads: [StateVector]
    ) throws(HiddenMarkovError) -> (transitions: InlineArray<4, StateVector>, occupancy: StateVector, row: Int?) {
      var posteriors = posteriors.mutableSpan
      let backward = backward.span
      let aheads = aheads.span
      let last = posteriors.count - 1
      var pairs = InlineArray<4, StateVector>(repeating: StateVector())
      posteriors[last] /= posteriors[last].total
      var occupancy = posteriors[last]
      var rowWithoutTransitions: Int?
      for row in 0..<last {
        let joint = posteriors[row] * backward[row]
        let total = joint.total
        var inverse = 1 / total
        var smoothed = joint * inverse
        if !(total > 0x1p-1000) {
          // Near the smallest number, its inverse is none.
          guard total > 0 else { throw .impossible(row: row + 1) }
          smoothed = joint / total
          smoothed /= smoothed.total
          if inverse == .infinity {
            rowWithoutTransitions = rowWithoutTransitions ?? row
            inverse = 0
          }
        }
        let weights = posteriors[row] * inverse
        posteriors[row] = smoothed
        occupancy += smoothed
        // The factor `transition[i][j]` is the same at every row and comes last.
        let ahead = aheads[row]
        pairs[0] += ahead * weights[0]
        pairs[1] += ahead * weights[1]
        if chain.stateCount > 2 { pairs[2] += ahead * weights[2] }
        if chain.stateCount > 3 { pairs[3] += ahead * weights[3] }
      }
      for state in 0..<chain.stateCount { pairs[state] *= chain.rows[state] }
      return (pairs, occupancy, rowWithoutTransitions)
    }
  }
}
