import EngineTelemetry
import EventJournal
import Foundation
import LockFreeRings
import TradingTypes

/// What is written down: latencies and the journal.
extension MicroBenchmarks {
  static let recordNames = ["journal.publish", "journal.durable", "telemetry.record"]

  func recordRows(_ samples: WalkSamples, _ isSelected: (String) -> Bool) throws -> [MicroRow] {
    var rows: [MicroRow] = []
    if isSelected("journal.publish"), !samples.decisions.isEmpty {
      rows.append(try publishing(samples).row("journal.publish"))
    }
    if isSelected("telemetry.record") { rows.append(recording(samples).row("telemetry.record")) }
    return rows
  }

  /// One decision copied into the journal's ring. The ring is emptied between batches, untimed, into memory.
  @inline(never) private func publishing(_ samples: WalkSamples) throws -> MicroTiming {
    var configuration = JournalWriter.Configuration()
    configuration.seed = 1
    var journal = try SteppedJournal(
      storage: SimulatedStorage(), configuration: configuration, in: Arena(capacityBytes: 16 << 20))
    var producer = journal.takeProducer()
    let words = 4 + (MemoryLayout<Decision>.size + 7) / 8
    // A sixteenth stays free, so that no record is refused.
    let batch = configuration.ringWords / words / 16 * 15
    var timing = MicroTiming(effort, clock: clock)
    let decisions = samples.decisions.span
    var place = 0
    var refused = 0
    while timing.goesOn {
      let start = clock.now()
      for _ in 0..<batch {
        let decision = decisions[hidden(place)]
        let trace = TraceID(source: 1, sequence: decision.sequence)
        if !producer.publish(type: 1, schemaVersion: 1, time: decision.time, trace: trace, payload: decision) {
          refused += 1
        }
        place = place + 1 == decisions.count ? 0 : place + 1
      }
      timing.add(from: start, to: clock.now(), operations: batch)
      while try journal.commit() > 0 {}
    }
    guard refused == 0 else { throw UsageError("journal.publish: \(refused) records were refused") }
    return timing
  }

  /// One latency recorded in the histogram of a stage.
  @inline(never) private func recording(_ samples: WalkSamples) -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock)
    var stages = StageClock(in: Arena(capacityBytes: 4 << 20))
    // Latencies between 64 ns and 64 µs, spread by the sizes that the market sent.
    let values = samples.events.map { 64 + (abs($0.quantity.lots &* 7_919) & 0xFFFF) }
    let latencies = values.span
    var place = 0
    while timing.goesOn {
      let start = clock.now()
      for _ in 0..<timing.operations {
        stages.record(latencies[hidden(place)], in: .inference)
        place = place + 1 == latencies.count ? 0 : place + 1
      }
      timing.add(from: start, to: clock.now(), operations: timing.operations)
    }
    keep(stages[.inference].count)
    return timing
  }

  /// From publishing a record until it is durable, one at a time, on the disk that holds temporary files.
  func durableRows(notes: inout [String]) throws -> [MicroRow] {
    guard effort.durableRecords > 0 else { return [] }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = JournalWriter.Configuration()
    configuration.segmentBytes = 16 << 20
    configuration.thread.processor = processors.first
    let arena = Arena(capacityBytes: 16 << 20)
    let journal = try JournalWriter(
      storage: FileStorage(directory: folder.path), configuration: configuration, in: arena)
    notes.append(journal.summary)
    var producer = journal.takeProducer()
    var latencies = LatencyHistogram(in: arena)
    for number in 1...UInt64(effort.durableRecords) {
      let start = clock.now()
      guard
        producer.publish(
          type: 1, schemaVersion: 1, time: Timestamp(nanoseconds: Int64(number)),
          trace: TraceID(source: 1, sequence: number), payload: number)
      else { throw UsageError("journal.durable: the ring is full") }
      while journal.durableSequence < producer.lastSequence {
        if journal.isPoisoned { throw UsageError("journal.durable: the disk of \(folder.path) refused a write") }
        spinPause()
      }
      latencies.record(clock.nanoseconds(from: start, to: clock.now()))
    }
    try journal.close(until: .after(milliseconds: 5_000))
    let median = latencies.percentile(.p50) ?? latencies.value(atRank: (latencies.count + 1) / 2)
    return [
      MicroRow(
        name: "journal.durable", unit: "ns", min: latencies.nanosecondsMin.map(Double.init), p50: Double(median),
        p90: latencies.percentile(.p90).map(Double.init), p99: latencies.percentile(.p99).map(Double.init),
        p999: latencies.percentile(.p999).map(Double.init), max: latencies.nanosecondsMax.map(Double.init))
    ]
  }
}
