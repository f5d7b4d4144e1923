import BacktestHarness
import CAllocationCounter
import EngineTelemetry
import Foundation
import LockFreeRings
import TradingEngine

/// The passes over the whole engine: one at full speed without probes, then one for each offered rate with them.
struct EnginePasses {
  let setup: ReplaySetup
  let input: BenchInput
  let clock: TickClock
  let isQuick: Bool
  /// Whether idle moments are used for dry runs.
  var keepsWarm = true

  /// Idle time between two slices of a dry run.
  private static let warmNanoseconds: Int64 = 10_000

  /// What one pass leaves behind.
  private struct Outcome {
    var messages: UInt64
    var nanoseconds: Int64
    var counts: PipelineCounts
    var countsBefore: PipelineCounts
    var checksum: String
    var firstTrip: KillTrip?
  }

  func run(rates: [Int64], into report: inout BenchReport, curves: inout [PercentileCurve]) throws {
    try warmUp()

    let (free, allocations) = try fullSpeed(notes: &report.machine.notes)
    report.input.messages = free.messages
    report.counts = BenchReport.Counts(free.counts, since: free.countsBefore, messages: free.messages)
    report.checksum = free.checksum
    report.throughput = BenchReport.Throughput(
      messagesPerSecond: Double(free.messages) * 1e9 / Double(max(1, free.nanoseconds)),
      nanoseconds: Double(free.nanoseconds) / Double(max(1, free.messages)))
    report.allocationsPerEvent = Double(allocations.allocations) / Double(max(1, free.messages))
    report.retainsPerEvent = Double(allocations.retains) / Double(max(1, free.messages))
    if let trip = free.firstTrip {
      report.machine.notes.append(
        "the kill switch tripped first at event time \(Readable.digits(Double(trip.time.nanoseconds) / 1e9)) s: "
          + "\(trip.scope) is \(trip.level), \(trip.reason)")
    }

    // The rate of the objectives is judged; without it the first one asked for.
    let judged = rates.contains(BenchInput.objectiveRate) ? BenchInput.objectiveRate : rates[0]
    for rate in rates {
      progress("offering \(rate) messages a second")
      let arena = Arena(capacityBytes: 64 << 20)
      var gaps = LatencyHistogram(in: arena)
      HiccupBaseline.measure(seconds: isQuick ? 0.25 : 2, clock: clock, into: &gaps)
      let probe = StageProbe(clock: clock, in: arena)
      var pipeline = try setup.makePipeline(probe: probe, sink: DecisionChecksum())
      let (checksum, achieved) = paced(&pipeline, rate: rate)
      guard checksum == free.checksum else {
        throw UsageError("decisions at \(rate)/s have checksum \(checksum), at full speed \(free.checksum)")
      }
      report.rates.append(RateRow(offered: rate, achieved: achieved, endToEnd: pipeline.probe.stages.endToEnd))
      let label = rate >= 1_000_000 ? "\(rate / 1_000_000) M/s" : "\(rate / 1_000) k/s"
      curves.append(PercentileCurve("end to end, \(label)", pipeline.probe.stages.endToEnd))
      guard rate == judged else { continue }
      report.hiccup = BenchReport.Hiccup(gaps)
      for stage in PipelineStage.allCases {
        report.stages.append(LatencyRow(stage.name, pipeline.probe.stages[stage]))
        curves.append(PercentileCurve("\(stage.name), \(label)", pipeline.probe.stages[stage]))
      }
      report.endToEnd = LatencyRow("end_to_end", pipeline.probe.stages.endToEnd)
      report.tickToOrder = LatencyRow("tick_to_order", pipeline.probe.stages.tickToOrder)
    }
  }

  // MARK: - Passes

  /// A second engine goes over the first messages and is thrown away: code, tables and lazy parts are then warm.
  private func warmUp() throws {
    progress("warming up")
    var timed = try setup.makePipeline(
      probe: StageProbe(clock: clock, in: Arena(capacityBytes: 64 << 20)), sink: DecisionChecksum())
    replay(&timed, limit: 100_000)
    var free = try setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    replay(&free, limit: 100_000)
  }

