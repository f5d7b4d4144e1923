public import TradingTypes

/// The packed records of the league stream: 18 bytes each, little-endian, one instrument.
///
/// ```
///  0 action (0 add, 1 modify, 2 delete) │ 1 side (0 buy, 1 sell) │ 2 price, ticks of 0.01 │ 6 quantity │ 10 order
/// ```
/// The n-th record, from 0, has the time 1,700,000,000 s + n × 10 µs.
///
/// - Complexity: O(1) a record, no allocation.
@frozen public struct LeagueFeed: ~Copyable, ~Escapable {
  @usableFromInline let view: ByteView
  @usableFromInline var position = 0
  @usableFromInline let instrument: InstrumentID
  @usableFromInline let venue: VenueID
  /// What was seen: `byType` by the action byte.
  public var counters = FeedCounters()

  /// Bytes of a record.
  @inlinable public static var recordBytes: Int { 18 }

  /// The records in `bytes`; every event is about `instrument`.
  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: RawSpan, instrument: InstrumentID, venue: VenueID = VenueID(index: 0)) {
    view = ByteView(bytes)
    self.instrument = instrument
    self.venue = venue
  }

  /// Bytes of an incomplete record at the end; 0 before `next` has come there.
  @inlinable public var truncatedBytes: Int {
    let rest = view.count - position
    return rest < Self.recordBytes ? rest : 0
  }

  /// The next event, or nil at the end. Records that mean nothing are counted and left out.
  @inlinable public mutating func next() -> MarketEvent? {
    while position <= view.count &- Self.recordBytes {
      let start = position
      // Cannot overflow: the record is in the view.
      position &+= Self.recordBytes
      let action = view.byte(at: start)
      let side = view.byte(at: start &+ 1)
      let price = Int32(bitPattern: UInt32(truncatingIfNeeded: view.littleEndian64(at: start &+ 2)))
      let lots = Int32(bitPattern: UInt32(truncatingIfNeeded: view.littleEndian64(at: start &+ 6)))
      guard action <= 2, side <= 1, price > 0, lots > 0 else {
        refuse(action: action, side: side, price: price)
        continue
      }
      counters.count(type: action)
      // Wrapping: 10 µs × the records that fit memory stay far below 2^63.
      let time = 1_700_000_000_000_000_000 &+ Int64(bitPattern: counters.messages &- 1) &* 10_000
      return MarketEvent(
        kind: action == 0 ? .addOrder : action == 1 ? .modifyOrder : .deleteOrder, sequence: counters.messages,
        time: Timestamp(nanoseconds: time), instrument: instrument, venue: venue,
        reference: OrderReference(value: view.littleEndian64(at: start &+ 10)), side: side == 0 ? .buy : .sell,
        // Wrapping: 31 bits × 10^7 have at most 55.
        price: Price(nanos: Int64(price) &* 10_000_000), quantity: Quantity(lots: Int64(lots)),
        flags: MarketEventFlags(
          rawValue: MarketEventFlags.hasSide.rawValue | MarketEventFlags.keepsPlace.rawValue))
    }
    return nil
  }

  @usableFromInline @inline(never) mutating func refuse(action: UInt8, side: UInt8, price: Int32) {
    counters.count(
      action > 2 ? .unknownType : side > 1 ? .invalidSide : price <= 0 ? .invalidPrice : .invalidQuantity)
  }
}
