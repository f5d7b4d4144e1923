// Goal: the books of every pair of a recording are right at its end, and so are the trades. Method: the slow twin; for Kraken the exchange's own
// checksum after every update.

import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingTypes

@Suite struct SharedExchangeTests {
  struct File: Sendable, CustomTestStringConvertible {
    var name: String
    var dialect: ExchangeDialect
    var pairs: [String]
    /// Messages by kind: see `ExchangeDecoder.counters`.
    var counts: [Unicode.Scalar: UInt64]
    var checksums = 0
    var outOfRange: UInt64 = 0
    var testDescription: String { name }
    var path: String { "data/crypto-ws/\(name).jsonl.gz" }
  }

  static let files = [
    File(
      name: "COINBASE", dialect: .coinbase, pairs: ["BTC-USD", "ETH-USD"],
      counts: ["l": 773, "s": 4, "t": 57, "i": 196]),
    File(
      name: "KRAKEN", dialect: .kraken,
      pairs: [
        "WAVES/EUR", "XMR/USD", "KSM/XBT", "GRT/ETH", "SC/EUR", "ETH/CHF", "OCEAN/XBT", "OMG/USD", "XBT/CHF", "ADA/XBT",
      ], counts: ["l": 4_269, "s": 10, "t": 8, "i": 143], checksums: 4_269, outOfRange: 1),
    File(
      name: "BINANCE", dialect: .binance, pairs: ["NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"],
      counts: ["s": 4, "t": 2, "i": 86, "l": 172, "u": 5, "g": 0]),
  ]

  static func levels(_ books: borrowing OrderBookSet, _ instrument: InstrumentID, _ side: Side) -> [String] {
    var levels: [String] = []
    books.levels(of: instrument, side: side) { levels.append("\($0.price.nanos) \($0.quantity.lots)") }
    return levels
  }

  /// Drops what is behind the `depth` best levels.
  static func cut(_ books: inout OrderBookSet, _ instrument: InstrumentID, to depth: Int) {
    for side in Side.allCases where books.levelCount(of: instrument, side: side) > depth {
      var prices: [Price] = []
      books.levels(of: instrument, side: side) { prices.append($0.price) }
      for price in prices[depth...] {
        let event = MarketEvent(
          kind: .setLevel, time: Timestamp(nanoseconds: 0), instrument: instrument, side: side, price: price,
          flags: .hasSide)
        _ = books.apply(event)
      }
    }
  }

  @Test(
    .enabled(if: files.allSatisfy { InflatedFile.exists($0.path) }, "the recordings are not here"), arguments: files)
  func `the books and trades of a recording are those of the slow twin`(file: File) throws {
    let bytes = try #require(try InflatedFile.bytes(file.path))
    var twin = ExchangeTwin()
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      twin.line(String(line), exchange: file.name)
    }
    let symbols = file.pairs.compactMap { Symbol($0) }
    let capacity = try BookCapacity(instruments: symbols.count, orders: 1 << 12, levels: 1 << 17)
    let arena = Arena(
      capacityBytes: capacity.arenaBytes + ExchangeDecoder.byteCount(symbols: symbols.count) + (10 << 20))
    var books = try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 1), tick: Price(nanos: 10), in: arena)
    let decoder = try ExchangeDecoder(file.dialect, symbols: symbols, in: arena)
    var feed = RecordingFeed(bytes.rawBytes, decoder: decoder, in: arena)
    var (checksums, wrong) = (0, 0)
    var trades: [String] = []
    var refused: [String] = []
    while let event = feed.next() {
      let status = books.apply(event).status
      if event.kind.changesBook, status != .applied, status != .ignored {
        refused.append("\(event.sequence) \(status)")
      }
      if event.kind == .trade {
        let pair = file.pairs[Int(event.instrument.index)]
        trades.append("\(pair) \(event.side) \(event.price.nanos) \(event.quantity.lots)")
      }
      if event.kind == .information {
        Self.cut(&books, event.instrument, to: 1_000)
        checksums += 1
        let found = KrakenChecksum.of(
          books[depth: event.instrument], priceDecimals: Int(event.newReference.value))
        if UInt64(found) != event.reference.value { wrong += 1 }
      }
    }
    #expect(refused.isEmpty, "\(refused.prefix(3))")
    #expect(wrong == 0 && checksums == file.checksums)
    #expect(trades == twin.trades && !trades.isEmpty)
    for (index, pair) in file.pairs.enumerated() {
      for side in Side.allCases {
        let found = Self.levels(books, InstrumentID(index: UInt32(index)), side)
        let expected = twin.books[pair]?.levels(side) ?? []
        #expect(found.count > 10 && found == expected, "\(pair) \(side): \(found.count), \(expected.count)")
      }
    }
    let (lines, messages) = (feed.counters, feed.decoder.counters)
    #expect(lines.refusalCount == 0 && messages.refusalCount == 0)
    let outOfRange = feed.decoder.outOfRangeCount
    #expect(outOfRange == file.outOfRange)
    let missed = feed.decoder.missedCount
    #expect(missed == 0)
    for (kind, count) in file.counts {
      #expect(messages.byType[Int(kind.value)] == count, "\(kind): \(messages.byType[Int(kind.value)])")
    }
    let ending = feed.ending
    #expect(ending == .end)
  }
}
