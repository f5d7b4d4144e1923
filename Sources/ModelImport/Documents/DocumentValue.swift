/// A value of a JSON or UBJ document: one tree of values whichever spelling it came in.
enum DocumentValue: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int)
  /// A number with a fraction, rounded to each precision straight from the text: rounding twice can miss by one step.
  case real(Double, Float)
  case text(String)
  case list([DocumentValue])
  case table([String: DocumentValue])
  /// An array of one type, as UBJ packs it.
  case integers([Int])
  /// The same of single precision.
  case singles([Float])
  /// The same of double precision.
  case doubles([Double])

  /// Deepest nesting that is read, so that no document can exhaust the stack.
  static let depthMax = 192
  /// Most values of a document, so that memory stays bounded: about 16 bytes each.
  static let countMax = 1 << 25
}

extension DocumentValue {
  /// Reads a document of either spelling; `name` is what errors call the file.
  static func read(_ bytes: [UInt8], name: String) throws(ImportError) -> DocumentValue {
    if UBJReader.looksLikeUBJ(bytes) {
      var reader = UBJReader(bytes, name: name)
      return try reader.document()
    }
    var reader = JSONReader(bytes, name: name)
    return try reader.document()
  }
}

/// A value of a document and the way to it, so that whatever is wrong can be named.
struct DocumentPlace {
  let file: String
  let path: String
  let value: DocumentValue

  /// The root of a document.
  init(root: DocumentValue, file: String) {
    self.file = file
    path = ""
    value = root
  }

  private init(file: String, path: String, value: DocumentValue) {
    self.file = file
    self.path = path
    self.value = value
  }

  func refused(_ expected: String) -> ImportError {
    ImportError(file: file, place: path.isEmpty ? "document" : path, expected: expected)
  }

  // MARK: - Down the tree

  /// The member of that name, or nil where there is none or it is null.
  func optional(_ key: String) throws(ImportError) -> DocumentPlace? {
    guard case .table(let table) = value else { throw refused("an object") }
    guard let member = table[key], member != .null else { return nil }
    return DocumentPlace(file: file, path: path.isEmpty ? key : "\(path).\(key)", value: member)
  }

  /// The member of that name.
  func member(_ key: String) throws(ImportError) -> DocumentPlace {
    guard let member = try optional(key) else { throw refused("the member \(key)") }
    return member
  }

  /// The elements of a list.
  func elements() throws(ImportError) -> [DocumentPlace] {
    let list: [DocumentValue]
    switch value {
    case .list(let values): list = values
    case .integers(let values): list = values.map { .integer($0) }
    case .singles(let values): list = values.map { .real(Double($0), $0) }
    case .doubles(let values): list = values.map { .real($0, Float($0)) }
    default: throw refused("a list")
    }
    return list.enumerated().map { DocumentPlace(file: file, path: "\(path)[\($0)]", value: $1) }
  }

  // MARK: - Leaves

  /// A text.
  func text() throws(ImportError) -> String {
    guard case .text(let text) = value else { throw refused("a text") }
    return text
  }

  /// A whole number, also one written as a text.
  func integer() throws(ImportError) -> Int {
    switch value {
    case .integer(let number): return number
    case .text(let text): if let number = Int(text) { return number }
    default: break
    }
    throw refused("a whole number")
  }

  /// A number in double precision, not NaN.
  func double() throws(ImportError) -> Double {
    guard let number = Self.double(value) else { throw refused("a number") }
    return number
  }

  /// A number in single precision, rounded once, not NaN.
  func single() throws(ImportError) -> Float {
    guard let number = Self.single(value), !number.isNaN else { throw refused("a number") }
    return number
  }

  /// Whole numbers; true and false count as 1 and 0.
  func integers() throws(ImportError) -> [Int] {
    switch value {
    case .integers(let numbers): return numbers
    case .singles(let empty) where empty.isEmpty: return []
    case .doubles(let empty) where empty.isEmpty: return []
    case .list(let values):
      var numbers: [Int] = []
      numbers.reserveCapacity(values.count)
      for (place, value) in values.enumerated() {
        switch value {
        case .integer(let number): numbers.append(number)
        case .boolean(let flag): numbers.append(flag ? 1 : 0)
        default: throw ImportError(file: file, place: "\(path)[\(place)]", expected: "a whole number")
        }
      }
      return numbers
    default: throw refused("a list of whole numbers")
    }
  }

  /// Numbers in single precision, not NaN.
  func singles() throws(ImportError) -> [Float] {
    try list("a number", Self.single) { value in
      switch value {
      case .singles(let numbers): numbers
      case .doubles(let numbers): numbers.map { Float($0) }
      case .integers(let numbers): numbers.map { Float($0) }
      default: nil
      }
    }
  }

  /// Numbers in double precision, not NaN.
  func doubles() throws(ImportError) -> [Double] {
    try list("a number", Self.double) { value in
      switch value {
      case .singles(let numbers): numbers.map { Double($0) }
      case .doubles(let numbers): numbers
      case .integers(let numbers): numbers.map { Double($0) }
      default: nil
      }
    }
  }

  private static func single(_ value: DocumentValue) -> Float? {
    switch value {
    case .integer(let number): Float(number)
    case .real(_, let number): number
    default: nil
    }
  }

  private static func double(_ value: DocumentValue) -> Double? {
    switch value {
    case .integer(let number): Double(number)
    case .real(let number, _): number.isNaN ? nil : number
    default: nil
    }
  }

  private func list<Number: BinaryFloatingPoint>(
    _ expected: String, _ one: (DocumentValue) -> Number?, packed: (DocumentValue) -> [Number]?
  ) throws(ImportError) -> [Number] {
    var numbers: [Number] = []
    if let whole = packed(value) {
      numbers = whole
    } else {
      guard case .list(let values) = value else { throw refused("a list of numbers") }
      numbers.reserveCapacity(values.count)
      for (place, value) in values.enumerated() {
        guard let number = one(value) else {
          throw ImportError(file: file, place: "\(path)[\(place)]", expected: expected)
        }
        numbers.append(number)
      }
    }
    if let place = numbers.firstIndex(where: \.isNaN) {
      throw ImportError(file: file, place: "\(path)[\(place)]", expected: "\(expected), not NaN")
    }
    return numbers
  }
}
