/// One JSON object in the making: fields in the order they are added, numbers with 17 significant digits.
struct JSONText {
  private var fields: [String] = []

  /// The object, a line a field.
  var text: String { "{\n  " + fields.joined(separator: ",\n  ") + "\n}\n" }
  /// The object on one line.
  var line: String { "{" + fields.joined(separator: ", ") + "}" }

  /// Adds what already is JSON.
  mutating func add(_ name: String, json: String) { fields.append("\(Self.quoted(name)): \(json)") }
  mutating func add(_ name: String, _ value: Int) { add(name, json: "\(value)") }
  mutating func add(_ name: String, _ value: Bool) { add(name, json: value ? "true" : "false") }
  mutating func add(_ name: String, _ value: String) { add(name, json: Self.quoted(value)) }
  /// Adds a number, or null where there is none that JSON can say.
  mutating func add(_ name: String, _ value: Double?) { add(name, json: Self.number(value)) }
  mutating func add(_ name: String, _ list: [String]) { add(name, json: Self.list(list.map(Self.quoted))) }
  mutating func add(_ name: String, _ list: [Double]) { add(name, json: Self.list(list.map { Self.number($0) })) }
  /// Adds an object, its keys ascending.
  mutating func add(_ name: String, _ pairs: [String: String]) {
    var object = JSONText()
    for (key, value) in pairs.sorted(by: { $0.key < $1.key }) { object.add(key, value) }
    add(name, json: object.line)
  }
  mutating func add(_ name: String, _ objects: [JSONText]) { add(name, json: Self.list(objects.map(\.line))) }

  private static func list(_ values: [String]) -> String { "[" + values.joined(separator: ", ") + "]" }

  /// A number with 17 significant digits.
  static func number(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "null" }
    return OutputText.digits(of: value)
  }

  /// A JSON string of any text.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
