// Goal: messages of a live host become events as a whole or not at all. Method: examples of every kind and refusal; damaged messages, whose counters
// must add up; updates of Binance joined to snapshots in every order.

import CAllocationCounter
import LockFreeRings
import MarketIngest
import TestSupport
import Testing
import TradingTypes

@Suite struct ExchangeDecoderTests {
  static func decoder(
    _ dialect: ExchangeDialect, _ symbols: [String], eventsMax: Int = 256
  ) throws -> ExchangeDecoder {
    let listed = symbols.compactMap { Symbol($0) }
    let bytes = ExchangeDecoder.byteCount(symbols: listed.count, eventsMax: eventsMax) + (1 << 16)
    return try ExchangeDecoder(dialect, symbols: listed, eventsMax: eventsMax, in: Arena(capacityBytes: bytes))
  }

  static func read(
    _ decoder: inout ExchangeDecoder, _ text: [UInt8], snapshotOf symbol: TextWord? = nil
  ) -> (outcome: ExchangeOutcome, events: [MarketEvent]) {
    let view = ByteView(text.span)
    let received = Timestamp(nanoseconds: 77)
    let outcome =
      symbol.map { decoder.decodeSnapshot(view, symbol: $0, sequence: 9, received: received) }
      ?? decoder.decode(view, sequence: 9, received: received)
    var events: [MarketEvent] = []
    while let event = decoder.next() { events.append(event) }
    return (outcome, events)
  }

  static let depth = """
    {"events":[{"updates":[{"side":"bid","event_time":"2026-08-09T21:05:48.170326Z","price_level":"65083.66",\
    "new_quantity":"0.20371215"},{"new_quantity":"0","price_level":"1","event_time":"1970-01-01T00:00:00Z",\
    "side":"offer"}],"product_id":"BTC-USD","type":"snapshot"}],"sequence_num":4,"channel":"l2_data"}
    """
  static let trades = """
    {"channel":"market_trades","sequence_num":5,"events":[{"type":"update","trades":[{"product_id":"BTC-USD",\
    "trade_id":"12","price":"65083.67","size":"0.002186","time":"2026-08-09T21:05:42Z","side":"SELL"}]}]}
    """
  static let book = """
    [1920,{"a":[["0.042990","364630.28272081","1618678145.920470","r"]]},{"b":[["0.042980","0.00000000",\
    "1618678145.920708"]],"c":"4105471083"},"book-1000","SC/EUR"]
    """
  static let krakenTrade = """
    [993,[["354.11000000","0.89594024","1618678142.557535","s","l",""]],"trade","SC/EUR"]
    """

  @Test func `a Coinbase message counts whatever the order of its members`() throws {
    var decoder = try Self.decoder(.coinbase, ["BTC-USD"])
    let found = Self.read(&decoder, Array(Self.depth.utf8))
    #expect(found.outcome == .events(3) && found.events.map(\.kind) == [.clearBook, .setLevel, .setLevel])
    #expect(found.events.allSatisfy { $0.flags.contains(.snapshot) && $0.sequence == 9 && $0.instrument.index == 0 })
    #expect(found.events[1].price.nanos == 65_083_660_000_000 && found.events[1].quantity.lots == 20_371_215)
    #expect(found.events[1].time.nanoseconds == 1_786_309_548_170_326_000 && found.events[1].side == .buy)
    #expect(found.events[2].side == .sell && found.events[2].quantity == .zero)
    let trade = Self.read(&decoder, Array(Self.trades.utf8))
    #expect(trade.outcome == .events(1) && trade.events[0].kind == .trade && trade.events[0].side == .sell)
    #expect(trade.events[0].newReference.value == 12 && trade.events[0].flags.contains(.printable))
    let late = Self.read(&decoder, Array(Self.trades.replacing("m\":5", with: "m\":9").utf8))
    let missed = decoder.missedCount
    #expect(late.outcome == .gap && late.events.map(\.kind) == [.clearBook, .trade] && missed == 3)
  }

