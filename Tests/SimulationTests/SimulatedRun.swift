import ModelFixtures
import EngineTelemetry
import FixtureStreams
import LockFreeRings
import TradingEngine
import TradingTypes

/// A gateway whose own record of fills the run compares with the ledger.
protocol AuditedVenue: VenueGateway {
  /// Signed lots it says it filled, by instrument.
  var filledLots: [UInt32: Int64] { get }
  /// Orders it took.
  var sentCount: Int { get }
}

extension UnreliableVenue: AuditedVenue {
  var sentCount: Int { sent.count }
}

extension LosingVenue: AuditedVenue {
  var filledLots: [UInt32: Int64] { inner.filledLots }
  var sentCount: Int { inner.sentCount }
}

/// What was sent and booked, by its own bookkeeping: the gateway tells of orders, the sink of reports that the ledger took in.
final class Audit {
  private var positions: [UInt32: Int64] = [:]
  private var open: [UInt64: (instrument: UInt32, side: Side, lots: Int64)] = [:]

  func position(of index: UInt32) -> Int64 { positions[index, default: 0] }

  /// Lots of open orders on a side.
  func open(_ index: UInt32, _ side: Side) -> Int64 {
    open.values.reduce(0) { $0 + ($1.instrument == index && $1.side == side ? $1.lots : 0) }
  }

  func sent(_ order: ChildOrder) {
    open[order.clientOrderID.value] = (order.instrument.index, order.side, order.quantity.lots)
  }

  func booked(_ report: ExecutionReport) {
    let number = report.clientOrderID.value
    switch report.kind {
    case .accepted: break
    case .filled:
      positions[report.instrument.index, default: 0] += report.side.sign * report.quantity.lots
      let left = (open[number]?.lots ?? 0) - report.quantity.lots
      if left > 0 { open[number]?.lots = left } else { open[number] = nil }
    case .cancelled, .rejected: open[number] = nil
    }
  }
}

/// The checksum of the decisions, and the reports for the audit.
struct AuditedSink: DecisionSink, ~Copyable {
  var checksum = DecisionChecksum()
  let audit: Audit

  init(_ audit: Audit) { self.audit = audit }

  mutating func record(_ decision: borrowing Decision, plan: borrowing RoutePlan) {
    checksum.record(decision, plan: plan)
  }
  mutating func record(_ report: borrowing ExecutionReport) { audit.booked(copy report) }
}

/// A gateway that looks over the engine's shoulder: what may never be sent is noted at the moment it is.
struct Watchman<Inner: AuditedVenue>: AuditedVenue {
  var inner: Inner
  let longMax: Int64
  let audit: Audit
  /// Levels, as the run tells before each event.
  var halted: Set<UInt32> = []
  var isHalted = false
  /// A re-arm was asked for and takes effect with the next decision.
  var expectsRearm = false
  private(set) var violations: [String] = []

  init(_ inner: Inner, longMax: Int64, audit: Audit) {
    self.inner = inner
    self.longMax = longMax
    self.audit = audit
  }

  var filledLots: [UInt32: Int64] { inner.filledLots }
  var sentCount: Int { inner.sentCount }

  mutating func send(_ order: ChildOrder, at time: Timestamp) -> Bool {
    let index = order.instrument.index
    let (held, lots, sign) = (audit.position(of: index), order.quantity.lots, order.side.sign)
    let isClosing = sign * held < 0 && lots + audit.open(index, order.side) <= abs(held)
    if isHalted || halted.contains(index), !isClosing {
      violations.append("order \(order.clientOrderID.value) of instrument \(index) sent while halted")
    }
    if sign * held + audit.open(index, order.side) + lots > longMax {
      violations.append("order \(order.clientOrderID.value) takes \(held) lots beyond \(longMax)")
    }
    if lots <= 0 || order.price.nanos <= 0 { violations.append("order \(order.clientOrderID.value) is empty") }
    guard inner.send(order, at: time) else { return false }
    audit.sent(order)
    return true
  }

  func nextReport(by time: Timestamp) -> InstrumentID? { inner.nextReport(by: time) }
  mutating func receive(by time: Timestamp, market: borrowing DepthView) -> ExecutionReport? {
    inner.receive(by: time, market: market)
  }
}

/// The whole engine over an unreliable feed and an unreliable venue.
enum SimulatedRun {
  typealias Pipeline<Venue: AuditedVenue> = TradingPipeline<Ensemble, Watchman<Venue>, NoProbe, AuditedSink>

  static let longMax: Int64 = 120

  /// What a run leaves behind.
  struct Outcome {
    var checksum: String
    var stateHash: String
    var counts: PipelineCounts
    var violations: [String]
    var trips: Int
    var sent: Int
  }

