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
  /// It is antisymmetric in the imbalance but at the borders of buckets, so its expectation over a symmetric book is 0 there.
  /// - Parameter spreadStepTicks: ticks of one spread step.
  public static func weightedMidPrior(spreadStepTicks: Double) -> MicropriceTable {
    var moves = InlineArray<30, Double>(repeating: 0)
    for row in 0..<10 {
      let imbalance = (Double(row) + 0.5) / 5 - 1
      for column in 0..<3 { moves[row * 3 + column] = 0.25 * Double(column + 1) * spreadStepTicks * imbalance }
    }
    return MicropriceTable(moves: moves)
  }

  /// The bucket of the best sizes: tenths of the bid's share, ⌊10·B/(B + A)⌋, which is ⌊5·(I + 1)⌋ of the queue imbalance I.
  ///
  /// Exact for sizes below 2^49: a border belongs to the bucket above it. Sizes that add up to 0 are balanced.
  @inlinable public static func imbalanceBucket(bid: Double, ask: Double) -> Int {
    let sum = bid + ask
    return sum == 0 ? 5 : Int(max(0, min(9, 10 * bid / sum)))
  }

  /// The move in ticks for best sizes in lots and a spread bucket in 0…2.
  @inlinable public func move(bid: Double, ask: Double, spreadBucket: Int) -> Double {
    moves[MicropriceTable.imbalanceBucket(bid: bid, ask: ask) * 3 + spreadBucket]
  }
}
