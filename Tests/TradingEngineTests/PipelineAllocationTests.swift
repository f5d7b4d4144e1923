// Goal: after its start the pipeline takes no memory and touches no reference count. Method: mallocs and retains of this thread over a
// generated day, after a second engine has warmed up code and tables; release builds only. A planted one among 150,000 messages is counted.

import BacktestHarness
import CAllocationCounter
import EngineTelemetry
import FixtureStreams
import LockFreeRings
import TestSupport
import Testing
import TradingEngine
import TradingTypes

@Suite struct PipelineAllocationTests {
  @Test(.enabled(if: countsAllocations, "counts mean something in release builds only"))
  func `a day through the pipeline needs no allocation and no retain`() throws {
    let day = try GeneratedDay(seed: 7, messages: 200_000, symbols: 8)
    var warm = try day.setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    _ = day.run(&warm)
    var pipeline = try day.setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    let counts = Self.count(day.bytes, &pipeline, from: 50_000)
    #expect(pipeline.counts.messages == 200_000)
    #expect(pipeline.counts.fills > 100)
    #expect(Self.isClean(counts), "\(counts)")
  }

  @Test(.enabled(if: countsAllocations, "counts mean something in release builds only"))
  func `with a probe there is no allocation either`() throws {
    let day = try GeneratedDay(seed: 8, messages: 60_000)
    let clock = TickClock()
    var warm = try day.setup.makePipeline(
      probe: StageProbe(clock: clock, in: Arena(capacityBytes: 16 << 20)), sink: DecisionChecksum())
    _ = day.run(&warm)
    var pipeline = try day.setup.makePipeline(
      probe: StageProbe(clock: clock, in: Arena(capacityBytes: 16 << 20)), sink: DecisionChecksum())
    let counts = Self.count(day.bytes, &pipeline, from: 10_000)
    #expect(Self.isClean(counts), "\(counts)")
  }

  /// Takes memory at one message, or holds an object once more at it.
  private struct PlantedProbe: PipelineProbe, ~Copyable {
    var messages = 0
    let allocates: Bool
    let object = ManagedBuffer<Int, Int>.create(minimumCapacity: 1) { _ in 0 }
    var memory: [Int] = []
    var holder: AnyObject?

    mutating func begin() {
      messages += 1
      guard messages == 100_000 else { return }
      if allocates { memory = Array(repeating: messages, count: 3) } else { holder = object }
    }
    mutating func mark(_ stage: PipelineStage) {}
    mutating func skip() {}
    mutating func end(_ verdict: DecisionVerdict) {}
  }

  @Test(.enabled(if: countsAllocations, "counts mean something in release builds only"), arguments: [true, false])
  func `one allocation or one retain of a whole day is counted`(allocates: Bool) throws {
    let day = try GeneratedDay(seed: 7, messages: 200_000, symbols: 8)
    var warm = try day.setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    _ = day.run(&warm)
    var pipeline = try day.setup.makePipeline(probe: PlantedProbe(allocates: allocates), sink: DecisionChecksum())
    let counts = Self.count(day.bytes, &pipeline, from: 50_000)
    #expect(counts.allocations == (allocates ? 1 : 0))
    // The probe's own store may hold and let go of what it stores.
    #expect(allocates || (1...2).contains(counts.retains))
    #expect(!Self.isClean(counts))
  }

  /// The verdict on a run, planted or not.
  private static func isClean(_ counts: martlet_counts) -> Bool { counts.allocations == 0 && counts.retains == 0 }

  /// What the messages after the first `warmCount` allocate and retain.
  @inline(never) private static func count<Probe: PipelineProbe & ~Copyable>(
    _ bytes: [UInt8], _ pipeline: inout ReplayPipeline<Probe, DecisionChecksum>, from warmCount: UInt64
  ) -> martlet_counts {
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    while sequence < warmCount, let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
    }
    martlet_count_begin()
    while let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
    }
    return martlet_count_end()
  }
}
