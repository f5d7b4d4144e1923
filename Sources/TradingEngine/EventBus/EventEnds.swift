public import LockFreeRings
public import TradingTypes

/// The publishing end of an `EventBus`, for one thread at a time.
@frozen public struct EventPublisher<Event: BitwiseCopyable & Sendable>: ~Copyable, Sendable {
  @usableFromInline var producer: BroadcastProducer<BusRecord<Event>>

  init(_ producer: consuming BroadcastProducer<BusRecord<Event>>) { self.producer = producer }

  /// The position of the next event.
  @inlinable public var nextPosition: UInt64 { producer.nextPosition }

  /// Publishes `event`, or answers false when the slowest group holds the oldest slot.
  ///
  /// - Complexity: O(1), beside O(groups) once a lap; no allocation, wait-free.
  @inlinable @inline(__always) public mutating func tryPublish(
    _ event: Event, at time: Timestamp, causeSequence: UInt64 = 0
  ) -> Bool {
    producer.tryPush(BusRecord(event, at: time, causeSequence: causeSequence))
  }

  /// Publishes `event`, waiting for the slowest group; false when the deadline passed first: `EventBus.health` names that group.
  ///
  /// - Precondition: the bus allows parking if `strategy` parks.
  @inlinable public mutating func publish(
    _ event: Event, at time: Timestamp, causeSequence: UInt64 = 0, waiting strategy: some WaitStrategy,
    until deadline: Deadline = .never
  ) -> Bool {
    producer.push(
      BusRecord(event, at: time, causeSequence: causeSequence), waiting: strategy, until: deadline)
  }
}

/// The reader of one group, for one thread at a time. Dropping it leaves the bus; the group's position is kept.
public struct EventSubscription<Event: BitwiseCopyable & Sendable>: ~Copyable, Sendable {
  // A call: optimised code (Swift 6.3) that reads a stored `let` and hands the reader on keeps no reference of its own.
  /// The group's name.
  public var group: String { @inline(never) get { ownGroup } }
  private let ownGroup: String
  private let bus: EventBus<Event>
  private var consumer: BroadcastConsumer<BusRecord<Event>>
  private var tries = 0

  init(bus: EventBus<Event>, group: String, consumer: consuming BroadcastConsumer<BusRecord<Event>>) {
    self.bus = bus
    ownGroup = group
    self.consumer = consumer
  }

  deinit {
    // One that was evicted has been remembered then; its group may read again by now.
    if bus.ring.isSeated(consumer.seat) { bus.remember(ownGroup, at: consumer.nextPosition) }
  }

  /// For groups that follow this one.
  public var seat: BroadcastRing<BusRecord<Event>>.Seat { consumer.seat }

  /// The position of the next event it handles.
  public var nextPosition: UInt64 { consumer.nextPosition }

  /// Offers the events that are there to `handler`, in order, at most `countMax` of them; how many it is done with.
  ///
  /// An event that is to be retried ends the call and is offered first by the next one; after the bus's `triesMax` offers it becomes a dead letter and
  /// counts as done. Events are handled in place and given on together at the end; a call ends where the ring's memory does.
  ///
  /// - Complexity: O(events); allocates only for dead letters.
  public mutating func handle(
    upTo countMax: Int = .max, _ handler: (_ record: borrowing BusRecord<Event>, _ position: UInt64) -> EventOutcome
  ) -> Int {
    let first = consumer.nextPosition
    // Locals, because the view below borrows the consumer to the end of its scope.
    let (bus, group) = (bus, group)
    var tries = tries
    var done = 0
    do {
      let records = consumer.available(upTo: countMax)
      offering: while done < records.count {
        tries += 1
        let failure: String?
        // Wrapping: a free-running position.
        switch handler(records[done], first &+ UInt64(done)) {
        case .done: failure = nil
        case .retry(let reason):
          guard tries >= bus.triesMax else { break offering }
          failure = reason
        case .reject(let reason): failure = reason
        }
        if let failure {
          bus.bury(
            DeadLetter(
              group: group, position: first &+ UInt64(done), record: records[done], reason: failure, tries: tries))
        }
        tries = 0
        done += 1
      }
    }
    self.tries = tries
    consumer.release(done)
    return done
  }

  /// Waits until an event is there; false when the deadline passed first.
  ///
  /// - Precondition: the bus allows parking if `strategy` parks.
  public mutating func wait(_ strategy: some WaitStrategy, until deadline: Deadline = .never) -> Bool {
    consumer.waitForElement(waiting: strategy, until: deadline)
  }
}
