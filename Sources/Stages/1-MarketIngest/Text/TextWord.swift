/// Up to 16 characters of ASCII in two words, the first one lowest: names of feeds compared in two instructions.
///
/// Built from characters rather than a string literal, so that the optimiser folds it to two constants.
@frozen public struct TextWord: BitwiseCopyable, Hashable, Sendable {
  /// Characters 0 to 7.
  public let low: UInt64
  /// Characters 8 to 15.
  public let high: UInt64

  /// The characters in `low` and `high`.
  @inlinable public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// The word spelt by the arguments.
  @inlinable public init(
    _ c0: Unicode.Scalar, _ c1: Unicode.Scalar = "\0", _ c2: Unicode.Scalar = "\0", _ c3: Unicode.Scalar = "\0",
    _ c4: Unicode.Scalar = "\0", _ c5: Unicode.Scalar = "\0", _ c6: Unicode.Scalar = "\0",
    _ c7: Unicode.Scalar = "\0", _ c8: Unicode.Scalar = "\0", _ c9: Unicode.Scalar = "\0",
    _ c10: Unicode.Scalar = "\0", _ c11: Unicode.Scalar = "\0", _ c12: Unicode.Scalar = "\0",
    _ c13: Unicode.Scalar = "\0"
  ) {
    low = Self.word(c0, c1, c2, c3, c4, c5, c6, c7)
    high = Self.word(c8, c9, c10, c11, c12, c13, "\0", "\0")
  }

  @inlinable static func word(
    _ c0: Unicode.Scalar, _ c1: Unicode.Scalar, _ c2: Unicode.Scalar, _ c3: Unicode.Scalar, _ c4: Unicode.Scalar,
    _ c5: Unicode.Scalar, _ c6: Unicode.Scalar, _ c7: Unicode.Scalar
  ) -> UInt64 {
    let first = UInt64(c0.value) | UInt64(c1.value) << 8 | UInt64(c2.value) << 16 | UInt64(c3.value) << 24
    let second = UInt64(c4.value) | UInt64(c5.value) << 8 | UInt64(c6.value) << 16 | UInt64(c7.value) << 24
    return first | second << 32
  }

  /// No characters: what a text longer than 16 characters packs to.
  @inlinable public static var none: TextWord { TextWord(low: 0, high: 0) }
}

extension ByteView {
  /// The bytes `start..<end` packed, or `.none` where they are no part of the view, none, or more than 16.
  @inlinable public func word(from start: Int, to end: Int) -> TextWord {
    guard start >= 0, start < end, end <= count, end - start <= 16 else { return .none }
    return TextWord(low: packed(from: start, to: min(end, start + 8)), high: packed(from: start + 8, to: end))
  }

  @inlinable func packed(from start: Int, to end: Int) -> UInt64 {
    var word: UInt64 = 0
    var index = start
    var shift: UInt64 = 0
    while index < end {
      word |= UInt64(byte(at: index)) << shift
      index += 1
      shift += 8
    }
    return word
  }
}
