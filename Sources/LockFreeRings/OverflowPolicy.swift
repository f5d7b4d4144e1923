/// The writing end of any ring that can be full.
public protocol RingProducer<Element>: ~Copyable {
  /// What the ring carries.
  associatedtype Element: BitwiseCopyable
  /// Appends `element`, or answers false when the ring is full.
  mutating func tryPush(_ element: Element) -> Bool
  /// Appends `element`, waiting for room; false when the deadline passed first.
  mutating func push(_ element: Element, waiting strategy: some WaitStrategy, until deadline: Deadline) -> Bool
}

extension LatencyRing.Producer: RingProducer {}
extension ThroughputRing.Producer: RingProducer {}
extension ManyProducerRing.Producer: RingProducer {}
extension BroadcastProducer: RingProducer {}

/// What a producer does when its ring is full. A plain value, chosen once for a ring: see `CountedProducer`.
///
/// Orders and fills never drop: their rings wait. A ring that may lose old elements and never holds its producer back is an
/// `OverwritingRing`, whose reader is told how many it lost.
public protocol OverflowPolicy: BitwiseCopyable, Sendable {
  /// Appends to a ring that was found full; false when the element is given up.
  func pushToFull<Producer: RingProducer & ~Copyable>(
    _ producer: inout Producer, _ element: Producer.Element
  ) -> Bool
}

/// A full ring refuses: the caller decides what to do with the element.
@frozen public struct RejectWhenFull: OverflowPolicy {
  /// The policy has no settings.
  @inlinable public init() {}
  /// Gives the element up.
  @inlinable public func pushToFull<Producer: RingProducer & ~Copyable>(
    _ producer: inout Producer, _ element: Producer.Element
  ) -> Bool { false }
}

/// A full ring is waited for: spinning, yielding or parked, without end or for a stated time.
@frozen public struct WaitWhenFull<Strategy: WaitStrategy>: OverflowPolicy {
  /// How it waits.
  public var strategy: Strategy
  /// Nanoseconds after which it gives the element up; nil waits for ever, which only a watched ring should.
  public var timeoutNanoseconds: UInt64?

  /// Waits by `strategy`.
  @inlinable public init(_ strategy: Strategy, timeoutNanoseconds: UInt64? = nil) {
    self.strategy = strategy
    self.timeoutNanoseconds = timeoutNanoseconds
  }

  /// Waits for room.
  @inlinable public func pushToFull<Producer: RingProducer & ~Copyable>(
    _ producer: inout Producer, _ element: Producer.Element
  ) -> Bool {
    producer.push(
      element, waiting: strategy, until: timeoutNanoseconds.map { .after(nanoseconds: $0) } ?? .never)
  }
}

/// A producer with a policy for a full ring, and the counts that account for every element:
/// offered = pushed + dropped, and what the consumers get is what was pushed.
@frozen public struct CountedProducer<Producer: RingProducer & ~Copyable, Policy: OverflowPolicy>: ~Copyable {
  /// The ring's own end.
  public var producer: Producer
  /// What it does when the ring is full.
  public let policy: Policy
  @usableFromInline var pushed: UInt64 = 0
  @usableFromInline var dropped: UInt64 = 0
  @usableFromInline var full: UInt64 = 0

  /// Elements that went in.
  @inlinable public var pushedCount: UInt64 { pushed }
  /// Elements that were given up: refused, or timed out.
  @inlinable public var droppedCount: UInt64 { dropped }
  /// Times the ring was found full.
  @inlinable public var fullCount: UInt64 { full }

  /// `producer` under `policy`.
  @inlinable public init(_ producer: consuming Producer, policy: Policy) {
    self.producer = producer
    self.policy = policy
  }

  /// Appends `element` as the policy has it; false when it was given up, which is counted.
  ///
  /// - Complexity: O(1) where there is room; no allocation.
  @inlinable @inline(__always) public mutating func push(_ element: Producer.Element) -> Bool {
    // Wrapping: counters of elements.
    if producer.tryPush(element) {
      pushed &+= 1
      return true
    }
    full &+= 1
    if policy.pushToFull(&producer, element) {
      pushed &+= 1
      return true
    }
    dropped &+= 1
    return false
  }
}

extension CountedProducer: Sendable where Producer: Sendable & ~Copyable {}
