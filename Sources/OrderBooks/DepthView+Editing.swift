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

// In-place edits of one side of a depth view. Each answers the rank of the level it changed, or -1 when that is not among the ten.
//
// They work on spans: indexing an `InlineArray` that is part of a larger value copied all ten levels at each access (measured on
// one loaded machine: 183 ns an event instead of 109).
extension BookSideRule {
  /// How many of the ten levels, of which `count` exist, are better than `price`, which is positive.
  ///
  /// Sign bits are added up because the optimiser makes two branches a level of comparisons. Exact: prices are 0 (no level) to 2^62, so no
  /// difference overflows. An empty bid is worse than any price; an empty ask is lower than any, so those are taken off again.
  @inlinable @inline(__always) static func rank(
    _ levels: borrowing MutableSpan<DepthLevel>, count: Int32, _ price: Int64
  ) -> Int {
    var rank = isBid ? 0 : Int(count) &- 10
    for place in 0..<10 {
      let other = levels[place].price.nanos
      let difference = isBid ? price &- other : other &- price
      rank &+= Int(truncatingIfNeeded: UInt64(bitPattern: difference) &>> 63)
    }
    return rank
  }

  /// Sets the size of the level at `price`, which exists in the book.
  @inlinable @inline(__always) static func resize(
    _ levels: inout MutableSpan<DepthLevel>, count: Int32, _ price: Int64, lots: Int64
  ) -> Int {
    let rank = rank(levels, count: count, price)
    guard rank < 10 else { return -1 }
    levels[rank].quantity = Quantity(lots: lots)
    return rank
  }

  /// Puts a new level in its place.
  @inlinable @inline(__always) static func insert(
    _ levels: inout MutableSpan<DepthLevel>, _ count: inout Int32, _ price: Int64, lots: Int64
  ) -> Int {
    let rank = rank(levels, count: count, price)
    guard rank < 10 else { return -1 }
    var place = Int(min(count, 9))
    while place > rank {
      levels[place] = levels[place &- 1]
      place &-= 1
    }
    levels[rank] = DepthLevel(price: Price(nanos: price), quantity: Quantity(lots: lots))
    count = min(count &+ 1, 10)
    return rank
  }

  /// Takes the level at `price` out, and puts `eleventh` at the end of ten.
  @inlinable static func remove(
    _ levels: inout MutableSpan<DepthLevel>, _ count: inout Int32, rank: Int, eleventh: DepthLevel
  ) {
    let last = Int(count) &- 1
    var place = rank
    while place < last {
      levels[place] = levels[place &+ 1]
      place &+= 1
    }
    levels[last] = eleventh
    if eleventh.quantity.lots == 0 { count = Int32(truncatingIfNeeded: last) }
  }
}

extension DepthView {
  @inlinable @inline(__always) mutating func resize(isBid: Bool, _ price: Int64, lots: Int64) -> Int {
    if isBid {
      var levels = bids.mutableSpan
      return BidRule.resize(&levels, count: bidCount, price, lots: lots)
    }
    var levels = asks.mutableSpan
    return AskRule.resize(&levels, count: askCount, price, lots: lots)
  }

  @inlinable mutating func insert(isBid: Bool, _ price: Int64, lots: Int64) -> Int {
    if isBid {
      var levels = bids.mutableSpan
      return BidRule.insert(&levels, &bidCount, price, lots: lots)
    }
    var levels = asks.mutableSpan
    return AskRule.insert(&levels, &askCount, price, lots: lots)
  }

  @inlinable mutating func remove(isBid: Bool, rank: Int, eleventh: DepthLevel) {
    if isBid {
      var levels = bids.mutableSpan
      BidRule.remove(&levels, &bidCount, rank: rank, eleventh: eleventh)
    } else {
      var levels = asks.mutableSpan
      AskRule.remove(&levels, &askCount, rank: rank, eleventh: eleventh)
    }
  }

  @inlinable mutating func rank(isBid: Bool, _ price: Int64) -> Int {
    if isBid {
      let levels = bids.mutableSpan
      return BidRule.rank(levels, count: bidCount, price)
    }
    let levels = asks.mutableSpan
    return AskRule.rank(levels, count: askCount, price)
  }

  /// Price of the tenth level.
  @inlinable func worst(isBid: Bool) -> Int64 { isBid ? bids[9].price.nanos : asks[9].price.nanos }
}
