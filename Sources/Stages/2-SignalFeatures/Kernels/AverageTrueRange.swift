/// The average true range: Wilder's average of a bar's range, widened to the close before it.
///
/// - Complexity: `update` O(1), no allocation.
/// - Source: Wilder 1978; seeding as in TA-Lib's ATR: the first bar only gives its close, the average starts with the mean of
///   the next `length` ranges.
@frozen public struct AverageTrueRange: RollingKernel {
  /// A bar, in any one unit of price.
  public typealias Input = (high: Double, low: Double, close: Double)

  @usableFromInline var ranges: WilderAverage
  @usableFromInline var lastClose = 0.0
  @usableFromInline var hasClose = false

  /// An average over `length > 0` ranges.
  @inlinable public init(length: Int) { ranges = WilderAverage(length: length) }

  /// The average in the unit of the prices, the mean so far while it seeds.
  @inlinable public var value: Double { ranges.value }

  /// As many ranges as the length are in.
  @inlinable public var isSeeded: Bool { ranges.isSeeded }

  /// Takes in the next bar.
  @inlinable @inline(__always) public mutating func update(_ next: Input) {
    update(high: next.high, low: next.low, close: next.close)
  }

  /// Takes in the next bar.
  @inlinable @inline(__always) public mutating func update(high: Double, low: Double, close: Double) {
    if hasClose { ranges.update(AverageTrueRange.range(high: high, low: low, lastClose: lastClose)) }
    hasClose = true
    lastClose = close
  }

  /// The true range of a bar after `lastClose`.
  @inlinable @inline(__always) static func range(high: Double, low: Double, lastClose: Double) -> Double {
    max(high - low, max(abs(high - lastClose), abs(low - lastClose)))
  }
}
