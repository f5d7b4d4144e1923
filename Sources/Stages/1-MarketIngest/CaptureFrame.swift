/// Where the UDP payload stands in one captured frame, or why there is none.
///
/// - Source: IEEE 802.3 and 802.1Q (tags), the tcpdump link-layer header types, RFC 791, RFC 8200, RFC 768.
struct CaptureFrame: BitwiseCopyable {
  var refusal: CaptureRefusal?
  var payloadOffset = 0
  var payloadCount = 0
  var destination = CaptureAddress(high: 0, low: 0)
  var destinationPort: UInt16 = 0

  init(_ bytes: ByteView, link: UInt16) {
    switch link {
    case 1: etherType(bytes, at: 12)  // Ethernet
    case 113: etherType(bytes, at: 14)  // Linux cooked
    case 276: cookedVersion2(bytes)
    case 0, 108: family(bytes)  // null and loopback: four bytes of address family
    case 12, 14, 101, 228, 229: version(bytes, at: 0)  // IP itself
    default: refusal = .unknownLink
    }
  }

  /// A type at `offset`, behind any number of tags of four bytes.
  private mutating func etherType(_ bytes: ByteView, at offset: Int) {
    var place = offset
    while place + 2 <= bytes.count {
      switch bytes.bigEndian16(at: place) {
      // 802.1Q, 802.1ad, and the older number of the outer tag.
      case 0x8100, 0x88A8, 0x9100: place += 4
      case 0x0800: return version4(bytes, at: place + 2)
      case 0x86DD: return version6(bytes, at: place + 2)
      default:
        refusal = .otherProtocol
        return
      }
    }
    refusal = .cut
  }

  /// The second form of Linux cooked has its type first and 20 bytes in all.
  private mutating func cookedVersion2(_ bytes: ByteView) {
    guard bytes.count >= 20 else {
      refusal = .cut
      return
    }
    switch bytes.bigEndian16(at: 0) {
    case 0x8100, 0x88A8, 0x9100: etherType(bytes, at: 22)
    case 0x0800: version4(bytes, at: 20)
    case 0x86DD: version6(bytes, at: 20)
    default: refusal = .otherProtocol
    }
  }

  /// Null and loopback: the family is in the capturing machine's byte order, and differs by system for IPv6. The version of
  /// the header says the same in one way only.
  private mutating func family(_ bytes: ByteView) {
    guard bytes.count >= 4 else {
      refusal = .cut
      return
    }
    let big = bytes.bigEndian32(at: 0)
    switch min(big, big.byteSwapped) {
    case 2, 10, 24, 28, 30: version(bytes, at: 4)
    default: refusal = .otherProtocol
    }
  }

  private mutating func version(_ bytes: ByteView, at offset: Int) {
    guard offset < bytes.count else {
      refusal = .cut
      return
    }
    switch bytes.byte(at: offset) >> 4 {
    case 4: version4(bytes, at: offset)
    case 6: version6(bytes, at: offset)
    default: refusal = .otherProtocol
    }
  }

  private mutating func version4(_ bytes: ByteView, at offset: Int) {
    guard bytes.count - offset >= 20 else {
      refusal = .cut
      return
    }
    let first = bytes.byte(at: offset)
    let headerCount = Int(first & 15) * 4
    let totalCount = Int(bytes.bigEndian16(at: offset + 2))
    guard first >> 4 == 4, headerCount >= 20, totalCount >= headerCount else {
      refusal = .malformed
      return
    }
    guard bytes.byte(at: offset + 9) == 17 else {
      refusal = .otherProtocol
      return
    }
    // More fragments, or not the first one.
    guard bytes.bigEndian16(at: offset + 6) & 0x3FFF == 0 else {
      refusal = .fragment
      return
    }
    destination = CaptureAddress(version4: bytes.bigEndian32(at: offset + 16))
    datagram(bytes, at: offset + headerCount, count: totalCount - headerCount)
  }

  private mutating func version6(_ bytes: ByteView, at offset: Int) {
    guard bytes.count - offset >= 40 else {
      refusal = .cut
      return
    }
    guard bytes.byte(at: offset) >> 4 == 6 else {
      refusal = .malformed
      return
    }
    switch bytes.byte(at: offset + 6) {
    case 17:
      destination = CaptureAddress(high: bytes.bigEndian64(at: offset + 24), low: bytes.bigEndian64(at: offset + 32))
      datagram(bytes, at: offset + 40, count: Int(bytes.bigEndian16(at: offset + 4)))
    // Hop-by-hop, routing, fragment, authentication, destination options, mobility, host identity, shim.
    case 0, 43, 44, 51, 60, 135, 139, 140: refusal = .extensionHeader
    default: refusal = .otherProtocol
    }
  }

  /// The UDP header at `offset`, of an IP payload of `count` bytes. What a link appends behind is not looked at.
  private mutating func datagram(_ bytes: ByteView, at offset: Int, count: Int) {
    guard count >= 8 else {
      refusal = .malformed
      return
    }
    guard offset <= bytes.count - 8 else {
      refusal = .cut
      return
    }
    let length = Int(bytes.bigEndian16(at: offset + 4))
    guard length >= 8, length <= count else {
      refusal = .malformed
      return
    }
    guard length <= bytes.count - offset else {
      refusal = .cut
      return
    }
    destinationPort = bytes.bigEndian16(at: offset + 2)
    payloadOffset = offset + 8
    payloadCount = length - 8
  }
}
