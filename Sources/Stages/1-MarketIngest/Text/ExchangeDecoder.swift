public import LockFreeRings
public import TradingTypes

/// Whose messages an `ExchangeDecoder` reads.
@frozen public enum ExchangeDialect: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Coinbase Advanced Trade websocket: channels `l2_data` and `market_trades`.
  case coinbase = 0
  /// Kraken websocket, version 1: channels `book-…` and `trade`.
  case kraken = 1
  /// Binance spot combined streams: `depthUpdate`, `aggTrade`, `trade`; REST depth snapshots.
  case binance = 2
}

/// What one exchange message gave.
@frozen public enum ExchangeOutcome: BitwiseCopyable, Hashable, Sendable {
  /// So many events, to be taken with `next`.
  case events(Int)
  /// Understood, and nothing for books or trades: heartbeats, tickers, answers to requests, pairs that are not listed.
  case ignored
  /// A depth update that the book cannot take: older than its snapshot, or no snapshot came yet.
  case unsynchronised
  /// Depth updates are missing: a `clearBook` of each book they may be about, which then waits for a snapshot. What else the message told follows.
  case gap
  /// No message of the exchange.
  case refused(FeedRefusal)
}

/// Turns JSON messages of crypto exchanges into market events, as a host receives them.
///
/// A message counts as a whole: it is read to its end before its first event is given, and one that breaks the grammar or holds a
/// number that is none gives nothing. Only a level too far from any market for `Price` is left out alone, and counted. Prices are exact
/// to billionths, a lot is 10^−`lotDecimals`. Levels are `.setLevel`; a snapshot is `.clearBook` and levels, all with `.snapshot`.
/// Trades are `.trade` with the side of the resting order.
///
/// Binance numbers the updates of each pair, Coinbase the messages of a connection, so one decoder reads one connection: where a number is missing,
/// the connection began anew or a depth message had to be refused, every Coinbase book waits for a snapshot.
///
/// A Kraken book update ends with an `.information` event, `code` `c`, whose `reference` is the exchange's checksum of the ten best levels and
/// whose `newReference` is the number of decimals of its prices: `KrakenChecksum` of the book must equal it. Books of Kraken hold the subscribed
/// depth only: what an update pushes behind it is stale and the host drops it.
///
/// - Complexity: O(bytes), each read twice or thrice, no allocation after `init`.
/// - Source: Coinbase Advanced Trade "WebSocket channels"; Kraken "WebSockets API v1", book and trade; Binance "How to manage a local order book
///   correctly".
@frozen public struct ExchangeDecoder: ~Copyable {
  /// Whose messages these are.
  public let dialect: ExchangeDialect
  /// What was seen: `byType` `l` updates, `s` snapshots, `t` trades, `i` ignored, `u` not synchronised, `g` gaps.
  public var counters = FeedCounters()
  /// Levels left out because their price is a number, but above what `Price` holds (9.2 billion).
  public var outOfRangeCount: UInt64 = 0
  /// Messages that Coinbase numbered and that did not come; a number below the one before begins a new count.
  @inlinable public var missedCount: UInt64 { missed }
  @usableFromInline var missed: UInt64 = 0
  /// Number of the next Coinbase message, 0 before the first.
  @usableFromInline var expected: UInt64 = 0
  @usableFromInline let symbols: SymbolTable
  @usableFromInline var events: Slab<MarketEvent>
  @usableFromInline var eventCount = 0
  @usableFromInline var taken = 0
  /// A depth update had no snapshot before it.
  @usableFromInline var hasLeftOut = false
  /// Binance: last update in each book; Coinbase: 1; 0 where there is no snapshot.
  @usableFromInline var lastUpdates: Slab<UInt64>
  @usableFromInline let lotDecimals: Int
  @usableFromInline let venue: VenueID
  @usableFromInline var sequence: UInt64 = 0
  @usableFromInline var received = Timestamp(nanoseconds: 0)

  /// A decoder of the pairs `symbols`, whose instruments are their positions.
  ///
  /// - Parameters:
  ///   - lotDecimals: a lot is 10^−`lotDecimals`, 0 to 18.
  ///   - eventsMax: events of one message, at least twice the pairs; a longer one is refused. A Coinbase snapshot has tens of thousands.
  /// - Throws: `ConfigurationError` as `SymbolTable.init`.
  /// - Precondition: `0 <= lotDecimals <= 18`, `eventsMax >= 2 * symbols.count`; the arena has `byteCount` free.
  public init(
    _ dialect: ExchangeDialect, symbols: [Symbol], lotDecimals: Int = 8, eventsMax: Int = 65_536,
    venue: VenueID = VenueID(index: 0), in arena: Arena
  ) throws(ConfigurationError) {
    precondition(
      lotDecimals >= 0 && lotDecimals <= 18 && eventsMax >= 2 * symbols.count,
      "ExchangeDecoder: a lot is 1 to 1e-18, there is room for two events of each pair")
    let table = try SymbolTable(symbols, in: arena)
    self.dialect = dialect
    self.lotDecimals = lotDecimals
    self.venue = venue
    self.symbols = table
    events = Slab(
      repeating: MarketEvent(kind: .information, time: Timestamp(nanoseconds: 0), instrument: .none), count: eventsMax,
      in: arena)
    lastUpdates = Slab(repeating: 0, count: symbols.count, in: arena)
  }

