import MarketIngest
import TestSupport
import Testing
import TradingTypes

// Goal: a packet is taken whole or not at all. Method: packets written by hand and from seeds, read back; every prefix; damage.
@Suite struct MoldPacketTests {
  static let session = MoldSession("SESSION001") ?? MoldSession(high: 0, low: 0)

  static func read(_ bytes: [UInt8]) -> (header: MoldHeader, messages: [[UInt8]], last: UInt64)? {
    guard var packet = MoldPacket(ByteView(bytes.span)) else { return nil }
    var messages: [[UInt8]] = []
    while let body = packet.next() { messages.append((0..<body.count).map { body.byte(at: $0) }) }
    return (packet.header, messages, packet.nextSequence)
  }

  @Test func `a request is the twenty bytes of the specification`() {
    let request = MoldHeader(session: Self.session, firstSequence: 0x0102_0304_0506_0708, count: 0x0A0B).bytes
    let found = (0..<20).map { request[$0] }
    #expect(found == Array("SESSION001".utf8) + [1, 2, 3, 4, 5, 6, 7, 8, 10, 11])
    #expect(MoldSession("SHORT") == nil && MoldSession("SESSION00É") == nil)
  }

  @Test func `messages come back with their numbers`() {
    var random = SplitMix64(seed: 1)
    for _ in 0..<200 {
      let messages = (0..<random.below(20)).map { _ in
        (0..<random.below(70)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      }
      let first = 1 + random.next() >> 1
      let found = Self.read(moldPacket(session: Self.session, first: first, messages))
      #expect(found?.messages == messages)
      #expect(found?.header == MoldHeader(session: Self.session, firstSequence: first, count: UInt16(messages.count)))
      #expect(found?.last == first + UInt64(messages.count))
    }
  }

  @Test func `heartbeats and ends of session have no messages`() {
    let beat = Self.read(moldPacket(session: Self.session, first: 7, []))
    #expect(beat?.messages == [] && beat?.header.messageCount == 0 && beat?.header.isEndOfSession == false)
    let end = Self.read(moldPacket(session: Self.session, first: 7, [], count: 0xFFFF))
    #expect(end?.messages == [] && end?.header.messageCount == 0 && end?.header.isEndOfSession == true)
  }

  @Test func `a frame that does not fit drops the packet`() {
    let bytes = moldPacket(session: Self.session, first: 7, [[1, 2, 3], [], [4]])
    func refusal(_ bytes: [UInt8]) -> MoldRefusal? { MoldPacket.refusal(of: ByteView(bytes.span)) }
    for length in 0..<bytes.count {
      #expect(refusal(Array(bytes.prefix(length))) == (length < 20 ? .short : .wrongLength), "\(length) bytes")
      #expect(Self.read(Array(bytes.prefix(length))) == nil)
    }
    #expect(refusal(bytes) == nil)
    #expect(refusal(bytes + [0]) == .wrongLength)
    #expect(refusal(moldPacket(session: Self.session, first: 0, [[1]])) == .invalidSequence)
    #expect(refusal(moldPacket(session: Self.session, first: .max, [[1]])) == .invalidSequence)
  }

  @Test func `no bytes trap`() {
    var random = SplitMix64(seed: 2)
    var accepted = 0
    for _ in 0..<2_000 {
      var bytes = moldPacket(session: Self.session, first: 3, [[1, 2], [3], [4, 5, 6]])
      for _ in 0..<(1 + random.below(4)) { bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8)) }
      if random.below(2) == 0 { bytes.removeLast(random.below(bytes.count)) }
      if let found = Self.read(bytes) {
        accepted += 1
        #expect(found.messages.count == found.header.messageCount)
      } else {
        #expect(MoldPacket.refusal(of: ByteView(bytes.span)) != nil)
      }
    }
    #expect(accepted > 0)
  }
}
