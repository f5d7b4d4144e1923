// Goal: message files replayed into order books give the book files, row by row and level by level. Method: the rule below.
//
// A file of n levels has a line for every event at one of the n best prices of a side, and for no other. So what happens at a price is wholly
// known from the row in which it comes into the window (the n prices of its row) to the row in which it leaves. It comes in either
//  - because an order was added at a price where none rested: an add at a price that the row before does not show. Had there been a level
//    already, it would have been outside the window before the add and, as an add to a level moves no price, after it, with no line at all.
//    All the quantity is then that order's, and from there on the level must equal our book's: it is KNOWN; or
//  - because a better price became empty. Its quantity rests in orders without a line: we take it from this one row (not comparable:
//    nothing in the messages says it), and from there on the level must equal that quantity, less what orders without an add lose to lines,
//    plus our book's. Once that unexplained quantity is 0, the level is KNOWN as well. The first row shows all its levels this way.
// When a price leaves the window it must be empty, or n better prices must have pushed it out; our book then forgets its orders, whose
// later fate has no line. Two sides are never mixed, so the rule holds for each alone.

import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingTypes

struct LobsterReplay: ~Copyable {
  struct Counts: Equatable {
    var rows = 0
    var known = 0
    var explained = 0
    var notComparable = 0
    var pushedOut = 0
    var emptied = 0
    var differences = 0
  }
  struct Level {
    var price: Int64
    var lots: Int64
    /// Quantity of orders without a line of their own.
    var unexplained: Int64
    var isKnown: Bool
  }

  static let instrument = InstrumentID(index: 0)
  let depth: Int
  var books: OrderBookSet
  var window: [[Level]] = [[], []]
  var counts = Counts()
  var firstDifference = ""

  init(depth: Int) throws {
    self.depth = depth
    let capacity = try BookCapacity(instruments: 1, orders: 1 << 14)
    books = try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 100_000), tick: Price(nanos: 10_000_000),
      in: Arena(capacityBytes: capacity.arenaBytes + (1 << 20)))
  }

  mutating func differ(_ text: String) {
    counts.differences += 1
    if firstDifference.isEmpty { firstDifference = "row \(counts.rows): \(text)" }
  }

  func lots(_ price: Int64, _ side: Side) -> Int64 {
    books.level(at: Price(nanos: price), of: Self.instrument, side: side)?.quantity.lots ?? 0
  }

  mutating func forget(_ price: Int64, _ side: Side) {
    while let level = books.level(at: Price(nanos: price), of: Self.instrument, side: side),
      let order = books.firstOrder(of: level)
    {
      _ = books.apply(
        MarketEvent(
          kind: .deleteOrder, time: Timestamp(nanoseconds: 0), instrument: Self.instrument, reference: order.reference))
    }
  }

  /// Applies one line and compares with its row: (price, lots) per level, asks and bids.
  mutating func step(_ event: MarketEvent, asks: [(Int64, Int64)], bids: [(Int64, Int64)]) {
    counts.rows += 1
    let side = Int(event.side.rawValue)
    let place = window[side].firstIndex { $0.price == event.price.nanos }
    let effect = books.apply(event)
    switch (event.kind, effect.status) {
    case (_, .applied), (.trade, _), (.crossTrade, _), (.tradingStatus, _): break
    case (.reduceOrder, .unknownOrder), (.deleteOrder, .unknownOrder), (.executeOrder, .unknownOrder):
      // An order without a line takes its quantity along; a price outside the window is that of a level we have not seen.
      if let place { window[side][place].unexplained -= event.quantity.lots }
      if let place, window[side][place].unexplained < 0 { differ("more left than rested") }
    default: differ("\(event.kind) \(effect.status)")
    }
    // Wherever a level is new, its price is that of the event: an add at a price the row before does not show.
    let created = event.kind == .addOrder && place == nil && counts.rows > 1 ? event.price.nanos : 0
    compare(asks, .sell, created: event.side == .sell ? created : 0)
    compare(bids, .buy, created: event.side == .buy ? created : 0)
  }

  mutating func compare(_ row: [(Int64, Int64)], _ side: Side, created: Int64) {
    let old = window[Int(side.rawValue)]
    for level in old where !row.contains(where: { $0.0 == level.price }) {
      let left = lots(level.price, side) + level.unexplained
      let isPushed = row.count == depth && row.allSatisfy { side == .buy ? $0.0 > level.price : $0.0 < level.price }
      if left == 0 {
        counts.emptied += 1
      } else if isPushed {
        counts.pushedOut += 1
      } else {
        differ("a level of \(left) left")
      }
      forget(level.price, side)
    }
    var new: [Level] = []
    for (price, shown) in row {
      if let level = old.first(where: { $0.price == price }) {
        let expected = lots(price, side) + level.unexplained
        if shown != expected { differ("\(price): \(expected), \(shown) shown") }
        if level.isKnown { counts.known += 1 } else { counts.explained += 1 }
        new.append(
          Level(
            price: price, lots: shown, unexplained: level.unexplained, isKnown: level.isKnown || level.unexplained == 0)
        )
      } else if price == created {
        if shown != lots(price, side) { differ("\(price): \(lots(price, side)) added, \(shown) shown") }
        counts.known += 1
        new.append(Level(price: price, lots: shown, unexplained: 0, isKnown: true))
      } else {
        forget(price, side)
        counts.notComparable += 1
        new.append(Level(price: price, lots: shown, unexplained: shown, isKnown: false))
      }
    }
    window[Int(side.rawValue)] = new
    if created != 0, !new.contains(where: { $0.price == created }) { forget(created, side) }
  }
}

