public import TradingTypes

// In-place edits of one side of a depth view. Each answers the rank of the level it changed; `DepthRow.outside` or more means that it is
// not among the ten.
//
// Which side, which rank, and whether the rank is among the ten at all are as good as random, so nothing here branches on them: a side is
// a row of levels, the ask side's comparisons are those of the bid side turned over, and what is no level of the ten is written to the
// spare one behind them.

/// One side of a depth view as a row of levels.
@frozen @usableFromInline enum DepthRow {
  /// Not among the ten levels: the place of the spare one.
  @inlinable static var outside: Int { DepthView.levelCountMax }

  /// How many of the levels of `row` are better than `price`, which is positive.
  ///
  /// Sign bits are added up because the optimiser makes two branches a level of comparisons. Exact: prices are 0 (no level) to 2^62, so no
  /// difference overflows.
  @inlinable @inline(__always) static func rank(
    _ price: Int64, in row: inout MutableSpan<DepthLevel>, side: Int
  ) -> Int {
    // All prices below this one are worse for a bid (an empty level too), and better or empty for an ask.
    let limit = price &+ Int64(~side & 1)
    var below: Int64 = 0
    for place in 0..<10 { below &+= (row[place].price.nanos &- limit) &>> 63 }
    // `below` is the count of lower ones, negative.
    let others = 10 &+ Int(truncatingIfNeeded: below)
    // All ones for an ask, whose rank is its count less the others.
    let isAsk = 0 &- (side & 1)
    let count = Int(truncatingIfNeeded: row[DepthView.countPlace].quantity.lots)
    return (others ^ isAsk) &- isAsk &+ (count & isAsk)
  }

  /// Sets the size of the level at `rank`.
  @inlinable @inline(__always) static func resize(_ row: inout MutableSpan<DepthLevel>, rank: Int, lots: Int64) {
    row[min(rank, outside)].quantity = Quantity(lots: lots)
  }

  /// Puts a new level at `rank`.
  @inlinable @inline(__always) static func insert(
    _ row: inout MutableSpan<DepthLevel>, rank: Int, price: Int64, lots: Int64
  ) {
    // From the last to the first: each moves one place on, or to where it is.
    var place = 8
    while place >= 0 {
      let level = row[place]
      row[place &+ (place >= rank ? 1 : 0)] = level
      place &-= 1
    }
    row[min(rank, outside)] = DepthLevel(price: Price(nanos: price), quantity: Quantity(lots: lots))
    let count = row[DepthView.countPlace].quantity.lots
    row[DepthView.countPlace].quantity = Quantity(lots: min(count &+ 1, 10))
  }

  /// Takes the level at `rank`, which is among the ten, out, and puts `eleventh` at their end, `.empty` without one.
  @inlinable @inline(__always) static func remove(
    _ row: inout MutableSpan<DepthLevel>, rank: Int, eleventh: DepthLevel
  ) {
    var place = 1
    while place < 10 {
      let level = row[place]
      row[place &- (place > rank ? 1 : 0)] = level
      place &+= 1
    }
    row[9] = eleventh
    let count = row[DepthView.countPlace].quantity.lots
    row[DepthView.countPlace].quantity = Quantity(lots: eleventh.quantity.lots == 0 ? count &- 1 : count)
  }
}
