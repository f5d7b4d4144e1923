import CAllocationCounter
import LockFreeRings
import OrderRouting
import TestSupport
import Testing
import TradingTypes

// Goal: each documented rule shows in a case one can work out by hand.
// Method: small books with prices in hundredths and fees in hundredths of a cent.
@Suite struct OrderRouterTests {
  private let arena = Arena(capacityBytes: 1 << 20)

  private func price(_ hundredths: Int64) -> Price { Price(nanos: hundredths * 10_000_000) }

  private func venue(
    _ index: UInt16, mils: Int64 = 0, least: Int64 = 1, most: Int64 = 0, isProtected: Bool = true
  ) -> Venue {
    Venue(
      id: VenueID(index: index), symbol: Symbol("V\(index)")!, takeFee: Price(nanos: mils * 100_000),
      orderQuantityMin: Quantity(lots: least), childQuantityMax: Quantity(lots: most), isProtected: isProtected)
  }

  private func ladder(_ venue: UInt16, _ levels: [(Int64, Int64)], isUp: Bool = true) -> VenueLadder {
    var ladder = VenueLadder(venue: VenueID(index: venue), isUp: isUp)
    for (hundredths, lots) in levels {
      ladder.levels[Int(ladder.count)] = DepthLevel(price: price(hundredths), quantity: Quantity(lots: lots))
      ladder.count += 1
    }
    return ladder
  }

  private func ladders(_ list: [VenueLadder]) -> InlineArray<8, VenueLadder> {
    var ladders = InlineArray<8, VenueLadder>(repeating: VenueLadder(venue: VenueID(index: 0)))
    for (index, ladder) in list.enumerated() { ladders[index] = ladder }
    return ladders
  }

  private func intent(_ side: Side, _ lots: Int64, limit: Int64?, isExit: Bool = false) -> OrderIntent {
    OrderIntent(
      clientOrderID: ClientOrderID(value: 5), causeSequence: 1, time: Timestamp(nanoseconds: 1),
      instrument: InstrumentID(index: 0), side: side, price: limit.map(price) ?? .zero, quantity: Quantity(lots: lots),
      type: limit == nil ? .market : .limit, isExit: isExit)
  }

  private var terms: Instrument {
    Instrument(id: InstrumentID(index: 0), symbol: Symbol("AAA")!, venueMask: 0xFF)
  }

  private var emptyPlan: RoutePlan {
    RoutePlan(
      filler: ChildOrder(
        part: intent(.buy, 1, limit: 1), clientOrderID: .none, venue: VenueID(index: 0), price: .zero, quantity: .zero,
        isSweep: false))
  }

  /// Children as (venue, price in hundredths, lots) and the outcome.
  private func route(
    _ intent: OrderIntent, _ venues: [Venue], _ list: [VenueLadder], kill: KillState = KillState(),
    protects: Bool = true, terms: Instrument? = nil
  ) throws -> ([[Int64]], RouteOutcome) {
    var router = try OrderRouter(venues: VenueDirectory(venues), protects: protects, in: arena)
    var plan = emptyPlan
    let outcome = router.route(
      intent, ladders: ladders(list), ladderCount: list.count, terms: terms ?? self.terms, kill: kill,
      nextChildID: ClientOrderID(value: 10), into: &plan)
    let children = (0..<plan.count).map { index in
      [
        Int64(plan.children[index].venue.index), plan.children[index].price.nanos / 10_000_000,
        plan.children[index].quantity.lots,
      ]
    }
    return (children, outcome)
  }

  @Test func `the example of the command's contract`() throws {
    let (children, outcome) = try route(
      intent(.buy, 12, limit: 1005), [venue(0, mils: 30)], [ladder(0, [(1001, 5), (1002, 9)])])
    #expect(children == [[0, 1002, 12]])
    #expect(outcome.reason == .complete && outcome.residual == .zero && !outcome.isSweep)
    // 5 × 10.01 + 7 × 10.02 = 120.19, and 12 × 0.0030.
    #expect(outcome.cost == Money(nanos: 120_226_000_000))
    #expect(outcome.best == DepthLevel(price: price(1001), quantity: Quantity(lots: 5)))
    #expect(outcome.worstPrice == price(1002))
  }

