public import TradingTypes

/// Position and open quantity of one owner in one instrument.
@frozen public struct Holding: BitwiseCopyable, Hashable, Sendable {
  /// Signed lots held.
  public var position = Quantity.zero
  /// Lots of open buy orders, unacknowledged ones included.
  public var openBuy = Quantity.zero
  /// Lots of open sell orders, unacknowledged ones included.
  public var openSell = Quantity.zero

  /// Nothing held, nothing open.
  @inlinable public init() {}

  /// Something is held, or an open order may come to hold something.
  @inlinable public var isEngaged: Bool { position.lots | openBuy.lots | openSell.lots != 0 }

  /// Lots an order on `side` may have at most to be sure to shrink the position, whatever else fills; never negative.
  ///
  /// Position opposite to `side`, less what is open to reduce it already.
  @inlinable public func reducible(by side: Side) -> Quantity {
    let held = side == .buy ? 0 - position.lots : position.lots
    let open = side == .buy ? openBuy.lots : openSell.lots
    return Quantity(lots: Swift.max(0, held - open))
  }
}

/// What one symbol, sector, strategy, account or the firm has at stake.
///
/// Marks may be mid-prices, so that marked values come in half-billionths of the currency: kept exactly, as twice the value.
@frozen public struct Exposure: BitwiseCopyable, Hashable, Sendable {
  /// Twice Σ |position × mark × multiplier|, in billionths.
  public var positionGrossTwice: Int128 = 0
  /// Twice Σ position × mark × multiplier, in billionths.
  public var positionNetTwice: Int128 = 0
  /// Σ leaves × order price × multiplier of open buy orders.
  public var openBuy = Money.zero
  /// Σ leaves × order price × multiplier of open sell orders.
  public var openSell = Money.zero

  /// Nothing at stake.
  @inlinable public init() {}

  /// Positions and open orders without regard to sign, rounded up.
  @inlinable public var gross: Money {
    // Wrapping: in a ledger each is below 2^124.
    Money(nanos: halfUp(positionGrossTwice) &+ openBuy.nanos &+ openSell.nanos)
  }

  /// Positions by sign without open orders, rounded down.
  @inlinable public var net: Money { Money(nanos: positionNetTwice >> 1) }

  /// The most the net can become: every open buy fills, no sell does; rounded up.
  @inlinable public var netHighest: Money { Money(nanos: halfUp(positionNetTwice)) + openBuy }

  /// The least the net can become: every open sell fills, no buy does; rounded down.
  @inlinable public var netLowest: Money { net - openSell }
}

/// Half of `twice`, rounded up.
@inlinable func halfUp(_ twice: Int128) -> Int128 {
  // Wrapping: half of a number and one fit.
  (twice >> 1) &+ (twice & 1)
}
