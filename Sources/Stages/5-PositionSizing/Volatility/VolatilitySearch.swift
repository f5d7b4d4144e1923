import TradingTypes

/// The search for the optimum of a likelihood: its box, its starts.
///
/// It walks over 1/ν: towards normal errors the likelihood flattens out over ν itself, and steps would never end.
struct VolatilitySearch {
  private let likelihood: VolatilityLikelihood
  private let settings: VolatilityFitSettings
  private let mean: Double
  private let variance: Double
  private let minimizer: BoxMinimizer

  /// - Parameters:
  ///   - mean: of the returns, percent.
  ///   - variance: of the returns, percent².
  init(_ likelihood: VolatilityLikelihood, _ settings: VolatilityFitSettings, mean: Double, variance: Double) {
    self.likelihood = likelihood
    self.settings = settings
    self.mean = settings.fitsMean ? mean : 0
    self.variance = variance
    let isLog = settings.model == .egarch
    var low = VolatilityVector()
    var high = VolatilityVector()
    let reach = settings.fitsMean ? 10 * variance.squareRoot() : 0
    (low[Place.mean], high[Place.mean]) = (max(self.mean - reach, -1e3), min(self.mean + reach, 1e3))
    (low[Place.omega], high[Place.omega]) = isLog ? (-10, 10) : (1e-8, 1e6)
    // Below 0 the likelihood of EGARCH has a cusp wherever μ meets a return, and the highest of them means nothing.
    (low[Place.alpha], high[Place.alpha]) = (0, isLog ? 2 : 1)
    (low[Place.gamma], high[Place.gamma]) = isLog ? (-2, 2) : (0, settings.model == .gjr ? 1 : 0)
    (low[Place.beta], high[Place.beta]) = (0, 0.9999)
    if settings.errors == .studentT { (low[Place.freedom], high[Place.freedom]) = (1 / 500, 1 / 2.05) }
    minimizer = BoxMinimizer(
      low: low, high: high, limitWeights: isLog ? VolatilityVector() : VolatilityVector(0, 0, 1, 0.5, 1, 0, 0, 0),
      limitMax: isLog ? 1 : 0.999_999, gainMin: 1e-8, promiseMax: 1e-2, passMax: settings.passMax)
  }

  /// The best end of the searches from the grid and from `previous`; its count of passes is that of all.
  ///
  /// A second point of the grid is a start only where the first leads nowhere.
  func run(previous: VolatilityParameters?) -> BoxMinimizer.Answer {
    let grid = grid.map { (point: $0, value: likelihood.value(at: $0)) }
    var starts = [VolatilityVector]()
    if let best = grid.max(by: { $0.value < $1.value })?.point {
      starts.append(best)
      let others = grid.filter { $0.point[Place.beta] != best[Place.beta] }
      if let other = others.max(by: { $0.value < $1.value })?.point { starts.append(other) }
    }
    var passes = grid.count
    var answer = BoxMinimizer.Answer(point: grid[0].point, value: .infinity)
    for start in starts where !answer.isConverged {
      answer = minimize(from: start)
      passes += answer.passes
    }
    if let previous, previous.model == settings.model {
      var start = VolatilityVector(previous, degreesOfFreedom: settings.errors == .studentT ? 8 : nil)
      start[Place.mean] = settings.fitsMean ? start[Place.mean] : 0
      let other = minimize(from: start)
      passes += other.passes
      if other.isConverged && (!answer.isConverged || other.value < answer.value) { answer = other }
    }
    answer.passes = passes
    return answer
  }

  private func minimize(from start: VolatilityVector) -> BoxMinimizer.Answer {
    var answer = minimizer.minimize(from: start.withInverseFreedom) { point, gradient in
      let point = point.withInverseFreedom
      let value = -likelihood.value(at: point, gradient: &gradient)
      gradient *= -point.freedomScale
      return value
    } information: { point in
      let point = point.withInverseFreedom
      var products = likelihood.scoreProducts(at: point)
      let scale = point.freedomScale
      for row in 0..<Place.count { products[row] *= scale * scale[row] }
      return products
    }
    answer.point = answer.point.withInverseFreedom
    if settings.errors == .studentT {
      // 1 / (1 / ν) may miss a bound by its last digit.
      answer.point[Place.freedom] = min(max(answer.point[Place.freedom], 2.05), 500)
    }
    return answer
  }

  /// Starts with the long-run variance of the series: calm and lively, of shorter and longer memory.
  private var grid: [VolatilityVector] {
    let freedom: Double = settings.errors == .studentT ? 8 : 0
    func point(_ omega: Double, _ alpha: Double, _ gamma: Double, _ beta: Double) -> VolatilityVector {
      VolatilityVector(mean, omega, alpha, gamma, beta, freedom, 0, 0)
    }
    guard settings.model != .egarch else {
      let level = DeterministicMath.log(variance)
      return [0.9, 0.98].flatMap { beta in
        [0, -0.1].map { gamma in point((1 - beta) * level, 0.15, gamma, beta) }
      }
    }
    return [0.7, 0.9, 0.98].flatMap { persistence in
      [0.04, 0.1].map { share in
        let isHalved = settings.model == .gjr
        return point(
          variance * (1 - persistence), isHalved ? share / 2 : share, isHalved ? share : 0, persistence - share)
      }
    }
  }

  /// The model of a point; `nil` where it is none.
  func parameters(at point: VolatilityVector) -> VolatilityParameters? {
    try? VolatilityParameters(
      settings.model, mean: point[Place.mean], omega: point[Place.omega], alpha: point[Place.alpha],
      gamma: point[Place.gamma], beta: point[Place.beta], backcast: likelihood.backcast)
  }
}

extension VolatilityVector {
  /// 1/ν for ν and the other way; 0, of normal errors, stays.
  fileprivate var withInverseFreedom: VolatilityVector {
    var point = self
    if point[Place.freedom] > 0 { point[Place.freedom] = 1 / point[Place.freedom] }
    return point
  }

  /// What turns a slope over this point's numbers into one over 1/ν, by the chain rule dν / d(1/ν) = −ν².
  fileprivate var freedomScale: VolatilityVector {
    var scale = VolatilityVector(repeating: 1)
    scale[Place.freedom] = -self[Place.freedom] * self[Place.freedom]
    return scale
  }

  /// The numbers of a model.
  init(_ parameters: VolatilityParameters, degreesOfFreedom: Double?) {
    self.init(
      parameters.mean, parameters.omega, parameters.alpha, parameters.gamma, parameters.beta, degreesOfFreedom ?? 0, 0,
      0)
  }
}
