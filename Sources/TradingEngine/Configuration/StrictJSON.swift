public import TradingTypes

/// A JSON value that remembers where it stood, so that an error can say line and column.
public struct JSONNode: Sendable {
  /// The kinds of JSON value. Numbers keep their text: money is never read through a floating-point number.
  public indirect enum Value: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A number as it was written.
    case number(String)
    /// A string, escapes resolved.
    case string(String)
    /// An array.
    case array([JSONNode])
    /// An object, members in the order of the text; keys are distinct.
    case object([(key: String, value: JSONNode)])
  }
  /// The value.
  public let value: Value
  /// Line of its first character, from 1.
  public let line: Int
  /// Column of its first character in bytes, from 1.
  public let column: Int

  /// `line:column`, for errors.
  public var place: String { "line \(line), column \(column)" }

  /// What the value is, for errors.
  public var kindName: String {
    switch value {
    case .null: "null"
    case .boolean: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// Reads JSON as RFC 8259 defines it and refuses what configuration must not contain: duplicate keys, nesting deeper than
/// 32, texts over 8 MiB, trailing characters, invalid UTF-8.
public struct StrictJSON {
  /// Deepest nesting accepted.
  public static let depthMax = 32
  /// Longest text accepted.
  public static let byteCountMax = 8 << 20

  private let bytes: [UInt8]
  private let source: String
  private var offset = 0
  private var line = 1
  private var lineStart = 0

  /// The value of a whole text.
  ///
  /// - Parameters:
  ///   - source: the file's name, for errors.
  /// - Throws: one line that names source, line, column and what was expected.
  public static func parse(_ bytes: [UInt8], source: String) throws(ConfigurationError) -> JSONNode {
    guard bytes.count <= byteCountMax else {
      throw ConfigurationError("\(source): \(bytes.count) bytes, expected at most \(byteCountMax)")
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw ConfigurationError("\(source): not valid UTF-8")
    }
    var parser = StrictJSON(bytes: bytes, source: source)
    parser.skipSpace()
    let node = try parser.parseValue(depth: 0)
    parser.skipSpace()
    guard parser.offset == bytes.count else { throw parser.unexpected("the end of the text") }
    return node
  }

  private init(bytes: [UInt8], source: String) {
    self.bytes = bytes
    self.source = source
  }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private func unexpected(_ expected: String) -> ConfigurationError {
    let found =
      next.map { (0x21...0x7E).contains($0) ? "'\(Character(Unicode.Scalar($0)))'" : "byte \($0)" } ?? "the end"
    return failure("\(expected) expected, \(found) found")
  }

  private func failure(_ text: String) -> ConfigurationError {
    ConfigurationError("\(source): line \(line), column \(offset - lineStart + 1): \(text)")
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
      offset += 1
      if byte == 0x0A {
        line += 1
        lineStart = offset
      }
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    offset += 1
    return true
  }

  private mutating func parseValue(depth: Int) throws(ConfigurationError) -> JSONNode {
    let (startLine, startColumn) = (line, offset - lineStart + 1)
    let value: JSONNode.Value
    if depth == Self.depthMax, next == UInt8(ascii: "{") || next == UInt8(ascii: "[") {
      throw failure("nesting deeper than \(Self.depthMax)")
    }
    switch next {
    case UInt8(ascii: "{"): value = try parseObject(depth: depth)
    case UInt8(ascii: "["): value = try parseArray(depth: depth)
    case UInt8(ascii: "\""): value = .string(try parseString())
    case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): value = .number(try parseNumber())
    case UInt8(ascii: "t"): value = try parseWord("true", .boolean(true))
    case UInt8(ascii: "f"): value = try parseWord("false", .boolean(false))
    case UInt8(ascii: "n"): value = try parseWord("null", .null)
    default: throw unexpected("a value")
    }
    return JSONNode(value: value, line: startLine, column: startColumn)
  }

  private mutating func parseWord(_ word: String, _ value: JSONNode.Value) throws(ConfigurationError) -> JSONNode.Value
  {
    for byte in word.utf8 { guard take(byte) else { throw unexpected(word) } }
    return value
  }

  private mutating func parseObject(depth: Int) throws(ConfigurationError) -> JSONNode.Value {
    offset += 1
    var members: [(key: String, value: JSONNode)] = []
    var seen: Set<String> = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object([]) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
      let place = offset
      let key = try parseString()
      guard seen.insert(key).inserted else {
        offset = place
        throw failure("key \"\(key)\" stands twice in this object")
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw unexpected("':'") }
      skipSpace()
      members.append((key, try parseValue(depth: depth + 1)))
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw unexpected("',' or '}'") }
    return .object(members)
  }

  private mutating func parseArray(depth: Int) throws(ConfigurationError) -> JSONNode.Value {
    offset += 1
    var elements: [JSONNode] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array([]) }
    repeat {
      skipSpace()
      elements.append(try parseValue(depth: depth + 1))
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw unexpected("',' or ']'") }
    return .array(elements)
  }

  private mutating func parseNumber() throws(ConfigurationError) -> String {
    let start = offset
    func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
    _ = take(UInt8(ascii: "-"))
    guard isDigit(next) else { throw unexpected("a digit") }
    if !take(UInt8(ascii: "0")) { while isDigit(next) { offset += 1 } }
    if take(UInt8(ascii: ".")) {
      guard isDigit(next) else { throw unexpected("a digit") }
      while isDigit(next) { offset += 1 }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      offset += 1
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard isDigit(next) else { throw unexpected("a digit") }
      while isDigit(next) { offset += 1 }
    }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private mutating func parseString() throws(ConfigurationError) -> String {
    offset += 1
    var text: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        offset += 1
        try parseEscape(into: &text)
      case 0..<0x20:
        throw failure("control character \(byte) in a string, an escape expected")
      default:
        text.append(byte)
        offset += 1
      }
    }
    throw unexpected("'\"'")
  }

  private mutating func parseEscape(into text: inout [UInt8]) throws(ConfigurationError) {
    guard let byte = next else { throw unexpected("an escape") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try parseHexadecimal()
      if (0xD800..<0xDC00).contains(code) {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw unexpected("a low surrogate") }
        let low = try parseHexadecimal()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("a low surrogate expected") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("a lone surrogate is no character") }
      text.append(contentsOf: String(Character(scalar)).utf8)
    default:
      offset -= 1
      throw unexpected("one of \" \\ / b f n r t u")
    }
  }

  private mutating func parseHexadecimal() throws(ConfigurationError) -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw unexpected("a hexadecimal digit")
      }
      code = code << 4 | UInt32(digit)
      offset += 1
    }
    return code
  }
}
