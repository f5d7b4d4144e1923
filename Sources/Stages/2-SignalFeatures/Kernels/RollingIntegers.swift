public import TradingTypes

/// The last integers of a series with their exact sum, sum of squares and sum of products of neighbours.
///
/// - Complexity: `update` O(1) in the length, no allocation.
@frozen public struct RollingIntegers<let capacity: Int>: RollingKernel {
  @usableFromInline var ring: IntegerRing<capacity>
  /// The sums of the window.
  @usableFromInline var moments: IntegerMoments
  @usableFromInline var products: Int128 = 0
  // Largest size of a value.
  @usableFromInline let most: Int64
  // Oldest and newest value of the window.
  @usableFromInline var oldest: Int64 = 0
  @usableFromInline var newest: Int64 = 0

  /// A window of the last `length` values.
  ///
  /// - Precondition: `0 < length < capacity`, and `capacity` is a power of two.
  @inlinable public init(length: Int) {
    precondition(length > 0 && length < capacity, "RollingIntegers: the length is positive and below the capacity")
    ring = IntegerRing()
    moments = IntegerMoments(length: length)
    most = IntegerMoments.valueMax(length: length)
  }

  /// Mean, variance and standard score come from here.
  @inlinable @inline(__always) public var value: IntegerMoments { mutating get { moments } }

  /// Takes in the next value, cut to ±`IntegerMoments.valueMax(length:)` so that no sum can overflow.
  @inlinable @inline(__always) public mutating func update(_ next: Int64) {
    let length = moments.first.length
    let kept = min(max(next, 0 &- most), most)
    let old = ring.value(age: length &- 1)
    // Wrapping: like the squares, at most 2^122; a window of one value has no products, and what is summed there is not read.
    if moments.count > 0 { products &+= Int128(kept) &* Int128(newest) }
    if moments.count == length && length > 1 { products &-= Int128(old) &* Int128(ring.value(age: length &- 2)) }
    moments.update(adding: kept, removing: moments.count == length ? old : 0)
    ring.update(kept)
    newest = kept
    oldest = ring.value(age: moments.count &- 1)
  }

  /// The value `age` updates ago, 0 being the newest.
  ///
  /// Mutating only in form: see `IntegerRing`.
  @inlinable @inline(__always) public mutating func value(age: Int) -> Int64 { ring.value(age: age) }

  /// Population covariance of the neighbours (x_t, x_{t−1}) in the window, exact up to the last division.
  ///
  /// Mutating only in form: a large value that is merely borrowed is copied whole.
  @inlinable @inline(__always) public var neighbourCovariance: Double {
    mutating get {
      guard moments.count > 1 else { return 0 }
      let pairs = moments.count &- 1
      // Wrapping: each product is at most 2^122 as in `IntegerMoments`. A window of one value never comes here.
      let newer = Int128(moments.first.sum &- oldest)
      let older = Int128(moments.first.sum &- newest)
      let scaled = Int128(truncatingIfNeeded: pairs) &* products &- newer &* older
      return Double(approximating: scaled) / (Double(pairs) * Double(pairs))
    }
  }
}
