/// A string or a bare word of JSON: where it stands in the text, without quotes.
@frozen public struct JsonText: BitwiseCopyable, Hashable, Sendable {
  /// First byte.
  public let start: Int
  /// Behind the last byte.
  public let end: Int
  /// It was quoted.
  public let isString: Bool
  /// It holds a backslash: its bytes are not what it means.
  public let hasEscapes: Bool

  @inlinable init(start: Int, end: Int, isString: Bool, hasEscapes: Bool) {
    self.start = start
    self.end = end
    self.isString = isString
    self.hasEscapes = hasEscapes
  }
}

/// Where a walker stands, to come back to.
@frozen public struct JsonMark: BitwiseCopyable, Sendable {
  @usableFromInline var place: Int
  @usableFromInline var depth: Int
  /// Bit n: the level n is an object.
  @usableFromInline var objects: UInt64
  @usableFromInline var isFirst: Bool
  @usableFromInline var hasFailed: Bool

  /// The start of a text.
  @inlinable public init() {
    place = 0
    depth = 0
    objects = 0
    isFirst = true
    hasFailed = false
  }
}

/// Walks through a JSON text once, front to back, without building anything.
///
/// The caller says what it expects; whatever else comes, or breaks the grammar, makes the walker fail for good: every method then
/// gives nil or false, and `isValid` is false. The one rule not checked is that strings are UTF-8.
///
/// - Complexity: O(bytes read), no allocation; at most 32 levels of objects and arrays, deeper ones fail.
/// - Source: RFC 8259.
@frozen public struct JsonWalker: ~Escapable, BitwiseCopyable {
  /// The text.
  public let view: ByteView
  @usableFromInline var at: JsonMark

  /// Levels of objects and arrays.
  @inlinable public static var depthMax: Int { 32 }

  /// The text `view`, from its start.
  @_lifetime(copy view)
  @inlinable public init(_ view: ByteView) {
    self.view = view
    at = JsonMark()
  }

  /// Nothing was wrong so far.
  @inlinable public var isValid: Bool { !at.hasFailed }

  /// Where the walker stands.
  @inlinable public var mark: JsonMark { at }

  /// Goes back, or forth, to a mark of the same text.
  @_lifetime(self: copy self)
  @inlinable public mutating func go(to mark: JsonMark) { at = mark }

  @_lifetime(self: copy self)
  @inlinable mutating func fail() {
    at.hasFailed = true
    at.place = view.count
  }

  /// The first byte of what comes next behind white space; 0 at the end.
  @_lifetime(self: copy self)
  @inlinable public mutating func peek() -> UInt8 {
    while at.place < view.count {
      let byte = view.byte(at: at.place)
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      at.place += 1
    }
    return 0
  }

  /// Enters an object.
  @_lifetime(self: copy self)
  @inlinable public mutating func beginObject() -> Bool { begin(UInt8(ascii: "{")) }

  /// Enters an array.
  @_lifetime(self: copy self)
  @inlinable public mutating func beginArray() -> Bool { begin(UInt8(ascii: "[")) }

  @_lifetime(self: copy self)
  @inlinable mutating func begin(_ open: UInt8) -> Bool {
    guard peek() == open, at.depth < Self.depthMax else {
      fail()
      return false
    }
    at.place += 1
    let bit: UInt64 = 1 &<< UInt64(at.depth)
    at.objects = open == UInt8(ascii: "{") ? at.objects | bit : at.objects & ~bit
    at.depth += 1
    at.isFirst = true
    return true
  }

  /// Comes to the next member or element, or leaves what was begun last and gives false.
  @_lifetime(self: copy self)
  @inlinable mutating func advance(_ close: UInt8) -> Bool {
    // A walker that failed stands at the end, maybe before a first element: without this test it would announce that one forever.
    guard at.depth > 0, !at.hasFailed else {
      fail()
      return false
    }
    let byte = peek()
    if byte == close {
      at.place += 1
      at.depth -= 1
      at.isFirst = false
      return false
    }
    guard !at.isFirst else { return true }
    guard byte == UInt8(ascii: ",") else {
      fail()
      return false
    }
    at.place += 1
    return true
  }

  /// The next key of the object entered last; its value comes next. Nil behind the last one.
  @_lifetime(self: copy self)
  @inlinable public mutating func nextKey() -> JsonText? {
    guard advance(UInt8(ascii: "}")) else { return nil }
    guard peek() == UInt8(ascii: "\""), let key = string() else {
      fail()
      return nil
    }
    guard peek() == UInt8(ascii: ":") else {
      fail()
      return nil
    }
    at.place += 1
    return key
  }

  /// There is another element in the array entered last: its value comes next.
  @_lifetime(self: copy self)
  @inlinable public mutating func nextElement() -> Bool { advance(UInt8(ascii: "]")) }

  /// Reads a string, a number, or one of true, false and null.
  @_lifetime(self: copy self)
  @inlinable public mutating func scalar() -> JsonText? {
    peek() == UInt8(ascii: "\"") ? string() : bare()
  }

