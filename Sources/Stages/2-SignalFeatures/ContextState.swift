public import TradingTypes

/// The last value of something outside the market.
@frozen @usableFromInline struct ContextValue: BitwiseCopyable {
  @usableFromInline var value: Double
  @usableFromInline var time: Timestamp
  @usableFromInline var isKnown: Bool

  @inlinable init() {
    value = 0
    time = .distantPast
    isKnown = false
  }

  /// The value of an event.
  @inlinable init(_ event: ContextEvent) {
    value = event.value
    time = event.time
    isKnown = true
  }

  @inlinable func isStale(at now: Timestamp, _ constants: FeatureConstants) -> Bool {
    now - time > constants.contextStaleAge
  }
}

/// What holds for every instrument: VIX, yields, and the market's sentiment.
@frozen @usableFromInline struct MarketContext: BitwiseCopyable {
  @usableFromInline var vix: ContextValue
  @usableFromInline var yield10y: ContextValue
  @usableFromInline var yield2y: ContextValue
  @usableFromInline var sentiment: ContextValue

  @inlinable init() {
    vix = ContextValue()
    yield10y = ContextValue()
    yield2y = ContextValue()
    sentiment = ContextValue()
  }

  /// Whether a value is one its kind can have: finite, a sentiment in [−1, 1], the VIX not negative, yields within ±1000 %.
  @inlinable static func accepts(_ event: ContextEvent) -> Bool {
    guard event.value.isFinite else { return false }
    switch event.kind {
    case .sentiment: return abs(event.value) <= 1
    case .vix: return (0...100_000).contains(event.value)
    case .yield10y, .yield2y: return abs(event.value) <= 1_000
    }
  }
}

/// An instrument's bars, the slots they make, and the context at its last bar.
@frozen @usableFromInline struct BarState: BitwiseCopyable {
  @usableFromInline var builder: BarBuilder
  @usableFromInline var features: BarFeatures
  /// The instrument's own sentiment, which goes before the market's.
  @usableFromInline var sentiment: ContextValue
  /// Context at the end of the last bar.
  @usableFromInline var lastSentiment: ContextValue
  @usableFromInline var lastVix: ContextValue
  /// Sentiment at a bar's end and return of the next bar, completed pairs only.
  @usableFromInline var pairSentiments: RollingWindow<256>
  @usableFromInline var pairReturns: RollingWindow<256>

  init() {
    builder = BarBuilder()
    features = BarFeatures()
    sentiment = ContextValue()
    lastSentiment = ContextValue()
    lastVix = ContextValue()
    pairSentiments = RollingWindow()
    pairReturns = RollingWindow()
  }

  /// Forgets all bars, keeps the context: after a gap too long to fill.
  mutating func reset() {
    builder.reset()
    features = BarFeatures()
    lastSentiment = ContextValue()
    lastVix = ContextValue()
    pairSentiments = RollingWindow()
    pairReturns = RollingWindow()
  }

  /// Takes in a closed bar: slots 37–47, 49–73, 75–77 and 79.
  mutating func step(_ bar: ClosedBar, market: MarketContext) {
    features.step(bar)
    if lastSentiment.isKnown {
      pairSentiments.update(lastSentiment.value)
      pairReturns.update(features[.return1])
    }
    let now = sentiment.isKnown ? sentiment : market.sentiment
    if now.isKnown {
      features[.sentimentCalibrated] = calibrated(now.value)
      features.valid[.sentimentCalibrated] = pairReturns.count >= 252
      features[.sentimentVolume] = now.value * features[.volumeZ60]
      features.valid[.sentimentVolume] = features.valid[.volumeZ60]
      features[.sentimentMomentum] = lastSentiment.isKnown ? now.value - lastSentiment.value : 0
      features.valid[.sentimentMomentum] = lastSentiment.isKnown
    }
    features[.vixChange] = market.vix.isKnown && lastVix.isKnown ? market.vix.value - lastVix.value : 0
    features.valid[.vixChange] = market.vix.isKnown && lastVix.isKnown
    lastSentiment = now
    lastVix = market.vix
  }

