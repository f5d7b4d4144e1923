public import LockFreeRings
public import TradingTypes

/// Splits an order over venues: fills as much as limit, display and rules allow, at least cost among those.
///
/// The cost of a lot is its price plus the venue's take fee (for a sell: proceeds less the fee), exact in integers; a venue's
/// fixed fee counts once where it is used. With `protects`, no child takes a price worse than another venue's protected
/// quote unless that quote is taken in full.
///
/// The answer is exactly optimal. Costs per lot alone need one merge by all-in price. A protected quote in the way needs a
/// merge for each of at most nine price bands; least quantities that bind, and fixed fees, one for each subset of the
/// venues as well (at most 255), because such costs are not convex.
///
/// Ties: among equal all-in prices the better displayed price first, then the lower venue number; among equal costs with
/// least quantities or fixed fees the fewer venues, then the lower numbers. The order of the ladders does not matter.
/// - Complexity: O(venues × levels), 120 to 170 ns for three venues and 30 lots; the subsets take up to 2,300 merges (0.6 µs for
///   three venues). No allocation.
@frozen public struct OrderRouter: ~Copyable {
  /// Venues a route can consider at once.
  @inlinable public static var ladderCountMax: Int { 8 }

  /// Whether protected quotes restrict the route; without it the cost alone decides.
  public var protects: Bool
  @usableFromInline let venues: Slab<Venue>
  // Scratch of one route. In arena memory, because a whole inline array would be copied at every call.
  @usableFromInline var lanes: Slab<RouteLane>
  @usableFromInline var levels: Slab<RouteLevel>
  @usableFromInline var laneCount = 0
  // What the ladders showed, for the reason of a residual.
  @usableFromInline var displayedLots: Int64 = 0
  @usableFromInline var isBeyondLimit = false
  @usableFromInline var isAnyUsable = false

  /// A router over `venues`.
  ///
  /// - Throws: `ConfigurationError` where there is no venue, or a fee cannot be counted: a fixed fee beyond ±2^62
  ///   billionths, a least quantity that is negative or above the most.
  public init(venues directory: VenueDirectory, protects: Bool = true, in arena: Arena) throws(ConfigurationError) {
    guard let first = directory.venues.first else { throw ConfigurationError("router: 1 or more venues expected") }
    for venue in directory.venues {
      guard venue.fixedFee.magnitude.nanos <= Int128(1) << 62 else {
        throw ConfigurationError("venue \(venue.symbol): fixed fee \(venue.fixedFee.nanos), expected within ±2^62")
      }
      let most = venue.childQuantityMax.lots
      guard venue.orderQuantityMin.lots >= 0, most >= 0, most == 0 || most >= venue.orderQuantityMin.lots else {
        throw ConfigurationError("venue \(venue.symbol): least \(venue.orderQuantityMin.lots) and most \(most) lots")
      }
    }
    var slab = Slab(repeating: first, count: directory.count, in: arena)
    for (index, venue) in directory.venues.enumerated() { slab[index] = venue }
    venues = slab
    lanes = Slab(repeating: RouteLane(), count: Self.ladderCountMax, in: arena)
    // Sixteen places a ladder: ten levels and a power of two.
    levels = Slab(repeating: RouteLevel(key: 0, allIn: 0, lots: 0), count: 16 * Self.ladderCountMax, in: arena)
    self.protects = protects
  }

  /// Splits `intent` over the venues that show `ladders`, one child a venue, each an immediate-or-cancel limit order at the
  /// worst level it takes.
  ///
  /// A venue is used when `terms.venueMask` lists it, its ladder is up, and the kill switch neither halts it nor (unless the
  /// intent is an exit) leaves it for reducing orders only. A halted venue counts as unreachable: its quote does not
  /// protect. One for reducing orders only still does, and may so end the route at its price. A ladder of an unlisted
  /// venue, or the second one of a venue, is passed over; a ladder ends at its first level that is not positive or is out
  /// of order.
  ///
  /// - Parameters:
  ///   - ladders: the side the order takes, best first, of each venue.
  ///   - terms: the instrument: its venues, lot, multiplier and order quantities.
  ///   - nextChildID: number of the first child; the others follow, `plan.count` are used.
  ///   - plan: overwritten; its children stand in ascending venue number.
  /// - Precondition: `ladders.count <= 8`.
  /// - Complexity: see the type; no allocation.
  @inlinable public mutating func route(
    _ intent: borrowing OrderIntent, ladders: Span<VenueLadder>, terms: borrowing Instrument, kill: KillState,
    nextChildID: ClientOrderID, into plan: inout RoutePlan
  ) -> RouteOutcome {
    precondition(ladders.count <= Self.ladderCountMax, "OrderRouter: there are 0 to 8 ladders")
    plan.count = 0
    let isMarket = intent.type == .market
    var isRoutable = intent.quantity.lots > 0
    if !isMarket, intent.price.nanos <= 0 { isRoutable = false }
    guard isRoutable else { return RouteOutcome(side: intent.side, residual: intent.quantity, reason: .invalid) }
    if kill.level == .halted, !intent.isExit {
      return RouteOutcome(side: intent.side, residual: intent.quantity, reason: .killed)
    }

    prepare(intent, ladders, terms, kill)
    guard isAnyUsable else {
      var outcome = RouteOutcome(side: intent.side, residual: intent.quantity, reason: .noVenue)
      outcome.best = best(intent.side)
      return outcome
    }
    let allocation = allocate(intent.quantity.lots)
    return write(allocation, of: intent, nextChildID, into: &plan)
  }

