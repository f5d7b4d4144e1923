import BuiltinModels
import CAllocationCounter
import Foundation
import LockFreeRings
import ModelImport
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: the whole stage keeps its promises: same bits in every set, missing members, no bad number, no allocation.
// Method: the ensemble the executables carry, and small models where a case must be certain.
struct EnsembleTests {
  static func rows(_ count: Int, seed: UInt64) -> [FeatureVector] {
    var models = RandomModels(seed: seed)
    return (0..<count).map { _ in models.row(missingOneIn: 12).vector }
  }

  @Test func `the built-in ensemble holds, has a hundred trees and a network, and is below a mebibyte`() throws {
    let artifact = try BuiltinModels.ensemble()
    #expect(artifact.byteCount < 1 << 20 && artifact.goldenRows.count >= 16)
    #expect(artifact.model.members.count == 2)
    guard case .trees(let trees) = artifact.model.members[0].kind,
      case .network(let network) = artifact.model.members[1].kind
    else {
      Issue.record("trees, then a network")
      return
    }
    #expect(trees.trees.count == 100 && trees.trees.allSatisfy { $0.leaves.count <= 31 })
    #expect(network.layers.map(\.outputs) == [64, 32, 1])
  }

  @Test func `every set gives the golden bits of the built-in ensemble`() throws {
    let artifact = try BuiltinModels.ensemble()
    for set in KernelSet.supported {
      let ensemble = Ensemble(artifact, kernels: set, in: arena(for: artifact.model))
      for row in artifact.goldenRows {
        let answer = row.answered(by: ensemble)
        #expect(answer == row, "\(set)")
      }
    }
  }

  @Test(arguments: Seeds.brief)
  func `every set gives the same forecasts, counts included`(seed: UInt64) throws {
    let artifact = try BuiltinModels.ensemble()
    var all: [[UInt64]] = []
    for set in KernelSet.supported {
      var ensemble = Ensemble(artifact, kernels: set, in: arena(for: artifact.model))
      var bits: [UInt64] = []
      for vector in Self.rows(200, seed: seed) {
        let forecast = ensemble.forecast(vector)
        bits += [forecast.probabilityUp.bitPattern, forecast.confidence.bitPattern, UInt64(forecast.members)]
      }
      bits += [ensemble.counters.partial, ensemble.counters.unusable, ensemble.counters.forecasts]
      all.append(bits)
    }
    #expect(all.allSatisfy { $0 == all[0] }, "seed \(seed)")
    #expect(Set(all[0]).count > 300, "forecasts differ from each other")
  }

  @Test func `a member without a required slot drops out, and without any the forecast is unusable`() throws {
    var models = RandomModels(seed: 21)
    var first = FeatureMask()
    first[.spread] = true
    var second = FeatureMask()
    second[.sessionFraction] = true
    let model = EnsembleModel(
      members: [
        EnsembleModel.Member(kind: .trees(models.trees(count: 9, leaves: 9)), required: first),
        EnsembleModel.Member(kind: .trees(models.trees(count: 9, leaves: 9)), required: second),
      ], combiner: CombinerValues(averageWeights: [0.3, 0.7], stackWeights: [1, 0.5], stackBias: 0.2))
    var ensemble = Ensemble(model, in: arena(for: model))
    var vector = models.row(missingOneIn: 0).vector
    let whole = ensemble.forecast(vector)
    #expect(whole.members == 0b11)
    vector.valid[.spread] = false
    let part = ensemble.forecast(vector)
    #expect(part.members == 0b10 && part.isUsable)
    let logit = ensemble.memberLogits(vector)!.logits[1]
    #expect(
      part.probabilityUp
        == DeterministicMath.sigmoid(0.6 * (0.2 + 0.5 * logit * (1.5 / 0.5)) + 0.4 * (0.7 * logit * (1 / 0.7))))
    vector.valid[.sessionFraction] = false
    let none = ensemble.forecast(vector)
    #expect(!none.isUsable && none.confidence == 0 && none.probabilityUp == 0.5)
    let expected = (
      ensemble.counters.forecasts, ensemble.counters.partial, ensemble.counters.unusable, ensemble.counters.notFinite
    )
    #expect(expected == (3, 1, 1, 0))
  }

  @Test(arguments: KernelSet.supported)
  func `a value that is not finite in single precision is counted and unusable`(set: KernelSet) throws {
    let artifact = try BuiltinModels.ensemble()
    var ensemble = Ensemble(artifact, kernels: set, in: arena(for: artifact.model))
    let bad: [Double] = [.nan, .infinity, -.infinity, 1e300, -1e39, .signalingNaN]
    for (number, value) in bad.enumerated() {
      for slot in [0, 7, 8, 63, 64, 95] {
        var vector = Self.rows(1, seed: 4)[0]
        vector.values[slot] = value
        let forecast = ensemble.forecast(vector)
        #expect(!forecast.isUsable, "\(value) in slot \(slot)")
      }
      #expect(ensemble.counters.notFinite == UInt64(6 * (number + 1)))
    }
    var vector = Self.rows(1, seed: 4)[0]
    vector.values[3] = Double(Float.greatestFiniteMagnitude)
    let forecast = ensemble.forecast(vector)
    #expect(forecast.isUsable)
  }

  // Half way between two singles goes to the even one: the narrowing decides a tree here.
  @Test(arguments: KernelSet.supported)
  func `values are narrowed to the nearest single, ties to even`(set: KernelSet) {
    var thresholds = [[Float]](repeating: [], count: 96)
    thresholds[2] = [1]
    let tree = TreeModel.Tree(
      nodes: [TreeModel.Node(feature: 2, bin: 0, missingGoesRight: false, left: ~0, right: ~1)], leaves: [-1, 1])
    let whole = alone(.trees(TreeModel(thresholds: thresholds, zeroIsMissing: FeatureMask(), trees: [tree], scale: 1)))
    let ensemble = Ensemble(whole, kernels: set, in: arena(for: whole))
    let step = Double(Float(1).ulp)
    for (value, leaf) in [(1.0, 0 as UInt32), (1 + step / 2, 0), (1 + step * 0.51, 1), (1 + step, 1), (1 - step, 0)] {
      var vector = FeatureVector()
      vector.values[2] = value
      vector.valid = FeatureMask(low: .max, high: .max)
      let leaves = ensemble.exitLeaves(of: 0, vector)
      #expect(leaves == [leaf], "\(value)")
    }
  }

  @Test(.enabled(if: countsAllocations))
  func `a forecast allocates and retains nothing`() throws {
    let artifact = try BuiltinModels.ensemble()
    let vectors = Self.rows(64, seed: 9)
    for set in KernelSet.supported {
      var ensemble = Ensemble(artifact, kernels: set, in: arena(for: artifact.model))
      var sum = 0.0
      for vector in vectors { sum += ensemble.forecast(vector).probabilityUp }
      let counts = counting {
        for index in 0..<1000 { sum += ensemble.forecast(vectors[index & 63]).probabilityUp }
      }
      #expect(counts.allocations == 0 && counts.retains == 0, "\(set)")
      #expect(sum > 0)
    }
  }

  @Test func `an instruction set the processor lacks is refused as misuse`() async {
    if KernelSet.avx512.isSupported { return }
    await #expect(processExitsWith: .failure) {
      let artifact = try BuiltinModels.ensemble()
      _ = Ensemble(artifact, kernels: .avx512, in: Arena(capacityBytes: 4 << 20))
    }
  }
}
