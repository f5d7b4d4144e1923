import ArgumentParser
import Foundation
import RegimeDetection

/// `martlet hmm`: market regimes by a hidden Markov model.
struct HmmCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hmm",
    abstract: "Fit a hidden Markov model of market regimes and run it over a series.",
    discussion: """
      The model: each observation comes from one of 2 to 4 states with a Gaussian of
      its own; the state is not seen, and moves by fixed probabilities.

      fit     finds start, transitions, means and variances
      filter  probability of each state given the rows so far: what may be traded on
      smooth  the same given the whole file: hindsight, for looking at history only
      viterbi the single most probable path: hindsight too

      States stand in ascending variance: state 0 is the calmest.

      Example:
        martlet hmm fit --input daily.csv --column ret_pct --states 3 \\
          --output hmm.json --plot regimes.svg
        martlet hmm filter --model hmm.json --input daily.csv --column ret_pct
      """,
    subcommands: [HmmFitCommand.self, HmmFilterCommand.self, HmmSmoothCommand.self, HmmViterbiCommand.self])
}

/// A column of a CSV as a series of observations.
struct SeriesInput: ParsableArguments {
  @Option(help: ArgumentHelp("CSV with a header; - is standard input.", valueName: "file"))
  var input: String

  @Option(help: ArgumentHelp("Column of observations, such as returns in percent.", valueName: "name"))
  var column: String

  /// The file and the column's values.
  func read() throws -> (file: NumberColumns, values: [Double]) {
    let file = try NumberColumns(input)
    return (file, try file.values([column])[0])
  }

  /// What the tool says of an error of the library.
  func refusal(_ error: HiddenMarkovError, in file: NumberColumns) -> ToolFailure {
    switch error {
    case .notFinite(let row, _): file.refusal(row, column, "a finite number")
    case .outOfRange(let row, _, let value): file.refusal(row, column, "a number within ±1e6, not \(value),")
    case .outlier(let row, _, _):
      file.refusal(row, column, "a value that does not hold more than half of the sum of squares")
    case .impossible(let row):
      file.refusal(row, column, "a value that some state explains (all are ruled out by transitions of 0)")
    default: ToolFailure.badInput("\(file.path), \(column): \(error)")
    }
  }
}

/// A model as JSON: `start`, `transition`, `means`, `variances`; other keys are passed over.
struct HmmModelFile: Decodable {
  /// A number a state, alone or as a list of one (a feature a place).
  struct Entry: Decodable {
    let value: Double

    init(from decoder: any Decoder) throws {
      let single = try decoder.singleValueContainer()
      if let value = try? single.decode(Double.self) {
        self.value = value
        return
      }
      let list = try single.decode([Double].self)
      guard list.count == 1 else {
        throw DecodingError.dataCorruptedError(in: single, debugDescription: "one number a state expected")
      }
      value = list[0]
    }
  }

  let start: [Double]
  let transition: [[Double]]
  let means: [Entry]
  let variances: [Entry]

  /// The model in the file at `path`; its states keep their order.
  static func read(_ path: String) throws -> HiddenMarkovModel {
    let bytes = try InputBytes.read(path)
    let file: HmmModelFile
    do { file = try JSONDecoder().decode(HmmModelFile.self, from: Data(bytes)) } catch {
      throw ToolFailure.badInput("\(path): \(problem(error))")
    }
    do {
      return try HiddenMarkovModel(
        start: file.start, transition: file.transition, means: file.means.map(\.value),
        variances: file.variances.map(\.value))
    } catch { throw ToolFailure.badInput("\(path): \(error)") }
  }

  private static func problem(_ error: any Error) -> String {
    func place(_ context: DecodingError.Context) -> String {
      context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
    let expected = "an object with start, transition, means, variances expected"
    return switch error as? DecodingError {
    case .keyNotFound(let key, _): "\(expected), \(key.stringValue) missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      context.codingPath.isEmpty ? "\(expected), not JSON" : "\(place(context)): numbers expected"
    default: expected
    }
  }
}
