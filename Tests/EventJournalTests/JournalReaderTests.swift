import EventJournal
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

// Goal: the reader tells any damage from a clean end, names the place, and never traps. Method: every truncation and every bit of a small
// journal (in debug each so many-th), later damage in the middle, changed histories, and random bytes.
@Suite struct JournalReaderTests {
  /// Three batches in a segment of five blocks: 20 KiB, header and an empty block included.
  static let small = smallConfiguration(segmentBytes: 20 << 10, batchBytesMax: 4 << 10)

  @Test func `nothing is a clean journal`() {
    let report = JournalReader.verify(segments: [])
    #expect(report.end == .clean && report.lastSequence == 0 && report.segments == 0)
  }

  @Test func `segments without a record link like others`() throws {
    let storage = SimulatedStorage()
    for round in 0..<4 {
      let journal = try SteppedJournal(storage: storage, configuration: Self.small, in: Arena(capacityBytes: 2 << 20))
      let found = journal.recovered
      #expect(found.end == .clean && found.segments == round && found.lastSequence == 0)
    }
  }

  @Test func `every truncation leaves the longest valid prefix`() throws {
    let images = try journalOfTicks(batches: 3, batchTicks: 40, configuration: Self.small)
    #expect(images.count == 1)
    let image = images[0]
    // The offset each record ends at: 72 bytes a tick, 40 ticks to a batch, batches at 4096, 8192 and 12288.
    let ends = (0..<120).map { 4096 * (1 + $0 / 40) + 72 * ($0 % 40 + 1) }
    let bytes = (0..<image.byteCount).map { UInt8(truncatingIfNeeded: image.words[$0 / 8] >> UInt64(8 * ($0 & 7))) }
    for count in stride(from: 0, to: bytes.count, by: isDebug ? 89 : 1) {
      let report = JournalReader.verify(segments: [SegmentImage(number: 1, bytes: Array(bytes[..<count]))])
      if count < 4096 {
        guard case .damaged(1, 1, _) = report.end else {
          Issue.record("\(count) bytes: \(report)")
          return
        }
      } else {
        let expected = UInt64(ends.count { $0 <= count })
        // A seal ends in the block of its batch, so zeros cut behind it change nothing but the length.
        guard report.lastSequence == expected, case .tornTail = report.end else {
          Issue.record("\(count) bytes: \(report), expected \(expected)")
          return
        }
      }
    }
  }

  @Test func `every flipped bit is detected, and the first bad record named`() throws {
    let images = try journalOfTicks(batches: 3, batchTicks: 40, configuration: Self.small)
    var image = images[0]
    let good = JournalReader.verify(segments: [image])
    #expect(good.end == .clean && good.lastSequence == 120)
    for bit in stride(from: 0, to: image.byteCount * 8, by: isDebug ? 331 : 1) {
      image.words[bit / 64] ^= 1 << UInt64(bit % 64)
      let report = JournalReader.verify(segments: [image])
      image.words[bit / 64] ^= 1 << UInt64(bit % 64)
      let offset = bit / 8
      switch report.end {
      case .damaged(let sequence, 1, _):
        let block = offset / 4096
        let place = offset % 4096
        let exact = UInt64(max(0, block - 1) * 40 + place / 72 + 1)
        let first = UInt64(max(0, block - 1) * 40 + 1)
        // In a seal or its filling the batch is named, behind it or in it.
        guard block == 0 ? sequence == 1 : sequence == exact || sequence == first || sequence == first + 40 else {
          Issue.record("bit \(bit): \(report)")
          return
        }
      case .tornTail:
        // Only the last batch, or the zeros behind it, can look like a crash.
        guard offset >= 3 * 4096 else {
          Issue.record("bit \(bit): \(report)")
          return
        }
      default:
        Issue.record("bit \(bit): \(report)")
        return
      }
    }
  }

