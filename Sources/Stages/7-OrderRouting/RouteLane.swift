public import TradingTypes

/// One venue as an allocation sees it: prices made comparable, sizes cut to what may be taken.
@frozen @usableFromInline struct RouteLane: BitwiseCopyable {
  /// The venue.
  @usableFromInline var venue = VenueID(index: 0)
  /// Take fee a lot, billionths.
  @usableFromInline var feeNanos: Int64 = 0
  /// Fee for using the venue at all.
  @usableFromInline var fixedNanos: Int128 = 0
  /// Where its levels begin in the router's table.
  @usableFromInline var levelStart = 0
  /// Levels within the limit.
  @usableFromInline var levelCount = 0
  /// Lots on those levels, at most what one child may hold.
  @usableFromInline var capacity: Int64 = 0
  /// The least a child may hold, at least 1.
  @usableFromInline var quantityMin: Int64 = 1
  /// Signed price (lower is better on either side) of the protected quote, or `.max` where there is none.
  @usableFromInline var protectedKey = Int64.max
  /// Lots of the protected quote.
  @usableFromInline var protectedLots: Int64 = 0

  @inlinable init() {}
}

/// One level of a lane.
@frozen @usableFromInline struct RouteLevel: BitwiseCopyable {
  /// Signed price (lower is better on either side).
  @usableFromInline var key: Int64
  /// Signed price of a lot with the take fee.
  @usableFromInline var allIn: Int64
  /// Lots displayed.
  @usableFromInline var lots: Int64

  @inlinable init(key: Int64, allIn: Int64, lots: Int64) {
    self.key = key
    self.allIn = allIn
    self.lots = lots
  }
}

/// How many lots each lane gets, and what that costs: the candidate an allocation produces.
@frozen @usableFromInline struct RouteAllocation: BitwiseCopyable {
  /// Lots by lane.
  @usableFromInline var lots = InlineArray<8, Int64>(repeating: 0)
  /// Signed price of the worst level taken by lane; `.min` where nothing is.
  @usableFromInline var worstKeys = InlineArray<8, Int64>(repeating: .min)
  /// Lots over all lanes.
  @usableFromInline var filled: Int64 = 0
  /// Signed cost with fees: lower is better on either side.
  @usableFromInline var cost: Int128 = 0
  /// Signed price of the worst level taken.
  @usableFromInline var worstKey = Int64.min
  /// Lanes used.
  @usableFromInline var laneCount = 0

  @inlinable init() {}

  /// More filled, then cheaper, then fewer venues, then what was found first.
  @inlinable func isBetter(than other: borrowing RouteAllocation) -> Bool {
    if filled != other.filled { return filled > other.filled }
    if cost != other.cost { return cost < other.cost }
    return laneCount < other.laneCount
  }
}
