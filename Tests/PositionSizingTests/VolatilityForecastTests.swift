import CAllocationCounter
import Foundation
@testable import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: forecasts several steps ahead are expectations. Method: the recursion, numerical integration, and paths drawn at random.
@Suite struct VolatilityForecastTests {
  @Test func `GARCH and GJR forecasts go to the long-run variance`() throws {
    let model = try VolatilityParameters(.gjr, omega: 0.02, alpha: 0.05, gamma: 0.1, beta: 0.8, backcast: 1)
    let state = VolatilityState(variance: 3, observations: 1)
    let variances = VolatilityForecast.variances(from: state, model, errors: .studentT, horizon: 400)
    #expect(variances[0] == 3 && abs(variances[1] - (0.02 + 0.9 * 3)) < 1e-15)
    for (step, value) in variances.enumerated() {
      #expect(abs(value - (0.2 + pow(0.9, Double(step)) * 2.8)) < 1e-12)
    }
    #expect(VolatilityForecast.variances(from: state, model, horizon: 1) == [3])
  }

  @Test(arguments: Seeds.brief) func `EGARCH forecasts are the integral over the errors`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let (alpha, gamma, beta) = (random.unit() - 0.3, random.unit() - 0.5, 0.5 + 0.49 * random.unit())
    let model = try VolatilityParameters(.egarch, omega: 0.05, alpha: alpha, gamma: gamma, beta: beta, backcast: 1)
    var state = VolatilityState(model)
    _ = state.step(model, returnPercent: 1.5)
    let variances = VolatilityForecast.variances(from: state, model, horizon: 6)
    #expect(variances[0] == state.variance)
    // E exp(b g(z)) by the trapezoid rule with the kink on a node, and by one step of Richardson's extrapolation.
    func expectation(_ b: Double) -> Double {
      func density(_ z: Double) -> Double {
        exp(b * (alpha * (abs(z) - sqrt(2 / .pi)) + gamma * z) - 0.5 * z * z) / sqrt(2 * .pi)
      }
      func sum(_ width: Double, _ count: Int) -> Double {
        (-count...count).reduce(0) { $0 + width * density(Double($1) * width) }
      }
      return (4 * sum(0.002, 6_000) - sum(0.004, 3_000)) / 3
    }
    var level = state.logVariance
    var factor = 1.0
    for step in 1..<6 {
      level = 0.05 + beta * level
      factor *= expectation(pow(beta, Double(step - 1)))
      #expect(abs(variances[step] / (exp(level) * factor) - 1) < 1e-10, "seed \(seed), step \(step)")
    }
    // Under t errors the second step has no expectation.
    #expect(VolatilityForecast.variances(from: state, model, errors: .studentT, horizon: 5) == [state.variance])
  }

  @Test func `normal probabilities`() {
    for step in -800...800 {
      let x = Double(step) / 100
      #expect(abs(VolatilityForecast.normalProbability(below: x) - 0.5 * erfc(-x / sqrt(2))) < 2e-15, "x = \(x)")
    }
    #expect(VolatilityForecast.normalProbability(below: -9) == 0 && VolatilityForecast.normalProbability(below: 9) == 1)
  }

  @Test(.enabled(if: countsAllocations, "counts allocations in optimised builds"), arguments: VolatilityCase.allCases)
  func `a pass over the returns allocates nothing`(name: VolatilityCase) {
    let returns = (0..<500).map { Double($0 % 11) - 5 }
    let likelihood = VolatilityLikelihood(returns: returns, model: name.model, errors: name.errors, backcast: 1)
    let point = VolatilityVector(0, 0.05, 0.05, 0.05, 0.8, 7, 0, 0)
    var gradient = VolatilityVector()
    var sum = likelihood.value(at: point, gradient: &gradient)
    let counts = counting {
      sum += likelihood.value(at: point)
      sum += likelihood.value(at: point, gradient: &gradient)
    }
    #expect(counts.allocations == 0 && sum.isFinite)
  }
}
