// Goal: DEEP segments become the events they mean, in their order. Method: built segments, the shared captures read by a slow pcap reader and a
// slow twin of dictionaries, damaged bytes.

import CAllocationCounter
import Foundation
import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingTypes

@Suite struct IexDeepFeedTests {
  static let path = "data/iex-deep/DEEP10.pcap.gz"
  static let folder = "data/exchange-pcaps/Iex_Deep.IexTp.v1.0"

  static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }

  static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
  }

  /// The UDP payloads of a little-endian Ethernet capture, without the incomplete packet at its end.
  static func payloads(_ file: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
    var place = 24
    while place + 16 <= file.count {
      let length = Int(number(file[place + 8..<place + 12]))
      guard place + 16 + length <= file.count else { return }
      let frame = place + 16
      let address = Int(file[frame + 14] & 15) * 4
      let udp = frame + 14 + address
      let size = Int(file[udp + 4]) << 8 | Int(file[udp + 5])
      body(file[udp + 8..<udp + size])
      place += 16 + length
    }
  }

  static func message(
    _ type: Unicode.Scalar, flags: UInt8 = 1, symbol: String = "ZIEXT", size: UInt64 = 100, price: UInt64 = 990_500,
    length: Int
  ) -> [UInt8] {
    var message = [UInt8(type.value), flags] + bytes(1_493_128_800_000_000_000, 8)
    message += Array((symbol + "        ").utf8.prefix(8)) + bytes(size, 4) + bytes(price, 8) + bytes(429_974, 8)
    message += [UInt8](repeating: 0, count: max(0, length - message.count))
    return Array(message.prefix(length))
  }

  static func segment(_ messages: [[UInt8]], first: UInt64, sent: UInt64 = 5, session: UInt64 = 7) -> [UInt8] {
    let payload = messages.flatMap { bytes(UInt64($0.count), 2) + $0 }
    return [1, 0, 0x04, 0x80] + bytes(1, 4) + bytes(session, 4) + bytes(UInt64(payload.count), 2)
      + bytes(UInt64(messages.count), 2) + bytes(0, 8) + bytes(first, 8) + bytes(sent, 8) + payload
  }

  static func feed(_ symbols: [String] = ["ZIEXT"]) throws -> IexDeepFeed {
    let listed = symbols.compactMap { Symbol($0) }
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: listed.count) + (1 << 16))
    return IexDeepFeed(map: try InstrumentMap(listed: listed, in: arena))
  }

  static func read(_ feed: inout IexDeepFeed, _ segment: [UInt8]) -> (outcome: IexOutcome, events: [MarketEvent]) {
    let view = ByteView(segment.span)
    let outcome = feed.accept(view)
    var events: [MarketEvent] = []
    while let event = feed.next(in: view) { events.append(event) }
    return (outcome, events)
  }

  static let lengths: [(Unicode.Scalar, Int)] = [
    ("8", 30), ("5", 30), ("T", 38), ("B", 38), ("S", 10), ("D", 31), ("H", 22), ("O", 18), ("P", 19), ("E", 18),
    ("X", 26), ("A", 80), ("I", 18),
  ]

  @Test func `every message type gives its event`() throws {
    var feed = try Self.feed()
    let messages = Self.lengths.map { Self.message($0.0, length: $0.1) }
    let (outcome, events) = Self.read(&feed, Self.segment(messages, first: 41))
    #expect(outcome == .messages(13) && events.map(\.sequence) == Array(41...53))
    let kinds: [MarketEventKind] = [
      .setLevel, .setLevel, .trade, .brokenTrade, .information, .information, .tradingStatus,
    ]
    #expect(events.map(\.kind) == kinds + [MarketEventKind](repeating: .information, count: 6))
    #expect(events[0].side == .buy && events[1].side == .sell && events[0].price.nanos == 99_050_000_000)
    #expect(events[0].quantity.lots == 100 && events[0].flags == .hasSide && events[0].instrument.index == 0)
    #expect(events[2].newReference.value == 429_974 && events[2].flags.contains(.printable))
    #expect(events[4].instrument == .none && events[6].code == 1 && events[11].code == UInt8(ascii: "A"))
    let (_, more) = Self.read(&feed, Self.segment([Self.message("5", flags: 0, size: 0, length: 30)], first: 54))
    #expect(more.count == 1 && more[0].flags == [.hasSide, .partial] && more[0].quantity == .zero)
    let count = feed.counters.messages
    #expect(count == 14)
  }

  @Test func `a message that grew at its end is what it was`() throws {
    let (old, grown) = (Self.lengths.map { ($0.0, $0.1) }, Self.lengths.map { ($0.0, $0.1 + 3) })
    var events: [[[Int64]]] = []
    for messages in [old, grown] {
      var feed = try Self.feed()
      let found = Self.read(&feed, Self.segment(messages.map { Self.message($0.0, length: $0.1) }, first: 1))
      let refusals = feed.counters.refusalCount
      #expect(refusals == 0)
      events.append(found.events.map(fields))
    }
    #expect(events[0] == events[1] && events[0].count == Self.lengths.count)
  }

  @Test func `a discovering map names the symbols in their order`() throws {
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: 2) + (1 << 16))
    var feed = IexDeepFeed(map: InstrumentMap(discovering: 2, in: arena))
    let messages = ["ZXIET", "ZIEXT", "ZXIET", "LATE"].map { Self.message("8", symbol: $0, length: 30) }
    let events = Self.read(&feed, Self.segment(messages, first: 1)).events
    #expect(
      events.map(\.instrument) == [InstrumentID(index: 0), InstrumentID(index: 1), InstrumentID(index: 0), .none])
    let (count, symbol, overflows) = (
      feed.map.count, feed.map.symbol(of: InstrumentID(index: 1)), feed.map.overflowCount
    )
    #expect(count == 2 && symbol == Symbol("ZIEXT") && overflows == 1)
  }

  @Test func `gaps, duplicates, overlaps, heartbeats and restarts are told apart`() throws {
    var feed = try Self.feed()
    let level = Self.message("8", length: 30)
    var changes: [Bool] = []
    func outcome(_ count: Int, _ first: UInt64, sent: UInt64 = 5, session: UInt64 = 7) -> (IexOutcome, [UInt64]) {
      let messages = [[UInt8]](repeating: level, count: count)
      let found = Self.read(&feed, Self.segment(messages, first: first, sent: sent, session: session))
      changes.append(feed.takeSessionChange())
      return (found.outcome, found.events.map(\.sequence))
    }
    var results: [(IexOutcome, [UInt64])] = []
    results.append(outcome(2, 10))
    results.append(outcome(2, 10))
    results.append(outcome(3, 11))
    results.append(outcome(0, 14))
    results.append(outcome(1, 17))
    results.append(outcome(0, 20))
    results.append(outcome(0, 1, sent: 4))
    results.append(outcome(0, 1, sent: 6))
    results.append(outcome(1, 1, sent: 7))
    results.append(outcome(1, 9, session: 8))
    results.append(outcome(1, 4, sent: 8, session: 8))
    results.append(outcome(1, 2, sent: 8))
    results.append(outcome(1, 5, sent: 8, session: 8))
    results.append(outcome(0, 1, sent: 9, session: 9))
    let expected: [(IexOutcome, [UInt64])] = [
      (.messages(2), [10, 11]), (.duplicate, []), (.messages(2), [12, 13]), (.heartbeat, []), (.gap(missing: 3), [17]),
      (.gap(missing: 2), []), (.heartbeat, []), (.restart, []), (.messages(1), [1]),
      (.duplicate, []), (.gap(missing: 3), [4]), (.duplicate, []), (.messages(1), [5]), (.heartbeat, []),
    ]
    for (index, (found, wanted)) in zip(results, expected).enumerated() {
      #expect(found.0 == wanted.0 && found.1 == wanted.1, "segment \(index): \(found)")
    }
    let segments = feed.segments
    #expect(segments.gaps == 3 && segments.missing == 8 && segments.duplicates == 3 && segments.restarts == 1)
    #expect(segments.sessions == 2 && changes.indices.filter { changes[$0] } == [7, 10, 13])
  }

  @Test func `one damaged number does not silence the session`() throws {
    var feed = try Self.feed()
    let level = [Self.message("8", length: 30)]
    var outcomes: [IexOutcome] = []
    let far: UInt64 = 1 << 32
    let starts: [(first: UInt64, session: UInt64)] = [
      (1, 7), (1 << 62, 7), (1 << 62, 9), (2, 7), (3 + far, 7), (2 + far, 7),
    ]
    for (first, session) in starts {
      let segment = Self.segment(level, first: first, sent: UInt64(5 + outcomes.count), session: session)
      outcomes.append(Self.read(&feed, segment).outcome)
    }
    #expect(
      outcomes == [
        .messages(1), .refused(.invalidNumber), .refused(.invalidNumber), .messages(1), .refused(.invalidNumber),
        .gap(missing: (1 << 32) - 1),
      ])
    let segments = feed.segments
    #expect(segments.refused == 3 && segments.sessions == 0)
    // Nor does a damaged time: the next session is believed after a while.
    _ = Self.read(&feed, Self.segment(level, first: feed.expected, sent: 1 << 62))
    let late = (1...300).map { Self.read(&feed, Self.segment(level, first: $0, sent: 100 + $0, session: 8)).outcome }
    #expect(late.prefix(256).allSatisfy { $0 == .duplicate } && late[256] == .gap(missing: 256))
    #expect(late.dropFirst(257).allSatisfy { $0 == .messages(1) })
  }

  @Test func `segments and messages that mean nothing are counted by their reason`() throws {
    var feed = try Self.feed()
    let good = Self.segment([Self.message("8", length: 30)], first: 1)
    var cases: [([UInt8], FeedRefusal)] = [([], .malformed), (Array(good[..<39]), .malformed)]
    for (place, byte, refusal) in [
      (0, 2, FeedRefusal.malformed), (2, 5, .unknownType), (12, 33, .wrongLength), (14, 2, .wrongLength),
      (40, 31, .wrongLength), (31, 0x80, .wrongLength), (40, 29, .wrongLength),
    ] {
      var bytes = good
      bytes[place] = UInt8(byte)
      cases.append((bytes, refusal))
    }
    for (bytes, refusal) in cases {
      let found = Self.read(&feed, bytes)
      #expect(found.outcome == .refused(refusal) && found.events.isEmpty, "\(bytes.prefix(44))")
    }
    let wrong: [([UInt8], FeedRefusal)] = [
      ([], .wrongLength), (Self.message("Z", length: 30), .unknownType), (Self.message("8", length: 29), .wrongLength),
      (Self.message("8", price: 0, length: 30), .invalidPrice),
      (Self.message("T", size: 0, length: 38), .invalidQuantity),
      (Self.message("8", price: 1 << 63, length: 30), .invalidPrice),
      (Self.message("8", symbol: "", length: 30), .invalidSymbol),
      (Self.message("8", symbol: "A B", length: 30), .invalidSymbol),
    ]
    for (index, (message, refusal)) in wrong.enumerated() {
      let before = feed.counters.refusals(refusal)
      let found = Self.read(&feed, Self.segment([message], first: UInt64(index + 1)))
      let after = feed.counters.refusals(refusal)
      #expect(found.outcome == .messages(1) && found.events.isEmpty && after == before + 1, "\(refusal)")
    }
  }

  @Test(arguments: Seeds.brief.prefix(3))
  func `cut and damaged segments add up`(seed: UInt64) throws {
    let good = Self.segment(Self.lengths.map { Self.message($0.0, length: $0.1) }, first: 1)
    var random = SplitMix64(seed: seed)
    var feed = try Self.feed()
    var (events, accepted): (UInt64, UInt64) = (0, 0)
    func check(_ bytes: [UInt8]) {
      let found = Self.read(&feed, bytes)
      events += UInt64(found.events.count)
      if case .messages = found.outcome { accepted += 1 }
    }
    for length in 0..<good.count { check(Array(good[..<length])) }
    #expect(events == 0)
    for round in 0..<2_000 as Range<UInt64> {
      // The next of its session each time, so that damage to the numbers does not make all that follow old.
      let messages = Self.lengths.map { Self.message($0.0, length: $0.1) }
      var bytes = Self.segment(messages, first: max(feed.expected, 1), sent: round)
      for _ in 0..<3 { bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8) }
      check(bytes)
      check((0..<80).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }
    let counters = feed.counters
    #expect(events + counters.refusalCount == counters.messages && accepted > 0 && counters.refusalCount > 0)
  }

  @Test(
    .enabled(if: InflatedFile.exists(folder + "/Heartbeat.pcap"), "the shared captures are not here"),
    arguments: ["Heartbeat", "PriceLevelBuyUpdateMessage", "PriceLevelSellUpdateMessage"])
  func `a captured single message is what its name says`(name: String) throws {
    let file = try MappedFile(path: try #require(SharedData.file("\(Self.folder)/\(name).pcap")).path)
    let view = ByteView(file.bytes)
    let bytes = (0..<view.count).map { view.byte(at: $0) }
    var feed = try Self.feed()
    var found: [(IexOutcome, [MarketEvent])] = []
    Self.payloads(bytes) { found.append(Self.read(&feed, Array($0))) }
    #expect(found.count == 1)
    let (outcome, events) = try #require(found.first)
    if name == "Heartbeat" {
      #expect(outcome == .heartbeat && events.isEmpty)
    } else {
      #expect(outcome == .messages(1) && events.first?.kind == .setLevel)
      #expect(events.first?.side == (name.contains("Buy") ? .buy : .sell))
    }
  }

  /// The slow twin: books by symbol, straight from the bytes.
  struct Twin {
    var levels: [String: [UInt64: UInt64]] = [:]
    var counts: [String: UInt64] = [:]
    var symbols: Set<String> = []

    mutating func apply(_ segment: ArraySlice<UInt8>) {
      var place = segment.startIndex + 40
      while place < segment.endIndex {
        let length = Int(number(segment[place..<place + 2]))
        let message = segment[place + 2..<place + 2 + length]
        let start = message.startIndex
        let type = String(Unicode.Scalar(message[start]))
        counts[type, default: 0] += 1
        if type != "S" {
          let symbol = String(decoding: message[start + 10..<start + 18], as: UTF8.self).filter { $0 != " " }
          symbols.insert(symbol)
          if type == "8" || type == "5" {
            let size = number(message[start + 18..<start + 22])
            levels[symbol + type, default: [:]][number(message[start + 22..<start + 30])] = size == 0 ? nil : size
          }
        }
        place += 2 + length
      }
    }
  }

  @Test(.enabled(if: InflatedFile.exists(path), "the shared IEX capture is not here"))
  func `the books of the real capture are those of the slow twin`() throws {
    let file = try #require(try InflatedFile.bytes(Self.path))
    var twin = Twin()
    var packets = 0
    Self.payloads(file) {
      packets += 1
      twin.apply($0)
    }
    let symbols = twin.symbols.sorted()
    #expect(symbols.count == 7_802 && packets == 121_314)
    #expect(
      twin.counts == [
        "H": 93_638, "O": 93_638, "P": 93_636, "T": 83_343, "5": 14_627, "8": 12_941, "B": 73, "E": 59, "S": 44,
      ])
    var feed = try Self.feed(symbols)
    let capacity = try BookCapacity(instruments: symbols.count, orders: 64, levels: 1 << 15, windowTicks: 64)
    var books = try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 100_000), tick: Price(nanos: 10_000_000),
      in: Arena(capacityBytes: capacity.arenaBytes + (1 << 20)))
    var refused = 0
    let view = ByteView(file.span)
    var place = 24
    while place + 16 <= view.count {
      let length = Int(view.littleEndian64(at: place + 8) & 0xFFFF_FFFF)
      guard place + 16 + length <= view.count else { break }
      let udp = place + 30 + Int(view.byte(at: place + 30) & 15) * 4
      let segment = view.slice(from: udp + 8, count: Int(view.bigEndian16(at: udp + 4)) - 8)
      _ = feed.accept(segment)
      while let event = feed.next(in: segment) {
        guard event.kind == .setLevel else { continue }
        let status = books.apply(event).status
        if status != .applied, event.quantity != .zero { refused += 1 }
      }
      place += 16 + length
    }
    #expect(refused == 0)
    let (counters, segments) = (feed.counters, feed.segments)
    for (type, count) in twin.counts {
      #expect(counters.byType[Int(type.utf8.first ?? 0)] == count, "\(type)")
    }
    #expect(counters.refusalCount == 0)
    // The eleven steps of the sequence are all starts from 1; nothing is missing.
    #expect(segments.restarts == 11 && segments.missing == 0 && segments.duplicates == 0 && segments.refused == 0)
    #expect(segments.messages == 113_377 && segments.heartbeats == 7_937 - 11)
    var levels = 0
    for (index, symbol) in symbols.enumerated() {
      for (side, type) in [(Side.buy, "8"), (Side.sell, "5")] {
        var found: [UInt64: UInt64] = [:]
        books.levels(of: InstrumentID(index: UInt32(index)), side: side) {
          found[UInt64($0.price.nanos / 100_000)] = UInt64($0.quantity.lots)
        }
        levels += found.count
        let expected = twin.levels[symbol + type] ?? [:]
        if found != expected { Issue.record("\(symbol) \(side): \(found.count), \(expected.count)") }
      }
    }
    #expect(levels > 0)
  }

  @Test(.enabled(if: countsAllocations)) func `reading segments allocates nothing`() throws {
    var feed = try Self.feed()
    let segments = (0..<50).map { index in
      Self.segment(Self.lengths.map { Self.message($0.0, length: $0.1) }, first: UInt64(1 + Self.lengths.count * index))
    }
    _ = Self.read(&feed, segments[0])
    var (allocations, retains, sum): (UInt64, UInt64, Int64) = (0, 0, 0)
    for segment in segments[1...] {
      let view = ByteView(segment.span)
      martlet_count_begin()
      _ = feed.accept(view)
      while let event = feed.next(in: view) { sum &+= event.price.nanos }
      let counts = martlet_count_end()
      allocations += UInt64(counts.allocations)
      retains += UInt64(counts.retains)
    }
    #expect(allocations == 0 && retains == 0 && sum > 0)
  }
}
