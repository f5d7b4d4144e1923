import LockFreeRings
import SignalFeatures
import TestSupport
import TradingTypes

/// Feature engines under inputs that no feed should send.
enum FeatureProof {
  static let instruments = 3

  /// What is unsound in the slots after each of `steps` inputs: values that are not finite, slots both valid and stale.
  ///
  /// - Parameter plantedAt: a step after which one slot is made not a number, to see that it is found.
  static func faults(steps: Int, seed: UInt64, plantedAt: Int? = nil) throws -> [String] {
    var configuration = FeatureConfiguration()
    configuration.delayedCapacity = 16
    configuration.furtherBars = [.volume(1), .dollar(500), .time(.seconds(1)), .volume(100_000)]
    var engine = try FeatureEngine(
      instrumentCount: instruments, configuration: configuration, in: Arena(capacityBytes: 8 << 20))
    var market = WildMarket(seed: seed, instruments: instruments)
    var vector = FeatureVector()
    var block = BarBlock()
    var barrier = Timestamp.distantPast
    var faults: [String] = []
    for step in 0..<steps {
      market.hasWildTimes = step > steps - steps / 100
      switch market.next() {
      case .context(let event): _ = engine.receive(event)
      case .model(let id, let variance, let bear, let bull):
        _ = engine.setModelSlots(id, garchVariance: variance, regimeProbabilities: (bear, 0.2, bull))
      case .row(let row):
        let id = row.event.instrument
        let time = row.event.time
        if time >= barrier {
          let sample = engine.sampleUniverse(at: time)
          engine.takeUniverse(sample, at: time)
          barrier = time + .seconds(60)
        }
        while engine.closeBar(id, at: time) != nil {}
        engine.update(row.event, effect: row.effect, depth: row.depth)
        guard Int(id.index) < instruments else { continue }
        engine.vector(of: id, depth: row.depth, at: time, into: &vector)
        if step == plantedAt { vector.values[step % 88] = .nan }
        var isSound = vector.valid.low & vector.stale.low == 0 && vector.valid.high & vector.stale.high == 0
        for slot in 0..<96 where !vector.values[slot].isFinite { isSound = false }
        let timeframe = step % engine.timeframeCount
        engine.bars(of: id, timeframe: timeframe, at: time, into: &block)
        for value in 0..<BarBlock.count where !block.values[value].isFinite { isSound = false }
        if !isSound, faults.count < 100 {
          faults.append("step \(step), seed \(seed): a slot is not finite, or valid and stale")
        }
      }
    }
    return faults
  }
}
