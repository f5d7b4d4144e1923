public import LockFreeRings
public import TradingTypes

/// Market events of a recording of a crypto exchange's connections: one JSON object a line.
///
/// ```
/// {"t": "recv", "conn": …, "ts": seconds, "data": "{\"channel\": …}"}
/// ```
/// `t` is `header`, `http` (with the `url`), `connect`, `send` or `recv`. The messages of `recv` lines are decoded, and those `http` answers that
/// are Binance depth snapshots, whose pair the address names. The message is a JSON text inside a JSON string: it is unescaped into memory of this
/// feed. The events of a line carry its number.
///
/// - Complexity: O(bytes), no allocation after `init`.
@frozen public struct RecordingFeed: ~Copyable, ~Escapable {
  @usableFromInline var lines: TextLines
  @usableFromInline var message: Slab<UInt8>
  @usableFromInline var lastStart = 0
  /// The decoder of the messages, and what it saw.
  public var decoder: ExchangeDecoder
  /// What the lines were: `byType` `h` header, `w` http, `c` connect, `s` send, `r` recv. Refusals are of lines; those of messages are the
  /// decoder's.
  public var counters = FeedCounters()

  /// The lines in `bytes`.
  ///
  /// - Parameters:
  ///   - messageBytesMax: bytes of the longest message; a longer one is refused.
  /// - Precondition: the arena has `messageBytesMax` bytes free, and `messageBytesMax > 0`.
  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan, decoder: consuming ExchangeDecoder, messageBytesMax: Int = 8 << 20, in arena: Arena) {
    precondition(messageBytesMax > 0, "RecordingFeed: there is room for a message")
    lines = TextLines(ByteView(bytes))
    message = Slab(repeating: 0, count: messageBytesMax, in: arena)
    self.decoder = decoder
  }

  /// How the bytes ended.
  @inlinable public var ending: TextEnding {
    guard lines.position == lines.view.count else { return .unfinished }
    return lines.isLastOpen ? .openLine(offset: lastStart, byteCount: lines.position - lastStart) : .end
  }

  /// The next event, or nil at the end. Lines and messages that mean nothing are counted and left out.
  @inlinable public mutating func next() -> MarketEvent? {
    while true {
      if let event = decoder.next() { return event }
      let start = lines.position
      guard let line = lines.next() else { return nil }
      lastStart = start
      read(line)
    }
  }

  @inlinable mutating func read(_ line: ByteView) {
    var json = JsonWalker(line)
    var type = TextWord.none
    var stamp: JsonText?
    var data: JsonText?
    var address: JsonText?
    guard json.beginObject() else { return counters.count(.malformed) }
    while let key = json.nextKey() {
      let name = json.word(key)
      let byte = json.peek()
      if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
        guard json.skipValue() else { return counters.count(.malformed) }
        continue
      }
      guard let text = json.scalar() else { return counters.count(.malformed) }
      switch name {
      case TextWord("t"): type = json.word(text)
      case TextWord("t", "s"): stamp = text
      case TextWord("d", "a", "t", "a"): data = text
      case TextWord("u", "r", "l"): address = text
      default: break
      }
    }
    guard json.finish() else { return counters.count(.malformed) }
    switch type {
    case TextWord("h", "e", "a", "d", "e", "r"): return counters.count(type: UInt8(ascii: "h"))
    case TextWord("c", "o", "n", "n", "e", "c", "t"): return counters.count(type: UInt8(ascii: "c"))
    case TextWord("s", "e", "n", "d"): return counters.count(type: UInt8(ascii: "s"))
    case TextWord("r", "e", "c", "v"), TextWord("h", "t", "t", "p"): break
    default: return counters.count(.unknownType)
    }
    guard let stamp, let nanos = json.decimal(stamp, places: 9, cuts: true), nanos >= 0 else {
      return counters.count(.invalidTime)
    }
    guard let data, data.isString else { return counters.count(.malformed) }
    let isMessage = type == TextWord("r", "e", "c", "v")
    let symbol = isMessage ? TextWord.none : Self.snapshotSymbol(json, address)
    // Other answers of the exchange are no market data.
    guard isMessage || symbol != .none else { return counters.count(type: UInt8(ascii: "w")) }
    guard let count = Self.unescape(json, data, into: &message) else { return counters.count(.wrongLength) }
    counters.count(type: isMessage ? UInt8(ascii: "r") : UInt8(ascii: "w"))
    Self.decode(
      message, count, with: &decoder, symbol: symbol, sequence: lines.count, received: Timestamp(nanoseconds: nanos))
  }

  @inlinable static func decode(
    _ message: borrowing Slab<UInt8>, _ count: Int, with decoder: inout ExchangeDecoder, symbol: TextWord,
    sequence: UInt64, received: Timestamp
  ) {
    let view = ByteView(message.span).slice(from: 0, count: count)
    if symbol == .none {
      _ = decoder.decode(view, sequence: sequence, received: received)
    } else {
      _ = decoder.decodeSnapshot(view, symbol: symbol, sequence: sequence, received: received)
    }
  }

  /// The pair in an address `…/depth?symbol=NKNUSDT&limit=1000`, or `.none`.
  @inlinable static func snapshotSymbol(_ json: JsonWalker, _ address: JsonText?) -> TextWord {
    guard let address, address.isString, !address.hasEscapes else { return .none }
    var place = address.start
    while place < address.end, json.view.byte(at: place) != UInt8(ascii: "?") { place += 1 }
    guard place - 5 >= address.start, place + 8 < address.end,
      json.view.word(from: place - 5, to: place) == TextWord("d", "e", "p", "t", "h"),
      json.view.word(from: place + 1, to: place + 8) == TextWord("s", "y", "m", "b", "o", "l", "=")
    else { return .none }
    let start = place + 8
    place = start
    while place < address.end, json.view.byte(at: place) != UInt8(ascii: "&") { place += 1 }
    return json.view.word(from: start, to: place)
  }

  /// Writes what the string `text` means, as UTF-8; how many bytes, or nil without room or for half a surrogate pair.
  @inlinable static func unescape(_ json: JsonWalker, _ text: JsonText, into bytes: inout Slab<UInt8>) -> Int? {
    var count = 0
    var place = text.start
    while place < text.end {
      // Four bytes are the longest character.
      guard count + 4 <= bytes.count else { return nil }
      let byte = json.view.byte(at: place)
      place += 1
      guard byte == UInt8(ascii: "\\"), place < text.end else {
        bytes[count] = byte
        count += 1
        continue
      }
      let letter = json.view.byte(at: place)
      place += 1
      guard letter == UInt8(ascii: "u") else {
        bytes[count] = Self.meaning(letter)
        count += 1
        continue
      }
      guard var scalar = json.hexadecimal(at: place) else { return nil }
      place += 4
      if scalar & 0xFC00 == 0xD800 {
        guard place + 6 <= text.end, json.view.byte(at: place) == UInt8(ascii: "\\"),
          json.view.byte(at: place + 1) == UInt8(ascii: "u"), let low = json.hexadecimal(at: place + 2),
          low & 0xFC00 == 0xDC00
        else { return nil }
        place += 6
        scalar = 0x1_0000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
      }
      guard scalar & 0xFFFF_F800 != 0xD800 else { return nil }
      count += Self.encode(scalar, at: count, into: &bytes)
    }
    return count
  }

  @inlinable static func meaning(_ letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
  }

  /// Writes `scalar` as UTF-8; how many bytes.
  @inlinable static func encode(_ scalar: UInt32, at place: Int, into bytes: inout Slab<UInt8>) -> Int {
    let length = scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x1_0000 ? 3 : 4
    guard length > 1 else {
      bytes[place] = UInt8(scalar)
      return 1
    }
    var rest = scalar
    var index = length - 1
    while index > 0 {
      bytes[place + index] = 0x80 | UInt8(rest & 0x3F)
      rest >>= 6
      index -= 1
    }
    // As many ones on top as there are bytes.
    bytes[place] = (length == 2 ? 0xC0 : length == 3 ? 0xE0 : 0xF0) | UInt8(rest)
    return length
  }
}
