public import LockFreeRings
public import TradingTypes

extension ExchangeDecoder {
  /// A combined stream's `{"stream": …, "data": {…}}`, or the inner object alone.
  @inlinable mutating func decodeBinance(_ message: ByteView) -> ExchangeOutcome {
    var json = JsonWalker(message)
    var data: JsonMark? = json.mark
    guard json.beginObject() else { return .refused(.malformed) }
    while let key = json.nextKey() {
      if json.word(key) == TextWord("d", "a", "t", "a") { data = json.mark }
      _ = json.skipValue()
    }
    guard json.finish(), let data else { return .refused(.malformed) }
    json.go(to: data)
    return binanceEvent(&json)
  }

  /// `{"e": …, "E": ms, "s": symbol, …}`. The keys differ by the type, so they are noted first and read when the type is known.
  @inlinable mutating func binanceEvent(_ json: inout JsonWalker) -> ExchangeOutcome {
    var type = TextWord.none
    var symbol = TextWord.none
    var first: JsonText?  // U
    var last: JsonText?  // u
    var price: JsonText?  // p
    var quantity: JsonText?  // q
    var stamp: JsonText?  // E
    var traded: JsonText?  // T
    var aggregate: JsonText?  // a of a trade
    var single: JsonText?  // t
    var maker: JsonText?  // m
    var bids: JsonMark?
    var asks: JsonMark?
    guard json.beginObject() else { return .refused(.malformed) }
    while let key = json.nextKey() {
      let name = json.word(key)
      let byte = json.peek()
      if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") {
        if name == TextWord("b") { bids = json.mark }
        if name == TextWord("a") { asks = json.mark }
        guard json.skipValue() else { return .refused(.malformed) }
        continue
      }
      guard let text = json.scalar() else { return .refused(.malformed) }
      switch name {
      case TextWord("e"): type = json.word(text)
      case TextWord("s"): symbol = json.word(text)
      case TextWord("U"): first = text
      case TextWord("u"): last = text
      case TextWord("p"): price = text
      case TextWord("q"): quantity = text
      case TextWord("E"): stamp = text
      case TextWord("T"): traded = text
      case TextWord("a"): aggregate = text
      case TextWord("t"): single = text
      case TextWord("m"): maker = text
      default: break
      }
    }
    guard json.isValid else { return .refused(.malformed) }
    let isDepth = type == TextWord("d", "e", "p", "t", "h", "U", "p", "d", "a", "t", "e")
    let isAggregate = type == TextWord("a", "g", "g", "T", "r", "a", "d", "e")
    guard isDepth || isAggregate || type == TextWord("t", "r", "a", "d", "e") else { return .ignored }
    guard let instrument = symbols.instrument(symbol) else { return .ignored }
    if isDepth {
      guard let first = first.flatMap({ json.unsigned($0) }), let last = last.flatMap({ json.unsigned($0) }),
        first <= last, last < .max
      else { return .refused(.invalidNumber) }
      guard let time = json.milliseconds(stamp) else { return .refused(.invalidTime) }
      guard let bids, let asks else { return .refused(.malformed) }
      return binanceDepth(&json, instrument, first...last, bids: bids, asks: asks, time: time)
    }
    guard let time = json.milliseconds(traded) else { return .refused(.invalidTime) }
    guard let match = (isAggregate ? aggregate : single).flatMap({ json.unsigned($0) }) else {
      return .refused(.invalidNumber)
    }
    guard let price, let quantity, let maker else { return .refused(.malformed) }
    let word = json.word(maker)
    guard word == TextWord("t", "r", "u", "e") || word == TextWord("f", "a", "l", "s", "e") else {
      return .refused(.invalidSide)
    }
    // `m`: the buyer's order rested.
    let side: Side = word == TextWord("t", "r", "u", "e") ? .buy : .sell
    let refusal = appendTrade(
      json, instrument, side: side, price: price, quantity: quantity, time: time, match: match, isSnapshot: false)
    return refusal.map { .refused($0) } ?? .events(eventCount)
  }

  /// The rule: an update that ends before the snapshot's is old; the first one taken must hold the snapshot's next update, and each one after that
  /// must go on where the last ended.
  @inlinable mutating func binanceDepth(
    _ json: inout JsonWalker, _ instrument: InstrumentID, _ updates: ClosedRange<UInt64>, bids: JsonMark,
    asks: JsonMark, time: Int64
  ) -> ExchangeOutcome {
    let known = lastUpdates[Int(instrument.index)]
    guard known > 0, updates.upperBound > known else { return .unsynchronised }
    // Cannot overflow: updates are below the largest number.
    guard updates.lowerBound <= known &+ 1 else {
      lastUpdates[Int(instrument.index)] = 0
      _ = append(.clearBook, instrument, time: time)
      return .gap
    }
    json.go(to: bids)
    if let refusal = binanceLevels(&json, instrument, .buy, time: time, isSnapshot: false) { return .refused(refusal) }
    json.go(to: asks)
    if let refusal = binanceLevels(&json, instrument, .sell, time: time, isSnapshot: false) { return .refused(refusal) }
    lastUpdates[Int(instrument.index)] = updates.upperBound
    return .events(eventCount)
  }

  /// `[[price, quantity], …]`
  @inlinable mutating func binanceLevels(
    _ json: inout JsonWalker, _ instrument: InstrumentID, _ side: Side, time: Int64?, isSnapshot: Bool
  ) -> FeedRefusal? {
    guard json.beginArray() else { return .malformed }
    while json.nextElement() {
      guard json.beginArray(), json.nextElement(), let price = json.scalar(), json.nextElement(),
        let quantity = json.scalar()
      else { return .malformed }
      while json.nextElement() { guard json.skipValue() else { return .malformed } }
      if let refusal = appendLevel(
        json, instrument, side: side, price: price, quantity: quantity, time: time, isSnapshot: isSnapshot)
      {
        return refusal
      }
    }
    return json.isValid ? nil : .malformed
  }

  /// Reads Binance's answer to a depth request for the pair `symbol`: `{"lastUpdateId": n, "bids": […], "asks": […]}`.
  ///
  /// Updates are joined to it by number; one that is older than the book is `.unsynchronised` and left out. A host opens the stream, keeps its messages, asks for the snapshot, decodes it, then what it kept.
  @inlinable public mutating func decodeSnapshot(
    _ message: ByteView, symbol: TextWord, sequence: UInt64, received: Timestamp
  ) -> ExchangeOutcome {
    begin(sequence, received)
    return settle(binanceSnapshot(message, symbol))
  }

  @inlinable mutating func binanceSnapshot(_ message: ByteView, _ symbol: TextWord) -> ExchangeOutcome {
    guard dialect == .binance, let instrument = symbols.instrument(symbol) else { return .ignored }
    var json = JsonWalker(message)
    var last: UInt64?
    guard append(.clearBook, instrument, flags: .snapshot), json.beginObject() else { return .refused(.malformed) }
    while let key = json.nextKey() {
      let name = json.word(key)
      let isBids = name == TextWord("b", "i", "d", "s")
      if isBids || name == TextWord("a", "s", "k", "s") {
        if let refusal = binanceLevels(&json, instrument, isBids ? .buy : .sell, time: nil, isSnapshot: true) {
          return .refused(refusal)
        }
      } else if name == TextWord("l", "a", "s", "t", "U", "p", "d", "a", "t", "e", "I", "d"), let text = json.scalar() {
        last = json.unsigned(text)
      } else {
        _ = json.skipValue()
      }
    }
    guard json.finish() else { return .refused(.malformed) }
    guard let last, last > 0, last < .max else { return .refused(.invalidNumber) }
    // The book is further already: going back would leave it waiting for updates that were taken.
    guard last >= lastUpdates[Int(instrument.index)] else { return .unsynchronised }
    lastUpdates[Int(instrument.index)] = last
    return .events(eventCount)
  }
}

extension JsonWalker {
  /// Milliseconds from 1970 as nanoseconds, or nil.
  @inlinable func milliseconds(_ text: JsonText?) -> Int64? {
    // 2^43 ms is the year 2248, and 2^43 × 10^6 fits.
    guard let value = text.flatMap({ unsigned($0) }), value <= 1 << 43 else { return nil }
    return Int64(value) * 1_000_000
  }
}
