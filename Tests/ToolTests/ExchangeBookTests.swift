// Goal: the books are the exchange's. Method: all ten levels of a real day, row by row, against LOBSTER's order book file (the row
// file says after which message each of its rows stands), and the tool's rows against the same books: every 25th in debug,
// where text is slow, all of them in release.

import Foundation
import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingTypes

@Suite struct ExchangeBookTests {
  private static let messages = SharedData.file("data/itch50/goog_20120621_from_lobster10.itch50")
  private static let places = SharedData.file("data/itch50/goog_20120621_from_lobster10_row_to_message.csv.gz")
  private static let books = SharedData.file("data/lobster/GOOG_2012-06-21_34200000_57600000_orderbook_10.csv.gz")

  /// Reads integers, dots left out, empty fields as nil.
  private struct Fields {
    let bytes: [UInt8]
    var place = 0

    mutating func skipLine() {
      while place < bytes.count, bytes[place] != 0x0A { place += 1 }
      place += 1
    }

    /// The field up to the next comma or end of line.
    mutating func next() -> Int64? {
      var value: Int64 = 0
      var digits = 0
      var isNegative = false
      while place < bytes.count {
        let byte = bytes[place]
        place += 1
        if byte >= 0x30, byte <= 0x39 {
          value = value &* 10 &+ Int64(byte &- 0x30)
          digits += 1
        } else if byte == 0x2D {
          isNegative = true
        } else if byte == 0x2C || byte == 0x0A {
          break
        }
      }
      return digits == 0 ? nil : isNegative ? -value : value
    }

    var isAtEnd: Bool { place >= bytes.count }
  }

  /// Price in 1e-4 and size of ten levels, ask before bid as LOBSTER has them; nil where there is none.
  private static func levels(_ view: borrowing DepthView) -> [Int64?] {
    var fields: [Int64?] = []
    fields.reserveCapacity(40)
    for level in 0..<10 {
      let (ask, bid) = (view.asks[level], view.bids[level])
      let (hasAsk, hasBid) = (level < Int(view.askCount), level < Int(view.bidCount))
      fields.append(hasAsk ? ask.price.nanos / 100_000 : nil)
      fields.append(hasAsk ? ask.quantity.lots : nil)
      fields.append(hasBid ? bid.price.nanos / 100_000 : nil)
      fields.append(hasBid ? bid.quantity.lots : nil)
    }
    return fields
  }

  @Test(
    .enabled(
      if: messages != nil && places != nil && books != nil && Tool.url != nil, "shared data or the tool are not here"))
  func `ten levels of a real day equal the exchange's at every row`() throws {
    let messages = try #require(Self.messages)
    let every = countsAllocations ? 1 : 25
    let outcome = try Tool.run(
      ["book", "--feed", "itch50", "--input", messages.path, "--symbol", "GOOG", "--every", "\(every)"])
    #expect(outcome.code == 0)
    var printed = Fields(bytes: [UInt8](outcome.output))
    var rows = Fields(bytes: [UInt8](try Tool.inflated(try #require(Self.places))))
    var theirs = Fields(bytes: [UInt8](try Tool.inflated(try #require(Self.books))))
    printed.skipLine()
    rows.skipLine()

    let bytes = [UInt8](try Data(contentsOf: messages))
    let arena = Arena(capacityBytes: 256 << 20)
    let capacity = try BookCapacity(instruments: 4, orders: 8_192, windowTicks: 512)
    var books = try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 100_000), tick: Price(nanos: 10_000_000), in: arena)
    var decoder = ItchDecoder(
      midnight: Timestamp(nanoseconds: 0), venue: VenueID(index: 0), map: InstrumentMap(discovering: 4, in: arena),
      in: arena)
    let google = InstrumentID(index: 0)
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: Int64 = 0
    var (nextRow, nextPrinted) = (rows.next(), printed.next())
    var (comparedRows, comparedPrints, differences) = (0, 0, 0)
    func compare(_ ours: [Int64?], _ expected: [Int64?], _ what: String) {
      guard ours != expected else { return }
      differences += 1
      if differences == 1 { Issue.record("\(what) after message \(sequence): \(ours), expected \(expected)") }
    }
    while let message = frames.next() {
      sequence += 1
      guard let event = decoder.decode(message, sequence: UInt64(sequence)).event else { continue }
      let effect = books.apply(event)
      guard nextRow == sequence || nextPrinted == sequence else { continue }
      let ours = Self.levels(books[depth: google])
      while nextRow == sequence {
        var expected: [Int64?] = []
        for _ in 0..<20 {
          // LOBSTER marks a level that is not there by a price of ±9,999,999,999 and size 0.
          let (price, size) = (theirs.next(), theirs.next())
          expected.append(size == 0 ? nil : price)
          expected.append(size == 0 ? nil : size)
        }
        compare(ours, expected, "row \(comparedRows + 1)")
        comparedRows += 1
        nextRow = rows.next()
      }
      if nextPrinted == sequence {
        #expect(effect.status.changedBook)
        _ = printed.next()
        _ = printed.next()
        var found: [Int64?] = []
        for _ in 0..<10 {
          let bid = (printed.next(), printed.next(), printed.next())
          let ask = (printed.next(), printed.next(), printed.next())
          found += [ask.0, ask.1, bid.0, bid.1]
        }
        compare(found, ours, "printed row")
        comparedPrints += 1
        nextPrinted = printed.isAtEnd ? nil : printed.next()
      }
    }
    #expect(nextRow == nil && nextPrinted == nil)
    #expect(comparedRows == 147_916 && comparedPrints > 6_000)
    #expect(differences == 0)
    #expect(theirs.isAtEnd)
    let symbol = decoder.map.symbol(of: google)
    #expect(symbol?.description == "GOOG")
  }
}
