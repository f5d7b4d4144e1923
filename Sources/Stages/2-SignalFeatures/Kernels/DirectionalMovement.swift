/// Wilder's directional movement: the two directional indicators (DI) and the average directional index (ADX).
///
/// - Complexity: `update` O(1), no allocation.
/// - Source: Wilder 1978; seeding as in TA-Lib's ADX: the sums of movement and range start with `length − 1` bars after the
///   first, from then on `1 / length` of each leaves before a bar enters, and the index starts with the mean of `length`.
@frozen public struct DirectionalMovement: RollingKernel {
  /// A bar, in any one unit of price.
  public typealias Input = (high: Double, low: Double, close: Double)

  // Wilder sums, not divided by the length.
  @usableFromInline var rising = 0.0
  @usableFromInline var falling = 0.0
  @usableFromInline var range = 0.0
  @usableFromInline var average = 0.0
  // Bars so far, at most twice the length counted.
  @usableFromInline var count = 0
  @usableFromInline var lastHigh = 0.0
  @usableFromInline var lastLow = 0.0
  @usableFromInline var lastClose = 0.0
  @usableFromInline let length: Int
  @usableFromInline let weight: Double

  /// Movement over `length > 0` bars.
  @inlinable public init(length: Int) {
    precondition(length > 0, "DirectionalMovement: the length is positive")
    self.length = length
    weight = 1 / Double(length)
  }

  /// Rising indicator, +DI in [0, 100]; 0 without any range.
  @inlinable public var plus: Double { min(100, 100 * FeatureArithmetic.ratio(rising, range)) }

  /// Falling indicator, −DI in [0, 100]; 0 without any range.
  @inlinable public var minus: Double { min(100, 100 * FeatureArithmetic.ratio(falling, range)) }

  /// Average directional index in [0, 100]; a part of it while it seeds.
  @inlinable public var index: Double { average }

  /// The index with the sign of the direction, 0 where there is none.
  @inlinable public var signed: Double { rising > falling ? average : rising < falling ? -average : 0 }

  /// Both indicators and the index.
  @inlinable public var value: (plus: Double, minus: Double, index: Double) { (plus, minus, index) }

  /// The index is seeded: `2 · length` bars are in.
  @inlinable public var isSeeded: Bool { count == 2 &* length }

  /// Takes in the next bar.
  @inlinable @inline(__always) public mutating func update(_ next: Input) {
    update(high: next.high, low: next.low, close: next.close)
  }

  /// Takes in the next bar.
  @inlinable @inline(__always) public mutating func update(high: Double, low: Double, close: Double) {
    if count > 0 { move(high: high, low: low) }
    // Wrapping here and below: small numbers.
    if count < 2 &* length { count &+= 1 }
    lastHigh = high
    lastLow = low
    lastClose = close
  }

  @inlinable @inline(__always) mutating func move(high: Double, low: Double) {
    let rise = high - lastHigh
    let fall = lastLow - low
    let isSeeding = count < length
    let leaving = isSeeding ? 0 : weight
    rising += (rise > fall && rise > 0 ? rise : 0) - leaving * rising
    falling += (fall > rise && fall > 0 ? fall : 0) - leaving * falling
    range += AverageTrueRange.range(high: high, low: low, lastClose: lastClose) - leaving * range
    guard !isSeeding else { return }
    // A bar without movement adds nothing to the seed and leaves the average as it is.
    let sum = rising + falling
    let isDefined = range > 0 && sum > 0
    // A share is rounded before it is made percent, so that it is never above 100; a mean of such a share then is not either.
    if count < 2 &* length {
      // `length` parts of 100 may add up to a little more.
      if isDefined { average = min(100, average + weight * (100 * (abs(rising - falling) / sum))) }
    } else if isDefined {
      average += weight * (100 * (abs(rising - falling) / sum) - average)
    }
  }
}
