public import Synchronization

/// What became of a record that was offered to a `ByteRing`.
@frozen public enum ByteRingAnswer: Hashable, Sendable {
  /// It is in the ring.
  case written
  /// There is no room now.
  case full
  /// It is longer than `ByteRing.recordBytesMax` and will never fit.
  case tooLong
}

/// A bounded queue of records of any length from one thread to one other, for journal and log lines.
///
///     record: +0 length in bytes, u32   +4 type, u32   +8 the bytes, filled up to 8
///
/// A record lies in one piece and is read in place; where the rest of the ring's memory is too short for one, a filler (type `UInt32.max`)
/// takes it. So the longest record is half of the ring: longer ones could find no place even in an empty one.
///
/// - Source: records with a filler at the end, as in the ring buffers of Agrona. Differs: two counters publish, not the lengths.
@safe public struct ByteRing: ~Copyable {
  /// Bytes of the ring.
  public let capacityBytes: Int
  /// Longest record.
  public let recordBytesMax: Int
  private let bytes: UnsafeMutableRawPointer
  private let control: RingControl
  private let position: UInt64
  private let arena: Arena
  private var hasGivenProducer = false
  private var hasGivenConsumer = false

  /// A ring of `capacityBytes`, headers and fillers included, in `arena`.
  ///
  /// - Parameter capacityBytes: a power of two, at least 64 and at most `ringCapacityMax`.
  /// - Throws: `RingError` for a wrong capacity or a full arena.
  public init(capacityBytes: Int, in arena: Arena) throws(RingError) {
    try self.init(capacityBytes: capacityBytes, startingAt: 0, in: arena)
  }

  /// The same with the counters at `position`, a multiple of 8, for tests of their wrap.
  @_spi(Testing) public init(capacityBytes: Int, startingAt position: UInt64, in arena: Arena) throws(RingError) {
    let size = try validatedRingBytes(capacity: capacityBytes, stride: 1)
    guard size >= 64 else { throw .capacityIsTooSmall(capacityBytes, least: 64) }
    let control = try RingControl(position: position & ~7, in: arena)
    let bytes = unsafe try ringMemory(byteCount: size, alignment: 4096, in: arena)
    self.capacityBytes = size
    recordBytesMax = size / 2 - 8
    unsafe self.bytes = bytes
    self.control = control
    self.position = position & ~7
    self.arena = arena
  }

  /// The writing end.
  ///
  /// - Precondition: taken once.
  public mutating func takeProducer() -> Producer {
    precondition(!hasGivenProducer, "ByteRing: the producer is taken once")
    hasGivenProducer = true
    return unsafe Producer(
      bytes: bytes, control: control, mask: UInt64(capacityBytes - 1), position: position, owner: arena)
  }

  /// The reading end.
  ///
  /// - Precondition: taken once.
  public mutating func takeConsumer() -> Consumer {
    precondition(!hasGivenConsumer, "ByteRing: the consumer is taken once")
    hasGivenConsumer = true
    return unsafe Consumer(
      bytes: bytes, control: control, mask: UInt64(capacityBytes - 1), position: position, owner: arena)
  }

  /// Reads the ring's counters, which count bytes, from any thread.
  public func gauge() -> RingGauge { RingGauge(control: control, owner: arena) }

  /// The type of a filler.
  @inlinable static var filler: UInt32 { .max }

  /// Bytes that a record of `count` takes, header included.
  @inlinable @inline(__always) static func taken(by count: Int) -> Int { (count + 15) & ~7 }
}

extension ByteRing {
  /// The writing end of a `ByteRing`, for one thread at a time.
  @safe @frozen public struct Producer: ~Copyable, @unchecked Sendable {
    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let control: RingControl
    @usableFromInline let mask: UInt64
    @usableFromInline var position: UInt64
    @usableFromInline var knownConsumed: UInt64
    // Keeps the memory alive; not touched after `init`.
    @usableFromInline let owner: Arena

    @unsafe init(
      bytes: UnsafeMutableRawPointer, control: RingControl, mask: UInt64, position: UInt64, owner: Arena
    ) {
      unsafe self.bytes = bytes
      self.control = control
      self.mask = mask
      self.position = position
      knownConsumed = position
      self.owner = owner
    }

    /// Longest record.
    @inlinable public var recordBytesMax: Int { (Int(mask) + 1) / 2 - 8 }

    @inlinable mutating func hasRoom(_ count: Int) -> Bool {
      // Wrapping: both counters only grow, so their difference stays right; it is at most the capacity.
      if mask &+ 1 &- (position &- knownConsumed) >= UInt64(count) { return true }
      // Acquire, paired with the release in `Consumer.release`: the bytes were read before they are written again.
      unsafe knownConsumed = control.consumed.pointee.load(ordering: .acquiring)
      return mask &+ 1 &- (position &- knownConsumed) >= UInt64(count)
    }

