public import CPlatform

/// The writing end of a `BroadcastRing`, for one thread at a time.
@safe @frozen public struct BroadcastProducer<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline let slots: UnsafeMutablePointer<Element>
  @usableFromInline let control: BroadcastControl
  @usableFromInline let mask: UInt64
  @usableFromInline let history: UInt64
  @usableFromInline var position: UInt64
  @usableFromInline var knownGate: UInt64
  @usableFromInline var claimed = 0
  @usableFromInline let allowsParking: Bool
  // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
  @usableFromInline let owner: BroadcastRing<Element>

  @unsafe init(ring: BroadcastRing<Element>, position: UInt64) {
    unsafe slots = ring.slots
    control = ring.control
    mask = UInt64(ring.capacity - 1)
    history = UInt64(ring.history)
    self.position = position
    knownGate = position
    allowsParking = ring.allowsParking
    owner = ring
  }

  /// The ring it writes into: for joins, lags and reports, off the hot path.
  public var ring: BroadcastRing<Element> { owner }

  /// The position of the next element.
  @inlinable public var nextPosition: UInt64 { position }

  /// Free slots, looked up again only when fewer than `wanted` are known.
  @inlinable @inline(__always) mutating func freeSlots(wanted: Int) -> Int {
    // Wrapping: both counters only grow, so their difference stays right; it is at most the capacity.
    var free = Int(truncatingIfNeeded: mask &+ 1 &- (position &- knownGate))
    if free < wanted {
      // Wrapping: before `history` elements have been published the limit lies before the gate, which then stays.
      knownGate = control.refreshGate(limit: position &- history, known: knownGate)
      free = Int(truncatingIfNeeded: mask &+ 1 &- (position &- knownGate))
    }
    return free
  }

  @inlinable @inline(__always) mutating func advance(by count: Int) {
    // Wrapping: a free-running counter.
    position &+= UInt64(truncatingIfNeeded: count)
    claimed = 0
    control.publish(position)
    if allowsParking { control.wakeConsumers() }
  }

  /// Appends `element`, or answers false when a consumer holds the oldest slot.
  ///
  /// - Complexity: O(1), beside O(consumers) once a lap; no allocation, wait-free.
  @inlinable @inline(__always) public mutating func tryPush(_ element: Element) -> Bool {
    guard freeSlots(wanted: 1) > 0 else { return false }
    // In bounds: the mask keeps the index below the capacity.
    unsafe slots[Int(truncatingIfNeeded: position & mask)] = element
    advance(by: 1)
    return true
  }

  /// Up to `countMax` free slots that lie side by side, to be written in place; none when the ring is full.
  ///
  /// What a slot holds before it is written is unspecified, but valid. A later claim replaces an unpublished one.
  ///
  /// - Complexity: as `tryPush`.
  @inlinable @inline(__always) @_lifetime(&self) public mutating func claim(
    upTo countMax: Int
  ) -> MutableSpan<Element> {
    let place = Int(truncatingIfNeeded: position & mask)
    claimed = max(0, min(countMax, freeSlots(wanted: countMax), Int(mask) &+ 1 &- place))
    fetchNext(after: place &+ claimed)
    // In bounds: `place` is masked, and `claimed` ends at the capacity.
    let span = unsafe MutableSpan(_unsafeStart: slots + place, count: claimed)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  /// Fetches the lines of the next claim while this one is written: they lie in the consumers' caches since the lap before.
  @inlinable @inline(__always) func fetchNext(after end: Int) {
    let stride = MemoryLayout<Element>.stride
    // Up to as much as was claimed, at most 2 KiB, and not past the end, where somebody else's lines begin.
    let bytes = min(claimed &* stride, 2048, (Int(mask) &+ 1 &- end) &* stride)
    var offset = 0
    while offset < bytes {
      unsafe martlet_prefetch_for_writing(UnsafeRawPointer(slots + end) + offset)
      // In range: below 2 KiB.
      offset &+= 64
    }
  }

  /// Makes the first `count` claimed slots visible to all consumers, with one store.
  ///
  /// - Precondition: at most the count of the last claim.
  @inlinable @inline(__always) public mutating func publish(_ count: Int) {
    precondition(count >= 0 && count <= claimed, "BroadcastProducer: what is published was claimed")
    guard count > 0 else { return }
    advance(by: count)
  }

  /// Appends `element`, waiting for the slowest consumer; false when the deadline passed first: `ring.lags()` then names it.
  ///
  /// - Precondition: the ring allows parking if `strategy` parks.
  @inlinable public mutating func push(
    _ element: Element, waiting strategy: some WaitStrategy, until deadline: Deadline = .never
  ) -> Bool {
    guard waitForRoom(waiting: strategy, until: deadline) else { return false }
    return tryPush(element)
  }

  /// Waits until a slot is free; false when the deadline passed first: `ring.lags()` then names the slowest consumer.
  ///
  /// - Precondition: the ring allows parking if `strategy` parks.
  @inlinable public mutating func waitForRoom(
    waiting strategy: some WaitStrategy, until deadline: Deadline = .never
  ) -> Bool {
    if freeSlots(wanted: 1) > 0 { return true }
    let spot = allowsParking ? control.producerSpot : nil
    return strategy.wait(until: deadline, at: spot) { freeSlots(wanted: 1) > 0 ? () : nil } != nil
  }
}

