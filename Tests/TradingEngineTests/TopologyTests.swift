// Goal: the same input gives the same decisions in every topology. Method: generated days through the inline engine and through threads,
// compared by checksum, counts, books and positions; then with every part that a topology could treat otherwise.

import BacktestHarness
import ModelFixtures
import EngineTelemetry
import FixtureStreams
import Foundation
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

@testable import TradingEngine

@Suite(.serialized) struct TopologyTests {
  static let others: [EngineTopology] = [.split, .sharded(count: 1), .sharded(count: 2), .sharded(count: 3)]

  /// What must not depend on the topology.
  static func outcome(_ outcome: borrowing TopologyOutcome<DecisionChecksum>) -> String {
    let summary = outcome.summary
    let counts = summary.counts
    return
      "\(outcome.sink.hex) \(counts.messages) \(counts.triggers) \(counts.decisions) \(counts.orders) \(counts.fills) "
      + "\(summary.rejects) \(summary.positions) \(summary.cash) \(summary.realised) \(summary.unrealised) "
      + "\(summary.fees) \(summary.killLevel) \(outcome.holdings.map(\.lots))"
  }

  static func run(_ day: GeneratedDay, _ topology: EngineTopology, _ change: (inout TopologyRun) -> Void = { _ in })
    throws -> String
  {
    var run = TopologyRun(day.setup, topology)
    change(&run)
    let result = try run.run(day.bytes, into: DecisionChecksum())
    #expect(result.leaks.allSatisfy { $0 == 0 })
    return Self.outcome(result)
  }

  @Test(arguments: Seeds.brief.prefix(2))
  func `split and sharded decide what inline decides`(seed: UInt64) throws {
    let day = try GeneratedDay(seed: seed, messages: 10_000)
    let expected = try Self.run(day, .inline)
    #expect(expected.hasPrefix(try day.runPlain().prefix(16)))
    for topology in Self.others {
      let got = try Self.run(day, topology)
      #expect(got == expected, "seed \(seed), \(topology)")
    }
  }

  @Test func `a line that is stale for a while stops every topology alike`() throws {
    let day = try GeneratedDay(seed: 24, messages: 9_000)
    let states: [(before: UInt64, state: LineState)] = [
      (3_000, .recovering), (3_500, .stale), (6_000, .valid),
    ]
    let expected = try Self.run(day, .inline) { $0.lineStates = states }
    let undisturbed = try Self.run(day, .inline)
    #expect(expected != undisturbed)
    for topology in Self.others {
      let got = try Self.run(day, topology) { $0.lineStates = states }
      #expect(got == expected, "\(topology)")
    }
  }

  static let goog = "data/itch50/goog_20120621_from_lobster10.itch50"

  @Test(.enabled(if: SharedData.file(goog) != nil, "the shared market data are not there"))
  func `a real day of one stock is decided alike`() throws {
    let bytes = [UInt8](try Data(contentsOf: SharedData.file(Self.goog)!))
    let configuration = EngineConfiguration()
    let scan = try FeedScan(bytes.rawBytes, configuration: configuration)
    let setup = ReplaySetup(
      configuration: configuration, directory: scan.directory, artifact: try SmallEnsemble.artifact())
    // All of it where the code is optimised.
    let countMax: UInt64 = countsAllocations ? .max : 4_000
    var run = TopologyRun(setup, .inline)
    let inline = try run.run(bytes, countMax: countMax, into: DecisionChecksum())
    let expected = Self.outcome(inline)
    #expect(inline.summary.counts.decisions > 100)
    for topology in Self.others {
      run.topology = topology
      let other = try run.run(bytes, countMax: countMax, into: DecisionChecksum())
      let got = Self.outcome(other)
      #expect(got == expected, "\(topology)")
    }
  }

  @Test(.enabled(if: countsAllocations, "a long day takes an optimised build"))
  func `a long day of fifty stocks is decided alike`() throws {
    var day = try GeneratedDay(seed: 42, messages: 1_000_000, symbols: 50)
    // Room for every order, and for a position in every stock: the number of positions is a limit of the portfolio.
    day.setup.configuration.capacity.restingOrders = 131_072
    var policy = PolicySnapshot.standard(.normal)
    policy.openPositionsMax = 50
    let control = try EngineControl(policy: policy, in: Arena(capacityBytes: 8 << 20))
    let expected = try Self.run(day, .inline) { $0.control = control }
    for topology in Self.others {
      let got = try Self.run(day, topology) { $0.control = control }
      #expect(got == expected, "\(topology)")
    }
  }

