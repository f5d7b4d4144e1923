import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

// Text feeds, captures and lines.
extension FuzzTarget {
  static func lobster(_ bytes: [UInt8]) {
    var books = FuzzBooks(instruments: 1)
    var feed = LobsterFeed(
      bytes.rawBytes, midnight: Timestamp(nanoseconds: 0), instrument: InstrumentID(index: 0))
    var events: UInt64 = 0
    while let event = feed.next() {
      events += 1
      books.apply(event)
    }
    addUp(feed.counters, messages: events + feed.counters.refusalCount)
    books.check()
  }

  static func bitstamp(_ bytes: [UInt8]) {
    var books = FuzzBooks(instruments: 1)
    var feed = BitstampFeed(bytes.rawBytes, instrument: InstrumentID(index: 0))
    var events: UInt64 = 0
    while let event = feed.next() {
      events += 1
      books.apply(event)
    }
    addUp(feed.counters, messages: events + feed.counters.refusalCount)
    books.check()
  }

  /// Lines of the bytes are messages.
  static func exchange(_ dialect: ExchangeDialect, _ bytes: [UInt8]) {
    var books = FuzzBooks(instruments: 2)
    guard var decoder = decoder(dialect) else { return }
    var messages: UInt64 = 0
    for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
      messages += 1
      let message = Array(line)
      let outcome = decoder.decode(
        ByteView(message.rawBytes), sequence: messages, received: Timestamp(nanoseconds: Int64(messages)))
      var events = 0
      while let event = decoder.next() {
        books.apply(event)
        events += 1
      }
      if case .events(let count) = outcome { precondition(count == events, "as many events as were told") }
    }
    addUp(decoder.counters, messages: messages)
    books.check()
  }

  private static func decoder(_ dialect: ExchangeDialect) -> ExchangeDecoder? {
    let names = ["BTC-USD", "XBT/USD", "BTCUSDT"].compactMap { Symbol($0) }
    let symbols = [names[Int(dialect.rawValue)], Symbol("ETH-USD")!]
    let bytes = ExchangeDecoder.byteCount(symbols: symbols.count, eventsMax: 256)
    return try? ExchangeDecoder(dialect, symbols: symbols, eventsMax: 256, in: Arena(capacityBytes: bytes + 4_096))
  }

  static func recording(_ bytes: [UInt8]) {
    var books = FuzzBooks(instruments: 2)
    guard let decoder = decoder(.binance) else { return }
    var feed = RecordingFeed(
      bytes.rawBytes, decoder: decoder, messageBytesMax: 2_048, in: Arena(capacityBytes: 1 << 14))
    while let event = feed.next() { books.apply(event) }
    addUp(feed.counters, messages: feed.counters.messages)
    addUp(feed.decoder.counters, messages: feed.decoder.counters.messages)
    books.check()
  }

  static func capture(_ bytes: [UInt8]) {
    var file = CaptureFile(bytes.rawBytes)
    var payload = 0
    while let packet = file.next() { payload += packet.payload.count }
    precondition(payload <= bytes.count, "no byte is in two datagrams")
    let counters = file.counters
    precondition(
      counters.packets == counters.datagrams + counters.refusalCount && file.ending != .unread,
      "every packet is counted once, and the bytes have an end")
  }

  static func mold(_ bytes: [UInt8]) {
    guard let configuration = try? LineConfiguration(windowMessages: 64, gapCountMax: 4) else { return }
    var arbiter = LineArbiter(
      configuration, start: .at(1), in: Arena(capacityBytes: configuration.arenaBytes + (1 << 14)))
    var frames = ItchFrames(bytes.rawBytes)
    var now = Timestamp(nanoseconds: 0)
    var last: UInt64 = 0
    func deliver(_ sequence: UInt64) {
      precondition(sequence > last, "in order, each once")
      last = sequence
    }
    while let datagram = frames.next() {
      now = now + .milliseconds(7)
      if var packet = arbiter.packet(in: datagram, line: 0) {
        let answer = arbiter.open(packet.header, line: 0, at: now)
        if answer == .newSession { last = 0 }
        if answer != .refused {
          var sequence = packet.nextSequence
          while let message = packet.next() {
            if arbiter.accept(message, sequence: sequence, line: 0) == .deliver { deliver(sequence) }
            sequence = packet.nextSequence
          }
          while let sequence = arbiter.nextHeld() { deliver(sequence) }
        }
      }
      while let action = arbiter.nextAction(at: now) {
        guard case .lost(let first, let count) = action else { continue }
        if arbiter.beginSnapshot(sequence: first + count - 1) == .started { arbiter.endSnapshot() }
      }
    }
  }

  static func iex(_ bytes: [UInt8]) {
    var books = FuzzBooks(instruments: 8)
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: 8) + (1 << 16))
    var feed = IexDeepFeed(map: InstrumentMap(discovering: 8, in: arena), venue: VenueID(index: 0))
    var frames = ItchFrames(bytes.rawBytes)
    var events: UInt64 = 0
    while let datagram = frames.next() {
      // A segment that is refused or known has no event either.
      _ = feed.accept(datagram)
      while let event = feed.next(in: datagram) {
        events += 1
        books.apply(event)
      }
    }
    addUp(feed.counters, messages: events + feed.counters.refusalCount)
    books.check()
  }
}
