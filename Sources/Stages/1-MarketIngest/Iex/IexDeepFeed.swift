public import TradingTypes

/// The header of an IEX-TP segment: 40 bytes, little-endian.
///
/// ```
///  0 version │ 1 reserved │ 2 protocol │ 4 channel │ 8 session │ 12 payload bytes │ 14 messages
/// 16 stream offset │ 24 first sequence │ 32 send time
/// ```
/// - Source: IEX Transport Protocol specification 1.0, "IEX-TP header".
@frozen public struct IexSegment: BitwiseCopyable, Hashable, Sendable {
  /// Bytes of a header.
  @inlinable public static var headerBytes: Int { 40 }
  /// The message protocol of DEEP 1.0.
  @inlinable public static var deepProtocol: UInt16 { 0x8004 }

  /// The message protocol.
  public let messageProtocol: UInt16
  /// The stream inside the feed.
  public let channel: UInt32
  /// The session of the day.
  public let session: UInt32
  /// Bytes behind the header.
  public let payloadBytes: Int
  /// Messages in the payload; a heartbeat has none.
  public let messageCount: UInt16
  /// Bytes of the stream before this payload.
  public let streamOffset: Int64
  /// Number of the first message; that of the next one to come in a heartbeat.
  public let firstSequence: Int64
  /// When it was sent, nanoseconds from 1970.
  public let sendTime: Int64

  /// The header of `segment`, or nil when it is shorter or its version is not 1.
  @inlinable public init?(_ segment: ByteView) {
    guard segment.count >= 40, segment.byte(at: 0) == 1 else { return nil }
    messageProtocol = segment.iex16(at: 2)
    channel = segment.iex32(at: 4)
    session = segment.iex32(at: 8)
    payloadBytes = Int(segment.iex16(at: 12))
    messageCount = segment.iex16(at: 14)
    streamOffset = Int64(bitPattern: segment.littleEndian64(at: 16))
    firstSequence = Int64(bitPattern: segment.littleEndian64(at: 24))
    sendTime = Int64(bitPattern: segment.littleEndian64(at: 32))
  }
}

/// What came with a segment, before its messages.
@frozen public enum IexOutcome: BitwiseCopyable, Hashable, Sendable {
  /// The next messages of the session; take their events with `next`.
  case messages(Int)
  /// No messages: a heartbeat in its turn.
  case heartbeat
  /// So many messages of the session did not come before this segment. Its own are given all the same.
  case gap(missing: UInt64)
  /// The session starts anew: a heartbeat, sent later than all before, says that the next message is the first.
  case restart
  /// All its messages came before: nothing is given.
  case duplicate
  /// No segment of DEEP 1.0, shorter than its header says, its blocks do not fill it, or a number that cannot be: nothing is given.
  case refused(FeedRefusal)
}

/// Market events of IEX DEEP 1.0, segment by segment: one UDP payload each.
///
/// Aggregated price levels: `8` (buy) and `5` (sell) are `.setLevel`, size 0 removes one. `T` is a trade without a side, `B` breaks one, `H` a
/// trading status with its letter as `code`; every other message is `.information` with its type as `code`. While the exchange is in the middle of an
/// event its book is in transition: a level whose event flags lack bit 0 is `.partial`, so that a host may wait.
///
/// Usage: `accept` a segment, clear the books where `takeSessionChange` says so, then `next` with the same bytes until nil. A new session starts
/// at its first message: what did not come of it is a gap. Segments of the session before that come late are duplicates.
///
/// A message longer than its type is read all the same: the specification lets messages grow at their end without notice.
///
/// - Complexity: O(1) a message, no allocation.
/// - Source: IEX DEEP specification 1.0, "Message types"; IEX Transport Protocol specification 1.0. Differs: the sale conditions of a
///   trade are left out; every trade is `.printable`.
@frozen public struct IexDeepFeed: ~Copyable {
  /// Which instrument a symbol means; its locates are not used. A discovering map names the symbols in the order of their first message.
  public private(set) var map: InstrumentMap
  /// What was seen, message by message: `byType` by the type byte.
  public var counters = FeedCounters()
  /// Segments by what came of them.
  public var segments = IexSegmentCounters()
  /// Number of the next message, 0 before the first segment.
  public var expected: UInt64 { next }
  @usableFromInline var next: UInt64 = 0
  @usableFromInline var session: UInt32 = 0
  @usableFromInline var sent: Int64 = 0
  @usableFromInline var hasChangedSession = false
  // Segments of another session, sent before the latest, since the last one of this session.
  @usableFromInline var oldSessionRun = 0
  @usableFromInline var place = 0
  @usableFromInline var end = 0
  @usableFromInline var sequence: UInt64 = 0
  @usableFromInline let venue: VenueID

