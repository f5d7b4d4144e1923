import EventJournal
import Glibc
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

// Goal: no fault loses an acknowledged record, and a failed write or sync is the end of acknowledgements. Method: a fault at every operation
// of a short run on the simulated storage; whatever was acknowledged must be in what is durable.
@Suite struct JournalFaultTests {
  static let faults: [SimulatedStorage.Fault] = [
    .writeError(EIO), .writeError(ENOSPC), .syncError(EIO), .beginError(ENOSPC), .shortWrite(bytes: 0),
  ]

  @Test(arguments: faults)
  func `a failed operation poisons the journal and loses nothing acknowledged`(fault: SimulatedStorage.Fault) throws {
    for operation in stride(from: 1, to: 40, by: isDebug ? 13 : 1) {
      let storage = SimulatedStorage()
      storage.plan(fault, atOperation: operation)
      // A short write of nothing fails when it comes twice.
      if case .shortWrite = fault { storage.plan(fault, atOperation: operation + 1) }
      let writer = try JournalWriter(
        storage: storage, configuration: smallConfiguration(segmentBytes: 32 << 10), in: Arena(capacityBytes: 2 << 20))
      var producer = writer.takeProducer()
      var acknowledged: UInt64 = 0
      var failure: JournalError?
      for _ in 0..<30 where failure == nil {
        publish(3, to: &producer)
        do throws(JournalError) {
          try writer.flush(through: producer.lastSequence, until: .after(milliseconds: 60_000))
          acknowledged = producer.lastSequence
        } catch {
          failure = error
        }
      }
      var expectedNumber = EIO
      if case .writeError(let number) = fault { expectedNumber = number }
      if case .beginError(let number) = fault { expectedNumber = number }
      if let failure {
        guard case .poisoned(_, let number) = failure else {
          Issue.record("operation \(operation): \(failure)")
          continue
        }
        #expect(number == expectedNumber && writer.isPoisoned)
        // Final: later records are never acknowledged, and every caller is told at once.
        let before = writer.durableSequence
        #expect(throws: failure) { try writer.flush(through: before + 1, until: .never) }
        #expect(throws: failure) { try writer.close(until: .after(milliseconds: 60_000)) }
        #expect(writer.durableSequence == before && before == acknowledged)
      } else {
        // The operation was of another kind, so the fault found nothing to do.
        try writer.close(until: .after(milliseconds: 60_000))
        #expect(acknowledged == 90)
      }
      for keeps in [false, true] {
        let images = storage.imagesAfterPowerCut { _ in keeps }
        let report = JournalReader.verify(segments: images, acknowledged: acknowledged)
        #expect(report.mayContinue && report.lastSequence >= acknowledged, "operation \(operation), \(report)")
        expectTicks(in: images)
      }
    }
  }

  @Test(arguments: [1, 7, 512, 4095, 4096, 5000])
  func `a short write is continued at the exact offset`(bytes: Int) throws {
    let storage = SimulatedStorage()
    for operation in 1..<20 { storage.plan(.shortWrite(bytes: bytes), atOperation: operation * 2) }
    let writer = try JournalWriter(
      storage: storage, configuration: smallConfiguration(), in: Arena(capacityBytes: 2 << 20))
    var producer = writer.takeProducer()
    for _ in 0..<12 {
      publish(90, to: &producer)
      try writer.flush(through: producer.lastSequence, until: .after(milliseconds: 60_000))
    }
    try writer.close(until: .after(milliseconds: 60_000))
    #expect(writer.counters.shortWrites > 0)
    #expect(JournalReader.verify(segments: storage.images()).end == .clean)
    #expect(expectTicks(in: storage.images()) == 1_080)
  }

  @Test(arguments: Seeds.brief)
  func `a power cut loses nothing acknowledged, and the journal goes on behind it`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<(isDebug ? 4 : 40) {
      let storage = SimulatedStorage()
      let last = 2 + random.below(12)
      // Two in a row: one of them is a commit and not the begin of a segment.
      storage.plan(.syncError(EIO), atOperation: last)
      storage.plan(.syncError(EIO), atOperation: last + 1)
      let writer = try JournalWriter(
        storage: storage, configuration: smallConfiguration(), in: Arena(capacityBytes: 2 << 20))
      var producer = writer.takeProducer()
      var acknowledged: UInt64 = 0
      while true {
        publish(1 + random.below(100), to: &producer)
        do throws(JournalError) {
          try writer.flush(through: producer.lastSequence, until: .after(milliseconds: 60_000))
          acknowledged = producer.lastSequence
        } catch {
          break
        }
      }
      acknowledged = max(acknowledged, writer.durableSequence)
      var coins = random
      let images = storage.imagesAfterPowerCut { _ in coins.below(2) == 0 }
      random = coins
      let report = JournalReader.verify(segments: images, acknowledged: acknowledged)
      #expect(report.mayContinue && report.lastSequence >= acknowledged, "seed \(seed): \(report)")
      expectTicks(in: images)

      // A restart appends in a new segment, and the whole reads as one journal; twice, so that recovery itself is recovered.
      let restarted = SimulatedStorage(images: images)
      for round in 0..<2 as Range<UInt64> {
        let second = try JournalWriter(
          storage: restarted, configuration: smallConfiguration(), in: Arena(capacityBytes: 2 << 20))
        #expect(second.recovered.lastSequence == report.lastSequence + round * 10, "seed \(seed)")
        var more = second.takeProducer()
        publish(10, to: &more)
        try second.close(until: .after(milliseconds: 60_000))
      }
      let after = JournalReader.verify(segments: restarted.images())
      #expect(after.end == .clean && after.lastSequence == report.lastSequence + 20, "seed \(seed): \(after)")
      expectTicks(in: restarted.images())
    }
  }
}
