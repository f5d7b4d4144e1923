public import LockFreeRings
public import TradingTypes

extension ExchangeDecoder {
  /// `{"channel": …, "timestamp": …, "sequence_num": n, "events": […]}`
  @inlinable mutating func decodeCoinbase(_ message: ByteView) -> ExchangeOutcome {
    var json = JsonWalker(message)
    var channel = TextWord.none
    var number: UInt64?
    var events: JsonMark?
    guard json.beginObject() else { return .refused(.malformed) }
    while let key = json.nextKey() {
      let name = json.word(key)
      if name == TextWord("c", "h", "a", "n", "n", "e", "l"), let text = json.scalar() {
        channel = json.word(text)
      } else if name == TextWord("s", "e", "q", "u", "e", "n", "c", "e", "_", "n", "u", "m"), let text = json.scalar() {
        number = json.unsigned(text)
      } else {
        if name == TextWord("e", "v", "e", "n", "t", "s") { events = json.mark }
        _ = json.skipValue()
      }
    }
    guard json.finish() else { return .refused(.malformed) }
    guard let number, number < .max else { return .refused(.invalidNumber) }
    // Wrapping: a number before its turn is a new connection's; the difference is then above the half.
    let ahead = expected > 0 ? number &- expected : 0
    if ahead < 1 << 63 { missed &+= ahead }
    // Cannot overflow: below the largest number.
    expected = number &+ 1
    // What did not come may have been about any book.
    let isGap = ahead != 0 && forgetBooks()
    let isDepth = channel == TextWord("l", "2", "_", "d", "a", "t", "a")
    let isTrades = channel == TextWord("m", "a", "r", "k", "e", "t", "_", "t", "r", "a", "d", "e", "s")
    guard isDepth || isTrades else { return isGap ? .gap : .ignored }
    let clears = eventCount
    if let refusal = coinbaseEvents(&json, events, isDepth: isDepth) {
      eventCount = clears
      // A depth message that is not taken is missing like one that did not come.
      let isLost = isDepth && forgetBooks()
      return isGap || isLost ? .gap : .refused(refusal)
    }
    if isGap { return .gap }
    return eventCount == 0 && hasLeftOut ? .unsynchronised : .events(eventCount)
  }

  /// All books wait for a snapshot again: a `clearBook` of each that had one. False where none had.
  @usableFromInline @inline(never) mutating func forgetBooks() -> Bool {
    let before = eventCount
    for instrument in 0..<lastUpdates.count where lastUpdates[instrument] != 0 {
      lastUpdates[instrument] = 0
      // There is room: `init` demands two events for each pair, and none is cleared thrice by a message.
      _ = append(.clearBook, InstrumentID(index: UInt32(instrument)))
    }
    return eventCount > before
  }

  @inlinable mutating func coinbaseEvents(
    _ json: inout JsonWalker, _ events: JsonMark?, isDepth: Bool
  ) -> FeedRefusal? {
    guard let events else { return .malformed }
    json.go(to: events)
    guard json.beginArray() else { return .malformed }
    while json.nextElement() {
      if let refusal = coinbaseEvent(&json, isDepth: isDepth) { return refusal }
    }
    return json.isValid ? nil : .malformed
  }

  @inlinable mutating func coinbaseEvent(_ json: inout JsonWalker, isDepth: Bool) -> FeedRefusal? {
    var type = TextWord.none
    var product = TextWord.none
    var list: JsonMark?
    guard json.beginObject() else { return .malformed }
    while let key = json.nextKey() {
      let name = json.word(key)
      if name == TextWord("t", "y", "p", "e"), let text = json.scalar() {
        type = json.word(text)
      } else if name == TextWord("p", "r", "o", "d", "u", "c", "t", "_", "i", "d"), let text = json.scalar() {
        product = json.word(text)
      } else {
        if name == TextWord("u", "p", "d", "a", "t", "e", "s") || name == TextWord("t", "r", "a", "d", "e", "s") {
          list = json.mark
        }
        _ = json.skipValue()
      }
    }
    let isSnapshot = type == TextWord("s", "n", "a", "p", "s", "h", "o", "t")
    guard json.isValid, isSnapshot || type == TextWord("u", "p", "d", "a", "t", "e"), let list else {
      return .malformed
    }
    let behind = json.mark
    json.go(to: list)
    guard json.beginArray() else { return .malformed }
    if isDepth {
      guard let instrument = symbols.instrument(product) else {
        json.go(to: behind)
        return nil
      }
      guard isSnapshot || lastUpdates[Int(instrument.index)] != 0 else {
        hasLeftOut = true
        json.go(to: behind)
        return nil
      }
      if isSnapshot, !append(.clearBook, instrument, flags: .snapshot) { return .wrongLength }
      while json.nextElement() {
        if let refusal = coinbaseLevel(&json, instrument, isSnapshot: isSnapshot) { return refusal }
      }
      lastUpdates[Int(instrument.index)] = 1
    } else {
      while json.nextElement() {
        if let refusal = coinbaseTrade(&json, isSnapshot: isSnapshot) { return refusal }
      }
    }
    guard json.isValid else { return .malformed }
    json.go(to: behind)
    return nil
  }

