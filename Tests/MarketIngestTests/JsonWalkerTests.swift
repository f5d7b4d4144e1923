// Goal: the walker accepts JSON, refuses everything else and never traps. Method: examples of every rule, and damaged texts against Foundation.

import CAllocationCounter
import Foundation
import MarketIngest
import TestSupport
import Testing
import TradingTypes

@Suite struct JsonWalkerTests {
  static func isValid(_ bytes: [UInt8]) -> Bool {
    var json = JsonWalker(ByteView(bytes.span))
    return json.skipValue() && json.finish()
  }

  static func isValidTwin(_ bytes: [UInt8]) -> Bool {
    (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
  }

  static func instant(_ bytes: [UInt8]) -> Int64? {
    var json = JsonWalker(ByteView(bytes.span))
    guard let text = json.scalar() else { return nil }
    return json.instant(text)
  }

  static let sample = """
    {"a": [1, -2.5e+3, "x\\"y\\\\z\\u00e9\\/", {"": null}], "b":true,"c" : [ ], "d":{},"e":[[[0]],false],"f":"]}"}
    """

  @Test func `the rules of the grammar hold`() {
    let valid = [
      "{}", "[]", " [ 1 , 2 ] ", "\"\"", "0", "-0.1E-7", "true", "null", Self.sample, "[[],[{}]]",
      "\"\\b\\f\\n\\r\\t\"",
    ]
    for text in valid { #expect(Self.isValid(Array(text.utf8)), "\(text)") }
    let invalid = [
      "", " ", "{", "[", "]", "}", "[1,]", "[,1]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}",
      "[1 2]",
      "{\"a\":1 \"b\":2}", "01", "1.", ".5", "+1", "1e", "--1", "tru", "nulll", "\"", "\"\\\"", "\"\\x\"",
      "\"\\u12g4\"",
      "\"\u{1}\"", "[1}", "{\"a\":1]", "1 2", "[] []", "[1,,2]", "{\"a\":1,,\"b\":2}", "'a'", "NaN",
    ]
    for text in invalid { #expect(!Self.isValid(Array(text.utf8)), "\(text)") }
  }

  @Test func `thirty-two levels are walked and one more is refused`() {
    func nested(_ depth: Int) -> [UInt8] {
      Array((0..<depth).map { $0 % 2 == 0 ? "[" : "{\"k\":" }.joined().utf8)
        + Array(("1" + (0..<depth).reversed().map { $0 % 2 == 0 ? "]" : "}" }.joined()).utf8)
    }
    #expect(Self.isValid(nested(32)) && !Self.isValid(nested(33)) && !Self.isValid(nested(3_000)))
    #expect(Self.isValid(nested(1)) && Self.isValid(nested(31)))
  }

  @Test(arguments: Seeds.brief)
  func `a damaged text is valid when Foundation says so`(seed: UInt64) {
    let good = Array(Self.sample.utf8)
    for length in 0..<good.count { #expect(Self.isValid(Array(good[..<length])) == false, "\(length)") }
    var random = SplitMix64(seed: seed)
    let alphabet = Array("{}[]\",:\\01e.-tn u".utf8)
    var validCount = 0
    for _ in 0..<3_000 {
      var bytes = good
      for _ in 0..<1 + Int(random.next() % 2) {
        bytes[Int(random.next() % UInt64(bytes.count))] = alphabet[Int(random.next() % UInt64(alphabet.count))]
      }
      let found = Self.isValid(bytes)
      if found { validCount += 1 }
      #expect(found == Self.isValidTwin(bytes), "\(String(decoding: bytes, as: UTF8.self))")
      _ = Self.isValid((0..<48).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] })
      _ = Self.isValid((0..<48).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }
    #expect(validCount > 100)
  }

  // Found by damaged messages: a walker cut off before a first element announced it for ever.
  @Test(arguments: ["[", "[[", "{\"a\":[", "[x"]) func `a walker that failed announces no more elements`(text: String) {
    let bytes = Array(text.utf8)
    var json = JsonWalker(ByteView(bytes.span))
    let isWhole = json.skipValue()
    let (element, key, scalar) = (json.nextElement(), json.nextKey(), json.scalar())
    #expect(!isWhole && !element && key == nil && scalar == nil && !json.isValid)
  }

  @Test func `members are found in place, and escapes match no name`() {
    let bytes = Array("{\"price\":\"65083.67\",\"\\u0070rice\":1,\"list\":[1,2],\"end\":-7}".utf8)
    var json = JsonWalker(ByteView(bytes.span))
    var (price, sum, keys, escaped): (Int64?, UInt64, Int, Bool) = (nil, 0, 0, false)
    _ = json.beginObject()
    while let key = json.nextKey() {
      keys += 1
      if key.hasEscapes { escaped = json.word(key) == .none }
      if json.word(key) == TextWord("p", "r", "i", "c", "e"), let text = json.scalar() {
        price = json.decimal(text, places: 9)
      } else if json.word(key) == TextWord("l", "i", "s", "t") {
        _ = json.beginArray()
        while json.nextElement() { sum += json.scalar().flatMap { json.unsigned($0) } ?? 100 }
      } else {
        _ = json.skipValue()
      }
    }
    let isEnd = json.finish()
    #expect(isEnd && price == 65_083_670_000_000 && sum == 3 && keys == 4 && escaped)
  }

  @Test func `times of RFC 3339 are those of Foundation`() {
    let formatter = ISO8601DateFormatter()
    var random = SplitMix64(seed: 7)
    for _ in 0..<500 {
      let seconds = Int64(random.next() % 9_000_000_000)
      let text = formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
      let bytes = Array("\"\(text.dropLast()).000000123456Z\"".utf8)
      let found = Self.instant(bytes)
      #expect(found == seconds * 1_000_000_000 + 123, "\(text)")
    }
    for text in ["2026-13-01T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z", "x"] {
      let bytes = Array("\"\(text)\"".utf8)
      let found = Self.instant(bytes)
      #expect(found == nil, "\(text)")
    }
  }

  @Test(.enabled(if: countsAllocations)) func `walking allocates nothing`() {
    let bytes = Array(Self.sample.utf8)
    var valid = 0
    func walk() {
      var json = JsonWalker(ByteView(bytes.span))
      if json.skipValue(), json.finish() { valid += 1 }
    }
    walk()
    martlet_count_begin()
    for _ in 0..<1_000 { walk() }
    let counts = martlet_count_end()
    #expect(counts.allocations == 0 && valid == 1_001)
  }
}
