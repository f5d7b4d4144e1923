import ArgumentParser
import Foundation
import RegimeDetection

/// `martlet hmm fit`: the parameters of a regime model.
struct HmmFitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fit a hidden Markov model to a column of observations.",
    discussion: """
      Expectation and maximisation by turns (Baum-Welch), from the parameters of
      --init, or from 8 deterministic starts of which the best end is kept. Returns
      are best given in percent.

      Prints a JSON object: start, transition (a row a state left), means, variances,
      log_likelihood, iterations, converged; and observations, occupancy (expected
      rows in each state), stationary, expected_durations, aic, bic, begin. States
      stand in ascending variance. --init reads the first four keys.

      How to read it: expected_durations are rows a regime lasts on average; below
      about 5 the states are no regimes but outliers and the rest. Take the number of
      states with the smaller bic. log_likelihood can be compared only on the same
      rows.

      Refused, with exit code 2: fewer rows than 10 for each free parameter (70, 140
      and 230 for 2, 3 and 4 states), missing values, a constant column, a value that
      alone holds more than half of the sum of squares, and a state that collapsed
      onto fewer than 10 rows.

      --plot draws the summed column over its regimes, and the filtered probabilities
      below; a column called date makes a time axis.

      Example:
        martlet hmm fit --input daily.csv --column ret_pct --states 2
        martlet hmm fit --input daily.csv --column ret_pct --states 3 \\
          --output hmm.json --plot regimes.svg
      """)

  @OptionGroup var series: SeriesInput

  @Option(help: ArgumentHelp("Number of states, 2 to 4; not needed with --init.", valueName: "K"))
  var states: Int?

  @Option(name: .customLong("init"), help: ArgumentHelp("JSON of the parameters to start from.", valueName: "file"))
  var begin: String?

  @Option(help: ArgumentHelp("Iterations at most.", valueName: "N"))
  var iterations = 1_000

  @Option(help: ArgumentHelp("Stop when an iteration gains less log-likelihood.", valueName: "T"))
  var tolerance = 1e-9

  @Option(help: ArgumentHelp("Least transition probability; the engine runs with 1e-8.", valueName: "p"))
  var transitionFloor = 0.0

  @Option(help: ArgumentHelp("SVG image of the regimes.", valueName: "file"))
  var plot: String?

  @Option(help: ArgumentHelp("Where the JSON goes; standard output otherwise.", valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite existing output files.")
  var force = false

  func validate() throws {
    guard states != nil || begin != nil else { throw ValidationError("--states or --init is needed") }
    guard (2...4).contains(states ?? 2) else {
      throw ValidationError("--states: 2 to 4 expected, \(states ?? 0) found")
    }
    guard iterations >= 1 else { throw ValidationError("--iterations: 1 or more expected, \(iterations) found") }
    guard tolerance >= 0, tolerance.isFinite else {
      throw ValidationError("--tolerance: 0 or more expected, \(tolerance) found")
    }
    guard transitionFloor >= 0, transitionFloor < 0.25 else {
      throw ValidationError("--transition-floor: 0 to below 0.25 expected, \(transitionFloor) found")
    }
    guard plot == nil || plot != (output ?? "-") else {
      throw ValidationError("--plot and --output: one place for both")
    }
    guard begin != "-" || series.input != "-" else { throw ValidationError("one of the inputs is a file") }
  }

  func run() throws {
    let first = try begin.map { try HmmModelFile.read($0) }
    if let first, let states, first.stateCount != states {
      throw ToolFailure.badInput(
        "\(begin ?? ""): \(states) states expected, as --states says, \(first.stateCount) found")
    }
    let (file, values) = try series.read()
    // Before the work: files that are there already.
    let text = try OutputText(output, force: force)
    let image = try plot.map { try OutputText($0, force: force) }
    var options = HiddenMarkovFit.Options.plain
    options.iterationsMax = iterations
    options.gainMin = tolerance
    options.transitionFloor = transitionFloor
    do {
      let fit =
        try first.map { try HiddenMarkovFit.fit(values, from: $0, options: options) }
        ?? HiddenMarkovFit.fit(values, stateCount: states ?? 2, options: options)
      text.write(json(fit).text)
      if let image {
        image.write(try RegimePlot(file, values, fit, column: series.column).svg())
        try image.finish()
      }
    } catch let error as HiddenMarkovError { throw series.refusal(error, in: file) }
    try text.finish()
  }

  private func json(_ fit: HiddenMarkovFit) -> JSONText {
    var json = JSONText()
    func list(_ values: [Double]) -> String { "[" + values.map { JSONText.number($0) }.joined(separator: ", ") + "]" }
    json.add("start", fit.model.start)
    json.add("transition", json: "[" + fit.model.transition.map(list).joined(separator: ", ") + "]")
    json.add("means", fit.model.means.map { $0[0] })
    json.add("variances", fit.model.covariances.map { $0[0] })
    json.add("log_likelihood", fit.logLikelihood)
    json.add("iterations", fit.iterationCount)
    json.add("converged", fit.converged)
    json.add("observations", fit.observationCount)
    json.add("occupancy", fit.occupancy)
    if let stationary = fit.model.stationaryDistribution {
      json.add("stationary", stationary)
    } else {
      json.add("stationary", json: "null")
    }
    json.add("expected_durations", fit.model.expectedDurations)
    json.add("aic", fit.aic)
    json.add("bic", fit.bic)
    json.add("begin", "\(fit.start)")
    return json
  }
}
