import CAllocationCounter
import FixtureStreams
import LockFreeRings
import MarketIngest
import TestSupport
import Testing
import TradingTypes

/// The decoder as the specification reads: a field table, byte loops, strings. Slow and right.
struct ItchTwin {
  var symbols: [String]
  var locates: [Int: String] = [:]

  static let lengths: [Character: Int] = [
    "S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21, "A": 36, "F": 40, "E": 31,
    "C": 36, "X": 23, "D": 19, "U": 35, "P": 44, "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48,
  ]
  static let stocks: [Character: Int] = [
    "R": 11, "H": 11, "Y": 11, "L": 15, "K": 11, "J": 11, "h": 11, "A": 24, "F": 24, "P": 24, "Q": 19, "I": 28, "N": 11,
    "O": 11,
  ]

  mutating func decode(_ body: [UInt8], sequence: UInt64) -> ItchOutcome {
    guard let first = body.first else { return .refused(.empty) }
    let type = Character(Unicode.Scalar(first))
    guard let length = Self.lengths[type] else { return .refused(.unknownType) }
    guard length == body.count else { return .refused(.wrongLength) }
    func number(_ place: Int, _ size: Int) -> UInt64 {
      body[place..<(place + size)].reduce(0) { $0 << 8 | UInt64($1) }
    }
    func text(_ place: Int) -> String { String(decoding: body[place..<(place + 8)], as: UTF8.self) }
    func price(_ place: Int) -> Price { Price(nanos: Int64(number(place, 4)) * 100_000) }
    func lots(_ place: Int, _ size: Int = 4) -> Quantity { Quantity(lots: Int64(number(place, size))) }
    func reference(_ place: Int) -> OrderReference { OrderReference(value: number(place, 8)) }
    if "AF".contains(type), !"BS".utf8.contains(body[19]) { return .refused(.invalidSide) }
    if type == "Q", number(11, 8) > 4_294_967_295 { return .refused(.invalidQuantity) }
    let locate = Int(number(1, 2))
    if let place = Self.stocks[type] { locates[locate] = text(place) }
    let symbol = locates[locate]?.replacing(#/ +$/#, with: "")
    let index = symbol.flatMap { symbols.firstIndex(of: $0) }
    var event = MarketEvent(
      kind: .information, sequence: sequence,
      time: Timestamp(nanoseconds: DecoderBench.midnight.nanoseconds + Int64(number(5, 6))),
      instrument: index.map { InstrumentID(index: UInt32($0)) } ?? .none, venue: VenueID(index: 3))
    if "AFECXDU".contains(type) { event.reference = reference(11) }
    switch type {
    case "A", "F":
      (event.kind, event.flags, event.side) = (.addOrder, .hasSide, body[19] == UInt8(ascii: "B") ? .buy : .sell)
      (event.quantity, event.price) = (lots(20), price(32))
    case "E":
      (event.kind, event.quantity, event.newReference) = (.executeOrder, lots(19), reference(23))
    case "C":
      (event.kind, event.quantity, event.newReference) = (.executeOrderAtPrice, lots(19), reference(23))
      (event.price, event.flags) = (price(32), body[31] == UInt8(ascii: "Y") ? .printable : [])
    case "X": (event.kind, event.quantity) = (.reduceOrder, lots(19))
    case "D": event.kind = .deleteOrder
    case "U":
      (event.kind, event.newReference, event.quantity, event.price) = (
        .replaceOrder, reference(19), lots(27), price(31)
      )
    case "P":
      (event.kind, event.quantity, event.price, event.newReference) = (.trade, lots(20), price(32), reference(36))
    case "Q":
      (event.kind, event.quantity, event.price, event.newReference) = (
        .crossTrade, lots(11, 8), price(27), reference(31)
      )
    case "B": (event.kind, event.newReference) = (.brokenTrade, reference(11))
    case "H": (event.kind, event.code) = (.tradingStatus, body[19])
    default: event.code = first
    }
    return .event(event)
  }
}

@Suite struct ItchTwinTests {
  // Goal: the fast decoder equals the slow one on any bytes. Method: random bodies, mostly of a right type and length, with
  // stocks and sides that mostly make sense.
  @Test(arguments: Seeds.brief)
  func `decoder equals twin on random bodies`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let symbols = ["A", "BB", "CCCCCCCC", "D.E"]
    var bench = try DecoderBench(listed: symbols)
    var twin = ItchTwin(symbols: symbols)
    let types = ItchTwin.lengths.keys.sorted()
    let stocks = ["A       ", "BB      ", "CCCCCCCC", "D.E     ", "ZZ      ", "A B     ", "        "]
    for sequence in 1...4_000 as ClosedRange<UInt64> {
      let type = types[random.below(types.count)]
      let length = random.below(50) == 0 ? random.below(60) : ItchTwin.lengths[type] ?? 0
      var body = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      if !body.isEmpty, random.below(50) > 0 { body[0] = type.asciiValue ?? 0 }
      if body.count > 2, random.below(10) > 0 { (body[1], body[2]) = (0, UInt8(random.below(8))) }
      if let place = ItchTwin.stocks[type], body.count >= place + 8, random.below(10) > 0 {
        body.replaceSubrange(place..<(place + 8), with: stocks[random.below(stocks.count)].utf8)
      }
      if "AFP".contains(type), body.count > 19, random.below(10) > 0 {
        body[19] = UInt8(ascii: random.below(2) == 0 ? "B" : "S")
      }
      if type == "C", body.count > 31, random.below(2) == 0 { body[31] = UInt8(ascii: "Y") }
      if type == "Q", body.count > 15, random.below(3) > 0 { body.replaceSubrange(11..<15, with: [0, 0, 0, 0]) }
      let fast = fields(bench.decode(body))
      let slow = fields(twin.decode(body, sequence: sequence))
      guard fast == slow else {
        Issue.record("seed \(seed), message \(sequence), type \(type): \(fast), expected \(slow) of \(body)")
        return
      }
    }
    let counts = (bench.decoder.counters.eventCount, bench.decoder.counters.refusalCount)
    #expect(counts.0 > 3_000 && counts.1 > 50 && counts.0 + counts.1 == 4_000)
  }

