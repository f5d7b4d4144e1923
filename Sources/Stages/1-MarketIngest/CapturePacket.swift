public import TradingTypes

/// An IPv6 address, or an IPv4 one in its mapped form `::ffff:a.b.c.d`.
///
/// - Source: RFC 4291, section 2.5.5.2.
@frozen public struct CaptureAddress: BitwiseCopyable, Hashable, Sendable {
  /// The first eight bytes, big-endian.
  public var high: UInt64
  /// The last eight bytes, big-endian.
  public var low: UInt64

  /// An IPv6 address.
  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// An IPv4 address, first number highest.
  @inlinable public init(version4 address: UInt32) {
    high = 0
    low = 0xFFFF_0000_0000 | UInt64(address)
  }

  /// The IPv4 address, or nil where it is another.
  @inlinable public var version4: UInt32? {
    high == 0 && low >> 32 == 0xFFFF ? UInt32(truncatingIfNeeded: low) : nil
  }
}

/// One UDP datagram of a capture.
@frozen public struct CapturePacket: ~Escapable, BitwiseCopyable {
  /// What the datagram carries.
  public let payload: ByteView
  /// When it was captured.
  public let time: Timestamp
  /// Where it was sent to: for multicast, the group.
  public let destination: CaptureAddress
  /// The port it was sent to.
  public let destinationPort: UInt16

  @_lifetime(copy payload)
  @inlinable init(_ payload: ByteView, time: Timestamp, destination: CaptureAddress, destinationPort: UInt16) {
    self.payload = payload
    self.time = time
    self.destination = destination
    self.destinationPort = destinationPort
  }
}

/// Why a captured packet gave no datagram.
@frozen public enum CaptureRefusal: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// A link type we do not read, or a block that names no known interface.
  case unknownLink = 0
  /// No IP in it, or IP without UDP.
  case otherProtocol = 1
  /// A part of an IPv4 datagram.
  case fragment = 2
  /// IPv6 with extension headers.
  case extensionHeader = 3
  /// Headers or datagram were cut off when captured.
  case cut = 4
  /// A header that contradicts itself.
  case malformed = 5
  /// A time that is no number of the format or not representable.
  case invalidTime = 6
}

/// What a capture held: every packet is counted once, as a datagram or in `byRefusal`.
@frozen public struct CaptureCounters: BitwiseCopyable, Sendable {
  /// Packets so far, refused ones too.
  public var packets: UInt64 = 0
  /// UDP datagrams.
  public var datagrams: UInt64 = 0
  /// Blocks of a pcapng file that hold no packet we read.
  public var skippedBlocks: UInt64 = 0
  /// Refusals by raw value.
  public var byRefusal: InlineArray<7, UInt64> = InlineArray(repeating: 0)

  /// Nothing seen.
  @inlinable public init() {}

  /// Packets refused as `refusal`.
  @inlinable public func refusals(_ refusal: CaptureRefusal) -> UInt64 { byRefusal[Int(refusal.rawValue)] }

  /// All refusals.
  public var refusalCount: UInt64 {
    var sum: UInt64 = 0
    // Wrapping: a count of packets does not reach 2^64.
    for refusal in CaptureRefusal.allCases { sum &+= byRefusal[Int(refusal.rawValue)] }
    return sum
  }
}
