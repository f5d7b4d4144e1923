import Foundation
import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: value at risk and the mean beyond it are right by their definitions, coherent, and the same from formula and simulation.
// Method: the definitions over whole samples as slow twins, table values of the distributions, and seeded samples.
@Suite struct RiskMeasuresTests {
  // The definition: the mean of the worst share, an outcome at its edge taken in part.
  private func beyond(_ profits: [Double], _ level: Double) -> Double {
    var left = Double(profits.count) * (1 - level)
    let all = left
    var sum = 0.0
    for loss in profits.map({ -$0 }).sorted(by: >) {
      let part = min(1, left)
      guard part > 1e-12 else { break }
      sum += part * loss
      left -= part
    }
    return sum / all
  }

  @Test func `ten outcomes by hand`() throws {
    let profits = [-5.0, 3, -1, 2, -4, 1, 0, -2, 5, 4]
    let nine = try RiskMeasures(profits: profits, level: 0.9)
    #expect(nine.valueAtRisk == 4 && abs(nine.conditionalValueAtRisk - 5) < 1e-12 && nine.count == 10)
    let eight = try RiskMeasures(profits: profits, level: 0.8)
    #expect(eight.valueAtRisk == 2 && abs(eight.conditionalValueAtRisk - 4.5) < 1e-12)
    // A quarter of ten is two outcomes and a half: 5, 4 and half of 2.
    let part = try RiskMeasures(profits: profits, level: 0.75)
    #expect(part.valueAtRisk == 2 && abs(part.conditionalValueAtRisk - (5 + 4 + 0.5 * 2) / 2.5) < 1e-12)
    let one = try RiskMeasures(profits: [-3], level: 0.99)
    #expect(one.valueAtRisk == 3 && abs(one.conditionalValueAtRisk - 3) < 1e-12)
  }

