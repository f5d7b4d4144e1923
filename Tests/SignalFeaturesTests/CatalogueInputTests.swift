// Goal: a slot turns valid when the catalogue says its window is full, not one input earlier or later. Method: bars, book events and
// trades one by one; after each the valid bits are compared with the counts of the table.

import LockFreeRings
import SignalFeatures
import Testing
import TradingTypes

@Suite struct CatalogueInputTests {
  private let id = InstrumentID(index: 0)

  private func makeEngine() throws -> FeatureEngine {
    try FeatureEngine(
      instrumentCount: 1, configuration: FeatureConfiguration(), in: Arena(capacityBytes: 16 << 20))
  }

  private func expect(
    _ vector: FeatureVector, hasValid isFull: (FeatureDefinition.Input) -> Bool?, after count: Int
  ) {
    for slot in FeatureSlot.allCases {
      guard let isFull = isFull(slot.definition.input) else { continue }
      #expect(vector.valid[slot] == isFull, "\(slot) after \(count)")
    }
  }

  @Test func `bar slots are valid after the bars of the catalogue`() throws {
    var engine = try makeEngine()
    var vector = FeatureVector()
    var previous: Price?
    for count in 1...260 {
      let close = Price(nanos: 100_000_000_000 + Int64(count * count % 37) * 1_000_000)
      let end = Timestamp(nanoseconds: Int64(count) * 60_000_000_000)
      let bar = ClosedBar(
        endTime: end, open: previous ?? close, high: max(close, previous ?? close), low: min(close, previous ?? close),
        close: close, volume: Quantity(lots: Int64(100 + count)), previousClose: previous)
      let isTaken = engine.takeBar(bar, of: id)
      #expect(isTaken)
      previous = close
      engine.vector(of: id, depth: DepthView(), at: end, into: &vector)
      expect(
        vector,
        hasValid: { input in
          if case .bars(let needed) = input { count >= needed } else { nil }
        }, after: count)
    }
  }

  @Test func `book and trade slots are valid after the inputs of the catalogue`() throws {
    var engine = try makeEngine()
    var vector = FeatureVector()
    var depth = DepthView()
    depth.bids[0] = DepthLevel(price: Price(nanos: 100_000_000_000), quantity: Quantity(lots: 300))
    depth.asks[0] = DepthLevel(price: Price(nanos: 100_020_000_000), quantity: Quantity(lots: 200))
    depth.bidCount = 1
    depth.askCount = 1
    // First orders without trades, then trades that are no orders' (but events), so that each count grows alone at first.
    for count in 1...160 {
      let isTrade = count > 105
      let time = Timestamp(nanoseconds: Int64(count) * 1_000_000)
      let event = MarketEvent(
        kind: isTrade ? .trade : .addOrder, time: time, instrument: id, price: Price(nanos: 100_020_000_000),
        quantity: Quantity(lots: Int64(1 + count % 5)), flags: [.hasSide, .printable])
      engine.update(event, effect: BookEffect(isTrade ? .ignored : .applied, depthChanged: !isTrade), depth: depth)
      engine.vector(of: id, depth: depth, at: time, into: &vector)
      let trades = max(0, count - 105)
      expect(
        vector,
        hasValid: { input in
          switch input {
          case .books(let needed), .events(let needed): count >= needed
          case .trades(let needed): trades >= needed
          case .bars, .other: nil
          }
        }, after: count)
    }
  }
}
