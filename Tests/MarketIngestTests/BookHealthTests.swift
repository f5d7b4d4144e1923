import CAllocationCounter
import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingTypes

/// `#expect` for calls on values that cannot be copied, which it does not take.
func expect(_ isTrue: Bool, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(isTrue, comment, sourceLocation: sourceLocation)
}

// Goal: a book that its own messages give away as wrong is stale, and only such a book. Method: each cause by hand; random messages
// against a twin that keeps all of them in arrays.
@Suite struct BookHealthTests {
  static let id = InstrumentID(index: 0)
  static func at(_ milliseconds: Int64) -> Timestamp { Timestamp(nanoseconds: milliseconds * 1_000_000) }
  static func level(_ price: Int64) -> DepthLevel {
    price == 0 ? .empty : DepthLevel(price: Price(nanos: price), quantity: Quantity(lots: 1))
  }

  static func make(_ rules: BookHealthRules, instruments: Int = 2) -> BookHealth {
    BookHealth(
      instruments: instruments, rules: rules,
      in: Arena(capacityBytes: rules.arenaBytes(instruments: instruments)))
  }

  @Test(arguments: Seeds.brief) func `health is that of the twin`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for (window, most, allowsLocked) in [(100, 3, true), (64, 0, false), (65, 10, true), (1, 0, true)] {
      let rules = try BookHealthRules(
        windowMessages: window, unknownOrderMax: most, crossedMax: .milliseconds(5), allowsLocked: allowsLocked)
      var health = Self.make(rules)
      var flags: [[Bool]] = [[], []]
      var crossedSince: [Int64?] = [nil, nil]
      var isBad = [false, false]
      var now: Int64 = 0
      for step in 0..<3_000 {
        now += Int64(random.below(3))
        let book = random.below(2)
        let id = InstrumentID(index: UInt32(book))
        let draw = random.below(300)
        let status: BookStatus =
          draw < 6 ? .unknownOrder : draw == 6 ? .duplicateOrder : draw == 7 ? .overfill : .applied
        let bid = Int64(random.below(12)), ask = bid == 0 ? 0 : bid + Int64(random.below(6)) - 1
        health.observe(id, status, bid: Self.level(bid), ask: Self.level(max(0, ask)), at: Self.at(now))
        flags[book].append(status == .unknownOrder)
        if flags[book].suffix(window).count(where: { $0 }) > most { isBad[book] = true }
        if status == .duplicateOrder || status == .overfill { isBad[book] = true }
        let isCrossed = bid > 0 && ask > 0 && (allowsLocked ? bid > ask : bid >= ask)
        if let since = crossedSince[book], now - since > 5 { isBad[book] = true }
        crossedSince[book] = isCrossed ? crossedSince[book] ?? now : nil
        for other in 0..<2 {
          let isLong = crossedSince[other].map { now - $0 > 5 } ?? false
          let found = health.isStale(InstrumentID(index: UInt32(other)), at: Self.at(now))
          expect(found == (isBad[other] || isLong), "seed \(seed), step \(step)")
        }
        if random.below(200) == 0 {
          health.rebuilt(id)
          flags[book] = []
          crossedSince[book] = nil
          isBad[book] = false
        }
      }
    }
  }

  @Test func `more than one in a hundred unknown orders make a book stale`() throws {
    var health = Self.make(try BookHealthRules())
    for message in 0..<30_000 {
      // One in a hundred exactly.
      let status: BookStatus = message % 100 == 7 ? .unknownOrder : .applied
      health.observe(Self.id, status, bid: .empty, ask: .empty, at: Self.at(0))
    }
    expect(health.state(of: Self.id, at: Self.at(0)) == .valid)
    health.observe(Self.id, .unknownOrder, bid: .empty, ask: .empty, at: Self.at(0))
    let cause = health.isStale(Self.id, because: .unknownOrders)
    expect(cause && health.statusCounts[Int(BookStatus.unknownOrder.rawValue)] == 301)
    let other = health.state(of: InstrumentID(index: 1), at: Self.at(0))
    expect(other == .valid && health.stateOfAll(at: Self.at(0)) == .stale)
    health.rebuilt(Self.id)
    expect(health.stateOfAll(at: Self.at(0)) == .valid)
  }

  @Test func `a book crossed for too long is stale without another message`() throws {
    var health = Self.make(try BookHealthRules())
    health.observe(Self.id, .applied, bid: Self.level(5), ask: Self.level(5), at: Self.at(0))
    expect(!health.isStale(Self.id, at: Self.at(10_000)))
    health.observe(Self.id, .applied, bid: Self.level(6), ask: Self.level(5), at: Self.at(1))
    expect(!health.isStale(Self.id, at: Self.at(101)) && health.isStale(Self.id, at: Self.at(102)))
    health.observe(Self.id, .applied, bid: Self.level(4), ask: Self.level(5), at: Self.at(50))
    expect(!health.isStale(Self.id, at: Self.at(1_000)))
    health.observe(Self.id, .applied, bid: Self.level(6), ask: Self.level(5), at: Self.at(60))
    health.endBatch(Self.id)
    expect(health.isStale(Self.id, at: Self.at(60)) && health.isStale(Self.id, because: .crossed))
  }

  @Test func `the state of the line is the state of every sound book`() throws {
    var health = Self.make(try BookHealthRules())
    for state in LineState.allCases {
      health.line = state
      let found = health.state(of: Self.id, at: Self.at(0))
      expect(found == state && health.isStale(Self.id, at: Self.at(0)) == (state != .valid))
    }
    health.line = .valid
    expect(health.isStale(InstrumentID(index: 9), at: Self.at(0)))
    health.observe(InstrumentID(index: 9), .overfill, bid: .empty, ask: .empty, at: Self.at(0))
    expect(health.stateOfAll(at: Self.at(0)) == .valid)
  }

  @Test func `a real book tells its duplicates and overfills`() throws {
    let capacity = try BookCapacity(instruments: 2, orders: 64)
    var books = try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 100_000), tick: Price(nanos: 10_000_000),
      in: Arena(capacityBytes: capacity.arenaBytes))
    for (kind, cause) in [(MarketEventKind.addOrder, StaleCause.duplicateOrder), (.executeOrder, .overfill)] {
      var health = Self.make(try BookHealthRules())
      for lots in [5, 9] as [Int64] {
        let event = MarketEvent(
          kind: lots == 5 ? .addOrder : kind, time: Self.at(0), instrument: Self.id,
          reference: OrderReference(value: UInt64(cause.rawValue)), price: Price(nanos: 10_000_000),
          quantity: Quantity(lots: lots))
        let effect = books.apply(event)
        health.observe(
          Self.id, effect.status, bid: books.bestBid(of: Self.id), ask: books.bestAsk(of: Self.id), at: Self.at(0))
      }
      expect(health.isStale(Self.id, because: cause) && books.isStale(Self.id))
      expect(health.causeCounts[Int(cause.rawValue)] == 1)
    }
  }

  @Test func `numbers out of range have a typed fault`() throws {
    var health = Self.make(
      try BookHealthRules(quantityMax: Quantity(lots: 100), priceMax: Price(nanos: 1_000)))
    func fault(_ kind: MarketEventKind, _ lots: Int64, _ price: Int64) -> EventFault? {
      health.fault(
        of: MarketEvent(
          kind: kind, time: Self.at(0), instrument: Self.id, price: Price(nanos: price), quantity: Quantity(lots: lots))
      )
    }
    for kind in [MarketEventKind.addOrder, .replaceOrder, .modifyOrder] {
      expect(fault(kind, 1, 1) == nil && fault(kind, 100, 1_000) == nil)
      for lots in [0, -1, .min] as [Int64] { expect(fault(kind, lots, 1) == .quantityNotPositive) }
      for lots in [101, .max] as [Int64] { expect(fault(kind, lots, 1) == .quantityAboveCap) }
      for price in [0, -1, .min] as [Int64] { expect(fault(kind, 1, price) == .priceNotPositive) }
      for price in [1_001, .max] as [Int64] { expect(fault(kind, 1, price) == .priceAboveCap) }
    }
    expect(fault(.executeOrder, 1, 0) == nil && fault(.executeOrder, 0, 0) == .quantityNotPositive)
    expect(fault(.deleteOrder, 0, 0) == nil && fault(.setLevel, 0, 1) == nil)
    expect(fault(.setLevel, -1, 1) == .quantityNotPositive)
    expect(health.faultCounts[0] == 11 && health.faultCounts[1] == 6)
    expect(health.faultCounts[2] == 9 && health.faultCounts[3] == 6)
  }

  @Test(.enabled(if: countsAllocations)) func `observing allocates nothing`() throws {
    var health = Self.make(try BookHealthRules())
    func work() {
      for number in 0..<1_000 as Range<Int64> {
        let bid = Self.level(number % 7), ask = Self.level(number % 5)
        health.observe(Self.id, number % 9 == 0 ? .unknownOrder : .applied, bid: bid, ask: ask, at: Self.at(number))
      }
    }
    work()
    let counts = counting { work() }
    expect(counts.allocations == 0)
  }

  @Test func `impossible rules are refused`() {
    #expect(throws: ConfigurationError.self) { try BookHealthRules(windowMessages: 0) }
    #expect(throws: ConfigurationError.self) { try BookHealthRules(unknownOrderMax: 10_001) }
    #expect(throws: ConfigurationError.self) { try BookHealthRules(crossedMax: TimeSpan(nanoseconds: -1)) }
    #expect(throws: ConfigurationError.self) { try BookHealthRules(quantityMax: .zero) }
  }
}
