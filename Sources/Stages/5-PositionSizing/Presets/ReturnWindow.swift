public import LockFreeRings
public import TradingTypes

/// The mean of each instrument's last bar returns, exact however long it runs.
///
/// A running sum of floating-point numbers drifts: what leaves the window takes away another rounding than it brought. Here returns are
/// integers of 2⁻⁴⁰ percent, so that the sum is that of the window and nothing else, whatever came before and in whatever order.
/// - Complexity: a step is O(1), a few nanoseconds, and touches two cache lines; nothing allocates after `init`.
@frozen public struct ReturnWindow: ~Copyable {
  /// Longest window: so many of the largest returns still add up to a number of 63 bits.
  @inlinable public static var lengthMax: Int { 512 }
  /// Units of the integers in a percent.
  @inlinable static var scale: Double { 0x1p40 }
  /// Returns of this size and more are refused, percent.
  @inlinable static var returnMax: Double { 8192 }

  @frozen @usableFromInline struct Entry: BitwiseCopyable {
    @usableFromInline var sum: Int64 = 0
    @usableFromInline var count: Int32 = 0
    @usableFromInline var next: Int32 = 0

    @inlinable init() {}
  }

  /// Returns a mean is taken over.
  public let length: Int
  @usableFromInline var entries: Slab<Entry>
  @usableFromInline var returns: Slab<Int64>
  @usableFromInline var refusals: Int64 = 0

  /// Windows without a return yet.
  ///
  /// - Parameters:
  ///   - length: returns in a full window, 1 to `lengthMax`; 8 bytes each are taken from the arena for every instrument.
  /// - Precondition: `instrumentCount` is positive, `length` in its range.
  public init(instrumentCount: Int, length: Int, in arena: Arena) {
    precondition(instrumentCount > 0, "ReturnWindow: the number of instruments is positive")
    precondition(length >= 1 && length <= Self.lengthMax, "ReturnWindow: the length is 1 to \(Self.lengthMax)")
    self.length = length
    entries = Slab(repeating: Entry(), count: instrumentCount, in: arena)
    returns = Slab(repeating: 0, count: instrumentCount * length, in: arena)
  }

  /// Returns refused because they are not finite, or of 8192 percent and more, over all instruments.
  @inlinable public var refusalCount: Int64 { refusals }

  /// Takes the next return of `id`, in percent; what is refused changes nothing but the count of refusals.
  ///
  /// - Precondition: `id` is below the number of instruments.
  @inlinable public mutating func step(_ id: InstrumentID, returnPercent: Double) {
    // NaN fails the comparison.
    guard returnPercent.magnitude < Self.returnMax else {
      refusals += 1
      return
    }
    let index = Int(id.index)
    var entry = entries[index]
    let place = index * length + Int(entry.next)
    let value = Int64((returnPercent * Self.scale).rounded())
    // Wrapping: at most 512 values below 2^53 add up to less than 2^62.
    entry.sum = entry.sum &+ value
    if Int(entry.count) == length {
      entry.sum = entry.sum &- returns[place]
    } else {
      entry.count &+= 1
    }
    returns[place] = value
    entry.next = Int(entry.next) + 1 == length ? 0 : entry.next &+ 1
    entries[index] = entry
  }

  /// Returns that the mean of `id` is taken over: `length` once that many were seen.
  @inlinable public func count(of id: InstrumentID) -> Int { Int(entries[Int(id.index)].count) }

  /// Mean return of `id`, percent; 0 before the first return.
  @inlinable public func mean(of id: InstrumentID) -> Double {
    let entry = entries[Int(id.index)]
    guard entry.count > 0 else { return 0 }
    return Double(entry.sum) / Double(entry.count) * (1 / Self.scale)
  }
}
