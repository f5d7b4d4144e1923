import EventJournal
import FixtureStreams
import Foundation
import LockFreeRings
import MarketIngest
import PositionSizing
import RegimeDetection
import TestSupport
import Testing
import TradingEngine
import TradingTypes

// Goal: a run whose parameters were refitted can be repeated from its journal, decision by decision. Method: a generated day through a whole
// pipeline, refits beside it on the same thread or on one of their own; the records in the journal planned in another run; checksums compared.
@Suite struct RefitReplayTests {
  struct Run<Sink: DecisionSink & ~Copyable>: ~Copyable {
    var sink: Sink
    var decisions: UInt64
    var routed: UInt64
    var counters: RefitDesk.Counters
    var states: [[UInt64]]
  }

  static let day = ItchFixture(ItchFixture.Parameters(seed: 12, messages: 12_000, symbols: 3)).generate()

  /// A generated day through a pipeline with a desk for refits; nil for a pipeline without one.
  static func run<Sink: DecisionSink & ~Copyable>(
    into sink: consuming Sink, plan: RefitPlan?, each: (inout RefitDesk, Int) throws -> Void = { _, _ in }
  ) throws -> Run<Sink> {
    let configuration = Rig.configuration {
      $0.capacity.restingOrders = 32_768
      $0.capacity.windowTicks = 256
      $0.capacity.openOrders = 1_024
    }
    let scan = try FeedScan(day.rawBytes, configuration: configuration)
    let arena = Arena(capacityBytes: 512 << 20)
    let count = scan.directory.count
    var pipeline = try TradingPipeline(
      configuration: configuration, instruments: scan.directory, midnight: ItchFixture.midnight,
      model: StreakModel(), gateway: HostVenue(), probe: NoProbe(), sink: sink, control: Rig.control(.aggressive),
      in: arena)
    if let plan { pipeline.refits = OwnedBox(try RefitDesk(instrumentCount: count, plan: plan, in: arena)) }
    var frames = ItchFrames(day.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      if pipeline.refits != nil { try each(&pipeline.refits!.value, Int(sequence)) }
      pipeline.ingest(message, sequence: sequence)
    }
    pipeline.finish()
    let states = (0..<count).map { index -> [UInt64] in
      let id = InstrumentID(index: UInt32(index))
      let state = pipeline.regimes.snapshot(of: id)
      return RefitModels.bits(state) + [UInt64(state.regime.rawValue), UInt64(state.flips), UInt64(state.observations)]
        + [pipeline.sizer.volatility.variance(of: id).bitPattern]
    }
    let counters = pipeline.refits == nil ? RefitDesk.Counters() : pipeline.refits!.value.counters
    let (decisions, routed) = (pipeline.counts.decisions, pipeline.counts[.routed])
    return Run(sink: pipeline.sink, decisions: decisions, routed: routed, counters: counters, states: states)
  }

  static func refitter(_ desk: inout RefitDesk) throws -> Refitter {
    try Refitter(
      desk.takePublisher(), configuration: EngineConfiguration(), schedule: RefitModels.schedule, fits: RefitModels.fits
    )
  }

  /// The other thread's end, played by this one.
  final class Far {
    var refitter: Refitter?
    func step() { _ = refitter?.step() }
  }

  /// Runs `body` into a journal; the refits that are in it go to `records`.
  static func journalled(
    _ records: inout [RefitRecord], _ body: (consuming JournalSink) throws -> Run<JournalSink>
  ) throws -> Run<JournalSink> {
    let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let writer = try JournalWriter(storage: try FileStorage(directory: folder), in: Arena(capacityBytes: 64 << 20))
    let run = try body(JournalSink(writer, source: 1))
    try writer.flush(through: run.sink.lastSequence, until: .after(milliseconds: 60_000))
    try writer.close(until: .after(milliseconds: 60_000))
    #expect(try RefitHistory(inJournal: folder, shard: 1).records.isEmpty)
    records = try RefitHistory(inJournal: folder).records
    return run
  }

  @Test func `a replay repeats a live run's decisions from the refits in its journal`() throws {
    let far = Far()
    var records: [RefitRecord] = []
    let live = try Self.journalled(&records) { sink in
      try Self.run(into: sink, plan: RefitPlan()) { desk, number in
        if far.refitter == nil { far.refitter = try Self.refitter(&desk) }
        if number % 37 == 0 { far.step() }
      }
    }
    let refits = Set(records.map(\.number)).count
    #expect(live.routed > 20 && refits > 5 && records.count == 3 * refits && live.counters.adopted == UInt64(refits))
    #expect(live.counters.caughtUp > 0 && live.counters.lostReturns == 0)
    let plain = try Self.run(into: DecisionChecksum(), plan: nil)
    #expect(plain.decisions == live.decisions && plain.sink.hex != live.sink.checksum.hex, "refits change decisions")
    let replayed = try Self.run(into: DecisionChecksum(), plan: try RefitPlan(repeating: records))
    #expect(replayed.sink.hex == live.sink.checksum.hex && replayed.states == live.states)
    #expect(replayed.counters.adopted == live.counters.adopted)
    // Some bars later is another run: the recorded bars are what matters.
    var late = records
    for place in late.indices { late[place].barrier = late[place].barrier + .seconds(600) }
    let other = try Self.run(into: DecisionChecksum(), plan: RefitPlan(repeating: late))
    #expect(other.states != live.states || other.sink.hex != live.sink.checksum.hex)
  }

  @Test func `refits of a thread of their own are repeated from the journal`() throws {
    var thread: RefitThread?
    var records: [RefitRecord] = []
    let live = try Self.journalled(&records) { sink in
      try Self.run(into: sink, plan: RefitPlan()) { desk, number in
        if thread == nil { thread = RefitThread(try Self.refitter(&desk), idleNanoseconds: 1_000) }
        if number % 100 == 0 { yieldThread() }
        if number % 2_000 == 0 { thread?.request() }
      }
    }
    thread?.stop()
    let report = try #require(thread?.report)
    #expect(report.holes == 0 && UInt64(Set(records.map(\.number)).count) == live.counters.adopted)
    let replayed = try Self.run(into: DecisionChecksum(), plan: RefitPlan(repeating: records))
    #expect(replayed.sink.hex == live.sink.checksum.hex && replayed.states == live.states)
  }

  @Test func `a desk without refits changes no decision`() throws {
    let plain = try Self.run(into: DecisionChecksum(), plan: nil)
    let watched = try Self.run(into: DecisionChecksum(), plan: RefitPlan())
    #expect(plain.sink.hex == watched.sink.hex && plain.states == watched.states)
  }
}
