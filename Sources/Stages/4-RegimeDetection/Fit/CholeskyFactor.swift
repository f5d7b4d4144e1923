import TradingTypes

/// The Cholesky factor of a covariance: what a Gaussian density of several dimensions needs of it.
struct CholeskyFactor {
  /// `[dimensions × dimensions]`, row-major, lower triangle; on the diagonal the reciprocals.
  private(set) var entries: [Double]
  /// `−½ (dimensions · ln 2π + ln determinant)`: the logarithm of the density at the mean.
  private(set) var logPeak: Double
  let dimensions: Int

  /// The factor of a symmetric matrix, row-major; nil unless it is positive definite.
  ///
  /// - Complexity: O(dimensions³).
  init?(_ matrix: [Double], _ dimensions: Int) {
    self.dimensions = dimensions
    entries = [Double](repeating: 0, count: dimensions * dimensions)
    logPeak = 0
    guard replace(by: matrix, offset: 0) else { return nil }
  }

  /// Takes the factor of another matrix, which starts at `offset`; false, and nothing of use, unless it is positive definite.
  ///
  /// - Complexity: O(dimensions³), no allocation.
  mutating func replace(by matrix: [Double], offset: Int) -> Bool {
    var logs = 0.0
    for row in 0..<dimensions {
      for column in 0...row {
        var rest = matrix[offset + row * dimensions + column]
        for inner in 0..<column {
          rest -= entries[row * dimensions + inner] * entries[column * dimensions + inner]
        }
        if column < row {
          entries[row * dimensions + column] = rest * entries[column * dimensions + column]
        } else {
          // Rounding leaves about 1e-16 of the variance: below that nothing is left of this dimension but noise.
          guard rest.isFinite, rest > 1e-14 * matrix[offset + row * dimensions + row] else { return false }
          logs += DeterministicMath.log(rest)
          entries[row * dimensions + row] = 1 / rest.squareRoot()
        }
      }
    }
    logPeak = -0.5 * (Double(dimensions) * DeterministicMath.log(2 * Double.pi) + logs)
    return true
  }

  /// The logarithm of the Gaussian density at observation `row`.
  ///
  /// - Parameters:
  ///   - observations: `[rows × dimensions]`, row-major.
  ///   - means: `[states × dimensions]`, row-major; the mean is that of `state`.
  /// - Complexity: O(dimensions²), no allocation.
  func logDensity(_ observations: Span<Double>, row: Int, means: [Double], state: Int) -> Double {
    var squares = 0.0
    var solved = InlineArray<8, Double>(repeating: 0)
    for place in 0..<dimensions {
      var rest = observations[row * dimensions + place] - means[state * dimensions + place]
      for inner in 0..<place { rest -= entries[place * dimensions + inner] * solved[inner] }
      solved[place] = rest * entries[place * dimensions + place]
      squares += solved[place] * solved[place]
    }
    return logPeak - 0.5 * squares
  }
}
