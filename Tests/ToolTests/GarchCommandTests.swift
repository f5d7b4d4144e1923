// Goal: `martlet garch` as programs see it. Method: the tool as a child process over a generated series and the golden one, each refusal's
// line and exit code, and the image parsed as XML.

import Foundation
import TestSupport
import Testing
import TradingTypes

@Suite(.enabled(if: Tool.url != nil, needsTool)) struct GarchCommandTests {
  private static let isGoldenThere =
    SharedData.file("golden/garch.json") != nil && SharedData.file("golden/sp500_returns.csv") != nil

  /// A GARCH(1,1) series as a CSV with dates, a day a row from 2001-01-01 on, all days of 28.
  private func series(_ folder: Folder, count: Int = 700, change: (Int, Double) -> String = { "\($1)" }) throws
    -> String
  {
    var random = SplitMix64(seed: 5)
    var text = "date,ret_pct\n"
    var h = 1.0
    for row in 0..<count {
      let z = (0..<12).reduce(-6.0) { sum, _ in sum + random.unit() }
      let e = z * h.squareRoot()
      let (month, day) = (row / 28 % 12 + 1, row % 28 + 1)
      let date = "\(2001 + row / 336)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
      text += "\(date),\(change(row, 0.05 + e))\n"
      h = 0.05 + 0.1 * e * e + 0.85 * h
    }
    return try folder.write(Array(text.utf8), "returns.csv")
  }

  private func fit(_ path: String, _ model: String, _ dist: String, _ more: [String] = []) throws -> Tool.Outcome {
    try Tool.run(["garch", "fit", "--model", model, "--dist", dist, "--input", path, "--column", "ret_pct"] + more)
  }

  @Test func `a fit is an object of the keys that the page names, and repeats itself`() throws {
    let folder = try Folder()
    let path = try series(folder)
    for (model, keys) in [
      ("garch", ["mu", "omega", "alpha", "beta"]), ("gjr", ["mu", "omega", "alpha", "gamma", "beta"]),
      ("egarch", ["mu", "omega", "alpha", "gamma", "beta"]),
    ] {
      for dist in ["normal", "t"] {
        let outcome = try fit(path, model, dist)
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
        let object = try outcome.object()
        let parameters = try #require(object["parameters"] as? [String: Double])
        #expect(Set(parameters.keys) == Set(keys + (dist == "t" ? ["nu"] : [])))
        #expect((object["log_likelihood"] as? Double ?? 0) < 0 && object["model"] as? String == model)
        #expect((object["persistence"] as? Double ?? 2) < 1 && object["observations"] as? Int == 700)
        let forecasts = try #require(object["forecast_variance"] as? [Double])
        #expect(forecasts.count == (model == "egarch" && dist == "t" ? 1 : 5) && forecasts.allSatisfy { $0 > 0 })
        #expect((object["iterations"] as? Int ?? 0) > 0)
        #expect(try fit(path, model, dist).output == outcome.output)
      }
    }
    let zero = try fit(path, "garch", "normal", ["--mean", "zero", "--horizon", "9"]).object()
    #expect((zero["parameters"] as? [String: Double])?["mu"] == 0)
    #expect((zero["forecast_variance"] as? [Double])?.count == 9)
  }

  @Test(.enabled(if: isGoldenThere, "shared golden files are missing"))
  func `the golden series gives the golden figures`() throws {
    let file = try JSONSerialization.jsonObject(with: Data(contentsOf: SharedData.file("golden/garch.json")!))
    let golden = try #require((file as? [String: Any])?["sp500"] as? [String: Any])
    let models = try #require(golden["models"] as? [String: [String: Any]])
    let rows = try #require(golden["indices"] as? [Int])
    let path = SharedData.file("golden/sp500_returns.csv")!.path
    let folder = try Folder()
    for (model, dist, name) in [("gjr", "t", "GJR_t"), ("egarch", "normal", "EGARCH_normal")] {
      let expected = models[name]!
      let outcome = try fit(path, model, dist)
      let likelihood = try outcome.object()["log_likelihood"] as? Double ?? -.infinity
      #expect(likelihood >= (expected["loglik"] as! Double) - 1e-4)
      // The golden numbers under the golden names of their keys, filtered.
      let numbers = expected["params"] as! [String: Double]
      let text = try JSONSerialization.data(withJSONObject: numbers)
      let parameters = try folder.write(Array(text), "\(name).json")
      let filtered = try Tool.run(
        ["garch", "filter", "--parameters", parameters, "--input", path, "--column", "ret_pct", "--model", model])
      #expect(filtered.code == 0 && filtered.lines[0] == "row,variance", "\(filtered.error)")
      #expect(filtered.lines.count == 5_031)
      for (row, value) in zip(rows, expected["conditional_variance_at"] as! [Double]) {
        let fields = filtered.lines[row + 1].split(separator: ",")
        #expect(fields[0] == "\(row)" && abs(Double(fields[1])! / value - 1) <= 1e-10, "\(name) row \(row)")
      }
    }
  }

  @Test func `a filter takes what a fit prints, and says what is wrong with what it is given`() throws {
    let folder = try Folder()
    let path = try series(folder)
    let parameters = folder.file("p.json").path
    #expect(try fit(path, "egarch", "t", ["--output", parameters]).code == 0)
    func filter(_ file: String, _ more: [String] = []) throws -> Tool.Outcome {
      try Tool.run(["garch", "filter", "--parameters", file, "--input", path, "--column", "ret_pct"] + more)
    }
    let outcome = try filter(parameters)
    #expect(outcome.code == 0 && outcome.lines.count == 701, "\(outcome.error)")
    #expect(outcome.lines.dropFirst().allSatisfy { Double($0.split(separator: ",")[1]) ?? -1 > 0 })
    for (text, parts) in [
      ("[]", ["object"]), ("{", ["JSON"]), (#"{"omega":0.1,"alpha":0.1}"#, ["beta"]),
      (#"{"omega":"x","alpha":0.1,"beta":0.8}"#, ["omega"]),
      (#"{"omega":0.1,"alpha":0.3,"beta":0.8}"#, ["persistence"]),
      (#"{"model":"arch","omega":0.1,"alpha":0.3,"beta":0.8}"#, ["model", "arch"]),
    ] {
      let bad = try filter(try folder.write(Array(text.utf8), "bad.json"))
      #expect(bad.code == 2 && bad.errorLines.count == 1 && bad.output.isEmpty, "\(text): \(bad.error)")
      #expect((parts + ["bad.json"]).allSatisfy(bad.error.contains), "\(text): \(bad.error)")
    }
    let numbers = #"{"omega":0.1,"alpha":0.05,"gamma":0.05,"beta":0.85}"#
    let unnamed = try filter(try folder.write(Array(numbers.utf8), "unnamed.json"))
    #expect(unnamed.code == 0 && unnamed.errorLines.count == 1 && unnamed.error.contains("gjr"), "\(unnamed.error)")
    let named = try filter(folder.file("unnamed.json").path, ["--model", "gjr"])
    #expect(named.code == 0 && named.error.isEmpty && named.output == unnamed.output)
    let other = try filter(parameters, ["--model", "garch"])
    #expect(other.code == 2 && other.error.contains("egarch found"))
  }

  @Test func `bad series are refused with their line, and leave no file`() throws {
    let folder = try Folder()
    let output = folder.file("p.json").path
    for (count, change, parts) in [
      (200, { "\($1)" }, ["200 returns", "250"]), (700, { _, _ in "0.5" }, ["equal"]),
      (700, { $0 == 9 ? "" : "\($1)" }, ["line 11", "ret_pct"]), (700, { $0 == 9 ? "nan" : "\($1)" }, ["line 11"]),
      (700, { $0 == 9 ? "-100" : "\($1)" }, ["line 11", "−100"]),
      (700, { $0 == 9 ? "900" : "\($1)" }, ["line 11", "sum of squares"]),
    ] as [(Int, (Int, Double) -> String, [String])] {
      let path = try series(folder, count: count, change: change)
      let outcome = try fit(path, "gjr", "t", ["--output", output, "--plot", folder.file("p.svg").path])
      #expect(outcome.code == 2 && outcome.errorLines.count == 1 && outcome.output.isEmpty, "\(outcome.error)")
      #expect(parts.allSatisfy(outcome.error.contains), "\(outcome.error)")
    }
    let path = try series(folder)
    for (arguments, part) in [
      (["--model", "arch", "--dist", "t"], "--model"), (["--model", "gjr", "--dist", "skew"], "--dist"),
      (["--model", "gjr", "--dist", "t", "--mean", "ar"], "--mean"),
      (["--model", "gjr", "--dist", "t", "--horizon", "0"], "--horizon"),
    ] {
      let outcome = try Tool.run(["garch", "fit", "--input", path, "--column", "ret_pct"] + arguments)
      #expect(outcome.code == 2 && outcome.error.contains(part), "\(outcome.error)")
    }
    let missing = try Tool.run(
      ["garch", "fit", "--model", "gjr", "--dist", "t", "--input", path, "--column", "close"])
    #expect(missing.code == 2 && missing.error.contains("a column close expected"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["returns.csv"])
  }

  @Test func `returns and volatility are drawn, twice alike`() throws {
    let folder = try Folder()
    let path = try series(folder)
    let image = folder.file("fit.svg")
    let outcome = try fit(path, "gjr", "t", ["--plot", image.path])
    #expect(outcome.code == 0 && !outcome.output.isEmpty, "\(outcome.error)")
    let bytes = try Data(contentsOf: image)
    let document = PlotDocument(bytes)
    #expect(document.problem == nil)
    #expect(document.order == ["returns", "volatility"])
    #expect(document.texts.first == "ret_pct · returns.csv" && document.texts.last == "date")
    #expect(document.panels["returns"]?.paths.map(\.style) == ["grid", "band", "line event"])
    #expect(document.panels["volatility"]?.paths.map(\.style) == ["grid", "line bar"])
    #expect(document.texts.contains { $0.contains("GJR") && $0.contains("700 rows") && $0.contains("Student-t") })
    let refused = try fit(path, "gjr", "t", ["--plot", image.path])
    #expect(refused.code == 2 && refused.error.contains("exists already; --force overwrites it"))
    #expect(try fit(path, "gjr", "t", ["--plot", image.path, "--force"]).output == outcome.output)
    #expect(try Data(contentsOf: image) == bytes)
  }
}
