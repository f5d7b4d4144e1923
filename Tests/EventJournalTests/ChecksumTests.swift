import TestSupport
import Testing
import TradingTypes

@testable import EventJournal

// Goal: the fast checksums are the standard ones. Method: published check values, and seeded comparison with the plain twins.
@Suite struct ChecksumTests {
  @Test func `the table gives the published checksum of 32 zero bytes`() {
    // RFC 3720, appendix B.4.
    let zeros = [UInt64](repeating: 0, count: 4)
    let ones = [UInt64](repeating: .max, count: 4)
    #expect(CRC32C.reference(words: zeros.span) == 0x8A91_36AA)
    #expect(CRC32C.reference(words: ones.span) == 0x62A8_AB43)
  }

  @Test(arguments: Seeds.brief)
  func `the processor's checksum equals the table's`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for count in [0, 1, 2, 3, 7, 8, 64, 511] {
      let words = (0..<count).map { _ in random.next() }
      let seedOfCRC = UInt32(truncatingIfNeeded: random.next())
      let expected = CRC32C.reference(words: words.span, seed: seedOfCRC)
      #expect(CRC32C.of(words: words.span, seed: seedOfCRC) == expected, "seed \(seed)")
      // A half word and then words is the same as the bytes in one row.
      let half = UInt32(truncatingIfNeeded: random.next())
      var shifted: [UInt64] = []
      var carried = UInt64(half)
      for word in words {
        shifted.append(carried | word << 32)
        carried = word >> 32
      }
      let other = carried | 0xABCD_EF01 << 32
      let whole = CRC32C.reference(words: (shifted + [other]).span)
      var state = CRC32C.of(half: half, words: words.span)
      state = CRC32C.bytewise(0xABCD_EF01, after: state)
      #expect(state == whole, "seed \(seed)")
    }
  }

  @Test(arguments: Seeds.brief)
  func `the chain is SHA-256 of the link before and the bytes`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for count in [0, 1, 3, 4, 5, 11, 12, 100, 1024] {
      let link = ChainDigest(random.next(), random.next(), random.next(), random.next())
      let words = (0..<count).map { _ in random.next() }
      var twin = SHA256()
      for word in [link.words.0, link.words.1, link.words.2, link.words.3] + words { twin.combine(word) }
      #expect(link.extended(by: words.span).description == twin.hex, "seed \(seed), \(count) words")
    }
  }
}

extension CRC32C {
  /// The checksum after four more bytes, bit by bit: a second twin, from the polynomial alone.
  static func bytewise(_ half: UInt32, after crc: UInt32) -> UInt32 {
    var state = ~crc ^ half
    for _ in 0..<32 { state = state & 1 == 1 ? state >> 1 ^ 0x82F6_3B78 : state >> 1 }
    return ~state
  }
}
