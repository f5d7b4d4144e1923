internal import CNet
internal import CUring
internal import LockFreeRings

/// The memory of a receiver, from its arena: slots for datagrams, and the tables that go with them.
///
/// ```
/// ring of provided buffers (page-aligned) │ slots │ records │ completions │ table of messages
/// ```
@safe struct PacketSlots {
  let ring: UnsafeMutableRawPointer
  let first: UnsafeMutableRawPointer
  let records: UnsafeMutablePointer<PacketRecord>
  let completions: UnsafeMutablePointer<martlet_uring_completion>
  let table: UnsafeMutableRawPointer
  let count: Int
  let payloadBytesMax: Int
  let stride: Int
  // Keeps the memory alive.
  private let owner: Arena

  init(count: Int, payloadBytesMax: Int, in arena: Arena) throws(NetworkError) {
    let stride = Self.stride(payloadBytesMax: payloadBytesMax)
    do {
      // Each part has the size and alignment its use asks for.
      unsafe ring = try arena.reserve(byteCount: 16 * count, alignment: 4_096)
      unsafe first = try arena.reserve(byteCount: stride * count)
      unsafe records = try arena.reserve(byteCount: MemoryLayout<PacketRecord>.stride * count)
        .bindMemory(to: PacketRecord.self, capacity: count)
      unsafe completions = try arena.reserve(byteCount: MemoryLayout<martlet_uring_completion>.stride * count)
        .bindMemory(to: martlet_uring_completion.self, capacity: count)
      unsafe table = try arena.reserve(byteCount: martlet_net_table_bytes(UInt32(count)))
    } catch { throw .arena(error) }
    unsafe records.initialize(repeating: PacketRecord(), count: count)
    unsafe completions.initialize(repeating: martlet_uring_completion(), count: count)
    self.count = count
    self.payloadBytesMax = payloadBytesMax
    self.stride = stride
    owner = arena
    unsafe martlet_net_make_receive_table(table, UInt32(count), first, stride, UInt32(payloadBytesMax))
  }

  /// Whole cache lines, an odd number of them: slots that are a power of two apart would share few sets of the cache.
  private static func stride(payloadBytesMax: Int) -> Int {
    ((payloadBytesMax + martlet_net_payload_offset + 63) / 64 | 1) * 64
  }

  static func byteCount(count: Int, payloadBytesMax: Int) -> Int {
    let bytes = [
      16 * count + 4_096, stride(payloadBytesMax: payloadBytesMax) * count, MemoryLayout<PacketRecord>.stride * count,
      MemoryLayout<martlet_uring_completion>.stride * count, Int(martlet_net_table_bytes(UInt32(count))),
    ]
    return bytes.reduce(0) { $0 + $1 + 128 }
  }

  /// The start of a slot.
  ///
  /// - Precondition: `0 <= index < count`.
  @unsafe func slot(_ index: Int) -> UnsafeMutableRawPointer {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "PacketSlots: the slot is in range")
    // In bounds: checked above.
    return unsafe first + index * stride
  }

  /// Where the payload of slot 0 begins.
  @unsafe var payloads: UnsafeRawPointer {
    unsafe UnsafeRawPointer(first + martlet_net_payload_offset)
  }

  /// Describes the datagram in `slot` in the record at `place`; gives what the slot says.
  func describe(slot: Int, at place: Int) -> martlet_net_datagram {
    precondition(UInt(bitPattern: place) < UInt(bitPattern: count), "PacketSlots: the record is in range")
    // In bounds, both: checked here and by `slot`.
    let read = unsafe martlet_net_read(self.slot(slot), UInt32(payloadBytesMax))
    var record = PacketRecord()
    record.kernelNanoseconds = read.stamp
    record.slot = UInt32(slot)
    record.byteCount = read.payload_bytes
    record.wireByteCount = read.wire_bytes
    record.sourceAddress = read.source_address
    record.sourcePort = read.source_port
    unsafe records[place] = record
    return read
  }

  /// The slot of the record at `place`, which was described before.
  func slot(ofRecord place: Int) -> Int {
    precondition(UInt(bitPattern: place) < UInt(bitPattern: count), "PacketSlots: the record is in range")
    // In bounds: checked above.
    return Int(unsafe records[place].slot)
  }
}
