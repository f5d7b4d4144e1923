public import TradingTypes

/// The fraction that would have grown wealth fastest over returns that happened: no distribution is assumed.
public struct EmpiricalKelly: Hashable, Sendable {
  /// Share of wealth, rebalanced every period; negative where the returns fall.
  public let fraction: Double
  /// Mean log growth of wealth a period at `fraction`.
  public let growth: Double
  /// The least fraction at which one of the returns ruins; −infinity where none is positive.
  public let lowerBound: Double
  /// The same above: `1 / |least return|`.
  public let upperBound: Double
  /// Returns that were used.
  public let count: Int

  /// Solves `mean(r / (1 + f r)) = 0` for f, which is the one maximum of the mean log growth.
  ///
  /// - Parameters:
  ///   - returns: of equal periods, as fractions, in any order.
  /// - Throws: `ConfigurationError` when a return is not finite, or when all have one sign, so that growth has no maximum.
  /// - Complexity: O(`returns.count`) for each of some ten steps, no allocation.
  /// - Source: Kelly 1956, for an arbitrary distribution of outcomes; Newton's method, halved back into its bracket.
  public init(returns: [Double]) throws(ConfigurationError) {
    var least = 0.0
    var most = 0.0
    for (row, value) in returns.enumerated() {
      guard value.isFinite else {
        throw ConfigurationError("empirical Kelly: return \(row) is \(value), expected a finite fraction")
      }
      least = min(least, value)
      most = max(most, value)
    }
    guard least < 0, most > 0 else {
      throw ConfigurationError(
        "empirical Kelly: \(returns.count) returns from \(least) to \(most), expected losses and gains among them")
    }
    lowerBound = -1 / most
    upperBound = -1 / least
    guard lowerBound.isFinite, upperBound.isFinite else {
      throw ConfigurationError("empirical Kelly: returns from \(least) to \(most) are too small to bound a fraction")
    }
    count = returns.count
    // The slope of growth falls over the whole bracket, from +infinity to −infinity.
    var low = lowerBound
    var high = upperBound
    var f = 0.0
    for _ in 0..<200 {
      var slope = 0.0
      var bend = 0.0
      for value in returns {
        let part = value / (1 + f * value)
        slope += part
        bend += part * part
      }
      if slope == 0 { break }
      if slope > 0 { low = f } else { high = f }
      var next = f + slope / bend
      if !(next > low && next < high) { next = low + (high - low) / 2 }
      let step = (next - f).magnitude
      f = next
      if step <= 1e-15 * max(1, f.magnitude) || high - low <= 1e-15 * max(1, f.magnitude) { break }
    }
    fraction = f
    growth = Self.meanLogGrowth(of: returns, at: f)
  }

  /// Mean log growth of wealth a period when `fraction` of it is held: −infinity where a return ruins.
  public static func meanLogGrowth(of returns: [Double], at fraction: Double) -> Double {
    guard !returns.isEmpty else { return 0 }
    var sum = 0.0
    for value in returns {
      let wealth = 1 + fraction * value
      guard wealth > 0 else { return -.infinity }
      sum += DeterministicMath.log(wealth)
    }
    return sum / Double(returns.count)
  }
}