  static func configuration() -> EngineConfiguration {
    var configuration = EngineConfiguration()
    configuration.capacity.restingOrders = 4_096
    configuration.capacity.windowTicks = 256
    configuration.capacity.openOrders = 256
    configuration.limits.longPositionMax = Quantity(lots: longMax)
    configuration.limits.shortPositionMax = Quantity(lots: longMax)
    configuration.kill.consecutiveRejectsMax = 8
    return configuration
  }

  /// Runs the day and checks the invariants on the way and at the end.
  ///
  /// - Parameters:
  ///   - isHonest: the venue's own record of fills must equal the books.
  ///   - disturb: called before each event; a planted fault may meddle.
  static func run<Venue: AuditedVenue>(
    _ feed: UnreliableFeed, instruments: Int, venue: Venue, isHonest: Bool, control: EngineControl? = nil,
    disturb: (inout Pipeline<Venue>, UInt64) -> Void = { _, _ in }
  ) throws -> Outcome {
    let configuration = configuration()
    let directory = try InstrumentDirectory(
      (0..<instruments).map {
        Instrument(
          id: InstrumentID(index: UInt32($0)), symbol: ItchFixture(parameters(instruments)).symbols[$0],
          averageDailyVolume: configuration.averageDailyVolume)
      })
    let arena = Arena(capacityBytes: 1 << 30)
    let audit = Audit()
    var pipeline = try TradingPipeline(
      configuration: configuration, instruments: directory, midnight: ItchFixture.midnight,
      model: Ensemble(SmallEnsemble.artifact(), instrumentCount: directory.count, in: arena),
      gateway: Watchman(venue, longMax: longMax, audit: audit), probe: NoProbe(), sink: AuditedSink(audit),
      control: try control ?? EngineControl(policy: .standard(.normal), in: arena), in: arena)
    var violations: [String] = []
    for (number, message) in feed.messages.enumerated() {
      tell(&pipeline, instruments)
      disturb(&pipeline, UInt64(number))
      pipeline.ingest(ByteView(message.body.span), sequence: message.sequence)
      if number % 4_000 == 0, let violation = pipeline.ledger.checkInvariants() {
        violations.append("message \(message.sequence): \(violation)")
      }
    }
    pipeline.finish()
    if let violation = pipeline.ledger.checkInvariants() { violations.append("at the end: \(violation)") }
    if let violation = pipeline.books.checkInvariants() { violations.append("books at the end: \(violation)") }
    let counts = pipeline.counts
    if counts.decisions != counts.triggers {
      violations.append("\(counts.triggers) triggers, \(counts.decisions) decisions")
    }
    if counts.orders != UInt64(pipeline.gateway.sentCount) { violations.append("orders counted and sent differ") }
    violations += pipeline.gateway.violations
    for index in 0..<instruments {
      let held = pipeline.ledger.position(of: InstrumentID(index: UInt32(index))).lots
      if held != audit.position(of: UInt32(index)) {
        violations.append("instrument \(index): books and reports differ")
      }
    }
    if isHonest {
      for index in 0..<instruments {
        let held = pipeline.ledger.position(of: InstrumentID(index: UInt32(index))).lots
        let filled = pipeline.gateway.filledLots[UInt32(index), default: 0]
        if held != filled { violations.append("instrument \(index): \(held) lots booked, \(filled) filled") }
      }
      let open = pipeline.ledger.openOrderCount
      if open != 0 { violations.append("\(open) orders are open at the end") }
    }
    return Outcome(
      checksum: pipeline.sink.checksum.hex, stateHash: pipeline.stateHash(), counts: counts, violations: violations,
      trips: pipeline.kill.tripCount, sent: pipeline.gateway.sentCount)
  }

  /// The watchman learns what the kill switch says before the event.
  private static func tell<Venue: AuditedVenue>(_ pipeline: inout Pipeline<Venue>, _ instruments: Int) {
    let isHalted = pipeline.kill.globalLevel == .halted
    if !isHalted { pipeline.gateway.expectsRearm = false }
    pipeline.gateway.isHalted = isHalted && !pipeline.gateway.expectsRearm
    for index in 0..<UInt32(instruments) {
      if pipeline.kill.level(of: .symbol(InstrumentID(index: index))) == .halted {
        pipeline.gateway.halted.insert(index)
      }
    }
  }

  static func parameters(_ instruments: Int, seed: UInt64 = 1, messages: Int = 12_000) -> ItchFixture.Parameters {
    ItchFixture.Parameters(seed: seed, messages: messages, symbols: instruments)
  }

  static func day(seed: UInt64, instruments: Int = 3, messages: Int = 12_000) -> [UInt8] {
    ItchFixture(parameters(instruments, seed: seed, messages: messages)).generate()
  }
}
