import Glibc
import MarketReceive
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

/// Trades on paper on ITCH 5.0 that comes in MoldUDP64 packets over two lines, and asks a server for what neither brought.
@main struct LiveFeed {
  static let usage = """
    usage: live A:PORT B:PORT SERVER:PORT SYMBOL…

    Receives ITCH 5.0 in MoldUDP64 packets at the addresses of two lines (multicast groups are joined; port 0 takes any), asks SERVER for
    what is missing, and trades the symbols against simulated venues until the session ends or nothing has come for ten seconds.
    """

  static func main() throws {
    let words = CommandLine.arguments.dropFirst()
    let endpoints = words.prefix(3).compactMap(endpoint)
    let symbols = words.dropFirst(3).compactMap { Symbol($0) }
    guard endpoints.count == 3, !symbols.isEmpty, symbols.count == words.count - 3 else { return print(usage) }
    try run(lines: Array(endpoints.prefix(2)), server: endpoints[2], symbols: symbols)
  }

  static func endpoint(_ word: String) -> UDPEndpoint? {
    let parts = word.split(separator: ":")
    guard parts.count == 2, let address = IPv4Address(String(parts[0])), let port = UInt16(parts[1]) else { return nil }
    return UDPEndpoint(address, port: port)
  }

  static func run(lines: [UDPEndpoint], server: UDPEndpoint, symbols: [Symbol]) throws {
    let arena = Arena(capacityBytes: 1 << 30)
    let instruments = symbols.enumerated().map {
      Instrument(id: InstrumentID(index: UInt32($0)), symbol: $1, averageDailyVolume: Quantity(lots: 1_000_000))
    }
    // Times of ITCH count from midnight; the start of the epoch will do where only differences matter.
    let midnight = Timestamp(nanoseconds: 0)
    let configuration = EngineConfiguration()
    var engine = try TradingPipeline(
      configuration: configuration, instruments: InstrumentDirectory(instruments), midnight: midnight,
      model: QueueModel(),
      gateway: SimulatedVenues(venues: configuration.venueDirectory(), split: configuration.displaySplit(), in: arena),
      probe: NoProbe(), sink: DecisionChecksum(),
      control: EngineControl(policy: .standard(.aggressive), in: arena), in: arena)
    engine.context(ContextEvent(kind: .vix, value: 14, time: midnight + .seconds(34_200)))
    var feed = ItchLine(
      arbiter: LineArbiter(try LineConfiguration(), in: arena),
      decoder: ItchDecoder(
        midnight: midnight, venue: VenueID(index: 0), map: try InstrumentMap(listed: symbols, in: arena), in: arena))

    var first = try PacketReceiver(ReceiveConfiguration(lines[0]), in: arena)
    var second = try PacketReceiver(ReceiveConfiguration(lines[1]), in: arena)
    // A server answers where the request came from.
    var answers = try PacketReceiver(ReceiveConfiguration(UDPEndpoint(.any, port: 0)), in: arena)
    print("receiving at \(first.endpoint) and \(second.endpoint): \(first.grant)")
    // At once, also into a file.
    fflush(nil)

    var hasEnded = false
    var silence = Deadline.after(milliseconds: 10_000)
    while !hasEnded, !silence.hasPassed {
      let count =
        take(&first, line: 0, into: &engine, of: &feed) + take(&second, line: 1, into: &engine, of: &feed)
        + take(&answers, line: 2, into: &engine, of: &feed)
      if count > 0 { silence = .after(milliseconds: 10_000) }
      let now = Timestamp(nanoseconds: SystemClocks.wallNanoseconds)
      while let action = engine.nextAction(of: &feed, at: now) {
        switch action {
        case .request(let range):
          let bytes = range.bytes
          try answers.send(bytes.span.rawBytes, to: server)
        case .lost(let first, let count): print("lost \(count) messages from \(first) on: a snapshot is needed")
        case .stateChanged(let state): print("the line is \(state)")
        case .sessionEnded: hasEnded = true
        }
      }
    }
    engine.finish()
    print(
      "\(engine.counts.messages) messages, \(feed.arbiter.requestCount) requests, \(engine.counts.triggers) decisions, "
        + "\(engine.counts.orders) orders, checksum \(engine.sink.hex)")
  }

  /// Puts what has come over one line through the stages; how many datagrams that was.
  static func take<Gateway: VenueGateway & ~Copyable, Sink: DecisionSink & ~Copyable>(
    _ receiver: inout PacketReceiver, line: Int,
    into engine: inout TradingPipeline<QueueModel, Gateway, NoProbe, Sink>, of feed: inout ItchLine
  ) -> Int {
    // One look: a thread that does nothing else asks the lines in turn.
    let batch = receiver.receive(waiting: SpinWait(), until: .after(nanoseconds: 0))
    for index in 0..<batch.count {
      let packet = batch[index]
      engine.ingest(ByteView(packet.bytes), of: &feed, line: line, at: packet.kernelTime)
    }
    return batch.count
  }
}
