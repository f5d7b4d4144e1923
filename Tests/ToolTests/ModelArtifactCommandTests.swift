import Foundation
import TestSupport
import Testing
import TradingTypes

// Goal: `martlet model import`, `ensemble`, `predict` and `verify` as programs see them. Method: the small models beside the
// parity tests through the built tool, compared with what the libraries answered; each refusal's line and exit code.
@Suite(.enabled(if: Tool.url != nil, needsTool)) struct ModelArtifactCommandTests {
  static let models = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/models")

  static func parity(_ file: String) -> String { models.appending(path: "parity/\(file)").path }
  static func onnx(_ name: String) -> String { models.appending(path: "onnx/\(name).onnx").path }

  /// What a library answered: numbers of a column, a list a row.
  static func column(_ name: String, of kind: String) throws -> [[Double]] {
    let lines = try String(contentsOfFile: parity("\(kind).csv"), encoding: .utf8).split(separator: "\n")
    let place = try #require(lines[0].split(separator: ",").firstIndex { $0 == name })
    return try lines.dropFirst().map { line in
      try line.split(separator: ",", omittingEmptySubsequences: false)[place].split(separator: " ").map {
        try #require(Double($0))
      }
    }
  }

  /// The rows that `predict` prints, without their number.
  private func predicted(_ model: String, _ input: String, _ options: [String] = []) throws -> [[Double]] {
    let outcome = try Tool.run(["model", "predict", "--model", model, "--input", input] + options)
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    return try outcome.lines.dropFirst().enumerated().map { row, line in
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      #expect(cells[0] == "\(row)")
      return try cells.dropFirst().map { $0.isEmpty ? .nan : try #require(Double($0)) }
    }
  }

  @discardableResult private func imported(
    _ folder: Folder, _ input: String, _ name: String = "m", _ options: [String] = []
  ) throws -> (path: String, report: [String: Any]) {
    let path = folder.file("\(name).martlet").path
    let outcome = try Tool.run(["model", "import", "--input", input, "--output", path] + options)
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    return (path, try outcome.object())
  }

  private func refused(_ arguments: [String], _ line: String, code: Int32 = 2, at location: SourceLocation) throws {
    let outcome = try Tool.run(["model"] + arguments)
    #expect(outcome.code == code && outcome.error == "martlet: \(line)\n", sourceLocation: location)
  }

  private func refuse(
    _ arguments: String..., line: String, code: Int32 = 2, at location: SourceLocation = #_sourceLocation
  ) throws { try refused(arguments, line, code: code, at: location) }

  /// A table of `count` rows of seeded numbers, the last column a label that follows the first where asked for.
  private func table(_ count: Int, _ names: [String], isLabelled: Bool = false) -> [UInt8] {
    var random = SplitMix64(seed: 5)
    let lines = (0..<count).map { _ in
      let values = names.map { _ in Float(random.unit() * 4 - 2) }
      return (values.map { "\($0)" } + (isLabelled ? [values[0] > 0 ? "1" : "0"] : [])).joined(separator: ",")
    }
    let header = (names + (isLabelled ? ["label"] : [])).joined(separator: ",")
    return Array((([header] + lines).joined(separator: "\n") + "\n").utf8)
  }

  // MARK: - Trees

  @Test(arguments: [
    ("lightgbm-sigmoid", "txt", 6, 0.0), ("lightgbm-multiclass", "txt", 6, 0), ("xgboost-binary", "ubj", 6, 0),
    ("catboost-regression", "json", 6, 1e-12),
  ])
  func `trees are imported and answer as their library did`(
    kind: String, suffix: String, features: Int, tolerance: Double
  ) throws {
    let folder = try Folder()
    let source = Self.parity("\(kind).\(suffix)")
    let (path, report) = try imported(folder, source)
    let raw = try Self.column("raw", of: kind)
    let leaves = try Self.column("leaves", of: kind)
    #expect(report["kind"] as? String == kind.split(separator: "-").first.map(String.init))
    #expect(report["features"] as? Int == features && report["trees"] as? Int == leaves[0].count)
    #expect(report["outputs"] as? Int == raw[0].count && report["max_logit_error"] as? Int == 0)
    let size = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    #expect(report["bytes"] as? Int == size)
    var hash = SHA256()
    hash.combine([UInt8](try Data(contentsOf: URL(filePath: source))))
    #expect(report["source_sha256"] as? String == hash.hex)

    // The fixture's own columns of answers are passed over.
    let rows = Self.parity("\(kind).csv")
    let scores = try predicted(path, rows, ["--raw"])
    #expect(scores.count == raw.count)
    for (row, pair) in zip(scores, raw).enumerated() {
      let isNear = zip(pair.0, pair.1).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
      #expect(pair.0.count == pair.1.count && isNear, "row \(row)")
    }
    #expect(try predicted(path, rows, ["--leaves"]) == leaves)
    #expect(try predicted(path, rows, ["--raw", "--kernels", "scalar"]) == scores)
    let both = try predicted(path, rows)
    #expect(both.map { Array($0.prefix(raw[0].count)) } == scores)
    for (row, wanted) in try Self.column("prediction", of: kind).enumerated() {
      let isNear = zip(both[row].dropFirst(raw[0].count), wanted).allSatisfy { abs($0 - $1) <= 1e-6 * max(1, abs($1)) }
      #expect(isNear && both[row].count == 2 * wanted.count, "row \(row)")
    }
    let verified = try Tool.run(["model", "verify", path])
    let answer = try verified.object()
    #expect(verified.code == 0 && verified.error.isEmpty && answer["verified"] as? Bool == true)
    #expect(answer["artifact_sha256"] as? String == report["artifact_sha256"] as? String)
    #expect((answer["kernels"] as? [String])?.first == "scalar" && answer["golden_rows"] as? Int == 32)
  }

  @Test func `damage to an artifact is refused with its section and byte`() throws {
    let folder = try Folder()
    let (path, _) = try imported(folder, Self.parity("lightgbm-tiny.txt"))
    let whole = [UInt8](try Data(contentsOf: URL(filePath: path)))
    var flipped = whole
    flipped[whole.count / 2] ^= 4
    for (bytes, name) in [(flipped, "flipped"), (Array(whole.dropLast()), "short"), ([], "empty")] {
      let damaged = try folder.write(bytes, name)
      let outcome = try Tool.run(["model", "verify", damaged])
      #expect(outcome.code == 1 && outcome.output.isEmpty && outcome.errorLines.count == 1)
      #expect(outcome.error.hasPrefix("martlet: \(damaged): ") && outcome.error.contains(", byte "), "\(outcome.error)")
      let predict = try Tool.run(["model", "predict", "--model", damaged, "--input", Self.parity("lightgbm-tiny.csv")])
      #expect(predict.code == 2 && predict.output.isEmpty && predict.errorLines == outcome.errorLines)
      let add = try Tool.run([
        "model", "registry", "add", "up", "--registry", folder.file("registry").path, "--artifact", damaged,
      ])
      #expect(add.code == 2 && add.errorLines == outcome.errorLines)
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file("registry").path), "nothing was made for them")
    try refuse("verify", "none.martlet", line: "none.martlet: no such file")
    try refuse(
      "verify", path, "--engine",
      line: "\(path): expected features that are slots of the engine (Docs/Features.md, or custom ones); x0 is none",
      code: 1)
  }

  @Test func `what import and predict cannot do they refuse in one line`() throws {
    let folder = try Folder()
    let (tiny, rows) = (Self.parity("lightgbm-tiny.txt"), Self.parity("lightgbm-tiny.csv"))
    let (path, _) = try imported(folder, tiny)
    try refuse("import", "--input", tiny, "--output", path, line: "\(path): exists already; --force overwrites it")
    let other = folder.file("other.martlet").path
    for (options, line) in [
      (["--window", "5"], "--window: an ONNX graph expected, \(tiny) is none"),
      (["--output-name", "y"], "--output-name: an ONNX graph expected, \(tiny) is none"),
      (["--missing", "m"], "--missing: a network expected, trees send a gap their own way"),
      (["--names", "a,b"], "--names: 6 different names expected, 2 of 2 found"),
    ] {
      try refused(["import", "--input", tiny, "--output", other] + options, line, at: #_sourceLocation)
    }
    let empty = try folder.write([], "empty")
    try refuse(
      "import", "--input", empty, "--output", other, line: "\(empty): byte 0: expected a model, not an empty file")
    let format = try Tool.run(["model", "import", "--format", "xgboost", "--input", tiny, "--output", other])
    #expect(format.code == 2 && format.errorLines.count == 1 && format.error.hasPrefix("martlet: \(tiny): "))
    #expect(!FileManager.default.fileExists(atPath: other))

    let columns = try folder.write(Array("x0,x1\n1,2\n".utf8), "columns.csv")
    for (options, line) in [
      (
        ["--input", columns],
        "\(columns): line 1: expected columns for all 6 features of the model; 4 missing: x2, x3, x4, …"
      ),
      (["--input", rows, "--window", "2"], "--window: 1 expected, the rows this model reads, 2 found"),
      (["--input", rows, "--precision", "float"], "--precision float: \(path) holds no network in single precision"),
    ] {
      try refused(["predict", "--model", path] + options, line, at: #_sourceLocation)
    }
  }

  // MARK: - Networks

  @Test func `a network is calibrated, judged, and predicts in both forms`() throws {
    let folder = try Folder()
    let names = (0..<6).map { "f\($0)" }
    let rows = try folder.write(table(300, names), "rows.csv")
    let (path, report) = try imported(folder, Self.onnx("mlp_logistic"), "m", ["--calibrate", rows, "--strict"])
    #expect(report["gates_passed"] as? Bool == true && (report["gate_reasons"] as? [String]) == [])
    let tensors = report["quantisation"] as? [[String: Any]] ?? []
    #expect(tensors.first?["tensor"] as? String == "input" && tensors.count == 4)
    #expect(report["auc_change"] is NSNull)
    let most = try #require(report["max_logit_error"] as? Double)
    #expect(most > 0 && most < 0.25)
    let quantised = try predicted(path, rows)
    let float = try predicted(path, rows, ["--precision", "float"])
    // What the report says of the calibration rows is what the kernels give for them.
    let error = zip(quantised, float).map { abs($0[0] - $1[0]) }.max() ?? 0
    #expect(quantised.count == 300 && abs(error - most) <= 1e-12)
    try refuse("predict", "--model", path, "--input", rows, "--leaves", line: "--leaves: a model with trees expected")

    // Labels that the network knows nothing of: its area under the curve is chance, and moves by more than the gate allows.
    let labelled = try folder.write(table(300, names, isLabelled: true), "labelled.csv")
    let (other, judged) = (folder.file("other.martlet").path, folder.file("judged.martlet").path)
    let failing = try Tool.run([
      "model", "import", "--input", Self.onnx("mlp_logistic"), "--output", judged, "--calibrate", labelled, "--strict",
    ])
    let failed = try failing.object()
    #expect(failing.code == 1 && failing.error.hasPrefix("martlet: \(judged): AUC changes by "))
    #expect(failed["gates_passed"] as? Bool == false && failed["auc_change"] is NSNumber)

    let few = try folder.write(table(7, names), "few.csv")
    let importing = ["import", "--input", Self.onnx("mlp_logistic"), "--output", other]
    try refused(
      importing + ["--calibrate", few], "\(few): at least 8 rows expected, 8 windows of 1; 7 found",
      at: #_sourceLocation)
    let some = try folder.write(table(199, names), "some.csv")
    try refused(
      importing + ["--calibrate", some, "--strict"],
      "\(some): at least 200 rows expected, 200 windows of 1 for --strict; 199 found", at: #_sourceLocation)
    try refused(
      importing + ["--strict"], "--strict: --calibrate ROWS.csv expected, the gates judge the 8-bit form",
      at: #_sourceLocation)
    let (noted, notes) = try imported(folder, Self.onnx("mlp_logistic"), "noted", ["--calibrate", some])
    let short =
      "199 windows: the gates judge what was calibrated with, and mean little below 200; from 800 on every fourth is held out"
    #expect((notes["notes"] as? [String])?.contains(short) == true)
    #expect(notes["judged_windows"] as? Int == 199)
    #expect(FileManager.default.fileExists(atPath: noted))
  }

  @Test func `gates judge rows that were held out, and a wide input is nearer`() throws {
    let folder = try Folder()
    let rows = try folder.write(table(803, (0..<9).map { "f\($0)" }), "rows.csv")
    let net = Self.onnx("mlp_logistic")
    let (_, narrow) = try imported(folder, net, "narrow", ["--calibrate", rows, "--range", "minmax"])
    let (_, wide) = try imported(folder, net, "wide", ["--calibrate", rows, "--range", "minmax", "--wide-input"])
    let (_, clipped) = try imported(folder, net, "clipped", ["--calibrate", rows, "--range", "percentile"])
    for report in [narrow, wide, clipped] {
      #expect(report["judged_windows"] as? Int == 200)
      #expect((report["notes"] as? [String])?.contains { $0.contains("gates") || $0.contains("--wide") } == false)
    }
    func error(_ report: [String: Any]) throws -> Double { try #require(report["rms_logit_error"] as? Double) }
    #expect(try error(wide) < error(narrow))
    #expect(clipped["calibration"] as? String != narrow["calibration"] as? String)
    try refuse(
      "import", "--input", net, "--output", folder.file("m.martlet").path, "--wide-input",
      line: "--wide-input: --calibrate ROWS.csv expected, it is of the 8-bit form")
  }

  @Test func `a model that looks back reads windows`() throws {
    let folder = try Folder()
    let names = (0..<5).map { "f\($0)" }
    let rows = try folder.write(table(96, names), "rows.csv")
    let few = try folder.write(table(95, names), "few.csv")
    let path = folder.file("m.martlet").path
    try refuse(
      "import", "--input", Self.onnx("lstm"), "--output", path, "--calibrate", few,
      line: "\(few): at least 96 rows expected, 8 windows of 12; 95 found")
    try refuse(
      "import", "--input", Self.onnx("lstm"), "--output", path, "--window", "11",
      line: "--window: 12 expected, the rows the graph reads, 11 found")
    try imported(folder, Self.onnx("lstm"), "m", ["--calibrate", rows])
    let apart = try predicted(path, rows, ["--window", "12"])
    #expect(apart.count == 8)
    let overlapping = try predicted(path, few, ["--stride", "1"])
    #expect(overlapping.count == 84 && (0..<7).allSatisfy { overlapping[12 * $0] == apart[$0] })
    try refuse(
      "predict", "--model", path, "--input", few,
      line: "\(few): a multiple of 12 rows expected, 95 found (--stride reads overlapping windows)")
  }

  // MARK: - Ensembles

  @Test func `members are joined as the specification says, and the engine can run them`() throws {
    let folder = try Folder()
    let slots = FeatureSlot.allCases.prefix(6).map(\.name)
    for (name, file) in [("a", "lightgbm-sigmoid.txt"), ("b", "xgboost-binary.ubj")] {
      try imported(folder, Self.parity(file), name, ["--names", slots.joined(separator: ",")])
    }
    let text = """
      {"name": "both", "features": "catalogue",
       "members": [{"name": "a", "model": "a.martlet", "required": ["\(slots[1])"]},
                   {"name": "b", "model": "b.martlet"}],
       "weights": [0.25, 0.75], "shares": {"meta": 0.5, "average": 0.5},
       "calibration": {"kind": "platt", "slope": 1.5, "intercept": -0.25}, "metadata": {"desk": "six"}}
      """
    func joined(_ text: String, _ name: String) throws -> Tool.Outcome {
      let spec = try folder.write(Array(text.utf8), "spec.json")
      return try Tool.run(["model", "ensemble", "--spec", spec, "--output", folder.file(name).path])
    }
    let outcome = try joined(text, "both.martlet")
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    let report = try outcome.object()
    #expect(report["kind"] as? String == "ensemble" && report["members"] as? [String] == ["a", "b"])
    #expect(report["features"] as? Int == 88)

    let header = FeatureSlot.allCases.map(\.name).joined(separator: ",")
    var random = SplitMix64(seed: 9)
    let lines = (0..<50).map { row in
      (0..<88).map { $0 == 1 && row % 5 == 0 ? "" : "\(Float(random.unit() * 4 - 2))" }.joined(separator: ",")
    }
    let rows = try folder.write(Array(([header] + lines).joined(separator: "\n").utf8), "rows.csv")
    let answers = try predicted(folder.file("both.martlet").path, rows)
    let first = try predicted(folder.file("a.martlet").path, rows, ["--raw"]).map { 2 * $0[0] }
    let second = try predicted(folder.file("b.martlet").path, rows, ["--raw"]).map { $0[0] }
    for row in 0..<50 {
      // The stack's weights are equal where nothing is said; a member that lacks what it requires leaves its weight.
      let both = 0.5 * (first[row] + second[row]) / 2 + 0.5 * (0.25 * first[row] + 0.75 * second[row])
      let logit = row % 5 == 0 ? second[row] : both
      #expect(abs(answers[row][0] - logit) < 1e-12, "row \(row)")
      #expect(abs(answers[row][1] - 1 / (1 + exp(0.25 - 1.5 * logit))) < 1e-12, "row \(row)")
    }
    let verified = try Tool.run(["model", "verify", folder.file("both.martlet").path, "--engine"])
    let answer = try verified.object()
    #expect(verified.code == 0 && answer["engine"] as? String == "yes")
    let metadata = answer["metadata"] as? [String: String] ?? [:]
    #expect(metadata["desk"] == "six" && metadata["member.1.kind"] == "xgboost" && metadata["name"] == "both")

    let spec = folder.file("spec.json").path
    for (old, new, line) in [
      (
        "\"required\"", "\"requires\"", "members.[0].requires: expected one of the keys model, name, required, sequence"
      ),
      ("1.5", "-1.5", "calibration: expected a slope from 0 to 1e6 and an intercept within 1e6"),
      ("b.martlet", "both.martlet", "member b: expected a single model"),
      (slots[1], "own", "member a.required: expected a feature of the ensemble; own is none"),
      ("[0.25, 0.75]", "[0.25]", nil),
    ] as [(String, String, String?)] {
      let bad = try joined(text.replacing(old, with: new), "bad.martlet")
      #expect(bad.code == 2 && bad.output.isEmpty && bad.errorLines.count == 1)
      if let line { #expect(bad.error == "martlet: \(spec): \(line)\n") }
      #expect(!FileManager.default.fileExists(atPath: folder.file("bad.martlet").path))
    }
  }
}