  /// `route` over a slab of ladders: for a caller that keeps them beside the router in one value.
  @inlinable public mutating func route(
    _ intent: borrowing OrderIntent, ladders: borrowing Slab<VenueLadder>, terms: borrowing Instrument,
    kill: KillState, nextChildID: ClientOrderID, into plan: inout RoutePlan
  ) -> RouteOutcome {
    route(intent, ladders: ladders.span, terms: terms, kill: kill, nextChildID: nextChildID, into: &plan)
  }

  /// `route` over the first `ladderCount` of `ladders`, which are copied once (1.3 KB): the other form costs less.
  ///
  /// - Precondition: `0 <= ladderCount <= 8`.
  @inlinable public mutating func route(
    _ intent: borrowing OrderIntent, ladders: borrowing InlineArray<8, VenueLadder>, ladderCount: Int,
    terms: borrowing Instrument, kill: KillState, nextChildID: ClientOrderID, into plan: inout RoutePlan
  ) -> RouteOutcome {
    precondition(ladderCount >= 0 && ladderCount <= 8, "OrderRouter: there are 0 to 8 ladders")
    return route(
      intent, ladders: ladders.span.extracting(0..<ladderCount), terms: terms, kill: kill, nextChildID: nextChildID,
      into: &plan)
  }

  /// Builds the lanes, in ascending venue number.
  @inlinable mutating func prepare(
    _ intent: borrowing OrderIntent, _ ladders: Span<VenueLadder>, _ terms: borrowing Instrument,
    _ kill: KillState
  ) {
    laneCount = 0
    displayedLots = 0
    isBeyondLimit = false
    isAnyUsable = false
    let sign = intent.side.sign
    let limitKey = intent.type == .market ? Int64.max : sign * intent.price.nanos
    var seen: UInt64 = 0
    for index in ladders.indices {
      let venue = ladders[index].venue
      guard ladders[index].isUp, Int(venue.index) < venues.count else { continue }
      guard (terms.venueMask & ~seen & ~kill.venuesHalted) & venue.bit != 0 else { continue }
      seen |= venue.bit
      let mayUse = intent.isExit ? true : kill.venuesReducing & venue.bit == 0
      let lane = readLane(index, intent.quantity.lots, sign, limitKey, mayUse, ladders, terms)
      // Insertion keeps the lanes in venue order whatever the order of the ladders.
      var place = laneCount
      while place > 0, lanes[place - 1].venue.index > venue.index {
        lanes[place] = lanes[place - 1]
        place -= 1
      }
      lanes[place] = lane
      laneCount += 1
    }
  }

