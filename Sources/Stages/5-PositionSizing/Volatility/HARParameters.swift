public import TradingTypes

/// The heterogeneous autoregression of realised variance, with fixed parameters: `RV' = c + β_d·RV⁽ᵈ⁾ + β_w·RV⁽ʷ⁾ + β_m·RV⁽ᵐ⁾`.
///
/// An alternative to the models of returns where variances are measured within the day. Any unit of variance, such as percent².
/// - Source: Corsi 2009, "A simple approximate long-memory model of realized volatility", equation 8, on variances.
@frozen public struct HARParameters: BitwiseCopyable, Hashable, Sendable {
  /// c, a variance.
  public let constant: Double
  /// β_d.
  public let daily: Double
  /// β_w.
  public let weekly: Double
  /// β_m.
  public let monthly: Double
  /// A forecast below this is this: a linear model may forecast a negative variance. Of a fit the least variance it has seen.
  public let varianceMin: Double

  /// A model from fitted numbers.
  ///
  /// - Throws: `ConfigurationError` naming the number: each finite and within ±1e6, `varianceMin` positive.
  public init(
    constant: Double, daily: Double, weekly: Double, monthly: Double, varianceMin: Double
  ) throws(ConfigurationError) {
    for (name, value) in [("constant", constant), ("daily", daily), ("weekly", weekly), ("monthly", monthly)] {
      guard value.magnitude <= 1e6 else {
        throw ConfigurationError("HAR model: \(name) is \(value), expected within ±1e6")
      }
    }
    guard varianceMin > 0, varianceMin <= 1e6 else {
      throw ConfigurationError("HAR model: varianceMin is \(varianceMin), expected in (0, 1e6]")
    }
    self.constant = constant
    self.daily = daily
    self.weekly = weekly
    self.monthly = monthly
    self.varianceMin = varianceMin
  }

  /// The forecast for the day after the newest of `state`; positive, and infinite only where the variances were beyond 1e300 / 1e6.
  ///
  /// - Complexity: O(1), no allocation.
  public func forecast(_ state: HARState) -> Double {
    let value = constant + daily * state.daily + weekly * state.weekly + monthly * state.monthly
    // What is no number (infinities of two signs) is below nothing: the comparison sends it to the floor.
    return value > varianceMin ? value : varianceMin
  }

  /// The forecasts for the next 1…`horizon` days, each made with the ones before it in place of what is not known yet.
  ///
  /// - Precondition: `horizon` is positive.
  /// - Complexity: O(`horizon`).
  public func forecasts(_ state: HARState, horizon: Int) -> [Double] {
    precondition(horizon > 0, "HARParameters: the horizon is positive")
    var state = state
    return (0..<horizon).map { _ in
      let value = forecast(state)
      _ = state.take(value)
      return value
    }
  }
}
