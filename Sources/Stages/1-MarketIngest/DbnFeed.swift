public import LockFreeRings
public import TradingTypes

/// The records of a Databento DBN file (versions 1 to 3) as market events: orders (MBO), levels (MBP-1, MBP-10, TBBO) and trades.
///
/// Total: any bytes behind the metadata give events, counted refusals and an ending, never a trap.
///
/// - **MBO.** A adds, M modifies (the place in the queue is kept unless the price changes or the size grows), R clears. C takes its size
///   off the order, which leaves where nothing is left; a C of size 0 deletes it. A and M say what the order is, so they need price and
///   size; a C needs the order number alone. T is a printable trade. F, the resting order's part in a trade, is `.information` with the
///   order, price and size, because its T prints the trade and a C or M takes the size. N is `.information`.
/// - **Levels.** A record shows whole sides; the events are what differs from the instrument's record before: first the levels that left
///   (`setLevel` to 0), then those that came or changed, then the trade of a T. Behind them the book is the record's. R clears first.
/// - **Sides.** The feed's side of a trade is the aggressor's; the event's is the resting order's, as everywhere. Without one (N) the
///   event has no `.hasSide`.
/// - **Sizes** are lots of the venue, **times** the venue's own (`ts_event`), nanoseconds of the Unix epoch. Records of a snapshot have
///   `.snapshot`, orders that are not the last of an exchange's event `.partial`. `newReference` of a trade or F is the venue's sequence
///   number, which a T shares with its Fs.
/// - **Refused** are undefined times, prices and sizes where one is needed, prices not above 0 (spreads can have them; books cannot),
///   levels out of order, MBO records that are no orders (flagged as top of book or as an aggregated level: `.unknownType`), and records
///   of instruments beyond the capacity (`.invalidSymbol`). Records of other known types are counted by type and left out.
///
/// - Complexity: O(1) a record, O(levels) for one with levels; no allocation after `init`.
/// - Source: Databento Binary Encoding, record layouts of MBO, MBP-0, MBP-1 and MBP-10, and the standards on flags and actions.
@frozen public struct DbnFeed: ~Copyable, ~Escapable {
  /// How the bytes ended.
  @frozen public enum Ending: BitwiseCopyable, Hashable, Sendable {
    /// Records remain.
    case unread
    /// Behind the last record.
    case end
    /// An incomplete record of `byteCount` bytes starts at `offset`.
    case truncated(offset: Int, byteCount: Int)
    /// The record at `offset` states `byteCount` bytes, fewer than its header has: the framing is lost.
    case shortRecord(offset: Int, byteCount: Int)
  }

  @usableFromInline let view: ByteView
  @usableFromInline var position: Int
  @usableFromInline var state: Ending
  @usableFromInline let extraBytes: Int
  @usableFromInline let venue: VenueID
  @usableFromInline var change: DbnChange
  /// What stands before the records.
  public let metadata: DbnMetadata
  /// The instruments met so far.
  public var instruments: DbnInstruments
  /// What was seen: `byType` by record type.
  public var counters: FeedCounters
  /// Records, refused ones too, that the source flagged as of a book that may be wrong, because it saw a gap: where `next` made the number
  /// grow, the book of its event is to be marked stale.
  public var suspectCount: UInt64

  /// Bytes of the header of every record.
  @inlinable static var headerBytes: Int { 16 }

  /// The records of a whole DBN file.
  ///
  /// - Parameters:
  ///   - bytes: the file from its first byte, not compressed.
  ///   - instruments: most instruments, a publisher's each; they get the ids from 0 in the order of their first record.
  ///   - venue: the venue every event carries.
  ///   - arena: gives `DbnInstruments.byteCount(capacity: instruments)`.
  /// - Throws: `ConfigurationError` where the metadata is damaged.
  @_lifetime(copy bytes)
  public init(
    _ bytes: RawSpan, instruments capacity: Int, venue: VenueID = VenueID(index: 0), in arena: Arena
  ) throws(ConfigurationError) {
    let metadata = try DbnMetadata(bytes)
    let instruments = DbnInstruments(capacity: capacity, in: arena)
    view = ByteView(bytes)
    position = metadata.recordsOffset
    state = .unread
    extraBytes = metadata.hasSendTimes ? 8 : 0
    self.venue = venue
    change = DbnChange()
    self.metadata = metadata
    self.instruments = instruments
    counters = FeedCounters()
    suspectCount = 0
  }

  /// How the bytes ended: `unread` until `next` answered nil.
  @inlinable public var ending: Ending { state }

  /// Offset of the next record.
  @inlinable public var offset: Int { position }

  /// The symbol of `instrument` by the mappings of the metadata, or nil where there is none of at most 16 characters.
  ///
  /// - Complexity: O(mappings).
  public func symbol(of instrument: InstrumentID) -> Symbol? {
    instruments.number(of: instrument).flatMap { metadata.symbol(ofInstrument: $0, in: view) }
  }

  /// The next event, or nil at the end; `ending` then says which end.
  @inlinable public mutating func next() -> MarketEvent? {
    while true {
      if change.step != .done, let event = nextChange() { return event }
      // Wrapping, here and below: places in the view and sums of at most two records.
      let rest = view.count &- position
      guard rest >= Self.headerBytes else {
        end(rest: rest)
        return nil
      }
      let start = position
      let length = Int(view.byte(at: start)) &* 4
      guard length >= Self.headerBytes, length <= rest else {
        end(rest: rest)
        return nil
      }
      position = start &+ length
      let type = view.byte(at: start &+ 1)
      if type == DbnRecord.mbo {
        guard length == 56 &+ extraBytes else {
          counters.count(.wrongLength)
          continue
        }
        if let event = order(view.slice(from: start, count: 56)) { return event }
      } else if let event = other(type, at: start, length: length) {
        return event
      }
    }
  }

