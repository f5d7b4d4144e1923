public import TradingTypes

/// What the sizer must know of the world to turn a signal into an order: sampled once per decision.
@frozen public struct SizingInputs: BitwiseCopyable, Sendable {
  /// The instrument's terms.
  public var instrument: Instrument
  /// What the mode permits.
  public var policy: PolicySnapshot
  /// Equity of the account, at the last closed primary bar.
  public var equity: Money
  /// Highest equity so far, sampled as `equity` is. Only the continuous preset reads it; zero, which is not known, sizes to nothing there.
  public var peakEquity: Money
  /// Gross exposure in all other instruments, their open orders counted: what this one's quote, position and orders do not move.
  public var otherExposure: Money
  /// Instruments with a position or an open order.
  public var openPositions: Int64
  /// Position in this instrument, lots, negative when short.
  public var position: Quantity
  /// Lots of open buy orders in this instrument, not negative.
  public var openBuy: Quantity
  /// Lots of open sell orders in this instrument, not negative.
  public var openSell: Quantity
  /// Best bid and offer.
  public var quote: BestQuote
  /// The latest VIX, in percent; NaN where none was ever seen.
  public var vix: Double
  /// Event time since `vix` was published.
  public var vixAge: TimeSpan
  /// Event time of the decision.
  public var time: Timestamp
  /// Sequence of the market event that caused the decision.
  public var causeSequence: UInt64
  /// The number the intent takes.
  public var nextClientOrderID: ClientOrderID
  /// The strategy it is for.
  public var strategy: StrategyID
  /// The account it is for.
  public var account: AccountID

  /// Inputs for one decision.
  @inlinable public init(
    instrument: Instrument, policy: PolicySnapshot, equity: Money, peakEquity: Money = .zero,
    otherExposure: Money = .zero,
    openPositions: Int64 = 0, position: Quantity = .zero, openBuy: Quantity = .zero, openSell: Quantity = .zero,
    quote: BestQuote, vix: Double = .nan, vixAge: TimeSpan = .zero, time: Timestamp, causeSequence: UInt64 = 0,
    nextClientOrderID: ClientOrderID = ClientOrderID(value: 1), strategy: StrategyID = StrategyID(index: 0),
    account: AccountID = AccountID(index: 0)
  ) {
    self.instrument = instrument
    self.policy = policy
    self.equity = equity
    self.peakEquity = peakEquity
    self.otherExposure = otherExposure
    self.openPositions = openPositions
    self.position = position
    self.openBuy = openBuy
    self.openSell = openSell
    self.quote = quote
    self.vix = vix
    self.vixAge = vixAge
    self.time = time
    self.causeSequence = causeSequence
    self.nextClientOrderID = nextClientOrderID
    self.strategy = strategy
    self.account = account
  }
}

/// Why there is no order.
@frozen public enum SizingReason: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// An input is not finite or outside its range.
  case badInput = 1
  /// The side of the book the order would take, or that prices the target, is not quoted.
  case noQuote = 2
  /// The edge is not worth a position, and there is none to close.
  case noEdge = 3
  /// The target is less than one lot, and there is no position to close.
  case belowOneLot = 4
  /// Position and open orders already add up to the target.
  case atTarget = 5
  /// The target is within the no-trade band.
  case withinBand = 6
  /// The mode's number of open positions is reached, and this would be another one.
  case openPositionsMax = 7
  /// What is left after rounding to round lots is below the least order.
  case belowOrderMinimum = 8
  /// The past returns speak against the signal, or it is a short one and those are not allowed; there is no position to close.
  case negativeEdge = 9
  /// Too few bars were seen for a mean.
  case noHistory = 10
  /// The fall from the peak has reached its limit, or the peak is not known.
  case drawdownStop = 11
  /// A position is limited by the daily volume, and that is not known.
  case noVolume = 12
  /// The displayed size or the spread leaves no room for a larger position.
  case illiquid = 13
}

/// Which limit decided the size of the target.
@frozen public enum SizingCap: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// None: the fraction itself.
  case none = 0
  /// Share of equity in one position.
  case equityShare = 1
  /// The mode's notional per position.
  case positionNotional = 2
  /// The mode's leverage.
  case leverage = 3
  /// Share of the average daily volume.
  case dailyVolume = 4
}

/// What the sizer answers.
@frozen public enum SizingOutcome: BitwiseCopyable, Sendable {
  /// No order, and why.
  case noSize(SizingReason)
  /// This order.
  case intent(OrderIntent)
}

/// Every intermediate of one sizing, in the order it is computed: for the journal and for people.
///
/// What a preset does not compute keeps its first value: the VIX table's factor under the continuous preset, `continuous` under the table.
@frozen public struct SizingRecord: BitwiseCopyable, Sendable {
  /// The preset that was used.
  public var preset = SizingPreset.table
  /// Continuous preset: mean of the past returns, percent a bar.
  public var meanPercent = 0.0
  /// Continuous preset: bars behind it.
  public var observations: Int64 = 0
  /// Continuous preset: every step of it, for the direction of the signal.
  public var continuous = ContinuousSizing.Outcome()
  /// Full Kelly fraction. Table: `max(0, (p·b − q) / b)`; continuous: `mean / volatility²` in the direction of the signal.
  public var kelly = 0.0
  /// Factor of the VIX table; 1 while the VIX is unusable.
  public var vixFactor = 1.0
  /// The VIX was usable.
  public var isVIXUsable = false
  /// Forecast variance of the next bar, percent².
  public var variance = 0.0
  /// Annual volatility as a fraction, with the penalty where the VIX is unusable.
  public var volatilityAnnual = 0.0
  /// Table: `min(1, target / volatilityAnnual)`.
  public var volatilityFactor = 0.0
  /// Size of the signal.
  public var signalSize = 0.0
  /// Confidence.
  public var confidence = 0.0
  /// The mode's factor.
  public var modeFactor = 0.0
  /// The wanted share of equity, before the caps below, not negative. Table: product of all of the above and the Kelly share.
  public var fraction = 0.0
  /// `fraction × equity`, rounded toward zero.
  public var notionalWanted = Money.zero
  /// After the caps.
  public var notional = Money.zero
  /// Price at which the target's lots are valued.
  public var referencePrice = Price.zero
  /// Target position, lots, negative when short.
  public var target = Quantity.zero
  /// Target less position and open orders.
  public var difference = Quantity.zero
  /// Half-width of the no-trade band, lots.
  public var band = Quantity.zero
  /// Most lots an order may have that makes the position larger; `Quantity.max` without a liquidity rule.
  public var increaseMax = Quantity(lots: .max)
  /// Which limit decided the target.
  public var cap = SizingCap.none
  /// Why the wanted share is 0, where it is.
  public var nothing = SizingReason.noEdge

  /// A record of nothing yet.
  @inlinable public init() {}
}
