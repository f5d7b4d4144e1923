import CAllocationCounter
import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: a row holds what the definition says, in every set. Method: corners and seeded vectors against plain Swift.
struct ForestRowTests {
  @Test func `a fresh row has no value, and one that is loaded keeps every bit`() {
    var row = KernelRow(featureCount: 70, in: Arena(capacityBytes: KernelRow.arenaBytes(featureCount: 70)))
    for feature in 0..<70 {
      let value = row[feature]
      #expect(value.isNaN)
    }
    let corners: [Float] = [
      0, -0.0, 1e-36, -Float(bitPattern: 71_362), .leastNonzeroMagnitude, .infinity, -.infinity, .nan, 1, -3.5,
    ]
    let list = (0..<70).map { corners[$0 % corners.count] }
    row.load(list)
    for (feature, expected) in list.enumerated() {
      let value = row[feature]
      #expect(value.bitPattern == expected.bitPattern)
    }
  }

  @Test(arguments: KernelSet.supported, Seeds.brief)
  func `a vector is narrowed to the nearest singles, without what is not valid`(set: KernelSet, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var row = KernelRow(featureCount: 96, in: Arena(capacityBytes: KernelRow.arenaBytes(featureCount: 96)))
    let step = Double(Float(1).ulp)
    let corners: [Double] = [
      1 + step / 2, 1 + step * 1.5, -1 - step / 2, 1 + step * 0.51, 1e-36, -1e-46, .leastNonzeroMagnitude, -0.0,
      Double(Float.greatestFiniteMagnitude), 0x1.fffffefffffffp127,
    ]
    for round in 0..<60 {
      var vector = FeatureVector()
      vector.valid = FeatureMask(low: random.next(), high: UInt32(truncatingIfNeeded: random.next()))
      for slot in 0..<96 { vector.values[slot] = (random.unit() - 0.5) * 100 }
      for _ in 0..<8 { vector.values[random.below(96)] = corners[random.below(corners.count)] }
      // A bad value that is not valid is nobody's business; a valid one is refused.
      if round % 3 > 0 {
        let bad = [Double.nan, .infinity, -.infinity, 1e300, -0x1.ffffffp127][random.below(5)]
        let slot = random.below(96)
        vector.values[slot] = bad
        vector.valid[slot] = round % 3 == 2
      }
      let isSound = row.load(vector, set: set)
      #expect(isSound == (round % 3 != 2), "seed \(seed), round \(round)")
      for slot in 0..<96 where isSound {
        let value = row[slot]
        if vector.valid[slot] {
          #expect(value.bitPattern == Float(vector.values[slot]).bitPattern, "seed \(seed), slot \(slot)")
        } else {
          #expect(value.isNaN, "seed \(seed), slot \(slot)")
        }
      }
    }
  }

  @Test(.enabled(if: countsAllocations))
  func `loading a row allocates nothing`() {
    var row = KernelRow(featureCount: 96, in: Arena(capacityBytes: KernelRow.arenaBytes(featureCount: 96)))
    var vector = FeatureVector()
    vector.valid = FeatureMask(low: .max, high: .max)
    for set in KernelSet.supported {
      var sound = row.load(vector, set: set)
      let counts = counting {
        for index in 0..<1000 {
          vector.values[index % 96] += 1
          sound = row.load(vector, set: set) && sound
        }
      }
      #expect(counts.allocations == 0 && counts.retains == 0 && sound, "\(set)")
    }
  }
}