  /// Bytes a decoder takes from its arena, padding included.
  public static func byteCount(symbols: Int, eventsMax: Int = 65_536) -> Int {
    SymbolTable.byteCount(count: symbols) + 64 * eventsMax + 8 * symbols + 512
  }

  /// Reads one message; events of the one before that were not taken are forgotten.
  ///
  /// - Parameters:
  ///   - sequence: the number of the message, carried by its events.
  ///   - received: when it came: the time of events whose message tells none.
  @inlinable public mutating func decode(
    _ message: ByteView, sequence: UInt64, received: Timestamp
  ) -> ExchangeOutcome {
    begin(sequence, received)
    switch dialect {
    case .coinbase: return settle(decodeCoinbase(message))
    case .kraken: return settle(decodeKraken(message))
    case .binance: return settle(decodeBinance(message))
    }
  }

  @inlinable mutating func begin(_ sequence: UInt64, _ received: Timestamp) {
    self.sequence = sequence
    self.received = received
    eventCount = 0
    taken = 0
    hasLeftOut = false
  }

  /// The next event of the message, or nil behind the last.
  @inlinable public mutating func next() -> MarketEvent? {
    guard taken < eventCount else { return nil }
    taken += 1
    return events[taken - 1]
  }

  /// Counts what a message gave; one that gave no valid events gives none at all.
  @inlinable mutating func settle(_ outcome: ExchangeOutcome) -> ExchangeOutcome {
    switch outcome {
    case .events:
      if eventCount == 0 {
        counters.count(type: UInt8(ascii: "i"))
        return .ignored
      }
      let first = events[0]
      counters.count(
        type: first.flags.contains(.snapshot)
          ? UInt8(ascii: "s") : first.kind == .trade ? UInt8(ascii: "t") : UInt8(ascii: "l"))
      return .events(eventCount)
    case .gap:
      counters.count(type: UInt8(ascii: "g"))
      return .gap
    case .ignored: counters.count(type: UInt8(ascii: "i"))
    case .unsynchronised: counters.count(type: UInt8(ascii: "u"))
    case .refused(let refusal): counters.count(refusal)
    }
    eventCount = 0
    return outcome
  }

  // MARK: - Events

  @inlinable mutating func append(
    _ kind: MarketEventKind, _ instrument: InstrumentID, time: Int64? = nil, side: Side = .buy, price: Int64 = 0,
    lots: Int64 = 0, reference: UInt64 = 0, newReference: UInt64 = 0, flags: MarketEventFlags = [], code: UInt8 = 0
  ) -> Bool {
    guard eventCount < events.count else { return false }
    events[eventCount] = MarketEvent(
      kind: kind, sequence: sequence, time: time.map { Timestamp(nanoseconds: $0) } ?? received,
      instrument: instrument, venue: venue, reference: OrderReference(value: reference),
      newReference: OrderReference(value: newReference), side: side, price: Price(nanos: price),
      quantity: Quantity(lots: lots), flags: flags, code: code)
    eventCount += 1
    return true
  }

  @inlinable static func levelFlags(isSnapshot: Bool) -> MarketEventFlags {
    MarketEventFlags(
      rawValue: MarketEventFlags.hasSide.rawValue | (isSnapshot ? MarketEventFlags.snapshot.rawValue : 0))
  }

  /// Appends a level; why not, if it is none.
  @inlinable mutating func appendLevel(
    _ json: JsonWalker, _ instrument: InstrumentID, side: Side, price: JsonText, quantity: JsonText, time: Int64?,
    isSnapshot: Bool
  ) -> FeedRefusal? {
    guard let nanos = json.decimal(price, places: 9), nanos > 0 else {
      // Real books have such levels far from the market: 9,999,999,997 CHF a bitcoin. One must not cost the whole book.
      guard let whole = json.decimal(price, places: 0, cuts: true), whole > Int64.max / 1_000_000_000 else {
        return .invalidPrice
      }
      // Wrapping: a count of levels does not reach 2^64.
      outOfRangeCount &+= 1
      return nil
    }
    guard let lots = json.decimal(quantity, places: lotDecimals), lots >= 0 else { return .invalidQuantity }
    let flags = Self.levelFlags(isSnapshot: isSnapshot)
    return append(.setLevel, instrument, time: time, side: side, price: nanos, lots: lots, flags: flags)
      ? nil : .wrongLength
  }

  /// Appends a trade against a resting order of `side`; why not, if it is none.
  @inlinable mutating func appendTrade(
    _ json: JsonWalker, _ instrument: InstrumentID, side: Side, price: JsonText, quantity: JsonText, time: Int64,
    match: UInt64, isSnapshot: Bool
  ) -> FeedRefusal? {
    guard let nanos = json.decimal(price, places: 9), nanos > 0 else { return .invalidPrice }
    guard let lots = json.decimal(quantity, places: lotDecimals), lots > 0 else { return .invalidQuantity }
    let flags = Self.levelFlags(isSnapshot: isSnapshot).rawValue
    // Trades of a snapshot happened before: they print nothing.
    let prints = isSnapshot ? 0 : MarketEventFlags.printable.rawValue
    return append(
      .trade, instrument, time: time, side: side, price: nanos, lots: lots, newReference: match,
      flags: MarketEventFlags(rawValue: flags | prints)) ? nil : .wrongLength
  }
}
