public import TradingTypes

/// A symmetric matrix of any size, row-major: covariances off the hot path.
public struct SymmetricMatrix: Hashable, Sendable {
  /// Rows, and columns.
  public let count: Int
  /// `[count × count]`, row-major.
  public private(set) var values: [Double]

  /// A matrix of given values.
  ///
  /// - Parameters:
  ///   - values: `[count × count]`, row-major.
  /// - Throws: `ConfigurationError` naming the first entry that is not finite, or differs from its mirror by more than 1e-12 of
  ///   the diagonal.
  public init(count: Int, values: [Double]) throws(ConfigurationError) {
    guard count > 0, values.count == count * count else {
      throw ConfigurationError("matrix: \(values.count) values for \(count) rows, expected \(count * count)")
    }
    for row in 0..<count {
      for column in 0..<count {
        let value = values[row * count + column]
        guard value.isFinite else { throw ConfigurationError("matrix: row \(row), column \(column) is \(value)") }
        let mirrored = values[column * count + row]
        let scale = max(values[row * count + row].magnitude, values[column * count + column].magnitude)
        guard !mirrored.isFinite || (value - mirrored).magnitude <= 1e-12 * scale else {
          throw ConfigurationError(
            "matrix: row \(row), column \(column) is \(value), its mirror \(mirrored), expected symmetry")
        }
      }
    }
    self.count = count
    self.values = values
  }

  /// A matrix of zeros.
  ///
  /// - Precondition: `count` is positive.
  public init(zeros count: Int) {
    precondition(count > 0, "SymmetricMatrix: the number of rows is positive")
    self.count = count
    values = [Double](repeating: 0, count: count * count)
  }

  /// An entry; setting one sets its mirror.
  public subscript(row: Int, column: Int) -> Double {
    get { values[row * count + column] }
    set {
      values[row * count + column] = newValue
      values[column * count + row] = newValue
    }
  }

  /// Sum of the diagonal.
  public var trace: Double {
    var sum = 0.0
    for row in 0..<count { sum += self[row, row] }
    return sum
  }

  /// `matrix × vector`.
  ///
  /// - Precondition: `vector.count == count`.
  public func times(_ vector: [Double]) -> [Double] {
    precondition(vector.count == count, "SymmetricMatrix: the vector has as many values as the matrix rows")
    return (0..<count).map { row in
      var sum = 0.0
      for column in 0..<count { sum += values[row * count + column] * vector[column] }
      return sum
    }
  }

  /// `vector · matrix · vector`.
  public func quadratic(_ vector: [Double]) -> Double { zip(vector, times(vector)).reduce(0) { $0 + $1.0 * $1.1 } }
}

/// The factor of a covariance: L with `L Lᵀ = covariance + ridge · I`.
public struct CholeskyFactor: Sendable {
  /// Rows.
  public let count: Int
  /// What was added to the diagonal; 0 where the matrix had a factor as it was.
  public let ridge: Double
  /// L, `[count × count]`, row-major, zeros above the diagonal.
  public let values: [Double]

  /// A pivot below this share of its diagonal entry counts as zero: what is left of it is rounding.
  @usableFromInline static var pivotShareMin: Double { 1e-13 }
  /// The ridge as a share of the mean diagonal.
  @usableFromInline static var ridgeShare: Double { 1e-8 }

  /// Factors a matrix; where it is singular, once more with `1e-8 · trace / N` on its diagonal.
  ///
  /// - Throws: `ConfigurationError` when it has no factor with the ridge either: it is not positive semidefinite.
  /// - Complexity: O(`count`³).
  public init(_ matrix: SymmetricMatrix) throws(ConfigurationError) {
    count = matrix.count
    if let factor = Self.factor(matrix, ridge: 0) {
      ridge = 0
      values = factor
      return
    }
    let ridge = Self.ridgeShare * matrix.trace / Double(matrix.count)
    guard ridge > 0, let factor = Self.factor(matrix, ridge: ridge) else {
      throw ConfigurationError(
        "covariance: no Cholesky factor, also with \(ridge) on the diagonal; expected a positive semidefinite matrix")
    }
    self.ridge = ridge
    values = factor
  }

  private static func factor(_ matrix: SymmetricMatrix, ridge: Double) -> [Double]? {
    let count = matrix.count
    var lower = [Double](repeating: 0, count: count * count)
    for row in 0..<count {
      for column in 0...row {
        var sum = matrix[row, column] + (row == column ? ridge : 0)
        for inner in 0..<column { sum -= lower[row * count + inner] * lower[column * count + inner] }
        if row == column {
          guard sum > pivotShareMin * matrix[row, row], sum < .infinity else { return nil }
          lower[row * count + row] = sum.squareRoot()
        } else {
          lower[row * count + column] = sum / lower[column * count + column]
        }
      }
    }
    return lower
  }

  /// x with `(covariance + ridge · I) x = right`.
  ///
  /// - Precondition: `right.count == count`.
  public func solve(_ right: [Double]) -> [Double] {
    precondition(right.count == count, "CholeskyFactor: the right side has as many values as the factor rows")
    var x = right
    for row in 0..<count {
      for inner in 0..<row { x[row] -= values[row * count + inner] * x[inner] }
      x[row] /= values[row * count + row]
    }
    for row in (0..<count).reversed() {
      for inner in (row + 1)..<max(row + 1, count) { x[row] -= values[inner * count + row] * x[inner] }
      x[row] /= values[row * count + row]
    }
    return x
  }

  /// `L × vector`: independent numbers of variance 1 become numbers with this covariance.
  public func times(_ vector: [Double]) -> [Double] {
    precondition(vector.count == count, "CholeskyFactor: the vector has as many values as the factor rows")
    return (0..<count).map { row in
      var sum = 0.0
      for inner in 0...row { sum += values[row * count + inner] * vector[inner] }
      return sum
    }
  }
}