  @Test func `a cheaper fee wins at one price, and the rest goes to the next`() throws {
    let list = [ladder(0, [(1000, 5)]), ladder(1, [(1000, 3)]), ladder(2, [(1000, 2)])]
    let venues = [venue(0, mils: 30), venue(1, mils: 20), venue(2, mils: -5)]
    let (buy, bought) = try route(intent(.buy, 6, limit: 1000), venues, list)
    #expect(buy == [[0, 1000, 1], [1, 1000, 3], [2, 1000, 2]])
    #expect(bought.cost == Money(nanos: 60_008_000_000) && bought.fees == Money(nanos: 8_000_000))
    #expect(bought.best.quantity.lots == 10 && !bought.isSweep, "one price needs no sweep")
    let (_, sold) = try route(intent(.sell, 6, limit: 1000), venues, list)
    #expect(sold.cost == Money(nanos: 59_992_000_000), "a sell receives its proceeds less the fees")
  }

  @Test func `a protected quote is not traded through for a rebate`() throws {
    // The dear venue's quote costs 10.0100 with its fee, the rebate venue's next level 10.0080: cheaper, but worse.
    let venues = [venue(0, mils: 100), venue(1, mils: -20)]
    let list = [ladder(0, [(1000, 4)]), ladder(1, [(1000, 2), (1001, 9)])]
    let (free, _) = try route(intent(.buy, 6, limit: 1001), venues, list, protects: false)
    #expect(free == [[1, 1001, 6]])
    let (children, outcome) = try route(intent(.buy, 6, limit: 1001), venues, list)
    #expect(children == [[0, 1000, 4], [1, 1000, 2]])
    #expect(!outcome.isSweep)
    let (sweep, swept) = try route(intent(.buy, 8, limit: 1001), venues, list)
    #expect(sweep == [[0, 1000, 4], [1, 1001, 4]] && swept.isSweep)
    // Without protection of that venue the cost alone decides.
    let (open, _) = try route(
      intent(.buy, 6, limit: 1001), [venue(0, mils: 100, isProtected: false), venue(1, mils: -20)], list)
    #expect(open == [[1, 1001, 6]])
  }

  @Test func `a protected quote that cannot be taken in full ends the route at its price`() throws {
    let list = [ladder(0, [(1000, 4)]), ladder(1, [(1001, 9)])]
    let (children, outcome) = try route(intent(.buy, 8, limit: 1002), [venue(0, most: 3), venue(1)], list)
    #expect(children == [[0, 1000, 3]])
    #expect(outcome.reason == .constraint && outcome.residual.lots == 5)
  }

  @Test func `a least quantity moves lots where it is worth it`() throws {
    // Greedy would leave 1 lot for the second venue, which takes no less than 3.
    let list = [ladder(0, [(1000, 5)]), ladder(1, [(1001, 9)]), ladder(2, [(1003, 9)])]
    let (children, _) = try route(
      intent(.buy, 6, limit: 1003), [venue(0), venue(1, least: 3), venue(2)], list, protects: false)
    #expect(children == [[0, 1000, 3], [1, 1001, 3]])
    let (protected, _) = try route(intent(.buy, 6, limit: 1003), [venue(0), venue(1, least: 3), venue(2)], list)
    #expect(protected == [[0, 1000, 5]], "5 of 6: the third venue would trade through the second's quote")
  }

