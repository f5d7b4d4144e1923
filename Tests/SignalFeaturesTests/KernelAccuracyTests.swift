import Foundation
import SignalFeatures
import TestSupport
import Testing
import TradingTypes

// Goal: an outlier leaves no trace and a large level costs no digits in any kernel that knows a variance. Method: the two series
// of the golden files on each of them.
@Suite struct KernelAccuracyTests {
  /// 9.54e8, then 50 times the same four values.
  let spike: [Double] = [9.54e8] + (0..<200).map { [0.6225, 0, 1.14, 0.3][$0 % 4] }
  /// A small wave on a large level.
  let wave: [Double] = (0..<5_000).map { 1e8 + 0.1 * sin(Double($0)) }
  /// Population standard deviation of the spike series' last five.
  let deviation = 0.3875112901581062

  /// Differences from one of the values are exact, so this is the variance to the last digits.
  func exact(_ x: some Collection<Double>, missing: Int) -> Double {
    Twin.secondSum(x) / Double(x.count - missing)
  }

  @Test func `a spike leaves no trace in RollingWindow`() {
    var kernel = RollingWindow<8>(length: 5)
    for value in spike { kernel.update(value) }
    let variance = kernel.value.variance(missing: 0)
    #expect(abs(variance.squareRoot() - deviation) < 1e-15)
  }

  @Test func `a spike leaves no trace in RollingVariance`() {
    var kernel = RollingVariance<8>(length: 5)
    for value in spike { kernel.update(value) }
    let variance = kernel.value.variance(missing: 0)
    #expect(abs(variance.squareRoot() - deviation) < 1e-15)
  }

  @Test func `spikes that leave one after the other leave no trace in RollingVariance`() {
    // Each is 20 times smaller than the one before: none dwarfs what remains by much, all together they do.
    var kernel = RollingVariance<32>(length: 20)
    var history: [Double] = []
    for step in 0..<200 {
      let value = step % 50 < 8 ? 1e9 / pow(20, Double(step % 50)) : sin(Double(step))
      kernel.update(value)
      history.append(value)
      let expected = Twin.secondSum(history.suffix(20))
      #expect(abs(kernel.value.secondSum - expected) <= 1e-11 * expected, "step \(step)")
    }
  }

  @Test func `a spike leaves no trace in WindowColumns`() {
    var kernel = WindowColumns<5>()
    for value in spike { kernel.update(SIMD8(repeating: value)) }
    let variance = kernel.value.second[7] / 5
    #expect(abs(variance.squareRoot() - deviation) < 1e-15)
  }

  @Test func `a spike leaves no trace in RollingIntegers`() {
    var kernel = RollingIntegers<8>(length: 5)
    for value in spike { kernel.update(Int64((value * 10_000).rounded())) }
    let variance = kernel.value.variance(missing: 0)
    #expect(abs(variance.squareRoot() - deviation * 10_000) < 1e-11)
  }

  @Test func `a spike leaves no trace in VarianceRatio`() {
    var kernel = VarianceRatio<16>(lag: 2, length: 5)
    for value in spike { kernel.update(value) }
    let expected = Twin.varianceRatio(spike.suffix(5), lag: 2)
    #expect(abs(kernel.value - expected) < 1e-13)
  }

  @Test func `a spike on either side leaves no trace in PairRegression`() {
    var onX = PairRegression<8>(length: 5)
    var onY = PairRegression<8>(length: 5)
    let calm: [Double] = spike.indices.map { sin(Double($0)) }
    for (value, other) in zip(spike, calm) {
      onX.update(x: value, y: other)
      onY.update(x: other, y: value)
    }
    let expectedX = Twin.regression(zip(spike.suffix(5), calm.suffix(5)).map { (x: $0.0, y: $0.1) })
    let expectedY = Twin.regression(zip(calm.suffix(5), spike.suffix(5)).map { (x: $0.0, y: $0.1) })
    #expect(abs(onX.value.slope - expectedX.slope) < 1e-13 && abs(onY.value.slope - expectedY.slope) < 1e-13)
  }

  @Test func `a small wave on a large level keeps nine digits of its variance in RollingWindow`() {
    var kernel = RollingWindow<32>(length: 20)
    for (step, value) in wave.enumerated() {
      kernel.update(value)
      guard step >= 19 else { continue }
      let expected = exact(wave[(step - 19)...step], missing: 1)
      #expect(abs(kernel.value.variance(missing: 1) - expected) <= 1e-12 * expected)
    }
  }