  /// Everything at once, without probes; counts what the thread allocates between the first and the last message.
  private func fullSpeed(notes: inout [String]) throws -> (Outcome, martlet_counts) {
    progress("replaying at full speed")
    let arena = Arena(capacityBytes: setup.arenaBytes)
    var pipeline = try setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum(), arena: arena)
    notes.append("memory: \(arena.report().description)")
    var frames = ItchFrames(input.bytes.rawBytes)
    var sequence: UInt64 = 0
    let last = input.warmCount &+ min(input.measuredCount, .max &- input.warmCount)
    while sequence < input.warmCount, let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
    }
    let countsBefore = pipeline.counts
    martlet_count_begin()
    let start = clock.now()
    while sequence < last, let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
    }
    let end = clock.now()
    let counts = martlet_count_end()
    pipeline.finish()
    return (
      Outcome(
        messages: sequence - min(sequence, input.warmCount), nanoseconds: clock.nanoseconds(from: start, to: end),
        counts: pipeline.counts, countsBefore: countsBefore, checksum: pipeline.sink.hex,
        firstTrip: pipeline.kill.tripCount > 0 ? pipeline.kill.trip(at: max(0, pipeline.kill.tripCount - 64)) : nil),
      counts
    )
  }

  /// Message i is due at start + i/rate; the thread spins until then and charges any delay to the message.
  private func paced(
    _ pipeline: inout ReplayPipeline<StageProbe, DecisionChecksum>, rate: Int64
  ) -> (checksum: String, achieved: Double) {
    var frames = ItchFrames(input.bytes.rawBytes)
    var sequence: UInt64 = 0
    let last = input.warmCount &+ min(input.measuredCount, .max &- input.warmCount)
    while sequence < input.warmCount, let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
    }
    pipeline.probe.stages.reset()
    let pacer = OpenLoopPacer(clock: clock, rate: rate)
    var sent: UInt64 = 0
    // Idle moments as a host would use them: the model's work that can wait at once, a dry run now and then.
    let warmTicks = clock.ticks(Self.warmNanoseconds)
    var warmed = clock.now()
    while sequence < last, let message = frames.next() {
      while !pacer.isDue(sent) {
        if pipeline.advanceModel() { continue }
        let now = clock.now()
        // Wrapping: the clock only grows.
        if keepsWarm, now &- warmed >= warmTicks {
          pipeline.keepWarm()
          warmed = now
        }
      }
      pipeline.probe.schedule(pacer.due(sent))
      sequence += 1
      sent += 1
      pipeline.ingest(message, sequence: sequence)
    }
    let end = clock.now()
    pipeline.finish()
    return (pipeline.sink.hex, pacer.achieved(messages: sent, until: end))
  }

  private func replay<Probe: PipelineProbe & ~Copyable>(
    _ pipeline: inout ReplayPipeline<Probe, DecisionChecksum>, limit: UInt64
  ) {
    var frames = ItchFrames(input.bytes.rawBytes)
    var sequence: UInt64 = 0
    while sequence < limit, let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
    }
    pipeline.finish()
  }

  /// Long work says what it does, on a terminal.
  private func progress(_ text: String) {
    guard isatty(STDERR_FILENO) == 1 else { return }
    FileHandle.standardError.write(Data("bench: \(text) …\n".utf8))
  }
}

extension BenchReport.Counts {
  /// What a pipeline did with `messages` measured messages: its counts less those before the first of them.
  init(_ counts: PipelineCounts, since before: PipelineCounts, messages: UInt64) {
    self.init(
      messages: messages, triggers: counts.triggers - before.triggers, decisions: counts.decisions - before.decisions,
      orders: counts.orders - before.orders, fills: counts.fills - before.fills)
    for code in 0..<41 where counts.rejects[code] > before.rejects[code] {
      let name = RiskCheck(rawValue: UInt16(code)).map { "\($0)" } ?? "check \(code)"
      rejects.append(BenchReport.Reject(code: name, count: counts.rejects[code] - before.rejects[code]))
    }
  }
}
