public import CPlatform
public import Synchronization

/// A bounded queue from one thread to one other, made for many elements: batches are written and read in place.
///
/// Two free-running 64-bit counters, each alone on a line, and contiguous slots. A batch costs one release store, however long:
///
///     var slots = producer.claim(upTo: 32)        // a writable view of free slots
///     slots[0] = event
///     producer.publish(1)
///
///     var count = 0
///     do {                                        // a read view holds its consumer to the end of the scope
///       let events = consumer.available(upTo: 512)
///       count = events.count
///     }
///     consumer.release(count)
///
/// A reader does well to take at most a sixteenth of the capacity at a time, so that slots come back while the writer still has
/// others. Where elements come and go one by one, `LatencyRing` is several times faster: here both sides would tear at one counter.
///
/// The ring hands out one `Producer` and one `Consumer`; they keep the arena alive, the ring itself may go.
///
/// - Source: counters, claim and publish as in the LMAX disruptor (Thompson et al. 2011), reduced to one producer and one consumer.
@safe public struct ThroughputRing<Element: BitwiseCopyable>: ~Copyable {
  /// Elements the ring holds.
  public let capacity: Int
  let slots: UnsafeMutablePointer<Element>
  let control: RingControl
  private let position: UInt64
  private let allowsParking: Bool
  let arena: Arena
  private var hasGivenProducer = false
  private var hasGivenConsumer = false

  /// A ring of `capacity` slots in `arena`.
  ///
  /// - Parameters:
  ///   - capacity: a power of two up to `ringCapacityMax`.
  ///   - value: what a claimed slot holds before it is first written.
  ///   - allowsParking: whether a side may wait with `ParkWait`; each publish and release then costs a full fence more.
  /// - Throws: `RingError` for a wrong capacity or a full arena.
  public init(
    capacity: Int, repeating value: Element, allowsParking: Bool = false, in arena: Arena
  ) throws(RingError) {
    try self.init(
      capacity: capacity, repeating: value, allowsParking: allowsParking, startingAt: 0, in: arena)
  }

  /// The same with the counters at `position`, for tests of their wrap.
  @_spi(Testing) public init(
    capacity: Int, repeating value: Element, allowsParking: Bool = false, startingAt position: UInt64, in arena: Arena
  ) throws(RingError) {
    let bytes = try validatedRingBytes(capacity: capacity, stride: MemoryLayout<Element>.stride)
    let control = try RingControl(position: position, in: arena)
    let memory = unsafe try ringMemory(
      byteCount: bytes, alignment: max(4096, MemoryLayout<Element>.alignment), in: arena)
    let slots = unsafe memory.bindMemory(to: Element.self, capacity: capacity)
    unsafe slots.initialize(repeating: value, count: capacity)
    self.capacity = capacity
    unsafe self.slots = slots
    self.control = control
    self.position = position
    self.allowsParking = allowsParking
    self.arena = arena
  }

  /// The writing end.
  ///
  /// - Precondition: taken once.
  public mutating func takeProducer() -> Producer {
    precondition(!hasGivenProducer, "ThroughputRing: the producer is taken once")
    hasGivenProducer = true
    return unsafe Producer(
      slots: slots, control: control, mask: UInt64(capacity - 1), position: position, allowsParking: allowsParking,
      owner: arena)
  }

  /// The reading end.
  ///
  /// - Precondition: taken once.
  public mutating func takeConsumer() -> Consumer {
    precondition(!hasGivenConsumer, "ThroughputRing: the consumer is taken once")
    hasGivenConsumer = true
    return unsafe Consumer(
      slots: slots, control: control, mask: UInt64(capacity - 1), position: position, allowsParking: allowsParking,
      owner: arena)
  }
}

extension ThroughputRing.Producer: @unchecked Sendable where Element: Sendable {}
extension ThroughputRing.Consumer: @unchecked Sendable where Element: Sendable {}

