import CAllocationCounter
import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingTypes

// Goal: a DBN record becomes the events it means, in each version. Method: a table of hand-written records; seeded streams of every
// schema against the slow twin; books against the levels that were written.
@Suite struct DbnFeedTests {
  struct Kind: Sendable, CustomTestStringConvertible {
    var schema: DbnStream.Schema
    var version: UInt8
    var hasSendTimes: Bool
    var testDescription: String { "\(schema), version \(version)\(hasSendTimes ? ", with send times" : "")" }

    func stream(seed: UInt64, records: Int) -> DbnStream {
      DbnStream(schema, version: version, hasSendTimes: hasSendTimes, seed: seed, records: records)
    }
  }

  static let kinds = DbnStream.Schema.allCases.flatMap { schema in
    [UInt8(1), 2, 3].flatMap { version in
      [false, true].map { Kind(schema: schema, version: version, hasSendTimes: $0) }
    }
  }

  @Test(arguments: [UInt8(1), 2, 3]) func `every action of an order record becomes its event`(version: UInt8) throws {
    var writer = DbnWriter(version: version)
    writer.metadata()
    let price: Int64 = 4_805_250_000_000
    // Undefined sizes, as the encoding's own defaults are.
    writer.order("R", "N", size: .max, flags: 0x20)
    writer.order("A", "B", order: 11, price: price, size: 5, flags: 0x28)
    writer.order("M", "B", order: 11, price: price + 1, size: 4)
    writer.order("C", "B", order: 11, price: price, size: 3)
    writer.order("C", "A", order: 12)
    writer.order("T", "A", order: 0, price: price, size: 2, sequence: 99)
    writer.order("F", "B", order: 11, price: price, size: 2, sequence: 99)
    writer.order("T", "N", price: price, size: 2)
    writer.order("N", "N", size: .max, flags: 0x04)
    let run = try DbnRun(writer.bytes)
    let kinds: [MarketEventKind] = [
      .clearBook, .addOrder, .modifyOrder, .reduceOrder, .deleteOrder, .trade, .information, .trade, .information,
    ]
    #expect(run.events.map(\.kind) == kinds)
    #expect(run.events.map(\.sequence) == Array(1...9))
    #expect(run.events.map(\.quantity.lots) == [0, 5, 4, 3, 0, 2, 2, 2, 0])
    #expect(run.events.map(\.reference.value) == [0, 11, 11, 11, 12, 0, 11, 0, 0])
    #expect(run.events.map(\.price.nanos) == [0, price, price + 1, price, 0, price, price, price, 0])
    let flags: [MarketEventFlags] = [
      [.snapshot, .partial], [.snapshot, .hasSide, .partial], .hasSide, .hasSide, .hasSide, [.hasSide, .printable],
      .hasSide, .printable, .partial,
    ]
    #expect(run.events.map(\.flags) == flags)
    // A seller aggressed, so a buy order rested: the trade and its fill agree.
    #expect(run.events[5].side == .buy && run.events[6].side == .buy && run.events[4].side == .sell)
    #expect(run.events[5].newReference.value == 99 && run.events[6].newReference.value == 99)
    #expect(run.events.map(\.code) == [0, 0, 0, 0, 0, 0, 0x46, 0, 0x4E])
    #expect(run.events[0].time.nanoseconds == 1_700_000_000_000_001_000)
    #expect(run.ending == .end && run.counters.refusalCount == 0 && run.suspectCount == 1)
  }

  @Test func `a record with levels gives what left, what came, and its trade last`() throws {
    func level(_ price: Int64, _ lots: UInt32) -> DbnWriter.Level { DbnWriter.Level(price: price, lots: lots) }
    var writer = DbnWriter(version: 3)
    writer.metadata(schema: 2)
    writer.levels(depth: 10, "A", "B", bids: [level(90, 1), level(80, 2)], asks: [level(100, 3)], flags: 0x24)
    // Nothing changed but a trade printed; then a bid left, one changed its size, and the ask moved.
    writer.levels(
      depth: 10, "T", "B", price: 100, size: 3, bids: [level(90, 1), level(80, 2)], asks: [level(100, 3)], sequence: 8)
    writer.levels(depth: 10, "C", "A", bids: [level(80, 5)], asks: [level(101, 4)], flags: 0x80)
    writer.levels(depth: 1, "T", "N", price: 101, size: 1, bids: [], asks: [level(101, 4)])
    writer.levels(depth: 10, "R", "N", asks: [level(102, 1)])
    let run = try DbnRun(writer.bytes)
    let found = run.events.map { "\($0.sequence) \($0.kind) \($0.side) \($0.price.nanos) \($0.quantity.lots)" }
    let expected = [
      "1 setLevel buy 90 1", "1 setLevel buy 80 2", "1 setLevel sell 100 3",
      "2 trade sell 100 3",
      "3 setLevel buy 90 0", "3 setLevel sell 100 0", "3 setLevel buy 80 5", "3 setLevel sell 101 4",
      "4 setLevel buy 80 0", "4 trade buy 101 1",
      "5 clearBook buy 0 0", "5 setLevel sell 102 1",
    ]
    #expect(found == expected)
    #expect(run.events[0].flags == [.snapshot, .hasSide] && run.events[3].flags == [.printable, .hasSide])
    #expect(run.events[9].flags == .printable && run.events[3].newReference.value == 8)
    #expect(run.suspectCount == 1 && run.types == [1: 1, 10: 4])
  }

