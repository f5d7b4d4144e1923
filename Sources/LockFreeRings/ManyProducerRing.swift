public import Synchronization

/// A bounded queue from several threads to one: one fetch-and-add claims a slot, the slot's own sequence publishes it.
///
/// No producer waits for another and none retries, however many push at once. Between producers order is that of the claims; the elements of
/// one producer stay in its order.
///
/// A claim cannot be taken back, so a producer looks for room first and refuses while fewer than `producersMax` slots are free. Every claim
/// then finds its slot free. Proof: call positions from `consumed + capacity - producersMax` on late. A producer that claims a late one
/// looked before any other late claim of its own, for after one of these its look would have refused. So there are at most `producersMax`
/// late claims, and none reaches `consumed + capacity`.
///
/// A producer that is stopped between claim and publication (microseconds apart, but the system may stop a thread anywhere) holds back the
/// elements after its own until it goes on; `RingWatch` shows that as a reader without progress.
///
/// - Source: the slot sequence is Vyukov's bounded queue; fetch-and-add claims as in Nikolaev 2019, arXiv:1908.04511. Differs: room is
///   looked for first, which needs the number of producers and saves the retry.
@safe public struct ManyProducerRing<Element: BitwiseCopyable>: ~Copyable {
  /// Slots of the ring; at least `capacity - producersMax` elements fit.
  public let capacity: Int
  /// Producers that can be taken.
  public let producersMax: Int
  let slots: UnsafeMutableRawPointer
  let control: RingControl
  private let position: UInt64
  private let allowsParking: Bool
  let arena: Arena
  private var producersGiven = 0
  private var hasGivenConsumer = false

  /// A ring of `capacity` slots in `arena`.
  ///
  /// - Parameters:
  ///   - capacity: a power of two, more than `producersMax` and at most `ringCapacityMax`.
  ///   - producersMax: threads that may push, at least 1.
  ///   - allowsParking: whether the consumer may wait with `ParkWait`; each push then costs a full fence more.
  /// - Throws: `RingError` for a wrong capacity or a full arena.
  public init(
    capacity: Int, producersMax: Int, allowsParking: Bool = false, in arena: Arena
  ) throws(RingError) {
    try self.init(
      capacity: capacity, producersMax: producersMax, allowsParking: allowsParking, startingAt: 0, in: arena)
  }

  /// The same with the counters at `position`, for tests of their wrap.
  @_spi(Testing) public init(
    capacity: Int, producersMax: Int, allowsParking: Bool = false, startingAt position: UInt64, in arena: Arena
  ) throws(RingError) {
    let bytes = try validatedRingBytes(capacity: capacity, stride: Self.slotStride)
    guard producersMax > 0, producersMax < capacity else {
      throw .producersExceedCapacity(producers: producersMax, capacity: capacity)
    }
    let control = try RingControl(position: position, in: arena)
    let slots = unsafe try ringMemory(
      byteCount: bytes, alignment: max(4096, MemoryLayout<Element>.alignment), in: arena)
    for offset in 0..<UInt64(capacity) {
      // Wrapping: positions are free-running counters. A slot that was never written carries the sequence of the lap before.
      let place = position &+ offset
      let slot = unsafe slots + Self.offset(of: place, mask: UInt64(capacity - 1))
      let sequence = unsafe slot.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
      unsafe sequence.initialize(to: Atomic(place &+ 1 &- UInt64(capacity)))
    }
    self.capacity = capacity
    self.producersMax = producersMax
    unsafe self.slots = slots
    self.control = control
    self.position = position
    self.allowsParking = allowsParking
    self.arena = arena
  }

  /// Where the element lies in its slot.
  @inlinable static var elementOffset: Int { max(8, MemoryLayout<Element>.alignment) }

  /// Bytes from slot to slot: the least power of two that holds one, and whole lines beyond a line.
  @inlinable static var slotStride: Int {
    let size = elementOffset + MemoryLayout<Element>.size
    if size <= 16 { return 16 }
    if size <= 32 { return 32 }
    let unit = max(64, MemoryLayout<Element>.alignment)
    return (size + unit - 1) / unit * unit
  }

