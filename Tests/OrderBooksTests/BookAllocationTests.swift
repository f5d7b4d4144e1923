import CAllocationCounter
import OrderBooks
import TestSupport
import Testing
import TradingTypes

// Goal: after start-up a book takes no memory. Method: count mallocs and retains over a seeded stream after a warm-up; release builds only.
@Suite struct BookAllocationTests {
  @Test(.enabled(if: countsAllocations)) func `events and queries allocate nothing`() throws {
    let capacity = try BookCapacity(instruments: 9, orders: 4_096)
    var books = try makeBooks(capacity)
    var options = ReferenceBookMessages.Options()
    options.live = 1_000
    options.references = .mixed
    options.jumpEvery = 1_000
    var source = ReferenceBookMessages(options, seed: 3)
    let events = (0..<40_000).map { _ in source.next() }
    var checksum: Int64 = 0
    for event in events[..<20_000] { checksum &+= books.apply(event).quantity.lots }
    let counts = counting {
      for place in 20_000..<40_000 {
        let event = events[place]
        checksum &+= books.apply(event).quantity.lots
        guard event.instrument.index < 9 else { continue }
        checksum &+= books[depth: event.instrument].bids[0].quantity.lots
        books.levels(of: event.instrument, side: .sell, count: 3) { checksum &+= Int64($0.orderCount) }
        if let level = books.bestLevel(of: event.instrument, side: .buy), let order = books.firstOrder(of: level) {
          checksum &+= books.queuePosition(of: order.reference)?.quantityAhead.lots ?? 0
        }
      }
    }
    #expect(counts.allocations == 0)
    #expect(counts.retains == 0)
    #expect(checksum != 0)
  }
}