  @Test func `what means nothing is refused for its reason`() throws {
    let undefined = DbnWriter.undefinedPrice
    func refusal(_ write: (inout DbnWriter) -> Void) throws -> FeedRefusal? {
      var writer = DbnWriter(version: 2)
      writer.metadata()
      write(&writer)
      writer.order("A", "B", order: 1, price: 5, size: 1)
      let run = try DbnRun(writer.bytes, capacity: 1)
      let last = run.events.last?.sequence
      #expect(run.counters.messages == 2 && last == 2 && run.ending == .end)
      return run.refusals.first?.key
    }
    #expect(try refusal { $0.order("A", "N", price: 5, size: 1) } == .invalidSide)
    #expect(try refusal { $0.order("A", "X", price: 5, size: 1) } == .invalidSide)
    #expect(try refusal { $0.order("A", "B", price: undefined, size: 1) } == .invalidPrice)
    #expect(try refusal { $0.order("M", "B", price: 0, size: 1) } == .invalidPrice)
    #expect(try refusal { $0.order("T", "B", price: -5, size: 1) } == .invalidPrice)
    #expect(try refusal { $0.order("A", "B", price: 5, size: 0) } == .invalidQuantity)
    #expect(try refusal { $0.order("C", "B", price: 5, size: .max) } == .invalidQuantity)
    #expect(try refusal { $0.order("F", "B", price: 5, size: .max) } == .invalidQuantity)
    #expect(try refusal { $0.order("A", "B", price: 5, size: 1, time: .max) } == .invalidTime)
    #expect(try refusal { $0.order("A", "B", price: 5, size: 1, time: 1 << 63) } == .invalidTime)
    #expect(try refusal { $0.order("X", "B", price: 5, size: 1) } == .malformed)
    #expect(try refusal { $0.order("A", "B", price: 5, size: 1, flags: 0x40) } == .unknownType)
    #expect(try refusal { $0.order("C", "B", price: 5, size: 1, flags: 0x10) } == .unknownType)
    #expect(try refusal { $0.other(0x77) } == .unknownType)
    #expect(try refusal { $0.other(0xA0) } == .wrongLength)
    #expect(try refusal { $0.other(0x01) } == .wrongLength)
    let (five, six) = (DbnWriter.Level(price: 5, lots: 1), DbnWriter.Level(price: 6, lots: 1))
    let none = DbnWriter.Level(price: undefined, lots: 0)
    #expect(try refusal { $0.levels(depth: 10, "A", "B", bids: [five, six]) } == .malformed)
    #expect(try refusal { $0.levels(depth: 10, "A", "B", asks: [six, five]) } == .malformed)
    #expect(try refusal { $0.levels(depth: 10, "A", "B", asks: [five, five]) } == .malformed)
    #expect(try refusal { $0.levels(depth: 10, "A", "B", asks: [none, five]) } == .malformed)
    #expect(try refusal { $0.levels(depth: 1, "A", "B", bids: [.init(price: 0, lots: 1)]) } == .invalidPrice)
    #expect(try refusal { $0.levels(depth: 1, "A", "B", bids: [.init(price: 5, lots: 0)]) } == .invalidQuantity)
    #expect(try refusal { $0.levels(depth: 1, "T", "B", price: undefined, size: 1) } == .invalidPrice)
    #expect(try refusal { $0.levels(depth: 0, "T", "Q", price: 5, size: 1) } == .invalidSide)
    #expect(try refusal { $0.levels(depth: 0, "A", "B", price: 5, size: 1) } == .malformed)
    #expect(try refusal { $0.levels(depth: 1, "A", "B", time: .max) } == .invalidTime)
    // Known, without an event: counted by type.
    #expect(try refusal { $0.other(0x16) } == nil)
  }

