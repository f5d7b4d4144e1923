/// One aggregated price level.
@frozen public struct DepthLevel: BitwiseCopyable, Hashable, Sendable {
  /// Price per unit.
  public var price: Price
  /// Displayed size in lots.
  public var quantity: Quantity

  /// `quantity` at `price`.
  @inlinable public init(price: Price, quantity: Quantity) {
    self.price = price
    self.quantity = quantity
  }

  /// No level.
  @inlinable public static var empty: DepthLevel { DepthLevel(price: .zero, quantity: .zero) }
}

/// The best ten levels of each side, best first: what features, routing and venues see of a book.
///
/// Levels from `bidCount` and `askCount` on are `.empty`, so a reader may sum all ten without asking.
@frozen public struct DepthView: BitwiseCopyable, Sendable {
  /// Levels a side.
  @inlinable public static var levelCountMax: Int { 10 }

  /// Bids, best first.
  public var bids: InlineArray<10, DepthLevel>
  /// Asks, best first.
  public var asks: InlineArray<10, DepthLevel>
  /// Bid levels that exist, at most 10.
  public var bidCount: Int32
  /// Ask levels that exist, at most 10.
  public var askCount: Int32

  /// A view of an empty book.
  @inlinable public init() {
    bids = InlineArray(repeating: .empty)
    asks = InlineArray(repeating: .empty)
    bidCount = 0
    askCount = 0
  }

  /// Both sides have a level and the best bid is below the best ask.
  @inlinable public var isTwoSided: Bool { bidCount > 0 && askCount > 0 && bids[0].price < asks[0].price }

  /// Both sides have a level and the best bid is above the best ask.
  @inlinable public var isCrossed: Bool { bidCount > 0 && askCount > 0 && bids[0].price > asks[0].price }

  /// Best bid plus best ask in billionths, twice the mid price: exact. Meaningful when both sides have a level.
  @inlinable public var midNanosTwice: Int64 { bids[0].price.nanos &+ asks[0].price.nanos }
}
