internal import Synchronization

/// How far the two sides of a ring have come, as a watch sees it.
public struct RingProgress: Hashable, Sendable {
  /// The side that reads.
  public var consumer: String
  /// Elements that went in.
  public var published: UInt64
  /// Elements that came out, as far as the reader has told.
  public var consumed: UInt64

  /// The progress of `consumer`.
  public init(consumer: String, published: UInt64, consumed: UInt64) {
    self.consumer = consumer
    self.published = published
    self.consumed = consumed
  }
}

/// What a watch says of one consumer.
public struct ConsumerHealth: Hashable, Sendable, CustomStringConvertible {
  /// Whether it keeps up.
  public enum Verdict: String, Sendable {
    /// Nothing waits for it.
    case idle
    /// It moved since the last look.
    case moving
    /// Elements wait and it has not moved since the last look.
    case slow
    /// Elements wait and it has not moved for too long: it hangs, or its thread is gone.
    case stuck
  }
  /// The side that reads.
  public var consumer: String
  /// Elements that wait for it.
  public var backlog: UInt64
  /// Nanoseconds since it was last seen to move, or to have nothing to do.
  public var nanosecondsWithoutProgress: UInt64
  /// Whether it keeps up.
  public var verdict: Verdict

  /// One line for a report.
  public var description: String {
    "consumer \(consumer): \(verdict), \(backlog) waiting, \(nanosecondsWithoutProgress / 1_000_000) ms without progress"
  }
}

/// Finds consumers that hang: elements wait for them, and look after look they do not move.
///
/// Off the hot path: the rings only publish the counters they have anyway, and whoever watches asks now and then, with the time as an
/// argument. A producer that waits does so with a deadline, and then asks here who holds it back.
///
///     var watch = RingWatch(stuckAfterNanoseconds: 1_000_000_000)
///     for line in watch.look(at: now, [journalRing.progress(of: "journal")]) where line.verdict == .stuck { alarm(line) }
public struct RingWatch: Sendable {
  private struct Seen {
    var consumed: UInt64
    var nanoseconds: UInt64
  }

  /// Nanoseconds without progress after which a consumer with something to read counts as stuck.
  public var stuckAfterNanoseconds: UInt64
  private var seen: [String: Seen] = [:]

  /// A watch that has seen nothing yet.
  public init(stuckAfterNanoseconds: UInt64 = 1_000_000_000) { self.stuckAfterNanoseconds = stuckAfterNanoseconds }

  /// What each consumer has done since the last look, those with most waiting first.
  ///
  /// - Parameters:
  ///   - nanoseconds: now, on a monotonic clock.
  ///   - rings: the progress of every consumer; names are unique.
  public mutating func look(at nanoseconds: UInt64, _ rings: [RingProgress]) -> [ConsumerHealth] {
    rings.map { ring in
      // Wrapping: a difference of free-running counters; the reader may have passed the published count that was read before.
      let waiting = Int64(bitPattern: ring.published &- ring.consumed)
      let backlog = UInt64(max(0, waiting))
      let before = seen[ring.consumer]
      let moved = before?.consumed != ring.consumed
      if moved || backlog == 0 { seen[ring.consumer] = Seen(consumed: ring.consumed, nanoseconds: nanoseconds) }
      let last = seen[ring.consumer]?.nanoseconds ?? nanoseconds
      let since = nanoseconds > last ? nanoseconds - last : 0
      let verdict: ConsumerHealth.Verdict =
        backlog == 0 ? .idle : moved ? .moving : since >= stuckAfterNanoseconds ? .stuck : .slow
      return ConsumerHealth(
        consumer: ring.consumer, backlog: backlog, nanosecondsWithoutProgress: since, verdict: verdict)
    }.sorted { ($1.backlog, $0.consumer) < ($0.backlog, $1.consumer) }
  }
}

/// Reads a ring's counters from any thread, for a `RingWatch`. Keeps the ring's memory alive.
@safe public struct RingGauge: Sendable {
  private let control: RingControl
  private let sequences: LatencySequences?
  private let owner: Arena

  init(control: RingControl, sequences: LatencySequences? = nil, owner: Arena) {
    self.control = control
    self.sequences = sequences
    self.owner = owner
  }

  /// How far the ring's sides have come; `consumer` names the reader in reports.
  ///
  /// - Complexity: O(1); of a latency ring O(log capacity), because its producer publishes no count.
  public func progress(of consumer: String) -> RingProgress {
    // Relaxed: a report may be a moment old.
    let consumed = unsafe control.consumed.pointee.load(ordering: .relaxed)
    let published =
      sequences?.published(from: consumed) ?? (unsafe control.published.pointee.load(ordering: .relaxed))
    return RingProgress(consumer: consumer, published: published, consumed: consumed)
  }
}

/// The slots of a latency ring, to find how far it is filled.
@safe struct LatencySequences: @unchecked Sendable {
  private let slots: UnsafeMutableRawPointer
  private let stride: Int
  private let mask: UInt64

  @unsafe init(slots: UnsafeMutableRawPointer, stride: Int, mask: UInt64) {
    unsafe self.slots = slots
    self.stride = stride
    self.mask = mask
  }

  /// The first position from `consumed` on that holds no element. Filled slots come before empty ones, so it is halved for.
  func published(from consumed: UInt64) -> UInt64 {
    var (low, high) = (UInt64(0), mask + 1)
    while low < high {
      let middle = low + (high - low) / 2
      // Wrapping: free-running positions.
      if isFilled(consumed &+ middle) { low = middle + 1 } else { high = middle }
    }
    return consumed &+ low
  }

  private func isFilled(_ position: UInt64) -> Bool {
    // In bounds: the mask keeps the index below the capacity.
    let slot = unsafe slots + Int(truncatingIfNeeded: position & mask) * stride
    // Relaxed: a report may be a moment old. A sequence of a later lap means that the reader has moved on meanwhile.
    let sequence = unsafe slot.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .relaxed)
    return Int64(bitPattern: sequence &- (position &+ 1)) >= 0
  }
}

extension LatencyRing {
  /// Reads the ring's counters from any thread.
  public func gauge() -> RingGauge {
    RingGauge(
      control: control,
      sequences: unsafe LatencySequences(slots: slots, stride: Self.slotStride, mask: UInt64(capacity - 1)),
      owner: arena)
  }
}

extension ThroughputRing {
  /// Reads the ring's counters from any thread.
  public func gauge() -> RingGauge { RingGauge(control: control, owner: arena) }
}

extension ManyProducerRing {
  /// Reads the ring's counters from any thread: what has been claimed, and what has been taken.
  public func gauge() -> RingGauge { RingGauge(control: control, owner: arena) }
}

extension BroadcastRing {
  /// How far each consumer has come.
  public func progress() -> [RingProgress] {
    let published = self.published
    return lags().map { RingProgress(consumer: $0.name, published: published, consumed: $0.position) }
  }
}
