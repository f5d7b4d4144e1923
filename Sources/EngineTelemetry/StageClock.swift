public import LockFreeRings
public import TradingTypes

/// What a run measured: a histogram for each stage, for all decisions and for those that sent orders.
@frozen public struct StageClock: ~Copyable {
  @usableFromInline var stages: InlineArray<7, LatencyHistogram>
  /// From intended arrival to verdict, of every decision.
  public var endToEnd: LatencyHistogram
  /// The same of those that were routed.
  public var tickToOrder: LatencyHistogram

  /// The room it takes in an arena, padding included.
  public static var byteCount: Int { 9 * (LatencyHistogram.bucketCount * 8 + 128) }

  /// Empty histograms.
  public init(in arena: Arena) {
    stages = InlineArray { _ in LatencyHistogram(in: arena) }
    endToEnd = LatencyHistogram(in: arena)
    tickToOrder = LatencyHistogram(in: arena)
  }

  /// Counts the time that one message spent in a stage.
  @inlinable public mutating func record(_ nanoseconds: Int64, in stage: PipelineStage) {
    stages[stage.index].record(nanoseconds)
  }

  /// Counts the time that one decision took.
  @inlinable public mutating func recordDecision(_ nanoseconds: Int64, verdict: DecisionVerdict) {
    endToEnd.record(nanoseconds)
    if verdict == .routed { tickToOrder.record(nanoseconds) }
  }

  /// What `stage` took.
  @inlinable public subscript(stage: PipelineStage) -> LatencyHistogram {
    _read { yield stages[stage.index] }
  }

  /// Adds everything another run measured.
  public mutating func merge(_ other: borrowing StageClock) {
    for index in 0..<7 { stages[index].merge(other.stages[index]) }
    endToEnd.merge(other.endToEnd)
    tickToOrder.merge(other.tickToOrder)
  }

  /// Forgets everything.
  public mutating func reset() {
    for index in 0..<7 { stages[index].reset() }
    endToEnd.reset()
    tickToOrder.reset()
  }
}
