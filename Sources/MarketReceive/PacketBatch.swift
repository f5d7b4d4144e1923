public import TradingTypes

/// Where one datagram lies and what the kernel said about it.
@frozen @usableFromInline struct PacketRecord: BitwiseCopyable {
  @usableFromInline var kernelNanoseconds: Int64 = 0
  @usableFromInline var slot: UInt32 = 0
  @usableFromInline var byteCount: UInt32 = 0
  @usableFromInline var wireByteCount: UInt32 = 0
  @usableFromInline var sourceAddress: UInt32 = 0
  @usableFromInline var sourcePort: UInt16 = 0

  init() {}
}

/// Why `receive` returned.
@frozen public enum ReceiveEnding: UInt8, BitwiseCopyable, Hashable, Sendable {
  /// There are packets.
  case packets
  /// The deadline passed first.
  case deadline
  /// The receiver was stopped.
  case stopped
  /// The system refused to go on; `PacketReceiver.failure` says what.
  case failed
}

/// Datagrams in the order in which the kernel took them, in place: valid until the receiver is used again, which the compiler sees to.
@safe @frozen public struct PacketBatch: ~Escapable, BitwiseCopyable {
  @usableFromInline let records: UnsafePointer<PacketRecord>
  // The payload of slot 0.
  @usableFromInline let payloads: UnsafeRawPointer
  @usableFromInline let stride: Int
  /// Number of datagrams; 0 unless `ending` is `packets`.
  public let count: Int
  /// Why `receive` returned.
  public let ending: ReceiveEnding

  /// The first `count` records of `slots`.
  @unsafe @_lifetime(immortal)
  @usableFromInline init(
    unsafeRecords records: UnsafePointer<PacketRecord>, payloads: UnsafeRawPointer, stride: Int, count: Int,
    ending: ReceiveEnding
  ) {
    unsafe self.records = records
    unsafe self.payloads = payloads
    self.stride = stride
    self.count = count
    self.ending = ending
  }

  /// The datagram at `index`.
  ///
  /// - Precondition: `0 <= index < count`.
  @inlinable public subscript(index: Int) -> ReceivedPacket {
    @_lifetime(copy self) get {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "PacketBatch: the index is in range")
      // In bounds: checked above.
      let record = unsafe records[index]
      // In bounds: the receiver wrote slot and count, after it had checked both. Wrapping: a place in memory.
      let start = unsafe payloads + Int(record.slot) &* stride
      let bytes = unsafe RawSpan(_unsafeStart: start, byteCount: Int(record.byteCount))
      return unsafe _overrideLifetime(ReceivedPacket(bytes, record), copying: self)
    }
  }
}

/// One datagram, in place.
@frozen public struct ReceivedPacket: ~Escapable, BitwiseCopyable {
  /// Its bytes, as many as were kept.
  public let bytes: RawSpan
  /// When the kernel took it from the network, by the wall clock; `.distantPast` without a stamp.
  ///
  /// Packets that arrive while the first socket of the machine that wants stamps is being made may carry the time of their receipt.
  public let kernelTime: Timestamp
  /// Who sent it.
  public let source: UDPEndpoint
  /// Bytes it had when it was sent.
  public let wireByteCount: Int

  @_lifetime(copy bytes)
  @inlinable init(_ bytes: RawSpan, _ record: PacketRecord) {
    self.bytes = bytes
    kernelTime = record.kernelNanoseconds == 0 ? .distantPast : Timestamp(nanoseconds: record.kernelNanoseconds)
    source = UDPEndpoint(IPv4Address(bits: record.sourceAddress), port: record.sourcePort)
    wireByteCount = Int(record.wireByteCount)
  }

  /// Whether its end is missing.
  @inlinable public var isTruncated: Bool { wireByteCount > bytes.byteCount }
}
