import EventJournal
import Foundation
import LockFreeRings
import Testing
import TradingTypes

/// Whether this is a build without optimisation: exhaustive loops then take every so many-th case.
let isDebug: Bool = {
  var isDebug = false
  assert(
    {
      isDebug = true
      return true
    }())
  return isDebug
}()

/// A payload without padding.
struct Tick: BitwiseCopyable, Sendable, Equatable {
  var number: UInt64
  var price: Int64
  var quantity: Int64

  init(_ number: UInt64) {
    self.number = number
    price = Int64(number) * 10_000
    quantity = -Int64(number)
  }
}

/// Settings of small, reproducible journals.
func smallConfiguration(segmentBytes: Int = 64 << 10, batchBytesMax: Int = 8 << 10) -> JournalWriter.Configuration {
  var configuration = JournalWriter.Configuration()
  configuration.segmentBytes = segmentBytes
  configuration.batchBytesMax = batchBytesMax
  configuration.ringWords = 1 << 12
  configuration.seed = 42
  configuration.idleNanoseconds = 1_000
  configuration.clock = { (wall: 1, monotonic: 2) }
  return configuration
}

/// Publishes `Tick(sequence)` `count` times, waiting for room.
func publish(_ count: Int, to producer: inout JournalProducer) {
  for _ in 0..<count {
    let number = producer.lastSequence + 1
    while !producer.publish(
      type: UInt16(number % 7 + 1), schemaVersion: 3, time: Timestamp(nanoseconds: Int64(number) * 100),
      trace: TraceID(source: 9, sequence: number), payload: Tick(number))
    { yieldThread() }
  }
}

/// The segments of a journal of ticks, `batches` batches of `batchTicks`, each batch durable before the next begins.
func journalOfTicks(
  batches: Int, batchTicks: Int, configuration: JournalWriter.Configuration = smallConfiguration()
) throws -> [SegmentImage] {
  let storage = SimulatedStorage()
  var journal = try SteppedJournal(
    storage: storage, configuration: configuration, in: Arena(capacityBytes: 2 << 20))
  var producer = journal.takeProducer()
  for _ in 0..<batches {
    publish(batchTicks, to: &producer)
    let count = try journal.commit()
    let durable = journal.durableSequence
    let last = producer.lastSequence
    #expect(count == batchTicks && durable == last)
  }
  return storage.images()
}

/// Replays `segments` and checks that the records are the ticks 1, 2, 3, …; how many there are.
@discardableResult func expectTicks(
  in segments: [SegmentImage], location: SourceLocation = #_sourceLocation
) -> UInt64 {
  var count: UInt64 = 0
  var wrong = 0
  let report = JournalReader.replay(segments: segments) { header, payload in
    count += 1
    let tick = Tick(count)
    let expected = [tick.number, UInt64(bitPattern: tick.price), UInt64(bitPattern: tick.quantity)]
    var isRight = header.sequence == count && payload.byteCount == 24 && header.schemaVersion == 3
    isRight = isRight && header.type == UInt16(count % 7 + 1) && header.time.nanoseconds == Int64(count) * 100
    isRight = isRight && header.trace == TraceID(source: 9, sequence: count)
    for place in 0..<min(24, payload.byteCount) {
      // In bounds: below the count of bytes.
      let byte = unsafe payload.unsafeLoad(fromByteOffset: place, as: UInt8.self)
      isRight = isRight && byte == UInt8(truncatingIfNeeded: expected[place / 8] >> UInt64(8 * (place & 7)))
    }
    if !isRight { wrong += 1 }
  }
  #expect(wrong == 0, sourceLocation: location)
  #expect(report.lastSequence == count, sourceLocation: location)
  return count
}

/// A new directory that is gone after `body`.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}
