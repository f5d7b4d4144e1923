import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: the closed forms and the empirical optimum are right and never NaN.
// Method: the golden figures, the facts the formulas are known for, and a search over a grid as the slow twin.
@Suite struct KellyFormulasTests {
  @Test(.enabled(if: GoldenKelly.isThere, "shared golden files are missing"))
  func `the golden formulas`() throws {
    let golden = try GoldenKelly.load()
    #expect(golden.binary.count == 8 && golden.continuous.count == 4 && golden.shrinkage.cases.count == 4)
    for row in golden.binary {
      let f = try #require(KellyFormulas.binary(probability: row.p, gain: row.b, loss: row.a))
      #expect(abs(f - row.f) <= 1e-12 * max(abs(row.f), 0.1), "\(row)")
      #expect(abs(max(0, f) - row.f_clamped) <= 1e-12, "\(row)")
    }
    for row in golden.continuous {
      func growth(_ share: Double) -> Double {
        KellyFormulas.growth(share: share, mean: row.mu, rate: row.r, volatility: row.sigma) ?? .nan
      }
      let f = try #require(KellyFormulas.continuous(mean: row.mu, rate: row.r, volatility: row.sigma))
      #expect(agrees(f, row.f, 1e-12))
      #expect(agrees(growth(1), row.growth_full, 1e-12) && agrees(growth(0.5), row.growth_half, 1e-12))
      #expect(abs(growth(2) - row.growth_double) <= 1e-12)
    }
    for row in golden.drawdown_probability.prob {
      #expect(agrees(KellyFormulas.drawdownProbability(level: row.a, share: row.k) ?? .nan, row.p, 1e-12), "\(row)")
    }
    for row in golden.drawdown_probability.kmax {
      #expect(agrees(KellyFormulas.shareMax(level: row.a, probability: row.beta) ?? .nan, row.k, 1e-12), "\(row)")
    }
    for row in golden.shrinkage.cases {
      let factor = KellyFormulas.shrinkage(mean: row.mu, volatility: row.sigma, observations: row.n)
      #expect(agrees(factor ?? .nan, row.shrink, 1e-12), "\(row)")
    }
  }