  @Test func `reasons for a residual`() throws {
    let list = [ladder(0, [(1000, 4), (1001, 4)])]
    let one = [venue(0), venue(1)]
    #expect(try route(intent(.buy, 9, limit: 1001), one, list).1.reason == .display)
    #expect(try route(intent(.buy, 9, limit: 1000), one, list).1.reason == .limit)
    #expect(try route(intent(.buy, 9, limit: 999), one, list).1.reason == .limit)
    #expect(try route(intent(.buy, 9, limit: nil), one, list).1.quantity.lots == 8)
    #expect(try route(intent(.buy, 9, limit: 1001), one, []).1.reason == .noVenue)
    #expect(try route(intent(.buy, 9, limit: 1001), one, [ladder(1, [])]).1.reason == .noVenue)
    #expect(try route(intent(.buy, 9, limit: 1001), one, [ladder(0, [(1000, 4)], isUp: false)]).1.reason == .noVenue)
    #expect(try route(intent(.buy, 9, limit: 1001), one, [ladder(7, [(1000, 4)])]).1.reason == .noVenue)
    #expect(try route(intent(.buy, 0, limit: 1001), one, list).1.reason == .invalid)
    #expect(try route(intent(.buy, -1, limit: 1001), one, list).1.reason == .invalid)
    #expect(try route(intent(.buy, 9, limit: 0), one, list).1.reason == .invalid)
    var unlisted = terms
    unlisted.venueMask = 2
    #expect(try route(intent(.buy, 9, limit: 1001), one, list, terms: unlisted).1.reason == .noVenue)
    var small = terms
    small.orderQuantityMax = Quantity(lots: 5)
    #expect(try route(intent(.buy, 9, limit: 1001), one, list, terms: small).1.reason == .constraint)
  }

  @Test func `the kill switch stops, spares exits, and closes venues`() throws {
    let list = [ladder(0, [(1000, 4)]), ladder(1, [(1001, 9)])]
    let venues = [venue(0), venue(1)]
    let halted = KillState(level: .halted)
    #expect(try route(intent(.buy, 4, limit: 1001), venues, list, kill: halted).1.reason == .killed)
    #expect(try route(intent(.buy, 4, limit: 1001, isExit: true), venues, list, kill: halted).1.reason == .complete)
    // A halted venue is unreachable, and its quote is no obstacle.
    let (around, _) = try route(intent(.buy, 4, limit: 1001), venues, list, kill: KillState(venuesHalted: 1))
    #expect(around == [[1, 1001, 4]])
    // One for reducing orders only still protects its quote.
    let reducing = KillState(venuesReducing: 1)
    let (stopped, outcome) = try route(intent(.buy, 4, limit: 1001), venues, list, kill: reducing)
    #expect(stopped.isEmpty && outcome.reason == .constraint)
    let (exit, _) = try route(intent(.buy, 4, limit: 1001, isExit: true), venues, list, kill: reducing)
    #expect(exit == [[0, 1000, 4]])
  }

  @Test func `ladders that break the rules are cut, not trusted`() throws {
    var broken = ladder(0, [(1000, 4), (999, 4)])
    #expect(try route(intent(.buy, 9, limit: 1001), [venue(0)], [broken]).1.quantity.lots == 4)
    broken = ladder(0, [(1000, 4), (1001, 0), (1002, 5)])
    #expect(try route(intent(.buy, 9, limit: 1009), [venue(0)], [broken]).1.quantity.lots == 4)
    broken = ladder(0, [(-5, 4)])
    #expect(try route(intent(.buy, 9, limit: 1009), [venue(0)], [broken]).1.quantity.lots == 0)
    broken.count = 99
    #expect(try route(intent(.sell, 9, limit: 1), [venue(0)], [broken]).1.quantity.lots == 0)
    let twice = [ladder(0, [(1000, 4)]), ladder(0, [(1000, 4)])]
    #expect(try route(intent(.buy, 9, limit: 1001), [venue(0)], twice).1.quantity.lots == 4)
  }

  @Test func `numbers at the edge of their range do not trap`() throws {
    let huge = Int64.max
    var ladder = VenueLadder(venue: VenueID(index: 0))
    ladder.levels[0] = DepthLevel(price: Price(nanos: huge), quantity: Quantity(lots: huge))
    ladder.levels[1] = ladder.levels[0]
    ladder.count = 2
    var intent = intent(.buy, huge, limit: nil)
    let (_, dropped) = try route(intent, [venue(0, mils: 30), venue(1)], [ladder])
    #expect(dropped.quantity == .zero, "price and fee do not fit 64 bits")
    ladder.levels[0].price = Price(nanos: huge - 1)
    var terms = terms
    terms.orderQuantityMax = Quantity(lots: huge)
    let (_, taken) = try route(intent, [venue(0), venue(1)], [ladder], terms: terms)
    #expect(taken.quantity.lots == huge)
    #expect(taken.notional.nanos == Int128(huge) * Int128(huge - 1))
    intent.side = .sell
    terms.contractMultiplier = huge
    #expect(try route(intent, [venue(0)], [ladder], terms: terms).1.quantity == .zero)
  }

