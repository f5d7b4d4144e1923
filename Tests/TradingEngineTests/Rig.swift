import ModelFixtures
import FixtureStreams
import LockFreeRings
import TradingEngine
import TradingTypes

// What the tests of the engine share: a crafted market, and what a host brings of its own.

/// A model that says what it is told, and keeps every vector it was asked about.
struct ScriptedModel: Forecaster {
  /// What it says next.
  var forecast: Forecast
  var vectors: [FeatureVector] = []

  mutating func forecast(_ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp)
    -> Forecast
  {
    vectors.append(copy features)
    return forecast
  }
}

extension Forecast {
  /// A sure forecast: sized, whatever the regime at the start.
  static var up: Forecast { Forecast(probabilityUp: 0.9, confidence: 0.9, members: 1) }
  static var down: Forecast { Forecast(probabilityUp: 0.1, confidence: 0.9, members: 1) }
}

/// A sink that keeps everything in the order it came.
struct RecordingSink: DecisionSink {
  enum Entry {
    case decision(Decision, [ChildOrder])
    case report(ExecutionReport)
  }
  var entries: [Entry] = []
  var checksum = DecisionChecksum.Twin()

  mutating func record(_ decision: borrowing Decision, plan: borrowing RoutePlan) {
    var children: [ChildOrder] = []
    if decision.verdict == .routed { for index in 0..<plan.count { children.append(plan.children[index]) } }
    checksum.add(copy decision, children)
    entries.append(.decision(copy decision, children))
  }

  mutating func record(_ report: borrowing ExecutionReport) { entries.append(.report(copy report)) }

  var decisions: [Decision] {
    entries.compactMap { if case .decision(let decision, _) = $0 { decision } else { nil } }
  }
  var children: [ChildOrder] {
    entries.flatMap { entry -> [ChildOrder] in if case .decision(_, let children) = entry { children } else { [] } }
  }
  var reports: [ExecutionReport] { entries.compactMap { if case .report(let report) = $0 { report } else { nil } } }
  var fills: [ExecutionReport] { reports.filter { $0.kind == .filled } }
}

extension DecisionChecksum {
  /// The checksum by its definition: bytes of one record after the other, hashed at the end.
  struct Twin {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ decision: Decision, _ children: [ChildOrder]) {
      put(decision.sequence, 8)
      put(UInt64(bitPattern: decision.time.nanoseconds), 8)
      put(UInt64(decision.instrument.index), 4)
      put(UInt64(decision.verdict.rawValue), 2)
      put(UInt64(decision.check), 2)
      put(UInt64(decision.side), 1)
      put(UInt64(bitPattern: decision.price.nanos), 8)
      put(UInt64(bitPattern: decision.quantity.lots), 8)
      for child in children {
        put(UInt64(child.venue.index), 2)
        put(UInt64(bitPattern: child.price.nanos), 8)
        put(UInt64(bitPattern: child.quantity.lots), 8)
      }
    }

    /// Fowler, Noll and Vo's variant 1a by its definition.
    var hex: String {
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for byte in bytes {
        hash ^= UInt64(byte)
        hash &*= 0x100_0000_01B3
      }
      let digits = String(hash, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private mutating func put(_ value: UInt64, _ count: Int) {
      for place in 0..<count { bytes.append(UInt8(value >> UInt64(8 * place) & 0xFF)) }
    }
  }
}

/// A venue gateway of a host: fills what it gets at the limit price, after `latency`, unless told otherwise.
struct HostVenue: VenueGateway {
  var latency = TimeSpan.zero
  /// Venues that take no orders.
  var deaf: Set<UInt16> = []
  /// Orders are refused by the venue: rejected, not filled.
  var rejects = false
  private(set) var sent: [(order: ChildOrder, time: Timestamp)] = []
  private(set) var declined: [ChildOrder] = []
  /// Reports to come, in order of their time.
  var queue: [ExecutionReport] = []

  mutating func send(_ order: ChildOrder, at time: Timestamp) -> Bool {
    guard !deaf.contains(order.venue.index) else {
      declined.append(order)
      return false
    }
    sent.append((order, time))
    let due = time + latency
    if rejects {
      queue.append(ExecutionReport(.rejected, of: order, time: due, quantity: order.quantity, leaves: .zero))
    } else {
      queue.append(
        ExecutionReport(.filled, of: order, time: due, price: order.price, quantity: order.quantity, leaves: .zero))
    }
    return true
  }

