// Goal: where a thread does not answer, the others end and say who it was. Method: the parts of a topology without the one that would
// answer them.

import Foundation
import LockFreeRings
import Synchronization
import Testing
import TradingEngine
import TradingTypes

extension HostVenue: TimedVenueGateway {
  var nextReportTime: Timestamp? { queue.first?.time }
}

struct TopologyStallTests {
  /// Runs `body`, and ends the process where that takes a minute: nothing else ends a thread that waits for ever. The minute is the body's
  /// own, however long the test waited for its turn.
  private static func withinAMinute(_ test: String = #function, _ body: () throws -> Void) rethrows {
    let isDone = Flag()
    let watch = PinnedThread(ThreadConfiguration(name: "watch")) {
      let end = Deadline.after(milliseconds: 60_000)
      while !isDone.isUp.load(ordering: .acquiring) {
        guard !end.hasPassed else { fatalError("'\(test)' has not ended after a minute") }
        Thread.sleep(forTimeInterval: 0.005)
      }
    }
    defer {
      isDone.isUp.store(true, ordering: .releasing)
      watch.join()
    }
    try body()
  }

  static func stall(_ waiting: String, _ missing: String) -> TopologyError {
    .stalled(waiting: waiting, missing: missing, milliseconds: 30)
  }

  @Test func `a gateway that does not answer is lost: nothing is sent and its sign of life grows old`() throws {
    try Self.withinAMinute {
      let status = TopologyStatus(patienceMilliseconds: 30)
      var link = try GatewayLink(in: Arena(capacityBytes: 4 << 20))
      var pipeline = try Rig.pipeline(
        link.takeGateway(waiting: TopologyWait("decide", status: status, spinsMax: 8)))
      for event in Rig.market() { pipeline.ingest(event) }
      let isLost = pipeline.gateway.isLost
      #expect(isLost)
      #expect(pipeline.sink.decisions.last?.verdict == .noRoute)
      #expect(pipeline.sink.children.isEmpty)
      #expect(status.failure == Self.stall("decide", "execute"))
      #expect(status.isStopping)
      let open = pipeline.ledger.openOrderCount
      #expect(open == 0)
      // What follows is refused by the check of the session's sign of life, and waits for nobody.
      pipeline.ingest(Rig.trade(3, 10_000, at: 61_000_000_000))
      #expect(pipeline.sink.decisions.last?.verdict != .routed)
    }
  }

  @Test func `a remote gateway answers as the gateway itself does`() throws {
    try Self.withinAMinute {
      for latency in [0, 1_500_000_000] as [Int64] {
        let venue = HostVenue(latency: TimeSpan(nanoseconds: latency), deaf: [2])
        var near = try Rig.pipeline(venue)
        let status = TopologyStatus()
        var link = try GatewayLink(in: Arena(capacityBytes: 4 << 20))
        let ends = Handoff(link.takeEnds())
        let server = PinnedThread(ThreadConfiguration(name: "execute")) {
          var server = GatewayServer(
            ends.take(), gateway: venue, wait: TopologyWait("execute", status: status, spinsMax: 8))
          server.run()
        }
        var far = try Rig.pipeline(link.takeGateway(waiting: TopologyWait("decide", status: status, spinsMax: 8)))
        var events = Rig.market()
        for step in 0..<40 {
          events.append(Rig.trade(UInt64(step + 3), 10_000 + Int64(step % 2), at: Int64(step) * 400_000_000))
        }
        for event in events {
          near.ingest(event)
          far.ingest(event)
        }
        near.finish()
        far.finish()
        far.gateway.stop()
        server.join()
        let (left, right) = (near.sink.checksum.hex, far.sink.checksum.hex)
        #expect(left == right)
        #expect(near.sink.reports.map(\.time) == far.sink.reports.map(\.time) && !near.sink.reports.isEmpty)
        let (nearHash, farHash) = (near.stateHash(), far.stateHash())
        #expect(nearHash == farHash)
        #expect(status.failure == nil)
      }
    }
  }

  @Test func `a shard that takes nothing is named by the thread that feeds it`() throws {
    try Self.withinAMinute {
      let status = TopologyStatus(patienceMilliseconds: 30)
      let arena = Arena(capacityBytes: 1 << 20)
      var first = try ThroughputRing<TopologyInput>(capacity: 8, repeating: .end, in: arena)
      var second = try ThroughputRing<TopologyInput>(capacity: 8, repeating: .end, in: arena)
      var distributor = try FeedDistributor(
        lanes: [Handoff(first.takeProducer()), Handoff(second.takeProducer())], map: ShardMap([0, 1], count: 2),
        configuration: Rig.configuration(), midnight: Rig.open,
        wait: TopologyWait("ingest", status: status, spinsMax: 8), in: arena)
      var taken = 0
      var went = true
      while went, taken < 100 {
        taken += 1
        went = distributor.distribute(Rig.add(UInt64(taken), .buy, 100, at: Int64(taken), of: 1))
      }
      #expect(!went && taken == 8)
      #expect(status.failure == Self.stall("ingest", "shard 1"))
      // The idle shard was told how far the input has come.
      var reader = first.takeConsumer()
      var keys: [UInt64] = []
      while let input = reader.tryPop() { if case .progress(let key) = input { keys.append(key) } }
      #expect(keys == [15])
    }
  }

  @Test func `a shard that does not come to a bar's end is named by the thread that adds up`() throws {
    try Self.withinAMinute {
      let status = TopologyStatus(patienceMilliseconds: 30)
      let arena = Arena(capacityBytes: 1 << 20)
      var collector = DecisionCollector(keepsUses: false, wait: TopologyWait("collect", status: status, spinsMax: 8))
      var forwarder: DecisionForwarder?
      for shard in 0..<2 {
        var ring = try ThroughputRing<KeyedOutput>(capacity: 8, repeating: .nothing, in: arena)
        var totals = try LatencyRing<BarrierPart>(capacity: 2, in: arena)
        let wait = TopologyWait("shard \(shard)", status: status, spinsMax: 8)
        let progress = try SharedMaximum(in: arena)
        if shard == 0 { forwarder = DecisionForwarder(ring.takeProducer(), progress: progress, wait: wait) }
        collector.add(
          ring.takeConsumer(), totals: totals.takeProducer(), progress: progress, name: "shard \(shard)")
      }
      var sink = DecisionChecksum()
      let decision = Decision(
        sequence: 1, time: Rig.open, instrument: Rig.instrument, verdict: .noSignal)
      let plan = RoutePlan(
        filler: ChildOrder(
          part: OrderIntent(
            clientOrderID: .none, causeSequence: 0, time: Rig.open, instrument: Rig.instrument, side: .buy,
            price: .zero,
            quantity: .zero), clientOrderID: .none, venue: VenueID(index: 0), price: .zero, quantity: .zero,
          isSweep: false))
      forwarder!.key = 3
      forwarder!.record(decision, plan: plan)
      let isWhole = collector.run(into: &sink)
      #expect(!isWhole)
      #expect(status.failure == Self.stall("collect", "shard 1"))
    }
  }
}
