internal import Foundation

/// How many decisions a comparison of challenger and champion needs, fixed before it starts.
public enum SampleSize {
  /// Decisions of the challenger, and of both, to see a difference of two accuracies.
  public struct Answer: Codable, Hashable, Sendable {
    /// Decisions of the challenger.
    public let challenger: Int
    /// Decisions of both.
    public let total: Int
  }

  /// The sizes for a test of two shares with both-sided significance; nil where the accuracies are equal.
  ///
  /// - Parameters:
  ///   - challengerShare: the challenger's share of all decisions, 0.2 by default.
  ///   - significance: the chance of seeing a difference that is not there.
  ///   - power: the chance of seeing the difference that is there.
  /// - Precondition: shares, significance and power lie between 0 and 1.
  /// - Source: Fleiss, Levin, Paik 2003, "Statistical methods for rates and proportions", section 4.3, unequal sizes without
  ///   continuity correction: pooled variance under no difference, separate ones under the difference.
  public static func compare(
    champion: Double, challenger: Double, challengerShare: Double = 0.2, significance: Double = 0.05,
    power: Double = 0.8
  ) -> Answer? {
    let shares = [champion, challenger, challengerShare, significance, power]
    precondition(shares.allSatisfy { $0 > 0 && $0 < 1 }, "SampleSize: shares between 0 and 1")
    guard champion != challenger else { return nil }
    let ratio = (1 - challengerShare) / challengerShare
    let pooled = (ratio * champion + challenger) / (ratio + 1)
    let same = (pooled * (1 - pooled) * (1 + 1 / ratio)).squareRoot()
    let apart = (champion * (1 - champion) / ratio + challenger * (1 - challenger)).squareRoot()
    let reach =
      NormalDistribution.halfWidth(confidence: 1 - significance) * same
      + NormalDistribution.quantile(power) * apart
    let needed = (reach / (challenger - champion)) * (reach / (challenger - champion))
    guard needed < 1e15 else { return nil }
    let size = Int(needed.rounded(.up))
    return Answer(challenger: size, total: Int((Double(size) / challengerShare - 1e-6).rounded(.up)))
  }
}
