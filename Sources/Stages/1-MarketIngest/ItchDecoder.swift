public import LockFreeRings
public import TradingTypes

/// Turns NASDAQ TotalView-ITCH 5.0 message bodies into market events.
///
/// Total: any bytes give an event or a counted refusal, never a trap. Fields without a meaning for books stay in the bytes.
/// Order messages become what their kind says; H is a trading status, P, Q and B are trades, every other type is
/// `.information` with its type byte as `code`. An event of a stock the map does not know has the instrument `.none`.
///
/// - Complexity: O(1) a message, no allocation.
/// - Source: NASDAQ TotalView-ITCH 5.0 specification, section 4.
@frozen public struct ItchDecoder: ~Copyable {
  /// Which instrument a stock locate means.
  public var map: InstrumentMap
  /// What was seen so far.
  public var counters: ItchCounters
  @usableFromInline let layouts: Slab<ItchLayout>
  private let shapes: Slab<ItchShape>
  @usableFromInline let midnight: Int64
  @usableFromInline let venue: VenueID

  /// A decoder of one day's messages.
  ///
  /// - Parameters:
  ///   - midnight: start of the feed's day: time stamps count nanoseconds from it.
  ///   - venue: the venue every event carries.
  ///   - map: which symbols are instruments.
  ///   - arena: gives 10 KiB.
  /// - Precondition: `midnight` is at least 2^48 ns before the end of representable time.
  public init(midnight: Timestamp, venue: VenueID, map: consuming InstrumentMap, in arena: Arena) {
    precondition(
      midnight.nanoseconds <= Int64.max - 1 << 48, "ItchDecoder: a day after midnight is a representable time")
    self.map = map
    counters = ItchCounters()
    layouts = Self.slab(of: ItchLayout.table(), filler: ItchLayout(), in: arena)
    shapes = Self.slab(of: ItchShape.table(), filler: ItchShape(), in: arena)
    self.midnight = midnight.nanoseconds
    self.venue = venue
  }

  private static func slab<Element: BitwiseCopyable>(
    of table: [Element], filler: Element, in arena: Arena
  ) -> Slab<Element> {
    var slab = Slab(repeating: filler, count: table.count, in: arena)
    for (index, element) in table.enumerated() { slab[index] = element }
    return slab
  }

  /// The event of one message body (without the length in front of it).
  ///
  /// - Parameters:
  ///   - sequence: number of the message in its session or file, from 1; the event carries it.
  @inlinable @inline(__always) public mutating func decode(_ message: ByteView, sequence: UInt64) -> ItchOutcome {
    var event = MarketEvent(kind: .information, time: .distantPast, instrument: .none)
    if let refusal = decode(message, sequence: sequence, into: &event) { return .refused(refusal) }
    return .event(event)
  }

  /// Writes the event of one message body over `event`, or says why there is none; `event` is then as before.
  ///
  /// The fast way to fill a batch of events.
  @inlinable @inline(__always) public mutating func decode(
    _ message: ByteView, sequence: UInt64, into event: inout MarketEvent
  ) -> ItchRefusal? {
    guard message.count > 0 else { return refuse(.empty) }
    let type = message.byte(at: 0)
    // The layout is read where it is: a copy of its fields would be spilled to the stack and loaded again.
    let row = Int(type)
    // Fails for every type that is no order too: the places of such a layout are for no length.
    guard let fields = message.fields(at: layouts[masked: row].places) else {
      return decodeOther(message, type: type, sequence: sequence, into: &event)
    }
    // Without a branch: 0 for B and 17 for S, so the product is 0 for those two only, and the lowest bit tells them apart.
    let letter = fields.letter
    let sideBits = UInt32(letter) ^ 0x42
    guard (sideBits &* (sideBits ^ 0x11)) & UInt32(truncatingIfNeeded: layouts[masked: row].addMask) == 0 else {
      return refuse(.invalidSide)
    }
    let locate = Int(fields.locate)
    guard (fields.stock ^ map.bindings[masked: locate].symbol) & layouts[masked: row].addMask == 0 else {
      return bind(message, sequence: sequence, into: &event)
    }
    // Wrapping: a count of messages does not reach 2^64.
    counters.byType[Int(type)] &+= 1
    let addMask = layouts[masked: row].addMask
    let printable: UInt8 = letter == 0x59 /* Y */ ? layouts[masked: row].printableFlag : 0
    event = MarketEvent(
      kind: layouts[masked: row].kind, sequence: sequence, time: time(fields.time),
      instrument: map.bindings[masked: locate].instrument, venue: venue,
      reference: OrderReference(value: fields.reference),
      newReference: OrderReference(value: fields.second & layouts[masked: row].secondMask),
      side: sideBits & UInt32(truncatingIfNeeded: addMask) & 1 != 0 ? .sell : .buy,
      price: Self.price(fields.price & layouts[masked: row].priceMask),
      quantity: Quantity(lots: Int64(fields.quantity & layouts[masked: row].quantityMask)),
      flags: MarketEventFlags(
        rawValue: printable | MarketEventFlags.hasSide.rawValue & UInt8(truncatingIfNeeded: addMask)))
    return nil
  }

