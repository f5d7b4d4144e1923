public import TradingTypes

/// A GARCH(1,1) or GJR-GARCH(1,1) model with a constant mean, over percent returns: fixed parameters for the filter.
///
/// `h' = ω + (α + γ·[e < 0])·e² + β·h` with `e = r − μ`; γ = 0 is plain GARCH. The error distribution matters to the fit
/// only, not to the filter.
/// - Source: Bollerslev 1986; Glosten, Jagannathan, Runkle 1993, equation 4.
@frozen public struct VolatilityParameters: BitwiseCopyable, Hashable, Sendable {
  /// Persistence above which the model's own long-run variance means nothing.
  @inlinable public static var persistenceMeaningfulMax: Double { 0.995 }

  /// Mean return μ, percent.
  public let mean: Double
  /// Constant ω, percent², positive.
  public let omega: Double
  /// Weight α of the last squared error.
  public let alpha: Double
  /// Additional weight γ of a negative error.
  public let gamma: Double
  /// Weight β of the last variance.
  public let beta: Double
  /// Variance that stands in for the squared error and the variance before the first return, percent².
  public let backcast: Double

  /// A model from fitted numbers.
  ///
  /// - Parameters:
  ///   - backcast: variance to start from, percent²: `backcast(of:)` of the returns of the fit, or of each instrument's own
  ///     last days through `VolatilityFilter.restart`. `nil` takes the long-run variance `ω / (1 − persistence)`.
  /// - Throws: `ConfigurationError` naming the number that breaks a rule: ω in [1e-8, 1e6]; α, γ in [0, 1]; β in
  ///   [0, 0.9999]; persistence α + γ/2 + β below 1; backcast in (0, 1e6], and given where persistence is above 0.995.
  public init(
    mean: Double = 0, omega: Double, alpha: Double, gamma: Double = 0, beta: Double, backcast: Double? = nil
  ) throws(ConfigurationError) {
    guard mean.magnitude <= 1e3 else {
      throw ConfigurationError("volatility model: mu is \(mean), expected within ±1000")
    }
    guard omega >= 1e-8, omega <= 1e6 else {
      throw ConfigurationError("volatility model: omega is \(omega), expected in [1e-8, 1e6]")
    }
    guard alpha >= 0, alpha <= 1, gamma >= 0, gamma <= 1, beta >= 0, beta <= 0.9999 else {
      throw ConfigurationError(
        "volatility model: alpha \(alpha), gamma \(gamma), beta \(beta), expected in [0, 1], [0, 1], [0, 0.9999]")
    }
    let persistence = alpha + gamma / 2 + beta
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
      self.backcast = omega / (1 - persistence)
    }
    self.mean = mean
    self.omega = omega
    self.alpha = alpha
    self.gamma = gamma
    self.beta = beta
  }

  /// α + γ/2 + β: how much of today's variance is expected to be left in tomorrow's.
  @inlinable public var persistence: Double { alpha + gamma / 2 + beta }

  /// The forecast for the first return: the backcast in place of both the squared error and the variance, half of γ.
  @inlinable public var startVariance: Double { omega + (alpha + gamma / 2 + beta) * backcast }

  /// `Σ w_i e_i²` over the first 75 demeaned returns with weights falling by 0.94, or `nil` where there are fewer than two
  /// returns, one is not finite, or all are equal. Off the hot path.
  ///
  /// The mean is the one of all returns given, so that it does not follow a fit.
  public static func backcast(of returns: [Double]) -> Double? {
    guard returns.count >= 2, returns.allSatisfy(\.isFinite) else { return nil }
    let mean = returns.reduce(0, +) / Double(returns.count)
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
