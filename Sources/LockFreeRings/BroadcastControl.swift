public import Synchronization

/// The words that producer and consumers of a broadcast ring share, each alone on a line.
///
///     +0    published position     (written by the producer)
///     +128  gate                   (written by the producer, when it looks at the consumers)
///     +256  seats taken, a bit each (written by those who join and leave)
///     +384  membership changes     (written by those who join and leave)
///     +512  the producer sleeps
///     +640  seat 0: position, then 128 bytes further: its consumer sleeps; then seat 1 …
@safe @frozen @usableFromInline struct BroadcastControl {
  @usableFromInline let lines: UnsafeMutableRawPointer
  @usableFromInline let producerSpot: ParkingSpot
  @usableFromInline let seatCount: Int

  init(position: UInt64, seats: Int, in arena: Arena) throws(RingError) {
    let lines = unsafe try ringMemory(byteCount: 640 + seats * 256, alignment: 128, in: arena)
    for offset in stride(from: 0, to: 512, by: 128) {
      let start: UInt64 = offset < 256 ? position : 0
      unsafe (lines + offset).bindMemory(to: Atomic<UInt64>.self, capacity: 1).initialize(to: Atomic(start))
    }
    for seat in 0..<seats {
      let line = unsafe lines + 640 + seat * 256
      unsafe line.bindMemory(to: Atomic<UInt64>.self, capacity: 1).initialize(to: Atomic(position))
      _ = unsafe ParkingSpot(memory: line + 128)
    }
    unsafe self.lines = lines
    producerSpot = unsafe ParkingSpot(memory: lines + 512)
    seatCount = seats
  }

  @inlinable @inline(__always) func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    // In bounds: the offsets of the picture.
    unsafe (lines + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  @inlinable @inline(__always) func seatPosition(_ seat: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    unsafe word(640 &+ seat &* 256)
  }

  @inlinable func seatSpot(_ seat: Int) -> ParkingSpot {
    // In bounds: as above.
    unsafe ParkingSpot(existing: lines + 640 + seat * 256 + 128)
  }

  // MARK: - The producer's side

  /// Makes everything before `position` visible.
  @inlinable @inline(__always) func publish(_ position: UInt64) {
    // Release, paired with the acquire in `barrier`: the elements are written before they are seen.
    unsafe word(0).pointee.store(position, ordering: .releasing)
  }

  /// The position up to which all consumers have released, at most `limit` and at least `known`, the gate in use.
  ///
  /// The producer's half of the handshake: see `BroadcastRing`. A gate is stored before it is used, so one that a newcomer lies below can be taken
  /// back; those who saw it in between only began later than they had to.
  @inlinable func refreshGate(limit: UInt64, known: UInt64) -> UInt64 {
    while true {
      // Acquire: the seats read below belong to this membership or a later one.
      let membership = unsafe word(384).pointee.load(ordering: .acquiring)
      var gate = limit
      var seats = unsafe word(256).pointee.load(ordering: .acquiring)
      while seats != 0 {
        // Acquire, paired with the release in `release`: the slots were read before they are written again.
        let position = unsafe seatPosition(seats.trailingZeroBitCount).pointee.load(ordering: .acquiring)
        // Wrapping: counters compare by the sign of their difference.
        if Int64(bitPattern: position &- gate) < 0 { gate = position }
        seats &= seats &- 1
      }
      // A seat below the gate in use is that of a joiner who will find out and begin later.
      if Int64(bitPattern: gate &- known) < 0 { gate = known }
      // Relaxed: only this thread writes it.
      if unsafe word(128).pointee.load(ordering: .relaxed) == gate { return gate }
      // Release, paired with the acquire in `loadGate`.
      unsafe word(128).pointee.store(gate, ordering: .releasing)
      // Sequentially consistent, with the fence of `enter`: either the joiner sees this gate, or its membership is seen here.
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      if unsafe word(384).pointee.load(ordering: .acquiring) == membership { return gate }
    }
  }

  // MARK: - The consumers' side

  /// The position up to which a consumer with these upstream seats may read.
  @inlinable @inline(__always) func barrier(upstream: UInt64) -> UInt64 {
    // Acquire, paired with the release in `publish`.
    let published = unsafe word(0).pointee.load(ordering: .acquiring)
    guard upstream != 0 else { return published }
    var barrier = published
    // Acquire: whoever left before this look had released what it read.
    var seats = unsafe word(256).pointee.load(ordering: .acquiring) & upstream
    while seats != 0 {
      // Acquire, paired with the release in `release`: what upstream did with the elements is done.
      let position = unsafe seatPosition(seats.trailingZeroBitCount).pointee.load(ordering: .acquiring)
      // Wrapping: counters compare by the sign of their difference.
      if Int64(bitPattern: position &- barrier) < 0 { barrier = position }
      seats &= seats &- 1
    }
    return barrier
  }

  /// Gives everything before `position` back, and on to the followers of `seat`.
  @inlinable @inline(__always) func release(_ position: UInt64, by seat: Int) {
    // Release, paired with the acquires in `refreshGate` and `barrier`.
    unsafe seatPosition(seat).pointee.store(position, ordering: .releasing)
  }

  // MARK: - Joining and leaving, under the lock of the ring

  func enter(_ seat: Int, at position: UInt64) {
    unsafe seatPosition(seat).pointee.store(position, ordering: .releasing)
    // Release: whoever sees the seat sees its position; whoever sees the membership sees the seat.
    _ = unsafe word(256).pointee.bitwiseOr(1 << UInt64(seat), ordering: .acquiringAndReleasing)
    _ = unsafe word(384).pointee.wrappingAdd(1, ordering: .acquiringAndReleasing)
    // Sequentially consistent, with the fence of `refreshGate`.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
  }

  func leave(_ seat: Int) {
    _ = unsafe word(256).pointee.bitwiseAnd(~(1 << UInt64(seat)), ordering: .acquiringAndReleasing)
    _ = unsafe word(384).pointee.wrappingAdd(1, ordering: .acquiringAndReleasing)
  }

  func loadPublished() -> UInt64 { unsafe word(0).pointee.load(ordering: .acquiring) }
  // Acquire: what was published before the gate was stored is seen with it.
  func loadGate() -> UInt64 { unsafe word(128).pointee.load(ordering: .acquiring) }
  func loadPosition(of seat: Int) -> UInt64 { unsafe seatPosition(seat).pointee.load(ordering: .relaxed) }

  // MARK: - Sleepers

  /// Wakes the consumers that sleep, after something was published or released.
  @inlinable func wakeConsumers() {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    // Relaxed: a seat that is taken after this look finds what was published when it looks itself.
    var seats = unsafe word(256).pointee.load(ordering: .relaxed)
    while seats != 0 {
      seatSpot(seats.trailingZeroBitCount).wakeIfAnnounced()
      seats &= seats &- 1
    }
  }

  /// Wakes everybody who sleeps, after a release or a leave.
  @inlinable func wakeEverybody() {
    wakeConsumers()
    producerSpot.wakeIfAnnounced()
  }
}
