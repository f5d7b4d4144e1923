public import CPlatform

/// Reads the processor's time stamp counter and knows how long a tick is.
///
/// For measuring only: no decision of the engine reads a clock. Where the counter does not run at a constant rate the system's
/// monotonic clock is read in its place, and a tick is a nanosecond.
@frozen public struct TickClock: BitwiseCopyable, Sendable {
  /// Whether the time stamp counter is used; otherwise the monotonic clock.
  public let usesCounter: Bool
  /// Nanoseconds a tick, times 2^32.
  @usableFromInline let scale: UInt64
  /// The least two readings in a row are apart, in nanoseconds: what every measured value includes.
  public private(set) var floorNanoseconds: Int64
  /// The least distance of two different readings, in nanoseconds: what every measured value is rounded to.
  public private(set) var stepNanoseconds: Int64

  /// Calibrates against the monotonic clock for 20 ms, or as long as said.
  ///
  /// - Parameters:
  ///   - milliseconds: how long; the error of the rate is about 40 ns over this time.
  ///   - usesCounter: false measures with the monotonic clock even where the counter is steady.
  public init(calibratingFor milliseconds: Int64 = 20, usesCounter: Bool = true) {
    precondition(milliseconds > 0, "TickClock: calibration takes some time")
    self.usesCounter = usesCounter && martlet_ticks_are_steady()
    var scale: UInt64 = 1 << 32
    if self.usesCounter {
      _ = Self.pair()  // The first read of the system's clock is slow.
      let start = Self.pair()
      var end = Self.pair()
      while end.nanoseconds - start.nanoseconds < milliseconds * 1_000_000 { end = Self.pair() }
      let nanoseconds = UInt64(end.nanoseconds - start.nanoseconds)
      let ticks = max(1, end.ticks &- start.ticks)
      scale = ticks.dividingFullWidth((nanoseconds >> 32, nanoseconds << 32)).quotient
    }
    self.scale = scale
    floorNanoseconds = 0
    stepNanoseconds = 0
    (floorNanoseconds, stepNanoseconds) = measureFloorAndStep()
  }

  /// Ticks since some fixed point; only differences mean anything.
  ///
  /// - Complexity: O(1), about 9 ns with the counter; no allocation, no system call.
  @inlinable public func now() -> UInt64 { usesCounter ? martlet_ticks() : UInt64(bitPattern: Self.monotonic()) }

  /// How long a number of ticks takes, in nanoseconds, rounded down.
  ///
  /// - Precondition: the answer fits 63 bits (292 years).
  @inlinable public func nanoseconds(_ ticks: UInt64) -> Int64 {
    let product = ticks.multipliedFullWidth(by: scale)
    return Int64(truncatingIfNeeded: product.high &<< 32 | product.low &>> 32)
  }

  /// The time from one reading to a later one, in nanoseconds; 0 when they are out of order.
  @inlinable public func nanoseconds(from start: UInt64, to end: UInt64) -> Int64 {
    // Wrapping: the counters of two processors may differ by a little, which must not become centuries.
    let difference = Int64(bitPattern: end &- start)
    return difference > 0 ? nanoseconds(UInt64(bitPattern: difference)) : 0
  }

  /// The least number of ticks that take at least this long: what a pacer waits for.
  ///
  /// - Precondition: `nanoseconds >= 0`.
  public func ticks(_ nanoseconds: Int64) -> UInt64 {
    precondition(nanoseconds >= 0, "TickClock: the time is not negative")
    let value = UInt64(nanoseconds)
    let (quotient, remainder) = scale.dividingFullWidth((value >> 32, value << 32))
    return quotient + (remainder > 0 ? 1 : 0)
  }

  /// Ticks a second, for reports.
  public var ticksPerSecond: Double { 1e9 * 0x1p32 / Double(scale) }

  /// Nanoseconds of the system's monotonic clock (`CLOCK_MONOTONIC`), counted from this process's first reading.
  @usableFromInline static func monotonic() -> Int64 {
    let (seconds, attoseconds) = (SuspendingClock.now - origin).components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  private static let origin = SuspendingClock.now

  /// Both clocks at nearly the same moment: of eight attempts the one in which the counter moved least.
  private static func pair() -> (nanoseconds: Int64, ticks: UInt64) {
    var best: (nanoseconds: Int64, ticks: UInt64) = (0, 0)
    var narrowest = UInt64.max
    for _ in 0..<8 {
      let before = martlet_ticks()
      let nanoseconds = monotonic()
      let width = martlet_ticks() &- before
      if width < narrowest {
        narrowest = width
        best = (nanoseconds, before &+ width / 2)
      }
    }
    return best
  }

  private func measureFloorAndStep() -> (floor: Int64, step: Int64) {
    var floor = UInt64.max
    var step = UInt64.max
    for _ in 0..<10_000 {
      let first = now()
      let second = now()
      let difference = second &- first
      floor = min(floor, difference)
      if difference > 0 { step = min(step, difference) }
    }
    return (nanoseconds(floor), step == .max ? 0 : nanoseconds(step))
  }
}
