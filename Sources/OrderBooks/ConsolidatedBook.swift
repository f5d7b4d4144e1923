public import LockFreeRings
public import TradingTypes

/// A side of the book as a type, so that each side's code is compiled apart and decides nothing about sides.
@usableFromInline protocol BookSideRule {
  static var isBid: Bool { get }
}

@frozen @usableFromInline enum BidRule: BookSideRule {
  @inlinable static var isBid: Bool { true }
}

@frozen @usableFromInline enum AskRule: BookSideRule {
  @inlinable static var isBid: Bool { false }
}

/// What one venue quotes in one instrument.
@frozen public struct VenueQuote: BitwiseCopyable, Sendable {
  /// Best bid, `.empty` without one.
  public var bid: DepthLevel
  /// Best ask, `.empty` without one.
  public var ask: DepthLevel
  /// Event time of the quote.
  public var time: Timestamp

  /// A quote.
  @inlinable public init(bid: DepthLevel, ask: DepthLevel, time: Timestamp) {
    self.bid = bid
    self.ask = ask
    self.time = time
  }
}

/// The best bid and offer over venues (NBBO), for many instruments.
///
/// A level without size or price is no quote. Venues that are down keep their last quote but do not count. The best is kept up to date with
/// each quote; venues are only searched when the last venue at the best leaves it.
///
/// Invariant: `best(of:)` is the best price over the venues that are up, its quantity the sum and its mask the set of those at that price.
///
/// - Complexity: an update is constant, or O(venues) when the last venue at the best leaves; nothing is allocated after `init`.
@frozen public struct ConsolidatedBook: ~Copyable {
  @usableFromInline var quotes: Slab<VenueQuote>
  @usableFromInline var bests: Slab<BestQuote>
  @usableFromInline var up: UInt64
  @usableFromInline var protected: UInt64
  @usableFromInline var invalid: UInt64 = 0
  /// Venues, numbered from 0.
  public let venueCount: Int

  /// Instruments, numbered from 0.
  @inlinable public var instrumentCount: Int { bests.count }

  /// Bytes a book of this size takes from its arena.
  public static func arenaBytes(instruments: Int, venues: Int) -> Int {
    arenaBytesOf(VenueQuote.self, count: instruments * venues) + arenaBytesOf(BestQuote.self, count: instruments)
  }

  /// The most lots of one quote that count: the sum over 64 venues cannot overflow.
  @inlinable public static var quantityMax: Quantity { Quantity(lots: 1 << 56) }

  /// No quotes; all venues are up and protected.
  ///
  /// - Throws: `ConfigurationError` unless there are 1 to 2^20 instruments and 1 to 64 venues.
  /// - Precondition: the arena has `arenaBytes(instruments:venues:)` free.
  public init(instruments: Int, venues: Int, in arena: Arena) throws(ConfigurationError) {
    guard (1...(1 << 20)).contains(instruments) else {
      throw ConfigurationError("consolidated book: \(instruments) instruments, expected 1 to 1048576")
    }
    guard (1...VenueID.countMax).contains(venues) else {
      throw ConfigurationError("consolidated book: \(venues) venues, expected 1 to \(VenueID.countMax)")
    }
    let none = VenueQuote(bid: .empty, ask: .empty, time: .distantPast)
    quotes = Slab(repeating: none, count: instruments * venues, in: arena)
    bests = Slab(repeating: BestQuote(), count: instruments, in: arena)
    venueCount = venues
    up = venues == 64 ? .max : 1 << UInt64(venues) - 1
    protected = up
  }

  // MARK: - Quotes

  /// Takes the best quote of `venue` in `instrument`; whether the consolidated best changed in price, size or venues.
  ///
  /// An instrument or venue outside the book, and a level with a negative number or one beyond `quantityMax` and `BookCapacity.priceMax`,
  /// is counted as invalid; the first is ignored, the second counts as no quote.
  @inlinable @discardableResult public mutating func update(
    _ instrument: InstrumentID, venue: VenueID, bid: DepthLevel, ask: DepthLevel, at time: Timestamp
  ) -> Bool {
    guard instrument.index < UInt32(truncatingIfNeeded: instrumentCount), Int(venue.index) < venueCount else {
      invalid &+= 1
      return false
    }
    let book = Int(instrument.index)
    let place = book * venueCount + Int(venue.index)
    let old = quotes[place]
    let new = VenueQuote(bid: accepted(bid), ask: accepted(ask), time: time)
    quotes[place] = new
    if bests[book].time < time { bests[book].time = time }
    guard up & venue.bit != 0 else { return false }
    let bidChange = Self.change(&bests[book], BidRule.self, venue.bit, old.bid, new.bid)
    let askChange = Self.change(&bests[book], AskRule.self, venue.bit, old.ask, new.ask)
    if bidChange == .search { searchBid(book) }
    if askChange == .search { searchAsk(book) }
    guard bidChange != .none || askChange != .none else { return false }
    bests[book].state = Self.state(bests[book])
    return true
  }

  /// What a new quote of one venue does to the best of one side.
  @frozen @usableFromInline enum Change {
    case none
    case done
    /// The last venue at the best left it.
    case search
  }

