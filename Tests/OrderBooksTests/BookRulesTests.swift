import LockFreeRings
import OrderBooks
import TestSupport
import Testing
import TradingTypes

private let id = InstrumentID(index: 0)

private func event(
  _ kind: MarketEventKind, _ reference: UInt64 = 0, _ side: Side = .buy, cents: Int64 = 0, lots: Int64 = 0,
  new: UInt64 = 0, instrument: InstrumentID = id
) -> MarketEvent {
  MarketEvent(
    kind: kind, time: Timestamp(nanoseconds: 0), instrument: instrument, reference: OrderReference(value: reference),
    newReference: OrderReference(value: new), side: side, price: Price(nanos: cents * cent.nanos),
    quantity: Quantity(lots: lots), flags: .hasSide)
}

/// One small book, with short answers.
private struct Book: ~Copyable {
  var books: OrderBookSet

  init(orders: Int = 64, levels: Int? = nil) throws {
    books = try makeBooks(BookCapacity(instruments: 2, orders: orders, levels: levels, windowTicks: 64))
  }

  mutating func add(_ reference: UInt64, _ side: Side = .buy, cents: Int64, _ lots: Int64) -> BookEffect {
    books.apply(event(.addOrder, reference, side, cents: cents, lots: lots))
  }
  mutating func apply(_ event: MarketEvent) -> BookEffect { books.apply(event) }
  func queue(_ side: Side = .buy) -> [UInt64] { books.queue(of: id, side: side).map(\.reference) }
  func bid() -> DepthLevel { books.bestBid(of: id) }
  func fault() -> String? { books.checkInvariants() }
}

private func level(_ cents: Int64, _ lots: Int64) -> DepthLevel {
  DepthLevel(price: Price(nanos: cents * cent.nanos), quantity: Quantity(lots: lots))
}

private func isSame(
  _ effect: BookEffect, _ status: BookStatus, cents: Int64, _ lots: Int64, best: Bool, depth: Bool, _ side: Side = .buy
) -> Bool {
  effect.status == status && effect.price.nanos == cents * cent.nanos && effect.quantity.lots == lots
    && effect.bestChanged == best && effect.depthChanged == depth && effect.side == side
}

// Goal: each rule of the books has a case a person can check. Method: a few events by hand, the answer written down. The first seven are the
// faults most often found in public order books.
@Suite struct BookRulesTests {
  @Test func `the best moves on when its level empties`() throws {
    var book = try Book()
    _ = book.add(1, cents: 1_000, 10)
    _ = book.add(2, cents: 998, 20)
    let effect = book.apply(event(.executeOrder, 1, lots: 10))
    let (bid, fault) = (book.bid(), book.fault())
    #expect(isSame(effect, .applied, cents: 1_000, 10, best: true, depth: true))
    #expect(bid == level(998, 20))
    #expect(fault == nil)
    _ = book.apply(event(.deleteOrder, 2))
    let (none, count) = (book.bid(), book.books[depth: id].bidCount)
    #expect(none == .empty)
    #expect(count == 0)
  }

  @Test func `a cancel in the middle keeps the order of the queue`() throws {
    var book = try Book()
    for reference in 1...5 as ClosedRange<UInt64> { _ = book.add(reference, cents: 1_000, 10) }
    _ = book.apply(event(.deleteOrder, 2))
    _ = book.apply(event(.deleteOrder, 1))
    _ = book.add(6, cents: 1_000, 10)
    let (queue, fault) = (book.queue(), book.fault())
    #expect(queue == [3, 4, 5, 6])
    #expect(fault == nil)
  }

  @Test func `a duplicate of a live id is refused and the id can be used again later`() throws {
    var book = try Book()
    _ = book.add(7, cents: 1_000, 10)
    let twice = book.add(7, .sell, cents: 1_010, 99)
    let (queue, asks, stale) = (book.queue(), book.queue(.sell), book.books.isStale(id))
    #expect(isSame(twice, .duplicateOrder, cents: 1_010, 99, best: false, depth: false, .sell))
    #expect(queue == [7] && asks == [])
    #expect(stale)
    _ = book.apply(event(.deleteOrder, 7))
    let again = book.add(7, .sell, cents: 1_010, 99)
    #expect(again.status == .applied)
  }

