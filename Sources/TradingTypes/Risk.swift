/// The pre-trade checks by number; the number is the reject code.
@frozen public enum RiskCheck: UInt16, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Kill state of any scope.
  case killState = 1
  /// Strategy, account and venue are authorised and connected.
  case permission = 2
  /// Restricted list.
  case restricted = 3
  /// Known, tradable instrument; order type and time in force supported.
  case tradable = 4
  /// Market phase.
  case marketPhase = 5
  /// Halted or paused.
  case halt = 6
  /// Limit-up limit-down band.
  case priceBand = 7
  /// Price on the grid.
  case tick = 8
  /// Lot, venue minimum and maximum, odd lot.
  case lot = 9
  /// Expiry; client order id unique.
  case identity = 10
  /// Order quantity, absolute and against average daily volume.
  case orderQuantity = 11
  /// Order notional.
  case orderNotional = 12
  /// Price collar round a fresh reference.
  case priceCollar = 13
  /// Market data fresh, without gap, not crossed.
  case marketData = 14
  /// Worst-case position.
  case position = 15
  /// Gross and net exposure of symbol, sector, strategy, account and firm.
  case exposure = 16
  /// Open orders.
  case openOrders = 17
  /// Credit threshold over all accounts.
  case credit = 18
  /// Buying power.
  case buyingPower = 19
  /// Daily loss and drawdown.
  case dailyLoss = 20
  /// Daily quantity and notional.
  case dailyVolume = 21
  /// Concentration.
  case concentration = 22
  /// Reduce-only.
  case reduceOnly = 23
  /// Short-sale mark and locate.
  case shortSale = 24
  /// Short-sale restriction.
  case shortSaleRestriction = 25
  /// Message throttle.
  case throttle = 26
  /// Order-to-trade ratio.
  case orderToTrade = 27
  /// Duplicate order.
  case duplicate = 28
  /// Self-match.
  case selfMatch = 29
  /// Repeated automated execution.
  case repeatedExecution = 30
  /// Parent and child quantities agree.
  case conservation = 31
  /// Reject storm, in-flight count, ack time-out.
  case rejectStorm = 32
  /// Signal finite, in range and fresh.
  case signalSanity = 33
  /// Cancel on disconnect.
  case disconnect = 34
  /// Procedures 35–40: kill time, drop copy, alerts, parity, overrides, self-test.
  case procedures = 35
}

/// The answer of the pre-trade stage to one order intent.
@frozen public struct RiskVerdict: BitwiseCopyable, Sendable {
  /// The check that refused, as `RiskCheck.rawValue`; 0 passes.
  public var check: UInt16
  /// The limit in the check's own unit (lots, billionths of a currency, nanoseconds, billionths of a price).
  public var limit: Int128
  /// The value seen, in the same unit.
  public var observed: Int128

  /// The order passes.
  @inlinable public static var pass: RiskVerdict { RiskVerdict(check: 0, limit: 0, observed: 0) }

  /// `check` refuses: `observed` against `limit`.
  @inlinable public static func reject(_ check: RiskCheck, limit: Int128 = 0, observed: Int128 = 0) -> RiskVerdict {
    RiskVerdict(check: check.rawValue, limit: limit, observed: observed)
  }

  /// A verdict from its parts.
  @inlinable public init(check: UInt16, limit: Int128, observed: Int128) {
    self.check = check
    self.limit = limit
    self.observed = observed
  }

  /// Whether the order passed.
  @inlinable public var isPass: Bool { check == 0 }
}

/// How far trading is stopped. A higher level includes the lower ones.
@frozen public enum KillLevel: UInt8, BitwiseCopyable, Hashable, Comparable, Sendable {
  /// Trading.
  case active = 0
  /// Only orders that reduce a position.
  case reducing = 1
  /// Only cancels and flagged exits.
  case halted = 2
  /// Orders by severity.
  @inlinable public static func < (left: KillLevel, right: KillLevel) -> Bool { left.rawValue < right.rawValue }
}

/// The kill switch as one decision sees it: the worst of global, account, strategy and symbol scope, and the venues' bits.
@frozen public struct KillState: BitwiseCopyable, Sendable {
  /// The level for this decision's account, strategy and symbol.
  public var level: KillLevel
  /// Venues only to be used for reducing orders, a bit each.
  public var venuesReducing: UInt64
  /// Venues not to be used, a bit each.
  public var venuesHalted: UInt64

  /// A state; by default everything is active.
  @inlinable public init(level: KillLevel = .active, venuesReducing: UInt64 = 0, venuesHalted: UInt64 = 0) {
    self.level = level
    self.venuesReducing = venuesReducing
    self.venuesHalted = venuesHalted
  }
}

/// The limits of the pre-trade checks: one immutable value, swapped whole. Every limit is inclusive.
///
/// The defaults permit nothing: an engine that was given no limits rejects every order.
@frozen public struct LimitSet: BitwiseCopyable, Sendable {
  /// Lots an order (check 11).
  public var orderQuantityMax = Quantity.zero
  /// Order size in millionths of the average daily volume (check 11).
  public var orderVolumeShareMillionthsMax: Int64 = 0
  /// Notional an order (check 12).
  public var orderNotionalMax = Money.zero
  /// Distance from the reference price towards a worse price, in hundredths of a percent (check 13).
  public var collarBasisPointsMax: Int64 = 0
  /// The same in ticks (check 13).
  public var collarTicksMax: Int64 = 0
  /// Distance on the passive side, in hundredths of a percent (check 13).
  public var passiveBasisPointsMax: Int64 = 0
  /// Age of the book and of the reference price (checks 13, 14).
  public var marketDataAgeMax = TimeSpan.zero
  /// Worst-case long position, lots (check 15).
  public var longPositionMax = Quantity.zero
  /// Worst-case short position, lots, as a positive number (check 15).
  public var shortPositionMax = Quantity.zero
  /// Gross exposure with open orders, a symbol (check 16).
  public var symbolGrossMax = Money.zero
  /// The same, a sector.
  public var sectorGrossMax = Money.zero
  /// The same, a strategy.
  public var strategyGrossMax = Money.zero
  /// The same, an account.
  public var accountGrossMax = Money.zero
  /// The same, the firm.
  public var firmGrossMax = Money.zero
  /// Size of the net exposure with open orders, the firm (check 16).
  public var firmNetMax = Money.zero
  /// Loss since the day's start, realised, unrealised and fees, as a positive number (check 20).
  public var dailyLossMax = Money.zero
  /// Fall from the day's peak (check 20).
  public var drawdownMax = Money.zero
  /// New orders a second, a strategy (check 26).
  public var strategyOrdersPerSecond: Int64 = 0
  /// New orders at once, a strategy (check 26).
  public var strategyOrdersBurst: Int64 = 0
  /// New orders a second, a symbol (check 26).
  public var symbolOrdersPerSecond: Int64 = 0
  /// New orders at once, a symbol (check 26).
  public var symbolOrdersBurst: Int64 = 0
  /// New orders a second, the session (check 26).
  public var sessionOrdersPerSecond: Int64 = 0
  /// New orders at once, the session (check 26).
  public var sessionOrdersBurst: Int64 = 0
  /// How long an equal order counts as a duplicate (check 28).
  public var duplicateWindow = TimeSpan.zero

  /// Limits that permit nothing.
  @inlinable public init() {}
}
