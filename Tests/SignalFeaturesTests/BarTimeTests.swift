import SignalFeatures
import TestSupport
import Testing
import TradingTypes

// Goal: bars stay aligned and in order at times that are unusual. Method: the smallest stream that meets each.
@Suite struct BarTimeTests {
  private let id = InstrumentID(index: 0)

  private func pass(_ engine: inout FeatureEngine, _ price: Int64?, at seconds: Int64) -> [ClosedBar] {
    let now = Timestamp(nanoseconds: seconds * 1_000_000_000)
    var closed: [ClosedBar] = []
    while let bar = engine.closeBar(id, at: now) { closed.append(bar) }
    if let price {
      engine.update(trade(price, 7, at: now.nanoseconds), effect: BookEffect(.ignored), depth: DepthView())
    }
    return closed
  }

  @Test func `bars before midnight are aligned to it, and those after it follow without flat bars`() throws {
    var engine = try makeEngine { $0.furtherBars = [] }
    var closed: [ClosedBar] = []
    for (second, price) in [(Int64(-90), Int64(100)), (-61, 110), (-60, 120), (-1, 130), (0, 140), (200, 150)] {
      closed += pass(&engine, price, at: second)
    }
    #expect(closed.map(\.endTime.nanoseconds) == [-60_000_000_000, 0, 60_000_000_000])
    #expect(closed.map(\.close.nanos) == [110, 130, 140])
    // A gap from one day to the next is none; one within the day is filled.
    closed = pass(&engine, nil, at: 240)
    #expect(closed.map(\.volume.lots) == [0, 0, 7])
  }

  @Test func `a bar that a host closes before its time is followed by the next one`() throws {
    var engine = try makeEngine { $0.furtherBars = [] }
    var closed = pass(&engine, 100, at: 10)
    closed += pass(&engine, nil, at: 1_000)
    // Out of order for the engine, whose bar [0, 60) is over.
    closed += pass(&engine, 110, at: 20)
    closed += pass(&engine, nil, at: 1_060)
    #expect(closed.map(\.endTime.nanoseconds) == [60_000_000_000, 120_000_000_000])
    #expect(closed.map(\.close.nanos) == [100, 110])
  }

  @Test func `trades of a bar that nobody closes are counted and lose nothing`() throws {
    for rule in [BarRule.time(.seconds(60)), .volume(7)] {
      var engine = try makeEngine {
        $0.primaryBars = rule
        $0.furtherBars = []
      }
      for second in [Int64(10), 70, 130] {
        engine.update(
          trade(100 + second, 7, at: second * 1_000_000_000), effect: BookEffect(.ignored), depth: DepthView())
      }
      let overdue = engine.counters.overdueTrades
      let closed = pass(&engine, nil, at: 500)
      #expect(overdue == 2 && closed.count == 1)
      #expect(closed.map(\.volume.lots) == [21] && closed.map(\.close.nanos) == [230])
    }
  }
}
