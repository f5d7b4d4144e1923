internal import Glibc
internal import LockFreeRings

/// The bytes of one segment, as words; what a file lacks at its end is not there.
public struct SegmentImage: Sendable {
  /// The number in the file's name.
  public var number: UInt64
  /// The bytes in whole words, the last one filled up with zeros.
  public var words: [UInt64]
  /// How many bytes there are.
  public var byteCount: Int

  /// An image of whole words.
  public init(number: UInt64, words: [UInt64]) {
    self.number = number
    self.words = words
    byteCount = words.count * 8
  }

  /// An image of any bytes.
  public init(number: UInt64, bytes: [UInt8]) {
    self.number = number
    byteCount = bytes.count
    words = [UInt64](repeating: 0, count: (bytes.count + 7) / 8)
    for (place, byte) in bytes.enumerated() { words[place / 8] |= UInt64(byte) << UInt64(8 * (place & 7)) }
  }
}

/// How a journal ends.
public enum JournalEnd: Hashable, Sendable {
  /// With a whole batch; only zeros follow.
  case clean
  /// In a batch that was never acknowledged: `cutBytes` follow the last record of the longest valid prefix, up to the last byte that is not zero
  /// or that is missing; `unsealedRecords` of the prefix stand in a batch without its seal.
  case tornTail(cutBytes: Int, unsealedRecords: UInt64)
  /// Damage before acknowledged data, or a changed history: nothing may be appended.
  case damaged(firstBadSequence: UInt64, segment: UInt64, damage: JournalDamage)
  /// Acknowledged records are gone: the prefix ends before `acknowledged`.
  case acknowledgedIsMissing(acknowledged: UInt64)
}

/// What a journal holds, and whether it can be trusted.
public struct JournalReport: Hashable, Sendable {
  /// How it ends.
  public var end: JournalEnd
  /// Segments looked at.
  public var segments = 0
  /// Sequence of the last record of the longest valid prefix; 0 when there is none.
  public var lastSequence: UInt64 = 0
  /// Sequence of the last record under a valid seal.
  public var lastSealedSequence: UInt64 = 0
  /// The durable sequence that the last valid seal knew of.
  public var durableSequence: UInt64 = 0
  /// The chain at the end of the prefix.
  public var chain = ChainDigest()
  /// Bytes of the last segment that belong to the prefix.
  public var endBytes = 0

  /// Whether a writer may go on: clean or a torn tail.
  public var mayContinue: Bool {
    switch end {
    case .clean, .tornTail: true
    case .damaged, .acknowledgedIsMissing: false
    }
  }
}

/// Reads a journal: any bytes give an answer, none a trap.
public enum JournalReader {
  /// The report on the journal in `directory`.
  ///
  /// - Parameter acknowledged: a sequence that somebody outside knows to be durable: a snapshot, a bridge, a watermark; 0 when nobody does.
  /// - Throws: `JournalError.storage` when a file cannot be read: never taken for absent.
  public static func verify(
    directory: String, acknowledged: UInt64 = 0
  ) throws(JournalError) -> JournalReport {
    verify(segments: try SegmentFiles.readAll(in: directory), acknowledged: acknowledged)
  }

  /// The report on a journal whose segments are in memory, in rising order of their numbers.
  public static func verify(segments: [SegmentImage], acknowledged: UInt64 = 0) -> JournalReport {
    var scan = JournalScan()
    scan.run(segments)
    if scan.report.mayContinue {
      let known = max(acknowledged, scan.report.durableSequence)
      if scan.report.lastSequence < known { scan.report.end = .acknowledgedIsMissing(acknowledged: known) }
    }
    return scan.report
  }

  /// Gives every record of the longest valid prefix to `visit`, in order, seals left out; the report.
  ///
  /// The payload is the bytes as they were published.
  public static func replay(
    segments: [SegmentImage], acknowledged: UInt64 = 0, _ visit: (RecordHeader, RawSpan) -> Void
  ) -> JournalReport {
    let report = verify(segments: segments, acknowledged: acknowledged)
    var next: UInt64 = 1
    for segment in segments {
      // Verified: what is below `lastSequence` parses again as it did there.
      guard let header = try? SegmentHeader(parsing: segment) else { break }
      if next == 1 { next = header.firstSequence }
      var place = JournalFormat.blockWords
      while next <= report.lastSequence {
        guard case .record(let record, let count) = RecordScan.at(place, in: segment.words.span, epoch: header.epoch)
        else { break }
        if record.flags.contains(.seal) {
          place = JournalFormat.blockAligned(place + count)
          continue
        }
        guard record.sequence == next else { break }
        let payload = segment.words.span.extracting((place + JournalFormat.headerWords)..<(place + count))
        visit(record, payload.rawBytes.extracting(0..<record.payloadBytes))
        // Wrapping: the numbers come from a file.
        next &+= 1
        place += count
      }
    }
    return report
  }

  /// The same for the journal in `directory`.
  ///
  /// - Throws: `JournalError.storage` when a file cannot be read.
  public static func replay(
    directory: String, acknowledged: UInt64 = 0, _ visit: (RecordHeader, RawSpan) -> Void
  ) throws(JournalError) -> JournalReport {
    replay(segments: try SegmentFiles.readAll(in: directory), acknowledged: acknowledged, visit)
  }
}

/// What stands at one place of a segment.
enum RecordScan {
  /// Zeros where a record would begin.
  case nothing
  /// A record that validates, and its words.
  case record(RecordHeader, Int)
  /// Bytes that are no record.
  case invalid

  static func at(_ place: Int, in words: Span<UInt64>, epoch: UInt32) -> RecordScan {
    guard place >= 0, place + JournalFormat.headerWords <= words.count else {
      return place == words.count ? .nothing : .invalid
    }
    let head = words.extracting(place..<(place + JournalFormat.headerWords))
    if head[0] == 0 && head[1] == 0 { return .nothing }
    guard let header = RecordHeader(words: head) else { return .invalid }
    let count = JournalFormat.recordWords(payloadBytes: header.payloadBytes)
    guard place + count <= words.count else { return .invalid }
    let rest = words.extracting((place + 1)..<(place + count))
    let crc = CRC32C.masked(CRC32C.of(half: header.lengthWord, words: rest))
    guard UInt32(truncatingIfNeeded: head[0]) == crc, header.epoch == epoch else { return .invalid }
    return .record(header, count)
  }
}
