public import TradingTypes

/// Where market data can come from, best first.
@frozen public enum FeedSource: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// The feed that is wanted.
  case primary = 0
  /// The one that stands in for it.
  case secondary = 1
  /// Snapshots, one after another: behind, but right.
  case snapshot = 2
}

/// Whether a source is used.
@frozen public enum BreakerState: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// It works.
  case closed = 0
  /// It failed too often: it is left alone for a while.
  case open = 1
  /// It is tried again; one failure opens it for longer.
  case halfOpen = 2
}

/// When a source is left and when it is tried again.
public struct FailoverRules: Sendable, Hashable {
  /// Failures in a row that open a closed breaker.
  public let failureMax: Int
  /// Successes in a row that close a half-open one.
  public let successesNeeded: Int
  /// How long a breaker stays open the first time; doubled each further time until it has closed again.
  public let backoff: TimeSpan
  /// The longest it stays open.
  public let backoffMax: TimeSpan
  /// A source in use that is silent for longer has failed; heartbeats count.
  public let silenceMax: TimeSpan

  /// Rules; by default 5 failures, 60 s at first and 15 min at most, 3 successes, 5 s of silence.
  ///
  /// - Throws: `ConfigurationError` that names the values.
  public init(
    failureMax: Int = 5, successesNeeded: Int = 3, backoff: TimeSpan = .seconds(60),
    backoffMax: TimeSpan = .seconds(900),
    silenceMax: TimeSpan = .seconds(5)
  ) throws(ConfigurationError) {
    guard (1...1_000_000).contains(failureMax), (1...1_000_000).contains(successesNeeded) else {
      throw ConfigurationError("failover: \(failureMax) failures, \(successesNeeded) successes, expected 1 to 1000000")
    }
    guard backoff.nanoseconds > 0, backoffMax >= backoff, silenceMax.nanoseconds > 0,
      backoffMax <= .seconds(86_400 * 365)
    else { throw ConfigurationError("failover: times are positive, and the longest backoff is up to a year") }
    self.failureMax = failureMax
    self.successesNeeded = successesNeeded
    self.backoff = backoff
    self.backoffMax = backoffMax
    self.silenceMax = silenceMax
  }
}

/// The breaker of one source.
public struct SourceBreaker: BitwiseCopyable, Hashable, Sendable {
  /// Whether the source is used.
  public internal(set) var state = BreakerState.closed
  /// Failures in a row while closed.
  public internal(set) var failures = 0
  /// Successes in a row while half-open.
  public internal(set) var successes = 0
  /// When an open breaker becomes half-open.
  public internal(set) var retryTime = Timestamp.distantPast
  /// Times it opened since it was last closed.
  public internal(set) var openings = 0
  /// Failures ever.
  public internal(set) var failureCount: UInt64 = 0
  /// Times it opened ever.
  public internal(set) var openCount: UInt64 = 0
  /// When the source was last heard.
  public internal(set) var heardTime = Timestamp.distantPast

  /// Closed, never heard.
  public init() {}
}

/// Chooses where market data comes from: the best source whose breaker is closed, else the best that may be tried.
///
/// A pure state machine: what the sources do comes in with its time; `active` is the answer. The way back to a better source is taken
/// when its breaker has closed, not at its first word. Without any source `active` is nil: the books are stale.
///
/// - Complexity: O(1), no allocation.
public struct SourceFailover: Sendable {
  var breakers: InlineArray<3, SourceBreaker> = InlineArray(repeating: SourceBreaker())
  let rules: FailoverRules
  var time = MonotoneTime()
  /// The source in use.
  public private(set) var active: FeedSource? = .primary
  /// Times the source in use changed.
  public private(set) var changeCount: UInt64 = 0

  /// All breakers closed at `now`, the primary in use.
  public init(_ rules: FailoverRules, at now: Timestamp) {
    self.rules = rules
    let now = time.clamp(now)
    for place in 0..<3 { breakers[place].heardTime = now }
  }

  /// The breaker of `source`.
  public func breaker(_ source: FeedSource) -> SourceBreaker { breakers[Int(source.rawValue)] }

  /// `source` did what it should at `now`: a message, a heartbeat, a finished snapshot, a probe that was answered.
  public mutating func succeeded(_ source: FeedSource, at now: Timestamp) {
    let now = time.clamp(now)
    let place = Int(source.rawValue)
    wake(at: now)
    breakers[place].heardTime = now
    switch breakers[place].state {
    case .closed: breakers[place].failures = 0
    case .open: break
    case .halfOpen:
      breakers[place].successes += 1
      if breakers[place].successes >= rules.successesNeeded {
        breakers[place].state = .closed
        breakers[place].failures = 0
        breakers[place].openings = 0
      }
    }
    choose(at: now)
  }

  /// `source` failed at `now`: no connection, a lost range, a refused snapshot.
  public mutating func failed(_ source: FeedSource, at now: Timestamp) {
    let now = time.clamp(now)
    wake(at: now)
    fail(Int(source.rawValue), at: now)
    choose(at: now)
  }

  /// Lets time pass: open breakers become half-open, and a silent source in use has failed.
  public mutating func advance(to now: Timestamp) {
    let now = time.clamp(now)
    wake(at: now)
    if let active, now - breakers[Int(active.rawValue)].heardTime > rules.silenceMax {
      breakers[Int(active.rawValue)].heardTime = now
      // Silence is no single failure among others: the source is left at once.
      breakers[Int(active.rawValue)].failures = rules.failureMax
      fail(Int(active.rawValue), at: now)
    }
    choose(at: now)
  }

  /// Whether a probe of `source` is worth its while: it is half-open and not in use.
  public func wantsProbe(_ source: FeedSource) -> Bool {
    breakers[Int(source.rawValue)].state == .halfOpen && active != source
  }

  private mutating func wake(at now: Timestamp) {
    for place in 0..<3 where breakers[place].state == .open && now >= breakers[place].retryTime {
      breakers[place].state = .halfOpen
      breakers[place].successes = 0
    }
  }

  private mutating func fail(_ place: Int, at now: Timestamp) {
    // Wrapping, all counts: failures do not reach 2^64.
    breakers[place].failureCount &+= 1
    switch breakers[place].state {
    case .open: return
    case .halfOpen: break
    case .closed:
      breakers[place].failures = min(breakers[place].failures + 1, rules.failureMax)
      guard breakers[place].failures >= rules.failureMax else { return }
    }
    breakers[place].state = .open
    breakers[place].openCount &+= 1
    var backoff = rules.backoff
    // Ends: a year is fewer than 60 doublings of a nanosecond away, and the longest backoff is one at most.
    for _ in 0..<breakers[place].openings where backoff < rules.backoffMax {
      backoff = TimeSpan(nanoseconds: backoff.nanoseconds * 2)
    }
    breakers[place].openings = min(breakers[place].openings + 1, 64)
    breakers[place].retryTime = now + min(backoff, rules.backoffMax)
  }

  private mutating func choose(at now: Timestamp) {
    let best = first(.closed) ?? first(.halfOpen)
    guard best != active else { return }
    active = best
    changeCount &+= 1
    // A source that was not listened to has not been silent.
    if let best { breakers[Int(best.rawValue)].heardTime = now }
  }

  private func first(_ state: BreakerState) -> FeedSource? {
    if breakers[0].state == state { return .primary }
    if breakers[1].state == state { return .secondary }
    return breakers[2].state == state ? .snapshot : nil
  }
}
