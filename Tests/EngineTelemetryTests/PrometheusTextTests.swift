// Goal: a scraper reads what was counted. Method: golden text for a small snapshot, and properties of the cumulative counts.
import EngineTelemetry
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

@Test func `metrics are exposed as the format says`() {
  var snapshot = TelemetrySnapshot()
  snapshot.metrics = [
    .init(
      name: "orders_total", help: "Orders \\ sent,\nby \"venue\".", kind: .counter,
      samples: [
        .init(3, labels: [.init("venue", "A\"\\\n"), .init("side", "buy")]), .init(0, labels: [.init("venue", "β")]),
      ]),
    .init(name: "level", help: "Level.", kind: .gauge, samples: [.init(-1)]),
  ]
  #expect(
    snapshot.prometheusText == #"""
      # HELP orders_total Orders \\ sent,\nby "venue".
      # TYPE orders_total counter
      orders_total{venue="A\"\\\n",side="buy"} 3
      orders_total{venue="β"} 0
      # HELP level Level.
      # TYPE level gauge
      level -1

      """#)
}

@Test func `latencies are exposed as cumulative buckets in seconds`() {
  var histogram = LatencyHistogram(in: Arena(capacityBytes: 1 << 20))
  for value in [31, 32, 1_500_000_000, Int64(1) << 41] { histogram.record(value) }
  let snapshot = TelemetrySnapshot(latencies: [
    .init(
      name: "wait_seconds", help: "Waiting.",
      histograms: [([.init("stage", "ingest")], HistogramSnapshot(histogram))])
  ])
  let lines = snapshot.prometheusText.split(separator: "\n").map(String.init)
  #expect(
    lines.prefix(4) == [
      "# HELP wait_seconds Waiting.", "# TYPE wait_seconds histogram",
      "wait_seconds_bucket{stage=\"ingest\",le=\"0.000000031\"} 1",
      "wait_seconds_bucket{stage=\"ingest\",le=\"0.000000063\"} 2",
    ])
  #expect(
    lines.suffix(4) == [
      "wait_seconds_bucket{stage=\"ingest\",le=\"17.179869183\"} 3",
      "wait_seconds_bucket{stage=\"ingest\",le=\"+Inf\"} 4",
      "wait_seconds_sum{stage=\"ingest\"} 2200.523255615",
      "wait_seconds_count{stage=\"ingest\"} 4",
    ])
  #expect(lines.count == 2 + 30 + 3)
}

@Test(arguments: Seeds.brief)
func `cumulative counts are exact at their bounds`(seed: UInt64) {
  var random = SplitMix64(seed: seed)
  var histogram = LatencyHistogram(in: Arena(capacityBytes: 1 << 20))
  let values = (0..<2000).map { _ in Int64(random.next() >> UInt64(24 + random.below(40))) }
  for value in values { histogram.record(value) }
  for step in HistogramSnapshot(histogram).steps {
    #expect(step.count == UInt64(values.count { $0 <= step.bound }), "seed \(seed), bound \(step.bound)")
  }
}

@Test func `an engine's snapshot holds every metric and stage`() {
  let board = MetricBoard<EngineMetric>()
  var writer = MetricWriter(showingOn: board)
  writer.add(5, to: .messages)
  writer.publish()
  var clock = StageClock(in: Arena(capacityBytes: 2 << 20))
  clock.record(90, in: .sizing)
  var snapshot = TelemetrySnapshot()
  snapshot.append(board, labels: [.init("shard", "0")])
  snapshot.append(clock)
  let text = snapshot.prometheusText
  for metric in EngineMetric.allCases { #expect(text.contains("# TYPE \(metric.name) ")) }
  #expect(text.contains("martlet_messages_total{shard=\"0\"} 5\n"))
  #expect(text.contains("martlet_stage_latency_seconds_count{stage=\"sizing\"} 1\n"))
  #expect(text.contains("martlet_stage_latency_seconds_sum{stage=\"sizing\"} 0.00000009\n"))
  #expect(text.contains("martlet_tick_to_order_latency_seconds_count 0\n"))
}
