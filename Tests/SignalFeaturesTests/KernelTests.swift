import Foundation
import SignalFeatures
import TestSupport
import Testing
import TradingTypes

// Goal: moments of windows and elementary functions equal their definitions. Method: plain loops over random series.
@Suite struct KernelTests {
  @Test(arguments: Seeds.brief) func `windows of every length equal their batch definitions`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var window = RollingWindow<48>(length: 37)
    var history: [Double] = []
    for step in 0..<400 {
      let value = random.unit() - 0.4
      window.update(value)
      history.append(value)
      let length = 1 + step % 37
      let x = Array(history.suffix(length))
      let n = Double(x.count)
      let mean = x.reduce(0, +) / n
      let moments = (2...4).map { power in x.map { pow($0 - mean, Double(power)) }.reduce(0, +) }
      let sums = WindowMoments.centralSums(window.last(length))
      let close = { (a: Double, b: Double) in abs(a - b) <= 1e-11 * max(1, abs(b)) }
      #expect(sums.count == x.count && close(sums.mean, mean), "seed \(seed)")
      #expect(
        close(sums.second, moments[0]) && close(sums.third, moments[1]) && close(sums.fourth, moments[2]),
        "seed \(seed), length \(length)")
      #expect(close(WindowMoments.sum(window.last(length)), x.reduce(0, +)), "seed \(seed)")
      #expect(close(WindowMoments.squareSum(window.last(length)), x.map { $0 * $0 }.reduce(0, +)), "seed \(seed)")
      #expect(window.value(age: 0) == value && window.value(age: x.count - 1) == x[0], "seed \(seed)")

      let pairs = zip(x.dropFirst(), x)
      let products = pairs.map { ($0 - mean) * ($1 - mean) }.reduce(0, +)
      let expected = x.count > 1 && moments[0] > 0 ? products / moments[0] : 0
      #expect(
        close(WindowMoments.autocorrelation(window.last(length), sums), expected), "seed \(seed), length \(length)")
      let magnitudes = pairs.map { abs($0 * $1) }.reduce(0, +)
      #expect(close(WindowMoments.neighbourMagnitudes(window.last(length)), magnitudes), "seed \(seed)")
    }
  }

  @Test(arguments: Seeds.brief) func `powers and logarithms agree with the C library`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<5_000 {
      let x = (random.unit() - 0.5) * 200
      #expect(abs(DeterministicMath.exp2(x) / Foundation.exp2(x) - 1) < 1e-14)
      let y = Foundation.exp2(x)
      #expect(abs(FeatureArithmetic.log(y) - Foundation.log(y)) <= 1e-14 * max(1e-3, abs(Foundation.log(y))))
      let z = 1 + (random.unit() - 0.5) * 1e-3
      #expect(abs(DeterministicMath.logRatio(z, 1) - Foundation.log1p(z - 1)) <= 1e-15 * abs(z - 1) + 1e-22)
    }
    #expect(DeterministicMath.exp2(0) == 1 && DeterministicMath.exp2(-3) == 0.125)
    #expect(DeterministicMath.exp2(-1e9) >= 0 && DeterministicMath.exp2(-1e9) < 1e-300)
    #expect(FeatureArithmetic.log(1) == 0 && FeatureArithmetic.log(0) == 0)
    #expect(Double(approximating: Int128(-12345)) == -12345)
  }

  @Test(arguments: Seeds.brief) func `percentages stay within 0 and 100, also where all moves go one way`(seed: UInt64)
  {
    var random = SplitMix64(seed: seed)
    for _ in 0..<1_000 {
      let length = 1 + random.below(20)
      var strength = RelativeStrengthIndex(length: length)
      var flow = MoneyFlowIndex<32>(length: length)
      var movement = DirectionalMovement(length: length)
      var close: Int64 = 100_000_000_000
      let sign: Int64 = random.below(2) == 0 ? -1 : 1
      for step in 0..<50 {
        let last = close
        let move = sign * Int64(random.below(1_000_000))
        close += step < 3 && random.below(3) == 0 ? -move : move
        let (low, high) = random.below(5) == 0 ? (close, close) : (min(last, close), max(last, close))
        strength.update(Double(close) / 1e9)
        flow.update(
          high: Price(nanos: high), low: Price(nanos: low), close: Price(nanos: close),
          volume: Quantity(lots: Int64(random.below(1_000_000))))
        movement.update(high: Double(high) / 1e9, low: Double(low) / 1e9, close: Double(close) / 1e9)
        let (plus, minus, index) = movement.value
        for value in [strength.value, flow.value, plus, minus, index] where !(0...100).contains(value) {
          Issue.record("\(value), length \(length), seed \(seed)")
        }
      }
    }
  }
}
