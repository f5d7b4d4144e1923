import MarketIngest
import Testing
import TradingTypes

// Goal: every message type of the specification gives the event the vocabulary says. Method: bodies written by hand from the
// field tables, with a different value in every field.
@Suite struct ItchDecoderTests {
  // Locate 7, tracking number 0x0102, time 34,200.000000001 s = 0x1F1A_CED8_5001 ns after midnight.
  static let start = "0007 0102 1F1ACED85001"
  static let time = Timestamp(nanoseconds: DecoderBench.midnight.nanoseconds + 0x1F1A_CED8_5001)

  /// The event of `body` as message 1 where the stock "ACME" is instrument 1 with locate 7.
  private func event(_ body: [UInt8]) throws -> MarketEvent {
    var bench = try DecoderBench(listed: ["OTHER", "ACME"])
    // A directory message binds the locate first.
    _ = bench.decode(bytes("'R'", Self.start, "'ACME    QN'", "00000064", "'NCZ PNN1N'", "00000000", "'N'"))
    let outcome = bench.decode(body)
    return try #require(outcome.event)
  }

  private func expected(_ kind: MarketEventKind, _ change: (inout MarketEvent) -> Void = { _ in }) -> [Int64] {
    var event = MarketEvent(
      kind: kind, sequence: 2, time: Self.time, instrument: InstrumentID(index: 1), venue: VenueID(index: 3))
    change(&event)
    return fields(event)
  }

