public import TradingTypes

/// What a pipeline has done since its start.
@frozen public struct PipelineCounts: BitwiseCopyable, Sendable {
  /// Events that entered stage 1.
  public var messages: UInt64 = 0
  /// Events that started a decision.
  public var triggers: UInt64 = 0
  /// Decisions by verdict, at `DecisionVerdict.rawValue`.
  public var verdicts: InlineArray<8, UInt64> = InlineArray(repeating: 0)
  /// Rejected decisions by check, at `RiskCheck.rawValue`.
  public var rejects: InlineArray<41, UInt64> = InlineArray(repeating: 0)
  /// Child orders sent.
  public var orders: UInt64 = 0
  /// Fills.
  public var fills: UInt64 = 0
  /// Child orders a venue refused, or its gateway did not take.
  public var refused: UInt64 = 0
  /// Planned child orders that were not sent: the kill switch tripped in between, or the ledger had no room.
  public var withheld: UInt64 = 0
  /// Decisions whose forecast was not usable; they ended before stage 4.
  public var unusableForecasts: UInt64 = 0
  /// Forecasts that were not finite or out of range.
  public var insaneForecasts: UInt64 = 0
  /// Reports that the ledger could not place: unknown order, impossible transition, overfill.
  public var misplacedReports: UInt64 = 0

  /// Nothing yet.
  @inlinable public init() {}

  /// Decisions, which equals `triggers`.
  public var decisions: UInt64 {
    var sum: UInt64 = 0
    for index in 0..<8 { sum += verdicts[index] }
    return sum
  }

  /// Decisions that ended with `verdict`.
  public subscript(verdict: DecisionVerdict) -> UInt64 { verdicts[Int(verdict.rawValue)] }

  /// Adds what another pipeline has done.
  public mutating func add(_ other: PipelineCounts) {
    messages += other.messages
    triggers += other.triggers
    for index in 0..<8 { verdicts[index] += other.verdicts[index] }
    for index in 0..<41 { rejects[index] += other.rejects[index] }
    orders += other.orders
    fills += other.fills
    refused += other.refused
    withheld += other.withheld
    unusableForecasts += other.unusableForecasts
    insaneForecasts += other.insaneForecasts
    misplacedReports += other.misplacedReports
  }
}