  @Test func `bad venues are named`() throws {
    #expect(throws: ConfigurationError.self) { _ = try OrderRouter(venues: VenueDirectory([]), in: arena) }
    #expect(throws: ConfigurationError.self) {
      _ = try OrderRouter(venues: VenueDirectory([venue(0, least: -1)]), in: arena)
    }
    #expect(throws: ConfigurationError.self) {
      _ = try OrderRouter(venues: VenueDirectory([venue(0, least: 5, most: 4)]), in: arena)
    }
    var dear = venue(0)
    dear.fixedFee = .max
    #expect(throws: ConfigurationError.self) { _ = try OrderRouter(venues: VenueDirectory([dear]), in: arena) }
  }

  @Test func `ladders in a slab give the same plan`() throws {
    let list = [ladder(0, [(1000, 4), (1001, 9)]), ladder(1, [(1000, 3)]), ladder(2, [(1001, 9)])]
    let venues = [venue(0, mils: 30), venue(1, mils: 20), venue(2, mils: -5)]
    let intent = intent(.buy, 12, limit: 1001)
    let (children, expected) = try route(intent, venues, list)
    var slab = Slab(repeating: list[0], count: 3, in: arena)
    for index in 0..<3 { slab[index] = list[index] }
    var router = try OrderRouter(venues: VenueDirectory(venues), in: arena)
    var plan = emptyPlan
    let outcome = router.route(
      intent, ladders: slab.span, terms: terms, kill: KillState(), nextChildID: ClientOrderID(value: 10), into: &plan)
    #expect(outcome.cost == expected.cost && outcome.quantity == expected.quantity && plan.count == children.count)
    for index in 0..<plan.count { #expect(plan.children[index].quantity.lots == children[index][2]) }
  }

  @Test func `more ladders than a route considers are misuse`() async {
    await #expect(processExitsWith: .failure) {
      var router = try OrderRouter(
        venues: VenueDirectory([Venue(id: VenueID(index: 0), symbol: Symbol("V0")!)]),
        in: Arena(capacityBytes: 1 << 16))
      let intent = OrderIntent(
        clientOrderID: ClientOrderID(value: 5), causeSequence: 1, time: Timestamp(nanoseconds: 1),
        instrument: InstrumentID(index: 0), side: .buy, price: Price(nanos: 1), quantity: Quantity(lots: 1))
      var plan = RoutePlan(
        filler: ChildOrder(
          part: intent, clientOrderID: .none, venue: VenueID(index: 0), price: .zero, quantity: .zero, isSweep: false))
      _ = router.route(
        intent, ladders: InlineArray(repeating: VenueLadder(venue: VenueID(index: 0))), ladderCount: 9,
        terms: Instrument(id: InstrumentID(index: 0), symbol: Symbol("AAA")!), kill: KillState(),
        nextChildID: ClientOrderID(value: 10), into: &plan)
    }
  }

  @Test(.enabled(if: countsAllocations)) func `routing allocates nothing`() throws {
    var router = try OrderRouter(
      venues: VenueDirectory([venue(0, mils: 30), venue(1, mils: 20, least: 3), venue(2, mils: -5)]), in: arena)
    var list = Slab(repeating: ladder(0, [(1000, 4), (1001, 9)]), count: 3, in: arena)
    list[1] = ladder(1, [(1000, 3), (1002, 9)])
    list[2] = ladder(2, [(1001, 9)])
    let terms = terms
    var plan = emptyPlan
    var lots: Int64 = 0
    func work() {
      for step in 0..<1000 {
        let order = intent(.buy, Int64(1 + step % 20), limit: 1002)
        lots +=
          router.route(
            order, ladders: list.span, terms: terms, kill: KillState(), nextChildID: ClientOrderID(value: 1),
            into: &plan
          ).quantity.lots
      }
    }
    work()
    let counts = counting { work() }
    #expect(counts.allocations == 0, "lots \(lots)")
  }
}