  func nextReport(by time: Timestamp) -> InstrumentID? {
    guard let first = queue.first, first.time <= time else { return nil }
    return first.instrument
  }

  mutating func receive(by time: Timestamp, market: borrowing DepthView) -> ExecutionReport? {
    guard let first = queue.first, first.time <= time else { return nil }
    queue.removeFirst()
    return first
  }
}

typealias HostPipeline<Gateway: VenueGateway & ~Copyable> = TradingPipeline<
  ScriptedModel, Gateway, NoProbe, RecordingSink
>

/// Crafted pipelines and events: instruments worth 100, a cent between bid and ask.
enum Rig {
  static let open = Timestamp(nanoseconds: ItchFixture.openNanoseconds)
  static let instrument = InstrumentID(index: 0)

  static func configuration(_ change: (inout EngineConfiguration) -> Void = { _ in }) -> EngineConfiguration {
    var configuration = EngineConfiguration()
    configuration.capacity.restingOrders = 1_024
    configuration.capacity.windowTicks = 64
    configuration.capacity.openOrders = 64
    change(&configuration)
    return configuration
  }

  static func directory(_ count: Int = 1) throws -> InstrumentDirectory {
    try InstrumentDirectory(
      (0..<count).map {
        Instrument(
          id: InstrumentID(index: UInt32($0)), symbol: Symbol("M\($0)")!,
          averageDailyVolume: Quantity(lots: 1_000_000))
      })
  }

  static func control(_ mode: PolicyMode = .normal) throws -> EngineControl {
    try EngineControl(policy: .standard(mode), in: Arena(capacityBytes: 1 << 20))
  }

  /// A pipeline with a scripted model over `gateway`.
  static func pipeline<Gateway: VenueGateway & ~Copyable>(
    _ gateway: consuming Gateway, forecast: Forecast = .up, instruments: Int = 1,
    configuration: EngineConfiguration = Rig.configuration(), control: EngineControl? = nil
  ) throws -> HostPipeline<Gateway> {
    let shared = try control ?? Rig.control()
    return try TradingPipeline(
      configuration: configuration, instruments: try directory(instruments), midnight: ItchFixture.midnight,
      model: ScriptedModel(forecast: forecast), gateway: gateway, probe: NoProbe(), sink: RecordingSink(),
      control: shared, in: Arena(capacityBytes: 128 << 20))
  }

  // MARK: - Events

  static func price(_ cents: Int64) -> Price { Price(nanos: cents * 10_000_000) }

  /// An order of `lots` at `cents` rests.
  static func add(
    _ reference: UInt64, _ side: Side, _ cents: Int64, lots: Int64 = 1_000, at nanoseconds: Int64,
    of index: UInt32 = 0, flags: MarketEventFlags = .hasSide
  ) -> MarketEvent {
    MarketEvent(
      kind: .addOrder, sequence: reference, time: Timestamp(nanoseconds: open.nanoseconds + nanoseconds),
      instrument: InstrumentID(index: index), reference: OrderReference(value: reference), side: side,
      price: price(cents), quantity: Quantity(lots: lots), flags: flags)
  }

  /// A trade of `lots` at `cents` that leaves the book alone.
  static func trade(
    _ sequence: UInt64, _ cents: Int64, lots: Int64 = 10, at nanoseconds: Int64, of index: UInt32 = 0
  ) -> MarketEvent {
    MarketEvent(
      kind: .trade, sequence: sequence, time: Timestamp(nanoseconds: open.nanoseconds + nanoseconds),
      instrument: InstrumentID(index: index), price: price(cents), quantity: Quantity(lots: lots))
  }

  /// A message of the session that no book cares for.
  static func nothing(at nanoseconds: Int64) -> MarketEvent {
    MarketEvent(
      kind: .information, time: Timestamp(nanoseconds: open.nanoseconds + nanoseconds), instrument: .none)
  }

  /// The two orders that make a market of 100.00 to 100.01; the second one triggers with a two-sided book.
  static func market(at nanoseconds: Int64 = 0, of index: UInt32 = 0) -> [MarketEvent] {
    let first = UInt64(index) * 1_000 + 1
    return [
      add(first, .buy, 10_000, at: nanoseconds, of: index), add(first + 1, .sell, 10_001, at: nanoseconds, of: index),
    ]
  }
}
