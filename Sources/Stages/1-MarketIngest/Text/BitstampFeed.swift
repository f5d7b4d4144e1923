public import TradingTypes

/// Market events of a Bitstamp order-by-order (L3) file: one pair, one event a line.
///
/// ```
/// order, local ms, exchange ms, price, volume in 1e-8, action (created, changed, deleted), direction (bid, ask)
/// ```
/// The rules, which no document states and the data show:
/// - `created` rests an order, marketable ones too: they cross the book until the changes of their fills follow.
/// - `changed` tells the new volume, never a larger one; with another price the order moves there.
/// - `deleted` with volume 0 was filled, with another one withdrawn; the book forgets it either way.
/// - Orders older than the file are changed and deleted without having been created.
///
/// Event time is the local time: the exchange's own has a resolution of a second and goes back. A first line that starts with `id` is a
/// header.
///
/// - Complexity: O(line), no allocation.
/// - Source: the columns are those of the R package ob-analytics, `orders.csv`.
@frozen public struct BitstampFeed: ~Copyable, ~Escapable {
  @usableFromInline var lines: TextLines
  @usableFromInline let instrument: InstrumentID
  @usableFromInline let venue: VenueID
  @usableFromInline var lastStart = 0
  /// What was seen: `byType` by the third character of the action: `e` created, `a` changed, `l` deleted.
  public var counters = FeedCounters()

  /// The lines in `bytes`; every event is about `instrument`, a lot is 1e-8.
  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: RawSpan, instrument: InstrumentID, venue: VenueID = VenueID(index: 0)) {
    lines = TextLines(ByteView(bytes))
    self.instrument = instrument
    self.venue = venue
  }

  /// How the bytes ended.
  @inlinable public var ending: TextEnding {
    guard lines.position == lines.view.count else { return .unfinished }
    return lines.isLastOpen ? .openLine(offset: lastStart, byteCount: lines.position - lastStart) : .end
  }

  /// The next event, or nil at the end; its `sequence` counts messages, the header is none. Lines that mean nothing are counted and left out.
  @inlinable public mutating func next() -> MarketEvent? {
    while true {
      let start = lines.position
      guard let line = lines.next() else { return nil }
      lastStart = start
      if lines.count == 1, line.word(from: 0, to: min(3, line.count)) == TextWord("i", "d", ",") { continue }
      if let event = read(line) { return event }
    }
  }

  @inlinable mutating func read(_ line: ByteView) -> MarketEvent? {
    var text = TextScanner(line)
    guard let order = text.unsigned(), text.endField() else { return refuse(line, .invalidNumber) }
    // A time of at most 2^43 ms, the year 2248: 2^43 × 10^6 fits.
    guard let local = text.unsigned(), text.endField(), local <= 1 << 43 else { return refuse(line, .invalidTime) }
    guard let exchange = text.unsigned(), text.endField(), exchange <= 1 << 43 else {
      return refuse(line, .invalidTime)
    }
    guard let price = text.decimal(places: 9), text.endField(), price > 0 else { return refuse(line, .invalidPrice) }
    guard let volume = text.unsigned(), text.endField(), volume <= 1 << 62 else {
      return refuse(line, .invalidQuantity)
    }
    let action = text.field()
    let word = line.word(from: action.lowerBound, to: action.upperBound)
    let kind: MarketEventKind
    if word == TextWord("c", "r", "e", "a", "t", "e", "d") {
      kind = .addOrder
    } else if word == TextWord("d", "e", "l", "e", "t", "e", "d") {
      kind = .deleteOrder
    } else if word == TextWord("c", "h", "a", "n", "g", "e", "d") {
      kind = .modifyOrder
    } else {
      return refuse(line, .unknownType)
    }
    guard text.endField() else { return refuse(line, .wrongLength) }
    let direction = text.field()
    let side = line.word(from: direction.lowerBound, to: direction.upperBound)
    guard side == TextWord("b", "i", "d") || side == TextWord("a", "s", "k") else { return refuse(line, .invalidSide) }
    guard text.isAtEnd else { return refuse(line, .wrongLength) }
    guard volume > 0 || kind == .deleteOrder else { return refuse(line, .invalidQuantity) }
    counters.count(type: line.byte(at: action.lowerBound + 2))
    return MarketEvent(
      kind: kind, sequence: counters.messages,
      // Cannot overflow: bounded above.
      time: Timestamp(nanoseconds: Int64(local) &* 1_000_000), instrument: instrument, venue: venue,
      reference: OrderReference(value: order), side: side == TextWord("b", "i", "d") ? .buy : .sell,
      price: Price(nanos: price), quantity: Quantity(lots: Int64(volume)), flags: .hasSide)
  }

  /// Counts a line that is no event: as `.wrongLength` where it has not seven fields, else as `refusal`.
  @usableFromInline @inline(never) mutating func refuse(_ line: ByteView, _ refusal: FeedRefusal) -> MarketEvent? {
    counters.count(line.fieldCount == 7 ? refusal : .wrongLength)
    return nil
  }
}
