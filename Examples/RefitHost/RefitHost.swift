import Foundation
import SimulatedVenue
import TradingEngine

/// Trades a generated market on paper while its regime and volatility models are refitted beside it; and repeats such a run from its journal.
@main struct RefitHost {
  static let usage = """
    usage: refithost live JOURNAL [SEED]
           refithost replay JOURNAL [SEED]

    live    trades a day of two instruments in bars of ten seconds, 500 bars a second. Another thread refits the models every 390 bars, and
            the engine takes them over at a bar's end. JOURNAL, a new folder, keeps decisions, sizes and refits.
    replay  decides the same day again, with the refits in JOURNAL at the same bars.

    Both print what changed and when, and the decision checksum, which is the same.
    """

  static func main() throws {
    let words = Array(CommandLine.arguments.dropFirst())
    guard words.count == 2 || words.count == 3, let seed = words.count == 3 ? UInt64(words[2]) : 1 else {
      return print(usage)
    }
    let host = try RefitHost(journal: words[1], seed: seed)
    switch words[0] {
    case "live": print(try host.live())
    case "replay": print(try host.replay())
    default: return print(usage)
    }
  }

  let journal: String
  let seed: UInt64
  var bars = 2_340
  var barsPerSecond = 500.0
  var schedule = Refitter.Schedule()
  var fits: Refitter.Fits
  private let configuration: EngineConfiguration

  init(journal: String, seed: UInt64) throws {
    self.journal = journal
    self.seed = seed
    var configuration = EngineConfiguration()
    configuration.bars.primarySeconds = 10
    configuration.capacity.restingOrders = 1_024
    configuration.capacity.windowTicks = 4_096
    self.configuration = configuration
    fits = try .standard(for: configuration)
  }

  /// What a run printed.
  struct Outcome: Hashable, CustomStringConvertible {
    var refits: [String]
    var orders: UInt64
    var checksum: String

    var description: String { (refits + ["orders \(orders), decision_checksum \(checksum)"]).joined(separator: "\n") }
  }

  // MARK: - Live

  /// Trades on this thread; another one fits.
  func live() throws -> Outcome {
    let arena = Arena(capacityBytes: 1 << 30)
    var desk = try RefitDesk(instrumentCount: Market.symbols.count, in: arena)
    let refitter = try Refitter(desk.takePublisher(), configuration: configuration, schedule: schedule, fits: fits)

    try FileManager.default.createDirectory(atPath: journal, withIntermediateDirectories: true)
    guard try FileManager.default.contentsOfDirectory(atPath: journal).isEmpty else {
      throw ConfigurationError("\(journal): a new or empty folder expected, one with files found")
    }
    let writer = try JournalWriter(storage: FileStorage(directory: journal), in: arena)
    var engine = try engine(desk, into: JournalSink(writer, source: 1), in: arena)
    let thread = RefitThread(refitter)
    play(through: &engine, barsPerSecond: barsPerSecond)
    thread.stop()
    try writer.flush(through: engine.sink.lastSequence, until: .after(milliseconds: 60_000))
    try writer.close(until: .after(milliseconds: 60_000))
    if let report = thread.report, let reason = report.lastReason {
      print("kept \(report.kept) times what was in force, at last because of \(reason)")
    }
    return Outcome(
      refits: try RefitHistory(inJournal: journal).records.map(Self.line), orders: engine.counts.orders,
      checksum: engine.sink.checksum.hex)
  }

  // MARK: - Replay

  /// Decides the same market again, with the recorded refits: no fit is made.
  func replay() throws -> Outcome {
    let history = try RefitHistory(inJournal: journal)
    for cut in history.cuts { print(cut) }
    let arena = Arena(capacityBytes: 1 << 30)
    let desk = try RefitDesk(instrumentCount: Market.symbols.count, plan: history.plan(), in: arena)
    var engine = try engine(desk, into: DecisionChecksum(), in: arena)
    play(through: &engine, barsPerSecond: nil)
    return Outcome(
      refits: history.records.map(Self.line), orders: engine.counts.orders, checksum: engine.sink.hex)
  }

  // MARK: - Both

  typealias Engine<Sink: DecisionSink & ~Copyable> = TradingPipeline<QueueModel, SimulatedVenues, NoProbe, Sink>

