import CAllocationCounter
import FixtureStreams
import LockFreeRings
import MarketIngest
import TestSupport
import Testing
import TradingTypes

// Goal: datagrams of two lines become the events of the framed stream. Method: a generated day in packets, each line in its own order;
// compare all fields of all events; times that go back.
@Suite struct ItchLineTests {
  static func makeLine(_ symbols: [Symbol]) throws -> ItchLine {
    let configuration = try LineConfiguration(windowMessages: 1_024)
    let arena = Arena(
      capacityBytes: configuration.arenaBytes + InstrumentMap.byteCount(capacity: symbols.count) + 65_536)
    return ItchLine(
      arbiter: LineArbiter(configuration, in: arena),
      decoder: ItchDecoder(
        midnight: DecoderBench.midnight, venue: VenueID(index: 3), map: try InstrumentMap(listed: symbols, in: arena),
        in: arena))
  }

  static func bodies(_ fixture: ItchFixture) -> [[UInt8]] {
    let stream = fixture.generate()
    var frames = ItchFrames(stream.span)
    var bodies: [[UInt8]] = []
    while let body = frames.next() { bodies.append(LineBench.list(body)) }
    return bodies
  }

  static func read(_ line: inout ItchLine, _ datagram: [UInt8], from: Int, at now: Int64) -> [MarketEvent] {
    var events: [MarketEvent] = []
    if var packet = line.open(ByteView(datagram.span), line: from, at: Timestamp(nanoseconds: now)) {
      while let event = line.next(&packet) { events.append(event) }
    }
    while line.arbiter.nextAction(at: Timestamp(nanoseconds: now)) != nil {}
    return events
  }

  @Test(arguments: Seeds.brief) func `two shuffled lines give the events of the stream`(seed: UInt64) throws {
    let fixture = ItchFixture(.init(seed: seed, messages: 2_000, symbols: 3))
    let bodies = Self.bodies(fixture)
    var bench = try DecoderBench(listed: fixture.symbols.map(\.description))
    let expected = bodies.compactMap { bench.decode($0).event }
    var random = SplitMix64(seed: seed)
    var packets: [(key: Int, line: Int, bytes: [UInt8])] = []
    var place = 0
    while place < bodies.count {
      let count = min(1 + random.below(6), bodies.count - place)
      let bytes = moldPacket(
        session: LineSimulation.session, first: UInt64(place + 1), Array(bodies[place..<(place + count)]))
      for line in 0..<2 { packets.append((place + random.below(300), line, bytes)) }
      place += count
    }
    packets.sort { ($0.key, $0.line) < ($1.key, $1.line) }
    var line = try Self.makeLine(fixture.symbols)
    var events: [MarketEvent] = []
    for (number, packet) in packets.enumerated() {
      events += Self.read(&line, packet.bytes, from: packet.line, at: Int64(number))
    }
    expect(events.map(fields) == expected.map(fields), "seed \(seed)")
    expect(line.arbiter.state == .valid && line.time.backwardCount == 0, "seed \(seed)")
    expect(!line.takeSessionChange())
  }

  @Test func `an event time that goes back is clamped and counted, and a new session is told once`() throws {
    let bodies = [7, 9, 8, 9, 10].map { (second: UInt8) -> [UInt8] in
      // A system event: type, locate, tracking number, six bytes of time, code.
      [0x53, 0, 0, 0, 0, 0, 0, 0, 0, 0, second, 0x4F]
    }
    var line = try Self.makeLine([])
    let times = Self.read(&line, moldPacket(session: LineSimulation.session, first: 1, bodies), from: 0, at: 0)
      .map { $0.time.nanoseconds - DecoderBench.midnight.nanoseconds }
    #expect(times == [7, 9, 9, 9, 10])
    expect(line.time.backwardCount == 1 && !line.takeSessionChange())
    let other = MoldSession(high: 9, low: 9)
    let again = Self.read(&line, moldPacket(session: other, first: 1, bodies), from: 0, at: 1)
    #expect(again.count == 5)
    expect(line.takeSessionChange() && !line.takeSessionChange() && line.time.backwardCount == 1)
  }

  @Test func `messages of no type or another length are counted and stepped over`() throws {
    var line = try Self.makeLine([])
    let good: [UInt8] = [0x53] + [UInt8](repeating: 0, count: 10) + [0x4F]
    let bytes = moldPacket(session: LineSimulation.session, first: 1, [[0x7A, 1], good, good.dropLast(), [], good])
    let events = Self.read(&line, bytes, from: 0, at: 0)
    #expect(events.map(\.sequence) == [2, 5])
    let counters = line.decoder.counters
    #expect(counters.refusals(.unknownType) == 1 && counters.refusals(.wrongLength) == 1)
    #expect(counters.refusals(.empty) == 1)
    expect(line.arbiter.nextSequence == 6 && Self.read(&line, Array(bytes.dropLast()), from: 0, at: 0).isEmpty)
    expect(line.arbiter.counters(line: 0).badFrames == 1)
  }

  @Test(.enabled(if: countsAllocations)) func `from datagram to event allocates nothing`() throws {
    let fixture = ItchFixture(.init(seed: 3, messages: 2_000, symbols: 3))
    let packets = Self.bodies(fixture).enumerated().map {
      moldPacket(session: LineSimulation.session, first: UInt64(($0.offset ^ 1) + 1), [$0.element])
    }
    var line = try Self.makeLine(fixture.symbols)
    var count = 0
    func work(_ line: inout ItchLine, _ range: Range<Int>) {
      for number in range {
        let datagram = packets[number]
        let now = Timestamp(nanoseconds: Int64(number))
        if var packet = line.open(ByteView(datagram.span), line: 0, at: now) {
          while line.next(&packet) != nil { count += 1 }
        }
        while line.arbiter.nextAction(at: now) != nil {}
      }
    }
    work(&line, 0..<1_000)
    let counts = counting { work(&line, 1_000..<2_000) }
    #expect(counts.allocations == 0 && count == 2_000)
  }
}
