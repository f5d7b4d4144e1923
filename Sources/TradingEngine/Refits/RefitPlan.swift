internal import PositionSizing
internal import RegimeDetection
public import TradingTypes

/// Refits that a replay repeats at the bars where they took effect, in any topology. A plan serves one desk.
public struct RefitPlan: Sendable {
  /// One refit: what it took effect as, and the records that concern the desk.
  struct Group: Sendable {
    var number: UInt64
    var barrier: Timestamp
    var recordCount: UInt32
    // The model that all instruments change to, also where none of them is the desk's.
    var regime: RefitRecord.RegimePart?
    var records: [RefitRecord]
  }

  /// One refit after the other.
  private(set) var groups: [Group] = []

  /// No refit.
  public init() {}

  /// The plan that repeats `records`: refits in the order in which they took effect, as a `RefitHistory` or a sink has them.
  ///
  /// - Throws: `ConfigurationError` where a refit lacks records, or took effect no later than the one before it: half of a refit never was
  ///   in force, so it cannot be repeated.
  public init(repeating records: [RefitRecord]) throws(ConfigurationError) {
    var assembly = RefitAssembly()
    // A journal that goes on after a restart counts its refits from 1 again.
    for record in records {
      guard assembly.takes(record) else { break }
      guard let whole = assembly.append(record) else { continue }
      if let before = groups.last?.barrier, record.barrier <= before {
        throw ConfigurationError(
          "refit \(record.number) at the bar's end \(record.barrier.nanoseconds): one after \(before.nanoseconds) expected"
        )
      }
      groups.append(
        Group(
          number: record.number, barrier: record.barrier, recordCount: record.recordCount,
          regime: whole.lazy.compactMap(\.regime).first, records: whole))
    }
    if let first = assembly.records.first {
      throw ConfigurationError(
        "refit \(first.number) at the bar's end \(first.barrier.nanoseconds): \(assembly.records.count) of \(first.recordCount) records, all expected"
      )
    }
  }

  /// Refits planned.
  public var count: Int { groups.count }

  /// The same refits with the records of the instruments of `shard` alone: every desk counts alike, and its sink hears of its own.
  public func restricted(to shard: Int, of map: ShardMap) -> RefitPlan {
    var plan = self
    for place in plan.groups.indices { plan.groups[place].records.removeAll { map.shard(of: $0.instrument) != shard } }
    return plan
  }
}
