/// What stage 2 met and did not use, since its start.
@frozen public struct FeatureCounters: BitwiseCopyable, Hashable, Sendable {
  /// Messages older than their predecessor; they count as of the predecessor's time.
  public var outOfOrder: Int64 = 0
  /// Messages of an instrument the engine does not hold.
  public var unknownInstrument: Int64 = 0
  /// Trades whose price is not in 1 ..< 2^53 billionths or whose size is not in 1 ..< 2^40 lots.
  public var invalidTrades: Int64 = 0
  /// Trades whose realised spread will not be known, because too many wait already.
  public var delayedDropped: Int64 = 0
  /// Context or model values that are not finite or not in their range.
  public var refusedValues: Int64 = 0
  /// Trades at or after the end of a bar that the caller had not closed; they count for that bar.
  public var overdueTrades: Int64 = 0

  /// Nothing met.
  @inlinable public init() {}
}
