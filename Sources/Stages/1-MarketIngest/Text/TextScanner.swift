/// Reads numbers and separators from text, front to back.
///
/// Total: every method gives nil or false where the text is not what it reads, and no input traps. A method that fails may have
/// moved `position`, so a caller gives up the line.
///
/// Invariant: `0 <= position <= view.count`.
@frozen public struct TextScanner: ~Escapable, BitwiseCopyable {
  /// The text.
  public let view: ByteView
  /// Bytes read so far.
  @inlinable public var position: Int { place }
  @usableFromInline var place: Int

  /// The text `view` from its byte `position`, which is brought into the view.
  @_lifetime(copy view)
  @inlinable public init(_ view: ByteView, at position: Int = 0) {
    self.view = view
    place = min(max(position, 0), view.count)
  }

  /// Everything is read.
  @inlinable public var isAtEnd: Bool { place == view.count }

  /// The next byte, or nil at the end.
  @inlinable public var next: UInt8? { place < view.count ? view.byte(at: place) : nil }

  /// Reads `byte` if it comes next.
  @_lifetime(self: copy self)
  @inlinable public mutating func skip(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    place += 1
    return true
  }

  /// Reads one byte.
  @_lifetime(self: copy self)
  @inlinable public mutating func character() -> UInt8? {
    guard let byte = next else { return nil }
    place += 1
    return byte
  }

  /// Reads the end of a comma-separated field: a comma, or nothing at the end of the line.
  @_lifetime(self: copy self)
  @inlinable public mutating func endField() -> Bool { isAtEnd || skip(UInt8(ascii: ",")) }

  /// Reads up to the next comma, or the end; the place of the bytes.
  @_lifetime(self: copy self)
  @inlinable public mutating func field() -> Range<Int> {
    let start = place
    while let byte = next, byte != UInt8(ascii: ",") { place += 1 }
    return start..<place
  }

  /// Reads decimal digits, at least one.
  ///
  /// - Returns: nil without a digit or above 2^64 − 1.
  @_lifetime(self: copy self)
  @inlinable public mutating func unsigned() -> UInt64? {
    let start = place
    var value: UInt64 = 0
    while let byte = next {
      // Wrapping: what is no digit becomes 10 or more.
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      let (shifted, isLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, carries) = shifted.addingReportingOverflow(UInt64(digit))
      guard !isLarge, !carries else { return nil }
      value = sum
      place += 1
    }
    return place > start ? value : nil
  }

  /// Reads an optional minus and digits.
  @_lifetime(self: copy self)
  @inlinable public mutating func signed() -> Int64? {
    let isNegative = skip(UInt8(ascii: "-"))
    guard let magnitude = unsigned() else { return nil }
    return Self.signed(magnitude, isNegative: isNegative)
  }

  /// Reads a decimal number, exactly, in units of 10^−`places`: an optional minus, digits, and an optional point with digits.
  ///
  /// - Parameters:
  ///   - places: digits after the point that count, 0 to 18.
  ///   - cuts: digits beyond `places` are dropped. Otherwise they must be 0.
  /// - Returns: nil for anything else, an exponent too, and for what 64 bits do not hold.
  @_lifetime(self: copy self)
  @inlinable public mutating func decimal(places: Int, cuts: Bool = false) -> Int64? {
    let isNegative = skip(UInt8(ascii: "-"))
    guard var value = unsigned() else { return nil }
    var missing = places
    if skip(UInt8(ascii: ".")) {
      let start = place
      while let byte = next {
        // Wrapping: as above.
        let digit = byte &- UInt8(ascii: "0")
        guard digit < 10 else { break }
        place += 1
        guard missing > 0 else {
          if digit != 0, !cuts { return nil }
          continue
        }
        let (shifted, isLarge) = value.multipliedReportingOverflow(by: 10)
        let (sum, carries) = shifted.addingReportingOverflow(UInt64(digit))
        guard !isLarge, !carries else { return nil }
        value = sum
        missing -= 1
      }
      guard place > start else { return nil }
    }
    while missing > 0 {
      let (shifted, isLarge) = value.multipliedReportingOverflow(by: 10)
      guard !isLarge else { return nil }
      value = shifted
      missing -= 1
    }
    return Self.signed(value, isNegative: isNegative)
  }

  @inlinable static func signed(_ magnitude: UInt64, isNegative: Bool) -> Int64? {
    guard magnitude <= UInt64(Int64.max) else { return nil }
    // Cannot overflow: the magnitude fits.
    return isNegative ? 0 &- Int64(magnitude) : Int64(magnitude)
  }
}

/// The lines of a text: what stands between line feeds, without a carriage return at their ends.
///
/// A last line without a line feed is a line too. Empty lines are lines.
@frozen public struct TextLines: ~Escapable, BitwiseCopyable {
  @usableFromInline let view: ByteView
  /// Bytes read so far.
  @inlinable public var position: Int { place }
  @usableFromInline var place = 0
  /// Lines read so far.
  @inlinable public var count: UInt64 { number }
  @usableFromInline var number: UInt64 = 0
  /// The last line had no line feed behind it: a text that ends so may have been cut.
  @inlinable public var isLastOpen: Bool { isOpen }
  @usableFromInline var isOpen = false

  /// The lines of `view`.
  @_lifetime(copy view)
  @inlinable public init(_ view: ByteView) { self.view = view }

  /// The next line, or nil at the end.
  ///
  /// - Complexity: O(line), eight bytes a step.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  @inlinable public mutating func next() -> ByteView? {
    guard place < view.count else { return nil }
    let start = place
    var end = start
    // Wrapping: the view is smaller than 2^63, and a count below 8 makes the limit negative. The eight bytes are tested at once: a
    // byte that is a line feed becomes 0, and only a 0, or a byte above one, borrows into its top bit.
    while end <= view.count &- 8 {
      let bytes = view.littleEndian64(at: end) ^ 0x0A0A_0A0A_0A0A_0A0A
      let found = (bytes &- 0x0101_0101_0101_0101) & ~bytes & 0x8080_8080_8080_8080
      if found != 0 {
        end += found.trailingZeroBitCount >> 3
        break
      }
      end += 8
    }
    while end < view.count, view.byte(at: end) != 0x0A { end += 1 }
    isOpen = end == view.count
    place = isOpen ? end : end + 1
    // Wrapping: lines do not reach 2^64.
    number &+= 1
    if end > start, view.byte(at: end - 1) == 0x0D { end -= 1 }
    return view.slice(from: start, count: end - start)
  }
}

/// How a text ended.
@frozen public enum TextEnding: BitwiseCopyable, Hashable, Sendable {
  /// Lines are left.
  case unfinished
  /// Behind a whole line, or empty.
  case end
  /// The last line has no line feed: its `byteCount` bytes from `offset` were read as a line all the same.
  case openLine(offset: Int, byteCount: Int)
}
