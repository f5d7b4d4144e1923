import Foundation
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: the rule of the forecast, and of missing members. Method: cases worked by hand, and Foundation's exp.
struct CombinerTests {
  private func logits(_ list: [Double]) -> InlineArray<8, Double> {
    InlineArray { $0 < list.count ? list[$0] : 0 }
  }

  private func combiner(_ average: [Double], _ stack: [Double], bias: Double = 0) -> Combiner {
    Combiner(CombinerValues(averageWeights: average, stackWeights: stack, stackBias: bias))
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
    // A bit without a member is not one.
    (0b101, 1.66),
  ]

  @Test(arguments: table)
  func `the logit is stack and average, renormalised over the members present`(
    present: UInt32, expected: Double
  ) {
    let forecast = combiner([0.25, 0.75], [0.5, 1.5], bias: 0.1).forecast(logits([1, 2]), present: present)
    #expect(abs(forecast.probabilityUp - sigmoid(expected)) < 1e-15)
    #expect(forecast.signal == 2 * forecast.probabilityUp - 1)
    #expect(forecast.members == present & 0b11)
    #expect(forecast.isUsable)
  }

  @Test func `three members renormalise in proportion`() {
    let forecast = combiner([0.5, 0.3, 0.2], [1, 2, 1]).forecast(logits([1, -1, 2]), present: 0b101)
    let stack = (1 * 1 + 1 * 2) * 4.0 / 2
    let average = (0.5 * 1 + 0.2 * 2) * 1 / 0.7
    #expect(abs(forecast.probabilityUp - sigmoid(0.6 * stack + 0.4 * average)) < 1e-15)
  }

  @Test func `members of weight zero share alike when they are alone`() {
    let forecast = combiner([1, 0, 0], [2, 0, 0]).forecast(logits([9, 1, 3]), present: 0b110)
    #expect(abs(forecast.probabilityUp - sigmoid(0.6 * (2 * 2) + 0.4 * 2)) < 1e-15)
  }

  @Test func `confidence falls with the members' disagreement`() {
    let even = combiner([0.5, 0.5], [0.5, 0.5])
    let agreed = even.forecast(logits([1, 1]), present: 3)
    #expect(agreed.confidence == agreed.probabilityUp)
    let split = even.forecast(logits([2, -2]), present: 3)
    let deviation = (sigmoid(2) - sigmoid(-2)) / 2
    #expect(abs(split.confidence - 0.5 * (1 - deviation / 0.5)) < 1e-15)
    let opposed = even.forecast(logits([700, -700]), present: 3)
    #expect(opposed.confidence >= 0 && opposed.confidence < 1e-15)
    let down = even.forecast(logits([-1, -1]), present: 3)
    #expect(down.confidence == 1 - down.probabilityUp)
  }

  @Test func `calibration is one multiplication and one addition before the sigmoid`() {
    var one = combiner([1], [1])
    one.calibrationSlope = 1.5
    one.calibrationIntercept = -0.25
    #expect(abs(one.forecast(logits([0.8]), present: 1).probabilityUp - sigmoid(1.5 * 0.8 - 0.25)) < 1e-15)
  }

  @Test func `no member, or a logit that is not finite, is unusable`() {
    let one = combiner([1], [1])
    #expect(!one.forecast(logits([1]), present: 0).isUsable)
    #expect(!one.forecast(logits([1]), present: 0b10).isUsable)
    #expect(!one.forecast(logits([.nan]), present: 1).isUsable)
    let two = combiner([0.5, 0.5], [1, 1])
    #expect(!two.forecast(logits([.infinity, -.infinity]), present: 3).isUsable)
  }

  @Test(arguments: Seeds.brief)
  func `every forecast is finite and within its bounds`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<2000 {
      let count = 1 + random.below(8)
      let average = (0..<count).map { _ in random.unit() }
      let total = average.reduce(0, +)
      let one = combiner(average.map { $0 / total }, (0..<count).map { _ in random.unit() * 2 })
      let list = (0..<count).map { _ in (random.unit() - 0.5) * [1, 10, 1000, 1e300][random.below(4)] }
      let forecast = one.forecast(logits(list), present: UInt32(truncatingIfNeeded: random.next()))
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
