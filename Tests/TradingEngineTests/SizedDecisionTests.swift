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
    func one<Choice: RawRepresentable<UInt8>>(of choices: [Choice]) -> UInt64 {
      UInt64(choices[Int(random.next() % UInt64(choices.count))].rawValue)
    }
    let reason = random.next() % 3 == 0 ? 0 : one(of: SizingReason.allCases) + 1
    words[2] = words[2] & 0xffff_ffff | reason << 32 | one(of: SizingPreset.allCases) << 40
    words[2] |= one(of: SizingCap.allCases) << 48 | one(of: SizingReason.allCases) << 56
    words[3] = random.next() % 2 | one(of: ContinuousSizing.Cap.allCases) << 8
    words[3] |= one(of: ContinuousSizing.Reason.allCases) << 16
    return words
  }

  @Test func `what a journal holds is what was found`() throws {
    for seed in 1...200 as ClosedRange<UInt64> {
      let words = Self.words(seed: seed)
      let bytes = Self.bytes(words)
      let found = SizedDecision(journalPayload: bytes.span.rawBytes)
      let sized = try #require(found, "seed \(seed)")
      let again = sized.journalWords
      #expect((0..<SizedDecision.wordCount).map { again[$0] } == words, "seed \(seed)")
    }
  }

  @Test func `other bytes are none`() {
    let bytes = Self.bytes(Self.words(seed: 7))
    func isOne(_ bytes: [UInt8]) -> Bool {
      SizedDecision(journalPayload: bytes.span.rawBytes) != nil
    }
    #expect(isOne(bytes))
    #expect(!isOne(Array(bytes.dropLast())))
    for place in [20, 21, 22, 23, 24, 25, 26, 27, 31] {
      var damaged = bytes
      damaged[place] = 200
      #expect(!isOne(damaged), "byte \(place)")
    }
  }
}
