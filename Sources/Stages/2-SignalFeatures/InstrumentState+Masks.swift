public import TradingTypes

extension InstrumentState {
  /// Bits `first`…`last` of the low half of a mask.
  @inlinable static func bits(_ first: UInt64, _ last: UInt64) -> UInt64 { (2 &<< last) &- (1 &<< first) }

  /// Writes which slots have a full window, and which of those are stale.
  ///
  /// A slot that is still warming never turns stale; a stale slot is not valid.
  @inlinable func writeMasks(
    depth: borrowing DepthView, at now: Timestamp, _ constants: FeatureConstants, into vector: inout FeatureVector
  ) {
    typealias State = InstrumentState
    var full: UInt64 = 0
    if book.count >= 1 { full |= State.bits(0, 13) | State.bits(21, 22) }
    if book.count >= 2 { full |= State.bits(15, 15) | State.bits(17, 17) }
    if book.count >= 50 { full |= State.bits(14, 14) | State.bits(16, 16) }
    if events.count >= 100 { full |= State.bits(18, 19) }
    if book.count >= 100 { full |= State.bits(20, 20) }
    if trades.count >= 1 { full |= State.bits(23, 23) | State.bits(33, 35) }
    if trades.count >= 2 { full |= State.bits(36, 36) }
    if trades.count >= 20 { full |= State.bits(24, 25) }
    if trades.count >= 50 { full |= State.bits(26, 26) }
    if trades.count >= 30 && book.midTwice != 0 { full |= State.bits(27, 27) }
    if impact.measuredCount >= 1 { full |= State.bits(28, 28) }
    if impact.resolvedCount >= 1 { full |= State.bits(29, 30) }
    if impact.moveCount >= 30 { full |= State.bits(31, 31) }
    if buckets.count >= constants.vpinBucketCount { full |= State.bits(32, 32) }
    var old: UInt64 = 0
    if !BookFlow.isUsable(depth) { old |= State.bits(0, 17) }
    if now - clock > constants.bookStaleAge { old |= State.bits(0, 22) }
    if now - trades.lastTime > constants.tradeStaleAge { old |= State.bits(23, 36) }
    vector.valid = FeatureMask(low: full & ~old)
    vector.stale = FeatureMask(low: full & old)
  }
}
