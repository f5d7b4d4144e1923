/// Ordinary least squares of `y` on `x` over the last pairs of a series.
///
/// Readers are mutating only in form: a large value that is merely borrowed is copied whole.
///
/// For a forecast the caller feeds completed pairs only: an `x` enters when its `y` is known.
/// Sums are kept up by adding and removing and formed afresh as in `WindowVariance`, by the second sums of both sides: the
/// error of the co-moment is bounded by their product.
/// - Complexity: `update` amortised O(1) in the length, no allocation.
@frozen public struct PairRegression<let capacity: Int>: RollingKernel {
  /// One pair, both finite.
  public typealias Input = (x: Double, y: Double)

  @usableFromInline var xs: RollingWindow<capacity>
  @usableFromInline var ys: RollingWindow<capacity>
  @usableFromInline var xSums: WindowVariance
  @usableFromInline var ySums: WindowVariance
  // Σ(x − mean x)(y − mean y).
  @usableFromInline var products = 0.0

  /// The last `length` pairs; `0 < length < capacity`, the more room is left the rarer are moves.
  @inlinable public init(length: Int) {
    xs = RollingWindow(length: length)
    ys = RollingWindow(length: length)
    xSums = WindowVariance(length: length)
    ySums = WindowVariance(length: length)
  }

  /// Pairs in the window.
  @inlinable @inline(__always) public var count: Int { mutating get { xSums.count } }

  /// The window is full.
  @inlinable @inline(__always) public var isFull: Bool { mutating get { xSums.count == xSums.length } }

  /// Slope of `y` on `x`, 0 where `x` is constant.
  @inlinable @inline(__always) public var slope: Double {
    mutating get { FeatureArithmetic.ratio(products, xSums.secondSum) }
  }

  /// Slope with the mean of either side, the point the line goes through.
  @inlinable @inline(__always) public var value: (slope: Double, meanX: Double, meanY: Double) {
    mutating get { (slope, xSums.mean, ySums.mean) }
  }

  /// The line's `y` at `x`: `mean y + slope · (x − mean x)`.
  @inlinable @inline(__always) public mutating func fitted(at x: Double) -> Double {
    ySums.mean + slope * (x - xSums.mean)
  }

  /// Takes in the next pair.
  @inlinable @inline(__always) public mutating func update(_ next: Input) { update(x: next.x, y: next.y) }

  /// Takes in the next pair, two finite numbers.
  @inlinable @inline(__always) public mutating func update(x: Double, y: Double) {
    let length = xSums.length
    let isFull = xSums.count == length
    let oldX = isFull ? xs.value(age: length &- 1) : 0
    let oldY = isFull ? ys.value(age: length &- 1) : 0
    let before = xSums.offset
    let isXStale = xSums.update(adding: x, removing: oldX)
    let isYStale = ySums.update(adding: y, removing: oldY)
    // Σxy − n·mean·mean before and after, with the means' changes (x − oldX)/n and (y − oldY)/n put in.
    products +=
      isFull
      ? (x - xSums.origin - before) * (y - oldY) + (oldY - ySums.origin - ySums.offset) * (x - oldX)
      : (x - xSums.origin - before) * (y - ySums.origin - ySums.offset)
    xs.update(x)
    ys.update(y)
    if isXStale || isYStale { rebuild() }
  }

  @inlinable mutating func rebuild() {
    let x = xs.last(xSums.length)
    xSums.rebuild(from: x)
    let y = ys.last(xSums.length)
    ySums.rebuild(from: y)
    products = 0
    for place in x.indices {
      products += (x[place] - xSums.origin - xSums.offset) * (y[place] - ySums.origin - ySums.offset)
    }
  }
}
