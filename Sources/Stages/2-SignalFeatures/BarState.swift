internal import TradingTypes

/// The bar slots an instrument's closed bars make, with the context at its last bar.
@usableFromInline struct BarState: BitwiseCopyable, Sendable {
  var features: BarFeatures
  /// Context at the end of the last bar, and sentiment at the end of the one before.
  var lastSentiment: ContextValue
  var earlierSentiment: ContextValue
  var lastVix: ContextValue
  /// Sentiment at a bar's end and return of the next bar: completed pairs only.
  var pairs: PairRegression<288>

  init() {
    features = BarFeatures()
    lastSentiment = ContextValue()
    earlierSentiment = ContextValue()
    lastVix = ContextValue()
    pairs = PairRegression(length: 252)
  }

  /// Takes in a closed bar; its slots are those of `evaluate`.
  mutating func collect(_ bar: ClosedBar, sentiment: ContextValue, vix: ContextValue) {
    features.collect(bar)
    if lastSentiment.isKnown { pairs.update(x: lastSentiment.value, y: features.simpleReturn(lag: 1)) }
    features[.vixChange] = vix.isKnown && lastVix.isKnown ? vix.value - lastVix.value : 0
    features.valid[.vixChange] = vix.isKnown && lastVix.isKnown
    earlierSentiment = lastSentiment
    lastSentiment = sentiment
    lastVix = vix
  }

  /// Evaluates slots 37–47, 49–73 and 75–77 as of the last bar; whether and when changes nothing else.
  mutating func evaluate() {
    // All bars may have been forgotten: everything is 0 and warming then.
    guard features.count > 0 else { return }
    features.evaluate()
    guard lastSentiment.isKnown else { return }
    let now = lastSentiment.value
    features[.sentimentCalibrated] = pairs.fitted(at: now)
    features.valid[.sentimentCalibrated] = pairs.isFull
    features[.sentimentVolume] = now * features[.volumeZ60]
    features.valid[.sentimentVolume] = features.valid[.volumeZ60]
    features[.sentimentMomentum] = earlierSentiment.isKnown ? now - earlierSentiment.value : 0
    features.valid[.sentimentMomentum] = earlierSentiment.isKnown
  }
}
