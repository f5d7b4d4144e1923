/// The last integers of a series, for kernels that share them: prices in billionths, volumes in lots.
///
/// - Complexity: `update` and `value(age:)` O(1), no allocation.
@frozen public struct IntegerRing<let capacity: Int>: BitwiseCopyable, Sendable {
  @usableFromInline var values: InlineArray<capacity, Int64>
  @usableFromInline var taken = 0

  /// A ring of zeros.
  ///
  /// - Precondition: `capacity` is a power of two.
  @inlinable public init() {
    precondition(capacity > 0 && capacity & (capacity - 1) == 0, "IntegerRing: the capacity is a power of two")
    values = InlineArray(repeating: 0)
  }

  /// Values taken in since the start.
  @inlinable public var count: Int { taken }

  /// Takes in the next value in the place of the oldest.
  @inlinable @inline(__always) public mutating func update(_ next: Int64) {
    values[taken & (capacity &- 1)] = next
    // Wrapping: a count.
    taken &+= 1
  }

  /// The value `age` updates ago, 0 being the newest; 0 where there were fewer.
  ///
  /// Mutating only in form: an array inside a value that is merely borrowed is copied whole.
  /// - Precondition: `0 <= age < capacity`.
  @inlinable @inline(__always) public mutating func value(age: Int) -> Int64 {
    // Wrapping: the mask brings any difference into the ring.
    values[(taken &- 1 &- age) & (capacity &- 1)]
  }
}
