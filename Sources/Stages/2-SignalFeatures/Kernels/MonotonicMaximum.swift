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
