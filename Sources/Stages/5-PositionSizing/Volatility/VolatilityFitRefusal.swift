/// Why a series has no fit: the parameters in force stay, and are stale.
public enum VolatilityFitRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// Fewer returns than a fit needs.
  case tooFewReturns(count: Int, minimum: Int)
  /// A return that is NaN or infinite.
  case notFinite(index: Int)
  /// A return of −100 percent or less: a total loss, or an error.
  case totalLoss(index: Int, returnPercent: Double)
  /// All returns are equal.
  case constant
  /// The variance is so small or large, percent², that the returns are hardly in percent.
  case scale(variance: Double)
  /// One return holds more than half of the sum of squares: it alone would be fitted.
  case outlier(index: Int, share: Double)
  /// The search ended without an optimum.
  case notConverged(passes: Int)

  /// One line for a person.
  public var description: String {
    switch self {
    case .tooFewReturns(let count, let minimum): "\(count) returns, at least \(minimum) expected"
    case .notFinite(let index): "return \(index) is not a finite number"
    case .totalLoss(let index, let value): "return \(index) is \(value) percent, above −100 expected"
    case .constant: "all returns are equal, so that there is no variance to fit"
    case .scale(let variance): "the variance is \(variance) percent², expected in [1e-6, 1e5]: returns are in percent"
    case .outlier(let index, let share):
      "return \(index) alone holds \((share * 1000).rounded() / 10) percent of the sum of squares, at most 50 expected"
    case .notConverged(let passes): "no optimum after \(passes) passes"
    }
  }
}
