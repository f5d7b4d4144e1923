// Goal: each line becomes the event it means, and the books of a real file are right. Method: a slow twin of dictionaries, damaged lines,
// and the counts of the data's own description.

import CAllocationCounter
import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingTypes

@Suite struct BitstampFeedTests {
  static let instrument = InstrumentID(index: 0)
  static let path = "data/crypto-l3-bitstamp/bitstamp_btcusd_l3_20150501_0000-0504.csv.gz"
  static let header = "id,timestamp,exchange.timestamp,price,volume,action,direction\n"

  /// The slow twin: orders in a dictionary, lines as strings.
  struct Twin {
    struct Order: Equatable {
      var price: Int128
      var lots: Int64
      var isBid: Bool
    }
    var orders: [UInt64: Order] = [:]
    var unknown = 0
    var actions: [String: Int] = [:]

    mutating func apply(_ line: Substring) {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 7, let id = UInt64(fields[0]), UInt64(fields[1]) != nil, UInt64(fields[2]) != nil,
        let price = parseDecimal(fields[3], places: 9), price > 0, let lots = Int64(fields[4]), lots >= 0,
        fields[6] == "bid" || fields[6] == "ask"
      else { return }
      actions[fields[5], default: 0] += 1
      switch fields[5] {
      case "created": orders[id] = Order(price: price, lots: lots, isBid: fields[6] == "bid")
      case "changed" where orders[id] != nil:
        orders[id]?.price = price
        orders[id]?.lots = lots
      case "deleted" where orders[id] != nil: orders[id] = nil
      default: unknown += 1
      }
    }

    func levels(_ side: Side) -> [String] {
      var sums: [Int128: Int64] = [:]
      for order in orders.values where order.isBid == (side == .buy) { sums[order.price, default: 0] += order.lots }
      return sums.sorted { side == .buy ? $0.key > $1.key : $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    }
  }

