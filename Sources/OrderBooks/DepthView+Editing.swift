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
extension DepthView {
  @inlinable subscript<Rule: BookSideRule>(rule: Rule.Type, rank: Int) -> DepthLevel {
    get { Rule.isBid ? bids[rank] : asks[rank] }
    set { if Rule.isBid { bids[rank] = newValue } else { asks[rank] = newValue } }
  }

  @inlinable func count<Rule: BookSideRule>(_ rule: Rule.Type) -> Int32 { Rule.isBid ? bidCount : askCount }

  @inlinable mutating func setCount<Rule: BookSideRule>(_ rule: Rule.Type, _ count: Int32) {
    if Rule.isBid { bidCount = count } else { askCount = count }
  }

  /// How many of the ten levels are better than `price`, which is positive: counted without a branch.
  @inlinable func rank<Rule: BookSideRule>(_ rule: Rule.Type, of price: Int64) -> Int {
    var rank = 0
    // Wrapping: an empty ask (price 0) becomes the largest number, so it is better than nothing; an empty bid is worse than all.
    let limit = UInt64(bitPattern: price &- 1)
    for place in 0..<10 {
      let other = self[rule, place].price.nanos
      let isBetter = Rule.isBid ? other > price : UInt64(bitPattern: other &- 1) < limit
      rank &+= isBetter ? 1 : 0
    }
    return rank
  }

  /// Sets the size of the level at `price`, which exists in the book.
  @inlinable mutating func resize<Rule: BookSideRule>(_ rule: Rule.Type, _ price: Int64, lots: Int64) -> Int {
    let rank = rank(rule, of: price)
    guard rank < 10 else { return -1 }
    self[rule, rank].quantity = Quantity(lots: lots)
    return rank
  }

  /// Puts a new level in its place.
  @inlinable mutating func insert<Rule: BookSideRule>(_ rule: Rule.Type, _ price: Int64, lots: Int64) -> Int {
    let rank = rank(rule, of: price)
    guard rank < 10 else { return -1 }
    let count = count(rule)
    var place = Int(min(count, 9))
    while place > rank {
      self[rule, place] = self[rule, place &- 1]
      place &-= 1
    }
    self[rule, rank] = DepthLevel(price: Price(nanos: price), quantity: Quantity(lots: lots))
    setCount(rule, min(count &+ 1, 10))
    return rank
  }

  /// Takes the level at `price` out; the caller appends the eleventh when there were ten.
  @inlinable mutating func remove<Rule: BookSideRule>(_ rule: Rule.Type, _ price: Int64) -> Int {
    let rank = rank(rule, of: price)
    guard rank < 10 else { return -1 }
    let last = Int(count(rule)) &- 1
    var place = rank
    while place < last {
      self[rule, place] = self[rule, place &+ 1]
      place &+= 1
    }
    self[rule, last] = .empty
    setCount(rule, Int32(truncatingIfNeeded: last))
    return rank
  }
}
