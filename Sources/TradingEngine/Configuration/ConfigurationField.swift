internal import TradingTypes

/// One key of the configuration: how to read, print and document it.
public struct ConfigurationField: Sendable {
  /// Dotted path in the JSON text.
  public let path: String
  /// Kind, unit and range, for people.
  public let kind: String
  /// What it means.
  public let meaning: String
  /// Its value as JSON text.
  public let read: @Sendable (EngineConfiguration) -> String
  /// Takes a value over, or throws one line that names the place.
  let write: @Sendable (inout EngineConfiguration, JSONNode, String) throws(ConfigurationError) -> Void
}

typealias ConfigurationKey<Value> = any WritableKeyPath<EngineConfiguration, Value> & Sendable

func configurationRefusal(_ source: String, _ path: String, _ node: JSONNode, _ expected: String) -> ConfigurationError
{
  var found = node.kindName
  if case .number(let text) = node.value { found = text }
  if case .string(let text) = node.value { found = "\"\(text)\"" }
  return ConfigurationError("\(source): \(node.place): \(path): \(expected) expected, \(found) found")
}

/// `text` of printable ASCII, as names are, as a JSON string.
func quotedJSON(_ text: String) -> String {
  var result = "\""
  for character in text {
    if character == "\"" || character == "\\" { result += "\\" }
    result.append(character)
  }
  return result + "\""
}

private func integer(_ node: JSONNode) -> Int64? {
  guard case .number(let text) = node.value else { return nil }
  return Int64(text)
}

private func real(_ node: JSONNode) -> Double? {
  guard case .number(let text) = node.value, let value = Double(text), value.isFinite else { return nil }
  return value
}

private func money(_ node: JSONNode) -> Money? {
  guard case .number(let text) = node.value else { return nil }
  return Money(decimal: text)
}

func field(
  _ path: String, _ key: ConfigurationKey<Int64>, _ range: ClosedRange<Int64>, _ unit: String, _ meaning: String
) -> ConfigurationField {
  let kind = "integer, \(unit), \(range.lowerBound)…\(range.upperBound)"
  return ConfigurationField(path: path, kind: kind, meaning: meaning, read: { "\($0[keyPath: key])" }) {
    (root, node, source) throws(ConfigurationError) in
    guard let value = integer(node), range.contains(value) else { throw configurationRefusal(source, path, node, kind) }
    root[keyPath: key] = value
  }
}

func field(
  _ path: String, _ key: ConfigurationKey<Double>, _ range: ClosedRange<Double>, _ unit: String, _ meaning: String
) -> ConfigurationField {
  let kind = "number, \(unit), \(range.lowerBound)…\(range.upperBound)"
  return ConfigurationField(path: path, kind: kind, meaning: meaning, read: { "\($0[keyPath: key])" }) {
    (root, node, source) throws(ConfigurationError) in
    guard let value = real(node), range.contains(value) else { throw configurationRefusal(source, path, node, kind) }
    root[keyPath: key] = value
  }
}

func field(_ path: String, _ key: ConfigurationKey<Bool>, _ meaning: String) -> ConfigurationField {
  ConfigurationField(path: path, kind: "boolean", meaning: meaning, read: { "\($0[keyPath: key])" }) {
    (root, node, source) throws(ConfigurationError) in
    guard case .boolean(let value) = node.value else { throw configurationRefusal(source, path, node, "a boolean") }
    root[keyPath: key] = value
  }
}

/// A value for each name.
func field<Value: Equatable & Sendable>(
  _ path: String, _ key: ConfigurationKey<Value>, _ choices: [(name: String, value: Value)], _ meaning: String
) -> ConfigurationField {
  let names = choices.map { "\"\($0.name)\"" }
  let kind = names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
  return ConfigurationField(
    path: path, kind: kind, meaning: meaning,
    read: { root in
      let name = choices.first { $0.value == root[keyPath: key] }?.name
      return "\"\(name ?? "")\""
    },
    write: { (root, node, source) throws(ConfigurationError) in
      guard case .string(let text) = node.value, let choice = choices.first(where: { $0.name == text }) else {
        throw configurationRefusal(source, path, node, kind)
      }
      root[keyPath: key] = choice.value
    })
}

