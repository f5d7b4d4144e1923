public import LockFreeRings
public import TradingTypes

/// Full-depth order books of many instruments with queue order (L3), and aggregated books (L2), in preallocated memory.
///
/// One call applies one market event and says what it did, including whether the best or one of the ten visible levels changed. The depth
/// view of each book is edited in place with every event. A price level holds either orders or one aggregated size, never both.
///
/// Invariants: a level's size is the sum of its orders; no level is empty; the depth view is the first ten levels of the ladder.
///
/// - Complexity: an event costs two cache lines to find its order, one for its level, one or two for its queue neighbours and up to three for
///   the view. Nothing is allocated after `init`, and no input traps.
@frozen public struct OrderBookSet: ~Copyable {
  @usableFromInline var index: OrderIndex
  @usableFromInline var ladder: PriceLadder
  @usableFromInline var views: Slab<DepthView>
  @usableFromInline var stale: Slab<UInt8>
  @usableFromInline var statusCounts: InlineArray<8, UInt64> = .init(repeating: 0)
  @usableFromInline var brokenReplaces: UInt64 = 0
  @usableFromInline let instrumentCount: UInt32
  @usableFromInline let quantityMax: UInt64
  @usableFromInline let priceMax: UInt64

  /// Empty books in memory from `arena`.
  ///
  /// - Parameters:
  ///   - feedIncrement: the finest price step of the feed (ITCH: 0.0001 USD); the window of a book switches to it when its orders need it.
  ///   - tick: the usual price step (US shares: 0.01 USD). Prices off both grids are held all the same, only slower.
  /// - Throws: `ConfigurationError` when an increment is not positive or `tick` is no multiple of `feedIncrement`.
  /// - Precondition: the arena has `capacity.arenaBytes` free.
  public init(capacity: BookCapacity, feedIncrement: Price, tick: Price, in arena: Arena) throws(ConfigurationError) {
    guard feedIncrement.nanos > 0, tick.nanos > 0, tick.nanos % feedIncrement.nanos == 0 else {
      throw ConfigurationError(
        "order books: tick \(tick.nanos) and feed increment \(feedIncrement.nanos) billionths, expected a multiple")
    }
    index = OrderIndex(capacity, in: arena)
    ladder = PriceLadder(capacity, feedIncrement: feedIncrement, tick: tick, in: arena)
    views = Slab(repeating: DepthView(), count: capacity.instruments, in: arena)
    stale = Slab(repeating: 0, count: capacity.instruments, in: arena)
    instrumentCount = UInt32(capacity.instruments)
    quantityMax = UInt64(capacity.quantityMax.lots)
    priceMax = UInt64(BookCapacity.priceMax.nanos)
  }

  // MARK: - Events

  /// Applies one event and tells what it did.
  ///
  /// - An event about a resting order changes nothing when its instrument is in the set and not the order's (`unknownOrder`); an instrument
  ///   outside the set is taken from the order where the order is known.
  /// - `replaceOrder` is one event: the flags are the net of cancel and add. When its new reference rests already or its add is refused, the
  ///   old order leaves all the same: the status says why the new one does not rest, the flags and the quantity say what left,
  ///   `brokenReplaceCount` grows and the book is stale. A `modifyOrder` to another price that finds no room behaves the same.
  /// - `modifyOrder` reports the lots that came or went, or the old size when the price changes.
  /// - `setLevel` reports the difference of the sizes. It is `.invalid` where orders rest, as is an add onto an aggregated level.
  /// - A duplicate add leaves the book unchanged but stale: one of the two orders is not what the feed means.
  @inlinable public mutating func apply(_ event: borrowing MarketEvent) -> BookEffect {
    let effect: BookEffect
    switch event.kind {
    case .addOrder: effect = add(event)
    case .executeOrder, .executeOrderAtPrice, .reduceOrder: effect = reduce(event)
    case .deleteOrder: effect = delete(event)
    case .replaceOrder: effect = replace(event)
    case .modifyOrder: effect = modify(event)
    case .setLevel: effect = setLevel(event)
    case .clearBook: effect = clearBook(event)
    default: effect = BookEffect(.ignored)
    }
    // In range: a status is below 8. Wrapping: 2^64 events take centuries.
    statusCounts[Int(effect.status.rawValue & 7)] &+= 1
    return effect
  }

  @inlinable func isQuantity(_ quantity: Quantity) -> Bool {
    // Wrapping: 0 becomes the largest number, and so do negative ones.
    UInt64(bitPattern: quantity.lots) &- 1 < quantityMax
  }