  // Goal: what the writer writes is what the decoder reads. Method: random fields of every message the writer knows.
  @Test(arguments: Seeds.brief)
  func `written messages decode to what was written`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let symbol = try #require(Symbol("ACME"))
    let stock = ItchWriter.field(symbol)
    var writer = ItchWriter(capacityBytes: 0)
    var expected: [[Int64]] = []
    for sequence in 1...600 as ClosedRange<UInt64> {
      let header = ItchWriter.Header(
        locate: 5, time: random.next() >> 16, tracking: UInt16(truncatingIfNeeded: random.next()))
      let (reference, other) = (random.next(), random.next())
      let (shares, price) = (UInt32(truncatingIfNeeded: random.next()), UInt32(truncatingIfNeeded: random.next()))
      let side: Side = random.below(2) == 0 ? .buy : .sell
      var event = MarketEvent(
        kind: .information, sequence: sequence,
        time: Timestamp(nanoseconds: DecoderBench.midnight.nanoseconds + Int64(header.time)),
        instrument: InstrumentID(index: 0), venue: VenueID(index: 3), reference: OrderReference(value: reference),
        newReference: OrderReference(value: other), price: Price(nanos: Int64(price) * 100_000),
        quantity: Quantity(lots: Int64(shares)))
      /// Keeps only what the message says beside its header.
      func keep(
        _ kind: MarketEventKind, reference: Bool = false, other: Bool = false, price: Bool = false,
        shares: Bool = false,
        flags: MarketEventFlags = [], code: Unicode.Scalar? = nil
      ) {
        event.kind = kind
        if !reference { event.reference = OrderReference(value: 0) }
        if !other { event.newReference = OrderReference(value: 0) }
        if !price { event.price = .zero }
        if !shares { event.quantity = .zero }
        if flags.contains(.hasSide) { event.side = side }
        event.flags = flags
        event.code = code.map { UInt8(ascii: $0) } ?? 0
      }
      // The first message names the stock of the locate.
      switch sequence == 1 ? 0 : random.below(14) {
      case 0:
        writer.stockDirectory(header, stock: stock)
        keep(.information, code: "R")
      case 1, 2:
        writer.addOrder(
          header, reference: reference, side: side, shares: shares, stock: stock, price: price,
          attribution: other & 1 == 0 ? nil : 0x4142_4344)
        keep(.addOrder, reference: true, price: true, shares: true, flags: .hasSide)
      case 3:
        writer.executeOrder(header, reference: reference, shares: shares, match: other)
        keep(.executeOrder, reference: true, other: true, shares: true)
      case 4:
        writer.executeOrder(
          header, reference: reference, shares: shares, match: other, price: price, isPrintable: side == .buy)
        keep(
          .executeOrderAtPrice, reference: true, other: true, price: true, shares: true,
          flags: side == .buy ? .printable : [])
      case 5:
        writer.reduceOrder(header, reference: reference, shares: shares)
        keep(.reduceOrder, reference: true, shares: true)
      case 6:
        writer.deleteOrder(header, reference: reference)
        keep(.deleteOrder, reference: true)
      case 7:
        writer.replaceOrder(header, reference: reference, newReference: other, shares: shares, price: price)
        keep(.replaceOrder, reference: true, other: true, price: true, shares: true)
      case 8:
        writer.trade(header, shares: shares, stock: stock, price: price, match: other)
        keep(.trade, other: true, price: true, shares: true)
      case 9:
        writer.crossTrade(header, shares: UInt64(shares), stock: stock, price: price, match: other, cross: "O")
        keep(.crossTrade, other: true, price: true, shares: true)
      case 10:
        writer.brokenTrade(header, match: other)
        keep(.brokenTrade, other: true)
      case 11:
        writer.imbalance(
          header, paired: other, imbalance: reference, direction: "B", stock: stock, price: price, cross: "C")
        keep(.information, code: "I")
      case 12:
        writer.systemEvent(header, event: "Q")
        keep(.information, code: "S")
      default:
        writer.tradingAction(header, stock: stock, state: "P")
        keep(.tradingStatus, code: "P")
      }
      expected.append(fields(event))
    }
    let written = writer.messageCount
    let stream = writer.takeBytes()
    var bench = try DecoderBench(listed: ["ACME"])
    var frames = ItchFrames(stream.span)
    var count = 0
    while let body = frames.next() {
      count += 1
      let outcome = bench.decoder.decode(body, sequence: UInt64(count))
      let decoded = fields(outcome)
      #expect(decoded == expected[count - 1], "seed \(seed), message \(count)")
    }
    #expect(count == written && count == 600)
    #expect(frames.ending == .end)
  }

  // Goal: the hot path takes no memory. Method: count while a generated stream is decoded a second time.
  @Test(.enabled(if: countsAllocations))
  func `decoding allocates and retains nothing`() {
    let parameters = ItchFixture.Parameters(messages: 50_000, symbols: 20)
    let stream = ItchFixture(parameters).generate()
    var bench = DecoderBench(discovering: 20)
    var sum: Int64 = 0
    for round in 0..<2 {
      let counts = counting {
        var frames = ItchFrames(stream.span)
        var sequence: UInt64 = 0
        while let body = frames.next() {
          sequence &+= 1
          if case .event(let event) = bench.decoder.decode(body, sequence: sequence) { sum &+= event.price.nanos }
        }
      }
      if round == 1 {
        #expect(counts.allocations == 0)
        #expect(counts.retains == 0)
      }
    }
    #expect(sum != 0)
  }
}
