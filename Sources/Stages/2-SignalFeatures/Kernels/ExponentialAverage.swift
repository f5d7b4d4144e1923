/// An exponential average: the mean of its first values, then each value moves it by a fixed share of the distance.
///
/// A constant series is reproduced exactly, because its distance is 0.
/// - Complexity: `update` O(1), no allocation.
/// - Source: seeding as in TA-Lib's EMA with `seedCount` = `length`.
@frozen public struct ExponentialAverage: RollingKernel {
  @usableFromInline var average = 0.0
  @usableFromInline var seeded = 0
  @usableFromInline let seedCount: Int
  @usableFromInline let weight: Double

  /// An average with the weight `2 / (length + 1)`.
  ///
  /// - Precondition: `length > 0` and `seedCount > 0` (1: the first value is the seed).
  @inlinable public init(length: Int, seedCount: Int) {
    precondition(length > 0 && seedCount > 0, "ExponentialAverage: length and seed count are positive")
    self.init(weight: 2 / (Double(length) + 1), seedCount: seedCount)
  }

  @inlinable init(weight: Double, seedCount: Int) {
    self.seedCount = seedCount
    self.weight = weight
  }

  /// The average, the mean so far while it seeds, 0 before the first value.
  @inlinable public var value: Double { average }

  /// Values taken in, at most `seedCount` counted.
  @inlinable public var count: Int { seeded }

  /// The mean of the seed is complete.
  @inlinable public var isSeeded: Bool { seeded == seedCount }

  /// Takes in the next value.
  @inlinable @inline(__always) public mutating func update(_ next: Double) {
    if seeded < seedCount {
      // Wrapping: stays at or below `seedCount`.
      seeded &+= 1
      average += (next - average) / Double(seeded)
    } else {
      average += weight * (next - average)
    }
  }
}

/// Wilder's average: the mean of the first `length` values, then `previous + (value − previous) / length`.
///
/// - Complexity: `update` O(1), no allocation.
/// - Source: Wilder 1978, "New Concepts in Technical Trading Systems"; seeding as in TA-Lib.
@frozen public struct WilderAverage: RollingKernel {
  @usableFromInline var average: ExponentialAverage

  /// An average over `length > 0` values.
  @inlinable public init(length: Int) {
    precondition(length > 0, "WilderAverage: the length is positive")
    average = ExponentialAverage(weight: 1 / Double(length), seedCount: length)
  }

  /// The average, the mean so far while it seeds, 0 before the first value.
  @inlinable public var value: Double { average.value }

  /// Values taken in, at most `length` counted.
  @inlinable public var count: Int { average.count }

  /// The mean of the seed is complete.
  @inlinable public var isSeeded: Bool { average.isSeeded }

  /// Takes in the next value.
  @inlinable @inline(__always) public mutating func update(_ next: Double) { average.update(next) }
}
