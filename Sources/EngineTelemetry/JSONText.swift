extension TelemetrySnapshot {
  /// The snapshot as one JSON object, for programs that do not read Prometheus' format.
  ///
  /// `metrics` has an object a sample (`name`, `kind`, `labels`, `value`), `latencies` one a histogram (`name`, `labels`, `count`, `sum_ns`,
  /// `p50_ns`, `p90_ns`, `p99_ns`, `p999_ns`, `max_ns`); a percentile with too few values is null. Off the hot path.
  public var jsonText: String {
    var rows: [String] = []
    for metric in metrics {
      let kind = metric.kind == .counter ? "counter" : "gauge"
      for sample in metric.samples {
        rows.append(
          "{\"name\":\(Self.quoted(metric.name)),\"kind\":\"\(kind)\",\"labels\":\(Self.object(sample.labels)),"
            + "\"value\":\(sample.value)}")
      }
    }
    var families: [String] = []
    for latency in latencies {
      for (labels, histogram) in latency.histograms {
        func number(_ value: Int64?) -> String { value.map { "\($0)" } ?? "null" }
        families.append(
          "{\"name\":\(Self.quoted(latency.name)),\"labels\":\(Self.object(labels)),\"count\":\(histogram.count),"
            + "\"sum_ns\":\(histogram.nanosecondsSum),\"p50_ns\":\(number(histogram.p50)),\"p90_ns\":\(number(histogram.p90)),"
            + "\"p99_ns\":\(number(histogram.p99)),\"p999_ns\":\(number(histogram.p999)),"
            + "\"max_ns\":\(number(histogram.nanosecondsMax))}")
      }
    }
    return "{\"metrics\":[\(rows.joined(separator: ","))],\"latencies\":[\(families.joined(separator: ","))]}\n"
  }

  private static func object(_ labels: [Label]) -> String {
    "{" + labels.map { "\(quoted($0.name)):\(quoted($0.value))" }.joined(separator: ",") + "}"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\":
        result += "\\"
        result.unicodeScalars.append(scalar)
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
