internal import Foundation

/// Whether a challenger that runs in the shadow of the champion is right more often, looked at as often as one likes.
///
/// Both models answer every decision, so only those count where one is right and the other wrong: under no difference each falls
/// to either side like a fair coin. `evidence` is the likelihood of what was seen under coins that favour the challenger, averaged
/// evenly over all of them, against the fair coin. It reaches 1/α with a chance of at most α, ever, however often one looks, when
/// the challenger is not better. No sample size is fixed beforehand, and no other approximation is made.
///
/// - Source: Robbins 1970, "Statistical methods related to the law of the iterated logarithm" (mixtures); Ville 1939 for the bound;
///   McNemar 1947 for the pairs.
public struct PairedSequentialTest: Codable, Hashable, Sendable {
  /// Decisions seen.
  public private(set) var count = 0
  /// Decisions that only the challenger got right.
  public private(set) var challengerOnly = 0
  /// Decisions that only the champion got right.
  public private(set) var championOnly = 0
  /// The largest logarithm of the evidence so far: what the bound speaks of.
  public private(set) var logEvidenceMax = 0.0

  /// Nothing seen.
  public init() {}

  /// Adds a decision whose outcome is known.
  ///
  /// - Complexity: O(√decisions), no allocation.
  public mutating func record(championIsRight: Bool, challengerIsRight: Bool) {
    count += 1
    guard championIsRight != challengerIsRight else { return }
    if challengerIsRight { challengerOnly += 1 } else { championOnly += 1 }
    logEvidenceMax = max(logEvidenceMax, logEvidence)
  }

  /// The natural logarithm of the evidence now.
  ///
  /// `ln 2 ∫ (2q)^b (2(1 − q))^c dq` over q from 1/2 to 1, with b and c the decisions that only the challenger, only the champion
  /// got right.
  public var logEvidence: Double {
    let b = Double(challengerOnly)
    let c = Double(championOnly)
    let whole =
      (b + c + 1) * log(2.0) - Self.logChoices(challengerOnly, of: challengerOnly + championOnly)
      - log(b + c + 1)
    return whole + Self.logBinomialLower(challengerOnly, of: challengerOnly + championOnly + 1)
  }

  /// The chance that a challenger that is not better shows as much, at any time up to now.
  public var pValue: Double { exp(-logEvidenceMax) }

  /// Whether the challenger has been shown to be right more often.
  ///
  /// - Parameters:
  ///   - significance: the chance of saying so, ever, of one that is not.
  public func isBetter(significance: Double = 0.05) -> Bool { logEvidenceMax >= -log(significance) }

  /// ln of the chance of at most `k` heads in `n` throws of a fair coin.
  private static func logBinomialLower(_ k: Int, of n: Int) -> Double {
    // The shorter tail is summed from its largest term, so that its relative precision stays.
    if 2 * k < n { return logTail(k, of: n) }
    guard k < n else { return 0 }
    return log1p(-exp(logTail(n - k - 1, of: n)))
  }

  /// ln of the chance of at most `k` heads, `k` below the middle.
  private static func logTail(_ k: Int, of n: Int) -> Double {
    let first = logChoices(k, of: n) - Double(n) * log(2.0)
    var sum = 1.0
    var term = 1.0
    for place in stride(from: k, to: 0, by: -1) {
      term *= Double(place) / Double(n - place + 1)
      sum += term
      if term < sum * 1e-17 { break }
    }
    return first + log(sum)
  }

  /// ln of the number of ways to choose `k` of `n`.
  private static func logChoices(_ k: Int, of n: Int) -> Double {
    // The second of each pair is a sign, which is positive here.
    let all: Double = lgamma(Double(n) + 1).0
    let chosen: Double = lgamma(Double(k) + 1).0
    let rest: Double = lgamma(Double(n - k) + 1).0
    return all - chosen - rest
  }
}