  /// `{"side": "bid" or "offer", "event_time": …, "price_level": …, "new_quantity": …}`
  @inlinable mutating func coinbaseLevel(
    _ json: inout JsonWalker, _ instrument: InstrumentID, isSnapshot: Bool
  ) -> FeedRefusal? {
    var side: Side?
    var time: Int64?
    var price: JsonText?
    var quantity: JsonText?
    guard json.beginObject() else { return .malformed }
    while let key = json.nextKey() {
      guard let text = json.scalar() else { return .malformed }
      let name = json.word(key)
      if name == TextWord("s", "i", "d", "e") {
        let word = json.word(text)
        side =
          word == TextWord("b", "i", "d") ? .buy : word == TextWord("o", "f", "f", "e", "r") ? .sell : nil
      } else if name == TextWord("e", "v", "e", "n", "t", "_", "t", "i", "m", "e") {
        time = json.instant(text)
      } else if name == TextWord("p", "r", "i", "c", "e", "_", "l", "e", "v", "e", "l") {
        price = text
      } else if name == TextWord("n", "e", "w", "_", "q", "u", "a", "n", "t", "i", "t", "y") {
        quantity = text
      }
    }
    guard json.isValid else { return .malformed }
    guard let side else { return .invalidSide }
    guard let time else { return .invalidTime }
    guard let price, let quantity else { return .malformed }
    return appendLevel(
      json, instrument, side: side, price: price, quantity: quantity, time: time, isSnapshot: isSnapshot)
  }

  /// `{"product_id": …, "trade_id": …, "price": …, "size": …, "time": …, "side": …}`; the side is that of the resting order.
  @inlinable mutating func coinbaseTrade(_ json: inout JsonWalker, isSnapshot: Bool) -> FeedRefusal? {
    var product = TextWord.none
    var side: Side?
    var time: Int64?
    var match: UInt64?
    var price: JsonText?
    var quantity: JsonText?
    guard json.beginObject() else { return .malformed }
    while let key = json.nextKey() {
      guard let text = json.scalar() else { return .malformed }
      let name = json.word(key)
      if name == TextWord("p", "r", "o", "d", "u", "c", "t", "_", "i", "d") {
        product = json.word(text)
      } else if name == TextWord("s", "i", "d", "e") {
        let word = json.word(text)
        side = word == TextWord("B", "U", "Y") ? .buy : word == TextWord("S", "E", "L", "L") ? .sell : nil
      } else if name == TextWord("t", "i", "m", "e") {
        time = json.instant(text)
      } else if name == TextWord("t", "r", "a", "d", "e", "_", "i", "d") {
        match = json.unsigned(text)
      } else if name == TextWord("p", "r", "i", "c", "e") {
        price = text
      } else if name == TextWord("s", "i", "z", "e") {
        quantity = text
      }
    }
    guard json.isValid else { return .malformed }
    guard let side else { return .invalidSide }
    guard let time else { return .invalidTime }
    guard let match else { return .invalidNumber }
    guard let price, let quantity else { return .malformed }
    guard let instrument = symbols.instrument(product) else { return nil }
    return appendTrade(
      json, instrument, side: side, price: price, quantity: quantity, time: time, match: match, isSnapshot: isSnapshot)
  }
}

extension JsonWalker {
  /// `text` as a time `2026-08-09T21:05:48.228568804Z` in nanoseconds from 1970, or nil.
  ///
  /// - Source: RFC 3339, section 5.6; only the offset `Z`, and no leap second.
  @inlinable public func instant(_ text: JsonText) -> Int64? {
    var scanner = TextScanner(view.slice(from: text.start, count: text.end - text.start))
    guard let year = scanner.unsigned(), scanner.skip(UInt8(ascii: "-")), let month = scanner.unsigned(),
      scanner.skip(UInt8(ascii: "-")), let day = scanner.unsigned(), scanner.skip(UInt8(ascii: "T")),
      let hour = scanner.unsigned(), scanner.skip(UInt8(ascii: ":")), let minute = scanner.unsigned(),
      scanner.skip(UInt8(ascii: ":")), let second = scanner.decimal(places: 9, cuts: true),
      scanner.skip(UInt8(ascii: "Z")), scanner.isAtEnd, year >= 1970, year < 2262, month >= 1, month <= 12, day >= 1,
      day <= 31, hour < 24, minute < 60, second >= 0, second < 60_000_000_000
    else { return nil }
    // Years from March on: a leap day is then the last of its year.
    let shifted = Int64(month) <= 2 ? Int64(year) - 1 : Int64(year)
    let fromMarch = (Int64(month) + 9) % 12
    let days =
      365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + (153 * fromMarch + 2) / 5 + Int64(day) - 1 - 719_468
    return ((days * 24 + Int64(hour)) * 60 + Int64(minute)) * 60_000_000_000 + second
  }
}
