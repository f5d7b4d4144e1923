import Foundation
import TestSupport
import Testing
import TradingTypes

// Goal: exp and ln keep their stated error and their bits.
// Method: compare with the 80-bit functions of the C library over the whole range, with identities, and with bit patterns
// written down once.
@Suite struct DeterministicMathTests {
  /// Distance from `value` to `exact` in units of the last place of `value`.
  #if arch(x86_64)
    static func unitsOff(_ value: Double, _ exact: Float80) -> Double {
      Double(abs(Float80(value) - exact) / Float80(value.magnitude.ulp))
    }

    @Test(arguments: Seeds.brief)
    func `exp is within one unit in the last place`(seed: UInt64) {
      var random = SplitMix64(seed: seed)
      var worst = 0.0
      for step in 0..<40_000 {
        let span = step % 2 == 0 ? 1416.0 : 2.0
        let x = (random.unit() - 0.5) * span
        worst = max(worst, Self.unitsOff(DeterministicMath.exp(x), Foundation.exp(Float80(x))))
      }
      #expect(worst <= 1, "seed \(seed): \(worst) units")
    }

    @Test(arguments: Seeds.brief)
    func `log is within one unit in the last place`(seed: UInt64) {
      var random = SplitMix64(seed: seed)
      var worst = 0.0
      for step in 0..<40_000 {
        let x: Double
        switch step % 3 {
        case 0: x = Double(bitPattern: random.next() % 0x7ff0_0000_0000_0000)
        case 1: x = 0.5 + random.unit()
        default: x = 1 + (random.unit() - 0.5) * 1e-6
        }
        guard x > 0, x != 1 else { continue }
        worst = max(worst, Self.unitsOff(DeterministicMath.log(x), Foundation.log(Float80(x))))
      }
      #expect(worst <= 1, "seed \(seed): \(worst) units")
    }
  #endif

  @Test func `the ends of the range have their limits`() {
    #expect(DeterministicMath.exp(0) == 1)
    #expect(DeterministicMath.exp(-.infinity) == 0)
    #expect(DeterministicMath.exp(.infinity) == .infinity)
    #expect(DeterministicMath.exp(-746) == 0)
    #expect(DeterministicMath.exp(710) == .infinity)
    #expect(DeterministicMath.exp(709.7) < .infinity)
    #expect(DeterministicMath.exp(-745) == .leastNonzeroMagnitude)
    #expect(DeterministicMath.exp(.nan).isNaN)
    #expect(DeterministicMath.log(1) == 0)
    #expect(DeterministicMath.log(0) == -.infinity)
    #expect(DeterministicMath.log(-1).isNaN)
    #expect(DeterministicMath.log(.nan).isNaN)
    #expect(DeterministicMath.log(.infinity) == .infinity)
    #expect(abs(DeterministicMath.log(.leastNonzeroMagnitude) + 744.4400719213812) < 1e-12)
  }

  @Test func `the bits are the same on every machine`() {
    var hash = FNV1a64()
    for step in -2000...2000 {
      hash.combine(DeterministicMath.exp(Double(step) * 0.17).bitPattern)
      hash.combine(DeterministicMath.log(Double(step + 2001) * 0.37).bitPattern)
    }
    #expect(hash.value == 17_554_032_760_585_912_658)
  }
}
