internal import Synchronization
public import LockFreeRings
public import TradingTypes

/// The hot side of a journal: copies an event into a ring and is done.
///
/// Four words of header, then the payload:
///
///     payload bytes | type | schema version    time    trace source    trace sequence    payload…
@frozen public struct JournalProducer: ~Copyable, Sendable {
  @usableFromInline var ring: ThroughputRing<UInt64>.Producer
  @usableFromInline let status: JournalStatus
  /// Bytes a payload can have.
  public let payloadBytesMax: Int
  @usableFromInline var storedSequence: UInt64
  @usableFromInline var storedRefusedCount: UInt64 = 0

  init(
    ring: consuming ThroughputRing<UInt64>.Producer, status: JournalStatus, payloadBytesMax: Int, sequence: UInt64
  ) {
    self.ring = ring
    self.status = status
    self.payloadBytesMax = payloadBytesMax
    storedSequence = sequence
  }

  /// The sequence of the last published record; 0 when there is none.
  @inlinable public var lastSequence: UInt64 { storedSequence }

  /// Records that found no room.
  @inlinable public var refusedCount: UInt64 { storedRefusedCount }

  /// Publishes one record; false, and counted, when the ring is full.
  ///
  /// After a failed write or sync nothing drains the ring, so it fills and refuses: ask `JournalWriter.isPoisoned`.
  ///
  /// - Parameters:
  ///   - payload: its bytes as they are in memory; a type whose bytes must be reproducible has no padding.
  /// - Precondition: the payload has at most `payloadBytesMax` bytes.
  /// - Complexity: O(size of the payload), no allocation, wait-free.
  @inlinable public mutating func publish<Payload: BitwiseCopyable>(
    type: UInt16, schemaVersion: UInt8, time: Timestamp, trace: TraceID, payload: borrowing Payload
  ) -> Bool {
    let bytes = MemoryLayout<Payload>.size
    guard
      begin(bytes: bytes, type: type, schemaVersion: schemaVersion, time: time, trace: trace)
    else { return false }
    ring.write(bytesOf: payload, atClaimed: 4)
    end(bytes: bytes)
    return true
  }

  /// Publishes one record whose payload has a length of its own; false, and counted, when the ring is full.
  ///
  /// - Precondition: `bytes` has at most `payloadBytesMax` bytes.
  /// - Complexity: O(`bytes.byteCount`), no allocation, wait-free.
  @inlinable public mutating func publish(
    type: UInt16, schemaVersion: UInt8, time: Timestamp, trace: TraceID, bytes: RawSpan
  ) -> Bool {
    guard
      begin(bytes: bytes.byteCount, type: type, schemaVersion: schemaVersion, time: time, trace: trace)
    else { return false }
    ring.write(bytes: bytes, atClaimed: 4)
    end(bytes: bytes.byteCount)
    return true
  }

  @inlinable mutating func begin(
    bytes: Int, type: UInt16, schemaVersion: UInt8, time: Timestamp, trace: TraceID
  ) -> Bool {
    precondition(bytes <= payloadBytesMax, "JournalProducer: the payload fits a record")
    guard ring.tryClaim(4 &+ (bytes &+ 7) / 8) else {
      // Wrapping: a counter for reports.
      storedRefusedCount &+= 1
      return false
    }
    let kind = UInt64(type) << 32 | UInt64(schemaVersion) << 48
    ring.write(UInt64(truncatingIfNeeded: bytes) | kind, atClaimed: 0)
    ring.write(UInt64(bitPattern: time.nanoseconds), atClaimed: 1)
    ring.write(trace.source, atClaimed: 2)
    ring.write(trace.sequence, atClaimed: 3)
    return true
  }

  @inlinable mutating func end(bytes: Int) {
    ring.publish(4 &+ (bytes &+ 7) / 8)
    // Wrapping: a 64-bit count of events is not reached.
    storedSequence &+= 1
  }
}

/// What the journal's thread tells the others.
@usableFromInline final class JournalStatus: Sendable {
  let durable = Atomic<UInt64>(0)
  let isStopping = Atomic<Bool>(false)
  let hasEnded = Atomic<Bool>(false)
  let isPoisoned = Atomic<Bool>(false)
  let failure = Mutex<JournalError?>(nil)
  let counters = Mutex(JournalCounters())

  init() {}
}

/// What a journal's thread has done.
public struct JournalCounters: Hashable, Sendable {
  /// Batches made durable.
  public var batches = 0
  /// Records made durable.
  public var records: UInt64 = 0
  /// Bytes made durable, seals and filling included.
  public var bytes = 0
  /// Writes that wrote less than they were given.
  public var shortWrites = 0
  /// Commits slower than the configured limit.
  public var slowCommits = 0
  /// Segments begun.
  public var segments = 0
  /// Event times that went back and were clamped.
  public var clampedTimes = 0
}
