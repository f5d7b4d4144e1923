public import LockFreeRings
public import TradingTypes

/// Venues in memory that share one feed's book: they answer in event time and fill against the displayed sizes.
///
/// Each venue shows its share of the feed's book (`DisplaySplit`). An order is answered `latency` after it was sent:
/// accepted, then one fill for each level it takes, best first, within its limit and up to what the venue displays at that
/// moment, then cancelled for the rest. Reports come in the order of their due time, then of sending; those of one order are
/// never interleaved with another's. The same calls give the same reports.
///
/// Simplifications: fills do not take size away from the feed's book, so two orders at the same moment may both take what is
/// displayed; and only immediate-or-cancel orders are taken: matching a resting order would need the queue ahead of it.
///
/// An order is rejected whole when its venue is unknown or shows no share of this book, its instrument is not in the
/// directory, its quantity is not positive, a limit order's price is not positive, it would rest (`day`), or its largest
/// possible fee does not fit the report.
/// - Complexity: `send` is O(1) while times do not go back, `receive` O(levels) once an order and O(1) after; no allocation
///   after `init`.
@frozen public struct SimulatedVenues: VenueGateway, ~Copyable {
  /// An order on its way, and when its venue answers.
  @frozen @usableFromInline struct Pending: BitwiseCopyable {
    @usableFromInline var order: ChildOrder
    @usableFromInline var due: Timestamp

    @inlinable init(order: ChildOrder, due: Timestamp) {
      self.order = order
      self.due = due
    }
  }

  /// What comes next for the order at the head.
  @frozen @usableFromInline enum Phase: UInt8, BitwiseCopyable {
    /// Nothing was reported yet.
    case new = 0
    /// It was accepted; fills, then the rest.
    case trading = 1
  }

  /// How the venues share the feed's book.
  public let split: DisplaySplit
  /// From sending to the answer, event time.
  public let latency: TimeSpan
  @usableFromInline let venues: Slab<Venue>
  // Units of a lot by instrument; empty where none were given and a lot is one unit.
  @usableFromInline let lotUnits: Slab<Int64>
  // A ring in due order: `head` is the earliest.
  @usableFromInline var pending: Slab<Pending>
  @usableFromInline let capacity: Int
  @usableFromInline var head = 0
  @usableFromInline var count = 0
  // The head order's progress; what its venue displayed is kept from its acceptance on.
  @usableFromInline var phase = Phase.new
  @usableFromInline var shown = VenueLadder(venue: VenueID(index: 0))
  @usableFromInline var level = 0
  @usableFromInline var leaves: Int64 = 0
  @usableFromInline var hasTraded = false
  // Borrowed without a copy.
  @usableFromInline let place = InPlace()

  /// Venues without orders.
  ///
  /// - Parameters:
  ///   - split: the share of the feed's book each venue shows, by venue number.
  ///   - instruments: their lots, for the fees; without it every lot is one unit and every instrument is taken.
  ///   - latency: not negative.
  ///   - queueCapacity: orders that can be under way at once, positive; rounded up to a power of two in memory.
  /// - Throws: `ConfigurationError` naming what breaks a rule.
  public init(
    venues directory: VenueDirectory, split: DisplaySplit, instruments: InstrumentDirectory? = nil,
    latency: TimeSpan = .zero, queueCapacity: Int = 1024, in arena: Arena
  ) throws(ConfigurationError) {
    guard let first = directory.venues.first else {
      throw ConfigurationError("simulated venues: 1 or more venues expected")
    }
    guard latency >= .zero else {
      throw ConfigurationError("simulated venues: latency \(latency.nanoseconds) ns, expected 0 or more")
    }
    guard (1...1 << 24).contains(queueCapacity) else {
      throw ConfigurationError("simulated venues: queue of \(queueCapacity), expected 1 to \(1 << 24)")
    }
    self.split = split
    self.latency = latency
    capacity = queueCapacity
    var venueSlab = Slab(repeating: first, count: directory.count, in: arena)
    for (index, venue) in directory.venues.enumerated() { venueSlab[index] = venue }
    venues = venueSlab
    var unitSlab = Slab(repeating: Int64(1), count: instruments?.count ?? 0, in: arena)
    for (index, instrument) in (instruments?.instruments ?? []).enumerated() {
      unitSlab[index] = instrument.lotUnits
    }
    lotUnits = unitSlab
    var slots = 1
    while slots < queueCapacity { slots *= 2 }
    let order = ChildOrder(
      part: OrderIntent(
        clientOrderID: .none, causeSequence: 0, time: .distantPast, instrument: .none, side: .buy, price: .zero,
        quantity: .zero),
      clientOrderID: .none, venue: first.id, price: .zero, quantity: .zero, isSweep: false)
    pending = Slab(repeating: Pending(order: order, due: .distantFuture), count: slots, in: arena)
  }

  /// Orders that are not answered to the end.
  @inlinable public var pendingCount: Int { count }