  @Test func `ids may wrap and may be any 64 bits`() throws {
    var book = try Book()
    let references: [UInt64] = [.max - 1, .max, 0, 1, 1 << 62, 1 << 62 + 128, 1 << 63, 127, 128]
    for reference in references { _ = book.add(reference, cents: 1_000, 10) }
    let (queue, fault) = (book.queue(), book.fault())
    #expect(queue == references)
    #expect(fault == nil)
    for reference in references {
      let effect = book.apply(event(.deleteOrder, reference))
      #expect(effect.status == .applied, "\(reference)")
    }
    let (live, empty) = (book.books.liveOrderCount, book.fault())
    #expect(live == 0 && empty == nil)
  }

  @Test func `an execution trades at the resting price`() throws {
    var book = try Book()
    _ = book.add(1, .sell, cents: 1_010, 10)
    var execution = event(.executeOrder, 1, cents: 1_020, lots: 4)
    var effect = book.apply(execution)
    let print = TradePrint(execution, effect: effect)
    #expect(isSame(effect, .applied, cents: 1_010, 4, best: true, depth: true, .sell))
    #expect(print?.price == Price(nanos: 1_010 * cent.nanos) && print?.quantity.lots == 4 && print?.sign == 1)
    // At another price the trade prints there; the book still loses lots where they rested.
    execution.kind = .executeOrderAtPrice
    execution.flags = .printable
    effect = book.apply(execution)
    #expect(isSame(effect, .applied, cents: 1_010, 4, best: true, depth: true, .sell))
    #expect(TradePrint(execution, effect: effect)?.price == Price(nanos: 1_020 * cent.nanos))
  }

  @Test func `a partial cancel keeps its place in the queue`() throws {
    var book = try Book()
    _ = book.add(1, cents: 1_000, 10)
    _ = book.add(2, cents: 1_000, 10)
    let effect = book.apply(event(.reduceOrder, 1, lots: 4))
    let (queue, position) = (book.queue(), book.books.queuePosition(of: OrderReference(value: 2)))
    #expect(isSame(effect, .applied, cents: 1_000, 4, best: true, depth: true))
    #expect(queue == [1, 2])
    #expect(position == QueuePosition(ordersAhead: 1, quantityAhead: Quantity(lots: 6)))
  }

  @Test func `a replace goes to the back, even at its own price and size`() throws {
    var book = try Book()
    _ = book.add(1, cents: 1_000, 10)
    _ = book.add(2, cents: 1_000, 20)
    let effect = book.apply(event(.replaceOrder, 1, cents: 1_000, lots: 10, new: 3))
    let queue = book.queue()
    #expect(isSame(effect, .applied, cents: 1_000, 10, best: false, depth: false))
    #expect(queue == [2, 3])
    let sameName = book.apply(event(.replaceOrder, 2, .sell, cents: 1_001, lots: 5, new: 2))
    let (side, bid) = (book.books.order(OrderReference(value: 2))?.side, book.bid())
    #expect(isSame(sameName, .applied, cents: 1_000, 20, best: true, depth: true))
    #expect(side == .buy && bid == level(1_001, 5))
  }

  @Test func `a replace with a live new id or a bad size leaves without the new order and says so`() throws {
    var book = try Book()
    for reference in 1...3 as ClosedRange<UInt64> { _ = book.add(reference, cents: 1_000, 10) }
    let duplicate = book.apply(event(.replaceOrder, 1, cents: 1_001, lots: 5, new: 2))
    let invalid = book.apply(event(.replaceOrder, 3, cents: 1_001, lots: 0, new: 9))
    let (queue, broken, stale) = (book.queue(), book.books.brokenReplaceCount, book.books.isStale(id))
    #expect(isSame(duplicate, .duplicateOrder, cents: 1_000, 10, best: true, depth: true))
    #expect(isSame(invalid, .invalid, cents: 1_000, 10, best: true, depth: true))
    #expect(queue == [2] && broken == 2 && stale)
  }

