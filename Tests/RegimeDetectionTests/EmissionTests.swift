import TestSupport
import Testing
import TradingTypes

@testable import RegimeDetection

// Goal: two exponentials side by side are the ones of one alone. Method: seeded numbers over the whole range, bit for bit.
@Test(arguments: Seeds.brief) func `a pair of powers of two has the bits of each alone`(seed: UInt64) {
  var random = SplitMix64(seed: seed)
  let edges: [Double] = [0, -0.0, 1e-300, 0.5, -0.5, 1, 199.99, -200, 999.5, -999.5, -1_000, 1_000]
  for round in 0..<2_000 {
    func number() -> Double {
      round < 200 ? edges[random.below(edges.count)] : (2 * random.unit() - 1) * [1, 50, 200, 1_000][random.below(4)]
    }
    let (one, other) = (number(), number())
    let pair = StateVector.pairExp2(SIMD2(one, other))
    #expect(pair[0].bitPattern == DeterministicMath.exp2(one).bitPattern, "seed \(seed): \(one)")
    #expect(pair[1].bitPattern == DeterministicMath.exp2(other).bitPattern, "seed \(seed): \(other)")
  }
}

// Goal: densities taken two observations at a time are those of each alone, whatever they are divided by. Method: seeded models and series of
// even and odd length with outliers that are far from a state; ratios between states and the whole logarithm against the plain formula.
@Test(arguments: Seeds.brief) func `densities side by side are those of each observation alone`(seed: UInt64) throws {
  var random = SplitMix64(seed: seed)
  for states in 2...4 {
    let model = try HiddenMarkovModel(
      start: [Double](repeating: 1 / Double(states), count: states),
      transition: [[Double]](repeating: [Double](repeating: 1 / Double(states), count: states), count: states),
      means: (0..<states).map { _ in random.unit() - 0.5 },
      variances: (0..<states).map { _ in 0.2 + 4 * random.unit() })
    let emissions = ScalarEmissions(model)
    for count in [1, 2, 3, 64, 65] {
      let observations = (0..<count).map { _ in (random.unit() - 0.5) * [1, 8, 60][random.below(3)] }
      var densities = [StateVector](repeating: StateVector(repeating: .nan), count: count)
      let shifts = emissions.fill(&densities, at: observations)
      var expected = 0.0
      for row in 0..<count {
        let logarithms = emissions.logDensities(at: observations[row])
        #expect(densities[row].max() <= 0x1p201, "seed \(seed), \(states) states, row \(row) of \(count)")
        let best = (0..<states).max { logarithms[$0] < logarithms[$1] } ?? 0
        expected += logarithms[best] - DeterministicMath.log(densities[row][best])
        for state in 0..<4 {
          let ratio = state < states ? DeterministicMath.exp(logarithms[state] - logarithms[best]) : 0
          let found = densities[row][state] / densities[row][best]
          #expect(
            abs(found - ratio) <= 1e-12 * ratio,
            "seed \(seed), \(states) states, row \(row) of \(count), state \(state)")
        }
      }
      #expect(abs(shifts - expected) <= 1e-10 * (1 + abs(expected)), "seed \(seed), \(states) states, \(count) rows")
    }
  }
}
