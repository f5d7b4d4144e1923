internal import Foundation

/// The standard normal distribution, for intervals and sample sizes. Off the hot path.
public enum NormalDistribution {
  /// The probability of a value up to `x`.
  public static func cumulative(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }

  /// The value below which a share `p` lies, within 1e-15 of its size.
  ///
  /// - Precondition: `0 < p < 1`.
  public static func quantile(_ p: Double) -> Double {
    precondition(p > 0 && p < 1, "NormalDistribution: a share between 0 and 1")
    // By symmetry only the lower half is searched, where the tail keeps its relative precision.
    guard p <= 0.5 else { return -quantile(1 - p) }
    var low = -40.0
    var high = 0.0
    while true {
      let middle = low + (high - low) / 2
      guard middle > low, middle < high else { return middle }
      if cumulative(middle) < p { low = middle } else { high = middle }
    }
  }

  /// Standard deviations either side of the mean that hold `confidence`, 1.96 for 95 %.
  ///
  /// - Precondition: `0 < confidence < 1`.
  public static func halfWidth(confidence: Double) -> Double { -quantile((1 - confidence) / 2) }
}
