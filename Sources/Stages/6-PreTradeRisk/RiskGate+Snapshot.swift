internal import LockFreeRings
public import TradingTypes

/// What the orders that passed have used up: budgets, numbers and the remembered orders.
///
/// Limits, permissions and the state of instruments are not part of it: they come from configuration and control events.
public struct RiskGateSnapshot: Equatable, Sendable {
  /// An order that passed.
  public struct Remembered: Equatable, Sendable {
    /// What makes it the same as another.
    public var key: DuplicateKey
    /// When it passed.
    public var time: Timestamp
    /// A newer entry has the same key.
    public var isSuperseded: Bool
  }

  /// Message budgets by strategy.
  public var strategyBuckets: [TokenBucket] = []
  /// Message budgets by instrument.
  public var symbolBuckets: [TokenBucket] = []
  /// The message budget of the session.
  public var sessionBucket = TokenBucket()
  /// The budget of cancels.
  public var cancelBucket = TokenBucket()
  /// The highest order number that passed, by account.
  public var highestNumbers: [UInt64] = []
  /// Remembered orders, oldest first.
  public var remembered: [Remembered] = []
  /// Verdicts by check number; 0 counts what passed.
  public var verdictCounts: [UInt64] = []
  /// Cancels judged, cancels over budget, orders refused because the table of remembered orders had no room.
  public var otherCounts: [UInt64] = []
}

extension RiskGate {
  /// What the orders so far have used up; allocates, not for the hot path.
  public func snapshot() -> RiskGateSnapshot {
    var snapshot = RiskGateSnapshot()
    for index in 0..<strategyBuckets.count { snapshot.strategyBuckets.append(strategyBuckets[index]) }
    for index in 0..<symbolBuckets.count { snapshot.symbolBuckets.append(symbolBuckets[index]) }
    snapshot.sessionBucket = sessionBucket
    snapshot.cancelBucket = cancelBucket
    for index in 0..<highestNumbers.count { snapshot.highestNumbers.append(highestNumbers[index]) }
    for number in duplicates.removed..<duplicates.written {
      let entry = duplicates.entries[masked: number]
      snapshot.remembered.append(
        RiskGateSnapshot.Remembered(key: entry.key, time: entry.time, isSuperseded: entry.isSuperseded))
    }
    for check in 0..<36 { snapshot.verdictCounts.append(verdictCounts[check]) }
    snapshot.otherCounts = [_cancelCount, _cancelsOverBudget, _duplicateTableFullCount]
    return snapshot
  }

  /// Takes over what `snapshot` says was used up, in a gate that has judged nothing yet.
  ///
  /// - Throws: `ConfigurationError` where the gate has judged orders or the snapshot does not fit it; the gate must then be thrown away.
  public mutating func restore(_ snapshot: RiskGateSnapshot) throws(ConfigurationError) {
    guard duplicates.written == 0, passCount == 0 else {
      throw ConfigurationError("risk gate snapshot: the gate has judged orders already")
    }
    let buckets = snapshot.strategyBuckets + snapshot.symbolBuckets + [snapshot.sessionBucket, snapshot.cancelBucket]
    guard snapshot.strategyBuckets.count == strategyBuckets.count,
      snapshot.symbolBuckets.count == symbolBuckets.count, snapshot.highestNumbers.count == highestNumbers.count,
      snapshot.verdictCounts.count == 36, snapshot.otherCounts.count == 3,
      snapshot.remembered.count <= duplicates.capacity, buckets.allSatisfy({ $0.missing >= 0 })
    else { throw ConfigurationError("risk gate snapshot: made by a gate of another shape") }
    for (index, bucket) in snapshot.strategyBuckets.enumerated() { strategyBuckets[index] = bucket }
    for (index, bucket) in snapshot.symbolBuckets.enumerated() { symbolBuckets[index] = bucket }
    sessionBucket = snapshot.sessionBucket
    cancelBucket = snapshot.cancelBucket
    for (index, number) in snapshot.highestNumbers.enumerated() { highestNumbers[index] = number }
    for order in snapshot.remembered { duplicates.append(order.key, at: order.time) }
    guard duplicates.hasSuperseded(as: snapshot.remembered.map(\.isSuperseded)) else {
      throw ConfigurationError("risk gate snapshot: remembered orders contradict each other")
    }
    for (check, count) in snapshot.verdictCounts.enumerated() { verdictCounts[check] = count }
    _cancelCount = snapshot.otherCounts[0]
    _cancelsOverBudget = snapshot.otherCounts[1]
    _duplicateTableFullCount = snapshot.otherCounts[2]
  }
}

extension DuplicateTable {
  /// Whether the entries, oldest first, are superseded as listed.
  func hasSuperseded(as flags: [Bool]) -> Bool {
    flags.count == count && flags.indices.allSatisfy { entries[masked: removed + $0].isSuperseded == flags[$0] }
  }
}
