import LockFreeRings
import MarketIngest
import TestSupport
import Testing
import TradingTypes

// Goal: no bytes trap, and damage is told where it is. Method: every prefix, bit flips and random bytes against the slow twin; damaged
// metadata by hand.
@Suite struct DbnDamageTests {
  private static func metadata(of bytes: [UInt8]) throws(ConfigurationError) -> DbnMetadata {
    try DbnMetadata(bytes.rawBytes)
  }

  /// Whether feed and twin agree on `bytes`, damaged metadata included.
  private static func disagreement(_ bytes: [UInt8]) -> String? {
    let twin = DbnTwin(bytes, capacity: 3)
    do throws(ConfigurationError) {
      let run = try DbnRun(bytes, capacity: 3)
      guard let twin else { return "read, but its metadata is damaged" }
      // Each record is counted once, and every event has the number of a record that was understood.
      let understood = run.types.values.reduce(0, +)
      if understood + run.counters.refusalCount != run.counters.messages { return "the counters do not add up" }
      return run.difference(from: twin)
    } catch {
      return twin == nil ? nil : "refused: \(error)"
    }
  }

  @Test(arguments: [UInt8(1), 2, 3]) func `the metadata says what was asked for`(version: UInt8) throws {
    var writer = DbnWriter(version: version, hasSendTimes: true)
    writer.metadata(
      schema: 3, symbols: ["A", "BB"], partial: ["BB"], notFound: ["C", "D", "E"], mappings: DbnStream.mappings,
      end: 1_700_000_001_000_000_000)
    let metadata = try Self.metadata(of: writer.bytes)
    #expect(metadata.version == version && metadata.schema == 3 && metadata.dataset?.description == "TEST.DATA")
    #expect(metadata.start?.nanoseconds == 1_700_000_000_000_000_000 && metadata.limit == 77)
    #expect(metadata.end?.nanoseconds == 1_700_000_001_000_000_000)
    #expect(metadata.symbolTypeIn == 1 && metadata.symbolTypeOut == 0 && metadata.hasSendTimes)
    #expect(metadata.symbolByteCount == (version == 1 ? 22 : 71))
    #expect(metadata.symbolCount == 2 && metadata.partialCount == 1 && metadata.notFoundCount == 3)
    #expect(metadata.mappingCount == 3 && metadata.recordsOffset == writer.bytes.count)
    let bytes = writer.bytes
    let symbols = [7, 8, 9, 10, 4_000_000_000].map { number in
      metadata.symbol(ofInstrument: number, in: bytes.rawBytes)?.description
    }
    // A blank is no character of a symbol, and 17 characters are too many.
    #expect(symbols == ["ALPHA", nil, nil, nil, nil])
    var all: [String] = []
    metadata.forEachSymbol(in: bytes.rawBytes) { all.append("\($0) \($1?.description ?? "-")") }
    #expect(all == ["7 ALPHA", "8 -", "9 -", "4000000000 -"])
    // An open end, a mixed schema, and numbers mapped to symbols.
    var other = DbnWriter(version: version)
    other.metadata(
      schema: .max, mappings: [.init(symbol: "12", intervals: [(1, 2, "ONE"), (2, 3, "TWO")])], types: (0, 1))
    let open = try Self.metadata(of: other.bytes)
    let others = other.bytes
    let name = open.symbol(ofInstrument: 12, in: others.rawBytes)?.description
    var names: [String?] = []
    open.forEachSymbol(in: others.rawBytes) { if $0 == 12 { names.append($1?.description) } }
    #expect(names == ["ONE", "TWO"])
    #expect(open.end == nil && open.schema == nil && !open.hasSendTimes && name == "ONE")
  }

  @Test func `a symbol length of the file's own is followed`() throws {
    var writer = DbnWriter(version: 2)
    writer.metadata(mappings: [.init(symbol: "LONGNAME", intervals: [(1, 2, "5")])], symbolByteCount: 8)
    writer.order("A", "B", order: 1, price: 5, size: 1, publisher: 2, instrument: 5)
    let run = try DbnRun(writer.bytes)
    #expect(run.symbols == ["LONGNAME"] && run.publishers == [2] && run.events.count == 1)
  }

