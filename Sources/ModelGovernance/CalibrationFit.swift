internal import Foundation
public import ModelInference

/// Fits a calibration to scores whose outcome is known.
///
/// Platt by default: two numbers, fitted well by a few hundred rows; see `Calibration` for what each does to real scores.
public enum CalibrationFit {
  /// What a fit found.
  public struct Answer: Hashable, Sendable {
    /// The calibration.
    public let calibration: Calibration
    /// The sum over rows of −ln likelihood at the answer, against the targets that were fitted.
    public let objective: Double
  }

  /// The logit of a score, scores held at least 1e-12 from 0 and 1.
  public static func logit(_ score: Double) -> Double {
    let bounded = min(max(score, 1e-12), 1 - 1e-12)
    return log(bounded / (1 - bounded))
  }

  /// `sigmoid(slope × logit + intercept)` by Newton's method on Platt's targets, `(N⁺ + 1)/(N⁺ + 2)` and `1/(N⁻ + 2)`, which
  /// keep separable scores from an infinite slope.
  ///
  /// - Throws: no rows, values that are none, or scores that fall where outcomes rise: a fit would turn them around.
  /// - Source: Platt 1999; Lin, Lin, Weng 2007, "A note on Platt's probabilistic outputs", Machine Learning 68: the targets and
  ///   the line search.
  public static func platt(scores: [Double], labels: [Bool]) throws(GovernanceError) -> Answer {
    try check(scores, labels)
    let z = scores.map(logit)
    let positives = Double(labels.count { $0 })
    let negatives = Double(labels.count) - positives
    let targets = labels.map { $0 ? (positives + 1) / (positives + 2) : 1 / (negatives + 2) }
    var slope = 0.0
    var intercept = log((positives + 1) / (negatives + 1))
    // One score over and over: any slope fits, and 0 says so.
    guard z.contains(where: { $0 != z[0] }) else {
      intercept = logit(targets.reduce(0, +) / Double(targets.count))
      return Answer(calibration: .platt(slope: 0, intercept: intercept), objective: loss(z, targets, 0, intercept))
    }
    var objective = loss(z, targets, slope, intercept)
    for _ in 0..<200 {
      var gradient = (slope: 0.0, intercept: 0.0)
      // A little on the diagonal: scores that hardly differ make the two parameters one.
      var curvature = (slope: 1e-12, both: 0.0, intercept: 1e-12)
      for (z, target) in zip(z, targets) {
        let p = 1 / (1 + exp(-(slope * z + intercept)))
        let weight = p * (1 - p)
        gradient.slope += (p - target) * z
        gradient.intercept += p - target
        curvature.slope += weight * z * z
        curvature.both += weight * z
        curvature.intercept += weight
      }
      guard abs(gradient.slope) > 1e-11 || abs(gradient.intercept) > 1e-11 else { break }
      let determinant = curvature.slope * curvature.intercept - curvature.both * curvature.both
      guard determinant > 0 else { break }
      let step = (
        slope: -(curvature.intercept * gradient.slope - curvature.both * gradient.intercept) / determinant,
        intercept: -(curvature.slope * gradient.intercept - curvature.both * gradient.slope) / determinant
      )
      let descent = gradient.slope * step.slope + gradient.intercept * step.intercept
      var length = 1.0
      while length > 1e-10 {
        let next = loss(z, targets, slope + length * step.slope, intercept + length * step.intercept)
        if next < objective + 1e-4 * length * descent {
          slope += length * step.slope
          intercept += length * step.intercept
          objective = next
          break
        }
        length /= 2
      }
      // No step improves what rounding can see: this is the minimum.
      if length <= 1e-10 { break }
    }
    guard slope >= 0 else {
      throw GovernanceError("scores: higher ones where the label is 1 expected; slope \(slope) would turn them around")
    }
    return Answer(calibration: .platt(slope: slope, intercept: intercept), objective: objective)
  }

  /// `sigmoid(logit / T)`: one number that makes scores more or less sure and never turns one around; as a slope of 1/T, T held in
  /// [0.05, 20].
  ///
  /// - Throws: no rows, or values that are none.
  /// - Source: Guo, Pleiss, Sun, Weinberger 2017, arXiv:1706.04599, section 4.2.
  public static func temperature(scores: [Double], labels: [Bool]) throws(GovernanceError) -> Answer {
    try check(scores, labels)
    let z = scores.map(logit)
    let targets = labels.map { $0 ? 1.0 : 0.0 }
    func gradient(_ slope: Double) -> Double {
      zip(z, targets).reduce(0) { $0 + (1 / (1 + exp(-slope * $1.0)) - $1.1) * $1.0 }
    }
    // The objective is convex: the gradient crosses zero once. Outside the range the scores have no order, or a perfect one.
    var low = 0.05
    var high = 20.0
    if gradient(low) >= 0 {
      high = low
    } else if gradient(high) <= 0 {
      low = high
    } else {
      while true {
        let middle = low + (high - low) / 2
        guard middle > low, middle < high else { break }
        if gradient(middle) < 0 { low = middle } else { high = middle }
      }
    }
    return Answer(calibration: .platt(slope: low, intercept: 0), objective: loss(z, targets, low, 0))
  }

  /// −ln likelihood, in a form that neither overflows nor loses small probabilities.
  private static func loss(_ z: [Double], _ targets: [Double], _ slope: Double, _ intercept: Double) -> Double {
    zip(z, targets).reduce(0) {
      let margin = slope * $1.0 + intercept
      // −t ln p − (1 − t) ln(1 − p) = max(m, 0) − t m + ln(1 + e^−|m|).
      return $0 + max(margin, 0) - $1.1 * margin + log1p(exp(-abs(margin)))
    }
  }

  static func check(_ scores: [Double], _ labels: [Bool]) throws(GovernanceError) {
    guard !scores.isEmpty else { throw GovernanceError("scores: at least 1 row expected, none found") }
    guard labels.count == scores.count else {
      throw GovernanceError("labels: \(scores.count) rows expected, \(labels.count) found")
    }
    if let row = scores.firstIndex(where: { !($0 >= 0 && $0 <= 1) }) {
      throw GovernanceError("scores: row \(row): a probability in [0, 1] expected, \(scores[row]) found")
    }
  }
}
