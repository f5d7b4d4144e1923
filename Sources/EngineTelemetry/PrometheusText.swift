extension TelemetrySnapshot {
  /// The content type of `prometheusText`.
  public static var prometheusContentType: String { "text/plain; version=0.0.4; charset=utf-8" }

  /// The snapshot in Prometheus' text format: metrics, then latencies as cumulative histograms in seconds.
  ///
  /// Bounds and sums are exact decimals. Off the hot path.
  ///
  /// - Source: Prometheus, "Exposition formats", text format 0.0.4.
  public var prometheusText: String {
    var text = ""
    for metric in metrics {
      text += Self.header(metric.name, help: metric.help, type: metric.kind == .counter ? "counter" : "gauge")
      for sample in metric.samples { text += "\(metric.name)\(Self.braces(sample.labels)) \(sample.value)\n" }
    }
    for latency in latencies {
      text += Self.header(latency.name, help: latency.help, type: "histogram")
      for (labels, histogram) in latency.histograms {
        for step in histogram.steps {
          let bound = Label("le", Self.seconds(UInt128(step.bound)))
          text += "\(latency.name)_bucket\(Self.braces(labels + [bound])) \(step.count)\n"
        }
        text += "\(latency.name)_bucket\(Self.braces(labels + [Label("le", "+Inf")])) \(histogram.count)\n"
        text += "\(latency.name)_sum\(Self.braces(labels)) \(Self.seconds(histogram.nanosecondsSum))\n"
        text += "\(latency.name)_count\(Self.braces(labels)) \(histogram.count)\n"
      }
    }
    return text
  }

  private static func header(_ name: String, help: String, type: String) -> String {
    "# HELP \(name) \(escaped(help, quotes: false))\n# TYPE \(name) \(type)\n"
  }

  private static func braces(_ labels: [Label]) -> String {
    guard !labels.isEmpty else { return "" }
    return "{" + labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",") + "}"
  }

  /// Backslash and line feed are escaped everywhere, the double quote in label values only.
  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Nanoseconds as a decimal number of seconds, exact.
  private static func seconds(_ nanoseconds: UInt128) -> String {
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    guard rest > 0 else { return "\(whole)" }
    var digits = String(rest)
    digits = String(repeating: "0", count: 9 - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return "\(whole).\(digits)"
  }
}
