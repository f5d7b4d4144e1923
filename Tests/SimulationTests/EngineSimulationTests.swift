// Goal: whatever feed and venues do, the engine neither traps nor books wrongly nor sends what it must not. Method: seeded faults of
// the line and of the venue over generated days, invariants at every order and after every run, the same seed twice, and planted
// faults that the invariants must catch.

import ModelFixtures
import EngineTelemetry
import LockFreeRings
import TestSupport
import Testing
import TradingEngine
import TradingTypes

@Suite struct EngineSimulationTests {
  static let lines: [(name: String, faults: UnreliableFeed.Faults)] = [
    ("whole", .none), ("dropping", .init(dropped: 50)), ("repeating", .init(repeated: 50)),
    ("swapping", .init(swapped: 100)),
    ("damaging", .init(damaged: 50)), ("everything", .all),
  ]

  @Test(arguments: lines.indices)
  func `an honest venue behind a bad line: books agree to the lot`(index: Int) throws {
    let line = Self.lines[index]
    let seed = UInt64(index) + 1
    let feed = UnreliableFeed(day: SimulatedRun.day(seed: seed), line.faults, seed: seed)
    let outcome = try SimulatedRun.run(
      feed, instruments: 3, venue: UnreliableVenue(.honest, seed: seed), isHonest: true)
    #expect(outcome.violations.isEmpty, "seed \(seed), \(line.name): \(outcome.violations.prefix(3))")
    #expect(outcome.counts.misplacedReports == 0, "seed \(seed), \(line.name)")
    // It was a run: something was decided, and on a whole line sent, refused and filled. (A repeated execution overfills an
    // order of the book; that book is stale from then on, and check 14 refuses to trade on it.)
    #expect(outcome.counts.triggers > 1_000, "seed \(seed), \(line.name)")
    if index == 0 { #expect(outcome.sent > 10 && outcome.counts.fills > 0 && outcome.counts.refused > 0) }
  }

  @Test(arguments: Seeds.brief)
  func `a dishonest venue behind a bad line: nothing traps and nothing forbidden is sent`(seed: UInt64) throws {
    let feed = UnreliableFeed(day: SimulatedRun.day(seed: seed), .all, seed: seed)
    let outcome = try SimulatedRun.run(
      feed, instruments: 3, venue: UnreliableVenue(.dishonest, seed: seed), isHonest: false)
    #expect(outcome.violations.isEmpty, "seed \(seed): \(outcome.violations.prefix(3))")
    #expect(outcome.counts.triggers > 1_000, "seed \(seed)")
    // The lies were noticed: every one that cannot be booked is counted and stops its instrument.
    if outcome.counts.misplacedReports > 0 { #expect(outcome.trips > 0, "seed \(seed)") }
  }

  @Test func `lies are met in these runs`() throws {
    var misplaced: UInt64 = 0
    for seed in Seeds.brief {
      let feed = UnreliableFeed(day: SimulatedRun.day(seed: seed, messages: 6_000), .none, seed: seed)
      var faults = UnreliableVenue.Faults.dishonest
      faults.repeated = 300
      faults.overfilled = 300
      faults.invented = 300
      let outcome = try SimulatedRun.run(
        feed, instruments: 3, venue: UnreliableVenue(faults, seed: seed), isHonest: false)
      #expect(outcome.violations.isEmpty, "seed \(seed): \(outcome.violations.prefix(3))")
      misplaced += outcome.counts.misplacedReports
    }
    #expect(misplaced > 0)
  }

  @Test func `the same seed gives the same decisions and the same state`() throws {
    func run(_ seed: UInt64) throws -> SimulatedRun.Outcome {
      let feed = UnreliableFeed(day: SimulatedRun.day(seed: 4), .all, seed: seed)
      return try SimulatedRun.run(feed, instruments: 3, venue: UnreliableVenue(.dishonest, seed: seed), isHonest: false)
    }
    let (first, second, other) = (try run(9), try run(9), try run(10))
    #expect(first.checksum == second.checksum && first.stateHash == second.stateHash && first.trips == second.trips)
    #expect(first.checksum != other.checksum)
  }

  @Test func `while halted nothing but exits is sent, and trading goes on after a re-arm`() throws {
    let control = try EngineControl(policy: .standard(.normal), in: Arena(capacityBytes: 1 << 20))
    let feed = UnreliableFeed(day: SimulatedRun.day(seed: 2), .none, seed: 2)
    var sentAtHalt = 0
    var sentAtRearm = 0
    let outcome = try SimulatedRun.run(
      feed, instruments: 3, venue: UnreliableVenue(.honest, seed: 2), isHonest: true, control: control
    ) { pipeline, number in
      if number == 6_000 {
        control.requestKill(.halted, by: "simulation")
        sentAtHalt = pipeline.gateway.sentCount
      }
      if number == 8_000 {
        sentAtRearm = pipeline.gateway.sentCount
        control.rearm(authorisedBy: "simulation", reason: "end of the drill")
        pipeline.gateway.expectsRearm = true
        pipeline.gateway.isHalted = false
      }
    }
    #expect(outcome.violations.isEmpty, "\(outcome.violations.prefix(3))")
    #expect(sentAtHalt > 0 && outcome.sent > sentAtRearm)
    #expect(outcome.counts.rejects[Int(RiskCheck.killState.rawValue)] > 0)
  }

  // MARK: - Planted faults

  @Test func `a lost fill is caught`() throws {
    let feed = UnreliableFeed(day: SimulatedRun.day(seed: 1), .none, seed: 1)
    let outcome = try SimulatedRun.run(
      feed, instruments: 3, venue: LosingVenue(UnreliableVenue(.honest, seed: 1)), isHonest: true)
    #expect(!outcome.violations.isEmpty)
  }

  @Test func `an order sent while halted is caught`() throws {
    let feed = UnreliableFeed(day: SimulatedRun.day(seed: 1, messages: 3_000), .none, seed: 1)
    let outcome = try SimulatedRun.run(
      feed, instruments: 3, venue: UnreliableVenue(.honest, seed: 1), isHonest: false
    ) { pipeline, number in
      guard number == 2_000 else { return }
      pipeline.gateway.isHalted = true
      let intent = OrderIntent(
        clientOrderID: ClientOrderID(value: 1 << 50), causeSequence: 1, time: Timestamp(nanoseconds: 1),
        instrument: InstrumentID(index: 0), side: .buy, price: Price(nanos: 1_000_000_000),
        quantity: Quantity(lots: 1_000))
      let child = ChildOrder(
        part: intent, clientOrderID: ClientOrderID(value: 1 << 50), venue: VenueID(index: 0), price: intent.price,
        quantity: intent.quantity, isSweep: false)
      _ = pipeline.gateway.send(child, at: intent.time)
    }
    #expect(outcome.violations.contains { $0.contains("while halted") })
    #expect(outcome.violations.contains { $0.contains("beyond") })
    #expect(outcome.violations.contains { $0.contains("counted and sent differ") })
  }

  // MARK: - Events that no feed sends

  @Test(arguments: Seeds.brief)
  func `events of any content leave a pipeline that still works`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let configuration = SimulatedRun.configuration()
    let directory = try InstrumentDirectory(
      (0..<2).map {
        Instrument(
          id: InstrumentID(index: UInt32($0)), symbol: Symbol("S\($0)")!, averageDailyVolume: Quantity(lots: 1_000_000))
      })
    let arena = Arena(capacityBytes: 1 << 30)
    var pipeline = try TradingPipeline(
      configuration: configuration, instruments: directory, midnight: Timestamp(nanoseconds: 0),
      model: Ensemble(SmallEnsemble.artifact(), instrumentCount: directory.count, in: arena),
      gateway: UnreliableVenue(.dishonest, seed: seed),
      probe: NoProbe(),
      sink: DecisionChecksum(), control: EngineControl(policy: .standard(.aggressive), in: arena), in: arena)
    func number(_ random: inout SplitMix64) -> Int64 {
      switch random.below(6) {
      case 0: Int64(bitPattern: random.next())
      case 1: [Int64.min, .max, 0, -1, 1, 1 << 53, 1 << 40, Int64.max - 1][random.below(8)]
      default: Int64(random.below(200)) * 10_000_000
      }
    }
    var time: Int64 = 34_200_000_000_000
    for step in 0..<3_000 {
      time += Int64(random.below(2_000_000_000))
      let isWild = random.below(40) == 0
      pipeline.ingest(
        MarketEvent(
          kind: MarketEventKind.allCases[random.below(MarketEventKind.allCases.count)], sequence: UInt64(step),
          time: Timestamp(nanoseconds: isWild ? number(&random) : time),
          instrument: InstrumentID(
            index: random.below(10) == 0 ? UInt32(truncatingIfNeeded: random.next()) : UInt32(random.below(2))),
          reference: OrderReference(value: UInt64(random.below(60))),
          newReference: OrderReference(value: UInt64(random.below(60))),
          side: random.below(2) == 0 ? .buy : .sell, price: Price(nanos: number(&random)),
          quantity: Quantity(lots: random.below(5) == 0 ? number(&random) : Int64(random.below(500))),
          flags: MarketEventFlags(rawValue: UInt8(random.below(8)))))
      if random.below(50) == 0 {
        let values = [Double.nan, .infinity, -1, 0, 15, 40, 1e300]
        pipeline.context(
          ContextEvent(
            kind: ContextEvent.Kind.allCases[random.below(4)], value: values[random.below(7)],
            time: Timestamp(nanoseconds: number(&random))))
      }
    }
    pipeline.finish()
    let counts = pipeline.counts
    #expect(counts.messages == 3_000 && counts.decisions == counts.triggers, "seed \(seed)")
    #expect(counts.insaneForecasts == 0, "seed \(seed)")
    let violations = (pipeline.ledger.checkInvariants(), pipeline.books.checkInvariants())
    #expect(violations == (nil, nil), "seed \(seed)")
  }
}
