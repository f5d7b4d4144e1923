public import EventJournal
public import LockFreeRings
public import TradingTypes

/// Types of the records that an engine writes into its journal.
@frozen public enum JournalRecord: UInt16, Sendable {
  /// A `Decision`.
  case decision = 1
  /// A `ChildOrder` of the decision before it.
  case childOrder = 2
  /// An `ExecutionReport`.
  case execution = 3
  /// A `LimitUse`, see `LimitUse.init(journalPayload:)`; its ticket says when among all uses of that limit, whatever its place in the journal.
  case limitUse = 4
  /// A `ModelSwap`, see `ModelSwap.init(journalPayload:)`: before the first record of the event that it took effect with.
  case modelSwap = 5
  /// A `RefitRecord`, see `RefitRecord.init(journalPayload:)`: before the first record of what was decided under it, one behind the other;
  /// `RefitHistory` reads whole refits.
  case refit = 6
  /// A `SizedDecision`, see `SizedDecision.init(journalPayload:)`: before the decision of the same sequence.
  case sizing = 7

  /// Version of the payload's layout, in the record's header.
  public var schemaVersion: UInt8 { self == .refit ? 2 : 1 }
}

/// Keeps every decision, child order and report in a journal, and the decision checksum beside it.
///
/// A full ring is waited for, never skipped: orders and fills are not dropped. After the journal failed nothing drains it; the sink
/// then stops waiting, counts, and the engine's owner reads `lostCount`.
@frozen public struct JournalSink: DecisionSink, ~Copyable {
  /// The checksum of the decisions.
  public var checksum = DecisionChecksum()
  /// Records that could not be written because the journal failed.
  public private(set) var lostCount: UInt64 = 0
  /// Turns of waiting for room in the ring.
  public private(set) var stallCount: UInt64 = 0
  @usableFromInline var producer: JournalProducer
  private let writer: JournalWriter
  private let source: UInt64

  /// A sink that writes through `writer`, whose producer it takes.
  ///
  /// - Parameters:
  ///   - source: the `source` half of every trace id: see `TraceID.source(feed:session:)`.
  public init(_ writer: JournalWriter, source: UInt64) {
    self.writer = writer
    self.source = source
    producer = writer.takeProducer()
  }

  /// Sequence of the last record handed to the journal.
  public var lastSequence: UInt64 { producer.lastSequence }

  /// Keeps a decision and its child orders.
  public mutating func record(_ decision: borrowing Decision, plan: borrowing RoutePlan) {
    checksum.record(decision, plan: plan)
    let trace = TraceID(source: source, sequence: decision.sequence)
    put(.decision, copy decision, at: decision.time, trace)
    guard decision.verdict == .routed else { return }
    for index in 0..<plan.count { put(.childOrder, plan.children[index], at: decision.time, trace) }
  }

  /// Keeps how a size was found.
  public mutating func record(_ sizing: borrowing SizedDecision) {
    put(.sizing, sizing.journalWords, at: sizing.time, TraceID(source: source, sequence: sizing.sequence))
  }

  /// Keeps a report.
  public mutating func record(_ report: borrowing ExecutionReport) {
    put(.execution, copy report, at: report.time, TraceID(source: source, sequence: report.clientOrderID.value))
  }

  /// Keeps a use of a shared limit.
  public mutating func record(_ use: borrowing LimitUse, at time: Timestamp) {
    put(.limitUse, use.journalWords, at: time, TraceID(source: source, sequence: use.tag))
  }

  /// Keeps a change of models.
  public mutating func record(_ swap: borrowing ModelSwap) {
    put(.modelSwap, swap.journalWords, at: swap.time, TraceID(source: source, sequence: swap.sequence))
  }

  /// Keeps a refit.
  public mutating func record(_ refit: borrowing RefitRecord) {
    put(.refit, refit.journalWords, at: refit.barrier, TraceID(source: source, sequence: refit.number))
  }

  private mutating func put<Payload: BitwiseCopyable>(
    _ type: JournalRecord, _ payload: Payload, at time: Timestamp, _ trace: TraceID
  ) {
    while !producer.publish(
      type: type.rawValue, schemaVersion: type.schemaVersion, time: time, trace: trace, payload: payload)
    {
      if writer.isPoisoned {
        lostCount += 1
        return
      }
      stallCount += 1
      spinPause()
    }
  }
}
