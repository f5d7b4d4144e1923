/// The values of a window in order of size; the window itself lies elsewhere.
///
/// - Complexity: a step is O(log w) comparisons and O(w) moves of a few cache lines, no allocation.
@frozen public struct SortedValues<let capacity: Int>: BitwiseCopyable, Sendable {
  @usableFromInline var sorted: InlineArray<capacity, Double>
  @usableFromInline var size = 0

  /// No values.
  @inlinable public init() {
    precondition(capacity > 0, "SortedValues: the capacity is positive")
    sorted = InlineArray(repeating: 0)
  }

  /// Values held.
  @inlinable public var count: Int { size }

  /// Adds a value, a number.
  ///
  /// - Precondition: fewer than `capacity` are held.
  @inlinable public mutating func insert(_ value: Double) {
    precondition(size < capacity, "SortedValues: there is room for one value more")
    size += 1
    settle(value, at: size - 1)
  }

  /// Puts `value`, a number, in the place of `old`, which is held.
  @inlinable public mutating func replace(_ old: Double, with value: Double) {
    guard size > 0, old != value else { return }
    settle(value, at: place(of: old))
  }

  /// Closes the hole at `place` so that `value` fits.
  @inlinable mutating func settle(_ value: Double, at place: Int) {
    var hole = place
    while hole > 0 && sorted[hole - 1] > value {
      sorted[hole] = sorted[hole - 1]
      hole -= 1
    }
    while hole < size - 1 && sorted[hole + 1] < value {
      sorted[hole] = sorted[hole + 1]
      hole += 1
    }
    sorted[hole] = value
  }

  /// The first place whose value is not below `value`, the last place where there is none.
  @inlinable mutating func place(of value: Double) -> Int {
    var low = 0
    var length = size
    // Halves without a branch to guess: which half is taken is a coin's throw.
    while length > 1 {
      let half = length / 2
      low += sorted[low + half - 1] < value ? half : 0
      length -= half
    }
    return low
  }

  /// The quantile at `level` in [0, 1], linear between the two values around it; 0 of no values.
  ///
  /// Mutating only in form: an array inside a value that is merely borrowed is copied whole.
  @inlinable public mutating func quantile(_ level: Double) -> Double {
    guard size > 0 else { return 0 }
    let position = level * Double(size - 1)
    let below = max(0, min(size - 1, Int(position)))
    let above = min(size - 1, below + 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
  }
}

/// A quantile of the last `capacity` values.
///
/// - Complexity: as `SortedValues`.
@frozen public struct RollingQuantile<let capacity: Int>: RollingKernel {
  @usableFromInline var ring: InlineArray<capacity, Double>
  @usableFromInline var place = 0
  @usableFromInline var ordered: SortedValues<capacity>
  @usableFromInline let level: Double

  /// The quantile at `level` in [0, 1].
  @inlinable public init(level: Double) {
    precondition(level >= 0 && level <= 1, "RollingQuantile: the level is in [0, 1]")
    ring = InlineArray(repeating: 0)
    ordered = SortedValues()
    self.level = level
  }

  /// The quantile, linear between the two values around it; 0 before the first value.
  @inlinable public var value: Double { mutating get { ordered.quantile(level) } }

  /// Takes in the next value, a number; the oldest leaves a full window.
  @inlinable public mutating func update(_ next: Double) {
    if ordered.count < capacity { ordered.insert(next) } else { ordered.replace(ring[place], with: next) }
    ring[place] = next
    place = place + 1 == capacity ? 0 : place + 1
  }
}
