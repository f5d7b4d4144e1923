import TestSupport
import Testing
import TradingTypes

@testable import SignalFeatures

// Goal: slot 75 is the least-squares line of the next return on sentiment over the last 252 completed pairs. Method: seeded bars with
// a sentiment that is unknown at first; the line over all pairs, written out.
@Suite struct CalibrationTests {
  @Test(arguments: Seeds.brief) func `calibrated sentiment equals the line through the completed pairs`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var state = BarState()
    var pairs: [(x: Double, y: Double)] = []
    var last: (sentiment: ContextValue, close: Double)?
    var close: Int64 = 90_000_000_000
    for number in 0..<700 {
      close += Int64(random.below(2_001) - 1_000) * 1_000_000
      var sentiment = ContextValue()
      if number > 20 {
        sentiment.isKnown = true
        sentiment.value = 2 * random.unit() - 1
      }
      let price = Price(nanos: close)
      let bar = ClosedBar(
        endTime: Timestamp(nanoseconds: Int64(number)), open: price, high: price, low: price, close: price,
        volume: Quantity(lots: 5), previousClose: nil)
      state.collect(bar, sentiment: sentiment, vix: ContextValue())
      state.evaluate()
      if let last, last.sentiment.isKnown { pairs.append((last.sentiment.value, Double(close) / last.close - 1)) }
      last = (sentiment, Double(close))
      guard sentiment.isKnown, !pairs.isEmpty else { continue }
      let line = Twin.regression(pairs.suffix(252))
      let expected = line.meanY + line.slope * (sentiment.value - line.meanX)
      let (actual, isValid) = (state.features[.sentimentCalibrated], state.features.valid[.sentimentCalibrated])
      #expect(abs(actual - expected) <= 1e-12, "seed \(seed), bar \(number)")
      #expect(isValid == (pairs.count >= 252), "seed \(seed), bar \(number)")
    }
  }
}
