// Goal: the touch of the 50-level messages is that of the 1-level book file. Method: the lines of the 1-level message file are those 50-level lines that
// happen at the touch, so both are walked together. No order rests at a price better than the best: an add there makes a level that is KNOWN as a
// whole. It stays known while it is at most 49 ticks of 0.01 behind the best, because then at most 49 levels can be better and no event of it is
// left out; what is farther away, was there before, or loses an order without an add, is not compared.

import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingTypes

@Suite struct SharedLobsterDeepTests {
  static let deep = "data/lobster/AAPL_2012-06-21_34200000_37800000_message_50.csv.gz"
  static func path(_ kind: String) -> String { "data/lobster/AAPL_2012-06-21_34200000_57600000_\(kind)_1.csv.gz" }

  @Test(
    .enabled(
      if: [deep, path("message"), path("orderbook")].allSatisfy(InflatedFile.exists), "the shared files are not here"))
  func `every touch that fifty levels of messages explain is that of the book file`() throws {
    let deepBytes = try #require(try InflatedFile.bytes(Self.deep))
    let touchBytes = try #require(try InflatedFile.bytes(Self.path("message")))
    let rowBytes = try #require(try InflatedFile.bytes(Self.path("orderbook")))
    let zero = Timestamp(nanoseconds: 0)
    var feed = LobsterFeed(deepBytes.rawBytes, midnight: zero, instrument: LobsterReplay.instrument)
    var touches = LobsterFeed(touchBytes.rawBytes, midnight: zero, instrument: LobsterReplay.instrument)
    var rows = TextLines(ByteView(rowBytes.span))
    var replay = try LobsterReplay(depth: 50)
    var known: [Set<Int64>] = [[], []]
    var best: [Int64] = [0, 0]
    var (lines, joined, compared, unknown, wrong) = (0, 0, 0, 0, 0)
    var awaited = touches.next()
    while let event = feed.next() {
      lines += 1
      let (side, price) = (Int(event.side.rawValue), event.price.nanos)
      if event.kind == .addOrder, best[side] != 0, (price - best[side]) * event.side.sign > 0, price % 10_000_000 == 0 {
        replay.forget(price, event.side)
        known[side].insert(price)
      }
      if replay.books.apply(event).status == .unknownOrder { known[side].remove(price) }
      guard let line = awaited,
        LobsterFeedTests.describe(line).dropFirst(String(line.sequence).count)
          == LobsterFeedTests.describe(event).dropFirst(String(event.sequence).count), let row = rows.next()
      else { continue }
      joined += 1
      awaited = touches.next()
      var text = TextScanner(row)
      let levels = SharedLobsterTests.levels(&text, depth: 1)
      for (side, level) in [(Side.sell, levels.asks[0]), (Side.buy, levels.bids[0])] {
        let place = Int(side.rawValue)
        best[place] = level.0
        known[place] = known[place].filter { abs($0 - level.0) <= 490_000_000 && ($0 - level.0) * side.sign <= 0 }
        if known[place].contains(level.0) {
          compared += 1
          if replay.lots(level.0, side) != level.1 { wrong += 1 }
        } else {
          unknown += 1
        }
      }
    }
    #expect(lines == 91_997 && joined == 25_641)
    #expect(wrong == 0 && compared == 39_695 && unknown == 11_587)
    let refusals = feed.counters.refusalCount
    #expect(refusals == 0)
  }
}
