public import PositionSizing
public import TradingTypes

extension StressScenario {
  /// The scenarios that `bytes` describe: strict JSON, an object with the array `scenarios`.
  ///
  /// Each has a `name` and what it moves: `instruments` and `factors` (objects of returns as fractions) and `vix_points` (a number); what is left out
  /// does not move. `Examples/Stress/scenarios.json` is one.
  ///
  /// - Throws: one line with source, line, column and what was expected.
  public static func scenarios(json bytes: [UInt8], source: String) throws(ConfigurationError) -> [StressScenario] {
    let root = try StrictJSON.parse(bytes, source: source)
    guard case .object(let members) = root.value, let list = members.first, list.key == "scenarios",
      members.count == 1, case .array(let elements) = list.value.value
    else { throw configurationRefusal(source, "scenarios", root, "an object with the array \"scenarios\" and no more") }
    var scenarios: [StressScenario] = []
    for element in elements {
      let scenario = try read(element, source)
      guard !scenarios.contains(where: { $0.name == scenario.name }) else {
        throw ConfigurationError("\(source): \(element.place): the name \"\(scenario.name)\" stands twice")
      }
      scenarios.append(scenario)
    }
    return scenarios
  }

  private static func read(_ node: JSONNode, _ source: String) throws(ConfigurationError) -> StressScenario {
    guard case .object(let members) = node.value else {
      throw configurationRefusal(source, "scenarios", node, "an object")
    }
    var name: String?
    var instruments: [String: Double] = [:]
    var factors: [String: Double] = [:]
    var points = 0.0
    for (key, value) in members {
      switch key {
      case "name":
        guard case .string(let text) = value.value, !text.isEmpty else {
          throw configurationRefusal(source, "name", value, "a string that is not empty")
        }
        name = text
      case "instruments": instruments = try returns(value, key, source)
      case "factors": factors = try returns(value, key, source)
      case "vix_points": points = try number(value, key, source)
      default:
        throw ConfigurationError(
          "\(source): \(value.place): unknown key \"\(key)\"; name, instruments, factors or vix_points expected")
      }
    }
    guard let name else { throw ConfigurationError("\(source): \(node.place): a scenario without a name") }
    do {
      return try StressScenario(name: name, instruments: instruments, factors: factors, vixPoints: points)
    } catch { throw ConfigurationError("\(source): \(node.place): \(error.description)") }
  }

  private static func returns(
    _ node: JSONNode, _ path: String, _ source: String
  ) throws(ConfigurationError) -> [String: Double] {
    guard case .object(let members) = node.value else {
      throw configurationRefusal(source, path, node, "an object of returns")
    }
    var returns: [String: Double] = [:]
    for (key, value) in members { returns[key] = try number(value, "\(path).\(key)", source) }
    return returns
  }

  private static func number(_ node: JSONNode, _ path: String, _ source: String) throws(ConfigurationError) -> Double {
    guard case .number(let text) = node.value, let value = Double(text), value.isFinite else {
      throw configurationRefusal(source, path, node, "a finite number")
    }
    return value
  }
}
