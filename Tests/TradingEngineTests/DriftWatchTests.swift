import Foundation
import LockFreeRings
import TestSupport
import Testing
import TradingEngine
import TradingTypes

// Goal: drift is told once when it comes and once when it goes, by the index of the counts. Method: streams with a known shift, the index computed
// by its definition from the watch's own counts.
@Suite struct DriftWatchTests {
  static let uniform = DriftWatch.Reference(
    edges: (1...9).map { Double($0) / 10 }, binCounts: [Int](repeating: 100, count: 10))

  static func forecast(_ probability: Double) -> Forecast {
    Forecast(probabilityUp: probability, confidence: 0.5, members: 1)
  }

  /// The index of counts by its definition.
  static func psi(_ reference: [Int], _ counts: [UInt32]) -> Double {
    let (n, m) = (Double(reference.reduce(0, +)), Double(counts.reduce(0, +)))
    return zip(reference, counts).reduce(0) {
      let (p, q) = (max(Double($1.0) / n, 1e-4), max(Double($1.1) / m, 1e-4))
      return $0 + (q - p) * log(q / p)
    }
  }

  @Test(arguments: Seeds.brief)
  func `a shifted probability alerts, and clears when it is back`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var watch = DriftWatch(model: 7, probability: Self.uniform, window: 800, in: Arena(capacityBytes: 1 << 20))
    let vector = FeatureVector()
    var notices: [(Int, ModelNotice)] = []
    for number in 0..<6_000 {
      let isShifted = (2_000..<4_000).contains(number)
      let value = isShifted ? 0.3 + 0.2 * random.unit() : random.unit()
      let (first, second) = watch.observe(
        vector, Self.forecast(value), of: 7, at: Timestamp(nanoseconds: Int64(number)))
      #expect(second == nil)
      guard let first else { continue }
      notices.append((number, first))
      let bins = watch.counts(0).bins
      let expected = Self.psi(Self.uniform.binCounts, (0..<10).map { bins[$0] })
      #expect(abs(first.value - expected) < 1e-12 && first.time.nanoseconds == Int64(number))
    }
    #expect(notices.map(\.1.kind) == [.driftAlert, .driftCleared], "seed \(seed)")
    #expect(notices.map(\.1.slot) == [.max, .max] && notices.map(\.1.model) == [7, 7])
    guard notices.count == 2 else { return }
    #expect((2_000..<3_000).contains(notices[0].0) && (4_000..<5_000).contains(notices[1].0))
    #expect(notices[0].1.value > 0.25 && notices[1].1.value <= 0.1)
  }

  @Test func `a shifted slot is named, the others are not`() {
    var random = SplitMix64(seed: 5)
    var watch = DriftWatch(
      model: 7, probability: Self.uniform, slots: [(3, Self.uniform), (50, Self.uniform), (90, Self.uniform)],
      window: 400, in: Arena(capacityBytes: 1 << 20))
    var notices: [ModelNotice] = []
    for number in 0..<12_000 {
      var vector = FeatureVector()
      for slot in [3, 50, 90] {
        vector.values[slot] = slot == 50 && number > 6_000 ? random.unit() / 4 : random.unit()
        vector.valid[slot] = slot != 90 || number % 2 == 0
      }
      let found = watch.observe(
        vector, Self.forecast(random.unit()), of: 7, at: Timestamp(nanoseconds: Int64(number)))
      for notice in [found.0, found.1] { if let notice { notices.append(notice) } }
    }
    #expect(notices.map(\.kind) == [.driftAlert] && notices.first?.slot == 50)
    // A third of the forecasts each; half of the last slot's were missing.
    let missing = watch.counts(3).missing
    #expect(missing > 1_700 && missing < 2_300)
  }

  @Test func `forecasts of another model and unusable ones do not count`() {
    var watch = DriftWatch(model: 7, probability: Self.uniform, window: 400, in: Arena(capacityBytes: 1 << 20))
    for _ in 0..<2_000 {
      let other = watch.observe(FeatureVector(), Self.forecast(0.05), of: 8, at: .distantPast).0
      let unusable = watch.observe(FeatureVector(), .unusable, of: 7, at: .distantPast).0
      #expect(other == nil && unusable == nil)
    }
    let bins = watch.counts(0).bins
    #expect((0..<10).allSatisfy { bins[$0] == 0 })
  }
}
