internal import LockFreeRings
public import TradingTypes

// The events that change an order or a level in more than one step.
extension OrderBookSet {
  /// All kinds of events but those `apply` does itself.
  @usableFromInline @inline(never) mutating func applyOther(_ event: borrowing MarketEvent) -> BookEffect {
    switch event.kind {
    case .replaceOrder: replace(event)
    case .modifyOrder: modify(event)
    case .setLevel: setLevel(event)
    case .clearBook: clearBook(event)
    default: BookEffect(.ignored)
    }
  }

  mutating func replace(_ event: borrowing MarketEvent) -> BookEffect {
    let handle = index.find(event.reference.value)
    guard isOurs(handle, event) else { return unknown(event) }
    let (quantity, price) = (event.quantity, event.price)
    let (old, new) = (event.reference, event.newReference)
    var refusal = BookStatus.applied
    if !isQuantity(quantity) || !isPrice(price) {
      refusal = .invalid
    } else if new != old, index.find(new.value) != 0 {
      refusal = .duplicateOrder
    }
    return change(
      handle, to: event.newReference.value, price: event.price.nanos, lots: event.quantity.lots, refusal: refusal)
  }

  mutating func modify(_ event: borrowing MarketEvent) -> BookEffect {
    guard isQuantity(event.quantity), isPrice(event.price) else { return refused(event, .invalid) }
    let handle = index.find(event.reference.value)
    guard isOurs(handle, event) else { return unknown(event) }
    let node = index.nodes[Int(handle)]
    let price = ladder.levels[Int(node.level)].price
    guard event.price.nanos == price else {
      return change(
        handle, to: node.reference, price: event.price.nanos, lots: event.quantity.lots, refusal: .applied)
    }
    // Exact: both sizes are positive.
    let change = event.quantity.lots - node.lots
    if change > 0, !event.flags.contains(.keepsPlace) {
      dequeue(node)
      enqueue(handle, node.reference, lots: event.quantity.lots, level: node.level, side: Int(node.side))
    } else {
      index.nodes[Int(handle)].lots = event.quantity.lots
    }
    ladder.levels[Int(node.level)].lots += change
    let rank =
      change == 0 ? DepthRow.outside : resized(price, lots: ladder.levels[Int(node.level)].lots, side: Int(node.side))
    return BookEffect(
      .applied, side: Self.side(Int(node.side)), price: Price(nanos: price),
      quantity: Quantity(lots: abs(change)), bestChanged: rank == 0, depthChanged: rank < DepthRow.outside)
  }

  /// The order `handle` leaves, and an order `reference` rests at the back of `price` unless there is a `refusal`.
  ///
  /// The flags are the net of both. At one price that is one change of the level's size. At two prices a change of either level within the
  /// ten is a net change, because the old level ends up smaller or gone and the new one larger or there: neither can cancel the other.
  mutating func change(
    _ handle: UInt32, to reference: UInt64, price: Int64, lots: Int64, refusal: BookStatus
  ) -> BookEffect {
    let node = index.nodes[Int(handle)]
    let side = Int(node.side)
    let oldPrice = ladder.levels[Int(node.level)].price
    var effect = BookEffect(
      refusal, side: Self.side(side), price: Price(nanos: oldPrice), quantity: Quantity(lots: node.lots))
    if refusal == .applied, price == oldPrice {
      dequeue(node)
      index.release(handle, node.reference)
      let new = acquire(reference)
      if new != 0 {
        enqueue(new, reference, lots: lots, level: node.level, side: side)
        ladder.levels[Int(node.level)].lots += lots - node.lots
        let rank =
          lots == node.lots ? DepthRow.outside : resized(price, lots: ladder.levels[Int(node.level)].lots, side: side)
        effect.bestChanged = rank == 0
        effect.depthChanged = rank < DepthRow.outside
        return effect
      }
      // No room for a sparse reference: the old order has left its queue already, so its level follows.
      ladder.levels[Int(node.level)].lots -= node.lots
      let rank = shrunk(node.level, side: side)
      effect.status = exhausted(side).status
      effect.bestChanged = rank == 0
      effect.depthChanged = rank < DepthRow.outside
      brokenReplaces += 1
      return effect
    }
    let oldRank = leave(handle, node)
    var newRank = DepthRow.outside
    if refusal == .applied {
      (effect.status, newRank) = rest(reference, price: price, lots: lots, side: side)
    }
    if effect.status != .applied {
      stale[side >> 1] = 1
      brokenReplaces += 1
    }
    effect.bestChanged = oldRank == 0 || newRank == 0
    effect.depthChanged = oldRank < DepthRow.outside || newRank < DepthRow.outside
    return effect
  }