  @Test(arguments: [20, 250]) func `a small wave on a large level keeps nine digits in RollingVariance`(length: Int) {
    var kernel = RollingVariance<320>(length: length)
    for (step, value) in wave.enumerated() {
      kernel.update(value)
      guard step >= length - 1, step % 7 == 0 else { continue }
      let expected = exact(wave[(step - length + 1)...step], missing: 1)
      #expect(abs(kernel.value.variance(missing: 1) - expected) <= 1e-12 * expected)
    }
  }

  @Test func `a small wave on a large level keeps nine digits in WindowColumns`() {
    var kernel = WindowColumns<20>()
    for (step, value) in wave.enumerated() {
      kernel.update(SIMD8(repeating: value))
      guard step >= 19 else { continue }
      let expected = exact(wave[(step - 19)...step], missing: 1)
      #expect(abs(kernel.value.second[0] / 19 - expected) <= 1e-12 * expected)
    }
  }

  @Test func `a small wave on a large level keeps all digits in RollingIntegers`() {
    var kernel = RollingIntegers<32>(length: 20)
    let integers = wave.map { Int64($0 * 1e4) }
    for (step, value) in integers.enumerated() {
      kernel.update(value)
      guard step >= 19 else { continue }
      let expected = exact(integers[(step - 19)...step].map(Double.init), missing: 1)
      #expect(abs(kernel.value.variance(missing: 1) - expected) <= 1e-14 * expected)
    }
  }

  @Test func `a small wave on a large level keeps nine digits in VarianceRatio`() {
    var kernel = VarianceRatio<80>(lag: 5, length: 60)
    for (step, value) in wave.enumerated() {
      kernel.update(value)
      guard step >= 59, step % 7 == 0 else { continue }
      let expected = Twin.varianceRatio(wave[(step - 59)...step].map { $0 - 1e8 }, lag: 5)
      #expect(abs(kernel.value - expected) <= 1e-9 * expected)
    }
  }

  @Test func `a small wave on a large level keeps nine digits in PairRegression`() {
    var kernel = PairRegression<320>(length: 252)
    let others = wave.indices.map { 3e7 + cos(Double($0) * 0.9) }
    for (step, value) in wave.enumerated() {
      kernel.update(x: value, y: others[step])
      guard step >= 251, step % 7 == 0 else { continue }
      let window = (step - 251)...step
      let expected = Twin.regression(zip(wave[window], others[window]).map { (x: $0.0, y: $0.1) })
      #expect(abs(kernel.value.slope - expected.slope) <= 1e-9 * max(1, abs(expected.slope)))
    }
  }

  @Test func `outliers of one side leave no trace in PairRegression at any step`() {
    var onX = PairRegression<32>(length: 20)
    var onY = PairRegression<32>(length: 20)
    let calm = (0..<400).map { sin(Double($0) * 0.7) }
    // 47 and the window have no common factor: outliers leave while either side is anywhere between two rebuilds.
    let wild = calm.indices.map { $0 % 47 == 5 ? 1e9 : cos(Double($0)) }
    for step in calm.indices {
      onX.update(x: wild[step], y: calm[step])
      onY.update(x: calm[step], y: wild[step])
      let window = max(0, step - 19)...step
      guard step >= 19, !wild[window].contains(1e9) else { continue }
      let expectedX = Twin.regression(zip(wild[window], calm[window]).map { (x: $0.0, y: $0.1) }).slope
      let expectedY = Twin.regression(zip(calm[window], wild[window]).map { (x: $0.0, y: $0.1) }).slope
      let (x, y) = (onX.slope, onY.slope)
      #expect(abs(x - expectedX) < 1e-12 && abs(y - expectedY) < 1e-12, "step \(step)")
    }
  }

  @Test func `sums that become small leave no trace in VarianceRatio, though single values stay large`() {
    var kernel = VarianceRatio<80>(lag: 2, length: 20)
    var random = SplitMix64(seed: 11)
    var history: [Double] = []
    for step in 0..<600 {
      // Signs at random, then by turns: neighbours cancel but for a hundred thousandth.
      let isByTurns = step % 60 >= 25
      let sign: Double = (isByTurns ? step % 2 : random.below(2)) == 0 ? 1 : -1
      let value = sign + 1e-5 * (random.unit() - 0.5)
      kernel.update(value)
      history.append(value)
      guard step >= 19 else { continue }
      let expected = Twin.varianceRatio(Array(history.suffix(20)), lag: 2)
      #expect(abs(kernel.value - expected) <= 1e-9 * expected, "step \(step)")
    }
  }
}
