/// Counts a stream of values by the bins of a reference, over a window that slides by an eighth of itself.
///
/// The part of drift detection that stands on the engine's thread: fixed memory, no allocation, and nothing but comparisons and one
/// increment a value. Whoever judges takes a copy or `binCounts` now and then, elsewhere.
///
/// ```
/// window = 8 blocks, a row of 10 bins each:   [b0][b1][b2][b3][b4][b5][b6][b7]
/// values go to one block; when it is full, the oldest becomes the next and starts at zero
/// ```
///
/// Bin 0 holds values up to edge 0, bin k those above edge k − 1 up to edge k, bin 9 the rest.
@frozen public struct DriftCounter: BitwiseCopyable, Sendable {
  /// Bins of a reference.
  @inlinable public static var binCount: Int { 10 }
  /// Blocks of the window.
  @inlinable public static var blockCount: Int { 8 }

  // As a vector, so that the comparisons are no jumps; what a value is next is what a processor cannot predict.
  @usableFromInline let edges: SIMD8<Double>
  @usableFromInline let lastEdge: Double
  @usableFromInline var counts = InlineArray<80, UInt32>(repeating: 0)
  @usableFromInline let blockCapacity: UInt32
  @usableFromInline var block = 0
  @usableFromInline var blockFill: UInt32 = 0
  @usableFromInline var seen: UInt64 = 0
  @usableFromInline var absent: UInt64 = 0

  /// Values counted since the start, those that left the window too.
  @inlinable public var recorded: UInt64 { seen }
  /// Values that were not finite since the start: missing ones, which no bin counts.
  @inlinable public var missing: UInt64 { absent }

  /// A counter without values.
  ///
  /// - Parameters:
  ///   - edges: nine numbers that do not fall.
  ///   - window: values the window holds when it is full; rounded up to a multiple of 8. After a block begins anew it holds an
  ///     eighth less.
  /// - Precondition: nine edges in order, and `8 <= window <= 1 << 30`.
  public init(edges: [Double], window: Int) {
    precondition(
      edges.count == Self.binCount - 1 && zip(edges, edges.dropFirst()).allSatisfy { $0 <= $1 },
      "DriftCounter: nine edges in order")
    precondition(window >= Self.blockCount && window <= 1 << 30, "DriftCounter: a window from 8 to 2^30 values")
    self.edges = SIMD8(edges.prefix(8))
    lastEdge = edges[8]
    blockCapacity = UInt32((window + Self.blockCount - 1) / Self.blockCount)
  }

  /// Counts a value; one that is not finite counts as missing.
  ///
  /// - Complexity: O(1), no allocation, no data-dependent branch but the one on finiteness.
  @inlinable public mutating func record(_ value: Double) {
    guard value.isFinite else {
      // Wrapping: 2^64 values take longer than any machine lives.
      absent &+= 1
      return
    }
    // Wrapping: at most nine.
    let below = SIMD8<Int64>.zero.replacing(with: 1, where: edges .< value)
    let bin = Int(below.wrappedSum()) &+ (lastEdge < value ? 1 : 0)
    // Wrapping: a block holds at most 2^27 values and places stay below 80.
    counts[block &* 10 &+ bin] &+= 1
    seen &+= 1
    blockFill &+= 1
    if blockFill == blockCapacity { beginBlock() }
  }

  /// Gives the oldest block's place to new values.
  @inlinable mutating func beginBlock() {
    // Wrapping: eight blocks of ten bins.
    block = (block &+ 1) & 7
    blockFill = 0
    for bin in 0..<10 { counts[block &* 10 &+ bin] = 0 }
  }

  /// Values in each bin over the window.
  @inlinable public var binCounts: InlineArray<10, UInt32> {
    var sums = InlineArray<10, UInt32>(repeating: 0)
    for place in 0..<80 { sums[place % 10] &+= counts[place] }  // wrapping: at most 2^30 values
    return sums
  }

  /// Values in the window.
  @inlinable public var windowCount: Int {
    var sum = 0
    for place in 0..<80 { sum &+= Int(counts[place]) }  // wrapping: at most 2^30 values
    return sum
  }

  /// Empties the window; the sums since the start stay.
  public mutating func reset() {
    counts = InlineArray(repeating: 0)
    block = 0
    blockFill = 0
  }
}
