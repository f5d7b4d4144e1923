import TradingTypes

/// How a model is fitted.
public struct VolatilityFitSettings: Hashable, Sendable {
  /// The equation.
  public var model: VolatilityModel
  /// What the errors are taken to be distributed like.
  public var errors: ErrorDistribution
  /// Whether μ is fitted; otherwise it is 0.
  public var fitsMean: Bool
  /// Returns a fit needs, 100 or more.
  public var returnCountMin: Int
  /// Passes over the returns at most, for each start.
  public var passMax: Int

  /// Settings for `model`; GJR is a plain choice for stocks and indices.
  public init(
    _ model: VolatilityModel = .gjr, errors: ErrorDistribution = .normal, fitsMean: Bool = true,
    returnCountMin: Int = 250,
    passMax: Int = 300
  ) {
    self.model = model
    self.errors = errors
    self.fitsMean = fitsMean
    self.returnCountMin = returnCountMin
    self.passMax = passMax
  }
}

/// A volatility model fitted to a series of returns by (quasi) maximum likelihood.
///
/// Not for the hot path: take `parameters` and `state` to a `VolatilityFilter`.
public struct VolatilityFit: Hashable, Sendable {
  /// The equation and distribution that were fitted.
  public let settings: VolatilityFitSettings
  /// The optimum.
  public let parameters: VolatilityParameters
  /// ν of Student-t errors, `nil` of normal ones.
  public let degreesOfFreedom: Double?
  /// Log-likelihood of the series at the optimum, constants included.
  public let logLikelihood: Double
  /// Steps of the search.
  public let iterations: Int
  /// Passes over the returns, those for the starts included.
  public let passes: Int
  /// Returns of the series.
  public let observations: Int
  /// The forecast after the last return: what a filter goes on from.
  public let state: VolatilityState

  /// α + γ/2 + β, of EGARCH β.
  public var persistence: Double { parameters.persistence }

  /// The long-run variance ω / (1 − persistence), percent²; `nil` where persistence is above 0.995, because there it means nothing, and
  /// for EGARCH, whose long-run mean of ln h is ω / (1 − β).
  public var unconditionalVariance: Double? {
    guard parameters.model != .egarch, persistence <= VolatilityParameters.persistenceMeaningfulMax else { return nil }
    return parameters.omega / (1 - persistence)
  }

  /// Fits a model to `returns`, oldest first, in percent.
  ///
  /// The search starts from the best of a small grid and, where given, from `previous`; the better end is taken.
  ///
  /// - Parameter previous: the parameters in force, of the same model.
  /// - Throws: `VolatilityFitRefusal`: the series cannot be fitted, or the search ended without an optimum.
  /// - Complexity: about 30 passes over the returns; allocates for each pass nothing.
  /// - Source: Bollerslev & Wooldridge 1992 for quasi maximum likelihood.
  public init(
    _ returns: [Double], _ settings: VolatilityFitSettings = VolatilityFitSettings(),
    previous: VolatilityParameters? = nil
  ) throws(VolatilityFitRefusal) {
    let moments = try Self.examine(returns, minimum: settings.returnCountMin)
    // Where the first returns are all alike, as before an instrument's first trade, the whole series says where to start.
    let backcast =
      VolatilityParameters.backcast(of: returns, mean: settings.fitsMean ? nil : 0) ?? moments.variance
    guard backcast <= 1e6 else { throw .scale(variance: backcast) }
    let likelihood = VolatilityLikelihood(
      returns: returns, model: settings.model, errors: settings.errors, backcast: backcast)
    let search = VolatilitySearch(likelihood, settings, mean: moments.mean, variance: moments.variance)
    let answer = search.run(previous: previous)
    guard answer.isConverged, let parameters = search.parameters(at: answer.point) else {
      throw .notConverged(passes: answer.passes)
    }
    self.settings = settings
    self.parameters = parameters
    degreesOfFreedom = settings.errors == .studentT ? answer.point[Place.freedom] : nil
    logLikelihood = -answer.value
    iterations = answer.iterations
    passes = answer.passes
    observations = returns.count
    state = VolatilityState(parameters, after: returns)
  }

  /// The log-likelihood of `returns` at given parameters, constants included: −∞ where EGARCH leaves its bounds.
  ///
  /// - Parameter degreesOfFreedom: ν in [2.05, 500] of Student-t errors; `nil` is normal ones.
  /// - Precondition: the returns are finite and within ±1e6, ν is in its range.
  /// - Complexity: one pass.
  public static func logLikelihood(
    of returns: [Double], at parameters: VolatilityParameters, degreesOfFreedom: Double? = nil
  ) -> Double {
    precondition(returns.allSatisfy { $0.magnitude <= 1e6 }, "VolatilityFit: the returns are finite and within ±1e6")
    precondition((2.05...500).contains(degreesOfFreedom ?? 3), "VolatilityFit: ν is in [2.05, 500]")
    let likelihood = VolatilityLikelihood(
      returns: returns, model: parameters.model, errors: degreesOfFreedom == nil ? .normal : .studentT,
      backcast: parameters.backcast)
    return likelihood.value(at: VolatilityVector(parameters, degreesOfFreedom: degreesOfFreedom))
  }

  /// The variance forecast of each of `returns` from those before it, percent².
  public static func conditionalVariances(of returns: [Double], at parameters: VolatilityParameters) -> [Double] {
    var state = VolatilityState(parameters)
    return returns.map { value in
      defer { _ = state.step(parameters, returnPercent: value) }
      return state.variance
    }
  }

  /// The variance forecast of each of `returns`, the fitted ones or others, percent².
  public func conditionalVariances(of returns: [Double]) -> [Double] {
    Self.conditionalVariances(of: returns, at: parameters)
  }

  /// `(r − μ) / √h` of each of `returns`: about standard normal (or Student-t) when the model is right.
  public func standardisedResiduals(of returns: [Double]) -> [Double] {
    zip(returns, conditionalVariances(of: returns)).map { ($0 - parameters.mean) / $1.squareRoot() }
  }

  /// The series' mean and variance, once nothing speaks against a fit.
  private static func examine(
    _ returns: [Double], minimum: Int
  ) throws(VolatilityFitRefusal) -> (mean: Double, variance: Double) {
    let minimum = max(100, minimum)
    guard returns.count >= minimum else { throw .tooFewReturns(count: returns.count, minimum: minimum) }
    if let index = returns.firstIndex(where: { !$0.isFinite }) { throw .notFinite(index: index) }
    if let index = returns.firstIndex(where: { $0 <= -100 }) {
      throw .totalLoss(index: index, returnPercent: returns[index])
    }
    guard returns.contains(where: { $0 != returns[0] }) else { throw .constant }
    // In parts of the largest, so that no square overflows.
    let largest = returns.reduce(0) { max($0, $1.magnitude) }
    let mean = largest * (returns.reduce(0) { $0 + $1 / largest } / Double(returns.count))
    let sum = returns.reduce(0) { $0 + ($1 - mean) / largest * (($1 - mean) / largest) }
    let far = returns.indices.max { (returns[$0] - mean).magnitude < (returns[$1] - mean).magnitude } ?? 0
    let distance = (returns[far] - mean) / largest
    let share = distance * distance / sum
    guard share <= 0.5 else { throw .outlier(index: far, share: share) }
    let variance = sum / Double(returns.count) * largest * largest
    guard variance >= 1e-6, variance <= 1e5, largest <= 1e6 else { throw .scale(variance: variance) }
    return (mean, variance)
  }
}
