import Foundation
import TestSupport
import Testing
import TradingTypes

@testable import MarketIngest

// Goal: whatever two lines lose, repeat and re-order, the books end as those of the lossless stream, or say that they are stale. Method:
// generated days over two simulated lines with a retransmission server and snapshots that fail too, seed by seed.
@Suite struct LineSimulationTests {
  static let seedCount =
    ProcessInfo.processInfo.environment["MARTLET_LINE_SEEDS"].flatMap { UInt64($0) }
    ?? (countsAllocations ? 300 : 60)

  static func isWhole(_ sequences: [UInt64]) -> Bool {
    zip(sequences, sequences.dropFirst()).allSatisfy { $0 + 1 == $1 }
  }

  @Test func `books converge to those of the lossless stream`() throws {
    var requests: UInt64 = 0
    var snapshots = 0
    var duplicates: UInt64 = 0
    var refused: UInt64 = 0
    for seed in 1...max(1, Self.seedCount) {
      // Every eighth server loses so much that snapshots are needed.
      // Every third window is so small that it fills.
      let faults = LineFaults(serverLoss: seed % 8 == 0 ? 700 : 50, windowMessages: seed % 3 == 0 ? 64 : 1_024)
      var simulation = LineSimulation(seed: seed, faults: faults)
      let expected = try simulation.lossless()
      let result = try simulation.run()
      #expect(result.orders == expected, "seed \(seed)")
      #expect(result.hasEnded && result.state == .valid && result.staleBooks == 0, "seed \(seed): \(result.state)")
      #expect(result.fault == nil, "seed \(seed): \(result.fault ?? "")")
      if result.snapshots == 0 {
        #expect(result.sequences == (1...UInt64(simulation.bodies.count)).map { $0 }, "seed \(seed)")
      } else {
        #expect(zip(result.sequences, result.sequences.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed)")
      }
      requests += result.requests
      snapshots += result.snapshots
      duplicates += result.counters.reduce(0) { $0 + $1.duplicates }
      refused += result.counters.reduce(0) { $0 + $1.refused }
    }
    // What the test is about took place.
    #expect(requests > Self.seedCount && duplicates > 100 * Self.seedCount)
    if Self.seedCount >= 100 { #expect(snapshots > 10 && refused > 100) }
  }

  @Test func `without retransmission and snapshots the books are stale and nothing behind the gap is used`() throws {
    for seed in 1...20 as ClosedRange<UInt64> {
      var simulation = LineSimulation(seed: seed, faults: LineFaults(serverLoss: nil, hasSnapshots: false))
      let result = try simulation.run()
      #expect(result.state == .stale && result.staleBooks == 3, "seed \(seed)")
      #expect(result.lost > 0 && result.fault == nil, "seed \(seed)")
      #expect(Self.isWhole(result.sequences), "seed \(seed)")
      let expected = try simulation.lossless(result.sequences.count)
      #expect(result.orders == expected, "seed \(seed)")
    }
  }

  @Test func `without faults nothing is asked for`() throws {
    let none = LineFaults(lostOnBoth: 0, lostOnOne: 0, repeated: 0, late: 0)
    var simulation = LineSimulation(seed: 5, faults: none)
    let expected = try simulation.lossless()
    let result = try simulation.run()
    #expect(result.orders == expected && result.requests == 0 && result.state == .valid)
  }

  @Test func `a forgotten message is found`() throws {
    var found = 0
    var different = 0
    for seed in 1...10 as ClosedRange<UInt64> {
      var simulation = LineSimulation(seed: seed, faults: LineFaults(forgetsOne: true))
      let expected = try simulation.lossless()
      let result = try simulation.run()
      if result.fault != nil { found += 1 }
      if result.orders != expected || !result.hasEnded { different += 1 }
    }
    // The invariants tell at once; the books tell where no other copy came later.
    #expect(found == 10 && different > 2, "\(found), \(different)")
  }
}
