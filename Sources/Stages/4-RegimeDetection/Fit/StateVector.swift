import TradingTypes

/// A number for each state, a state a lane; lanes from the model's number of states on are 0.
typealias StateVector = SIMD4<Double>

extension StateVector {
  /// The lanes added from the first to the last, as the filter of the hot path adds them.
  @inline(__always) var total: Double { ((self[0] + self[1]) + self[2]) + self[3] }
  /// The largest lane.
  @inline(__always) var largest: Double { Swift.max(Swift.max(self[0], self[1]), Swift.max(self[2], self[3])) }

  /// Densities from their logarithms, divided by the largest; the largest's logarithm is `shift`.
  @inline(__always) static func densities(ofLogarithms logarithms: StateVector, shift: Double) -> StateVector {
    var result = StateVector()
    for state in 0..<4 { result[state] = DeterministicMath.exp(logarithms[state] - shift) }
    return result
  }
}