  @usableFromInline @inline(never) mutating func end(rest: Int) {
    guard rest > 0 else {
      state = .end
      return
    }
    let length = Int(view.byte(at: position)) * 4
    state =
      length < Self.headerBytes
      ? .shortRecord(offset: position, byteCount: length) : .truncated(offset: position, byteCount: rest)
  }

  /// The event of one MBO record, or nil, counted.
  @inlinable @inline(__always) mutating func order(_ record: ByteView) -> MarketEvent? {
    let action = record.byte(at: 38)
    let letter = record.byte(at: 39)
    let flags = record.byte(at: 36)
    let price = Int64(bitPattern: record.littleEndian64(at: 24))
    let size = record.littleEndian32(at: 32)
    let time = Int64(bitPattern: record.littleEndian64(at: 8))
    // Wrapping: a count of records does not reach 2^64.
    suspectCount &+= UInt64(flags & DbnRecord.suspect) / UInt64(DbnRecord.suspect)
    let hasPrice = price > 0 && price != .max
    let isBuy = letter == 0x42 /* B */
    let hasSide = isBuy || letter == 0x41 /* A */
    guard hasSide || letter == 0x4E /* N */ else { return refuse(.invalidSide) }
    guard time >= 0 else { return refuse(.invalidTime) }
    // Of a clear and of nothing the size means nothing, and a clear that is refused would leave a wrong book.
    let hasSize = size != .max
    guard hasSize || action == 0x52 /* R */ || action == 0x4E /* N */ else { return refuse(.invalidQuantity) }
    var kind = MarketEventKind.information
    var side: Side = isBuy ? .buy : .sell
    var bits = DbnRecord.eventFlags(flags)
    switch action {
    case 0x41 /* A */, 0x4D /* M */:
      kind = action == 0x41 ? .addOrder : .modifyOrder
      guard hasPrice else { return refuse(.invalidPrice) }
      guard size > 0 else { return refuse(.invalidQuantity) }
      guard flags & DbnRecord.notOrders == 0 else { return refuse(.unknownType) }
      guard hasSide || kind == .modifyOrder else { return refuse(.invalidSide) }
    case 0x43 /* C */:
      guard flags & DbnRecord.notOrders == 0 else { return refuse(.unknownType) }
      kind = size > 0 ? .reduceOrder : .deleteOrder
    case 0x54 /* T */:
      guard hasPrice else { return refuse(.invalidPrice) }
      guard size > 0 else { return refuse(.invalidQuantity) }
      kind = .trade
      side = isBuy ? .sell : .buy
      bits |= MarketEventFlags.printable.rawValue
    case 0x52 /* R */: kind = .clearBook
    case 0x46 /* F */, 0x4E /* N */: break
    default: return refuse(.malformed)
    }
    guard let instrument = instruments.id(of: Self.key(of: record)) else { return refuse(.invalidSymbol) }
    counters.count(type: DbnRecord.mbo)
    if hasSide { bits |= MarketEventFlags.hasSide.rawValue }
    let isPrinted = kind == .trade || action == 0x46
    return MarketEvent(
      kind: kind, sequence: counters.messages, time: Timestamp(nanoseconds: time),
      instrument: InstrumentID(index: instrument), venue: venue,
      reference: OrderReference(value: record.littleEndian64(at: 16)),
      newReference: OrderReference(value: isPrinted ? UInt64(record.littleEndian32(at: 52)) : 0), side: side,
      price: Price(nanos: hasPrice ? price : 0), quantity: Quantity(lots: hasSize ? Int64(size) : 0),
      flags: MarketEventFlags(rawValue: bits), code: kind == .information ? action : 0)
  }

  /// Publisher and instrument number of a record, the publisher above.
  @inlinable static func key(of record: ByteView) -> UInt64 {
    UInt64(record.littleEndian16(at: 2)) << 32 | UInt64(record.littleEndian32(at: 4))
  }

  @usableFromInline @inline(never) mutating func refuse(_ refusal: FeedRefusal) -> MarketEvent? {
    counters.count(refusal)
    return nil
  }
}

/// Numbers of the encoding.
@usableFromInline enum DbnRecord {
  /// The record types that become events.
  @inlinable static var mbo: UInt8 { 0xA0 }
  @inlinable static var trade: UInt8 { 0x00 }
  @inlinable static var mbp1: UInt8 { 0x01 }
  @inlinable static var mbp10: UInt8 { 0x0A }
  /// The flag of an exchange's event's last record.
  @inlinable static var last: UInt8 { 0x80 }
  /// The flag of a snapshot.
  @inlinable static var snapshot: UInt8 { 0x20 }
  /// The flag of a book that may be wrong.
  @inlinable static var suspect: UInt8 { 0x04 }
  /// The flags of MBO records that are no orders: top of book, aggregated level.
  @inlinable static var notOrders: UInt8 { 0x50 }

  /// What a record's flags mean for its events.
  @inlinable static func eventFlags(_ flags: UInt8) -> UInt8 {
    // Moved from bit to bit: orders come with one of these as often as not.
    (~flags & last) / (last / MarketEventFlags.partial.rawValue)
      | (flags & snapshot) / (snapshot / MarketEventFlags.snapshot.rawValue)
  }

  /// Whether `type` is a record type of the encoding that has no events: bars, status, definitions, imbalance, errors, symbol
  /// mappings, system, statistics, consolidated and sampled quotes.
  @usableFromInline static func isKnown(_ type: UInt8) -> Bool {
    switch type {
    case 0x11...0x18, 0x20...0x24, 0xB1, 0xC0...0xC4: true
    default: false
    }
  }
}
