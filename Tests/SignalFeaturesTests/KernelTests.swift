import Foundation
import SignalFeatures
import TestSupport
import Testing
import TradingTypes

// Goal: each kernel equals its definition. Method: plain batch twins over random series.
@Suite struct KernelTests {
  @Test func `a spike leaves no trace in a rolling variance`() {
    var window = RollingWindow<8>(length: 5)
    window.update(9.54e8)
    for _ in 0..<50 { for value in [0.6225, 0, 1.14, 0.3] { window.update(value) } }
    let variance = WindowMoments.secondSum(window.last(5)).variance(missing: 0)
    #expect(abs(variance.squareRoot() - 0.3875112901581062) < 1e-15)
  }

  @Test func `a small wave on a large level keeps nine digits of its variance`() {
    var window = RollingWindow<32>(length: 20)
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
      let variance = WindowMoments.secondSum(window.last(20)).variance(missing: 1)
      #expect(abs(variance - exact) <= 1e-9 * exact)
    }
  }

  @Test(arguments: Seeds.brief) func `windows of every length equal their batch definitions`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var window = RollingWindow<48>(length: 37)
    var other = RollingWindow<40>(length: 37)
    var history: [Double] = []
    for step in 0..<400 {
      let value = random.unit() - 0.4
      window.update(value)
      other.update(value * value)
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
      let magnitudes = WindowMoments.magnitudeSums(window.last(length))
      #expect(
        close(magnitudes.all, x.map(abs).reduce(0, +)) && close(magnitudes.positive, x.filter { $0 > 0 }.reduce(0, +)),
        "seed \(seed)")
      let kept = x.filter { $0 >= 0 }
      let keptMean = kept.isEmpty ? 0 : kept.reduce(0, +) / Double(kept.count)
      #expect(close(WindowMoments.meanOfNonNegative(window.last(length)), keptMean), "seed \(seed)")
      #expect(window.value(age: 0) == value && window.value(age: x.count - 1) == x[0], "seed \(seed)")

      let pairs = zip(x.dropFirst(), x)
      let products = pairs.map { ($0 - mean) * ($1 - mean) }.reduce(0, +)
      let expected = x.count > 1 && moments[0] > 0 ? products / moments[0] : 0
      #expect(
        close(WindowMoments.autocorrelation(window.last(length), sums), expected), "seed \(seed), length \(length)")
      if x.count > 1 {
        let newer = x.dropFirst().reduce(0, +) / (n - 1)
        let older = x.dropLast().reduce(0, +) / (n - 1)
        let covariance = pairs.map { ($0 - newer) * ($1 - older) }.reduce(0, +) / (n - 1)
        #expect(close(WindowMoments.neighbourCovariance(window.last(length)), covariance), "seed \(seed)")
        let squares = x.map { $0 * $0 }
        let otherMean = squares.reduce(0, +) / n
        let slope = zip(x, squares).map { ($0 - mean) * ($1 - otherMean) }.reduce(0, +) / moments[0]
        let fit = WindowMoments.regression(of: other.last(length), on: window.last(length))
        #expect(
          abs(fit.slope - slope) <= 1e-9 * max(1, abs(slope)) && close(fit.otherMean, otherMean), "seed \(seed)")
      }
      let ratio = WindowMoments.varianceRatio5(window.last(length))
      if x.count > 5 {
        let squares = (4..<x.count).map { pow(x[($0 - 4)...$0].reduce(0, +) - 5 * mean, 2) }.reduce(0, +)
        let wanted = squares / (5 * (n - 4) * (1 - 5 / n)) / (moments[0] / (n - 1))
        #expect(close(ratio, wanted), "seed \(seed), length \(length)")
      } else {
        #expect(ratio == 0, "seed \(seed)")
      }
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