  @inlinable func isPrice(_ price: Price) -> Bool { UInt64(bitPattern: price.nanos) &- 1 < priceMax }

  @inlinable static func sideIndex(_ instrument: InstrumentID, _ side: Side) -> Int {
    Int(instrument.index) &<< 1 | Int(side.rawValue)
  }

  @inlinable static func side(_ sideIndex: Int) -> Side { sideIndex & 1 == 0 ? .buy : .sell }

  @inlinable @inline(__always) mutating func add(_ event: borrowing MarketEvent) -> BookEffect {
    guard event.instrument.index < instrumentCount else { return BookEffect(.unknownInstrument) }
    let side = Self.sideIndex(event.instrument, event.side)
    guard isQuantity(event.quantity), isPrice(event.price) else {
      return BookEffect(.invalid, side: event.side, price: event.price, quantity: event.quantity)
    }
    guard index.find(event.reference.value) == 0 else {
      stale[side &>> 1] = 1
      return BookEffect(.duplicateOrder, side: event.side, price: event.price, quantity: event.quantity)
    }
    let (status, rank) = rest(
      event.reference.value, price: event.price.nanos, lots: event.quantity.lots, side: side)
    return BookEffect(
      status, side: event.side, price: event.price, quantity: event.quantity, bestChanged: rank == 0,
      depthChanged: rank >= 0)
  }

  @inlinable @inline(__always) mutating func reduce(_ event: borrowing MarketEvent) -> BookEffect {
    guard isQuantity(event.quantity) else { return refused(event, .invalid) }
    let handle = index.find(event.reference.value)
    guard isOurs(handle, event) else { return unknown(event) }
    let side = Int(index.nodes[Int(handle)].side)
    let level = Int(index.nodes[Int(handle)].level)
    let price = ladder.levels[level].price
    let rested = index.nodes[Int(handle)].lots
    if event.quantity.lots < rested {
      // Cannot overflow: less goes than rested.
      index.nodes[Int(handle)].lots = rested &- event.quantity.lots
      ladder.levels[level].lots &-= event.quantity.lots
      let rank = resized(price, lots: ladder.levels[level].lots, side: side)
      return BookEffect(
        .applied, side: Self.side(side), price: Price(nanos: price), quantity: event.quantity, bestChanged: rank == 0,
        depthChanged: rank >= 0)
    }
    let rank = leave(handle)
    if event.quantity.lots > rested { stale[side &>> 1] = 1 }
    return BookEffect(
      event.quantity.lots > rested ? .overfill : .applied, side: Self.side(side), price: Price(nanos: price),
      quantity: Quantity(lots: rested), bestChanged: rank == 0, depthChanged: rank >= 0)
  }

  @inlinable @inline(__always) mutating func delete(_ event: borrowing MarketEvent) -> BookEffect {
    let handle = index.find(event.reference.value)
    guard isOurs(handle, event) else { return unknown(event) }
    let node = index.nodes[Int(handle)]
    let price = Price(nanos: ladder.levels[Int(node.level)].price)
    let rank = leave(handle)
    return BookEffect(
      .applied, side: Self.side(Int(node.side)), price: price, quantity: Quantity(lots: node.lots),
      bestChanged: rank == 0, depthChanged: rank >= 0)
  }

  @inlinable @inline(__always) func isOurs(_ handle: UInt32, _ event: borrowing MarketEvent) -> Bool {
    guard handle != 0 else { return false }
    let own = index.nodes[Int(handle)].side &>> 1
    let named = event.instrument.index
    return own == named || named >= instrumentCount
  }

  @usableFromInline @inline(never) func unknown(_ event: borrowing MarketEvent) -> BookEffect {
    refused(event, .unknownOrder)
  }

  @usableFromInline @inline(never) func refused(_ event: borrowing MarketEvent, _ status: BookStatus) -> BookEffect {
    BookEffect(event.instrument.index < instrumentCount ? status : .unknownInstrument)
  }

  // MARK: - Orders in levels

