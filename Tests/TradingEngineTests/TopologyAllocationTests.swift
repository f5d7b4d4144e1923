// Goal: the threads of a topology take no memory and touch no reference count an event. Method: mallocs and retains of the distributing
// and of a shard's loop over a generated day, run one after the other on this thread over rings that hold the whole day.

import BacktestHarness
import CAllocationCounter
import EngineTelemetry
import FixtureStreams
import LockFreeRings
import SimulatedVenue
import TestSupport
import Testing
import TradingTypes

@testable import TradingEngine

@Suite struct TopologyAllocationTests {
  private struct Counts {
    var distributing: martlet_counts
    var deciding: martlet_counts
    var fills: UInt64
    var uses: Int
  }

  /// The day through a distributor and the one shard it feeds.
  @inline(never) private static func run(_ day: GeneratedDay, messages: Int) throws -> Counts {
    let capacity = 1 << 17
    let arena = Arena(capacityBytes: 128 << 20)
    let status = TopologyStatus()
    func wait(_ name: String) -> TopologyWait { TopologyWait(name, status: status, spinsMax: 32) }
    var input = try ThroughputRing<TopologyInput>(capacity: capacity, repeating: .end, in: arena)
    var output = try ThroughputRing<KeyedOutput>(capacity: capacity, repeating: .nothing, in: arena)
    var totals = try LatencyRing<BarrierPart>(capacity: 512, in: arena)
    var answers = totals.takeProducer()
    // Nobody adds up: the totals lie there already, with more gross exposure than the shard will have.
    var total = BarrierPart()
    total.gross = Money(units: 1_000_000)
    for _ in 0..<512 { _ = answers.tryPush(total) }
    var portfolio = try ShardedPortfolio(day.setup.configuration, in: arena)
    var distributor = try FeedDistributor(
      lanes: [Handoff(input.takeProducer())], map: ShardMap(instruments: day.setup.directory.count, count: 1),
      configuration: day.setup.configuration, midnight: day.setup.midnight, wait: wait("ingest"), in: arena)
    let pipeline = try day.setup.makePipeline(
      probe: NoProbe(),
      sink: DecisionForwarder(
        output.takeProducer(), progress: try SharedMaximum(in: arena), wait: wait("shard 0")))
    var worker = PipelineWorker(
      pipeline, input: input.takeConsumer(), seat: portfolio.takeSeat(totals: totals.takeConsumer()),
      wait: wait("shard 0"))
    var decoder = ItchDecoder(
      midnight: day.setup.midnight, venue: VenueID(index: 0),
      map: try InstrumentMap(listed: day.setup.directory.instruments.map(\.symbol), in: arena), in: arena)

    var frames = ItchFrames(day.bytes.rawBytes)
    var sequence: UInt64 = 0
    martlet_count_begin()
    while let message = frames.next() {
      sequence += 1
      if case .event(let event) = decoder.decode(message, sequence: sequence) { _ = distributor.distribute(event) }
    }
    _ = distributor.finish()
    let distributing = martlet_count_end()
    martlet_count_begin()
    let hasEnded = worker.run()
    let deciding = martlet_count_end()
    #expect(hasEnded && status.failure == nil)
    let seen = worker.pipeline.counts
    #expect(seen.messages == UInt64(messages))
    return Counts(
      distributing: distributing, deciding: deciding, fills: seen.fills, uses: Int(portfolio.useCount))
  }

  @Test(.enabled(if: countsAllocations, "counts mean something in release builds only"))
  func `distributing and deciding in a shard need no allocation and no retain`() throws {
    let day = try GeneratedDay(seed: 31, messages: 60_000)
    _ = try Self.run(day, messages: 60_000)
    let counts = try Self.run(day, messages: 60_000)
    #expect(counts.fills > 100 && counts.uses > 200)
    #expect(counts.distributing.allocations == 0 && counts.distributing.retains == 0)
    #expect(counts.deciding.allocations == 0 && counts.deciding.retains == 0)
  }
}