@Suite struct SharedLobsterTests {
  struct Day: Sendable, CustomTestStringConvertible {
    var name: String
    var depth: Int
    var counts: LobsterReplay.Counts
    var testDescription: String { "\(name) \(depth)" }
    func path(_ kind: String) -> String { "data/lobster/\(name)_2012-06-21_34200000_57600000_\(kind)_\(depth).csv.gz" }
    var exists: Bool { InflatedFile.exists(path("message")) && InflatedFile.exists(path("orderbook")) }
  }

  static let days = [
    Day(
      name: "GOOG", depth: 10,
      counts: .init(
        rows: 147_916, known: 1_914_270, explained: 999_579, notComparable: 44_471, pushedOut: 45_108, emptied: 44_451)),
    Day(
      name: "GOOG", depth: 1,
      counts: .init(
        rows: 49_482, known: 57_699, explained: 30_056, notComparable: 11_209, pushedOut: 12_877, emptied: 11_207)),
    Day(
      name: "AAPL", depth: 1,
      counts: .init(
        rows: 118_497, known: 124_798, explained: 82_123, notComparable: 30_073, pushedOut: 34_279, emptied: 30_071)),
  ]

  /// Debug code replays the beginning: the whole takes it minutes.
  static var rowsMax: Int {
    #if DEBUG
      20_000
    #else
      .max
    #endif
  }

  static func levels(_ row: inout TextScanner, depth: Int) -> (asks: [(Int64, Int64)], bids: [(Int64, Int64)]) {
    var sides: [[(Int64, Int64)]] = [[], []]
    for column in 0..<2 * depth {
      let price = row.signed()
      _ = row.endField()
      let lots = row.signed()
      _ = row.endField()
      // A place without a level has the size 0.
      if let price, let lots, lots > 0 { sides[column & 1].append((price * 100_000, lots)) }
    }
    return (sides[0], sides[1])
  }

  @Test(.enabled(if: days.allSatisfy(\.exists), "the shared LOBSTER files are not here"), arguments: days)
  func `every level and row that the messages explain is that of the book file`(day: Day) throws {
    let messages = try #require(try InflatedFile.bytes(day.path("message")))
    let rows = try #require(try InflatedFile.bytes(day.path("orderbook")))
    var feed = LobsterFeed(messages.rawBytes, midnight: Timestamp(nanoseconds: 0), instrument: LobsterReplay.instrument)
    var lines = TextLines(ByteView(rows.span))
    var replay = try LobsterReplay(depth: day.depth)
    while replay.counts.rows < Self.rowsMax, let line = lines.next() {
      guard let event = feed.next() else { break }
      var text = TextScanner(line)
      let row = Self.levels(&text, depth: day.depth)
      replay.step(event, asks: row.asks, bids: row.bids)
    }
    let (counts, first) = (replay.counts, replay.firstDifference)
    #expect(counts.differences == 0, "\(first)")
    let refusals = feed.counters.refusalCount
    #expect(refusals == 0)
    if Self.rowsMax == .max {
      #expect(counts == day.counts)
      let (end, rest) = (feed.next() == nil, lines.next() == nil)
      #expect(end && rest && feed.ending == .end)
    } else {
      #expect(counts.rows == Self.rowsMax && counts.known > counts.notComparable)
    }
    let broken = replay.books.checkInvariants()
    #expect(broken == nil)
  }

  // A planted fault that the comparison must catch: one share less in one line.
  @Test(.enabled(if: days[0].exists, "the shared LOBSTER files are not here"))
  func `one wrong size in the messages is noticed`() throws {
    let messages = try #require(try InflatedFile.bytes(Self.days[0].path("message")))
    let rows = try #require(try InflatedFile.bytes(Self.days[0].path("orderbook")))
    var feed = LobsterFeed(messages.rawBytes, midnight: Timestamp(nanoseconds: 0), instrument: LobsterReplay.instrument)
    var lines = TextLines(ByteView(rows.span))
    var replay = try LobsterReplay(depth: 10)
    while replay.counts.rows < 600, let line = lines.next(), var event = feed.next() {
      if event.sequence == 500 || event.sequence == 501 || event.sequence == 502 { event.quantity.lots += 1 }
      var text = TextScanner(line)
      let row = Self.levels(&text, depth: 10)
      replay.step(event, asks: row.asks, bids: row.bids)
    }
    let found = replay.counts.differences
    #expect(found > 0)
  }

}
