/// The exact sum of a window of integers that lie in a ring elsewhere, so that windows of several lengths can share one.
///
/// - Complexity: O(1) in the length, no allocation.
@frozen public struct IntegerSum: BitwiseCopyable, Sendable {
  /// Sum of the values in the window.
  public var sum: Int64 = 0
  /// Values in the window.
  public var count: Int = 0
  /// Values the window holds at most.
  public let length: Int

  /// An empty window.
  ///
  /// - Precondition: `length > 0`, and every value is at most `2^61 / length` in size.
  @inlinable public init(length: Int) {
    precondition(length > 0, "IntegerSum: the length is positive")
    self.length = length
  }

  /// Takes in the next value; `old` leaves, 0 while the window fills.
  @inlinable @inline(__always) public mutating func update(adding next: Int64, removing old: Int64) {
    // Wrapping: no sum of the window exceeds 2^61 by the precondition, and addition modulo 2^64 is exact whatever comes between.
    sum &+= next &- old
    if count < length { count &+= 1 }
  }

  /// `count` times the distance of `value` from the mean, exact.
  @inlinable @inline(__always) public func scaledDistance(of value: Int64) -> Int64 {
    // Wrapping: both terms are at most 2^61 in size.
    Int64(truncatingIfNeeded: count) &* value &- sum
  }

  /// Mean, rounded once; 0 of no values.
  @inlinable public var mean: Double { FeatureArithmetic.ratio(Double(sum), Double(count)) }
}

/// The exact sum and sum of squares of a window of integers that lie in a ring elsewhere.
///
/// Nothing is rounded before the last division: an outlier leaves no trace, and a constant window has the variance 0.
/// - Complexity: O(1) in the length, no allocation.
@frozen public struct IntegerMoments: BitwiseCopyable, Sendable {
  /// Sum, with the number of values.
  public var first: IntegerSum
  /// Sum of the squares.
  public var squares: Int128 = 0

  /// An empty window.
  ///
  /// - Precondition: `length > 0`, and every value is at most `2^61 / length` in size.
  @inlinable public init(length: Int) { first = IntegerSum(length: length) }

  /// The largest size of a value in windows of `length`.
  @inlinable public static func valueMax(length: Int) -> Int64 { (1 << 61) / Int64(length) }

  /// Values in the window.
  @inlinable public var count: Int { first.count }

  /// Takes in the next value; `old` leaves, 0 while the window fills.
  @inlinable @inline(__always) public mutating func update(adding next: Int64, removing old: Int64) {
    first.update(adding: next, removing: old)
    // Wrapping: a square is at most 2^122, the sum of a window too.
    // One product in place of two: next² − old², whose factors are at most 2^62.
    squares &+= Int128(next &- old) &* Int128(next &+ old)
  }

  /// `count²` times the population variance, exact.
  @inlinable @inline(__always) public var scaledVariance: Int128 {
    // Wrapping: n·Σx² <= (n·max|x|)² <= 2^122.
    Int128(truncatingIfNeeded: count) &* squares &- Int128(first.sum) &* Int128(first.sum)
  }

  /// Mean, rounded once; 0 of no values.
  @inlinable public var mean: Double { first.mean }

  /// Variance with the divisor `count − missing` (1: sample, 0: population); 0 of fewer values.
  @inlinable public func variance(missing: Int) -> Double {
    guard count > missing else { return 0 }
    return FeatureArithmetic.real(scaledVariance) / (Double(count) * Double(count - missing))
  }

  /// A value's distance from the mean in sample standard deviations; 0 where all values are equal.
  @inlinable public func standardScore(of value: Int64) -> Double {
    guard count > 1 else { return 0 }
    let n = Double(count)
    let scale = (FeatureArithmetic.real(scaledVariance) * (n / (n - 1))).squareRoot()
    return FeatureArithmetic.ratio(Double(first.scaledDistance(of: value)), scale)
  }
}
