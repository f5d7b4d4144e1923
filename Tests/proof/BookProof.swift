import Glibc
import LockFreeRings
public import OrderBooks
public import TestSupport
public import TradingTypes

extension OrderBookSet: BookUnderTest {
  public func depth(of id: InstrumentID) -> DepthView { self[depth: id] }

  public func summaries(of id: InstrumentID, side: Side, count: Int) -> [ReferenceBook.Summary] {
    var summaries: [ReferenceBook.Summary] = []
    levels(of: id, side: side, count: count) { level in
      summaries.append(
        ReferenceBook.Summary(price: level.price.nanos, lots: level.quantity.lots, count: level.orderCount))
    }
    return summaries
  }

  public func queue(of id: InstrumentID, side: Side) -> [ReferenceBook.Entry] {
    var entries: [ReferenceBook.Entry] = []
    orders(of: id, side: side) { order in
      entries.append(ReferenceBook.Entry(reference: order.reference.value, lots: order.quantity.lots))
    }
    return entries
  }
}

/// The long runs of the order books: exactness against the twin, memory, and time.
enum BookProof {
  static func makeBooks(_ capacity: BookCapacity) throws -> OrderBookSet {
    try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 100_000), tick: Price(nanos: 10_000_000),
      in: Arena(capacityBytes: capacity.arenaBytes))
  }

  /// Differences between the books and the slow twin over `messages` messages around `live` orders: none expected.
  ///
  /// Effects are compared after each message, the ten levels of the touched book after every 16th, all queues and invariants a hundred times.
  /// Few pages, some random references and many young orders, so that each way through the index is taken.
  static func compare(messages: Int, live: Int, seed: UInt64) throws -> [String] {
    let capacity = try BookCapacity(instruments: 9, orders: live * 2, pages: max(64, live / 64))
    var options = ReferenceBookMessages.Options()
    options.live = live
    options.references = .mixed
    options.young = 700
    var books = try makeBooks(capacity)
    var twin = ReferenceBook(
      instruments: capacity.instruments, ordersMax: capacity.orders, levelsMax: capacity.levels,
      quantityMax: capacity.quantityMax, priceMax: BookCapacity.priceMax)
    var source = ReferenceBookMessages(options, seed: seed)
    return ReferenceBookComparison(
      &books, &twin, &source, messages: messages, seed: seed, depthEvery: 16, queuesEvery: max(1, messages / 100)
    ).differences
  }

  /// Bytes of resident memory the process grew by between the first tenth (at most a million messages) and the end.
  static func growth(messages: Int, live: Int = 8_192, seed: UInt64 = 1) throws -> Int {
    let capacity = try BookCapacity(instruments: 9, orders: live * 2)
    var options = ReferenceBookMessages.Options()
    options.live = live
    var books = try makeBooks(capacity)
    var source = ReferenceBookMessages(options, seed: seed)
    let settled = min(1_000_000, messages / 10)
    for _ in 0..<settled { _ = books.apply(source.next()) }
    let before = residentBytes()
    for _ in settled..<messages { _ = books.apply(source.next()) }
    return residentBytes() - before
  }

  /// Resident bytes of this process, from /proc/self/statm.
  static func residentBytes() -> Int {
    guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    let count = unsafe line.withUnsafeMutableBufferPointer { unsafe fgets($0.baseAddress, 128, file) != nil }
    guard count else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4_096
  }

  /// Nanoseconds a message of `apply`, one figure a repetition: `instruments` books, `live` orders, events read from memory.
  static func time(
    messages: Int = 2_000_000, live: Int = 80_000, instruments: Int = 50, repetitions: Int = 15,
    references: ReferenceBookMessages.References = .consecutive, young: Int = 0
  ) throws -> (nanoseconds: [Double], checksum: UInt64, sparse: Int) {
    var options = ReferenceBookMessages.Options()
    options.instruments = instruments
    options.aggregated = 0
    options.live = live
    options.references = references
    options.young = young
    options.bad = 0
    options.plain = true
    options.jumpEvery = 0
    let capacity = try BookCapacity(instruments: instruments, orders: live * 2)
    var books = try makeBooks(capacity)
    var source = ReferenceBookMessages(options, seed: 7)
    while source.liveCount < live * 15 / 16 { _ = books.apply(source.next()) }
    for _ in 0..<messages { _ = books.apply(source.next()) }
    let empty = MarketEvent(kind: .information, time: .distantPast, instrument: .none)
    var events = Slab(
      repeating: empty, count: messages,
      in: Arena(capacityBytes: messages * MemoryLayout<MarketEvent>.stride + 4_096))
    var figures: [Double] = []
    var checksum: UInt64 = 0
    for _ in 0..<repetitions {
      for place in 0..<messages { events[place] = source.next() }
      let start = now()
      checksum &+= apply(events, to: &books)
      figures.append(Double(now() - start) / Double(messages))
    }
    return (figures.sorted(), checksum, books.sparseOrderCount)
  }

  @inline(never) static func apply(_ events: borrowing Slab<MarketEvent>, to books: inout OrderBookSet) -> UInt64 {
    var changes: UInt64 = 0
    for index in 0..<events.count {
      let effect = books.apply(events[index])
      changes &+= effect.depthChanged ? 3 : 1
      changes &+= effect.bestChanged ? 1 : 0
    }
    return changes
  }

  static func now() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
