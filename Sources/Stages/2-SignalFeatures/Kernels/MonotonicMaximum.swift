/// The largest of the last integers: a queue of those that no newer one exceeds.
///
/// - Complexity: `update` amortised O(1) in the length, no allocation.
/// - Note: `capacity` is a power of two up to 32,768.
@frozen public struct MonotonicMaximum<let capacity: Int>: RollingKernel {
  @usableFromInline var ring: IntegerRing<capacity>
  // Numbers of updates modulo 2^16; their values lie in the ring.
  @usableFromInline var queue: InlineArray<capacity, UInt16>
  @usableFromInline var head = 0
  @usableFromInline var tail = 0
  @usableFromInline var maximum: Int64 = 0
  @usableFromInline let length: Int

  /// The maximum of the last `length` values.
  ///
  /// - Precondition: `0 < length <= capacity`.
  @inlinable public init(length: Int) {
    precondition(
      length > 0 && length <= capacity && capacity <= 1 << 15,
      "MonotonicMaximum: the window is positive and fits the capacity")
    ring = IntegerRing()
    queue = InlineArray(repeating: 0)
    self.length = length
  }

  /// The maximum, 0 before the first value. Kept apart, because reading it in the queue would copy the queue.
  @inlinable @inline(__always) public var value: Int64 { mutating get { maximum } }

  /// Values taken in since the start.
  @inlinable @inline(__always) public var count: Int { mutating get { ring.taken } }

  /// The value `age` updates ago, 0 being the newest; 0 where there were fewer.
  ///
  /// Mutating only in form: see `IntegerRing`.
  @inlinable @inline(__always) public mutating func value(age: Int) -> Int64 { ring.value(age: age) }

  /// Takes in the next value; of equal values the newest is kept.
  @inlinable @inline(__always) public mutating func update(_ next: Int64) {
    let mask = capacity &- 1
    let number = UInt16(truncatingIfNeeded: ring.count)
    // Wrapping throughout: head and tail only grow, and ages below 2^15 survive numbers modulo 2^16. The oldest leaves first, so
    // that no number in the queue is a ring's length old.
    if tail > head && number &- queue[head & mask] >= UInt16(truncatingIfNeeded: length) { head &+= 1 }
    while tail > head && ring.values[Int(queue[(tail &- 1) & mask]) & mask] <= next { tail &-= 1 }
    queue[tail & mask] = number
    tail &+= 1
    ring.update(next)
    maximum = ring.values[Int(queue[head & mask]) & mask]
  }
}
