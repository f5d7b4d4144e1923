internal import TradingTypes

extension BarFeatures {
  /// Slots 37–47 and 73: illiquidity, spreads and variances.
  mutating func writeVolatility() {
    let moments = columns.moments(firstRowLacks: Column.needsLast)
    let means = moments.mean
    // Bars without volume are 0 in the column, so its sum is that of the others. Its prices are billionths.
    let illiquidity = means[Column.illiquidity] * moments.count[Column.illiquidity]
    self[.amihud] = 1e18 * FeatureArithmetic.ratio(illiquidity, Double(tradedBars.nonzeroBitCount))
    self[.rollSpread] = 2 * max(-changes.neighbourCovariance, 0).squareRoot() / 1e9
    self[.corwinSchultz] = means[Column.corwinSchultz]
    let squares = WindowMoments.squareSum(logReturns.last(20))
    let bipower = 0.5 * Double.pi * WindowMoments.neighbourMagnitudes(logReturns.last(21))
    self[.realisedVar] = squares
    self[.bipowerVar] = bipower
    self[.jumpVar] = max(squares - bipower, 0)
    self[.ewmaVar] = ewmaVariance
    self[.parkinson] = means[Column.squaredRange] / (4 * 0.693147180559945309417)
    self[.garmanKlass] = means[Column.garmanKlass]
    let rogers = means[Column.rogersSatchell]
    self[.rogersSatchell] = rogers
    let k = 0.34 / (1.34 + 21.0 / 19.0)
    let one = SIMD8<Double>(repeating: 1)
    let freedom = moments.count - one
    let variances = moments.second / freedom.replacing(with: one, where: freedom .< one)
    self[.yangZhang] = variances[Column.overnight] + k * variances[Column.openToClose] + (1 - k) * rogers
    self[.volatility20] = variances[Column.simpleReturn].squareRoot()
  }

  /// Slots 49–56 and 69–72: the distribution of returns and volumes.
  mutating func writeReturns() {
    let sums = WindowMoments.centralSums(logReturns.last(60))
    let n = Double(max(1, sums.count))
    let second = sums.second / n
    self[.skew60] = FeatureArithmetic.ratio(sums.third / n, second * second.squareRoot())
    self[.kurt60] = second > 0 ? FeatureArithmetic.ratio(sums.fourth / n, second * second) - 3 : 0
    self[.autocorr1] = WindowMoments.autocorrelation(logReturns.last(60), sums)
    self[.varianceRatio5] = logReturns.value
    let close = closes.value(age: 0)
    // Wrapping here and below: closes are in 1…2^53.
    let start = closes.value(age: pathLength10.count)
    self[.efficiencyRatio] = FeatureArithmetic.ratio(Double(abs(close &- start)), Double(pathLength10.sum))
    self[.drawdown250] = Double(close &- closes.value) / Double(closes.value)
    self[.absReturnQ90] = absoluteReturns.quantile(0.9)
    self[.volumeZ60] = volumes.moments.standardScore(of: volumes.newest)
    self[.return1] = simpleReturn(lag: 1)
    self[.return5] = simpleReturn(lag: 5)
    self[.return20] = simpleReturn(lag: 20)
  }

  /// Slots 54 and 57–68: oscillators and moving averages.
  mutating func writeTrend() {
    let close = closes.value(age: 0)
    self[.rsi14] = oscillators.strength.value
    self[.natr14] = FeatureArithmetic.ratio(100e9 * oscillators.trueRange.value, Double(close))
    self[.macdHistNorm] = FeatureArithmetic.ratio(oscillators.convergence.histogram, oscillators.trueRange.value)
    self[.zScore20] = closes20.standardScore(of: close)
    // (C − (mean − 2σ)) / 4σ, everything times the number of bars.
    let width = 4 * Double(approximating: closes20.scaledVariance).squareRoot()
    self[.bollingerPctB] = 0.5 + FeatureArithmetic.ratio(Double(closes20.first.scaledDistance(of: close)), width)
    self[.adxSigned] = oscillators.movement.signed
    self[.emaSlope] = DeterministicMath.logRatio(oscillators.fast5.value, oscillators.slow60.value)
    self[.mfi14] = oscillators.moneyFlow.value
    self[.nma9] = BarFeatures.distance(close, from: closes9)
    self[.nma12] = BarFeatures.distance(close, from: closes12)
    self[.nma20] = BarFeatures.distance(close, from: closes20.first)
    self[.nma50] = BarFeatures.distance(close, from: closes50)
    self[.nma200] = BarFeatures.distance(close, from: closes200)
  }

  /// (C − SMA)/SMA, exact up to the division.
  private static func distance(_ close: Int64, from window: IntegerSum) -> Double {
    FeatureArithmetic.ratio(Double(window.scaledDistance(of: close)), Double(window.sum))
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