  /// Takes a child order, due `latency` after `time`; false when the queue is full, in which case nothing was sent.
  ///
  /// - Complexity: O(1); O(orders due later) when `time` is before that of an earlier call.
  @inlinable public mutating func send(_ order: ChildOrder, at time: Timestamp) -> Bool {
    guard count < capacity else { return false }
    let due = time + latency
    // From the end towards the head, past what is due later. The head stays where it is once it began to report.
    let first = phase == .new ? 0 : 1
    var place = count
    while place > first, pending[masked: head + place - 1].due > due {
      pending[masked: head + place] = pending[masked: head + place - 1]
      place -= 1
    }
    pending[masked: head + place] = Pending(order: order, due: due)
    count += 1
    return true
  }

  /// The instrument of the earliest report due at or before `time`, or `nil` when none is.
  @inlinable public func nextReport(by time: Timestamp) -> InstrumentID? {
    guard count > 0, pending[masked: head].due <= time else { return nil }
    return pending[masked: head].order.instrument
  }

  /// Event time of the earliest report, or `nil` when none is under way.
  @inlinable public var nextReportTime: Timestamp? { count > 0 ? pending[masked: head].due : nil }

  /// The earliest report due at or before `time`, or `nil` when none is. Its time is when it was due.
  ///
  /// - Parameters:
  ///   - market: the depth of `nextReport(by:)`'s instrument at that moment. What the first report of an order saw holds for
  ///     all of them.
  @inlinable @inline(__always) public mutating func receive(by time: Timestamp, market: borrowing DepthView)
    -> ExecutionReport?
  {
    guard count > 0, pending[masked: head].due <= time else { return nil }
    let order = pending[masked: head].order
    let due = pending[masked: head].due
    if phase == .new {
      guard isAcceptable(order) else {
        finishHead()
        return ExecutionReport(.rejected, of: order, time: due, quantity: order.quantity, leaves: .zero)
      }
      if order.side == .buy {
        show(market.asks.span, Int(market.askCount), to: order)
      } else {
        show(market.bids.span, Int(market.bidCount), to: order)
      }
      phase = .trading
      level = 0
      leaves = order.quantity.lots
      hasTraded = false
      return ExecutionReport(.accepted, of: order, time: due, leaves: order.quantity)
    }
    guard leaves > 0, level < Int(shown.count), isWithinLimit(shown.levels[level].price, order) else {
      let rest = Quantity(lots: leaves)
      finishHead()
      return ExecutionReport(.cancelled, of: order, time: due, quantity: rest, leaves: .zero)
    }
    let price = shown.levels[level].price
    let lots = min(leaves, shown.levels[level].quantity.lots)
    // Cannot overflow: `isAcceptable` computed the fee of the whole order.
    var fee = venues[Int(order.venue.index)].takeFee.nanos * (lots * units(order.instrument))
    if !hasTraded { fee += Int64(venues[Int(order.venue.index)].fixedFee.nanos) }
    hasTraded = true
    leaves -= lots
    level += 1
    let left = Quantity(lots: leaves)
    if leaves == 0 { finishHead() }
    return ExecutionReport(
      .filled, of: order, time: due, price: price, quantity: Quantity(lots: lots), leaves: left, feeNanos: fee)
  }

  /// Keeps what the venue displays of `levels`, down to the level that fills the order.
  @inlinable mutating func show(_ levels: Span<DepthLevel>, _ levelCount: Int, to order: borrowing ChildOrder) {
    let venue = Int(order.venue.index)
    shown.venue = order.venue
    shown.count = 0
    var missing = order.quantity.lots
    for level in 0..<levelCount where missing > 0 {
      let part = split.share(levels[level].quantity, venue: venue)
      guard part.lots > 0 else { continue }
      shown.levels[Int(shown.count)] = DepthLevel(price: levels[level].price, quantity: part)
      shown.count += 1
      // Cannot overflow: both are positive.
      missing -= part.lots
    }
  }

  /// Lets the head order go.
  @inlinable mutating func finishHead() {
    // Wrapping: only the low bits are used.
    head &+= 1
    count -= 1
    phase = .new
  }

  /// Units of a lot; 1 where no instruments were given.
  @inlinable func units(_ instrument: InstrumentID) -> Int64 {
    lotUnits.count > 0 ? lotUnits[Int(instrument.index)] : 1
  }

  /// Whether the price of a level is no worse than the order's limit.
  @inlinable func isWithinLimit(_ price: Price, _ order: borrowing ChildOrder) -> Bool {
    if order.type == .market { return true }
    return order.side == .buy ? price <= order.price : price >= order.price
  }

  /// Whether a venue would take the order.
  @inlinable func isAcceptable(_ order: borrowing ChildOrder) -> Bool {
    let venue = Int(order.venue.index)
    guard venue < venues.count, venue < split.venueCount, order.quantity.lots > 0 else { return false }
    guard order.timeInForce == .immediateOrCancel else { return false }
    if order.type == .limit, order.price <= .zero { return false }
    if lotUnits.count > 0, Int(order.instrument.index) >= lotUnits.count { return false }
    // The fee of the whole order and the fixed fee bound those of every fill.
    let (size, sizeOverflow) = order.quantity.lots.multipliedReportingOverflow(by: units(order.instrument))
    let (fee, feeOverflow) = size.multipliedReportingOverflow(by: venues[venue].takeFee.nanos)
    guard !sizeOverflow, !feeOverflow, let fixed = Int64(exactly: venues[venue].fixedFee.nanos) else { return false }
    let bound = Int128(fee).magnitude + Int128(fixed).magnitude
    return bound <= UInt128(Int64.max)
  }
}
