public import LockFreeRings
public import TradingTypes

// Many events at once. What an event touches is known a few steps before its turn, so that the memory works on several events at a
// time: of books that do not fit the caches an event then costs a fraction.
extension OrderBookSet {
  /// Events between the steps of one event: its index line, its order, its level, itself.
  @inlinable static var lookahead: Int { 4 }

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
    // Until its turn, an event's place among the effects holds what one step found out for the next.
    func note(_ place: Int, _ events: Span<MarketEvent>, _ effects: inout MutableSpan<BookEffect>) {
      effects[place].quantity = Quantity(lots: Int64(truncatingIfNeeded: prefetchOrder(events[place])))
    }
    // Small sums: they cannot overflow.
    for place in 0..<min(3 &* lead, count) { prefetchIndex(events[place]) }
    for place in 0..<min(2 &* lead, count) { note(place, events, &effects) }
    for place in 0..<min(lead, count) { prefetchLevel(events[place], Int(effects[place].quantity.lots)) }
    for place in 0..<count {
      if place &+ 3 &* lead < count { prefetchIndex(events[place &+ 3 &* lead]) }
      if place &+ 2 &* lead < count { note(place &+ 2 &* lead, events, &effects) }
      if place &+ lead < count {
        prefetchLevel(events[place &+ lead], Int(effects[place &+ lead].quantity.lots))
      }
      effects[place] = applyUncounted(events[place])
    }
    // Wrapping: as in `apply`.
    totalCount &+= UInt64(truncatingIfNeeded: count)
  }

  // Which kind an event is of is as good as random, and each step would have to guess it anew: all of them do the work of both, and what does
  // not apply asks for element 0, which is always near.

  /// All ones for an add of an instrument in the set, else 0.
  @inlinable @inline(__always) func addMask(_ event: borrowing MarketEvent) -> Int {
    // Bit 1 is asked for; bit 63, which no kind has, keeps the optimiser from making a comparison of it, and a branch of that.
    let isAdd = (1 &<< 63 | 1 &<< UInt64(MarketEventKind.addOrder.rawValue)) as UInt64 &>> UInt64(event.kind.rawValue)
    // Negative, that is all ones when shifted, for an instrument in the set: both are below 2^32.
    let isInside = (Int(event.instrument.index) &- Int(instrumentCount)) &>> 63
    return (0 &- Int(truncatingIfNeeded: isAdd & 1)) & isInside
  }

  /// The slot of the event's price, wherever its window stands.
  @inlinable @inline(__always) func slotIndex(_ event: borrowing MarketEvent, side: Int) -> Int {
    let key = PriceLadder.key(ladder.sides[side].grid.split(event.price.nanos).tick, side: side)
    return Int(truncatingIfNeeded: key) & (ladder.windowTicks &- 1)
  }

  /// The first step: where the index keeps the event's order, and where its side stands.
  @inlinable @inline(__always) func prefetchIndex(_ event: borrowing MarketEvent) {
    index.directory.prefetch(masked: Int(truncatingIfNeeded: event.reference.value >> OrderIndex.pageShift))
    ladder.sides.prefetch(Self.sideIndex(event.instrument, event.side))
  }

  /// The second: the order itself, or where a new one will rest. The answer is for the third step: the window's slot of a new order, else the
  /// order.
  @inlinable @inline(__always) func prefetchOrder(_ event: borrowing MarketEvent) -> Int {
    let reference = event.reference.value
    let page = Int(truncatingIfNeeded: reference >> OrderIndex.pageShift)
    let handle = Int(index.directory[masked: page].handle(reference))
    index.nodes.prefetch(handle)
    let isAdd = addMask(event)
    let side = Self.sideIndex(event.instrument, event.side) & isAdd
    let slot = side &<< ladder.windowShift | slotIndex(event, side: side) & isAdd
    ladder.slots.prefetch(slot)
    ladder.words.prefetch(slot &>> 6)
    return slot | handle & ~isAdd
  }

  /// The third: the level of the order, and its neighbours in the queue. A new order's node was not written yet.
  @inlinable @inline(__always) func prefetchLevel(_ event: borrowing MarketEvent, _ found: Int) {
    let isAdd = addMask(event)
    let handle = found & ~isAdd
    let joined = Int(ladder.slots[found & isAdd]) & isAdd
    ladder.levels.prefetch(joined | Int(index.nodes[handle].level) & ~isAdd)
    index.nodes.prefetch(Int(index.nodes[handle].next))
    index.nodes.prefetch(Int(index.nodes[handle].previous))
    ladder.sides.prefetch(Int(index.nodes[handle].side))
  }
}