  // A book that missed an update would stay wrong in silence.
  @Test func `Coinbase books wait for a snapshot where a message is missing or refused`() throws {
    var decoder = try Self.decoder(.coinbase, ["BTC-USD", "ETH-USD"])
    func read(_ number: Int, _ change: (String) -> String = { $0 }) -> (ExchangeOutcome, [String]) {
      let text = change(Self.depth.replacing("num\":4", with: "num\":\(number)"))
      let found = Self.read(&decoder, Array(text.utf8))
      return (found.outcome, found.events.map { "\($0.kind) \($0.instrument.index)" })
    }
    func update(_ text: String) -> String { text.replacing("snapshot", with: "update") }
    func ether(_ text: String) -> String { text.replacing("BTC", with: "ETH") }
    func candles(_ text: String) -> String { text.replacing("l2_data", with: "candles") }
    func bad(_ text: String) -> String { update(text).replacing("65083.66", with: "x") }
    let (bitcoin, ethereum) = (["setLevel 0", "setLevel 0"], ["setLevel 1", "setLevel 1"])
    let results = [
      read(3, update), read(4), read(5, update), read(6) { ether($0) }, read(7) { ether(update($0)) },
      read(9, candles), read(10, update), read(11), read(13), read(14, bad), read(15, update), read(16),
      read(0, candles), read(1, bad),
    ]
    let expected: [(ExchangeOutcome, [String])] = [
      (.unsynchronised, []), (.events(3), ["clearBook 0"] + bitcoin), (.events(2), bitcoin),
      (.events(3), ["clearBook 1"] + ethereum), (.events(2), ethereum),
      (.gap, ["clearBook 0", "clearBook 1"]), (.unsynchronised, []), (.events(3), ["clearBook 0"] + bitcoin),
      (.gap, ["clearBook 0", "clearBook 0"] + bitcoin), (.gap, ["clearBook 0"]), (.unsynchronised, []),
      (.events(3), ["clearBook 0"] + bitcoin), (.gap, ["clearBook 0"]), (.unsynchronised, []),
    ]
    for (index, (found, wanted)) in zip(results, expected).enumerated() {
      #expect(found.0 == wanted.0 && found.1 == wanted.1, "message \(index): \(found)")
    }
    let (missed, counters) = (decoder.missedCount, decoder.counters)
    #expect(missed == 2 && counters.messages == 14 && counters.byType[Int(UInt8(ascii: "g"))] == 4)
  }

  @Test func `a Kraken book message ends with its checksum`() throws {
    var decoder = try Self.decoder(.kraken, ["XBT/CHF", "SC/EUR"])
    let found = Self.read(&decoder, Array(Self.book.utf8))
    #expect(found.outcome == .events(3) && found.events.map(\.kind) == [.setLevel, .setLevel, .information])
    #expect(found.events[0].side == .sell && found.events[0].price.nanos == 42_990_000)
    #expect(found.events[0].time.nanoseconds == 1_618_678_145_920_470_000)
    #expect(found.events[2].reference.value == 4_105_471_083 && found.events[2].newReference.value == 6)
    let trade = Self.read(&decoder, Array(Self.krakenTrade.utf8))
    #expect(trade.outcome == .events(1) && trade.events[0].side == .buy && trade.events[0].instrument.index == 1)
    for text in ["{\"event\":\"heartbeat\"}", Self.book.replacing("SC/EUR", with: "SC/USD")] {
      let other = Self.read(&decoder, Array(text.utf8))
      #expect(other.outcome == .ignored && other.events.isEmpty)
    }
  }

  @Test func `the checksum is the one of a slow table of digits`() {
    var depth = DepthView()
    #expect(KrakenChecksum.of(depth, priceDecimals: 5) == 0)
    depth.asks[0] = DepthLevel(price: Price(nanos: 50_010_000), quantity: Quantity(lots: 5_000))
    depth.askCount = 1
    depth.bids[0] = DepthLevel(price: Price(nanos: 50_000_000), quantity: Quantity(lots: 12_345_678_900))
    depth.bidCount = 1
    var crc = UInt32.max
    for byte in "5001\(5_000)5000\(12_345_678_900)".utf8 {
      crc = (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc % 2 == 1 ? crc / 2 ^ 0xEDB8_8320 : crc / 2 }
    }
    #expect(KrakenChecksum.of(depth, priceDecimals: 5) == ~crc)
  }

  static func update(_ first: UInt64, _ last: UInt64) -> [UInt8] {
    Array(
      """
      {"stream":"x","data":{"e":"depthUpdate","E":1633998512068,"s":"NKNUSDT","U":\(first),"u":\(last),\
      "b":[["0.35130000","6195.00000000"]],"a":[]}}
      """.utf8)
  }

