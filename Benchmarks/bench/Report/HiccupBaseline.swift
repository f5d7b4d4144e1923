import EngineTelemetry

/// Looks at the clock and does nothing else, to see how long the machine takes the processor away.
enum HiccupBaseline {
  /// Records the gap between each two readings of the clock for some time. Pin the thread first.
  ///
  /// - Parameters:
  ///   - seconds: how long; 2 before each rate.
  static func measure(seconds: Double = 2, clock: TickClock, into gaps: inout LatencyHistogram) {
    precondition(seconds > 0, "HiccupBaseline: it takes some time")
    let start = clock.now()
    let end = start &+ clock.ticks(Int64(seconds * 1e9))
    var last = start
    while last < end {
      let now = clock.now()
      gaps.record(clock.nanoseconds(from: last, to: now))
      last = now
    }
  }
}

extension BenchReport.Hiccup {
  /// The tail of the gaps.
  init(_ gaps: borrowing LatencyHistogram) {
    self.init(p99: gaps.percentile(.p99), p999: gaps.percentile(.p999), max: gaps.nanosecondsMax)
  }
}
