import Foundation
import SignalFeatures
import TestSupport
import Testing
import TradingTypes

// Goal: each kernel equals its definition. Method: plain batch twins over random series.
@Suite struct KernelTests {
  @Test func `a spike leaves no trace in a rolling variance`() {
    var window = RollingWindow<8>()
    window.update(9.54e8)
    for _ in 0..<50 { for value in [0.6225, 0, 1.14, 0.3] { window.update(value) } }
    #expect(abs(window.variance(5, missing: 0).squareRoot() - 0.3875112901581062) < 1e-15)
  }

  @Test func `a small wave on a large level keeps nine digits of its variance`() {
    var window = RollingWindow<32>()
    var history: [Double] = []
    for index in 0..<5_000 {
      let value = 1e8 + 0.1 * sin(Double(index))
      window.update(value)
      history.append(value)
      let last = history.suffix(20)
      guard last.count == 20 else { continue }
      // Differences from one of the values are exact, so this is the variance to the last digits.
      let moved = last.map { $0 - last.first! }
      let mean = moved.reduce(0, +) / 20
      let exact = moved.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 19
      #expect(abs(window.variance(20, missing: 1) - exact) <= 1e-9 * exact)
    }
  }

  @Test(arguments: Seeds.brief) func `maximum and quantile equal a search of the window`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var maximum = MonotonicMaximum<16>(length: 10)
    var sorted = SortedWindow<10>()
    var history: [Double] = []
    for _ in 0..<2_000 {
      // Few distinct values, so that ties are common.
      let value = Double(random.below(8))
      history.append(value)
      maximum.update(value)
      sorted.update(value)
      let last = history.suffix(10).sorted()
      #expect(maximum.value == last.last!, "seed \(seed)")
      let position = 0.9 * Double(last.count - 1)
      let below = Int(position)
      let above = min(last.count - 1, below + 1)
      let expected = last[below] + (position - Double(below)) * (last[above] - last[below])
      #expect(sorted.quantile(0.9) == expected, "seed \(seed)")
    }
  }

  @Test(arguments: Seeds.brief) func `averages equal their recursion and peeking is updating`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var wilder = WilderAverage(length: 14)
    var exponential = ExponentialAverage(length: 9, seedCount: 9)
    var history: [Double] = []
    var slow = 0.0
    var fast = 0.0
    for _ in 0..<300 {
      let value = random.unit()
      history.append(value)
      let mean = history.reduce(0, +) / Double(history.count)
      slow = history.count <= 14 ? mean : (slow * 13 + value) / 14
      fast = history.count <= 9 ? mean : fast + 0.2 * (value - fast)
      let peeked = (wilder.peek(value), exponential.peek(value))
      wilder.update(value)
      exponential.update(value)
      #expect(peeked == (wilder.value, exponential.value))
      #expect(abs(wilder.value - slow) < 1e-12 && abs(exponential.value - fast) < 1e-12, "seed \(seed)")
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
}
