import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: a fit finds what made a series, is refused where there is nothing to find, and never leaves its box.
// Method: seeded series of each model, and the bad cases by name.
@Suite struct VolatilityFitTests {
  private let truths: [VolatilityCase: [Double]] = [
    .GARCH_normal: [0.05, 0.05, 0.1, 0, 0.85, 0], .GARCH_t: [0.05, 0.05, 0.1, 0, 0.85, 6],
    .GJR_normal: [0.05, 0.05, 0.05, 0.1, 0.85, 0], .GJR_t: [0.05, 0.05, 0.05, 0.1, 0.85, 6],
    .EGARCH_normal: [0.05, 0.01, 0.15, -0.1, 0.95, 0], .EGARCH_t: [0.05, 0.01, 0.15, -0.1, 0.95, 6],
  ]

  @Test(arguments: VolatilityCase.allCases)
  func `a fit finds the parameters that made a series`(name: VolatilityCase) throws {
    let truth = truths[name]!
    for seed in [UInt64(1), 2] {
      let returns = ReferenceVolatility.series(6_000, name.model, name.errors, truth, seed: seed)
      let fit = try VolatilityFit(returns, VolatilityFitSettings(name.model, errors: name.errors))
      let backcast = VolatilityParameters.backcast(of: returns)!
      let expected = ReferenceVolatility.pass(returns, name.model, name.errors, truth, backcast: backcast).value
      // Twice the gain over the truth is about χ² of six degrees: 30 is beyond all chance, and less than nothing is a bad search.
      #expect(fit.logLikelihood >= expected - 1e-6 && fit.logLikelihood <= expected + 15, "seed \(seed)")
      #expect(abs(fit.parameters.mean - truth[0]) < 0.06)
      #expect(abs(fit.parameters.alpha - truth[2]) < 0.05)
      #expect(abs(fit.parameters.gamma - truth[3]) < 0.06)
      #expect(abs(fit.parameters.beta - truth[4]) < 0.06)
      if let nu = fit.degreesOfFreedom { #expect(abs(nu - 6) < 1.5) }
      #expect(fit.observations == 6_000 && fit.state.observations == 6_000)
      #expect(fit.state.variance == fit.forecastVariances(horizon: 3)[0])
      // Residuals of a right model have variance 1.
      let residuals = fit.standardisedResiduals(of: returns)
      let variance = residuals.reduce(0.0) { $0 + $1 * $1 } / 6_000
      #expect(abs(variance - 1) < 0.05)
    }
  }

  @Test(arguments: VolatilityCase.allCases, Seeds.brief)
  func `any series gives a model in its box or a refusal`(name: VolatilityCase, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for kind in 0..<5 {
      var level = 1.0
      let returns = (0..<400).map { index -> Double in
        let noise = random.unit() + random.unit() + random.unit() - 1.5
        switch kind {
        case 0: return noise
        case 1: return index == 200 ? 15 : noise
        case 2: return random.below(20) == 0 ? noise * 30 : 0
        case 3: return noise * (index < 200 ? 0.05 : 5)
        default:
          level = max(0.01, level * (0.9 + 0.2 * random.unit()))
          return noise * level
        }
      }
      let settings = VolatilityFitSettings(name.model, errors: name.errors)
      guard let fit = try? VolatilityFit(returns, settings) else {
        // Noise, and noise of a level that drifts, have a fit; a series of zeros and a giant need not.
        #expect(kind != 0 && kind != 4, "seed \(seed), kind \(kind)")
        continue
      }
      #expect(fit.persistence < 1 && fit.logLikelihood.isFinite, "seed \(seed), kind \(kind)")
      let variances = fit.conditionalVariances(of: returns) + fit.forecastVariances(horizon: 4)
      #expect(variances.allSatisfy { $0 > 0 && $0.isFinite }, "seed \(seed), kind \(kind)")
    }
  }

  @Test func `each bad series is refused for its reason`() throws {
    let good = ReferenceVolatility.series(600, .garch, .normal, truths[.GARCH_normal]!, seed: 3)
    func refusal(_ returns: [Double]) -> VolatilityFitRefusal? {
      do {
        _ = try VolatilityFit(returns)
        return nil
      } catch { return error }
    }
    func changed(_ index: Int, _ value: Double) -> [Double] {
      var copy = good
      copy[index] = value
      return copy
    }
    #expect(refusal(good) == nil)
    #expect(refusal(Array(good.prefix(249))) == .tooFewReturns(count: 249, minimum: 250))
    #expect(refusal([]) == .tooFewReturns(count: 0, minimum: 250))
    #expect(refusal([Double](repeating: 0.1, count: 600)) == .constant)
    #expect(refusal([Double](repeating: 0, count: 600)) == .constant)
    // Nothing traded at first: the variance to start from is that of the whole series.
    for fitsMean in [false, true] {
      let series = [Double](repeating: 0, count: 75) + good
      let late = try VolatilityFit(series, VolatilityFitSettings(.gjr, fitsMean: fitsMean))
      let mean = series.reduce(0, +) / Double(series.count)
      let variance = series.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(series.count)
      #expect(abs(late.parameters.backcast - variance) <= 1e-12 * variance && late.logLikelihood.isFinite)
    }
    #expect(refusal(changed(7, .nan)) == .notFinite(index: 7))
    #expect(refusal(changed(599, .infinity)) == .notFinite(index: 599))
    #expect(refusal(changed(9, -100)) == .totalLoss(index: 9, returnPercent: -100))
    #expect(refusal(changed(9, -1e300)) == .totalLoss(index: 9, returnPercent: -1e300))
    for giant in [60.0, -90, 1e4, 1e300] {
      guard case .outlier(let index, let share) = refusal(changed(300, giant)) else {
        Issue.record("\(giant): \(String(describing: refusal(changed(300, giant))))")
        continue
      }
      #expect(index == 300 && share > 0.5 && share <= 1)
    }
    guard case .scale = refusal(good.map { $0 / 100_000 }) else {
      Issue.record("returns that are not in percent")
      return
    }
    for text in [refusal(changed(7, .nan))!.description, refusal([])!.description] { #expect(!text.isEmpty) }
  }

  @Test func `returns as decimals give the same model at their scale`() throws {
    let good = ReferenceVolatility.series(3_000, .garch, .normal, truths[.GARCH_normal]!, seed: 4)
    let percent = try VolatilityFit(good, VolatilityFitSettings(.garch))
    let decimal = try VolatilityFit(good.map { $0 / 100 }, VolatilityFitSettings(.garch))
    #expect(abs(decimal.parameters.alpha - percent.parameters.alpha) < 1e-4)
    #expect(abs(decimal.parameters.omega * 1e4 - percent.parameters.omega) < 1e-4)
  }

  @Test func `a zero mean stays zero, and previous parameters lead to the same optimum`() throws {
    let returns = ReferenceVolatility.series(2_000, .gjr, .studentT, truths[.GJR_t]!, seed: 5)
    let settings = VolatilityFitSettings(.gjr, errors: .studentT, fitsMean: false)
    let fit = try VolatilityFit(returns, settings)
    #expect(fit.parameters.mean == 0)
    let far = try VolatilityParameters(.gjr, mean: 0.3, omega: 1, alpha: 0.3, gamma: 0.1, beta: 0.1, backcast: 2)
    for previous in [fit.parameters, far] {
      let again = try VolatilityFit(returns, settings, previous: previous)
      #expect(abs(again.logLikelihood - fit.logLikelihood) < 1e-6)
      #expect(again.passes > fit.passes)
    }
  }

  @Test func `a long-run variance is given only where it means something`() throws {
    let calm = ReferenceVolatility.series(3_000, .garch, .normal, [0, 0.2, 0.1, 0, 0.7, 0], seed: 6)
    let fit = try VolatilityFit(calm, VolatilityFitSettings(.garch))
    #expect(abs(fit.unconditionalVariance! - 1) < 0.2)
    let drift = ReferenceVolatility.series(3_000, .garch, .normal, [0, 0.001, 0.05, 0, 0.9495, 0], seed: 6)
    let other = try VolatilityFit(drift, VolatilityFitSettings(.garch))
    #expect(other.persistence > 0.99)
    #expect((other.unconditionalVariance == nil) == (other.persistence > 0.995))
    #expect(try VolatilityFit(calm, VolatilityFitSettings(.egarch)).unconditionalVariance == nil)
  }
}
