// Goal: the text scanner reads exactly what it says and never traps. Method: examples, and random text against String, Array and the slow
// decimal parser of TradingTypes.

import MarketIngest
import TestSupport
import Testing
import TradingTypes

@Suite struct TextScannerTests {
  static func lines(_ text: [UInt8]) -> (lines: [[UInt8]], isOpen: Bool) {
    let view = ByteView(text.span)
    var lines = TextLines(view)
    var found: [[UInt8]] = []
    while let line = lines.next() { found.append((0..<line.count).map { line.byte(at: $0) }) }
    return (found, lines.isLastOpen)
  }

  static func decimal(_ text: String, places: Int) -> Int64? {
    let bytes = Array(text.utf8)
    let view = ByteView(bytes.span)
    var scanner = TextScanner(view)
    guard let value = scanner.decimal(places: places), scanner.isAtEnd else { return nil }
    return value
  }

  @Test(arguments: Seeds.brief)
  func `lines are those of a split of the text`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<400 {
      let alphabet: [UInt8] = [0x0A, 0x0D, 0x0B, 0x8A, 0x00, 0xFF, 0x31, 0x2C, 0x0A]
      let text = (0..<Int(random.next() % 40)).map { _ in alphabet[Int(random.next() % 9)] }
      var expected = text.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
      if expected.last?.isEmpty == true { expected.removeLast() }
      expected = expected.map { $0.last == 0x0D ? $0.dropLast() : $0 }
      let found = Self.lines(text)
      #expect(found.lines == expected, "\(text)")
      #expect(found.isOpen == (text.last.map { $0 != 0x0A } ?? false), "\(text)")
    }
  }

  @Test func `decimals are exact or refused`() {
    let cases: [(String, Int, Int64?)] = [
      ("1", 9, 1_000_000_000), ("-0.5", 9, -500_000_000), ("34200.015105074", 9, 34_200_015_105_074),
      ("0.0000000001", 9, nil), ("0.1230000000000", 9, 123_000_000), ("9223372036.854775807", 9, .max),
      ("9223372036.854775808", 9, nil), ("1.", 9, nil), (".5", 9, nil), ("", 9, nil), ("-", 9, nil), ("1e5", 9, nil),
      ("+1", 9, nil), (" 1", 9, nil), ("1.2.3", 9, nil), ("00012", 0, 12), ("0.20371215", 8, 20_371_215),
      ("18446744073709551616", 0, nil), ("9223372036854775807", 0, .max), ("--1", 0, nil),
      ("1", 18, 1_000_000_000_000_000_000),
      ("10", 18, nil), ("236.47", 2, 23_647), ("236.471", 2, nil),
    ]
    for (text, places, expected) in cases { #expect(Self.decimal(text, places: places) == expected, "\(text)") }
    let cut = Array("1618678142.5575359999".utf8)
    var scanner = TextScanner(ByteView(cut.span))
    let value = scanner.decimal(places: 9, cuts: true)
    #expect(value == 1_618_678_142_557_535_999)
  }

  @Test(arguments: Seeds.brief)
  func `a decimal of random characters is that of the slow parser`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let alphabet = Array("01234567890123456789.-0x")
    var valid = 0
    for _ in 0..<4_000 {
      let text = String((0..<Int(random.next() % 24)).map { _ in alphabet[Int(random.next() % 24)] })
      let places = Int(random.next() % 10)
      // The magnitude 2^63 is the one number of 64 bits that the scanner leaves out.
      let expected = parseDecimal(text, places: places).flatMap { Int64(exactly: $0) }
      if expected != nil { valid += 1 }
      #expect(Self.decimal(text, places: places) == expected, "\(text) at \(places)")
    }
    #expect(valid > 100)
  }

  @Test func `a word packs up to sixteen characters and nothing else`() {
    let text = Array("price_level:0123456789abcdefg".utf8)
    let view = ByteView(text.span)
    let (word, whole, long) = (view.word(from: 0, to: 11), view.word(from: 12, to: 28), view.word(from: 12, to: 29))
    #expect(word == TextWord("p", "r", "i", "c", "e", "_", "l", "e", "v", "e", "l"))
    #expect(whole.low == 0x3736_3534_3332_3130 && whole.high == 0x6665_6463_6261_3938)
    #expect(long == .none)
    for (start, end) in [(-1, 2), (3, 3), (4, 3), (25, 40)] {
      let none = view.word(from: start, to: end)
      #expect(none == .none)
    }
  }
}
