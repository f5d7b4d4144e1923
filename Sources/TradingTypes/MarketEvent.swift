/// What a market event says.
@frozen public enum MarketEventKind: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// An order rests: `reference`, `side`, `price`, `quantity` (ITCH A, F).
  case addOrder = 1
  /// A resting order trades at its own price: `reference`, `quantity`, `match` (ITCH E).
  case executeOrder = 2
  /// A resting order trades at `price`: as `executeOrder`; no trade is printed without `.printable` (ITCH C).
  case executeOrderAtPrice = 3
  /// A resting order loses `quantity` (ITCH X).
  case reduceOrder = 4
  /// A resting order leaves (ITCH D).
  case deleteOrder = 5
  /// `reference` leaves, `newReference` rests at the back of `price` with `quantity`, same side (ITCH U).
  case replaceOrder = 6
  /// A resting order changes to `quantity` at `price`; it keeps its place unless price changes or size grows (`.keepsPlace`: unless price changes).
  case modifyOrder = 7
  /// A price level changes to `quantity` (0 removes it): aggregated feeds.
  case setLevel = 8
  /// All orders and levels of the instrument leave: the start of a snapshot.
  case clearBook = 9
  /// A trade against a hidden order: `price`, `quantity`, `match`; the side is unknown (ITCH P).
  case trade = 10
  /// An auction trade, without a side (ITCH Q).
  case crossTrade = 11
  /// A trade is broken: `match` (ITCH B).
  case brokenTrade = 12
  /// The trading state of an instrument: `code` (ITCH H).
  case tradingStatus = 13
  /// Anything else of the session; books, features and triggers ignore it.
  case information = 14

  /// Whether the event can change a book.
  @inlinable public var changesBook: Bool { rawValue <= MarketEventKind.clearBook.rawValue }
}

/// Single bits of a market event.
@frozen public struct MarketEventFlags: OptionSet, BitwiseCopyable, Sendable {
  /// The bits.
  public var rawValue: UInt8
  /// The flags with these bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// The trade counts in trade features and bars.
  @inlinable public static var printable: MarketEventFlags { MarketEventFlags(rawValue: 1) }
  /// `side` means something.
  @inlinable public static var hasSide: MarketEventFlags { MarketEventFlags(rawValue: 2) }
  /// The event belongs to a snapshot, not to live trading: it triggers nothing.
  @inlinable public static var snapshot: MarketEventFlags { MarketEventFlags(rawValue: 4) }
  /// A `modifyOrder` at the same price keeps its place in the queue whatever its size.
  @inlinable public static var keepsPlace: MarketEventFlags { MarketEventFlags(rawValue: 8) }
  /// The exchange's event goes on with a later message of the instrument: until one without this flag its book is in transition, and may be
  /// locked or crossed although the market is not. Only feeds that tell set it: DBN, IEX DEEP.
  @inlinable public static var partial: MarketEventFlags { MarketEventFlags(rawValue: 16) }
}

/// One message of any feed in the engine's vocabulary: one cache line.
///
/// ```
///  0 sequence │ 8 time │ 16 reference │ 24 newReference or match │ 32 price │ 40 quantity │ 48 instrument
/// 52 venue │ 54 kind │ 55 side │ 56 flags │ 57 code
/// ```
@frozen public struct MarketEvent: BitwiseCopyable, Sendable {
  /// The message's number in its session or file, from 1.
  public var sequence: UInt64
  /// Event time.
  public var time: Timestamp
  /// The resting order the event is about.
  public var reference: OrderReference
  /// The new order of `replaceOrder`; the match number of a trade or execution.
  public var newReference: OrderReference
  /// Price per unit.
  public var price: Price
  /// Size in lots.
  public var quantity: Quantity
  /// The instrument, or `.none`.
  public var instrument: InstrumentID
  /// Where it happened.
  public var venue: VenueID
  /// What happened.
  public var kind: MarketEventKind
  /// Side of the resting order; meaningful only with `.hasSide` (adds and levels always have it).
  public var side: Side
  /// Single bits.
  public var flags: MarketEventFlags
  /// The feed's own one-character code: ITCH message type for `information`, trading state for `tradingStatus`.
  public var code: UInt8
  // Whole words to the end of the line: a copy is then eight plain moves, none of which straddles an earlier store.
  @usableFromInline var padding16: UInt16 = 0
  @usableFromInline var padding32: UInt32 = 0

  /// An event; what its kind does not use stays 0.
  @inlinable public init(
    kind: MarketEventKind, sequence: UInt64 = 0, time: Timestamp, instrument: InstrumentID,
    venue: VenueID = VenueID(index: 0), reference: OrderReference = OrderReference(value: 0),
    newReference: OrderReference = OrderReference(value: 0), side: Side = .buy, price: Price = .zero,
    quantity: Quantity = .zero, flags: MarketEventFlags = [], code: UInt8 = 0
  ) {
    self.sequence = sequence
    self.time = time
    self.reference = reference
    self.newReference = newReference
    self.price = price
    self.quantity = quantity
    self.instrument = instrument
    self.venue = venue
    self.kind = kind
    self.side = side
    self.flags = flags
    self.code = code
  }
}

/// A value from outside the market: sentiment, VIX, a yield.
@frozen public struct ContextEvent: BitwiseCopyable, Sendable {
  /// What the value is.
  @frozen public enum Kind: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
    /// A sentiment score in [−1, 1].
    case sentiment = 1
    /// The VIX in points.
    case vix = 2
    /// The ten-year yield in percent.
    case yield10y = 3
    /// The two-year yield in percent.
    case yield2y = 4
  }
  /// What the value is.
  public var kind: Kind
  /// The instrument it is about, or `.none` for the market.
  public var instrument: InstrumentID
  /// The value; a non-finite one is refused by whoever receives it.
  public var value: Double
  /// Event time.
  public var time: Timestamp

  /// `value` of `kind` for `instrument` (`.none` for the market) at `time`.
  @inlinable public init(kind: Kind, instrument: InstrumentID = .none, value: Double, time: Timestamp) {
    self.kind = kind
    self.instrument = instrument
    self.value = value
    self.time = time
  }
}
