/// A fixed number of records, taken and given back by 32-bit handles: orders, levels, anything that comes and goes.
///
/// The record given back last is taken next, while its line is still in the cache. Full is an answer.
@frozen public struct FixedPool<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline var records: Slab<Element>
  // Per record: the next free one, `end`, or `taken`.
  @usableFromInline var links: Slab<UInt32>
  @usableFromInline var firstFree: UInt32
  @usableFromInline var storedCount: Int

  /// The link of the last free record.
  @inlinable static var end: UInt32 { .max }
  /// The link of a record that is not free.
  @inlinable static var taken: UInt32 { .max &- 1 }

  /// Records a pool can have.
  @inlinable public static var capacityMax: Int { Int(UInt32.max) - 1 }

  /// A pool of `capacity` copies of `value`, none of them taken.
  ///
  /// - Precondition: `0 <= capacity <= capacityMax`, and the arena has room.
  /// - Complexity: O(capacity).
  public init(repeating value: Element, capacity: Int, in arena: Arena) {
    precondition(capacity >= 0 && capacity <= Self.capacityMax, "FixedPool: handles are below 2^32 - 2")
    records = Slab(repeating: value, count: capacity, in: arena)
    links = Slab(repeating: Self.end, count: capacity, in: arena)
    for index in 0..<max(0, capacity - 1) { links[index] = UInt32(index + 1) }
    firstFree = capacity > 0 ? 0 : Self.end
    storedCount = 0
  }

  /// Records taken at this moment.
  @inlinable public var count: Int { storedCount }

  /// Records the pool has.
  @inlinable public var capacity: Int { records.count }

  /// Records that can still be taken.
  @inlinable public var freeCapacity: Int { records.count &- count }

  /// Takes a record and writes `value` into it; its handle, or nil when all are taken.
  ///
  /// - Complexity: O(1), no allocation.
  @inlinable public mutating func take(_ value: Element) -> UInt32? {
    let handle = firstFree
    guard handle != Self.end else { return nil }
    firstFree = links[Int(handle)]
    links[Int(handle)] = Self.taken
    records[Int(handle)] = value
    // In range: below the capacity, because a record was free.
    storedCount &+= 1
    return handle
  }

  /// Gives a record back.
  ///
  /// - Precondition: `handle` came from `take` and was not given back since; the second half is checked in debug builds.
  /// - Complexity: O(1).
  @inlinable public mutating func giveBack(_ handle: UInt32) {
    assert(links[Int(handle)] == Self.taken, "FixedPool: a record is given back once")
    links[Int(handle)] = firstFree
    firstFree = handle
    // In range: a record was taken.
    storedCount &-= 1
  }

  /// Whether `handle` names a record that is taken; false for any other number.
  @inlinable public func isTaken(_ handle: UInt32) -> Bool {
    Int(handle) < records.count && links[Int(handle)] == Self.taken
  }

  /// The record of `handle`.
  ///
  /// - Precondition: `handle` is below the capacity; that it is taken is checked in debug builds.
  @inlinable public subscript(handle: UInt32) -> Element {
    _read {
      assert(isTaken(handle), "FixedPool: the handle is taken")
      yield records[Int(handle)]
    }
    _modify {
      assert(isTaken(handle), "FixedPool: the handle is taken")
      yield &records[Int(handle)]
    }
  }

  /// Checks that the free list holds exactly the records that are not taken, each once; for tests.
  public func checkInvariants() {
    var free = 0
    var handle = firstFree
    while handle != Self.end {
      free += 1
      precondition(free <= capacity && handle < capacity, "FixedPool: the free list ends")
      handle = links[Int(handle)]
    }
    precondition(free == freeCapacity, "FixedPool: each record is free or taken")
  }
}

extension FixedPool: Sendable where Element: Sendable {}
