internal import LockFreeRings
public import TradingTypes

/// All state of a `FeatureEngine` at one moment: an engine of the same configuration that restores it goes on exactly as the
/// original would.
public struct FeatureSnapshot: Sendable {
  var states: [InstrumentState]
  var pending: [PendingTrade]
  var bars: [BarState]
  var market: MarketContext
  var counted: FeatureCounters
}

extension FeatureEngine {
  /// A copy of all state; off the hot path.
  ///
  /// - Complexity: O(instruments), allocates.
  public func snapshot() -> FeatureSnapshot {
    FeatureSnapshot(
      states: (0..<states.count).map { states[$0] }, pending: (0..<pending.count).map { pending[$0] },
      bars: (0..<bars.count).map { bars[$0] }, market: market, counted: counted)
  }

  /// Replaces all state by that of `snapshot`; off the hot path.
  ///
  /// - Throws: `ConfigurationError` when the snapshot is of another number of instruments or delayed trades; nothing changes.
  /// - Complexity: O(instruments).
  public mutating func restore(_ snapshot: FeatureSnapshot) throws(ConfigurationError) {
    guard snapshot.states.count == states.count, snapshot.pending.count == pending.count else {
      throw ConfigurationError(
        "feature snapshot of \(snapshot.states.count) instruments and \(snapshot.pending.count) delayed trades, "
          + "expected \(states.count) and \(pending.count)")
    }
    for index in 0..<states.count { states[index] = snapshot.states[index] }
    for index in 0..<pending.count { pending[index] = snapshot.pending[index] }
    for index in 0..<bars.count { bars[index] = snapshot.bars[index] }
    market = snapshot.market
    counted = snapshot.counted
  }
}