  @Test func `Binance updates are joined to their snapshot by number`() throws {
    var decoder = try Self.decoder(.binance, ["NKNUSDT"])
    let snapshot = Array("{\"lastUpdateId\":100,\"bids\":[[\"0.3\",\"1\"]],\"asks\":[[\"0.4\",\"2.5\"]]}".utf8)
    let name = TextWord("N", "K", "N", "U", "S", "D", "T")
    var outcomes: [ExchangeOutcome] = []
    outcomes.append(Self.read(&decoder, Self.update(90, 95)).outcome)
    let first = Self.read(&decoder, snapshot, snapshotOf: name)
    outcomes.append(first.outcome)
    outcomes.append(Self.read(&decoder, Self.update(96, 100)).outcome)
    outcomes.append(Self.read(&decoder, Self.update(99, 103)).outcome)
    outcomes.append(Self.read(&decoder, Self.update(104, 104)).outcome)
    // A second answer, older than the book: it is left out, and the book goes on.
    let older = Self.read(&decoder, snapshot, snapshotOf: name)
    outcomes.append(older.outcome)
    outcomes.append(Self.read(&decoder, Self.update(105, 105)).outcome)
    let gap = Self.read(&decoder, Self.update(107, 107))
    outcomes.append(gap.outcome)
    outcomes.append(Self.read(&decoder, Self.update(108, 109)).outcome)
    outcomes.append(Self.read(&decoder, snapshot, snapshotOf: name).outcome)
    outcomes.append(Self.read(&decoder, Self.update(101, 101)).outcome)
    let expected: [ExchangeOutcome] = [
      .unsynchronised, .events(3), .unsynchronised, .events(1), .events(1), .unsynchronised, .events(1), .gap,
      .unsynchronised, .events(3),
      .events(1),
    ]
    #expect(outcomes == expected)
    #expect(older.events.isEmpty)
    #expect(gap.events.map(\.kind) == [.clearBook] && !gap.events[0].flags.contains(.snapshot))
    #expect(first.events[2].quantity.lots == 250_000_000 && first.events[2].time.nanoseconds == 77)
  }

  @Test func `messages that mean nothing are refused by their reason`() throws {
    let depth = Self.depth
    let cases: [(String, FeedRefusal)] = [
      ("", .malformed), ("[]", .malformed), (depth + "x", .malformed), (String(depth.dropLast()), .malformed),
      (depth.replacing("\"bid\"", with: "\"buy\""), .invalidSide),
      (depth.replacing("65083.66", with: "0"), .invalidPrice),
      (depth.replacing("65083.66", with: "1e3"), .invalidPrice),
      (depth.replacing("0.20371215", with: "-1"), .invalidQuantity),
      (depth.replacing("0.20371215", with: "0.000000001"), .invalidQuantity),
      (depth.replacing("48.170326Z", with: "48"), .invalidTime),
      (depth.replacing("sequence_num\":4", with: "sequence_num\":-4"), .invalidNumber),
      (depth.replacing("\"snapshot\"", with: "\"other\""), .malformed),
      (Self.trades.replacing("SELL", with: "sell"), .invalidSide),
      (Self.trades.replacing("\"12\"", with: "\"x\""), .invalidNumber),
    ]
    for (text, refusal) in cases {
      var decoder = try Self.decoder(.coinbase, ["BTC-USD"])
      let found = Self.read(&decoder, Array(text.utf8))
      let count = decoder.counters.refusals(refusal)
      #expect(found.outcome == .refused(refusal) && found.events.isEmpty && count == 1, "\(text)")
    }
    var small = try Self.decoder(.coinbase, ["BTC-USD"], eventsMax: 2)
    let found = Self.read(&small, Array(depth.utf8))
    #expect(found.outcome == .refused(.wrongLength) && found.events.isEmpty)
    var far = try Self.decoder(.coinbase, ["BTC-USD"])
    let left = Self.read(&far, Array(depth.replacing("65083.66", with: "9999999997.00").utf8))
    let outOfRange = far.outOfRangeCount
    #expect(left.outcome == .events(2) && outOfRange == 1)
  }

