import EventJournal
import Foundation
import Glibc
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

// Goal: what is acknowledged is on the disk, in order and whole, on each way of writing. Method: write, close, read again.
@Suite(.serialized) struct JournalWriterTests {
  @Test(arguments: [FileStorage.Way.best, .pwrite])
  func `a journal on disk gives back what was published, over segments and restarts`(way: FileStorage.Way) throws {
    try withTemporaryDirectory { path in
      var expected: UInt64 = 0
      for round in 0..<3 {
        let storage = try FileStorage(directory: path, way: way)
        let writer = try JournalWriter(
          storage: storage, configuration: smallConfiguration(), in: Arena(capacityBytes: 2 << 20))
        #expect(writer.recovered.lastSequence == expected && writer.recovered.end == .clean)
        var producer = writer.takeProducer()
        publish(1_000, to: &producer)
        try writer.flush(through: producer.lastSequence, until: .after(milliseconds: 60_000))
        #expect(writer.durableSequence == expected + 1_000)
        try writer.close(until: .after(milliseconds: 60_000))
        expected += 1_000
        if round == 0 { print(writer.summary, writer.counters) }
      }
      let report = try JournalReader.verify(directory: path)
      #expect(report.end == .clean && report.lastSequence == expected && report.lastSealedSequence == expected)
      #expect(report.segments > 3)
      let storage = try FileStorage(directory: path, way: way)
      #expect(expectTicks(in: try storage.images()) == expected)
    }
  }

  @Test func `a second writer of the same directory is refused`() throws {
    try withTemporaryDirectory { path in
      let first = try FileStorage(directory: path)
      #expect(throws: JournalError.isLocked) { _ = try FileStorage(directory: path) }
      first.close()
      _ = try FileStorage(directory: path)
    }
  }

  @Test func `the same events give the same bytes`() throws {
    let first = try journalOfTicks(batches: 5, batchTicks: 20)
    let second = try journalOfTicks(batches: 5, batchTicks: 20)
    #expect(first.map(\.words) == second.map(\.words))
  }

  @Test func `a payload of any length keeps its bytes`() throws {
    let storage = SimulatedStorage()
    let writer = try JournalWriter(
      storage: storage, configuration: smallConfiguration(), in: Arena(capacityBytes: 2 << 20))
    var producer = writer.takeProducer()
    let lengths = Array(0...40) + [producer.payloadBytesMax - 1, producer.payloadBytesMax]
    for length in lengths {
      let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7 + length) }
      while !producer.publish(
        type: 1, schemaVersion: 1, time: Timestamp(nanoseconds: 5), trace: TraceID(source: 1, sequence: 2),
        bytes: unsafe bytes.span.bytes)
      { yieldThread() }
    }
    try writer.close(until: .after(milliseconds: 60_000))
    var place = 0
    var wrong = 0
    let report = JournalReader.replay(segments: storage.images()) { _, payload in
      let length = lengths[place]
      place += 1
      if payload.byteCount != length { wrong += 1 }
      for index in 0..<payload.byteCount {
        // In bounds: below the count of bytes.
        let byte = unsafe payload.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        if byte != UInt8(truncatingIfNeeded: index * 7 + length) { wrong += 1 }
      }
    }
    #expect(report.end == .clean && place == lengths.count && wrong == 0)
  }

  @Test func `a full ring refuses and counts`() throws {
    let storage = SimulatedStorage()
    // The first commit fails, so nothing is drained any more.
    storage.plan(.writeError(EIO), atOperation: 1)
    let writer = try JournalWriter(
      storage: storage, configuration: smallConfiguration(), in: Arena(capacityBytes: 2 << 20))
    var producer = writer.takeProducer()
    var published: UInt64 = 0
    var refused: UInt64 = 0
    publish(1, to: &producer)
    while !writer.isPoisoned { yieldThread() }
    for number in 0..<10_000 as Range<UInt64> {
      if producer.publish(
        type: 1, schemaVersion: 1, time: Timestamp(nanoseconds: 0), trace: TraceID(source: 1, sequence: number),
        payload: Tick(number))
      {
        published += 1
      } else {
        refused += 1
      }
    }
    let counted = producer.refusedCount
    let last = producer.lastSequence
    #expect(refused > 0 && counted == refused && published + refused == 10_000 && last == published + 1)
  }

  @Test func `a clock that goes back is clamped and counted`() throws {
    let storage = SimulatedStorage()
    let writer = try JournalWriter(
      storage: storage, configuration: smallConfiguration(), in: Arena(capacityBytes: 2 << 20))
    var producer = writer.takeProducer()
    for time in [5, 9, 3, 9, 10] as [Int64] {
      _ = producer.publish(
        type: 1, schemaVersion: 1, time: Timestamp(nanoseconds: time), trace: TraceID(source: 1, sequence: 1),
        payload: UInt64(0))
    }
    try writer.close(until: .after(milliseconds: 60_000))
    var times: [Int64] = []
    _ = JournalReader.replay(segments: storage.images()) { header, _ in times.append(header.time.nanoseconds) }
    #expect(times == [5, 9, 9, 9, 10])
    #expect(writer.counters.clampedTimes == 1)
  }

  // Goal: publishing does not touch the heap. Method: the allocation counter, in release.
  @Test(.enabled(if: countsAllocations, "counts mean something in release builds without sanitizers"))
  func `publishing allocates nothing`() throws {
    let storage = SimulatedStorage()
    let writer = try JournalWriter(
      storage: storage, configuration: smallConfiguration(), in: Arena(capacityBytes: 2 << 20))
    var producer = writer.takeProducer()
    publish(10, to: &producer)
    let counts = counting { publish(200, to: &producer) }
    #expect(String(describing: counts) == "martlet_counts(allocations: 0, retains: 0)")
    try writer.close(until: .after(milliseconds: 60_000))
  }
}
