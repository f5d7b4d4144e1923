import BuiltinModels
import Foundation
import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: a look at the cost of a forecast in each instruction set; prints, gates nothing. Method: single calls over 4096
// distinct rows in mixed order, medians of 15 interleaved passes. MARTLET_TIMING=1 swift test -c release --filter
// Timing
struct TimingTests {
  private static let isAsked = ProcessInfo.processInfo.environment["MARTLET_TIMING"] != nil

  private static let origin = ContinuousClock.now

  private static func nanoseconds() -> Int {
    let (seconds, attoseconds) = (ContinuousClock.now - origin).components
    return Int(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  @Test(.enabled(if: isAsked, "MARTLET_TIMING is not set"))
  func `forecasts of each instruction set, timed singly`() throws {
    let artifact = try BuiltinModels.ensemble()
    let vectors = EnsembleTests.rows(4096, seed: 31)
    var models: [(name: String, model: EnsembleModel)] = [("ensemble", artifact.model)]
    for (name, member) in zip(["trees", "network"], artifact.model.members) {
      models.append((name, alone(member.kind)))
    }
    for (name, model) in models {
      var medians: [KernelSet: (p50: [Int], p99: [Int])] = [:]
      for _ in 0..<15 {
        for set in KernelSet.supported {
          var ensemble = Ensemble(model, kernels: set, in: arena(for: model))
          var times: [Int] = []
          times.reserveCapacity(4096)
          var sum = 0.0
          for pass in 0..<2 {
            for step in 0..<4096 {
              // An odd factor visits every row once, far from the last one.
              let vector = vectors[(step * 2531) & 4095]
              let start = Self.nanoseconds()
              sum += ensemble.forecast(vector).probabilityUp
              let end = Self.nanoseconds()
              if pass == 1 { times.append(end - start) }
            }
          }
          #expect(sum > 0)
          times.sort()
          medians[set, default: ([], [])].p50.append(times[2048])
          medians[set, default: ([], [])].p99.append(times[4055])
        }
      }
      for set in KernelSet.supported {
        let (p50, p99) = (medians[set]!.p50.sorted(), medians[set]!.p99.sorted())
        print("\(name) \(set): p50 \(p50[0]) / \(p50[7]) ns, p99 \(p99[0]) / \(p99[7]) ns (min / median of 15 passes)")
      }
    }
    let floor = (0..<4096).map { _ in -Self.nanoseconds() + Self.nanoseconds() }.sorted()
    print("clock floor: \(floor[2048]) ns")
  }
}
