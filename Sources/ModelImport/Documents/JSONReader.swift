/// Reads JSON (RFC 8259, and the words NaN and Infinity that some tools write) into a `DocumentValue`.
///
/// Total: whatever the bytes, it answers with a value or one line with the byte offset. Memory is bounded by
/// `DocumentValue.countMax`, the stack by `depthMax`. Numbers are rounded to single precision from the text itself,
/// because the forests of XGBoost and CatBoost are single precision and must come back as they were.
struct JSONReader {
  private let bytes: [UInt8]
  private let name: String
  private var offset = 0
  private var count = 0

  init(_ bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  /// The only value of the text.
  mutating func document() throws(ImportError) -> DocumentValue {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    let value = try value(depth: 0)
    skipBlanks()
    guard offset == bytes.count else { throw refused("the end of the document") }
    return value
  }

  private func refused(_ expected: String) -> ImportError {
    ImportError(file: name, place: "byte \(offset)", expected: expected)
  }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
  }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard let next, next == byte.value else { return false }
    offset += 1
    return true
  }

  private mutating func word(_ word: StaticString) -> Bool {
    let letters = Array("\(word)".utf8)
    guard bytes.count - offset >= letters.count, Array(bytes[offset..<offset + letters.count]) == letters else {
      return false
    }
    offset += letters.count
    return true
  }

  private mutating func value(depth: Int) throws(ImportError) -> DocumentValue {
    guard depth <= DocumentValue.depthMax else { throw refused("at most \(DocumentValue.depthMax) levels") }
    count += 1
    guard count <= DocumentValue.countMax else { throw refused("at most \(DocumentValue.countMax) values") }
    skipBlanks()
    switch next {
    case 0x7B: return try table(depth: depth)
    case 0x5B: return try list(depth: depth)
    case 0x22: return .text(try text())
    case .some(0x30...0x39): return try number()
    case 0x2D:
      if word("-Infinity") { return .real(-.infinity, -.infinity) }
      return try number()
    default:
      if word("true") { return .boolean(true) }
      if word("false") { return .boolean(false) }
      if word("null") { return .null }
      if word("NaN") || word("nan") { return .real(.nan, .nan) }
      if word("Infinity") { return .real(.infinity, .infinity) }
      throw refused("a JSON value")
    }
  }

  private mutating func table(depth: Int) throws(ImportError) -> DocumentValue {
    offset += 1
    var table: [String: DocumentValue] = [:]
    skipBlanks()
    if take("}") { return .table(table) }
    while true {
      skipBlanks()
      guard next == 0x22 else { throw refused("a key in quotes") }
      let key = try text()
      skipBlanks()
      guard take(":") else { throw refused("a colon after the key \(key.prefix(40))") }
      let value = try value(depth: depth + 1)
      guard table.updateValue(value, forKey: key) == nil else { throw refused("the key \(key.prefix(40)) once") }
      skipBlanks()
      if take("}") { return .table(table) }
      guard take(",") else { throw refused("a comma or a closing brace") }
    }
  }

  private mutating func list(depth: Int) throws(ImportError) -> DocumentValue {
    offset += 1
    var list: [DocumentValue] = []
    skipBlanks()
    if take("]") { return .list(list) }
    while true {
      list.append(try value(depth: depth + 1))
      skipBlanks()
      if take("]") { return .list(list) }
      guard take(",") else { throw refused("a comma or a closing bracket") }
    }
  }

  private mutating func number() throws(ImportError) -> DocumentValue {
    let start = offset
    var isWhole = true
    scan: while let byte = next {
      switch byte {
      case 0x30...0x39: break
      case 0x2D where offset == start: break
      case 0x2D, 0x2B, 0x2E, 0x65, 0x45: isWhole = false
      default: break scan
      }
      offset += 1
    }
    // Longer than any shortest or 17-digit spelling: somebody else's idea of a number.
    guard offset - start <= 400 else { throw refused("a number of at most 400 characters") }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if isWhole, let number = Int(text), number != 0 || bytes[start] != 0x2D { return .integer(number) }
    guard let double = Double(text), let single = Float(text) else { throw refused("a number, not \(text.prefix(40))") }
    return .real(double, single)
  }

  private mutating func text() throws(ImportError) -> String {
    offset += 1
    let start = offset
    while let byte = next, byte != 0x22, byte != 0x5C { offset += 1 }
    if next == 0x22 {
      offset += 1
      return String(decoding: bytes[start..<offset - 1], as: UTF8.self)
    }
    var units = Array(bytes[start..<offset])
    while let byte = next {
      offset += 1
      if byte == 0x22 { return String(decoding: units, as: UTF8.self) }
      guard byte == 0x5C else {
        units.append(byte)
        continue
      }
      try escape(into: &units)
    }
    throw refused("a closing quote")
  }

  private mutating func escape(into units: inout [UInt8]) throws(ImportError) {
    guard let letter = next else { throw refused("an escaped character") }
    offset += 1
    switch letter {
    case 0x22, 0x5C, 0x2F: units.append(letter)
    case 0x62: units.append(0x08)
    case 0x66: units.append(0x0C)
    case 0x6E: units.append(0x0A)
    case 0x72: units.append(0x0D)
    case 0x74: units.append(0x09)
    case 0x75:
      var code = try codeUnit()
      if (0xD800...0xDBFF).contains(code), offset + 1 < bytes.count, bytes[offset] == 0x5C, bytes[offset + 1] == 0x75 {
        offset += 2
        let low = try codeUnit()
        guard (0xDC00...0xDFFF).contains(low) else { throw refused("the second half of a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw refused("a Unicode scalar") }
      units += Array(String(Character(scalar)).utf8)
    default: throw refused("a known escape")
    }
  }

  private mutating func codeUnit() throws(ImportError) -> UInt32 {
    guard bytes.count - offset >= 4,
      let code = UInt32(String(decoding: bytes[offset..<offset + 4], as: UTF8.self), radix: 16)
    else { throw refused("four hexadecimal digits") }
    offset += 4
    return code
  }
}
