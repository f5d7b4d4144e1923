public import TradingTypes

/// A set of books that can be held against the slow twin.
public protocol BookUnderTest: ~Copyable {
  /// Applies an event.
  mutating func apply(_ event: borrowing MarketEvent) -> BookEffect
  /// The ten best levels.
  func depth(of id: InstrumentID) -> DepthView
  /// Best levels with their order counts, at most `count`.
  func summaries(of id: InstrumentID, side: Side, count: Int) -> [ReferenceBook.Summary]
  /// All orders of a side in priority order.
  func queue(of id: InstrumentID, side: Side) -> [ReferenceBook.Entry]
  /// Whether the book may differ from the venue's.
  func isStale(_ id: InstrumentID) -> Bool
  /// Orders that rest.
  var liveOrderCount: Int { get }
  /// What is wrong inside, if anything.
  func checkInvariants() -> String?
}

/// Runs books and their slow twin over the same messages.
public struct ReferenceBookComparison {
  /// Differences found; the run stops at ten.
  public private(set) var differences: [String] = []
  /// Messages compared.
  public private(set) var messages = 0
  let seed: UInt64

  /// Compares `messages` messages of `source`.
  ///
  /// Effects are compared after each message, the ten levels with their order counts after every `depthEvery`th, all queues and the
  /// invariants after every `queuesEvery`th and at the end.
  public init<Book: BookUnderTest & ~Copyable>(
    _ book: inout Book, _ twin: inout ReferenceBook, _ source: inout ReferenceBookMessages, messages: Int,
    seed: UInt64, depthEvery: Int = 1, queuesEvery: Int = 20_000
  ) {
    self.seed = seed
    for number in 1...max(messages, 1) {
      let event = source.next()
      let found = book.apply(event)
      let expected = twin.apply(event)
      self.messages = number
      if !Self.isSame(found, expected) { report("\(event): \(found), expected \(expected)") }
      if event.instrument.index < UInt32(twin.instruments), number % depthEvery == 0 {
        compareDepth(book, twin, event.instrument)
      }
      if number % queuesEvery == 0 || number == messages { compareQueues(book, twin) }
      if differences.count >= 10 { return }
    }
  }

  mutating func report(_ text: String) { differences.append("seed \(seed), message \(messages): \(text)") }

  static func isSame(_ one: BookEffect, _ other: BookEffect) -> Bool {
    one.status == other.status && one.bestChanged == other.bestChanged && one.depthChanged == other.depthChanged
      && one.side == other.side && one.price == other.price && one.quantity == other.quantity
  }

  mutating func compareDepth<Book: BookUnderTest & ~Copyable>(
    _ book: borrowing Book, _ twin: borrowing ReferenceBook, _ id: InstrumentID
  ) {
    let found = book.depth(of: id)
    let expected = twin.depth(of: id)
    if found.bidCount != expected.bidCount || found.askCount != expected.askCount {
      report("book \(id.index) shows \(found.bidCount) and \(found.askCount) levels")
    }
    for rank in 0..<10 {
      if found.bids[rank] != expected.bids[rank] || found.asks[rank] != expected.asks[rank] {
        report("book \(id.index) rank \(rank): \(found.bids[rank]) \(found.asks[rank])")
      }
    }
    for side in Side.allCases {
      for (rank, summary) in book.summaries(of: id, side: side, count: 10).enumerated()
      where summary != twin.summary(of: id, side: side, rank: rank) {
        report("book \(id.index) \(side) rank \(rank): \(summary)")
      }
    }
  }

  mutating func compareQueues<Book: BookUnderTest & ~Copyable>(
    _ book: borrowing Book, _ twin: borrowing ReferenceBook
  ) {
    for index in 0..<UInt32(twin.instruments) {
      let id = InstrumentID(index: index)
      for side in Side.allCases where book.queue(of: id, side: side) != twin.queue(of: id, side: side) {
        report("queues of book \(index) \(side)")
      }
      if book.isStale(id) != twin.isStale(id) { report("book \(index) stale: \(book.isStale(id))") }
    }
    if book.liveOrderCount != twin.liveOrderCount { report("\(book.liveOrderCount) orders") }
    if let fault = book.checkInvariants() { report(fault) }
  }
}
