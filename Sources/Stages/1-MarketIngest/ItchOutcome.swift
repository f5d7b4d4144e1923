public import TradingTypes

/// Why the bytes of a message are not an event.
@frozen public enum ItchRefusal: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// No byte at all.
  case empty = 0
  /// The first byte is no message type of ITCH 5.0.
  case unknownType = 1
  /// The body is longer or shorter than its type says.
  case wrongLength = 2
  /// The side of an added order is neither B nor S.
  case invalidSide = 3
  /// The size of an auction trade is above 4,294,967,295 shares: sums of it could not be trusted to fit 64 bits.
  case invalidQuantity = 4
}

/// What one message body gave.
@frozen public enum ItchOutcome: BitwiseCopyable, Sendable {
  /// A market event.
  case event(MarketEvent)
  /// Nothing, counted, and why.
  case refused(ItchRefusal)

  /// The event, or nil for a refusal.
  @inlinable public var event: MarketEvent? {
    if case .event(let event) = self { return event }
    return nil
  }

  /// The refusal, or nil for an event.
  @inlinable public var refusal: ItchRefusal? {
    if case .refused(let refusal) = self { return refusal }
    return nil
  }
}

/// What a decoder saw: every message is counted once, in `byType` as an event or in `byRefusal`.
@frozen public struct ItchCounters: BitwiseCopyable, Sendable {
  /// Events by type byte.
  public var byType: InlineArray<256, UInt64>
  /// Refusals by raw value.
  public var byRefusal: InlineArray<5, UInt64>

  /// Nothing seen.
  @inlinable public init() {
    byType = InlineArray(repeating: 0)
    byRefusal = InlineArray(repeating: 0)
  }

  /// Events of the message type spelt `type`.
  @inlinable public func events(of type: Unicode.Scalar) -> UInt64 {
    type.isASCII ? byType[Int(type.value)] : 0
  }

  /// Messages refused as `refusal`.
  @inlinable public func refusals(_ refusal: ItchRefusal) -> UInt64 { byRefusal[Int(refusal.rawValue)] }

  /// All events.
  public var eventCount: UInt64 {
    var sum: UInt64 = 0
    // Wrapping: counters of messages do not reach 2^64.
    for type in 0..<256 { sum &+= byType[type] }
    return sum
  }

  /// All refusals.
  public var refusalCount: UInt64 {
    var sum: UInt64 = 0
    // Wrapping: as above.
    for refusal in 0..<5 { sum &+= byRefusal[refusal] }
    return sum
  }
}
