public import LockFreeRings
public import TradingTypes

/// Watches a message on its way through the stages.
///
/// The engine is generic over its probe, so that `NoProbe` costs nothing. It calls, for every message,
/// `begin`, then after each piece of work `mark` or `skip`, and where the message triggered a decision `end`:
///
/// ```
/// begin ─ ingest ─ mark(.ingest) ─ update ─ skip ─ vector ─ mark(.features) ─ … ─ mark(.routing) ─ end(.routed)
/// ```
///
/// A message that triggers nothing ends without a call; the next `begin` starts afresh.
public protocol PipelineProbe: ~Copyable {
  /// A message enters stage 1.
  mutating func begin()
  /// The time since the last border was spent in `stage`.
  mutating func mark(_ stage: PipelineStage)
  /// The time since the last border belongs to no stage.
  mutating func skip()
  /// The decision ended at the last border.
  mutating func end(_ verdict: DecisionVerdict)
}

/// Measures nothing and leaves no instruction behind: for the throughput pass and for production without timing.
@frozen public struct NoProbe: PipelineProbe, ~Copyable {
  /// A probe that does nothing.
  @inlinable public init() {}
  /// Does nothing.
  @inlinable public mutating func begin() {}
  /// Does nothing.
  @inlinable public mutating func mark(_ stage: PipelineStage) {}
  /// Does nothing.
  @inlinable public mutating func skip() {}
  /// Does nothing.
  @inlinable public mutating func end(_ verdict: DecisionVerdict) {}
}

/// Times the stages: one reading of the clock at each border.
///
/// Every stage's time therefore includes one reading (`TickClock.floorNanoseconds`), and no time falls between two stages.
@frozen public struct StageProbe: PipelineProbe, ~Copyable {
  /// The clock that is read.
  public let clock: TickClock
  /// What was measured.
  public var stages: StageClock
  @usableFromInline var border: UInt64
  @usableFromInline var intended: UInt64
  @usableFromInline var scheduled: UInt64

  /// A probe that measured nothing yet; takes `StageClock.byteCount` of the arena.
  public init(clock: TickClock, in arena: Arena) {
    self.clock = clock
    stages = StageClock(in: arena)
    border = 0
    intended = 0
    scheduled = 0
  }

  /// Says when the next message should have arrived, as a reading of `clock`: a delay before `begin` is then charged to it.
  ///
  /// Without it a message is intended to arrive when it does.
  @inlinable public mutating func schedule(_ tick: UInt64) { scheduled = tick }

  /// A message enters stage 1.
  @inlinable public mutating func begin() {
    border = clock.now()
    intended = scheduled == 0 ? border : scheduled
    scheduled = 0
  }

  /// Records the time since the last border for `stage`.
  @inlinable public mutating func mark(_ stage: PipelineStage) {
    let now = clock.now()
    stages.record(clock.nanoseconds(from: border, to: now), in: stage)
    border = now
  }

  /// Moves the border without recording.
  @inlinable public mutating func skip() { border = clock.now() }

  /// Records the time from the intended arrival to the last border.
  @inlinable public mutating func end(_ verdict: DecisionVerdict) {
    stages.recordDecision(clock.nanoseconds(from: intended, to: border), verdict: verdict)
  }
}
