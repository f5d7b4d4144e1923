/// The recursive bar indicators; their seeds are part of their definitions and follow TA-Lib.
struct BarOscillators: BitwiseCopyable {
  /// Wilder averages of rises and falls of the close.
  var gains: WilderAverage
  var losses: WilderAverage
  /// Average true range.
  var trueRange: WilderAverage
  /// EMA 5 and 60 of the close, seeded by the first close.
  var fast5: ExponentialAverage
  var slow60: ExponentialAverage
  /// MACD(12, 26, 9): both averages start at bar 25, the fast one from the 12 closes up to it.
  var fast12: ExponentialAverage
  var slow26: ExponentialAverage
  var signal9: ExponentialAverage
  /// Wilder sums of directional movement and true range, not divided by 14.
  var risingSum: Double
  var fallingSum: Double
  var rangeSum: Double
  /// Average directional index: the mean of the first 14 indices, then Wilder's average.
  var directional: Double
  /// Bars so far.
  var count: Int

  init() {
    gains = WilderAverage(length: 14)
    losses = WilderAverage(length: 14)
    trueRange = WilderAverage(length: 14)
    fast5 = ExponentialAverage(length: 5, seedCount: 1)
    slow60 = ExponentialAverage(length: 60, seedCount: 1)
    fast12 = ExponentialAverage(length: 12, seedCount: 12)
    slow26 = ExponentialAverage(length: 26, seedCount: 26)
    signal9 = ExponentialAverage(length: 9, seedCount: 9)
    risingSum = 0
    fallingSum = 0
    rangeSum = 0
    directional = 0
    count = 0
  }

  /// Takes in the next bar and what is needed of the one before; a first bar has none.
  mutating func update(
    high: Double, low: Double, close: Double, lastHigh: Double, lastLow: Double, lastClose: Double
  ) {
    fast5.update(close)
    slow60.update(close)
    slow26.update(close)
    if count >= 14 { fast12.update(close) }
    if slow26.isSeeded { signal9.update(fast12.value - slow26.value) }
    if count > 0 {
      gains.update(max(close - lastClose, 0))
      losses.update(max(lastClose - close, 0))
      let range = max(high - low, abs(high - lastClose), abs(low - lastClose))
      trueRange.update(range)
      updateDirection(rise: high - lastHigh, fall: lastLow - low, range: range)
    }
    // Wrapping: a count.
    count &+= 1
  }

  private mutating func updateDirection(rise: Double, fall: Double, range: Double) {
    // Bars 1…13 are summed; from bar 14 on a fourteenth of each sum leaves before the new value enters.
    let kept = count < 14 ? 1.0 : 13.0 / 14.0
    risingSum = risingSum * kept + (rise > fall && rise > 0 ? rise : 0)
    fallingSum = fallingSum * kept + (fall > rise && fall > 0 ? fall : 0)
    rangeSum = rangeSum * kept + range
    guard count >= 14 else { return }
    // Bars 14…27 seed the index; one without movement adds nothing to the seed and leaves the average as it is.
    let sum = risingSum + fallingSum
    let isDefined = rangeSum > 0 && sum > 0
    let index = isDefined ? 100 * abs(risingSum - fallingSum) / sum : 0
    if count < 28 {
      directional += index / 14
    } else if isDefined {
      directional = (directional * 13 + index) / 14
    }
  }

  /// RSI 14: 100·G/(G+L), 0 of a flat series.
  var relativeStrength: Double {
    FeatureArithmetic.ratio(100 * gains.value, gains.value + losses.value)
  }

  /// MACD less its signal, 0 until both averages are seeded.
  var macdHistogram: Double { slow26.isSeeded ? fast12.value - slow26.value - signal9.value : 0 }

  /// ADX 14 with the sign of the direction, 0 where there is none.
  var signedTrend: Double {
    risingSum > fallingSum ? directional : risingSum < fallingSum ? -directional : 0
  }
}
