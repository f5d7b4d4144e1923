import ArgumentParser
import Foundation
import RegimeDetection

/// What the commands that run a model over a series share.
struct HmmSeriesOptions: ParsableArguments {
  @Option(help: ArgumentHelp("JSON that hmm fit printed.", valueName: "file"))
  var model: String

  @OptionGroup var series: SeriesInput

  @Option(help: ArgumentHelp("Where the CSV goes; standard output otherwise.", valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite an existing output file.")
  var force = false

  func validate() throws {
    guard model != "-" || series.input != "-" else { throw ValidationError("one of the inputs is a file") }
  }

  /// Writes what `rows` makes of the model and the series.
  func write(_ rows: (HiddenMarkovModel, [Double], OutputText) throws -> Void) throws {
    let markov = try HmmModelFile.read(model)
    let (file, values) = try series.read()
    guard !values.isEmpty else { throw ToolFailure.badInput("\(file.path): one row or more expected") }
    let text = try OutputText(output, force: force)
    do { try rows(markov, values, text) } catch let error as HiddenMarkovError {
      throw series.refusal(error, in: file)
    }
    try text.finish()
  }

  /// Rows of probabilities.
  static func write(_ probabilities: [Double], _ stateCount: Int, into text: OutputText) {
    text.write("row" + (0..<stateCount).map { ",p_\($0)" }.joined() + "\n")
    for row in 0..<probabilities.count / stateCount {
      text.write(Int64(row))
      for state in 0..<stateCount {
        text.write(byte: UInt8(ascii: ","))
        text.write(probabilities[row * stateCount + state])
      }
      text.write(byte: UInt8(ascii: "\n"))
    }
  }

  /// Says, beside the answer, what it must not be used for.
  func warnOfHindsight(_ command: String) {
    warn("hmm \(command) answers in hindsight: every row uses the rows after it; trade on hmm filter only")
  }
}

/// `martlet hmm filter`: probabilities given the past and the present.
struct HmmFilterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "filter",
    abstract: "Print each row's regime probabilities, from the rows so far.",
    discussion: """
      Prints CSV: row (from 0), p_0 to p_K-1, in the order of the model's states. Each
      row depends on the rows up to it alone; it is what the engine computes, bit for
      bit, from a model whose transitions are all 1e-8 or more: the engine raises
      smaller ones to that. A row that no state can explain, which takes transitions of exactly 0,
      makes the filter begin anew, with a warning.

      Example:
        martlet hmm filter --model hmm.json --input daily.csv --column ret_pct
      """)

  @OptionGroup var options: HmmSeriesOptions

  func run() throws {
    try options.write { model, values, text in
      let filtered = try FilteredSeries(values, model)
      if filtered.restartCount > 0 {
        warn(
          "\(options.series.input): \(filtered.restartCount) rows are impossible under the model; it began anew there")
      }
      HmmSeriesOptions.write(filtered.probabilities, model.stateCount, into: text)
    }
  }
}

/// `martlet hmm smooth`: probabilities given everything.
struct HmmSmoothCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "smooth",
    abstract: "Print each row's regime probabilities in hindsight, from the whole file.",
    discussion: """
      Prints CSV: row (from 0), p_0 to p_K-1, in the order of the model's states, and
      a warning on standard error: every row uses the rows after it. A strategy that
      is tested on these numbers knows the future. They are for looking at history;
      hmm filter has the ones to trade on.

      Example:
        martlet hmm smooth --model hmm.json --input daily.csv --column ret_pct
      """)

  @OptionGroup var options: HmmSeriesOptions

  func run() throws {
    try options.write { model, values, text in
      HmmSeriesOptions.write(try Hindsight.smoothed(values, model).values, model.stateCount, into: text)
    }
    options.warnOfHindsight("smooth")
  }
}

/// `martlet hmm viterbi`: the most probable path.
struct HmmViterbiCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "viterbi",
    abstract: "Print the most probable path of regimes in hindsight.",
    discussion: """
      Prints CSV: row (from 0), state (from 0, in the order of the model's states), and
      a warning on standard error: the path uses the whole file. It has fewer changes
      than the filter ever shows; a strategy that is tested on it knows the future.

      Example:
        martlet hmm viterbi --model hmm.json --input daily.csv --column ret_pct
      """)

  @OptionGroup var options: HmmSeriesOptions

  func run() throws {
    try options.write { model, values, text in
      text.write("row,state\n")
      for (row, state) in try Hindsight.mostProbablePath(values, model).states.enumerated() {
        text.write(Int64(row))
        text.write(byte: UInt8(ascii: ","))
        text.write(Int64(state))
        text.write(byte: UInt8(ascii: "\n"))
      }
    }
    options.warnOfHindsight("viterbi")
  }
}
