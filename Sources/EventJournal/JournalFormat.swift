public import TradingTypes

// The layout of a journal, in 64-bit little-endian words.
//
//     segment: header block of 4 KiB, then batches, then zeros up to the segment's size
//     batch:   starts on a 4 KiB boundary: records, a seal, zeros up to the next boundary
//     record:  48 bytes of header, payload filled up to 8 bytes with zeros
//              +0  CRC32C masked, over all that follows   +4  payload length
//              +8  sequence                               +16 segment epoch   +20 type   +22 schema version   +23 flags
//              +24 event time                             +32 trace source    +40 trace sequence
//     seal:    a record whose sequence is that of the batch's last event; its payload:
//              first sequence, last sequence, count, durable sequence known when it was written, chain (32 bytes)

/// Sizes and marks of the format.
enum JournalFormat {
  static let magic: UInt64 = 0x4A54_454C_5452_414D  // "MARTLETJ"
  static let version: UInt32 = 1
  static let blockWords = 512
  static let headerWords = 6
  static let sealPayloadWords = 8
  static let sealWords = headerWords + sealPayloadWords
  static let payloadBytesMax = 1 << 20

  /// Words of a record with `payloadBytes` of payload.
  static func recordWords(payloadBytes: Int) -> Int { headerWords + (payloadBytes + 7) / 8 }

  /// `words` rounded up to whole blocks.
  static func blockAligned(_ words: Int) -> Int { (words + blockWords - 1) / blockWords * blockWords }
}

/// Marks of a record.
public struct RecordFlags: OptionSet, BitwiseCopyable, Hashable, Sendable {
  /// The bits as stored.
  public var rawValue: UInt8
  /// Marks as stored.
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// The first record of a batch.
  public static let batchFirst = RecordFlags(rawValue: 1)
  /// The last event of a batch; the seal follows.
  public static let batchLast = RecordFlags(rawValue: 2)
  /// A seal: no event, the reader's business only.
  public static let seal = RecordFlags(rawValue: 4)
}

/// What stands before a record's payload.
public struct RecordHeader: BitwiseCopyable, Hashable, Sendable {
  /// Bytes of payload.
  public var payloadBytes: Int
  /// Position in the journal, from 1; a seal has that of its batch's last event.
  public var sequence: UInt64
  /// Random number of the segment, so that stale bytes of recycled space never validate.
  public var epoch: UInt32
  /// The host's number for the kind of event.
  public var type: UInt16
  /// Version of the payload's layout.
  public var schemaVersion: UInt8
  /// Place in the batch.
  public var flags: RecordFlags
  /// Event time, never before that of an earlier record.
  public var time: Timestamp
  /// The market event that caused it.
  public var trace: TraceID

  var lengthWord: UInt32 { UInt32(truncatingIfNeeded: payloadBytes) }
  var kindWord: UInt64 {
    UInt64(epoch) | UInt64(type) << 32 | UInt64(schemaVersion) << 48 | UInt64(flags.rawValue) << 56
  }

  /// The header in six words, which are there, or nil where no length like that can be.
  init?(words: Span<UInt64>) {
    payloadBytes = Int(words[0] >> 32)
    guard payloadBytes <= JournalFormat.payloadBytesMax else { return nil }
    sequence = words[1]
    epoch = UInt32(truncatingIfNeeded: words[2])
    type = UInt16(truncatingIfNeeded: words[2] >> 32)
    schemaVersion = UInt8(truncatingIfNeeded: words[2] >> 48)
    flags = RecordFlags(rawValue: UInt8(truncatingIfNeeded: words[2] >> 56))
    time = Timestamp(nanoseconds: Int64(bitPattern: words[3]))
    trace = TraceID(source: words[4], sequence: words[5])
  }

  init(
    payloadBytes: Int, sequence: UInt64, epoch: UInt32, type: UInt16, schemaVersion: UInt8, flags: RecordFlags,
    time: Timestamp, trace: TraceID
  ) {
    self.payloadBytes = payloadBytes
    self.sequence = sequence
    self.epoch = epoch
    self.type = type
    self.schemaVersion = schemaVersion
    self.flags = flags
    self.time = time
    self.trace = trace
  }
}

