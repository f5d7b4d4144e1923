import TradingTypes

/// A number for each state, a state a lane; lanes from the model's number of states on are 0.
typealias StateVector = SIMD4<Double>

extension StateVector {
  /// The lanes added from the first to the last, as the filter of the hot path adds them.
  @inline(__always) var total: Double { ((self[0] + self[1]) + self[2]) + self[3] }
  /// The largest lane.
  @inline(__always) var largest: Double { Swift.max(Swift.max(self[0], self[1]), Swift.max(self[2], self[3])) }

  /// Densities from their logarithms, divided by the largest; the largest's logarithm is `shift`.
  @inline(__always) static func densities(
    ofLogarithms logarithms: StateVector, shift: Double, stateCount: Int
  ) -> StateVector {
    let first = pairExp(SIMD2(logarithms[0] - shift, logarithms[1] - shift))
    guard stateCount > 2 else { return StateVector(first[0], first[1], 0, 0) }
    // Of three states the last stands twice, so that no lane is −infinity.
    let last = logarithms[stateCount - 1] - shift
    let second = pairExp(SIMD2(logarithms[2] - shift, last))
    return StateVector(first[0], first[1], second[0], stateCount > 3 ? second[1] : 0)
  }

  /// `e^x` of two numbers that are 0 or below, in the bits of `DeterministicMath.exp`.
  ///
  /// - SeeAlso: `DeterministicMath.exp`, which defines the answer; the operations and their order are its own.
  @inline(__always) static func pairExp(_ x: SIMD2<Double>) -> SIMD2<Double> {
    // Below, the result may be no normal number, and 2^k alone is out of range.
    guard x[0] > -707, x[1] > -707 else { return SIMD2(DeterministicMath.exp(x[0]), DeterministicMath.exp(x[1])) }
    let shift = SIMD2<Double>(repeating: 0x1.8p52)
    let shifted = x * 0x1.71547652b82fep0 + shift
    let k = shifted - shift
    let high = x - k * 0x1.62e42fefa0000p-1
    let low = k * 0x1.cf79abc9e3b3ap-40
    let r = high - low
    let rest = (high - r) - low
    let r2 = r * r
    let r4 = r2 * r2
    /// `a + r b`
    @inline(__always) func line(_ a: Double, _ b: Double) -> SIMD2<Double> { SIMD2(repeating: a) + r * b }
    let q0 = line(0.5, 1.0 / 6) + r2 * line(1.0 / 24, 1.0 / 120)
    let q1 = line(1.0 / 720, 1.0 / 5040) + r2 * line(1.0 / 40_320, 1.0 / 362_880)
    let q2 = line(1.0 / 3_628_800, 1.0 / 39_916_800) + r2 * line(1.0 / 479_001_600, 1.0 / 6_227_020_800)
    let series = q0 + r4 * (q1 + r4 * q2)
    let power = SIMD2<Double>(repeating: 1) + (r + (rest + r2 * series))
    // Wrapping: the low bits of the sum are k from −1020 on, and the shift drops all others.
    return power
      * SIMD2(
        Double(bitPattern: (shifted[0].bitPattern &+ 1023) &<< 52),
        Double(bitPattern: (shifted[1].bitPattern &+ 1023) &<< 52))
  }
}
