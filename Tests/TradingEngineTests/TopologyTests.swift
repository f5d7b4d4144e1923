// Goal: the same input gives the same decisions in every topology. Method: generated days through the inline engine and through threads,
// compared by checksum, counts, books and positions; then with every part that a topology could treat otherwise.

import BacktestHarness
import BuiltinModels
import EngineTelemetry
import FixtureStreams
import Foundation
import LockFreeRings
import TestSupport
import Testing
import TradingEngine
import TradingTypes

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
    let day = try GeneratedDay(seed: seed, messages: 20_000)
    let expected = try Self.run(day, .inline)
    #expect(expected.hasPrefix(try day.runPlain().prefix(16)))
    for topology in Self.others {
      let got = try Self.run(day, topology)
      #expect(got == expected, "seed \(seed), \(topology)")
    }
  }
}
