// Exponential and logarithm that give the same bits on every machine: a C library's may differ in the last place between
// versions and processors, and a decision must not. Square roots are exact in IEEE arithmetic and need no twin.

/// `exp`, `ln` and their kin from additions, multiplications and one division in a fixed order: same bits on every machine.
///
/// - Complexity: O(1), about 30 operations; no table, no allocation.
@frozen public enum DeterministicMath {
  /// ln 2 in its first 38 binary places, so that its product with an exponent is exact.
  @inlinable static var ln2High: Double { 0x1.62e42fefa0000p-1 }
  /// ln 2 less `ln2High`.
  @inlinable static var ln2Low: Double { 0x1.cf79abc9e3b3ap-40 }

  /// `e^x`, within 1 unit in the last place (relative error below 2.3e-16) where the result is normal.
  ///
  /// Infinity above 709.78, 0 below −745.13, NaN for NaN.
  ///
  /// - Source: `e^x = 2^k · e^r`, |r| ≤ ln 2 / 2, and the power series of `e^r` to r¹³; what it leaves out is below 5e-18.
  @inlinable public static func exp(_ x: Double) -> Double {
    guard x > -745.14 else { return x.isNaN ? x : 0 }
    guard x < 709.79 else { return x.isNaN ? x : .infinity }
    // Adding and taking away 1.5 · 2^52 rounds to the nearest integer, which then stands in the low bits of the sum.
    let shift = 0x1.8p52
    let shifted = x * 0x1.71547652b82fep0 + shift
    let k = shifted - shift
    // Wrapping: both patterns have the same exponent, so the difference is the small integer k.
    let exponent = Int64(bitPattern: shifted.bitPattern) &- Int64(bitPattern: shift.bitPattern)
    let high = x - k * ln2High
    let low = k * ln2Low
    let r = high - low
    let rest = (high - r) - low
    let r2 = r * r
    let r4 = r2 * r2
    let q0 = (0.5 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120))
    let q1 = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40_320 + r * (1.0 / 362_880))
    let q2 = (1.0 / 3_628_800 + r * (1.0 / 39_916_800)) + r2 * (1.0 / 479_001_600 + r * (1.0 / 6_227_020_800))
    let power = 1 + (r + (rest + r2 * (q0 + r4 * (q1 + r4 * q2))))
    // In two halves, because 2^k alone may be outside the range of normal numbers. Wrapping: |k| < 1100.
    let half = exponent >> 1
    return power * twoToThe(half) * twoToThe(exponent &- half)
  }

  /// The natural logarithm, within 1 unit in the last place (relative error below 2.3e-16).
  ///
  /// −infinity for 0, NaN below 0 and for NaN, infinity for infinity.
  ///
  /// - Source: `x = 2^k (1 + f)`, `ln(1 + f) = 2 artanh s` with `s = f / (2 + f)`, |s| < 0.172, as a power series to s²³;
  ///   what it leaves out is below 1e-18 of the whole.
  @inlinable public static func log(_ x: Double) -> Double {
    guard x > 0, x < .infinity else { return x == 0 ? -.infinity : (x > 0 ? x : .nan) }
    var scaled = x
    var k: Double = 0
    if x < .leastNormalMagnitude {
      scaled = x * 0x1p54
      k = -54
    }
    let bits = scaled.bitPattern
    let fraction = bits & 0x000f_ffff_ffff_ffff
    // Above √2 the fraction is halved, so that f lies around 0.
    let isAbove: UInt64 = fraction >= 0x0006_a09e_667f_3bcd ? 1 : 0
    // Wrapping: the exponent field has 11 bits.
    let m = Double(bitPattern: fraction | ((1023 &- isAbove) &<< 52))
    k += Double(Int64(bits &>> 52) &- 1023 &+ Int64(isAbove))
    let f = m - 1
    let h = 0.5 * f * f
    let s = f / (2 + f)
    let z = s * s
    let z2 = z * z
    let z4 = z2 * z2
    let p0 = (2.0 / 3 + z * (2.0 / 5)) + z2 * (2.0 / 7 + z * (2.0 / 9))
    let p1 = (2.0 / 11 + z * (2.0 / 13)) + z2 * (2.0 / 15 + z * (2.0 / 17))
    let p2 = (2.0 / 19 + z * (2.0 / 21)) + z2 * (2.0 / 23)
    let r = z * (p0 + z4 * (p1 + z4 * p2))
    // ln(1 + f) = f − (h − s (h + r)), the large part f kept apart to the end.
    return k * ln2High - ((h - (s * (h + r) + k * ln2Low)) - f)
  }

  /// `ln(numerator / denominator)`, accurate even where the two are nearly equal, and 0 unless both are positive.
  @inlinable public static func logRatio(_ numerator: Double, _ denominator: Double) -> Double {
    guard numerator > 0, denominator > 0 else { return 0 }
    let f = (numerator - denominator) / (numerator + denominator)
    if f > -0.1716, f < 0.1716 { return doubledArctanh(f) }
    return log(numerator) - log(denominator)
  }

  /// `2·artanh(f) = ln((1+f)/(1−f))` for `|f| < 0.172`.
  @inlinable static func doubledArctanh(_ f: Double) -> Double {
    let s = f * f
    let s2 = s * s
    let s4 = s2 * s2
    let a = (1 + s * (1.0 / 3)) + s2 * (1.0 / 5 + s * (1.0 / 7))
    let b = (1.0 / 9 + s * (1.0 / 11)) + s2 * (1.0 / 13 + s * (1.0 / 15))
    let c = (1.0 / 17 + s * (1.0 / 19)) + s2 * (1.0 / 21)
    return 2 * f * (a + s4 * (b + s4 * c))
  }

  /// `2^x` with a relative error below 1e-15 for `-1022 <= x <= 1022`; arguments outside are clamped to that range.
  ///
  /// - Complexity: no branch, no table.
  /// - Precondition: `x` is a number.
  @inlinable @inline(__always) public static func exp2(_ x: Double) -> Double {
    let bounded = min(max(x, -1022), 1022)
    // Adding 1.5 × 2^52 leaves the nearest integer in the low bits of the sum, in two's complement.
    let shifted = bounded + 0x1.8p52
    let z = (bounded - (shifted - 0x1.8p52)) * 0.693147180559945309417
    // |z| <= 0.3466, so the first term left out of the exponential series is below 5e-18.
    let z2 = z * z
    let z4 = z2 * z2
    let a = (1 + z) + z2 * (1.0 / 2 + z * (1.0 / 6))
    let b = (1.0 / 24 + z * (1.0 / 120)) + z2 * (1.0 / 720 + z * (1.0 / 5040))
    let c =
      (1.0 / 40320 + z * (1.0 / 362_880)) + z2 * (1.0 / 3_628_800 + z * (1.0 / 39_916_800))
    let d = 1.0 / 479_001_600 + z * (1.0 / 6_227_020_800)
    let fraction = a + z4 * (b + z4 * (c + z4 * d))
    // Wrapping: the exponent is between 1 and 2045, and the shift drops the high bits of the magic sum.
    return fraction * Double(bitPattern: (shifted.bitPattern &+ 1023) &<< 52)
  }

  /// `1 / (1 + e^−x)`, in [0, 1], with `sigmoid(x) + sigmoid(−x)` within 1 ulp of 1; NaN for NaN.
  @inlinable public static func sigmoid(_ x: Double) -> Double {
    let small = exp(x < 0 ? x : -x)
    return x < 0 ? small / (1 + small) : 1 / (1 + small)
  }

  /// `2^k`; exact.
  ///
  /// - Precondition: `−1022 <= k <= 1023`.
  @inlinable static func twoToThe(_ k: Int64) -> Double {
    // Wrapping: in range by the precondition.
    Double(bitPattern: UInt64(bitPattern: (k &+ 1023) &<< 52))
  }
}
