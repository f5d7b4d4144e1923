import LockFreeRings
import ModelImport
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: every instruction set gives the bits of the definition. Method: random models with every tail and extreme,
// each set against a slow twin that shares no table with it. Missing hardware leaves its set out; scalar always runs.
struct KernelTests {
  @Test func `scalar runs everywhere and best is a supported set`() {
    #expect(KernelSet.supported.first == .scalar)
    #expect(KernelSet.supported.contains(KernelSet.best.resolved))
  }

  @Test(arguments: Seeds.brief.prefix(3), [false, true])
  func `trees in every set exit at the leaves of the slow twin`(seed: UInt64, zeroIsMissing: Bool) {
    var models = RandomModels(seed: seed)
    for (count, leaves) in [(1, 1), (1, 32), (16, 31), (17, 31), (63, 8), (64, 32), (65, 31), (100, 31), (9, 70)] {
      let model = models.trees(count: count, leaves: leaves, zeroIsMissing: zeroIsMissing)
      let whole = alone(.trees(model))
      for set in KernelSet.supported {
        let ensemble = Ensemble(whole, kernels: set, in: arena(for: whole))
        var rows = RandomModels(seed: seed ^ 77)
        for round in 0..<6 {
          // No missing slot, some, and nothing but missing slots.
          let row = rows.row(missingOneIn: [0, 5, 1][round % 3])
          let leaves = ensemble.exitLeaves(of: 0, row.vector)
          let sum = ensemble.rawScore(of: 0, row.vector)
          #expect(leaves.map { Int($0) } == exitLeavesReference(model, row), "seed \(seed), \(set), \(count) trees")
          #expect(sum?.bitPattern == rawSumReference(model, row).bitPattern, "seed \(seed), \(set), \(count) trees")
        }
      }
    }
  }

  // A value exactly at a threshold goes left, its upper neighbour right.
  @Test(arguments: KernelSet.supported)
  func `trees decide rightly at every threshold and one step beside it`(set: KernelSet) {
    var models = RandomModels(seed: 5)
    let model = models.trees(count: 20, leaves: 31)
    let ensemble = Ensemble(alone(.trees(model)), kernels: set, in: arena(for: alone(.trees(model))))
    var row = models.row(missingOneIn: 0)
    for slot in 0..<88 {
      let kept = row.values[slot]
      for threshold in model.thresholds[slot].prefix(8) {
        for value in [threshold, threshold.nextUp, threshold.nextDown] {
          row.values[slot] = value
          let leaves = ensemble.exitLeaves(of: 0, row.vector)
          #expect(leaves.map { Int($0) } == exitLeavesReference(model, row), "slot \(slot), value \(value)")
        }
      }
      row.values[slot] = kept
    }
  }

  @Test(arguments: Seeds.brief.prefix(3))
  func `networks of every shape give the logit of plain loops in every set`(seed: UInt64) {
    var models = RandomModels(seed: seed)
    let shapes: [[Int]] = [
      [], [1], [15], [16], [17], [31], [32, 5], [33], [48], [63, 1], [64, 32], [65], [96, 80], [7, 9, 11], [256, 256],
    ]
    for hidden in shapes {
      let model = models.network(hidden: hidden)
      let whole = alone(.network(model))
      for set in KernelSet.supported {
        let ensemble = Ensemble(whole, kernels: set, in: arena(for: whole))
        var rows = RandomModels(seed: seed &+ 9)
        for round in 0..<6 {
          let row = rows.row(missingOneIn: [0, 5, 1][round % 3])
          let answer = ensemble.memberLogits(row.vector)
          let expected = Double(logitReference(model, row))
          #expect(answer?.logits[0].bitPattern == expected.bitPattern, "seed \(seed), \(set), hidden \(hidden)")
        }
      }
    }
  }

  // Inputs of 255 with weights of ±127 and −128: a pair product in 16 bits would saturate.
  @Test(arguments: KernelSet.supported)
  func `the largest activations and weights do not saturate`(set: KernelSet) {
    var models = RandomModels(seed: 8)
    var row = models.row(missingOneIn: 0)
    for slot in 0..<88 { row.values[slot] = 1e30 }
    for hidden in [[], [64], [64, 32]] {
      for sign: Int8 in [127, -127, -128] {
        var model = models.network(hidden: hidden, allExtreme: true)
        model.layers[0].weights = model.layers[0].weights.map { _ in sign }
        let whole = alone(.network(model))
        let ensemble = Ensemble(whole, kernels: set, in: arena(for: whole))
        let answer = ensemble.memberLogits(row.vector)
        #expect(answer?.logits[0] == Double(logitReference(model, row)))
        if hidden.isEmpty {
          let padding = (88..<96).reduce(0) { sum, _ in sum + 128 * Int(sign) }
          #expect(answer?.logits[0] == Double(Int(model.layers[0].bias[0]) + 88 * 255 * Int(sign) + padding))
        }
      }
    }
  }

  // Rounding half to even, at the input and between the layers: halves are exact here.
  @Test(arguments: KernelSet.supported)
  func `halves round to even`(set: KernelSet) {
    func network(_ layers: [NeuralModel.Layer]) -> NeuralModel {
      NeuralModel(
        centers: [Float](repeating: 0, count: 96), inverseSteps: [Float](repeating: 1, count: 96), layers: layers)
    }
    let one = [Int8(1)] + [Int8](repeating: 0, count: 95)
    let input = network([NeuralModel.Layer(inputs: 96, outputs: 1, weights: one, bias: [-128], scales: [1])])
    let between = network([
      NeuralModel.Layer(inputs: 96, outputs: 1, weights: one, bias: [-128], scales: [0.5]),
      NeuralModel.Layer(inputs: 1, outputs: 1, weights: [1], bias: [0], scales: [1]),
    ])
    let wholeInput = alone(.network(input))
    let wholeBetween = alone(.network(between))
    let first = Ensemble(wholeInput, kernels: set, in: arena(for: wholeInput))
    let second = Ensemble(wholeBetween, kernels: set, in: arena(for: wholeBetween))
    var row = FeatureTable.Row(values: [Float](repeating: 0, count: 96), valid: FeatureMask(low: .max, high: .max))
    for (value, expected) in [
      (0.5, 0.0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (-2.5, -2), (500, 127), (-500, -128),
    ] {
      row.values[0] = Float(value)
      let answer = first.memberLogits(row.vector)
      #expect(answer?.logits[0] == expected, "input \(value)")
    }
    for (value, expected) in [(1.0, 0.0), (3, 2), (5, 2), (7, 4), (-3, 0), (127, 64)] {
      row.values[0] = Float(value)
      let answer = second.memberLogits(row.vector)
      #expect(answer?.logits[0] == expected, "activation \(value)")
    }
  }
}
