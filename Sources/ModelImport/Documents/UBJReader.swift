/// Reads Universal Binary JSON (ubjson.org, draft 12; numbers big-endian) into a `DocumentValue`, as XGBoost writes it.
///
/// ```
///  { L<len> key  value … }     [ value … ]     [ # L<count> value … ]     [ $ d # L<count> f32 f32 … ]
/// ```
///
/// Total, and bounded like `JSONReader`. Containers typed as null, true or false hold no bytes for their elements, so a
/// few bytes could claim any memory: they are refused, and so is every other typed element but numbers.
struct UBJReader {
  private let bytes: [UInt8]
  private let name: String
  private var offset = 0
  private var count = 0

  init(_ bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  /// Whether the first bytes are an object of UBJ: a brace and the type of a key's length, where JSON has a quote.
  static func looksLikeUBJ(_ bytes: [UInt8]) -> Bool {
    guard bytes.count > 2, bytes[0] == 0x7B else { return false }
    return "iUIlL#$".utf8.contains(bytes[1])
  }

  /// The only value of the bytes.
  mutating func document() throws(ImportError) -> DocumentValue {
    let value = try value(try marker(), depth: 0)
    while offset < bytes.count, bytes[offset] == 0x4E { offset += 1 }
    guard offset == bytes.count else { throw refused("the end of the document") }
    return value
  }

  private func refused(_ expected: String) -> ImportError {
    ImportError(file: name, place: "byte \(offset)", expected: expected)
  }

  /// The next type marker; `N` fills space and means nothing.
  private mutating func marker() throws(ImportError) -> Character {
    while offset < bytes.count, bytes[offset] == 0x4E { offset += 1 }
    guard offset < bytes.count else { throw refused("a value") }
    offset += 1
    return Character(Unicode.Scalar(bytes[offset - 1]))
  }

  private func nextIs(_ marker: Character) -> Bool {
    offset < bytes.count && bytes[offset] == marker.asciiValue
  }

  private mutating func integer<I: FixedWidthInteger>(_ type: I.Type) throws(ImportError) -> I {
    let width = I.bitWidth / 8
    guard bytes.count - offset >= width else { throw refused("\(width) bytes of a number") }
    var number: I = 0
    for _ in 0..<width {
      number = I(truncatingIfNeeded: UInt64(truncatingIfNeeded: number) << 8 | UInt64(bytes[offset]))
      offset += 1
    }
    return number
  }

  private mutating func number(_ marker: Character) throws(ImportError) -> DocumentValue? {
    switch marker {
    case "i": return .integer(Int(try integer(Int8.self)))
    case "U": return .integer(Int(try integer(UInt8.self)))
    case "I": return .integer(Int(try integer(Int16.self)))
    case "l": return .integer(Int(try integer(Int32.self)))
    case "L": return .integer(Int(try integer(Int64.self)))
    case "d":
      let single = Float(bitPattern: try integer(UInt32.self))
      return .real(Double(single), single)
    case "D":
      let double = Double(bitPattern: try integer(UInt64.self))
      return .real(double, Float(double))
    default: return nil
    }
  }

  private mutating func length(_ what: String) throws(ImportError) -> Int {
    guard case .integer(let length)? = try number(try marker()), length >= 0 else { throw refused("a \(what)") }
    return length
  }

  private mutating func text() throws(ImportError) -> String {
    let length = try length("length of a text")
    guard length <= bytes.count - offset else { throw refused("\(length) bytes of a text") }
    offset += length
    return String(decoding: bytes[offset - length..<offset], as: UTF8.self)
  }

  private mutating func counted(_ more: Int = 1) throws(ImportError) {
    count += more
    guard count <= DocumentValue.countMax else { throw refused("at most \(DocumentValue.countMax) values") }
  }

  private mutating func value(_ marker: Character, depth: Int) throws(ImportError) -> DocumentValue {
    guard depth <= DocumentValue.depthMax else { throw refused("at most \(DocumentValue.depthMax) levels") }
    try counted()
    if let number = try number(marker) { return number }
    switch marker {
    case "Z": return .null
    case "T": return .boolean(true)
    case "F": return .boolean(false)
    case "S", "H": return .text(try text())
    case "C": return .text(String(Character(Unicode.Scalar(try integer(UInt8.self)))))
    case "[": return try list(depth: depth)
    case "{": return try table(depth: depth)
    default:
      offset -= 1
      throw refused("a UBJ type, not byte \(bytes[offset])")
    }
  }

  /// The element type and the count that a container may tell in front.
  private mutating func header() throws(ImportError) -> (type: Character?, count: Int?) {
    var type: Character?
    if nextIs("$") {
      offset += 1
      type = try marker()
      guard nextIs("#") else { throw refused("a count of the typed elements") }
    }
    guard nextIs("#") else { return (type, nil) }
    offset += 1
    let count = try length("count")
    // Every element has at least one byte, so a count beyond the bytes is wrong before any memory is taken.
    guard count <= bytes.count - offset else { throw refused("\(count) elements") }
    return (type, count)
  }

  private mutating func list(depth: Int) throws(ImportError) -> DocumentValue {
    let (type, count) = try header()
    if let type, let count { return try packed(type, count) }
    var list: [DocumentValue] = []
    if let count {
      for _ in 0..<count { list.append(try value(try marker(), depth: depth + 1)) }
      return .list(list)
    }
    while true {
      let marker = try marker()
      if marker == "]" { return .list(list) }
      list.append(try value(marker, depth: depth + 1))
    }
  }

  private mutating func packed(_ type: Character, _ count: Int) throws(ImportError) -> DocumentValue {
    try counted(count)
    switch type {
    case "i": return .integers(try elements(count) { (number: Int8) in Int(number) })
    case "U": return .integers(try elements(count) { (number: UInt8) in Int(number) })
    case "I": return .integers(try elements(count) { (number: Int16) in Int(number) })
    case "l": return .integers(try elements(count) { (number: Int32) in Int(number) })
    case "L": return .integers(try elements(count) { (number: Int64) in Int(number) })
    case "d": return .singles(try elements(count) { (bits: UInt32) in Float(bitPattern: bits) })
    case "D": return .doubles(try elements(count) { (bits: UInt64) in Double(bitPattern: bits) })
    default: throw refused("typed elements that are numbers, not \(type)")
    }
  }

  private mutating func elements<I: FixedWidthInteger, Element>(
    _ count: Int, _ make: (I) -> Element
  ) throws(ImportError) -> [Element] {
    guard (bytes.count - offset) / (I.bitWidth / 8) >= count else { throw refused("\(count) typed elements") }
    var list: [Element] = []
    list.reserveCapacity(count)
    for _ in 0..<count { list.append(make(try integer(I.self))) }
    return list
  }

  private mutating func table(depth: Int) throws(ImportError) -> DocumentValue {
    let (type, count) = try header()
    guard type == nil else { throw refused("an object without one type for all members") }
    var table: [String: DocumentValue] = [:]
    while true {
      if let count, table.count == count { return .table(table) }
      while nextIs("N") { offset += 1 }
      if count == nil, nextIs("}") {
        offset += 1
        return .table(table)
      }
      let key = try text()
      let value = try value(try marker(), depth: depth + 1)
      guard table.updateValue(value, forKey: key) == nil else { throw refused("the key \(key.prefix(40)) once") }
    }
  }
}