  /// `rest` at a price that the window of its side does not hold.
  @usableFromInline @inline(never) mutating func restOutside(
    _ reference: UInt64, price: Int64, lots: Int64, side: Int
  ) -> (status: BookStatus, rank: Int) {
    let level = ladder.findOrCreateOutside(price, side: side)
    guard level != 0 else { return exhausted(side) }
    let isNew = ladder.levels[Int(level)].lots == 0
    return join(level, reference, price: price, lots: lots, side: side, isNew: isNew)
  }

  /// A node in a new page where references are dense, making room for that page if need be; else in the table.
  @usableFromInline @inline(never) mutating func acquireElsewhere(_ reference: UInt64) -> UInt32 {
    if index.isDense(reference >> OrderIndex.pageShift) {
      if let slot = index.slotToEvacuate(for: reference) { evacuate(slot) }
      let handle = index.acquirePage(reference)
      if handle != 0 { return handle }
    }
    return index.acquireSparse(reference)
  }

  /// Moves the orders of a page to sparse nodes, in their queues' places, and frees the page.
  mutating func evacuate(_ slot: Int) {
    let entry = index.directory[slot]
    for offset in 0..<UInt64(OrderIndex.pageOrders) where entry.isLive(offset) {
      let node = index.nodes[Int(entry.handle(offset))]
      let new = index.acquireSparse(node.reference)
      index.nodes[Int(new)] = node
      if node.previous == 0 {
        ladder.levels[Int(node.level)].head = new
      } else {
        index.nodes[Int(node.previous)].next = new
      }
      if node.next == 0 {
        ladder.levels[Int(node.level)].tail = new
      } else {
        index.nodes[Int(node.next)].previous = new
      }
    }
    index.directory[slot].low = 0
    index.directory[slot].high = 0
    index.releasePage(slot)
    index.evacuationCount += 1
  }

  /// Shows a level's smaller size, or removes it when nothing is left.
  mutating func shrunk(_ level: UInt32, side: Int) -> Int {
    let price = ladder.levels[Int(level)].price
    let lots = ladder.levels[Int(level)].lots
    if lots > 0 { return resized(price, lots: lots, side: side) }
    ladder.remove(level, side: side)
    return removed(price, side: side)
  }

  mutating func setLevel(_ event: borrowing MarketEvent) -> BookEffect {
    guard event.instrument.index < instrumentCount else { return BookEffect(.unknownInstrument) }
    let side = Self.sideIndex(event.instrument, event.side)
    let price = event.price.nanos
    let lots = event.quantity.lots
    var effect = BookEffect(.invalid, side: event.side, price: event.price, quantity: event.quantity)
    let quantity = event.quantity
    guard lots == 0 || isQuantity(quantity), isPrice(event.price) else { return effect }
    effect.status = .applied
    effect.quantity = .zero
    if lots == 0, ladder.find(price, side: side) == 0 { return effect }
    let level = ladder.findOrCreate(price, side: side)
    guard level != 0 else {
      effect.status = exhausted(side).status
      effect.quantity = event.quantity
      return effect
    }
    guard ladder.levels[Int(level)].count == 0 else {
      effect.status = .invalid
      effect.quantity = event.quantity
      return effect
    }
    let old = ladder.levels[Int(level)].lots
    ladder.levels[Int(level)].lots = lots
    let rank: Int
    if old == lots {
      rank = DepthRow.outside
    } else if old == 0 {
      rank = inserted(price, lots: lots, side: side)
    } else {
      rank = shrunk(level, side: side)
    }
    effect.quantity = Quantity(lots: abs(lots - old))
    effect.bestChanged = rank == 0
    effect.depthChanged = rank < DepthRow.outside
    return effect
  }

  mutating func clearBook(_ event: borrowing MarketEvent) -> BookEffect {
    guard event.instrument.index < instrumentCount else { return BookEffect(.unknownInstrument) }
    let first = Self.sideIndex(event.instrument, .buy)
    let hadLevels = ladder.sides[first].levelCount + ladder.sides[first + 1].levelCount > 0
    for side in first...first + 1 {
      while true {
        let level = ladder.next(worseThan: PriceLadder.bestLimit(side: side), side: side)
        if level == 0 { break }
        var handle = ladder.levels[Int(level)].head
        while handle != 0 {
          let node = index.nodes[Int(handle)]
          index.release(handle, node.reference)
          handle = node.next
        }
        ladder.remove(level, side: side)
      }
      ladder.sides[side].orderCount = 0
    }
    // Empty is what the feed says it is.
    stale[first >> 1] = 0
    views[first >> 1] = DepthView()
    for side in first...first + 1 { ladder.sides[side].bestKey = LadderSide.noKey }
    return BookEffect(.applied, bestChanged: hadLevels, depthChanged: hadLevels)
  }
}
