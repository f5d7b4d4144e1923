public import TradingTypes

/// What the pipeline itself remembers of an instrument.
@frozen @usableFromInline struct InstrumentState: BitwiseCopyable {
  /// Its terms.
  @usableFromInline var terms: Instrument
  /// Time of the latest event of its book.
  @usableFromInline var bookTime = Timestamp.distantPast
  /// Time of the latest decision.
  @usableFromInline var lastDecision = Timestamp.distantPast
  /// Price of the latest trade, zero before the first.
  @usableFromInline var lastTrade = Price.zero
  /// Time of that trade.
  @usableFromInline var lastTradeTime = Timestamp.distantPast
  /// Decisions are made for it.
  @usableFromInline var isTraded: Bool
  /// The best price changed since the venues' quotes were entered.
  @usableFromInline var quoteIsOld = false
  /// A message of an event that is not over yet was a reason to decide.
  @usableFromInline var hasCause = false

  @inlinable init(terms: Instrument) {
    self.terms = terms
    isTraded = terms.flags.contains(.tradable)
  }
}

/// The latest context values that are not features.
@frozen @usableFromInline struct ContextState: BitwiseCopyable {
  // Not a number until the first value: unusable.
  @usableFromInline var vix = Double.nan
  @usableFromInline var vixTime = Timestamp.distantPast

  @inlinable init() {}
}

/// What the pipeline takes from the configuration, in the form the hot path wants.
@frozen public struct PipelineRules: BitwiseCopyable, Sendable {
  @usableFromInline let onBestChange: Bool
  @usableFromInline let onTrade: Bool
  @usableFromInline let interval: TimeSpan
  @usableFromInline let barSpan: TimeSpan
  @usableFromInline let midnight: Timestamp
  @usableFromInline let split: DisplaySplit
  @usableFromInline let strategy: StrategyID
  @usableFromInline let account: AccountID

  /// The rules of `configuration` on the day that starts at `midnight`.
  public init(_ configuration: EngineConfiguration, midnight: Timestamp) throws(ConfigurationError) {
    onBestChange = configuration.trigger.onBestChange
    onTrade = configuration.trigger.onTrade
    interval = TimeSpan(nanoseconds: configuration.trigger.intervalNanosecondsMin)
    barSpan = .seconds(configuration.bars.primarySeconds)
    self.midnight = midnight
    split = try DisplaySplit(configuration.venues.map(\.sharePercent))
    strategy = StrategyID(index: 0)
    account = AccountID(index: 0)
  }

  /// The end of the last primary bar that ended at or before `time`.
  @inlinable func barEnd(before time: Timestamp) -> Timestamp {
    let span = barSpan.nanoseconds
    // Wrapping: times at the ends of their range give a bar somewhere, never a trap.
    let passed = time.nanoseconds &- midnight.nanoseconds
    let rest = passed % span
    // Rounded down before midnight too: an end after `time` would take reports and bars from the future.
    return Timestamp(nanoseconds: time.nanoseconds &- (rest < 0 ? rest &+ span : rest))
  }
}