    @inlinable func writeHeader(_ count: UInt32, _ type: UInt32, at place: Int) {
      // In bounds: records and fillers are multiples of 8 and end at the capacity at the latest.
      unsafe (bytes + place).storeBytes(of: UInt64(type) << 32 | UInt64(count), as: UInt64.self)
    }

    /// Appends a record of `type`, or says why not; nothing of it is in the ring then.
    ///
    /// - Precondition: `type` is not `UInt32.max`, which marks fillers.
    /// - Complexity: O(bytes), no allocation, wait-free.
    @inlinable public mutating func write(_ record: RawSpan, type: UInt32) -> ByteRingAnswer {
      precondition(type != ByteRing.filler, "ByteRing: the type UInt32.max is taken")
      let count = record.byteCount
      guard count <= recordBytesMax else { return .tooLong }
      let taken = ByteRing.taken(by: count)
      var place = Int(truncatingIfNeeded: position & mask)
      // What is left to the end is filled where the record would not lie in one piece.
      let left = Int(mask) + 1 - place
      let fill = taken <= left ? 0 : left
      guard hasRoom(taken + fill) else { return .full }
      if fill > 0 {
        writeHeader(UInt32(truncatingIfNeeded: fill - 8), ByteRing.filler, at: place)
        place = 0
      }
      writeHeader(UInt32(truncatingIfNeeded: count), type, at: place)
      // In bounds: `taken` bytes from `place` on are free and end at the capacity at the latest.
      unsafe record.withUnsafeBytes { source in
        if let start = source.baseAddress { unsafe (bytes + place + 8).copyMemory(from: start, byteCount: count) }
      }
      // Wrapping: a free-running counter.
      position &+= UInt64(truncatingIfNeeded: taken + fill)
      // Release, paired with the acquire in `next`: header and bytes are written before they are seen.
      unsafe control.published.pointee.store(position, ordering: .releasing)
      return .written
    }
  }

  /// The reading end of a `ByteRing`, for one thread at a time.
  @safe @frozen public struct Consumer: ~Copyable, @unchecked Sendable {
    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let control: RingControl
    @usableFromInline let mask: UInt64
    @usableFromInline var position: UInt64
    @usableFromInline var knownPublished: UInt64
    // Keeps the memory alive; not touched after `init`.
    @usableFromInline let owner: Arena

    @unsafe init(
      bytes: UnsafeMutableRawPointer, control: RingControl, mask: UInt64, position: UInt64, owner: Arena
    ) {
      unsafe self.bytes = bytes
      self.control = control
      self.mask = mask
      self.position = position
      knownPublished = position
      self.owner = owner
    }

    /// The type of the oldest record, or nil when there is none. It stays until `release`.
    ///
    /// - Complexity: O(1), no allocation, wait-free.
    @inlinable public mutating func nextType() -> UInt32? {
      while true {
        if knownPublished == position {
          // Acquire, paired with the release in `write`.
          unsafe knownPublished = control.published.pointee.load(ordering: .acquiring)
          if knownPublished == position { return nil }
        }
        let (count, type) = header()
        guard type == ByteRing.filler else { return type }
        // Wrapping: a free-running counter. The filler is given back with the record after it.
        position &+= UInt64(ByteRing.taken(by: count))
      }
    }

    @inlinable func header() -> (count: Int, type: UInt32) {
      // In bounds: `position` is at a header that was published.
      let word = unsafe (bytes + Int(truncatingIfNeeded: position & mask)).load(as: UInt64.self)
      return (Int(UInt32(truncatingIfNeeded: word)), UInt32(truncatingIfNeeded: word >> 32))
    }

    /// The bytes of the oldest record, in place.
    ///
    /// - Precondition: `nextType` has given its type.
    @inlinable @_lifetime(&self) public mutating func record() -> RawSpan {
      precondition(knownPublished != position, "ByteRing: what is read is there")
      let start = unsafe UnsafeRawPointer(bytes + Int(truncatingIfNeeded: position & mask) + 8)
      // In bounds: the record lies in one piece behind its header.
      let span = unsafe RawSpan(_unsafeStart: start, byteCount: header().count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// Gives the oldest record back.
    ///
    /// - Precondition: `nextType` has given its type.
    @inlinable public mutating func release() {
      precondition(knownPublished != position, "ByteRing: what is released is there")
      // Wrapping: a free-running counter.
      position &+= UInt64(ByteRing.taken(by: header().count))
      // Release, paired with the acquire in `hasRoom`: the bytes were read before they are written again.
      unsafe control.consumed.pointee.store(position, ordering: .releasing)
    }
  }
}