  @_lifetime(self: copy self)
  @inlinable mutating func string() -> JsonText? {
    let start = at.place + 1
    var end = start
    var hasEscapes = false
    while end < view.count {
      let byte = view.byte(at: end)
      if byte == UInt8(ascii: "\"") {
        at.place = end + 1
        at.isFirst = false
        return JsonText(start: start, end: end, isString: true, hasEscapes: hasEscapes)
      }
      guard byte >= 0x20 else { break }
      end += 1
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        guard let length = escape(at: end) else { break }
        end += length
      }
    }
    fail()
    return nil
  }

  /// Bytes of the escape behind a backslash, or nil when there is none.
  @inlinable func escape(at place: Int) -> Int? {
    guard place < view.count else { return nil }
    switch view.byte(at: place) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return 1
    case UInt8(ascii: "u"):
      return hexadecimal(at: place + 1) == nil ? nil : 5
    default: return nil
    }
  }

  /// The four hexadecimal digits from `place`.
  @inlinable func hexadecimal(at place: Int) -> UInt32? {
    guard place <= view.count - 4 else { return nil }
    var value: UInt32 = 0
    for index in place..<place + 4 {
      let byte = view.byte(at: index)
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: return nil
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  @_lifetime(self: copy self)
  @inlinable mutating func bare() -> JsonText? {
    _ = peek()
    let start = at.place
    var end = start
    while end < view.count, Self.isBare(view.byte(at: end)) { end += 1 }
    let word = view.word(from: start, to: end)
    guard
      word == TextWord("t", "r", "u", "e") || word == TextWord("f", "a", "l", "s", "e")
        || word == TextWord("n", "u", "l", "l") || isNumber(start, end)
    else {
      fail()
      return nil
    }
    at.place = end
    at.isFirst = false
    return JsonText(start: start, end: end, isString: false, hasEscapes: false)
  }

  @inlinable static func isBare(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"),
      UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  @inlinable func isNumber(_ start: Int, _ end: Int) -> Bool {
    var place = start
    func digits() -> Int {
      var count = 0
      while place + count < end, view.byte(at: place + count) &- UInt8(ascii: "0") < 10 { count += 1 }
      return count
    }
    if place < end, view.byte(at: place) == UInt8(ascii: "-") { place += 1 }
    let whole = digits()
    guard whole > 0, whole == 1 || view.byte(at: place) != UInt8(ascii: "0") else { return false }
    place += whole
    if place < end, view.byte(at: place) == UInt8(ascii: ".") {
      place += 1
      let fraction = digits()
      guard fraction > 0 else { return false }
      place += fraction
    }
    if place < end, view.byte(at: place) == UInt8(ascii: "e") || view.byte(at: place) == UInt8(ascii: "E") {
      place += 1
      if place < end, view.byte(at: place) == UInt8(ascii: "-") || view.byte(at: place) == UInt8(ascii: "+") {
        place += 1
      }
      let exponent = digits()
      guard exponent > 0 else { return false }
      place += exponent
    }
    return place == end
  }

  /// Reads over any value.
  ///
  /// - Returns: false when it breaks the grammar.
  @_lifetime(self: copy self)
  @inlinable public mutating func skipValue() -> Bool {
    let outer = at.depth
    var needsValue = true
    // Ends: every turn reads at least one byte or fails.
    while isValid {
      if needsValue {
        let byte = peek()
        if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
          guard begin(byte) else { return false }
        } else {
          guard scalar() != nil else { return false }
        }
      }
      guard at.depth > outer else { return isValid }
      if at.objects & (1 &<< UInt64(at.depth - 1)) != 0 {
        needsValue = nextKey() != nil
      } else {
        needsValue = nextElement()
      }
    }
    return false
  }

  /// Whether the text is over: one value, nothing behind it, nothing wrong.
  @_lifetime(self: copy self)
  @inlinable public mutating func finish() -> Bool {
    _ = peek()
    return isValid && at.depth == 0 && at.place == view.count
  }

  // MARK: - What a scalar means

  /// The characters of `text` packed, `.none` for one with escapes or of more than 16 characters.
  @inlinable public func word(_ text: JsonText) -> TextWord {
    text.hasEscapes ? .none : view.word(from: text.start, to: text.end)
  }

  /// `text` as an exact decimal in units of 10^−`places`, quoted or not, or nil.
  @inlinable public func decimal(_ text: JsonText, places: Int, cuts: Bool = false) -> Int64? {
    var scanner = TextScanner(view.slice(from: text.start, count: text.end - text.start))
    guard let value = scanner.decimal(places: places, cuts: cuts), scanner.isAtEnd else { return nil }
    return value
  }

  /// `text` as an integer, quoted or not, or nil.
  @inlinable public func unsigned(_ text: JsonText) -> UInt64? {
    var scanner = TextScanner(view.slice(from: text.start, count: text.end - text.start))
    guard let value = scanner.unsigned(), scanner.isAtEnd else { return nil }
    return value
  }
}
