public import LockFreeRings
internal import Synchronization
public import TradingTypes

/// An event on its way over a bus, with what is known of every event.
@frozen public struct BusRecord<Event: BitwiseCopyable>: BitwiseCopyable {
  /// Event time.
  public var time: Timestamp
  /// Sequence of the market event that caused it; with the session's source it is the trace id.
  public var causeSequence: UInt64
  /// What happened.
  public var event: Event

  /// A record of `event`.
  @inlinable public init(_ event: Event, at time: Timestamp, causeSequence: UInt64) {
    self.time = time
    self.causeSequence = causeSequence
    self.event = event
  }
}

extension BusRecord: Sendable where Event: Sendable {}

/// What a group's handler made of an event.
public enum EventOutcome: Hashable, Sendable {
  /// Done with it.
  case done
  /// Not now: it is offered again, a bounded number of times.
  case retry(reason: String)
  /// Never: it goes to the dead letters at once.
  case reject(reason: String)
}

/// An event that a group could not handle.
public struct DeadLetter<Event: BitwiseCopyable>: Sendable where Event: Sendable {
  /// The group that gave up.
  public var group: String
  /// Its position on the bus.
  public var position: UInt64
  /// The event, its time and its cause.
  public var record: BusRecord<Event>
  /// What the handler said last.
  public var reason: String
  /// How often it was offered.
  public var tries: Int
}

/// The in-process event bus: typed events in one order, read by every consumer group at its own pace.
///
/// A broadcast ring with names. One thread publishes (several publish through a `ManyProducerRing` that it drains); every group sees every
/// event, in order, with one reader a group. A group may follow others: it sees an event after they have handled it. A group that
/// comes back goes on where it left, or replays from a position that the ring still holds. A handler that fails is asked again a
/// bounded number of times, then the event becomes a dead letter and the group goes on.
///
/// `Event` is the host's own type, best an enum of plain values; 48 bytes and the record fills one line.
public final class EventBus<Event: BitwiseCopyable & Sendable>: Sendable {
  private struct State {
    var left: [String: UInt64] = [:]
    var watch = RingWatch()
    var letters: [DeadLetter<Event>] = []
    var lostLetterCount: UInt64 = 0
  }

  /// The ring beneath.
  public let ring: BroadcastRing<BusRecord<Event>>
  /// How often a group is offered an event that it wants to retry.
  public let triesMax: Int
  /// Dead letters that are kept; later ones are counted.
  public let deadLettersMax: Int
  private let state = Mutex(State())

  /// A bus of `capacity` events in `arena`.
  ///
  /// - Parameters:
  ///   - capacity: a power of two.
  ///   - filler: what a slot holds before it is first written.
  ///   - history: events kept for replay, by default half of the capacity.
  ///   - groupsMax: groups that read at the same time, 1 to 64.
  ///   - allowsParking: whether publisher and groups may wait with `ParkWait`.
  /// - Throws: `RingError` for a wrong capacity or a full arena.
  public init(
    capacity: Int, filler: Event, history: Int? = nil, groupsMax: Int = 8, triesMax: Int = 3,
    deadLettersMax: Int = 1024,
    allowsParking: Bool = false, in arena: Arena
  ) throws(RingError) {
    precondition(triesMax > 0 && deadLettersMax >= 0, "EventBus: an event is offered at least once")
    ring = try BroadcastRing(
      capacity: capacity, repeating: BusRecord(filler, at: .distantPast, causeSequence: 0),
      history: history ?? capacity / 2, consumersMax: groupsMax, allowsParking: allowsParking, in: arena)
    self.triesMax = triesMax
    self.deadLettersMax = deadLettersMax
  }

  /// The publishing end.
  ///
  /// - Precondition: taken once.
  public func takePublisher() -> EventPublisher<Event> { EventPublisher(ring.takeProducer()) }

  /// A reader for a group that is new or has left.
  ///
  /// - Parameters:
  ///   - group: its name, which no other group has while it reads.
  ///   - start: where it begins; nil goes on where the group left, and with the next event where it never read.
  ///   - upstream: groups whose handling it waits for.
  /// - Throws: `BroadcastError`: no seat, an unknown upstream, or a position that is gone; `oldest` then says what is left.
  public func subscribe(
    _ group: String, from start: BroadcastStart? = nil, after upstream: [BroadcastRing<BusRecord<Event>>.Seat] = []
  ) throws(BroadcastError) -> EventSubscription<Event> {
    let left = state.withLock { $0.left[group] }
    let consumer = try ring.join(group, from: start ?? left.map { .position($0) } ?? .next, after: upstream)
    return EventSubscription(bus: self, group: group, consumer: consumer)
  }

  /// Takes the seat of `group`, whose thread is known to be dead; who subscribes to the group next goes on where it stood.
  ///
  /// A thread that still reads would see events change under it: never evict one that is only slow.
  public func evictDead(_ group: String, at seat: BroadcastRing<BusRecord<Event>>.Seat) {
    if let position = ring.evictDead(seat) { remember(group, at: position) }
  }

  /// The oldest position that can be replayed.
  public var oldest: UInt64 { ring.oldest }

  /// How far each group is behind, slowest first.
  public func lags() -> [BroadcastRing<BusRecord<Event>>.Lag] { ring.lags() }

  /// How each group is doing, slowest first. Two looks tell whether a group moves.
  ///
  /// - Parameters:
  ///   - nanoseconds: now, on a monotonic clock.
  ///   - stuckAfter: nanoseconds without progress after which a group with events to read counts as stuck.
  public func health(at nanoseconds: UInt64, stuckAfter: UInt64 = 1_000_000_000) -> [ConsumerHealth] {
    let progress = ring.progress()
    return state.withLock { state in
      state.watch.stuckAfterNanoseconds = stuckAfter
      return state.watch.look(at: nanoseconds, progress)
    }
  }

  /// Events that groups gave up on, oldest first, and how many more there were than are kept.
  public var deadLetters: (kept: [DeadLetter<Event>], lostCount: UInt64) {
    state.withLock { ($0.letters, $0.lostLetterCount) }
  }

  /// Takes the dead letters away, to be looked at or published again.
  public func takeDeadLetters() -> [DeadLetter<Event>] {
    state.withLock { state in
      defer { state.letters.removeAll(keepingCapacity: true) }
      return state.letters
    }
  }

  func bury(_ letter: DeadLetter<Event>) {
    state.withLock { state in
      if state.letters.count < deadLettersMax { state.letters.append(letter) } else { state.lostLetterCount += 1 }
    }
  }

  func remember(_ group: String, at position: UInt64) {
    state.withLock { $0.left[group] = position }
  }
}
