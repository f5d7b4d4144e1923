/// Functions with one answer on every machine: fixed polynomials over separate additions and multiplications, no libm.
public enum DeterministicMath {
  /// e to the power `x`, within 1 ulp or so for results that are normal numbers; 0 below −708, and 709 is the largest
  /// `x`.
  ///
  /// - Source: Cody and Waite 1980, chapter 6, for the reduction; the polynomial is the Taylor series to degree 13,
  ///   whose remainder on |r| ≤ ln 2 / 2 is below 1e-17.
  @inlinable public static func exponential(_ x: Double) -> Double {
    guard x >= -708 else { return x.isNaN ? x : 0 }
    guard x <= 709 else { return x == x ? .infinity : x }
    // Adding 1.5 × 2^52 leaves no bits for a fraction: round half to even, whatever the instruction set.
    let shift = 0x1.8p52
    let k = (x * 0x1.71547652b82fep+0 + shift) - shift
    // ln 2 in two parts; the first has 32 trailing zero bits, so k times it is exact.
    let r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33
    var sum = 1.0 / 6_227_020_800
    sum = sum * r + 1.0 / 479_001_600
    sum = sum * r + 1.0 / 39_916_800
    sum = sum * r + 1.0 / 3_628_800
    sum = sum * r + 1.0 / 362_880
    sum = sum * r + 1.0 / 40_320
    sum = sum * r + 1.0 / 5_040
    sum = sum * r + 1.0 / 720
    sum = sum * r + 1.0 / 120
    sum = sum * r + 1.0 / 24
    sum = sum * r + 1.0 / 6
    sum = sum * r + 0.5
    sum = sum * (r * r) + r
    // In range: k is an integer from −1021 to 1023, so the exponent is that of a normal number.
    let power = Double(bitPattern: UInt64(bitPattern: Int64(k) &+ 1023) << 52)
    return (sum + 1) * power
  }

  /// `1 / (1 + e^−x)`, in [0, 1], with `sigmoid(x) + sigmoid(−x)` within 1 ulp of 1; NaN for NaN.
  @inlinable public static func sigmoid(_ x: Double) -> Double {
    let small = exponential(x < 0 ? x : -x)
    return x < 0 ? small / (1 + small) : 1 / (1 + small)
  }
}
