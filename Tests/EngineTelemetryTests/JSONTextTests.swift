// Goal: a program reads what was counted. Method: golden text, and a parser that is not ours for odd labels.
import EngineTelemetry
import Foundation
import LockFreeRings
import Testing

@Test func `a snapshot is one JSON object`() {
  var histogram = LatencyHistogram(in: Arena(capacityBytes: 1 << 20))
  for value in 1...1000 as ClosedRange<Int64> { histogram.record(value % 100) }
  var snapshot = TelemetrySnapshot()
  snapshot.metrics = [
    .init(
      name: "a_total", help: "A.", kind: .counter, samples: [.init(3, labels: [.init("x", "1"), .init("y", "2")])]),
    .init(name: "b", help: "B.", kind: .gauge, samples: [.init(-1)]),
  ]
  snapshot.latencies = [
    .init(
      name: "wait_seconds", help: "Waiting.", histograms: [([.init("stage", "ingest")], HistogramSnapshot(histogram))])
  ]
  // The values 0 to 99, ten times each: nine of ten are at most 89.
  #expect(
    snapshot.jsonText
      == #"{"metrics":[{"name":"a_total","kind":"counter","labels":{"x":"1","y":"2"},"value":3},"#
      + #"{"name":"b","kind":"gauge","labels":{},"value":-1}],"latencies":[{"name":"wait_seconds","labels":{"stage":"ingest"},"#
      + #""count":1000,"sum_ns":49500,"p50_ns":49,"p90_ns":89,"p99_ns":98,"p999_ns":null,"max_ns":99}]}"# + "\n")
  #expect(TelemetrySnapshot().jsonText == "{\"metrics\":[],\"latencies\":[]}\n")
}

@Test func `any label survives another parser`() throws {
  let value = "\"\\\n\u{0}\u{1F} é😀"
  let snapshot = TelemetrySnapshot(metrics: [
    .init(name: "a", help: "", kind: .gauge, samples: [.init(.min, labels: [.init("odd", value)])])
  ])
  let parsed = try JSONSerialization.jsonObject(with: Data(snapshot.jsonText.utf8)) as? [String: [[String: Any]]]
  let row = parsed?["metrics"]?.first
  #expect((row?["labels"] as? [String: String])?["odd"] == value)
  #expect((row?["value"] as? NSNumber)?.int64Value == .min)
}
