public import LockFreeRings
public import TradingTypes

/// One price level as a DBN record shows it; price 0 is none.
@frozen @usableFromInline struct DbnLevel: BitwiseCopyable {
  @usableFromInline var price: Int64
  @usableFromInline var lots: Int64

  @inlinable init(price: Int64, lots: Int64) {
    self.price = price
    self.lots = lots
  }
}

/// The instruments of a DBN stream: dense ids in the order of their first record, and the levels each showed last.
///
/// A book is one publisher's: a record's instrument number and its publisher together make an instrument.
///
/// Memory: 340 to 356 bytes an instrument.
@frozen public struct DbnInstruments: ~Copyable {
  /// Levels a side that a record can show.
  @inlinable static var depth: Int { 10 }

  // Publisher above instrument number, by id.
  @usableFromInline var keys: Slab<UInt64>
  // Open addressing, linear probing, at most half full: id plus 1, 0 where free.
  @usableFromInline var places: Slab<UInt32>
  // Ten bids and ten asks an instrument, best first; the first price 0 ends a side and what is behind it means nothing.
  @usableFromInline var levels: Slab<DbnLevel>
  // Those of the record being read, likewise.
  @usableFromInline var shown: Slab<DbnLevel>
  @usableFromInline var lastKey: UInt64 = 0
  @usableFromInline var lastID: UInt32 = .max
  /// Instruments named so far: the ids below this number.
  public private(set) var count = 0

  /// Room for `capacity` instruments.
  ///
  /// - Precondition: `0 <= capacity < 2^26`.
  public init(capacity: Int, in arena: Arena) {
    precondition(capacity >= 0 && capacity < 1 << 26, "DbnInstruments: the capacity is from 0 to 2^26 - 1")
    keys = Slab(repeating: 0, count: capacity, in: arena)
    places = Slab(repeating: 0, count: Self.placeCount(capacity), in: arena)
    levels = Slab(repeating: DbnLevel(price: 0, lots: 0), count: capacity * 2 * Self.depth, in: arena)
    shown = Slab(repeating: DbnLevel(price: 0, lots: 0), count: 2 * Self.depth, in: arena)
  }

  private static func placeCount(_ capacity: Int) -> Int {
    var count = 16
    while count < 2 * capacity { count *= 2 }
    return count
  }

  /// Bytes that `capacity` instruments take from their arena, padding included.
  public static func byteCount(capacity: Int) -> Int {
    capacity * (8 + 2 * depth * MemoryLayout<DbnLevel>.stride) + placeCount(capacity) * 4 + 1_024
  }

  /// The publisher of `instrument`, or nil when there is no such instrument.
  public func publisher(of instrument: InstrumentID) -> UInt16? {
    guard Int(instrument.index) < count else { return nil }
    return UInt16(truncatingIfNeeded: keys[Int(instrument.index)] >> 32)
  }

  /// The venue's number of `instrument`, or nil when there is no such instrument.
  public func number(of instrument: InstrumentID) -> UInt32? {
    guard Int(instrument.index) < count else { return nil }
    return UInt32(truncatingIfNeeded: keys[Int(instrument.index)])
  }

  /// The id of `key`, a new one where it has none yet, or nil where there is no room.
  ///
  /// - Complexity: O(1) expected, no allocation; one comparison for the instrument of the record before.
  @inlinable mutating func id(of key: UInt64) -> UInt32? {
    if key == lastKey, lastID != .max { return lastID }
    return find(key)
  }

  @usableFromInline @inline(never) mutating func find(_ key: UInt64) -> UInt32? {
    var hash = SplitMix64(seed: key)
    var place = Int(truncatingIfNeeded: hash.next() >> 1) & (places.count - 1)
    // Ends: at least half of the places are free.
    while places[place] != 0, keys[Int(places[place]) - 1] != key { place = (place + 1) & (places.count - 1) }
    if places[place] == 0 {
      guard count < keys.count else { return nil }
      keys[count] = key
      count += 1
      places[place] = UInt32(count)
    }
    lastKey = key
    lastID = places[place] - 1
    return lastID
  }

  /// Forgets the levels from `base`, an instrument's first.
  @usableFromInline @inline(never) mutating func clearLevels(at base: Int) {
    levels[base] = DbnLevel(price: 0, lots: 0)
    levels[base + Self.depth] = DbnLevel(price: 0, lots: 0)
  }
}
