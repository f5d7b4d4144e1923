// Goal: the league stream's records become the events they mean. Method: the slow twin, record by record; damaged records against the rules of
// the format. That the stream is the one other engines are given, and that its final book is theirs, is a proof: `proof league`.

import CAllocationCounter
import FixtureStreams
import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingTypes

@Suite struct LeagueFeedTests {
  static let instrument = InstrumentID(index: 0)

  static func books() throws -> OrderBookSet {
    let capacity = try BookCapacity(instruments: 1, orders: 4_096)
    return try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 10_000_000), tick: Price(nanos: 10_000_000),
      in: Arena(capacityBytes: capacity.arenaBytes + (1 << 20)))
  }

  @Test(arguments: Seeds.brief.prefix(2))
  func `the books of the stream are those of the slow twin, and it never crosses`(seed: UInt64) throws {
    let bytes = LeagueStream.packed(seed: seed, messages: 6_000)
    var stream = LeagueStream(seed: seed, messages: 6_000)
    var books = try Self.books()
    var twin = ReferenceBook(
      instruments: 1, ordersMax: 4_096, levelsMax: 1_024, quantityMax: Quantity(lots: 1 << 40),
      priceMax: BookCapacity.priceMax)
    var feed = LeagueFeed(bytes.rawBytes, instrument: Self.instrument)
    var failures: [String] = []
    while let event = feed.next() {
      let record = stream.next()
      let (found, expected) = (books.apply(event), twin.apply(event))
      if "\(found)" != "\(expected)" || found.status != .applied {
        failures.append("message \(event.sequence): \(found)")
      }
      if record.map({ UInt64($0.order) }) != event.reference.value { failures.append("order \(event.reference)") }
      if books[depth: Self.instrument].isCrossed { failures.append("message \(event.sequence): crossed") }
    }
    #expect(failures.isEmpty, "\(failures.prefix(3))")
    let count = feed.counters.messages
    #expect(count == 6_000 && stream.next() == nil)
    for side in Side.allCases {
      var queue: [UInt64] = []
      books.orders(of: Self.instrument, side: side) { queue.append($0.reference.value) }
      let expected = twin.queue(of: Self.instrument, side: side).map(\.reference)
      #expect(queue == expected)
    }
  }

  @Test func `damaged records are counted and left out, and an incomplete one is told`() {
    let good = LeagueStream.packed(messages: 6)
    func read(_ change: (inout [UInt8]) -> Void) -> (events: Int, counters: FeedCounters, rest: Int) {
      var bytes = good
      change(&bytes)
      var feed = LeagueFeed(bytes.rawBytes, instrument: Self.instrument)
      var events = 0
      while let event = feed.next() {
        events += 1
        #expect(event.quantity.lots > 0 && event.price > .zero)
      }
      return (events, feed.counters, feed.truncatedBytes)
    }
    #expect(read { _ in }.events == 6)
    let cases: [(FeedRefusal, Int, [UInt8])] = [
      (.unknownType, 0, [3]), (.invalidSide, 1, [2]), (.invalidPrice, 2, [0, 0, 0, 0]),
      (.invalidPrice, 2, [0, 0, 0, 0x80]), (.invalidQuantity, 6, [0, 0, 0, 0]), (.invalidQuantity, 6, [0, 0, 0, 0xFF]),
    ]
    for (refusal, place, wrong) in cases {
      let found = read { $0.replaceSubrange(36 + place..<36 + place + wrong.count, with: wrong) }
      #expect(found.events == 5 && found.counters.refusals(refusal) == 1 && found.counters.messages == 6)
    }
    for length in 0...good.count {
      let found = read { $0.removeLast(good.count - length) }
      #expect(found.events == length / 18 && found.rest == length % 18)
    }
    var random = SplitMix64(seed: 5)
    for _ in 0..<2_000 {
      let found = read { bytes in
        for _ in 0..<8 { bytes[Int(random.next() % 108)] = UInt8(truncatingIfNeeded: random.next() >> 8) }
      }
      #expect(UInt64(found.events) + found.counters.refusalCount == 6)
    }
  }

  @Test(.enabled(if: countsAllocations)) func `reading and applying the league stream allocates nothing`() throws {
    let bytes = LeagueStream.packed(messages: 20_000)
    var books = try Self.books()
    var feed = LeagueFeed(bytes.rawBytes, instrument: Self.instrument)
    for _ in 0..<1_000 { if let event = feed.next() { _ = books.apply(event) } }
    martlet_count_begin()
    while let event = feed.next() { _ = books.apply(event) }
    let counts = martlet_count_end()
    #expect(counts.allocations == 0 && counts.retains == 0)
  }
}
