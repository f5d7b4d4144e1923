/// Numbers of up to eight assets, in fixed storage.
@frozen public struct AssetVector: BitwiseCopyable, Sendable {
  /// Most assets.
  @inlinable public static var countMax: Int { 8 }
  /// Assets; the values beyond are 0.
  public let count: Int
  @usableFromInline var storage = SIMD8<Double>.zero

  /// Zeros.
  ///
  /// - Precondition: `count` is 1 to `countMax`.
  @inlinable public init(zeros count: Int) {
    precondition(count >= 1 && count <= Self.countMax, "AssetVector: one to eight assets")
    self.count = count
  }

  /// The given values.
  ///
  /// - Precondition: there are 1 to `countMax`.
  public init(_ values: [Double]) {
    self.init(zeros: values.count)
    for (index, value) in values.enumerated() { storage[index] = value }
  }

  /// The number of one asset.
  @inlinable public subscript(index: Int) -> Double {
    get { storage[index] }
    set { storage[index] = newValue }
  }

  /// The values, for reports and tests.
  public var array: [Double] { (0..<count).map { storage[$0] } }
}

/// A covariance of up to eight assets, in fixed storage, and its Cholesky factor where it is asked for.
@frozen public struct AssetCovariance: BitwiseCopyable, Sendable {
  /// Assets.
  public let count: Int
  // Eight columns of eight rows whatever `count` is: a column is one cache line.
  @usableFromInline var storage = InlineArray<8, SIMD8<Double>>(repeating: .zero)

  /// Zeros.
  ///
  /// - Precondition: `count` is 1 to `AssetVector.countMax`.
  @inlinable public init(zeros count: Int) {
    precondition(count >= 1 && count <= AssetVector.countMax, "AssetCovariance: one to eight assets")
    self.count = count
  }

  /// The values of a matrix.
  ///
  /// - Precondition: it has at most `AssetVector.countMax` rows.
  public init(_ matrix: SymmetricMatrix) {
    self.init(zeros: matrix.count)
    for row in 0..<count { for column in 0..<count { storage[row][column] = matrix[row, column] } }
  }

  /// An entry; setting one sets its mirror.
  @inlinable public subscript(row: Int, column: Int) -> Double {
    get { storage[row][column] }
    set {
      storage[row][column] = newValue
      storage[column][row] = newValue
    }
  }
}

/// The Cholesky factor of the rows and columns of a covariance that `members` names, in fixed storage.
///
/// Always eight columns in vectors: an asset that is no member has a column of zeros and an answer of 0. Lanes do not depend on each other, so that a
/// column costs as much as a number does in a loop over rows.
@frozen @usableFromInline struct MemberFactor {
  /// What stands below the diagonal of each column, zeros elsewhere.
  @usableFromInline var lower = InlineArray<8, SIMD8<Double>>(repeating: .zero)
  /// 1 / diagonal: a division once in place of one for each solve; 0 for what is no member.
  @usableFromInline var inverse = SIMD8<Double>.zero

  @inlinable init() {}

  /// Factors; false where a pivot is not clearly positive.
  @inlinable mutating func factor(_ covariance: borrowing AssetCovariance, members: UInt, ridge: Double) -> Bool {
    // What is left of the matrix, column by column; its rows above the diagonal are never read again.
    var rest = covariance.storage
    var diagonal = SIMD8<Double>.zero
    for row in 0..<8 { diagonal[row] = rest[row][row] }
    // 1 for the members below the column at hand.
    var below = SIMD8<Double>.zero
    for row in 0..<8 { below[row] = members >> UInt(row) & 1 == 1 ? 1 : 0 }
    inverse = .zero
    for k in 0..<8 {
      lower[k] = .zero
      below[k] = 0
      guard members >> UInt(k) & 1 == 1 else { continue }
      let pivot = rest[k][k] + ridge
      guard pivot > CholeskyFactor.pivotShareMin * diagonal[k], pivot < .infinity else { return false }
      let inverted = 1 / pivot.squareRoot()
      inverse[k] = inverted
      let column = rest[k] * inverted * below
      lower[k] = column
      var next = k + 1
      while next < 8 {
        rest[next] -= column * column[next]
        next += 1
      }
    }
    return true
  }

  /// `covariance⁻¹ × right` for the members; the other assets of the answer are 0.
  @inlinable func solve(_ right: SIMD8<Double>) -> SIMD8<Double> {
    var answer = right
    for k in 0..<8 {
      let x = answer[k] * inverse[k]
      answer[k] = x
      answer -= lower[k] * x
    }
    var k = 7
    while k >= 0 {
      answer[k] = (answer[k] - (lower[k] * answer).orderedSum) * inverse[k]
      k -= 1
    }
    return answer
  }
}

extension SIMD8<Double> {
  /// The sum of the lanes, halves first: the same rounding on every machine.
  @inlinable var orderedSum: Double {
    let four = lowHalf + highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  /// The sum of the lanes' sizes.
  @inlinable var orderedSumOfMagnitudes: Double { pointwiseMax(self, -self).orderedSum }
}