  @Test(arguments: Seeds.brief) func `historical measures equal their definition and are coherent`(seed: UInt64) throws
  {
    var random = SplitMix64(seed: seed)
    for _ in 0..<60 {
      let count = 1 + random.below(300)
      func draw() -> [Double] { (0..<count).map { _ in (random.unit() - 0.5) * (random.below(10) == 0 ? 10 : 1) } }
      let (first, second) = (draw(), draw())
      let sum = zip(first, second).map { $0 + $1 }
      var before = (-Double.infinity, -Double.infinity)
      for level in [0.01, 0.3, 0.5, 0.9, 0.95, 0.99, 0.999] {
        let (one, two) = (
          try RiskMeasures(profits: first, level: level), try RiskMeasures(profits: second, level: level)
        )
        let both = try RiskMeasures(profits: sum, level: level)
        #expect(abs(one.conditionalValueAtRisk - beyond(first, level)) < 1e-9, "seed \(seed)")
        // The least outcome not exceeded with the probability of the level.
        let within = first.filter { -$0 <= one.valueAtRisk }.count
        let below = first.filter { -$0 < one.valueAtRisk }.count
        #expect(Double(within) >= Double(count) * level - 1e-6 && Double(below) < Double(count) * level + 1e-6)
        #expect(one.conditionalValueAtRisk >= one.valueAtRisk, "seed \(seed)")
        #expect(one.valueAtRisk >= before.0 && one.conditionalValueAtRisk >= before.1 - 1e-12, "seed \(seed) \(level)")
        before = (one.valueAtRisk, one.conditionalValueAtRisk)
        // Subadditive, positively homogeneous, translation invariant.
        #expect(
          both.conditionalValueAtRisk <= one.conditionalValueAtRisk + two.conditionalValueAtRisk + 1e-9, "seed \(seed)")
        let scaled = try RiskMeasures(profits: first.map { 3 * $0 + 0.25 }, level: level)
        #expect(abs(scaled.valueAtRisk - (3 * one.valueAtRisk - 0.25)) < 1e-12)
        #expect(abs(scaled.conditionalValueAtRisk - (3 * one.conditionalValueAtRisk - 0.25)) < 1e-9)
      }
    }
  }

  @Test func `quantiles and tails equal their tables`() {
    for (probability, x) in [
      (0.95, 1.6448536269514722), (0.99, 2.3263478740408408), (0.5, 0), (0.001, -3.0902323061678132),
      (1e-10, -6.3613409024040562), (0.975, 1.959963984540054),
    ] {
      #expect(abs(NormalDistribution.quantile(probability) - x) < 4e-15 * max(1, abs(x)), "\(probability)")
    }
    for x in stride(from: -6.0, through: 6, by: 0.37) {
      // The tail away from 1, where a probability keeps its digits.
      let share = 0.5 * erfc(abs(x) / 2.0.squareRoot())
      #expect(abs(NormalDistribution.quantile(share) + abs(x)) < 1e-13 * max(1, abs(x)), "\(x)")
    }
    for (degrees, probability, x) in [
      (1.0, 0.975, 12.706204736174696), (2, 0.975, 4.3026527297494619), (5, 0.99, 3.3649299989072184),
      (10, 0.95, 1.8124611228116756), (30, 0.999, 3.3851848668293058), (4, 0.25, -0.74069708411268284),
    ] {
      #expect(abs(StudentDistribution(degrees: degrees).quantile(probability) - x) < 1e-12 * abs(x), "\(degrees)")
    }
    // One degree is Cauchy's, two have a closed form.
    for x in [0.1, 1, 3, 50, 1e4] {
      #expect(abs(StudentDistribution(degrees: 1).tail(x) - atan(1 / x) / .pi) < 1e-14)
      let two = 0.5 * (1 - x / (2 + x * x).squareRoot())
      #expect(abs(StudentDistribution(degrees: 2).tail(x) - two) < 1e-14)
    }
    for bad in [Double.nan, 0, 1, -1, 2] {
      #expect(NormalDistribution.quantile(bad).isNaN && StudentDistribution(degrees: 4).quantile(bad).isNaN)
    }
  }

  // The slow twin of the closed forms: the tail integral of the quantile function, by the midpoint rule.
  @Test(arguments: [0.9, 0.95, 0.99]) func `closed forms equal the integral of the tail`(level: Double) throws {
    let steps = 1_000
    for degrees in [nil, 2.5, 4, 8, 50] as [Double?] {
      let measures =
        try degrees.map { try RiskMeasures.student(mean: 0.001, volatility: 0.02, degrees: $0, level: level) }
        ?? RiskMeasures.normal(mean: 0.001, volatility: 0.02, level: level)
      var sum = 0.0
      for step in 0..<steps {
        // Finer toward the end, where the quantile grows without bound.
        let u = (Double(step) + 0.5) / Double(steps)
        let share = (1 - level) * u * u * u * u
        let x =
          degrees.map {
            -StudentDistribution(degrees: $0).quantile(share) * (($0 - 2) / $0).squareRoot()
          } ?? -NormalDistribution.quantile(share)
        sum += (0.02 * x - 0.001) * 4 * u * u * u / Double(steps)
      }
      #expect(abs(measures.conditionalValueAtRisk - sum) < 1e-4 * sum, "\(degrees ?? 0)")
      #expect(measures.conditionalValueAtRisk > measures.valueAtRisk)
    }
    // Many degrees are the normal distribution.
    let normal = try RiskMeasures.normal(mean: 0, volatility: 1, level: level)
    let student = try RiskMeasures.student(mean: 0, volatility: 1, degrees: 1e6, level: level)
    #expect(abs(normal.valueAtRisk - student.valueAtRisk) < 1e-5)
    #expect(abs(normal.conditionalValueAtRisk - student.conditionalValueAtRisk) < 1e-5)
  }

  private func moments() throws -> ReturnMoments {
    var covariance = SymmetricMatrix(zeros: 3)
    for (row, column, value) in [
      (0, 0, 0.0004), (1, 1, 0.0001), (2, 2, 0.0009), (0, 1, 0.0001), (0, 2, -0.0002), (1, 2, 0),
    ] {
      covariance[row, column] = value
    }
    return try ReturnMoments(mean: [0.0005, 0.0001, 0.001], covariance: covariance, observations: 250)
  }

  @Test(arguments: [nil, 5] as [Double?]) func `simulation comes to the formula`(degrees: Double?) throws {
    let portfolio = try PortfolioRisk(positions: [0.5, -0.4, 0.3])
    let moments = try moments()
    let profits = try portfolio.simulatedProfits(moments, degrees: degrees, pathPairs: 40_000, seed: 11)
    let again = try portfolio.simulatedProfits(moments, degrees: degrees, pathPairs: 40_000, seed: 11)
    #expect(profits == again && profits.count == 80_000)
    let other = try portfolio.simulatedProfits(moments, degrees: degrees, pathPairs: 40_000, seed: 12)
    #expect(profits != other)
    let mean = profits.reduce(0, +) / Double(profits.count)
    #expect(abs(mean - (0.5 * 0.0005 - 0.4 * 0.0001 + 0.3 * 0.001)) < 1e-12)
    for level in [0.95, 0.99] {
      let simulated = try RiskMeasures(profits: profits, level: level)
      let formula = try portfolio.parametric(moments, degrees: degrees, level: level)
      #expect(abs(simulated.valueAtRisk / formula.valueAtRisk - 1) < 0.03, "\(level)")
      #expect(abs(simulated.conditionalValueAtRisk / formula.conditionalValueAtRisk - 1) < 0.04, "\(level)")
    }
  }

  @Test(.enabled(if: GoldenKelly.isThere, "shared golden files are missing"))
  func `three factors over ninety years: tails are heavier than normal`() throws {
    let rows = try GoldenKelly.fractions("french_factors_monthly.csv", columns: 3)
    let portfolio = try PortfolioRisk(positions: [0.5, 0.25, 0.25])
    let historical = try portfolio.historical(rows, level: 0.99)
    let normal = try portfolio.parametric(try ReturnMoments(rows: rows), level: 0.99)
    let student = try portfolio.parametric(try ReturnMoments(rows: rows), degrees: 4, level: 0.99)
    #expect(historical.count == 1109)
    #expect(historical.conditionalValueAtRisk > normal.conditionalValueAtRisk)
    #expect(student.conditionalValueAtRisk > normal.conditionalValueAtRisk)
    // Shares of equity: more of the same is more of the risk.
    let double = try PortfolioRisk(positions: [1, 0.5, 0.5]).historical(rows, level: 0.99)
    #expect(abs(double.valueAtRisk - 2 * historical.valueAtRisk) < 1e-12)
  }

  @Test func `what cannot be measured is refused with the reason`() throws {
    func refuses(_ reason: String, _ body: () throws -> Void) {
      do {
        try body()
        Issue.record("not refused: \(reason)")
      } catch { #expect("\(error)".contains(reason), "\(error)") }
    }
    let moments = try moments()
    let portfolio = try PortfolioRisk(positions: [1, 1, 1])
    refuses("level 1.0, expected in (0, 1)") { _ = try RiskMeasures(profits: [1], level: 1) }
    refuses("level nan") { _ = try RiskMeasures.normal(mean: 0, volatility: 1, level: .nan) }
    refuses("no outcomes") { _ = try RiskMeasures(profits: [], level: 0.99) }
    refuses("outcome 1 is nan") { _ = try RiskMeasures(profits: [0, .nan], level: 0.99) }
    refuses("volatility -1.0") { _ = try RiskMeasures.normal(mean: 0, volatility: -1, level: 0.99) }
    refuses("2.0 degrees of freedom") { _ = try RiskMeasures.student(mean: 0, volatility: 1, degrees: 2, level: 0.9) }
    refuses("position 1 is inf") { _ = try PortfolioRisk(positions: [1, .infinity]) }
    refuses("no positions") { _ = try PortfolioRisk(positions: []) }
    refuses("row 0 has 1 returns, expected 3") { _ = try portfolio.historical([[1]], level: 0.9) }
    refuses("0 pairs") { _ = try portfolio.simulatedProfits(moments, pathPairs: 0, seed: 1) }
    refuses("moments of 3 assets, expected 1") { _ = try PortfolioRisk(positions: [1]).parametric(moments, level: 0.9) }
  }
}