  @Test(arguments: Seeds.brief.prefix(3))
  func `damaged messages and recordings add up`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let texts: [(ExchangeDialect, String, [UInt8])] = [
      (.coinbase, "BTC-USD", Array(Self.depth.utf8)), (.coinbase, "BTC-USD", Array(Self.trades.utf8)),
      (.kraken, "SC/EUR", Array(Self.book.utf8)), (.kraken, "SC/EUR", Array(Self.krakenTrade.utf8)),
      (.binance, "NKNUSDT", Self.update(1, 2)),
    ]
    for (dialect, symbol, good) in texts {
      var decoder = try Self.decoder(dialect, [symbol])
      var messages: UInt64 = 0
      func check(_ bytes: [UInt8]) {
        messages += 1
        let found = Self.read(&decoder, bytes)
        switch found.outcome {
        case .events(let count): if found.events.count != count || count == 0 { Issue.record("\(bytes)") }
        case .gap: if found.events.first?.kind != .clearBook { Issue.record("\(bytes)") }
        default: if !found.events.isEmpty { Issue.record("\(bytes)") }
        }
      }
      for length in 0..<good.count {
        check(Array(good[..<length]))
        let valid = decoder.counters.messages - decoder.counters.refusalCount
        if valid != 0 { Issue.record("\(dialect) \(length)") }
      }
      for _ in 0..<600 {
        var bytes = good
        for _ in 0..<2 { bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8) }
        check(bytes)
        check((0..<40).map { _ in UInt8(truncatingIfNeeded: random.next()) })
      }
      let counted = decoder.counters.messages
      #expect(counted == messages)
    }
  }

  /// `text` as a line of a recording: escaped into a string.
  static func line(_ text: String, type: String = "recv", url: String = "") -> String {
    let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("/", with: "\\u002f")
    return
      "{\"t\":\"\(type)\",\"conn\":\"x\",\"ts\":1618678132.3584471234,\"url\":\"\(url)\",\"data\":\"\(escaped)\"}\n"
  }

  @Test func `a recording hands over what was received, unescaped`() throws {
    let text =
      "{\"t\":\"header\",\"format\":2,\"config\":{\"a\":[]}}\n" + Self.line(Self.book) + "{\"t\":\"connect\"}\n"
      + "{\"t\":\"send\",\"data\":\"\"}\n" + Self.line("{}", type: "http") + Self.line("x")
      + "{\"t\":\"other\"}\nnone\n"
      + "{\"t\":\"recv\",\"ts\":1,\"data\":\"\\ud800\"}\n" + Self.line(Self.krakenTrade)
    let decoder = try Self.decoder(.kraken, ["SC/EUR"])
    var feed = RecordingFeed(
      Array(text.utf8).rawBytes, decoder: decoder, messageBytesMax: 1_024, in: Arena(capacityBytes: 1 << 16))
    var sequences: [UInt64] = []
    while let event = feed.next() { sequences.append(event.sequence) }
    #expect(sequences == [2, 2, 2, 10])
    let (lines, messages, ending) = (feed.counters, feed.decoder.counters, feed.ending)
    #expect(lines.messages == 10 && lines.refusalCount == 3 && ending == .end)
    #expect(lines.refusals(.unknownType) == 1 && lines.refusals(.malformed) == 1 && lines.refusals(.wrongLength) == 1)
    #expect(lines.byType[Int(UInt8(ascii: "r"))] == 3 && messages.messages == 3 && messages.refusals(.malformed) == 1)
  }

  @Test(.enabled(if: countsAllocations)) func `reading a recording allocates nothing`() throws {
    let text = (0..<200).map { _ in Self.line(Self.book) + Self.line(Self.krakenTrade) }.joined()
    let bytes = Array(text.utf8)
    let decoder = try Self.decoder(.kraken, ["SC/EUR"])
    var feed = RecordingFeed(
      bytes.rawBytes, decoder: decoder, messageBytesMax: 1_024, in: Arena(capacityBytes: 1 << 16))
    for _ in 0..<8 { _ = feed.next() }
    var count = 0
    martlet_count_begin()
    while feed.next() != nil { count += 1 }
    let counts = martlet_count_end()
    #expect(counts.allocations == 0 && counts.retains == 0 && count == 792)
  }

  @Test(.enabled(if: countsAllocations)) func `messages of Coinbase and Binance allocate nothing`() throws {
    var coinbase = try Self.decoder(.coinbase, ["BTC-USD"])
    var binance = try Self.decoder(.binance, ["NKNUSDT"])
    let snapshot = Array("{\"lastUpdateId\":100,\"bids\":[[\"0.3\",\"1\"]],\"asks\":[]}".utf8)
    _ = Self.read(&binance, snapshot, snapshotOf: TextWord("N", "K", "N", "U", "S", "D", "T"))
    let (depth, update) = (Array(Self.depth.utf8), Self.update(101, 101))
    let (depthView, updateView) = (ByteView(depth.span), ByteView(update.span))
    let received = Timestamp(nanoseconds: 1)
    var count = 0
    _ = coinbase.decode(depthView, sequence: 1, received: received)
    martlet_count_begin()
    for sequence in 0..<100 {
      _ = coinbase.decode(depthView, sequence: UInt64(sequence), received: received)
      while coinbase.next() != nil { count += 1 }
      _ = binance.decode(updateView, sequence: UInt64(sequence), received: received)
      while binance.next() != nil { count += 1 }
    }
    let counts = martlet_count_end()
    // The update is taken once; it is old after that. The same number again is a new connection's, which clears the book first.
    #expect(counts.allocations == 0 && counts.retains == 0 && count == 401)
  }
}
