public import LockFreeRings
public import TradingTypes

extension FeatureEngine {
  /// Whether `closeBar` has a bar to give at `now`: ask before a message is applied.
  ///
  /// - Complexity: one comparison.
  @inlinable public func barIsDue(_ instrument: InstrumentID, at now: Timestamp) -> Bool {
    let index = Int(instrument.index)
    return index < instrumentCount && now >= states[index].barDue
  }

  /// Closes the instrument's next primary bar that ends at or before `now`, and every further one; nil when no primary bar is left.
  ///
  /// Call it until it is nil, before the message at `now` is applied. Bars begin with the instrument's first trade. Flat bars
  /// fill a gap between two bars of one day; they become due with the message after the trade that ends the gap, so that
  /// none follows the day's last trade. Of a longer gap 1,000 are given, then all bars are forgotten and the next one is a first.
  /// - Complexity: about a microsecond for the last primary bar, tenths of one for each other; no allocation.
  public mutating func closeBar(_ instrument: InstrumentID, at now: Timestamp) -> ClosedBar? {
    let index = Int(instrument.index)
    guard index < instrumentCount, now >= states[index].barDue else { return nil }
    let first = index * timeframeCount
    var due = Timestamp.distantFuture
    for place in (first + 1)..<(first + timeframeCount) {
      while close(place, of: index, at: now) != nil {}
      due = min(due, builders[place].dueTime)
    }
    let bar = close(first, of: index, at: now)
    states[index].barDue = min(due, builders[first].dueTime)
    // Slots are evaluated once, after the last bar that is due now.
    if bar != nil, now < builders[first].dueTime { evaluate(first) }
    return bar
  }

  /// Takes in a bar of the primary timeframe that a host built itself, in place of bars from trades, and evaluates its bar slots.
  ///
  /// - Returns: false for an unknown instrument or prices that are not positive with low ≤ open, close ≤ high; it is counted.
  @discardableResult
  public mutating func takeBar(_ bar: ClosedBar, of instrument: InstrumentID) -> Bool {
    let index = Int(instrument.index)
    let isSound =
      bar.low > .zero && bar.low <= min(bar.open, bar.close) && bar.high >= max(bar.open, bar.close)
      && bar.volume >= .zero && bar.returnPercent.isFinite
    guard index < instrumentCount, isSound else { return refuse() }
    collect(bar, at: index * timeframeCount, of: index)
    evaluate(index * timeframeCount)
    return true
  }

  /// Writes the bar slots of one of an instrument's timeframes as of `now`.
  ///
  /// Slots of a further timeframe are evaluated here, once for each bar, so that bars nobody asks for cost next to nothing.
  /// - Parameters:
  ///   - timeframe: 0 is the primary one; the others follow in the order of the configuration.
  ///   - block: overwritten.
  /// - Precondition: the instrument and the timeframe are the engine's.
  /// - Complexity: about a microsecond after a bar, some tens of nanoseconds otherwise; no allocation.
  public mutating func bars(
    of instrument: InstrumentID, timeframe: Int, at now: Timestamp, into block: inout BarBlock
  ) {
    let index = Int(instrument.index)
    precondition(
      index < instrumentCount && timeframe >= 0 && timeframe < timeframeCount,
      "FeatureEngine: the instrument and the timeframe are the engine's")
    let place = index * timeframeCount + timeframe
    if !blocks[place].isEvaluated { evaluate(place) }
    for value in 0..<BarBlock.count { block.values[value] = barValues[place * BarBlock.count + value] }
    let own = states[index].sentiment.isKnown ? states[index].sentiment : market.sentiment
    let rule = builders[place].rule
    let input =
      rule.measure == .time ? blocks[place].endTime : max(blocks[place].endTime, states[index].trades.printTime)
    let old = oldBars(
      inputTime: input, age: constants.barStaleAge.atLeastTwo(of: rule), sentiment: own,
      at: max(now, states[index].clock))
    let full = blocks[place].valid
    block.valid = FeatureMask(low: full.low & ~old.low, high: full.high & ~old.high)
    block.stale = FeatureMask(low: full.low & old.low, high: full.high & old.high)
  }