  /// A number further ahead than this is none of the session: taken, it would make all that follows old.
  @inlinable public static var jumpMax: UInt64 { 1 << 32 }

  /// So many segments of another session in a row, sent before the latest of this one, are no late copies: the time of the latest was wrong.
  @inlinable public static var oldSessionRunMax: Int { 256 }

  /// A decoder of one channel.
  public init(map: consuming InstrumentMap, venue: VenueID = VenueID(index: 0)) {
    self.map = map
    self.venue = venue
  }

  /// Reads the header of a segment and checks it as a whole; events of the one before that were not taken are forgotten.
  @inlinable public mutating func accept(_ segment: ByteView) -> IexOutcome {
    place = 0
    end = 0
    guard let header = IexSegment(segment) else { return refuse(.malformed) }
    guard header.messageProtocol == IexSegment.deepProtocol else { return refuse(.unknownType) }
    // Ethernet pads short frames: bytes behind the payload are no error.
    guard segment.count - 40 >= header.payloadBytes, header.firstSequence >= 0 else { return refuse(.wrongLength) }
    guard Self.blocks(segment, to: 40 + header.payloadBytes) == Int(header.messageCount) else {
      return refuse(.wrongLength)
    }
    let first = UInt64(header.firstSequence)
    // Cannot overflow: the first is below 2^63.
    let behind = first &+ UInt64(header.messageCount)
    let isRestart =
      header.session == session && header.messageCount == 0 && first <= 1 && next > 1 && header.sendTime > sent
    let isOther = next > 0 && header.session != session
    if isOther, header.sendTime <= sent, oldSessionRun < Self.oldSessionRunMax {
      oldSessionRun &+= 1
      segments.duplicates &+= 1
      return .duplicate
    }
    let wanted = isOther ? min(first, 1) : next == 0 || isRestart ? first : next
    // Cannot overflow: both are below 2^63 and a little.
    guard first < wanted + Self.jumpMax else { return refuse(.invalidNumber) }
    oldSessionRun = 0
    if next == 0 || isOther || header.sendTime > sent { sent = header.sendTime }
    if isOther { segments.sessions &+= 1 }
    hasChangedSession = hasChangedSession || isOther || isRestart
    session = header.session
    if header.messageCount > 0, behind <= wanted {
      segments.duplicates &+= 1
      return .duplicate
    }
    next = max(wanted, behind)
    if isRestart {
      segments.restarts &+= 1
      return .restart
    }
    place = 40
    end = 40 + header.payloadBytes
    sequence = first
    // What came before is left out of a segment that overlaps.
    while sequence < wanted, place < end {
      place += 2 + Int(segment.iex16(at: place))
      sequence &+= 1
    }
    if first > wanted {
      segments.gaps &+= 1
      // Wrapping: messages of a session do not reach 2^64.
      segments.missing &+= first &- wanted
      return .gap(missing: first &- wanted)
    }
    guard header.messageCount > 0 else {
      segments.heartbeats &+= 1
      return .heartbeat
    }
    segments.messages &+= 1
    return .messages(Int(behind &- wanted))
  }

  /// Whether a new session began, or the same one anew, since the last call: the books are to be cleared before the next event.
  public mutating func takeSessionChange() -> Bool {
    defer { hasChangedSession = false }
    return hasChangedSession
  }

  /// Blocks of 16-bit length and bytes that fill `40..<end` exactly, or −1.
  @inlinable static func blocks(_ segment: ByteView, to end: Int) -> Int {
    var place = 40
    var count = 0
    while place < end {
      guard place + 2 <= end else { return -1 }
      place += 2 + Int(segment.iex16(at: place))
      count += 1
    }
    return place == end ? count : -1
  }

  @usableFromInline @inline(never) mutating func refuse(_ refusal: FeedRefusal) -> IexOutcome {
    segments.refused &+= 1
    return .refused(refusal)
  }

  /// The next event of the segment accepted last, whose bytes are `segment`, or nil. Messages that mean nothing are counted and left out.
  @inlinable public mutating func next(in segment: ByteView) -> MarketEvent? {
    while place < end, end <= segment.count, place <= end - 2 {
      let length = Int(segment.iex16(at: place))
      guard length <= end - place - 2 else { break }
      let message = segment.slice(from: place + 2, count: length)
      place += 2 + length
      let number = sequence
      sequence &+= 1
      if let event = decode(message, sequence: number) { return event }
    }
    return nil
  }

  // MARK: - Messages

