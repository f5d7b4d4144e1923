import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

/// What a feed gave, to be asked in tests.
struct DbnRun {
  var events: [MarketEvent] = []
  var counters = FeedCounters()
  var ending = DbnFeed.Ending.unread
  var suspectCount: UInt64 = 0
  var symbols: [String?] = []
  var publishers: [UInt16?] = []

  /// Reads all of `bytes`; `body` sees each event.
  init(
    _ bytes: [UInt8], capacity: Int = 16, venue: UInt16 = 0, _ body: (MarketEvent) -> Void = { _ in }
  ) throws(ConfigurationError) {
    let arena = Arena(capacityBytes: DbnInstruments.byteCount(capacity: capacity))
    var feed = try DbnFeed(bytes.rawBytes, instruments: capacity, venue: VenueID(index: venue), in: arena)
    while let event = feed.next() {
      body(event)
      events.append(event)
    }
    counters = feed.counters
    ending = feed.ending
    suspectCount = feed.suspectCount
    for index in 0..<feed.instruments.count {
      symbols.append(feed.symbol(of: InstrumentID(index: UInt32(index)))?.description)
      publishers.append(feed.instruments.publisher(of: InstrumentID(index: UInt32(index))))
    }
  }

  /// All fields; a side that means nothing is a buy.
  var rows: [[Int64]] {
    events.map { event in
      var event = event
      if !event.flags.contains(.hasSide) { event.side = .buy }
      return fields(event)
    }
  }

  var types: [UInt8: UInt64] {
    Dictionary(
      uniqueKeysWithValues: (0..<256).compactMap { type in
        counters.byType[type] == 0 ? nil : (UInt8(type), counters.byType[type])
      })
  }

  var refusals: [FeedRefusal: UInt64] {
    Dictionary(
      uniqueKeysWithValues: FeedRefusal.allCases.compactMap { refusal in
        counters.refusals(refusal) == 0 ? nil : (refusal, counters.refusals(refusal))
      })
  }

  /// What differs from the slow twin, or nil.
  func difference(from twin: DbnTwin) -> String? {
    let rows = rows
    for (index, pair) in zip(rows, twin.events).enumerated() where pair.0 != pair.1 {
      return "event \(index): \(pair.0), expected \(pair.1)"
    }
    if rows.count != twin.events.count { return "\(rows.count) events, expected \(twin.events.count)" }
    if types != twin.types { return "types \(types), expected \(twin.types)" }
    if refusals != twin.refusals { return "refusals \(refusals), expected \(twin.refusals)" }
    if ending != twin.ending { return "ending \(ending), expected \(twin.ending)" }
    return nil
  }
}

/// Empty books for `instruments`.
func dbnBooks(instruments: Int, orders: Int = 4_096, levels: Int? = nil) throws -> OrderBookSet {
  let capacity = try BookCapacity(instruments: instruments, orders: orders, levels: levels)
  return try OrderBookSet(
    capacity: capacity, feedIncrement: Price(nanos: 250_000_000), tick: Price(nanos: 250_000_000),
    in: Arena(capacityBytes: capacity.arenaBytes + (1 << 20)))
}