  @inlinable @inline(__always) static func change<Rule: BookSideRule>(
    _ quote: inout BestQuote, _ rule: Rule.Type, _ bit: UInt64, _ old: DepthLevel, _ new: DepthLevel
  ) -> Change {
    if new == old { return .none }
    var best = Rule.isBid ? quote.bid : quote.ask
    var venues = Rule.isBid ? quote.bidVenues : quote.askVenues
    let hasNew = new.quantity.lots > 0
    let wasBest = venues & bit != 0
    if hasNew, venues == 0 || (Rule.isBid ? new.price > best.price : new.price < best.price) {
      best = new
      venues = bit
    } else if hasNew, new.price == best.price {
      // Cannot overflow: 64 quotes of at most 2^56 lots.
      best.quantity.lots &+= wasBest ? new.quantity.lots &- old.quantity.lots : new.quantity.lots
      venues |= bit
    } else if !wasBest {
      return .none
    } else if venues == bit {
      return .search
    } else {
      best.quantity.lots &-= old.quantity.lots
      venues &= ~bit
    }
    if Rule.isBid {
      quote.bid = best
      quote.bidVenues = venues
    } else {
      quote.ask = best
      quote.askVenues = venues
    }
    return .done
  }

  /// The level as it counts: `.empty` when it is no quote.
  @inlinable mutating func accepted(_ level: DepthLevel) -> DepthLevel {
    let (price, lots) = (level.price.nanos, level.quantity.lots)
    if price > 0, lots > 0, price <= 1 << 62, lots <= Self.quantityMax.lots { return level }
    if price < 0 || lots < 0 || price > 1 << 62 || lots > Self.quantityMax.lots { invalid &+= 1 }
    return .empty
  }

  @inlinable static func state(_ best: BestQuote) -> BestQuote.State {
    if best.bidVenues == 0 || best.askVenues == 0 { return best.bidVenues == best.askVenues ? .empty : .oneSided }
    if best.bid.price == best.ask.price { return .locked }
    return best.bid.price < best.ask.price ? .normal : .crossed
  }

  @usableFromInline @inline(never) mutating func searchBid(_ book: Int) {
    (bests[book].bid, bests[book].bidVenues) = search(book, isBid: true, among: up)
  }

  @usableFromInline @inline(never) mutating func searchAsk(_ book: Int) {
    (bests[book].ask, bests[book].askVenues) = search(book, isBid: false, among: up)
  }

  func search(_ book: Int, isBid: Bool, among mask: UInt64) -> (DepthLevel, UInt64) {
    var best = DepthLevel.empty
    var venues: UInt64 = 0
    var left = mask
    while left != 0 {
      let venue = left.trailingZeroBitCount
      left &= left - 1
      let level = isBid ? quotes[book * venueCount + venue].bid : quotes[book * venueCount + venue].ask
      guard level.quantity.lots > 0 else { continue }
      if venues == 0 || (isBid ? level.price > best.price : level.price < best.price) {
        best = level
        venues = 0
      } else if level.price != best.price {
        continue
      } else {
        // Cannot overflow: 64 quotes of at most 2^56 lots.
        best.quantity.lots += level.quantity.lots
      }
      venues |= 1 << UInt64(venue)
    }
    return (best, venues)
  }

  // MARK: - Venues

  /// Says whether a venue takes orders, and whether its quotes are protected. A venue that goes down leaves every best.
  ///
  /// - Complexity: O(instruments × venues) when `isUp` changes.
  public mutating func setVenue(_ venue: VenueID, isUp: Bool, isProtected: Bool) {
    precondition(Int(venue.index) < venueCount, "ConsolidatedBook: the venue is in the book")
    protected = isProtected ? protected | venue.bit : protected & ~venue.bit
    let before = up
    up = isUp ? up | venue.bit : up & ~venue.bit
    guard up != before else { return }
    for book in 0..<instrumentCount {
      searchBid(book)
      searchAsk(book)
      bests[book].state = Self.state(bests[book])
    }
  }

  /// Venues that are up, a bit each.
  @inlinable public var upVenues: UInt64 { up }

  /// Venues whose quotes are protected (17 CFR 242.611), a bit each.
  @inlinable public var protectedVenues: UInt64 { protected }

  // MARK: - Queries

  /// The best bid and offer over the venues that are up.
  ///
  /// - Precondition: `id` is in the book.
  @inlinable public func best(of id: InstrumentID) -> BestQuote { bests[Int(id.index)] }

  /// The best bid and offer over the venues that are up and protected: what an order may not trade through.
  ///
  /// - Complexity: O(venues).
  public func protectedBest(of id: InstrumentID) -> BestQuote {
    var best = bests[Int(id.index)]
    (best.bid, best.bidVenues) = search(Int(id.index), isBid: true, among: up & protected)
    (best.ask, best.askVenues) = search(Int(id.index), isBid: false, among: up & protected)
    best.state = Self.state(best)
    return best
  }

  /// The last quote of `venue` in `id`, up or not.
  @inlinable public func quote(of id: InstrumentID, venue: VenueID) -> VenueQuote {
    precondition(Int(venue.index) < venueCount, "ConsolidatedBook: the venue is in the book")
    return quotes[Int(id.index) * venueCount + Int(venue.index)]
  }

  /// Updates or levels that were not acceptable.
  @inlinable public var invalidCount: UInt64 { invalid }
}
