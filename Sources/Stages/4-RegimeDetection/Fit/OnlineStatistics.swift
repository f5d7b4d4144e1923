/// What the online fit remembers: expected statistics of the past, given the state it ends in.
///
/// In each vector the lane is the state at the newest observation. A statistic's own value is the sum over lanes times the
/// filtered probabilities.
struct OnlineStatistics: BitwiseCopyable {
  /// Share of observations, of their distance from the centre and of its square, by state.
  var counts = InlineArray<4, StateVector>(repeating: StateVector())
  var distances = InlineArray<4, StateVector>(repeating: StateVector())
  var squares = InlineArray<4, StateVector>(repeating: StateVector())
  /// Share of transitions from state `i` to state `j`, at `4 × i + j`.
  var transitions = InlineArray<16, StateVector>(repeating: StateVector())

  /// Takes in an observation.
  ///
  /// - Parameters:
  ///   - x: the observation's distance from the centre.
  ///   - origins: row `i` holds the probability that state i came before, by the state now.
  ///   - step: weight of the new observation.
  @inline(__always) mutating func append(
    _ x: Double, origins: InlineArray<4, StateVector>, step: Double, stateCount: Int
  ) {
    let keep = 1 - step
    for state in 0..<stateCount {
      var (count, distance, square) = (StateVector(), StateVector(), StateVector())
      for before in 0..<stateCount {
        count += origins[before] * counts[state][before]
        distance += origins[before] * distances[state][before]
        square += origins[before] * squares[state][before]
      }
      counts[state] = count * keep
      distances[state] = distance * keep
      squares[state] = square * keep
      counts[state][state] += step
      distances[state][state] += step * x
      squares[state][state] += step * (x * x)
    }
    for from in 0..<stateCount {
      for to in 0..<stateCount {
        var moved = StateVector()
        for before in 0..<stateCount { moved += origins[before] * transitions[4 * from + to][before] }
        moved *= keep
        moved[to] += step * origins[from][to]
        transitions[4 * from + to] = moved
      }
    }
  }

  /// Exchanges two states everywhere.
  mutating func exchange(_ one: Int, _ other: Int) {
    func exchanged(_ vector: StateVector) -> StateVector {
      var vector = vector
      (vector[one], vector[other]) = (vector[other], vector[one])
      return vector
    }
    func place(_ state: Int) -> Int { state == one ? other : (state == other ? one : state) }
    let old = self
    for state in 0..<4 {
      counts[state] = exchanged(old.counts[place(state)])
      distances[state] = exchanged(old.distances[place(state)])
      squares[state] = exchanged(old.squares[place(state)])
      for next in 0..<4 {
        transitions[4 * state + next] = exchanged(old.transitions[4 * place(state) + place(next)])
      }
    }
  }

  /// Whether every number is one.
  var isFinite: Bool {
    var sum = StateVector()
    for state in 0..<4 { sum += counts[state] + distances[state] + squares[state] }
    for pair in 0..<16 { sum += transitions[pair] }
    return sum.total.isFinite
  }
}
