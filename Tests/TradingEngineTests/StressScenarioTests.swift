import Foundation
import PositionSizing
import Testing
import TradingEngine
import TradingTypes

// Goal: scenarios are data that a person can write and check. Method: the example of the repository, and each refusal's line.
@Suite struct StressScenarioTests {
  private var example: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../Examples/Stress/scenarios.json"
    ).standardizedFileURL
  }

  @Test func `the example is read whole and applied`() throws {
    let scenarios = try StressScenario.scenarios(json: Array(Data(contentsOf: example)), source: "scenarios.json")
    #expect(scenarios.count == 6)
    let crash = try #require(scenarios.first)
    #expect(crash.factors == ["market": -0.2, "size": -0.05, "value": 0.02] && crash.vixPoints == 40)
    let positions = [
      StressPosition(symbol: "AAPL", value: 5_000, betas: ["market": 1.2]),
      StressPosition(symbol: "SMALL", value: -2_000, betas: ["market": 1, "size": 1]),
    ]
    let losses = try scenarios.map { try StressResult($0, on: positions).loss }
    #expect(abs(losses[0] - (1_200 - 500)) < 1e-9)
    #expect(abs(losses[4] - (5_000 - 40)) < 1e-9)
    // Prices stand: nothing here is moved by volatility alone.
    let calm = try StressResult(scenarios[5], on: positions)
    #expect(calm.loss == 0 && calm.unmoved == ["AAPL", "SMALL"])
  }

  @Test(arguments: [
    (#"[]"#, "line 1, column 1: scenarios: an object with the array"),
    (#"{"scenarios": [], "more": 1}"#, "an object with the array"),
    (#"{"scenarios": [1]}"#, "line 1, column 16: scenarios: an object expected, 1 found"),
    (#"{"scenarios": [{"vix_points": 1}]}"#, "line 1, column 16: a scenario without a name"),
    (#"{"scenarios": [{"name": "a", "vix": 1}]}"#, #"unknown key "vix"; name, instruments, factors or vix_points"#),
    (#"{"scenarios": [{"name": "a", "vix_points": "1"}]}"#, "vix_points: a finite number expected"),
    (#"{"scenarios": [{"name": "a", "factors": {"f": null}}]}"#, "factors.f: a finite number expected, null found"),
    (
      #"{"scenarios": [{"name": "a", "instruments": {"A": -2}}]}"#, "instrument A -2.0, expected a return of -1 or more"
    ),
    (#"{"scenarios": [{"name": "a"}, {"name": "a"}]}"#, #"the name "a" stands twice"#),
  ])
  func `a bad file is named with its place`(text: String, reason: String) {
    do throws(ConfigurationError) {
      _ = try StressScenario.scenarios(json: Array(text.utf8), source: "s.json")
      Issue.record("accepted: \(text)")
    } catch {
      #expect(error.description.hasPrefix("s.json: line 1, column") && error.description.contains(reason), "\(error)")
    }
  }
}
