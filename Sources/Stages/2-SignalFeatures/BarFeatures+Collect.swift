internal import TradingTypes

extension BarFeatures {
  /// Remembers a bar: adds it to every window and recursion.
  mutating func collect(_ bar: ClosedBar) {
    let open = BarFeatures.price(bar.open)
    let high = BarFeatures.price(bar.high)
    let low = BarFeatures.price(bar.low)
    let close = BarFeatures.price(bar.close)
    let volume = min(bar.volume.lots, BarFeatures.volumeMax)
    // Ratios of prices need no unit. The other logarithms are sums of these, and as exact: where two prices are equal their
    // logarithms cancel bit for bit, because logRatio(a, b) = −logRatio(b, a).
    let highLog = BarFeatures.logRatio(high, close)
    let lowLog = BarFeatures.logRatio(low, close)
    let body = BarFeatures.logRatio(close, open)
    let range = highLog - lowLog
    var row = SIMD8<Double>(repeating: 0)
    row[Column.squaredRange] = range * range
    row[Column.garmanKlass] = 0.5 * range * range - (2 * 0.693147180559945309417 - 1) * body * body
    row[Column.rogersSatchell] = highLog * (highLog + body) + lowLog * (lowLog + body)
    row[Column.openToClose] = body
    if count > 0 {
      let last = closes.value(age: 0)
      let logReturn = BarFeatures.logRatio(close, last)
      // Wrapping here and below: prices are in 1…2^53.
      let change = close &- last
      collectReturn(logReturn, change: change)
      tradedBars = (tradedBars << 1 | (volume > 0 ? 1 : 0)) & (1 << 20 - 1)
      row[Column.illiquidity] = volume > 0 ? abs(logReturn) / (Double(close) * Double(volume)) : 0
      row[Column.corwinSchultz] = spreadEstimate(high: high, low: low, squaredRange: range * range)
      row[Column.overnight] = logReturn - body
      row[Column.simpleReturn] = Double(change) / Double(last)
    }
    columns.update(row)
    closes9.update(adding: close, removing: closes.value(age: 8))
    closes12.update(adding: close, removing: closes.value(age: 11))
    closes20.update(adding: close, removing: closes.value(age: 19))
    closes50.update(adding: close, removing: closes.value(age: 49))
    closes200.update(adding: close, removing: closes.value(age: 199))
    closes.update(close)
    volumes.update(volume)
    oscillators.update(bar)
    lastHigh = high
    lastLow = low
    lastSquaredRange = range * range
    // Wrapping: a count.
    count &+= 1
  }

  /// Adds a change of the close.
  private mutating func collectReturn(_ logReturn: Double, change: Int64) {
    // |logarithm| of the return that leaves the window of 100; there are 100 once it is full.
    if absoluteReturns.count < 100 {
      absoluteReturns.insert(abs(logReturn))
    } else {
      absoluteReturns.replace(abs(logReturns.value(age: 99)), with: abs(logReturn))
    }
    logReturns.update(logReturn)
    ewmaVariance = count == 1 ? logReturn * logReturn : 0.94 * ewmaVariance + 0.06 * logReturn * logReturn
    pathLength10.update(adding: abs(change), removing: abs(changes.value(age: 9)))
    changes.update(change)
  }

  /// A price in billionths within what sums can hold; a bar's prices are positive.
  static func price(_ price: Price) -> Int64 { min(max(price.nanos, 1), priceMax) }

  /// `ln(a / b)`; equal prices, all that a flat bar has, cost nothing.
  private static func logRatio(_ a: Int64, _ b: Int64) -> Double {
    a == b ? 0 : DeterministicMath.logRatio(Double(a), Double(b))
  }

  /// The two-bar high-low estimate of the spread, floored at 0, without an overnight adjustment.
  ///
  /// Mutating only in form: a large value that is merely borrowed is copied whole.
  /// - Source: Corwin and Schultz 2012, equations 14 and 18.
  private mutating func spreadEstimate(high: Int64, low: Int64, squaredRange: Double) -> Double {
    let beta = squaredRange + lastSquaredRange
    let wide = BarFeatures.logRatio(max(high, lastHigh), min(low, lastLow))
    // 3 − 2√2 = (√2 − 1)², so √(2β) − √β over it is √β / (√2 − 1), and the root of γ = wide² over it is wide / (√2 − 1).
    let alpha = (beta.squareRoot() - wide) / 0.414213562373095048802
    guard alpha > 0 else { return 0 }
    let growth = DeterministicMath.exp2(alpha * 1.44269504088896340736)
    return 2 * (growth - 1) / (1 + growth)
  }
}
