public import TradingTypes

/// The small arithmetic of the feature catalogue: its rule for zero denominators, and exact integers as real numbers.
@frozen public enum FeatureArithmetic {
  /// `ln(x)`, and 0 for arguments that are not positive and finite.
  @inlinable public static func log(_ x: Double) -> Double {
    guard x > 0, x < .infinity else { return 0 }
    return DeterministicMath.log(x)
  }

  /// `numerator / denominator`, 0 where the denominator is 0.
  @inlinable @inline(__always) public static func ratio(_ numerator: Double, _ denominator: Double) -> Double {
    denominator == 0 ? 0 : numerator / denominator
  }

  /// A sum that is not negative within two roundings: `Double(approximating:)` without the sign.
  @inlinable @inline(__always) static func real(_ sum: Int128) -> Double {
    assert(sum >= 0, "FeatureArithmetic: the sum is not negative")
    return Double(Int64(truncatingIfNeeded: sum &>> 64)) * 0x1p64 + Double(UInt64(truncatingIfNeeded: sum))
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
