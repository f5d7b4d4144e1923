internal import Synchronization

/// Why a consumer could not join a broadcast ring.
public enum BroadcastError: Error, Hashable, Sendable, CustomStringConvertible {
  /// All seats are taken, or still named by the dependants of one that left.
  case noSeat(consumersMax: Int)
  /// A consumer it should follow is not there.
  case unknownUpstream
  /// What it asked to read again has been given free for writing.
  case overwritten(asked: UInt64, oldest: UInt64)
  /// It asked to begin after what has been published.
  case notPublished(asked: UInt64, published: UInt64)

  /// One line for a report.
  public var description: String {
    switch self {
    case .noSeat(let consumersMax): "BroadcastRing: all \(consumersMax) seats are taken"
    case .unknownUpstream: "BroadcastRing: the consumer to follow has left or belongs to another ring"
    case .overwritten(let asked, let oldest):
      "BroadcastRing: position \(asked) may be overwritten, the oldest that can be read is \(oldest)"
    case .notPublished(let asked, let published):
      "BroadcastRing: position \(asked) is asked for, \(published) is the next to be published"
    }
  }
}

/// Where a joining consumer begins.
public enum BroadcastStart: Hashable, Sendable {
  /// With the next element that is published.
  case next
  /// With the oldest element that can still be read.
  case oldest
  /// With the element at a position.
  case position(UInt64)
}

/// A bounded log from one producer to many consumers, each of which reads every element, in place and in order.
///
/// A consumer may follow others (a chain, a diamond): it sees an element only when all of those have released it. Consumers join and leave
/// while the producer runs. The producer is held back by the slowest consumer and never by one that left.
///
///     published ─┬─► prices ──► risk          `risk` follows `prices`
///                └─► journal
///
/// What the producer may overwrite ends at the *gate*: the smallest position of any consumer when the producer last looked, and at
/// least `history` elements behind its own position. Everything from the gate on can be read again by one who joins.
///
/// Joining against a running producer is Dekker's handshake: the joiner enters its seat, fences, then reads the gate; the producer stores the
/// gate, fences, then looks whether the membership changed, and computes the gate anew if so. One of them sees the other. So a joiner
/// that finds the gate at or below its position is never overtaken, and one that finds it above begins later or is refused.
///
/// The ring is shared; its `Producer` and `Consumer`s are move-only, for one thread at a time each. They keep the ring alive.
///
/// - Source: claim, publish and gating sequences as in the LMAX disruptor (Thompson et al. 2011). Differs: consumers join and leave by seats.
@safe public final class BroadcastRing<Element: BitwiseCopyable>: @unchecked Sendable {
  /// A consumer's place, named by those that follow it.
  public struct Seat: Hashable, Sendable {
    let index: Int
    let number: UInt64
  }

  /// How far a consumer has come.
  public struct Lag: Hashable, Sendable {
    /// The name it joined under.
    public var name: String
    /// The position it reads next.
    public var position: UInt64
    /// Elements that are published and not yet released by it.
    public var count: UInt64
  }

  struct Member {
    var name: String
    var number: UInt64
    var upstream: UInt64
  }

  struct Members {
    var seated: [Member?]
    var joinCount: UInt64 = 0
    var hasGivenProducer = false
  }

  /// Elements the ring holds.
  public let capacity: Int
  /// Elements behind the producer that stay readable for those who join later.
  public let history: Int
  /// Seats for consumers.
  public let consumersMax: Int

  let slots: UnsafeMutablePointer<Element>
  let control: BroadcastControl
  private let position: UInt64
  let allowsParking: Bool
  private let arena: Arena
  // Taken by those who join, leave or look, never by a producer or consumer at work.
  let members: Mutex<Members>

  /// A ring of `capacity` slots in `arena`.
  ///
  /// - Parameters:
  ///   - capacity: a power of two up to `ringCapacityMax`.
  ///   - value: what a claimed slot holds before it is first written.
  ///   - history: elements kept behind the producer for replay, fewer than `capacity`; they are room the producer does not have.
  ///   - consumersMax: seats, 1 to 64.
  ///   - allowsParking: whether a side may wait with `ParkWait`; each publish and release then costs a full fence more.
  /// - Throws: `RingError` for a wrong capacity or a full arena.
  /// - Precondition: `consumersMax` is 1 to 64.
  public convenience init(
    capacity: Int, repeating value: Element, history: Int = 0, consumersMax: Int = 8, allowsParking: Bool = false,
    in arena: Arena
  ) throws(RingError) {
    try self.init(
      capacity: capacity, repeating: value, history: history, consumersMax: consumersMax, allowsParking: allowsParking,
      startingAt: 0, in: arena)
  }

  /// The same with the counters at `position`, for tests of their wrap.
  @_spi(Testing) public init(
    capacity: Int, repeating value: Element, history: Int = 0, consumersMax: Int = 8, allowsParking: Bool = false,
    startingAt position: UInt64, in arena: Arena
  ) throws(RingError) {
    precondition((1...64).contains(consumersMax), "BroadcastRing: the seats are 1 to 64")
    let bytes = try validatedRingBytes(capacity: capacity, stride: MemoryLayout<Element>.stride)
    guard history >= 0, history < capacity else { throw .historyExceedsCapacity(history: history, capacity: capacity) }
    let control = try BroadcastControl(position: position, seats: consumersMax, in: arena)
    let memory = unsafe try ringMemory(
      byteCount: bytes, alignment: max(4096, MemoryLayout<Element>.alignment), in: arena)
    let slots = unsafe memory.bindMemory(to: Element.self, capacity: capacity)
    unsafe slots.initialize(repeating: value, count: capacity)
    self.capacity = capacity
    self.history = history
    self.consumersMax = consumersMax
    unsafe self.slots = slots
    self.control = control
    self.position = position
    self.allowsParking = allowsParking
    self.arena = arena
    members = Mutex(Members(seated: [Member?](repeating: nil, count: consumersMax)))
  }