  /// `a + b·sentiment` from the least squares of return on sentiment over the last 252 completed pairs.
  private func calibrated(_ value: Double) -> Double {
    let x = pairSentiments.centralSums(252)
    let y = pairReturns.mean(252)
    var products = 0.0
    for age in 0..<pairReturns.available(252) { products += (pairSentiments[age] - x.mean) * (pairReturns[age] - y) }
    return y + DeterministicMath.ratio(products, x.second) * (value - x.mean)
  }

  /// Writes slots 37–84 and 87 and their masks as of `now`.
  @inlinable func write(
    market: MarketContext, at now: Timestamp, _ constants: FeatureConstants, into vector: inout FeatureVector
  ) {
    for slot in 37..<87 { vector.values[slot] = features.values[slot - 37] }
    let own = sentiment.isKnown ? sentiment : market.sentiment
    vector[.sentiment] = own.value
    vector[.vix] = market.vix.value
    vector[.yield10y] = market.yield10y.value
    let hasCurve = market.yield10y.isKnown && market.yield2y.isKnown
    vector[.yieldCurve] = hasCurve ? market.yield10y.value - market.yield2y.value : 0
    let clock = BarState.timeOfDay(now, constants)
    let fraction = Double(clock - constants.sessionOpen) / Double(constants.sessionClose - constants.sessionOpen)
    vector[.sessionFraction] = max(0, min(1, fraction))

    var full = features.valid
    full.high |= BarState.bit(.sentiment, own.isKnown) | BarState.bit(.vix, market.vix.isKnown)
    full.high |= BarState.bit(.yield10y, market.yield10y.isKnown) | BarState.bit(.yieldCurve, hasCurve)
    full.high |= BarState.bit(.sessionFraction, true)
    // Bits of the slots whose input is too old.
    var oldLow: UInt64 = 0
    var oldHigh: UInt32 = 0
    if now - features.endTime > constants.barStaleAge {
      oldLow = ~0
      oldHigh = ~0 ^ BarState.contextBits
    }
    if own.isStale(at: now, constants) { oldHigh |= BarState.sentimentBits }
    if market.vix.isStale(at: now, constants) { oldHigh |= BarState.vixBits }
    let isTenOld = market.yield10y.isStale(at: now, constants)
    oldHigh |= BarState.bit(.yield10y, isTenOld)
    oldHigh |= BarState.bit(.yieldCurve, isTenOld || market.yield2y.isStale(at: now, constants))
    vector.valid.low |= full.low & ~oldLow
    vector.valid.high = full.high & ~oldHigh
    vector.stale.low |= full.low & oldLow
    vector.stale.high = full.high & oldHigh
  }

  /// Nanoseconds since the last midnight.
  @inlinable static func timeOfDay(_ now: Timestamp, _ constants: FeatureConstants) -> Int64 {
    let day: Int64 = 86_400_000_000_000
    let passed = (now - constants.dayStart).nanoseconds
    if passed >= 0 && passed < day { return passed }
    let rest = passed % day
    return rest < 0 ? rest + day : rest
  }

  /// The bit of a slot from 64 on, or none.
  @inlinable static func bit(_ slot: FeatureSlot, _ isSet: Bool) -> UInt32 {
    isSet ? 1 &<< (UInt32(slot.rawValue) &- 64) : 0
  }
  @inlinable static var sentimentBits: UInt32 {
    bit(.sentiment, true) | bit(.sentimentCalibrated, true) | bit(.sentimentVolume, true)
      | bit(.sentimentMomentum, true)
  }
  @inlinable static var vixBits: UInt32 { bit(.vix, true) | bit(.vixChange, true) }
  /// Slots that do not age with bars.
  @inlinable static var contextBits: UInt32 {
    bit(.sentiment, true) | bit(.vix, true) | bit(.yield10y, true) | bit(.yieldCurve, true)
      | bit(.sessionFraction, true)
  }
}
