/// The name of a MoldUDP64 session: ten characters.
@frozen public struct MoldSession: BitwiseCopyable, Hashable, Sendable {
  /// Characters 1–8, first in the highest byte.
  public var high: UInt64
  /// Characters 9 and 10.
  public var low: UInt16

  /// A session by its packed characters.
  @inlinable public init(high: UInt64, low: UInt16) {
    self.high = high
    self.low = low
  }

  /// The session spelt by ten ASCII characters, or nil.
  public init?(_ text: String) {
    let bytes = text.utf8
    guard bytes.count == 10, bytes.allSatisfy({ $0 < 0x80 }) else { return nil }
    high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    low = bytes.suffix(2).reduce(0) { $0 << 8 | UInt16($1) }
  }
}

/// Why a datagram is no MoldUDP64 packet.
@frozen public enum MoldRefusal: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Fewer than the 20 bytes of the header.
  case short = 0
  /// Its messages end before or behind the end of the datagram.
  case wrongLength = 1
  /// A sequence number of 0, or one so high that its messages have none.
  case invalidSequence = 2
}

/// The first 20 bytes of a MoldUDP64 packet, which are the whole of a request.
///
/// ```
/// 0 session, 10 characters │ 10 sequence, u64 │ 18 count, u16        all big-endian
/// ```
@frozen public struct MoldHeader: BitwiseCopyable, Hashable, Sendable {
  /// The session.
  public var session: MoldSession
  /// Number of the first message; of the next one, where there is none in the packet.
  public var firstSequence: UInt64
  /// Messages in the packet; 0 in a heartbeat and `endOfSession` in the last packets of a session.
  public var count: UInt16

  /// Bytes of a header.
  @inlinable public static var byteCount: Int { 20 }
  /// The count that says that the session is over.
  @inlinable public static var endOfSession: UInt16 { 0xFFFF }

  /// A header.
  @inlinable public init(session: MoldSession, firstSequence: UInt64, count: UInt16) {
    self.session = session
    self.firstSequence = firstSequence
    self.count = count
  }

  /// The header at the start of `bytes`, or nil where they are too few.
  @inlinable public init?(_ bytes: ByteView) {
    guard bytes.count >= 20 else { return nil }
    session = MoldSession(high: bytes.bigEndian64(at: 0), low: bytes.bigEndian16(at: 8))
    firstSequence = bytes.bigEndian64(at: 10)
    count = bytes.bigEndian16(at: 18)
  }

  /// Messages behind the header: none in a heartbeat or at the end of the session.
  @inlinable public var messageCount: Int { count == Self.endOfSession ? 0 : Int(count) }

  /// The session is over; `firstSequence` is one above its last message.
  @inlinable public var isEndOfSession: Bool { count == Self.endOfSession }

  /// The bytes as they are sent: a request for `count` messages from `firstSequence`, at most 65,535.
  public var bytes: InlineArray<20, UInt8> {
    var bytes = InlineArray<20, UInt8>(repeating: 0)
    for place in 0..<8 {
      let shift = UInt64(56 - 8 * place)
      bytes[place] = UInt8(truncatingIfNeeded: session.high >> shift)
      bytes[10 + place] = UInt8(truncatingIfNeeded: firstSequence >> shift)
    }
    bytes[8] = UInt8(session.low >> 8)
    bytes[9] = UInt8(truncatingIfNeeded: session.low)
    bytes[18] = UInt8(count >> 8)
    bytes[19] = UInt8(truncatingIfNeeded: count)
    return bytes
  }
}

/// The messages of one MoldUDP64 packet.
///
/// A packet is taken whole or not at all: a frame that does not fit drops all of it. A message may be empty; it has its number too.
///
/// - Complexity: O(messages) to check, O(1) a message, no allocation.
/// - Source: MoldUDP64 protocol specification 1.00, "Downstream Packet" and "Request Packet".
@frozen public struct MoldPacket: ~Escapable, BitwiseCopyable {
  /// Session, number of the first message, and how many there are.
  public let header: MoldHeader
  @usableFromInline let view: ByteView
  @usableFromInline var position: Int
  @usableFromInline var sequence: UInt64

  /// The packet that `datagram` is, or nil; `refusal(of:)` then says why.
  @_lifetime(copy datagram)
  @inlinable public init?(_ datagram: ByteView) {
    guard Self.refusal(of: datagram) == nil, let header = MoldHeader(datagram) else { return nil }
    self.header = header
    view = datagram
    position = MoldHeader.byteCount
    sequence = header.firstSequence
  }

  /// Why `datagram` is no packet, or nil where it is one.
  @inlinable public static func refusal(of datagram: ByteView) -> MoldRefusal? {
    guard let header = MoldHeader(datagram) else { return .short }
    // One number stays free behind the last message.
    guard header.firstSequence > 0, header.firstSequence < UInt64.max - UInt64(header.count) else {
      return .invalidSequence
    }
    var place = MoldHeader.byteCount
    for _ in 0..<header.messageCount {
      // Wrapping, here and below: places are at most the count, and a datagram has fewer bytes than 2^62.
      guard place &+ 2 <= datagram.count else { return .wrongLength }
      place = place &+ 2 &+ Int(datagram.bigEndian16(at: place))
    }
    return place == datagram.count ? nil : .wrongLength
  }

  /// Number of the message that `next` gives.
  @inlinable public var nextSequence: UInt64 { sequence }

  /// The body of the next message, or nil behind the last one.
  @_lifetime(copy self)
  @inlinable public mutating func next() -> ByteView? {
    guard position < view.count else { return nil }
    let length = Int(view.bigEndian16(at: position))
    let body = view.slice(from: position &+ 2, count: length)
    // Wrapping: as in `refusal`; the sequence was checked there.
    position = position &+ 2 &+ length
    sequence &+= 1
    return body
  }
}
