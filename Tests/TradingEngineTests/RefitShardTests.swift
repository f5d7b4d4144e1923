import BacktestHarness
import FixtureStreams
import LockFreeRings
import MarketIngest
import PositionSizing
import RegimeDetection
import TestSupport
import Testing
import TradingTypes

@testable import TradingEngine

// Goal: the desks of all shards change at the same bar's end, whenever their changes reach them, and a replay decides as the run did. Method:
// two desks by hand; a generated day in which one refitter serves the shards, then its records repeated in every topology.
@Suite(.serialized) struct RefitShardTests {
  /// Two desks that change together, with instrument 0 and 1 of a shard each; nothing is closed yet.
  struct Pair: ~Copyable {
    var rigs: InlineArray<2, RefitRig>
    let map: ShardMap

    init(catchUpMax: Int = 64) throws {
      let map = try ShardMap([0, 1], count: 2)
      let first = try RefitRig(instruments: 2, catchUpMax: catchUpMax, deskCount: 2)
      let second = try RefitRig(instruments: 2, catchUpMax: catchUpMax, deskCount: 2, shard: 1)
      rigs = [first, second]
      self.map = map
    }

    mutating func takePublishers() -> [Handoff<RefitPublisher>] {
      [Handoff(rigs[0].desk.takePublisher()), Handoff(rigs[1].desk.takePublisher())]
    }

    /// A bar's end: each desk's vote, then the sum to both; the records.
    mutating func endBar(_ bar: Int64) -> [RefitRecord] {
      var votes = rigs[0].desk.vote(at: RefitRig.barrier(bar))
      votes.add(rigs[1].desk.vote(at: RefitRig.barrier(bar)))
      return rigs[0].endBar(bar, votes) + rigs[1].endBar(bar, votes)
    }
  }

  static func change(_ version: UInt64, closed: [UInt64] = [0, 0]) throws -> RefitChange {
    try RefitChange(
      regime: (RefitModels.regime(version), RefitModels.table()), volatility: [nil, nil],
      series: closed.map { ReturnSeries([], closed: $0) })
  }

  @Test func `a change waits until every desk has it, and every desk takes it over at once`() throws {
    var pair = try Pair()
    let ends = pair.takePublishers()
    var first = ends[0].take()
    var second = ends[1].take()
    let isFirst = first.publishPart(try Self.change(1))
    #expect(isFirst && pair.endBar(1).isEmpty && pair.endBar(2).isEmpty)
    #expect(RefitModels.bits(pair.rigs[0].regimes.parameters) == RefitModels.bits(try RefitModels.regime(0)))
    // In the hands of one desk since long, of the other since now.
    var other = try Self.change(1)
    other.earliestBarrier = RefitRig.barrier(4)
    let isSecond = second.publishPart(other)
    #expect(isSecond && pair.endBar(3).isEmpty)
    let records = pair.endBar(4)
    #expect(records.count == 4 && records.allSatisfy { $0.barrier == RefitRig.barrier(4) && $0.number == 1 })
    #expect(records.map(\.shard) == [0, 0, 1, 1])
    for place in 0..<2 {
      #expect(RefitModels.bits(pair.rigs[place].regimes.parameters) == RefitModels.bits(try RefitModels.regime(1)))
    }
    let outcomes = (first.collect()?.outcome, second.collect()?.outcome)
    #expect(outcomes.0 == outcomes.1 && outcomes.0 != nil && outcomes.0 != .late)
  }

  @Test func `a change that is late for one desk is late for all`() throws {
    var pair = try Pair(catchUpMax: 8)
    let ends = pair.takePublishers()
    var first = ends[0].take()
    var second = ends[1].take()
    for value in RefitModels.returns(seed: 3, count: 9) { pair.rigs[1].take(value, of: 1) }
    let isPublished = (first.publishPart(try Self.change(1)), second.publishPart(try Self.change(1)))
    #expect(isPublished.0 && isPublished.1)
    #expect(pair.endBar(1).isEmpty)
    let outcomes = (first.collect()?.outcome, second.collect()?.outcome)
    #expect(outcomes.0 == .late && outcomes.1 == .late)
    #expect(pair.rigs[0].desk.counters.late == 1 && pair.rigs[0].desk.counters.adopted == 0)
  }

