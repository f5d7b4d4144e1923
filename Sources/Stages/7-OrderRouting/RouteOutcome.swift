public import TradingTypes

/// Why a route is as it is.
@frozen public enum RouteReason: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// All of the order is routed.
  case complete = 0
  /// The venues display no more, within the limit or beyond it.
  case display = 1
  /// The rest is displayed beyond the limit.
  case limit = 2
  /// The rest would break a least or most quantity of a venue, or trade through a protected quote.
  case constraint = 3
  /// No venue that lists the instrument is up and may be used.
  case noVenue = 4
  /// The kill switch stops the order.
  case killed = 5
  /// The quantity is not positive, the limit price is not positive, or an amount does not fit its type.
  case invalid = 6
}

/// What a route does and what it costs: kept beside the plan in the journal.
@frozen public struct RouteOutcome: BitwiseCopyable, Sendable {
  /// Lots over all children.
  public var quantity: Quantity
  /// Lots that are not routed.
  public var residual: Quantity
  /// Σ price × quantity of the levels taken.
  public var notional: Money
  /// Take fees and fixed fees; negative when rebates outweigh them.
  public var fees: Money
  /// Best price among the protected quotes on the side taken, with the size shown there over all of them: the national
  /// best bid or offer at the decision. `.empty` where no protected venue is up.
  public var best: DepthLevel
  /// Worst price any child takes; zero without children.
  public var worstPrice: Price
  /// Direction of the order.
  public var side: Side
  /// Why there is a residual, or `complete`.
  public var reason: RouteReason
  /// The children sweep: some take prices worse than a protected quote that others take in full at the same time.
  public var isSweep: Bool

  /// An outcome without children.
  @inlinable public init(side: Side, residual: Quantity, reason: RouteReason) {
    quantity = .zero
    self.residual = residual
    notional = .zero
    fees = .zero
    best = .empty
    worstPrice = .zero
    self.side = side
    self.reason = reason
    isSweep = false
  }

  /// What a buy pays or a sell receives, fees included.
  @inlinable public var cost: Money { side == .buy ? notional + fees : notional - fees }
}