  /// Reads ladder `index` into a lane and its levels.
  @inlinable mutating func readLane(
    _ index: Int, _ quantity: Int64, _ sign: Int64, _ limitKey: Int64, _ mayUse: Bool, _ ladders: Span<VenueLadder>,
    _ terms: borrowing Instrument
  ) -> RouteLane {
    var lane = RouteLane()
    lane.venue = ladders[index].venue
    lane.levelStart = 16 * index
    let venue = Int(lane.venue.index)
    let (fee, feeOverflow) = venues[venue].takeFee.nanos.multipliedReportingOverflow(by: terms.lotUnits)
    lane.feeNanos = fee
    lane.fixedNanos = venues[venue].fixedFee.nanos
    lane.quantityMin = max(1, venues[venue].orderQuantityMin.lots, terms.orderQuantityMin.lots)
    let multiplier = terms.notionalMultiplier
    let shown = min(Int(ladders[index].count), 10)
    var lots: Int64 = 0
    var before = Int64.min
    var level = 0
    while level < shown {
      let price = ladders[index].levels[level].price.nanos
      let size = ladders[index].levels[level].quantity.lots
      guard price > 0, size > 0 else { break }
      // Cannot overflow: the price is positive.
      let key = sign * price
      guard key >= before else { break }
      before = key
      if level == 0, venues[venue].isProtected {
        lane.protectedKey = key
        lane.protectedLots = size
      }
      guard mayUse, !feeOverflow else { break }
      isAnyUsable = true
      guard key <= limitKey else {
        isBeyondLimit = true
        break
      }
      let (value, overflow) = key.multipliedReportingOverflow(by: multiplier)
      let (allIn, allInOverflow) = value.addingReportingOverflow(fee)
      guard !overflow, !allInOverflow, allIn < .max else { break }
      levels[masked: lane.levelStart + level] = RouteLevel(key: key, allIn: allIn, lots: size)
      level += 1
      let (sum, sumOverflow) = lots.addingReportingOverflow(size)
      lots = sumOverflow ? quantity : min(quantity, sum)
      // Levels only get worse within a lane: what lies deeper than the whole order is never needed.
      if lots == quantity { break }
    }
    lane.levelCount = level
    let (sum, sumOverflow) = displayedLots.addingReportingOverflow(lots)
    displayedLots = sumOverflow ? .max : sum
    let childMax = venues[venue].childQuantityMax.lots
    lots = min(lots, max(0, terms.orderQuantityMax.lots))
    lane.capacity = childMax > 0 ? min(lots, childMax) : lots
    if lane.capacity < lane.quantityMin { lane.capacity = 0 }
    return lane
  }

  /// The best protected price, with the size shown there.
  @inlinable func best(_ side: Side) -> DepthLevel {
    var key = Int64.max
    var lots: Int64 = 0
    for lane in 0..<laneCount where lanes[lane].protectedKey < .max {
      if lanes[lane].protectedKey < key {
        key = lanes[lane].protectedKey
        lots = 0
      }
      if lanes[lane].protectedKey == key {
        let (sum, overflow) = lots.addingReportingOverflow(lanes[lane].protectedLots)
        lots = overflow ? .max : sum
      }
    }
    guard key < .max else { return .empty }
    return DepthLevel(price: Price(nanos: side.sign * key), quantity: Quantity(lots: lots))
  }

  /// Turns an allocation into children and their outcome.
  @inlinable func write(
    _ allocation: borrowing RouteAllocation, of intent: borrowing OrderIntent, _ nextChildID: ClientOrderID,
    into plan: inout RoutePlan
  ) -> RouteOutcome {
    let sign = intent.side.sign
    let quantity = intent.quantity.lots
    var outcome = RouteOutcome(side: intent.side, residual: intent.quantity, reason: .complete)
    outcome.best = best(intent.side)
    var fees: Int128 = 0
    for lane in 0..<laneCount where allocation.lots[lane] > 0 {
      fees += Int128(lanes[lane].feeNanos) * Int128(allocation.lots[lane]) + lanes[lane].fixedNanos
      guard protects, lanes[lane].protectedKey < allocation.worstKey else { continue }
      // A venue's own better levels come first anyway: only what another one takes beyond its quote needs the sweep.
      let quote = lanes[lane].protectedKey
      for other in 0..<laneCount where other != lane {
        if allocation.worstKeys[other] > quote { outcome.isSweep = true }
      }
    }
    for lane in 0..<laneCount where allocation.lots[lane] > 0 {
      // Wrapping: an identifier is any 64-bit value.
      let childID = ClientOrderID(value: nextChildID.value &+ UInt64(plan.count))
      var child = ChildOrder(
        part: copy intent, clientOrderID: childID, venue: lanes[lane].venue,
        price: Price(nanos: sign * allocation.worstKeys[lane]), quantity: Quantity(lots: allocation.lots[lane]),
        isSweep: outcome.isSweep)
      child.type = .limit
      child.timeInForce = .immediateOrCancel
      // Never full: at most eight lanes, and the plan was emptied.
      _ = plan.append(child)
    }
    outcome.quantity = Quantity(lots: allocation.filled)
    outcome.residual = Quantity(lots: quantity - allocation.filled)
    outcome.fees = Money(nanos: fees)
    outcome.notional = Money(nanos: Int128(sign) * (allocation.cost - fees))
    if allocation.filled > 0 { outcome.worstPrice = Price(nanos: sign * allocation.worstKey) }
    if allocation.filled < quantity {
      let isConstrained = allocation.filled < min(quantity, displayedLots)
      outcome.reason = isConstrained ? .constraint : (isBeyondLimit ? .limit : .display)
    }
    return outcome
  }
}
