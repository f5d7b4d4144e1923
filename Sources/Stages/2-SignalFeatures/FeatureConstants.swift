public import TradingTypes

/// A validated configuration in the form the hot path uses.
@frozen @usableFromInline struct FeatureConstants: BitwiseCopyable {
  @usableFromInline var increment: Double
  @usableFromInline var incrementTwice: Double
  @usableFromInline var spreadStep: Int64
  @usableFromInline var dayStart: Timestamp
  @usableFromInline var sessionOpen: Int64
  @usableFromInline var sessionClose: Int64
  @usableFromInline var bookStaleAge: TimeSpan
  @usableFromInline var tradeStaleAge: TimeSpan
  @usableFromInline var barStaleAge: TimeSpan
  /// The same for bars of the primary timeframe, two spans of which may be more.
  @usableFromInline var primaryStaleAge: TimeSpan
  /// Primary bars end by the clock.
  @usableFromInline var isPrimaryTimed: Bool
  @usableFromInline var contextStaleAge: TimeSpan
  @usableFromInline var vpinBucketVolume: Int64
  @usableFromInline var vpinBucketCount: Int64
  @usableFromInline var hawkesBase: Double
  @usableFromInline var hawkesJump: Double
  /// `β / ln 2`, so that `e^{−βt} = 2^{−t·hawkesDecayBinary}`.
  @usableFromInline var hawkesDecayBinary: Double
  @usableFromInline var delayedHorizon: TimeSpan
  @usableFromInline var delayedCapacity: Int

  /// The constants of a valid configuration.
  init(_ configuration: FeatureConfiguration) {
    increment = Double(configuration.priceIncrement.nanos)
    incrementTwice = 2 * increment
    // Twice the step must not overflow.
    spreadStep = min(configuration.micropriceSpreadStep.nanos, 1 << 60)
    dayStart = configuration.dayStart
    sessionOpen = configuration.sessionOpen.nanoseconds
    sessionClose = configuration.sessionClose.nanoseconds
    bookStaleAge = configuration.bookStaleAge
    tradeStaleAge = configuration.tradeStaleAge
    barStaleAge = configuration.barStaleAge
    primaryStaleAge = barStaleAge.atLeastTwo(of: configuration.primaryBars)
    isPrimaryTimed = configuration.primaryBars.measure == .time
    contextStaleAge = configuration.contextStaleAge
    vpinBucketVolume = configuration.vpinBucketVolume.lots
    vpinBucketCount = Int64(configuration.vpinBucketCount)
    hawkesBase = configuration.hawkesBase
    hawkesJump = configuration.hawkesJump
    hawkesDecayBinary = configuration.hawkesDecay * 1.44269504088896340736
    delayedHorizon = configuration.delayedHorizon
    delayedCapacity = configuration.delayedCapacity
  }
}

extension TimeSpan {
  /// This age, or twice the span of a time bar where that is more: a bar is not old before its successor could be there.
  func atLeastTwo(of rule: BarRule) -> TimeSpan { max(self, TimeSpan(nanoseconds: 2 * rule.span)) }
}