  /// Puts a new order at the back of its level; the rank of the level in the view, or -1.
  @inlinable mutating func rest(
    _ reference: UInt64, price: Int64, lots: Int64, side: Int
  ) -> (status: BookStatus, rank: Int) {
    guard index.liveCount < index.capacity else { return exhausted(side) }
    let level = ladder.findOrCreate(price, side: side)
    guard level != 0 else { return exhausted(side) }
    let isNew = ladder.levels[Int(level)].lots == 0
    // A level with size and without orders is aggregated.
    if !isNew, ladder.levels[Int(level)].count == 0 { return (.invalid, -1) }
    let handle = acquire(reference)
    guard handle != 0 else {
      if isNew { ladder.remove(level, side: side) }
      return exhausted(side)
    }
    // Cannot overflow: `quantityMax` bounds the sum over all orders.
    let sum = ladder.levels[Int(level)].lots &+ lots
    ladder.levels[Int(level)].lots = sum
    enqueue(handle, reference, lots: lots, level: level, side: side)
    return (.applied, isNew ? inserted(price, lots: sum, side: side) : resized(price, lots: sum, side: side))
  }

  /// A node for `reference`, which does not rest; 0 when there is no room.
  @inlinable @inline(__always) mutating func acquire(_ reference: UInt64) -> UInt32 {
    var handle = index.acquireInPage(reference)
    if handle == 0 {
      handle = acquireElsewhere(reference)
      if handle == 0 { return 0 }
    }
    index.countAcquired()
    return handle
  }

  @usableFromInline @inline(never) mutating func exhausted(_ side: Int) -> (status: BookStatus, rank: Int) {
    stale[side >> 1] = 1
    return (.poolExhausted, -1)
  }

  @inlinable @inline(__always) mutating func enqueue(
    _ handle: UInt32, _ reference: UInt64, lots: Int64, level: UInt32, side: Int
  ) {
    let tail = ladder.levels[Int(level)].tail
    index.nodes[Int(handle)] = OrderNode(
      reference: reference, lots: lots, next: 0, previous: tail, level: level,
      side: UInt32(truncatingIfNeeded: side))
    if tail == 0 {
      ladder.levels[Int(level)].head = handle
    } else {
      index.nodes[Int(tail)].next = handle
    }
    ladder.levels[Int(level)].tail = handle
    ladder.levels[Int(level)].count &+= 1
    ladder.sides[side].orderCount &+= 1
  }

  @inlinable @inline(__always) mutating func dequeue(_ node: OrderNode) {
    if node.previous == 0 {
      ladder.levels[Int(node.level)].head = node.next
    } else {
      index.nodes[Int(node.previous)].next = node.next
    }
    if node.next == 0 {
      ladder.levels[Int(node.level)].tail = node.previous
    } else {
      index.nodes[Int(node.next)].previous = node.previous
    }
    ladder.levels[Int(node.level)].count &-= 1
    ladder.sides[Int(node.side)].orderCount &-= 1
  }

  /// Takes an order out of its queue and the index; the rank of its level in the view, or -1.
  @inlinable @inline(__always) mutating func leave(_ handle: UInt32) -> Int {
    let node = index.nodes[Int(handle)]
    let side = Int(node.side)
    dequeue(node)
    index.release(handle, node.reference)
    let price = ladder.levels[Int(node.level)].price
    // Cannot underflow: the level holds the sum of its orders.
    let sum = ladder.levels[Int(node.level)].lots &- node.lots
    if sum > 0 {
      ladder.levels[Int(node.level)].lots = sum
      return resized(price, lots: sum, side: side)
    }
    ladder.remove(node.level, side: side)
    return removed(price, side: side)
  }

  // MARK: - The view

  @inlinable @inline(__always) mutating func resized(_ price: Int64, lots: Int64, side: Int) -> Int {
    views[side &>> 1].resize(isBid: side & 1 == 0, price, lots: lots)
  }

  @inlinable @inline(__always) mutating func inserted(_ price: Int64, lots: Int64, side: Int) -> Int {
    views[side &>> 1].insert(isBid: side & 1 == 0, price, lots: lots)
  }

  /// Takes the level at `price`, which the ladder no longer has, out of the view.
  @inlinable mutating func removed(_ price: Int64, side: Int) -> Int {
    let isBid = side & 1 == 0
    let rank = views[side &>> 1].rank(isBid: isBid, price)
    guard rank < 10 else { return -1 }
    var eleventh = DepthLevel.empty
    // The ladder counts levels without the one that left: ten of them fill the view again.
    if ladder.sides[side].levelCount >= 10 {
      let worst = views[side &>> 1].worst(isBid: isBid)
      let record = ladder.levels[Int(ladder.next(worseThan: worst, side: side))]
      eleventh = DepthLevel(price: Price(nanos: record.price), quantity: Quantity(lots: record.lots))
    }
    views[side &>> 1].remove(isBid: isBid, rank: rank, eleventh: eleventh)
    return rank
  }
}
