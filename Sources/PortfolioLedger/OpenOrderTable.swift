public import LockFreeRings
public import TradingTypes

/// A child order that a venue may still fill.
@frozen public struct OpenOrder: BitwiseCopyable, Hashable, Sendable {
  /// The child's own number.
  public var clientOrderID: ClientOrderID
  /// The intent it is part of.
  public var parentID: ClientOrderID
  /// When it was sent.
  public var time: Timestamp
  /// The worst acceptable price; zero for a market order.
  public var price: Price
  /// Lots ordered.
  public var quantity: Quantity
  /// Lots that may still fill.
  public var leaves: Quantity
  /// Billionths of the currency reserved for each lot of `leaves`.
  public var reservedNanosPerLot: Int128
  /// The instrument.
  public var instrument: InstrumentID
  /// Where it works.
  public var venue: VenueID
  /// The strategy it is for.
  public var strategy: StrategyID
  /// The account it is for.
  public var account: AccountID
  /// Direction.
  public var side: Side
  /// Where it is in its life.
  public var state: OrderState

  /// The order `child` just sent, reserved at `reservedNanosPerLot`.
  @inlinable public init(_ child: ChildOrder, reservedNanosPerLot: Int128) {
    clientOrderID = child.clientOrderID
    parentID = child.parentID
    time = child.time
    price = child.price
    quantity = child.quantity
    leaves = child.quantity
    self.reservedNanosPerLot = reservedNanosPerLot
    instrument = child.instrument
    venue = child.venue
    strategy = child.strategy
    account = child.account
    side = child.side
    state = .sent
  }

  /// Exposure reserved for what may still fill.
  @inlinable public var reserved: Money { Money(nanos: reservedNanosPerLot * Int128(leaves.lots)) }
}

/// Who a finished order belonged to: enough to book a fill that comes late.
@frozen public struct FinishedOrder: BitwiseCopyable, Hashable, Sendable {
  /// The child's own number, 0 in an unused place.
  public var clientOrderID = ClientOrderID.none
  /// The instrument.
  public var instrument = InstrumentID.none
  /// Where it worked.
  public var venue = VenueID(index: 0)
  /// The strategy it was for.
  public var strategy = StrategyID(index: 0)
  /// The account it was for.
  public var account = AccountID(index: 0)
  /// Direction.
  public var side = Side.buy
  /// How it ended.
  public var state = OrderState.filled

  /// An unused place.
  @inlinable public init() {}

  /// What is kept of `order`, which ended as `state`.
  @inlinable public init(_ order: OpenOrder, state: OrderState) {
    clientOrderID = order.clientOrderID
    instrument = order.instrument
    venue = order.venue
    strategy = order.strategy
    account = order.account
    side = order.side
    self.state = state
  }
}

/// Open orders by number: linear probing over twice the capacity, deletion by moving back, so that no tombstones gather.
///
/// Numbers are handed out densely, so the number itself is the home place and neighbours share cache lines.
@frozen @usableFromInline struct OpenOrderTable: ~Copyable {
  /// Numbers by place, 0 where free.
  @usableFromInline var numbers: Slab<UInt64>
  /// Orders by place.
  @usableFromInline var orders: Slab<OpenOrder>
  /// Orders that can be open.
  @usableFromInline let capacity: Int
  /// Orders that are open.
  @usableFromInline var count = 0

  @usableFromInline init(capacity: Int, in arena: Arena) {
    self.capacity = capacity
    numbers = Slab(repeating: 0, count: 2 * capacity, in: arena)
    let nothing = OrderIntent(
      clientOrderID: .none, causeSequence: 0, time: .distantPast, instrument: .none, side: .buy, price: .zero,
      quantity: .zero)
    let blank = ChildOrder(
      part: nothing, clientOrderID: .none, venue: VenueID(index: 0), price: .zero, quantity: .zero, isSweep: false)
    orders = Slab(repeating: OpenOrder(blank, reservedNanosPerLot: 0), count: 2 * capacity, in: arena)
  }

  /// The home place of `number`; `masked` folds it into the table.
  @inlinable static func home(_ number: UInt64) -> Int { Int(truncatingIfNeeded: number) }

  /// The place of `number`, or nil when it is not open; terminates because half the places are free.
  @inlinable func place(of number: UInt64) -> Int? {
    var place = Self.home(number)
    while true {
      let found = numbers[masked: place]
      if found == number { return number == 0 ? nil : place & (numbers.count - 1) }
      if found == 0 { return nil }
      // Wrapping: only the bits under the mask matter.
      place &+= 1
    }
  }

  /// Adds an order whose number is not open; false when the table is full.
  @inlinable mutating func insert(_ order: OpenOrder) -> Bool {
    guard count < capacity else { return false }
    var place = Self.home(order.clientOrderID.value)
    // Wrapping: only the bits under the mask matter.
    while numbers[masked: place] != 0 { place &+= 1 }
    numbers[masked: place] = order.clientOrderID.value
    orders[masked: place] = order
    count += 1
    return true
  }

  /// Removes the order at `place` and closes the gap, so that every order stays reachable from its home.
  @inlinable mutating func remove(at place: Int) {
    let mask = numbers.count - 1
    var gap = place
    var next = (gap + 1) & mask
    while numbers[masked: next] != 0 {
      // How far the order is from home, and how far the gap is behind it.
      let displacement = (next &- Self.home(numbers[masked: next])) & mask
      if displacement >= (next &- gap) & mask {
        numbers[masked: gap] = numbers[masked: next]
        orders[masked: gap] = orders[masked: next]
        gap = next
      }
      next = (next + 1) & mask
    }
    numbers[masked: gap] = 0
    count -= 1
  }
}
