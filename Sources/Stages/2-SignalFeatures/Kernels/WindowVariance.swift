/// Mean and second central sum of a window of reals that lie elsewhere, kept up by adding and removing.
///
/// Adding and removing alone loses the answer: what an outlier rounded away stays away when it leaves. So the sums are formed
/// afresh from the window, in two passes,
/// - each time the origin, a value of the window that all others are measured from, would leave: then the mean is never far from
///   it (`(mean − origin)² <= second`, because it is one of the window), whatever the level of the series; and
/// - when the largest second sum since the last time is 100 times the present one. Each update rounds by some units in the last
///   place of that largest sum, so the error stays below about `100 · length · 2^-52` of the answer, some 1e-11 of 1,024 values.
///   The rule that looks only at the value removed would miss several outliers that leave one after the other.
///
/// - Complexity: amortised O(1) in the length: one pass every `length` updates, and one each time the second sum has fallen a
///   hundredfold, as when an outlier has left. Only a series that falls tenfold with each value asks for more.
@frozen public struct WindowVariance: BitwiseCopyable, Sendable {
  @usableFromInline var origin = 0.0
  /// Mean less origin.
  @usableFromInline var offset = 0.0
  @usableFromInline var second = 0.0
  @usableFromInline var secondMax = 0.0
  @usableFromInline var size = 0
  @usableFromInline var originAge = 0
  @usableFromInline let length: Int
  @usableFromInline let share: Double

  /// An empty window of at most `length > 0` values.
  @inlinable public init(length: Int) {
    precondition(length > 0, "WindowVariance: the length is positive")
    self.length = length
    share = 1 / Double(length)
  }

  /// Values in the window.
  @inlinable public var count: Int { size }

  /// Mean, 0 of no values.
  @inlinable public var mean: Double { origin + offset }

  /// Σ(x − mean)².
  @inlinable public var secondSum: Double { second }

  /// Variance with the divisor `count − missing` (1: sample, 0: population); 0 of fewer values.
  @inlinable public func variance(missing: Int) -> Double { size > missing ? second / Double(size - missing) : 0 }

  /// Takes in the next value, a finite number; `old` leaves a full window and counts for nothing before.
  ///
  /// - Returns: whether the caller must call `rebuild` now.
  @inlinable @inline(__always) public mutating func update(adding next: Double, removing old: Double) -> Bool {
    let before = offset
    if size < length {
      if size == 0 { origin = next }
      // Wrapping here and below: bounded by the length.
      size &+= 1
      offset += (next - origin - before) / Double(size)
      second += (next - origin - before) * (next - origin - offset)
    } else {
      let change = next - old
      offset += change * share
      second += change * ((next - origin - offset) + (old - origin - before))
    }
    originAge &+= 1
    secondMax = max(secondMax, second)
    return originAge > length || secondMax > 100 * second
  }

  /// Forms the sums afresh from the window, which is `count` values with the newest last; the order of the others is free.
  @inlinable public mutating func rebuild(from window: Span<Double>) {
    origin = window[window.count - 1]
    let sums = WindowMoments.secondSum(window, less: origin)
    offset = sums.mean
    second = sums.second
    secondMax = second
    originAge = 1
  }
}

/// Mean and variance of the last values of a series.
///
/// - Complexity: `update` amortised O(1) in the length, no allocation; see `WindowVariance` for the error.
@frozen public struct RollingVariance<let capacity: Int>: RollingKernel {
  @usableFromInline var window: RollingWindow<capacity>
  @usableFromInline var sums: WindowVariance

  /// The last `length` values; `0 < length < capacity`, the more room is left the rarer are moves.
  @inlinable public init(length: Int) {
    window = RollingWindow(length: length)
    sums = WindowVariance(length: length)
  }

  /// Mean and variance.
  @inlinable @inline(__always) public var value: WindowVariance { mutating get { sums } }

  /// Takes in the next value, a finite number.
  @inlinable @inline(__always) public mutating func update(_ next: Double) {
    let old = sums.count == sums.length ? window.value(age: sums.length &- 1) : 0
    let isStale = sums.update(adding: next, removing: old)
    window.update(next)
    if isStale { sums.rebuild(from: window.last(sums.length)) }
  }
}
