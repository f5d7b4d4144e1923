/// Why a message, record or line of a feed gave no event.
@frozen public enum FeedRefusal: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Its type is none of the feed's.
  case unknownType = 0
  /// It is longer or shorter than its type says, or a line has too few or too many fields.
  case wrongLength = 1
  /// A side that is neither buy nor sell.
  case invalidSide = 2
  /// A price that is no number of the feed, not positive or too large.
  case invalidPrice = 3
  /// A size that is no number of the feed, negative or too large.
  case invalidQuantity = 4
  /// A time that is no number of the feed or not representable.
  case invalidTime = 5
  /// An order number or another field that is no number of the feed.
  case invalidNumber = 6
  /// A name that is no symbol.
  case invalidSymbol = 7
  /// Text that breaks the feed's grammar.
  case malformed = 8
}

/// What a decoder of files saw: every message is counted once, in `byType` or in `byRefusal`.
@frozen public struct FeedCounters: BitwiseCopyable, Sendable {
  /// Messages that were understood, by the feed's own type byte.
  public var byType: InlineArray<256, UInt64>
  /// Refusals by raw value.
  public var byRefusal: InlineArray<9, UInt64>
  /// Messages so far, refused ones too.
  public var messages: UInt64

  /// Nothing seen.
  @inlinable public init() {
    byType = InlineArray(repeating: 0)
    byRefusal = InlineArray(repeating: 0)
    messages = 0
  }

  /// Counts a message that was understood.
  @inlinable public mutating func count(type: UInt8) {
    // Wrapping, here and below: a count of messages does not reach 2^64.
    byType[Int(type)] &+= 1
    messages &+= 1
  }

  /// Counts a message that was not.
  @inlinable public mutating func count(_ refusal: FeedRefusal) {
    byRefusal[Int(refusal.rawValue)] &+= 1
    messages &+= 1
  }

  /// Messages refused as `refusal`.
  @inlinable public func refusals(_ refusal: FeedRefusal) -> UInt64 { byRefusal[Int(refusal.rawValue)] }

  /// All refusals.
  public var refusalCount: UInt64 {
    var sum: UInt64 = 0
    // Wrapping: as above.
    for refusal in FeedRefusal.allCases { sum &+= byRefusal[Int(refusal.rawValue)] }
    return sum
  }
}
