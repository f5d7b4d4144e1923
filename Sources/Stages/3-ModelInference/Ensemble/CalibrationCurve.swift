public import TradingTypes

/// A calibration in the form the hot path asks: fixed size, no allocation, the bits of `Calibration.probability(logit:)`.
///
/// ```
/// logit → slope × logit + intercept → sigmoid → p → [straight line between the two knots around p]
/// ```
/// Platt and identity have no knots and end at p. The knots are searched in halves: eight comparisons for 256 knots, four for 16,
/// each a selection and no jump.
@frozen public struct CalibrationCurve: BitwiseCopyable, Sendable {
  /// Factor on the logit.
  public let slope: Double
  /// Added to the scaled logit.
  public let intercept: Double
  /// Knots there are; 0 for Platt and identity.
  public let knotCount: Int
  // Half of the least power of two that is not below the count: where the search begins.
  @usableFromInline let firstStep: Int
  // Beyond the count: infinity, so that the search never ends there.
  @usableFromInline let x: InlineArray<256, Double>
  @usableFromInline let y: InlineArray<256, Double>

  /// The curve of a calibration.
  ///
  /// - Precondition: `calibration.fault` is nil.
  public init(_ calibration: Calibration) {
    precondition(calibration.fault == nil, "CalibrationCurve: the calibration is sound")
    var slope = 1.0
    var intercept = 0.0
    var knots: (x: [Double], y: [Double]) = ([], [])
    switch calibration {
    case .identity: break
    case .platt(let a, let b): (slope, intercept) = (a, b)
    case .isotonic(let x, let y): knots = (x, y)
    }
    self.slope = slope
    self.intercept = intercept
    knotCount = knots.x.count
    var width = 1
    while width < knots.x.count { width *= 2 }
    firstStep = width / 2
    x = InlineArray { $0 < knots.x.count ? knots.x[$0] : .infinity }
    y = InlineArray { $0 < knots.y.count ? knots.y[$0] : 1 }
  }

  /// The calibrated probability of a logit; NaN for NaN.
  ///
  /// - Complexity: O(log knots), no allocation.
  @inlinable public func probability(logit: Double) -> Double {
    let p = DeterministicMath.sigmoid(slope * logit + intercept)
    guard knotCount > 0, p == p else { return p }
    // The last knot that is not above p, or 0. Wrapping: places stay below 256.
    var place = 0
    var step = firstStep
    while step > 0 {
      let next = place &+ step
      place = x[next] <= p ? next : place
      step &>>= 1
    }
    guard p > x[0], place &+ 1 < knotCount else { return y[place] }
    let right = place &+ 1
    let part = (p - x[place]) / (x[right] - x[place])
    let value = y[place] + (y[right] - y[place]) * part
    return value < y[right] ? value : y[right]
  }
}
