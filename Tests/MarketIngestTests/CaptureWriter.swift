import MarketIngest
import TradingTypes

/// A datagram as a test wants it captured, and as the reader should give it back.
struct TestDatagram: Equatable {
  var payload: [UInt8]
  var time: Int64
  var high: UInt64
  var low: UInt64
  var port: UInt16
}

/// Writes captures byte by byte: the other side of `CaptureFile`.
struct CaptureWriter {
  var bytes: [UInt8] = []
  var isLittle = true

  static func big(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
  }

  func ordered(_ value: UInt64, _ count: Int) -> [UInt8] {
    let big = Self.big(value, count)
    return isLittle ? big.reversed() : big
  }

  // MARK: - Files

  mutating func pcapHeader(magic: UInt64, link: UInt64) {
    bytes += ordered(magic, 4) + ordered(2, 2) + ordered(4, 2) + ordered(0, 8) + ordered(262_144, 4) + ordered(link, 4)
  }

  mutating func pcapRecord(seconds: UInt64, fraction: UInt64, _ frame: [UInt8]) {
    bytes += ordered(seconds, 4) + ordered(fraction, 4)
    bytes += ordered(UInt64(frame.count), 4) + ordered(UInt64(frame.count), 4) + frame
  }

  mutating func block(_ type: UInt64, _ body: [UInt8]) {
    let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
    let length = ordered(UInt64(padded.count + 12), 4)
    bytes += ordered(type, 4) + length + padded + length
  }

  mutating func section() {
    block(0x0A0D_0D0A, ordered(0x1A2B_3C4D, 4) + ordered(1, 2) + ordered(0, 2) + [UInt8](repeating: 0xFF, count: 8))
  }

  mutating func interface(link: UInt64, resolution: UInt8? = nil, offset: Int64? = nil, snapLength: UInt64 = 0) {
    var body = ordered(link, 2) + ordered(0, 2) + ordered(snapLength, 4)
    // A comment first: options of any length are stepped over.
    body += ordered(1, 2) + ordered(3, 2) + [0x61, 0x62, 0x63, 0]
    if let resolution { body += ordered(9, 2) + ordered(1, 2) + [resolution, 0, 0, 0] }
    if let offset { body += ordered(14, 2) + ordered(8, 2) + ordered(UInt64(bitPattern: offset), 8) }
    block(1, body + ordered(0, 4))
  }

  mutating func enhanced(_ interface: UInt64, ticks: UInt64, _ frame: [UInt8]) {
    let size = ordered(UInt64(frame.count), 4)
    block(
      6, ordered(interface, 4) + ordered(ticks >> 32, 4) + ordered(ticks & 0xFFFF_FFFF, 4) + size + size + frame)
  }

  mutating func simple(_ frame: [UInt8]) { block(3, ordered(UInt64(frame.count), 4) + frame) }

  // MARK: - Frames

  static func udp(_ datagram: TestDatagram) -> [UInt8] {
    big(40_000, 2) + big(UInt64(datagram.port), 2) + big(UInt64(datagram.payload.count + 8), 2) + [0, 0]
      + datagram.payload
  }

  /// The datagram in IPv4 where its address is a mapped one, else in IPv6.
  static func internet(
    _ datagram: TestDatagram, options: Int = 0, fragment: UInt64 = 0, next: UInt8 = 17
  ) -> [UInt8] {
    let udp = udp(datagram)
    guard datagram.high == 0, datagram.low >> 32 == 0xFFFF else {
      return [0x60, 0, 0, 0] + big(UInt64(udp.count), 2) + [next, 8] + [UInt8](repeating: 9, count: 16)
        + big(datagram.high, 8) + big(datagram.low, 8) + udp
    }
    let header = 20 + 4 * options
    return [UInt8(0x40 + header / 4), 0] + big(UInt64(header + udp.count), 2) + [0, 1] + big(fragment, 2)
      + [8, next, 0, 0, 10, 0, 0, 1] + big(datagram.low & 0xFFFF_FFFF, 4) + [UInt8](repeating: 1, count: 4 * options)
      + udp
  }

  /// `packet` behind the header of `link`, with `tags` tags where it can have some.
  static func frame(_ packet: [UInt8], link: UInt64, tags: Int = 0, trailer: Int = 0) -> [UInt8] {
    let isFour = packet[0] >> 4 == 4
    let type: [UInt8] = isFour ? [0x08, 0x00] : [0x86, 0xDD]
    var tagged: [UInt8] = []
    for tag in 0..<tags { tagged += tag == 0 ? [0x88, 0xA8, 0, 7] : [0x81, 0, 0, 5] }
    let rest = packet + [UInt8](repeating: 0xEE, count: trailer)
    switch link {
    case 1: return [UInt8](repeating: 2, count: 12) + tagged + type + rest
    case 113: return [UInt8](repeating: 0, count: 14) + tagged + type + rest
    case 276:
      guard let first = tagged.first else { return type + [UInt8](repeating: 0, count: 18) + rest }
      return [first, tagged[1]] + [UInt8](repeating: 0, count: 18) + tagged.dropFirst(2) + type + rest
    case 0: return [isFour ? 2 : 10, 0, 0, 0] + rest
    case 108: return [0, 0, 0, isFour ? 2 : 30] + rest
    default: return rest
    }
  }
}

/// A capture read to its end.
struct CaptureReading {
  var datagrams: [TestDatagram] = []
  var ending = CaptureFile.Ending.unread
  var counters = CaptureCounters()

  init(_ bytes: [UInt8]) {
    var capture = CaptureFile(bytes.span)
    while let packet = capture.next() {
      datagrams.append(
        TestDatagram(
          payload: (0..<packet.payload.count).map { packet.payload.byte(at: $0) }, time: packet.time.nanoseconds,
          high: packet.destination.high, low: packet.destination.low, port: packet.destinationPort))
    }
    ending = capture.ending
    counters = capture.counters
  }

  /// What is wrong with the counts, if anything.
  var fault: String? {
    if ending == .unread { return "not read to its end" }
    if counters.datagrams != UInt64(datagrams.count) { return "datagrams are counted wrongly" }
    return counters.packets == counters.datagrams + counters.refusalCount ? nil : "counters do not add up"
  }
}
