import SimulatedVenue
import TradingEngine

/// A model of its own: the side with the longer queue wins.
struct QueueModel: Forecaster {
  func forecast(_ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp) -> Forecast {
    guard features.valid[.queueImbalance] else { return .unusable }
    let up = 0.5 + 0.4 * features[.queueImbalance]
    return Forecast(probabilityUp: up, confidence: max(up, 1 - up), members: 1)
  }
}

@main struct Host {
  static func main() throws {
    let configuration = EngineConfiguration()
    let acme = Instrument(
      id: InstrumentID(index: 0), symbol: Symbol("ACME")!, averageDailyVolume: Quantity(lots: 1_000_000))
    let arena = Arena(capacityBytes: 1 << 30)
    let venues = try SimulatedVenues(
      venues: configuration.venueDirectory(), split: configuration.displaySplit(), in: arena)
    var engine = try TradingPipeline(
      configuration: configuration, instruments: InstrumentDirectory([acme]), midnight: Timestamp(nanoseconds: 0),
      model: QueueModel(), gateway: venues, probe: NoProbe(), sink: DecisionChecksum(),
      control: EngineControl(policy: .standard(.aggressive), in: arena), in: arena)

    // Events of its own: eight orders join the book, all but one of them on the buy side.
    engine.context(ContextEvent(kind: .vix, value: 14, time: Timestamp(nanoseconds: 36_000_000_000_000)))
    for number: Int64 in 1...8 {
      let side: Side = number == 2 ? .sell : .buy
      engine.ingest(
        MarketEvent(
          kind: .addOrder, sequence: UInt64(number),
          time: Timestamp(nanoseconds: 36_000_000_000_000 + number * 250_000_000),
          instrument: acme.id, reference: OrderReference(value: UInt64(number)), side: side,
          price: Price(nanos: side == .buy ? 100_000_000_000 : 100_010_000_000), quantity: Quantity(lots: 100),
          flags: .hasSide))
    }
    engine.finish()
    print("position \(engine.ledger.position(of: acme.id).lots), orders \(engine.counts.orders)")
  }
}
