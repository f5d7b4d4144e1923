import CAllocationCounter
import LockFreeRings
import SimulatedVenue
import TestSupport
import Testing
import TradingTypes

// Goal: venues answer in time and order, fill what they display and no more, and charge exactly.
// Method: cases worked out by hand, and seeded days compared with a list-based twin.
@Suite struct SimulatedVenuesTests {
  private let arena = Arena(capacityBytes: 1 << 22)

  private func directory() throws -> VenueDirectory {
    // 30, 20 and −5 mils a share; the second also takes 1 for each order that trades.
    try VenueDirectory(
      [(30, 0), (20, 1), (-5, 0)].enumerated().map { index, fees in
        Venue(
          id: VenueID(index: UInt16(index)), symbol: Symbol("V\(index)")!,
          takeFee: Price(nanos: Int64(fees.0) * 100_000), fixedFee: Money(units: Int64(fees.1)))
      })
  }

  private func venues(
    latency: TimeSpan = .zero, capacity: Int = 64, instruments: InstrumentDirectory? = nil
  ) throws -> SimulatedVenues {
    try SimulatedVenues(
      venues: directory(), split: DisplaySplit([50, 30, 20]), instruments: instruments, latency: latency,
      queueCapacity: capacity, in: arena)
  }

  private func order(
    _ id: UInt64, venue: UInt16 = 0, side: Side = .buy, price: Int64 = 1_000, lots: Int64, instrument: UInt32 = 0,
    type: OrderType = .limit, timeInForce: TimeInForce = .immediateOrCancel
  ) -> ChildOrder {
    let intent = OrderIntent(
      clientOrderID: ClientOrderID(value: 1), causeSequence: 1, time: Timestamp(nanoseconds: 0),
      instrument: InstrumentID(index: instrument), side: side, price: Price(nanos: price),
      quantity: Quantity(lots: lots), type: type, timeInForce: timeInForce)
    return ChildOrder(
      part: intent, clientOrderID: ClientOrderID(value: id), venue: VenueID(index: venue), price: intent.price,
      quantity: intent.quantity, isSweep: false)
  }

  private func market(bids: [(Int64, Int64)] = [], asks: [(Int64, Int64)]) -> DepthView {
    var view = DepthView()
    for (price, lots) in asks {
      view.asks[Int(view.askCount)] = DepthLevel(price: Price(nanos: price), quantity: Quantity(lots: lots))
      view.askCount += 1
    }
    for (price, lots) in bids {
      view.bids[Int(view.bidCount)] = DepthLevel(price: Price(nanos: price), quantity: Quantity(lots: lots))
      view.bidCount += 1
    }
    return view
  }

  /// All reports due by `time` as lists: kind, order, price, quantity, leaves, fee.
  private func drain(
    _ venues: inout SimulatedVenues, by time: Int64, _ market: DepthView
  ) -> [[Int64]] {
    var reports: [[Int64]] = []
    while let report = venues.receive(by: Timestamp(nanoseconds: time), market: market) {
      reports.append(ReferenceVenues.list(report))
    }
    return reports
  }

