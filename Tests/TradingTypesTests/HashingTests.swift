// Goal: checksums and seeded streams are the published ones, on every machine. Method: published vectors, and twins.
import TestSupport
import Testing
import TradingTypes

@Test(arguments: [
  ("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8"),
])
func `FNV-1a gives the published values`(text: String, digits: String) {
  var hash = FNV1a64()
  for byte in text.utf8 { hash.combine(byte) }
  #expect(hash.hex == digits)
}

@Test func `an integer is hashed as its bytes, lowest first`() {
  var whole = FNV1a64()
  whole.combine(UInt32(0x0403_0201))
  whole.combine(Int16(-2))
  var bytes = FNV1a64()
  for byte in [1, 2, 3, 4, 0xFE, 0xFF] as [UInt8] { bytes.combine(byte) }
  #expect(whole.value == bytes.value)
  #expect(
    hexadecimal(0) == "0000000000000000" && hexadecimal(.max) == "ffffffffffffffff"
      && hexadecimal(0xAB) == "00000000000000ab")
}

@Test(arguments: [
  ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
  ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  (
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
  ),
])
func `SHA-256 gives the published values`(text: String, digits: String) {
  var hash = SHA256()
  hash.combine(text.utf8)
  #expect(hash.hex == digits)
  // A digest does not end the hash.
  #expect(hash.hex == digits)
}

@Test(arguments: Seeds.brief)
func `SHA-256 does not depend on how the bytes arrive`(seed: UInt64) {
  var random = SplitMix64(seed: seed)
  let bytes = (0..<300).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  // Lengths round a block's end, where the padding changes its shape.
  for length in [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 300] {
    var whole = SHA256()
    whole.combine(bytes[..<length])
    var pieces = SHA256()
    var at = 0
    while at < length {
      let next = min(length, at + 1 + random.below(70))
      pieces.combine(bytes[at..<next])
      at = next
    }
    #expect(whole.digest == pieces.digest && whole.digest.count == 32, "seed \(seed), length \(length)")
  }
  var integer = SHA256()
  integer.combine(UInt32(0x6463_6261))
  var text = SHA256()
  text.combine("abcd".utf8)
  #expect(integer.hex == text.hex)
}

@Test func `SplitMix64 gives the published sequence`() {
  // The reference implementation's first outputs for seed 1234567.
  var random = SplitMix64(seed: 1_234_567)
  let expected: [UInt64] = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
  #expect((0..<3).map { _ in random.next() } == expected)
}

@Test(arguments: Seeds.brief)
func `bounded numbers stay in their bounds and reach all of them`(seed: UInt64) {
  var random = SplitMix64(seed: seed)
  var seen = [Int](repeating: 0, count: 10)
  for _ in 0..<10_000 {
    seen[random.below(10)] += 1
    let unit = random.unit()
    #expect(unit >= 0 && unit < 1, "seed \(seed)")
  }
  // A thousand expected in each; 150 is five standard deviations.
  #expect(seen.allSatisfy { abs($0 - 1000) < 150 }, "seed \(seed): \(seen)")
  #expect(random.below(1) == 0)
}
