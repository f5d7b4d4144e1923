/// What became of a market event when a book applied it.
@frozen public enum BookStatus: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// The book changed as the event says.
  case applied = 0
  /// The event says nothing about a book; nothing changed.
  case ignored = 1
  /// The event names no instrument of this book set; nothing changed.
  case unknownInstrument = 2
  /// The event names an order that does not rest here; nothing changed, counted.
  case unknownOrder = 3
  /// An add names an order that rests already; nothing changed, counted.
  case duplicateOrder = 4
  /// More was executed or cancelled than rested: the order left, counted, and the book is stale.
  case overfill = 5
  /// Size not positive, or price outside the accepted range; nothing changed, counted.
  case invalid = 6
  /// No room for another order or level; nothing was added, counted, and the book is stale.
  case poolExhausted = 7

  /// The book is different from before.
  @inlinable public var changedBook: Bool { self == .applied || self == .overfill }
}

/// What a market event did to its instrument's book: the by-product of `apply`, and all that features need beside the depth.
@frozen public struct BookEffect: BitwiseCopyable, Sendable {
  /// What became of the event.
  public var status: BookStatus
  // Bit 0: the best changed; bit 1: the ten levels did. As bits, because two truth values that are as good as random came to a branch
  // each on their way into the register that this struct is returned in.
  @usableFromInline var changes: UInt8
  /// Side of the order or level the event was about.
  public var side: Side
  /// Price at which that order rested before the event (the new price for an add).
  public var price: Price
  /// Lots that came (add) or went (execute, reduce, delete, and the old order of a replace).
  public var quantity: Quantity

  /// The best price or its size changed, on either side.
  @inlinable public var bestChanged: Bool {
    get { changes & 1 != 0 }
    set { changes = changes & 2 | (newValue ? 1 : 0) }
  }

  /// One of the ten levels of the depth view changed, on either side.
  @inlinable public var depthChanged: Bool {
    get { changes & 2 != 0 }
    set { changes = changes & 1 | (newValue ? 2 : 0) }
  }

  /// An effect on the level that was, is, or would be the one at `rank` of its side, from 0: the best level and the first ten count as
  /// changed if that is one of them.
  @inlinable @inline(__always) public init(
    _ status: BookStatus, side: Side, price: Price, quantity: Quantity, rank: Int
  ) {
    self.status = status
    self.side = side
    self.price = price
    self.quantity = quantity
    // Signs of differences, which are exact for ranks.
    let isBest = UInt64(bitPattern: Int64(rank &- 1)) &>> 63
    let isShown = UInt64(bitPattern: Int64(rank &- DepthView.levelCountMax)) &>> 63
    changes = UInt8(truncatingIfNeeded: isBest | isShown &<< 1)
  }

  /// An effect; by default nothing changed.
  @inlinable public init(
    _ status: BookStatus, side: Side = .buy, price: Price = .zero, quantity: Quantity = .zero,
    bestChanged: Bool = false, depthChanged: Bool = false
  ) {
    self.status = status
    changes = (bestChanged ? 1 : 0) | (depthChanged ? 2 : 0)
    self.side = side
    self.price = price
    self.quantity = quantity
  }
}

/// A trade as features and bars see it.
@frozen public struct TradePrint: BitwiseCopyable, Sendable {
  /// Price of the trade.
  public var price: Price
  /// Lots.
  public var quantity: Quantity
  /// +1 buyer-initiated, −1 seller-initiated, 0 unknown (Lee–Ready decides).
  public var sign: Int64

  /// A trade.
  @inlinable public init(price: Price, quantity: Quantity, sign: Int64) {
    self.price = price
    self.quantity = quantity
    self.sign = sign
  }

  /// The trade that `event` prints, given what it did to the book, or nil when it prints none.
  ///
  /// Executions trade at the resting price with the sign opposite to the resting side; executions at another price at theirs,
  /// unless not printable; hidden and auction trades have no sign, and auction trades stay outside slots 23–35. Trades of a snapshot
  /// happened before: they print nothing. The execution of an order that the book does not know prints where the event itself tells price and
  /// side: a feed cut to some levels (LOBSTER) executes orders that it never added.
  @inlinable public init?(_ event: borrowing MarketEvent, effect: BookEffect) {
    switch event.kind {
    case .executeOrder:
      if effect.status.changedBook {
        self.init(price: effect.price, quantity: effect.quantity, sign: -effect.side.sign)
        return
      }
      guard effect.status == .unknownOrder, event.flags.isSuperset(of: [.hasSide, .printable]), event.price.nanos > 0,
        event.quantity.lots > 0
      else { return nil }
      self.init(price: event.price, quantity: event.quantity, sign: -event.side.sign)
    case .executeOrderAtPrice:
      guard effect.status.changedBook, event.flags.contains(.printable), event.price.nanos > 0 else { return nil }
      self.init(price: event.price, quantity: effect.quantity, sign: -effect.side.sign)
    case .trade, .crossTrade:
      guard event.price.nanos > 0, event.quantity.lots > 0, !event.flags.contains(.snapshot) else { return nil }
      self.init(price: event.price, quantity: event.quantity, sign: 0)
    default:
      return nil
    }
  }
}

