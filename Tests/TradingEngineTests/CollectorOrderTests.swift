import LockFreeRings
import PositionSizing
import Testing
import TradingTypes

@testable import TradingEngine

// Goal: a refit at a bar's end stands before every decision made after it, whichever shard is slow. Method: two shards' rings by hand; the
// first one decides while the second has not come to its refit yet.
@Suite struct CollectorOrderTests {
  struct OrderSink: DecisionSink, ~Copyable {
    var entries: [String] = []
    mutating func record(_ decision: borrowing Decision, plan: borrowing RoutePlan) {
      entries.append("decision \(decision.sequence)")
    }
    mutating func record(_ report: borrowing ExecutionReport) {}
    mutating func record(_ refit: borrowing RefitRecord) { entries.append("refit of shard \(refit.shard)") }
  }

  static func refit(_ shard: UInt16, _ parameters: VolatilityParameters) -> RefitRecord {
    RefitRecord(
      number: 1, barrier: RefitRig.barrier(1), instrument: InstrumentID(index: UInt32(shard)), shard: shard,
      place: UInt32(shard), recordCount: 2,
      volatility: RefitRecord.VolatilityPart(parameters: parameters, state: VolatilityState(parameters)))
  }

  @Test func `a decision waits for the refits of all shards at the bar's end before it`() throws {
    let arena = Arena(capacityBytes: 4 << 20)
    let status = TopologyStatus()
    let waits = ["collect", "shard 0", "shard 1"].map { TopologyWait($0, status: status, spinsMax: 32) }
    var collector = DecisionCollector(keepsUses: false, wait: waits[0])
    let parameters = try RefitModels.volatility(1)
    var threads: [PinnedThread] = []
    for shard in 0..<2 {
      var ring = try ThroughputRing<KeyedOutput>(capacity: 64, repeating: .nothing, in: arena)
      var totals = try LatencyRing<BarrierPart>(capacity: 2, in: arena)
      let progress = try SharedMaximum(in: arena)
      collector.add(ring.takeConsumer(), totals: totals.takeProducer(), progress: progress, name: "shard \(shard)")
      let (output, total) = (Handoff(ring.takeProducer()), Handoff(totals.takeConsumer()))
      let wait = waits[1 + shard]
      threads.append(
        PinnedThread(ThreadConfiguration(name: "shard \(shard)")) {
          var forwarder = DecisionForwarder(output.take(), progress: progress, wait: wait)
          var totals = total.take()
          // A bar ends before message 10.
          forwarder.key = 20
          forwarder.put(.barrier(BarrierPart()))
          _ = totals.pop(waiting: wait.strategy, until: .after(milliseconds: 10_000))
          if shard == 1 {
            let pause = Deadline.after(milliseconds: 50)
            while !pause.hasPassed { yieldThread() }
          }
          forwarder.record(Self.refit(UInt16(shard), parameters))
          forwarder.endBarrier()
          forwarder.key = 21
          if shard == 0 {
            forwarder.record(
              Decision(
                sequence: 10, time: RefitRig.barrier(1), instrument: InstrumentID(index: 0), verdict: .noSignal),
              plan: RoutePlan(filler: .nothing))
          }
          forwarder.key = .max
          forwarder.put(.end)
        })
    }
    var sink = OrderSink()
    let hasEnded = collector.run(into: &sink)
    for thread in threads { thread.join() }
    let entries = sink.entries
    #expect(hasEnded && entries == ["refit of shard 0", "refit of shard 1", "decision 10"])
  }
}
