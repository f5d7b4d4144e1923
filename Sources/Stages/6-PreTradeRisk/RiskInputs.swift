public import TradingTypes

/// What the engine knows of the market and the kill switch when it asks: plain values of one decision.
@frozen public struct RiskInputs: BitwiseCopyable, Sendable {
  /// Profit and fall of the account's other books (check 20).
  public var others = OtherBooks()
  /// Event time of the decision.
  public var now: Timestamp
  /// The kill switch for this order's account, strategy and symbol.
  public var kill: KillState
  /// Best bid and offer over all venues. Its numbers are judged, not its `state`.
  public var quote: BestQuote
  /// Event time of the latest message that the book has applied.
  public var bookTime: Timestamp
  /// The book must not be trusted (pool exhausted, overfill, feed lost).
  public var bookIsStale: Bool
  /// Messages are missing.
  public var bookHasGap: Bool
  /// The latest trade of the day; zero when there was none.
  public var lastTrade: Price
  /// Event time of `lastTrade`.
  public var lastTradeTime: Timestamp
  /// The close of the day before; zero when it is unknown.
  public var priorClose: Price
  /// For a market order the worst price that walking the visible book for its quantity meets; zero when the book is too thin.
  public var marketOrderPrice: Price

  /// Inputs; what is not given is missing.
  @inlinable public init(
    now: Timestamp, kill: KillState, quote: BestQuote, bookTime: Timestamp, bookIsStale: Bool = false,
    bookHasGap: Bool = false, lastTrade: Price = .zero, lastTradeTime: Timestamp = .distantPast,
    priorClose: Price = .zero, marketOrderPrice: Price = .zero
  ) {
    self.now = now
    self.kill = kill
    self.quote = quote
    self.bookTime = bookTime
    self.bookIsStale = bookIsStale
    self.bookHasGap = bookHasGap
    self.lastTrade = lastTrade
    self.lastTradeTime = lastTradeTime
    self.priorClose = priorClose
    self.marketOrderPrice = marketOrderPrice
  }
}

/// What the day has brought in the books of the same account that the gate does not see; nothing for a pipeline that is alone.
@frozen public struct OtherBooks: BitwiseCopyable, Hashable, Sendable {
  /// Their profit since the day's start.
  public var dayProfit: Money
  /// How far they are below their own peaks of the day, added up: the account's own fall is never more than all of them together.
  public var drawdown: Money

  /// Books that brought so much; by default there are none.
  @inlinable public init(dayProfit: Money = .zero, drawdown: Money = .zero) {
    self.dayProfit = dayProfit
    self.drawdown = drawdown
  }
}

/// Who may trade where, and whether the way there is open. By default nobody may.
@frozen public struct RiskPermissions: BitwiseCopyable, Hashable, Sendable {
  /// Strategies that may send orders, a bit each.
  public var strategies: UInt64 = 0
  /// Accounts that may, a bit each.
  public var accounts: UInt64 = 0
  /// Venues that orders may go to, a bit each.
  public var venues: UInt64 = 0
  /// Venues whose session is connected, a bit each.
  public var connectedVenues: UInt64 = 0
  /// The order session is logged on.
  public var isLoggedOn = false
  /// Market orders are supported.
  public var allowsMarketOrders = false
  /// Orders that stay for the day are supported; market orders never are.
  public var allowsDayOrders = false
  /// Event time of the order session's last sign of life.
  public var heartbeat = Timestamp.distantPast
  /// How old that may be; not positive permits nothing.
  public var heartbeatAgeMax = TimeSpan.zero

  /// Nobody may send anything.
  @inlinable public init() {}

  /// Everybody may, to the first `venueCount` venues, all connected, with a sign of life at `heartbeat`.
  public static func everything(venueCount: Int, heartbeat: Timestamp, heartbeatAgeMax: TimeSpan) -> RiskPermissions {
    precondition((1...64).contains(venueCount), "RiskPermissions: 1 to 64 venues")
    var all = RiskPermissions()
    all.strategies = .max
    all.accounts = .max
    all.venues = .max >> UInt64(64 - venueCount)
    all.connectedVenues = all.venues
    all.isLoggedOn = true
    all.allowsMarketOrders = true
    all.allowsDayOrders = true
    all.heartbeat = heartbeat
    all.heartbeatAgeMax = heartbeatAgeMax
    return all
  }
}
