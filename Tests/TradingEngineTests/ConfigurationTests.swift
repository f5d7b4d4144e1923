// Goal: one table is the reader, the printer and the documentation of the configuration. Method: every key is printed, changed, read
// back and refused when wrong; the page in Docs is compared with the table.

import Foundation
import PositionSizing
import Testing
import TradingTypes

@testable import TradingEngine

/// The page about the configuration, from its table.
private func configurationPage() -> String {
  var lines = [
    "# Configuration", "",
    "What an engine is built from, apart from its instruments and its model: strict JSON, read by `martlet replay --config FILE` and by",
    "`EngineConfiguration(json:source:)`. Keys that are left out keep the built-in value; unknown and repeated keys, nesting deeper than",
    "\(StrictJSON.depthMax) levels and texts longer than \(StrictJSON.byteCountMax >> 20) MiB are refused, with line and column. `martlet replay --print-config` prints the whole.",
    "",
    "This page is made from the table in `Sources/TradingEngine/Configuration/ConfigurationTable.swift`; after a change there",
    "`UPDATE_GOLDEN=1 swift test --filter ConfigurationTests` rewrites it.",
  ]
  var section: String?
  for field in ConfigurationTable.fields {
    let parts = field.path.split(separator: ".").map(String.init)
    let own = parts.count > 1 ? parts[0] : ""
    if own != section {
      section = own
      lines += [
        "", "## \(own.isEmpty ? "Top level" : "`\(own)`")", "", "| Key | Value | Built-in | Meaning |",
        "| --- | --- | --- | --- |",
      ]
    }
    let value = field.read(EngineConfiguration())
    lines.append("| `\(parts[parts.count - 1])` | \(field.kind) | `\(value)` | \(field.meaning) |")
  }
  return lines.joined(separator: "\n") + "\n"
}

