/// Means and second central sums of eight windows of equal length, side by side: one row comes in, one leaves.
///
/// ```
///            column 0  1  2  3  4  5  6  7
/// row 0           [ ·  ·  ·  ·  ·  ·  ·  · ]   64 bytes
/// …
/// row capacity−1  [ ·  ·  ·  ·  ·  ·  ·  · ]
/// ```
///
/// Nothing is kept but the rows. The sums are formed from them in one pass, eight at a time, measured from the newest row. That is
/// as good as two passes: the newest row is in the window, so its distance d from the mean adds n·d² ≤ n·Σ(x − mean)² to
/// the sum of squares, and taking that away again costs at most a factor n + 1 of the last place.
/// - Complexity: `update` one store; `value` O(`capacity`), by the instruction, not by the cache miss. No allocation.
/// - Source: Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance", the shifted data algorithm.
@frozen public struct WindowColumns<let capacity: Int>: RollingKernel {
  @usableFromInline var rows: InlineArray<capacity, SIMD8<Double>>
  @usableFromInline var taken = 0
  @usableFromInline var place = 0

  /// Mean, second central sum and number of values of each column.
  @frozen public struct Moments: BitwiseCopyable, Sendable {
    /// Means, 0 of no values.
    public var mean: SIMD8<Double>
    /// Σ(x − mean)².
    public var second: SIMD8<Double>
    /// Number of values.
    public var count: SIMD8<Double>
    @inlinable init(mean: SIMD8<Double>, second: SIMD8<Double>, count: SIMD8<Double>) {
      self.mean = mean
      self.second = second
      self.count = count
    }
  }

  /// Windows of the last `capacity > 0` rows.
  @inlinable public init() {
    precondition(capacity > 0, "WindowColumns: the capacity is positive")
    rows = InlineArray(repeating: SIMD8(repeating: 0))
  }

  /// Rows in the window.
  @inlinable public var count: Int { min(taken, capacity) }

  /// Takes in the next row of finite numbers.
  @inlinable @inline(__always) public mutating func update(_ row: SIMD8<Double>) {
    rows[place] = row
    place = place &+ 1 == capacity ? 0 : place &+ 1
    // Wrapping: counts to one more than the capacity, which says that the first row has left.
    if taken <= capacity { taken &+= 1 }
  }

  /// The moments of all rows in the window.
  @inlinable public var value: Moments { mutating get { moments(firstRowLacks: SIMDMask(repeating: false)) } }

  /// The moments of all rows in the window, where the series' first row has no value in some columns.
  ///
  /// Mutating only in form: an array inside a value that is merely borrowed is copied whole.
  @inlinable public mutating func moments(firstRowLacks lacking: SIMDMask<SIMD8<Int64>>) -> Moments {
    let zero = SIMD8<Double>(repeating: 0)
    guard taken > 0 else { return Moments(mean: zero, second: zero, count: zero) }
    let origin = rows[place == 0 ? capacity &- 1 : place &- 1]
    var sum = zero
    var squares = zero
    var number = SIMD8(repeating: Double(count))
    var start = 0
    if taken <= capacity {
      // The first row lies at place 0 as long as it is in the window.
      let distance = (rows[0] - origin).replacing(with: zero, where: lacking)
      sum = distance
      squares = distance * distance
      number.replace(with: number - SIMD8(repeating: 1), where: lacking)
      start = 1
    }
    for row in start..<count {
      let distance = rows[row] - origin
      sum += distance
      squares += distance * distance
    }
    let divisor = number.replacing(with: 1, where: number .== zero)
    let shift = sum / divisor
    let second = squares - sum * shift
    return Moments(
      mean: (origin + shift).replacing(with: zero, where: number .== zero),
      second: second.replacing(with: zero, where: second .< zero), count: number)
  }
}
