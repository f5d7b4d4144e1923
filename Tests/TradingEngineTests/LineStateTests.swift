// Goal: nothing trades on books whose feed has lost messages. Method: one generated day through the pipeline: the host says that the line is stale, and
// later valid again; the day in packets of which one in twenty is lost, with a server that sends them again, without one, and with a snapshot; books
// that give themselves away as wrong.

import BacktestHarness
import EngineTelemetry
import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingEngine
import TradingTypes

@Suite struct LineStateTests {
  @Test(arguments: [LineState.stale, .recovering])
  func `a line that is not valid stops every order, and orders go on when it is`(state: LineState) throws {
    let day = try GeneratedDay(seed: 24, messages: 9_000)
    var pipeline = try day.setup.makePipeline(probe: NoProbe(), sink: RecordingSink(), control: nil)
    let bytes = day.bytes
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      pipeline.line = (3_000..<6_000).contains(sequence) ? state : .valid
      pipeline.ingest(message, sequence: sequence)
    }
    let decisions = pipeline.sink.decisions
    #expect(Self.routed(decisions, 0..<3_000) > 0 && Self.routed(decisions, 3_000..<6_000) == 0)
    #expect(Self.routed(decisions, 6_000..<9_001) > 0)
    let refused = decisions.filter { (3_000..<6_000).contains($0.sequence) && $0.verdict == .rejected }
    #expect(!refused.isEmpty && refused.contains { $0.check == UInt16(RiskCheck.marketData.rawValue) })
  }

  static func routed(_ decisions: [Decision], _ range: Range<UInt64>) -> Int {
    decisions.count { range.contains($0.sequence) && $0.verdict == .routed }
  }

  // MARK: - Packets

  @Test(arguments: Seeds.brief)
  func `with retransmission the books are those of the whole day, and trading goes on`(seed: UInt64) throws {
    var run = try LossyRun(seed: seed, answers: true)
    let whole = try LossyRun.wholeDay(seed: seed)
    let result = try run.run()
    #expect(result.orders == whole && result.state == .valid && result.lost == 0, "seed \(seed)")
    #expect(result.lost == 0 && run.lostPackets > 20, "seed \(seed): \(run.lostPackets) packets lost")
    #expect(Self.routed(result.decisions, (run.firstLost + 500)..<UInt64.max) > 0, "seed \(seed)")
    // A decision while something was missing is refused by the check of the market data.
    #expect(result.routedWhileMissing == 0, "seed \(seed)")
  }

  @Test(arguments: Seeds.brief)
  func `without retransmission nothing trades behind the first loss`(seed: UInt64) throws {
    var run = try LossyRun(seed: seed, answers: false)
    run.skipsLost = true
    let result = try run.run()
    #expect(result.lost > 0 && result.state == .stale, "seed \(seed)")
    // The rest of the day was seen all the same.
    #expect(result.decisions.contains { $0.sequence > run.firstLost + 1_000 }, "seed \(seed)")
    #expect(Self.routed(result.decisions, run.firstLost..<UInt64.max) == 0, "seed \(seed)")
    #expect(Self.routed(result.decisions, 0..<run.firstLost) > 0, "seed \(seed)")
  }

  @Test func `a late copy of what counted as lost lets trading go on`() throws {
    var run = try LossyRun(seed: 24, answers: false)
    run.latePacket = true
    let result = try run.run()
    let whole = try LossyRun.wholeDay(seed: 24)
    #expect(result.lost > 0 && result.state == .valid && result.orders == whole)
    #expect(Self.routed(result.decisions, 0..<run.firstLost) > 0 && result.routedWhileMissing == 0)
    #expect(Self.routed(result.decisions, run.firstLost..<UInt64.max) > 0)
  }

  @Test func `an event of several messages is judged at its end`() throws {
    let day = try GeneratedDay(seed: 24, messages: 9_000)
    var events: [MarketEvent] = []
    var whole = try day.setup.makePipeline(probe: NoProbe(), sink: RecordingSink(), control: nil)
    var decoder = try DecodedDay(day)
    for body in day.bodies { if let event = decoder.decode(body) { events.append(event) } }
    for event in events { whole.ingest(event) }
    // Every second message of an instrument belongs to the one before it.
    var parted = try day.setup.makePipeline(probe: NoProbe(), sink: RecordingSink(), control: nil)
    var isPartial: [UInt32: Bool] = [:]
    var ends: Set<UInt64> = []
    for event in events {
      var event = event
      let wasPartial = isPartial[event.instrument.index] ?? false
      isPartial[event.instrument.index] = !wasPartial
      if wasPartial { ends.insert(event.sequence) } else { event.flags.insert(.partial) }
      parted.ingest(event)
    }
    let decisions = parted.sink.decisions
    #expect(!decisions.isEmpty && decisions.allSatisfy { ends.contains($0.sequence) })
    // What caused a decision in the first message causes it in the second.
    let causes = Set(whole.sink.decisions.map(\.sequence))
    #expect(decisions.contains { !causes.contains($0.sequence) })
  }

  @Test func `books that are cleared and built anew behind a loss can be traded again`() throws {
    let day = try GeneratedDay(seed: 24, messages: 9_000)
    var pipeline = try day.setup.makePipeline(probe: NoProbe(), sink: RecordingSink(), control: nil)
    for index in 0..<4 as Range<UInt32> { pipeline.books.markStale(InstrumentID(index: index)) }
    let bytes = day.bytes
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      // At the very start: an empty book is the whole book.
      if sequence == 100 { pipeline.clearBooks(at: .distantPast) }
      pipeline.ingest(message, sequence: sequence)
    }
    let decisions = pipeline.sink.decisions
    #expect(Self.routed(decisions, 0..<100) == 0 && Self.routed(decisions, 100..<9_001) > 0)
  }

  // MARK: - Books that give themselves away

  @Test func `a book that is crossed for too long, or has too many unknown orders, is not traded`() throws {
    let day = try GeneratedDay(seed: 24, messages: 9_000)
    for fault in ["crossed", "unknown"] {
      var pipeline = try day.setup.makePipeline(probe: NoProbe(), sink: RecordingSink(), control: nil)
      let bytes = day.bytes
      var frames = ItchFrames(bytes.rawBytes)
      var sequence: UInt64 = 0
      while let message = frames.next() {
        sequence += 1
        if sequence == 3_000 { Self.spoil(&pipeline, fault) }
        pipeline.ingest(message, sequence: sequence)
      }
      let decisions = pipeline.sink.decisions
      // A crossed book is wrong after 100 ms only: what is decided at once is refused for its quote instead.
      #expect(Self.routed(decisions, 0..<3_000) > 0 && Self.routed(decisions, 3_000..<9_001) == 0, "\(fault)")
      let cause: StaleCause = fault == "crossed" ? .crossed : .unknownOrders
      let (isFound, count) = (
        pipeline.health.isStale(InstrumentID(index: 0), because: cause),
        pipeline.health.causeCounts[Int(cause.rawValue)]
      )
      #expect(isFound && count == 4, "\(fault): \(count)")
    }
  }

  /// Makes every book wrong in one way, without any message missing.
  static func spoil(_ pipeline: inout ReplayPipeline<NoProbe, RecordingSink>, _ fault: String) {
    let time = pipeline.sink.decisions.last?.time ?? .distantPast
    for index in 0..<4 as Range<UInt32> {
      let id = InstrumentID(index: index)
      for number in 0..<(fault == "crossed" ? 1 : 101) as Range<UInt64> {
        pipeline.ingest(
          MarketEvent(
            kind: fault == "crossed" ? .addOrder : .deleteOrder, time: time, instrument: id,
            reference: OrderReference(value: 1 << 40 + UInt64(index) << 20 + number), side: .buy,
            price: Price(nanos: pipeline.books.bestAsk(of: id).price.nanos + 10_000_000),
            quantity: Quantity(lots: 100), flags: .hasSide))
      }
    }
  }
}
