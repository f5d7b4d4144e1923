import SignalFeatures
import TradingTypes

/// The kernels' definitions over a whole history: slow and obviously right.
enum Twin {
  /// Mean of the values, 0 of none.
  static func mean(_ x: some Collection<Double>) -> Double { x.isEmpty ? 0 : x.reduce(0, +) / Double(x.count) }

  /// Σ(x − mean)², measured from a value of the window: differences of neighbours in size are exact.
  static func secondSum(_ x: some Collection<Double>) -> Double {
    guard let first = x.first else { return 0 }
    let moved = x.map { $0 - first }
    let center = mean(moved)
    return moved.map { ($0 - center) * ($0 - center) }.reduce(0, +)
  }

  /// Seeded by the mean of the first `seedCount`, then `previous + weight · (value − previous)`.
  static func exponential(_ x: [Double], weight: Double, seedCount: Int) -> Double {
    guard x.count > seedCount else { return mean(x) }
    return x.dropFirst(seedCount).reduce(mean(x.prefix(seedCount))) { (1 - weight) * $0 + weight * $1 }
  }

  static func wilder(_ x: [Double], length: Int) -> Double {
    exponential(x, weight: 1 / Double(length), seedCount: length)
  }

  static func strength(_ closes: [Double], length: Int) -> Double {
    let changes = zip(closes.dropFirst(), closes).map { $0 - $1 }
    let gain = wilder(changes.map { max($0, 0) }, length: length)
    let loss = wilder(changes.map { max(-$0, 0) }, length: length)
    return gain + loss == 0 ? 0 : 100 * gain / (gain + loss)
  }

  typealias Bar = (high: Double, low: Double, close: Double)

  static func trueRanges(_ bars: [Bar]) -> [Double] {
    zip(bars.dropFirst(), bars).map { max($0.high, $1.close) - min($0.low, $1.close) }
  }

  /// MACD with both averages started at the slow one's first value.
  static func convergence(
    _ closes: [Double], fast: Int, slow: Int, signal: Int
  ) -> (line: Double, signal: Double, histogram: Double) {
    guard closes.count >= slow else { return (0, 0, 0) }
    let lines = (slow...closes.count).map { count in
      exponential(Array(closes[(slow - fast)..<count]), weight: 2 / Double(fast + 1), seedCount: fast)
        - exponential(Array(closes[..<count]), weight: 2 / Double(slow + 1), seedCount: slow)
    }
    let average = exponential(lines, weight: 2 / Double(signal + 1), seedCount: signal)
    return (lines.last!, average, lines.last! - average)
  }

  static func movement(_ bars: [Bar], length: Int) -> (plus: Double, minus: Double, index: Double) {
    let ranges = trueRanges(bars)
    let moves = zip(bars.dropFirst(), bars).map { now, before in
      let rise = now.high - before.high
      let fall = before.low - now.low
      return (up: rise > fall && rise > 0 ? rise : 0, down: fall > rise && fall > 0 ? fall : 0)
    }
    /// Wilder's sum of the first `count` terms: plain over the first `length − 1`, then decaying.
    func sum(_ terms: [Double], _ count: Int) -> Double {
      terms.prefix(count).dropFirst(length - 1).reduce(terms.prefix(min(count, length - 1)).reduce(0, +)) {
        $0 - $0 / Double(length) + $1
      }
    }
    var average = 0.0
    var last = (plus: 0.0, minus: 0.0)
    for count in stride(from: 1, through: moves.count, by: 1) {
      let up = sum(moves.map(\.up), count)
      let down = sum(moves.map(\.down), count)
      let range = sum(ranges, count)
      last = range > 0 ? (100 * up / range, 100 * down / range) : (0, 0)
      let isDefined = range > 0 && up + down > 0
      let index = isDefined ? 100 * abs(up - down) / (up + down) : 0
      switch count {
      case ..<length: break
      case ..<(2 * length): average += index / Double(length)
      default: average = isDefined ? (average * Double(length - 1) + index) / Double(length) : average
      }
    }
    return (last.plus, last.minus, average)
  }

  static func moneyFlow(
    _ bars: [(high: Price, low: Price, close: Price, volume: Quantity)], length: Int
  ) -> Double {
    var up = 0.0
    var down = 0.0
    for (now, before) in zip(bars.dropFirst(), bars).suffix(length) {
      let typical = now.high.nanos + now.low.nanos + now.close.nanos
      let last = before.high.nanos + before.low.nanos + before.close.nanos
      if typical > last { up += Double(typical) * Double(now.volume.lots) }
      if typical < last { down += Double(typical) * Double(now.volume.lots) }
    }
    return up + down == 0 ? 0 : 100 * up / (up + down)
  }

  /// Overlapping variance ratio of the window, both variances unbiased.
  static func varianceRatio(_ x: [Double], lag: Int) -> Double {
    let n = Double(x.count)
    let q = Double(lag)
    guard x.count > lag, secondSum(x) > 0 else { return 0 }
    let center = mean(x)
    let squares = (lag...x.count).map { end in
      let sum = x[(end - lag)..<end].map { $0 - center }.reduce(0, +)
      return sum * sum
    }
    return squares.reduce(0, +) / (q * (n - q + 1) * (1 - q / n)) / (secondSum(x) / (n - 1))
  }

  static func regression(_ all: some Collection<(x: Double, y: Double)>) -> (
    slope: Double, meanX: Double, meanY: Double
  ) {
    let pairs = Array(all)
    let xs = pairs.map(\.x)
    let ys = pairs.map(\.y)
    let squares = secondSum(xs)
    // Each side from its first value, as in `secondSum`.
    let (x0, y0) = (xs[0], ys[0])
    let (meanX, meanY) = (mean(xs.map { $0 - x0 }), mean(ys.map { $0 - y0 }))
    let products = pairs.map { ($0.x - x0 - meanX) * ($0.y - y0 - meanY) }.reduce(0, +)
    return (squares == 0 ? 0 : products / squares, x0 + meanX, y0 + meanY)
  }

  static func quantile(_ x: [Double], _ level: Double) -> Double {
    let sorted = x.sorted()
    let position = level * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(sorted.count - 1, below + 1)
    return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
  }

  /// Σ value · 2^(−age / half-life), ages by the latest time so far: a late term's age is 0 when it comes.
  static func decayed(_ terms: [(value: Double, time: Timestamp)], halfLife: Double) -> Double {
    var latest = Int64.min
    let effective = terms.map { term in
      latest = max(latest, term.time.nanoseconds)
      return (term.value, latest)
    }
    return effective.map { $0 * power(2, -Double(latest - $1) / 1e9 / halfLife) }.reduce(0, +)
  }
}
