public import LockFreeRings
public import TradingTypes

extension InstrumentState {
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
  /// Slots that do not age with the instrument's own bars.
  @inlinable @inline(__always) static var contextBits: UInt32 {
    bit(.sentiment, true) | bit(.vix, true) | bit(.yield10y, true) | bit(.yieldCurve, true)
      | bit(.relativeStrength, true) | bit(.breadthThrust, true) | bit(.sessionFraction, true)
  }
}

// On the engine, not on the state: a call on a state would be given a copy of its 500 bytes.
extension FeatureEngine {
  /// Writes slots 37–87 and their masks as of `now`.
  @inlinable @inline(__always) func writeBars(
    _ index: Int, at now: Timestamp, into vector: inout FeatureVector
  ) {
    let block = index &* timeframeCount
    let base = block &* BarBlock.count
    for place in 0..<BarBlock.count { vector.values[37 &+ place] = barValues[base &+ place] }
    let own = states[index].sentiment.isKnown ? states[index].sentiment : market.sentiment
    vector[.sentiment] = own.value
    vector[.vix] = market.vix.value
    vector[.yield10y] = market.yield10y.value
    let hasCurve = market.yield10y.isKnown && market.yield2y.isKnown
    vector[.yieldCurve] = hasCurve ? market.yield10y.value - market.yield2y.value : 0
    let clock = InstrumentState.timeOfDay(now, constants)
    let fraction = Double(clock - constants.sessionOpen) / Double(constants.sessionClose - constants.sessionOpen)
    vector[.sessionFraction] = max(0, min(1, fraction))
    vector[.relativeStrength] = members[index].isSampled ? universe.strength(of: members[index].sampled) : 0
    vector[.breadthThrust] = universe.breadth.value

    var full = blocks[block].valid
    full.high |= InstrumentState.bit(.sentiment, own.isKnown) | InstrumentState.bit(.vix, market.vix.isKnown)
    full.high |= InstrumentState.bit(.yield10y, market.yield10y.isKnown) | InstrumentState.bit(.yieldCurve, hasCurve)
    full.high |= InstrumentState.bit(.sessionFraction, true)
    full.high |= InstrumentState.bit(.relativeStrength, members[index].isSampled && universe.hasSpread)
    full.high |= InstrumentState.bit(.breadthThrust, universe.isWarm)
    // Bits of the slots whose input is too old.
    // A volume or dollar bar may take long to fill: its input is the trades.
    let input =
      constants.isPrimaryTimed ? blocks[block].endTime : max(blocks[block].endTime, states[index].trades.printTime)
    var old = oldBars(inputTime: input, age: constants.primaryStaleAge, sentiment: own, at: now)
    let isTwoOld = market.yield2y.isStale(at: now, constants)
    let isTenOld = market.yield10y.isStale(at: now, constants)
    old.high |= InstrumentState.bit(.yield10y, isTenOld)
    old.high |= InstrumentState.bit(.yieldCurve, isTenOld || isTwoOld)
    let isUniverseOld = now - universe.time > constants.primaryStaleAge
    old.high |=
      InstrumentState.bit(.relativeStrength, isUniverseOld) | InstrumentState.bit(.breadthThrust, isUniverseOld)
    vector.valid.low |= full.low & ~old.low
    vector.valid.high = full.high & ~old.high
    vector.stale.low |= full.low & old.low
    vector.stale.high = full.high & old.high
  }

  /// The slots of a block whose last input, sentiment or VIX is too old at `now`.
  @inlinable @inline(__always) func oldBars(
    inputTime: Timestamp, age: TimeSpan, sentiment: ContextValue, at now: Timestamp
  ) -> FeatureMask {
    var old = FeatureMask()
    if now - inputTime > age { old = FeatureMask(low: ~0, high: ~0 ^ InstrumentState.contextBits) }
    if sentiment.isStale(at: now, constants) { old.high |= InstrumentState.sentimentBits }
    if market.vix.isStale(at: now, constants) { old.high |= InstrumentState.vixBits }
    return old
  }
}
