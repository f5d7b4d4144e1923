public import TradingTypes

extension ExchangeDecoder {
  /// `[channel, {…}, {…}, "book-1000", "XBT/USD"]`, `[channel, [[…]], "trade", "XBT/USD"]`, or an object about the session.
  @inlinable mutating func decodeKraken(_ message: ByteView) -> ExchangeOutcome {
    var json = JsonWalker(message)
    if json.peek() == UInt8(ascii: "{") {
      guard json.skipValue(), json.finish() else { return .refused(.malformed) }
      return .ignored
    }
    let start = json.mark
    var channel = TextWord.none
    var pair = TextWord.none
    guard json.beginArray() else { return .refused(.malformed) }
    while json.nextElement() {
      if json.peek() == UInt8(ascii: "\"") {
        guard let text = json.scalar() else { return .refused(.malformed) }
        channel = pair
        pair = json.word(text)
      } else {
        _ = json.skipValue()
      }
    }
    guard json.finish() else { return .refused(.malformed) }
    // `book-` whatever the depth.
    let isBook = channel.low & 0xFF_FFFF_FFFF == TextWord("b", "o", "o", "k", "-").low
    guard isBook || channel == TextWord("t", "r", "a", "d", "e") else { return .ignored }
    guard let instrument = symbols.instrument(pair) else { return .ignored }
    json.go(to: start)
    guard json.beginArray() else { return .refused(.malformed) }
    var book = KrakenBookPart()
    while json.nextElement() {
      let first = json.peek()
      let refusal: FeedRefusal?
      if isBook, first == UInt8(ascii: "{") {
        refusal = krakenBook(&json, instrument, &book)
      } else if !isBook, first == UInt8(ascii: "[") {
        refusal = krakenTrades(&json, instrument)
      } else {
        refusal = json.skipValue() ? nil : .malformed
      }
      if let refusal { return .refused(refusal) }
    }
    guard json.isValid else { return .refused(.malformed) }
    if let checksum = book.checksum {
      guard
        append(
          .information, instrument, reference: checksum, newReference: UInt64(book.priceDecimals),
          code: UInt8(ascii: "c"))
      else { return .refused(.wrongLength) }
    }
    return .events(eventCount)
  }

  /// `{"as": levels, "bs": levels}` is a snapshot; `{"a": levels, "b": levels, "c": checksum}` an update.
  @inlinable mutating func krakenBook(
    _ json: inout JsonWalker, _ instrument: InstrumentID, _ book: inout KrakenBookPart
  ) -> FeedRefusal? {
    guard json.beginObject() else { return .malformed }
    while let key = json.nextKey() {
      let name = json.word(key)
      if name == TextWord("c") {
        guard let text = json.scalar(), let checksum = json.unsigned(text), checksum <= UInt64(UInt32.max) else {
          return .invalidNumber
        }
        book.checksum = checksum
        continue
      }
      let isSnapshot = name == TextWord("a", "s") || name == TextWord("b", "s")
      guard isSnapshot || name == TextWord("a") || name == TextWord("b") else {
        guard json.skipValue() else { return .malformed }
        continue
      }
      if isSnapshot, !book.isCleared {
        guard append(.clearBook, instrument, flags: .snapshot) else { return .wrongLength }
        book.isCleared = true
      }
      let side: Side = name.low & 0xFF == UInt64(UInt8(ascii: "a")) ? .sell : .buy
      guard json.beginArray() else { return .malformed }
      while json.nextElement() {
        if let refusal = krakenLevel(&json, instrument, side, &book, isSnapshot: isSnapshot) { return refusal }
      }
    }
    return json.isValid ? nil : .malformed
  }

