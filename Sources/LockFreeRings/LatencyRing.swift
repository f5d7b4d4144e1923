public import Synchronization

/// A bounded queue from one thread to one other, made for the shortest way of a single element.
///
/// Each slot carries its own sequence, so an element and the news of it move in one cache line:
///
///     slot (16, 32 or 64 bytes, or whole lines for large elements)
///     +0  sequence: position + 1 of the element it holds
///     +8  the element
///
/// Small slots share a line: a ring of words then lies in the first-level cache, and a reader that has fallen behind fetches
/// four elements at a time. It is also the ring for one-by-one traffic at speed, where `ThroughputRing` shines with batches.
///
/// The reader's position is published every 32 elements or when it finds nothing, so the producer's line is not disturbed for each
/// element. A refused push therefore means: no slot is free *that the producer can know of*; up to 31 slots (at most a quarter of
/// the capacity) become free with the reader's next look.
///
/// The ring hands out one `Producer` and one `Consumer`; they keep the arena alive, the ring itself may go.
///
/// - Source: the slot sequence is Vyukov's bounded queue, reduced to one producer and one consumer.
@safe public struct LatencyRing<Element: BitwiseCopyable>: ~Copyable {
  /// Elements the ring holds.
  public let capacity: Int
  let slots: UnsafeMutableRawPointer
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
  ///   - allowsParking: whether a side may wait with `ParkWait`; each push and published read then costs a full fence more.
  /// - Throws: `RingError` for a wrong capacity or a full arena.
  public init(capacity: Int, allowsParking: Bool = false, in arena: Arena) throws(RingError) {
    try self.init(capacity: capacity, allowsParking: allowsParking, startingAt: 0, in: arena)
  }

  /// The same with the counters at `position`, for tests of their wrap.
  @_spi(Testing) public init(
    capacity: Int, allowsParking: Bool = false, startingAt position: UInt64, in arena: Arena
  ) throws(RingError) {
    let bytes = try validatedRingBytes(capacity: capacity, stride: Self.slotStride)
    let control = try RingControl(position: position, in: arena)
    let slots = unsafe try ringMemory(
      byteCount: bytes, alignment: max(4096, MemoryLayout<Element>.alignment), in: arena)
    for offset in 0..<UInt64(capacity) {
      // Wrapping: positions are free-running counters. A slot that was never written carries the sequence of the lap before.
      let place = position &+ offset
      let slot = unsafe slots + Int(truncatingIfNeeded: place & UInt64(capacity - 1)) * Self.slotStride
      let sequence = unsafe slot.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
      unsafe sequence.initialize(to: Atomic(place &+ 1 &- UInt64(capacity)))
    }
    self.capacity = capacity
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

  /// The writing end.
  ///
  /// - Precondition: taken once.
  public mutating func takeProducer() -> Producer {
    precondition(!hasGivenProducer, "LatencyRing: the producer is taken once")
    hasGivenProducer = true
    return unsafe Producer(
      slots: slots, control: control, mask: UInt64(capacity - 1), position: position, allowsParking: allowsParking,
      owner: arena)
  }

  /// The reading end.
  ///
  /// - Precondition: taken once.
  public mutating func takeConsumer() -> Consumer {
    precondition(!hasGivenConsumer, "LatencyRing: the consumer is taken once")
    hasGivenConsumer = true
    return unsafe Consumer(
      slots: slots, control: control, mask: UInt64(capacity - 1), position: position, allowsParking: allowsParking,
      interval: UInt64(max(1, min(32, capacity / 4))), owner: arena)
  }
}

extension LatencyRing.Producer: @unchecked Sendable where Element: Sendable {}
extension LatencyRing.Consumer: @unchecked Sendable where Element: Sendable {}

extension LatencyRing {
  /// The writing end of a `LatencyRing`, for one thread at a time.
  @safe @frozen public struct Producer: ~Copyable {
    @usableFromInline let slots: UnsafeMutableRawPointer
    @usableFromInline let control: RingControl
    @usableFromInline let mask: UInt64
    @usableFromInline var position: UInt64
    @usableFromInline var knownConsumed: UInt64
    @usableFromInline let allowsParking: Bool
    // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
    @usableFromInline let owner: Arena