  @Test func `a torn last batch that was acknowledged is missed when anybody knows of it`() throws {
    var image = try journalOfTicks(batches: 3, batchTicks: 40, configuration: Self.small)[0]
    image.words[3 * 512 + 8] ^= 1
    let report = JournalReader.verify(segments: [image])
    #expect(report.mayContinue && report.lastSequence == 80 && report.durableSequence == 40)
    let known = JournalReader.verify(segments: [image], acknowledged: 120)
    #expect(known.end == .acknowledgedIsMissing(acknowledged: 120))
  }

  @Test func `damage before a later segment is damage, wherever it lies`() throws {
    let images = try journalOfTicks(batches: 14, batchTicks: 40, configuration: Self.small)
    #expect(images.count > 3)
    #expect(JournalReader.verify(segments: images).end == .clean)
    var random = SplitMix64(seed: 7)
    for _ in 0..<(isDebug ? 30 : 300) {
      var damaged = images
      let victim = random.below(images.count - 1)
      let bit = random.below(images[victim].byteCount * 8)
      damaged[victim].words[bit / 64] ^= 1 << UInt64(bit % 64)
      let report = JournalReader.verify(segments: damaged)
      guard case .damaged = report.end else {
        Issue.record("segment \(victim), bit \(bit): \(report)")
        return
      }
      #expect(!report.mayContinue)
    }
    for victim in 1..<(images.count - 1) {
      var missing = images
      missing.remove(at: victim)
      let report = JournalReader.verify(segments: missing)
      let sequence = UInt64(victim) * 160 + 1
      #expect(
        report.end
          == .damaged(
            firstBadSequence: sequence, segment: UInt64(victim) + 2, damage: .missingSegment(number: UInt64(victim) + 1)
          )
          || report.end == .damaged(firstBadSequence: sequence, segment: UInt64(victim), damage: .brokenLink),
        "\(report)")
    }
  }

  @Test func `a record that was changed together with its checksum is found by the chain`() throws {
    var image = try journalOfTicks(batches: 3, batchTicks: 40, configuration: Self.small)[0]
    for tick in [0, 17, 39] {
      let place = 1024 + tick * 9
      image.words[place + 7] ^= 0xFF
      fixChecksum(&image, at: place, count: 9)
      let report = JournalReader.verify(segments: [image])
      #expect(report.end == .damaged(firstBadSequence: 41, segment: 1, damage: .sealMismatch))
      image.words[place + 7] ^= 0xFF
      fixChecksum(&image, at: place, count: 9)
    }
    #expect(JournalReader.verify(segments: [image]).end == .clean)
  }

  /// Writes the right checksum over the record at `place`, as a forger would: bit by bit from the polynomial.
  func fixChecksum(_ image: inout SegmentImage, at place: Int, count: Int) {
    var state = ~UInt32(0)
    func take(_ half: UInt32) {
      state ^= half
      for _ in 0..<32 { state = state & 1 == 1 ? state >> 1 ^ 0x82F6_3B78 : state >> 1 }
    }
    take(UInt32(image.words[place] >> 32))
    for word in image.words[(place + 1)..<(place + count)] {
      take(UInt32(truncatingIfNeeded: word))
      take(UInt32(word >> 32))
    }
    let crc = ~state
    let masked = (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    image.words[place] = image.words[place] & ~0xFFFF_FFFF | UInt64(masked)
  }

  @Test(arguments: Seeds.brief)
  func `random bytes and random mutations never trap`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let images = try journalOfTicks(batches: 6, batchTicks: 40, configuration: Self.small)
    for _ in 0..<(isDebug ? 20 : 200) {
      let noise = (0..<random.below(9_000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let report = JournalReader.verify(segments: [SegmentImage(number: random.next(), bytes: noise)])
      #expect(report.lastSequence == 0, "seed \(seed)")
      var mutated = images
      for _ in 0..<(1 + random.below(5)) {
        let victim = random.below(mutated.count)
        let place = random.below(mutated[victim].words.count)
        mutated[victim].words[place] = random.next() >> UInt64(random.below(64))
      }
      var count: UInt64 = 0
      let found = JournalReader.replay(segments: mutated) { _, _ in count += 1 }
      #expect(count == found.lastSequence && count <= 240, "seed \(seed)")
    }
  }
}
