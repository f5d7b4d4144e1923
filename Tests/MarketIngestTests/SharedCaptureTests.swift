import Foundation
import LockFreeRings
import MarketIngest
import TestSupport
import Testing
import TradingTypes

// Goal: real captures come through reader, packets, arbiter and decoder. Method: whole files; counts that the table of the files states;
// the same packets lost, doubled and re-ordered give the same messages.
@Suite struct SharedCaptureTests {
  static let mold = SharedData.file("data/moldudp64/nasdaq_itch50_0930_100pkts.pcap")
  static let cme = SharedData.file("data/exchange-pcaps/cme_mdp3_v6.1_20161112_AB.pcapng")
  static let totalView = SharedData.file(
    "data/exchange-pcaps/Nasdaq_Nasdaq.Equities.TotalView.Itch.v5.0/Multiple.Packets.pcap")?.deletingLastPathComponent()

  static let isMoldHere = mold != nil
  static let isCMEHere = cme != nil

  @Test(.enabled(if: isMoldHere, "the shared MoldUDP64 capture is not here"))
  func `a captured opening gives its 269 messages in order`() throws {
    let mapped = try MappedFile(path: try #require(Self.mold).path)
    var capture = CaptureFile(mapped.bytes)
    var bench = try LineBench(start: .anywhere)
    var packets: [[UInt8]] = []
    var times: [Int64] = []
    while let packet = capture.next() {
      let isGroup = packet.destination == CaptureAddress(version4: 0xE936_0C6F) && packet.destinationPort == 26_477
      #expect(isGroup)
      packets.append(LineBench.list(packet.payload))
      times.append(packet.time.nanoseconds)
    }
    #expect(packets.count == 100)
    let (ending, counters) = (capture.ending, capture.counters)
    #expect(ending == .end && counters.packets == 100 && counters.refusalCount == 0)
    #expect(times == times.sorted() && times.first.map { $0 / 1_000_000_000 } == 1_692_711_000)
    for (packet, time) in zip(packets, times) { bench.receive(packet, at: time) }
    expect(bench.sequences == Array(14_757_701...14_757_969))
    expect(bench.arbiter.session == MoldSession("000010059B"))
    var decoder = DecoderBench(discovering: 500)
    for message in bench.delivered { _ = decoder.decode(message.body) }
    let seen = decoder.decoder.counters
    for (type, count) in [("A", 125), ("U", 99), ("D", 30), ("F", 6), ("I", 5), ("E", 3), ("S", 1)]
      as [(Unicode.Scalar, UInt64)]
    {
      #expect(seen.events(of: type) == count, "\(type)")
    }
    #expect(seen.eventCount == 269 && seen.refusalCount == 0)

    // The same with a fifth lost on one line, the rest late on the other.
    for seed in Seeds.brief {
      var random = SplitMix64(seed: seed)
      var lossy = LineBench(try LineConfiguration(windowMessages: 1_024), start: .at(14_757_701))
      var order: [(key: Int, packet: Int, line: Int)] = []
      for place in packets.indices {
        if random.below(5) > 0 { order.append((place, place, 0)) }
        order.append((place + random.below(40), place, 1))
      }
      order.sort { ($0.key, $0.line) < ($1.key, $1.line) }
      for element in order { lossy.receive(packets[element.packet], line: element.line) }
      expect(lossy.sequences == bench.sequences, "seed \(seed)")
      expect(lossy.delivered.map(\.body) == bench.delivered.map(\.body), "seed \(seed)")
    }
  }

  @Test(.enabled(if: totalView != nil, "the shared captures are not here"))
  func `single TotalView captures decode`() throws {
    let folder = try #require(Self.totalView)
    var messages = 0
    for (name, count) in [
      ("AddOrderNoMpidAttributionMessage", 1), ("MarketParticipantPositionMessage", 1), ("Multiple.Packets", 39),
      ("NetOrderImbalanceIndicatorMessage", 1), ("OrderDeleteMessage", 1), ("OrderExecutedMessage", 1),
      ("OrderReplaceMessage", 1), ("StockTradingActionMessage", 1),
    ] {
      let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name + ".pcap")))
      var capture = CaptureFile(bytes.span)
      var decoder = DecoderBench(discovering: 100)
      var found = 0
      while let datagram = capture.next() {
        guard var packet = MoldPacket(datagram.payload) else {
          Issue.record("\(name): no packet")
          continue
        }
        while let body = packet.next() {
          found += 1
          let isEvent = decoder.decode(LineBench.list(body)).event != nil
          #expect(isEvent, "\(name)")
        }
      }
      let ending = capture.ending
      #expect(ending == .end && found == count, "\(name)")
      messages += found
    }
    #expect(messages == 46)
  }

  // The packets of this feed carry their number in four bytes at the start, so a packet is one message of a session of our own.
  @Test(.enabled(if: isCMEHere, "the shared CME capture is not here"))
  func `two CME lines become one`() throws {
    let mapped = try MappedFile(path: try #require(Self.cme).path)
    var capture = CaptureFile(mapped.bytes)
    let session = MoldSession(high: 0, low: 0)
    // 304 s of two lines that both go on through the whole of it.
    let configuration = try LineConfiguration(windowMessages: 4_096, windowBytes: 1 << 21)
    var arbiter = LineArbiter(
      configuration, start: .anywhere, in: Arena(capacityBytes: configuration.arenaBytes))
    var packetsOfPort: [UInt16: Int] = [:]
    var sequences: [UInt64] = []
    var payloadsOfA: [UInt64: [UInt8]] = [:]
    var delivered: [UInt64: [UInt8]] = [:]
    while let packet = capture.next() {
      packetsOfPort[packet.destinationPort, default: 0] += 1
      let line = packet.destinationPort == 14_340 ? 0 : 1
      let sequence = UInt64(packet.payload.bigEndian32(at: 0).byteSwapped)
      if line == 0 { payloadsOfA[sequence] = LineBench.list(packet.payload) }
      let header = MoldHeader(session: session, firstSequence: sequence, count: 1)
      guard arbiter.open(header, line: line, at: packet.time) != .refused else { continue }
      if arbiter.accept(packet.payload, sequence: sequence, line: line) == .deliver {
        sequences.append(sequence)
        delivered[sequence] = LineBench.list(packet.payload)
      }
      while let sequence = arbiter.nextHeld() {
        sequences.append(sequence)
        delivered[sequence] = LineBench.list(arbiter.heldMessage)
      }
      while arbiter.nextAction(at: packet.time) != nil {}
    }
    let (ending, refusals) = (capture.ending, capture.counters.refusalCount)
    #expect(ending == .end && refusals == 0)
    #expect(packetsOfPort == [14_340: 5_000, 15_340: 5_000])
    #expect(sequences.count == 5_000 && LineSimulationTests.isWhole(sequences))
    #expect(delivered == payloadsOfA)
    let (a, b) = (arbiter.counters(line: 0), arbiter.counters(line: 1))
    #expect(a.messages == 5_000 && b.messages == 5_000 && a.duplicates + b.duplicates == 5_000)
    expect(arbiter.heldCount == 0 && arbiter.lostCount == 0)
  }
}
