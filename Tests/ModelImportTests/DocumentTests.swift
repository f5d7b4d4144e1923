import TestSupport
import Testing
import TradingTypes

@testable import ModelImport

// Goal: documents are read as written, and whatever else the bytes are is refused with its place. Method: examples of
// each rule of the grammar, and numbers that come out wrong when they are rounded twice.
struct DocumentTests {
  private static func json(_ text: String) throws -> DocumentValue {
    var reader = JSONReader(Array(text.utf8), name: "d")
    return try reader.document()
  }

  private static func ubj(_ bytes: [UInt8]) throws -> DocumentValue {
    var reader = UBJReader(bytes, name: "d")
    return try reader.document()
  }

  @Test func `values of JSON are read as written`() throws {
    let value = try Self.json(
      " {\"a\": [1, -2.5e0, true, false, null, \"x\\n\\u00e9\\ud83d\\ude00\\\"\"], \"b\": {}}\n")
    #expect(
      value
        == .table([
          "a": .list([.integer(1), .real(-2.5, -2.5), .boolean(true), .boolean(false), .null, .text("x\né😀\"")]),
          "b": .table([:]),
        ]))
    #expect(try Self.json("-0") == .real(-0.0, -0.0))
    if case .real(let zero, _) = try Self.json("-0") { #expect(zero.sign == .minus) }
    #expect(
      try Self.json("[Infinity, -Infinity]") == .list([.real(.infinity, .infinity), .real(-.infinity, -.infinity)]))
    #expect(try Self.json("99999999999999999999") == .real(1e20, 1e20))
  }

  @Test func `a single is rounded from the text and not from the double`() throws {
    // Just below the middle of two singles; the double nearest to it is the middle, which rounds to even, upward.
    let text = "1.00000017881393432617187499"
    let once = try #require(Float(text))
    #expect(Float(try #require(Double(text))) != once)
    guard case .real(_, let single) = try Self.json(text) else { throw ImportError(file: "", place: "", expected: "") }
    #expect(single == once)
  }

  @Test(arguments: Seeds.brief)
  func `the shortest spelling of any single comes back as it was`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<2_000 {
      let number = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      guard number.isFinite else { continue }
      let place = DocumentPlace(root: try Self.json("[\(number)]"), file: "d")
      #expect(try place.singles().map(\.bitPattern) == [number.bitPattern], "seed \(seed), \(number)")
    }
  }

  @Test(arguments: [
    ("", 0), ("{", 1), ("{\"a\" 1}", 5), ("{\"a\":1,}", 7), ("[1 2]", 3), ("[1,]", 3), ("\"a", 2), ("\"\\x\"", 3),
    ("\"\\ud800\"", 7), ("1 2", 2), ("1e", 2), ("--1", 3), ("tru", 0), ("{\"a\":1,\"a\":2}", 12), ("\"\\u12\"", 3),
  ])
  func `what is no JSON is refused with its byte`(text: String, offset: Int) {
    let error = #expect(throws: ImportError.self, "\(text)") { try Self.json(text) }
    #expect(error?.place == "byte \(offset)", "\(error?.description ?? "")")
  }

  @Test func `nesting is bounded`() {
    for count in [1_000, 1_000_000] {
      #expect(throws: ImportError.self) { try Self.json(String(repeating: "[", count: count)) }
      #expect(throws: ImportError.self) { try Self.json(String(repeating: "{\"a\":", count: count)) }
      #expect(throws: ImportError.self) { try Self.ubj([UInt8](repeating: 0x5B, count: count)) }
    }
    #expect(throws: Never.self) {
      try Self.json(String(repeating: "[", count: 190) + String(repeating: "]", count: 190))
    }
  }

  @Test func `values of UBJ are read as written, numbers from the highest byte`() throws {
    let bytes =
      Array("{i\u{1}a[i\u{7}TFZSi\u{2}xyC!I".utf8) + [0xFF, 0xFE] + Array("]i\u{1}bd".utf8) + [0x3F, 0xC0, 0, 0]
    #expect(
      try Self.ubj(bytes + [0x7D])
        == .table([
          "a": .list([.integer(7), .boolean(true), .boolean(false), .null, .text("xy"), .text("!"), .integer(-2)]),
          "b": .real(1.5, 1.5),
        ]))
    #expect(try Self.ubj(Array("[$l#i\u{2}".utf8) + [0, 0, 1, 0, 0xFF, 0xFF, 0xFF, 0xFF]) == .integers([256, -1]))
    #expect(try Self.ubj(Array("[$d#i\u{1}".utf8) + [0xBF, 0x80, 0, 0]) == .singles([-1]))
    #expect(try Self.ubj(Array("[$D#i\u{1}".utf8) + [0x3F, 0xF0, 0, 0, 0, 0, 0, 0]) == .doubles([1]))
    #expect(try Self.ubj(Array("[#i\u{2}TF".utf8)) == .list([.boolean(true), .boolean(false)]))
  }

  @Test(arguments: [
    // A count beyond the bytes, elements without bytes, a negative length, a type that is none.
    Array("[$d#L".utf8) + [0x7F, 0, 0, 0, 0, 0, 0, 0], Array("[$Z#l".utf8) + [0x7F, 0xFF, 0xFF, 0xFF],
    Array("[$T#i\u{1}".utf8), Array("[#l".utf8) + [0x7F, 0xFF, 0xFF, 0xFF], Array("Si".utf8) + [0xFF],
    Array("[x]".utf8),
    Array("{$i#i\u{1}".utf8), Array("[$d]".utf8), Array("{i\u{1}aTi\u{1}aF}".utf8), [], Array("T ".utf8),
    Array("[$L#L".utf8) + [0x20, 0, 0, 0, 0, 0, 0, 0],
  ])
  func `what is no UBJ is refused with its byte, and takes no memory`(bytes: [UInt8]) {
    let error = #expect(throws: ImportError.self, "\(bytes)") { try Self.ubj(bytes) }
    #expect(error?.place.hasPrefix("byte ") == true)
  }
}
