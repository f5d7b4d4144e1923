import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: likelihoods, fits and forecasts are those of an independent package. Method: the golden series in the order that narrows a fault
// down: likelihood at fixed parameters, likelihood of the fit, parameters, forecasts.
@Suite(.enabled(if: GoldenVolatility.isThere, "shared golden files are missing"))
struct VolatilityFitGoldenTests {
  @Test(arguments: VolatilityCase.allCases)
  func `the likelihood at given parameters is the golden one`(name: VolatilityCase) throws {
    let golden = try GoldenVolatility.load()
    let returns = try GoldenVolatility.returns()
    let model = golden.models[name.rawValue]!
    for (named, expected) in [
      (model.params, model.loglik), (model.fixed_param_check.params, model.fixed_param_check.loglik),
    ] {
      let parameters = try name.parameters(named, backcast: golden.backcast)
      let value = VolatilityFit.logLikelihood(of: returns, at: parameters, degreesOfFreedom: named["nu"])
      #expect(abs(value - expected) <= 1e-6)
    }
  }

  @Test(arguments: VolatilityCase.allCases)
  func `a fit reaches the golden optimum, its parameters and its forecasts`(name: VolatilityCase) throws {
    let golden = try GoldenVolatility.load()
    let returns = try GoldenVolatility.returns()
    let model = golden.models[name.rawValue]!
    let fit = try VolatilityFit(returns, VolatilityFitSettings(name.model, errors: name.errors))
    #expect(fit.logLikelihood >= model.loglik - 1e-4)
    // The golden optimum is tight: more would be a fault of the likelihood.
    #expect(fit.logLikelihood <= model.loglik + 1e-5)
    func isNear(_ value: Double, _ key: String) {
      let expected = model.params[key] ?? 0
      #expect(abs(value - expected) <= max(2e-4, 1e-3 * abs(expected)), "\(key)")
    }
    isNear(fit.parameters.mean, "mu")
    isNear(fit.parameters.omega, "omega")
    isNear(fit.parameters.alpha, "alpha")
    isNear(fit.parameters.gamma, "gamma")
    isNear(fit.parameters.beta, "beta")
    #expect(abs((fit.degreesOfFreedom ?? 0) - (model.params["nu"] ?? 0)) <= 1e-2)
    #expect(abs(fit.persistence - model.persistence) <= 1e-3)
    let forecasts = fit.forecastVariances(horizon: 5)
    #expect(forecasts.count == model.forecast_variance_h1_5.count)
    for (value, expected) in zip(forecasts, model.forecast_variance_h1_5) { #expect(abs(value / expected - 1) <= 1e-3) }
    #expect(fit.passes <= 90, "\(fit.passes) passes")
  }

  @Test(arguments: VolatilityCase.allCases)
  func `forecasts and residuals at the golden parameters`(name: VolatilityCase) throws {
    let golden = try GoldenVolatility.load()
    let returns = try GoldenVolatility.returns()
    let model = golden.models[name.rawValue]!
    let parameters = try name.parameters(model.params, backcast: golden.backcast)
    let state = VolatilityState(parameters, after: returns)
    let forecasts = VolatilityForecast.variances(from: state, parameters, errors: name.errors, horizon: 5)
    #expect(forecasts.count == model.forecast_variance_h1_5.count)
    for (value, expected) in zip(forecasts, model.forecast_variance_h1_5) {
      #expect(abs(value / expected - 1) <= 1e-10)
    }
    let variances = VolatilityFit.conditionalVariances(of: returns, at: parameters)
    for (place, row) in golden.indices.enumerated() {
      let z = (returns[row] - parameters.mean) / variances[row].squareRoot()
      #expect(abs(z - model.std_resid_at[place]) <= 1e-9)
    }
  }
}