  func engine<Sink: DecisionSink & ~Copyable>(
    _ desk: consuming RefitDesk, into sink: consuming Sink, in arena: Arena
  ) throws -> Engine<Sink> {
    let instruments = try InstrumentDirectory(
      Market.symbols.enumerated().map { index, symbol in
        Instrument(
          id: InstrumentID(index: UInt32(index)), symbol: Symbol(symbol)!,
          averageDailyVolume: Quantity(lots: 1_000_000))
      })
    var engine = try TradingPipeline(
      configuration: configuration, instruments: instruments, midnight: Timestamp(nanoseconds: 0),
      model: QueueModel(),
      gateway: SimulatedVenues(venues: configuration.venueDirectory(), split: configuration.displaySplit(), in: arena),
      probe: NoProbe(), sink: sink, control: EngineControl(policy: .standard(.aggressive), in: arena), in: arena)
    engine.refits = OwnedBox(desk)
    return engine
  }

  func play<Sink: DecisionSink & ~Copyable>(through engine: inout Engine<Sink>, barsPerSecond: Double?) {
    var market = Market(seed: seed)
    engine.context(ContextEvent(kind: .vix, value: 14, time: Market.open))
    for _ in 0..<bars {
      for event in market.nextBar() { engine.ingest(event) }
      if let barsPerSecond { Thread.sleep(forTimeInterval: 1 / barsPerSecond) }
    }
    engine.finish()
  }

  /// What one record of a refit changed, and when.
  static func line(of refit: RefitRecord) -> String {
    let time = Date(timeIntervalSince1970: Double(refit.barrier.nanoseconds / 1_000_000_000))
    var line = "\(time.formatted(.iso8601.time(includingFractionalSeconds: false))) refit \(refit.number)"
    line += " \(Market.symbols[Int(refit.instrument.index)]):"
    if let regime = refit.regime {
      let deviations = (0..<regime.parameters.stateCount).map { regime.parameters.variances[$0].squareRoot() }
      line += " regimes of \(deviations.map { String(format: "%.3f", $0) }.joined(separator: ", ")) % a bar;"
    }
    if let volatility = refit.volatility {
      line += String(format: " next bar %.3f %%;", volatility.state.variance.squareRoot())
    }
    return line + " \(refit.caughtUp) returns taken in late"
  }
}

/// The side with the longer queue wins.
struct QueueModel: Forecaster {
  func forecast(_ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp) -> Forecast {
    guard features.valid[.queueImbalance] else { return .unusable }
    let up = 0.5 + 0.4 * features[.queueImbalance]
    return Forecast(probabilityUp: up, confidence: max(up, 1 - up), members: 1)
  }
}

/// Two instruments that are calm and wild by turns: a quote on either side and a trade, every ten seconds.
struct Market {
  static let symbols = ["ACME", "BOLT"]
  static let open = Timestamp(nanoseconds: 34_200_000_000_000)
  private var random: SplitMix64
  private var cents: [Int64] = [10_000, 5_000]
  private var bar: Int64 = 0
  private var sequence: UInt64 = 0
  private var isWild = false

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// The messages of the next bar.
  mutating func nextBar() -> [MarketEvent] {
    if random.below(120) == 0 { isWild.toggle() }
    bar += 1
    var events: [MarketEvent] = []
    for index in Self.symbols.indices {
      // Twelve uniform numbers are nearly normal: 0.03 % of the price when calm, four times that when wild.
      let shock = (0..<12).reduce(-6.0) { sum, _ in sum + random.unit() } * (isWild ? 0.0012 : 0.0003)
      cents[index] = max(100, cents[index] + Int64((Double(cents[index]) * shock).rounded()))
      // The former quotes go; the book is whole again with the trade.
      for side in [Side.buy, .sell] where bar > 1 { add(.deleteOrder, side, cents[index], lots: 0, index, &events) }
      for side in [Side.buy, .sell] {
        let away: Int64 = side == .buy ? -1 : 1
        add(.addOrder, side, cents[index] + away, lots: 100 + Int64(random.below(900)), index, &events)
      }
      add(.trade, .buy, cents[index], lots: 10, index, &events)
    }
    return events
  }

  private mutating func add(
    _ kind: MarketEventKind, _ side: Side, _ cents: Int64, lots: Int64, _ index: Int, _ events: inout [MarketEvent]
  ) {
    sequence += 1
    let time = Self.open.nanoseconds + (bar - 1) * 10_000_000_000 + Int64(events.count) * 1_000_000
    let quote = UInt64(kind == .deleteOrder ? bar - 1 : bar) * 4 + UInt64(index) * 2 + (side == .buy ? 0 : 1)
    events.append(
      MarketEvent(
        kind: kind, sequence: sequence, time: Timestamp(nanoseconds: time),
        instrument: InstrumentID(index: UInt32(index)), reference: OrderReference(value: kind == .trade ? 0 : quote),
        side: side, price: Price(nanos: cents * 10_000_000), quantity: Quantity(lots: lots),
        flags: kind == .trade ? .printable : [.hasSide, .partial]))
  }
}