  @Test func `a modify keeps its place unless price changes or size grows`() throws {
    var book = try Book()
    for reference in 1...3 as ClosedRange<UInt64> { _ = book.add(reference, cents: 1_000, 10) }
    let smaller = book.apply(event(.modifyOrder, 1, cents: 1_000, lots: 4))
    let first = book.queue()
    let larger = book.apply(event(.modifyOrder, 1, cents: 1_000, lots: 14))
    let second = book.queue()
    let moved = book.apply(event(.modifyOrder, 2, cents: 1_001, lots: 10))
    let third = book.queue()
    #expect(isSame(smaller, .applied, cents: 1_000, 6, best: true, depth: true))
    #expect(isSame(larger, .applied, cents: 1_000, 10, best: true, depth: true))
    #expect(isSame(moved, .applied, cents: 1_000, 10, best: true, depth: true))
    #expect(first == [1, 2, 3] && second == [2, 3, 1] && third == [2, 3, 1])
  }

  @Test func `taking more than rests removes the order and makes the book stale`() throws {
    var book = try Book()
    _ = book.add(1, cents: 1_000, 10)
    let effect = book.apply(event(.executeOrder, 1, lots: 11))
    let (live, stale, other) = (
      book.books.liveOrderCount, book.books.isStale(id), book.books.isStale(InstrumentID(index: 1))
    )
    #expect(isSame(effect, .overfill, cents: 1_000, 10, best: true, depth: true))
    #expect(live == 0 && stale && !other)
    book.books.clearStale(id)
    let trusted = !book.books.isStale(id)
    #expect(trusted)
  }

  @Test func `aggregated levels are set, resized and removed`() throws {
    var book = try Book()
    let set = book.apply(event(.setLevel, 0, .sell, cents: 1_010, lots: 50))
    let smaller = book.apply(event(.setLevel, 0, .sell, cents: 1_010, lots: 30))
    let same = book.apply(event(.setLevel, 0, .sell, cents: 1_010, lots: 30))
    let add = book.add(1, .sell, cents: 1_010, 10)
    let gone = book.apply(event(.setLevel, 0, .sell, cents: 1_010, lots: 0))
    let absent = book.apply(event(.setLevel, 0, .sell, cents: 1_010, lots: 0))
    _ = book.add(1, .sell, cents: 1_010, 10)
    let onOrders = book.apply(event(.setLevel, 0, .sell, cents: 1_010, lots: 0))
    #expect(isSame(set, .applied, cents: 1_010, 50, best: true, depth: true, .sell))
    #expect(isSame(smaller, .applied, cents: 1_010, 20, best: true, depth: true, .sell))
    #expect(isSame(same, .applied, cents: 1_010, 0, best: false, depth: false, .sell))
    #expect(add.status == .invalid)
    #expect(isSame(gone, .applied, cents: 1_010, 30, best: true, depth: true, .sell))
    #expect(isSame(absent, .applied, cents: 1_010, 0, best: false, depth: false, .sell))
    #expect(onOrders.status == .invalid)
  }

  @Test func `an eleventh level comes into view when one of ten leaves, and is named by no flag before`() throws {
    var book = try Book()
    for rank in 0..<11 as Range<Int64> {
      let effect = book.add(UInt64(rank + 1), .sell, cents: 1_000 + rank * 3, rank + 1)
      #expect(effect.bestChanged == (rank == 0))
      #expect(effect.depthChanged == (rank < 10))
    }
    let effect = book.apply(event(.deleteOrder, 5))
    let (last, count) = (book.books[depth: id].asks[9], book.books[depth: id].askCount)
    #expect(!effect.bestChanged && effect.depthChanged)
    #expect(last == level(1_030, 11) && count == 10)
  }

  @Test func `prices at both ends and between the ticks stand in order`() throws {
    var book = try Book()
    let cents: [Int64] = [1_000, 1, 19_999_999, 1_001, 640, 5_000]
    for (place, price) in cents.enumerated() { _ = book.add(UInt64(place + 1), cents: price, 1) }
    var between = event(.addOrder, 99, .buy, lots: 1)
    between.price = Price(nanos: 1_000 * cent.nanos + 100_000)
    _ = book.apply(between)
    let (queue, fault) = (book.queue(), book.fault())
    #expect(queue == [3, 6, 4, 99, 1, 5, 2])
    #expect(fault == nil)
  }

