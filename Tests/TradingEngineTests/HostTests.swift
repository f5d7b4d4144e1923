// Goal: a host may bring its own model, venues and sink, and events of its own. Method: crafted ones that record what they are given.

import LockFreeRings
import Testing
import TradingEngine
import TradingTypes

@Suite struct HostTests {
  @Test func `a host's own model, venue and sink see one decision from end to end`() throws {
    var pipeline = try Rig.pipeline(HostVenue())
    for event in Rig.market() { pipeline.ingest(event) }
    let sent = pipeline.gateway.sent
    #expect(sent.count == 1)
    let child = try #require(sent.first?.order)
    #expect(child.side == .buy && child.price == Rig.price(10_001) && child.quantity.lots > 0)
    #expect(child.time == Rig.open && sent[0].time == Rig.open)
    #expect(pipeline.sink.children.map(\.clientOrderID) == [child.clientOrderID])
    #expect(pipeline.model.vectors.count == 2)
    #expect(pipeline.sink.fills.map(\.quantity) == [child.quantity])
    let held = pipeline.ledger.position(of: Rig.instrument)
    #expect(held == child.quantity)
    let violation = pipeline.ledger.checkInvariants()
    #expect(violation == nil)
  }

  @Test func `a late answer keeps the exposure reserved until it comes`() throws {
    var pipeline = try Rig.pipeline(HostVenue(latency: .seconds(2)))
    for event in Rig.market() { pipeline.ingest(event) }
    let child = pipeline.gateway.sent[0].order
    var reserved = pipeline.ledger.openBuy(of: Rig.instrument)
    #expect(reserved == child.quantity)
    // Open orders count: the target is reached, nothing more is sent.
    pipeline.ingest(Rig.trade(3, 10_000, at: 1_000_000_000))
    #expect(pipeline.sink.decisions.last?.verdict == .noSize)
    pipeline.ingest(Rig.nothing(at: 2_000_000_000))
    reserved = pipeline.ledger.openBuy(of: Rig.instrument)
    let held = pipeline.ledger.position(of: Rig.instrument)
    #expect(reserved == .zero && held == child.quantity)
  }

  @Test func `a rejected order releases what it reserved and is counted`() throws {
    var pipeline = try Rig.pipeline(HostVenue(rejects: true))
    for event in Rig.market() { pipeline.ingest(event) }
    #expect(pipeline.sink.reports.map(\.kind) == [.rejected])
    let counts = (pipeline.counts.orders, pipeline.counts.refused, pipeline.counts.fills)
    #expect(counts == (1, 1, 0))
    let (open, held) = (pipeline.ledger.openOrderCount, pipeline.ledger.position(of: Rig.instrument))
    #expect(open == 0 && held == .zero)
  }

  @Test func `what no gateway took is neither sent nor in the plan`() throws {
    // The cheapest venue is deaf; the sizes at the next ones do.
    var pipeline = try Rig.pipeline(HostVenue(deaf: [2]))
    for event in Rig.market() { pipeline.ingest(event) }
    #expect(pipeline.gateway.declined.map(\.venue.index) == [2])
    let sent = pipeline.gateway.sent.map(\.order.clientOrderID)
    #expect(pipeline.sink.children.map(\.clientOrderID) == sent)
    let open = pipeline.ledger.openOrderCount
    #expect(open == 0)
    #expect(pipeline.sink.decisions.last?.verdict == .noRoute)
    let violation = pipeline.ledger.checkInvariants()
    #expect(violation == nil)
  }

  @Test func `refused sends halt their venue and routing goes elsewhere`() throws {
    var pipeline = try Rig.pipeline(HostVenue(deaf: [2]))
    for event in Rig.market() { pipeline.ingest(event) }
    let venue = KillScope.venue(VenueID(index: 2))
    for number in 1..<3 {
      let level = pipeline.kill.level(of: venue)
      #expect(level == .active, "after \(number) refusals")
      pipeline.ingest(Rig.trade(UInt64(number + 2), 10_000, at: 2_000_000 * Int64(number)))
    }
    // Three in a row.
    let level = pipeline.kill.level(of: venue)
    #expect(level == .halted)
    let trip = pipeline.kill.trip(at: 0)
    #expect(trip?.reason == .venueDisconnect && trip?.scope == venue)
    #expect(pipeline.gateway.sent.isEmpty)
    pipeline.ingest(Rig.trade(9, 10_000, at: 10_000_000))
    #expect(pipeline.sink.decisions.last?.verdict == .routed)
    #expect(pipeline.gateway.declined.count == 3)
    #expect(pipeline.gateway.sent.map(\.order.venue.index) == [1])
    // A person lets it take part again.
    pipeline.kill.rearm(venue, at: Rig.open)
    let again = pipeline.kill.level(of: venue)
    #expect(again == .active)
  }

