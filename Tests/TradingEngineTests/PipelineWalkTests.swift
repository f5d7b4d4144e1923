// Goal: the whole pipeline is deterministic and books what it does. Method: generated days through the built-in engine, compared
// with each other in every way that must not matter: probe, kernels, form of the input, a shared control.

import BacktestHarness
import ModelFixtures
import EngineTelemetry
import FixtureStreams
import LockFreeRings
import TestSupport
import Testing
import TradingEngine
import TradingTypes

@Suite struct PipelineWalkTests {
  @Test(arguments: Seeds.brief.prefix(2))
  func `a generated day is decided, routed, filled and booked`(seed: UInt64) throws {
    let day = try GeneratedDay(seed: seed, messages: 30_000)
    var pipeline = try day.setup.makePipeline(probe: NoProbe(), sink: RecordingSink())
    var frames = ItchFrames(day.bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
      if sequence % 5_000 == 0 {
        let violation = pipeline.ledger.checkInvariants()
        #expect(violation == nil, "seed \(seed), message \(sequence): \(violation ?? "")")
      }
    }
    pipeline.finish()
    let counts = pipeline.counts
    #expect(counts.messages == 30_000)
    #expect(counts.triggers > 5_000)
    #expect(counts.decisions == counts.triggers)
    let sink = pipeline.sink
    #expect(sink.decisions.count == Int(counts.triggers))
    for verdict in DecisionVerdict.allCases {
      #expect(sink.decisions.count { $0.verdict == verdict } == Int(counts[verdict]), "\(verdict)")
    }
    var rejects: UInt64 = 0
    for check in 0..<41 { rejects += counts.rejects[check] }
    #expect(rejects == counts[.rejected])
    #expect(counts[.routed] > 20 && counts.orders >= counts[.routed])
    #expect(sink.children.count == Int(counts.orders))
    #expect(counts.fills > 20 && sink.fills.count == Int(counts.fills))
    #expect(counts.misplacedReports == 0 && counts.insaneForecasts == 0)
    // Without latency every order is over before the next message, at the best of three venues.
    let open = pipeline.ledger.openOrderCount
    #expect(open == 0)
    #expect(Set(sink.children.map(\.venue)).count == 3)
    let trips = pipeline.kill.tripCount
    let level = pipeline.kill.globalLevel
    #expect(trips == 0 && level == .active)
    // Sequences rise: decisions stand in input order.
    let sequences = sink.decisions.map(\.sequence)
    #expect(sequences == sequences.sorted())
    // The books add up from the fills alone.
    var lots: Int64 = 0
    for fill in sink.fills { lots += fill.side.sign * fill.quantity.lots }
    var held: Int64 = 0
    for index in 0..<day.setup.directory.count {
      held += pipeline.ledger.position(of: InstrumentID(index: UInt32(index))).lots
    }
    #expect(lots == held)
    let fees = pipeline.ledger.fees
    #expect(sink.fills.reduce(Int128(0)) { $0 + Int128($1.feeNanos) } == fees.nanos)
    let violation = pipeline.books.checkInvariants()
    #expect(violation == nil)
  }

