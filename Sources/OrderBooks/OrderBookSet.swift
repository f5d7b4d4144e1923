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
  // Of what became of events other than `applied`, which is nearly all: that is the rest of `totalCount`.
  @usableFromInline var statusCounts: InlineArray<8, UInt64> = .init(repeating: 0)
  @usableFromInline var totalCount: UInt64 = 0
  @usableFromInline var brokenReplaces: UInt64 = 0
  @usableFromInline let instrumentCount: UInt32
  @usableFromInline let quantityMax: UInt64
  @usableFromInline let priceMax: UInt64
  /// The depth views show ten levels a side, not the best alone.
  @usableFromInline let showsTen: Bool

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
    showsTen = capacity.depth == .ten
  }

  // MARK: - Events

  /// Applies one event and tells what it did.
  ///
  /// - An event about a resting order changes nothing unless it names the order's own instrument: `unknownOrder`, or
  ///   `unknownInstrument` where the one it names is outside the set.
  /// - `replaceOrder` is one event: the flags are the net of cancel and add. When its new reference rests already or its add is refused, the
  ///   old order leaves all the same: the status says why the new one does not rest, the flags and the quantity say what left,
  ///   `brokenReplaceCount` grows and the book is stale. A `modifyOrder` to another price that finds no room behaves the same.
  /// - `modifyOrder` reports the lots that came or went, or the old size when the price changes.
  /// - `setLevel` reports the difference of the sizes. It is `.invalid` where orders rest, as is an add onto an aggregated level.
  /// - A duplicate add leaves the book unchanged but stale: one of the two orders is not what the feed means.
  @inlinable public mutating func apply(_ event: borrowing MarketEvent) -> BookEffect {
    // Wrapping, both counts: 2^64 events take centuries.
    totalCount &+= 1
    return applyUncounted(event)
  }

  @inlinable @inline(__always) mutating func applyUncounted(_ event: borrowing MarketEvent) -> BookEffect {
    let effect: BookEffect
    // Adds, and all that only takes from one order, are 19 of 20 events; a branch each is foreseen better than a jump through a table.
    if event.kind == .addOrder {
      effect = add(event)
    } else if event.kind.rawValue <= MarketEventKind.deleteOrder.rawValue {
      effect = take(event)
    } else {
      effect = applyOther(event)
    }
    // In range: a status is below 8.
    if effect.status != .applied { statusCounts[Int(effect.status.rawValue & 7)] &+= 1 }
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
    guard index.locate(event.reference.value) == 0 else {
      stale[side &>> 1] = 1
      return BookEffect(.duplicateOrder, side: event.side, price: event.price, quantity: event.quantity)
    }
    let (status, rank) = rest(
      event.reference.value, price: event.price.nanos, lots: event.quantity.lots, side: side)
    return BookEffect(
      status, side: event.side, price: event.price, quantity: event.quantity, rank: rank)
  }

  /// Executions, reductions and deletions: lots of one order go, all of them for a deletion.
  @inlinable @inline(__always) mutating func take(_ event: borrowing MarketEvent) -> BookEffect {
    let isDelete = event.kind == .deleteOrder
    let quantity = event.quantity
    guard isDelete || isQuantity(quantity) else { return refused(event, .invalid) }
    let handle = index.locate(event.reference.value)
    guard isOurs(handle, event) else { return unknown(event) }
    let node = index.nodes[Int(handle)]
    let side = Int(node.side)
    let wanted = isDelete ? node.lots : quantity.lots
    let price = ladder.levels[Int(node.level)].price
    if wanted < node.lots {
      // Cannot overflow: less goes than rested.
      index.nodes[Int(handle)].lots = node.lots &- wanted
      let sum = ladder.levels[Int(node.level)].lots &- wanted
      ladder.levels[Int(node.level)].lots = sum
      let rank = resized(price, lots: sum, side: side)
      return BookEffect(
        .applied, side: Self.side(side), price: Price(nanos: price), quantity: event.quantity, rank: rank)
    }
    let rank = leave(handle, node)
    if wanted > node.lots { stale[side &>> 1] = 1 }
    return BookEffect(
      wanted > node.lots ? .overfill : .applied, side: Self.side(side), price: Price(nanos: price),
      quantity: Quantity(lots: node.lots), rank: rank)
  }

  @inlinable @inline(__always) func isOurs(_ handle: UInt32, _ event: borrowing MarketEvent) -> Bool {
    guard handle != 0 else { return false }
    return index.nodes[Int(handle)].side &>> 1 == event.instrument.index
  }

  @usableFromInline @inline(never) func unknown(_ event: borrowing MarketEvent) -> BookEffect {
    refused(event, .unknownOrder)
  }

  @usableFromInline @inline(never) func refused(_ event: borrowing MarketEvent, _ status: BookStatus) -> BookEffect {
    BookEffect(event.instrument.index < instrumentCount ? status : .unknownInstrument)
  }

  // MARK: - Orders in levels

  /// Puts a new order at the back of its level; the rank of the level in the view, or `DepthRow.outside` and more.
  @inlinable @inline(__always) mutating func rest(
    _ reference: UInt64, price: Int64, lots: Int64, side: Int
  ) -> (status: BookStatus, rank: Int) {
    guard index.liveCount < index.capacity else { return exhausted(side) }
    guard let slot = ladder.slot(of: price, side: side) else {
      return restOutside(reference, price: price, lots: lots, side: side)
    }
    ladder.countInside(side)
    let found = ladder.level(in: slot, side: side)
    // Two copies of what follows, so that whether the level is new is asked once.
    if found != 0 { return join(found, reference, price: price, lots: lots, side: side, isNew: false) }
    let level = ladder.create(price, in: slot, side: side)
    guard level != 0 else { return exhausted(side) }
    return join(level, reference, price: price, lots: lots, side: side, isNew: true)
  }

  /// Puts a new order at the back of `level`, which is empty if it is new.
  @inlinable @inline(__always) mutating func join(
    _ level: UInt32, _ reference: UInt64, price: Int64, lots: Int64, side: Int, isNew: Bool
  ) -> (status: BookStatus, rank: Int) {
    // A level with size and without orders is aggregated.
    if !isNew, ladder.levels[Int(level)].head == 0 { return (.invalid, DepthRow.outside) }
    let handle = acquire(reference)
    guard handle != 0 else {
      if isNew { ladder.remove(level, side: side) }
      return exhausted(side)
    }
    // Cannot overflow: `quantityMax` bounds the sum over all orders.
    let sum = isNew ? lots : ladder.levels[Int(level)].lots &+ lots
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
    return (.poolExhausted, DepthRow.outside)
  }

  @inlinable @inline(__always) mutating func enqueue(
    _ handle: UInt32, _ reference: UInt64, lots: Int64, level: UInt32, side: Int
  ) {
    let tail = ladder.levels[Int(level)].tail
    index.nodes[Int(handle)] = OrderNode(
      reference: reference, lots: lots, next: 0, previous: tail, level: level,
      side: UInt32(truncatingIfNeeded: side))
    // Whether there is a neighbour is as good as random: where there is none, node 0 or level 0, which nobody reads, takes the link.
    index.nodes[Int(tail)].next = handle
    ladder.levels[tail == 0 ? Int(level) : 0].head = handle
    ladder.levels[Int(level)].tail = handle
    ladder.levels[Int(level)].count &+= 1
    ladder.sides[side].orderCount &+= 1
  }

  @inlinable @inline(__always) mutating func dequeue(_ node: OrderNode) {
    // As in `enqueue`.
    index.nodes[Int(node.previous)].next = node.next
    index.nodes[Int(node.next)].previous = node.previous
    ladder.levels[node.previous == 0 ? Int(node.level) : 0].head = node.next
    ladder.levels[node.next == 0 ? Int(node.level) : 0].tail = node.previous
    ladder.levels[Int(node.level)].count &-= 1
    ladder.sides[Int(node.side)].orderCount &-= 1
  }

  /// Takes an order out of its queue and the index; the rank of its level in the view, or `DepthRow.outside` and more.
  @inlinable @inline(__always) mutating func leave(_ handle: UInt32, _ node: OrderNode) -> Int {
    let side = Int(node.side)
    dequeue(node)
    index.release(handle, node.reference)
    let price = ladder.levels[Int(node.level)].price
    // Cannot underflow: the level holds the sum of its orders.
    let sum = ladder.levels[Int(node.level)].lots &- node.lots
    ladder.levels[Int(node.level)].lots = sum
    if sum > 0 { return resized(price, lots: sum, side: side) }
    ladder.remove(node.level, side: side)
    return removed(price, side: side)
  }

  // MARK: - The view

  @inlinable @inline(__always) mutating func resized(_ price: Int64, lots: Int64, side: Int) -> Int {
    guard showsTen else { return bestResized(price, lots: lots, side: side) }
    var row = views.parts(
      DepthLevel.self, from: side &* DepthView.sideStride, count: DepthView.sideStride)
    let rank = DepthRow.rank(price, in: &row, side: side)
    DepthRow.resize(&row, rank: rank, lots: lots)
    return rank
  }

  /// Shows the level at `price`, which is new in the ladder.
  @inlinable @inline(__always) mutating func inserted(_ price: Int64, lots: Int64, side: Int) -> Int {
    guard showsTen else { return bestInserted(price, lots: lots, side: side) }
    var row = views.parts(
      DepthLevel.self, from: side &* DepthView.sideStride, count: DepthView.sideStride)
    let rank = DepthRow.rank(price, in: &row, side: side)
    DepthRow.insert(&row, rank: rank, price: price, lots: lots)
    return rank
  }

  /// Takes the level at `price`, which the ladder no longer has, out of the view.
  @inlinable @inline(__always) mutating func removed(_ price: Int64, side: Int) -> Int {
    guard showsTen else { return bestRemoved(price, side: side) }
    let start = side &* DepthView.sideStride
    let (rank, worst) = rankAndWorst(price, side: side)
    guard rank < DepthRow.outside else { return rank }
    var eleventh = DepthLevel.empty
    if worst != 0 {
      // Level 0 is what the ladder answers without one: empty.
      let next = Int(ladder.next(worseThan: worst, side: side))
      eleventh = DepthLevel(
        price: Price(nanos: ladder.levels[next].price), quantity: Quantity(lots: ladder.levels[next].lots))
    }
    var row = views.parts(DepthLevel.self, from: start, count: DepthView.sideStride)
    DepthRow.remove(&row, rank: rank, eleventh: eleventh)
    return rank
  }

  @inlinable @inline(__always) mutating func rankAndWorst(_ price: Int64, side: Int) -> (rank: Int, worst: Int64) {
    // A constant span is boxed on the heap by this compiler; a variable one is not.
    var row = views.parts(
      DepthLevel.self, from: side &* DepthView.sideStride, count: DepthView.sideStride)
    return (DepthRow.rank(price, in: &row, side: side), row[DepthRow.outside &- 1].price.nanos)
  }
}