  @Test func `an order over several venues goes out in one plan`() throws {
    var pipeline = try Rig.pipeline(HostVenue())
    // Only 40 lots at the ask: 20, 12 and 8.
    pipeline.ingest(Rig.add(1, .buy, 10_000, at: 0))
    pipeline.ingest(Rig.add(2, .sell, 10_001, lots: 40, at: 0))
    #expect(pipeline.sink.children.map(\.venue.index) == [0, 1, 2])
    #expect(pipeline.sink.children.map(\.quantity.lots) == [20, 12, 8])
    #expect(Set(pipeline.sink.children.map(\.parentID)).count == 1)
    let numbers = pipeline.sink.children.map(\.clientOrderID.value)
    #expect(numbers == numbers.sorted() && Set(numbers).count == 3)
    // With one of them deaf the plan holds the other two, in order.
    var partly = try Rig.pipeline(HostVenue(deaf: [0]))
    partly.ingest(Rig.add(1, .buy, 10_000, at: 0))
    partly.ingest(Rig.add(2, .sell, 10_001, lots: 40, at: 0))
    #expect(partly.sink.children.map(\.venue.index) == [1, 2])
    #expect(partly.sink.decisions.last?.verdict == .routed)
    let held = partly.ledger.position(of: Rig.instrument).lots
    #expect(held == 20)
  }

  @Test func `a report of an instrument nobody trades stops everything and traps nothing`() throws {
    var pipeline = try Rig.pipeline(HostVenue())
    for event in Rig.market() { pipeline.ingest(event) }
    let before = pipeline.counts.fills
    var stranger = pipeline.gateway.sent[0].order
    stranger.instrument = InstrumentID(index: 99)
    pipeline.gateway.queue = [
      ExecutionReport(
        .filled, of: stranger, time: Rig.open, price: Rig.price(1), quantity: Quantity(lots: 5), leaves: .zero)
    ]
    pipeline.ingest(Rig.nothing(at: 1))
    let counts = (pipeline.counts.misplacedReports, pipeline.counts.fills)
    #expect(counts == (1, before))
    let level = pipeline.kill.globalLevel
    #expect(level == .halted)
  }

  @Test func `a report the ledger cannot place halts its instrument and is not booked`() throws {
    var pipeline = try Rig.pipeline(HostVenue(), instruments: 2)
    for event in Rig.market() { pipeline.ingest(event) }
    var unknown = pipeline.gateway.sent[0].order
    unknown.clientOrderID = ClientOrderID(value: 1 << 40)
    let before = (pipeline.ledger.cash, pipeline.sink.reports.count)
    pipeline.gateway.queue = [
      ExecutionReport(
        .filled, of: unknown, time: Rig.open, price: Rig.price(1), quantity: Quantity(lots: 5), leaves: .zero)
    ]
    pipeline.ingest(Rig.nothing(at: 1))
    let after = (pipeline.ledger.cash, pipeline.sink.reports.count)
    #expect(before == after)
    let levels = (pipeline.kill.level(of: .symbol(Rig.instrument)), pipeline.kill.globalLevel)
    #expect(levels == (.halted, .active))
    // The other instrument still trades.
    for event in Rig.market(at: 10, of: 1) { pipeline.ingest(event) }
    #expect(pipeline.sink.decisions.last?.verdict == .routed)
  }

  @Test func `an overfill is booked, counted and halts its instrument`() throws {
    var pipeline = try Rig.pipeline(HostVenue())
    for event in Rig.market() { pipeline.ingest(event) }
    let child = pipeline.gateway.sent[0].order
    pipeline.gateway.queue = [
      ExecutionReport(
        .filled, of: child, time: Rig.open, price: child.price, quantity: Quantity(lots: 7), leaves: .zero)
    ]
    pipeline.ingest(Rig.nothing(at: 1))
    let held = pipeline.ledger.position(of: Rig.instrument).lots
    #expect(held == child.quantity.lots + 7)
    let level = pipeline.kill.level(of: .symbol(Rig.instrument))
    #expect(level == .halted)
    let counts = (pipeline.counts.misplacedReports, pipeline.counts.fills)
    #expect(counts == (1, 2))
    let violation = pipeline.ledger.checkInvariants()
    #expect(violation == nil)
    // New risk is refused by check 1; the way out is not.
    pipeline.model.forecast = .down
    pipeline.ingest(Rig.trade(3, 10_000, at: 5_000_000))
    #expect(pipeline.sink.decisions.last?.verdict == .rejected)
    #expect(pipeline.sink.decisions.last?.check == RiskCheck.killState.rawValue)
  }
}
