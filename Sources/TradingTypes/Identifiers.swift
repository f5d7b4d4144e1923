// Dense integers name things on the hot path; symbols are strings at the edge only.

/// An instrument: its index in the `InstrumentDirectory`.
@frozen public struct InstrumentID: BitwiseCopyable, Hashable, Sendable {
  /// Index in the directory, from 0.
  public var index: UInt32
  /// The instrument at `index`.
  @inlinable public init(index: UInt32) { self.index = index }
  /// No instrument: an event that names none, or one the directory does not list.
  @inlinable public static var none: InstrumentID { InstrumentID(index: .max) }
}

/// A trading venue: its index in the `VenueDirectory`, below `VenueID.countMax`.
@frozen public struct VenueID: BitwiseCopyable, Hashable, Sendable {
  /// Index in the directory, from 0.
  public var index: UInt16
  /// The venue at `index`.
  @inlinable public init(index: UInt16) { self.index = index }
  /// Venues an engine can hold: their states travel as one bit each of 64.
  @inlinable public static var countMax: Int { 64 }
  /// The bit of this venue in a 64-bit mask.
  @inlinable public var bit: UInt64 { 1 &<< UInt64(index & 63) }
}

/// A strategy, below `StrategyID.countMax`.
@frozen public struct StrategyID: BitwiseCopyable, Hashable, Sendable {
  /// Index, from 0.
  public var index: UInt16
  /// The strategy at `index`.
  @inlinable public init(index: UInt16) { self.index = index }
  /// Strategies an engine can hold.
  @inlinable public static var countMax: Int { 64 }
}

/// A trading account, below `AccountID.countMax`.
@frozen public struct AccountID: BitwiseCopyable, Hashable, Sendable {
  /// Index, from 0.
  public var index: UInt16
  /// The account at `index`.
  @inlinable public init(index: UInt16) { self.index = index }
  /// Accounts an engine can hold.
  @inlinable public static var countMax: Int { 64 }
}

/// A feed's own number for a resting order: any 64-bit value.
@frozen public struct OrderReference: BitwiseCopyable, Hashable, Sendable {
  /// The feed's number.
  public var value: UInt64
  /// The order the feed calls `value`.
  @inlinable public init(value: UInt64) { self.value = value }
}

/// Our number for an order we send: unique for the life of an account.
@frozen public struct ClientOrderID: BitwiseCopyable, Hashable, Sendable {
  /// Counted from 1; 0 means none.
  public var value: UInt64
  /// Our order number `value`.
  @inlinable public init(value: UInt64) { self.value = value }
  /// No order.
  @inlinable public static var none: ClientOrderID { ClientOrderID(value: 0) }
}

/// Names the market event that caused a decision, the same in every replay.
///
/// 64 bits of feed session and source, 64 bits of message sequence; computed, never random.
@frozen public struct TraceID: BitwiseCopyable, Hashable, Sendable {
  /// `FNV1a64` of the feed's session and source.
  public var source: UInt64
  /// The message's number in that session, from 1.
  public var sequence: UInt64

  /// The trace of message `sequence` of `source`.
  @inlinable public init(source: UInt64, sequence: UInt64) {
    self.source = source
    self.sequence = sequence
  }

  /// The `source` half for a feed `session` (a file name, a MoldUDP64 session) from `feed`.
  public static func source(feed: String, session: String) -> UInt64 {
    var hash = FNV1a64()
    for byte in feed.utf8 { hash.combine(byte) }
    hash.combine(UInt8(0))
    for byte in session.utf8 { hash.combine(byte) }
    return hash.value
  }
}

/// Up to 16 ASCII characters that name an instrument outside the hot path.
@frozen public struct Symbol: BitwiseCopyable, Hashable, Sendable, CustomStringConvertible {
  /// Characters 1–8, first in the lowest byte, 0 after the last.
  public var low: UInt64
  /// Characters 9–16.
  public var high: UInt64

  /// The symbol spelt by already packed characters.
  @inlinable public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// The symbol spelt `text`, trailing spaces dropped; `nil` when it is empty, longer than 16 or not printable ASCII.
  public init?(_ text: String) {
    var bytes = Array(text.utf8)
    while bytes.last == 0x20 { bytes.removeLast() }
    guard (1...16).contains(bytes.count), bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
    low = 0
    high = 0
    for (place, byte) in bytes.enumerated() {
      if place < 8 {
        low |= UInt64(byte) << UInt64(8 * place)
      } else {
        high |= UInt64(byte) << UInt64(8 * (place - 8))
      }
    }
  }

  /// The characters.
  public var description: String {
    var text = ""
    for word in [low, high] {
      for place in 0..<8 {
        let byte = UInt8(truncatingIfNeeded: word >> UInt64(8 * place))
        if byte == 0 { return text }
        text.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    return text
  }
}