    @unsafe init(
      slots: UnsafeMutableRawPointer, control: RingControl, mask: UInt64, position: UInt64, allowsParking: Bool,
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

    @inlinable @inline(__always) mutating func hasRoom() -> Bool {
      // Wrapping: both counters only grow, so their difference stays right.
      guard position &- knownConsumed > mask else { return true }
      // Acquire, paired with the release in `publishConsumed`: the slot was read before we write it again.
      unsafe knownConsumed = control.consumed.pointee.load(ordering: .acquiring)
      return position &- knownConsumed <= mask
    }

    @inlinable @inline(__always) mutating func write(_ element: Element) {
      // In bounds: the mask keeps the index below the capacity.
      let slot = unsafe slots + Int(truncatingIfNeeded: position & mask) &* LatencyRing.slotStride
      unsafe (slot + LatencyRing.elementOffset).storeBytes(of: element, as: Element.self)
      // Wrapping: a free-running counter.
      position &+= 1
      // Release, paired with the acquire in `tryPop`: the element is written before it is seen.
      unsafe slot.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.store(position, ordering: .releasing)
    }

    /// Appends `element`, or answers false when no slot is known to be free.
    ///
    /// - Complexity: O(1), no allocation, wait-free.
    @inlinable @inline(__always) public mutating func tryPush(_ element: Element) -> Bool {
      guard hasRoom() else { return false }
      write(element)
      if allowsParking { control.consumerSpot.wakeIfParked() }
      return true
    }

    /// Appends the first elements of `elements` that find room, in order; how many.
    @inlinable public mutating func pushPrefix(of elements: Span<Element>) -> Int {
      var count = 0
      while count < elements.count, hasRoom() {
        write(elements[count])
        // In range: below the count.
        count &+= 1
      }
      if allowsParking, count > 0 { control.consumerSpot.wakeIfParked() }
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

    /// The planted fault: `tryPush` without its release. Only for the test that must catch it.
    @_spi(Testing) @inlinable public mutating func tryPushWithoutRelease(_ element: Element) -> Bool {
      guard hasRoom() else { return false }
      let slot = unsafe slots + Int(truncatingIfNeeded: position & mask) &* LatencyRing.slotStride
      unsafe (slot + LatencyRing.elementOffset).storeBytes(of: element, as: Element.self)
      position &+= 1
      unsafe slot.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.store(position, ordering: .relaxed)
      return true
    }
  }

  /// The reading end of a `LatencyRing`, for one thread at a time.
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

    /// Elements the ring holds.
    @inlinable public var capacity: Int { Int(mask) + 1 }

    @inlinable @inline(__always) mutating func publishConsumed() {
      guard position != publishedPosition else { return }
      publishedPosition = position
      // Release, paired with the acquire in `hasRoom`: the slots were read before they are written again.
      unsafe control.consumed.pointee.store(position, ordering: .releasing)
      if allowsParking { control.producerSpot.wakeIfParked() }
    }

    /// Whether an element is there. Looking in vain publishes the reader's position.
    @inlinable @inline(__always) mutating func hasElement() -> Bool {
      // In bounds: the mask keeps the index below the capacity.
      let slot = unsafe slots + Int(truncatingIfNeeded: position & mask) &* LatencyRing.slotStride
      // Acquire, paired with the release in `write`: the element is complete before it is read.
      let sequence = unsafe slot.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .acquiring)
      // Wrapping: a free-running counter.
      if sequence == position &+ 1 { return true }
      publishConsumed()
      return false
    }

    /// The oldest element, or nil when there is none.
    ///
    /// - Complexity: O(1), no allocation, wait-free.
    @inlinable @inline(__always) public mutating func tryPop() -> Element? {
      guard hasElement() else { return nil }
      let slot = unsafe slots + Int(truncatingIfNeeded: position & mask) &* LatencyRing.slotStride
      let element = unsafe (slot + LatencyRing.elementOffset).load(as: Element.self)
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