  // A plan of shard 0 alone, then a change: the desks count alike, and the change waits until the plan is through everywhere.
  @Test func `desks with a plan behind them go on together`() throws {
    let record = try #require(try RefitModels.refit(1, instruments: 1).first)
    let map = try ShardMap([0, 1], count: 2)
    let plan = try RefitPlan(repeating: [record])
    var first = try RefitRig(instruments: 2, plan: plan.restricted(to: 0, of: map), deskCount: 2)
    var second = try RefitRig(instruments: 2, plan: plan.restricted(to: 1, of: map), deskCount: 2, shard: 1)
    var publisher = first.desk.takePublisher()
    var other = second.desk.takePublisher()
    let isPublished = (publisher.publishPart(try Self.change(1)), other.publishPart(try Self.change(1)))
    #expect(isPublished.0 && isPublished.1)
    for bar in 1...2 as ClosedRange<Int64> {
      var votes = first.desk.vote(at: RefitRig.barrier(bar))
      votes.add(second.desk.vote(at: RefitRig.barrier(bar)))
      #expect(votes == RefitVote(ready: bar == 1 ? 0 : 2, late: 0))
      let records = (first.endBar(bar, votes), second.endBar(bar, votes))
      #expect(records.0.count == (bar == 1 ? 1 : 2) && records.1.count == (bar == 1 ? 0 : 2))
      #expect((records.0 + records.1).allSatisfy { $0.number == UInt64(bar) })
    }
  }

  @Test func `one refitter hears both desks, and each gets the states of its own instrument`() throws {
    var pair = try Pair()
    var schedule = Refitter.Schedule()
    schedule.windowMin = 20
    schedule.interval = 30
    var refitter = try Refitter(
      RefitPublishers(pair.takePublishers(), map: pair.map), regime: RefitModels.regime(0), table: RefitModels.table(),
      volatility: RefitModels.volatility(0), schedule: schedule, fits: RefitModels.fits)
    let values = (0..<2).map { RefitModels.returns(seed: 5 + UInt64($0), count: 40) }
    for (number, pairOfValues) in zip(values[0], values[1]).enumerated() {
      pair.rigs[0].take(pairOfValues.0, of: 0)
      if number < 35 { pair.rigs[1].take(pairOfValues.1, of: 1) }
    }
    _ = refitter.step()
    #expect(refitter.report.returns == 75 && refitter.report.published == 1)
    // Between fit and bar's end.
    pair.rigs[1].take(0.7, of: 1)
    let records = pair.endBar(50)
    #expect(records.map(\.place) == [0, 1] && records.allSatisfy { $0.recordCount == 2 && $0.number == 1 })
    #expect(records.map(\.instrument.index) == [0, 1] && records.map(\.shard) == [0, 1])
    #expect(records.map(\.caughtUp) == [0, 1])
    let windows = [values[0], values[1].prefix(35) + [0.7]]
    for (record, window) in zip(records, windows) {
      let (regime, volatility) = (try #require(record.regime), try #require(record.volatility))
      let alone = try RefitModels.state(regime.parameters, over: window)
      #expect(RefitModels.bits(regime.state) == RefitModels.bits(alone))
      #expect(volatility.state.variance == RefitModels.variance(volatility.parameters, over: window))
    }
    _ = refitter.step()
    #expect(refitter.report.adopted == 1 && refitter.report.lastCaughtUp == 1)
    let isWhole = try RefitPlan(repeating: records).count == 1
    #expect(isWhole)
  }

  @Test func `desks that were not made to change together are refused`() throws {
    func fault(_ counts: [Int], _ instruments: [Int], shards: [Int] = [0, 1], map: ShardMap) throws -> String? {
      let ends = try counts.indices.map { place in
        var rig = try RefitRig(instruments: instruments[place], deskCount: counts[place], shard: shards[place])
        return Handoff(rig.desk.takePublisher())
      }
      do throws(ConfigurationError) { _ = try RefitPublishers(ends, map: map) } catch { return error.description }
      return nil
    }
    let two = try ShardMap([0, 1], count: 2)
    #expect(try fault([2, 2], [2, 2], map: two) == nil)
    #expect(try fault([2], [2], map: two) == "refits: the desks of 1 shards, 2 expected")
    let line = "refits: desk 1 is for 2 instruments and one of 1 that change together; 2 and 2 expected"
    #expect(try fault([2, 1], [2, 2], map: two) == line)
    let turned = "refits: desk 0 is that of shard 1; shard 0 expected"
    #expect(try fault([2, 2], [2, 2], shards: [1, 0], map: two) == turned)
    #expect(try fault([2, 2], [2, 3], map: two)?.hasPrefix("refits: desk 1 is for 3 instruments") == true)
  }

  @Test func `a change of one's own to a desk of several stops the program`() async {
    await #expect(processExitsWith: .failure) {
      var pair = try Pair()
      var publisher = pair.takePublishers()[0].take()
      _ = publisher.publish(try RefitShardTests.change(1))
    }
  }

