import CAllocationCounter
import LockFreeRings
import OrderBooks
import TestSupport
import Testing
import TradingTypes

// Goal: books that show the best level alone, and books that take many events at once, do what plain ones do. Method: both over the same seeded
// messages, good and bad; effects, best levels, queues and invariants are compared.
@Suite struct BookDepthTests {
  static func options(_ references: ReferenceBookMessages.References) -> ReferenceBookMessages.Options {
    var options = ReferenceBookMessages.Options()
    options.instruments = 3
    options.live = 400
    options.references = references
    options.jumpEvery = 300
    return options
  }

  static func capacity(_ depth: BookDepth) throws -> BookCapacity {
    try BookCapacity(instruments: 4, orders: 1_024, pages: 16, windowTicks: 64, depth: depth)
  }

  /// An effect without what depends on how much is shown.
  static func text(_ effect: BookEffect) -> String {
    "\(effect.status) \(effect.side) \(effect.price.nanos) \(effect.quantity.lots) \(effect.bestChanged)"
  }

  @Test(arguments: ReferenceBookMessages.References.allCases, [3, 11] as [UInt64])
  func `the best level alone is that of ten, and changes when it does`(
    references: ReferenceBookMessages.References, seed: UInt64
  ) throws {
    var plain = try makeBooks(Self.capacity(.ten))
    var books = try makeBooks(Self.capacity(.best))
    var source = ReferenceBookMessages(Self.options(references), seed: seed)
    var failures: [String] = []
    for number in 1...10_000 {
      let event = source.next()
      let (expected, found) = (plain.apply(event), books.apply(event))
      if Self.text(found) != Self.text(expected) { failures.append("\(number): \(found), expected \(expected)") }
      guard event.instrument.index < 4 else { continue }
      let (view, whole) = (books[depth: event.instrument], plain[depth: event.instrument])
      if view.bids[0] != whole.bids[0] || view.asks[0] != whole.asks[0] || view.bidCount != min(1, whole.bidCount)
        || view.askCount != min(1, whole.askCount)
      {
        failures.append("\(number): best of \(event.instrument)")
      }
      if let fault = books.checkView(of: event.instrument) { failures.append("\(number): \(fault)") }
      if number % 1_000 == 0, let fault = books.checkInvariants() { failures.append("\(number): \(fault)") }
      if failures.count > 5 { break }
    }
    #expect(failures.isEmpty, "seed \(seed): \(failures.prefix(5))")
  }

  @Test(arguments: ReferenceBookMessages.References.allCases, BookDepth.allCases)
  func `many events at once do what each of them does`(
    references: ReferenceBookMessages.References, depth: BookDepth
  ) throws {
    var plain = try makeBooks(Self.capacity(depth))
    var books = try makeBooks(Self.capacity(depth))
    var source = ReferenceBookMessages(Self.options(references), seed: 5)
    var random = SplitMix64(seed: 6)
    var differences = 0
    for _ in 0..<400 {
      let events = (0..<Int(random.next() % 60)).map { _ in source.next() }
      var effects = [BookEffect](repeating: BookEffect(.ignored), count: events.count + 2)
      var places = effects.mutableSpan
      books.apply(events.span, effects: &places)
      for (place, event) in events.enumerated() {
        let expected = plain.apply(event)
        if Self.text(effects[place]) != Self.text(expected) { differences += 1 }
        if effects[place].depthChanged != expected.depthChanged { differences += 1 }
      }
    }
    let (fault, counts) = (books.checkInvariants(), (books.liveOrderCount, plain.liveOrderCount))
    #expect(differences == 0 && fault == nil && counts.0 == counts.1)
    for id in (0..<4).map({ InstrumentID(index: $0) }) {
      for side in Side.allCases {
        let queues = (books.queue(of: id, side: side), plain.queue(of: id, side: side))
        #expect(queues.0 == queues.1)
      }
    }
  }

  @Test func `eight thousand books with one and a half million orders take less than 450 MB`() throws {
    for depth in BookDepth.allCases {
      let capacity = try BookCapacity(instruments: 8_000, orders: 1_500_000, depth: depth)
      #expect(capacity.arenaBytes < 450_000_000, "\(capacity.arenaBytes)")
    }
  }

  @Test(.enabled(if: countsAllocations)) func `many events at once allocate nothing`() throws {
    var books = try makeBooks(Self.capacity(.best))
    var source = ReferenceBookMessages(Self.options(.mixed), seed: 9)
    let arena = Arena(capacityBytes: 8 << 20)
    // Not an array: a span of one retains it, and that is the test's doing.
    var events = Slab(repeating: source.next(), count: 20_000, in: arena)
    for place in 0..<20_000 { events[place] = source.next() }
    var effects = Slab(repeating: BookEffect(.ignored), count: 10_000, in: arena)
    do {
      var places = effects.parts(BookEffect.self, from: 0, count: 10_000)
      books.apply(events.span.extracting(0..<10_000), effects: &places)
    }
    martlet_count_begin()
    do {
      var places = effects.parts(BookEffect.self, from: 0, count: 10_000)
      books.apply(events.span.extracting(10_000..<20_000), effects: &places)
    }
    let counts = martlet_count_end()
    #expect(counts.allocations == 0 && counts.retains == 0)
  }
}