  @Test func `add order without attribution`() throws {
    let body = bytes("'A'", Self.start, "0102030405060708", "'S'", "0000012C", "'ACME    '", "000F4241")
    let event = try event(body)
    #expect(
      fields(event)
        == expected(.addOrder) {
          $0.reference = OrderReference(value: 0x0102_0304_0506_0708)
          $0.side = .sell
          $0.flags = .hasSide
          $0.quantity = Quantity(lots: 300)
          $0.price = Price(nanos: 100_000_100_000)
        })
  }

  @Test func `add order with attribution`() throws {
    let body = bytes("'F'", Self.start, "F102030405060708", "'B'", "FFFFFFFF", "'ACME    '", "FFFFFFFF", "'MAKR'")
    let event = try event(body)
    #expect(
      fields(event)
        == expected(.addOrder) {
          $0.reference = OrderReference(value: 0xF102_0304_0506_0708)
          $0.flags = .hasSide
          $0.quantity = Quantity(lots: 4_294_967_295)
          $0.price = Price(nanos: 429_496_729_500_000)
        })
  }

  @Test func `order executed`() throws {
    let body = bytes("'E'", Self.start, "0000000000000009", "00000064", "00000000000000AA")
    let event = try event(body)
    #expect(
      fields(event)
        == expected(.executeOrder) {
          $0.reference = OrderReference(value: 9)
          $0.newReference = OrderReference(value: 0xAA)
          $0.quantity = Quantity(lots: 100)
        })
  }

  @Test(arguments: ["Y", "N", " "])
  func `order executed with price`(printable: String) throws {
    let body = bytes(
      "'C'", Self.start, "0000000000000009", "00000064", "00000000000000AA", "'\(printable)'", "00002710")
    let event = try event(body)
    #expect(
      fields(event)
        == expected(.executeOrderAtPrice) {
          $0.reference = OrderReference(value: 9)
          $0.newReference = OrderReference(value: 0xAA)
          $0.quantity = Quantity(lots: 100)
          $0.price = Price(nanos: 1_000_000_000)
          $0.flags = printable == "Y" ? .printable : []
        })
  }

  @Test func `order cancel, delete and replace`() throws {
    let reduce = try event(bytes("'X'", Self.start, "0000000000000009", "00000007"))
    #expect(
      fields(reduce)
        == expected(.reduceOrder) {
          $0.reference = OrderReference(value: 9)
          $0.quantity = Quantity(lots: 7)
        })
    let delete = try event(bytes("'D'", Self.start, "0000000000000009"))
    #expect(fields(delete) == expected(.deleteOrder) { $0.reference = OrderReference(value: 9) })
    let replace = try event(bytes("'U'", Self.start, "0000000000000009", "000000000000000A", "00000008", "00000001"))
    #expect(
      fields(replace)
        == expected(.replaceOrder) {
          $0.reference = OrderReference(value: 9)
          $0.newReference = OrderReference(value: 10)
          $0.quantity = Quantity(lots: 8)
          $0.price = Price(nanos: 100_000)
        })
  }

  @Test func `trade, cross trade and broken trade`() throws {
    let trade = try event(
      bytes(
        "'P'", Self.start, "0000000000000005", "'B'", "00000003", "'ACME    '", "00002711", "00000000000000AB"))
    #expect(
      fields(trade)
        == expected(.trade) {
          $0.quantity = Quantity(lots: 3)
          $0.price = Price(nanos: 1_000_100_000)
          $0.newReference = OrderReference(value: 0xAB)
        })
    let cross = try event(
      bytes("'Q'", Self.start, "00000000FFFFFFFF", "'ACME    '", "00002711", "00000000000000AC", "'O'"))
    #expect(
      fields(cross)
        == expected(.crossTrade) {
          $0.quantity = Quantity(lots: 4_294_967_295)
          $0.price = Price(nanos: 1_000_100_000)
          $0.newReference = OrderReference(value: 0xAC)
        })
    let broken = try event(bytes("'B'", Self.start, "00000000000000AD"))
    #expect(fields(broken) == expected(.brokenTrade) { $0.newReference = OrderReference(value: 0xAD) })
  }

  @Test func `trading action carries the state`() throws {
    let event = try event(bytes("'H'", Self.start, "'ACME    H LUDP'"))
    #expect(fields(event) == expected(.tradingStatus) { $0.code = UInt8(ascii: "H") })
  }

  // The rest of each body, behind type and header.
  static let information: [(String, [UInt8])] = [
    ("S", bytes("'Q'")),
    ("R", bytes("'ACME    QN'", "00000064", "'NCZ PNN1N'", "00000000", "'N'")),
    ("Y", bytes("'ACME    0'")),
    ("L", bytes("'MAKRACME    YNA'")),
    ("V", bytes("0000000000000001", "0000000000000002", "0000000000000003")),
    ("W", bytes("'1'")),
    ("K", bytes("'ACME    '", "00008CA0", "'A'", "00002710")),
    ("J", bytes("'ACME    '", "00002710", "00002711", "0000270F", "00000000")),
    ("h", bytes("'ACME    QH'")),
    ("I", bytes("0000000000000001", "0000000000000002", "'BACME    '", "000000010000000200000003", "'OL'")),
    ("N", bytes("'ACME    B'")),
    ("O", bytes("'ACME    Y'", "000000010000000200000003", "0000000000000004", "0000000500000006")),
  ]

  @Test(arguments: information)
  func `everything else is information with its type`(type: String, rest: [UInt8]) throws {
    let event = try event(bytes("'\(type)'", Self.start) + rest)
    #expect(fields(event) == expected(.information) { $0.code = type.utf8.first ?? 0 })
  }

  @Test func `a wrong length, an unknown type, an empty body and a bad side are refused and counted`() throws {
    var bench = try DecoderBench(listed: ["ACME"])
    let add = bytes("'A'", Self.start, "0102030405060708", "'B'", "0000012C", "'ACME    '", "000F4241")
    var badSide = add
    badSide[19] = UInt8(ascii: "b")
    let cross = bytes("'Q'", Self.start, "0000000100000000", "'ACME    '", "00002711", "00000000000000AC", "'O'")
    let refusals = [
      bench.decode([]).refusal, bench.decode(bytes("'Z'") + add.dropFirst()).refusal, bench.decode([0]).refusal,
      bench.decode(Array(add.dropLast())).refusal, bench.decode(add + [0]).refusal, bench.decode(badSide).refusal,
      bench.decode(cross).refusal, bench.decode(add).refusal,
    ]
    #expect(
      refusals
        == [.empty, .unknownType, .unknownType, .wrongLength, .wrongLength, .invalidSide, .invalidQuantity, nil])
    let counters = bench.decoder.counters
    #expect(counters.refusalCount == 7)
    #expect(counters.eventCount == 1)
    #expect(counters.events(of: "A") == 1)
    #expect(ItchRefusal.allCases.map { counters.refusals($0) } == [1, 2, 2, 1, 1])
  }
}