  @Test func `late reports, context values and tiny rings change nothing`() throws {
    var day = try GeneratedDay(seed: 21, messages: 6_000, symbols: 5)
    day.setup.configuration.venueLatencyNanoseconds = 3_000_000_000
    let open = Timestamp(nanoseconds: ItchFixture.openNanoseconds)
    let context: [(before: UInt64, event: ContextEvent)] = (0..<60).map {
      let time = Timestamp(nanoseconds: open.nanoseconds + Int64($0) * 300_000_000_000)
      return (UInt64($0 * 100 + 1), ContextEvent(kind: .vix, value: $0 % 2 == 0 ? 35 : 14, time: time))
    }
    let plain = try Self.run(day, .inline)
    let expected = try Self.run(day, .inline) { $0.context = context }
    #expect(plain.prefix(16) != expected.prefix(16))
    for topology in Self.others {
      let got = try Self.run(day, topology) {
        $0.context = context
        $0.ringCapacity = 16
      }
      #expect(got == expected, "\(topology)")
    }
    // Any partition will do.
    let map = try ShardMap([1, 1, 0, 1, 2], count: 3)
    let got = try Self.run(day, .sharded(count: 3)) {
      $0.context = context
      $0.shardMap = map
    }
    #expect(got == expected)
  }

  @Test func `a silent feed stops every shard at the same message`() throws {
    var day = try GeneratedDay(seed: 22, messages: 4_000)
    day.setup.configuration.kill.feedSilenceSecondsMax = 45
    let expected = try Self.run(day, .inline)
    #expect(expected.contains("reducing"))
    for topology in Self.others {
      let got = try Self.run(day, topology)
      #expect(got == expected, "\(topology)")
    }
  }

  @Test func `one shard's halt halts the others`() throws {
    var day = try GeneratedDay(seed: 23, messages: 10_000)
    day.setup.configuration.kill.ordersPerSecondMax = 1
    let result = try TopologyRun(day.setup, .sharded(count: 4)).run(day.bytes, into: RecordingSink())
    #expect(result.summary.killLevel == .halted)
    // Once each: by itself or by the others.
    #expect(result.summary.killTrips >= 4)
    // Much later nobody trades, whoever tripped.
    #expect(result.sink.decisions.suffix(500).allSatisfy { $0.verdict != .routed })
  }

  @Test func `a limit on all shards' gross exposure is never exceeded, and a replay repeats who got what`() throws {
    var day = try GeneratedDay(seed: 24, messages: 12_000, symbols: 6)
    let most = Money(units: 9_000)
    day.setup.configuration.limits.firmGrossMax = most
    let first = try TopologyRun(day.setup, .sharded(count: 3)).run(day.bytes, into: DecisionChecksum())
    let uses = first.uses
    let gross = uses.filter { $0.number == PortfolioLimit.grossExposure.rawValue }
    #expect(gross.indices.allSatisfy { gross[$0].ticket == UInt64($0) })
    let asked = gross.filter { $0.kind == .reserve && $0.amount > 0 }
    #expect(asked.contains { $0.isGranted } && asked.contains { !$0.isGranted })
    #expect(asked.allSatisfy { !$0.isGranted || $0.used <= 9_000_000_000 })
    #expect(first.leaks == [0, 0, 0])
    // A refusal is a rejection by the check of exposures.
    let refused = asked.count { !$0.isGranted }
    #expect(first.summary.counts.rejects[Int(RiskCheck.exposure.rawValue)] >= UInt64(refused))
    Self.expectSums(gross)
    let expected = Self.outcome(first)
    for _ in 0..<3 {
      var run = TopologyRun(day.setup, .sharded(count: 3))
      run.replaying = uses
      let again = try run.run(day.bytes, into: DecisionChecksum())
      let got = Self.outcome(again)
      #expect(got == expected)
      #expect(again.uses == uses)
    }
    // A journal keeps the order as well.
    let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let writer = try JournalWriter(
      storage: try FileStorage(directory: folder), in: Arena(capacityBytes: 64 << 20))
    let kept = try TopologyRun(day.setup, .sharded(count: 3)).run(day.bytes, into: JournalSink(writer, source: 1))
    try writer.flush(through: kept.sink.lastSequence, until: .after(milliseconds: 60_000))
    try writer.close(until: .after(milliseconds: 60_000))
    #expect(try LimitUse.recorded(inJournal: folder) == kept.uses)
    // Another record is left, and the error says where.
    var other = TopologyRun(day.setup, .sharded(count: 3))
    var changed = uses
    changed[40].amount += 1
    other.replaying = changed
    var failure: TopologyError?
    do { _ = try other.run(day.bytes, into: DecisionChecksum()) } catch { failure = error }
    guard case .diverged(.other(let recorded, let came)) = failure else {
      Issue.record("\(failure.map(\.description) ?? "no error")")
      return
    }
    #expect(recorded == changed[40] && came == uses[40])
  }

