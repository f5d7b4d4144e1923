internal import TradingTypes

/// The bar slots an instrument's closed bars make, with the context at its last bar.
@usableFromInline struct BarState: BitwiseCopyable, Sendable {
  var features: BarFeatures
  /// Context at the end of the last bar, and sentiment at the end of the one before.
  var lastSentiment: ContextValue
  var earlierSentiment: ContextValue
  var lastVix: ContextValue
  /// Sentiment at a bar's end and return of the next bar, completed pairs only.
  var pairSentiments: RollingWindow<288>
  var pairReturns: RollingWindow<288>

  init() {
    features = BarFeatures()
    lastSentiment = ContextValue()
    earlierSentiment = ContextValue()
    lastVix = ContextValue()
    pairSentiments = RollingWindow(length: 252)
    pairReturns = RollingWindow(length: 252)
  }

  /// Takes in a closed bar; its slots are those of `evaluate`.
  mutating func collect(_ bar: ClosedBar, sentiment: ContextValue, vix: ContextValue) {
    features.collect(bar)
    if lastSentiment.isKnown {
      pairSentiments.update(lastSentiment.value)
      pairReturns.update(features.returns.value(age: 0))
    }
    features[.vixChange] = vix.isKnown && lastVix.isKnown ? vix.value - lastVix.value : 0
    features.valid[.vixChange] = vix.isKnown && lastVix.isKnown
    earlierSentiment = lastSentiment
    lastSentiment = sentiment
    lastVix = vix
  }

  /// Evaluates slots 37–47, 49–73 and 75–77 as of the last bar; whether and when changes nothing else.
  mutating func evaluate() {
    features.evaluate()
    guard lastSentiment.isKnown else { return }
    let now = lastSentiment.value
    features[.sentimentCalibrated] = calibrated(now)
    features.valid[.sentimentCalibrated] = pairReturns.count >= 252
    features[.sentimentVolume] = now * features[.volumeZ60]
    features.valid[.sentimentVolume] = features.valid[.volumeZ60]
    features[.sentimentMomentum] = earlierSentiment.isKnown ? now - earlierSentiment.value : 0
    features.valid[.sentimentMomentum] = earlierSentiment.isKnown
  }

  /// `a + b·sentiment` from the least squares of return on sentiment over the last 252 completed pairs.
  private mutating func calibrated(_ value: Double) -> Double {
    let fit = WindowMoments.regression(of: pairReturns.last(252), on: pairSentiments.last(252))
    return fit.otherMean + fit.slope * (value - fit.mean)
  }
}
