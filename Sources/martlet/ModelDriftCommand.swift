import ArgumentParser
import Foundation
import ModelGovernance

/// `martlet model drift`: whether live features still look like the reference.
struct ModelDriftCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drift",
    abstract: "Compare live values with a reference, column by column.",
    discussion: """
      Both inputs are CSVs with a header; an empty field is a missing value. Every
      column of the reference but date, timestamp_ns and valid_mask is compared
      with the live column of the same name. Prints a JSON object with an object a
      column: psi, ks, jsd, n (live values), verdict (ok, drift, too_few), and
      beside them null_mean (what psi is on average without drift), ks_p and
      n_reference. Exit 0, or 1 when a column drifted.

      psi: 10 bins at the reference's quantiles, natural logarithm, shares at least
      1e-4; drift above 0.25, no verdict below 200 live values, unless more than
      half of those expected are missing: that is drift too. ks: the largest
      distance between the distribution functions. jsd: Jensen-Shannon divergence
      over the bins, natural logarithm, from 0 to ln 2.

      With --regime the verdict compares values within the regimes that column
      numbers from 0: a change of regime is no drift.

      Example:
        martlet model drift --reference training.csv --live today.csv
      """)

  @Option(help: ArgumentHelp("CSV of training values; - is standard input.", valueName: "file"))
  var reference: String

  @Option(help: ArgumentHelp("CSV of live values; - is standard input.", valueName: "file"))
  var live: String

  @Option(help: ArgumentHelp("Columns to compare, like spread,mid; all otherwise.", valueName: "names"))
  var columns: String?

  @Option(help: ArgumentHelp("Column that numbers each row's regime, 0 to 15.", valueName: "name"))
  var regime: String?

  @Option(help: ArgumentHelp("Drift above this stability index.", valueName: "psi"))
  var alert = 0.25

  @Option(help: ArgumentHelp("Live values a verdict needs.", valueName: "count"))
  var minimum = 200

  @Option(help: ArgumentHelp("Where the JSON goes; standard output otherwise.", valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite an existing output file.")
  var force = false

  private var thresholds: DriftThresholds {
    DriftThresholds(psiAlert: alert, psiClear: min(0.1, alert), liveCountMin: minimum)
  }

  func validate() throws {
    if let fault = thresholds.fault { throw ValidationError("--alert, --minimum: \(fault) expected") }
    guard reference != "-" || live != "-" else { throw ValidationError("one of the inputs is a file") }
  }

  func run() throws {
    let (before, now) = (try NumberColumns(reference), try NumberColumns(live))
    let keys: Set<String> = ["date", "timestamp_ns", "valid_mask"]
    let names =
      columns?.split(separator: ",").map(String.init)
      ?? before.names.filter { !keys.contains($0.lowercased()) && $0 != regime }
    guard !names.isEmpty else {
      throw ToolFailure.badInput("\(reference): line 1: a column beside date, timestamp_ns and valid_mask expected")
    }
    guard Set(names).count == names.count else { throw ToolFailure.badInput("--columns: each name once expected") }
    let (references, lives) = (try before.values(names), try now.values(names))
    let regimes = try regime.map { (try regimeNumbers($0, of: before), try regimeNumbers($0, of: now)) }

    let text = try OutputText(output, force: force)
    var drifted: [String] = []
    text.write("{")
    for (place, name) in names.enumerated() {
      if place > 0 { text.write(",") }
      text.write("\"\(jsonEscaped(name))\":")
      guard references[place].contains(where: \.isFinite) else {
        let count = lives[place].count(where: \.isFinite)
        text.write("{\"psi\":null,\"ks\":null,\"jsd\":null,\"n\":\(count),\"verdict\":\"too_few\",\"null_mean\":null,")
        text.write("\"ks_p\":null,\"n_reference\":0}")
        continue
      }
      let report = try DriftReport.compare(reference: references[place], live: lives[place], thresholds: thresholds)
      var verdict = report.verdict
      if let regimes {
        verdict =
          try RegimeDriftReport.compare(
            reference: references[place], referenceRegimes: regimes.0, live: lives[place], liveRegimes: regimes.1,
            regimeCount: Self.regimeCountMax, thresholds: thresholds
          ).verdict
      }
      write(report, verdict, into: text)
      if verdict == .drift { drifted.append(name) }
    }
    text.write("}\n")
    try text.finish()
    guard drifted.isEmpty else {
      throw ToolFailure.checkFailed("\(live): drift of \(drifted.joined(separator: ", "))")
    }
  }

  private static let regimeCountMax = 16

  private func regimeNumbers(_ name: String, of file: NumberColumns) throws -> [Int] {
    try file.values([name])[0].enumerated().map { row, value in
      guard value >= 0, value < Double(Self.regimeCountMax), value.rounded() == value else {
        throw file.refusal(row, name, "a regime from 0 to \(Self.regimeCountMax - 1)")
      }
      return Int(value)
    }
  }

  private func write(_ report: DriftReport, _ verdict: DriftVerdict, into text: OutputText) {
    let hasLive = report.liveCount > 0
    for (key, value) in [
      ("{\"psi\":", hasLive ? report.psi : nil), (",\"ks\":", hasLive ? report.ks : nil),
      (",\"jsd\":", hasLive ? report.jsd : nil),
    ] {
      text.write(key)
      text.write(json: value)
    }
    text.write(",\"n\":\(report.liveCount),\"verdict\":\"\(verdict.rawValue)\",\"null_mean\":")
    text.write(json: report.psiNullMean)
    text.write(",\"ks_p\":")
    text.write(json: hasLive ? report.ksChance : nil)
    text.write(",\"n_reference\":\(report.referenceCount)}")
  }
}
