internal import TradingTypes

/// The recursive bar indicators of the catalogue; their seeds are part of their definitions and follow TA-Lib.
struct BarOscillators: BitwiseCopyable {
  /// RSI 14 of the close.
  var strength = RelativeStrengthIndex(length: 14)
  /// ATR 14.
  var trueRange = AverageTrueRange(length: 14)
  /// EMA 5 and 60 of the close, seeded by the first close.
  var fast5 = ExponentialAverage(length: 5, seedCount: 1)
  var slow60 = ExponentialAverage(length: 60, seedCount: 1)
  /// MACD(12, 26, 9).
  var convergence = MovingAverageConvergence(fast: 12, slow: 26, signal: 9)
  /// ADX 14 with its two indicators.
  var movement = DirectionalMovement(length: 14)
  /// MFI 14.
  var moneyFlow = MoneyFlowIndex<14>(length: 14)

  /// Takes in the next bar.
  ///
  /// Prices are billionths, whole numbers below 2^53: differences are exact, so equal moves are equal.
  mutating func update(_ bar: ClosedBar) {
    let high = Double(BarFeatures.price(bar.high))
    let low = Double(BarFeatures.price(bar.low))
    let close = Double(BarFeatures.price(bar.close))
    strength.update(close)
    trueRange.update(high: high, low: low, close: close)
    fast5.update(close)
    slow60.update(close)
    convergence.update(close)
    movement.update(high: high, low: low, close: close)
    moneyFlow.update(high: bar.high, low: bar.low, close: bar.close, volume: bar.volume)
  }
}
