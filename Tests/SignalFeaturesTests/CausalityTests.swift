import SignalFeatures
import TestSupport
import Testing
import TradingTypes

@Suite struct CausalityTests {
  // Goal: the future changes no past output, bit for bit, for every slot of every timeframe. Method: 1,000 random cuts; what was
  // shown up to a cut must be the same whatever follows it, and every slot must have been seen to move.
  @Test func `a thousand random cuts change no past output`() throws {
    var random = SplitMix64(seed: 5)
    var moved = Set<Int>()
    var barriersCrossed = 0
    for round in 0..<10 {
      let steps = marketSteps(seed: UInt64(round), instruments: 3, count: round == 0 ? 3_000 : 300)
      let other = marketSteps(seed: UInt64(round) + 1_000, instruments: 3, count: 40)
      var base = try makeWalk(instruments: 3)
      let shown = steps.map { base.take($0) }
      let rows = shown.filter { !$0.isEmpty }
      for (old, new) in zip(rows, rows.dropFirst()) {
        for place in new.indices where new[place] != old[place] { moved.insert(place) }
      }
      // Prefixes of one run share its work: from each cut the engine goes on with another future, then comes back.
      var cuts = (0..<100).map { _ in random.below(steps.count) }
      cuts.sort()
      var walk = try makeWalk(instruments: 3)
      var position = 0
      for cut in cuts {
        while position < cut {
          #expect(walk.take(steps[position]) == shown[position])
          position += 1
        }
        let snapshot = walk.engine.snapshot()
        let barrier = walk.barrier
        // From now on, or nothing would close and no cross-section be sampled.
        let shift = steps[cut].time - other[0].time
        for step in other.prefix(random.below(25)) { _ = walk.take(step.shifted(by: shift)) }
        barriersCrossed += walk.barrier > barrier ? 1 : 0
        try walk.engine.restore(snapshot)
        walk.barrier = barrier
      }
    }
    #expect(barriersCrossed > 100)
    // All of the vector but the constant tail, and all bar slots of some further block.
    let still = (0..<88).filter { !moved.contains($0) }
    #expect(still.isEmpty, "slots that never moved: \(still)")
    let blocks = (37...79).filter { slot in
      ![48, 74, 78].contains(slot) && !(0..<4).contains { moved.contains(100 + 54 * $0 + slot - 37) }
    }
    #expect(blocks.isEmpty, "slots of blocks that never moved: \(blocks)")
  }
}
