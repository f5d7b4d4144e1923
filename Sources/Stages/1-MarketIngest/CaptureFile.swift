internal import TradingTypes

/// The UDP datagrams of a packet capture, pcap or pcapng, in the order of the file.
///
/// ```
/// var capture = CaptureFile(file.bytes)
/// while let packet = capture.next() { … packet.payload … }
/// switch capture.ending { … }
/// ```
///
/// Total: any bytes give packets, counted refusals and one ending, never a trap. Reads pcap with times in micro- and nanoseconds and
/// pcapng with enhanced and simple packet blocks, both in either byte order; Ethernet with tags, Linux cooked (both versions), IP
/// itself, null and loopback; IPv4 with options, but no fragments, and IPv6 without extension headers. Check sums are not verified:
/// what a network card would have filled in later is wrong in many captures.
///
/// - Complexity: O(1) a packet beside the tags, no allocation; other blocks are stepped over.
/// - Source: pcap (draft-ietf-opsawg-pcap, section 4) and pcapng (draft-ietf-opsawg-pcapng, sections 3 and 4).
public struct CaptureFile: ~Escapable {
  /// How the bytes ended.
  @frozen public enum Ending: BitwiseCopyable, Hashable, Sendable {
    /// Packets remain.
    case unread
    /// Behind the last packet.
    case end
    /// An incomplete header, packet or block of `byteCount` bytes starts at `offset`.
    case truncated(offset: Int, byteCount: Int)
    /// What stands at `offset` breaks the format, so nothing behind it can be found.
    case damaged(offset: Int)
  }

  enum Format: UInt8, BitwiseCopyable {
    case unknown
    case microseconds
    case nanoseconds
    case blocks
  }

  let view: ByteView
  var position = 0
  var state = Ending.unread
  var format = Format.unknown
  var isLittleEndian = false
  // The interface of the packet at hand: asking for an element of the table copies the table.
  var interface = CaptureInterface()
  var interfaceIndex = -1
  var interfaceCount = 0
  var interfaces: InlineArray<32, CaptureInterface> = InlineArray(repeating: CaptureInterface())
  // Simple packet blocks have no time of their own.
  var latestTime = Timestamp(nanoseconds: 0)

  /// What was seen so far.
  public internal(set) var counters = CaptureCounters()

  /// Offset of the next packet or block.
  public var offset: Int { position }

  /// How the bytes ended: `unread` until `next` answered nil.
  public var ending: Ending { state }

  /// Interfaces of one section whose packets are read; packets of further ones are refused as `unknownLink`.
  @inlinable public static var interfaceCountMax: Int { 32 }

  /// Bytes a packet can have; a larger number means that the file is damaged.
  @inlinable public static var packetBytesMax: Int { 1 << 24 }

  /// The packets in `bytes`.
  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) {
    view = ByteView(bytes)
    readMagic()
  }

  /// The packets in `bytes`.
  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) {
    view = ByteView(bytes)
    readMagic()
  }

  private mutating func readMagic() {
    guard view.count >= 4 else {
      state = .truncated(offset: 0, byteCount: view.count)
      return
    }
    switch view.bigEndian32(at: 0) {
    case 0xA1B2_C3D4: format = .microseconds
    case 0xA1B2_3C4D: format = .nanoseconds
    case 0xD4C3_B2A1: (format, isLittleEndian) = (.microseconds, true)
    case 0x4D3C_B2A1: (format, isLittleEndian) = (.nanoseconds, true)
    case 0x0A0D_0D0A:
      format = .blocks
      return
    default:
      state = .damaged(offset: 0)
      return
    }
    guard view.count >= 24 else {
      state = .truncated(offset: 0, byteCount: view.count)
      return
    }
    guard integer16(at: 4) == 2 else {
      state = .damaged(offset: 0)
      return
    }
    // The upper bits of the field tell of check sums behind each frame, which the lengths of IP leave out.
    interface.link = UInt16(truncatingIfNeeded: integer32(at: 20))
    position = 24
  }

  /// The next datagram, or nil at the end; `ending` then says which end.
  @_lifetime(copy self)
  public mutating func next() -> CapturePacket? {
    while state == .unread {
      guard let captured = format == .blocks ? nextBlock() : nextRecord() else { continue }
      // Wrapping, here and below: a count of packets does not reach 2^64.
      counters.packets &+= 1
      guard let time = captured.time else {
        count(.invalidTime)
        continue
      }
      latestTime = time
      guard captured.isKnownLink else {
        count(.unknownLink)
        continue
      }
      let bytes = view.slice(from: captured.offset, count: captured.count)
      let frame = CaptureFrame(bytes, link: interface.link)
      if let refusal = frame.refusal {
        count(refusal)
        continue
      }
      counters.datagrams &+= 1
      return CapturePacket(
        bytes.slice(from: frame.payloadOffset, count: frame.payloadCount), time: time,
        destination: frame.destination, destinationPort: frame.destinationPort)
    }
    return nil
  }

  private mutating func count(_ refusal: CaptureRefusal) { counters.byRefusal[Int(refusal.rawValue)] &+= 1 }

  /// One packet as it lies in the file.
  struct Captured: BitwiseCopyable {
    var offset: Int
    var count: Int
    var time: Timestamp?
    var isKnownLink = true
  }

  /// The next packet of a pcap file, or nil at its end.
  private mutating func nextRecord() -> Captured? {
    let rest = view.count - position
    guard rest >= 16 else {
      state = rest == 0 ? .end : .truncated(offset: position, byteCount: rest)
      return nil
    }
    let seconds = Int64(integer32(at: position))
    let fraction = Int64(integer32(at: position + 4))
    let count = Int(integer32(at: position + 8))
    guard count <= Self.packetBytesMax else {
      state = .damaged(offset: position)
      return nil
    }
    guard count <= rest - 16 else {
      state = .truncated(offset: position, byteCount: rest)
      return nil
    }
    let unit: Int64 = format == .microseconds ? 1_000 : 1
    // Cannot overflow: 2^32 seconds are 2^62 nanoseconds.
    let time: Timestamp? =
      fraction * unit < 1_000_000_000 ? Timestamp(nanoseconds: seconds * 1_000_000_000 + fraction * unit) : nil
    let start = position + 16
    position = start + count
    return Captured(offset: start, count: count, time: time)
  }

  func integer16(at offset: Int) -> UInt16 {
    let value = view.bigEndian16(at: offset)
    return isLittleEndian ? value.byteSwapped : value
  }

  func integer32(at offset: Int) -> UInt32 {
    let value = view.bigEndian32(at: offset)
    return isLittleEndian ? value.byteSwapped : value
  }

  func integer64(at offset: Int) -> UInt64 {
    let value = view.bigEndian64(at: offset)
    return isLittleEndian ? value.byteSwapped : value
  }
}
