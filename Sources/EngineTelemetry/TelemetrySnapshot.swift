/// What was measured, as plain values that any thread may keep. Taking one allocates: off the hot path.
public struct TelemetrySnapshot: Sendable, Equatable {
  /// One name and value that tells samples of a metric apart.
  public struct Label: Sendable, Equatable {
    /// Letters, digits and underscores.
    public var name: String
    /// Any text.
    public var value: String
    /// A label.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// One number of a metric.
  public struct Sample: Sendable, Equatable {
    /// What tells it apart.
    public var labels: [Label]
    /// The number.
    public var value: Int64
    /// A sample.
    public init(_ value: Int64, labels: [Label] = []) {
      self.value = value
      self.labels = labels
    }
  }

  /// A counter or gauge with its samples.
  public struct Metric: Sendable, Equatable {
    /// Letters, digits and underscores; a counter's ends in `_total`.
    public var name: String
    /// One line for a person.
    public var help: String
    /// How it moves.
    public var kind: MetricKind
    /// Its numbers.
    public var samples: [Sample]
    /// A metric.
    public init(name: String, help: String, kind: MetricKind, samples: [Sample]) {
      self.name = name
      self.help = help
      self.kind = kind
      self.samples = samples
    }
  }

  /// A family of histograms of latencies.
  public struct Latency: Sendable, Equatable {
    /// Ends in `_seconds`.
    public var name: String
    /// One line for a person.
    public var help: String
    /// The histograms, told apart by their labels.
    public var histograms: [(labels: [Label], histogram: HistogramSnapshot)]
    /// A family of histograms.
    public init(name: String, help: String, histograms: [(labels: [Label], histogram: HistogramSnapshot)]) {
      self.name = name
      self.help = help
      self.histograms = histograms
    }
    /// Whether both say the same.
    public static func == (left: Latency, right: Latency) -> Bool {
      left.name == right.name && left.help == right.help
        && left.histograms.map(\.labels) == right.histograms.map(\.labels)
        && left.histograms.map(\.histogram) == right.histograms.map(\.histogram)
    }
  }

  /// Counters and gauges, in the order they are exposed.
  public var metrics: [Metric]
  /// Latencies, in the order they are exposed.
  public var latencies: [Latency]

  /// A snapshot of nothing yet.
  public init(metrics: [Metric] = [], latencies: [Latency] = []) {
    self.metrics = metrics
    self.latencies = latencies
  }

  /// Adds every slot of a board, each as a metric with one sample.
  public mutating func append<Slot: MetricSlot>(_ board: MetricBoard<Slot>, labels: [Label] = []) {
    for slot in Slot.allCases {
      let sample = Sample(board[slot], labels: labels)
      metrics.append(Metric(name: slot.name, help: slot.help, kind: slot.kind, samples: [sample]))
    }
  }

  /// Adds the latencies of the stages, of decisions and of orders.
  public mutating func append(_ clock: borrowing StageClock) {
    var stages: [(labels: [Label], histogram: HistogramSnapshot)] = []
    for stage in PipelineStage.allCases {
      stages.append(([Label("stage", stage.name)], HistogramSnapshot(clock[stage])))
    }
    latencies.append(
      Latency(name: "martlet_stage_latency_seconds", help: "Time of one message in a stage.", histograms: stages))
    latencies.append(
      Latency(
        name: "martlet_end_to_end_latency_seconds", help: "Time from intended arrival to verdict.",
        histograms: [([], HistogramSnapshot(clock.endToEnd))]))
    latencies.append(
      Latency(
        name: "martlet_tick_to_order_latency_seconds",
        help: "Time from intended arrival to verdict of routed decisions.",
        histograms: [([], HistogramSnapshot(clock.tickToOrder))]))
  }
}

/// What a `LatencyHistogram` held at one moment, as far as expositions show it.
public struct HistogramSnapshot: Sendable, Equatable {
  /// A number of values that do not exceed a bound.
  public struct Step: Sendable, Equatable {
    /// Nanoseconds, inclusive.
    public var bound: Int64
    /// Values up to `bound`, exact.
    public var count: UInt64
  }

  /// Values recorded.
  public let count: UInt64
  /// Their exact sum, in nanoseconds.
  public let nanosecondsSum: UInt128
  /// The largest, in nanoseconds; nil when there is none.
  public let nanosecondsMax: Int64?
  /// The median in nanoseconds, with the accuracy of `LatencyHistogram.percentile`; nil with fewer than 10/(1 − p) values.
  public let p50: Int64?
  /// 90 % do not exceed it; as `p50`.
  public let p90: Int64?
  /// 99 % do not exceed it; as `p50`.
  public let p99: Int64?
  /// 99.9 % do not exceed it; as `p50`.
  public let p999: Int64?
  /// Cumulative counts at 2^k − 1 ns, k = 5 … 34 (31 ns to 17 s): borders of buckets, so that the counts are exact.
  public let steps: [Step]

  /// What `histogram` holds now.
  ///
  /// - Complexity: O(`LatencyHistogram.bucketCount`).
  public init(_ histogram: borrowing LatencyHistogram) {
    count = histogram.count
    nanosecondsSum = histogram.nanosecondsSum
    nanosecondsMax = histogram.nanosecondsMax
    p50 = histogram.percentile(.p50)
    p90 = histogram.percentile(.p90)
    p99 = histogram.percentile(.p99)
    p999 = histogram.percentile(.p999)
    var steps: [Step] = []
    var below: UInt64 = 0
    var next = 0
    for exponent in 5...34 {
      let bound = Int64(1) << Int64(exponent) - 1
      let last = LatencyHistogram.bucket(of: UInt64(bound))
      while next <= last {
        below += histogram.count(inBucket: next)
        next += 1
      }
      steps.append(Step(bound: bound, count: below))
    }
    self.steps = steps
  }
}
