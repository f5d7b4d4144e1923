internal import LockFreeRings
public import TradingTypes

/// All state of a `FeatureEngine` at one moment: an engine of the same configuration that restores it goes on exactly as the
/// original would.
public struct FeatureSnapshot: Sendable {
  var states: [InstrumentState]
  var levels: [DepthLevel]
  var bookEntries: [BookEntry]
  var eventEntries: [EventEntry]
  var tradeEntries: [TradeEntry]
  var moves: [TradeMove]
  var imbalances: [Int64]
  var pending: [PendingTrade]
  var builders: [BarBuilder]
  var bars: [BarState]
  var barValues: [Double]
  var blocks: [BarBlockState]
  var members: [UniverseMember]
  var universe: UniverseState
  var market: MarketContext
  var counted: FeatureCounters
}

extension FeatureEngine {
  /// A copy of all state; off the hot path.
  ///
  /// - Complexity: O(instruments), allocates.
  public func snapshot() -> FeatureSnapshot {
    func copy<Element: BitwiseCopyable>(_ slab: borrowing Slab<Element>) -> [Element] {
      var copies: [Element] = []
      copies.reserveCapacity(slab.count)
      for index in 0..<slab.count { copies.append(slab[index]) }
      return copies
    }
    return FeatureSnapshot(
      states: copy(states), levels: copy(levels), bookEntries: copy(bookEntries), eventEntries: copy(eventEntries),
      tradeEntries: copy(tradeEntries), moves: copy(moves), imbalances: copy(imbalances), pending: copy(pending),
      builders: copy(builders), bars: copy(bars), barValues: copy(barValues), blocks: copy(blocks),
      members: copy(members), universe: universe, market: market, counted: counted)
  }

  /// Replaces all state by that of `snapshot`; off the hot path.
  ///
  /// - Throws: `ConfigurationError` when the snapshot is of another number of instruments or delayed trades, or of other bars;
  ///   nothing changes.
  /// - Complexity: O(instruments).
  public mutating func restore(_ snapshot: FeatureSnapshot) throws(ConfigurationError) {
    guard snapshot.states.count == states.count, snapshot.pending.count == pending.count else {
      throw ConfigurationError(
        "feature snapshot of \(snapshot.states.count) instruments and \(snapshot.pending.count) delayed trades, "
          + "expected \(states.count) and \(pending.count)")
    }
    for place in 0..<timeframeCount {
      let theirs = place < snapshot.builders.count / snapshot.states.count ? snapshot.builders[place].rule.name : "none"
      guard theirs == builders[place].rule.name else {
        throw ConfigurationError(
          "feature snapshot: timeframe \(place) is \(theirs), expected \(builders[place].rule.name)")
      }
    }
    guard snapshot.builders.count == builders.count else {
      throw ConfigurationError("feature snapshot of \(snapshot.builders.count) bars, expected \(builders.count)")
    }
    func copy<Element: BitwiseCopyable>(_ copies: [Element], to slab: inout Slab<Element>) {
      for index in 0..<slab.count { slab[index] = copies[index] }
    }
    copy(snapshot.states, to: &states)
    copy(snapshot.levels, to: &levels)
    copy(snapshot.bookEntries, to: &bookEntries)
    copy(snapshot.eventEntries, to: &eventEntries)
    copy(snapshot.tradeEntries, to: &tradeEntries)
    copy(snapshot.moves, to: &moves)
    copy(snapshot.imbalances, to: &imbalances)
    copy(snapshot.pending, to: &pending)
    copy(snapshot.builders, to: &builders)
    copy(snapshot.bars, to: &bars)
    copy(snapshot.barValues, to: &barValues)
    copy(snapshot.blocks, to: &blocks)
    copy(snapshot.members, to: &members)
    universe = snapshot.universe
    market = snapshot.market
    counted = snapshot.counted
  }
}
