import TestSupport
import Testing
import TradingTypes

@testable import RegimeDetection

// Goal: two exponentials side by side are the ones of one alone. Method: seeded numbers over the whole range, bit for bit.
@Test(arguments: Seeds.brief) func `a pair of exponentials has the bits of each alone`(seed: UInt64) {
  var random = SplitMix64(seed: seed)
  let edges: [Double] = [0, -0.0, -1e-300, -706.99, -707, -707.01, -745.13, -745.14, -745.15, -1e9, -.infinity]
  for round in 0..<2_000 {
    func number() -> Double {
      round < 200 ? edges[random.below(edges.count)] : -random.unit() * [1, 50, 720, 760][random.below(4)]
    }
    let (one, other) = (number(), number())
    let pair = StateVector.pairExp(SIMD2(one, other))
    #expect(pair[0].bitPattern == DeterministicMath.exp(one).bitPattern, "seed \(seed): \(one)")
    #expect(pair[1].bitPattern == DeterministicMath.exp(other).bitPattern, "seed \(seed): \(other)")
  }
}
