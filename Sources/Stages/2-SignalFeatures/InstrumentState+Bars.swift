public import LockFreeRings
public import TradingTypes

extension InstrumentState {
  /// Bar slots an instrument has in the slab: 37–86.
  @inlinable static var barValueCount: Int { 50 }

  /// Nanoseconds since the last midnight.
  @inlinable @inline(__always) static func timeOfDay(_ now: Timestamp, _ constants: borrowing FeatureConstants) -> Int64
  {
    let day: Int64 = 86_400_000_000_000
    let passed = (now - constants.dayStart).nanoseconds
    if passed >= 0 && passed < day { return passed }
    let rest = passed % day
    return rest < 0 ? rest + day : rest
  }

  /// The bit of a slot from 64 on, or none.
  @inlinable @inline(__always) static func bit(_ slot: FeatureSlot, _ isSet: Bool) -> UInt32 {
    isSet ? 1 &<< (UInt32(slot.rawValue) &- 64) : 0
  }
  @inlinable @inline(__always) static var sentimentBits: UInt32 {
    bit(.sentiment, true) | bit(.sentimentCalibrated, true) | bit(.sentimentVolume, true)
      | bit(.sentimentMomentum, true)
  }
  @inlinable @inline(__always) static var vixBits: UInt32 { bit(.vix, true) | bit(.vixChange, true) }
  /// Slots that do not age with bars.
  @inlinable @inline(__always) static var contextBits: UInt32 {
    bit(.sentiment, true) | bit(.vix, true) | bit(.yield10y, true) | bit(.yieldCurve, true)
      | bit(.sessionFraction, true)
  }
}

// On the engine, not on the state: a call on a state would be given a copy of its 665 bytes.
extension FeatureEngine {
  /// Writes slots 37–84 and 87 and their masks as of `now`.
  @inlinable @inline(__always) func writeBars(
    _ index: Int, at now: Timestamp, into vector: inout FeatureVector
  ) {
    let base = index &* InstrumentState.barValueCount
    for place in 0..<InstrumentState.barValueCount { vector.values[37 &+ place] = barValues[base &+ place] }
    let own = states[index].sentiment.isKnown ? states[index].sentiment : market.sentiment
    vector[.sentiment] = own.value
    vector[.vix] = market.vix.value
    vector[.yield10y] = market.yield10y.value
    let hasCurve = market.yield10y.isKnown && market.yield2y.isKnown
    vector[.yieldCurve] = hasCurve ? market.yield10y.value - market.yield2y.value : 0
    let clock = InstrumentState.timeOfDay(now, constants)
    let fraction = Double(clock - constants.sessionOpen) / Double(constants.sessionClose - constants.sessionOpen)
    vector[.sessionFraction] = max(0, min(1, fraction))

    var full = states[index].barValid
    full.high |= InstrumentState.bit(.sentiment, own.isKnown) | InstrumentState.bit(.vix, market.vix.isKnown)
    full.high |= InstrumentState.bit(.yield10y, market.yield10y.isKnown) | InstrumentState.bit(.yieldCurve, hasCurve)
    full.high |= InstrumentState.bit(.sessionFraction, true)
    // Bits of the slots whose input is too old.
    var oldLow: UInt64 = 0
    var oldHigh: UInt32 = 0
    if now - states[index].barEndTime > constants.barStaleAge {
      oldLow = ~0
      oldHigh = ~0 ^ InstrumentState.contextBits
    }
    if own.isStale(at: now, constants) { oldHigh |= InstrumentState.sentimentBits }
    if market.vix.isStale(at: now, constants) { oldHigh |= InstrumentState.vixBits }
    let isTwoOld = market.yield2y.isStale(at: now, constants)
    let isTenOld = market.yield10y.isStale(at: now, constants)
    oldHigh |= InstrumentState.bit(.yield10y, isTenOld)
    oldHigh |= InstrumentState.bit(.yieldCurve, isTenOld || isTwoOld)
    vector.valid.low |= full.low & ~oldLow
    vector.valid.high = full.high & ~oldHigh
    vector.stale.low |= full.low & oldLow
    vector.stale.high = full.high & oldHigh
  }
}