  static func books() throws -> OrderBookSet {
    let capacity = try BookCapacity(instruments: 1, orders: 1 << 14)
    return try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 10_000_000), tick: Price(nanos: 10_000_000),
      in: Arena(capacityBytes: capacity.arenaBytes + (1 << 20)))
  }

  static func levels(_ books: borrowing OrderBookSet, _ side: Side) -> [String] {
    var levels: [String] = []
    books.levels(of: instrument, side: side) { levels.append("\($0.price.nanos) \($0.quantity.lots)") }
    return levels
  }

  static func file(seed: UInt64, lines: Int) -> String {
    var random = SplitMix64(seed: seed)
    var text = header
    var live: [(id: UInt64, price: UInt64, lots: UInt64, side: String)] = []
    for line in 0..<lines {
      let time = "\(1_430_438_404_518 + line),1430438404000"
      let choice = random.next() % 4
      if live.isEmpty || choice < 2 {
        let order = (
          UInt64(65_595_247 + line), 23_000 + random.next() % 200, 1 + random.next() % 1_000_000_000,
          random.next() % 2 == 0 ? "bid" : "ask"
        )
        live.append(order)
        text += "\(order.0),\(time),\(order.1 / 100).\(order.1 % 100),\(order.2),created,\(order.3)\n"
      } else {
        let place = Int(random.next() % UInt64(live.count))
        let order = live[place]
        let left = 1 + random.next() % order.lots
        let price = "\(order.price / 100).\(order.price % 100)"
        if choice == 2 {
          live[place].lots = left
          text += "\(order.id),\(time),\(price),\(left),changed,\(order.side)\n"
        } else {
          live.remove(at: place)
          text += "\(order.id),\(time),\(price),\(left % 2 == 0 ? 0 : order.lots),deleted,\(order.side)\n"
        }
      }
    }
    return text
  }

  /// Replays both and compares the books every `stride` lines.
  static func compare(_ text: String, stride: Int) throws -> (twin: Twin, unknown: UInt64, counters: FeedCounters) {
    var feed = BitstampFeed(Array(text.utf8).rawBytes, instrument: instrument)
    var books = try books()
    var twin = Twin()
    var failures: [UInt64] = []
    for line in text.split(separator: "\n").dropFirst() {
      twin.apply(line)
      guard let event = feed.next() else { break }
      _ = books.apply(event)
      if event.sequence % UInt64(stride) == 0 {
        for side in Side.allCases where levels(books, side) != twin.levels(side) { failures.append(event.sequence) }
      }
    }
    #expect(failures.isEmpty, "\(failures.prefix(5))")
    let isEnd = feed.next() == nil
    #expect(isEnd)
    for side in Side.allCases {
      let found = levels(books, side)
      #expect(found == twin.levels(side))
    }
    let live = books.liveOrderCount
    #expect(live == twin.orders.count)
    let broken = books.checkInvariants()
    #expect(broken == nil)
    return (twin, books.eventCount(.unknownOrder), feed.counters)
  }

  @Test(arguments: Seeds.brief)
  func `the books of a seeded file are those of the slow twin`(seed: UInt64) throws {
    let found = try Self.compare(Self.file(seed: seed, lines: 600), stride: 20)
    #expect(found.counters.messages == 600 && found.counters.refusalCount == 0)
  }

  @Test(.enabled(if: InflatedFile.exists(path), "the shared Bitstamp file is not here"))
  func `the books of the real file are those of the slow twin`() throws {
    let bytes = try #require(try InflatedFile.bytes(Self.path))
    let found = try Self.compare(String(decoding: bytes, as: UTF8.self), stride: 500)
    #expect(found.counters.messages == 50_414 && found.counters.refusalCount == 0)
    // created, changed, deleted by their third characters.
    #expect(found.counters.byType[Int(UInt8(ascii: "e"))] == 24_894)
    #expect(found.counters.byType[Int(UInt8(ascii: "a"))] == 602)
    #expect(found.counters.byType[Int(UInt8(ascii: "l"))] == 24_918)
    #expect(found.twin.actions == ["created": 24_894, "changed": 602, "deleted": 24_918])
    // Orders older than the file: 208 deletions and 5 changes.
    #expect(found.unknown == 213 && found.twin.unknown == 213 && found.twin.orders.count == 184)
  }

  @Test func `lines that mean nothing are counted by their reason`() {
    let cases: [(String, FeedRefusal)] = [
      ("", .wrongLength), ("1,2,3,4.5,6,created", .wrongLength), ("1,2,3,4.5,6,created,bid,", .wrongLength),
      ("x,2,3,4.5,6,created,bid", .invalidNumber), ("1,x,3,4.5,6,created,bid", .invalidTime),
      ("1,2,99999999999999,4.5,6,created,bid", .invalidTime), ("1,2,3,0,6,created,bid", .invalidPrice),
      ("1,2,3,4.1234567891,6,created,bid", .invalidPrice), ("1,2,3,-4,6,created,bid", .invalidPrice),
      ("1,2,3,4,-6,created,bid", .invalidQuantity), ("1,2,3,4,0,created,bid", .invalidQuantity),
      ("1,2,3,4,0,changed,bid", .invalidQuantity), ("1,2,3,4,6,create,bid", .unknownType),
      ("1,2,3,4,6,createdcreatedcreated,bid", .unknownType), ("1,2,3,4,6,created,buy", .invalidSide),
    ]
    for (line, refusal) in cases {
      var feed = BitstampFeed(Array((Self.header + line + "\n").utf8).rawBytes, instrument: Self.instrument)
      let isEmpty = feed.next() == nil
      let counters = feed.counters
      #expect(isEmpty && counters.refusals(refusal) == 1 && counters.messages == 1, "\(line)")
    }
  }

  @Test(arguments: Seeds.brief.prefix(3))
  func `cut and damaged files add up`(seed: UInt64) {
    let good = Array(Self.file(seed: seed, lines: 12).utf8)
    func check(_ bytes: [UInt8]) {
      var feed = BitstampFeed(bytes.rawBytes, instrument: Self.instrument)
      var events: UInt64 = 0
      while let event = feed.next() {
        events += 1
        if event.price <= .zero || event.quantity.lots < 0 { Issue.record("\(bytes)") }
      }
      let (counters, ending) = (feed.counters, feed.ending)
      #expect(events + counters.refusalCount == counters.messages && ending != .unfinished)
    }
    for length in 0...good.count { check(Array(good[..<length])) }
    var random = SplitMix64(seed: seed)
    for _ in 0..<1_000 {
      var bytes = good
      for _ in 0..<4 { bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8) }
      check(bytes)
      check((0..<64).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }
  }

  @Test(.enabled(if: countsAllocations)) func `reading lines allocates nothing`() {
    let bytes = Array(Self.file(seed: 3, lines: 5_000).utf8)
    var feed = BitstampFeed(bytes.rawBytes, instrument: Self.instrument)
    for _ in 0..<100 { _ = feed.next() }
    var sum: Int64 = 0
    martlet_count_begin()
    while let event = feed.next() { sum &+= event.price.nanos }
    let counts = martlet_count_end()
    #expect(counts.allocations == 0 && counts.retains == 0 && sum > 0)
  }
}
