import TradingTypes

extension VolatilityFit {
  /// Variance forecasts for the next 1…`horizon` returns after the fitted series, percent²; see `VolatilityForecast.variances`.
  public func forecastVariances(horizon: Int) -> [Double] {
    VolatilityForecast.variances(
      from: state, parameters, errors: settings.errors, horizon: horizon)
  }
}

/// Variance forecasts several returns ahead.
public enum VolatilityForecast {
  /// The expected variances of the next 1…`horizon` returns, percent².
  ///
  /// GARCH and GJR: `h₁`, then `ω + persistence · h`; the errors are taken to fall as often as they rise. EGARCH with normal errors: the
  /// exact expectation, a product of `E exp(β^j g(z))`, not `exp` of the expected logarithm, which is too low.
  /// EGARCH with Student-t errors gives the first step only, because the expectation of `exp(α|z|)` and with it every later
  /// forecast is infinite.
  ///
  /// - Parameter state: as after the last return.
  /// - Precondition: `horizon` is positive.
  /// - Complexity: O(`horizon`), of EGARCH O(`horizon`) products of two normal probabilities.
  /// - Source: Nelson 1991, theorem A1.1, for the expectation.
  public static func variances(
    from state: VolatilityState, _ parameters: VolatilityParameters, errors: ErrorDistribution = .normal, horizon: Int
  ) -> [Double] {
    precondition(horizon > 0, "VolatilityForecast: the horizon is positive")
    var variances = [state.variance]
    guard parameters.model == .egarch else {
      while variances.count < horizon {
        variances.append(parameters.omega + parameters.persistence * variances[variances.count - 1])
      }
      return variances
    }
    guard errors == .normal else { return variances }
    // ln h after j steps more: ω Σ β^i + β^j ln h + Σ β^i g(z), the g independent.
    var power = 1.0
    var level = state.logVariance
    var spread = 0.0
    while variances.count < horizon {
      level = parameters.omega + parameters.beta * level
      spread += logExpectation(parameters, power)
      power *= parameters.beta
      variances.append(DeterministicMath.exp(level + spread))
    }
    return variances
  }

  /// `ln E exp(b·g(z))` for standard normal z and `g(z) = α(|z| − √(2/π)) + γz`.
  private static func logExpectation(_ parameters: VolatilityParameters, _ b: Double) -> Double {
    let (rise, fall) = (b * (parameters.alpha + parameters.gamma), b * (parameters.alpha - parameters.gamma))
    // E[exp(cz); z > 0] = exp(c²/2) Φ(c).
    let sum =
      DeterministicMath.exp(0.5 * rise * rise) * normalProbability(below: rise)
      + DeterministicMath.exp(0.5 * fall * fall) * normalProbability(below: fall)
    return DeterministicMath.log(sum) - b * parameters.alpha * VolatilityParameters.normalMagnitudeMean
  }

  /// Φ(x) for |x| ≤ 8, with an absolute error below 2e-15.
  ///
  /// - Source: Marsaglia 2004, "Evaluating the normal distribution", section 3: `½ + φ(x) Σ x^(2k+1) / (1·3·5…(2k+1))`.
  static func normalProbability(below x: Double) -> Double {
    guard x.magnitude <= 8 else { return x < 0 ? 0 : 1 }
    var term = x
    var sum = x
    var odd = 1.0
    while term.magnitude > 1e-17 * sum.magnitude {
      odd += 2
      term *= x * x / odd
      sum += term
    }
    // ln √(2π).
    return 0.5 + sum * DeterministicMath.exp(-0.5 * x * x - 0.918938533204672741780329736406)
  }
}
