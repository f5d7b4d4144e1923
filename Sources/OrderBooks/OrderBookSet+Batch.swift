public import LockFreeRings
public import TradingTypes

// Many events at once. What an event touches is known a few steps before its turn, so that the memory works on several events at a
// time: of books that do not fit the caches an event then costs a fraction.
extension OrderBookSet {
  /// Events between the steps of one event: its index line, its order, its level, itself.
  @inlinable static var lookahead: Int { 6 }

  /// Applies `events` in their order, with the same effects as one `apply` each.
  ///
  /// - Parameters:
  ///   - effects: takes what each event did, at its event's place.
  /// - Precondition: there are as many places for effects as events, or more.
  /// - Complexity: as `apply`; no allocation.
  @inlinable public mutating func apply(_ events: Span<MarketEvent>, effects: inout MutableSpan<BookEffect>) {
    precondition(effects.count >= events.count, "OrderBookSet: an effect has a place for each event")
    let count = events.count
    let lead = Self.lookahead
    // Small sums: they cannot overflow.
    for place in 0..<min(3 &* lead, count) { prefetchIndex(events[place]) }
    for place in 0..<min(2 &* lead, count) { prefetchOrder(events[place]) }
    for place in 0..<min(lead, count) { prefetchLevel(events[place]) }
    for place in 0..<count {
      if place &+ 3 &* lead < count { prefetchIndex(events[place &+ 3 &* lead]) }
      if place &+ 2 &* lead < count { prefetchOrder(events[place &+ 2 &* lead]) }
      if place &+ lead < count { prefetchLevel(events[place &+ lead]) }
      effects[place] = apply(events[place])
    }
  }

  /// The first step: where the index keeps the event's order, and where its side stands.
  @inlinable @inline(__always) func prefetchIndex(_ event: borrowing MarketEvent) {
    index.directory.prefetch(masked: Int(truncatingIfNeeded: event.reference.value >> OrderIndex.pageShift))
    ladder.sides.prefetch(Self.sideIndex(event.instrument, event.side))
    guard event.kind == .replaceOrder else { return }
    index.directory.prefetch(masked: Int(truncatingIfNeeded: event.newReference.value >> OrderIndex.pageShift))
  }

  /// The second: the order itself, or where a new one will rest.
  @inlinable @inline(__always) func prefetchOrder(_ event: borrowing MarketEvent) {
    let reference = event.reference.value
    let slot = Int(truncatingIfNeeded: reference >> OrderIndex.pageShift)
    index.nodes.prefetch(Int(index.directory[masked: slot].handle(reference)))
    guard event.kind == .addOrder, event.instrument.index < instrumentCount, isPrice(event.price) else { return }
    let side = Self.sideIndex(event.instrument, event.side)
    guard let place = ladder.slot(of: event.price.nanos, side: side) else { return }
    ladder.slots.prefetch(side &<< ladder.windowShift | place)
    ladder.words.prefetch(side &<< (ladder.windowShift &- 6) | place &>> 6)
  }

  /// The third: its level, and its neighbours in the queue.
  @inlinable @inline(__always) func prefetchLevel(_ event: borrowing MarketEvent) {
    if event.kind == .addOrder {
      guard event.instrument.index < instrumentCount, isPrice(event.price) else { return }
      let side = Self.sideIndex(event.instrument, event.side)
      guard let place = ladder.slot(of: event.price.nanos, side: side) else { return }
      let level = Int(ladder.level(in: place, side: side))
      ladder.levels.prefetch(level == 0 ? Int(ladder.freeLevel) : level)
      return
    }
    let reference = event.reference.value
    let slot = Int(truncatingIfNeeded: reference >> OrderIndex.pageShift)
    let entry = index.directory[masked: slot]
    guard entry.tag == reference >> OrderIndex.pageShift, entry.isLive(reference) else { return }
    let node = index.nodes[Int(entry.handle(reference))]
    ladder.levels.prefetch(Int(node.level))
    index.nodes.prefetch(Int(node.next))
    index.nodes.prefetch(Int(node.previous))
    ladder.sides.prefetch(Int(node.side))
  }
}
