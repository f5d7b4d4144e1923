import ArgumentParser
import Foundation
import ModelGovernance

/// `martlet model gate`: whether a model's scores let it trade.
struct ModelGateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gate",
    abstract: "Judge scores whose outcome is known by the promotion gates.",
    discussion: """
      The input is a CSV with the columns score (a probability) and label (0 or
      1), and payoff where the rows are worth different amounts. Prints JSON: n,
      accuracy, wilson_lower, ece, brier, brier_skill, passed, reasons; with
      payoffs also payoff_accuracy. Exit 0 when every gate passes, 1 when one
      does not.

      A point estimate is not enough: the lower bound of the accuracy must reach
      68 %, the calibration error stay below 5 %, and the scores beat both the
      base rate and the more frequent outcome.

      Example:
        martlet model gate --scores holdout.csv
      """)

  @OptionGroup var gates: GateOptions

  @Option(help: ArgumentHelp("CSV of score,label or score,label,payoff; - is standard input.", valueName: "file"))
  var scores: String

  @Option(help: ArgumentHelp("Where the JSON goes; standard output otherwise.", valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite an existing output file.")
  var force = false

  func run() throws {
    let report = try gates.judge(scores)
    let text = try OutputText(output, force: force)
    let quality = report.quality
    text.write("{\"n\":\(quality.count),\"accuracy\":")
    text.write(json: quality.accuracy)
    text.write(",\"wilson_lower\":")
    text.write(json: report.wilsonLower)
    text.write(",\"ece\":")
    text.write(json: quality.ece)
    text.write(",\"brier\":")
    text.write(json: quality.brier)
    text.write(",\"brier_skill\":")
    text.write(json: quality.brierSkill)
    if let payoffAccuracy = quality.payoffAccuracy {
      text.write(",\"payoff_accuracy\":")
      text.write(json: payoffAccuracy)
    }
    let reasons = report.reasons.map { "\"\(jsonEscaped($0))\"" }.joined(separator: ",")
    text.write(",\"passed\":\(report.passed),\"reasons\":[\(reasons)]}\n")
    try text.finish()
    guard report.passed else { throw ToolFailure.checkFailed("\(scores): \(report.reasons.joined(separator: "; "))") }
  }
}

/// The gates, and scores to judge by them.
struct GateOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Least lower bound of the accuracy.", valueName: "share"))
  var wilsonMin = 0.68

  @Option(help: ArgumentHelp("Confidence of that bound.", valueName: "share"))
  var confidence = 0.95

  @Option(help: ArgumentHelp("The calibration error must be below it.", valueName: "error"))
  var eceMax = 0.05

  @Option(help: ArgumentHelp("The Brier skill must be above it.", valueName: "skill"))
  var skillMin = 0.0

  @Flag(help: "Let an accuracy pass that the more frequent outcome reaches too.")
  var allowMajority = false

  private var gates: PromotionGates {
    PromotionGates(
      wilsonLowerMin: wilsonMin, confidence: confidence, eceMax: eceMax, brierSkillMin: skillMin,
      mustBeatMajority: !allowMajority)
  }

  func validate() throws {
    if let fault = gates.fault { throw ValidationError("the gates: \(fault) expected") }
  }

  /// What the gates say of the scores in `path`.
  func judge(_ path: String) throws -> GateReport {
    let file = try NumberColumns(path)
    let names = file.names.map { $0.lowercased() }
    guard names == ["score", "label"] || names == ["score", "label", "payoff"] else {
      throw ToolFailure.badInput(
        "\(path): line 1: header score,label or score,label,payoff expected, "
          + "\(file.names.joined(separator: ",")) found")
    }
    let columns = try file.values(file.names)
    for row in 0..<file.rowCount {
      guard columns[0][row] >= 0, columns[0][row] <= 1 else {
        throw file.refusal(row, file.names[0], "a probability in [0, 1]")
      }
      guard columns[1][row] == 0 || columns[1][row] == 1 else { throw file.refusal(row, file.names[1], "0 or 1") }
      guard columns.count == 2 || columns[2][row].isFinite else {
        throw file.refusal(row, file.names[2], "a finite number")
      }
    }
    do {
      return gates.judge(
        try ModelQuality(
          scores: columns[0], labels: columns[1].map { $0 == 1 }, payoffs: columns.count == 3 ? columns[2] : nil))
    } catch { throw ToolFailure.badInput("\(path): \(error)") }
  }
}