  /// The writing end.
  ///
  /// - Precondition: taken once.
  public func takeProducer() -> BroadcastProducer<Element> {
    members.withLock {
      precondition(!$0.hasGivenProducer, "BroadcastRing: the producer is taken once")
      $0.hasGivenProducer = true
    }
    return unsafe BroadcastProducer(ring: self, position: position)
  }

  /// A reading end under `name`, from now on gating the producer until it is dropped or `leave`s. Any thread may call, while the ring is in use.
  ///
  /// - Parameters:
  ///   - name: for reports.
  ///   - start: where it begins.
  ///   - upstream: consumers it follows, and with them those that they follow. When one leaves, its followers go on without it.
  /// - Throws: `BroadcastError`; nothing has changed then.
  public func join(
    _ name: String, from start: BroadcastStart = .next, after upstream: [Seat] = []
  ) throws(BroadcastError) -> BroadcastConsumer<Element> {
    let (seat, mask, position) = try members.withLock { members throws(BroadcastError) in
      var mask: UInt64 = 0
      for seat in upstream {
        guard seat.index < consumersMax, let member = members.seated[seat.index], member.number == seat.number else {
          throw .unknownUpstream
        }
        mask |= 1 << UInt64(seat.index) | member.upstream
      }
      // A seat that a follower still names would make the newcomer its upstream.
      let named = members.seated.reduce(UInt64(0)) { $0 | ($1?.upstream ?? 0) }
      guard
        let index = members.seated.indices.first(where: {
          members.seated[$0] == nil && (named | mask) & (1 << UInt64($0)) == 0
        })
      else { throw .noSeat(consumersMax: consumersMax) }
      let position = try enter(index, from: start)
      members.joinCount += 1
      members.seated[index] = Member(name: name, number: members.joinCount, upstream: mask)
      return (Seat(index: index, number: members.joinCount), mask, position)
    }
    return BroadcastConsumer(ring: self, seat: seat, upstream: mask, position: position)
  }

  /// The joiner's half of the handshake: the position it begins at.
  private func enter(_ index: Int, from start: BroadcastStart) throws(BroadcastError) -> UInt64 {
    var position: UInt64
    switch start {
    case .next: position = control.loadPublished()
    case .oldest: position = control.loadGate()
    case .position(let asked):
      let published = control.loadPublished()
      // Wrapping: counters compare by the sign of their difference.
      guard Int64(bitPattern: published &- asked) >= 0 else {
        throw .notPublished(asked: asked, published: published)
      }
      position = asked
      // Refused before it holds anybody up, which is what mostly happens to one who comes back too late.
      let gate = control.loadGate()
      guard Int64(bitPattern: asked &- gate) >= 0 else { throw .overwritten(asked: asked, oldest: gate) }
    }
    while true {
      control.enter(index, at: position)
      let gate = control.loadGate()
      // Wrapping: as above.
      if Int64(bitPattern: position &- gate) >= 0 { return position }
      // A seat below the gate leaves a producer that looks without room: one that went to sleep over it must look again.
      defer { if allowsParking { control.wakeEverybody() } }
      switch start {
      // The producer went on before it saw the seat; from now on it is held at this position or a later one.
      case .next: position = control.loadPublished()
      case .oldest: position = gate
      case .position(let asked):
        control.leave(index)
        throw .overwritten(asked: asked, oldest: gate)
      }
    }
  }

  /// Takes a consumer's seat away: its position holds nobody back any longer. That position, or nil where the seat was taken away before.
  @discardableResult func leave(_ seat: Seat) -> UInt64? {
    let position: UInt64? = members.withLock { members in
      guard members.seated[seat.index]?.number == seat.number else { return nil }
      members.seated[seat.index] = nil
      let position = control.loadPosition(of: seat.index)
      control.leave(seat.index)
      return position
    }
    if allowsParking { control.wakeEverybody() }
    return position
  }

  /// Takes the seat of a consumer whose thread is known to be dead.
  ///
  /// A thread that still reads would see elements change under it: never evict one that is only slow.
  /// - Returns: the position it would have read next, or nil where it had left.
  @discardableResult public func evictDead(_ seat: Seat) -> UInt64? { leave(seat) }

  /// Whether the consumer still has its seat.
  public func isSeated(_ seat: Seat) -> Bool {
    members.withLock { $0.seated[seat.index]?.number == seat.number }
  }

  /// How far each consumer has come, slowest first. Any thread; off the hot path.
  public func lags() -> [Lag] {
    members.withLock { members in
      let published = control.loadPublished()
      return members.seated.enumerated().compactMap { index, member in
        guard let member else { return nil }
        let position = control.loadPosition(of: index)
        // Wrapping: a difference of counters; a consumer may have gone past the value of `published` read here.
        let count = Int64(bitPattern: published &- position)
        return Lag(name: member.name, position: position, count: UInt64(max(0, count)))
      }.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }
  }

  /// Elements published so far: the position of the next one. Any thread.
  public var published: UInt64 { control.loadPublished() }

  /// The oldest position that one who joins now can read. Any thread.
  public var oldest: UInt64 { control.loadGate() }
}
