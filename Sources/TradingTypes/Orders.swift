/// An order as it goes to one venue: one cache line.
@frozen public struct ChildOrder: BitwiseCopyable, Sendable {
  /// Unique for the account; the child's own number.
  public var clientOrderID: ClientOrderID
  /// The intent it is part of.
  public var parentID: ClientOrderID
  /// When it was sent.
  public var time: Timestamp
  /// The worst acceptable price.
  public var price: Price
  /// Lots, positive.
  public var quantity: Quantity
  /// The instrument.
  public var instrument: InstrumentID
  /// Where it goes.
  public var venue: VenueID
  /// The strategy it is for.
  public var strategy: StrategyID
  /// The account it is for.
  public var account: AccountID
  /// Direction.
  public var side: Side
  /// How it trades.
  public var type: OrderType
  /// How long it stays.
  public var timeInForce: TimeInForce
  /// An intermarket sweep order: the sender takes the protected quotes of other venues at the same time.
  public var isSweep: Bool

  /// The part of `intent` that goes to `venue`.
  @inlinable public init(
    part intent: OrderIntent, clientOrderID: ClientOrderID, venue: VenueID, price: Price, quantity: Quantity,
    isSweep: Bool
  ) {
    self.clientOrderID = clientOrderID
    parentID = intent.clientOrderID
    time = intent.time
    self.price = price
    self.quantity = quantity
    instrument = intent.instrument
    self.venue = venue
    strategy = intent.strategy
    account = intent.account
    side = intent.side
    type = intent.type
    timeInForce = intent.timeInForce
    self.isSweep = isSweep
  }
}

/// The child orders of one routed decision, at most `countMax`, each for another venue.
@frozen public struct RoutePlan: BitwiseCopyable, Sendable {
  /// Children a plan can hold.
  @inlinable public static var countMax: Int { 8 }

  /// The children; only the first `count` mean anything.
  public var children: InlineArray<8, ChildOrder>
  /// How many there are.
  public var count: Int

  /// A plan without children; `filler` fills the unused places.
  @inlinable public init(filler: ChildOrder) {
    children = InlineArray(repeating: filler)
    count = 0
  }

  /// Adds a child; false when the plan is full.
  @inlinable public mutating func append(_ child: ChildOrder) -> Bool {
    guard count < Self.countMax else { return false }
    children[count] = child
    count += 1
    return true
  }

  /// Lots over all children.
  @inlinable public var quantity: Quantity {
    var lots: Int64 = 0
    for index in 0..<count { lots += children[index].quantity.lots }
    return Quantity(lots: lots)
  }
}

/// What a venue reports about an order.
@frozen public enum ExecutionKind: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Accepted.
  case accepted = 1
  /// Some lots traded: `price`, `quantity`, `fee`.
  case filled = 2
  /// The rest, `quantity` lots, is gone.
  case cancelled = 3
  /// Refused as a whole.
  case rejected = 4
}

/// A report from a venue about one child order: one cache line.
@frozen public struct ExecutionReport: BitwiseCopyable, Sendable {
  /// Fee of this fill, in billionths of the currency; a rebate is negative. 64 bits hold 9.2 billion.
  public var feeNanos: Int64
  /// The child order.
  public var clientOrderID: ClientOrderID
  /// Event time at which the engine sees it.
  public var time: Timestamp
  /// Price of the fill.
  public var price: Price
  /// Lots filled or cancelled.
  public var quantity: Quantity
  /// Lots still working after this report.
  public var leaves: Quantity
  /// The instrument.
  public var instrument: InstrumentID
  /// The venue.
  public var venue: VenueID
  /// Direction of the order.
  public var side: Side
  /// What happened.
  public var kind: ExecutionKind

  /// A report about `order`.
  @inlinable public init(
    _ kind: ExecutionKind, of order: ChildOrder, time: Timestamp, price: Price = .zero, quantity: Quantity = .zero,
    leaves: Quantity, feeNanos: Int64 = 0
  ) {
    self.feeNanos = feeNanos
    clientOrderID = order.clientOrderID
    self.time = time
    self.price = price
    self.quantity = quantity
    self.leaves = leaves
    instrument = order.instrument
    venue = order.venue
    side = order.side
    self.kind = kind
  }
}

/// The life of a child order.
///
/// ```
/// sent ──► working ──► partlyFilled ──► filled
///   │         └────────────┴─────────► cancelled
///   └──► rejected
/// ```
@frozen public enum OrderState: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Sent, not yet acknowledged.
  case sent = 0
  /// Accepted by the venue.
  case working = 1
  /// Some lots traded.
  case partlyFilled = 2
  /// All lots traded. Final.
  case filled = 3
  /// The rest was cancelled. Final.
  case cancelled = 4
  /// Refused. Final.
  case rejected = 5

  /// No further report is expected.
  @inlinable public var isFinal: Bool { rawValue >= OrderState.filled.rawValue }

  /// The state after a report that leaves `leaves` lots working; `nil` when the report cannot follow this state.
  ///
  /// A fill may come before its ack: venues answer on different paths.
  @inlinable public func after(_ kind: ExecutionKind, leaves: Quantity) -> OrderState? {
    guard !isFinal else { return nil }
    switch kind {
    case .accepted: return self == .sent ? .working : (self == .partlyFilled ? .partlyFilled : nil)
    case .filled: return leaves.lots == 0 ? .filled : .partlyFilled
    case .cancelled: return .cancelled
    case .rejected: return self == .sent ? .rejected : nil
    }
  }
}

/// Where child orders go and reports come from: in memory, simulated, or a venue's own protocol.
///
/// The engine drains reports that are due before it looks at a later market event, so a decision never sees a book
/// newer than its own fills.
public protocol VenueGateway: ~Copyable {
  /// Takes a child order; false when it cannot (full, or not connected), in which case nothing was sent.
  mutating func send(_ order: ChildOrder, at time: Timestamp) -> Bool

  /// When the order session last gave a sign of life, as known at `time`; check 2 refuses orders when that is too long ago.
  func heartbeat(asOf time: Timestamp) -> Timestamp

  /// The instrument of the earliest report due at or before `time`, or `nil` when none is.
  func nextReport(by time: Timestamp) -> InstrumentID?

  /// The earliest report due at or before `time`.
  ///
  /// - Parameters:
  ///   - market: the displayed depth of that report's instrument now; simulated venues fill against it, real ones ignore it.
  mutating func receive(by time: Timestamp, market: borrowing DepthView) -> ExecutionReport?
}

extension VenueGateway where Self: ~Copyable {
  /// A gateway in the same process lives as long as it is called.
  @inlinable public func heartbeat(asOf time: Timestamp) -> Timestamp { time }
}
