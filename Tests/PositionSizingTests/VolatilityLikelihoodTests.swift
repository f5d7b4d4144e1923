@testable import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: value and gradient of the one pass are right for each equation and distribution. Method: the slow twin, and its central
// differences, at seeded parameters over seeded series.
@Suite struct VolatilityLikelihoodTests {
  /// A point well inside the box.
  private func point(_ model: VolatilityModel, _ random: inout SplitMix64) -> [Double] {
    func between(_ low: Double, _ high: Double) -> Double { low + (high - low) * Double(random.below(10_000)) / 10_000 }
    let nu = between(2.5, 30)
    guard model != .egarch else {
      return [between(-0.1, 0.1), between(-0.05, 0.05), between(-0.1, 0.3), between(-0.2, 0.2), between(0.5, 0.98), nu]
    }
    let gamma = model == .gjr ? between(0, 0.15) : 0
    return [between(-0.1, 0.1), between(0.001, 0.2), between(0, 0.15), gamma, between(0.3, 0.75), nu]
  }

  private func vector(_ point: [Double]) -> VolatilityVector {
    VolatilityVector(point[0], point[1], point[2], point[3], point[4], point[5], 0, 0)
  }

  @Test(arguments: VolatilityCase.allCases, Seeds.brief)
  func `value and gradient equal the slow twin and its differences`(name: VolatilityCase, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<4 {
      let point = point(name.model, &random)
      let returns = ReferenceVolatility.series(300, name.model, name.errors, point, seed: random.next())
      let likelihood = VolatilityLikelihood(returns: returns, model: name.model, errors: name.errors, backcast: 1.3)
      func twin(_ point: [Double]) -> Double {
        ReferenceVolatility.pass(returns, name.model, name.errors, point, backcast: 1.3).value
      }
      var gradient = VolatilityVector()
      let value = likelihood.value(at: vector(point), gradient: &gradient)
      #expect(abs(value - twin(point)) <= 1e-11 * abs(value), "seed \(seed)")
      #expect(likelihood.value(at: vector(point)) == value)
      for place in point.indices {
        if place == Place.gamma && name.model == .garch { continue }
        if place == Place.freedom && name.errors == .normal {
          #expect(gradient[place] == 0)
          continue
        }
        let width = 1e-5 * max(0.1, abs(point[place]))
        var (up, down) = (point, point)
        up[place] += width
        down[place] -= width
        let slope = (twin(up) - twin(down)) / (2 * width)
        // A return at the edge of the kink of |z| moves a difference by about its share.
        #expect(
          abs(gradient[place] - slope) <= 2e-5 * max(abs(slope), 10) + (name.model == .garch ? 0 : 0.02),
          "seed \(seed), place \(place)")
      }
    }
  }

  @Test(arguments: VolatilityCase.allCases, Seeds.brief)
  func `the filter's variances are those of the likelihood`(name: VolatilityCase, seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let point = point(name.model, &random)
    let returns = ReferenceVolatility.series(400, name.model, name.errors, point, seed: seed)
    let expected = ReferenceVolatility.pass(returns, name.model, name.errors, point, backcast: 0.7).variances
    let parameters = try VolatilityParameters(
      name.model, mean: point[0], omega: point[1], alpha: point[2], gamma: point[3], beta: point[4], backcast: 0.7)
    let variances = VolatilityFit.conditionalVariances(of: returns, at: parameters)
    for (value, other) in zip(variances, expected) { #expect(abs(value / other - 1) <= 1e-12, "seed \(seed)") }
    // Bit for bit: a likelihood made of the filter's variances by the same additions.
    let likelihood = VolatilityLikelihood(returns: returns, model: name.model, errors: .normal, backcast: 0.7)
    var tail = NormalTail()
    var product = LogProduct()
    var logs = 0.0
    var state = VolatilityState(parameters)
    for value in returns {
      let error = value - parameters.mean
      if name.model == .egarch {
        let z = error * VolatilityParameters.inverseDeviation(ofLog: state.logVariance)
        _ = tail.take(z * z)
        logs += state.logVariance
      } else {
        _ = tail.take(error * error * (1 / state.variance))
        product.multiply(by: state.variance)
      }
      let isTaken = state.step(parameters, returnPercent: value)
      #expect(isTaken)
    }
    if name.model != .egarch { logs = product.log }
    #expect(likelihood.value(at: vector(point)) == Double(returns.count) * tail.constant - 0.5 * logs - tail.sum)
  }

  @Test func `what is no model is minus infinity`() {
    let returns = ReferenceVolatility.series(300, .garch, .normal, [0, 0.1, 0.1, 0, 0.8, 0], seed: 1)
    let linear = VolatilityLikelihood(returns: returns, model: .gjr, errors: .normal, backcast: 1)
    #expect(linear.value(at: vector([0, 0.1, 0.1, 0.2, 0.8, 0])) == -.infinity)
    #expect(linear.value(at: vector([0, 0.1, 0.1, 0.1, 0.8, 0])).isFinite)
    let logs = VolatilityLikelihood(returns: returns, model: .egarch, errors: .studentT, backcast: 1)
    #expect(logs.value(at: vector([0, 9, 0.1, 0, 0.99, 5])) == -.infinity)
    #expect(logs.value(at: vector([.nan, 0, 0.1, 0, 0.9, 5])) == -.infinity)
  }

  @Test func `a product of numbers of any size keeps its logarithm`() {
    var random = SplitMix64(seed: 7)
    var product = LogProduct()
    var sum = 0.0
    for _ in 0..<10_000 {
      let factor = DeterministicMath.exp(Double(random.below(60_000)) / 100 - 300)
      product.multiply(by: factor)
      sum += DeterministicMath.log(factor)
      #expect(abs(product.log - sum) <= 1e-10)
    }
  }
}
