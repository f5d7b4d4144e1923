public import TradingTypes

/// Kelly fractions of any number of assets, off the hot path.
///
/// - SeeAlso: `MultiAssetSizing` for up to eight assets, without allocation.
public struct PortfolioKelly: Sendable {
  /// Expected returns of a period, less the riskless rate.
  public let mean: [Double]
  /// Their covariance.
  public let covariance: SymmetricMatrix
  /// The factor of `covariance`, with its ridge where it has one.
  public let factor: CholeskyFactor

  /// - Throws: `ConfigurationError` when the counts differ, a mean is not finite, or the covariance has no factor.
  /// - Complexity: O(N³).
  public init(mean: [Double], covariance: SymmetricMatrix) throws(ConfigurationError) {
    guard mean.count == covariance.count, mean.allSatisfy(\.isFinite) else {
      throw ConfigurationError(
        "portfolio Kelly: \(mean.count) means for \(covariance.count) assets, expected as many, all finite")
    }
    self.mean = mean
    self.covariance = covariance
    factor = try CholeskyFactor(covariance)
  }

  /// `Σ⁻¹ μ`: shorts and any leverage allowed.
  public var full: [Double] { factor.solve(mean) }

  /// `share` of the full fractions, scaled down as a whole to a gross of `leverageMax`.
  ///
  /// - Precondition: `share` and `leverageMax` are not negative.
  public func scaled(share: Double = 1, leverageMax: Double) -> [Double] {
    precondition(share >= 0 && leverageMax >= 0, "PortfolioKelly: share and leverage are not negative")
    let wanted = full.map { share * $0 }
    let gross = wanted.reduce(0) { $0 + $1.magnitude }
    return gross > leverageMax ? wanted.map { $0 * (leverageMax / gross) } : wanted
  }

  /// Growth rate of log wealth a period above the riskless rate: `μᵀf − ½ fᵀΣf`.
  public func growth(_ fractions: [Double]) -> Double {
    var sum = -0.5 * covariance.quadratic(fractions)
    for (mean, fraction) in zip(mean, fractions) { sum += mean * fraction }
    return sum
  }

  /// The answer of a long-only optimisation.
  public struct LongOnly: Hashable, Sendable {
    /// Share of equity of each asset, not negative.
    public let fractions: [Double]
    /// Largest change a further gradient step would make to a fraction: how far the answer is from the optimum.
    public let residual: Double
    /// Steps.
    public let steps: Int
    /// `residual` is within the tolerance.
    public let isConverged: Bool
  }

  /// The maximum of `share · μᵀf − ½ fᵀΣf` over `f ≥ 0, Σf ≤ leverageMax`.
  ///
  /// - Parameters:
  ///   - tolerance: of a fraction, in units of equity.
  /// - Complexity: O(N²) a step.
  /// - Source: accelerated projected gradient of Beck, Teboulle 2009, section 4, started again where a step goes uphill (O'Donoghue,
  ///   Candès 2015); projection by sorting as in Duchi et al. 2008, figure 1.
  public func longOnly(
    share: Double = 1, leverageMax: Double, tolerance: Double = 1e-12, stepsMax: Int = 100_000
  ) throws(ConfigurationError) -> LongOnly {
    guard share >= 0, share <= 1, leverageMax >= 0, leverageMax < .infinity, tolerance > 0, stepsMax > 0 else {
      throw ConfigurationError(
        "portfolio Kelly: share \(share), leverage \(leverageMax), tolerance \(tolerance), \(stepsMax) steps, "
          + "expected a share in [0, 1], and the others positive and finite")
    }
    let count = mean.count
    // The largest eigenvalue is at most the largest sum of a row: a step of its inverse never overshoots.
    var steepest = 0.0
    for row in 0..<count {
      var sum = factor.ridge
      for column in 0..<count { sum += covariance[row, column].magnitude }
      steepest = max(steepest, sum)
    }
    let step = 1 / steepest
    var f = [Double](repeating: 0, count: count)
    var point = f
    var momentum = 1.0
    var residual = Double.infinity
    for index in 1...stepsMax {
      let pulled = covariance.times(point)
      let next = Self.projected(
        (0..<count).map { point[$0] + step * (share * mean[$0] - pulled[$0] - factor.ridge * point[$0]) },
        sumMax: leverageMax)
      var uphill = 0.0
      residual = 0
      for asset in 0..<count {
        uphill += (point[asset] - next[asset]) * (next[asset] - f[asset])
        residual = max(residual, (next[asset] - point[asset]).magnitude)
      }
      let following = uphill > 0 ? 1 : (1 + (1 + 4 * momentum * momentum).squareRoot()) / 2
      let weight = uphill > 0 ? 0 : (momentum - 1) / following
      point = (0..<count).map { next[$0] + weight * (next[$0] - f[$0]) }
      f = next
      momentum = following
      if residual <= tolerance { return LongOnly(fractions: f, residual: residual, steps: index, isConverged: true) }
    }
    return LongOnly(fractions: f, residual: residual, steps: stepsMax, isConverged: false)
  }

  /// The point of `f ≥ 0, Σf ≤ sumMax` nearest to `point`.
  static func projected(_ point: [Double], sumMax: Double) -> [Double] {
    let positive = point.map { max(0, $0) }
    guard positive.reduce(0, +) > sumMax else { return positive }
    var sum = 0.0
    var shift = 0.0
    for (index, value) in point.sorted(by: >).enumerated() {
      sum += value
      let candidate = (sum - sumMax) / Double(index + 1)
      guard value > candidate else { break }
      shift = candidate
    }
    return point.map { max(0, $0 - shift) }
  }
}
