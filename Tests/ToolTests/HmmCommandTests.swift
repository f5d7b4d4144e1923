// Goal: `martlet hmm` as programs see it: the forms and numbers of its outputs, each refusal's line and exit code, warnings of hindsight,
// an image or none. Method: the tool as a child process over a drawn series and, where they are there, the golden figures.

import Foundation
import TestSupport
import Testing
import TradingTypes

@Suite(.enabled(if: Tool.url != nil, needsTool)) struct HmmCommandTests {
  private static let golden = SharedData.file("golden/hmm.json") != nil

  /// Calm and wild times by turns, the same every time.
  private func series(_ folder: Folder, rows: Int = 400, dated: Bool = true, change: (Int) -> String? = { _ in nil })
    throws -> String
  {
    var random = SplitMix64(seed: 11)
    var text = dated ? "date,ret\n" : "ret\n"
    for row in 0..<rows {
      // The sum of four even numbers is nearly normal.
      let noise = (0..<4).map { _ in random.unit() - 0.5 }.reduce(0, +)
      let value = change(row) ?? "\(noise * (row / 50 % 2 == 0 ? 1 : 5))"
      if dated {
        let (month, day) = (row / 28 % 12 + 1, row % 28 + 1)
        text += "20\(row / 336 + 10)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day),"
      }
      text += value + "\n"
    }
    return try folder.write(Array(text.utf8), "series.csv")
  }

  private func model(_ folder: Folder) throws -> String {
    let text = """
      {"start": [0.5, 0.5], "transition": [[0.95, 0.05], [0.05, 0.95]], "means": [0, 0], "variances": [0.3, 8],
      "note": "other keys are passed over"}
      """
    return try folder.write(Array(text.utf8), "model.json")
  }

  @Test func `a fit has the keys of the contract, is repeatable, and can be fed back`() throws {
    let folder = try Folder()
    let input = try series(folder)
    let output = folder.file("hmm.json").path
    let arguments = ["hmm", "fit", "--input", input, "--column", "ret", "--states", "2"]
    let first = try Tool.run(arguments)
    #expect(first.code == 0 && first.error.isEmpty, "\(first.error)")
    let answer = try first.object()
    let keys: Set = ["start", "transition", "means", "variances", "log_likelihood", "iterations", "converged"]
    #expect(keys.isSubset(of: Set(answer.keys)) && answer["converged"] as? Bool == true)
    let variances = answer["variances"] as? [Double] ?? []
    #expect(variances.count == 2 && variances[0] < 0.6 && variances[1] > 5, "\(variances)")
    let written = try Tool.run(arguments + ["--output", output])
    let file = try Data(contentsOf: folder.file("hmm.json"))
    #expect(written.output.isEmpty && file == first.output)
    // From where it ended there is nothing to gain.
    let again = try Tool.run(
      ["hmm", "fit", "--input", input, "--column", "ret", "--init", output, "--tolerance", "1e-6"])
    let fed = try again.object()
    #expect(again.code == 0 && (fed["iterations"] as? Int ?? 99) <= 3 && fed["begin"] as? String == "given")
    let one = try Tool.run(arguments + ["--iterations", "1"]).object()
    #expect(one["iterations"] as? Int == 1 && one["converged"] as? Bool == false)
  }

  @Test func `the series commands print their columns, and hindsight warns`() throws {
    let folder = try Folder()
    let (input, model) = (try series(folder, dated: false), try model(folder))
    let options = ["--model", model, "--input", input, "--column", "ret"]
    let filtered = try Tool.run(["hmm", "filter"] + options)
    #expect(filtered.code == 0 && filtered.error.isEmpty, "\(filtered.error)")
    #expect(filtered.lines.count == 401 && filtered.lines[0] == "row,p_0,p_1" && filtered.lines[400].hasPrefix("399,"))
    for line in filtered.lines.dropFirst() {
      let fields = line.split(separator: ",").compactMap { Double($0) }
      #expect(fields.count == 3 && abs(fields[1] + fields[2] - 1) < 1e-12)
    }
    let smoothed = try Tool.run(["hmm", "smooth"] + options)
    #expect(smoothed.code == 0 && smoothed.lines[0] == "row,p_0,p_1" && smoothed.lines.count == 401)
    let path = try Tool.run(["hmm", "viterbi"] + options)
    #expect(path.code == 0 && path.lines[0] == "row,state" && path.lines.count == 401)
    #expect(path.lines.dropFirst().allSatisfy { $0.hasSuffix(",0") || $0.hasSuffix(",1") })
    for outcome in [smoothed, path] {
      #expect(outcome.errorLines.count == 1 && outcome.error.contains("warning") && outcome.error.contains("hindsight"))
    }
    // The last row has no future, so the filter and the smoother agree on it, and on it alone in general.
    func fields(_ outcome: Tool.Outcome, _ line: Int) -> [Double] {
      outcome.lines[line].split(separator: ",").compactMap { Double($0) }
    }
    #expect(zip(fields(smoothed, 400), fields(filtered, 400)).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(zip(fields(smoothed, 200), fields(filtered, 200)).contains { abs($0 - $1) > 1e-6 })
    // The filter of a part of the file is the part of the filter: nothing ahead is used.
    let head = try Data(contentsOf: URL(fileURLWithPath: input)).split(separator: 10).prefix(201).joined(separator: [10]
    )
    let short = try folder.write(Array(head), "head.csv")
    let part = try Tool.run(["hmm", "filter", "--model", model, "--input", short, "--column", "ret"])
    #expect(part.lines == Array(filtered.lines.prefix(201)))
  }

  @Test func `what cannot be fitted is refused by name, with exit 2 and one line`() throws {
    let folder = try Folder()
    let model = try model(folder)
    func expect(_ arguments: [String], _ parts: String..., file: () throws -> String) throws {
      let outcome = try Tool.run(["hmm"] + arguments + ["--input", try file()])
      #expect(outcome.code == 2 && outcome.errorLines.count == 1 && outcome.output.isEmpty, "\(outcome.error)")
      #expect(parts.allSatisfy(outcome.error.contains), "\(outcome.error)")
    }
    let fit = ["fit", "--column", "ret", "--states", "2"]
    try expect(fit, "69 observations", "70 or more") { try series(folder, rows: 69) }
    try expect(fit, "constant") { try series(folder) { _ in "0.25" } }
    try expect(fit, "line 102, ret", "finite") { try series(folder) { $0 == 100 ? "" : nil } }
    try expect(fit, "line 102, ret", "finite") { try series(folder) { $0 == 100 ? "nan" : nil } }
    try expect(fit, "line 102, ret", "1e6") { try series(folder) { $0 == 100 ? "4e8" : nil } }
    try expect(fit, "line 102, ret", "half of the sum of squares") {
      try series(folder) { $0 == 100 ? "500000" : nil }
    }
    try expect(fit, "collapsed") { try series(folder) { $0 % 80 == 5 ? "\(1_000 + $0)" : nil } }
    try expect(["fit", "--column", "ret", "--states", "5"], "--states", "2 to 4") { try series(folder) }
    try expect(["fit", "--column", "ret"], "--states or --init") { try series(folder) }
    try expect(["fit", "--column", "none", "--states", "2"], "a column none expected") { try series(folder) }
    try expect(["fit", "--column", "ret", "--states", "3", "--init", model], "3 states expected", "2 found") {
      try series(folder)
    }
    for (text, part) in [
      ("{\"start\": [1, 0]}", "transition missing"), ("nonsense", "not JSON"),
      ("{\"start\":[0.5,0.6],\"transition\":[[1,0],[0,1]],\"means\":[0,0],\"variances\":[1,2]}", "start probabilities"),
      ("{\"start\":[0.5,0.5],\"transition\":[[1,0],[0,1]],\"means\":[0,0],\"variances\":[1,-2]}", "variance"),
      ("{\"start\":[0.5,0.5],\"transition\":[[1,0],[0,1]],\"means\":[0,\"x\"],\"variances\":[1,2]}", "means"),
    ] {
      let broken = try folder.write(Array(text.utf8), "broken.json")
      try expect(["filter", "--column", "ret", "--model", broken], "broken.json", part) { try series(folder) }
    }
  }

  @Test func `zero transitions are taken, and what they rule out is named`() throws {
    let folder = try Folder()
    let text = "{\"start\":[1,0],\"transition\":[[1,0],[0,1]],\"means\":[[0],[0]],\"variances\":[[0.1],[10]]}"
    let model = try folder.write(Array(text.utf8), "zero.json")
    let input = try series(folder) { $0 == 100 ? "100" : "0.1" }
    let options = ["--model", model, "--input", input, "--column", "ret"]
    let filtered = try Tool.run(["hmm", "filter"] + options)
    #expect(filtered.code == 0 && filtered.error.contains("1 rows are impossible") && filtered.lines.count == 401)
    let smoothed = try Tool.run(["hmm", "smooth"] + options)
    #expect(smoothed.code == 2 && smoothed.error.contains("line 102, ret"), "\(smoothed.error)")
  }

  @Test func `the image has a band a regime, a legend and both axes`() throws {
    let folder = try Folder()
    let image = folder.file("regimes.svg")
    let arguments = ["hmm", "fit", "--column", "ret", "--states", "2", "--plot", image.path, "--input"]
    let outcome = try Tool.run(arguments + [try series(folder)])
    #expect(outcome.code == 0 && !outcome.output.isEmpty, "\(outcome.error)")
    let bytes = try Data(contentsOf: image)
    let document = PlotDocument(bytes)
    #expect(document.problem == nil && document.order == ["legend", "series", "filtered"])
    #expect(document.texts.first == "ret · series.csv" && document.texts.last == "date")
    #expect(document.texts.contains { $0 == "2010-07" })
    #expect(document.panels["legend"]?.text.contains("state 1") == true)
    #expect(document.panels["series"]?.text.contains("hindsight") == true)
    #expect(document.panels["filtered"]?.paths.count == 2)
    // Eight blocks by turns: as many bands.
    #expect(String(decoding: bytes, as: UTF8.self).matches(of: /tone[03] band/).count == 8)
    let refused = try Tool.run(arguments + [try series(folder)])
    #expect(refused.code == 2 && refused.error.contains("exists already"))
    let plain = try Tool.run(arguments + [try series(folder, dated: false), "--force"])
    let rows = PlotDocument(try Data(contentsOf: image))
    #expect(plain.code == 0 && rows.texts.last == "row", "\(plain.error)")
  }

  @Test(.enabled(if: golden, "the golden figures are beside the checkout"), arguments: [2, 3])
  func `the S&P 500 gives the golden fit from the golden start`(count: Int) throws {
    let folder = try Folder()
    let data = try Data(contentsOf: SharedData.folder.appendingPathComponent("golden/hmm.json"))
    let file = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    let golden = (file["sp500"] as? [String: Any])?["gauss1d_k\(count)"] as? [String: Any] ?? [:]
    let begin = golden["init"] as? [String: Any] ?? [:]
    // The golden names and ours; numbers nested a feature are read as they are.
    let ours = [
      "start": begin["startprob"], "transition": begin["transmat"], "means": begin["means"],
      "variances": begin["variances"],
    ]
    let start = try folder.write(Array(try JSONSerialization.data(withJSONObject: ours)), "init.json")
    let input = SharedData.folder.appendingPathComponent("golden/sp500_returns.csv").path
    func fit(_ options: String...) throws -> [String: Any] {
      try Tool.run(["hmm", "fit", "--input", input, "--column", "ret_pct", "--init", start] + options).object()
    }
    let snapshots = golden["em_snapshots_after_iteration"] as? [String: Any] ?? [:]
    let fifth = snapshots["5"] as? [String: Any] ?? [:]
    for (answer, expected) in [
      (try fit(), golden["converged"] as? [String: Any] ?? [:]), (try fit("--iterations", "5"), fifth),
    ] {
      let rows = zip(answer["transition"] as? [[Double]] ?? [], expected["transmat"] as? [[Double]] ?? [])
      #expect(rows.allSatisfy { zip($0, $1).allSatisfy { abs($0 - $1) <= 1e-8 } })
      for key in ["means", "variances"] {
        let ours = answer[key] as? [Double] ?? []
        let theirs = (expected[key] as? [[Double]] ?? []).map { $0[0] }
        #expect(ours.count == count && zip(ours, theirs).allSatisfy { abs($0 - $1) <= 1e-8 }, "\(key)")
      }
    }
    let likelihood = try fit()["log_likelihood"] as? Double ?? 0
    #expect(abs(likelihood - (golden["converged_loglik"] as? Double ?? 1)) <= 1e-6)
  }
}
