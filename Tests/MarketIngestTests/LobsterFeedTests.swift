// Goal: each line becomes the event it means. Method: examples of all types, a slow twin of String and Array over seeded files, damaged ones.

import CAllocationCounter
import LockFreeRings
import MarketIngest
import TestSupport
import Testing
import TradingTypes

@Suite struct LobsterFeedTests {
  static let instrument = InstrumentID(index: 0)
  static let midnight = Timestamp(nanoseconds: 1_340_251_200_000_000_000)

  struct Reading {
    var events: [MarketEvent] = []
    var counters = FeedCounters()
    var ending = TextEnding.unfinished
  }

  static func read(_ bytes: [UInt8], midnight: Timestamp = midnight) -> Reading {
    var feed = LobsterFeed(bytes.rawBytes, midnight: midnight, instrument: instrument)
    var reading = Reading()
    while let event = feed.next() { reading.events.append(event) }
    reading.counters = feed.counters
    reading.ending = feed.ending
    return reading
  }

  static func describe(_ event: MarketEvent) -> String {
    "\(event.sequence) \(event.kind) \(event.time.nanoseconds) \(event.reference.value) \(event.quantity.lots) "
      + "\(event.price.nanos) \(event.side) \(event.flags.rawValue) \(event.code)"
  }

  /// The slow twin: fields as strings.
  static func twin(_ text: String) -> [String] {
    var events: [String] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields.count == 6, let seconds = parseDecimal(fields[0], places: 9), seconds >= 0, seconds < 1 << 62,
        let type = Int(fields[1]), fields[1].count == 1, (1...7).contains(type),
        let order = type == 6 && fields[2].hasPrefix("-")
          ? UInt64(fields[2].dropFirst()).map({ _ in 0 }) : UInt64(fields[2]), let size = UInt64(fields[3]),
        size <= 1 << 32, let price = Int64(fields[4]), ["1", "-1"].contains(fields[5])
      else { continue }
      let time = midnight.nanoseconds + Int64(seconds)
      if type == 7 {
        guard let code = [-1: "H", 0: "Q", 1: "T"][price] else { continue }
        events.append("\(index + 1) tradingStatus \(time) 0 0 0 buy 0 \(Unicode.Scalar(code)!.value)")
        continue
      }
      guard price > 0, size > 0 || type == 3 else { continue }
      let kind = ["addOrder", "reduceOrder", "deleteOrder", "executeOrder", "trade", "crossTrade"][type - 1]
      events.append(
        "\(index + 1) \(kind) \(time) \(order) \(size) \(price * 100_000) \(fields[5] == "1" ? "buy" : "sell") "
          + "\((type == 6 ? 0 : 2) + (type >= 4 ? 1 : 0)) 0")
    }
    return events
  }

  static func day(seed: UInt64, lines: Int) -> String {
    var random = SplitMix64(seed: seed)
    var text = ""
    for line in 0..<lines {
      let type = 1 + random.next() % 7
      let price = type == 7 ? Int64(random.next() % 3) - 1 : Int64(1 + random.next() % 6_000_000)
      text += "\(34_200 + line).\(1 + random.next() % 999_999_999),\(type),"
      text += type == 6 ? "-\(1 + random.next() % 4)," : "\(random.next() % 100_000_000),"
      text += "\(1 + random.next() % 1_000),\(price),\(random.next() % 2 == 0 ? "1" : "-1")\n"
    }
    return text
  }

  @Test(arguments: Seeds.brief)
  func `a seeded day is that of the slow twin`(seed: UInt64) {
    let text = Self.day(seed: seed, lines: 500)
    let reading = Self.read(Array(text.utf8))
    #expect(reading.events.map(Self.describe) == Self.twin(text))
    #expect(reading.events.count == 500 && reading.counters.messages == 500 && reading.ending == .end)
  }

  // A masked side would make every hidden trade since July 2014 one of a seller.
  @Test(arguments: [(0, false), (1_340_251_200, true), (1_405_209_600, true), (1_405_296_000, false)])
  func `the side of a hidden order is told on old days only`(day: Int64, isTold: Bool) {
    let midnight = Timestamp(nanoseconds: day * 1_000_000_000)
    let events = Self.read(Array("1,5,0,1,1,1\n1,4,2,1,1,-1\n".utf8), midnight: midnight).events
    #expect(events.map { $0.flags.contains(.hasSide) } == [isTold, true])
    #expect(events.allSatisfy { $0.flags.contains(.printable) })
  }

  @Test func `lines that mean nothing are counted by their reason`() {
    let cases: [(String, FeedRefusal)] = [
      ("", .wrongLength), ("1,1,1,1,1", .wrongLength), ("1,1,1,1,1,1,1", .wrongLength), ("x,1,1,1,1,1", .invalidTime),
      ("-1,1,1,1,1,1", .invalidTime), ("9223372036,1,1,1,1,1", .invalidTime), ("1,8,1,1,1,1", .unknownType),
      ("1,11,1,1,1,1", .unknownType), ("1,1,-1,1,1,1", .invalidNumber), ("1,1,1,0,1,1", .invalidQuantity),
      ("1,1,1,-5,1,1", .invalidQuantity), ("1,4,1,4294967297,1,1", .invalidQuantity), ("1,1,1,1,0,1", .invalidPrice),
      ("1,1,1,1,1.5,1", .invalidPrice), ("1,1,1,1,-5,1", .invalidPrice), ("1,7,0,0,2,-1", .invalidPrice),
      ("1,1,1,1,1,0", .invalidSide), ("1,1,1,1,1,2", .invalidSide), ("1,1,1,1,1,1x", .wrongLength),
    ]
    for (line, refusal) in cases {
      let reading = Self.read(Array((line + "\n").utf8))
      #expect(reading.events.isEmpty && reading.counters.refusals(refusal) == 1, "\(line)")
      #expect(reading.counters.messages == 1)
    }
    let noisy = Self.read(Array("35821.088778456004,3,44276101,100,5851500,1\n".utf8)).events.first
    #expect(noisy.map { $0.time.nanoseconds - Self.midnight.nanoseconds } == 35_821_088_778_456)
    let crosses = Self.read(Array("34200.5,6,-1,900,1,-1\n34201,6,7,1,1,1\n57600,6,-,1,1,1\n".utf8))
    #expect(
      crosses.events.map(\.kind) == [.crossTrade, .crossTrade] && crosses.events.map(\.reference.value) == [0, 7])
    #expect(crosses.counters.refusals(.invalidNumber) == 1 && crosses.events[0].quantity.lots == 900)
    let open = Self.read(Array("1,1,1,1,1,1\r\n1,3,1,0,1,1".utf8))
    #expect(open.events.count == 2 && open.ending == .openLine(offset: 13, byteCount: 11))
  }

  @Test(arguments: Seeds.brief.prefix(3))
  func `cut and damaged files agree with the slow twin or are refused`(seed: UInt64) {
    let good = Array(Self.day(seed: seed, lines: 12).utf8)
    for length in 0...good.count {
      let reading = Self.read(Array(good[..<length]))
      #expect(UInt64(reading.events.count) + reading.counters.refusalCount == reading.counters.messages)
    }
    var random = SplitMix64(seed: seed)
    for _ in 0..<1_000 {
      var bytes = good
      for _ in 0..<4 { bytes[Int(random.next() % UInt64(bytes.count))] ^= 1 << UInt8(random.next() % 8) }
      let reading = Self.read(bytes)
      #expect(UInt64(reading.events.count) + reading.counters.refusalCount == reading.counters.messages)
      let noise = Self.read((0..<64).map { _ in UInt8(truncatingIfNeeded: random.next()) })
      #expect(noise.events.isEmpty)
    }
  }

  @Test(.enabled(if: countsAllocations)) func `reading lines allocates nothing`() {
    let bytes = Array(Self.day(seed: 3, lines: 5_000).utf8)
    var feed = LobsterFeed(bytes.rawBytes, midnight: Self.midnight, instrument: Self.instrument)
    for _ in 0..<100 { _ = feed.next() }
    var sum: Int64 = 0
    martlet_count_begin()
    while let event = feed.next() { sum &+= event.price.nanos }
    let counts = martlet_count_end()
    #expect(counts.allocations == 0 && counts.retains == 0 && sum > 0)
  }
}
