/// A JSON text in the making: objects keep the order of their fields, because the report's order is part of its contract.
indirect enum JSONValue: Equatable {
  case null
  case bool(Bool)
  case integer(Int64)
  case unsigned(UInt64)
  case real(Double)
  case text(String)
  case array([JSONValue])
  case object([Field])

  /// One field of an object.
  struct Field: Equatable {
    var name: String
    var value: JSONValue
    init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// A number, or null where there is none.
  static func optional(_ value: Int64?) -> JSONValue { value.map { .integer($0) } ?? .null }
  /// A number, or null where there is none.
  static func optional(_ value: Double?) -> JSONValue { value.map { .real($0) } ?? .null }

  /// The whole text: a line for each field of the outermost object and for each row of its tables.
  var document: String {
    guard case .object(let fields) = self else { return compact + "\n" }
    let lines = fields.map { field in
      guard case .array(let rows) = field.value, !rows.isEmpty else {
        return "  \(Self.quoted(field.name)): \(field.value.compact)"
      }
      return "  \(Self.quoted(field.name)): [\n    " + rows.map(\.compact).joined(separator: ",\n    ") + "\n  ]"
    }
    return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
  }

  /// The text on one line.
  var compact: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .real(let value): Self.number(value)
    case .text(let value): Self.quoted(value)
    case .array(let values): "[" + values.map(\.compact).joined(separator: ", ") + "]"
    case .object(let fields):
      "{" + fields.map { "\(Self.quoted($0.name)): \($0.value.compact)" }.joined(separator: ", ") + "}"
    }
  }

  /// The shortest text that reads back as the same number; whole numbers without a point; null for what JSON cannot say.
  private static func number(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