  // MARK: - Whole days

  /// Keeps decisions as a checksum, and every refit.
  struct LiveSink: DecisionSink, ~Copyable {
    var checksum = DecisionChecksum()
    var refits: [RefitRecord] = []
    var pause = TimeSpan.zero

    mutating func record(_ decision: borrowing Decision, plan: borrowing RoutePlan) {
      checksum.record(decision, plan: plan)
      let end = Deadline.after(nanoseconds: UInt64(pause.nanoseconds))
      while pause > .zero, !end.hasPassed { yieldThread() }
    }
    mutating func record(_ report: borrowing ExecutionReport) {}
    mutating func record(_ refit: borrowing RefitRecord) { refits.append(copy refit) }
  }

  @Test(arguments: [EngineTopology.sharded(count: 2), .split])
  func `a live run with refits is repeated in every topology`(topology: EngineTopology) throws {
    var day = try GeneratedDay(seed: 31, messages: 5_000)
    var run = TopologyRun(day.setup, topology)
    var settings = RefitSettings(schedule: RefitModels.schedule, fits: RefitModels.fits)
    settings.idleNanoseconds = 1_000
    run.refitting = settings
    // Slow enough for fits to keep up: a full ring holds the pipelines back. A thread that is given little time is waited for longer.
    run.ringCapacity = 64
    var live = try run.run(day.bytes, into: LiveSink(pause: TimeSpan(nanoseconds: 200_000)))
    for pause in [1_000_000, 5_000_000] as [Int64] where Set(live.sink.refits.map(\.number)).count <= 2 {
      live = try run.run(day.bytes, into: LiveSink(pause: TimeSpan(nanoseconds: pause)))
    }
    let told = live.refits
    let report = try #require(told)
    let records = live.sink.refits
    let refits = Set(records.map(\.number))
    #expect(refits.count > 2 && report.holes == 0 && report.returns > 100)
    #expect(report.adopted == refits.count || report.adopted + 1 == refits.count, "the last one may not be heard of")
    if case .sharded(let count) = topology {
      var shardsTogether: Set<Int> = []
      for number in refits {
        let group = records.filter { $0.number == number }
        #expect(Set(group.map(\.barrier)).count == 1)
        shardsTogether.insert(Set(group.map(\.shard)).count)
      }
      // One that changes a single instrument is of one shard.
      #expect(shardsTogether.max() == count)
    }
    day.setup.refits = try RefitPlan(repeating: records)
    for other in [EngineTopology.inline, .sharded(count: 3), topology] {
      var again = TopologyRun(day.setup, other)
      if other == topology, !live.uses.isEmpty { again.replaying = live.uses }
      let replayed = try again.run(day.bytes, into: LiveSink())
      #expect(replayed.sink.checksum.hex == live.sink.checksum.hex, "\(other)")
      let words = replayed.sink.refits.map { $0.words }
      #expect(Set(words) == Set(records.map { $0.words }), "\(other)")
      if other == topology { #expect(words == records.map { $0.words }) }
      // What a replay's sink hears is a plan again, in whatever order its shards handed it on.
      let planned = try RefitPlan(repeating: replayed.sink.refits)
      #expect(
        planned.groups.map { $0.records.map { $0.words } }
          == day.setup.refits?.groups.map { $0.records.map { $0.words } })
    }
  }
}
