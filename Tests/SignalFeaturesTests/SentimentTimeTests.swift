import SignalFeatures
import TestSupport
import Testing
import TradingTypes

// Goal: bars see no context from after their end. Method: a market whose scores come right after the moves they would explain, and
// whose next message, which closes the bars, comes after both.
@Suite struct SentimentTimeTests {
  let id = InstrumentID(index: 0)

  private func at(_ seconds: Double) -> Timestamp { Timestamp(nanoseconds: Int64(seconds * 1e9)) }

  private func pass(_ engine: inout FeatureEngine, _ price: Int64?, at seconds: Double) {
    let now = at(seconds)
    while engine.closeBar(id, at: now) != nil {}
    guard let price else { return }
    engine.update(trade(price, 5, at: now.nanoseconds), effect: BookEffect(.ignored), depth: DepthView())
  }

  @Test func `a score after a bar's end is no score of that bar`() throws {
    var engine = try makeEngine { $0.furtherBars = [] }
    engine.receive(ContextEvent(kind: .sentiment, value: -0.5, time: at(10)))
    pass(&engine, 1_000_000_000, at: 30)
    // The bar ended at 60 s; a score comes at 65 s, and the message that closes the bar at 70 s.
    engine.receive(ContextEvent(kind: .sentiment, value: 0.5, time: at(65)))
    pass(&engine, 1_000_000_000, at: 70)
    pass(&engine, nil, at: 120)
    var vector = FeatureVector()
    engine.vector(of: id, depth: DepthView(), at: at(120), into: &vector)
    #expect(vector[.sentimentMomentum] == 1, "from −0.5 at the end of the first bar to 0.5 at the end of the second")
  }

  @Test func `a score that only follows a move after a gap does not explain it`() throws {
    var engine = try makeEngine { $0.furtherBars = [] }
    engine.receive(ContextEvent(kind: .sentiment, value: 0, time: at(0)))
    var price: Int64 = 1_000_000_000
    pass(&engine, price, at: 30)
    var random = SplitMix64(seed: 3)
    for round in 0..<200 {
      // A minute without a trade, a jump, then the score of the jump's sign, then a quote that closes what was due.
      let start = Double(round) * 180
      let sign: Int64 = random.below(2) == 0 ? 1 : -1
      price += sign * 10_000_000
      pass(&engine, price, at: start + 190)
      engine.receive(ContextEvent(kind: .sentiment, value: Double(sign), time: at(start + 191)))
      pass(&engine, nil, at: start + 192)
      // Long before the next jump, which has nothing to do with it, the score is taken back.
      engine.receive(ContextEvent(kind: .sentiment, value: 0, time: at(start + 200)))
    }
    engine.receive(ContextEvent(kind: .sentiment, value: 1, time: at(36_200)))
    pass(&engine, price, at: 36_210)
    pass(&engine, nil, at: 36_300)
    var vector = FeatureVector()
    engine.vector(of: id, depth: DepthView(), at: at(36_300), into: &vector)
    #expect(abs(vector[.sentimentCalibrated]) < 2e-3, "\(vector[.sentimentCalibrated])")
  }
}
