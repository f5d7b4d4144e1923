import LockFreeRings
import MarketIngest
import Testing
import TradingTypes

// Goal: a locate means the instrument its latest message named. Method: small sequences of messages with a stock field.
@Suite struct InstrumentMapTests {
  private func add(_ locate: UInt8, _ stock: String) -> [UInt8] {
    let padded = stock + String(repeating: " ", count: 8 - stock.count)
    return bytes("'A'", "00", "0102 1F1ACED85001", "0102030405060708", "'B'", "0000012C", "'\(padded)'", "000F4241")
      .inserting(locate, at: 2)
  }

  private func delete(_ locate: UInt8) -> [UInt8] {
    bytes("'D'", "00", "0102 1F1ACED85001", "0000000000000009").inserting(locate, at: 2)
  }

  @Test func `a listed symbol keeps its place in the list as id, any other stock is none`() throws {
    var bench = try DecoderBench(listed: ["AA", "BB", "CCCCCCCC"])
    let ids = [
      bench.decode(delete(1)), bench.decode(add(1, "BB")), bench.decode(delete(1)), bench.decode(add(2, "CCCCCCCC")),
      bench.decode(add(3, "XX")), bench.decode(delete(3)),
    ].map { $0.event?.instrument }
    #expect(
      ids == [
        InstrumentID.none, InstrumentID(index: 1), InstrumentID(index: 1), InstrumentID(index: 2), InstrumentID.none,
        InstrumentID.none,
      ])
    let names = (0..<4).map { bench.decoder.map.symbol(of: InstrumentID(index: $0))?.description }
    #expect(names == ["AA", "BB", "CCCCCCCC", nil])
    let found = ["BB", "XX", "CCCCCCCCC"].map { bench.decoder.map.instrument(named: Symbol($0)!) }
    #expect(found == [InstrumentID(index: 1), nil, nil])
    let rebound = bench.decoder.map.reboundCount
    #expect(rebound == 0)
  }

  @Test func `every message with a stock field binds, except those of no stock`() throws {
    // Offset of the stock field in bodies of zeros of the right length.
    let stocks: [(String, Int, Int)] = [
      ("R", 39, 11), ("H", 25, 11), ("Y", 20, 11), ("L", 26, 15), ("K", 28, 11), ("J", 35, 11), ("h", 21, 11),
      ("A", 36, 24), ("F", 40, 24), ("P", 44, 24), ("Q", 40, 19), ("I", 50, 28), ("N", 20, 11), ("O", 48, 11),
    ]
    for (type, length, place) in stocks {
      var bench = try DecoderBench(listed: ["ACME"])
      var body = [UInt8](repeating: 0, count: length)
      body[0] = type.utf8.first ?? 0
      body[2] = 9
      if type == "A" || type == "F" { body[19] = UInt8(ascii: "S") }
      body.replaceSubrange(place..<(place + 8), with: bytes("'ACME    '"))
      let outcome = bench.decode(body)
      #expect(outcome.event?.instrument == InstrumentID(index: 0), "\(type)")
      let after = bench.decode(delete(9))
      #expect(after.event?.instrument == InstrumentID(index: 0), "\(type)")
    }
  }

  @Test func `a locate that names another symbol is bound anew and counted`() throws {
    var bench = try DecoderBench(listed: ["AA", "BB"])
    let ids = [
      bench.decode(add(1, "AA")), bench.decode(add(1, "BB")), bench.decode(delete(1)), bench.decode(add(1, "XX")),
      bench.decode(delete(1)), bench.decode(add(1, "XX")), bench.decode(add(1, "AA")), bench.decode(add(2, "AA")),
    ].map { $0.event?.instrument.index }
    #expect(ids == [0, 1, 1, .max, .max, .max, 0, 0])
    let rebound = bench.decoder.map.reboundCount
    #expect(rebound == 3)
  }

  @Test func `a discovering map numbers symbols as they come, up to its capacity`() {
    var bench = DecoderBench(discovering: 2)
    let ids = [
      bench.decode(add(1, "AA")), bench.decode(add(2, "BB")), bench.decode(add(3, "CC")), bench.decode(add(3, "CC")),
      bench.decode(add(4, "AA")),
    ].map { $0.event?.instrument.index }
    #expect(ids == [0, 1, .max, .max, 0])
    let map = (bench.decoder.map.count, bench.decoder.map.overflowCount)
    #expect(map == (2, 1))
  }

  @Test(arguments: [bytes("'        '"), bytes("'A B     '"), bytes("0102030405060708"), bytes("'AAAA'", "FF202020")])
  func `a stock field that is no symbol is bound to none and counted`(field: [UInt8]) {
    var bench = DecoderBench(discovering: 2)
    var body = add(1, "AA")
    body.replaceSubrange(24..<32, with: field)
    let ids = [bench.decode(body), bench.decode(body), bench.decode(add(1, "AA"))].map { $0.event?.instrument.index }
    #expect(ids == [.max, .max, 0])
    let counts = (bench.decoder.map.invalidSymbolCount, bench.decoder.map.reboundCount, bench.decoder.map.count)
    #expect(counts == (1, 1, 1))
  }

  @Test func `a list with a symbol twice or longer than eight characters is refused by name`() {
    let arena = Arena(capacityBytes: 4 << 20)
    #expect(throws: ConfigurationError("symbol AA: listed twice")) {
      _ = try InstrumentMap(listed: [Symbol("AA")!, Symbol("BB")!, Symbol("AA")!], in: arena)
    }
    #expect(throws: ConfigurationError("symbol ABCDEFGHI: at most 8 characters expected")) {
      _ = try InstrumentMap(listed: [Symbol("ABCDEFGHI")!], in: arena)
    }
  }

  // Goal: a restored map goes on as the first one. Method: the same messages through both after the snapshot.
  @Test(arguments: [false, true])
  func `a snapshot restores into an equal map`(isDiscovering: Bool) throws {
    func bench() throws -> DecoderBench {
      isDiscovering ? DecoderBench(discovering: 3) : try DecoderBench(listed: ["AA", "BB", "CC"])
    }
    var first = try bench()
    for body in [add(1, "BB"), add(2, "XX"), add(1, "AA"), add(3, "YY"), add(4, "Z Z"), add(255, "CC")] {
      _ = first.decode(body)
    }
    let snapshot = first.decoder.map.snapshot()
    #expect(snapshot.bindings.map(\.locate) == [1, 2, 3, 4, 255])
    var second = try bench()
    _ = second.decode(add(9, "QQ"))
    try second.decoder.map.restore(snapshot)
    let again = second.decoder.map.snapshot()
    #expect(again == snapshot)
    for body in [
      delete(1), delete(2), delete(9), add(3, "YY"), add(4, "Z Z"), add(9, "XX"), add(9, "CC"), add(255, "CC"),
    ] {
      let pair = (first.decode(body).event?.instrument, second.decode(body).event?.instrument)
      #expect(pair.0 == pair.1)
    }
    let ends = (first.decoder.map.snapshot(), second.decoder.map.snapshot())
    #expect(ends.0 == ends.1)
  }

  @Test func `a snapshot of other symbols is refused and changes nothing`() throws {
    var bench = try DecoderBench(listed: ["AA", "BB"])
    _ = bench.decode(add(1, "BB"))
    let before = bench.decoder.map.snapshot()
    for symbols in [["AA"], ["BB", "AA"], ["AA", "BB", "CC"], ["AA", "AA"]] {
      var other = before
      other.symbols = symbols.compactMap { Symbol($0) }
      #expect(throws: ConfigurationError.self) { try bench.decoder.map.restore(other) }
    }
    var small = DecoderBench(discovering: 1)
    #expect(throws: ConfigurationError("instrument map: 2 symbols, at most 1 expected")) {
      try small.decoder.map.restore(before)
    }
    let after = bench.decoder.map.snapshot()
    #expect(after == before)
  }

  @Test func `a full directory of symbols is found again by name`() throws {
    let symbols = (0..<3_000).map { Symbol("S\($0)")! }
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: symbols.count))
    let map = try InstrumentMap(listed: symbols, in: arena)
    for (index, symbol) in symbols.enumerated() {
      let found = map.instrument(named: symbol)
      #expect(found?.index == UInt32(index))
    }
    let missing = map.instrument(named: Symbol("S3000")!)
    #expect(missing == nil)
  }
}

extension [UInt8] {
  func inserting(_ byte: UInt8, at place: Int) -> [UInt8] { Array(self[..<place]) + [byte] + Array(self[place...]) }
}
