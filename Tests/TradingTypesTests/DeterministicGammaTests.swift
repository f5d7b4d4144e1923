import Foundation
import Testing
import TradingTypes

// Goal: ln Γ and ψ are right to the last places. Method: closed values, the recurrences, and the system's lgamma where there is one.
@Suite struct DeterministicGammaTests {
  private let eulerGamma = 0.577215664901532860606512090082

  @Test func `closed values of the gamma function's logarithm`() {
    #expect(abs(DeterministicMath.logGamma(1)) < 1e-14)
    #expect(abs(DeterministicMath.logGamma(2)) < 1e-14)
    #expect(abs(DeterministicMath.logGamma(0.5) - 0.5 * Foundation.log(Double.pi)) < 1e-14)
    var factorial = 0.0
    for n in 1...60 {
      factorial += Foundation.log(Double(n))
      #expect(abs(DeterministicMath.logGamma(Double(n + 1)) - factorial) < 1e-14 + 1e-15 * factorial, "\(n)!")
    }
  }

  @Test func `closed values of its derivative`() {
    #expect(abs(DeterministicMath.digamma(1) + eulerGamma) < 1e-14)
    #expect(abs(DeterministicMath.digamma(0.5) + eulerGamma + 2 * Foundation.log(2)) < 1e-14)
    var harmonic = 0.0
    for n in 1...60 {
      harmonic += 1 / Double(n)
      #expect(abs(DeterministicMath.digamma(Double(n + 1)) + eulerGamma - harmonic) < 2e-14, "\(n)")
    }
  }

  @Test func `over a fine grid they agree with the system's function and with the recurrences`() {
    for step in 1...40_000 {
      let x = 0.0125 * Double(step)
      let value = DeterministicMath.logGamma(x)
      #expect(abs(value - Foundation.lgamma(x)) < 1e-14 + 1e-15 * abs(value), "x = \(x)")
      let gap = DeterministicMath.digamma(x + 1) - DeterministicMath.digamma(x)
      #expect(abs(gap - 1 / x) < 2e-14 + 1e-15 / x, "x = \(x)")
    }
  }

  @Test func `outside their range they are no number`() {
    for x in [0, -1, -Double.infinity, .infinity, .nan, 2e15] {
      #expect(DeterministicMath.logGamma(x).isNaN)
      #expect(DeterministicMath.digamma(x).isNaN)
    }
  }
}
