import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

/// `martlet book --summary`: counts over the whole input and every final book, as one JSON object.
struct BookSummary {
  let midSession: Bool
  /// More unknown orders than this among the last `windowCount` messages make the books stale: one in a hundred.
  private static let unknownMax = 100
  private static let windowCount = 10_000

  init(midSession: Bool) { self.midSession = midSession }

  func run(_ bytes: [UInt8], feed: FeedOptions, only symbol: String?, into output: OutputText) throws {
    let reader = try feed.reader(of: bytes)
    var books = try reader.makeBooks(depth: .best)
    var tally = BookTally(window: UnknownWindow(most: midSession ? .max : Self.unknownMax, length: Self.windowCount))
    var previous: MarketEvent?
    let report = try reader.read(feed) { event in
      // One message may be several events: it counts when it is over.
      if let previous, previous.sequence != event.sequence || previous.instrument != event.instrument {
        tally.finish(previous, books)
      }
      tally.add(books.apply(event), at: event.sequence)
      previous = event
    }
    if let previous { tally.finish(previous, books) }
    tally.window.advance(to: report.messages)

    var ids = (0..<reader.instrumentCount).map { InstrumentID(index: UInt32($0)) }
    if let symbol { ids = [try reader.instrument(symbol, in: feed.input)] }
    // A range that never came may have been about any book.
    let isStale = tally.window.isStale || report.gaps > 0
    let staleBooks = ids.count { isStale || books.isStale($0) }

    let types = report.byType.map { "\"\($0.name)\":\($0.count)" }.joined(separator: ",")
    output.write("{\"messages\":\(report.messages),\"by_type\":{\(types)}")
    let counts: [(name: String, count: UInt64)] = [
      ("unknown_orders", tally.unknownOrders), ("duplicate_orders", books.eventCount(.duplicateOrder)),
      ("crossed", tally.crossed), ("stale", UInt64(staleBooks)), ("symbols", UInt64(ids.count)),
      ("live_orders", UInt64(books.liveOrderCount)), ("max_live_orders", UInt64(books.liveOrderCountMax)),
      ("gaps", report.gaps), ("duplicates", report.duplicates), ("locked", tally.locked),
      ("truncated_bytes", UInt64(report.truncatedBytes)), ("refused", report.refused),
      ("best_changes", tally.bestChanges),
    ]
    for (name, count) in counts { output.write(",\"\(name)\":\(count)") }
    output.write(",")
    if feed.feed == .league {
      var hash = SHA256()
      hash.combine(bytes)
      output.write("\"sha256\":\"\(hash.hex)\",")
    }
    output.write("\"final\":{")
    var isFirst = true
    for id in ids {
      guard let name = reader.symbol(of: id) else { continue }
      output.write("\(isFirst ? "" : ",")\n\"\(jsonEscaped(name))\":{")
      writeSide("bid", .buy, id, books, decimals: reader.decimals, into: output)
      output.write(",")
      writeSide("ask", .sell, id, books, decimals: reader.decimals, into: output)
      output.write("}")
      isFirst = false
    }
    output.write("}}\n")
  }

  private func writeSide(
    _ name: String, _ side: Side, _ id: InstrumentID, _ books: borrowing OrderBookSet, decimals: Int,
    into output: OutputText
  ) {
    guard let best = books.bestLevel(of: id, side: side) else {
      output.write("\"\(name)\":null")
      return
    }
    output.write("\"\(name)\":{\"price\":\"")
    output.write(nanos: best.price.nanos, places: decimals)
    let first = books.firstOrder(of: best)?.quantity.lots ?? 0
    output.write(
      "\",\"size\":\(best.quantity.lots),\"count\":\(best.orderCount),\"first_order_size\":\(first),"
        + "\"levels\":\(books.levelCount(of: id, side: side))}")
  }
}

/// What happened message by message.
private struct BookTally {
  var crossed: UInt64 = 0
  var locked: UInt64 = 0
  var unknownOrders: UInt64 = 0
  var bestChanges: UInt64 = 0
  var window: UnknownWindow
  private var hasChanged = false
  private var isTouched = false

  init(window: UnknownWindow) { self.window = window }

  /// Counts what one event of message `sequence` did.
  mutating func add(_ effect: BookEffect, at sequence: UInt64) {
    // An order of a stock that nothing has named yet is as unknown as one of a known stock.
    if effect.status == .unknownOrder || effect.status == .unknownInstrument {
      unknownOrders += 1
      window.mark(sequence)
    } else {
      window.advance(to: sequence)
    }
    hasChanged = hasChanged || effect.bestChanged
    isTouched = isTouched || effect.status.changedBook
  }

  /// Counts the message that `event` was the last of.
  mutating func finish(_ event: MarketEvent, _ books: borrowing OrderBookSet) {
    // The first message of all has nothing before it to differ from.
    if hasChanged, event.sequence > 1 { bestChanges += 1 }
    if isTouched {
      let view = books[depth: event.instrument]
      if view.isCrossed { crossed += 1 }
      if view.bidCount > 0, view.askCount > 0, view.bids[0].price == view.asks[0].price { locked += 1 }
    }
    hasChanged = false
    isTouched = false
  }
}

/// Unknown orders among the last messages: too many make the books stale.
private struct UnknownWindow {
  let most: Int
  private var marks: [Bool]
  private var count = 0
  private var sequence: UInt64 = 0
  private(set) var isStale = false

  init(most: Int, length: Int) {
    self.most = most
    marks = [Bool](repeating: false, count: length)
  }

  /// Messages up to `target` have come.
  mutating func advance(to target: UInt64) {
    while sequence < target {
      sequence += 1
      let place = Int(sequence % UInt64(marks.count))
      if marks[place] { count -= 1 }
      marks[place] = false
    }
  }

  /// Message `target` is about an unknown order.
  mutating func mark(_ target: UInt64) {
    advance(to: target)
    let place = Int(target % UInt64(marks.count))
    if !marks[place] { count += 1 }
    marks[place] = true
    if count > most { isStale = true }
  }
}
