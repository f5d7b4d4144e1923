public import TradingTypes

/// A GARCH(1,1), GJR or EGARCH model with a constant mean, over percent returns: fixed parameters for the filter.
///
/// See `VolatilityModel` for the equations; GARCH is GJR with γ = 0. The error distribution matters to the fit only, not to the filter.
@frozen public struct VolatilityParameters: BitwiseCopyable, Hashable, Sendable {
  /// Persistence above which the model's own long-run variance means nothing.
  @inlinable public static var persistenceMeaningfulMax: Double { 0.995 }
  /// EGARCH holds ln h within ± this, so that no return, however large, can take it where no later one is understood.
  @inlinable public static var logVarianceMax: Double { 30 }
  /// √(2/π), the mean of |z| under normal errors.
  @inlinable static var normalMagnitudeMean: Double { 0.797884560802865355879892119869 }

  /// Mean return μ, percent.
  public let mean: Double
  /// Constant ω: percent², positive; of EGARCH in ln percent².
  public let omega: Double
  /// Weight α of the last squared error, or of |z|.
  public let alpha: Double
  /// Additional weight γ of a negative error, or of z.
  public let gamma: Double
  /// Weight β of the last variance, or of its logarithm.
  public let beta: Double
  /// Variance that stands in for the squared error and the variance before the first return, percent².
  public let backcast: Double
  /// The equation.
  public let model: VolatilityModel

  /// A model from fitted numbers.
  ///
  /// - Parameters:
  ///   - model: `nil` is GARCH where γ is 0, otherwise GJR.
  ///   - backcast: variance to start from, percent²: `backcast(of:)` of the returns of the fit, or of each instrument's own
  ///     last days through `VolatilityFilter.restart`. `nil` takes the long-run variance `ω / (1 − persistence)`, of EGARCH
  ///     `exp(ω / (1 − β))`.
  /// - Throws: `ConfigurationError` naming the number that breaks a rule: ω in [1e-8, 1e6]; α, γ in [0, 1]; β in
  ///   [0, 0.9999]; persistence below 1. Of EGARCH ω in [−10, 10], α and γ in [−2, 2], β in [0, 0.9999]. Backcast in (0, 1e6], and
  ///   given where persistence is above 0.995.
  public init(
    _ model: VolatilityModel? = nil, mean: Double = 0, omega: Double, alpha: Double, gamma: Double = 0, beta: Double,
    backcast: Double? = nil
  ) throws(ConfigurationError) {
    let model = model ?? (gamma == 0 ? .garch : .gjr)
    guard mean.magnitude <= 1e3 else {
      throw ConfigurationError("volatility model: mu is \(mean), expected within ±1000")
    }
    try Self.check(model, omega: omega, alpha: alpha, gamma: gamma, beta: beta)
    self.mean = mean
    self.omega = omega
    self.alpha = alpha
    self.gamma = gamma
    self.beta = beta
    self.model = model
    let persistence = Self.persistence(model, alpha: alpha, gamma: gamma, beta: beta)
    guard persistence < 1 else {
      throw ConfigurationError("volatility model: persistence is \(persistence), expected below 1")
    }
    if let backcast {
      guard backcast > 0, backcast <= 1e6 else {
        throw ConfigurationError("volatility model: backcast is \(backcast), expected in (0, 1e6]")
      }
      self.backcast = backcast
    } else {
      guard persistence <= Self.persistenceMeaningfulMax else {
        throw ConfigurationError(
          "volatility model: persistence is \(persistence), so a backcast variance is needed to start from")
      }
      let level = omega / (1 - persistence)
      self.backcast =
        model == .egarch ? DeterministicMath.exp(min(max(level, -Self.logVarianceMax), Self.logVarianceMax)) : level
    }
  }

  /// The same model, started from another variance.
  ///
  /// - Parameter backcast: percent²; what lies outside [1e-8, 1e6] is moved to its ends, NaN leaves what is.
  public func starting(from backcast: Double) -> VolatilityParameters {
    VolatilityParameters(copying: self, backcast: backcast.isNaN ? self.backcast : min(max(backcast, 1e-8), 1e6))
  }

  private init(copying other: VolatilityParameters, backcast: Double) {
    model = other.model
    mean = other.mean
    omega = other.omega
    alpha = other.alpha
    gamma = other.gamma
    beta = other.beta
    self.backcast = backcast
  }