  @Test func `the facts of the page`() throws {
    #expect(abs(KellyFormulas.binary(probability: 0.68, gain: 1)! - 0.36) < 1e-15)
    #expect(abs(KellyFormulas.binary(probability: 0.68, gain: 0.4)! + 0.12) < 1e-15)
    let full = KellyFormulas.growth(share: 1, mean: 0.08, rate: 0.02, volatility: 0.2)! - 0.02
    #expect(
      abs(KellyFormulas.growth(share: 0.5, mean: 0.08, rate: 0.02, volatility: 0.2)! - 0.02 - 0.75 * full) < 1e-15)
    #expect(abs(KellyFormulas.growth(share: 2, mean: 0.08, rate: 0.02, volatility: 0.2)! - 0.02) < 1e-15)
    #expect(abs(KellyFormulas.drawdownProbability(level: 0.8, share: 0.5)! - 0.512) < 1e-12)
    let share = KellyFormulas.shareMax(level: 0.8, probability: 0.1)!
    #expect(abs(share - 0.177) < 5e-4)
    #expect(abs(KellyFormulas.drawdownProbability(level: 0.8, share: share)! - 0.1) < 1e-12)
    #expect(KellyFormulas.drawdownProbability(level: 0.8, share: 2) == 1)
  }

  @Test func `what is not a number or out of range has no answer`() {
    for bad in [Double.nan, .infinity, -.infinity] {
      #expect(KellyFormulas.binary(probability: bad, gain: 1) == nil)
      #expect(KellyFormulas.binary(probability: 0.5, gain: bad) == nil)
      #expect(KellyFormulas.binary(probability: 0.5, gain: 1, loss: bad) == nil)
      #expect(KellyFormulas.continuous(mean: bad, volatility: 0.1) == nil)
      #expect(KellyFormulas.growth(share: bad, mean: 0.1, volatility: 0.1) == nil)
      #expect(KellyFormulas.drawdownProbability(level: bad, share: 1) == nil)
      #expect(KellyFormulas.drawdownProbability(level: 0.5, share: bad) == nil)
      #expect(KellyFormulas.shareMax(level: 0.5, probability: bad) == nil)
      #expect(KellyFormulas.shrinkage(mean: bad, volatility: 0.1, observations: 10) == nil)
      #expect(KellyFormulas.shrinkage(mean: 0.1, volatility: 0.1, observations: bad) == nil)
    }
    #expect(KellyFormulas.continuous(mean: 0.1, volatility: 0) == nil)
    #expect(KellyFormulas.binary(probability: 1.1, gain: 1) == nil)
    #expect(KellyFormulas.binary(probability: 0.5, gain: 0) == nil)
  }

  @Test(arguments: Seeds.brief) func `more volatility never raises the factor for estimation error`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<20_000 {
      let mean = 0.01 * random.unit()
      let volatility = 1e-4 + 0.05 * random.unit()
      let n = Double(random.below(5_000))
      let factor = KellyFormulas.shrinkage(mean: mean, volatility: volatility, observations: n)!
      // One step of the floating-point grid: rounding keeps the order too.
      let wilder = KellyFormulas.shrinkage(mean: mean, volatility: volatility.nextUp, observations: n)!
      #expect(wilder <= factor && factor >= 0 && factor <= 1, "seed \(seed)")
    }
  }

  @Test(.enabled(if: GoldenKelly.isThere, "shared golden files are missing"))
  func `the golden empirical optimum of the S&P 500`() throws {
    let golden = try GoldenKelly.load().empirical_log_optimal.sp500
    let returns = try GoldenKelly.fractions("sp500_returns.csv", columns: 1).map { $0[0] }
    let optimum = try EmpiricalKelly(returns: returns)
    #expect(optimum.count == golden.n)
    #expect(abs(optimum.fraction - golden.f) <= 1e-9)
    #expect(abs(optimum.fraction - 1.4759129285109045) <= 1e-9)
    #expect(abs(optimum.growth - golden.growth) <= 1e-9)
    #expect(abs(optimum.upperBound - golden.upper_bound) <= 1e-9)
    // Near the normal approximation, as far as its skew and tails let it.
    #expect(abs(optimum.fraction - golden.mu_over_var) < 0.01)
  }

  // The slow twin: growth on a grid, then on a finer one around its best point.
  @Test(arguments: Seeds.brief) func `no fraction grows faster than the empirical optimum`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<20 {
      let skew = random.unit() - 0.5
      let returns = (0..<(3 + random.below(40))).map { _ in 0.2 * (random.unit() - 0.5 + 0.3 * skew) } + [0.01, -0.01]
      let optimum = try EmpiricalKelly(returns: returns)
      #expect(optimum.fraction > optimum.lowerBound && optimum.fraction < optimum.upperBound, "seed \(seed)")
      var (low, high) = (optimum.lowerBound, optimum.upperBound)
      var best = -Double.infinity
      for _ in 0..<12 {
        let grid = (0...200).map { low + (high - low) * Double($0) / 200 }
        let growth = grid.map { EmpiricalKelly.meanLogGrowth(of: returns, at: $0) }
        let place = growth.indices.max { growth[$0] < growth[$1] }!
        best = growth[place]
        (low, high) = (grid[max(0, place - 1)], grid[min(200, place + 1)])
      }
      #expect(optimum.growth >= best - 1e-15, "seed \(seed)")
      #expect(abs(optimum.fraction - (low + high) / 2) < 1e-5 * (1 + abs(optimum.fraction)), "seed \(seed)")
    }
  }

  @Test func `returns without a maximum of growth are refused, with the reason`() {
    for (returns, reason) in [
      ([0.01, 0.02], "losses and gains"), ([-0.01, -0.02], "losses and gains"), ([], "losses and gains"),
      ([0, 0], "losses and gains"), ([0.1, .nan, -0.1], "return 1 is nan"), ([0.1, -.infinity], "return 1 is -inf"),
    ] as [([Double], String)] {
      do {
        _ = try EmpiricalKelly(returns: returns)
        Issue.record("\(returns) was not refused")
      } catch { #expect("\(error)".contains(reason), "\(error)") }
    }
  }

  @Test func `a coin's optimum is the binary formula`() throws {
    // 60 of 100 bets win what they stake: 0.2 of wealth.
    let returns = [Double](repeating: 1, count: 60) + [Double](repeating: -1, count: 40)
    let optimum = try EmpiricalKelly(returns: returns)
    #expect(abs(optimum.fraction - 0.2) < 1e-14)
  }
}
