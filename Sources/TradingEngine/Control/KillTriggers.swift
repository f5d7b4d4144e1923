public import LockFreeRings
public import TradingTypes

/// Watches for what must stop trading, in event time: counts in windows of one second and runs of refusals.
@frozen public struct KillTriggers: ~Copyable {
  /// A count within the current second of event time.
  @frozen public struct Window: BitwiseCopyable, Sendable {
    @usableFromInline var second: Int64 = .min
    @usableFromInline var count: Int64 = 0

    @inlinable init() {}

    /// Adds one at `time`; the count of that second so far.
    @inlinable mutating func add(at time: Timestamp) -> Int64 {
      let second = time.nanoseconds / 1_000_000_000
      if second != self.second {
        self.second = second
        count = 0
      }
      count += 1
      return count
    }
  }

  @usableFromInline let rules: EngineConfiguration.Kill
  @usableFromInline var fills: Slab<Window>
  @usableFromInline var orders = Window()
  @usableFromInline var rejectsInARow: Int64 = 0
  @usableFromInline var refusals: InlineArray<64, Int64> = InlineArray(repeating: 0)
  @usableFromInline var lastMessage = Timestamp.distantPast
  @usableFromInline var isPastWarning = false

  /// Watches by `rules`.
  public init(rules: EngineConfiguration.Kill, instrumentCount: Int, in arena: Arena) {
    self.rules = rules
    fills = Slab(repeating: Window(), count: instrumentCount, in: arena)
  }

  /// The day's loss has passed its warning level.
  public var hasWarnedOfLoss: Bool { isPastWarning }

  /// A message came; a longer silence than allowed before it trips.
  @inlinable public mutating func sawMessage(at time: Timestamp, _ kill: inout KillSwitch) {
    let silence = time - lastMessage
    if rules.feedSilenceSecondsMax > 0, lastMessage > .distantPast,
      silence > .seconds(rules.feedSilenceSecondsMax)
    {
      kill.trip(.global, to: .reducing, .feedSilence, at: time)
    }
    if time > lastMessage { lastMessage = time }
  }

  /// A child order was sent, or its gateway refused to take it.
  @inlinable public mutating func sent(_ child: borrowing ChildOrder, isTaken: Bool, _ kill: inout KillSwitch) {
    let venue = Int(child.venue.index & 63)
    if isTaken {
      refusals[venue] = 0
    } else {
      refusals[venue] += 1
      if refusals[venue] >= rules.venueRefusalsMax {
        kill.trip(.venue(child.venue), to: .halted, .venueDisconnect, at: child.time)
      }
    }
    if orders.add(at: child.time) > rules.ordersPerSecondMax {
      kill.trip(.global, to: .halted, .orderRate, at: child.time)
    }
  }

  /// A venue reported.
  @inlinable public mutating func reported(_ report: borrowing ExecutionReport, _ kill: inout KillSwitch) {
    switch report.kind {
    case .accepted, .cancelled:
      rejectsInARow = 0
    case .filled:
      rejectsInARow = 0
      // A venue may name any instrument.
      guard Int(report.instrument.index) < fills.count else { return }
      if fills[Int(report.instrument.index)].add(at: report.time) > rules.fillsPerSecondMax {
        kill.trip(.symbol(report.instrument), to: .halted, .repeatedExecutions, at: report.time)
      }
    case .rejected:
      rejectsInARow += 1
      if rejectsInARow >= rules.consecutiveRejectsMax {
        kill.trip(.global, to: .halted, .rejectStorm, at: report.time)
      }
    }
  }

  /// Forgets the runs of rejects and refusals: after a re-arm they count from zero.
  public mutating func forgetRuns() {
    rejectsInARow = 0
    refusals = InlineArray(repeating: 0)
  }

  /// The day's result changed; a loss at its limit halts everything.
  @inlinable public mutating func dayResult(_ result: Money, at time: Timestamp, _ kill: inout KillSwitch) {
    guard result.nanos < 0 else { return }
    let loss = -result
    if loss >= rules.dailyLossWarning { isPastWarning = true }
    if loss >= rules.dailyLossMax { kill.trip(.global, to: .halted, .dailyLoss, at: time) }
  }
}
