public import TradingTypes

/// Market events of a LOBSTER message file: one stock, one day, one event a line.
///
/// ```
/// seconds after midnight, type, order, size, price in 1/10000 USD, side (1 buy, -1 sell)
/// ```
/// Type 1 adds an order, 2 takes size from it, 3 deletes it, 4 executes it, 5 is a trade against a hidden order, 6 a cross trade,
/// 7 a halt. Size 0 is refused but for 3 and 7. The file of n levels has only the events inside the n best levels of each side: an
/// order that is pushed out of them may vanish, and an order that was there before may come in, both without a line.
///
/// A cross trade has a negative number instead of an order's: -1 the opening, -2 the closing, others within the day. Its `reference` is 0.
///
/// The side of a hidden order is told until July 13, 2014; NASDAQ masks it since, and the column always says buy. A trade against one has
/// `.hasSide` on the days before, and where the day is not known (a `midnight` before 2007, when LOBSTER begins) it has not.
///
/// Digits of a time below the nanosecond are dropped: real files have such noise (`35821.088778456004`).
///
/// - Complexity: O(line), no allocation.
/// - Source: LOBSTER, "Output structure", message file, and its help pages "Event type 6" and "Hidden order executions". Differs: a halt is `.tradingStatus` with a code of ITCH's trading action: H halted (price
///   −1), Q quotation only (0), T trading (1), and its price is not kept.
@frozen public struct LobsterFeed: ~Copyable, ~Escapable {
  @usableFromInline var lines: TextLines
  @usableFromInline let midnight: Int64
  @usableFromInline let instrument: InstrumentID
  @usableFromInline let venue: VenueID
  @usableFromInline let tellsHiddenSide: Bool
  @usableFromInline var lastStart = 0
  /// What was seen: `byType` by the character of the type.
  public var counters = FeedCounters()

  /// The lines in `bytes`; every event is about `instrument`.
  ///
  /// - Parameters:
  ///   - midnight: start of the day the seconds count from.
  @_lifetime(copy bytes)
  @inlinable public init(
    _ bytes: RawSpan, midnight: Timestamp, instrument: InstrumentID, venue: VenueID = VenueID(index: 0)
  ) {
    lines = TextLines(ByteView(bytes))
    self.midnight = midnight.nanoseconds
    self.instrument = instrument
    self.venue = venue
    // 2007-01-01 to 2014-07-14.
    tellsHiddenSide = (1_167_609_600_000_000_000..<1_405_296_000_000_000_000).contains(midnight.nanoseconds)
  }

  /// How the bytes ended.
  @inlinable public var ending: TextEnding {
    guard lines.position == lines.view.count else { return .unfinished }
    return lines.isLastOpen ? .openLine(offset: lastStart, byteCount: lines.position - lastStart) : .end
  }

  /// The next event, or nil at the end. Lines that mean nothing are counted and left out.
  @inlinable public mutating func next() -> MarketEvent? {
    while true {
      let start = lines.position
      guard let line = lines.next() else { return nil }
      lastStart = start
      if let event = read(line) { return event }
    }
  }

  @inlinable mutating func read(_ line: ByteView) -> MarketEvent? {
    var text = TextScanner(line)
    guard let seconds = text.decimal(places: 9, cuts: true), text.endField(), seconds >= 0 else {
      return refuse(line, .invalidTime)
    }
    let (time, isLate) = midnight.addingReportingOverflow(seconds)
    guard !isLate else { return refuse(line, .invalidTime) }
    guard let type = text.character(), text.endField() else { return refuse(line, .unknownType) }
    guard type >= UInt8(ascii: "1"), type <= UInt8(ascii: "7") else { return refuse(line, .unknownType) }
    let isCross = type == UInt8(ascii: "6") && text.skip(UInt8(ascii: "-"))
    guard let number = text.unsigned(), text.endField() else { return refuse(line, .invalidNumber) }
    let order = isCross ? 0 : number
    guard let size = text.unsigned(), text.endField(), size <= 1 << 32 else { return refuse(line, .invalidQuantity) }
    guard let price = text.signed(), text.endField() else { return refuse(line, .invalidPrice) }
    guard let sign = text.signed(), sign == 1 || sign == -1 else { return refuse(line, .invalidSide) }
    guard text.isAtEnd else { return refuse(line, .wrongLength) }
    var event = MarketEvent(
      kind: .tradingStatus, sequence: lines.count, time: Timestamp(nanoseconds: time), instrument: instrument,
      venue: venue)
    if type == UInt8(ascii: "7") {
      guard price >= -1, price <= 1 else { return refuse(line, .invalidPrice) }
      event.code = price < 0 ? UInt8(ascii: "H") : price == 0 ? UInt8(ascii: "Q") : UInt8(ascii: "T")
      counters.count(type: type)
      return event
    }
    // At most 2^40: 2^40 × 10^5 fits.
    guard price > 0, price <= 1 << 40 else { return refuse(line, .invalidPrice) }
    guard size > 0 || type == UInt8(ascii: "3") else { return refuse(line, .invalidQuantity) }
    event.kind = Self.kind(type)
    event.reference = OrderReference(value: order)
    event.side = sign > 0 ? .buy : .sell
    // Cannot overflow: bounded above.
    event.price = Price(nanos: price &* 100_000)
    event.quantity = Quantity(lots: Int64(size))
    event.flags = flags(type)
    counters.count(type: type)
    return event
  }

  @inlinable static func kind(_ type: UInt8) -> MarketEventKind {
    switch type {
    case UInt8(ascii: "1"): .addOrder
    case UInt8(ascii: "2"): .reduceOrder
    case UInt8(ascii: "3"): .deleteOrder
    case UInt8(ascii: "4"): .executeOrder
    case UInt8(ascii: "5"): .trade
    default: .crossTrade
    }
  }

  /// Trades count in features; the side of a visible order is known, that of a hidden one on old days, that of a cross is not meant.
  @inlinable func flags(_ type: UInt8) -> MarketEventFlags {
    let isKnown = type < UInt8(ascii: "5") || type == UInt8(ascii: "5") && tellsHiddenSide
    let side = isKnown ? MarketEventFlags.hasSide.rawValue : 0
    let prints = type >= UInt8(ascii: "4") ? MarketEventFlags.printable.rawValue : 0
    return MarketEventFlags(rawValue: side | prints)
  }

  /// Counts a line that is no event: as `.wrongLength` where it has not six fields, else as `refusal`.
  @usableFromInline @inline(never) mutating func refuse(_ line: ByteView, _ refusal: FeedRefusal) -> MarketEvent? {
    counters.count(line.fieldCount == 6 ? refusal : .wrongLength)
    return nil
  }
}

extension ByteView {
  /// Comma-separated fields of a line.
  var fieldCount: Int {
    var count = 1
    for index in 0..<self.count where byte(at: index) == UInt8(ascii: ",") { count += 1 }
    return count
  }
}
