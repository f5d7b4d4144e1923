import LockFreeRings
import OrderBooks
import TestSupport
import Testing
import TradingTypes

/// The slow twin: all quotes in an array, everything found anew each time.
private struct ReferenceQuotes {
  var quotes: [[VenueQuote]]
  var up: [Bool]
  var protected: [Bool]
  var times: [Timestamp]

  init(instruments: Int, venues: Int) {
    let none = VenueQuote(bid: .empty, ask: .empty, time: .distantPast)
    quotes = Array(repeating: Array(repeating: none, count: venues), count: instruments)
    up = Array(repeating: true, count: venues)
    protected = up
    times = Array(repeating: .distantPast, count: instruments)
  }

  func side(_ levels: [DepthLevel], _ counts: [Bool], best: ([Price]) -> Price?) -> (DepthLevel, UInt64) {
    let live = levels.indices.filter { counts[$0] && levels[$0].quantity.lots > 0 && levels[$0].price.nanos > 0 }
    guard let price = best(live.map { levels[$0].price }) else { return (.empty, 0) }
    let there = live.filter { levels[$0].price == price }
    let lots = there.reduce(Int64(0)) { $0 + levels[$1].quantity.lots }
    return (
      DepthLevel(price: price, quantity: Quantity(lots: lots)), there.reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
    )
  }

  func best(_ instrument: Int, protectedOnly: Bool = false) -> BestQuote {
    var best = BestQuote()
    let counts = up.indices.map { up[$0] && (protected[$0] || !protectedOnly) }
    (best.bid, best.bidVenues) = side(quotes[instrument].map(\.bid), counts) { $0.max() }
    (best.ask, best.askVenues) = side(quotes[instrument].map(\.ask), counts) { $0.min() }
    best.time = times[instrument]
    switch (best.bidVenues != 0, best.askVenues != 0) {
    case (false, false): best.state = .empty
    case (true, true) where best.bid.price == best.ask.price: best.state = .locked
    case (true, true): best.state = best.bid.price < best.ask.price ? .normal : .crossed
    default: best.state = .oneSided
    }
    return best
  }
}

private func level(_ cents: Int64, _ lots: Int64) -> DepthLevel {
  DepthLevel(price: Price(nanos: cents * cent.nanos), quantity: Quantity(lots: lots))
}

private func isSame(_ one: BestQuote, _ other: BestQuote) -> Bool {
  one.bid == other.bid && one.ask == other.ask && one.bidVenues == other.bidVenues
    && one.askVenues == other.askVenues && one.time == other.time && one.state == other.state
}

private func makeBook(instruments: Int, venues: Int) throws -> ConsolidatedBook {
  let bytes = ConsolidatedBook.arenaBytes(instruments: instruments, venues: venues)
  return try ConsolidatedBook(instruments: instruments, venues: venues, in: Arena(capacityBytes: max(1, bytes)))
}

// Goal: the best over venues is exact. Method: a twin that looks at all quotes each time, and the named cases.
@Suite struct ConsolidatedBookTests {
  @Test(arguments: Seeds.brief, [1, 3, 64])
  func `every quote gives the twin's best`(seed: UInt64, venues: Int) throws {
    var book = try makeBook(instruments: 3, venues: venues)
    var twin = ReferenceQuotes(instruments: 3, venues: venues)
    var random = SplitMix64(seed: seed)
    for step in 0..<1_500 {
      let instrument = random.below(3)
      let venue = random.below(venues)
      if random.below(40) == 0 {
        twin.up[venue] = random.below(3) != 0
        twin.protected[venue] = random.below(2) == 0
        book.setVenue(VenueID(index: UInt16(venue)), isUp: twin.up[venue], isProtected: twin.protected[venue])
      } else {
        let quote = VenueQuote(
          bid: level(Int64(random.below(5)) + 98, Int64(random.below(4)) * 100),
          ask: level(Int64(random.below(5)) + 100, Int64(random.below(4)) * 100),
          time: Timestamp(nanoseconds: Int64(step + random.below(5))))
        twin.quotes[instrument][venue] = quote
        twin.times[instrument] = max(twin.times[instrument], quote.time)
        let before = book.best(of: InstrumentID(index: UInt32(instrument)))
        let changed = book.update(
          InstrumentID(index: UInt32(instrument)), venue: VenueID(index: UInt16(venue)), bid: quote.bid, ask: quote.ask,
          at: quote.time)
        var after = book.best(of: InstrumentID(index: UInt32(instrument)))
        after.time = before.time
        #expect(changed == !isSame(before, after), "seed \(seed) step \(step)")
      }
      for index in 0..<3 {
        let id = InstrumentID(index: UInt32(index))
        let found = book.best(of: id)
        let protected = book.protectedBest(of: id)
        #expect(isSame(found, twin.best(index)), "seed \(seed) step \(step)")
        #expect(isSame(protected, twin.best(index, protectedOnly: true)), "seed \(seed) step \(step)")
      }
    }
  }

  @Test func `states are named`() throws {
    var book = try makeBook(instruments: 1, venues: 2)
    let id = InstrumentID(index: 0)
    func state(_ bid: DepthLevel, _ ask: DepthLevel) -> BestQuote.State {
      book.update(id, venue: VenueID(index: 0), bid: bid, ask: ask, at: Timestamp(nanoseconds: 1))
      return book.best(of: id).state
    }
    let found = [
      state(.empty, .empty), state(level(10, 1), .empty), state(.empty, level(10, 1)), state(level(9, 1), level(10, 1)),
      state(level(10, 1), level(10, 1)), state(level(11, 1), level(10, 1)),
    ]
    #expect(found == [.empty, .oneSided, .oneSided, .normal, .locked, .crossed])
  }

  @Test func `nonsense is counted and does not trap`() throws {
    var book = try makeBook(instruments: 1, venues: 2)
    let id = InstrumentID(index: 0)
    let time = Timestamp(nanoseconds: 1)
    let bad = [level(-5, 1), level(5, -1), DepthLevel(price: cent, quantity: Quantity(lots: .max))]
    for level in bad {
      book.update(id, venue: VenueID(index: 1), bid: level, ask: .empty, at: time)
    }
    book.update(.none, venue: VenueID(index: 0), bid: level(1, 1), ask: .empty, at: time)
    book.update(id, venue: VenueID(index: 2), bid: level(1, 1), ask: .empty, at: time)
    let (state, invalid) = (book.best(of: id).state, book.invalidCount)
    #expect(state == .empty)
    #expect(invalid == 5)
    #expect(throws: ConfigurationError.self) { _ = try makeBook(instruments: 1, venues: 65) }
    #expect(throws: ConfigurationError.self) { _ = try makeBook(instruments: 0, venues: 1) }
  }
}