func field(_ path: String, _ key: ConfigurationKey<Money>, _ meaning: String) -> ConfigurationField {
  let kind = "exact decimal, currency, 0 or more"
  return ConfigurationField(path: path, kind: kind, meaning: meaning, read: { $0[keyPath: key].text(places: 0) }) {
    (root, node, source) throws(ConfigurationError) in
    guard let value = money(node), value >= .zero else { throw configurationRefusal(source, path, node, kind) }
    root[keyPath: key] = value
  }
}

func field(_ path: String, _ key: ConfigurationKey<Quantity>, _ meaning: String) -> ConfigurationField {
  let kind = "integer, lots, 0 or more"
  return ConfigurationField(path: path, kind: kind, meaning: meaning, read: { "\($0[keyPath: key].lots)" }) {
    (root, node, source) throws(ConfigurationError) in
    guard let value = integer(node), value >= 0 else { throw configurationRefusal(source, path, node, kind) }
    root[keyPath: key] = Quantity(lots: value)
  }
}

func field(_ path: String, _ key: ConfigurationKey<TimeSpan>, _ meaning: String) -> ConfigurationField {
  let kind = "integer, nanoseconds, 0 or more"
  return ConfigurationField(path: path, kind: kind, meaning: meaning, read: { "\($0[keyPath: key].nanoseconds)" }) {
    (root, node, source) throws(ConfigurationError) in
    guard let value = integer(node), value >= 0 else { throw configurationRefusal(source, path, node, kind) }
    root[keyPath: key] = TimeSpan(nanoseconds: value)
  }
}

func field(_ path: String, _ key: ConfigurationKey<[Double]>, _ meaning: String) -> ConfigurationField {
  ConfigurationField(path: path, kind: "array of 2 to 4 numbers", meaning: meaning, read: { "\($0[keyPath: key])" }) {
    (root, node, source) throws(ConfigurationError) in
    root[keyPath: key] = try configurationReals(node, path, source)
  }
}

func configurationReals(_ node: JSONNode, _ path: String, _ source: String) throws(ConfigurationError) -> [Double] {
  guard case .array(let elements) = node.value, (2...4).contains(elements.count) else {
    throw configurationRefusal(source, path, node, "an array of 2 to 4 numbers")
  }
  var values: [Double] = []
  for element in elements {
    guard let value = real(element) else { throw configurationRefusal(source, path, element, "a finite number") }
    values.append(value)
  }
  return values
}

func venueSettings(of path: String, in venues: [JSONNode], _ source: String) throws(ConfigurationError)
  -> [EngineConfiguration.VenueSetting]
{
  var settings: [EngineConfiguration.VenueSetting] = []
  for venue in venues {
    guard case .object(let members) = venue.value else { throw configurationRefusal(source, path, venue, "an object") }
    var setting = EngineConfiguration.VenueSetting(name: "", sharePercent: 0, takeFee: .zero)
    for (key, node) in members {
      switch key {
      case "name":
        guard case .string(let text) = node.value, Symbol(text) != nil else {
          throw configurationRefusal(source, "\(path).name", node, "1 to 16 printable characters")
        }
        setting.name = text
      case "share_percent":
        guard let value = integer(node), (0...100).contains(value) else {
          throw configurationRefusal(source, "\(path).share_percent", node, "an integer, 0…100")
        }
        setting.sharePercent = value
      case "take_fee":
        guard case .number(let text) = node.value, let value = Price(decimal: text) else {
          throw configurationRefusal(source, "\(path).take_fee", node, "an exact decimal")
        }
        setting.takeFee = value
      case "fixed_fee":
        guard let value = money(node), value >= .zero else {
          throw configurationRefusal(source, "\(path).fixed_fee", node, "an exact decimal, 0 or more")
        }
        setting.fixedFee = value
      case "protected":
        guard case .boolean(let value) = node.value else {
          throw configurationRefusal(source, "\(path).protected", node, "a boolean")
        }
        setting.isProtected = value
      default:
        throw ConfigurationError(
          "\(source): \(node.place): \(path): unknown key \"\(key)\"; expected name, share_percent, take_fee, fixed_fee, protected"
        )
      }
    }
    guard !setting.name.isEmpty else { throw configurationRefusal(source, path, venue, "a venue with a name") }
    settings.append(setting)
  }
  return settings
}