  /// Where the slot of `position` begins.
  ///
  /// Neighbouring positions belong to different producers, so where slots share a line they are dealt out over four lines: positions 0, 1, 2, 3
  /// go to lines 0, 1, 2, 3, positions 4 to 7 to the second slots of the same lines, and so on.
  @inlinable @inline(__always) static func offset(of position: UInt64, mask: UInt64) -> Int {
    var index = position & mask
    if slotStride < 64, mask >= 15 {
      index = (index & ~15) | ((index & 3) << 2) | ((index >> 2) & 3)
    }
    // In bounds: the low four bits change places below the mask.
    return Int(truncatingIfNeeded: index) &* slotStride
  }

  /// A writing end, for one thread.
  ///
  /// - Precondition: taken at most `producersMax` times.
  public mutating func takeProducer() -> Producer {
    precondition(producersGiven < producersMax, "ManyProducerRing: at most \(producersMax) producers are taken")
    producersGiven += 1
    return unsafe Producer(
      slots: slots, control: control, mask: UInt64(capacity - 1), slack: UInt64(producersMax), position: position,
      allowsParking: allowsParking, owner: arena)
  }

  /// The reading end.
  ///
  /// - Precondition: taken once.
  public mutating func takeConsumer() -> Consumer {
    precondition(!hasGivenConsumer, "ManyProducerRing: the consumer is taken once")
    hasGivenConsumer = true
    return unsafe Consumer(
      slots: slots, control: control, mask: UInt64(capacity - 1), position: position, allowsParking: allowsParking,
      interval: UInt64(max(1, min(32, (capacity - producersMax) / 4))), owner: arena)
  }
}

extension ManyProducerRing.Producer: @unchecked Sendable where Element: Sendable {}
extension ManyProducerRing.Consumer: @unchecked Sendable where Element: Sendable {}

extension ManyProducerRing {
  /// A writing end of a `ManyProducerRing`, for one thread at a time.
  @safe @frozen public struct Producer: ~Copyable {
    @usableFromInline let slots: UnsafeMutableRawPointer
    @usableFromInline let control: RingControl
    @usableFromInline let mask: UInt64
    @usableFromInline let slack: UInt64
    @usableFromInline var knownConsumed: UInt64
    @usableFromInline let allowsParking: Bool
    // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
    @usableFromInline let owner: Arena

    @unsafe init(
      slots: UnsafeMutableRawPointer, control: RingControl, mask: UInt64, slack: UInt64, position: UInt64,
      allowsParking: Bool, owner: Arena
    ) {
      unsafe self.slots = slots
      self.control = control
      self.mask = mask
      self.slack = slack
      knownConsumed = position
      self.allowsParking = allowsParking
      self.owner = owner
    }

    /// Slots of the ring.
    @inlinable public var capacity: Int { Int(mask) + 1 }

    /// Whether a claim of `count` slots is sure to find them free, whatever the other producers do meanwhile.
    @inlinable @inline(__always) mutating func hasRoom(for count: UInt64) -> Bool {
      // Relaxed: it must be no older than this thread's own last claim, which coherence gives; the slack covers what others claim since.
      let claimed = unsafe control.published.pointee.load(ordering: .relaxed)
      let end = claimed &+ count &+ slack &- 1
      // Wrapping, and signed: counters compare by the sign of their difference, and while this thread was held up between two loads
      // the reader may have gone past what was claimed when it looked.
      guard Int64(bitPattern: end &- knownConsumed) > Int64(bitPattern: mask &+ 1) else { return true }
      // Acquire, paired with the release in `publishConsumed`: the slot was read before we write it again.
      unsafe knownConsumed = control.consumed.pointee.load(ordering: .acquiring)
      return Int64(bitPattern: end &- knownConsumed) <= Int64(bitPattern: mask &+ 1)
    }

    /// Appends `element`, or answers false when fewer slots are known to be free than there are producers.
    ///
    /// - Complexity: O(1), no allocation, wait-free.
    @inlinable @inline(__always) public mutating func tryPush(_ element: Element) -> Bool {
      guard hasRoom(for: 1) else { return false }
      // The slot is free, by the argument of the type. That the reader is done with it may be known to another producer only, whose claim
      // went before: acquire and release on the counter hand that knowledge on.
      let position = unsafe control.published.pointee.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
      write(element, at: position)
      if allowsParking { control.consumerSpot.wakeIfParked() }
      return true
    }