  @Test func `instruments beyond the capacity are refused and the others go on`() throws {
    var writer = DbnWriter(version: 1)
    writer.metadata()
    for instrument in [UInt32(7), 8, 9, 8, 7] {
      writer.order("A", "B", order: UInt64(instrument), price: 5, size: 1, instrument: instrument)
    }
    let run = try DbnRun(writer.bytes, capacity: 2)
    #expect(run.events.map(\.instrument.index) == [0, 1, 1, 0])
    #expect(run.events.map(\.sequence) == [1, 2, 4, 5] && run.refusals == [.invalidSymbol: 1])
    let none = try DbnRun(writer.bytes, capacity: 0)
    #expect(none.events.isEmpty && none.refusals == [.invalidSymbol: 5])
  }

  @Test(arguments: kinds) func `a stream gives what its slow twin gives`(kind: Kind) throws {
    for seed in Seeds.brief.prefix(2) {
      let bytes = kind.stream(seed: seed, records: 400).writer.bytes
      let run = try DbnRun(bytes, capacity: 5, venue: 3)
      let twin = try #require(DbnTwin(bytes, capacity: 5, venue: 3))
      let difference = run.difference(from: twin)
      #expect(difference == nil, "seed \(seed)")
      #expect(twin.events.count > 200 && run.refusals[.unknownType] ?? 0 > 0)
    }
  }

  @Test(arguments: kinds.filter { $0.schema.depth > 0 })
  func `behind every record the book shows the levels of the record`(kind: Kind) throws {
    for seed in Seeds.brief.prefix(2) {
      let stream = kind.stream(seed: seed, records: 300)
      var books = try dbnBooks(instruments: 6)
      var keys: [UInt64] = []
      var failures: [String] = []
      var record = -1
      var known: UInt64 = 0
      // The record whose events are all applied shows its levels.
      func check() {
        guard record >= 0 else { return }
        let (key, bids, asks) = stream.shown[record]
        guard let index = keys.firstIndex(of: key) else { return }
        let id = InstrumentID(index: UInt32(index))
        for (side, levels) in [(Side.buy, bids), (.sell, asks)] {
          var found: [DbnWriter.Level] = []
          books.levels(of: id, side: side) { level in
            found.append(DbnWriter.Level(price: level.price.nanos, lots: UInt32(level.quantity.lots)))
          }
          if found != levels { failures.append("record \(record): \(found), expected \(levels)") }
        }
      }
      // Records without an event keep the book: the one before them is checked again when the next event comes.
      let feedBytes = stream.writer.bytes
      let order = try Self.shownRecords(feedBytes)
      _ = try DbnRun(feedBytes) { event in
        if event.sequence != known {
          check()
          known = event.sequence
          record = order[event.sequence] ?? -1
          if record >= 0, !keys.contains(stream.shown[record].key) { keys.append(stream.shown[record].key) }
        }
        let effect = books.apply(event)
        if event.kind == .setLevel, effect.status != .applied { failures.append("\(event.sequence): \(effect)") }
      }
      check()
      #expect(failures.isEmpty, "seed \(seed): \(failures.prefix(2))")
      #expect(keys.count == 6)
    }
  }

  /// Number of a record in the file, from 1, to its place among those with levels.
  private static func shownRecords(_ bytes: [UInt8]) throws -> [UInt64: Int] {
    var numbers: [UInt64: Int] = [:]
    var offset = try DbnMetadata(bytes.rawBytes).recordsOffset
    var number: UInt64 = 0
    while offset < bytes.count {
      number += 1
      if bytes[offset + 1] == 1 || bytes[offset + 1] == 10 { numbers[number] = numbers.count }
      offset += Int(bytes[offset]) * 4
    }
    return numbers
  }

  @Test(.enabled(if: countsAllocations), arguments: DbnStream.Schema.allCases)
  func `reading a stream and applying it allocates nothing`(schema: DbnStream.Schema) throws {
    let kind = Kind(schema: schema, version: 3, hasSendTimes: false)
    let bytes = kind.stream(seed: 4, records: 4_000).writer.bytes
    var books = try dbnBooks(instruments: 6)
    let arena = Arena(capacityBytes: DbnInstruments.byteCount(capacity: 16))
    var feed = try DbnFeed(bytes.rawBytes, instruments: 16, in: arena)
    for _ in 0..<500 { if let event = feed.next() { _ = books.apply(event) } }
    martlet_count_begin()
    var events = 0
    while let event = feed.next() {
      _ = books.apply(event)
      events += 1
    }
    let counts = martlet_count_end()
    #expect(counts.allocations == 0 && counts.retains == 0)
    #expect(events > 1_500)
  }
}
