internal import TradingTypes

extension BarFeatures {
  /// Slots 37–47: illiquidity, spreads and variances.
  mutating func writeVolatility() {
    self[.amihud] = illiquidity.meanOfNonNegative(20) * 1e9
    self[.rollSpread] = 2 * max(-changes.neighbourCovariance(60), 0).squareRoot()
    self[.corwinSchultz] = corwinSchultz.mean(20)
    let squares = logReturns.squareSum(20)
    let bipower = 0.5 * Double.pi * absoluteProducts.sum(20)
    self[.realisedVar] = squares
    self[.bipowerVar] = bipower
    self[.jumpVar] = max(squares - bipower, 0)
    self[.ewmaVar] = ewmaVariance
    self[.parkinson] = squaredRanges.mean(20) / (4 * 0.693147180559945309417)
    self[.garmanKlass] = garmanKlass.mean(20)
    let rogers = rogersSatchell.mean(20)
    self[.rogersSatchell] = rogers
    let k = 0.34 / (1.34 + 21.0 / 19.0)
    self[.yangZhang] =
      overnightReturns.variance(20, missing: 1) + k * openToClose.variance(20, missing: 1) + (1 - k) * rogers
  }

  /// Slots 49–56 and 69–73: the distribution of returns and volumes.
  mutating func writeReturns() {
    let n = Double(max(1, logReturns.available(60)))
    let sums = logReturns.centralSums(60)
    let second = sums.second / n
    self[.skew60] = FeatureArithmetic.ratio(sums.third / n, second * second.squareRoot())
    self[.kurt60] = second > 0 ? FeatureArithmetic.ratio(sums.fourth / n, second * second) - 3 : 0
    self[.autocorr1] = logReturns.autocorrelation(60)
    self[.varianceRatio5] = logReturns.varianceRatio(5, 250)
    let close = closes[0]
    let start = closes[changes.available(10)]
    self[.efficiencyRatio] = FeatureArithmetic.ratio(abs(close - start), changes.magnitudeSums(10).all)
    self[.zScore20] = closes.zScore(20)
    self[.drawdown250] = close / maximum.value - 1
    self[.absReturnQ90] = absoluteReturns.quantile(0.9)
    self[.volumeZ60] = volumes.zScore(60)
    self[.return1] = count > 1 ? close / closes[1] - 1 : 0
    self[.return5] = count > 5 ? close / closes[5] - 1 : 0
    self[.return20] = count > 20 ? close / closes[20] - 1 : 0
    self[.volatility20] = returns.variance(20, missing: 1).squareRoot()
  }

  /// Slots 57–68: oscillators and moving averages.
  mutating func writeTrend() {
    let close = closes[0]
    self[.rsi14] = oscillators.relativeStrength
    self[.natr14] = FeatureArithmetic.ratio(100 * oscillators.trueRange.value, close)
    self[.macdHistNorm] = FeatureArithmetic.ratio(oscillators.macdHistogram, oscillators.trueRange.value)
    let width = 2 * closes.variance(20, missing: 0).squareRoot()
    let mean = closes.mean(20)
    self[.bollingerPctB] = width > 0 ? (close - (mean - width)) / (2 * width) : 0.5
    self[.adxSigned] = oscillators.signedTrend
    self[.emaSlope] = DeterministicMath.logRatio(oscillators.fast5.value, oscillators.slow60.value)
    let flows = moneyFlows.magnitudeSums(14)
    self[.mfi14] = FeatureArithmetic.ratio(100 * flows.positive, flows.all)
    self[.nma9] = distanceFromMean(9)
    self[.nma12] = distanceFromMean(12)
    self[.nma20] = distanceFromMean(20)
    self[.nma50] = distanceFromMean(50)
    self[.nma200] = distanceFromMean(200)
  }

  /// (C − SMA)/SMA over `length` bars.
  private func distanceFromMean(_ length: Int) -> Double {
    let mean = closes.mean(length)
    return FeatureArithmetic.ratio(closes[0] - mean, mean)
  }

  /// Marks the slots whose windows are full.
  mutating func writeValidity() {
    for slot in BarFeatures.firstSlot...BarFeatures.lastSlot {
      let needed = BarFeatures.barsNeeded(slot)
      valid[slot] = needed > 0 && count >= needed
    }
  }

  static var firstSlot: Int { 37 }
  static var lastSlot: Int { 73 }

  /// Bars until the window of a slot is full; 0 for a slot that bars do not make.
  static func barsNeeded(_ slot: Int) -> Int {
    switch slot {
    case 43, 70: 2
    case 71: 6
    case 64: 9
    case 53: 11
    case 65: 12
    case 57, 58, 63: 15
    case 44, 45, 46, 54, 60, 66: 20
    case 37, 39, 40, 47, 72, 73: 21
    case 41, 42: 22
    case 61: 28
    case 59: 34
    case 67: 50
    case 62, 69: 60
    case 49, 50, 51: 61
    case 38: 62
    case 56: 101
    case 68: 200
    case 55: 250
    case 52: 251
    default: 0
    }
  }
}
