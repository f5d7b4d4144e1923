internal import TradingTypes

/// The bar slots of an instrument: one step for each closed bar.
///
/// Windows are evaluated afresh, in two passes, at each close: a bar closes once a minute, and what is not kept cannot drift.
struct BarFeatures: BitwiseCopyable {
  /// Values of slots 37–86 and their valid bits after the last bar.
  var values: InlineArray<50, Double>
  var valid: FeatureMask
  /// Bars so far.
  var count: Int

  // Everything in the quote currency and lots.
  var closes: RollingWindow<256>
  var volumes: RollingWindow<96>
  var changes: RollingWindow<96>
  var logReturns: RollingWindow<320>
  var returns: RollingWindow<32>
  var illiquidity: RollingWindow<32>
  var absoluteProducts: RollingWindow<32>
  var squaredRanges: RollingWindow<32>
  var corwinSchultz: RollingWindow<32>
  var garmanKlass: RollingWindow<32>
  var rogersSatchell: RollingWindow<32>
  var overnightReturns: RollingWindow<32>
  var openToClose: RollingWindow<32>
  var absoluteReturns: SortedWindow<100>
  var maximum: MonotonicMaximum<256>
  var oscillators: BarOscillators
  var ewmaVariance: Double
  // The bar before.
  var lastHigh: Double
  var lastLow: Double

  init() {
    values = InlineArray(repeating: 0)
    valid = FeatureMask()
    count = 0
    closes = RollingWindow(length: 201)
    volumes = RollingWindow(length: 60)
    changes = RollingWindow(length: 61)
    logReturns = RollingWindow(length: 250)
    returns = RollingWindow(length: 20)
    illiquidity = RollingWindow(length: 20)
    absoluteProducts = RollingWindow(length: 20)
    squaredRanges = RollingWindow(length: 20)
    corwinSchultz = RollingWindow(length: 20)
    garmanKlass = RollingWindow(length: 20)
    rogersSatchell = RollingWindow(length: 20)
    overnightReturns = RollingWindow(length: 20)
    openToClose = RollingWindow(length: 20)
    absoluteReturns = SortedWindow()
    maximum = MonotonicMaximum(length: 250)
    oscillators = BarOscillators()
    ewmaVariance = 0
    lastHigh = 0
    lastLow = 0
  }

  subscript(slot: FeatureSlot) -> Double {
    get { values[slot.index - 37] }
    set { values[slot.index - 37] = newValue.isFinite ? newValue : 0 }
  }

  /// Takes in the next bar and evaluates slots 37–47, 49–73.
  mutating func step(_ bar: ClosedBar) {
    collect(bar)
    // Wrapping: a count.
    count &+= 1
    writeVolatility()
    writeReturns()
    writeTrend()
    // Later the mask stays as it is.
    if count <= BarFeatures.barsNeededMax { writeValidity() }
  }

  /// Adds the bar to every window.
  private mutating func collect(_ bar: ClosedBar) {
    let open = bar.open.real
    let high = bar.high.real
    let low = bar.low.real
    let close = bar.close.real
    let volume = Double(bar.volume.lots)
    let range = DeterministicMath.logRatio(high, low)
    let body = DeterministicMath.logRatio(close, open)
    if count > 0 {
      let last = closes.value(age: 0)
      let logReturn = DeterministicMath.logRatio(close, last)
      if logReturns.count > 0 { absoluteProducts.update(abs(logReturn) * abs(logReturns.value(age: 0))) }
      logReturns.update(logReturn)
      absoluteReturns.update(abs(logReturn))
      returns.update(close / last - 1)
      changes.update(close - last)
      overnightReturns.update(DeterministicMath.logRatio(open, last))
      // A bar without volume is marked by a negative number and left out of the mean.
      illiquidity.update(volume > 0 ? abs(logReturn) / (close * volume) : -1)
      ewmaVariance = count == 1 ? logReturn * logReturn : 0.94 * ewmaVariance + 0.06 * logReturn * logReturn
      corwinSchultz.update(spreadEstimate(high: high, low: low, range: range))
    }
    oscillators.update(bar)
    closes.update(close)
    maximum.update(close)
    volumes.update(volume)
    squaredRanges.update(range * range)
    garmanKlass.update(0.5 * range * range - (2 * 0.693147180559945309417 - 1) * body * body)
    rogersSatchell.update(
      DeterministicMath.logRatio(high, close) * DeterministicMath.logRatio(high, open)
        + DeterministicMath.logRatio(low, close) * DeterministicMath.logRatio(low, open))
    openToClose.update(body)
    lastHigh = high
    lastLow = low
  }

  /// The two-bar high-low estimate of the spread, floored at 0, without an overnight adjustment.
  ///
  /// - Source: Corwin and Schultz 2012, equations 14 and 18.
  private mutating func spreadEstimate(high: Double, low: Double, range: Double) -> Double {
    let beta = range * range + squaredRanges.value(age: 0)
    let wide = DeterministicMath.logRatio(max(high, lastHigh), min(low, lastLow))
    let scale = 3 - 2 * 2.0.squareRoot()
    let alpha = ((2 * beta).squareRoot() - beta.squareRoot()) / scale - (wide * wide / scale).squareRoot()
    let growth = DeterministicMath.exp2(alpha * 1.44269504088896340736)
    return max(0, 2 * (growth - 1) / (1 + growth))
  }
}
