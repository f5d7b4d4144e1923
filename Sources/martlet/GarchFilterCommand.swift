import ArgumentParser
import Foundation
import PositionSizing
import TradingTypes

/// `martlet garch filter`: variance forecasts at given parameters.
struct GarchFilterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "filter",
    abstract: "Run a volatility model over a column of returns.",
    discussion: """
      Prints a CSV of row (from 0) and variance: the forecast for that row's return
      from the rows before it and a variance to start from, percent^2.

      The parameters are the JSON that garch fit prints, or an object with mu, omega,
      alpha, gamma, beta of its own. Its "model" says which equation; without one,
      --model does; without that too it is egarch where omega or gamma is negative,
      gjr, with a warning, where there is a gamma, otherwise garch. Its "backcast" is
      the variance before the first row; without one it is made of the first 75 rows,
      or is the model's long-run variance where those are all alike.

      Example:
        martlet garch fit --model gjr --dist t --input daily.csv --column ret_pct \\
          --output gjr.json
        martlet garch filter --parameters gjr.json --input daily.csv --column ret_pct
      """)

  @Option(help: ArgumentHelp("JSON of parameters, such as garch fit prints.", valueName: "file"))
  var parameters: String

  @OptionGroup var returns: ReturnsInput

  @Option(help: ArgumentHelp("garch, gjr or egarch, where the parameters do not say.", valueName: "model"))
  var model: String?

  @Option(help: ArgumentHelp("Where the CSV goes; standard output otherwise.", valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite an existing output file.")
  var force = false

  func validate() throws {
    if let model, VolatilityModel(name: model) == nil {
      throw ValidationError("--model: garch, gjr or egarch expected, \(model) found")
    }
    guard parameters != "-" || returns.input != "-" else { throw ValidationError("one of the inputs is a file") }
  }

  func run() throws {
    let file = try VolatilityFile(parameters)
    let (_, values) = try returns.read()
    let model = try file.parameters(model: model, returns: values)
    let text = try OutputText(output, force: force)
    text.write("row,variance\n")
    for (row, variance) in VolatilityFit.conditionalVariances(of: values, at: model).enumerated() {
      text.write(Int64(row))
      text.write(byte: UInt8(ascii: ","))
      text.write(variance)
      text.write(byte: UInt8(ascii: "\n"))
    }
    try text.finish()
  }
}

/// Parameters of a volatility model in a JSON file.
struct VolatilityFile {
  private struct Numbers: Decodable {
    var mu: Double?
    let omega: Double
    let alpha: Double
    var gamma: Double?
    let beta: Double
  }
  private struct Whole: Decodable {
    var model: String?
    var backcast: Double?
    var parameters: Numbers?
  }

  private let path: String
  private let whole: Whole
  private let numbers: Numbers

  init(_ path: String) throws {
    self.path = path
    let bytes = Data(try InputBytes.read(path))
    let decoder = JSONDecoder()
    do {
      whole = try decoder.decode(Whole.self, from: bytes)
      numbers = try whole.parameters ?? decoder.decode(Numbers.self, from: bytes)
    } catch DecodingError.keyNotFound(let key, _) {
      throw ToolFailure.badInput("\(path): \(key.stringValue): a number expected, none found")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw ToolFailure.badInput("\(path): \(place.isEmpty ? "an object" : place + ": a number or text") expected")
    } catch { throw ToolFailure.badInput("\(path): JSON of volatility parameters expected") }
  }

  /// The model; `name` is what the command line says it is.
  func parameters(model name: String?, returns: [Double]) throws -> VolatilityParameters {
    if let name, let other = whole.model, name != other {
      throw ToolFailure.badInput("\(path): model: \(name) expected by --model, \(other) found")
    }
    let told = name ?? whole.model
    let isLog = numbers.omega < 0 || (numbers.gamma ?? 0) < 0
    let guess: VolatilityModel = isLog ? .egarch : numbers.gamma == nil ? .garch : .gjr
    guard let model = told.map({ VolatilityModel(name: $0) }) ?? guess else {
      throw ToolFailure.badInput("\(path): model: garch, gjr or egarch expected, \(told ?? "") found")
    }
    if told == nil, guess == .gjr { warn("\(path): gamma without a model: taken for gjr; --model says which") }
    let backcast = whole.backcast ?? VolatilityParameters.backcast(of: returns)
    do {
      return try VolatilityParameters(
        model, mean: numbers.mu ?? 0, omega: numbers.omega, alpha: numbers.alpha, gamma: numbers.gamma ?? 0,
        beta: numbers.beta, backcast: backcast)
    } catch { throw ToolFailure.badInput("\(path): \(error)") }
  }
}