/// The first block of a segment.
struct SegmentHeader: Hashable, Sendable {
  var flags: UInt32 = 0
  var journal: JournalID
  var number: UInt64
  var epoch: UInt32
  var schema: UInt32
  var firstSequence: UInt64
  /// Bytes of the segment before that were accepted; 0 in the first segment.
  var previousEndBytes: UInt64
  /// The chain where the segment before was accepted to end.
  var previousChain: ChainDigest
  var wallTime: Int64
  var monotonicTime: Int64
  var segmentBytes: UInt64

  /// The segment before ended in a cut tail: what follows its accepted end is not read.
  static let previousWasCut: UInt32 = 1

  /// The block.
  var words: [UInt64] {
    var words = [UInt64](repeating: 0, count: JournalFormat.blockWords)
    words[0] = JournalFormat.magic
    words[1] = UInt64(JournalFormat.version) | UInt64(flags) << 32
    (words[2], words[3]) = (journal.low, journal.high)
    words[4] = number
    words[5] = UInt64(epoch) | UInt64(schema) << 32
    words[6] = firstSequence
    words[7] = previousEndBytes
    (words[8], words[9], words[10], words[11]) = previousChain.words
    words[12] = UInt64(bitPattern: wallTime)
    words[13] = UInt64(bitPattern: monotonicTime)
    words[14] = segmentBytes
    words[511] = UInt64(CRC32C.masked(CRC32C.of(words: words.span.extracting(0..<511)))) << 32
    return words
  }

  init(
    flags: UInt32, journal: JournalID, number: UInt64, epoch: UInt32, schema: UInt32, firstSequence: UInt64,
    previousEndBytes: UInt64, previousChain: ChainDigest, wallTime: Int64, monotonicTime: Int64, segmentBytes: UInt64
  ) {
    self.flags = flags
    self.journal = journal
    self.number = number
    self.epoch = epoch
    self.schema = schema
    self.firstSequence = firstSequence
    self.previousEndBytes = previousEndBytes
    self.previousChain = previousChain
    self.wallTime = wallTime
    self.monotonicTime = monotonicTime
    self.segmentBytes = segmentBytes
  }

  /// The header of `image`, or why there is none.
  init(parsing image: SegmentImage) throws(JournalDamage) {
    let words = image.words.span
    guard words.count >= JournalFormat.blockWords else { throw .headerIsCutOff }
    let block = words.extracting(0..<JournalFormat.blockWords)
    guard block[511] == UInt64(CRC32C.masked(CRC32C.of(words: block.extracting(0..<511)))) << 32 else {
      throw .headerChecksum
    }
    guard block[0] == JournalFormat.magic else { throw .headerChecksum }
    let version = UInt32(truncatingIfNeeded: block[1])
    guard version == JournalFormat.version else { throw .unknownVersion(version) }
    self.init(
      flags: UInt32(truncatingIfNeeded: block[1] >> 32), journal: JournalID(low: block[2], high: block[3]),
      number: block[4], epoch: UInt32(truncatingIfNeeded: block[5]), schema: UInt32(truncatingIfNeeded: block[5] >> 32),
      firstSequence: block[6], previousEndBytes: block[7],
      previousChain: ChainDigest(block[8], block[9], block[10], block[11]), wallTime: Int64(bitPattern: block[12]),
      monotonicTime: Int64(bitPattern: block[13]), segmentBytes: block[14])
  }
}

/// Names one journal, so that segments of two never mix: 128 random bits.
public struct JournalID: BitwiseCopyable, Hashable, Sendable {
  /// The first eight bytes.
  public var low: UInt64
  /// The last eight bytes.
  public var high: UInt64
  /// The journal of these bits.
  public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }
}

/// What is wrong with a journal at one place.
public enum JournalDamage: Error, Hashable, Sendable {
  /// A segment is shorter than its header block.
  case headerIsCutOff
  /// The header's checksum or magic is wrong.
  case headerChecksum
  /// The header is of a version this code does not know.
  case unknownVersion(UInt32)
  /// A header names another journal, number or size than it should.
  case headerMismatch
  /// A segment between two others is not there.
  case missingSegment(number: UInt64)
  /// A header does not continue where the segment before ends.
  case brokenLink
  /// A record's checksum, length or epoch is wrong.
  case recordChecksum
  /// A valid record has another sequence than the one that must come.
  case recordSequence
  /// A seal disagrees with the batch it closes: the bytes were changed and their checksums made to fit.
  case sealMismatch
  /// Bytes that must be zero are not.
  case paddingNotZero
}
