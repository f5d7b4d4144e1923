internal import Foundation

/// Whether a challenger that takes a share of the decisions is right more often than the champion, looked at as often as one
/// likes.
///
/// The mixture sequential probability ratio test on the difference of two shares:
/// `Λ = √(V / (V + τ²)) · exp(τ² d² / (2 V (V + τ²)))` with d the difference, V its variance and τ the difference that is
/// expected. Each model's share enters as `(right + 1) / (n + 2)`. The variance is estimated, so the bound 1/α on Λ holds for many
/// decisions, and no verdict falls below `countMin` of each. Where both models can answer every decision,
/// `PairedSequentialTest` needs fewer and its bound is exact.
///
/// - Source: Johari, Koomen, Pekelis, Walsh 2022, "Always valid inference: continuous monitoring of A/B tests", Operations
///   Research 70(3), section 5.
public struct SplitSequentialTest: Codable, Hashable, Sendable {
  /// Decisions of each model before there is a verdict.
  public static let countMin = 100

  /// Decisions of the champion.
  public private(set) var championCount = 0
  /// Those it got right.
  public private(set) var championCorrect = 0
  /// Decisions of the challenger.
  public private(set) var challengerCount = 0
  /// Those it got right.
  public private(set) var challengerCorrect = 0
  /// The largest logarithm of Λ so far, of moments when the challenger was ahead.
  public private(set) var logEvidenceMax = 0.0
  /// The difference in accuracy that is expected.
  public let expectedDifference: Double

  /// Nothing seen.
  ///
  /// - Precondition: the expected difference is positive, at most 1.
  public init(expectedDifference: Double = 0.02) {
    precondition(expectedDifference > 0 && expectedDifference <= 1, "SplitSequentialTest: a positive difference")
    self.expectedDifference = expectedDifference
  }

  /// Adds a decision whose outcome is known.
  ///
  /// - Complexity: O(1), no allocation.
  public mutating func record(isChallenger: Bool, isRight: Bool) {
    if isChallenger {
      challengerCount += 1
      challengerCorrect += isRight ? 1 : 0
    } else {
      championCount += 1
      championCorrect += isRight ? 1 : 0
    }
    guard championCount >= Self.countMin, challengerCount >= Self.countMin, difference > 0 else { return }
    logEvidenceMax = max(logEvidenceMax, logEvidence)
  }

  /// The challenger's share of right decisions less the champion's; 0 for nothing seen.
  public var difference: Double {
    Self.share(challengerCorrect, challengerCount) - Self.share(championCorrect, championCount)
  }

  /// The natural logarithm of Λ now.
  public var logEvidence: Double {
    let challenger = Self.share(challengerCorrect, challengerCount)
    let champion = Self.share(championCorrect, championCount)
    let variance =
      challenger * (1 - challenger) / Double(challengerCount + 2) + champion * (1 - champion)
      / Double(championCount + 2)
    let mixing = expectedDifference * expectedDifference
    let both = variance + mixing
    return 0.5 * log(variance / both) + mixing * difference * difference / (2 * variance * both)
  }

  /// The chance, for many decisions, that a challenger that is not better shows as much at any time up to now.
  public var pValue: Double { exp(-logEvidenceMax) }

  /// Whether the challenger has been shown to be right more often.
  public func isBetter(significance: Double = 0.05) -> Bool { logEvidenceMax >= -log(significance) }

  private static func share(_ correct: Int, _ count: Int) -> Double { Double(correct + 1) / Double(count + 2) }
}
