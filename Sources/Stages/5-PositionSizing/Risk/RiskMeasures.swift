public import TradingTypes

/// How much may be lost: value at risk and the mean of what lies beyond it, for one level.
///
/// Losses are positive. A unit goes through: fractions of equity in, fractions out; currency in, currency out.
public struct RiskMeasures: Hashable, Sendable {
  /// Share of the outcomes that are no worse than the value at risk, in (0, 1).
  public let level: Double
  /// The least loss that is not exceeded with probability `level`.
  public let valueAtRisk: Double
  /// The mean loss of the worst `1 − level` of the outcomes, also called expected shortfall: never below the value at risk.
  public let conditionalValueAtRisk: Double
  /// Outcomes behind the figures; 0 for those of a formula.
  public let count: Int

  private static func check(level: Double) throws(ConfigurationError) {
    guard level > 0, level < 1 else {
      throw ConfigurationError("risk: level \(level), expected in (0, 1), 0.99 for the worst hundredth")
    }
  }

  /// Measures of returns that happened, or that were simulated.
  ///
  /// The value at risk is the ⌈n · level⌉-th smallest loss: an outcome that happened, no interpolation. The mean beyond it takes as much
  /// of that outcome as the level leaves, which makes it coherent: that of a sum is never above the sum of the parts'.
  ///
  /// - Parameters:
  ///   - profits: one a period or path, losses negative, in any order.
  /// - Throws: `ConfigurationError` for a level outside (0, 1), no outcome, or one that is not finite.
  /// - Complexity: O(n log n).
  /// - Source: Rockafellar, Uryasev 2002, proposition 8; Acerbi, Tasche 2002 for coherence.
  public init(profits: [Double], level: Double) throws(ConfigurationError) {
    try Self.check(level: level)
    guard !profits.isEmpty else { throw ConfigurationError("risk: no outcomes, expected one or more") }
    if let place = profits.firstIndex(where: { !$0.isFinite }) {
      throw ConfigurationError("risk: outcome \(place) is \(profits[place]), expected a finite number")
    }
    let losses = profits.map { -$0 }.sorted()
    let n = Double(losses.count)
    // A product like 0.9 · 10 may lie a rounding above its whole number.
    let rank = min(losses.count, max(1, Int((n * level - 1e-9).rounded(.up))))
    var beyond = 0.0
    for loss in losses[rank...] { beyond += loss }
    self.level = level
    valueAtRisk = losses[rank - 1]
    let share = max(0, Double(rank) - n * level)
    // What rounding leaves may not turn the order of the two.
    conditionalValueAtRisk = max(valueAtRisk, (share * losses[rank - 1] + beyond) / (n * (1 - level)))
    count = losses.count
  }

  private init(level: Double, mean: Double, volatility: Double, quantile: Double, beyond: Double) {
    self.level = level
    valueAtRisk = volatility * quantile - mean
    conditionalValueAtRisk = volatility * beyond - mean
    count = 0
  }

  private static func check(mean: Double, volatility: Double) throws(ConfigurationError) {
    guard mean.isFinite, volatility >= 0, volatility < .infinity else {
      throw ConfigurationError(
        "risk: mean \(mean), volatility \(volatility), expected finite, the volatility not negative")
    }
  }

  /// Measures of normal profits.
  ///
  /// - Parameters:
  ///   - mean: of the profit.
  ///   - volatility: its standard deviation.
  /// - Source: McNeil, Frey, Embrechts 2015, examples 2.11 and 2.14.
  public static func normal(mean: Double, volatility: Double, level: Double) throws(ConfigurationError) -> RiskMeasures
  {
    try check(level: level)
    try check(mean: mean, volatility: volatility)
    let quantile = NormalDistribution.quantile(level)
    return RiskMeasures(
      level: level, mean: mean, volatility: volatility, quantile: quantile,
      beyond: NormalDistribution.density(quantile) / (1 - level))
  }

  /// Measures of profits with Student's t distribution, scaled to the given standard deviation.
  ///
  /// - Parameters:
  ///   - degrees: of freedom, above 2, so that there is a standard deviation.
  /// - Source: McNeil, Frey, Embrechts 2015, examples 2.11 and 2.15.
  public static func student(
    mean: Double, volatility: Double, degrees: Double, level: Double
  ) throws(ConfigurationError) -> RiskMeasures {
    try check(level: level)
    try check(mean: mean, volatility: volatility)
    guard degrees > 2, degrees < .infinity else {
      throw ConfigurationError("risk: \(degrees) degrees of freedom, expected above 2 and finite")
    }
    let distribution = StudentDistribution(degrees: degrees)
    let quantile = distribution.quantile(level)
    let scale = ((degrees - 2) / degrees).squareRoot()
    let beyond = distribution.density(quantile) / (1 - level) * (degrees + quantile * quantile) / (degrees - 1)
    return RiskMeasures(
      level: level, mean: mean, volatility: volatility, quantile: scale * quantile, beyond: scale * beyond)
  }
}