  /// An add whose locate is not bound to its stock: binds it and begins again. Apart as a whole, so that the usual way keeps nothing for it.
  @usableFromInline @inline(never) mutating func bind(
    _ message: ByteView, sequence: UInt64, into event: inout MarketEvent
  ) -> ItchRefusal? {
    let layout = layouts[masked: Int(message.byte(at: 0))]
    guard let fields = message.fields(at: layout.places) else { return refuse(.wrongLength) }
    _ = map.bind(locate: fields.locate, field: fields.stock)
    // Ends: the locate is bound to these eight characters now, whatever they mean.
    return decode(message, sequence: sequence, into: &event)
  }

  /// Messages that are not orders of the right length: rare, so they may branch.
  @usableFromInline @inline(never)
  mutating func decodeOther(
    _ message: ByteView, type: UInt8, sequence: UInt64, into result: inout MarketEvent
  ) -> ItchRefusal? {
    let shape = shapes[masked: Int(type)]
    guard message.count == Int(shape.length) else {
      return refuse(shape.length == 0 ? .unknownType : .wrongLength)
    }
    let locate = message.bigEndian16(at: 1)
    if shape.kind == .crossTrade, message.bigEndian64(at: 11) > UInt64(UInt32.max) {
      return refuse(.invalidQuantity)
    }
    var instrument = map.instrument(locate: locate)
    if shape.stock != 0 {
      let field = message.littleEndian64(at: Int(shape.stock))
      if field != map.bindings[masked: Int(locate)].symbol { instrument = map.bind(locate: locate, field: field) }
    }
    // Wrapping: as in `decode`.
    counters.byType[Int(type)] &+= 1
    var event = MarketEvent(
      kind: shape.kind, sequence: sequence, time: time(message.bigEndian48(at: 5)), instrument: instrument, venue: venue
    )
    switch shape.kind {
    case .trade:
      event.quantity = Quantity(lots: Int64(message.bigEndian32(at: 20)))
      event.price = Self.price(message.bigEndian32(at: 32))
      event.newReference = OrderReference(value: message.bigEndian64(at: 36))
    case .crossTrade:
      // Fits: refused above otherwise.
      event.quantity = Quantity(lots: Int64(truncatingIfNeeded: message.bigEndian64(at: 11)))
      event.price = Self.price(message.bigEndian32(at: 27))
      event.newReference = OrderReference(value: message.bigEndian64(at: 31))
    case .brokenTrade:
      event.newReference = OrderReference(value: message.bigEndian64(at: 11))
    case .tradingStatus:
      event.code = message.byte(at: 19)
    default:
      event.code = type
    }
    result = event
    return nil
  }

  @usableFromInline @inline(never) mutating func refuse(_ refusal: ItchRefusal) -> ItchRefusal {
    // Wrapping: as in `decode`.
    counters.byRefusal[Int(refusal.rawValue)] &+= 1
    return refusal
  }

  @inlinable func time(_ sinceMidnight: UInt64) -> Timestamp {
    // Wrapping: 48 bits after a midnight that leaves room for them.
    Timestamp(nanoseconds: midnight &+ Int64(truncatingIfNeeded: sinceMidnight))
  }

  /// A price of the feed, in 1e-4.
  @inlinable static func price(_ tenThousandths: UInt32) -> Price {
    // Wrapping: 32 bits × 100,000 has at most 49 bits.
    Price(nanos: Int64(tenThousandths) &* 100_000)
  }
}
