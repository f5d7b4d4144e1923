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
    let table = ItchLayout.table()
    var layouts = Slab(repeating: ItchLayout(), count: table.count, in: arena)
    for (type, layout) in table.enumerated() { layouts[type] = layout }
    self.layouts = layouts
    self.midnight = midnight.nanoseconds
    self.venue = venue
  }

  /// The event of one message body (without the length in front of it).
  ///
  /// - Parameters:
  ///   - sequence: number of the message in its session or file, from 1; the event carries it.
  @inlinable @inline(__always) public mutating func decode(_ message: ByteView, sequence: UInt64) -> ItchOutcome {
    let count = message.count
    guard count > 0 else { return refuse(.empty) }
    let type = message.byte(at: 0)
    let layout = layouts[masked: Int(type)]
    guard count == Int(layout.length) else { return refuse(layout.length == 0 ? .unknownType : .wrongLength) }
    guard layout.isOrder else { return decodeOther(message, type: type, sequence: sequence) }

    // Without a branch: 0 for B and 17 for S, so the product is 0 for those two only, and the lowest bit tells them apart.
    let letter = UInt32(message.byte(at: Int(layout.letterAt)))
    let sideBits = letter ^ 0x42
    guard (sideBits &* (sideBits ^ 0x11)) & layout.sideMask == 0 else { return refuse(.invalidSide) }
    let locate = message.bigEndian16(at: 1)
    let binding = map.bindings[masked: Int(locate)]
    var instrument = binding.instrument
    let field = message.littleEndian64(at: Int(layout.stockAt))
    if (field ^ binding.symbol) & layout.stockMask != 0 { instrument = map.bind(locate: locate, field: field) }
    // Wrapping: a count of messages does not reach 2^64.
    counters.byType[Int(type)] &+= 1

    let quantity = message.bigEndian32(at: Int(layout.quantityAt)) & layout.quantityMask
    let price = message.bigEndian32(at: Int(layout.priceAt)) & layout.priceMask
    let second = message.bigEndian64(at: Int(layout.secondAt)) & layout.secondMask
    let printable: UInt8 = letter == 0x59 /* Y */ ? layout.printableFlag : 0
    return .event(
      MarketEvent(
        kind: layout.kind, sequence: sequence, time: time(of: message), instrument: instrument, venue: venue,
        reference: OrderReference(value: message.bigEndian64(at: 11)), newReference: OrderReference(value: second),
        side: sideBits & layout.sideMask & 1 != 0 ? .sell : .buy, price: Self.price(price),
        quantity: Quantity(lots: Int64(quantity)), flags: MarketEventFlags(rawValue: layout.sideFlag | printable)))
  }

  /// Messages that are not orders: rare, so they may branch.
  @usableFromInline @inline(never)
  mutating func decodeOther(_ message: ByteView, type: UInt8, sequence: UInt64) -> ItchOutcome {
    let layout = layouts[masked: Int(type)]
    let locate = message.bigEndian16(at: 1)
    if layout.kind == .crossTrade, message.bigEndian64(at: 11) > UInt64(UInt32.max) {
      return refuse(.invalidQuantity)
    }
    var instrument = map.instrument(locate: locate)
    if layout.stockMask != 0 {
      let field = message.littleEndian64(at: Int(layout.stockAt))
      if field != map.bindings[masked: Int(locate)].symbol { instrument = map.bind(locate: locate, field: field) }
    }
    // Wrapping: as in `decode`.
    counters.byType[Int(type)] &+= 1
    var event = MarketEvent(
      kind: layout.kind, sequence: sequence, time: time(of: message), instrument: instrument, venue: venue)
    switch layout.kind {
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
    return .event(event)
  }

  @usableFromInline @inline(never) mutating func refuse(_ refusal: ItchRefusal) -> ItchOutcome {
    // Wrapping: as in `decode`.
    counters.byRefusal[Int(refusal.rawValue)] &+= 1
    return .refused(refusal)
  }

  @inlinable func time(of message: ByteView) -> Timestamp {
    // Wrapping: 48 bits after a midnight that leaves room for them.
    Timestamp(nanoseconds: midnight &+ Int64(truncatingIfNeeded: message.bigEndian48(at: 5)))
  }

  /// A price of the feed, in 1e-4.
  @inlinable static func price(_ tenThousandths: UInt32) -> Price {
    // Wrapping: 32 bits × 100,000 has at most 49 bits.
    Price(nanos: Int64(tenThousandths) &* 100_000)
  }
}