  /// The rule of a timeframe's bars.
  ///
  /// - Precondition: `0 <= timeframe < timeframeCount`.
  public func barRule(ofTimeframe timeframe: Int) -> BarRule {
    precondition(timeframe >= 0 && timeframe < timeframeCount, "FeatureEngine: the timeframe is the engine's")
    return builders[timeframe].rule
  }

  /// Closes the next bar of one timeframe.
  private mutating func close(_ place: Int, of index: Int, at now: Timestamp) -> ClosedBar? {
    guard let bar = builders[place].close(at: now, midnight: constants.dayStart) else { return nil }
    collect(bar, at: place, of: index)
    if builders[place].isResetDue && builders[place].flatsLeft == 0 {
      builders[place].reset()
      bars[place] = BarState()
    }
    return bar
  }

  /// Adds a bar to the windows of its timeframe.
  private mutating func collect(_ bar: ClosedBar, at place: Int, of index: Int) {
    // A bar is closed by a later message: what came between its end and that message is none of its own.
    let held = (bars[place].lastSentiment, bars[place].lastVix)
    let own = states[index].sentiment.known(
      by: bar.endTime, before: states[index].earlierSentiment, held: held.0)
    let all = market.sentiment.known(by: bar.endTime, before: market.earlierSentiment, held: held.0)
    let vix = market.vix.known(by: bar.endTime, before: market.earlierVix, held: held.1)
    bars[place].collect(bar, sentiment: own.isKnown ? own : all, vix: vix)
    blocks[place].endTime = bar.endTime
    blocks[place].isEvaluated = false
    if place == index * timeframeCount { noteClose(index, endTime: bar.endTime) }
  }

  /// Slots that other stages own: 48 and 82–84.
  private static var modelMask: FeatureMask { FeatureMask(low: 1 << 48, high: 0b111 << (82 - 64)) }

  /// Evaluates the slots of a timeframe's last bar where vectors take them from; slots that other stages own stay.
  private mutating func evaluate(_ place: Int) {
    bars[place].evaluate()
    let base = place * BarBlock.count
    let mask = FeatureEngine.modelMask
    let model = (48 - BarBlock.firstSlot, 82 - BarBlock.firstSlot)
    for value in 0..<model.0 { barValues[base + value] = bars[place].features.values[value] }
    for value in (model.0 + 1)..<model.1 { barValues[base + value] = bars[place].features.values[value] }
    let valid = bars[place].features.valid
    blocks[place].valid.low = blocks[place].valid.low & mask.low | valid.low
    blocks[place].valid.high = blocks[place].valid.high & mask.high | valid.high
    blocks[place].isEvaluated = true
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
    let block = index * timeframeCount
    let base = block * BarBlock.count - BarBlock.firstSlot
    barValues[base + FeatureSlot.garchVar.index] = garchVariance
    barValues[base + FeatureSlot.regimeBear.index] = bear
    barValues[base + FeatureSlot.regimeSideways.index] = sideways
    barValues[base + FeatureSlot.regimeBull.index] = bull
    blocks[block].valid.low |= FeatureEngine.modelMask.low
    blocks[block].valid.high |= FeatureEngine.modelMask.high
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
      market.vix.replace(by: value, keeping: &market.earlierVix)
    case .yield10y:
      guard context.time >= market.yield10y.time else { return refuse() }
      market.yield10y = value
    case .yield2y:
      guard context.time >= market.yield2y.time else { return refuse() }
      market.yield2y = value
    case .sentiment where isMarketWide:
      guard context.time >= market.sentiment.time else { return refuse() }
      market.sentiment.replace(by: value, keeping: &market.earlierSentiment)
    case .sentiment:
      guard context.time >= states[index].sentiment.time else { return refuse() }
      // Wanted in one place: two parts of an element cannot be changed in one call.
      var earlier = states[index].earlierSentiment
      states[index].sentiment.replace(by: value, keeping: &earlier)
      states[index].earlierSentiment = earlier
    }
    return true
  }

  private mutating func refuse() -> Bool {
    // Wrapping: a count of calls.
    counted.refusedValues &+= 1
    return false
  }
}
