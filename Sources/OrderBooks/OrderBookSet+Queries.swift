public import LockFreeRings
public import TradingTypes

/// One price level of a book. Valid until the next event.
@frozen public struct BookLevel: BitwiseCopyable, Sendable {
  /// Price per unit.
  public let price: Price
  /// Lots that rest there.
  public let quantity: Quantity
  /// Orders that rest there; 0 for an aggregated level.
  public let orderCount: Int
  @usableFromInline let level: UInt32
  @usableFromInline let side: UInt32

  @inlinable init(_ record: LevelRecord, level: UInt32, side: Int) {
    price = Price(nanos: record.price)
    quantity = Quantity(lots: record.lots)
    orderCount = Int(record.count)
    self.level = level
    self.side = UInt32(truncatingIfNeeded: side)
  }
}

/// One resting order. Valid until the next event.
@frozen public struct BookOrder: BitwiseCopyable, Sendable {
  /// The feed's number.
  public let reference: OrderReference
  /// The book it rests in.
  public let instrument: InstrumentID
  /// Its side.
  public let side: Side
  /// Price per unit.
  public let price: Price
  /// Lots left.
  public let quantity: Quantity
  @usableFromInline let handle: UInt32

  @inlinable init(_ node: OrderNode, price: Int64, handle: UInt32) {
    reference = OrderReference(value: node.reference)
    instrument = InstrumentID(index: node.side &>> 1)
    side = node.side & 1 == 0 ? .buy : .sell
    self.price = Price(nanos: price)
    quantity = Quantity(lots: node.lots)
    self.handle = handle
  }
}

/// What stands before an order in its queue.
@frozen public struct QueuePosition: BitwiseCopyable, Hashable, Sendable {
  /// Orders ahead.
  public let ordersAhead: Int
  /// Their lots.
  public let quantityAhead: Quantity

  /// `ordersAhead` orders with `quantityAhead` lots are ahead.
  @inlinable public init(ordersAhead: Int, quantityAhead: Quantity) {
    self.ordersAhead = ordersAhead
    self.quantityAhead = quantityAhead
  }
}

// Everything here reads and allocates nothing. An instrument outside the set is misuse and traps.
extension OrderBookSet {
  /// Books in the set; instruments are numbered from 0.
  @inlinable public var count: Int { Int(instrumentCount) }

  /// The ten best levels a side of `id`, in place.
  ///
  /// - Precondition: `id` is in the set.
  @inlinable public subscript(depth id: InstrumentID) -> DepthView {
    _read { yield views[Int(id.index)] }
  }

  /// The best bid, `.empty` without one.
  @inlinable public func bestBid(of id: InstrumentID) -> DepthLevel { views[Int(id.index)].bids[0] }

  /// The best ask, `.empty` without one.
  @inlinable public func bestAsk(of id: InstrumentID) -> DepthLevel { views[Int(id.index)].asks[0] }

  // MARK: - Levels and queues

  /// The best level of one side; go on with `level(after:)`.
  @inlinable public func bestLevel(of id: InstrumentID, side: Side) -> BookLevel? {
    let sideIndex = Self.sideIndex(id, side)
    return level(ladder.next(worseThan: PriceLadder.bestLimit(side: sideIndex), side: sideIndex), sideIndex)
  }

  /// The next worse level.
  ///
  /// - Complexity: constant inside the price window, O(log n) among n levels outside it.
  @inlinable public func level(after level: BookLevel) -> BookLevel? {
    let side = Int(level.side)
    return self.level(ladder.next(worseThan: level.price.nanos, side: side), side)
  }

  /// The level at `price`, if any.
  @inlinable public func level(at price: Price, of id: InstrumentID, side: Side) -> BookLevel? {
    guard isPrice(price) else { return nil }
    let sideIndex = Self.sideIndex(id, side)
    return level(ladder.find(price.nanos, side: sideIndex), sideIndex)
  }

  @inlinable func level(_ level: UInt32, _ side: Int) -> BookLevel? {
    level == 0 ? nil : BookLevel(ladder.levels[Int(level)], level: level, side: side)
  }

