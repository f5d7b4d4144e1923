internal import TradingTypes

/// The closed forms of the Kelly criterion: how large a bet grows wealth fastest, and what a part or a multiple of it costs.
///
/// Every function gives nil where an argument is not finite or outside its range, never NaN.
/// - Complexity: O(1), no allocation.
public enum KellyFormulas {
  /// The share of wealth to bet on a trade with two outcomes: `p/a − q/b`; negative where the bet is not worth taking.
  ///
  /// A high probability alone says nothing: 0.68 at 0.4 won per 1 lost gives −0.12.
  ///
  /// - Parameters:
  ///   - probability: of the gain, in [0, 1].
  ///   - gain: won per unit of the bet (b), positive.
  ///   - loss: lost per unit of the bet (a), positive; 1 for the whole bet.
  /// - Source: Kelly 1956; Thorp 2006, section 2.
  @inlinable public static func binary(probability: Double, gain: Double, loss: Double = 1) -> Double? {
    guard probability >= 0, probability <= 1, gain > 0, gain < .infinity, loss > 0, loss < .infinity else { return nil }
    let fraction = probability / loss - (1 - probability) / gain
    return fraction.isFinite ? fraction : nil
  }

  /// The share of wealth to hold of an asset with normal returns: `(μ − r) / σ²`.
  ///
  /// - Parameters:
  ///   - mean: expected return of a period, as a fraction.
  ///   - rate: riskless return of the same period.
  ///   - volatility: standard deviation of a period, positive.
  /// - Source: Thorp 2006, section 7; Merton 1969 with logarithmic utility.
  @inlinable public static func continuous(mean: Double, rate: Double = 0, volatility: Double) -> Double? {
    guard volatility > 0 else { return nil }
    let fraction = (mean - rate) / (volatility * volatility)
    return fraction.isFinite ? fraction : nil
  }

  /// Growth rate of log wealth a period at `share` times the full Kelly fraction: `r + SR² (k − k²/2)`.
  ///
  /// Half Kelly keeps 75 % of the growth above the riskless rate, twice Kelly none of it.
  ///
  /// - Source: Thorp 2006, section 7.
  @inlinable public static func growth(share: Double, mean: Double, rate: Double = 0, volatility: Double) -> Double? {
    guard volatility > 0 else { return nil }
    let ratio = (mean - rate) / volatility
    let growth = rate + ratio * ratio * (share - share * share / 2)
    return growth.isFinite ? growth : nil
  }

  /// The probability that wealth ever falls to `level` of what it was at the start: `a^(2/k − 1)`; 1 from twice Kelly on.
  ///
  /// - Parameters:
  ///   - level: in (0, 1).
  ///   - share: of the full Kelly fraction, positive.
  /// - Source: Thorp 2006, section 7: geometric Brownian motion, no time limit.
  public static func drawdownProbability(level: Double, share: Double) -> Double? {
    guard level > 0, level < 1, share > 0, share < .infinity else { return nil }
    guard share < 2 else { return 1 }
    return DeterministicMath.exp((2 / share - 1) * DeterministicMath.log(level))
  }

  /// The largest share of the full Kelly fraction whose `drawdownProbability` stays within `probability`:
  /// `2 / (1 + ln β / ln a)`.
  ///
  /// - Parameters:
  ///   - level: in (0, 1).
  ///   - probability: in (0, 1).
  public static func shareMax(level: Double, probability: Double) -> Double? {
    guard level > 0, level < 1, probability > 0, probability < 1 else { return nil }
    return 2 / (1 + DeterministicMath.log(probability) / DeterministicMath.log(level))
  }

  /// The factor that takes the error of an estimated mean into account: `n SR² / (1 + n SR²)`.
  ///
  /// - Parameters:
  ///   - observations: effective number behind the mean, not negative.
  /// - Source: Baker, McHale 2013, in the plug-in form with the estimate for the true Sharpe ratio.
  @inlinable public static func shrinkage(mean: Double, volatility: Double, observations: Double) -> Double? {
    guard volatility > 0, mean.isFinite, observations >= 0, observations < .infinity else { return nil }
    let ratio = mean / volatility
    guard ratio.isFinite else { return nil }
    return shrinkage(evidence: observations * ratio * ratio)
  }

  /// `e / (1 + e)` for a sum of squared ratios; 1 where it is infinite.
  ///
  /// In the form `1 / (1 + 1/e)` every rounding keeps the order: a larger `e` never gives a smaller factor.
  @inlinable static func shrinkage(evidence: Double) -> Double { 1 / (1 + 1 / evidence) }
}
