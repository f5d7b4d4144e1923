// Goal: the reader accepts what RFC 8259 allows and refuses what configuration must not hold, naming the place.
// Method: tables of texts; mutations of the built-in configuration must never trap.

import Testing
import TestSupport
import TradingEngine
import TradingTypes

private func refusal(_ text: String) -> String? {
  do throws(ConfigurationError) {
    _ = try StrictJSON.parse(Array(text.utf8), source: "t")
    return nil
  } catch { return error.description }
}

@Suite struct StrictJSONTests {
  @Test(arguments: [
    "{}", "[]", " [1, -2.5e+3, 0.0] ", "{\"a\": {\"b\": [null, true, false, \"\\u00e9\\ud83d\\ude00\\n\"]}}", "\"x\"",
    "0",
  ])
  func `valid texts are read`(text: String) { #expect(refusal(text) == nil) }

  @Test(arguments: [
    ("", "line 1, column 1: a value expected, the end found"),
    ("{\"a\":1,\"a\":2}", "key \"a\" stands twice"),
    ("[1,]", "a value expected"),
    ("{\"a\" 1}", "':' expected"),
    ("[01]", "',' or ']' expected"),
    ("[1.]", "a digit expected"),
    ("[+1]", "a value expected"),
    ("[1] x", "the end of the text expected"),
    ("\"\\x\"", "one of"),
    ("\"\\ud800\"", "a low surrogate expected"),
    ("\"a\nb\"", "control character 10"),
    ("[\n1,\n nul]", "line 3, column 5: null expected"),
  ])
  func `invalid texts are refused with their place`(text: String, expected: String) {
    let found = refusal(text)
    #expect(found?.contains(expected) == true, "\(text) gave \(found ?? "no error")")
  }

  @Test func `nesting is bounded`() {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(refusal(nested(StrictJSON.depthMax)) == nil)
    #expect(refusal(nested(StrictJSON.depthMax + 1))?.contains("nesting deeper than 32") == true)
    #expect(refusal(nested(100_000))?.contains("nesting deeper") == true)
  }

  @Test func `size is bounded and invalid UTF-8 is refused`() {
    #expect(throws: ConfigurationError.self) {
      try StrictJSON.parse([UInt8](repeating: 0x20, count: StrictJSON.byteCountMax + 1), source: "t")
    }
    #expect(throws: ConfigurationError.self) { try StrictJSON.parse([0x22, 0xFF, 0x22], source: "t") }
  }
}

@Suite struct EngineConfigurationTests {
  @Test func `the printed configuration reads back equal`() throws {
    let text = EngineConfiguration().json
    let again = try EngineConfiguration(json: Array(text.utf8), source: "built-in")
    #expect(again.json == text)
  }

  @Test func `a changed key is taken over exactly`() throws {
    let text = """
      {"starting_cash": 1234567890123.000000001, "mode": "defensive", "limits": {"daily_loss_max": 0.01},
       "regime": {"means": [0.1, -0.2]}, "instruments": ["GOOG"]}
      """
    let read = try EngineConfiguration(json: Array(text.utf8), source: "t")
    #expect(read.startingCash.nanos == 1_234_567_890_123_000_000_001)
    #expect(read.mode == .defensive)
    #expect(read.limits.dailyLossMax.nanos == 10_000_000)
    #expect(read.regime.means == [0.1, -0.2])
    #expect(read.instruments == ["GOOG"])
  }

  @Test(arguments: [
    ("{\"colour\": 1}", "unknown key \"colour\""),
    ("{\"limits\": {\"order_max\": 1}}", "line 1, column 26: unknown key \"limits.order_max\""),
    ("{\"mode\": \"bold\"}", "\"aggressive\", \"normal\" or \"defensive\" expected, \"bold\" found"),
    ("{\"bars\": {\"primary_s\": 0}}", "integer, seconds, 1…86400 expected, 0 found"),
    ("{\"bars\": {\"primary_s\": 1.5}}", "expected, 1.5 found"),
    ("{\"starting_cash\": -1}", "0 or more expected"),
    ("{\"starting_cash\": 1e3}", "exact decimal"),
    ("{\"volatility\": {\"alpha\": 0.5, \"beta\": 0.6}}", "persistence"),
    ("{\"venues\": [{\"name\": \"A\", \"share_percent\": 99}]}", "add up to 100"),
    ("{\"venues\": [{\"name\": \"A\", \"fee\": 1}]}", "unknown key \"fee\""),
    ("{\"regime\": {\"means\": [1, 2, 3]}}", "same number of states"),
    ("{\"instruments\": [\"A\", \"A\"]}", "distinct symbol"),
    ("[]", "an object expected, an array found"),
  ])
  func `a bad configuration names key and place`(text: String, expected: String) {
    do throws(ConfigurationError) {
      _ = try EngineConfiguration(json: Array(text.utf8), source: "t.json")
      Issue.record("\(text) was accepted")
    } catch { #expect(error.description.contains(expected), "\(error.description)") }
  }

  @Test(arguments: Seeds.brief)
  func `mutated texts never trap`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let original = Array(EngineConfiguration().json.utf8)
    for _ in 0..<300 {
      var bytes = original
      for _ in 0...random.below(4) {
        switch random.below(3) {
        case 0: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.remove(at: random.below(bytes.count))
        default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: random.below(bytes.count))
        }
      }
      _ = try? EngineConfiguration(json: bytes, source: "t")
    }
  }
}
