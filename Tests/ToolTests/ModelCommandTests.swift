import Foundation
import TestSupport
import Testing

// Goal: `martlet model gate`, `drift` and `registry` as programs see them. Method: golden series through the built tool, a version's life, and
// each refusal's line and exit code.
@Suite(.enabled(if: Tool.url != nil, needsTool)) struct ModelCommandTests {
  private static let golden = SharedData.file("golden/psi_ece.json") != nil

  private func rows(_ name: String) throws -> [[Substring]] {
    let text = try String(contentsOf: SharedData.folder.appendingPathComponent("golden/\(name)"), encoding: .utf8)
    return text.split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
  }

  private func returns(_ years: ClosedRange<Int>) throws -> String {
    let rows = try rows("sp500_returns.csv").filter { years.contains(Int($0[0].prefix(4)) ?? 0) }
    return "date,ret_pct\n" + rows.map { "\($0[0]),\($0[1])\n" }.joined()
  }

  /// 2,000 rows of scores 0.9 and 0.1, of which one in ten is wrong, as they say.
  private var goodScores: String {
    "score,label\n"
      + (0..<2000).map { "\($0 % 2 == 0 ? 0.9 : 0.1),\(($0 % 2 == 0) != ($0 % 20 >= 18) ? 1 : 0)\n" }.joined()
  }

  @Test(.enabled(if: golden, "the golden figures are beside the checkout"))
  func `gate rejects the weak model of market direction with exit 1 and its reasons`() throws {
    let folder = try Folder()
    let text = "score,label\n" + (try rows("direction_sp500.csv")).map { "\($0[1]),\($0[2])\n" }.joined()
    let path = try folder.write(Array(text.utf8), "weak.csv")
    let outcome = try Tool.run(["model", "gate", "--scores", path])
    #expect(outcome.code == 1 && outcome.errorLines.count == 1)
    let answer = try outcome.object()
    #expect(
      Set(answer.keys) == [
        "n", "accuracy", "wilson_lower", "ece", "brier", "brier_skill", "passed", "reasons",
      ])
    #expect(answer["n"] as? Int == 1760 && answer["passed"] as? Bool == false)
    #expect(abs((answer["wilson_lower"] as? Double ?? 0) - 0.517564103810938) < 1e-12)
    #expect(abs((answer["ece"] as? Double ?? 0) - 0.012902306832776515) < 1e-12)
    let reasons = answer["reasons"] as? [String] ?? []
    #expect(reasons.count == 1 && reasons[0].hasPrefix("accuracy: the lower bound 0.5176 is below 0.6800"))
  }

  @Test(.enabled(if: golden, "the golden figures are beside the checkout"))
  func `drift tells the crisis from the calm, and says nothing of fifty values`() throws {
    let folder = try Folder()
    let calm = try folder.write(Array(try returns(2004...2006).utf8), "calm.csv")
    let crisis = try returns(2008...2008)
    let few = crisis.split(separator: "\n").prefix(51).joined(separator: "\n")
    for (text, code, verdict, psi, count) in [
      (crisis, 1, "drift", 0.769974993385019, 253), (try returns(2005...2005), 0, "ok", 0.036349619829997966, 252),
      (few, 0, "too_few", nil, 50),
    ] as [(String, Int32, String, Double?, Int)] {
      let live = try folder.write(Array(text.utf8), "live.csv")
      let outcome = try Tool.run(["model", "drift", "--reference", calm, "--live", live])
      let answer = try outcome.object()
      #expect(outcome.code == code && Array(answer.keys) == ["ret_pct"])
      let column = answer["ret_pct"] as? [String: Any] ?? [:]
      #expect(column["verdict"] as? String == verdict && column["n"] as? Int == count)
      if let psi { #expect(abs((column["psi"] as? Double ?? 0) - psi) < 1e-10) }
      for key in ["ks", "jsd", "null_mean", "ks_p", "n_reference"] { #expect(column[key] is NSNumber, "\(key)") }
    }
  }

  @Test func `a change of regime is no drift with --regime, and columns can be chosen`() throws {
    let folder = try Folder()
    // Two regimes of unequal width, three days of one to a day of the other, then turned around; a second column drifts for good.
    func text(_ count: Int, _ calmEvery: Int, _ shift: Double) -> String {
      "regime,x,y,note\n"
        + (0..<count).map { row in
          let regime = row % 4 < calmEvery ? 0 : 1
          let place = Double((row * 7919) % count) / Double(count) - 0.5
          return "\(regime),\(place * (regime == 0 ? 1 : 8)),\(place + shift),text\n"
        }.joined()
    }
    let reference = try folder.write(Array(text(2000, 3, 0).utf8), "reference.csv")
    let live = try folder.write(Array(text(2000, 1, 3).utf8), "live.csv")
    func verdicts(_ options: [String]) throws -> (Int32, [String: String]) {
      let outcome = try Tool.run(["model", "drift", "--reference", reference, "--live", live] + options)
      let answer = try outcome.object()
      return (outcome.code, answer.mapValues { ($0 as? [String: Any])?["verdict"] as? String ?? "" })
    }
    let plain = try verdicts(["--columns", "x,y"])
    #expect(plain.0 == 1 && plain.1 == ["x": "drift", "y": "drift"])
    let within = try verdicts(["--columns", "x,y", "--regime", "regime"])
    #expect(within.0 == 1 && within.1 == ["x": "ok", "y": "drift"])
    let chosen = try verdicts(["--columns", "x", "--regime", "regime"])
    #expect(chosen.0 == 0 && chosen.1 == ["x": "ok"])
    let words = try Tool.run(["model", "drift", "--reference", reference, "--live", live])
    #expect(words.code == 2)
    #expect(
      words.error == "martlet: \(reference): line 2, note: a finite number or an empty field, not \"text\", expected\n")
  }

  @Test func `a column that stopped coming is drift`() throws {
    let folder = try Folder()
    let reference = try folder.write(Array(("x,y\n" + (0..<300).map { "\($0 % 97),\($0)\n" }.joined()).utf8), "r.csv")
    for (count, code, verdict) in [(200, 1, "drift"), (199, 0, "too_few")] as [(Int, Int32, String)] {
      let live = try folder.write(Array(("x,y\n" + (0..<count).map { "\($0 % 97),\n" }.joined()).utf8), "l.csv")
      let outcome = try Tool.run(["model", "drift", "--reference", reference, "--live", live])
      let column = try outcome.object()["y"] as? [String: Any] ?? [:]
      #expect(outcome.code == code && column["verdict"] as? String == verdict && column["n"] as? Int == 0)
      #expect(column["psi"] is NSNull && outcome.error == (code == 0 ? "" : "martlet: \(live): drift of y\n"))
    }
  }

  @Test func `bad scores and tables are refused in one line with exit 2`() throws {
    let folder = try Folder()
    let cases: [(text: String, line: String)] = [
      ("", "line 1: a header expected, an empty file found"),
      ("p,y\n", "line 1: header score,label or score,label,payoff expected, p,y found"),
      ("score,label\n", "scores: at least 1 row expected, none found"),
      ("score,label\n0.5,1\n1.2,0\n", "line 3, score: a probability in [0, 1] expected"),
      ("score,label\n0.5,2\n", "line 2, label: 0 or 1 expected"),
      ("score,label\n,1\n", "line 2, score: a probability in [0, 1] expected"),
      ("score,label\n0.5\n", "line 2: 2 fields expected, 1 found"),
      ("score,label\nnan,1\n", "line 2, score: a finite number or an empty field, not \"nan\", expected"),
      ("score,label,payoff\n0.5,1,\n", "line 2, payoff: a finite number expected"),
      ("score,score\n", "line 1: distinct plain names expected, score,score found"),
    ]
    for bad in cases {
      let path = try folder.write(Array(bad.text.utf8), "bad.csv")
      let outcome = try Tool.run(["model", "gate", "--scores", path])
      #expect(outcome.code == 2 && outcome.output.isEmpty)
      #expect(outcome.error == "martlet: \(path): \(bad.line)\n")
    }
    let gates = try Tool.run(["model", "gate", "--scores", "x", "--confidence", "1"])
    #expect(gates.code == 2 && gates.errorLines.count == 1)
    let path = try folder.write(Array(goodScores.utf8), "good.csv")
    let good = try Tool.run(["model", "gate", "--scores", path])
    let answer = try good.object()
    #expect(good.code == 0 && good.error.isEmpty && answer["passed"] as? Bool == true)
    #expect((answer["reasons"] as? [String]) == [])
  }

  @Test func `a version's life through the registry's commands`() throws {
    let folder = try Folder()
    let registry = folder.file("registry").path
    let scores = try folder.write(Array(goodScores.utf8), "good.csv")
    func run(_ arguments: String...) throws -> Tool.Outcome {
      try Tool.run(["model", "registry", arguments[0], "--registry", registry] + arguments.dropFirst())
    }
    func stages(_ outcome: Tool.Outcome) throws -> [String] {
      (try outcome.object()["versions"] as? [[String: Any]] ?? []).map { $0["stage"] as? String ?? "" }
    }
    let none = try run("list")
    #expect(none.code == 2 && none.error == "martlet: \(registry): a registry expected, history.jsonl not found\n")
    for (version, kind) in [("1", "lightgbm-tiny"), ("2", "lightgbm-sigmoid")] {
      let artifact = folder.file("\(kind).martlet").path
      let source = ModelArtifactCommandTests.parity("\(kind).txt")
      #expect(try Tool.run(["model", "import", "--input", source, "--output", artifact]).code == 0)
      let far = try run("add", "up", "--artifact", artifact, "--at", "4102444800000000000")
      #expect(far.code == 2 && far.error.hasPrefix("martlet: --at 4102444800000000000: at most an hour after now, "))
      let added = try run("add", "up", "--artifact", artifact, "--at", "2", "--by", "ada", "--metadata", "k=v=w")
      #expect(added.code == 0, "\(added.error)")
      let early = try run("promote", "up", version, "--at", "2")
      #expect(early.code == 2 && early.error == "martlet: up: version \(version) is none: staging expected\n")
      #expect(try run("stage", "up", version, "--at", "2", "--scores", scores).code == 0)
      #expect(try run("approve", "up", version, "--at", "2", "--reason", "shadow", "--by", "ben").code == 0)
      #expect(try run("promote", "up", version, "--at", "2").code == 0)
    }
    let promoted = try stages(try run("show", "up"))
    #expect(promoted == ["archived", "production"])
    let back = try stages(try run("rollback", "up", "--at", "3", "--reason", "losses"))
    #expect(back == ["production", "archived"])
    let failed = try run("stage", "up", "2", "--at", "4", "--scores", scores, "--wilson-min", "0.95")
    #expect(failed.code == 1 && failed.error.hasPrefix("martlet: up: accuracy: the lower bound"))
    let verified = try run("verify")
    let answer = try verified.object()
    #expect(verified.code == 0 && answer["events"] as? Int == 13 && (answer["faults"] as? [String]) == [])
    #expect(try run("archive", "up", "1", "--at", "5").code == 0)
    #expect(try run("show", "down").error == "martlet: \(registry): no model called down\n")
    // The same life gives the same bytes.
    let list = try run("list")
    #expect(list.text.contains("{\"number\":\"2\",\"sha256\":"))
    let history = registry + "/history.jsonl"
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: history)))
    bytes[20] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: history))
    let damaged = try run("verify")
    #expect(damaged.code == 1 && damaged.errorLines.count == 1)
  }
}
