import TestSupport
import Testing
import TradingTypes

@testable import SignalFeatures

// Goal: the bar slots depend on the bars alone, whatever is evaluated when, and no bar can spoil them. Method: seeded and extreme
// bars, compared bit for bit.
@Suite struct BarFeatureTests {
  /// Seeded bars, some flat, some without volume.
  func bars(_ seed: UInt64, count: Int) -> [ClosedBar] {
    var random = SplitMix64(seed: seed)
    var close: Int64 = 150_000_000_000
    return (0..<count).map { number in
      let isFlat = random.below(5) == 0
      let open = close
      if !isFlat { close = max(1_000_000_000, close + Int64(random.below(4_001) - 2_000) * 1_000_000) }
      let wick = isFlat ? 0 : Int64(random.below(100)) * 1_000_000
      return ClosedBar(
        endTime: Timestamp(nanoseconds: Int64(number)), open: Price(nanos: open),
        high: Price(nanos: max(open, close) + wick), low: Price(nanos: min(open, close) - wick),
        close: Price(nanos: close), volume: Quantity(lots: isFlat ? 0 : Int64(random.below(10_000))),
        previousClose: nil)
    }
  }

  /// All values as bits, then the mask.
  func bits(_ features: inout BarFeatures) -> [UInt64] {
    var bits = (0..<50).map { features.values[$0].bitPattern }
    bits.append(features.valid.low)
    bits.append(UInt64(features.valid.high))
    return bits
  }

  @Test(arguments: Seeds.brief) func `evaluating or not never changes later values`(seed: UInt64) {
    var random = SplitMix64(seed: seed &+ 1)
    var stepped = BarFeatures()
    var collected = BarFeatures()
    for bar in bars(seed, count: 700) {
      stepped.step(bar)
      collected.collect(bar)
      guard random.below(40) == 0 else { continue }
      collected.evaluate()
      let (one, other) = (bits(&stepped), bits(&collected))
      #expect(one == other, "seed \(seed), bar \(stepped.count)")
    }
  }

  @Test(arguments: Seeds.brief) func `a snapshot with the rest of the bars is the whole`(seed: UInt64) {
    let bars = bars(seed, count: 600)
    var whole = BarFeatures()
    for bar in bars[..<300] { whole.step(bar) }
    var restored = whole
    for bar in bars[300...] { whole.step(bar) }
    for bar in bars[300...] { restored.step(bar) }
    let (one, other) = (bits(&whole), bits(&restored))
    #expect(one == other, "seed \(seed)")
  }

  @Test(arguments: Seeds.brief) func `returns are known without an evaluation`(seed: UInt64) {
    var features = BarFeatures()
    for bar in bars(seed, count: 60) {
      features.collect(bar)
      let returns = [1, 5, 20].map { features.simpleReturn(lag: $0) }
      var copy = features
      copy.evaluate()
      let slots = [copy[.return1], copy[.return5], copy[.return20]]
      #expect(returns == slots, "seed \(seed)")
    }
  }

  @Test func `bars at the ends of the range of prices and volumes give numbers`() {
    let prices: [Int64] = [1, 1 << 53, .max]
    let volumes: [Int64] = [0, 1, 1 << 62, .max]
    var random = SplitMix64(seed: 9)
    var features = BarFeatures()
    for number in 0..<2_000 {
      let some = (0..<4).map { _ in prices[random.below(3)] }
      features.step(
        ClosedBar(
          endTime: Timestamp(nanoseconds: Int64(number)), open: Price(nanos: some[0]),
          high: Price(nanos: some.max()!), low: Price(nanos: some.min()!), close: Price(nanos: some[1]),
          volume: Quantity(lots: volumes[random.below(4)]), previousClose: nil))
      let areFinite = (0..<50).allSatisfy { features.values[$0].isFinite }
      #expect(areFinite, "bar \(number)")
    }
    // What was cut leaves no trace either: after ordinary bars the sums are those of ordinary bars.
    var fresh = BarFeatures()
    for bar in bars(3, count: 300) {
      features.step(bar)
      fresh.step(bar)
    }
    let slots: [FeatureSlot] = [
      .nma200, .zScore20, .bollingerPctB, .volumeZ60, .rollSpread, .efficiencyRatio, .mfi14, .drawdown250,
    ]
    let (after, expected) = (slots.map { features[$0] }, slots.map { fresh[$0] })
    #expect(after == expected)
    let ratios = (features[.varianceRatio5], fresh[.varianceRatio5])
    #expect(abs(ratios.0 / ratios.1 - 1) < 1e-11)
  }

  @Test func `constant bars follow the rules for zero denominators`() {
    var features = BarFeatures()
    let price = Price(nanos: 33_333_333_333)
    for number in 0..<300 {
      features.step(
        ClosedBar(
          endTime: Timestamp(nanoseconds: Int64(number)), open: price, high: price, low: price, close: price,
          volume: Quantity(lots: 7), previousClose: nil))
    }
    let zeros: [FeatureSlot] = [
      .amihud, .rollSpread, .corwinSchultz, .realisedVar, .bipowerVar, .jumpVar, .ewmaVar, .parkinson, .garmanKlass,
      .rogersSatchell, .yangZhang, .skew60, .kurt60, .autocorr1, .varianceRatio5, .efficiencyRatio, .zScore20,
      .drawdown250, .absReturnQ90, .rsi14, .natr14, .macdHistNorm, .adxSigned, .emaSlope, .mfi14, .nma9, .nma12,
      .nma20, .nma50, .nma200, .volumeZ60, .return1, .return5, .return20, .volatility20,
    ]
    let others = zeros.filter { features[$0] != 0 }
    let middle = features[.bollingerPctB]
    #expect(others == [] && middle == 0.5)
  }
}
