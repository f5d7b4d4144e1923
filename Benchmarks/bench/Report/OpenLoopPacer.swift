import EngineTelemetry

/// Says when each message is due: at the start plus its number over the rate, whatever happened to those before it.
///
/// A message that is late is sent at once and none is left out, so that a stall is charged to every message it delayed.
struct OpenLoopPacer {
  let clock: TickClock
  /// Messages a second.
  let rate: Int64
  /// When message 0 is due, as a reading of `clock`.
  let start: UInt64
  /// Ticks between two messages, times 2^32.
  private let interval: UInt64

  /// A pacer that starts some time from now.
  ///
  /// - Precondition: the rate is from 1 to 10^9 messages a second.
  init(clock: TickClock, rate: Int64, startingIn nanoseconds: Int64 = 1_000_000) {
    self.init(clock: clock, rate: rate, start: clock.now() &+ clock.ticks(nanoseconds))
  }

  /// A pacer that starts at a reading of the clock.
  ///
  /// - Precondition: the rate is from 1 to 10^9 messages a second.
  init(clock: TickClock, rate: Int64, start: UInt64) {
    precondition((1...1_000_000_000).contains(rate), "OpenLoopPacer: the rate is from 1 to 10^9")
    self.clock = clock
    self.rate = rate
    self.start = start
    // Below 2^64: a second has fewer than 2^32 ticks on clocks below 4.29 GHz; a faster one is cut to that at a rate of 1.
    interval = UInt64(min(clock.ticksPerSecond / Double(rate) * 0x1p32, 0x1.fffffffffffffp63))
  }

  /// When message `index` is due, as a reading of the clock.
  @inline(__always) func due(_ index: UInt64) -> UInt64 {
    let product = index.multipliedFullWidth(by: interval)
    return start &+ (product.high &<< 32 | product.low &>> 32)
  }

  /// Whether message `index` is due now; between messages a caller may do idle work.
  @inline(__always) func isDue(_ index: UInt64) -> Bool { Int64(bitPattern: clock.now() &- due(index)) >= 0 }

  /// Spins until message `index` is due, or returns at once when it is late: when it was due, for `StageProbe.schedule`.
  @inline(__always) func wait(for index: UInt64) -> UInt64 {
    let due = due(index)
    while Int64(bitPattern: clock.now() &- due) < 0 {}
    return due
  }

  /// Messages a second that were sent from the start until `end`, a reading of the clock.
  func achieved(messages: UInt64, until end: UInt64) -> Double {
    Double(messages) * 1e9 / Double(max(1, clock.nanoseconds(from: start, to: end)))
  }
}
