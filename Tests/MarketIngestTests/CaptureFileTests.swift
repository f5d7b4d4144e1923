import CAllocationCounter
import Foundation
import LockFreeRings
import MarketIngest
import TestSupport
import Testing
import TradingTypes

// Goal: every datagram of a capture comes out as it went in, and no bytes trap. Method: captures written byte by byte in every form,
// read back and compared; every prefix; random bytes and flipped bits, where only the counters can be compared; real files.
@Suite struct CaptureFileTests {
  static func datagram(_ random: inout SplitMix64, time: Int64) -> TestDatagram {
    let isFour = random.below(3) > 0
    return TestDatagram(
      payload: (0..<random.below(60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }, time: time,
      high: isFour ? 0 : random.next() | 1, low: isFour ? 0xFFFF_0000_0000 | random.next() >> 32 : random.next(),
      port: UInt16(truncatingIfNeeded: random.next()))
  }

  static let links: [UInt64] = [1, 113, 276, 101, 228, 0, 108, 12]

  /// A capture of `count` datagrams in the form `form` (0 and 1: pcap, 2: pcapng), with packets in between that give none.
  static func capture(_ form: Int, seed: UInt64, count: Int = 40) -> (bytes: [UInt8], expected: [TestDatagram]) {
    var random = SplitMix64(seed: seed)
    var writer = CaptureWriter()
    writer.isLittle = random.below(2) == 0
    var expected: [TestDatagram] = []
    var fileLinks = [links[random.below(links.count)]]
    if form < 2 {
      writer.pcapHeader(magic: form == 0 ? 0xA1B2_C3D4 : 0xA1B2_3C4D, link: fileLinks[0])
    } else {
      writer.section()
      fileLinks = (0..<3).map { _ in links[random.below(links.count)] }
      writer.interface(link: fileLinks[0])
      writer.interface(link: fileLinks[1], resolution: 9, offset: 1_000)
      writer.interface(link: fileLinks[2], resolution: 0x80 | 10)
    }
    for number in 0..<count {
      let port = random.below(fileLinks.count)
      let seconds: Int64 = 1_700_000_000 + Int64(number)
      // A fraction that every resolution here can express: a multiple of 1/1024 s that is one of 1 µs: 125/8 ms.
      let time = seconds * 1_000_000_000 + Int64(random.below(64)) * 15_625_000
      var datagram = datagram(&random, time: time)
      var packet: [UInt8]
      let choice = random.below(10)
      switch choice {
      case 0: packet = CaptureWriter.internet(datagram, fragment: 0x2000, next: 17)
      case 1: packet = CaptureWriter.internet(datagram, next: 6)
      default: packet = CaptureWriter.internet(datagram, options: random.below(4))
      }
      let isRefused = choice == 1 || (choice == 0 && datagram.high == 0)
      let frame = CaptureWriter.frame(
        packet, link: fileLinks[port], tags: [1, 113, 276].contains(fileLinks[port]) ? random.below(4) : 0,
        trailer: random.below(3))
      switch form {
      case 0: writer.pcapRecord(seconds: UInt64(seconds), fraction: UInt64(time % 1_000_000_000) / 1_000, frame)
      case 1: writer.pcapRecord(seconds: UInt64(seconds), fraction: UInt64(time % 1_000_000_000), frame)
      default:
        if random.below(4) == 0 { writer.block(0x0BAD, [1, 2, 3, 4, 5]) }
        if port == 0, random.below(3) == 0 {
          writer.simple(frame)
          datagram.time = expected.isEmpty && number == 0 ? 0 : -1
        } else {
          let ticks: UInt64 =
            port == 0
            ? UInt64(time) / 1_000 : port == 1 ? UInt64(time - 1_000_000_000_000) : UInt64(time) / 15_625_000 * 16
          writer.enhanced(UInt64(port), ticks: ticks, frame)
        }
      }
      if !isRefused { expected.append(datagram) }
    }
    return (writer.bytes, expected)
  }

  @Test(arguments: [0, 1, 2]) func `a capture gives back what was written`(form: Int) {
    for seed in 1...60 as ClosedRange<UInt64> {
      let (bytes, expected) = Self.capture(form, seed: seed)
      let reading = CaptureReading(bytes)
      #expect(reading.fault == nil, "form \(form), seed \(seed)")
      #expect(reading.ending == .end, "form \(form), seed \(seed)")
      var found = reading.datagrams
      // A simple packet has the time of the one before it, whatever that was.
      for place in found.indices where place < expected.count && expected[place].time == -1 { found[place].time = -1 }
      #expect(found == expected, "form \(form), seed \(seed)")
    }
  }

  @Test(arguments: [0, 1, 2]) func `every prefix ends at a border or as truncated`(form: Int) {
    let (bytes, _) = Self.capture(form, seed: 9, count: 12)
    let whole = CaptureReading(bytes)
    for length in 0...bytes.count {
      let reading = CaptureReading(Array(bytes.prefix(length)))
      #expect(reading.fault == nil, "\(length) bytes")
      #expect(Array(whole.datagrams.prefix(reading.datagrams.count)) == reading.datagrams)
      switch reading.ending {
      case .end: #expect(length >= 24)
      case .truncated(let offset, let count): #expect(offset + count == length, "\(length) bytes")
      default: Issue.record("\(length) bytes: \(reading.ending)")
      }
    }
  }

  @Test func `no bytes trap and all packets are counted`() {
    for seed in 1...600 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      var bytes = Self.capture(Int(seed % 3), seed: seed, count: 6).bytes
      switch random.below(3) {
      case 0: bytes = Array(bytes.prefix(24 + random.below(8))) + (0..<400).map { _ in UInt8(random.below(256)) }
      case 1: for _ in 0..<(1 + random.below(8)) { bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8)) }
      default:
        let start = random.below(bytes.count)
        bytes.removeSubrange(start..<min(bytes.count, start + 1 + random.below(30)))
      }
      #expect(CaptureReading(bytes).fault == nil, "seed \(seed)")
    }
  }

  // Found by flipped bits: a unit of 2^-65 s trapped. Method: every resolution byte against 128-bit arithmetic.
  @Test func `times are exact at every resolution`() {
    var random = SplitMix64(seed: 11)
    let datagram = TestDatagram(payload: [1], time: 0, high: 0, low: 0xFFFF_0A00_0001, port: 5)
    let frame = CaptureWriter.frame(CaptureWriter.internet(datagram), link: 1)
    for resolution in 0...255 as ClosedRange<UInt8> {
      for _ in 0..<20 {
        let ticks = random.next() >> UInt64(random.below(64))
        var writer = CaptureWriter()
        writer.section()
        writer.interface(link: 1, resolution: resolution)
        writer.enhanced(0, ticks: ticks, frame)
        let scaled = UInt128(ticks) * 1_000_000_000
        var expected = scaled
        if resolution >= 0x80 {
          expected = scaled >> UInt128(resolution & 0x7F)
        } else {
          for _ in 0..<resolution { expected /= 10 }
        }
        let reading = CaptureReading(writer.bytes)
        let found = reading.datagrams.first?.time
        #expect(found == (expected > UInt128(Int64.max) ? nil : Int64(expected)), "\(resolution), \(ticks)")
        #expect(reading.counters.refusals(.invalidTime) == (found == nil ? 1 : 0))
      }
    }
  }

  @Test func `what breaks the format is damage at its place`() {
    #expect(CaptureReading([]).ending == .truncated(offset: 0, byteCount: 0))
    #expect(CaptureReading([1, 2, 3, 4, 5]).ending == .damaged(offset: 0))
    var writer = CaptureWriter()
    writer.pcapHeader(magic: 0xA1B2_C3D4, link: 1)
    let start = writer.bytes.count
    writer.bytes += writer.ordered(1, 8) + writer.ordered(0xFFFF_FFFF, 4) + writer.ordered(1, 4)
    #expect(CaptureReading(writer.bytes).ending == .damaged(offset: start))
    writer = CaptureWriter()
    writer.section()
    let second = writer.bytes.count
    writer.interface(link: 1)
    writer.bytes[writer.bytes.count - 1] ^= 1
    #expect(CaptureReading(writer.bytes).ending == .damaged(offset: second))
  }

  @Test func `each refusal has its cause`() {
    let four = TestDatagram(payload: [1, 2, 3], time: 0, high: 0, low: 0xFFFF_0A00_0001, port: 5)
    let six = TestDatagram(payload: [1, 2, 3], time: 0, high: 0xFF02 << 48, low: 1, port: 5)
    func refusal(_ frame: [UInt8], link: UInt64 = 1, fraction: UInt64 = 0) -> CaptureRefusal? {
      var writer = CaptureWriter()
      writer.pcapHeader(magic: 0xA1B2_C3D4, link: link)
      writer.pcapRecord(seconds: 1, fraction: fraction, frame)
      let reading = CaptureReading(writer.bytes)
      return CaptureRefusal.allCases.first { reading.counters.refusals($0) == 1 }
    }
    let frame = CaptureWriter.frame(CaptureWriter.internet(four), link: 1)
    #expect(refusal(frame) == nil)
    #expect(refusal(frame, link: 147) == .unknownLink)
    #expect(refusal(frame, fraction: 1_000_000) == .invalidTime)
    #expect(refusal(Array(frame.dropLast())) == .cut)
    for length in 0..<frame.count { #expect(refusal(Array(frame.prefix(length))) == .cut, "\(length) bytes") }
    #expect(refusal(CaptureWriter.frame(CaptureWriter.internet(four, fragment: 1), link: 1)) == .fragment)
    #expect(refusal(CaptureWriter.frame(CaptureWriter.internet(four, next: 6), link: 1)) == .otherProtocol)
    #expect(refusal(CaptureWriter.frame(CaptureWriter.internet(six, next: 44), link: 1)) == .extensionHeader)
    #expect(refusal(CaptureWriter.frame(CaptureWriter.internet(six, next: 58), link: 1)) == .otherProtocol)
    var broken = frame
    broken[14] = 0x44  // a header of 16 bytes
    #expect(refusal(broken) == .malformed)
    broken = frame
    broken[39] = 7  // a UDP length below its header
    #expect(refusal(broken) == .malformed)
  }

  @Test func `an address tells IPv4 from IPv6`() {
    #expect(CaptureAddress(version4: 0xE900_0001).version4 == 0xE900_0001)
    #expect(CaptureAddress(high: 1, low: 0xFFFF_0000_0001).version4 == nil)
    #expect(CaptureAddress(high: 0, low: 1).version4 == nil)
  }

  @Test(.enabled(if: countsAllocations)) func `reading a capture allocates nothing`() {
    let (bytes, _) = Self.capture(2, seed: 4)
    func read() -> UInt64 {
      var capture = CaptureFile(bytes.span)
      var sum: UInt64 = 0
      while let packet = capture.next() { sum += UInt64(packet.payload.count) }
      return sum
    }
    let first = read()
    var second: UInt64 = 0
    let counts = counting { second = read() }
    #expect(counts.allocations == 0)
    #expect(first == second)
  }
}
