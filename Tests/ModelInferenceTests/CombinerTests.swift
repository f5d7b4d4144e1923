import Foundation
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

@testable import ModelInference

// Goal: the rule of the forecast, and of missing members. Method: cases worked by hand, and Foundation's exp.
struct CombinerTests {
  private func logits(_ list: [Double]) -> InlineArray<8, Double> {
    InlineArray { $0 < list.count ? list[$0] : 0 }
  }

  /// The forecast of members whose logits are given.
  private func forecast(
    _ average: [Double], _ stack: CombinerValues.Stack, _ list: [Double], present: UInt32,
    calibration: Calibration = .identity
  ) -> Forecast {
    var models = EnsembleModels(seed: 1)
    let member = EnsembleModel.Member(name: "m", kind: .forest(models.forest(4)))
    let model = EnsembleModel(
      features: ["a", "b", "c", "d"], members: average.map { _ in member },
      combiner: CombinerValues(averageWeights: average, stack: stack, calibration: calibration))
    let arena = Arena(capacityBytes: JointKernel.arenaBytes(for: model))
    var joint = JointKernel(model, set: KernelSet.best.resolved, in: arena)
    return joint.forecast(logits(list), present: present)
  }

  private func forecast(
    _ average: [Double], _ weights: [Double], bias: Double = 0, _ list: [Double], present: UInt32
  ) -> Forecast {
    forecast(average, .logistic(weights: weights, bias: bias), list, present: present)
  }

  private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  // Members present and the logit, for logits 1 and 2, stack weights 0.5 and 1.5 with bias 0.1, average weights 0.25
  // and 0.75.
  static let table: [(present: UInt32, expected: Double)] = [
    // 0.6 × (0.1 + 0.5 + 3) + 0.4 × (0.25 + 1.5)
    (0b11, 2.86),
    // One member missing: the other gets all the weight, 2 of the stack and 1 of the average; the bias stays.
    (0b01, 1.66),
    (0b10, 3.26),
  ]

  @Test(arguments: table)
  func `the logit is stack and average, renormalised over the members present`(present: UInt32, expected: Double) {
    let forecast = forecast([0.25, 0.75], [0.5, 1.5], bias: 0.1, [1, 2], present: present)
    #expect(abs(forecast.probabilityUp - sigmoid(expected)) < 1e-15)
    #expect(forecast.signal == 2 * forecast.probabilityUp - 1)
    #expect(forecast.members == present)
    #expect(forecast.isUsable)
  }

  @Test func `three members renormalise in proportion`() {
    let forecast = forecast([0.5, 0.3, 0.2], [1, 2, 1], [1, -1, 2], present: 0b101)
    let stack = (1 * 1 + 1 * 2) * 4.0 / 2
    let average = (0.5 * 1 + 0.2 * 2) * 1 / 0.7
    #expect(abs(forecast.probabilityUp - sigmoid(0.6 * stack + 0.4 * average)) < 1e-15)
  }

  @Test func `members of weight zero share alike when they are alone`() {
    let forecast = forecast([1, 0, 0], [2, 0, 0], [9, 1, 3], present: 0b110)
    #expect(abs(forecast.probabilityUp - sigmoid(0.6 * (2 * 2) + 0.4 * 2)) < 1e-15)
  }

  @Test func `confidence falls with the members' disagreement`() {
    func even(_ list: [Double]) -> Forecast { forecast([0.5, 0.5], [0.5, 0.5], list, present: 3) }
    let agreed = even([1, 1])
    #expect(agreed.confidence == agreed.probabilityUp)
    let split = even([2, -2])
    let deviation = (sigmoid(2) - sigmoid(-2)) / 2
    #expect(abs(split.confidence - 0.5 * (1 - deviation / 0.5)) < 1e-15)
    let opposed = even([700, -700])
    #expect(opposed.confidence >= 0 && opposed.confidence < 1e-15)
    let down = even([-1, -1])
    #expect(down.confidence == 1 - down.probabilityUp)
  }

  @Test func `Platt's calibration is one multiplication and one addition before the sigmoid`() {
    let forecast = forecast(
      [1], .logistic(weights: [1], bias: 0), [0.8], present: 1, calibration: .platt(slope: 1.5, intercept: -0.25))
    #expect(abs(forecast.probabilityUp - sigmoid(1.5 * 0.8 - 0.25)) < 1e-15)
  }