// Goal: a scenario moves what it names, by its shock or its factors, and nothing else. Method: sums by hand.
@Suite struct StressScenarioTests {
  @Test func `shocks, factors and the VIX by hand`() throws {
    let scenario = try StressScenario(
      name: "crash", instruments: ["AAA": -0.5], factors: ["market": -0.2, "rates": 0.01], vixPoints: 30)
    let result = try StressResult(
      scenario,
      on: [
        StressPosition(symbol: "AAA", value: 1_000, betas: ["market": 3]),
        StressPosition(symbol: "BBB", value: -500, betas: ["market": 1.5, "rates": -4, "size": 9]),
        StressPosition(symbol: "HEDGE", value: 0, valuePerVIXPoint: 7),
        StressPosition(symbol: "CCC", value: 100),
        StressPosition(symbol: "WILD", value: 10, betas: ["market": 50]),
      ])
    #expect(result.losses[0] == 500)
    // 1.5 × −0.2 − 4 × 0.01 = −0.34, short.
    #expect(abs(result.losses[1] + 170) < 1e-9)
    #expect(result.losses[2] == -210 && result.losses[3] == 0)
    // No instrument loses more than all of itself.
    #expect(result.losses[4] == 10)
    #expect(abs(result.loss - (500 - 170 - 210 + 10)) < 1e-9)
    #expect(result.unmoved == ["CCC"])
  }

  @Test func `a bad scenario or position is named`() {
    #expect(throws: ConfigurationError.self) { try StressScenario(name: "") }
    #expect(throws: ConfigurationError.self) { try StressScenario(name: "x", instruments: ["A": -1.1]) }
    #expect(throws: ConfigurationError.self) { try StressScenario(name: "x", factors: ["f": .nan]) }
    #expect(throws: ConfigurationError.self) { try StressScenario(name: "x", vixPoints: .infinity) }
    #expect(throws: ConfigurationError.self) {
      try StressResult(try StressScenario(name: "x"), on: [StressPosition(symbol: "A", value: .nan)])
    }
  }
}