  private static func check(
    _ model: VolatilityModel, omega: Double, alpha: Double, gamma: Double, beta: Double
  ) throws(ConfigurationError) {
    guard model != .egarch else {
      guard omega.magnitude <= 10 else {
        throw ConfigurationError("volatility model: omega is \(omega), expected in [−10, 10] for EGARCH")
      }
      guard alpha.magnitude <= 2, gamma.magnitude <= 2, beta >= 0, beta <= 0.9999 else {
        throw ConfigurationError(
          "volatility model: alpha \(alpha), gamma \(gamma), beta \(beta), expected in [−2, 2], [−2, 2], [0, 0.9999] for EGARCH"
        )
      }
      return
    }
    guard omega >= 1e-8, omega <= 1e6 else {
      throw ConfigurationError("volatility model: omega is \(omega), expected in [1e-8, 1e6]")
    }
    guard alpha >= 0, alpha <= 1, gamma >= 0, gamma <= 1, beta >= 0, beta <= 0.9999 else {
      throw ConfigurationError(
        "volatility model: alpha \(alpha), gamma \(gamma), beta \(beta), expected in [0, 1], [0, 1], [0, 0.9999]")
    }
    guard model != .garch || gamma == 0 else {
      throw ConfigurationError("volatility model: gamma is \(gamma), expected 0 for GARCH")
    }
  }

  @inlinable static func persistence(_ model: VolatilityModel, alpha: Double, gamma: Double, beta: Double) -> Double {
    model == .egarch ? beta : alpha + gamma / 2 + beta
  }

  /// α + γ/2 + β, of EGARCH β: how much of today's variance (or of its logarithm) is expected to be left in tomorrow's.
  @inlinable public var persistence: Double { Self.persistence(model, alpha: alpha, gamma: gamma, beta: beta) }

  /// The forecast for the first return: the backcast in place of both the squared error and the variance, half of γ; of
  /// EGARCH its logarithm and no z.
  @inlinable public var startVariance: Double {
    model == .egarch ? Self.variance(ofLog: startLogVariance) : omega + (alpha + gamma / 2 + beta) * backcast
  }

  /// ln h of the first return under EGARCH.
  @inlinable var startLogVariance: Double { Self.bounded(omega + beta * DeterministicMath.log(backcast)) }

  /// The next variance under GARCH or GJR.
  @inlinable @inline(__always) func variance(afterError error: Double, variance: Double) -> Double {
    let weight = alpha + (error < 0 ? gamma : 0)
    return omega + weight * error * error + beta * variance
  }

  /// The next ln h under EGARCH, before it is held within its bounds.
  @inlinable @inline(__always) func logVariance(afterError error: Double, logVariance: Double) -> Double {
    let z = error * Self.inverseDeviation(ofLog: logVariance)
    return omega + (alpha * (z.magnitude - Self.normalMagnitudeMean) + gamma * z) + beta * logVariance
  }

  @inlinable @inline(__always) static func bounded(_ logVariance: Double) -> Double {
    min(max(logVariance, -logVarianceMax), logVarianceMax)
  }

  /// 1/√h from ln h: neither a square root nor a division stands between two steps.
  @inlinable @inline(__always) static func inverseDeviation(ofLog logVariance: Double) -> Double {
    DeterministicMath.exp2(-0.5 * logBase2OfE * logVariance)
  }

  /// h from ln h.
  @inlinable @inline(__always) static func variance(ofLog logVariance: Double) -> Double {
    DeterministicMath.exp2(logBase2OfE * logVariance)
  }

  // By powers of two, which need no branch: |ln h| ≤ 30, so the product is off by less than 4e-15.
  @inlinable @inline(__always) static var logBase2OfE: Double { 1.44269504088896340735992468100 }

  /// `Σ w_i e_i²` over the first 75 demeaned returns with weights falling by 0.94, or `nil` where there are fewer than two
  /// returns, one is not finite, or those 75 are all equal, as before an instrument's first trade. Off the hot path.
  ///
  /// - Parameter mean: what is taken off; `nil` is the mean of all returns given. It never follows a fit.
  public static func backcast(of returns: [Double], mean: Double? = nil) -> Double? {
    guard returns.count >= 2, returns.allSatisfy(\.isFinite),
      returns.prefix(75).contains(where: { $0 != returns[0] })
    else { return nil }
    let mean = mean ?? returns.reduce(0, +) / Double(returns.count)
    var weight = 1.0
    var weights = 0.0
    var sum = 0.0
    for value in returns.prefix(75) {
      sum += weight * (value - mean) * (value - mean)
      weights += weight
      weight *= 0.94
    }
    let backcast = sum / weights
    return backcast > 0 && backcast.isFinite ? backcast : nil
  }
}
