internal import TradingTypes

extension BarFeatures {
  /// Slots 37–47: illiquidity, spreads and variances.
  mutating func writeVolatility() {
    self[.amihud] = WindowMoments.meanOfNonNegative(illiquidity.last(20)) * 1e9
    self[.rollSpread] = 2 * max(-WindowMoments.neighbourCovariance(changes.last(61)), 0).squareRoot()
    self[.corwinSchultz] = WindowMoments.mean(corwinSchultz.last(20))
    let squares = WindowMoments.squareSum(logReturns.last(20))
    let bipower = 0.5 * Double.pi * WindowMoments.sum(absoluteProducts.last(20))
    self[.realisedVar] = squares
    self[.bipowerVar] = bipower
    self[.jumpVar] = max(squares - bipower, 0)
    self[.ewmaVar] = ewmaVariance
    self[.parkinson] = WindowMoments.mean(squaredRanges.last(20)) / (4 * 0.693147180559945309417)
    self[.garmanKlass] = WindowMoments.mean(garmanKlass.last(20))
    let rogers = WindowMoments.mean(rogersSatchell.last(20))
    self[.rogersSatchell] = rogers
    let k = 0.34 / (1.34 + 21.0 / 19.0)
    let overnight = WindowMoments.secondSum(overnightReturns.last(20)).variance(missing: 1)
    let session = WindowMoments.secondSum(openToClose.last(20)).variance(missing: 1)
    self[.yangZhang] = overnight + k * session + (1 - k) * rogers
  }

  /// Slots 49–56 and 69–73: the distribution of returns and volumes.
  mutating func writeReturns() {
    let sums = WindowMoments.centralSums(logReturns.last(60))
    let n = Double(max(1, sums.count))
    let second = sums.second / n
    self[.skew60] = FeatureArithmetic.ratio(sums.third / n, second * second.squareRoot())
    self[.kurt60] = second > 0 ? FeatureArithmetic.ratio(sums.fourth / n, second * second) - 3 : 0
    self[.autocorr1] = WindowMoments.autocorrelation(logReturns.last(60), sums)
    self[.varianceRatio5] = WindowMoments.varianceRatio5(logReturns.last(250))
    let close = closes.value(age: 0)
    let start = closes.value(age: changes.available(10))
    self[.efficiencyRatio] = FeatureArithmetic.ratio(
      abs(close - start), WindowMoments.magnitudeSums(changes.last(10)).all)
    self[.drawdown250] = close / maximum.value - 1
    self[.absReturnQ90] = absoluteReturns.quantile(0.9)
    let volume = WindowMoments.secondSum(volumes.last(60))
    self[.volumeZ60] = BarFeatures.standardScore(volumes.value(age: 0), volume)
    self[.return1] = count > 1 ? close / closes.value(age: 1) - 1 : 0
    self[.return5] = count > 5 ? close / closes.value(age: 5) - 1 : 0
    self[.return20] = count > 20 ? close / closes.value(age: 20) - 1 : 0
    self[.volatility20] = WindowMoments.secondSum(returns.last(20)).variance(missing: 1).squareRoot()
  }

  /// Slots 54 and 57–68: oscillators and moving averages.
  mutating func writeTrend() {
    let close = closes.value(age: 0)
    self[.rsi14] = oscillators.strength.value
    self[.natr14] = FeatureArithmetic.ratio(100 * oscillators.trueRange.value, close)
    self[.macdHistNorm] = FeatureArithmetic.ratio(oscillators.convergence.histogram, oscillators.trueRange.value)
    let sums = WindowMoments.secondSum(closes.last(20))
    self[.zScore20] = BarFeatures.standardScore(close, sums)
    let width = 2 * sums.variance(missing: 0).squareRoot()
    self[.bollingerPctB] = width > 0 ? (close - (sums.mean - width)) / (2 * width) : 0.5
    self[.adxSigned] = oscillators.movement.signed
    self[.emaSlope] = DeterministicMath.logRatio(oscillators.fast5.value, oscillators.slow60.value)
    self[.mfi14] = oscillators.moneyFlow.value
    self[.nma9] = BarFeatures.distance(close, from: WindowMoments.mean(closes.last(9)))
    self[.nma12] = BarFeatures.distance(close, from: WindowMoments.mean(closes.last(12)))
    self[.nma20] = BarFeatures.distance(close, from: sums.mean)
    self[.nma50] = BarFeatures.distance(close, from: WindowMoments.mean(closes.last(50)))
    self[.nma200] = BarFeatures.distance(close, from: WindowMoments.mean(closes.last(200)))
  }

  /// (C − SMA)/SMA.
  private static func distance(_ close: Double, from mean: Double) -> Double {
    FeatureArithmetic.ratio(close - mean, mean)
  }

  /// A value in sample standard deviations from the mean.
  private static func standardScore(_ value: Double, _ sums: WindowMoments.CentralSums) -> Double {
    FeatureArithmetic.ratio(value - sums.mean, sums.variance(missing: 1).squareRoot())
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
  /// The largest answer of `barsNeeded`.
  static var barsNeededMax: Int { 251 }

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
