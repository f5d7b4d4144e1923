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

  /// The plan that repeats `records`: in the order in which they took effect, as a `RefitHistory` has them.
  ///
  /// - Throws: `ConfigurationError` where a refit lacks records, or took effect no later than the one before it: half of a refit never was
  ///   in force, so it cannot be repeated.
  public init(repeating records: [RefitRecord]) throws(ConfigurationError) {
    for record in records {
      // A journal that goes on after a restart counts its refits from 1 again.
      if let last = groups.last?.records.last, last.isFollowed(by: record) {
        groups[groups.count - 1].records.append(record)
      } else {
        try requireWhole()
        if let before = groups.last?.barrier, record.barrier <= before {
          throw ConfigurationError(
            "refit \(record.number) at the bar's end \(record.barrier.nanoseconds): one after \(before.nanoseconds) expected"
          )
        }
        groups.append(
          Group(
            number: record.number, barrier: record.barrier, recordCount: record.recordCount, regime: record.regime,
            records: [record]))
      }
    }
    try requireWhole()
  }

  /// The last refit is whole.
  private func requireWhole() throws(ConfigurationError) {
    guard let group = groups.last, let first = group.records.first else { return }
    guard first.place == 0, group.records.count == Int(group.recordCount) else {
      throw ConfigurationError(
        "refit \(group.number) at the bar's end \(group.barrier.nanoseconds): \(group.records.count) records from \(first.place) on, all \(group.recordCount) expected"
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