@Suite struct ConfigurationTests {
  @Test func `the page in Docs is the table`() throws {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../../Docs/Configuration.md"
    ).standardizedFileURL
    let page = configurationPage()
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try Data(page.utf8).write(to: url, options: .atomic)
    }
    let found = try String(contentsOf: url, encoding: .utf8)
    #expect(found == page, "Docs/Configuration.md is not what the table says; UPDATE_GOLDEN=1 rewrites it")
  }

  @Test func `every key stands once and says what it means`() {
    let paths = ConfigurationTable.fields.map(\.path)
    #expect(Set(paths).count == paths.count)
    for field in ConfigurationTable.fields {
      #expect(field.meaning.hasSuffix("."), "\(field.path)")
      #expect(!field.kind.isEmpty)
      // A pipe would end a cell of the page.
      #expect(!field.meaning.contains("|") && !field.kind.contains("|"))
    }
  }

  /// A value of another kind, which every key refuses.
  private func wrong(_ value: String) -> String { value.hasPrefix("[") ? "7" : "[]" }

  private func text(_ path: String, _ value: String) -> String {
    let parts = path.split(separator: ".")
    return parts.count == 1 ? "{\"\(path)\": \(value)}" : "{\"\(parts[0])\": {\"\(parts[1])\": \(value)}}"
  }

  @Test func `every key reads back what it prints and refuses another kind by name`() throws {
    let builtin = EngineConfiguration()
    for field in ConfigurationTable.fields {
      let value = field.read(builtin)
      let read = try EngineConfiguration(json: Array(text(field.path, value).utf8), source: "t")
      #expect(field.read(read) == value, "\(field.path)")
      #expect(read.json == builtin.json, "\(field.path)")
      for bad in [wrong(value), "null", "{}"] {
        do throws(ConfigurationError) {
          _ = try EngineConfiguration(json: Array(text(field.path, bad).utf8), source: "t.json")
          Issue.record("\(field.path) accepted \(bad)")
        } catch {
          #expect(
            error.description.contains(field.path) && error.description.hasPrefix("t.json: line 1, column"), "\(error)")
        }
      }
    }
  }

  @Test func `whole numbers keep their ranges to the last one`() throws {
    // The kind names the range: what is in it is read, one beyond is refused.
    var tried = 0
    for field in ConfigurationTable.fields where field.kind.hasPrefix("integer, ") && field.kind.contains("…") {
      let range = field.kind.split(separator: " ").last!.split(separator: "…").compactMap { Int64($0) }
      try #require(range.count == 2, "\(field.kind)")
      for value in [range[0] == .min ? nil : range[0] - 1, range[1] == .max ? nil : range[1] + 1].compactMap(\.self) {
        #expect(throws: ConfigurationError.self, "\(field.path) = \(value)") {
          try EngineConfiguration(json: Array(text(field.path, "\(value)").utf8), source: "t")
        }
        tried += 1
      }
    }
    #expect(tried > 20)
  }

  @Test func `names with quotes and backslashes are printed so that they read back`() throws {
    let given = #"{"instruments": ["A\"B", "C\\D"], "venues": [{"name": "X\"Y\\", "share_percent": 100}]}"#
    let read = try EngineConfiguration(json: Array(given.utf8), source: "t")
    #expect(read.instruments == ["A\"B", "C\\D"])
    #expect(read.venues.map(\.name) == ["X\"Y\\"])
    let again = try EngineConfiguration(json: Array(read.json.utf8), source: "t")
    #expect(again.instruments == read.instruments && again.venues.map(\.name) == read.venues.map(\.name))
    #expect(again.json == read.json)
  }

  @Test(arguments: [
    #"{"capacity": {"window_ticks": 100}}"#, #"{"capacity": {"open_orders": 100}}"#,
    #"{"bars": {"session_open_s": 60000}}"#, #"{"venues": []}"#,
    #"{"venues": [{"name": "A", "share_percent": 50}, {"name": "A", "share_percent": 50}]}"#,
    #"{"regime": {"start": [0.5, 0.6]}}"#, #"{"regime": {"transition": [[0.9, 0.2], [0.1, 0.9]]}}"#,
    #"{"regime": {"variances": [0.04, 0.004]}}"#, #"{"volatility": {"alpha": 0.3}}"#,
    #"{"volatility": {"omega": -0.1}}"#, #"{"volatility": {"model": "garch", "gamma": 0.1}}"#,
    #"{"volatility": {"model": "egarch", "omega": 11}}"#,
    #"{"regime": {"start": [0.25, 0.25, 0.25, 0.25], "means": [0, 0, 0, 0], "variances": [1, 2, 3, 4], "transition": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]}}"#,
  ])
  func `what no single key can say is refused before an engine is built`(text: String) {
    do throws(ConfigurationError) {
      let configuration = try EngineConfiguration(json: Array(text.utf8), source: "t")
      // The stages' own rules: refused when they are built, as a typed error too.
      _ = try RegimeParameters(
        start: configuration.regime.start, transition: configuration.regime.transition,
        means: configuration.regime.means, variances: configuration.regime.variances)
      Issue.record("\(text) was accepted")
    } catch { #expect(!error.description.isEmpty) }
  }

  @Test func `a model of every equation is built as it is written`() throws {
    let text = #"""
      {"volatility": {"model": "egarch", "omega": -0.1, "alpha": 0.12, "gamma": -0.08, "beta": 0.97, "initial_variance": 0.5}}
      """#
    let found = try EngineConfiguration(json: Array(text.utf8), source: "t").volatilityParameters()
    #expect(
      try found == VolatilityParameters(.egarch, omega: -0.1, alpha: 0.12, gamma: -0.08, beta: 0.97, backcast: 0.5))
    let builtin = try EngineConfiguration().volatilityParameters()
    #expect(builtin.model == .gjr && builtin.gamma == 0)
  }

  @Test func `an engine without instruments or with a bad configuration is refused`() throws {
    #expect(throws: ConfigurationError.self) { _ = try Rig.pipeline(HostVenue(), instruments: 0).counts }
    #expect(throws: ConfigurationError.self) {
      _ = try Rig.pipeline(HostVenue(), configuration: Rig.configuration { $0.venues[0].sharePercent = 49 }).counts
    }
  }

  @Test func `the digest is of the printed text`() {
    var changed = EngineConfiguration()
    #expect(changed.sha256 == EngineConfiguration().sha256)
    #expect(changed.sha256.count == 64)
    changed.startingCash = Money(nanos: changed.startingCash.nanos + 1)
    #expect(changed.sha256 != EngineConfiguration().sha256)
  }
}
