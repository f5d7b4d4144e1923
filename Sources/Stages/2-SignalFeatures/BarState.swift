internal import TradingTypes

/// The bar slots an instrument's closed bars make, with the context at its last bar.
@usableFromInline struct BarState: BitwiseCopyable, Sendable {
  var features: BarFeatures
  /// Context at the end of the last bar.
  var lastSentiment: ContextValue
  var lastVix: ContextValue
  /// Sentiment at a bar's end and return of the next bar, completed pairs only.
  var calibration: PairRegression<288>

  init() {
    features = BarFeatures()
    lastSentiment = ContextValue()
    lastVix = ContextValue()
    calibration = PairRegression(length: 252)
  }

  /// Takes in a closed bar: slots 37–47, 49–73, 75–77 and 79.
  mutating func step(_ bar: ClosedBar, sentiment now: ContextValue, vix: ContextValue) {
    features.step(bar)
    if lastSentiment.isKnown {
      calibration.update(x: lastSentiment.value, y: features.simpleReturn(lag: 1))
    }
    if now.isKnown {
      features[.sentimentCalibrated] = calibration.fitted(at: now.value)
      features.valid[.sentimentCalibrated] = calibration.isFull
      features[.sentimentVolume] = now.value * features[.volumeZ60]
      features.valid[.sentimentVolume] = features.valid[.volumeZ60]
      features[.sentimentMomentum] = lastSentiment.isKnown ? now.value - lastSentiment.value : 0
      features.valid[.sentimentMomentum] = lastSentiment.isKnown
    }
    features[.vixChange] = vix.isKnown && lastVix.isKnown ? vix.value - lastVix.value : 0
    features.valid[.vixChange] = vix.isKnown && lastVix.isKnown
    lastSentiment = now
    lastVix = vix
  }
}
