public import CPlatform

/// What a waiting side does next.
@frozen public enum WaitStep: BitwiseCopyable, Sendable {
  /// One PAUSE, then look again.
  case spin
  /// Give the rest of the time slice away, then look again.
  case yield
  /// Sleep until the other side wakes us or the deadline passes.
  case park
}

/// How a side of a ring waits. A plain value, given to `push(_:waiting:until:)` and `pop(waiting:until:)`.
public protocol WaitStrategy: BitwiseCopyable, Sendable {
  /// What to do after looking in vain `attempt` times, counted from 0.
  func step(attempt: Int) -> WaitStep
}

/// Spins with PAUSE: the shortest reaction, for a thread that owns its processor.
///
/// PAUSE halves the round trip of a plain spin: without it the waiter keeps pulling the line back while the other side wants to
/// own it.
@frozen public struct SpinWait: WaitStrategy {
  /// The strategy has no settings.
  @inlinable public init() {}
  /// Always a spin.
  @inlinable public func step(attempt: Int) -> WaitStep { .spin }
}

/// Spins a while, then gives the time slice away between looks: for threads that share a processor.
@frozen public struct SpinThenYieldWait: WaitStrategy {
  /// Looks before the first yield.
  public var spinsMax: Int
  /// Spins `spinsMax` times first.
  @inlinable public init(spinsMax: Int = 256) { self.spinsMax = spinsMax }
  /// A spin up to `spinsMax` attempts, then a yield.
  @inlinable public func step(attempt: Int) -> WaitStep { attempt < spinsMax ? .spin : .yield }
}

/// Spins a while, then sleeps in the kernel: for threads off the hot path.
///
/// The ring must be made with `allowsParking`, so that its other side looks for sleepers; no wake-up is lost.
@frozen public struct ParkWait: WaitStrategy {
  /// Looks before the sleep.
  public var spinsMax: Int
  /// Spins `spinsMax` times first.
  @inlinable public init(spinsMax: Int = 256) { self.spinsMax = spinsMax }
  /// A spin up to `spinsMax` attempts, then a sleep.
  @inlinable public func step(attempt: Int) -> WaitStep { attempt < spinsMax ? .spin : .park }
}

/// A point of the monotonic clock after which waiting ends.
@frozen public struct Deadline: BitwiseCopyable, Hashable, Sendable {
  /// Nanoseconds of the monotonic clock.
  public var monotonicNanoseconds: UInt64

  /// The point `monotonicNanoseconds` of the monotonic clock.
  @inlinable public init(monotonicNanoseconds: UInt64) { self.monotonicNanoseconds = monotonicNanoseconds }

  /// No deadline.
  @inlinable public static var never: Deadline { Deadline(monotonicNanoseconds: .max) }

  /// `nanoseconds` from now; reads the clock.
  @inlinable public static func after(nanoseconds: UInt64) -> Deadline {
    let (sum, overflow) = martlet_monotonic_nanoseconds().addingReportingOverflow(nanoseconds)
    return overflow ? .never : Deadline(monotonicNanoseconds: sum)
  }

  /// `milliseconds` from now; reads the clock.
  @inlinable public static func after(milliseconds: UInt64) -> Deadline {
    let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .never : after(nanoseconds: nanoseconds)
  }

  /// Whether it is over; reads the clock unless there is no deadline.
  @inlinable public var hasPassed: Bool {
    monotonicNanoseconds != .max && martlet_monotonic_nanoseconds() >= monotonicNanoseconds
  }
}

/// One PAUSE, for wait loops outside this module.
@inlinable public func spinPause() { martlet_spin_pause() }

/// Gives the rest of the calling thread's time slice away.
@inlinable public func yieldThread() { martlet_yield() }

/// The system's clocks, for the edges: event time never comes from here.
public enum SystemClocks {
  /// Nanoseconds of the wall clock since the Unix epoch.
  public static var wallNanoseconds: Int64 { martlet_wall_nanoseconds() }
  /// Nanoseconds of the monotonic clock.
  public static var monotonicNanoseconds: UInt64 { martlet_monotonic_nanoseconds() }
}
