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
/// Levels from `bidCount` and `askCount` on are `.empty`, so a reader may sum all ten without asking. Both sides are alike in
/// memory, three cache lines each, so that a writer need not branch on the side:
///
/// ```
/// levels: 0 ten bids │ 10 spare │ 11 bid count │ 12 ten asks │ 22 spare │ 23 ask count
/// ```
@frozen public struct DepthView: BitwiseCopyable, Sendable {
  /// Levels a side.
  @inlinable public static var levelCountMax: Int { 10 }

  /// Levels' worth of memory from one side's first level to the next side's.
  @inlinable public static var sideStride: Int { 12 }
  /// Where in a side's memory the count stands, as the quantity of a level.
  @inlinable public static var countPlace: Int { 11 }

  /// Bids, best first.
  public var bids: InlineArray<10, DepthLevel>
  // Where a writer puts what is not among the ten; nobody reads it.
  @usableFromInline var bidSpare: DepthLevel
  @usableFromInline var bidCountHolder: DepthLevel
  /// Asks, best first.
  public var asks: InlineArray<10, DepthLevel>
  @usableFromInline var askSpare: DepthLevel
  @usableFromInline var askCountHolder: DepthLevel

  /// Bid levels that exist, at most 10.
  @inlinable public var bidCount: Int32 {
    get { Int32(truncatingIfNeeded: bidCountHolder.quantity.lots) }
    set { bidCountHolder.quantity = Quantity(lots: Int64(newValue)) }
  }

  /// Ask levels that exist, at most 10.
  @inlinable public var askCount: Int32 {
    get { Int32(truncatingIfNeeded: askCountHolder.quantity.lots) }
    set { askCountHolder.quantity = Quantity(lots: Int64(newValue)) }
  }

  /// A view of an empty book.
  @inlinable public init() {
    bids = InlineArray(repeating: .empty)
    bidSpare = .empty
    bidCountHolder = .empty
    asks = InlineArray(repeating: .empty)
    askSpare = .empty
    askCountHolder = .empty
  }

  /// Both sides have a level and the best bid is below the best ask.
  @inlinable public var isTwoSided: Bool { bidCount > 0 && askCount > 0 && bids[0].price < asks[0].price }

  /// Both sides have a level and the best bid is above the best ask.
  @inlinable public var isCrossed: Bool { bidCount > 0 && askCount > 0 && bids[0].price > asks[0].price }

  /// Best bid plus best ask in billionths, twice the mid price: exact. Meaningful when both sides have a level.
  @inlinable public var midNanosTwice: Int64 { bids[0].price.nanos &+ asks[0].price.nanos }
}
