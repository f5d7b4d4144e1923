import EventJournal
import Foundation
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

@testable import TradingEngine

// Goal: a replay repeats a refit whole or not at all, wherever a crash cut the journal. Method: a journal of decisions and refits of four
// instruments, cut at every place; what is read compared with the records that are there. Then journals that no crash leaves.
@Suite struct RefitHistoryTests {
  static let instruments = 4

  static func bar(_ number: UInt64) -> Timestamp { Timestamp(nanoseconds: Int64(number) * 60_000_000_000) }

  static func decide(_ sequence: UInt64, _ sink: inout JournalSink) {
    sink.record(
      Decision(sequence: sequence, time: bar(sequence), instrument: InstrumentID(index: 0), verdict: .noSignal),
      plan: RoutePlan(filler: .nothing))
  }

  /// Writes into the journal in `folder`, behind what is there.
  static func write(into folder: String, _ body: (inout JournalSink) throws -> Void) throws {
    var configuration = JournalWriter.Configuration()
    configuration.segmentBytes = 32 << 10
    configuration.batchBytesMax = 16 << 10
    let writer = try JournalWriter(
      storage: try FileStorage(directory: folder), configuration: configuration, in: Arena(capacityBytes: 8 << 20))
    var sink = JournalSink(writer, source: 1)
    try body(&sink)
    try writer.flush(through: sink.lastSequence, until: .after(milliseconds: 60_000))
    try writer.close(until: .after(milliseconds: 60_000))
  }