  /// `[price, volume, time]`, and `"r"` where a level is told again.
  @inlinable mutating func krakenLevel(
    _ json: inout JsonWalker, _ instrument: InstrumentID, _ side: Side, _ book: inout KrakenBookPart, isSnapshot: Bool
  ) -> FeedRefusal? {
    guard json.beginArray(), json.nextElement(), let price = json.scalar(), json.nextElement(),
      let quantity = json.scalar(), json.nextElement(), let stamp = json.scalar()
    else { return .malformed }
    while json.nextElement() { guard json.skipValue() else { return .malformed } }
    guard let time = json.decimal(stamp, places: 9, cuts: true), time >= 0 else { return .invalidTime }
    book.priceDecimals = json.decimals(price)
    return appendLevel(
      json, instrument, side: side, price: price, quantity: quantity, time: time, isSnapshot: isSnapshot)
  }

  /// `[[price, volume, time, "b" or "s", …], …]`: the side is that of the order that came.
  @inlinable mutating func krakenTrades(_ json: inout JsonWalker, _ instrument: InstrumentID) -> FeedRefusal? {
    guard json.beginArray() else { return .malformed }
    while json.nextElement() {
      guard json.beginArray(), json.nextElement(), let price = json.scalar(), json.nextElement(),
        let quantity = json.scalar(), json.nextElement(), let stamp = json.scalar(), json.nextElement(),
        let letter = json.scalar()
      else { return .malformed }
      while json.nextElement() { guard json.skipValue() else { return .malformed } }
      guard let time = json.decimal(stamp, places: 9, cuts: true), time >= 0 else { return .invalidTime }
      let word = json.word(letter)
      guard word == TextWord("b") || word == TextWord("s") else { return .invalidSide }
      if let refusal = appendTrade(
        json, instrument, side: word == TextWord("b") ? .sell : .buy, price: price, quantity: quantity, time: time,
        match: 0, isSnapshot: false)
      {
        return refusal
      }
    }
    return json.isValid ? nil : .malformed
  }
}

/// What the parts of one Kraken book message told so far.
@frozen @usableFromInline struct KrakenBookPart: BitwiseCopyable {
  @usableFromInline var isCleared = false
  @usableFromInline var checksum: UInt64?
  @usableFromInline var priceDecimals = 0

  @inlinable init() {}
}

extension JsonWalker {
  /// Digits behind the point of a number.
  @inlinable func decimals(_ text: JsonText) -> Int {
    var place = text.start
    while place < text.end, view.byte(at: place) != UInt8(ascii: ".") { place += 1 }
    return place < text.end ? text.end - place - 1 : 0
  }
}

/// Kraken's checksum of the ten best levels of a book.
public enum KrakenChecksum {
  /// The checksum of `depth`: asks from the lowest, then bids from the highest, price and quantity of each as digits without point and leading zeros.
  ///
  /// - Parameters:
  ///   - priceDecimals: decimals of the pair's prices, at most 9. Quantities have as many as lots have.
  /// - Complexity: some 350 digits of eight steps each, no allocation.
  /// - Source: Kraken "WebSockets API v1", book checksum; CRC-32 of IEEE 802.3.
  @inlinable public static func of(_ depth: borrowing DepthView, priceDecimals: Int) -> UInt32 {
    var step: UInt64 = 1
    for _ in 0..<max(0, 9 - priceDecimals) { step *= 10 }
    var crc = UInt32.max
    for index in 0..<Int(depth.askCount) { add(depth.asks[index], step, &crc) }
    for index in 0..<Int(depth.bidCount) { add(depth.bids[index], step, &crc) }
    return ~crc
  }

  @inlinable static func add(_ level: DepthLevel, _ step: UInt64, _ crc: inout UInt32) {
    digits(level.price.nanos.magnitude / step, &crc)
    digits(level.quantity.lots.magnitude, &crc)
  }

  @inlinable static func digits(_ value: UInt64, _ crc: inout UInt32) {
    var power: UInt64 = 1
    // Cannot overflow: the power stays at or below the value.
    while value / power >= 10 { power *= 10 }
    while power > 0 {
      crc ^= UInt32(UInt8(ascii: "0") + UInt8(value / power % 10))
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
      power /= 10
    }
  }
}
