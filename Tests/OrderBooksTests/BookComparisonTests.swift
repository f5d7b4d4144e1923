import OrderBooks
import TestSupport
import Testing
import TradingTypes

/// Books with one planted fault: every thousandth delete is swallowed but reported as done.
private struct FaultyBooks: BookUnderTest, ~Copyable {
  var books: OrderBookSet
  var deletes = 0

  init(_ capacity: BookCapacity) throws { books = try makeBooks(capacity) }

  mutating func apply(_ event: borrowing MarketEvent) -> BookEffect {
    if event.kind == .deleteOrder, let order = books.order(event.reference) {
      deletes += 1
      if deletes % 1_000 == 0 {
        return BookEffect(.applied, side: order.side, price: order.price, quantity: order.quantity)
      }
    }
    return books.apply(event)
  }
  func depth(of id: InstrumentID) -> DepthView { books.depth(of: id) }
  func summaries(of id: InstrumentID, side: Side, count: Int) -> [ReferenceBook.Summary] {
    books.summaries(of: id, side: side, count: count)
  }
  func queue(of id: InstrumentID, side: Side) -> [ReferenceBook.Entry] { books.queue(of: id, side: side) }
  func isStale(_ id: InstrumentID) -> Bool { books.isStale(id) }
  var liveOrderCount: Int { books.liveOrderCount }
  func checkInvariants() -> String? { books.checkInvariants() }
}

// Goal: the fast books are exact. Method: run them and the slow twin over the same seeded messages, good and bad, and compare.
@Suite struct BookComparisonTests {
  func differences(
    _ options: ReferenceBookMessages.Options, _ capacity: BookCapacity, messages: Int, seed: UInt64,
    depthEvery: Int = 1
  ) throws -> [String] {
    var books = try makeBooks(capacity)
    var twin = makeTwin(capacity)
    var source = ReferenceBookMessages(options, seed: seed)
    return ReferenceBookComparison(
      &books, &twin, &source, messages: messages, seed: seed, depthEvery: depthEvery, queuesEvery: messages / 8
    ).differences
  }

  @Test func `200,000 messages over 8,192 live orders equal the twin`() throws {
    let capacity = try BookCapacity(instruments: 9, orders: 16_384)
    let found = try differences(.init(), capacity, messages: 200_000, seed: 42, depthEvery: 4)
    #expect(found == [])
  }

  @Test(arguments: ReferenceBookMessages.References.allCases, [1, 7] as [UInt64])
  func `any pattern of references equals the twin`(references: ReferenceBookMessages.References, seed: UInt64) throws {
    var options = ReferenceBookMessages.Options()
    options.instruments = 3
    options.live = 400
    options.references = references
    options.jumpEvery = 500
    let capacity = try BookCapacity(instruments: 4, orders: 1_024, pages: 16, windowTicks: 64)
    let found = try differences(options, capacity, messages: 12_000, seed: seed)
    #expect(found == [])
  }

  @Test(arguments: Seeds.brief)
  func `prices off the grid and outside the window equal the twin`(seed: UInt64) throws {
    var options = ReferenceBookMessages.Options()
    options.instruments = 2
    options.live = 300
    options.offGrid = 300
    options.outliers = 100
    options.deep = 300
    options.jumpEvery = 300
    let capacity = try BookCapacity(instruments: 3, orders: 512, windowTicks: 128)
    let found = try differences(options, capacity, messages: 8_000, seed: seed)
    #expect(found == [])
  }

  @Test(arguments: Seeds.brief)
  func `full pools answer as the twin does`(seed: UInt64) throws {
    var options = ReferenceBookMessages.Options()
    options.instruments = 2
    options.live = 260
    options.references = seed % 2 == 0 ? .random : .consecutive
    let capacity = try BookCapacity(instruments: 3, orders: 200, pages: 2, levels: 70, windowTicks: 64)
    let found = try differences(options, capacity, messages: 8_000, seed: seed)
    #expect(found == [])
  }

  @Test(arguments: Seeds.brief)
  func `pages emptied of old orders equal the twin`(seed: UInt64) throws {
    var options = ReferenceBookMessages.Options()
    options.instruments = 2
    options.live = 300
    options.young = 700
    options.references = seed % 2 == 0 ? .mixed : .consecutive
    let capacity = try BookCapacity(instruments: 3, orders: 1_024, pages: 6, windowTicks: 64)
    var books = try makeBooks(capacity)
    var twin = makeTwin(capacity)
    var source = ReferenceBookMessages(options, seed: seed)
    let comparison = ReferenceBookComparison(
      &books, &twin, &source, messages: 10_000, seed: seed, depthEvery: 8, queuesEvery: 2_500)
    let evacuations = books.pageEvacuationCount
    #expect(comparison.differences == [])
    #expect(evacuations > 4)
  }

  @Test func `a planted fault is found`() throws {
    let capacity = try BookCapacity(instruments: 9, orders: 16_384)
    var books = try FaultyBooks(capacity)
    var twin = makeTwin(capacity)
    var options = ReferenceBookMessages.Options()
    options.live = 1_000
    var source = ReferenceBookMessages(options, seed: 5)
    let comparison = ReferenceBookComparison(&books, &twin, &source, messages: 20_000, seed: 5, queuesEvery: 5_000)
    #expect(!comparison.differences.isEmpty)
    #expect(comparison.messages < 20_000)
  }
}
