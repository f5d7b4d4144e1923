/// Expected move of the mid price by queue imbalance and spread: ten rows of imbalance, three columns of spread.
///
/// - Source: Stoikov 2018, "The micro-price: a high-frequency estimator of future prices", section 3.
@frozen public struct MicropriceTable: BitwiseCopyable, Sendable {
  /// Imbalance buckets.
  @inlinable public static var imbalanceBucketCount: Int { 10 }
  /// Spread buckets.
  @inlinable public static var spreadBucketCount: Int { 3 }

  /// Moves in ticks, row-major: imbalance bucket times three plus spread bucket.
  public var moves: InlineArray<30, Double>

  /// A table of these moves in ticks.
  @inlinable public init(moves: InlineArray<30, Double>) { self.moves = moves }

  /// The table used until one is fitted: half of what the size-weighted mid says, `¼ · spread · imbalance`, at the middle of
  /// each imbalance bucket and spreads of one, two and three steps.
  ///
  /// It is antisymmetric in the imbalance, so its expectation over a symmetric book is 0.
  /// - Parameter spreadStepTicks: ticks of one spread step.
  public static func weightedMidPrior(spreadStepTicks: Double) -> MicropriceTable {
    var moves = InlineArray<30, Double>(repeating: 0)
    for row in 0..<10 {
      let imbalance = (Double(row) + 0.5) / 5 - 1
      for column in 0..<3 { moves[row * 3 + column] = 0.25 * Double(column + 1) * spreadStepTicks * imbalance }
    }
    return MicropriceTable(moves: moves)
  }

  /// The bucket of a queue imbalance in [−1, 1]; values outside fall into the outer buckets.
  @inlinable public static func imbalanceBucket(_ imbalance: Double) -> Int {
    Int(max(0, min(9, (imbalance + 1) * 5)))
  }

  /// The move in ticks for a queue imbalance and a spread bucket in 0…2.
  @inlinable public func move(imbalance: Double, spreadBucket: Int) -> Double {
    moves[MicropriceTable.imbalanceBucket(imbalance) * 3 + spreadBucket]
  }
}
