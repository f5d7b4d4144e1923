import SignalFeatures
import TradingTypes

/// The bars of one series, column by column, as the peers have them.
struct Bars {
  var high: [Double]
  var low: [Double]
  var close: [Double]
  var highPrice: [Price]
  var lowPrice: [Price]
  var closePrice: [Price]
  var volume: [Quantity]
}

/// The columns while they are read.
struct Columns: ~Escapable {
  let high: Span<Double>
  let low: Span<Double>
  let close: Span<Double>
  let highPrice: Span<Price>
  let lowPrice: Span<Price>
  let closePrice: Span<Price>
  let volume: Span<Quantity>

  @_lifetime(borrow bars)
  init(_ bars: borrowing Bars) {
    high = bars.high.span
    low = bars.low.span
    close = bars.close.span
    highPrice = bars.highPrice.span
    lowPrice = bars.lowPrice.span
    closePrice = bars.closePrice.span
    volume = bars.volume.span
  }
}

/// A workload: takes in a bar and gives its values, one for each output.
protocol Indicator: BitwiseCopyable {
  static var width: Int { get }
  init()
  mutating func update(_ bars: borrowing Columns, _ place: Int)
  mutating func write(_ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int)
}

/// An exponential average over closes, seeded by the mean of as many, as TA-Lib's.
protocol AverageLength { static var length: Int { get } }
enum Five: AverageLength { static var length: Int { 5 } }
enum Nine: AverageLength { static var length: Int { 9 } }
enum Twelve: AverageLength { static var length: Int { 12 } }
enum Twenty: AverageLength { static var length: Int { 20 } }
enum Fifty: AverageLength { static var length: Int { 50 } }
enum Sixty: AverageLength { static var length: Int { 60 } }
enum TwoHundred: AverageLength { static var length: Int { 200 } }

struct Exponential<Length: AverageLength>: Indicator {
  static var width: Int { 1 }
  var kernel = ExponentialAverage(length: Length.length, seedCount: Length.length)
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) { kernel.update(bars.close[place]) }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) { values[first] = kernel.value }
}

struct Strength: Indicator {
  static var width: Int { 1 }
  var kernel = RelativeStrengthIndex(length: 14)
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) { kernel.update(bars.close[place]) }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) { values[first] = kernel.value }
}

struct Convergence: Indicator {
  static var width: Int { 3 }
  var kernel = MovingAverageConvergence(fast: 12, slow: 26, signal: 9)
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) { kernel.update(bars.close[place]) }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) {
    values[first] = kernel.line
    values[first + 1] = kernel.signal
    values[first + 2] = kernel.histogram
  }
}

struct TrueRange: Indicator {
  static var width: Int { 1 }
  var kernel = AverageTrueRange(length: 14)
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) {
    kernel.update(high: bars.high[place], low: bars.low[place], close: bars.close[place])
  }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) { values[first] = kernel.value }
}

struct NormalisedRange: Indicator {
  static var width: Int { 1 }
  var range = TrueRange()
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) { range.update(bars, place) }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) { values[first] = FeatureArithmetic.ratio(100 * range.kernel.value, bars.close[place]) }
}

struct DirectionalIndex: Indicator {
  static var width: Int { 1 }
  var kernel = DirectionalMovement(length: 14)
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) {
    kernel.update(high: bars.high[place], low: bars.low[place], close: bars.close[place])
  }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) { values[first] = kernel.index }
}

struct Direction: Indicator {
  static var width: Int { 3 }
  var index = DirectionalIndex()
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) { index.update(bars, place) }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) {
    values[first] = index.kernel.index
    values[first + 1] = index.kernel.plus
    values[first + 2] = index.kernel.minus
  }
}

struct Flow: Indicator {
  static var width: Int { 1 }
  var kernel = MoneyFlowIndex<14>(length: 14)
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) {
    kernel.update(
      high: bars.highPrice[place], low: bars.lowPrice[place], close: bars.closePrice[place],
      volume: bars.volume[place])
  }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) { values[first] = kernel.value }
}

// MARK: - Windows: exact sums of integers, as the bar slots keep them

struct Mean<Length: AverageLength>: Indicator {
  static var width: Int { 1 }
  var ring = IntegerRing<256>()
  var kernel = IntegerSum(length: Length.length)
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) {
    let price = bars.closePrice[place].nanos
    kernel.update(adding: price, removing: ring.value(age: Length.length - 1))
    ring.update(price)
  }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) { values[first] = kernel.mean * 1e-9 }
}

/// Mean and population variance of 20 closes; the outputs differ.
struct Moments: BitwiseCopyable {
  var ring = IntegerRing<32>()
  var kernel = IntegerMoments(length: 20)
  @inline(__always) mutating func update(_ price: Int64) {
    kernel.update(adding: price, removing: ring.value(age: 19))
    ring.update(price)
  }
  /// In units of the currency, squared.
  @inline(__always) var variance: Double { kernel.variance(missing: 0) * 1e-18 }
}

struct Variance: Indicator {
  static var width: Int { 1 }
  var moments = Moments()
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) {
    moments.update(bars.closePrice[place].nanos)
  }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) { values[first] = moments.variance }
}

struct Deviation: Indicator {
  static var width: Int { 1 }
  var moments = Moments()
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) {
    moments.update(bars.closePrice[place].nanos)
  }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) { values[first] = moments.variance.squareRoot() }
}

struct Bands: Indicator {
  static var width: Int { 3 }
  var moments = Moments()
  @inline(__always) mutating func update(_ bars: borrowing Columns, _ place: Int) {
    moments.update(bars.closePrice[place].nanos)
  }
  @inline(__always) mutating func write(
    _ bars: borrowing Columns, _ place: Int, to values: inout MutableSpan<Double>, _ first: Int
  ) {
    let mean = moments.kernel.mean * 1e-9
    let width = 2 * moments.variance.squareRoot()
    values[first] = mean + width
    values[first + 1] = mean
    values[first + 2] = mean - width
  }
}
