import ArgumentParser
import PositionSizing

/// `martlet garch`: models of volatility that changes over time.
struct GarchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "garch",
    abstract: "Fit GARCH, GJR and EGARCH models to returns, and run them.",
    discussion: """
      fit finds the parameters for a column of returns; filter runs given parameters
      over one and prints the variance forecast of each row.

      Returns are in percent: 1.5 is one and a half percent. Docs/Volatility.md says
      which model to take and what its numbers mean.
      """,
    subcommands: [GarchFitCommand.self, GarchFilterCommand.self])
}

extension VolatilityModel {
  /// As `--model` and the JSON say it.
  var name: String { "\(self)" }

  /// The model called `name`.
  init?(name: String) {
    guard let model = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = model
  }
}

/// Where returns come from.
struct ReturnsInput: ParsableArguments {
  @Option(
    help: ArgumentHelp("CSV with a header; - is standard input; gzip and zstd are decompressed.", valueName: "file"))
  var input: String

  @Option(help: ArgumentHelp("Column of returns in percent, oldest first.", valueName: "name"))
  var column: String

  /// The file and its returns; a missing one is an error that names its line.
  func read() throws -> (file: NumberColumns, returns: [Double]) {
    let file = try NumberColumns(input)
    let returns = try file.values([column])[0]
    if let row = returns.firstIndex(where: { !$0.isFinite }) { throw file.refusal(row, column, "a finite number") }
    return (file, returns)
  }
}
