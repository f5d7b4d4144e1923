import TradingTypes

/// A seeded venue that rejects, is slow, answers twice, overfills, loses acks and reports what nobody ordered.
///
/// Times of its reports never go back, as a gateway must keep; the same orders in the same order give the same answers.
struct UnreliableVenue: VenueGateway {
  /// How often something happens to an order, in thousandths.
  struct Faults: Sendable {
    var refused = 0
    var rejected = 0
    var repeated = 0
    var overfilled = 0
    var invented = 0
    var partlyFilled = 0
    /// Longest delay of an answer.
    var delayMax: Int64 = 0

    /// Slow and unwilling, but honest: the engine must go on trading.
    static let honest = Faults(refused: 30, rejected: 100, partlyFilled: 300, delayMax: 5_000_000_000)
    /// Tells what is not true.
    static let dishonest = Faults(
      refused: 30, rejected: 100, repeated: 20, overfilled: 20, invented: 10, partlyFilled: 300, delayMax: 5_000_000_000
    )
  }

  let faults: Faults
  private var random: SplitMix64
  /// By time, then by arrival.
  private var queue: [ExecutionReport] = []
  private(set) var sent: [ChildOrder] = []
  /// Lots it filled, by instrument and sign: what the ledger must have booked where nothing was invented.
  private(set) var filledLots: [UInt32: Int64] = [:]

  init(_ faults: Faults, seed: UInt64) {
    self.faults = faults
    random = SplitMix64(seed: seed)
  }

  private mutating func happens(_ thousandths: Int) -> Bool { random.below(1_000) < thousandths }

  mutating func send(_ order: ChildOrder, at time: Timestamp) -> Bool {
    if happens(faults.refused) { return false }
    sent.append(order)
    var due = time
    func pause(_ random: inout SplitMix64) -> TimeSpan {
      TimeSpan(nanoseconds: faults.delayMax == 0 ? 0 : Int64(random.below(Int(faults.delayMax))))
    }
    due = due + pause(&random)
    if happens(faults.rejected) {
      tell(ExecutionReport(.rejected, of: order, time: due, quantity: order.quantity, leaves: .zero))
      return true
    }
    tell(ExecutionReport(.accepted, of: order, time: due, leaves: order.quantity))
    due = due + pause(&random)
    var lots = order.quantity.lots
    if happens(faults.partlyFilled) { lots = Int64(random.below(Int(lots) + 1)) }
    let rest = order.quantity.lots - lots
    if lots > 0 {
      let extra = happens(faults.overfilled) ? 1 + Int64(random.below(3)) : 0
      fill(order, rest == 0 ? lots + extra : lots, leaves: rest, at: due)
    }
    if rest > 0 {
      tell(ExecutionReport(.cancelled, of: order, time: due, quantity: Quantity(lots: rest), leaves: .zero))
    }
    if happens(faults.invented) {
      var stranger = order
      stranger.clientOrderID = ClientOrderID(value: random.next())
      if random.below(2) == 0 { stranger.instrument = InstrumentID(index: UInt32(truncatingIfNeeded: random.next())) }
      tell(
        ExecutionReport(
          .filled, of: stranger, time: due, price: order.price, quantity: Quantity(lots: 5), leaves: .zero))
    }
    return true
  }

  private mutating func fill(_ order: ChildOrder, _ lots: Int64, leaves: Int64, at time: Timestamp) {
    let report = ExecutionReport(
      .filled, of: order, time: time, price: order.price, quantity: Quantity(lots: lots),
      leaves: Quantity(lots: leaves),
      feeNanos: 3_000_000 * lots)
    tell(report)
  }

  private mutating func tell(_ report: ExecutionReport) {
    insert(report)
    if happens(faults.repeated) { insert(report) }
  }

  private mutating func insert(_ report: ExecutionReport) {
    let place = queue.firstIndex { $0.time > report.time } ?? queue.count
    queue.insert(report, at: place)
    if report.kind == .filled {
      filledLots[report.instrument.index, default: 0] += report.side.sign * report.quantity.lots
    }
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

/// A gateway with one planted fault: it loses the first fill.
struct LosingVenue: VenueGateway {
  var inner: UnreliableVenue
  private(set) var lost: ExecutionReport?

  init(_ inner: UnreliableVenue) { self.inner = inner }

  mutating func send(_ order: ChildOrder, at time: Timestamp) -> Bool { inner.send(order, at: time) }

  func nextReport(by time: Timestamp) -> InstrumentID? { inner.nextReport(by: time) }

  mutating func receive(by time: Timestamp, market: borrowing DepthView) -> ExecutionReport? {
    guard let report = inner.receive(by: time, market: market) else { return nil }
    if lost == nil, report.kind == .filled {
      lost = report
      return receive(by: time, market: market)
    }
    return report
  }
}