  @Test func `probe, kernels, form of the input and a shared control change nothing`() throws {
    let day = try GeneratedDay(seed: 11)
    let expected = try day.runPlain()

    let again = try day.runPlain()
    #expect(again == expected)

    var timed = try day.setup.makePipeline(
      probe: StageProbe(clock: TickClock(), in: Arena(capacityBytes: 16 << 20)), sink: DecisionChecksum())
    let withProbe = day.run(&timed)
    #expect(withProbe == expected)
    // The probe saw every message and every decision.
    let seen = (timed.probe.stages[.ingest].count, timed.probe.stages.endToEnd.count, timed.counts.triggers)
    #expect(seen.0 == 20_000)
    #expect(UInt64(seen.1) == seen.2)

    for kernels in KernelSet.supported {
      var other = day
      other.setup.kernels = kernels
      let withKernels = try other.runPlain()
      #expect(withKernels == expected, "\(kernels)")
    }

    // Two pipelines side by side under one control, one fed bytes and one events.
    let control = try Rig.control()
    var first = try day.setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum(), control: control)
    var second = try day.setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum(), control: control)
    let symbols = day.setup.directory.instruments.map(\.symbol)
    let arena = Arena(capacityBytes: 1 << 20)
    var decoder = ItchDecoder(
      midnight: ItchFixture.midnight, venue: VenueID(index: 0), map: try InstrumentMap(listed: symbols, in: arena),
      in: arena)
    var frames = ItchFrames(day.bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      first.ingest(message, sequence: sequence)
      if let event = decoder.decode(message, sequence: sequence).event { second.ingest(event) }
    }
    first.finish()
    second.finish()
    let (left, right) = (GeneratedDay.outcome(first), GeneratedDay.outcome(second))
    #expect(left == expected)
    #expect(right == expected)
  }

  @Test func `other input gives another checksum and another state`() throws {
    let first = try GeneratedDay(seed: 1, messages: 5_000).runPlain().split(separator: " ")
    let second = try GeneratedDay(seed: 2, messages: 5_000).runPlain().split(separator: " ")
    #expect(first[0] != second[0])
    #expect(first[1] != second[1])
  }

  @Test func `the decision checksum is what its definition says`() throws {
    // By hand: one decision of 41 bytes, all of them distinct.
    var intent = OrderIntent(
      clientOrderID: ClientOrderID(value: 9), causeSequence: 0x0807_0605_0403_0201, time: Timestamp(nanoseconds: -2),
      instrument: InstrumentID(index: 0xA1B2_C3D4), side: .sell, price: Price(nanos: 0x1122_3344_5566_7788),
      quantity: Quantity(lots: 77))
    intent.isExit = true
    let nothing = ChildOrder(
      part: intent, clientOrderID: .none, venue: VenueID(index: 0), price: .zero, quantity: .zero, isSweep: false)
    var plan = RoutePlan(filler: nothing)
    var sink = DecisionChecksum()
    var twin = DecisionChecksum.Twin()
    #expect(sink.hex == "cbf29ce484222325")
    let rejected = Decision(intent: intent, verdict: .rejected, check: 31)
    sink.record(rejected, plan: plan)
    twin.add(rejected, [])
    #expect(twin.bytes.count == 41)
    #expect(twin.bytes.prefix(10) == [1, 2, 3, 4, 5, 6, 7, 8, 0xFE, 0xFF])
    #expect(sink.hex == twin.hex)

    // Children count when it was routed, and only then.
    _ = plan.append(
      ChildOrder(
        part: intent, clientOrderID: ClientOrderID(value: 10), venue: VenueID(index: 0x0201), price: Price(nanos: 5),
        quantity: Quantity(lots: 6), isSweep: true))
    let unrouted = Decision(intent: intent, verdict: .noRoute)
    sink.record(unrouted, plan: plan)
    twin.add(unrouted, [])
    let routed = Decision(intent: intent, verdict: .routed)
    sink.record(routed, plan: plan)
    twin.add(routed, [plan.children[0]])
    #expect(twin.bytes.count == 3 * 41 + 18)
    #expect(sink.hex == twin.hex)
    let report = ExecutionReport(.accepted, of: nothing, time: Timestamp(nanoseconds: 0), leaves: .zero)
    sink.record(report)
    #expect(sink.hex == twin.hex)
  }

  @Test func `the checksum of a generated day equals its twin's`() throws {
    let day = try GeneratedDay(seed: 5, messages: 10_000)
    let text = try day.runPlain()
    var pipeline = try day.setup.makePipeline(probe: NoProbe(), sink: RecordingSink())
    var frames = ItchFrames(day.bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      pipeline.ingest(message, sequence: sequence)
    }
    let twin = pipeline.sink.checksum.hex
    #expect(text.hasPrefix(twin))
  }
}
