import CPlatform
import Foundation
import SignalFeatures
import TradingTypes

/// Our own indicators in the feature league: one process measures one workload once, as `peers.c` does for TA-Lib.
///
///     featureleague WORKLOAD BARS OUTPUT PASSES
@main struct FeatureLeague {
  let series: [Bars]
  let barCount: Int
  /// Bars of each series that are taken in untimed.
  let history: Int
  let passes: Int

  static func main() {
    let arguments = CommandLine.arguments
    guard arguments.count == 5, let passes = Int(arguments[4]), passes > 0 else {
      fail("usage: featureleague WORKLOAD BARS OUTPUT PASSES")
    }
    _ = martlet_pin_thread(0)
    guard let data = FileManager.default.contents(atPath: arguments[2]),
      let league = FeatureLeague([UInt8](data), passes: passes)
    else { fail("the bars are not readable") }
    let (figure, values) = league.run(arguments[1])
    print((figure * 10_000).rounded() / 10_000)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * 8)
    for value in values {
      let bits = value.bitPattern
      for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * shift))) }
    }
    guard FileManager.default.createFile(atPath: arguments[3], contents: Data(bytes)) else {
      fail("the values are not writable")
    }
  }

  static func fail(_ text: String) -> Never {
    print("league: \(text)")
    exit(2)
  }

  /// Reads what `peers.c` describes.
  init?(_ bytes: [UInt8], passes: Int) {
    func number(_ place: Int) -> Int64 {
      var bits: UInt64 = 0
      for byte in 0..<8 { bits |= UInt64(bytes[place * 8 + byte]) << UInt64(8 * byte) }
      return Int64(bitPattern: bits)
    }
    guard bytes.count >= 24 else { return nil }
    let seriesCount = Int(number(0))
    let bars = Int(number(1))
    history = Int(number(2))
    guard seriesCount > 0, history > 0, bars > history, bytes.count == (3 + seriesCount * 4 * bars) * 8 else {
      return nil
    }
    barCount = bars
    self.passes = passes
    series = (0..<seriesCount).map { which in
      func column(_ index: Int) -> [Int64] { (0..<bars).map { number(3 + (which * 4 + index) * bars + $0) } }
      let prices = (0..<3).map { column($0).map { Price(nanos: $0) } }
      return Bars(
        high: prices[0].map(\.real), low: prices[1].map(\.real), close: prices[2].map(\.real), highPrice: prices[0],
        lowPrice: prices[1], closePrice: prices[2], volume: column(3).map { Quantity(lots: $0) })
    }
  }

  func run(_ workload: String) -> (nanoseconds: Double, values: [Double]) {
    switch workload {
    case "ema5": measure(Exponential<Five>.self)
    case "ema60": measure(Exponential<Sixty>.self)
    case "rsi14": measure(Strength.self)
    case "macd": measure(Convergence.self)
    case "atr14": measure(TrueRange.self)
    case "natr14": measure(NormalisedRange.self)
    case "adx14": measure(DirectionalIndex.self)
    case "dmi14": measure(Direction.self)
    case "mfi14": measure(Flow.self)
    case "sma9": measure(Mean<Nine>.self)
    case "sma12": measure(Mean<Twelve>.self)
    case "sma20": measure(Mean<Twenty>.self)
    case "sma50": measure(Mean<Fifty>.self)
    case "sma200": measure(Mean<TwoHundred>.self)
    case "variance20": measure(Variance.self)
    case "deviation20": measure(Deviation.self)
    case "bands20": measure(Bands.self)
    default: Self.fail("'\(workload)' is no workload")
    }
  }

  /// Median nanoseconds an update over the passes, and the values of the last one.
  @inline(__always) func measure<Kind: Indicator>(_ kind: Kind.Type) -> (nanoseconds: Double, values: [Double]) {
    let updates = barCount - history
    var values = [Double](repeating: 0, count: series.count * updates * Kind.width)
    var figures: [Double] = []
    // The first pass is thrown away.
    for pass in 0...passes {
      var nanoseconds: UInt64 = 0
      for turn in series.indices {
        let which = (turn + pass) % series.count
        nanoseconds += self.pass(kind, series[which], &values, first: which * updates * Kind.width)
      }
      if pass > 0 { figures.append(Double(nanoseconds) / Double(updates * series.count)) }
    }
    return (figures.sorted()[passes / 2], values)
  }

  /// One indicator over one series; nanoseconds of the bars after the history.
  @inline(__always) func pass<Kind: Indicator>(
    _ kind: Kind.Type, _ bars: borrowing Bars, _ values: inout [Double], first: Int
  ) -> UInt64 {
    let columns = Columns(bars)
    var output = values.mutableSpan
    var indicator = Kind()
    for place in 0..<history { indicator.update(columns, place) }
    var next = first
    let start = martlet_monotonic_nanoseconds()
    for place in history..<barCount {
      indicator.update(columns, place)
      indicator.write(columns, place, to: &output, next)
      // Wrapping: the output has room for every value, which is checked when one is written.
      next &+= Kind.width
    }
    return martlet_monotonic_nanoseconds() - start
  }
}
