import TradingTypes

/// A number for each state, a state a lane; lanes from the model's number of states on are 0.
typealias StateVector = SIMD4<Double>

extension StateVector {
  /// The lanes added from the first to the last, as the filter of the hot path adds them.
  @inline(__always) var total: Double { ((self[0] + self[1]) + self[2]) + self[3] }
  /// The largest lane.
  @inline(__always) var largest: Double { Swift.max(Swift.max(self[0], self[1]), Swift.max(self[2], self[3])) }

  /// Densities from their logarithms, divided by the largest; the largest's logarithm is `shift`.
  static func densities(ofLogarithms logarithms: StateVector, shift: Double, stateCount: Int) -> StateVector {
    var densities = StateVector()
    for state in 0..<stateCount { densities[state] = DeterministicMath.exp(logarithms[state] - shift) }
    return densities
  }

  /// `2^x` of two numbers within ±1000, in the bits of `DeterministicMath.exp2`.
  ///
  /// Never inlined: where the caller takes the lanes apart, the compiler would make the polynomials scalar.
  /// - SeeAlso: `DeterministicMath.exp2`, which defines the answer; the operations and their order are its own.
  @inline(never) static func pairExp2(_ x: SIMD2<Double>) -> SIMD2<Double> {
    let shift = SIMD2<Double>(repeating: 0x1.8p52)
    let shifted = x + shift
    let z = (x - (shifted - shift)) * 0.693147180559945309417
    let z2 = z * z
    let z4 = z2 * z2
    /// `a + z b`
    @inline(__always) func line(_ a: Double, _ b: Double) -> SIMD2<Double> { SIMD2(repeating: a) + z * b }
    let a = line(1, 1) + z2 * line(1.0 / 2, 1.0 / 6)
    let b = line(1.0 / 24, 1.0 / 120) + z2 * line(1.0 / 720, 1.0 / 5040)
    let c = line(1.0 / 40_320, 1.0 / 362_880) + z2 * line(1.0 / 3_628_800, 1.0 / 39_916_800)
    let d = line(1.0 / 479_001_600, 1.0 / 6_227_020_800)
    let fraction = a + z4 * (b + z4 * (c + z4 * d))
    // Wrapping: the low bits of the sum are the exponent, and the shift drops all others.
    return fraction
      * SIMD2(
        Double(bitPattern: (shifted[0].bitPattern &+ 1023) &<< 52),
        Double(bitPattern: (shifted[1].bitPattern &+ 1023) &<< 52))
  }
}
