internal import TradingTypes

/// The bar slots of an instrument: `collect` remembers a closed bar, `evaluate` makes the slots of what is remembered.
///
/// What prices and volumes give is summed exactly in integers; what logarithms give is formed from its window at each
/// evaluation or kept up as `WindowVariance` has it. So a bar's cost does not depend on the lengths of windows above 64.
struct BarFeatures: BitwiseCopyable {
  /// Values of slots 37–86 and their valid bits at the last evaluation.
  var values: InlineArray<50, Double>
  var valid: FeatureMask
  /// Bars so far.
  var count: Int
  // Bars at the last evaluation.
  var evaluatedCount: Int

  // Billionths and lots, cut to `priceMax` and `volumeMax`.
  var closes: MonotonicMaximum<256>
  var changes: RollingIntegers<64>
  var volumes: RollingIntegers<64>
  var closes9: IntegerSum
  var closes12: IntegerSum
  var closes20: IntegerMoments
  var closes50: IntegerSum
  var closes200: IntegerSum
  var pathLength10: IntegerSum
  // Logarithms of ratios of closes; their magnitudes in order of size.
  var logReturns: VarianceRatio<320>
  var absoluteReturns: SortedValues<100>
  // What a bar adds to the windows of 20 bars, in the order of `Column`.
  var columns: WindowColumns<20>
  // A bit for each of the last 20 bars but a first one, the newest lowest: whether it has volume.
  var tradedBars: UInt32
  var oscillators: BarOscillators
  var ewmaVariance: Double
  // The bar before.
  var lastHigh: Int64
  var lastLow: Int64
  var lastSquaredRange: Double

  /// The largest price taken as it is in billionths: 200 of them can be summed. A host's higher prices are cut to it.
  static var priceMax: Int64 { 1 << 53 }
  /// The largest volume taken as it is in lots: the squares of 60 of them can be summed.
  static var volumeMax: Int64 { (1 << 61) / 60 }

  init() {
    values = InlineArray(repeating: 0)
    valid = FeatureMask()
    count = 0
    evaluatedCount = 0
    closes = MonotonicMaximum(length: 250)
    changes = RollingIntegers(length: 61)
    volumes = RollingIntegers(length: 60)
    closes9 = IntegerSum(length: 9)
    closes12 = IntegerSum(length: 12)
    closes20 = IntegerMoments(length: 20)
    closes50 = IntegerSum(length: 50)
    closes200 = IntegerSum(length: 200)
    pathLength10 = IntegerSum(length: 10)
    logReturns = VarianceRatio(lag: 5, length: 250)
    absoluteReturns = SortedValues()
    columns = WindowColumns()
    tradedBars = 0
    oscillators = BarOscillators()
    ewmaVariance = 0
    lastHigh = 0
    lastLow = 0
    lastSquaredRange = 0
  }

  subscript(slot: FeatureSlot) -> Double {
    get { values[slot.index - 37] }
    set { values[slot.index - 37] = newValue.isFinite ? newValue : 0 }
  }

  /// Writes slots 37–47, 49–73 and their valid bits from the bars so far; later values are the same without it.
  mutating func evaluate() {
    writeVolatility()
    writeReturns()
    writeTrend()
    // Once all windows were full the mask stays as it is.
    if evaluatedCount < BarFeatures.barsNeededMax { writeValidity() }
    evaluatedCount = count
  }

  /// `C_t / C_{t−lag} − 1` of the bars so far, 0 where there are fewer: what slots 70–72 hold after an evaluation.
  ///
  /// Mutating only in form, like all readers of windows.
  mutating func simpleReturn(lag: Int) -> Double {
    guard count > lag else { return 0 }
    let start = closes.value(age: lag)
    // Wrapping: both are in 1…2^53.
    return Double(closes.value(age: 0) &- start) / Double(start)
  }
}

/// The columns of `BarFeatures.columns`.
enum Column {
  static var illiquidity: Int { 0 }
  static var corwinSchultz: Int { 1 }
  static var overnight: Int { 2 }
  static var simpleReturn: Int { 3 }
  static var squaredRange: Int { 4 }
  static var garmanKlass: Int { 5 }
  static var rogersSatchell: Int { 6 }
  static var openToClose: Int { 7 }
  /// The columns that need the bar before, which a series' first bar lacks.
  static var needsLast: SIMDMask<SIMD8<Int64>> {
    SIMD8<Int64>(0, 1, 2, 3, 4, 5, 6, 7) .< SIMD8<Int64>(repeating: 4)
  }
}
