public import EventJournal
internal import MarketIngest
internal import TradingTypes

// A change of models in a journal: six words, the last two of them version and buckets, place and shard.
extension ModelSwap {
  /// The payload of a `JournalRecord.modelSwap`.
  var journalWords: InlineArray<6, UInt64> {
    [
      sequence, UInt64(bitPattern: time.nanoseconds), model, former,
      UInt64(version) | UInt64(challengerBucketCount) << 32, UInt64(place.rawValue) | UInt64(shard) << 16,
    ]
  }

  /// The change that a journal's record holds, or nil where its bytes are none.
  public init?(journalPayload bytes: RawSpan) {
    guard bytes.byteCount == 48 else { return nil }
    let view = ByteView(bytes)
    func word(_ place: Int) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(view.byte(at: place * 8 + $1)) << UInt64(8 * $1) }
    }
    let (sizes, last) = (word(4), word(5))
    guard let place = ModelPlace(rawValue: UInt8(truncatingIfNeeded: last)), last >> 32 == 0, last >> 8 & 0xff == 0,
      sizes >> 32 <= UInt64(ChallengerSplit.bucketCount), place != .champion || word(2) != 0
    else { return nil }
    self.init(
      sequence: word(0), time: Timestamp(nanoseconds: Int64(bitPattern: word(1))), place: place, model: word(2),
      version: UInt32(truncatingIfNeeded: sizes), former: word(3), challengerBucketCount: UInt32(sizes >> 32),
      shard: UInt16(truncatingIfNeeded: last >> 16))
  }

  /// The changes of the desk of `shard` that the journal in `directory` recorded, in the order in which they took effect: for a
  /// `SwapPlan`.
  ///
  /// - Throws: `JournalError` when a file cannot be read or the journal is damaged.
  public static func recorded(inJournal directory: String, shard: UInt16 = 0) throws(JournalError) -> [ModelSwap] {
    var swaps: [ModelSwap] = []
    let report = try JournalReader.replay(directory: directory) { header, payload in
      guard header.type == JournalRecord.modelSwap.rawValue, let swap = ModelSwap(journalPayload: payload) else {
        return
      }
      if swap.shard == shard { swaps.append(swap) }
    }
    guard report.mayContinue else { throw .damaged(report.end) }
    return swaps
  }
}