  @Test func `full pools refuse, mark stale and recover`() throws {
    var book = try Book(orders: 2, levels: 64)
    _ = book.add(1, cents: 1_000, 1)
    _ = book.add(2, cents: 1_001, 1)
    let third = book.add(3, cents: 1_002, 1)
    _ = book.apply(event(.deleteOrder, 1))
    let fourth = book.add(4, cents: 1_003, 1)
    let (stale, queue, count) = (book.books.isStale(id), book.queue(), book.books.eventCount(.poolExhausted))
    #expect(isSame(third, .poolExhausted, cents: 1_002, 1, best: false, depth: false))
    #expect(fourth.status == .applied && stale && queue == [4, 2] && count == 1)
  }

  @Test func `an order is found only under its own instrument`() throws {
    var book = try Book()
    _ = book.add(1, cents: 1_000, 10)
    let other = book.apply(event(.deleteOrder, 1, instrument: InstrumentID(index: 1)))
    let outside = book.apply(event(.deleteOrder, 9, instrument: InstrumentID(index: 2)))
    let none = book.apply(event(.deleteOrder, 1, instrument: .none))
    #expect(other.status == .unknownOrder && outside.status == .unknownInstrument)
    #expect(none.status == .unknownInstrument && book.queue() == [1])
  }

  @Test func `churn a thousand times the live orders keeps to the memory of the live orders`() throws {
    // 64 orders live at once, 64,000 references pass; two of them stay for ever.
    var book = try Book(orders: 64)
    _ = book.add(1, cents: 900, 1)
    _ = book.add(1 << 63, cents: 901, 1)
    for reference in 1_000..<65_000 as Range<UInt64> {
      if reference >= 1_060 { _ = book.apply(event(.deleteOrder, reference - 60)) }
      let effect = book.add(reference, cents: 1_000 + Int64(reference % 7), 1)
      #expect(effect.status == .applied, "\(reference)")
    }
    let (live, most, sparse, fault) = (
      book.books.liveOrderCount, book.books.liveOrderCountMax, book.books.sparseOrderCount, book.fault()
    )
    #expect(live == 62 && most == 62 && fault == nil)
    #expect(sparse == 1)
  }

  @Test func `nonsense capacities are refused`() {
    #expect(throws: ConfigurationError.self) { try BookCapacity(instruments: 0) }
    #expect(throws: ConfigurationError.self) { try BookCapacity(instruments: 1, orders: 0) }
    #expect(throws: ConfigurationError.self) { try BookCapacity(instruments: 1, orders: 1 << 40) }
    #expect(throws: ConfigurationError.self) { try BookCapacity(instruments: 1, pages: 0) }
    #expect(throws: ConfigurationError.self) { try BookCapacity(instruments: 1, levels: 0) }
    #expect(throws: ConfigurationError.self) { try BookCapacity(instruments: 1, windowTicks: 500) }
    #expect(throws: ConfigurationError.self) { try BookCapacity(instruments: 1, windowTicks: 32) }
    #expect(throws: ConfigurationError.self) {
      let capacity = try BookCapacity(instruments: 1, orders: 64)
      _ = try OrderBookSet(
        capacity: capacity, feedIncrement: Price(nanos: 3), tick: cent, in: Arena(capacityBytes: capacity.arenaBytes))
    }
  }

  @Test func `the planned arena is enough`() throws {
    let capacity = try BookCapacity(instruments: 5, orders: 777, pages: 65, sparseOrders: 33, levels: 91)
    let arena = Arena(capacityBytes: capacity.arenaBytes)
    let books = try OrderBookSet(capacity: capacity, feedIncrement: itchIncrement, tick: cent, in: arena)
    let count = books.count
    #expect(count == 5)
    #expect(arena.usedBytes <= capacity.arenaBytes && arena.usedBytes > capacity.arenaBytes - 4_096)
  }
}
