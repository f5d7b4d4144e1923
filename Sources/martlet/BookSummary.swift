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
    var state = try DiscoveredBooks(byteCount: bytes.count, midnight: try feed.midnight())
    var messages: UInt64 = 0
    var crossed = 0
    var locked = 0
    var bestChanges = 0
    var isUnknown = [Bool](repeating: false, count: Self.windowCount)
    var unknownInWindow = 0
    var isStale = false
    var frames = ItchFrames(bytes.rawBytes)
    while let message = frames.next() {
      messages += 1
      let outcome = state.decoder.decode(message, sequence: messages)
      var unknown = false
      if let event = outcome.event {
        let effect = state.books.apply(event)
        unknown = effect.status == .unknownOrder
        if effect.bestChanged { bestChanges += 1 }
        if effect.status.changedBook {
          let view = state.books[depth: event.instrument]
          if view.isCrossed { crossed += 1 }
          if view.bidCount > 0, view.askCount > 0, view.bids[0].price == view.asks[0].price { locked += 1 }
        }
      }
      let place = Int((messages - 1) % UInt64(Self.windowCount))
      unknownInWindow += (unknown ? 1 : 0) - (isUnknown[place] ? 1 : 0)
      isUnknown[place] = unknown
      if unknownInWindow > Self.unknownMax, !midSession { isStale = true }
    }
    try feed.judge(frames.ending, messages: messages)
    var truncated = 0
    if case .truncated(_, let count) = frames.ending { truncated = count }

    var ids = (0..<state.decoder.map.count).map { InstrumentID(index: UInt32($0)) }
    if let symbol { ids = [try state.instrument(symbol, in: feed.input)] }
    var staleBooks = 0
    for id in ids where isStale || state.books.isStale(id) { staleBooks += 1 }

    output.write("{\"messages\":\(messages),\"by_type\":{")
    var isFirst = true
    for type in 0..<256 where state.decoder.counters.byType[type] > 0 {
      output.write(
        "\(isFirst ? "" : ",")\"\(Character(Unicode.Scalar(UInt8(type))))\":\(state.decoder.counters.byType[type])")
      isFirst = false
    }
    output.write(
      "},\"unknown_orders\":\(state.books.eventCount(.unknownOrder)),\"duplicate_orders\":\(state.books.eventCount(.duplicateOrder)),"
        + "\"crossed\":\(crossed),\"stale\":\(staleBooks),\"symbols\":\(ids.count),\"live_orders\":\(state.books.liveOrderCount),"
        + "\"max_live_orders\":\(state.books.liveOrderCountMax),\"gaps\":0,\"duplicates\":0,\"locked\":\(locked),"
        + "\"truncated_bytes\":\(truncated),\"refused\":\(state.decoder.counters.refusalCount),"
        + "\"best_changes\":\(bestChanges),\"final\":{")
    isFirst = true
    for id in ids {
      guard let name = state.decoder.map.symbol(of: id) else { continue }
      output.write("\(isFirst ? "" : ",")\n\"\(jsonEscaped(name.description))\":{")
      writeSide("bid", .buy, id, state.books, into: output)
      output.write(",")
      writeSide("ask", .sell, id, state.books, into: output)
      output.write("}")
      isFirst = false
    }
    output.write("}}\n")
  }

  private func writeSide(
    _ name: String, _ side: Side, _ id: InstrumentID, _ books: borrowing OrderBookSet, into output: OutputText
  ) {
    guard let best = books.bestLevel(of: id, side: side) else {
      output.write("\"\(name)\":null")
      return
    }
    output.write("\"\(name)\":{\"price\":\"")
    output.write(nanos: best.price.nanos, places: 4)
    let first = books.firstOrder(of: best)?.quantity.lots ?? 0
    output.write(
      "\",\"size\":\(best.quantity.lots),\"count\":\(best.orderCount),\"first_order_size\":\(first),"
        + "\"levels\":\(books.levelCount(of: id, side: side))}")
  }
}
