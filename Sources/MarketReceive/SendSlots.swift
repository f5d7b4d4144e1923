internal import CNet
internal import LockFreeRings

/// Packets on their way out, in arena memory, with the table the system sends them from.
@safe struct SendSlots {
  private let first: UnsafeMutableRawPointer
  private let table: UnsafeMutableRawPointer
  private let dues: UnsafeMutablePointer<UInt64>
  private let lengths: UnsafeMutablePointer<Int>
  private let count: Int
  private let stride: Int
  // Keeps the memory alive.
  private let owner: Arena
  /// Packets that wait to be sent.
  private(set) var pendingCount = 0

  init(count: Int, payloadBytesMax: Int, in arena: Arena) throws(NetworkError) {
    let stride = (payloadBytesMax + 63) / 64 * 64
    do {
      // Each part has the size and alignment its use asks for.
      unsafe first = try arena.reserve(byteCount: stride * count)
      unsafe table = try arena.reserve(byteCount: martlet_net_table_bytes(UInt32(count)))
      unsafe dues = try arena.reserve(byteCount: 8 * count).bindMemory(to: UInt64.self, capacity: count)
      unsafe lengths = try arena.reserve(byteCount: 8 * count).bindMemory(to: Int.self, capacity: count)
    } catch { throw .arena(error) }
    unsafe dues.initialize(repeating: 0, count: count)
    unsafe lengths.initialize(repeating: 0, count: count)
    self.count = count
    self.stride = stride
    owner = arena
    unsafe martlet_net_make_send_table(table, UInt32(count), first, stride)
  }

  static func byteCount(count: Int, payloadBytesMax: Int) -> Int {
    (payloadBytesMax + 63) / 64 * 64 * count + 16 * count + Int(martlet_net_table_bytes(UInt32(count))) + 4 * 128
  }

  var isFull: Bool { pendingCount == count }

  /// - Precondition: there is room, and the payload fits a slot.
  mutating func append(_ payload: RawSpan, due: UInt64) {
    precondition(pendingCount < count && payload.byteCount <= stride, "SendSlots: the packet has room")
    // In bounds: checked above.
    unsafe payload.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress {
        unsafe (first + pendingCount * stride).copyMemory(from: start, byteCount: bytes.count)
      }
    }
    unsafe dues[pendingCount] = due
    unsafe lengths[pendingCount] = payload.byteCount
    unsafe martlet_net_set_length(table, UInt32(pendingCount), UInt32(payload.byteCount))
    pendingCount += 1
  }

  /// When the packet at `place` is due.
  func due(_ place: Int) -> UInt64 {
    precondition(place >= 0 && place < pendingCount, "SendSlots: the packet is pending")
    // In bounds: checked above.
    return unsafe dues[place]
  }

  /// Bytes of the packet at `place`.
  func length(_ place: Int) -> Int {
    precondition(place >= 0 && place < pendingCount, "SendSlots: the packet is pending")
    // In bounds: checked above.
    return unsafe lengths[place]
  }

  /// Writes `nanoseconds` over the last eight bytes of each packet.
  func stamp(_ nanoseconds: Int64) {
    for place in 0..<pendingCount {
      let end = length(place)
      precondition(end >= 8, "SendSlots: a stamped packet has eight bytes")
      // In bounds: checked above.
      unsafe (first + (place * stride + end - 8)).storeBytes(of: nanoseconds.littleEndian, as: Int64.self)
    }
  }

  /// Sends the packets from `place` on; how many went out, or a negative errno.
  func send(through socket: borrowing DatagramSocket, from place: Int) -> Int {
    precondition(place >= 0 && place < pendingCount, "SendSlots: the packet is pending")
    // In bounds: checked above.
    return Int(unsafe martlet_net_send(table, socket.file, UInt32(place), UInt32(pendingCount - place)))
  }

  mutating func clear() { pendingCount = 0 }
}
