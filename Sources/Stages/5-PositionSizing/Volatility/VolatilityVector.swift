/// A value for each parameter of a volatility model: μ, ω, α, γ, β, ν; the last two places are always 0.
typealias VolatilityVector = SIMD8<Double>

/// Places in a `VolatilityVector`.
enum Place {
  static let mean = 0
  static let omega = 1
  static let alpha = 2
  static let gamma = 3
  static let beta = 4
  static let freedom = 5
  static let count = 6
}

/// A symmetric matrix over the parameters, by rows.
struct VolatilityMatrix {
  private var rows: InlineArray<6, VolatilityVector>

  init() { rows = InlineArray(repeating: VolatilityVector()) }

  subscript(row: Int) -> VolatilityVector {
    @inline(__always) get { rows[row] }
    @inline(__always) set { rows[row] = newValue }
  }

  /// Adds `factor · v vᵀ`.
  @inline(__always) mutating func addProduct(_ v: VolatilityVector, factor: Double = 1) {
    let scaled = v * factor
    for row in 0..<Place.count { rows[row] += v * scaled[row] }
  }

  /// The matrix times `v`.
  func times(_ v: VolatilityVector) -> VolatilityVector {
    var product = VolatilityVector()
    for row in 0..<Place.count { product[row] = (rows[row] * v).sum() }
    return product
  }

  /// The matrix with a millionth more on its diagonal, for when parameters cannot be told apart.
  var withRidge: VolatilityMatrix {
    var result = self
    var largest = 0.0
    for row in 0..<Place.count { largest = max(largest, rows[row][row]) }
    for row in 0..<Place.count { result[row][row] += 1e-6 * rows[row][row] + 1e-12 * largest }
    return result
  }

  /// Its lower Cholesky factor over the places where `isFree`, the others standing for the unit matrix; `nil` unless it is positive
  /// definite there.
  func factor(isFree: SIMDMask<SIMD8<Int64>>) -> VolatilityFactor? {
    VolatilityFactor(self, isFree: isFree)
  }
}

/// L with L Lᵀ = a symmetric positive definite matrix over the free parameters.
struct VolatilityFactor {
  private var lower = VolatilityMatrix()
  private let isFree: SIMDMask<SIMD8<Int64>>

  fileprivate init?(_ matrix: VolatilityMatrix, isFree: SIMDMask<SIMD8<Int64>>) {
    self.isFree = isFree
    for row in 0..<Place.count {
      guard isFree[row] else {
        lower[row][row] = 1
        continue
      }
      for column in 0...row {
        guard isFree[column] else { continue }
        var rest = matrix[row][column]
        for k in 0..<column { rest -= lower[row][k] * lower[column][k] }
        if column < row {
          lower[row][column] = rest / lower[column][column]
        } else {
          // What rounding alone leaves of a diagonal element is no curvature.
          guard rest > 1e-13 * matrix[row][row], rest.isFinite else { return nil }
          lower[row][row] = rest.squareRoot()
        }
      }
    }
  }

  /// x with matrix · x = `right` over the free parameters, 0 at the others.
  func solve(_ right: VolatilityVector) -> VolatilityVector {
    var x = right.replacing(with: 0, where: .!isFree)
    for row in 0..<Place.count {
      for k in 0..<row { x[row] -= lower[row][k] * x[k] }
      x[row] /= lower[row][row]
    }
    for row in (0..<Place.count).reversed() {
      for k in (row + 1)..<max(row + 1, Place.count) { x[row] -= lower[k][row] * x[k] }
      x[row] /= lower[row][row]
    }
    return x
  }
}
