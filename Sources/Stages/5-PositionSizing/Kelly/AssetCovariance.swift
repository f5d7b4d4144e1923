/// Numbers of up to eight assets, in fixed storage.
@frozen public struct AssetVector: BitwiseCopyable, Sendable {
  /// Most assets.
  @inlinable public static var countMax: Int { 8 }
  /// Assets; the values beyond are 0.
  public let count: Int
  @usableFromInline var storage = InlineArray<8, Double>(repeating: 0)

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
  // Row-major with eight columns whatever `count` is, so that a row is one cache line.
  @usableFromInline var storage = InlineArray<64, Double>(repeating: 0)

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
    for row in 0..<count { for column in 0..<count { storage[row << 3 | column] = matrix[row, column] } }
  }

  /// An entry; setting one sets its mirror.
  @inlinable public subscript(row: Int, column: Int) -> Double {
    get { storage[row << 3 | column] }
    set {
      storage[row << 3 | column] = newValue
      storage[column << 3 | row] = newValue
    }
  }
}

/// The Cholesky factor of the rows and columns of a covariance that `members` names, in fixed storage.
@frozen @usableFromInline struct MemberFactor {
  @usableFromInline var lower = InlineArray<64, Double>(repeating: 0)
  /// 1 / diagonal: a division once in place of one for each solve.
  @usableFromInline var inverse = InlineArray<8, Double>(repeating: 0)
  /// Which asset stands in which row.
  @usableFromInline var assets = InlineArray<8, Int>(repeating: 0)
  @usableFromInline var count = 0

  @inlinable init() {}

  /// Factors; false where a pivot is not clearly positive.
  @inlinable mutating func factor(_ covariance: borrowing AssetCovariance, members: UInt, ridge: Double) -> Bool {
    count = 0
    for asset in 0..<covariance.count where members >> UInt(asset) & 1 == 1 {
      assets[count] = asset
      count += 1
    }
    for row in 0..<count {
      let base = row << 3
      for column in 0..<row {
        var sum = covariance.storage[assets[row] << 3 | assets[column]]
        for inner in 0..<column { sum -= lower[base | inner] * lower[column << 3 | inner] }
        lower[base | column] = sum * inverse[column]
      }
      let diagonal = covariance.storage[assets[row] << 3 | assets[row]]
      var sum = diagonal + ridge
      for inner in 0..<row { sum -= lower[base | inner] * lower[base | inner] }
      guard sum > CholeskyFactor.pivotShareMin * diagonal, sum < .infinity else { return false }
      let root = sum.squareRoot()
      lower[base | row] = root
      inverse[row] = 1 / root
    }
    return true
  }

  /// `covariance⁻¹ × right` for the members; the other assets of the answer are 0.
  @inlinable func solve(_ right: borrowing AssetVector) -> AssetVector {
    var x = InlineArray<8, Double>(repeating: 0)
    for row in 0..<count {
      var sum = right.storage[assets[row]]
      for inner in 0..<row { sum -= lower[row << 3 | inner] * x[inner] }
      x[row] = sum * inverse[row]
    }
    var answer = AssetVector(zeros: right.count)
    var row = count - 1
    while row >= 0 {
      var sum = x[row]
      var inner = row + 1
      while inner < count {
        sum -= lower[inner << 3 | row] * x[inner]
        inner += 1
      }
      x[row] = sum * inverse[row]
      answer.storage[assets[row]] = x[row]
      row -= 1
    }
    return answer
  }
}