  static func segment(of folder: String) throws -> URL {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { UInt64($0) != nil }
    return URL(fileURLWithPath: folder).appending(path: try #require(names.max()))
  }

  @Test func `a journal that was cut anywhere gives whole refits, and says which it left out`() throws {
    let bytes = try JournalFolder.inFolder { folder in
      try Self.write(into: folder) { sink in
        for number in 1...3 as ClosedRange<UInt64> {
          Self.decide(number, &sink)
          for record in try RefitModels.refit(number) { sink.record(record) }
          sink.record(ExecutionReport.nothing)
          Self.decide(number, &sink)
        }
      }
      return [UInt8](try Data(contentsOf: Self.segment(of: folder)))
    }
    let end = try #require(bytes.lastIndex { $0 != 0 })
    var seen: Set<Int> = []
    for place in stride(from: 4_096, through: end + 40, by: 40) {
      var words = bytes
      for index in place..<max(place, end + 1) { words[index] = 0 }
      let image = SegmentImage(number: 1, bytes: words)
      var there = 0
      _ = JournalReader.replay(segments: [image]) { header, _ in
        if header.type == JournalRecord.refit.rawValue { there += 1 }
      }
      let history = try RefitHistory(segments: [image])
      let (whole, rest) = (there / Self.instruments, there % Self.instruments)
      #expect(history.records.count == whole * Self.instruments && history.cuts.count == (rest > 0 ? 1 : 0))
      let isSame = try history.plan().count == whole
      #expect(isSame)
      guard let cut = history.cuts.first else { continue }
      seen.insert(cut.found)
      #expect(cut.number == UInt64(whole) + 1 && cut.barrier == Self.bar(cut.number) && cut.found == rest)
      #expect(cut.expected == Self.instruments)
      #expect(cut.description.contains("\(rest) of 4 records") && cut.description.hasSuffix("left out whole"))
    }
    #expect(seen == [1, 2, 3])
  }

  @Test func `a journal that went on after a cut has what came later`() throws {
    try JournalFolder.inFolder { folder in
      try Self.write(into: folder) { sink in
        for record in try RefitModels.refit(1) { sink.record(record) }
        for record in try RefitModels.refit(2).prefix(3) { sink.record(record) }
      }
      // A day later; its refits are counted from 1 again.
      try Self.write(into: folder) { sink in
        sink.record(ExecutionReport.nothing)
        Self.decide(900, &sink)
        for var record in try RefitModels.refit(1) {
          record.barrier = Self.bar(1_000)
          sink.record(record)
        }
      }
      let history = try RefitHistory(inJournal: folder)
      #expect(history.records.count == 8 && history.cuts.map(\.number) == [2] && history.cuts[0].found == 3)
      let plan = try history.plan()
      #expect(plan.groups.map(\.barrier) == [Self.bar(1), Self.bar(1_000)])
    }
  }

  /// What is wrong with a journal that `body` writes.
  static func fault(_ body: (inout JournalSink) throws -> Void) throws -> RefitHistoryError? {
    try JournalFolder.inFolder { folder in
      try write(into: folder, body)
      do throws(RefitHistoryError) { _ = try RefitHistory(inJournal: folder) } catch { return error }
      return nil
    }
  }

  @Test func `a refit that lacks records though nothing was cut is refused`() throws {
    let records = try RefitModels.refit(5)
    let missing = try Self.fault { sink in
      for record in records.prefix(2) { sink.record(record) }
      Self.decide(9, &sink)
    }
    let cut = RefitHistory.Cut(number: 5, barrier: Self.bar(5), found: 2, expected: 4, lastSequence: 2)
    #expect(missing == .incomplete(cut, before: 3))
    let line = "journal record 3: the rest of a refit expected; refit 5 at the bar's end 300000000000: 2 of 4 records"
    #expect(missing?.description == line + " up to journal record 2, left out whole")
    let other = try Self.fault { sink in
      for record in records.prefix(3) { sink.record(record) }
      for record in try RefitModels.refit(6) { sink.record(record) }
    }
    #expect(other?.description.hasPrefix("journal record 4: the rest of a refit expected") == true)
    let gap = try Self.fault { sink in
      for place in [0, 1, 3] { sink.record(records[place]) }
      Self.decide(9, &sink)
    }
    #expect(gap?.description.hasPrefix("journal record 4: the rest of a refit expected") == true)
    let twice = try Self.fault { sink in
      for place in [0, 1, 1] { sink.record(records[place]) }
    }
    #expect(twice?.description.hasPrefix("journal record 3: the rest of a refit expected") == true)
  }

  @Test func `a record of another version or of other bytes is refused by its place`() throws {
    let words = try RefitModels.refit(1, instruments: 1)[0].journalWords
    func fault(version: UInt8, spoiled: Bool) throws -> RefitHistoryError? {
      try Self.fault { sink in
        var payload = words
        if spoiled { payload[1] = 0 }
        Self.decide(1, &sink)
        _ = sink.producer.publish(
          type: JournalRecord.refit.rawValue, schemaVersion: version, time: Self.bar(1),
          trace: TraceID(source: 1, sequence: 1), payload: payload)
      }
    }
    #expect(JournalRecord.refit.schemaVersion == 2)
    #expect(try fault(version: 2, spoiled: false) == nil)
    #expect(try fault(version: 2, spoiled: true) == .unreadable(sequence: 2))
    for version in [1, 3] as [UInt8] {
      let found = try fault(version: version, spoiled: false)
      #expect(found?.description == "journal record 2: a refit of version \(version), 2 expected")
    }
  }

  @Test func `a plan takes whole refits that rise in time`() throws {
    func fault(_ records: [RefitRecord]) -> String? {
      do throws(ConfigurationError) { _ = try RefitPlan(repeating: records) } catch { return error.description }
      return nil
    }
    let (first, second) = (try RefitModels.refit(1), try RefitModels.refit(2))
    #expect(fault(first + second) == nil && fault([]) == nil)
    // As the collector of another topology hands them on.
    #expect(fault([0, 2, 1, 3].map { first[$0] } + second.reversed()) == nil)
    let half = "refit 2 at the bar's end 120000000000: 2 of 4 records, all expected"
    #expect(fault(first + second.prefix(2)) == half && fault(second.prefix(2) + first) == half)
    #expect(fault(second + first) == "refit 1 at the bar's end 60000000000: one after 120000000000 expected")
    #expect(fault(Array(second.dropFirst()))?.contains("3 of 4 records") == true)
  }
}
