public import TradingTypes

/// Elementary functions of additions, multiplications and divisions only, so that every machine gives the same bits.
///
/// The C library picks fused instructions where the processor has them, which changes last bits from machine to machine.
@frozen public enum DeterministicMath {
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

  /// `ln(x)` with a relative error below 1e-14, and 0 for arguments that are not positive and finite.
  @inlinable public static func log(_ x: Double) -> Double {
    guard x > 0, x < .infinity else { return 0 }
    let normal = x < 0x1p-1022 ? x * 0x1p54 : x
    let offset: Int64 = x < 0x1p-1022 ? 54 : 0
    let bits = normal.bitPattern
    // Puts the fraction into [sqrt(1/2), sqrt(2)), where the series below is short.
    let moved = bits &- 0x3FE6_A09E_667F_3BCD
    let exponent = (Int64(bitPattern: moved) &>> 52) &- offset
    let fraction = Double(bitPattern: bits &- (moved & 0xFFF0_0000_0000_0000))
    return Double(exponent) * 0.693147180559945309417 + doubledArctanh((fraction - 1) / (fraction + 1))
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

  /// `value` as a floating-point number, within two roundings.
  @inlinable @inline(__always) public static func real(_ value: Int128) -> Double {
    let magnitude = value.magnitude
    let high = UInt64(truncatingIfNeeded: magnitude &>> 64)
    let low = UInt64(truncatingIfNeeded: magnitude)
    let real = Double(high) * 0x1p64 + Double(low)
    return value < 0 ? -real : real
  }

  /// `numerator / denominator`, 0 where the denominator is 0.
  @inlinable @inline(__always) public static func ratio(_ numerator: Double, _ denominator: Double) -> Double {
    denominator == 0 ? 0 : numerator / denominator
  }

  /// The seconds from `start` to `end`, 0 when `end` is earlier.
  @inlinable @inline(__always) public static func seconds(from start: Timestamp, to end: Timestamp) -> Double {
    max(0, (end - start).nanoseconds).asSeconds
  }
}

extension Int64 {
  /// So many nanoseconds in seconds.
  @inlinable var asSeconds: Double { Double(self) / 1e9 }
}