extension ThroughputRing {
  /// The writing end of a `ThroughputRing`, for one thread at a time.
  @safe @frozen public struct Producer: ~Copyable {
    @usableFromInline let slots: UnsafeMutablePointer<Element>
    @usableFromInline let control: RingControl
    @usableFromInline let mask: UInt64
    @usableFromInline var position: UInt64
    @usableFromInline var knownConsumed: UInt64
    @usableFromInline var claimed = 0
    @usableFromInline let allowsParking: Bool
    // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
    @usableFromInline let owner: Arena

    @unsafe init(
      slots: UnsafeMutablePointer<Element>, control: RingControl, mask: UInt64, position: UInt64, allowsParking: Bool,
      owner: Arena
    ) {
      unsafe self.slots = slots
      self.control = control
      self.mask = mask
      self.position = position
      knownConsumed = position
      self.allowsParking = allowsParking
      self.owner = owner
    }

    /// Elements the ring holds.
    @inlinable public var capacity: Int { Int(mask) + 1 }

    /// Free slots, looked up again only when fewer than `wanted` are known.
    @inlinable @inline(__always) mutating func freeSlots(wanted: Int) -> Int {
      // Wrapping: both counters only grow, so their difference stays right; it is at most the capacity.
      var free = Int(truncatingIfNeeded: mask &+ 1 &- (position &- knownConsumed))
      if free < wanted {
        // Acquire, paired with the release in `release`: the slots were read before we write them again.
        unsafe knownConsumed = control.consumed.pointee.load(ordering: .acquiring)
        free = Int(truncatingIfNeeded: mask &+ 1 &- (position &- knownConsumed))
      }
      return free
    }

    @inlinable @inline(__always) mutating func advance(by count: Int) {
      // Wrapping: a free-running counter.
      position &+= UInt64(truncatingIfNeeded: count)
      claimed = 0
      // Release, paired with the acquire in `available`: the elements are written before they are seen.
      unsafe control.published.pointee.store(position, ordering: .releasing)
      if allowsParking { control.consumerSpot.wakeIfParked() }
    }

    /// Appends `element`, or answers false when the ring is full.
    ///
    /// - Complexity: O(1), no allocation, wait-free.
    @inlinable @inline(__always) public mutating func tryPush(_ element: Element) -> Bool {
      guard freeSlots(wanted: 1) > 0 else { return false }
      // In bounds: the mask keeps the index below the capacity.
      unsafe slots[Int(truncatingIfNeeded: position & mask)] = element
      advance(by: 1)
      return true
    }

