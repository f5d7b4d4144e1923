// Goal: the probe charges each span of time to the right stage. Method: a generic pipeline of known waits, as the engine's is.
import CAllocationCounter
import EngineTelemetry
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

/// A pipeline that spins a while in each stage, generic over its probe as the engine is.
private struct SpinningPipeline<Probe: PipelineProbe & ~Copyable>: ~Copyable {
  var probe: Probe
  let clock: TickClock

  mutating func spin(_ nanoseconds: Int64) {
    let start = clock.now()
    while clock.nanoseconds(from: start, to: clock.now()) < nanoseconds {}
  }

  mutating func take(until last: PipelineStage, verdict: DecisionVerdict?) {
    probe.begin()
    spin(1000)
    probe.mark(.ingest)
    guard let verdict else { return }
    spin(500_000)
    probe.skip()
    for stage in PipelineStage.allCases.dropFirst() where stage.rawValue <= last.rawValue {
      spin(1000)
      probe.mark(stage)
    }
    probe.end(verdict)
  }
}

@Test func `each stage counts the messages that reached it`() {
  let arena = Arena(capacityBytes: 2 << 20)
  let clock = TickClock(calibratingFor: 2)
  var pipeline = SpinningPipeline(probe: StageProbe(clock: clock, in: arena), clock: clock)
  for _ in 0..<5 { pipeline.take(until: .ingest, verdict: nil) }
  for _ in 0..<3 { pipeline.take(until: .inference, verdict: .noSignal) }
  for _ in 0..<2 { pipeline.take(until: .routing, verdict: .routed) }
  var counts: [UInt64] = []
  for stage in PipelineStage.allCases {
    counts.append(pipeline.probe.stages[stage].count)
    let smallest = pipeline.probe.stages[stage].nanosecondsMin
    #expect(smallest! >= 1000, "\(stage)")
  }
  #expect(counts == [10, 5, 5, 2, 2, 2, 2])
  let (decisions, orders) = (pipeline.probe.stages.endToEnd.count, pipeline.probe.stages.tickToOrder.count)
  #expect(decisions == 5 && orders == 2)
  // What was skipped belongs to no stage, but to the decision.
  let decision = pipeline.probe.stages.endToEnd.nanosecondsMin
  #expect(decision! >= 503_000)
}

@Test func `a late start is charged to the message`() {
  let arena = Arena(capacityBytes: 2 << 20)
  let clock = TickClock(calibratingFor: 2)
  var probe = StageProbe(clock: clock, in: arena)
  // Ten seconds late: more than any pause of the machine.
  let late: Int64 = 10_000_000_000
  probe.schedule(clock.now() &- clock.ticks(late))
  probe.begin()
  probe.mark(.ingest)
  probe.end(.noSignal)
  // The next message has no schedule of its own and inherits none.
  probe.begin()
  probe.mark(.ingest)
  probe.end(.noSignal)
  let (largest, stage) = (probe.stages.endToEnd.nanosecondsMax, probe.stages[.ingest].nanosecondsMin)
  let smallest = probe.stages.endToEnd.nanosecondsMin
  #expect(largest! >= late && stage! < late && smallest! < late)
}

@Test func `clocks of two runs merge stage by stage`() {
  let arena = Arena(capacityBytes: 4 << 20)
  var one = StageClock(in: arena)
  var other = StageClock(in: arena)
  one.record(5, in: .regime)
  other.record(7, in: .regime)
  other.record(9, in: .routing)
  other.recordDecision(30, verdict: .routed)
  one.merge(other)
  let (regime, routing, orders) = (one[.regime].count, one[.routing].nanosecondsMax, one.tickToOrder.count)
  #expect(regime == 2 && routing == 9 && orders == 1)
  one.reset()
  let (left, decisions) = (one[.regime].count, one.endToEnd.count)
  #expect(left == 0 && decisions == 0)
}

@Test func `the room it takes is as planned`() {
  let arena = Arena(capacityBytes: 2 << 20)
  let before = arena.usedBytes
  _ = StageClock(in: arena)
  #expect(arena.usedBytes - before <= StageClock.byteCount)
}

@Test func `stages are named and numbered as reports say`() {
  let names = ["ingest", "features", "inference", "regime", "sizing", "pretrade", "routing"]
  #expect(PipelineStage.allCases.map(\.name) == names)
  #expect(PipelineStage.allCases.map(\.index) == Array(0..<7))
}

@Test(.enabled(if: countsAllocations))
func `a timed message allocates nothing`() {
  let arena = Arena(capacityBytes: 2 << 20)
  let clock = TickClock(calibratingFor: 1)
  var probe = StageProbe(clock: clock, in: arena)
  func message() {
    probe.schedule(clock.now())
    probe.begin()
    probe.mark(.ingest)
    probe.skip()
    probe.mark(.routing)
    probe.end(.routed)
  }
  message()
  let counts = counting { for _ in 0..<1000 { message() } }
  #expect(counts.allocations == 0 && counts.retains == 0)
}
