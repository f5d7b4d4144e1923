import TradingEngine

/// A model of its own: the side with the longer queue wins.
struct QueueModel: Forecaster {
  func forecast(_ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp) -> Forecast {
    guard features.valid[.queueImbalance] else { return .unusable }
    let up = 0.5 + 0.4 * features[.queueImbalance]
    return Forecast(probabilityUp: up, confidence: max(up, 1 - up), members: 1)
  }
}

/// A venue of its own: accepts an order, then fills it whole at its limit.
struct PaperVenue: VenueGateway {
  var reports: [ExecutionReport] = []
  mutating func send(_ order: ChildOrder, at time: Timestamp) -> Bool {
    reports.append(ExecutionReport(.accepted, of: order, time: time, leaves: order.quantity))
    reports.append(
      ExecutionReport(.filled, of: order, time: time, price: order.price, quantity: order.quantity, leaves: .zero))
    return true
  }
  func nextReport(by time: Timestamp) -> InstrumentID? { reports.first?.instrument }
  mutating func receive(by time: Timestamp, market: borrowing DepthView) -> ExecutionReport? {
    reports.isEmpty ? nil : reports.removeFirst()
  }
}

/// Prints what the engine decides and what becomes of it.
struct Printer: DecisionSink {
  func record(_ decision: borrowing Decision, plan: borrowing RoutePlan) {
    print("message \(decision.sequence): \(decision.verdict), \(decision.quantity.lots) at \(decision.price.real)")
  }
  func record(_ report: borrowing ExecutionReport) { print("  \(report.side) \(report.kind) \(report.quantity.lots)") }
}

@main struct Host {
  static func main() throws {
    var configuration = EngineConfiguration()
    configuration.venues = [.init(name: "PAPER", sharePercent: 100, takeFee: Price(nanos: 1_000_000))]
    let id = InstrumentID(index: 0)
    let martlet = Instrument(id: id, symbol: Symbol("MRTL")!, averageDailyVolume: Quantity(lots: 1_000_000))
    let arena = Arena(capacityBytes: 1 << 30)
    var engine = try TradingPipeline(
      configuration: configuration, instruments: InstrumentDirectory([martlet]), midnight: Timestamp(nanoseconds: 0),
      model: QueueModel(), gateway: PaperVenue(), probe: NoProbe(), sink: Printer(),
      control: EngineControl(policy: .standard(.normal), in: arena), in: arena)

    // An event source of its own: orders that join the book, more and more of them on the buy side.
    var time = Timestamp(nanoseconds: 36_000_000_000_000)
    engine.context(ContextEvent(kind: .vix, value: 14, time: time))
    for number in 1...8 as ClosedRange<UInt64> {
      time = time + .milliseconds(250)
      let side: Side = number == 2 ? .sell : .buy
      engine.ingest(
        MarketEvent(
          kind: .addOrder, sequence: number, time: time, instrument: id, reference: OrderReference(value: number),
          side: side, price: Price(nanos: side == .buy ? 100_000_000_000 : 100_010_000_000),
          quantity: Quantity(lots: 100), flags: .hasSide))
    }
    engine.finish()
    print("position \(engine.ledger.position(of: id).lots), equity \(engine.ledger.equity.real)")
  }
}
