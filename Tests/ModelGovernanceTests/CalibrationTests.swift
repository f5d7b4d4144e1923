import CAllocationCounter
import Foundation
import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: the hot path's curve gives the bits of the plain calibration. Method: seeded knots of every count, at the knots, one step
// either side and between; then values that are none.
struct CalibrationTests {
  private func curve(_ calibration: Calibration) -> CalibrationCurve {
    CalibrationCurve(
      calibration, in: Arena(capacityBytes: CalibrationCurve.arenaBytes(for: calibration)))
  }

  private func random(_ count: Int, seed: UInt64) -> Calibration {
    var random = SplitMix64(seed: seed)
    var x = Set<Double>()
    while x.count < count { x.insert(random.unit()) }
    let y = (0..<count).map { _ in 0.001 + 0.998 * random.unit() }.sorted()
    return .isotonic(x: x.sorted(), y: y)
  }

  @Test(arguments: Seeds.brief)
  func `the curve equals the calibration bit for bit`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for count in [1, 2, 3, 4, 5, 8, 9, 31, 128, 255, 256] {
      let calibration = self.random(count, seed: seed &+ UInt64(count))
      #expect(calibration.fault == nil)
      let curve = curve(calibration)
      guard case .isotonic(let x, let y) = calibration else { return }
      let atKnots = x.flatMap { p in [-1e-9, 0, 1e-9].map { log(p / (1 - p)) * (1 + $0) } }
      let wild = [0, -0.0, 800, -800, .infinity, -.infinity, .leastNonzeroMagnitude]
      var last = (logit: -Double.infinity, p: 0.0)
      for logit in (atKnots + wild + (0..<300).map { _ in 16 * random.unit() - 8 }).sorted() {
        let p = curve.probability(logit: logit)
        #expect(
          p.bitPattern == calibration.probability(logit: logit).bitPattern, "seed \(seed) count \(count) at \(logit)")
        #expect(p >= y[0] && p <= y[count - 1] && p >= last.p, "seed \(seed) count \(count) at \(logit) after \(last)")
        last = (logit, p)
      }
      let ofNone = curve.probability(logit: .nan)
      #expect(ofNone.isNaN && calibration.probability(logit: .nan).isNaN)
    }
  }

  @Test func `identity and Platt are the sigmoid`() {
    for logit in [-700, -3, -0.0, 0, 1e-300, 2.5, 700, .infinity] {
      let identity = curve(.identity).probability(logit: logit)
      #expect(identity == DeterministicMath.sigmoid(logit))
      #expect(Calibration.identity.probability(logit: logit) == DeterministicMath.sigmoid(logit))
      let platt = Calibration.platt(slope: 0.5, intercept: -0.25)
      #expect(platt.probability(logit: logit) == DeterministicMath.sigmoid(0.5 * logit - 0.25))
      let curved = curve(platt).probability(logit: logit)
      #expect(curved == platt.probability(logit: logit))
    }
  }

  @Test func `a knot at minus zero is one at zero`() {
    let calibration = Calibration.isotonic(x: [-0.0, 0.5], y: [0.2, 0.6])
    let curve = curve(calibration)
    for logit in [-800, -745, -700, -1, 0] as [Double] {
      let p = curve.probability(logit: logit)
      #expect(p.bitPattern == calibration.probability(logit: logit).bitPattern)
    }
  }

  @Test func `between two knots runs a straight line`() {
    let calibration = Calibration.isotonic(x: [0.25, 0.75], y: [0.2, 0.6])
    #expect(abs(calibration.probability(logit: 0) - 0.4) < 1e-15)
    #expect(abs(calibration.probability(logit: log(0.625 / 0.375)) - 0.5) < 1e-15)
    #expect(calibration.probability(logit: -5) == 0.2 && calibration.probability(logit: 5) == 0.6)
  }

  @Test func `knots that are no curve have a fault`() {
    let faulty: [Calibration] = [
      .isotonic(x: [], y: []), .isotonic(x: [0.5], y: []), .isotonic(x: [0.5, 0.5], y: [0.1, 0.2]),
      .isotonic(x: [0.2, 0.1], y: [0.1, 0.2]), .isotonic(x: [0.1, 0.2], y: [0.3, 0.2]),
      .isotonic(x: [0.1], y: [0]), .isotonic(x: [0.1], y: [1]), .isotonic(x: [-0.1], y: [0.5]),
      .isotonic(x: [.nan], y: [0.5]), .isotonic(x: [0.5], y: [.nan]),
      .isotonic(x: (0..<257).map { Double($0) / 257 }, y: (0..<257).map { _ in 0.5 }),
      .platt(slope: .nan, intercept: 0), .platt(slope: 1, intercept: .infinity),
      .platt(slope: -0x1p-52, intercept: 0), .platt(slope: 1.1e6, intercept: 0), .platt(slope: 1, intercept: -1.1e6),
    ]
    for calibration in faulty { #expect(calibration.fault != nil, "\(calibration)") }
    #expect(Calibration.identity.fault == nil && Calibration.platt(slope: 2, intercept: 1).fault == nil)
    #expect(Calibration.platt(slope: 0, intercept: -1e6).fault == nil)
  }

  @Test(.enabled(if: countsAllocations))
  func `applying a curve allocates nothing`() {
    let curve = curve(random(200, seed: 4))
    var sum = curve.probability(logit: 1)
    let counts = counting { for step in 0..<1000 { sum += curve.probability(logit: Double(step) / 100 - 5) } }
    #expect(counts.allocations == 0 && sum > 0)
  }
}