  /// Calls `body` with up to `count` levels of one side, best first.
  @inlinable public func levels(of id: InstrumentID, side: Side, count: Int = .max, _ body: (BookLevel) -> Void) {
    var left = count
    var level = bestLevel(of: id, side: side)
    while left > 0, let current = level {
      body(current)
      left -= 1
      level = self.level(after: current)
    }
  }

  /// The order first in the queue of `level`; go on with `order(after:)`.
  @inlinable public func firstOrder(of level: BookLevel) -> BookOrder? {
    order(ladder.levels[Int(level.level)].head)
  }

  /// The order behind `order` in its queue.
  @inlinable public func order(after order: BookOrder) -> BookOrder? {
    self.order(index.nodes[Int(order.handle)].next)
  }

  /// The resting order `reference`.
  @inlinable public func order(_ reference: OrderReference) -> BookOrder? { order(index.find(reference.value)) }

  @inlinable func order(_ handle: UInt32) -> BookOrder? {
    guard handle != 0 else { return nil }
    let node = index.nodes[Int(handle)]
    return BookOrder(node, price: ladder.levels[Int(node.level)].price, handle: handle)
  }

  /// Calls `body` with each order of one side in priority order: best price first, then the queue.
  @inlinable public func orders(of id: InstrumentID, side: Side, _ body: (BookOrder) -> Void) {
    levels(of: id, side: side) { level in
      var order = firstOrder(of: level)
      while let current = order {
        body(current)
        order = self.order(after: current)
      }
    }
  }

  /// What stands before `reference` in its queue, nil when it does not rest.
  ///
  /// - Complexity: O(orders ahead).
  @inlinable public func queuePosition(of reference: OrderReference) -> QueuePosition? {
    var handle = index.find(reference.value)
    guard handle != 0 else { return nil }
    var orders = 0
    var lots: Int64 = 0
    handle = index.nodes[Int(handle)].previous
    while handle != 0 {
      orders &+= 1
      // Cannot overflow: part of the level's size.
      lots &+= index.nodes[Int(handle)].lots
      handle = index.nodes[Int(handle)].previous
    }
    return QueuePosition(ordersAhead: orders, quantityAhead: Quantity(lots: lots))
  }

  // MARK: - State and counts

  /// Whether the book of `id` may differ from the venue's, so that nothing should trade on it.
  @inlinable public func isStale(_ id: InstrumentID) -> Bool { stale[Int(id.index)] != 0 }

  /// Marks the book of `id` stale: a gap, a lost session.
  @inlinable public mutating func markStale(_ id: InstrumentID) { stale[Int(id.index)] = 1 }

  /// Trusts the book of `id` again: it was rebuilt.
  @inlinable public mutating func clearStale(_ id: InstrumentID) { stale[Int(id.index)] = 0 }

  /// Orders that rest, over all books.
  @inlinable public var liveOrderCount: Int { index.liveCount }

  /// The most orders that ever rested at once.
  @inlinable public var liveOrderCountMax: Int { index.liveCountMax }

  /// Orders that rest outside pages, in the table: few on a feed that counts its references up.
  @inlinable public var sparseOrderCount: Int { index.sparseCount }

  /// Pages emptied of their last old orders to make room for new ones.
  @inlinable public var pageEvacuationCount: UInt64 { index.evacuationCount }

  /// Price levels that exist, over all books.
  @inlinable public var levelCount: Int { ladder.liveCount }

  /// Times a price window moved.
  @inlinable public var windowMoveCount: UInt64 { ladder.moveCount }

  /// Orders that rest on one side of a book.
  @inlinable public func orderCount(of id: InstrumentID, side: Side) -> Int {
    Int(ladder.sides[Self.sideIndex(id, side)].orderCount)
  }

  /// Price levels of one side of a book.
  @inlinable public func levelCount(of id: InstrumentID, side: Side) -> Int {
    Int(ladder.sides[Self.sideIndex(id, side)].levelCount)
  }

  /// Events that ended with `status`.
  @inlinable public func eventCount(_ status: BookStatus) -> UInt64 {
    guard status == .applied else { return statusCounts[Int(status.rawValue & 7)] }
    var count = totalCount
    // Wrapping: the others are a part of all.
    for other in 1..<8 { count &-= statusCounts[other] }
    return count
  }

  /// Replaces whose old order left and whose new one was refused.
  @inlinable public var brokenReplaceCount: UInt64 { brokenReplaces }
}