  @inlinable mutating func decode(_ message: ByteView, sequence: UInt64) -> MarketEvent? {
    guard message.count > 0 else { return refuse(message: .wrongLength) }
    let type = message.byte(at: 0)
    let length = Self.length(of: type)
    guard length > 0 else { return refuse(message: .unknownType) }
    guard message.count >= length else { return refuse(message: .wrongLength) }
    let time = Int64(bitPattern: message.littleEndian64(at: 2))
    guard time >= 0 else { return refuse(message: .invalidTime) }
    var event = MarketEvent(
      kind: .information, sequence: sequence, time: Timestamp(nanoseconds: time), instrument: .none, venue: venue,
      code: type)
    guard type != UInt8(ascii: "S") else {
      counters.count(type: type)
      return event
    }
    guard let symbol = Self.symbol(message.littleEndian64(at: 10)) else { return refuse(message: .invalidSymbol) }
    event.instrument = instrument(symbol)
    switch type {
    case UInt8(ascii: "8"), UInt8(ascii: "5"):
      guard let price = Self.price(message) else { return refuse(message: .invalidPrice) }
      event.kind = .setLevel
      event.code = 0
      event.side = type == UInt8(ascii: "8") ? .buy : .sell
      event.flags = message.byte(at: 1) & 1 == 0 ? [.hasSide, .partial] : .hasSide
      event.price = price
      event.quantity = Quantity(lots: Int64(message.iex32(at: 18)))
    case UInt8(ascii: "T"), UInt8(ascii: "B"):
      guard let price = Self.price(message) else { return refuse(message: .invalidPrice) }
      let size = message.iex32(at: 18)
      guard size > 0 else { return refuse(message: .invalidQuantity) }
      event.kind = type == UInt8(ascii: "T") ? .trade : .brokenTrade
      event.code = 0
      event.price = price
      event.quantity = Quantity(lots: Int64(size))
      event.newReference = OrderReference(value: message.littleEndian64(at: 30))
      if type == UInt8(ascii: "T") { event.flags = .printable }
    case UInt8(ascii: "H"):
      event.kind = .tradingStatus
      event.code = message.byte(at: 1)
    default: break
    }
    counters.count(type: type)
    return event
  }

  /// Bytes of a message at least, 0 for a type that DEEP 1.0 has not got.
  @inlinable static func length(of type: UInt8) -> Int {
    switch type {
    case UInt8(ascii: "8"), UInt8(ascii: "5"): 30
    case UInt8(ascii: "T"), UInt8(ascii: "B"): 38
    case UInt8(ascii: "S"): 10
    case UInt8(ascii: "D"): 31
    case UInt8(ascii: "H"): 22
    case UInt8(ascii: "O"), UInt8(ascii: "E"), UInt8(ascii: "I"): 18
    case UInt8(ascii: "P"): 19
    case UInt8(ascii: "X"): 26
    case UInt8(ascii: "A"): 80
    default: 0
    }
  }

  /// The price of a level or trade: units of 1/10000 USD.
  @inlinable static func price(_ message: ByteView) -> Price? {
    let units = Int64(bitPattern: message.littleEndian64(at: 22))
    // At most 2^40: 2^40 × 10^5 fits.
    guard units > 0, units <= 1 << 40 else { return nil }
    return Price(nanos: units &* 100_000)
  }

  /// The symbol in a field of eight characters padded with blanks, or nil.
  @inlinable static func symbol(_ field: UInt64) -> Symbol? {
    var low: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      let byte = UInt8(truncatingIfNeeded: field >> shift)
      guard byte != 0x20 else { break }
      guard byte > 0x20, byte < 0x7F else { return nil }
      low |= UInt64(byte) << shift
      shift += 8
    }
    // Behind the first blank there are only blanks.
    guard low != 0, shift == 64 || field >> shift == 0x2020_2020_2020_2020 >> shift else { return nil }
    return Symbol(low: low, high: 0)
  }

  @usableFromInline mutating func instrument(_ symbol: Symbol) -> InstrumentID { map.identify(symbol.low) }

  @usableFromInline @inline(never) mutating func refuse(message refusal: FeedRefusal) -> MarketEvent? {
    counters.count(refusal)
    return nil
  }
}

/// Segments of IEX-TP by what came of them: each is counted once in all but `missing` and `sessions`.
@frozen public struct IexSegmentCounters: BitwiseCopyable, Hashable, Sendable {
  /// In their turn, with messages.
  public var messages: UInt64 = 0
  /// In their turn, without messages.
  public var heartbeats: UInt64 = 0
  /// Behind a gap.
  public var gaps: UInt64 = 0
  /// Messages missing in all gaps.
  public var missing: UInt64 = 0
  /// Sessions after the first.
  public var sessions: UInt64 = 0
  /// Starts of the same session anew.
  public var restarts: UInt64 = 0
  /// Known before.
  public var duplicates: UInt64 = 0
  /// No segments.
  public var refused: UInt64 = 0

  /// Nothing seen.
  @inlinable public init() {}
}
