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

  /// What one pass leaves behind.
  private struct Outcome {
    var messages: UInt64
    var nanoseconds: Int64
    var counts: PipelineCounts
    var checksum: String
    var killLevel: KillLevel
  }

  func run(rates: [Int64], into report: inout BenchReport, curves: inout [PercentileCurve]) throws {
    try warmUp()

    let (free, allocations) = try fullSpeed()
    report.input.messages = free.messages
    report.counts = BenchReport.Counts(free.counts)
    report.checksum = free.checksum
    report.throughput = BenchReport.Throughput(
      messagesPerSecond: Double(free.messages) * 1e9 / Double(max(1, free.nanoseconds)),
      nanoseconds: Double(free.nanoseconds) / Double(max(1, free.messages)))
    report.allocationsPerEvent = Double(allocations.allocations) / Double(max(1, free.messages))
    report.retainsPerEvent = Double(allocations.retains) / Double(max(1, free.messages))
    if free.killLevel > .active { report.machine.notes.append("the kill switch tripped: \(free.killLevel)") }

    // The rate of the objectives is judged; without it the first one asked for.
    let judged = rates.contains(BenchInput.objectiveRate) ? BenchInput.objectiveRate : rates[0]
    for rate in rates {
      progress("offering \(rate) messages a second")
      let arena = Arena(capacityBytes: 64 << 20)
      var gaps = LatencyHistogram(in: arena)
      HiccupBaseline.measure(seconds: isQuick ? 0.5 : 2, clock: clock, into: &gaps)
      let probe = StageProbe(clock: clock, in: arena)
      var pipeline = try setup.makePipeline(probe: probe, sink: DecisionChecksum())
      let (outcome, achieved) = paced(&pipeline, rate: rate)
      guard outcome.checksum == free.checksum else {
        throw UsageError("decisions at \(rate)/s have checksum \(outcome.checksum), at full speed \(free.checksum)")
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
  private func fullSpeed() throws -> (Outcome, martlet_counts) {
    progress("replaying at full speed")
    var pipeline = try setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    var frames = ItchFrames(input.bytes.rawBytes)
    var sequence: UInt64 = 0
    let last = input.warmCount &+ min(input.measuredCount, .max &- input.warmCount)
    while sequence < input.warmCount, let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
    }
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
        counts: pipeline.counts, checksum: pipeline.sink.hex, killLevel: pipeline.kill.globalLevel), counts
    )
  }

  /// Message i is due at start + i/rate; the thread spins until then and charges any delay to the message.
  private func paced(
    _ pipeline: inout ReplayPipeline<StageProbe, DecisionChecksum>, rate: Int64
  ) -> (Outcome, achieved: Double) {
    var frames = ItchFrames(input.bytes.rawBytes)
    var sequence: UInt64 = 0
    let last = input.warmCount &+ min(input.measuredCount, .max &- input.warmCount)
    while sequence < input.warmCount, let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
    }
    pipeline.probe.stages.reset()
    let pacer = OpenLoopPacer(clock: clock, rate: rate)
    let start = clock.now()
    var sent: UInt64 = 0
    while sequence < last, let message = frames.next() {
      pipeline.probe.schedule(pacer.wait(for: sent))
      sequence += 1
      sent += 1
      pipeline.ingest(message, sequence: sequence)
    }
    let end = clock.now()
    pipeline.finish()
    let outcome = Outcome(
      messages: sent, nanoseconds: clock.nanoseconds(from: start, to: end), counts: pipeline.counts,
      checksum: pipeline.sink.hex, killLevel: pipeline.kill.globalLevel)
    return (outcome, pacer.achieved(messages: sent, until: end))
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
  /// The counts of a pipeline in the report's terms.
  init(_ counts: PipelineCounts) {
    self.init(
      messages: counts.messages, triggers: counts.triggers, decisions: counts.decisions, orders: counts.orders,
      fills: counts.fills)
    for code in 0..<41 where counts.rejects[code] > 0 {
      let name = RiskCheck(rawValue: UInt16(code)).map { "\($0)" } ?? "check \(code)"
      rejects.append(BenchReport.Reject(code: name, count: counts.rejects[code]))
    }
  }
}
