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