    /// Up to `countMax` free slots that lie side by side, to be written in place; none when the ring is full.
    ///
    /// What a slot holds before it is written is unspecified, but valid. At the end of the ring's memory a claim is shorter than what
    /// is free; the next claim goes on at the start. A later claim replaces an unpublished one.
    ///
    /// - Complexity: O(1), no allocation, wait-free.
    @inlinable @inline(__always) @_lifetime(&self) public mutating func claim(upTo countMax: Int) -> MutableSpan<
      Element
    > {
      let place = Int(truncatingIfNeeded: position & mask)
      claimed = max(0, min(countMax, freeSlots(wanted: countMax), capacity &- place))
      fetchNext(after: place &+ claimed)
      // In bounds: `place` is masked, and `claimed` ends at the capacity.
      let span = unsafe MutableSpan(_unsafeStart: slots + place, count: claimed)
      return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// Fetches the lines of the next claim while this one is written: they lie in the consumer's cache since the lap before.
    @inlinable @inline(__always) func fetchNext(after end: Int) {
      let stride = MemoryLayout<Element>.stride
      // Up to as much as was claimed, at most 2 KiB, and not past the end, where somebody else's lines begin.
      let bytes = min(claimed &* stride, 2048, (capacity &- end) &* stride)
      var offset = 0
      while offset < bytes {
        unsafe martlet_prefetch_for_writing(UnsafeRawPointer(slots + end) + offset)
        // In range: below 2 KiB.
        offset &+= 64
      }
    }

    /// Makes the first `count` claimed slots visible to the consumer, with one store.
    ///
    /// - Precondition: at most the count of the last claim.
    @inlinable @inline(__always) public mutating func publish(_ count: Int) {
      precondition(count >= 0 && count <= claimed, "ThroughputRing: what is published was claimed")
      guard count > 0 else { return }
      advance(by: count)
    }

    /// Claims exactly `count` slots, over the end of the ring's memory if need be, or none of them.
    ///
    /// Written by `write(_:atClaimed:)`, made visible by `publish(count)`: how a record of several elements goes in whole.
    @inlinable @inline(__always) public mutating func tryClaim(_ count: Int) -> Bool {
      guard count >= 0, count <= freeSlots(wanted: count) else {
        claimed = 0
        return false
      }
      claimed = count
      return true
    }

    /// Writes the claimed slot `index`, counted from the first one claimed.
    ///
    /// - Precondition: `0 <= index`, below the count of the last claim.
    @inlinable @inline(__always) public mutating func write(_ element: Element, atClaimed index: Int) {
      precondition(
        UInt(bitPattern: index) < UInt(bitPattern: claimed), "ThroughputRing: what is written was claimed")
      // In bounds: masked. Wrapping: a free-running counter.
      unsafe slots[Int(truncatingIfNeeded: (position &+ UInt64(truncatingIfNeeded: index)) & mask)] = element
    }

    /// Appends the first elements of `elements` that find room, in order; how many.
    @inlinable public mutating func pushPrefix(of elements: Span<Element>) -> Int {
      let count = min(elements.count, freeSlots(wanted: elements.count))
      guard count > 0 else { return 0 }
      for index in 0..<count {
        // In bounds: masked. Wrapping: a free-running counter.
        unsafe slots[Int(truncatingIfNeeded: (position &+ UInt64(truncatingIfNeeded: index)) & mask)] = elements[index]
      }
      advance(by: count)
      return count
    }

    /// Appends `element`, waiting for room; false when the deadline passed first.
    ///
    /// - Precondition: the ring allows parking if `strategy` parks.
    @inlinable public mutating func push(
      _ element: Element, waiting strategy: some WaitStrategy, until deadline: Deadline = .never
    ) -> Bool {
      if tryPush(element) { return true }
      let spot = allowsParking ? control.producerSpot : nil
      return strategy.wait(until: deadline, at: spot) { tryPush(element) ? () : nil } != nil
    }
  }

  /// The reading end of a `ThroughputRing`, for one thread at a time.
  @safe @frozen public struct Consumer: ~Copyable {
    @usableFromInline let slots: UnsafeMutablePointer<Element>
    @usableFromInline let control: RingControl
    @usableFromInline let mask: UInt64
    @usableFromInline var position: UInt64
    @usableFromInline var knownPublished: UInt64
    @usableFromInline let allowsParking: Bool
    // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
    @usableFromInline let owner: Arena

    @unsafe init(
      slots: UnsafeMutablePointer<Element>, control: RingControl, mask: UInt64, position: UInt64, allowsParking: Bool,
      owner: Arena
    ) {
      unsafe self.slots = slots
      self.control = control
      self.mask = mask
      self.position = position
      knownPublished = position
      self.allowsParking = allowsParking
      self.owner = owner
    }

    /// Elements the ring holds.
    @inlinable public var capacity: Int { Int(mask) + 1 }

    /// Elements to read, looked up again only when fewer than `wanted` are known.
    @inlinable @inline(__always) mutating func readyElements(wanted: Int) -> Int {
      // Wrapping: both counters only grow, so their difference stays right; it is at most the capacity.
      var ready = Int(truncatingIfNeeded: knownPublished &- position)
      if ready < wanted {
        // Acquire, paired with the release in `advance`: the elements are complete before they are read.
        unsafe knownPublished = control.published.pointee.load(ordering: .acquiring)
        ready = Int(truncatingIfNeeded: knownPublished &- position)
      }
      return ready
    }

