/// The relative strength index: Wilder's average rise in percent of the average rise plus the average fall.
///
/// - Complexity: `update` O(1), no allocation.
/// - Source: Wilder 1978; seeding as in TA-Lib's RSI: the averages start with the mean of the first `length` changes.
@frozen public struct RelativeStrengthIndex: RollingKernel {
  @usableFromInline var gains: WilderAverage
  @usableFromInline var losses: WilderAverage
  @usableFromInline var lastClose = 0.0
  @usableFromInline var hasClose = false

  /// An index over `length > 0` changes of the close.
  @inlinable public init(length: Int) {
    gains = WilderAverage(length: length)
    losses = WilderAverage(length: length)
  }

  /// The index in [0, 100]; 0 of a flat series, as TA-Lib 0.8 gives.
  ///
  /// The share is rounded before it is made percent: 100 times the gains, rounded, over the gains may be above 100.
  @inlinable public var value: Double {
    100 * FeatureArithmetic.ratio(gains.value, gains.value + losses.value)
  }

  /// As many changes as the length are in.
  @inlinable public var isSeeded: Bool { gains.isSeeded }

  /// Takes in the next close.
  @inlinable @inline(__always) public mutating func update(_ close: Double) {
    if hasClose {
      let change = close - lastClose
      gains.update(max(change, 0))
      losses.update(max(-change, 0))
    }
    hasClose = true
    lastClose = close
  }
}
