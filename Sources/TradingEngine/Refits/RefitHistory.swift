public import EventJournal
internal import LockFreeRings
internal import PositionSizing
internal import RegimeDetection
public import TradingTypes

/// Why the refits of a journal cannot be repeated.
public enum RefitHistoryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The journal itself cannot be read, or is damaged.
  case journal(JournalError)
  /// A refit's record is of a layout that this code does not read.
  case version(sequence: UInt64, found: UInt8, expected: UInt8)
  /// A refit's record holds what no refit can have written.
  case unreadable(sequence: UInt64)
  /// Records of a refit are missing before `sequence`, and no crash explains it: that record stands in the same segment.
  case incomplete(RefitHistory.Cut, before: UInt64)

  /// One line for a report.
  public var description: String {
    switch self {
    case .journal(let error): "\(error)"
    case .version(let sequence, let found, let expected):
      "journal record \(sequence): a refit of version \(found), \(expected) expected"
    case .unreadable(let sequence): "journal record \(sequence): what no refit can have written"
    case .incomplete(let cut, let sequence): "journal record \(sequence): the rest of a refit expected; \(cut)"
    }
  }
}

/// The refits that a journal recorded, in the order in which they took effect: for a `RefitPlan`.
///
/// Only whole ones. The engine takes a refit over whole, at a bar's end and before everything that is decided then, so a journal that
/// ends within its records ends before all that: without the refit it stands where the engine stood before the bar's end. Half of it
/// would be a state that never was: some instruments under new parameters, others under the former ones.
public struct RefitHistory: Sendable {
  /// A refit within whose records the journal was cut by a crash.
  public struct Cut: Hashable, Sendable, CustomStringConvertible {
    /// The refit's number.
    public var number: UInt64
    /// The bar's end at which it took effect.
    public var barrier: Timestamp
    /// Records that are there.
    public var found: Int
    /// Records that it had.
    public var expected: Int
    /// Sequence of the last of them in the journal.
    public var lastSequence: UInt64

    /// One line for a report.
    public var description: String {
      "refit \(number) at the bar's end \(barrier.nanoseconds): \(found) of \(expected) records up to journal record \(lastSequence), left out whole"
    }
  }

  /// Records of whole refits.
  public var records: [RefitRecord] { reading.records }
  /// Refits that were left out: at most one at the journal's end, and one before each restart.
  public var cuts: [Cut] { reading.cuts }
  /// How the journal ends.
  public let journal: JournalReport
  private let reading: Reading

  /// The refits of the journal in `directory`.
  ///
  /// - Parameter shard: the desk whose refits are meant where shards have refitters of their own; nil for the refits of all desks, which
  ///   is right wherever there is one refitter.
  /// - Throws: `RefitHistoryError` when the journal is damaged, or a refit lacks records though no crash explains it.
  public init(inJournal directory: String, shard: UInt16? = nil) throws(RefitHistoryError) {
    var reading = Reading(shard: shard)
    do throws(JournalError) {
      journal = try JournalReader.replay(directory: directory) { reading.take($0, $1) }
    } catch { throw .journal(error) }
    self.reading = try reading.ended(by: journal)
  }

  /// The same for a journal whose segments are in memory, by rising number.
  public init(segments: [SegmentImage], shard: UInt16? = nil) throws(RefitHistoryError) {
    var reading = Reading(shard: shard)
    journal = JournalReader.replay(segments: segments) { reading.take($0, $1) }
    self.reading = try reading.ended(by: journal)
  }

  /// The plan that repeats them.
  ///
  /// - Throws: `ConfigurationError` where they are not those of one refitter.
  public func plan() throws(ConfigurationError) -> RefitPlan { try RefitPlan(repeating: records) }
}

extension RefitHistory {
  /// Puts records together while the journal is read.
  private struct Reading: Sendable {
    let shard: UInt16?
    var records: [RefitRecord] = []
    var cuts: [Cut] = []
    private var fault: RefitHistoryError?
    // Records of the refit that is not whole yet, and where the last of them stands.
    private var open = RefitAssembly()
    private var openSequence: UInt64 = 0
    private var openEpoch: UInt32 = 0

    init(shard: UInt16?) { self.shard = shard }

    mutating func take(_ header: RecordHeader, _ payload: RawSpan) {
      guard fault == nil else { return }
      if header.type == JournalRecord.refit.rawValue { return takeRefit(header, payload) }
      // Nothing is decided between the records of a refit; a report may come in there.
      if header.type == JournalRecord.decision.rawValue { closeOpen(before: header) }
    }

    private mutating func takeRefit(_ header: RecordHeader, _ payload: RawSpan) {
      let version = JournalRecord.refit.schemaVersion
      guard header.schemaVersion == version else {
        fault = .version(sequence: header.sequence, found: header.schemaVersion, expected: version)
        return
      }
      guard let record = RefitRecord(journalPayload: payload) else {
        fault = .unreadable(sequence: header.sequence)
        return
      }
      guard shard == nil || record.shard == shard else { return }
      if !open.takes(record) { closeOpen(before: header) }
      guard fault == nil else { return }
      openSequence = header.sequence
      openEpoch = header.epoch
      if let whole = open.append(record) { records += whole }
    }

    /// The refit that is open lacks its rest: cut by a crash where a later run goes on in a segment of its own, else a fault.
    private mutating func closeOpen(before header: RecordHeader) {
      guard let cut = openCut else { return }
      if header.epoch == openEpoch {
        fault = .incomplete(cut, before: header.sequence)
      } else {
        cuts.append(cut)
      }
      open = RefitAssembly()
    }

    private var openCut: Cut? {
      open.records.first.map {
        Cut(
          number: $0.number, barrier: $0.barrier, found: open.records.count, expected: Int($0.recordCount),
          lastSequence: openSequence)
      }
    }

    consuming func ended(by report: JournalReport) throws(RefitHistoryError) -> Reading {
      guard report.mayContinue else { throw .journal(.damaged(report.end)) }
      if let fault { throw fault }
      if let cut = openCut { cuts.append(cut) }
      open = RefitAssembly()
      return self
    }
  }
}