    /// The oldest element, or nil when there is none.
    ///
    /// - Complexity: O(1), no allocation, wait-free.
    @inlinable @inline(__always) public mutating func tryPop() -> Element? {
      guard readyElements(wanted: 1) > 0 else { return nil }
      // In bounds: the mask keeps the index below the capacity.
      let element = unsafe slots[Int(truncatingIfNeeded: position & mask)]
      advance(by: 1)
      return element
    }

    @inlinable @inline(__always) mutating func advance(by count: Int) {
      // Wrapping: a free-running counter.
      position &+= UInt64(truncatingIfNeeded: count)
      // Release, paired with the acquire in `freeSlots`: the slots were read before they are written again.
      unsafe control.consumed.pointee.store(position, ordering: .releasing)
      if allowsParking { control.producerSpot.wakeIfParked() }
    }

    /// Up to `countMax` of the oldest elements that lie side by side, read in place; none when the ring is empty.
    ///
    /// They stay until `release`. At the end of the ring's memory the view is shorter than what is there; after its release the next
    /// view goes on at the start.
    ///
    /// - Complexity: O(1), no allocation, wait-free.
    @inlinable @inline(__always) @_lifetime(&self) public mutating func available(upTo countMax: Int = .max) -> Span<
      Element
    > {
      let place = Int(truncatingIfNeeded: position & mask)
      let ready = readyElements(wanted: min(countMax, capacity))
      let count = max(0, min(countMax, ready, capacity &- place))
      // In bounds: `place` is masked, and `count` ends at the capacity.
      let span = unsafe Span(_unsafeStart: slots + place, count: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// Elements to read, at least `wanted` of them if they are there.
    @inlinable public mutating func availableCount(wanted: Int = 1) -> Int { readyElements(wanted: wanted) }

    /// The element `index` places after the oldest one, over the end of the ring's memory if need be.
    ///
    /// - Precondition: `0 <= index`, below the last `availableCount`.
    @inlinable @inline(__always) public func element(at index: Int) -> Element {
      // Wrapping: the difference of two counters, at most the capacity.
      precondition(
        index >= 0 && UInt64(truncatingIfNeeded: index) < knownPublished &- position,
        "ThroughputRing: what is read is available")
      // In bounds: masked. Wrapping: a free-running counter.
      return unsafe slots[Int(truncatingIfNeeded: (position &+ UInt64(truncatingIfNeeded: index)) & mask)]
    }

    /// Gives the slots of the `count` oldest elements back to the producer, with one store.
    ///
    /// - Precondition: at most the count of the last `available`.
    @inlinable @inline(__always) public mutating func release(_ count: Int) {
      // Wrapping: the difference of two counters, at most the capacity.
      precondition(
        count >= 0 && UInt64(truncatingIfNeeded: count) <= knownPublished &- position,
        "ThroughputRing: what is released was available")
      guard count > 0 else { return }
      advance(by: count)
    }

    /// Moves elements into `batch` while there are some and it has room; how many.
    @inlinable public mutating func popAvailable(into batch: inout FixedBatch<Element>) -> Int {
      let count = min(batch.freeCapacity, readyElements(wanted: batch.freeCapacity))
      guard count > 0 else { return 0 }
      for index in 0..<count {
        // In bounds: masked. Wrapping: a free-running counter.
        unsafe batch.append(slots[Int(truncatingIfNeeded: (position &+ UInt64(truncatingIfNeeded: index)) & mask)])
      }
      advance(by: count)
      return count
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
      let spot = allowsParking ? control.consumerSpot : nil
      return strategy.wait(until: deadline, at: spot) { readyElements(wanted: 1) > 0 ? () : nil } != nil
    }
  }
}
