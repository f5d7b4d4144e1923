import Foundation
import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingTypes

// Goal: the books of a real day are exact. Method: an independent program in Python rebuilds them from the same file with plain dicts; every
// level and the best queues are compared at 100 points and at the end.
@Suite struct DbnSharedTests {
  static let path = "data/cme-mbo-dbn/esh4_20231225.mbo.dbn"
  static let file = SharedData.file(path)
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")

  static let python: URL? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
    return folders.map { URL(fileURLWithPath: "\($0)/python3") }.first {
      FileManager.default.isExecutableFile(atPath: $0.path)
    }
  }()

  @Test(.enabled(if: file != nil, "the shared DBN file is not here"))
  func `a real file has the stated records and nothing is refused`() throws {
    let bytes = [UInt8](try Data(contentsOf: #require(Self.file)))
    let run = try DbnRun(bytes, capacity: 4)
    var kinds: [MarketEventKind: Int] = [:]
    for event in run.events { kinds[event.kind, default: 0] += 1 }
    #expect(
      kinds == [.addOrder: 29_216, .reduceOrder: 17_999, .modifyOrder: 12_233, .information: 6_371, .trade: 2_973])
    #expect(run.types == [0xA0: 68_792] && run.refusals.isEmpty && run.ending == .end)
    #expect(run.symbols == ["ESH4"] && run.publishers == [1])
    let opening = run.events.prefix { $0.flags.contains(.snapshot) && $0.kind == .addOrder }
    #expect(opening.count == 8_725 && run.events.dropFirst(8_725).allSatisfy { !$0.flags.contains(.snapshot) })
    #expect(run.events.allSatisfy { $0.kind == .information || $0.price.nanos % 250_000_000 == 0 })
    // One trade and 35 fills name no side.
    #expect(run.events.count { !$0.flags.contains(.hasSide) } == 36)
    let metadata = try DbnMetadata(bytes.rawBytes)
    #expect(metadata.version == 1 && metadata.schema == 0 && metadata.dataset?.description == "GLBX.MDP3")
  }

  @Test(.enabled(if: file != nil, "the shared DBN file is not here"))
  func `once the market is open the book is locked or crossed in the middle of an event only`() throws {
    let bytes = [UInt8](try Data(contentsOf: #require(Self.file)))
    var books = try dbnBooks(instruments: 1, orders: 16_384, levels: 4_096)
    let opened = Timestamp(nanoseconds: 1_703_545_201_000_000_000)
    var (locked, crossed, whole) = (0, 0, 0)
    _ = try DbnRun(bytes, capacity: 4) { event in
      guard books.apply(event).status == .applied, event.time >= opened else { return }
      let depth = books[depth: InstrumentID(index: 0)]
      guard depth.bids[0].price >= depth.asks[0].price else { return }
      if depth.isCrossed { crossed += 1 } else { locked += 1 }
      if !event.flags.contains(.partial) { whole += 1 }
    }
    // Counted by an independent program too.
    #expect(locked == 288 && crossed == 27 && whole == 0)
  }

  /// One line of the reference.
  struct Line: Decodable {
    var record: UInt64?
    var bids: [[Int64]]?
    var asks: [[Int64]]?
    var bidQueue: [[UInt64]]?
    var askQueue: [[UInt64]]?
    var unknown: Int?
    var records: UInt64?
    var orders: Int?
    var symbols: [String]?
  }

  private static func reference() throws -> [Line] {
    let script = root.appendingPathComponent("Fixtures/references/cme_mbo.py")
    let output = FileManager.default.temporaryDirectory.appendingPathComponent("cme-\(UUID().uuidString).jsonl")
    try Data().write(to: output)
    defer { try? FileManager.default.removeItem(at: output) }
    let process = Process()
    process.executableURL = python
    process.arguments = [script.path, "--points", "100"]
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["MARTLET_SHARED": SharedData.folder.path]
    ) { _, new in new }
    process.standardOutput = try FileHandle(forWritingTo: output)
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    let decoder = JSONDecoder()
    return try String(contentsOf: output, encoding: .utf8).split(separator: "\n").map {
      try decoder.decode(Line.self, from: Data($0.utf8))
    }
  }

  /// What the books of the day and the reference disagree on; the engine's side misses the cancel numbered `lost`.
  private struct Comparison {
    var failures: [String] = []
    var levels = 0
    var points = 0
    var isFinalRight = false

    init(losing lost: Int? = nil) throws {
      let lines = try DbnSharedTests.reference()
      let bytes = [UInt8](try Data(contentsOf: #require(DbnSharedTests.file)))
      // The day has nearly 1,500 price levels at once.
      var books = try dbnBooks(instruments: 1, orders: 16_384, levels: 4_096)
      let arena = Arena(capacityBytes: DbnInstruments.byteCount(capacity: 4))
      var feed = try DbnFeed(bytes.rawBytes, instruments: 4, in: arena)
      var cancels = 0
      for point in lines {
        guard let record = point.record else { continue }
        points += 1
        while feed.counters.messages < record, let event = feed.next() {
          if event.kind == .reduceOrder { cancels += 1 }
          if event.kind == .reduceOrder, cancels == lost { continue }
          let effect = books.apply(event)
          if event.kind.changesBook, effect.status != .applied { failures.append("\(event.sequence): \(effect)") }
        }
        if point.unknown != 0 { failures.append("record \(record): the reference met unknown orders") }
        compare(books, point.bids ?? [], point.bidQueue ?? [], side: .buy, record: record)
        compare(books, point.asks ?? [], point.askQueue ?? [], side: .sell, record: record)
      }
      let last = try #require(lines.last)
      isFinalRight =
        last.records == feed.counters.messages && last.orders == books.liveOrderCount && last.symbols == ["ESH4"]
        && feed.next() == nil && !books.isStale(InstrumentID(index: 0))
    }

    private mutating func compare(
      _ books: borrowing OrderBookSet, _ expected: [[Int64]], _ queue: [[UInt64]], side: Side, record: UInt64
    ) {
      let id = InstrumentID(index: 0)
      var found: [[Int64]] = []
      var orders: [[UInt64]] = []
      books.levels(of: id, side: side) { level in
        found.append([level.price.nanos, level.quantity.lots, Int64(level.orderCount)])
      }
      if let best = books.bestLevel(of: id, side: side) {
        var order = books.firstOrder(of: best)
        while let current = order {
          orders.append([current.reference.value, UInt64(current.quantity.lots)])
          order = books.order(after: current)
        }
      }
      levels += expected.count
      if found != expected { failures.append("record \(record), \(side): the levels differ") }
      if orders != queue { failures.append("record \(record), \(side): the best queue differs") }
    }
  }

  @Test(
    .enabled(if: file != nil, "the shared DBN file is not here"),
    .enabled(if: python != nil, "there is no python3 on the path"))
  func `the books of the day are those of an independent reference at 100 points and at the end`() throws {
    let comparison = try Comparison()
    #expect(comparison.failures.isEmpty, "\(comparison.failures.prefix(3))")
    #expect(comparison.points == 101 && comparison.levels > 100_000 && comparison.isFinalRight)
  }

  @Test(
    .enabled(if: file != nil, "the shared DBN file is not here"),
    .enabled(if: python != nil, "there is no python3 on the path"))
  func `planted fault, one cancel of the day is lost and the comparison sees it`() throws {
    let comparison = try Comparison(losing: 9_000)
    #expect(!comparison.failures.isEmpty && !comparison.isFinalRight)
  }
}
