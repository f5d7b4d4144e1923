internal import Foundation

/// How good a model's probabilities are on rows whose outcome is known.
///
/// A prediction is *up* where the score is above 0.5. Calibration errors use 15 bins; all logarithms are natural.
///
/// - Source: ECE and MCE: Naeini, Cooper, Hauskrecht 2015, AAAI; equal-count bins (ACE): Nixon et al. 2019; Brier 1950; skill against
///   the base rate: Murphy 1973.
public struct ModelQuality: Codable, Hashable, Sendable {
  /// Bins of the calibration errors.
  public static let binCount = 15

  /// Rows.
  public let count: Int
  /// Rows predicted right.
  public let correct: Int
  /// Rows that came true.
  public let positives: Int
  /// `correct / count`.
  public let accuracy: Double
  /// Accuracy of always naming the more frequent outcome.
  public let majorityAccuracy: Double
  /// Expected calibration error over bins of equal width.
  public let ece: Double
  /// The largest gap of a bin.
  public let mce: Double
  /// Expected calibration error of the predicted outcome's probability.
  public let topLabelECE: Double
  /// Expected calibration error over bins of equal count.
  public let ace: Double
  /// Mean squared error of the scores.
  public let brier: Double
  /// `1 − brier / (rate × (1 − rate))` with the base rate of the rows; nil where only one outcome happened.
  public let brierSkill: Double?
  /// Mean −ln of the outcome's probability, scores held at least 1e-15 from 0 and 1.
  public let logLoss: Double
  /// Probability that a true row scores above a false one, ties half; nil where only one outcome happened.
  public let auc: Double?
  /// Share of the payoffs' absolute sum that was predicted right; nil without payoffs, or where all are 0.
  public let payoffAccuracy: Double?
  /// The reliability diagram.
  public let bins: [ReliabilityBin]

  /// Measures scores.
  ///
  /// - Parameters:
  ///   - scores: probabilities of the outcome, `[rows]`.
  ///   - labels: whether it came true, `[rows]`.
  ///   - payoffs: what a row was worth, its sign of no meaning, `[rows]`.
  /// - Throws: no rows, lists of unequal length, a score outside [0, 1], a payoff that is not finite.
  /// - Complexity: O(rows log rows).
  public init(scores: [Double], labels: [Bool], payoffs: [Double]? = nil) throws(GovernanceError) {
    try Self.check(scores, labels, payoffs)
    count = scores.count
    let n = Double(count)
    let rights = zip(scores, labels).map { ($0 > 0.5) == $1 }
    correct = rights.count { $0 }
    positives = labels.count { $0 }
    accuracy = Double(correct) / n
    majorityAccuracy = Double(max(positives, count - positives)) / n

    bins = ReliabilityBin.ofEqualWidth(scores, labels, binCount: Self.binCount)
    ece = ReliabilityBin.expectedGap(bins)
    mce = bins.map(\.gap).max() ?? 0
    topLabelECE = ReliabilityBin.expectedGap(
      ReliabilityBin.ofEqualWidth(scores.map { max($0, 1 - $0) }, rights, binCount: Self.binCount))
    ace = ReliabilityBin.expectedGap(ReliabilityBin.ofEqualCount(scores, labels, binCount: Self.binCount))

    var squares = 0.0
    var losses = 0.0
    for (score, label) in zip(scores, labels) {
      let error = score - (label ? 1 : 0)
      squares += error * error
      let bounded = min(max(score, 1e-15), 1 - 1e-15)
      losses -= log(label ? bounded : 1 - bounded)
    }
    brier = squares / n
    logLoss = losses / n
    let rate = Double(positives) / n
    brierSkill = positives > 0 && positives < count ? 1 - brier / (rate * (1 - rate)) : nil
    auc = Self.areaUnderCurve(scores, labels)

    var payoffSum = 0.0
    var payoffRight = 0.0
    for (payoff, isRight) in zip(payoffs ?? [], rights) {
      payoffSum += abs(payoff)
      if isRight { payoffRight += abs(payoff) }
    }
    payoffAccuracy = payoffSum > 0 && payoffSum.isFinite ? payoffRight / payoffSum : nil
  }

  /// Where the true accuracy lies.
  public func accuracyInterval(confidence: Double = 0.95) -> WilsonInterval {
    WilsonInterval(correct: correct, count: count, confidence: confidence)
  }

  private static func check(_ scores: [Double], _ labels: [Bool], _ payoffs: [Double]?) throws(GovernanceError) {
    guard !scores.isEmpty else { throw GovernanceError("scores: at least 1 row expected, none found") }
    guard labels.count == scores.count else {
      throw GovernanceError("labels: \(scores.count) rows expected, \(labels.count) found")
    }
    if let row = scores.firstIndex(where: { !($0 >= 0 && $0 <= 1) }) {
      throw GovernanceError("scores: row \(row): a probability in [0, 1] expected, \(scores[row]) found")
    }
    guard let payoffs else { return }
    guard payoffs.count == scores.count else {
      throw GovernanceError("payoffs: \(scores.count) rows expected, \(payoffs.count) found")
    }
    if let row = payoffs.firstIndex(where: { !$0.isFinite }) {
      throw GovernanceError("payoffs: row \(row): a finite number expected, \(payoffs[row]) found")
    }
  }

  /// By ranks: the sum of the true rows' mean ranks says how many pairs stand in order.
  ///
  /// - Source: Mann, Whitney 1947.
  private static func areaUnderCurve(_ scores: [Double], _ labels: [Bool]) -> Double? {
    let positives = labels.count { $0 }
    let negatives = labels.count - positives
    guard positives > 0, negatives > 0 else { return nil }
    let order = scores.indices.sorted { scores[$0] < scores[$1] }
    var rankSum = 0.0
    var start = 0
    while start < order.count {
      var end = start
      while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
      let trues = order[start..<end].count { labels[$0] }
      // Ranks start + 1 … end, each the mean of the tie.
      rankSum += Double(trues) * Double(start + 1 + end) / 2
      start = end
    }
    let least = Double(positives) * Double(positives + 1) / 2
    return (rankSum - least) / (Double(positives) * Double(negatives))
  }
}