    @inlinable @inline(__always) func write(_ element: Element, at position: UInt64) {
      // In bounds: see `offset(of:mask:)`.
      let slot = unsafe slots + ManyProducerRing.offset(of: position, mask: mask)
      unsafe (slot + ManyProducerRing.elementOffset).storeBytes(of: element, as: Element.self)
      // Release, paired with the acquire in `tryPop`: the element is written before it is seen. Wrapping: a free-running counter.
      unsafe slot.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.store(position &+ 1, ordering: .releasing)
    }

    /// Appends `element`, waiting for room; false when the deadline passed first. Nothing is claimed while it waits.
    ///
    /// - Precondition: `strategy` spins or yields: a full ring is drained by one thread, which would have many to wake.
    @inlinable public mutating func push(
      _ element: Element, waiting strategy: some WaitStrategy, until deadline: Deadline = .never
    ) -> Bool {
      if tryPush(element) { return true }
      return strategy.wait(until: deadline, at: nil) { tryPush(element) ? () : nil } != nil
    }
  }

  /// The reading end of a `ManyProducerRing`, for one thread at a time.
  @safe @frozen public struct Consumer: ~Copyable {
    @usableFromInline let slots: UnsafeMutableRawPointer
    @usableFromInline let control: RingControl
    @usableFromInline let mask: UInt64
    @usableFromInline var position: UInt64
    @usableFromInline var publishedPosition: UInt64
    @usableFromInline let interval: UInt64
    @usableFromInline let allowsParking: Bool
    // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
    @usableFromInline let owner: Arena

    @unsafe init(
      slots: UnsafeMutableRawPointer, control: RingControl, mask: UInt64, position: UInt64, allowsParking: Bool,
      interval: UInt64, owner: Arena
    ) {
      unsafe self.slots = slots
      self.control = control
      self.mask = mask
      self.position = position
      publishedPosition = position
      self.interval = interval
      self.allowsParking = allowsParking
      self.owner = owner
    }

    /// Slots of the ring.
    @inlinable public var capacity: Int { Int(mask) + 1 }

    @inlinable @inline(__always) mutating func publishConsumed() {
      guard position != publishedPosition else { return }
      publishedPosition = position
      // Release, paired with the acquire in `hasRoom`: the slots were read before they are written again.
      unsafe control.consumed.pointee.store(position, ordering: .releasing)
    }

    /// Whether an element is there. Looking in vain publishes the reader's position.
    @inlinable @inline(__always) mutating func hasElement() -> Bool {
      // In bounds: see `offset(of:mask:)`.
      let slot = unsafe slots + ManyProducerRing.offset(of: position, mask: mask)
      // Acquire, paired with the release in `write`: the element is complete before it is read.
      let sequence = unsafe slot.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .acquiring)
      // Wrapping: a free-running counter.
      if sequence == position &+ 1 { return true }
      publishConsumed()
      return false
    }

    /// The oldest element, or nil when there is none, or when the producer that claimed it first has not written it yet.
    ///
    /// - Complexity: O(1), no allocation, wait-free.
    @inlinable @inline(__always) public mutating func tryPop() -> Element? {
      guard hasElement() else { return nil }
      let slot = unsafe slots + ManyProducerRing.offset(of: position, mask: mask)
      let element = unsafe (slot + ManyProducerRing.elementOffset).load(as: Element.self)
      // Wrapping: free-running counters, the difference stays right.
      position &+= 1
      if position &- publishedPosition >= interval { publishConsumed() }
      return element
    }

    /// Moves elements into `batch` while there are some and it has room; how many.
    @inlinable public mutating func popAvailable(into batch: inout FixedBatch<Element>) -> Int {
      var count = 0
      while batch.freeCapacity > 0, let element = tryPop() {
        batch.append(element)
        // In range: at most the capacity of the batch.
        count &+= 1
      }
      return count
    }

    /// The oldest element, waiting for one; nil when the deadline passed first.
    ///
    /// - Precondition: the ring allows parking if `strategy` parks.
    @inlinable public mutating func pop(
      waiting strategy: some WaitStrategy, until deadline: Deadline = .never
    ) -> Element? {
      if let element = tryPop() { return element }
      let spot = allowsParking ? control.consumerSpot : nil
      return strategy.wait(until: deadline, at: spot) { tryPop() }
    }
  }
}
