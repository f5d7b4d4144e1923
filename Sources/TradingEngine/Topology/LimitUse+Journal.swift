public import EventJournal
public import LockFreeRings
internal import MarketIngest

// A use of a shared limit in a journal: six words, the last of them user, kind, grant and the limit's number.
extension LimitUse {
  /// The payload of a `JournalRecord.limitUse`.
  var journalWords: InlineArray<6, UInt64> {
    [
      ticket, tag, UInt64(bitPattern: stake), UInt64(bitPattern: amount), UInt64(bitPattern: used),
      UInt64(user) | UInt64(kind.rawValue) << 32 | (isGranted ? 1 << 40 : 0) | UInt64(number) << 48,
    ]
  }

  /// The use that a journal's record holds, or nil where its bytes are none.
  public init?(journalPayload bytes: RawSpan) {
    guard bytes.byteCount == 48 else { return nil }
    let view = ByteView(bytes)
    func word(_ place: Int) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(view.byte(at: place * 8 + $1)) << UInt64(8 * $1) }
    }
    let last = word(5)
    guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: last >> 32)), last >> 41 & 0x7f == 0 else {
      return nil
    }
    self.init(
      number: UInt16(truncatingIfNeeded: last >> 48),
      ticket: word(0), tag: word(1), user: UInt32(truncatingIfNeeded: last), kind: kind,
      stake: Int64(bitPattern: word(2)), amount: Int64(bitPattern: word(3)), used: Int64(bitPattern: word(4)),
      isGranted: last >> 40 & 1 == 1)
  }

  /// The uses that the journal in `directory` recorded, limit by limit in ticket order: what a replay repeats.
  ///
  /// - Throws: `JournalError` when a file cannot be read.
  public static func recorded(inJournal directory: String) throws(JournalError) -> [LimitUse] {
    var uses: [LimitUse] = []
    _ = try JournalReader.replay(directory: directory) { header, payload in
      if header.type == JournalRecord.limitUse.rawValue, let use = LimitUse(journalPayload: payload) {
        uses.append(use)
      }
    }
    return uses.sorted(by: isRecordedBefore)
  }

  /// The first use that is missing in `uses`, which are sorted by limit and ticket; nil where they are whole records.
  public static func firstGap(in uses: [LimitUse]) -> (number: UInt16, ticket: UInt64)? {
    var (number, ticket) = (UInt16.max, UInt64(0))
    for use in uses {
      if use.number != number { (number, ticket) = (use.number, 0) }
      guard use.ticket == ticket else { return (number, ticket) }
      // Wrapping: as many as there are elements.
      ticket &+= 1
    }
    return nil
  }

  /// The order of records: by limit, then by ticket.
  static func isRecordedBefore(_ first: LimitUse, _ second: LimitUse) -> Bool {
    (first.number, first.ticket) < (second.number, second.ticket)
  }
}
