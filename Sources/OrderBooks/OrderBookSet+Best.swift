public import LockFreeRings
public import TradingTypes

// The depth view of books that show the best level alone: it is touched when the best changes, else one comparison is all.
extension OrderBookSet {
  @inlinable @inline(__always) mutating func bestResized(_ price: Int64, lots: Int64, side: Int) -> Int {
    guard PriceLadder.key(price, side: side) == ladder.sides[side].bestKey else { return DepthRow.outside }
    showBest(price, lots: lots, side: side)
    return 0
  }

  @inlinable @inline(__always) mutating func bestInserted(_ price: Int64, lots: Int64, side: Int) -> Int {
    let key = PriceLadder.key(price, side: side)
    let best = ladder.sides[side].bestKey
    guard key > best else { return DepthRow.outside }
    ladder.sides[side].bestKey = key
    showBest(price, lots: lots, side: side)
    if best == LadderSide.noKey { countBest(1, side: side) }
    return 0
  }

  @inlinable @inline(__always) mutating func bestRemoved(_ price: Int64, side: Int) -> Int {
    guard PriceLadder.key(price, side: side) == ladder.sides[side].bestKey else { return DepthRow.outside }
    let next = Int(ladder.next(worseThan: price, side: side))
    guard next != 0 else {
      ladder.sides[side].bestKey = LadderSide.noKey
      showBest(0, lots: 0, side: side)
      countBest(0, side: side)
      return 0
    }
    let best = ladder.levels[next].price
    ladder.sides[side].bestKey = PriceLadder.key(best, side: side)
    showBest(best, lots: ladder.levels[next].lots, side: side)
    return 0
  }

  @inlinable @inline(__always) mutating func showBest(_ price: Int64, lots: Int64, side: Int) {
    let start = side &* DepthView.sideStride
    var row = views.parts(DepthLevel.self, from: start, count: DepthView.sideStride)
    row[0] = DepthLevel(price: Price(nanos: price), quantity: Quantity(lots: lots))
  }

  /// Apart from `showBest`, because the count is on another line and seldom changes.
  @inlinable mutating func countBest(_ count: Int64, side: Int) {
    let start = side &* DepthView.sideStride
    var row = views.parts(DepthLevel.self, from: start, count: DepthView.sideStride)
    row[DepthView.countPlace].quantity = Quantity(lots: count)
  }
}
