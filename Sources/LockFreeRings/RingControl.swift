public import CPlatform
public import Synchronization

/// Why a ring was not made.
public enum RingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The capacity is zero, negative or not a power of two.
  case capacityIsNotPowerOfTwo(Int)
  /// The capacity is above `ringCapacityMax`, or its size in bytes does not fit an `Int`.
  case capacityIsTooLarge(Int)
  /// A ring of bytes is too small for a record.
  case capacityIsTooSmall(Int, least: Int)
  /// More history is asked for than a ring can keep beside the room to write.
  case historyExceedsCapacity(history: Int, capacity: Int)
  /// There are no producers, or as many as slots.
  case producersExceedCapacity(producers: Int, capacity: Int)
  /// The arena has no room for the slots.
  case arena(ArenaError)

  /// One line for a report.
  public var description: String {
    switch self {
    case .capacityIsNotPowerOfTwo(let capacity): "Ring: the capacity is a power of two, not \(capacity)"
    case .capacityIsTooLarge(let capacity): "Ring: the capacity is at most \(ringCapacityMax), not \(capacity)"
    case .capacityIsTooSmall(let capacity, let least): "Ring: the capacity is at least \(least), not \(capacity)"
    case .historyExceedsCapacity(let history, let capacity):
      "Ring: the history is 0 to \(capacity - 1) elements, not \(history)"
    case .producersExceedCapacity(let producers, let capacity):
      "Ring: the producers are at least 1 and fewer than the \(capacity) slots, not \(producers)"
    case .arena(let error): error.description
    }
  }
}

/// Slots a ring can have.
public let ringCapacityMax = 1 << 30

/// The size in bytes of `capacity` slots of `stride` bytes, once the capacity is known to be right.
func validatedRingBytes(capacity: Int, stride: Int) throws(RingError) -> Int {
  guard capacity > 0, capacity & (capacity - 1) == 0 else { throw .capacityIsNotPowerOfTwo(capacity) }
  guard capacity <= ringCapacityMax else { throw .capacityIsTooLarge(capacity) }
  let (bytes, overflow) = capacity.multipliedReportingOverflow(by: stride)
  guard !overflow else { throw .capacityIsTooLarge(capacity) }
  return bytes
}

/// Memory of `arena` for a ring.
@unsafe func ringMemory(
  byteCount: Int, alignment: Int, in arena: Arena
) throws(RingError) -> UnsafeMutableRawPointer {
  do throws(ArenaError) {
    return unsafe try arena.reserve(byteCount: byteCount, alignment: alignment)
  } catch {
    throw .arena(error)
  }
}

/// The words that both sides of a ring touch, each alone on a line.
///
///     +0    published position  (written by the producer; the latency ring has it in its slots)
///     +128  consumed position   (written by the consumer)
///     +256  the consumer sleeps
///     +384  the producer sleeps
///
/// 128 bytes apart, not 64: the prefetcher of the neighbouring line would couple two 64-byte lines.
@safe @frozen @usableFromInline struct RingControl: @unchecked Sendable {
  @usableFromInline let published: UnsafeMutablePointer<Atomic<UInt64>>
  @usableFromInline let consumed: UnsafeMutablePointer<Atomic<UInt64>>
  @usableFromInline let consumerSpot: ParkingSpot
  @usableFromInline let producerSpot: ParkingSpot

  /// Four lines of `arena`, both positions at `position`.
  init(position: UInt64, in arena: Arena) throws(RingError) {
    let memory = unsafe try ringMemory(byteCount: 512, alignment: 128, in: arena)
    unsafe published = memory.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
    unsafe consumed = (memory + 128).bindMemory(to: Atomic<UInt64>.self, capacity: 1)
    unsafe published.initialize(to: Atomic(position))
    unsafe consumed.initialize(to: Atomic(position))
    consumerSpot = unsafe ParkingSpot(memory: memory + 256)
    producerSpot = unsafe ParkingSpot(memory: memory + 384)
  }
}

/// Where one thread can sleep until another one wakes it.
///
/// The sleeper announces itself, then looks once more, then sleeps; the waker publishes, then looks for a sleeper. A full fence on
/// both sides between the two steps means that at least one of them sees the other, so no wake-up is lost.
@safe @frozen @usableFromInline struct ParkingSpot: @unchecked Sendable {
  @usableFromInline let isParked: UnsafeMutablePointer<Atomic<UInt32>>

  @unsafe init(memory: UnsafeMutableRawPointer) {
    unsafe isParked = memory.bindMemory(to: Atomic<UInt32>.self, capacity: 1)
    unsafe isParked.initialize(to: Atomic(0))
  }

  /// A spot that was made before.
  @unsafe @inlinable init(existing memory: UnsafeMutableRawPointer) {
    unsafe isParked = memory.assumingMemoryBound(to: Atomic<UInt32>.self)
  }

  /// The sleeper's first step. It looks once more afterwards.
  @usableFromInline func announce() {
    // Sequentially consistent, with the fence of `wakeIfParked`: see the type.
    unsafe isParked.pointee.store(1, ordering: .sequentiallyConsistent)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
  }

  /// The sleeper's last step: sleeps unless a waker has been here since `announce`.
  @usableFromInline func park(until deadline: Deadline) {
    // The word is 32 bits and stays for the life of the arena; the kernel compares it again before the sleep.
    _ = unsafe martlet_park(
      UnsafeMutableRawPointer(isParked).assumingMemoryBound(to: UInt32.self), 1, deadline.monotonicNanoseconds)
    withdraw()
  }

  /// The sleeper found something after all.
  @usableFromInline func withdraw() {
    // Relaxed: a waker that still sees 1 makes one needless system call.
    unsafe isParked.pointee.store(0, ordering: .relaxed)
  }

  /// The waker's step, after it has published.
  @inlinable func wakeIfParked() {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    wakeIfAnnounced()
  }

  /// The waker's step where the fence has been made already, for several spots.
  @inlinable func wakeIfAnnounced() {
    // Relaxed: the fence orders it after what was published.
    if unsafe isParked.pointee.load(ordering: .relaxed) != 0 { wake() }
  }

  @usableFromInline func wake() {
    // Clearing first makes a sleeper that has announced itself and not slept yet come straight back.
    if unsafe isParked.pointee.exchange(0, ordering: .sequentiallyConsistent) != 0 {
      unsafe martlet_unpark(UnsafeMutableRawPointer(isParked).assumingMemoryBound(to: UInt32.self))
    }
  }
}

extension WaitStrategy {
  /// Repeats `attempt` until it gives something; nil when the deadline passed first.
  ///
  /// - Parameters:
  ///   - spot: where to sleep; nil where this side cannot.
  ///   - attempt: looks, and takes what it finds.
  /// - Precondition: there is a spot if the strategy parks.
  @inlinable @inline(__always) func wait<Result>(
    until deadline: Deadline, at spot: ParkingSpot?, _ attempt: () -> Result?
  ) -> Result? {
    var count = 0
    while true {
      let step = step(attempt: count)
      switch step {
      case .spin: martlet_spin_pause()
      case .yield: martlet_yield()
      case .park:
        guard let spot else { preconditionFailure("Ring: a side parks where the ring allows parking") }
        spot.announce()
        if let result = attempt() {
          spot.withdraw()
          return result
        }
        spot.park(until: deadline)
      }
      if let result = attempt() { return result }
      // The clock costs as much as several looks, so a spinning wait reads it now and then.
      if count & 63 == 63 || step != .spin, deadline.hasPassed { return nil }
      // Wrapping at the top would restart the spin phase after centuries.
      count &+= 1
    }
  }
}
