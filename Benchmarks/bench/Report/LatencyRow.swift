import EngineTelemetry

/// The latencies of one stage, or of whole decisions, with what was promised.
struct LatencyRow: Equatable {
  var name: String
  var count: UInt64
  /// Nanoseconds; nil with fewer than 10/(1 − p) values.
  var p50: Int64?
  var p90: Int64?
  var p99: Int64?
  var p999: Int64?
  /// Nanoseconds; nil when nothing was measured.
  var max: Int64?
  var objective: Objective?

  /// What a histogram holds.
  init(_ name: String, _ histogram: borrowing LatencyHistogram) {
    self.name = name
    count = histogram.count
    p50 = histogram.percentile(.p50)
    p90 = histogram.percentile(.p90)
    p99 = histogram.percentile(.p99)
    p999 = histogram.percentile(.p999)
    max = histogram.nanosecondsMax
    objective = Objective.named(name)
  }

  /// Whether p99 is below the SLO; with too few values for a p99 the largest stands for it. Nil when nothing was measured, or nothing
  /// was promised.
  var passes: Bool? {
    guard let objective, let bound = p99 ?? max else { return nil }
    return bound < objective.slo
  }

  /// The percentiles that miss our target, by name.
  var missedTargets: [String] {
    guard let objective else { return [] }
    let pairs = [
      ("p50", p50, objective.targetP50), ("p99", p99, objective.targetP99), ("p99.9", p999, objective.targetP999),
    ]
    return pairs.filter { $0.1.map { [target = $0.2] in $0 > target } ?? false }.map(\.0)
  }

  /// How the row stands to our targets: `met`, what is missed, or what could be judged; a dash when nothing could.
  var targetText: String {
    guard objective != nil else { return "–" }
    let measured = [("p50", p50), ("p99", p99), ("p99.9", p999)].filter { $0.1 != nil }.map(\.0)
    guard !measured.isEmpty else { return "–" }
    let missed = missedTargets
    if !missed.isEmpty { return "missed: " + missed.joined(separator: ", ") }
    return measured.count == 3 ? "met" : "met: " + measured.joined(separator: ", ")
  }

  var json: JSONValue {
    .object([
      .init("name", .text(name)), .init("count", .unsigned(count)), .init("p50_ns", .optional(p50)),
      .init("p90_ns", .optional(p90)), .init("p99_ns", .optional(p99)), .init("p999_ns", .optional(p999)),
      .init("max_ns", .optional(max)), .init("slo_ns", .optional(objective?.slo)),
      .init("target_ns", .optional(objective?.targetP99)), .init("pass", passes.map { .bool($0) } ?? .null),
    ])
  }
}

/// What became of one offered rate.
struct RateRow: Equatable {
  /// Messages a second.
  var offered: Int64
  /// Messages a second.
  var achieved: Double
  /// End-to-end latencies of the decisions, in nanoseconds.
  var p50: Int64?
  var p99: Int64?
  var p999: Int64?
  var max: Int64?

  /// A rate with the latencies of its decisions.
  init(offered: Int64, achieved: Double, endToEnd: borrowing LatencyHistogram) {
    self.offered = offered
    self.achieved = achieved
    p50 = endToEnd.percentile(.p50)
    p99 = endToEnd.percentile(.p99)
    p999 = endToEnd.percentile(.p999)
    max = endToEnd.nanosecondsMax
  }

  /// Less than 99 % of the offered rate was achieved.
  var isSaturated: Bool { achieved < 0.99 * Double(offered) }

  var json: JSONValue {
    .object([
      .init("offered", .integer(offered)), .init("achieved", .real((achieved * 10).rounded() / 10)),
      .init("saturated", .bool(isSaturated)), .init("p50_ns", .optional(p50)), .init("p99_ns", .optional(p99)),
      .init("p999_ns", .optional(p999)), .init("max_ns", .optional(max)),
    ])
  }
}

/// One micro row: a part of the engine timed alone.
struct MicroRow: Equatable {
  /// As `martlet`'s documentation lists them: stable, so that a trend can be followed.
  var name: String
  /// `ns` for one operation, or `items/s`.
  var unit: String
  /// The smallest.
  var min: Double?
  /// The median, and where they were measured the others.
  var p50: Double
  var p90: Double?
  var p99: Double?
  var p999: Double?
  var max: Double?

  var json: JSONValue {
    .object([
      .init("name", .text(name)), .init("unit", .text(unit)), .init("p50", .real(p50)), .init("p90", .optional(p90)),
      .init("p99", .optional(p99)), .init("p999", .optional(p999)), .init("max", .optional(max)),
      .init("min", .optional(min)),
    ])
  }
}
