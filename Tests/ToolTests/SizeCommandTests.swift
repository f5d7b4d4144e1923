import Foundation
import TestSupport
import Testing

// Goal: `martlet size` as programs see it. Method: the golden cases through the built tool, and each refusal's line and exit code.
@Suite(.enabled(if: Tool.url != nil, needsTool)) struct SizeCommandTests {
  private static let golden = SharedData.file("golden/kelly.json") != nil

  private let input = #""input":{"mu":0.0004,"nEff":2500,"sigma_garch":0.009,"vix":16,"equity":1e6,"peak":1e6}"#

  private func run(_ text: String, _ more: [String] = []) throws -> Tool.Outcome {
    let folder = try Folder()
    let path = try folder.write(Array(text.utf8), "cases.jsonl")
    return try Tool.run(["size", "--input", path] + more)
  }

  private func objects(_ outcome: Tool.Outcome) throws -> [[String: Any]] {
    try outcome.lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:] }
  }

  @Test(.enabled(if: golden, "the golden figures are beside the checkout"))
  func `the golden cases have exactly the golden keys and figures`() throws {
    let file = try JSONSerialization.jsonObject(
      with: Data(contentsOf: SharedData.folder.appendingPathComponent("golden/kelly.json")))
    let pipeline = (file as? [String: Any])?["pipeline"] as? [String: Any]
    let cases = try #require(pipeline?["cases"] as? [[String: Any]])
    #expect(cases.count == 30)
    let text = cases.map { golden in
      // Once as the page has it, and once with what the answer ought to be left in.
      let kept = golden.filter { $0.key != "expected" }
      return [kept, golden].map { try! JSONSerialization.data(withJSONObject: $0) }
        .map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
    }.joined()
    let outcome = try run(text)
    #expect(outcome.code == 0 && outcome.error.isEmpty)
    let answers = try objects(outcome)
    #expect(answers.count == 60)
    for (index, golden) in cases.enumerated() {
      let expected = try #require(golden["expected"] as? [String: Any])
      let answer = answers[2 * index]
      #expect(outcome.lines[2 * index] == outcome.lines[2 * index + 1])
      #expect(Set(answer.keys) == Set(expected.keys).union(["target_fraction"]), "\(golden["name"] ?? "")")
      #expect(answer["target_fraction"] as? Double == answer["f"] as? Double)
      for (key, value) in expected {
        if let number = value as? Double {
          let given = answer[key] as? Double ?? .nan
          #expect(abs(given - number) <= 1e-12 * max(1, abs(number)), "\(golden["name"] ?? "") \(key)")
        } else if let word = value as? String {
          #expect(answer[key] as? String == word, "\(golden["name"] ?? "") \(key)")
        } else {
          #expect(answer[key] is NSNull, "\(golden["name"] ?? "") \(key)")
        }
      }
    }
  }

  @Test func `a case without config has the preset's own, and the digits are those of the page`() throws {
    let outcome = try run("{\(input)}\n\n{\(input),\"config\":{\"kellyFraction\":0.25},\"_note\":1}\n")
    #expect(outcome.code == 0)
    #expect(
      outcome.lines.first == """
        {"sigma": 0.010079052613579392, "sigma_vix": 0.010079052613579392, "full_kelly": 3.9375000000000009, \
        "shrink": 0.79746835443037978, "after_fraction": 1.5700158227848104, "vol_target_cap": 0.9375, \
        "drawdown_multiplier": 1, "f": 0.9375, "binding": "volTarget", "reason": "ok", "target_fraction": 0.9375}
        """)
    let answers = try objects(outcome)
    #expect(answers.count == 2 && answers[1]["binding"] as? String == "none")
  }

  @Test func `what is not a number sizes to nothing`() throws {
    let lines = [
      #"{"input":{"mu":NaN,"nEff":2500,"sigma_garch":0.009,"equity":1,"peak":1}}"#,
      #"{"input":{"mu":0.001,"nEff":2500,"sigma_garch":NaN,"vix":null,"equity":1,"peak":1}}"#,
      #"{"input":{"mu":0.001,"nEff":2500,"sigma_garch":0.01,"vix":20,"vix_age_s":null,"equity":1,"peak":-Infinity}}"#,
    ]
    let answers = try objects(try run(lines.joined(separator: "\n")))
    #expect(answers.map { $0["reason"] as? String } == ["badInput", "noVolatility", "badInput"])
    #expect(
      answers.allSatisfy { $0["f"] as? Double == 0 && Set($0.keys) == ["sigma", "f", "reason", "target_fraction"] })
    // An age that is not known is not fresh.
    let aged = try objects(
      try run(#"{"input":{"mu":0.001,"nEff":250,"sigma_garch":0.01,"vix":20,"vix_age_s":null,"equity":1,"peak":1}}"#))
    #expect(aged[0]["sigma_vix"] is NSNull && aged[0]["sigma"] as? Double == 0.0125)
  }

  @Test(arguments: [
    ("{\"input\":{\"mu\":\"x\"}}", "line 1, column 16: input.mu is a string, a number or null expected"),
    ("{}", "line 1: input is missing, an object expected"),
    ("[]", "line 1, column 1: a case is an array, an object expected"),
    ("{\"input\":{}}", "line 1: input.mu is missing"),
    ("{\"input\":{\"mu\":1},", "line 1, column 19: a key in quotes expected, the end found"),
    ("{\"inputs\":{}}", "line 1, column 11: unknown key inputs, one of name, input, config, expected expected"),
    ("", "no case, expected one JSON object a line"),
  ])
  func `a bad line is named`(text: String, error: String) throws {
    let outcome = try run(text)
    #expect(outcome.code == 2 && outcome.output.isEmpty && outcome.errorLines.count == 1)
    #expect(outcome.error.contains("cases.jsonl: \(error)"), "\(outcome.error)")
  }

  @Test(arguments: [
    ("\"config\":{\"kelyFraction\":1}", "line 2, column", "unknown key config.kelyFraction"),
    ("\"config\":{\"kellyFraction\":2}", "line 2: config:", "kellyFraction is 2.0, expected in [0, 1]"),
    ("\"config\":{\"kellyFraction\":null}", "line 2: config:", "kellyFraction is nan"),
    ("\"config\":{\"vixStaleAfter_s\":null}", "line 2: config:", "vixAgeMax is negative"),
    ("\"config\":{\"allowShort\":0}", "line 2, column", "config.allowShort is a number, a boolean expected"),
    ("\"config\":{},\"config\":{}", "line 2, column", "key \"config\" stands twice"),
  ])
  func `a bad configuration is named with its line`(config: String, line: String, reason: String) throws {
    let outcome = try run("{\(input)}\n{\(input),\(config)}\n")
    #expect(outcome.code == 2 && outcome.errorLines.count == 1)
    #expect(outcome.error.contains(line) && outcome.error.contains(reason), "\(outcome.error)")
  }

  @Test func `usage errors have exit 2, and help shows a case that runs`() throws {
    #expect(try Tool.run(["size"]).code == 2)
    let missing = try Tool.run(["size", "--input", "/nonexistent/cases.jsonl"])
    #expect(missing.code == 2 && missing.error.contains("/nonexistent/cases.jsonl: no such file"))
    let help = try Tool.run(["size", "--help"])
    #expect(help.code == 0)
    for word in ["after_fraction", "drawdown_multiplier", "regimeMultiplier", "vixStaleAfter_s", "stalePenalty"] {
      #expect(help.text.contains(word))
    }
    // The example, as a shell would hand it over.
    let text = help.text.split(separator: "'").first { $0.hasPrefix("{\"input\"") }
    let example = try #require(text).split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }.joined()
    #expect(try run(example).code == 0)
  }

  @Test func `an output file appears whole, and is not overwritten`() throws {
    let folder = try Folder()
    let target = folder.file("out.jsonl").path
    #expect(try run("{\(input)}", ["--output", target]).code == 0)
    #expect(try String(contentsOfFile: target, encoding: .utf8).hasSuffix("\"target_fraction\": 0.9375}\n"))
    #expect(try run("{\(input)}", ["--output", target]).code == 2)
    #expect(try run("{\(input)}", ["--output", target, "--force"]).code == 0)
  }
}