  @Test func `damaged metadata is refused in one line that names the place`() throws {
    var writer = DbnWriter(version: 2)
    writer.metadata(symbols: ["A"], mappings: DbnStream.mappings)
    let good = writer.bytes
    func message(_ change: (inout [UInt8]) -> Void) -> String {
      var bytes = good
      change(&bytes)
      do throws(ConfigurationError) {
        _ = try Self.metadata(of: bytes)
        return ""
      } catch { return error.description }
    }
    #expect(message { _ in } == "")
    #expect(message { $0 = [] }.contains("offset 0"))
    #expect(message { $0[0] = 0x45 }.contains("the letters DBN"))
    #expect(message { $0.replaceSubrange(0..<4, with: [0x28, 0xB5, 0x2F, 0xFD]) }.contains("zstd"))
    for version in [UInt8(0), 4, 255] { #expect(message { $0[3] = version }.contains("\(version) found")) }
    #expect(message { $0.removeLast() }.contains("offset 4"))
    #expect(message { $0.replaceSubrange(4..<8, with: [119, 0, 0, 0]) }.contains("119 stated"))
    #expect(message { $0.replaceSubrange(53..<55, with: [0, 0]) }.contains("symbol length"))
    #expect(message { $0.replaceSubrange(108..<112, with: [255, 255, 255, 255]) }.contains("schema definition"))
    #expect(message { $0.replaceSubrange(112..<116, with: [255, 255, 255, 255]) }.contains("symbols"))
    #expect(message { $0.replaceSubrange(195..<199, with: [4, 0, 0, 0]) }.contains("mapp"))
  }

  @Test(arguments: DbnFeedTests.kinds.filter { !$0.hasSendTimes && $0.version != 2 })
  func `every prefix of a stream ends at a border or as truncated`(kind: DbnFeedTests.Kind) throws {
    let bytes = kind.stream(seed: 9, records: 4).writer.bytes
    let start = try Self.metadata(of: bytes).recordsOffset
    for length in 0...bytes.count {
      let prefix = Array(bytes.prefix(length))
      let disagreement = Self.disagreement(prefix)
      #expect(disagreement == nil, "\(length) bytes")
      guard length >= start else { continue }
      let run = try DbnRun(prefix)
      switch run.ending {
      case .end: break
      case .truncated(let offset, let count): #expect(offset + count == length)
      default: Issue.record("\(length) bytes: \(run.ending)")
      }
    }
  }

  @Test(arguments: DbnStream.Schema.allCases, Seeds.brief.prefix(2))
  func `flipped bits and random records never trap and read as by the twin`(
    schema: DbnStream.Schema, seed: UInt64
  ) throws {
    let kind = DbnFeedTests.Kind(schema: schema, version: 2, hasSendTimes: false)
    let good = kind.stream(seed: seed, records: 30).writer.bytes
    let start = try Self.metadata(of: good).recordsOffset
    var random = SplitMix64(seed: seed)
    var damaged = 0
    for round in 0..<80 {
      var bytes = good
      // Every third round the metadata too; the rest in the records, where damage would be hidden behind a refused file otherwise.
      let first = round % 3 == 0 ? 0 : start
      for _ in 0..<1 + Int(random.next() % 12) {
        let place = first + Int(random.next() % UInt64(bytes.count - first))
        bytes[place] ^= 1 << UInt8(random.next() % 8)
      }
      if round % 10 == 9 {
        for place in start..<bytes.count { bytes[place] = UInt8(truncatingIfNeeded: random.next()) }
      }
      let disagreement = Self.disagreement(bytes)
      #expect(disagreement == nil, "seed \(seed), round \(round)")
      if bytes != good { damaged += 1 }
    }
    #expect(damaged > 60)
  }

  @Test func `a record shorter than its header loses the framing, and asking again gives the end again`() throws {
    var writer = DbnWriter(version: 1)
    writer.metadata()
    writer.order("A", "B", order: 1, price: 5, size: 1)
    let place = writer.bytes.count
    let bytes = writer.bytes + [3] + [UInt8](repeating: 1, count: 60)
    let arena = Arena(capacityBytes: DbnInstruments.byteCount(capacity: 1))
    var feed = try DbnFeed(bytes.rawBytes, instruments: 1, in: arena)
    var events = 0
    for _ in 0..<4 { if feed.next() != nil { events += 1 } }
    #expect(events == 1 && feed.ending == .shortRecord(offset: place, byteCount: 12))
  }
}
