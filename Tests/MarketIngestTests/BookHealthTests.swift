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

  static func make(_ rules: BookHealthRules = .standard, instruments: Int = 2) throws -> BookHealth {
    BookHealth(
      try BookCapacity(instruments: instruments, orders: 64), rules: rules,
      in: Arena(capacityBytes: rules.arenaBytes(instruments: instruments)))
  }

  static func event(
    _ kind: MarketEventKind, _ id: InstrumentID = id, lots: Int64 = 1, price: Int64 = 1, reference: UInt64 = 1
  ) -> MarketEvent {
    MarketEvent(
      kind: kind, time: at(0), instrument: id, reference: OrderReference(value: reference), price: Price(nanos: price),
      quantity: Quantity(lots: lots))
  }

  @Test(arguments: Seeds.brief) func `health is that of the twin`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for (window, most, allowsLocked) in [(100, 3, true), (64, 0, false), (65, 10, true), (1, 0, true)] {
      let rules = try BookHealthRules(
        windowMessages: window, unknownOrderMax: most, crossedMax: .milliseconds(5), allowsLocked: allowsLocked)
      var health = try Self.make(rules)
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
        health.observe(Self.event(.executeOrder, id), status)
        health.observe(id, bid: Self.level(bid), ask: Self.level(max(0, ask)), at: Self.at(now))
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
          health.observe(Self.event(.clearBook, id), .applied)
          flags[book] = []
          crossedSince[book] = nil
          isBad[book] = false
        }
      }
    }
  }

  @Test func `more than one in a hundred unknown orders make a book stale`() throws {
    var health = try Self.make()
    for message in 0..<30_000 {
      // One in a hundred exactly.
      let status: BookStatus = message % 100 == 7 ? .unknownOrder : .applied
      health.observe(Self.event(.deleteOrder), status)
    }
    expect(health.state(of: Self.id, at: Self.at(0)) == .valid)
    health.observe(Self.event(.deleteOrder), .unknownOrder)
    expect(health.isStale(Self.id, because: .unknownOrders))
    let other = health.state(of: InstrumentID(index: 1), at: Self.at(0))
    expect(other == .valid && health.stateOfAll(at: Self.at(0)) == .stale)
    health.observe(Self.event(.clearBook), .applied)
    expect(health.stateOfAll(at: Self.at(0)) == .valid)
  }

  @Test func `a book crossed for too long is stale without another message`() throws {
    var health = try Self.make()
    health.observe(Self.id, bid: Self.level(5), ask: Self.level(5), at: Self.at(0))
    expect(!health.isStale(Self.id, at: Self.at(10_000)))
    health.observe(Self.id, bid: Self.level(6), ask: Self.level(5), at: Self.at(1))
    expect(!health.isStale(Self.id, at: Self.at(101)) && health.isStale(Self.id, at: Self.at(102)))
    health.observe(Self.id, bid: Self.level(4), ask: Self.level(5), at: Self.at(50))
    expect(!health.isStale(Self.id, at: Self.at(1_000)))
    health.observe(Self.id, bid: Self.level(6), ask: Self.level(5), at: Self.at(60))
    health.endBatch(Self.id)
    expect(health.isStale(Self.id, at: Self.at(60)) && health.isStale(Self.id, because: .crossed))
  }

  @Test func `the state of the line is the state of every sound book`() throws {
    var health = try Self.make()
    for state in LineState.allCases {
      health.line = state
      let found = health.state(of: Self.id, at: Self.at(0))
      expect(found == state && health.isStale(Self.id, at: Self.at(0)) == (state != .valid))
    }
    health.line = .valid
    expect(health.isStale(InstrumentID(index: 9), at: Self.at(0)))
    health.observe(Self.event(.reduceOrder, InstrumentID(index: 9)), .overfill)
    expect(health.stateOfAll(at: Self.at(0)) == .valid)
  }

  @Test func `a real book tells its duplicates and overfills`() throws {
    let capacity = try BookCapacity(instruments: 2, orders: 64)
    var books = try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 100_000), tick: Price(nanos: 10_000_000),
      in: Arena(capacityBytes: capacity.arenaBytes))
    for (kind, cause) in [(MarketEventKind.addOrder, StaleCause.duplicateOrder), (.executeOrder, .overfill)] {
      var health = try Self.make()
      for lots in [5, 9] as [Int64] {
        let event = Self.event(
          lots == 5 ? .addOrder : kind, lots: lots, price: 10_000_000, reference: UInt64(cause.rawValue))
        health.observe(event, books.apply(event).status)
      }
      expect(health.isStale(Self.id, because: cause) && books.isStale(Self.id))
      expect(health.causeCounts[Int(cause.rawValue)] == 1)
    }
  }

  @Test func `what a book refuses as out of range has a typed fault`() throws {
    var health = try Self.make()
    let capacity = try BookCapacity(instruments: 2, orders: 64)
    var books = try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 1), tick: Price(nanos: 1),
      in: Arena(capacityBytes: capacity.arenaBytes))
    let most = capacity.quantityMax.lots
    let highest = BookCapacity.priceMax.nanos
    var reference: UInt64 = 100
    _ = books.apply(Self.event(.addOrder, lots: most, price: 5, reference: 1))
    func fault(_ kind: MarketEventKind, _ lots: Int64, _ price: Int64) -> EventFault? {
      reference += 1
      let event = Self.event(kind, lots: lots, price: price, reference: kind == .addOrder ? reference : 1)
      let fault = health.fault(of: event)
      let status = books.apply(event).status
      // The fault is there exactly when the book says so.
      #expect((status == .invalid) == (fault != nil), "\(kind) of \(lots) at \(price): \(status)")
      health.observe(event, status)
      if kind == .addOrder, status == .applied { _ = books.apply(Self.event(.deleteOrder, reference: reference)) }
      return fault
    }
    for kind in [MarketEventKind.addOrder, .modifyOrder] {
      #expect(fault(kind, 1, 1) == nil && fault(kind, most, highest) == nil)
      for lots in [0, -1, .min] as [Int64] { #expect(fault(kind, lots, 1) == .quantityNotPositive) }
      for lots in [most + 1, .max] as [Int64] { #expect(fault(kind, lots, 1) == .quantityAboveCap) }
      for price in [0, -1, .min] as [Int64] { #expect(fault(kind, 1, price) == .priceNotPositive) }
      for price in [highest + 1, .max] as [Int64] { #expect(fault(kind, 1, price) == .priceAboveCap) }
    }
    for kind in [MarketEventKind.executeOrder, .executeOrderAtPrice, .reduceOrder] {
      #expect(fault(kind, 1, 0) == nil && fault(kind, 0, 0) == .quantityNotPositive)
      #expect(fault(kind, .max, 0) == .quantityAboveCap)
    }
    #expect(fault(.setLevel, 0, 1) == nil && fault(.setLevel, -1, 1) == .quantityNotPositive)
    #expect(fault(.setLevel, 1, 0) == .priceNotPositive && fault(.deleteOrder, 0, 0) == nil)
    expect(health.faultCounts[0] == 10 && health.faultCounts[1] == 7)
    expect(health.faultCounts[2] == 7 && health.faultCounts[3] == 4)
  }

  @Test(.enabled(if: countsAllocations)) func `observing allocates nothing`() throws {
    var health = try Self.make()
    func work() {
      for number in 0..<1_000 as Range<Int64> {
        health.observe(Self.event(.deleteOrder), number % 9 == 0 ? .unknownOrder : .applied)
        health.observe(Self.id, bid: Self.level(number % 7), ask: Self.level(number % 5), at: Self.at(number))
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
  }
}
