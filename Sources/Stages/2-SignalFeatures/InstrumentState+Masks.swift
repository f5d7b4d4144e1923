public import LockFreeRings
public import TradingTypes

extension InstrumentState {
  /// Bits `first`…`last` of the low half of a mask.
  @inlinable @inline(__always) static func bits(_ first: UInt64, _ last: UInt64) -> UInt64 {
    (2 &<< last) &- (1 &<< first)
  }
}

// On the engine, not on the state: a call on a state would be given a copy of its 665 bytes.
extension FeatureEngine {
  /// Writes which of slots 0–36 have a full window, and which of those are stale.
  ///
  /// A slot that is still warming never turns stale; a stale slot is not valid.
  @inlinable @inline(__always) func writeMasks(
    _ index: Int, isUsable: Bool, at now: Timestamp, into vector: inout FeatureVector
  ) {
    typealias State = InstrumentState
    var full: UInt64 = 0
    full |= states[index].book.count >= 1 ? State.bits(0, 13) | State.bits(21, 22) : 0
    full |= states[index].book.count >= 2 ? State.bits(15, 15) | State.bits(17, 17) : 0
    full |= states[index].book.count >= 50 ? State.bits(14, 14) | State.bits(16, 16) : 0
    full |= states[index].events.count >= 100 ? State.bits(18, 19) : 0
    full |= states[index].book.count >= 100 ? State.bits(20, 20) : 0
    full |= states[index].trades.count >= 1 ? State.bits(23, 23) | State.bits(33, 35) : 0
    full |= states[index].trades.printCount >= 2 ? State.bits(36, 36) : 0
    full |= states[index].trades.count >= 20 ? State.bits(24, 25) : 0
    full |= states[index].trades.count >= 50 ? State.bits(26, 26) : 0
    full |= states[index].trades.count >= 30 && states[index].book.midTwice != 0 ? State.bits(27, 27) : 0
    full |= states[index].impact.measuredCount >= 1 ? State.bits(28, 28) : 0
    full |= states[index].impact.resolvedCount >= 1 ? State.bits(29, 30) : 0
    full |= states[index].impact.moveCount >= 30 ? State.bits(31, 31) : 0
    full |= states[index].buckets.count >= constants.vpinBucketCount ? State.bits(32, 32) : 0
    var old: UInt64 = isUsable ? 0 : State.bits(0, 17)
    old |= now - states[index].events.lastTime > constants.bookStaleAge ? State.bits(0, 22) : 0
    old |= now - states[index].trades.lastTime > constants.tradeStaleAge ? State.bits(23, 35) : 0
    old |= now - states[index].trades.printTime > constants.tradeStaleAge ? State.bits(36, 36) : 0
    vector.valid.low = full & ~old
    vector.stale.low = full & old
  }
}
