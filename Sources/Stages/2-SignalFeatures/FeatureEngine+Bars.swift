public import LockFreeRings
public import TradingTypes

extension FeatureEngine {
  /// Whether `closeBar` has a bar to give at `now`: ask before a message is applied.
  ///
  /// - Complexity: one comparison.
  @inlinable public func barIsDue(_ instrument: InstrumentID, at now: Timestamp) -> Bool {
    let index = Int(instrument.index)
    return index < instrumentCount && now >= states[index].builder.dueTime
  }

  /// Closes the instrument's next bar that ends at or before `now` and evaluates its bar slots; nil when there is none.
  ///
  /// Call it until it is nil, before the message at `now` is applied. Bars begin with the instrument's first trade. Flat bars
  /// fill a gap between two bars of one day; they become due with the message after the trade that ends the gap, so that
  /// none follows the day's last trade. Of a longer gap 1,000 are given, then all bars are forgotten and the next one is a first.
  /// - Complexity: a few microseconds, no allocation.
  public mutating func closeBar(_ instrument: InstrumentID, at now: Timestamp) -> ClosedBar? {
    let index = Int(instrument.index)
    guard index < instrumentCount, let bar = states[index].builder.close(at: now, constants) else { return nil }
    let own = states[index].sentiment
    bars[index].step(bar, sentiment: own.isKnown ? own : market.sentiment, vix: market.vix)
    if states[index].builder.isResetDue && states[index].builder.flatsLeft == 0 {
      states[index].builder.reset()
      bars[index] = BarState()
    }
    publish(index, endTime: bar.endTime)
    return bar
  }

  /// Takes in a bar that a host built itself, in place of bars from trades, and evaluates its bar slots.
  ///
  /// - Returns: false for an unknown instrument or prices that are not positive with low ≤ open, close ≤ high; it is counted.
  @discardableResult
  public mutating func takeBar(_ bar: ClosedBar, of instrument: InstrumentID) -> Bool {
    let index = Int(instrument.index)
    let isSound =
      bar.low > .zero && bar.low <= min(bar.open, bar.close) && bar.high >= max(bar.open, bar.close)
      && bar.volume >= .zero && bar.returnPercent.isFinite
    guard index < instrumentCount, isSound else { return refuse() }
    let own = states[index].sentiment
    bars[index].step(bar, sentiment: own.isKnown ? own : market.sentiment, vix: market.vix)
    publish(index, endTime: bar.endTime)
    return true
  }

  /// Slots that other stages own: 48 and 82–84.
  private static var modelMask: FeatureMask { FeatureMask(low: 1 << 48, high: 0b111 << (82 - 64)) }

  private static var firstBarSlot: Int { 37 }

  /// Copies the slots of the last bar to where vectors take them from; slots that other stages own stay.
  private mutating func publish(_ index: Int, endTime: Timestamp) {
    let base = index * InstrumentState.barValueCount
    let mask = FeatureEngine.modelMask
    let model = (48 - FeatureEngine.firstBarSlot, 82 - FeatureEngine.firstBarSlot)
    for place in 0..<model.0 { barValues[base + place] = bars[index].features.values[place] }
    for place in (model.0 + 1)..<model.1 { barValues[base + place] = bars[index].features.values[place] }
    for place in (model.1 + 3)..<InstrumentState.barValueCount {
      barValues[base + place] = bars[index].features.values[place]
    }
    let valid = bars[index].features.valid
    states[index].barValid.low = states[index].barValid.low & mask.low | valid.low
    states[index].barValid.high = states[index].barValid.high & mask.high | valid.high
    states[index].barEndTime = endTime
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
    let base = index * InstrumentState.barValueCount - FeatureEngine.firstBarSlot
    barValues[base + FeatureSlot.garchVar.index] = garchVariance
    barValues[base + FeatureSlot.regimeBear.index] = bear
    barValues[base + FeatureSlot.regimeSideways.index] = sideways
    barValues[base + FeatureSlot.regimeBull.index] = bull
    states[index].barValid.low |= FeatureEngine.modelMask.low
    states[index].barValid.high |= FeatureEngine.modelMask.high
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
      guard context.time >= states[index].sentiment.time else { return refuse() }
      states[index].sentiment = value
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