/// A reading end of a `BroadcastRing`, for one thread at a time. It leaves the ring when it is dropped.
@safe @frozen public struct BroadcastConsumer<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline let slots: UnsafeMutablePointer<Element>
  @usableFromInline let control: BroadcastControl
  @usableFromInline let mask: UInt64
  @usableFromInline let upstream: UInt64
  @usableFromInline let place: Int
  @usableFromInline var position: UInt64
  @usableFromInline var knownBarrier: UInt64
  @usableFromInline let allowsParking: Bool
  @usableFromInline let owner: BroadcastRing<Element>
  /// Its seat, for those that follow it.
  public let seat: BroadcastRing<Element>.Seat

  init(ring: BroadcastRing<Element>, seat: BroadcastRing<Element>.Seat, upstream: UInt64, position: UInt64) {
    unsafe slots = ring.slots
    control = ring.control
    mask = UInt64(ring.capacity - 1)
    self.upstream = upstream
    place = seat.index
    self.position = position
    knownBarrier = position
    allowsParking = ring.allowsParking
    owner = ring
    self.seat = seat
  }

  deinit { owner.leave(seat) }

  /// Leaves the ring: the producer is no longer held back by it, and its followers go on without it.
  public consuming func leave() {}

  /// The position of the next element it reads.
  @inlinable public var nextPosition: UInt64 { position }

  /// Elements to read, looked up again only when fewer than `wanted` are known.
  @inlinable @inline(__always) mutating func readyElements(wanted: Int) -> Int {
    // Wrapping: both counters only grow, so their difference stays right; it is at most the capacity.
    var ready = Int(truncatingIfNeeded: knownBarrier &- position)
    if ready < wanted {
      let barrier = control.barrier(upstream: upstream)
      // A follower that begins ahead of its upstream waits until that has come up.
      if Int64(bitPattern: barrier &- knownBarrier) > 0 { knownBarrier = barrier }
      ready = Int(truncatingIfNeeded: knownBarrier &- position)
    }
    return ready
  }

  @inlinable @inline(__always) mutating func advance(by count: Int) {
    // Wrapping: a free-running counter.
    position &+= UInt64(truncatingIfNeeded: count)
    control.release(position, by: place)
    if allowsParking { control.wakeEverybody() }
  }

  /// The oldest element it has not read, or nil when there is none.
  ///
  /// - Complexity: O(upstream consumers), no allocation, wait-free.
  @inlinable @inline(__always) public mutating func tryPop() -> Element? {
    guard readyElements(wanted: 1) > 0 else { return nil }
    // In bounds: the mask keeps the index below the capacity.
    let element = unsafe slots[Int(truncatingIfNeeded: position & mask)]
    advance(by: 1)
    return element
  }

  /// Up to `countMax` of the oldest elements that lie side by side, read in place; none when there are none.
  ///
  /// They stay until `release`. All that is there is taken at once and given on at once: a late consumer catches up in one step.
  ///
  /// - Complexity: as `tryPop`.
  @inlinable @inline(__always) @_lifetime(&self) public mutating func available(
    upTo countMax: Int = .max
  ) -> Span<Element> {
    let place = Int(truncatingIfNeeded: position & mask)
    let ready = readyElements(wanted: min(countMax, Int(mask) &+ 1))
    let count = max(0, min(countMax, ready, Int(mask) &+ 1 &- place))
    // In bounds: `place` is masked, and `count` ends at the capacity.
    let span = unsafe Span(_unsafeStart: slots + place, count: count)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  /// Gives the `count` oldest elements on to the followers, or back to the producer, with one store.
  ///
  /// - Precondition: at most the count of the last `available`.
  @inlinable @inline(__always) public mutating func release(_ count: Int) {
    // Wrapping: the difference of two counters, at most the capacity.
    precondition(
      count >= 0 && UInt64(truncatingIfNeeded: count) <= knownBarrier &- position,
      "BroadcastConsumer: what is released was available")
    guard count > 0 else { return }
    advance(by: count)
  }

  /// The oldest element, waiting for one; nil when the deadline passed first.
  ///
  /// - Precondition: the ring allows parking if `strategy` parks.
  @inlinable public mutating func pop(
    waiting strategy: some WaitStrategy, until deadline: Deadline = .never
  ) -> Element? {
    guard waitForElement(waiting: strategy, until: deadline) else { return nil }
    return tryPop()
  }

  /// Waits until an element is there; false when the deadline passed first.
  ///
  /// - Precondition: the ring allows parking if `strategy` parks.
  @inlinable public mutating func waitForElement(
    waiting strategy: some WaitStrategy, until deadline: Deadline = .never
  ) -> Bool {
    if readyElements(wanted: 1) > 0 { return true }
    let spot = allowsParking ? control.seatSpot(place) : nil
    return strategy.wait(until: deadline, at: spot) { readyElements(wanted: 1) > 0 ? () : nil } != nil
  }
}

extension BroadcastProducer: @unchecked Sendable where Element: Sendable {}
extension BroadcastConsumer: @unchecked Sendable where Element: Sendable {}