  /// In ticket order by plain integers: every sum.
  static func expectSums(_ uses: [LimitUse]) {
    var stakes: [UInt32: Int64] = [:]
    for use in uses {
      stakes[use.user] = use.isGranted ? use.stake + use.amount : use.stake
      #expect(stakes.values.reduce(0, +) == use.used, "ticket \(use.ticket)")
    }
  }

  @Test
  func `all shards together never hold more positions than the policy permits, and a replay repeats who got them`()
    throws
  {
    let most: Int64 = 5
    let day = try GeneratedDay(seed: 25, messages: 20_000, symbols: 12)
    var policy = PolicySnapshot.standard(.normal)
    policy.openPositionsMax = most
    let control = try EngineControl(policy: policy, in: Arena(capacityBytes: 8 << 20))
    var run = TopologyRun(day.setup, .sharded(count: 3))
    run.control = control
    let first = try run.run(day.bytes, into: DecisionChecksum())
    let uses = first.uses.filter { $0.number == PortfolioLimit.openPositions.rawValue }
    let asked = uses.filter { $0.kind == .reserve }
    #expect(asked.contains(where: \.isGranted) && asked.contains { !$0.isGranted })
    // Not only grants: no moment of the day.
    #expect(uses.allSatisfy { $0.used <= most })
    #expect(uses.contains { $0.used == most })
    Self.expectSums(uses)
    #expect(first.leaks == [0, 0, 0])
    #expect(first.summary.positions <= Int(most))
    let expected = Self.outcome(first)
    run.replaying = first.uses
    let again = try run.run(day.bytes, into: DecisionChecksum())
    let got = Self.outcome(again)
    #expect(got == expected)
    #expect(again.uses == first.uses)
    // Alone, a pipeline's own books hold the limit.
    let alone = try Self.run(day, .inline) { $0.control = control }
    let one = try Self.run(day, .sharded(count: 1)) { $0.control = control }
    #expect(alone == one)
  }

  @Test func `a halt after a re-arm reaches a shard that has not seen the re-arm`() throws {
    let day = try GeneratedDay(seed: 23, messages: 500)
    let control = try EngineControl(policy: .standard(.normal), in: Arena(capacityBytes: 8 << 20))
    let halted = UInt64(KillLevel.halted.rawValue)
    func level(after value: UInt64, _ change: () -> Void) throws -> KillLevel {
      var pipeline = try day.setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum(), control: control)
      change()
      pipeline.obeyOtherShards(value, at: Timestamp(nanoseconds: 1))
      return pipeline.kill.global
    }
    #expect(try level(after: halted) {} == .halted)
    // The other shard was re-armed and stopped again before this one looked at its orders.
    #expect(try level(after: 1 << 8 | halted) { control.rearm(authorisedBy: "desk", reason: "checked") } == .halted)
    // A level from before the re-arm is nothing any more.
    var pipeline = try day.setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum(), control: control)
    control.rearm(authorisedBy: "desk", reason: "checked again")
    pipeline.obeyOtherShards(2 << 8, at: Timestamp(nanoseconds: 1))
    pipeline.obeyOtherShards(1 << 8 | halted, at: Timestamp(nanoseconds: 2))
    let now = pipeline.kill.global
    #expect(now == .active)
  }

  @Test func `what cannot start says so`() throws {
    let day = try GeneratedDay(seed: 1, messages: 500)
    func failure(_ topology: EngineTopology, _ change: (inout TopologyRun) -> Void = { _ in }) -> String {
      var run = TopologyRun(day.setup, topology)
      run.patienceMilliseconds = 2_000
      change(&run)
      do { _ = try run.run(day.bytes, into: DecisionChecksum()) } catch { return error.description }
      return "none"
    }
    #expect(failure(.sharded(count: 0)) == "engine: 0 shards, expected 1 to 16")
    #expect(failure(.sharded(count: 17)) == "engine: 17 shards, expected 1 to 16")
    #expect(failure(.split) { $0.ringCapacity = 100 } == "engine: Ring: the capacity is a power of two, not 100")
    let net = failure(.sharded(count: 2)) { $0.setup.configuration.limits.firmNetMax = Money(units: 1_000) }
    #expect(net.contains("limits.firm_net_max: 1000") && net.contains("5000000"), "\(net)")
    #expect(failure(.sharded(count: 1)) { $0.setup.configuration.limits.firmNetMax = Money(units: 1_000) } == "none")
    let broken = failure(.split) { $0.setup.configuration.venues[0].sharePercent = 10 }
    #expect(broken.contains("percent") || broken.contains("100"))
  }
}
