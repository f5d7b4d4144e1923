import TradingTypes

/// The log-likelihood of a series of returns under a volatility model, with its gradient, in one pass that allocates nothing.
///
/// The derivatives of the variance obey the same recursion as the variance itself, so that they cost a few operations a return.
/// - Complexity: O(returns) a pass.
/// - Source: Fiorentini, Calzolari & Panattoni 1996, equations 2 to 6, for the normal GARCH case; the others follow alike.
struct VolatilityLikelihood {
  let returns: [Double]
  let model: VolatilityModel
  let errors: ErrorDistribution
  /// Stands in for what was before the first return; it follows no parameter.
  let backcast: Double
  private let logBackcast: Double

  /// - Precondition: every return is finite and within ±1e6; `backcast` is positive.
  init(returns: [Double], model: VolatilityModel, errors: ErrorDistribution, backcast: Double) {
    self.returns = returns
    self.model = model
    self.errors = errors
    self.backcast = backcast
    logBackcast = DeterministicMath.log(backcast)
  }

  /// The log-likelihood, −∞ where the model is none (persistence of 1 or more, EGARCH beyond its bounds).
  func value(at point: VolatilityVector) -> Double {
    var scores = NoScores()
    return pass(point, &scores).value
  }

  /// The log-likelihood; its derivatives replace `gradient`.
  func value(at point: VolatilityVector, gradient: inout VolatilityVector) -> Double {
    var scores = ScoreSum()
    let (value, freedomSlope) = pass(point, &scores)
    gradient = VolatilityVector(
      scores.sums.mean, scores.sums.omega, scores.sums.alpha, scores.sums.gamma, scores.sums.beta, freedomSlope, 0, 0)
    return value
  }

  /// Sum of the outer products of the returns' scores.
  func scoreProducts(at point: VolatilityVector) -> VolatilityMatrix {
    var scores = ScoreProducts()
    _ = pass(point, &scores)
    return scores.matrix
  }

  private func pass(
    _ point: VolatilityVector, _ scores: inout some ScoreCollector
  ) -> (value: Double, freedomSlope: Double) {
    switch errors {
    case .normal:
      var tail = NormalTail()
      return pass(point, &scores, &tail)
    case .studentT:
      var tail = StudentTail(freedom: point[Place.freedom])
      return pass(point, &scores, &tail)
    }
  }

  @inline(__always) private func pass(
    _ point: VolatilityVector, _ scores: inout some ScoreCollector, _ tail: inout some ErrorTail
  ) -> (value: Double, freedomSlope: Double) {
    let logs = model == .egarch ? exponentialPass(point, &scores, &tail) : linearPass(point, &scores, &tail)
    guard logs.isFinite else { return (-.infinity, 0) }
    let value = Double(returns.count) * tail.constant - 0.5 * logs - tail.sum
    return (value, tail.freedomSlope(count: returns.count))
  }

  /// GARCH and GJR; gives Σ ln h.
  @inline(__always) private func linearPass(
    _ point: VolatilityVector, _ scores: inout some ScoreCollector, _ tail: inout some ErrorTail
  ) -> Double {
    let (mean, omega, alpha) = (point[Place.mean], point[Place.omega], point[Place.alpha])
    let (gamma, beta) = (point[Place.gamma], point[Place.beta])
    guard alpha + gamma / 2 + beta < 1 else { return .nan }
    var h = omega + (alpha + gamma / 2 + beta) * backcast
    var slopes = Slopes(mean: 0, omega: 1, alpha: backcast, gamma: 0.5 * backcast, beta: backcast)
    var product = LogProduct()
    let returns = returns.span
    for index in returns.indices {
      let error = returns[index] - mean
      let inverse = 1 / h
      let square = error * error
      let x = square * inverse
      let weight = tail.take(x)
      product.multiply(by: h)
      // By h in place of ln h: 1/h stands in the factor.
      scores.take(
        logVarianceSlope: 0.5 * (weight * x - 1) * inverse, meanSlope: weight * error * inverse, x: x, slopes: slopes,
        tail: tail)
      let isFall = error < 0
      let share = alpha + (isFall ? gamma : 0)
      slopes.mean = -2 * share * error + beta * slopes.mean
      slopes.omega = 1 + beta * slopes.omega
      slopes.alpha = square + beta * slopes.alpha
      slopes.gamma = (isFall ? square : 0) + beta * slopes.gamma
      slopes.beta = h + beta * slopes.beta
      // In the order of `VolatilityParameters.variance(afterError:variance:)`: the bits must be the filter's.
      h = omega + share * error * error + beta * h
    }
    return product.log
  }

  /// EGARCH; gives Σ ln h.
  @inline(__always) private func exponentialPass(
    _ point: VolatilityVector, _ scores: inout some ScoreCollector, _ tail: inout some ErrorTail
  ) -> Double {
    let (mean, omega, alpha) = (point[Place.mean], point[Place.omega], point[Place.alpha])
    let (gamma, beta) = (point[Place.gamma], point[Place.beta])
    let (bound, magnitudeMean) = (VolatilityParameters.logVarianceMax, VolatilityParameters.normalMagnitudeMean)
    var log = omega + beta * logBackcast
    var slopes = Slopes(mean: 0, omega: 1, alpha: 0, gamma: 0, beta: logBackcast)
    var logs = 0.0
    let returns = returns.span
    for index in returns.indices {
      // Also what is no number is outside. The filter would hold it at the bound; a fit has no business there.
      guard log.magnitude <= bound else { return .nan }
      let inverse = VolatilityParameters.inverseDeviation(ofLog: log)
      let z = (returns[index] - mean) * inverse
      let x = z * z
      let weight = tail.take(x)
      logs += log
      scores.take(
        logVarianceSlope: 0.5 * (weight * x - 1), meanSlope: weight * z * inverse, x: x, slopes: slopes, tail: tail)
      // d ln h' / d ln h at fixed parameters: z falls by half of what ln h rises.
      let magnitude = z.magnitude
      let carried = beta - 0.5 * (alpha * magnitude + gamma * z)
      slopes.mean = -((z < 0 ? -alpha : alpha) + gamma) * inverse + carried * slopes.mean
      slopes.omega = 1 + carried * slopes.omega
      slopes.alpha = (magnitude - magnitudeMean) + carried * slopes.alpha
      slopes.gamma = z + carried * slopes.gamma
      slopes.beta = log + carried * slopes.beta
      // In the order of `VolatilityParameters.logVariance(afterError:logVariance:)`: the bits must be the filter's.
      log = omega + (alpha * (magnitude - magnitudeMean) + gamma * z) + beta * log
    }
    return logs
  }
}
