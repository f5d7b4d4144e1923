/// The last values of a series, side by side in memory, oldest first: what `WindowMoments` reads.
///
/// ```
/// values  [ · · · · o o o o o o n · · · ]      o kept, n newest, · free or forgotten
///                               ╰ end
/// ```
///
/// A new value goes behind the newest; at the end of the memory the values that are still needed move to its front, once every
/// `capacity − length` updates. So every window is one stretch of memory, without a seam.
/// - Complexity: `update` amortised O(1 + length / (capacity − length)).
@frozen public struct RollingWindow<let capacity: Int>: RollingKernel {
  @usableFromInline var values: InlineArray<capacity, Double>
  @usableFromInline var taken: Int
  // One past the newest value.
  @usableFromInline var end: Int
  @usableFromInline let length: Int

  /// An empty window that keeps the last `length` values.
  ///
  /// - Precondition: `0 < length < capacity`; the more room is left, the rarer are the moves.
  @inlinable public init(length: Int) {
    precondition(length > 0 && length < capacity, "RollingWindow: the length is positive and below the capacity")
    values = InlineArray(repeating: 0)
    taken = 0
    end = 0
    self.length = length
  }

  /// Values taken in since the start.
  @inlinable public var count: Int { taken }

  /// Mean and central sums of the window by two passes, O(length).
  @inlinable public var value: WindowMoments.CentralSums { mutating get { WindowMoments.centralSums(last(length)) } }

  /// Takes in the next value; the oldest leaves a full window.
  @inlinable @inline(__always) public mutating func update(_ value: Double) {
    if end == capacity { makeRoom() }
    values[end] = value
    end += 1
    // Wrapping: a count.
    taken &+= 1
  }

  /// Moves what the next window still needs to the front.
  @inlinable mutating func makeRoom() {
    let kept = length - 1
    let start = capacity - kept
    var span = values.mutableSpan
    for place in 0..<kept { span[place] = span[start + place] }
    end = kept
  }

  /// How many of the last `wanted` values there are.
  @inlinable @inline(__always) public func available(_ wanted: Int) -> Int { min(count, wanted, length) }

  /// The last `wanted` values, or as many as there are, oldest first.
  ///
  /// Mutating only in form: a large value that is merely borrowed is copied whole for every call.
  @_lifetime(&self)
  @inlinable @inline(__always) public mutating func last(_ wanted: Int) -> Span<Double> {
    values.span.extracting((end - available(wanted))..<end)
  }

  /// The value `age` updates ago, 0 being the newest; `age` is below `length` and `count`.
  @inlinable @inline(__always) public mutating func value(age: Int) -> Double { values[end - 1 - age] }
}
