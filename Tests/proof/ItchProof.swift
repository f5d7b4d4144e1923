import FixtureStreams
import LockFreeRings
import MarketIngest
import TradingTypes

/// The proof by force that any bytes give an event or a counted refusal: a slice of generated ITCH, cut and changed at every
/// place in turn, through framing, decoder and, if one is given, a book.
///
/// A trap ends the process; what is wrong but does not trap is counted as unsound.
enum ItchProof {
  /// What was run and what came of it.
  struct Tally: Equatable, CustomStringConvertible {
    /// Passes over a slice.
    var runs = 0
    /// Bodies the framing found.
    var messages = 0
    var events = 0
    var refusals = 0
    /// Passes that ended behind the last message, or at an end mark.
    var completeEndings = 0
    /// Passes that ended in an incomplete message or in lost framing.
    var brokenEndings = 0
    /// Events outside the ranges the decoder promises, and passes whose counts do not add up.
    var unsound = 0

    var description: String {
      "\(runs) passes, \(messages) messages: \(events) events, \(refusals) refused; "
        + "\(completeEndings) complete and \(brokenEndings) broken ends; \(unsound) unsound"
    }
  }

  /// Stocks of the slice; more symbols than `capacity` that damaged fields spell find no id.
  private static let capacity = 64

  /// The first `byteCount` bytes of a generated stream of `symbols` stocks, whose last message may be cut.
  static func slice(byteCount: Int, seed: UInt64, symbols: Int = 4) -> [UInt8] {
    // A message has at least 21 bytes with its length.
    let messages = max(byteCount / 21 + 1, 64, 16 * symbols)
    let parameters = ItchFixture.Parameters(seed: seed, messages: messages, symbols: symbols)
    return Array(ItchFixture(parameters).generate().prefix(byteCount))
  }

  /// Every prefix of `slice`, the empty and the whole one included.
  static func prefixes(of slice: [UInt8]) -> Tally {
    var tally = Tally()
    var decoder = freshDecoder()
    for count in 0...slice.count { run(slice.span.extracting(first: count), &decoder, &tally) { _ in } }
    return tally
  }

  /// `slice` with each single bit turned over, and with each byte 0x00 and 0xFF.
  static func damages(to slice: [UInt8]) -> Tally {
    var tally = Tally()
    var decoder = freshDecoder()
    var slice = slice
    for offset in slice.indices {
      let whole = slice[offset]
      for bit in 0..<8 {
        slice[offset] = whole ^ 1 << UInt8(bit)
        run(slice.span, &decoder, &tally) { _ in }
      }
      for byte: UInt8 in [0x00, 0xFF] {
        slice[offset] = byte
        run(slice.span, &decoder, &tally) { _ in }
      }
      slice[offset] = whole
    }
    return tally
  }

  /// `slice` with one seeded random byte at each offset in turn, every event through `book`.
  ///
  /// Before each pass `book` is given a `clearBook` event of every instrument, so that it starts empty.
  static func randomBytes(in slice: [UInt8], seed: UInt64, book: (MarketEvent) -> Void) -> Tally {
    var tally = Tally()
    var decoder = freshDecoder()
    var slice = slice
    var random = SplitMix64(seed: seed)
    for offset in slice.indices {
      for index in 0..<UInt32(capacity) {
        book(
          MarketEvent(kind: .clearBook, time: ItchFixture.midnight, instrument: InstrumentID(index: index)))
      }
      let whole = slice[offset]
      slice[offset] = UInt8(truncatingIfNeeded: random.next())
      run(slice.span, &decoder, &tally, book)
      slice[offset] = whole
    }
    return tally
  }

  /// Whether the fields of an event are in the ranges the decoder promises for any bytes.
  static func isSound(_ event: MarketEvent) -> Bool {
    let time = event.time.nanoseconds - ItchFixture.midnight.nanoseconds
    return (0..<1 << 48).contains(time)
      && (0...Int64(UInt32.max)).contains(event.quantity.lots)
      && (0...Int64(UInt32.max) * 100_000).contains(event.price.nanos)
      && event.price.nanos % 100_000 == 0
      && (event.instrument == .none || event.instrument.index < UInt32(capacity))
      && (event.kind == .addOrder) == event.flags.contains(.hasSide)
      && (event.kind == .executeOrderAtPrice || !event.flags.contains(.printable))
  }

  private static func freshDecoder() -> ItchDecoder {
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: capacity) + 65_536)
    let map = InstrumentMap(discovering: capacity, in: arena)
    return ItchDecoder(midnight: ItchFixture.midnight, venue: VenueID(index: 0), map: map, in: arena)
  }

  private static func run(
    _ bytes: Span<UInt8>, _ decoder: inout ItchDecoder, _ tally: inout Tally, _ book: (MarketEvent) -> Void
  ) {
    var frames = ItchFrames(bytes)
    decoder.counters = ItchCounters()
    var messages: UInt64 = 0
    var events: UInt64 = 0
    while let message = frames.next() {
      messages += 1
      if case .event(let event) = decoder.decode(message, sequence: messages) {
        events += 1
        if !isSound(event) { tally.unsound += 1 }
        book(event)
      }
    }
    switch frames.ending {
    case .end, .endMark: tally.completeEndings += 1
    case .truncated, .zeroLength: tally.brokenEndings += 1
    case .unread: tally.unsound += 1
    }
    let counters = decoder.counters
    if counters.eventCount != events || counters.refusalCount != messages - events { tally.unsound += 1 }
    tally.runs += 1
    tally.messages += Int(messages)
    tally.events += Int(events)
    tally.refusals += Int(messages - events)
  }
}
