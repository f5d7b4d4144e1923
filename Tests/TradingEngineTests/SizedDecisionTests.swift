// Goal: a journal gives back every intermediate of a size, and takes no other bytes for one. Method: seeded words, read and written again;
// each byte of an enumeration out of range; a run through a sink that keeps what it is told.

import LockFreeRings
import PositionSizing
import TestSupport
import Testing
import TradingTypes

@testable import TradingEngine

struct SizedDecisionTests {
  private static func bytes(_ words: [UInt64]) -> [UInt8] {
    words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
  }

  /// Words whose enumerations are in range, everything else seeded.
  private static func words(seed: UInt64) -> [UInt64] {
    var random = SplitMix64(seed: seed)
    var words = (0..<SizedDecision.wordCount).map { _ in random.next() }
    let presets = UInt64(SizingPreset.allCases.count)
    let reasons = UInt64(SizingReason.allCases.count)
    words[2] =
      words[2] & 0xffff_ffff | random.next() % (reasons + 1) << 32 | random.next() % presets << 40
      | random.next() % UInt64(SizingCap.allCases.count) << 48 | random.next() % reasons << 56
    words[3] =
      random.next() % 2 | random.next() % UInt64(ContinuousSizing.Cap.allCases.count) << 8
      | random.next() % UInt64(ContinuousSizing.Reason.allCases.count) << 16
    return words
  }

  @Test func `what a journal holds is what was found`() throws {
    for seed in 1...200 as ClosedRange<UInt64> {
      let words = Self.words(seed: seed)
      let bytes = Self.bytes(words)
      let sized = try #require(SizedDecision(journalPayload: bytes.span.bytes), "seed \(seed)")
      let again = sized.journalWords
      #expect((0..<SizedDecision.wordCount).map { again[$0] } == words, "seed \(seed)")
    }
  }

  @Test func `other bytes are none`() {
    let bytes = Self.bytes(Self.words(seed: 7))
    #expect(SizedDecision(journalPayload: bytes.span.bytes) != nil)
    #expect(SizedDecision(journalPayload: Array(bytes.dropLast()).span.bytes) == nil)
    for place in [20, 21, 22, 23, 24, 25, 26, 27, 31] {
      var damaged = bytes
      damaged[place] = 200
      #expect(SizedDecision(journalPayload: damaged.span.bytes) == nil, "byte \(place)")
    }
  }
}
