/// Wilder's average: the mean of the first `length` values, then `(previous · (length − 1) + value) / length`.
///
/// - Source: Wilder 1978, "New Concepts in Technical Trading Systems"; seeding as in TA-Lib.
@frozen public struct WilderAverage: BitwiseCopyable, Sendable {
  /// The average, the mean so far while it seeds.
  public private(set) var value = 0.0
  /// Values taken in, at most `length` counted.
  public private(set) var count = 0
  @usableFromInline let length: Int

  /// An average over `length > 0` values.
  public init(length: Int) {
    precondition(length > 0, "WilderAverage: the length is positive")
    self.length = length
  }

  /// Takes in the next value.
  public mutating func update(_ next: Double) {
    if count < length { count += 1 }
    value = (value * Double(count - 1) + next) / Double(count)
  }

  /// What `update` would make of the average.
  public func peek(_ next: Double) -> Double {
    var copy = self
    copy.update(next)
    return copy.value
  }
}

/// An exponential average with the weight `2 / (length + 1)`, seeded by the mean of its first `seedCount` values.
@frozen public struct ExponentialAverage: BitwiseCopyable, Sendable {
  /// The average, the mean so far while it seeds.
  public private(set) var value = 0.0
  /// Values taken in, at most `seedCount` counted.
  public private(set) var count = 0
  @usableFromInline let seedCount: Int
  @usableFromInline let weight: Double

  /// An average of `length > 0`, seeded by `seedCount > 0` values (1: the first value itself).
  public init(length: Int, seedCount: Int) {
    precondition(length > 0 && seedCount > 0, "ExponentialAverage: length and seed count are positive")
    self.seedCount = seedCount
    weight = 2 / Double(length + 1)
  }

  /// The mean of the seed is complete.
  public var isSeeded: Bool { count == seedCount }

  /// Takes in the next value.
  public mutating func update(_ next: Double) {
    if count < seedCount {
      count += 1
      value += (next - value) / Double(count)
    } else {
      value += weight * (next - value)
    }
  }

  /// What `update` would make of the average.
  public func peek(_ next: Double) -> Double {
    var copy = self
    copy.update(next)
    return copy.value
  }
}

/// The largest of the last values: a queue of those that no newer one exceeds.
///
/// - Complexity: `update` amortised O(1).
/// - Note: `capacity` is a power of two, at least the window.
@frozen public struct MonotonicMaximum<let capacity: Int>: BitwiseCopyable, Sendable {
  @usableFromInline var values: InlineArray<capacity, Double>
  @usableFromInline var positions: InlineArray<capacity, Int>
  @usableFromInline var head = 0
  @usableFromInline var tail = 0
  /// Values taken in since the start.
  public private(set) var count = 0
  /// The maximum, 0 before the first value. Kept here, because reading it in the queue would copy the queue.
  public private(set) var value = 0.0
  @usableFromInline let length: Int

  /// The maximum of the last `length` values, `length <= capacity`.
  public init(length: Int) {
    precondition(
      length > 0 && length <= capacity && capacity & (capacity - 1) == 0,
      "MonotonicMaximum: the window fits a capacity that is a power of two")
    values = InlineArray(repeating: 0)
    positions = InlineArray(repeating: 0)
    self.length = length
  }

  /// Takes in the next value; of equal values the newest is kept.
  public mutating func update(_ next: Double) {
    while tail > head && values[(tail - 1) & (capacity - 1)] <= next { tail -= 1 }
    if tail > head && positions[head & (capacity - 1)] <= count - length { head += 1 }
    values[tail & (capacity - 1)] = next
    positions[tail & (capacity - 1)] = count
    tail += 1
    count += 1
    value = values[head & (capacity - 1)]
  }
}

/// The last values in order of size, for quantiles.
///
/// - Complexity: `update` O(log w) comparisons and O(w) moves of a few cache lines.
@frozen public struct SortedWindow<let capacity: Int>: BitwiseCopyable, Sendable {
  @usableFromInline var ring: InlineArray<capacity, Double>
  @usableFromInline var sorted: InlineArray<capacity, Double>
  /// Values taken in since the start.
  public private(set) var count = 0

  /// A window of the last `capacity` values.
  public init() {
    precondition(capacity > 0, "SortedWindow: the capacity is positive")
    ring = InlineArray(repeating: 0)
    sorted = InlineArray(repeating: 0)
  }

  /// Values in the window.
  public var size: Int { min(count, capacity) }

  /// Takes in the next value, a number; the oldest leaves a full window.
  public mutating func update(_ value: Double) {
    var hole = size
    if count >= capacity {
      hole = place(of: ring[count % capacity], among: capacity)
    }
    ring[count % capacity] = value
    while hole > 0 && sorted[hole - 1] > value {
      sorted[hole] = sorted[hole - 1]
      hole -= 1
    }
    let last = min(count, capacity - 1)
    while hole < last && sorted[hole + 1] < value {
      sorted[hole] = sorted[hole + 1]
      hole += 1
    }
    sorted[hole] = value
    count += 1
  }

  /// The first place among the `length` smallest whose value is not below `value`.
  private mutating func place(of value: Double, among length: Int) -> Int {
    var low = 0
    var high = length
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The quantile at `level` in [0, 1], linear between the two values around it; 0 of an empty window.
  ///
  /// Mutating only in form: a large value that is merely borrowed is copied whole for every call.
  public mutating func quantile(_ level: Double) -> Double {
    guard size > 0 else { return 0 }
    let position = level * Double(size - 1)
    let below = max(0, min(size - 1, Int(position)))
    let above = min(size - 1, below + 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
  }
}
