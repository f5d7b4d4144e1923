/// Variance of overlapping sums of `lag` values over `lag` times that of one value, both unbiased: 1 for a random walk.
///
/// Each sum of `lag` values is formed afresh, and both variances are kept up as `WindowVariance` has it.
/// - Complexity: `update` amortised O(`lag`), O(1) in the length; no allocation.
/// - Source: Lo and MacKinlay 1988, equations 12–13.
@frozen public struct VarianceRatio<let capacity: Int>: RollingKernel {
  @usableFromInline var window: RollingWindow<capacity>
  @usableFromInline var single: WindowVariance
  @usableFromInline var summed: WindowVariance
  @usableFromInline let lag: Int

  /// The last `length` values; `1 < lag < length < capacity`.
  @inlinable public init(lag: Int, length: Int) {
    precondition(lag > 1 && lag < length, "VarianceRatio: the lag is above 1 and below the length")
    window = RollingWindow(length: length)
    single = WindowVariance(length: length)
    summed = WindowVariance(length: length - lag + 1)
    self.lag = lag
  }

  /// Values in the window.
  @inlinable public var count: Int { single.count }

  /// The ratio; 0 of `lag` values or fewer, and where all are equal.
  ///
  /// Mutating only in form: a large value that is merely borrowed is copied whole.
  @inlinable @inline(__always) public var value: Double {
    mutating get {
      guard single.count > lag else { return 0 }
      let (n, q) = (Double(single.count), Double(lag))
      // The sums are measured from `lag` times the mean of the single values, not from their own.
      let shift = summed.mean - q * single.offset
      let squares = summed.secondSum + Double(summed.count) * shift * shift
      let weight = q * (n - q + 1) * (1 - q / n)
      return FeatureArithmetic.ratio(squares / weight, single.variance(missing: 1))
    }
  }

  /// Takes in the next value, a finite number.
  @inlinable public mutating func update(_ next: Double) {
    let isFull = single.count == single.length
    let old = isFull ? window.value(age: single.length &- 1) : 0
    let oldSum = isFull ? sum(endingAt: single.length &- lag) : 0
    let isSingleStale = single.update(adding: next, removing: old)
    window.update(next)
    let isSummedStale = single.count >= lag && summed.update(adding: sum(endingAt: 0), removing: oldSum)
    if isSingleStale || isSummedStale { rebuild() }
  }

  /// The last `wanted` values, or as many as there are, oldest first; mutating only in form.
  @_lifetime(&self)
  @inlinable public mutating func last(_ wanted: Int) -> Span<Double> { window.last(wanted) }

  /// The value `age` updates ago, 0 being the newest, below the length and the count; mutating only in form.
  @inlinable public mutating func value(age: Int) -> Double { window.value(age: age) }

  /// Sum of `lag` values less the origin, the newest of them `age` updates old; always added in the same order.
  ///
  /// Less the origin, because rounding `lag` times a large level would cost the digits that the variance is made of. The origin
  /// changes only in `rebuild`, which forms all sums afresh.
  @inlinable @inline(__always) mutating func sum(endingAt age: Int) -> Double {
    var sum = 0.0
    for step in 0..<lag { sum += window.value(age: age &+ step) - single.origin }
    return sum
  }

  @inlinable mutating func rebuild() {
    single.rebuild(from: window.last(single.length))
    let count = summed.count
    guard count > 0 else { return }
    let origin = single.origin
    var sums = InlineArray<capacity, Double>(repeating: 0)
    // Sum by sum each starts with its newest value, as in `sum(endingAt:)`; all sums advance together, several at a time.
    for step in 0..<lag {
      let newest = window.last(count + step).extracting(0..<count)
      for place in 0..<count { sums[place] += newest[place] - origin }
    }
    summed.rebuild(from: sums.span.extracting(0..<count))
  }
}