  @Test func `an isotonic calibration follows its knots`() {
    let calibration = Calibration.isotonic(x: [0.2, 0.8], y: [0.1, 0.7])
    let forecast = forecast([1], .logistic(weights: [1], bias: 0), [0], present: 1, calibration: calibration)
    #expect(abs(forecast.probabilityUp - 0.4) < 1e-15)
  }

  // Trees that give 1 where the second logit is above 0.5, −1 where it is missing, else 0.
  @Test func `a stack of trees reads logits in single precision, NaN where a member is missing`() {
    let trees = DecisionForest(
      featureCount: 2,
      columns: [
        DecisionForest.Column(feature: 1, sight: .thresholds([-1e30, 0.5], missing: .nan))
      ],
      trees: [
        DecisionForest.Tree(
          nodes: [
            DecisionForest.Node(column: 0, test: 0, missingGoesRight: false, left: ~0, right: 1),
            DecisionForest.Node(column: 0, test: 1, missingGoesRight: false, left: ~1, right: ~2),
          ], leaves: [-1, 0, 1])
      ], link: .logistic(scale: 2))
    func meta(_ list: [Double], _ present: UInt32) -> Double {
      forecast([0.5, 0.5], .forest(trees), list, present: present).probabilityUp
    }
    #expect(abs(meta([1, 0.75], 3) - sigmoid(0.6 * 2 + 0.4 * 0.875)) < 1e-15)
    #expect(abs(meta([1, 0.25], 3) - sigmoid(0.6 * 0 + 0.4 * 0.625)) < 1e-15)
    #expect(abs(meta([1, 0.75], 1) - sigmoid(0.6 * -2 + 0.4 * 1)) < 1e-15)
    // Just above a half in double precision is a half in single precision.
    #expect(abs(meta([0, 0.5 + 1e-12], 3) - sigmoid(0.4 * 0.25)) < 1e-12)
  }

  @Test func `no member, or a logit that is not finite, is unusable`() {
    #expect(!forecast([1], [1], [1], present: 0).isUsable)
    #expect(!forecast([1], [1], [.nan], present: 1).isUsable)
    #expect(!forecast([0.5, 0.5], [1, 1], [.infinity, -.infinity], present: 3).isUsable)
  }

  @Test(arguments: Seeds.brief)
  func `every forecast is finite and within its bounds`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<300 {
      let count = 1 + random.below(8)
      let average = (0..<count).map { _ in random.unit() }
      let total = average.reduce(0, +)
      let list = (0..<count).map { _ in (random.unit() - 0.5) * [1, 10, 1000, 1e300][random.below(4)] }
      let forecast = forecast(
        average.map { $0 / total }, (0..<count).map { _ in random.unit() * 2 }, list,
        present: UInt32(truncatingIfNeeded: random.next()) & ((1 << UInt32(count)) - 1))
      #expect(forecast.probabilityUp >= 0 && forecast.probabilityUp <= 1, "seed \(seed)")
      #expect(forecast.confidence >= 0 && forecast.confidence <= 1, "seed \(seed)")
    }
  }

  // Goal: our exponential is right to 2 ulp of the platform's, which is right to 1.
  @Test func `the exponential follows the platform's within two units in the last place`() {
    var random = SplitMix64(seed: 11)
    for _ in 0..<20_000 {
      let x = (random.unit() - 0.5) * 1400
      let expected = exp(x)
      #expect(abs(DeterministicMath.exp(x) - expected) <= 2 * expected.ulp, "x \(x)")
    }
    #expect(DeterministicMath.exp(0) == 1)
    #expect(DeterministicMath.exp(-1e300) == 0)
    #expect(DeterministicMath.exp(710) == .infinity)
    #expect(DeterministicMath.exp(.nan).isNaN)
  }

  @Test func `the sigmoid is a half at 0, never leaves its bounds, and is symmetric`() {
    #expect(DeterministicMath.sigmoid(0) == 0.5)
    #expect(DeterministicMath.sigmoid(1e308) == 1)
    #expect(DeterministicMath.sigmoid(-1e308) == 0)
    #expect(DeterministicMath.sigmoid(-.infinity) == 0)
    for step in -400...400 {
      let x = Double(step) / 10
      #expect(abs(DeterministicMath.sigmoid(x) + DeterministicMath.sigmoid(-x) - 1) <= 0x1p-52)
    }
  }
}