/// The best bid and offer over all venues of an instrument.
@frozen public struct BestQuote: BitwiseCopyable, Sendable {
  /// How the two sides stand to each other.
  @frozen public enum State: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
    /// No quote at all.
    case empty = 0
    /// Only one side is quoted.
    case oneSided = 1
    /// Bid below ask.
    case normal = 2
    /// Bid equals ask.
    case locked = 3
    /// Bid above ask.
    case crossed = 4
  }

  /// Best bid, quantity over the venues that show it.
  public var bid: DepthLevel
  /// Best ask, quantity over the venues that show it.
  public var ask: DepthLevel
  /// Venues at the best bid, a bit each.
  public var bidVenues: UInt64
  /// Venues at the best ask, a bit each.
  public var askVenues: UInt64
  /// Event time of the latest quote of any venue.
  public var time: Timestamp
  /// How the two sides stand.
  public var state: State

  /// No quote.
  @inlinable public init() {
    bid = .empty
    ask = .empty
    bidVenues = 0
    askVenues = 0
    time = .distantPast
    state = .empty
  }

  /// Bid plus ask in billionths: twice the mid, exact. Meaningful unless `empty` or `oneSided`.
  @inlinable public var midNanosTwice: Int64 { bid.price.nanos &+ ask.price.nanos }
}

/// What one venue displays on the side an order would take: the router's input.
@frozen public struct VenueLadder: BitwiseCopyable, Sendable {
  /// The levels, best first; from `count` on `.empty`.
  public var levels: InlineArray<10, DepthLevel>
  /// How many there are.
  public var count: Int32
  /// The venue.
  public var venue: VenueID
  /// It takes orders now.
  public var isUp: Bool

  /// A venue that displays nothing.
  @inlinable public init(venue: VenueID, isUp: Bool = true) {
    levels = InlineArray(repeating: .empty)
    count = 0
    self.venue = venue
    self.isUp = isUp
  }
}

/// How venues that share one feed's book divide its displayed sizes: in hundredths, by venue index.
///
/// Every venue shows the floor of its share; what is left over goes to venue 0. The sum is always the feed's size.
@frozen public struct DisplaySplit: BitwiseCopyable, Sendable {
  /// Hundredths a venue; their sum is 100.
  public var hundredths: InlineArray<8, Int64>
  /// Venues that share the book.
  public var venueCount: Int

  /// A split of one book over at most eight venues.
  public init(_ shares: [Int64]) throws(ConfigurationError) {
    guard (1...8).contains(shares.count), shares.allSatisfy({ $0 >= 0 }), shares.reduce(0, +) == 100 else {
      throw ConfigurationError("display split \(shares): 1 to 8 shares that add up to 100 expected")
    }
    hundredths = InlineArray(repeating: 0)
    for (index, share) in shares.enumerated() { hundredths[index] = share }
    venueCount = shares.count
  }

  /// What venue `index` shows of `quantity` lots.
  @inlinable public func share(_ quantity: Quantity, venue index: Int) -> Quantity {
    guard index == 0 else { return Quantity(lots: floor(quantity.lots, hundredths[index])) }
    var others: Int64 = 0
    for other in 1..<venueCount { others += floor(quantity.lots, hundredths[other]) }
    return Quantity(lots: quantity.lots - others)
  }

  /// `lots × share / 100` rounded down, for any `lots >= 0`: hundreds and rest apart, so that nothing can overflow.
  @inlinable func floor(_ lots: Int64, _ share: Int64) -> Int64 { lots / 100 * share + lots % 100 * share / 100 }

  /// The ladder venue `index` shows of one side of `depth`: levels of which it holds nothing are left out.
  @inlinable public func ladder(of venue: VenueID, taking side: Side, from depth: borrowing DepthView) -> VenueLadder {
    var ladder = VenueLadder(venue: venue)
    let count = Int(side == .buy ? depth.askCount : depth.bidCount)
    for level in 0..<count {
      let shown = side == .buy ? depth.asks[level] : depth.bids[level]
      let quantity = share(shown.quantity, venue: Int(venue.index))
      guard quantity.lots > 0 else { continue }
      ladder.levels[Int(ladder.count)] = DepthLevel(price: shown.price, quantity: quantity)
      ladder.count += 1
    }
    return ladder
  }
}