  @Test func `an order takes levels within its limit and the rest is cancelled`() throws {
    var venues = try venues()
    let sent = venues.send(order(7, price: 1_010, lots: 100), at: Timestamp(nanoseconds: 5))
    #expect(sent)
    let due = venues.nextReport(by: Timestamp(nanoseconds: 5))
    #expect(due == InstrumentID(index: 0))
    let early = venues.nextReport(by: Timestamp(nanoseconds: 4))
    #expect(early == nil)
    // Venue 0 shows what the others' floors leave: 101 − 30 − 20 = 51, then 20; the third level is beyond the limit.
    let book = market(asks: [(1_000, 101), (1_010, 40), (1_020, 500)])
    let reports = drain(&venues, by: 5, book)
    let mils: Int64 = 3_000_000
    #expect(
      reports == [
        [1, 7, 5, 0, 0, 100, 0], [2, 7, 5, 1_000, 51, 49, 51 * mils], [2, 7, 5, 1_010, 20, 29, 20 * mils],
        [3, 7, 5, 0, 29, 0, 0],
      ])
    #expect(venues.pendingCount == 0)
  }

  @Test func `a full fill has no cancel, and the fixed fee is taken once`() throws {
    var venues = try venues()
    let book = market(bids: [(1_000, 10), (990, 10), (980, 100)], asks: [])
    _ = venues.send(order(1, venue: 1, side: .sell, price: 990, lots: 5), at: Timestamp(nanoseconds: 1))
    let mils: Int64 = 2_000_000
    #expect(
      drain(&venues, by: 1, book) == [
        [1, 1, 1, 0, 0, 5, 0], [2, 1, 1, 1_000, 3, 2, 3 * mils + 1_000_000_000], [2, 1, 1, 990, 2, 0, 2 * mils],
      ])
    // Nothing displayed within the limit: no fill, no fixed fee.
    _ = venues.send(order(2, venue: 1, side: .sell, price: 1_001, lots: 5), at: Timestamp(nanoseconds: 2))
    #expect(drain(&venues, by: 2, book) == [[1, 2, 2, 0, 0, 5, 0], [3, 2, 2, 0, 5, 0, 0]])
    // A market order takes any level, and a rebate is a negative fee.
    _ = venues.send(order(3, venue: 2, side: .sell, price: 0, lots: 25, type: .market), at: Timestamp(nanoseconds: 3))
    #expect(
      drain(&venues, by: 3, book) == [
        [1, 3, 3, 0, 0, 25, 0], [2, 3, 3, 1_000, 2, 23, -1_000_000], [2, 3, 3, 990, 2, 21, -1_000_000],
        [2, 3, 3, 980, 20, 1, -10_000_000], [3, 3, 3, 0, 1, 0, 0],
      ])
  }

  @Test func `orders a venue cannot take are rejected whole`() throws {
    let instruments = try InstrumentDirectory([
      Instrument(id: InstrumentID(index: 0), symbol: Symbol("AAA")!),
      Instrument(id: InstrumentID(index: 1), symbol: Symbol("BBB")!, lotUnits: 100),
    ])
    var venues = try venues(instruments: instruments)
    let book = market(asks: [(1_000, 100)])
    let bad = [
      order(1, venue: 3, lots: 5), order(2, venue: 9, lots: 5), order(3, lots: 0), order(4, lots: -5),
      order(5, price: 0, lots: 5), order(6, lots: 5, timeInForce: .day), order(7, lots: 5, instrument: 2),
      order(8, lots: .max), order(9, lots: .max / 3_000_000, instrument: 1),
    ]
    for order in bad { _ = venues.send(order, at: Timestamp(nanoseconds: 1)) }
    #expect(
      drain(&venues, by: 1, book)
        == bad.map { [4, Int64($0.clientOrderID.value), 1, 0, $0.quantity.lots, 0, 0] })
    // Lots of 100 units pay a hundred times the fee.
    _ = venues.send(order(10, lots: 2, instrument: 1), at: Timestamp(nanoseconds: 1))
    #expect(drain(&venues, by: 1, book).last == [2, 10, 1, 1_000, 2, 0, 600_000_000])
  }

  @Test func `full is an answer, and room comes back`() throws {
    var venues = try venues(capacity: 3)
    let book = market(asks: [(1_000, 100)])
    for round in 0..<5 {
      for id in 1...4 {
        let isSent = venues.send(order(UInt64(id), lots: 1), at: Timestamp(nanoseconds: Int64(round)))
        #expect(isSent == (id < 4))
      }
      #expect(drain(&venues, by: Int64(round), book).count == 6)
    }
  }

  @Test func `an order sent while another reports waits its turn`() throws {
    var venues = try venues()
    let book = market(asks: [(1_000, 100)])
    _ = venues.send(order(1, lots: 5), at: Timestamp(nanoseconds: 9))
    let first = venues.receive(by: Timestamp(nanoseconds: 9), market: book)
    #expect(first?.kind == .accepted)
    _ = venues.send(order(2, lots: 5), at: Timestamp(nanoseconds: 3))
    #expect(drain(&venues, by: 9, book).map { $0[1] } == [1, 2, 2])
  }

  @Test func `what the first report saw holds for the order`() throws {
    var venues = try venues()
    _ = venues.send(order(1, lots: 80), at: Timestamp(nanoseconds: 1))
    _ = venues.receive(by: Timestamp(nanoseconds: 1), market: market(asks: [(1_000, 100)]))
    let fill = venues.receive(by: Timestamp(nanoseconds: 1), market: market(asks: [(1_000, 6)]))
    #expect(fill?.quantity.lots == 50)
  }

  @Test(arguments: Seeds.brief) func `a day of orders equals the list-based twin`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for latency in [0, 7, 25] as [Int64] {
      var venues = try venues(latency: TimeSpan(nanoseconds: latency), capacity: 16)
      var again = try self.venues(latency: TimeSpan(nanoseconds: latency), capacity: 16)
      var twin = ReferenceVenues(
        latency: latency, capacity: 16, hundredths: [50, 30, 20], fees: [3_000_000, 2_000_000, -500_000],
        fixed: [0, 1_000_000_000, 0])
      var markets = [DepthView(), DepthView()]
      var filled = 0
      var time: Int64 = 0
      for id in 1...400 {
        time += Int64(random.below(10))
        markets[random.below(2)] = randomMarket(&random)
        // The gateway is drained with the market after the event, as an engine would.
        let expected = twin.drain(by: time, markets)
        var sums: [UInt64: Int64] = [:]
        var place = 0
        while let instrument = venues.nextReport(by: Timestamp(nanoseconds: time)) {
          let now = Timestamp(nanoseconds: time)
          let market = markets[Int(instrument.index)]
          let repeated = again.receive(by: now, market: market)
          guard let report = venues.receive(by: now, market: market) else { break }
          let list = ReferenceVenues.list(report)
          #expect(repeated.map(ReferenceVenues.list) == list, "seed \(seed)")
          #expect(place < expected.count && expected[place] == list, "seed \(seed) order \(report.clientOrderID)")
          sums[report.clientOrderID.value, default: 0] += report.kind == .accepted ? 0 : report.quantity.lots
          filled += report.kind == .filled ? 1 : 0
          place += 1
        }
        #expect(place == expected.count, "seed \(seed)")
        for (sum, quantity) in twin.finished(sums) { #expect(sum == quantity, "seed \(seed)") }
        for _ in 0..<random.below(4) {
          let sent = order(
            UInt64(id * 10 + random.below(10)), venue: UInt16(random.below(4)),
            side: random.below(2) == 0 ? .buy : .sell, price: 960 + 10 * Int64(random.below(9)),
            lots: Int64(random.below(120)), instrument: UInt32(random.below(2)),
            type: random.below(5) == 0 ? .market : .limit,
            timeInForce: random.below(20) == 0 ? .day : .immediateOrCancel)
          // Now and then a clock that goes back.
          let at = time - (random.below(8) == 0 ? Int64(random.below(20)) : 0)
          let isSent = venues.send(sent, at: Timestamp(nanoseconds: at))
          _ = again.send(sent, at: Timestamp(nanoseconds: at))
          #expect(isSent == twin.send(sent, at: at), "seed \(seed)")
        }
      }
      #expect(filled > 100, "seed \(seed)")
    }
  }

  private func randomMarket(_ random: inout SplitMix64) -> DepthView {
    var asks: [(Int64, Int64)] = []
    var bids: [(Int64, Int64)] = []
    for level in 0..<Int64(random.below(11)) { asks.append((1_000 + 10 * level, Int64(1 + random.below(90)))) }
    for level in 0..<Int64(random.below(11)) { bids.append((990 - 10 * level, Int64(1 + random.below(90)))) }
    return market(bids: bids, asks: asks)
  }

  @Test func `bad configuration is named`() throws {
    let split = try DisplaySplit([50, 30, 20])
    #expect(throws: ConfigurationError.self) {
      _ = try SimulatedVenues(venues: VenueDirectory([]), split: split, in: arena)
    }
    for (latency, capacity) in [(-1, 4), (0, 0), (0, 1 << 25)] {
      #expect(throws: ConfigurationError.self) {
        _ = try SimulatedVenues(
          venues: directory(), split: split, latency: TimeSpan(nanoseconds: Int64(latency)), queueCapacity: capacity,
          in: arena)
      }
    }
  }

  @Test(.enabled(if: countsAllocations)) func `sending and receiving allocate nothing`() throws {
    var venues = try venues()
    let book = market(asks: [(1_000, 100), (1_010, 100)])
    var lots: Int64 = 0
    func work() {
      for step in 0..<1000 {
        let now = Timestamp(nanoseconds: Int64(step))
        _ = venues.send(order(UInt64(step), venue: UInt16(step % 3), price: 1_010, lots: 60), at: now)
        while venues.nextReport(by: now) != nil, let report = venues.receive(by: now, market: book) {
          lots += report.quantity.lots
        }
      }
    }
    work()
    let counts = counting { work() }
    #expect(counts.allocations == 0, "lots \(lots)")
  }
}
