public import LockFreeRings
public import TradingTypes

extension FeatureEngine {
  /// Whether `closeBar` has a bar to give at `now`: ask before a message is applied.
  ///
  /// - Complexity: one comparison.
  @inlinable public func barIsDue(_ instrument: InstrumentID, at now: Timestamp) -> Bool {
    let index = Int(instrument.index)
    return index < instrumentCount && now >= bars[index].builder.dueTime
  }

  /// Closes the instrument's next bar that ends at or before `now` and evaluates its bar slots; nil when there is none.
  ///
  /// Call it until it is nil, before the message at `now` is applied. Bars begin with the instrument's first trade. Flat bars
  /// fill a gap between two bars of one day; they become due with the message after the trade that ends the gap, so that
  /// none follows the day's last trade. Of a longer gap 1,000 are given, then all bars are forgotten and the next one is a first.
  /// - Complexity: a few microseconds, no allocation.
  public mutating func closeBar(_ instrument: InstrumentID, at now: Timestamp) -> ClosedBar? {
    let index = Int(instrument.index)
    guard index < instrumentCount, let bar = bars[index].builder.close(at: now, constants) else { return nil }
    bars[index].step(bar, market: market)
    if bars[index].builder.isResetDue && bars[index].builder.flatsLeft == 0 { bars[index].reset() }
    return bar
  }

  /// Sets slots 48 and 82–84, which other stages own.
  ///
  /// - Parameters:
  ///   - garchVariance: variance forecast for the next bar, not negative.
  ///   - regimeProbabilities: filtered probabilities after the previous bar, each in [0, 1].
  /// - Returns: false when a value is not finite or out of range; nothing is set then, and it is counted.
  @discardableResult
  public mutating func setModelSlots(
    _ instrument: InstrumentID, garchVariance: Double,
    regimeProbabilities: (bear: Double, sideways: Double, bull: Double)
  ) -> Bool {
    let index = Int(instrument.index)
    let (bear, sideways, bull) = regimeProbabilities
    guard index < instrumentCount, garchVariance.isFinite, garchVariance >= 0, (0...1).contains(bear),
      (0...1).contains(sideways), (0...1).contains(bull)
    else {
      // Wrapping: a count of calls.
      counted.refusedValues &+= 1
      return false
    }
    bars[index].features[.garchVar] = garchVariance
    bars[index].features[.regimeBear] = bear
    bars[index].features[.regimeSideways] = sideways
    bars[index].features[.regimeBull] = bull
    bars[index].features.valid.low |= 1 << 48
    bars[index].features.valid.high |= 0b111 << (82 - 64)
    return true
  }

  /// Takes in a value from outside the market: slots 74–81.
  ///
  /// Sentiment may name an instrument, whose own score then goes before the market's; VIX and yields hold for all.
  /// - Returns: false when the value is not finite, out of its kind's range, older than the one held, or for an instrument the
  ///   engine does not hold; it is counted.
  @discardableResult
  public mutating func receive(_ context: ContextEvent) -> Bool {
    let value = ContextValue(context)
    let index = Int(context.instrument.index)
    let isMarketWide = context.instrument == .none || context.kind != .sentiment
    guard MarketContext.accepts(context), isMarketWide || index < instrumentCount else { return refuse() }
    switch context.kind {
    case .vix:
      guard context.time >= market.vix.time else { return refuse() }
      market.vix = value
    case .yield10y:
      guard context.time >= market.yield10y.time else { return refuse() }
      market.yield10y = value
    case .yield2y:
      guard context.time >= market.yield2y.time else { return refuse() }
      market.yield2y = value
    case .sentiment where isMarketWide:
      guard context.time >= market.sentiment.time else { return refuse() }
      market.sentiment = value
    case .sentiment:
      guard context.time >= bars[index].sentiment.time else { return refuse() }
      bars[index].sentiment = value
    }
    return true
  }

  private mutating func refuse() -> Bool {
    // Wrapping: a count of calls.
    counted.refusedValues &+= 1
    return false
  }

  /// The slots this build computes: all of the catalogue but 85 and 86, which need all instruments of an engine at once.
  @inlinable public static var isBuilt: FeatureMask {
    FeatureMask(low: ~0, high: (1 << 24 - 1) & ~(0b11 << (85 - 64)))
  }
}
