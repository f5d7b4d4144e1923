public import TradingTypes

/// Means and covariance of several assets' returns, as they are or shrunk.
public struct ReturnMoments: Hashable, Sendable {
  /// Mean return of each asset.
  public let mean: [Double]
  /// Covariance with `observations − 1` below: unbiased.
  public let covariance: SymmetricMatrix
  /// Rows that were used.
  public let observations: Int

  /// Assets.
  public var count: Int { mean.count }

  /// Moments of rows of returns.
  ///
  /// - Parameters:
  ///   - rows: `[observations × assets]`, a row a period, as fractions.
  /// - Throws: `ConfigurationError` when there are fewer than two rows, rows differ in length, or a return is not finite.
  /// - Complexity: O(rows × assets²).
  public init(rows: [[Double]]) throws(ConfigurationError) {
    let centred = try CentredReturns(rows)
    mean = centred.mean
    observations = rows.count
    covariance = centred.covariance(divisor: Double(rows.count - 1))
  }

  /// Given moments.
  public init(mean: [Double], covariance: SymmetricMatrix, observations: Int) throws(ConfigurationError) {
    guard mean.count == covariance.count, observations >= 2 else {
      throw ConfigurationError(
        "moments: \(mean.count) means, \(covariance.count) rows of covariance, \(observations) observations, "
          + "expected equal counts and two or more observations")
    }
    guard mean.allSatisfy(\.isFinite) else { throw ConfigurationError("moments: a mean is not finite") }
    self.mean = mean
    self.covariance = covariance
    self.observations = observations
  }
}

/// Rows of returns less their means.
struct CentredReturns {
  let mean: [Double]
  let rows: [[Double]]

  init(_ rows: [[Double]]) throws(ConfigurationError) {
    guard rows.count >= 2, let count = rows.first?.count, count > 0 else {
      throw ConfigurationError("returns: \(rows.count) rows, expected two or more of one asset or more")
    }
    var sums = [Double](repeating: 0, count: count)
    for (index, row) in rows.enumerated() {
      guard row.count == count else {
        throw ConfigurationError("returns: row \(index) has \(row.count) values, expected \(count)")
      }
      for column in 0..<count {
        guard row[column].isFinite else {
          throw ConfigurationError(
            "returns: row \(index), asset \(column) is \(row[column]), expected a finite fraction")
        }
        sums[column] += row[column]
      }
    }
    let mean = sums.map { $0 / Double(rows.count) }
    guard mean.allSatisfy(\.isFinite) else { throw ConfigurationError("returns: too large to have a mean") }
    self.mean = mean
    self.rows = rows.map { row in (0..<count).map { row[$0] - mean[$0] } }
  }

  func covariance(divisor: Double) -> SymmetricMatrix {
    var matrix = SymmetricMatrix(zeros: mean.count)
    for row in 0..<mean.count {
      for column in 0...row {
        var sum = 0.0
        for values in rows { sum += values[row] * values[column] }
        matrix[row, column] = sum / divisor
      }
    }
    return matrix
  }
}

/// A covariance pulled toward a multiple of the identity matrix, by as much as its own estimation error asks for.
public struct LedoitWolfCovariance: Hashable, Sendable {
  /// Weight of the target, in [0, 1].
  public let shrinkage: Double
  /// The covariance, shrunk; with the number of rows below, not one less.
  public let covariance: SymmetricMatrix

  /// Shrinks the covariance of rows of returns.
  ///
  /// - Parameters:
  ///   - rows: `[observations × assets]`, a row a period, as fractions.
  /// - Throws: `ConfigurationError` as `ReturnMoments.init(rows:)`.
  /// - Complexity: O(rows × assets²).
  /// - Source: Ledoit, Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices", section 3.
  public init(rows: [[Double]]) throws(ConfigurationError) {
    let centred = try CentredReturns(rows)
    let n = Double(rows.count)
    let p = Double(centred.mean.count)
    let sample = centred.covariance(divisor: n)
    let target = sample.trace / p
    // Σ over all entries of the mean of (x_i x_j)², and of the sample covariance squared.
    var fourth = 0.0
    for row in centred.rows {
      var squares = 0.0
      for value in row { squares += value * value }
      fourth += squares * squares
    }
    var square = 0.0
    for value in sample.values { square += value * value }
    // d², how far the sample is from its target, and b², how much of that is estimation error; both over p.
    let distance = (square - p * target * target) / p
    let error = min((fourth / n - square) / (p * n), distance)
    let shrinkage = error > 0 ? error / distance : 0
    guard shrinkage.isFinite else { throw ConfigurationError("Ledoit-Wolf: the returns are too large") }
    var shrunk = sample
    for row in 0..<sample.count {
      for column in 0...row {
        shrunk[row, column] = (1 - shrinkage) * sample[row, column] + (row == column ? shrinkage * target : 0)
      }
    }
    self.shrinkage = shrinkage
    covariance = shrunk
  }
}

/// Means pulled toward the mean of the portfolio of least variance, by as much as their spread is chance.
public struct BayesSteinMean: Hashable, Sendable {
  /// Weight of the common mean, in [0, 1].
  public let weight: Double
  /// Mean of the portfolio of least variance.
  public let grandMean: Double
  /// The means, shrunk.
  public let mean: [Double]

  /// Shrinks the means of `moments`.
  ///
  /// - Throws: `ConfigurationError` when the covariance has no Cholesky factor.
  /// - Complexity: O(assets³).
  /// - Source: Jorion 1986: `w = (N + 2) / ((N + 2) + T (μ − μ₀)ᵀ Σ⁻¹ (μ − μ₀))`. Differs: Σ is the unbiased
  ///   covariance itself, without the factor (T − 1) / (T − N − 2).
  public init(_ moments: ReturnMoments) throws(ConfigurationError) {
    let factor = try CholeskyFactor(moments.covariance)
    let least = factor.solve([Double](repeating: 1, count: moments.count))
    var numerator = 0.0
    var denominator = 0.0
    for (share, mean) in zip(least, moments.mean) {
      numerator += share * mean
      denominator += share
    }
    let grand = numerator / denominator
    let spread = moments.mean.map { $0 - grand }
    var distance = 0.0
    for (value, solved) in zip(spread, factor.solve(spread)) { distance += value * solved }
    let known = Double(moments.count + 2)
    let weight = known / (known + Double(moments.observations) * max(0, distance))
    let mean = moments.mean.map { (1 - weight) * $0 + weight * grand }
    guard mean.allSatisfy(\.isFinite), weight.isFinite else {
      throw ConfigurationError("Bayes-Stein: the covariance is too close to singular")
    }
    self.weight = weight
    grandMean = grand
    self.mean = mean
  }
}
