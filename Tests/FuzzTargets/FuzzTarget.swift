import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

/// What a fuzzer feeds with bytes: each decoder, as a host uses it, with a book behind it where it gives events.
///
/// A decoder is total: any bytes give events or counted refusals. What traps, hangs or breaks a promise ends the process, and the fuzzer keeps the bytes.
public enum FuzzTarget: String, CaseIterable, Sendable {
  /// ITCH 5.0 in a file.
  case itchFrames = "itch"
  /// The packed league stream.
  case league
  /// Databento DBN.
  case dbn
  /// LOBSTER message files.
  case lobster
  /// Bitstamp order files.
  case bitstamp
  /// Coinbase messages.
  case coinbase
  /// Kraken messages.
  case kraken
  /// Binance messages.
  case binance
  /// Recordings of exchange messages.
  case recording
  /// Captures: pcap and pcapng.
  case capture
  /// MoldUDP64 packets through a line arbiter: each length in the bytes is a datagram.
  case mold
  /// IEX DEEP segments: each length in the bytes is a datagram.
  case iex
  /// Models of LightGBM, XGBoost, CatBoost and MLflow.
  case models
  /// A fault planted on purpose: a fuzzer that does not find it within its time finds nothing.
  case planted

  /// Decodes `bytes` to their end.
  public func run(_ bytes: [UInt8]) {
    switch self {
    case .itchFrames: Self.itch(bytes)
    case .league: Self.league(bytes)
    case .dbn: Self.dbn(bytes)
    case .lobster: Self.lobster(bytes)
    case .bitstamp: Self.bitstamp(bytes)
    case .coinbase: Self.exchange(.coinbase, bytes)
    case .kraken: Self.exchange(.kraken, bytes)
    case .binance: Self.exchange(.binance, bytes)
    case .recording: Self.recording(bytes)
    case .capture: Self.capture(bytes)
    case .mold: Self.mold(bytes)
    case .iex: Self.iex(bytes)
    case .models: Self.modelsRead(bytes)
    case .planted: Self.planted(bytes)
    }
  }

  private static func itch(_ bytes: [UInt8]) {
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: 8) + (1 << 16))
    var decoder = ItchDecoder(
      midnight: Timestamp(nanoseconds: 0), venue: VenueID(index: 0), map: InstrumentMap(discovering: 8, in: arena),
      in: arena)
    var books = FuzzBooks(instruments: 8)
    var frames = ItchFrames(bytes.rawBytes)
    var messages: UInt64 = 0
    while let message = frames.next() {
      messages += 1
      if case .event(let event) = decoder.decode(message, sequence: messages) { books.apply(event) }
    }
    precondition(
      decoder.counters.eventCount + decoder.counters.refusalCount == messages, "every message is counted once")
    books.check()
  }

  private static func league(_ bytes: [UInt8]) {
    var books = FuzzBooks(instruments: 1)
    var feed = LeagueFeed(bytes.rawBytes, instrument: InstrumentID(index: 0))
    var events: UInt64 = 0
    while let event = feed.next() {
      events += 1
      books.apply(event)
    }
    precondition(events + feed.counters.refusalCount == feed.counters.messages, "every record is counted once")
    books.check()
  }

  private static func dbn(_ bytes: [UInt8]) {
    var books = FuzzBooks(instruments: 4)
    let arena = Arena(capacityBytes: 1 << 17)
    guard var feed = try? DbnFeed(bytes.rawBytes, instruments: 4, in: arena) else { return }
    while let event = feed.next() { books.apply(event) }
    addUp(feed.counters, messages: feed.counters.messages)
    books.check()
  }

  /// Every one of `messages` is counted once, as its type or as a refusal.
  static func addUp(_ counters: FeedCounters, messages: UInt64) {
    var types: UInt64 = 0
    for type in 0..<256 { types += counters.byType[type] }
    precondition(
      counters.messages == messages && types + counters.refusalCount == messages, "every message is counted once")
  }

  private static func planted(_ bytes: [UInt8]) {
    guard bytes.count >= 4, bytes[0] == 0x4D, bytes[1] == 0x41, bytes[2] == 0x52 else { return }
    precondition(bytes[3] != 0x54, "the planted fault")
  }
}

/// Small books that take any event.
struct FuzzBooks: ~Copyable {
  var books: OrderBookSet
  let instruments: Int

  init(instruments: Int) {
    self.instruments = instruments
    guard let capacity = try? BookCapacity(instruments: instruments, orders: 256, windowTicks: 64) else {
      fatalError("FuzzBooks: a capacity")
    }
    let arena = Arena(capacityBytes: capacity.arenaBytes + (1 << 16))
    guard
      let books = try? OrderBookSet(
        capacity: capacity, feedIncrement: Price(nanos: 1), tick: Price(nanos: 10_000_000), in: arena)
    else { fatalError("FuzzBooks: books") }
    self.books = books
  }

  /// Applies an event, which must keep what every decoder promises.
  mutating func apply(_ event: MarketEvent) {
    precondition(event.quantity.lots >= 0, "a size is not negative")
    _ = books.apply(event)
  }

  /// The books hold together.
  func check() {
    if let fault = books.checkInvariants() { fatalError(fault) }
  }
}
