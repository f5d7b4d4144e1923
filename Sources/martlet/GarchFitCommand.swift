import ArgumentParser
import Foundation
import PositionSizing
import TradingTypes

/// `martlet garch fit`: the parameters of a volatility model.
struct GarchFitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fit a volatility model to a column of returns by maximum likelihood.",
    discussion: """
      Models, with e the last return less its mean, h its variance, z = e/sqrt(h):
        garch   h' = omega + alpha e^2 + beta h
        gjr     h' = omega + (alpha + gamma [e < 0]) e^2 + beta h
        egarch  ln h' = omega + alpha (|z| - sqrt(2/pi)) + gamma z + beta ln h
      For stocks and indices take gjr or egarch: falls raise volatility more than
      rises. --dist t fits heavy tails and is less moved by single large returns.

      Prints a JSON object: model, distribution, parameters (mu, omega, alpha, gamma,
      beta, nu, as far as the model has them), log_likelihood, persistence,
      unconditional_variance (null where persistence is above 0.995 and for egarch),
      forecast_variance (the next returns', percent^2; of egarch with t only the next
      one's, because later ones have no expectation), iterations, passes,
      observations, backcast, converged.

      Refused, with exit code 2: fewer than 250 returns, missing ones, a constant
      column, a return of -100 or less, one that alone holds more than half of the
      sum of squares. Exit code 1 when the search finds no optimum.

      --plot draws the returns with a band of two forecast standard deviations, and
      the volatility below; a column called date makes a time axis.

      Example:
        martlet garch fit --model gjr --dist t --input daily.csv --column ret_pct
        martlet garch fit --model egarch --dist normal --input daily.csv \\
          --column ret_pct --output egarch.json --plot egarch.svg
      """)

  @Option(help: ArgumentHelp("garch, gjr or egarch.", valueName: "model"))
  var model: String

  @Option(help: ArgumentHelp("Distribution of the errors: normal or t.", valueName: "dist"))
  var dist: String

  @OptionGroup var returns: ReturnsInput

  @Option(help: ArgumentHelp("Mean return: constant (fitted) or zero.", valueName: "mean"))
  var mean = "constant"

  @Option(help: ArgumentHelp("Returns to forecast ahead, 1 to 1000.", valueName: "count"))
  var horizon = 5

  @Option(help: ArgumentHelp("SVG image of returns and volatility.", valueName: "file"))
  var plot: String?

  @Option(help: ArgumentHelp("Where the JSON goes; standard output otherwise.", valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite existing output files.")
  var force = false

  func validate() throws {
    guard VolatilityModel(name: model) != nil else {
      throw ValidationError("--model: garch, gjr or egarch expected, \(model) found")
    }
    guard ["normal", "t"].contains(dist) else { throw ValidationError("--dist: normal or t expected, \(dist) found") }
    guard ["constant", "zero"].contains(mean) else {
      throw ValidationError("--mean: constant or zero expected, \(mean) found")
    }
    guard (1...1_000).contains(horizon) else {
      throw ValidationError("--horizon: 1 to 1000 expected, \(horizon) found")
    }
    guard plot == nil || plot != (output ?? "-") else {
      throw ValidationError("--plot and --output: one place for both")
    }
  }

  func run() throws {
    let (file, values) = try returns.read()
    // Before the work: files that are there already.
    let text = try OutputText(output, force: force)
    let image = try plot.map { try OutputText($0, force: force) }
    let settings = VolatilityFitSettings(
      VolatilityModel(name: model) ?? .gjr, errors: dist == "t" ? .studentT : .normal, fitsMean: mean == "constant")
    let fit = try fit(values, settings, file)
    text.write(json(fit).text)
    if let image {
      image.write(VolatilityPlot(file, values, fit, column: returns.column).svg())
      try image.finish()
    }
    try text.finish()
  }

  private func fit(_ values: [Double], _ settings: VolatilityFitSettings, _ file: NumberColumns) throws -> VolatilityFit
  {
    do { return try VolatilityFit(values, settings) } catch {
      let column = returns.column
      switch error {
      case .notFinite(let index): throw file.refusal(index, column, "a finite number")
      case .totalLoss(let index, _): throw file.refusal(index, column, "a return above −100 percent")
      case .outlier(let index, _):
        throw file.refusal(index, column, "a return that does not hold more than half of the sum of squares")
      case .notConverged: throw ToolFailure.checkFailed("\(file.path), \(column): \(error)")
      default: throw ToolFailure.badInput("\(file.path), \(column): \(error)")
      }
    }
  }

  private func json(_ fit: VolatilityFit) -> JSONText {
    var numbers = JSONText()
    numbers.add("mu", fit.parameters.mean)
    numbers.add("omega", fit.parameters.omega)
    numbers.add("alpha", fit.parameters.alpha)
    if fit.parameters.model != .garch { numbers.add("gamma", fit.parameters.gamma) }
    numbers.add("beta", fit.parameters.beta)
    if let nu = fit.degreesOfFreedom { numbers.add("nu", nu) }
    var json = JSONText()
    json.add("model", fit.parameters.model.name)
    json.add("distribution", dist)
    json.add("parameters", json: numbers.line)
    json.add("log_likelihood", fit.logLikelihood)
    json.add("persistence", fit.persistence)
    json.add("unconditional_variance", fit.unconditionalVariance)
    json.add("forecast_variance", fit.forecastVariances(horizon: horizon))
    json.add("iterations", fit.iterations)
    json.add("passes", fit.passes)
    json.add("observations", fit.observations)
    json.add("backcast", fit.parameters.backcast)
    json.add("converged", true)
    return json
  }
}
