internal import TradingTypes

/// The hidden part of a generated market: what each stock is worth, which its book then follows.
///
/// A fair price moves with a market factor, with noise of its own and with a drift that reverts within a minute; calm and
/// wild minutes alternate for all stocks together.
struct FixtureMarket {
  struct Stock {
    /// Fair price in cents.
    var fair: Double
    /// Cents a second that the fair price tends to go.
    var drift = 0.0
    /// The market factor when `fair` was last moved.
    var seenMarket = 0.0
    /// Event time of that, nanoseconds since midnight.
    var seenTime: Int64
    let start: Double
    /// Standard deviation of a year's relative return.
    let volatility: Double
    let beta: Double
  }

  private(set) var stocks: [Stock]
  private(set) var isWild = false
  private var market = 0.0
  private var time: Int64
  private var switchTime: Int64

  /// A year of trading in seconds: 252 days of 6.5 hours; its square root.
  private static let yearRoot = (252.0 * 23_400).squareRoot()
  /// Mean length of a calm and of a wild period.
  private static let calmSeconds: Int64 = 840
  private static let wildSeconds: Int64 = 360
  /// Mean life of a drift, and its standard deviation in a second's standard deviation of the price.
  private static let driftSeconds = 45.0
  private static let driftSize = 0.05
  /// An Ornstein–Uhlenbeck process of that size gets noise × √(2 dt / life).
  private static let driftNoise = driftSize * (2 / driftSeconds).squareRoot()

  init(count: Int, open: Int64, draws: inout SeededDraws) {
    time = open
    switchTime = open
    stocks = (0..<count).map { _ in
      // Between 20 and 400 USD, more cheap than dear ones: 20 × (1 + 3.47 u)², largest 400.
      let root = 1 + 3.47 * draws.unit()
      let start = (2000 * root * root).rounded(.down)
      return Stock(
        fair: start, seenTime: open, start: start, volatility: 0.18 + 0.18 * draws.unit(),
        beta: 0.6 + 0.8 * draws.unit())
    }
    scheduleSwitch(&draws)
  }

  private mutating func scheduleSwitch(_ draws: inout SeededDraws) {
    let mean = isWild ? Self.wildSeconds : Self.calmSeconds
    switchTime += max(60_000_000_000, draws.exponential() * mean * 1_000_000_000 / Int64(SeededDraws.quantileCount))
  }

  /// Moves the market factor to `now`.
  mutating func advance(to now: Int64, draws: inout SeededDraws) {
    if now >= switchTime {
      isWild.toggle()
      scheduleSwitch(&draws)
    }
    let seconds = Double(now - time) / 1e9
    time = now
    market += draws.normal() * seconds.squareRoot() * (0.12 * activity / Self.yearRoot)
  }

  /// How much larger than usual moves are now.
  var activity: Double { isWild ? 1.9 : 0.7 }

  /// Moves the fair price of `stock` to the market's time; its value in cents.
  mutating func fair(_ stock: Int, draws: inout SeededDraws) -> Double {
    var value = stocks[stock]
    let seconds = Double(time - value.seenTime) / 1e9
    let root = seconds.squareRoot()
    let scale = value.start * value.volatility * activity / Self.yearRoot
    let reversion = min(1, seconds / Self.driftSeconds)
    value.drift += Self.driftNoise * scale * draws.normal() * min(root, 6) - value.drift * reversion
    value.fair += value.drift * seconds + 0.8 * scale * draws.normal() * root
    value.fair += value.beta * value.start * (market - value.seenMarket)
    // A day does not move a stock by more than a third here; outside that, the fair price is put back to the border.
    value.fair = min(max(value.fair, value.start * 0.67), value.start * 1.33)
    value.seenMarket = market
    value.seenTime = time
    stocks[stock] = value
    return value.fair
  }
}
