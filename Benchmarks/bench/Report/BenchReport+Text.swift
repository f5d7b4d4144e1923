extension BenchReport {
  /// The report as bench prints it.
  var text: String {
    var text = machine.text + "\n"
    text += "input       \(input.name), \(Readable.count(input.messages)) messages, seed \(seed)\n"
    text += "config      \(configurationSHA256)\n"
    if hiccup != Hiccup() {
      text += "hiccups     p99 \(Readable.time(hiccup.p99)), p99.9 \(Readable.time(hiccup.p999)), "
      text += "max \(Readable.time(hiccup.max)): how long this machine stops a thread that only looks at the clock\n"
    }
    text += "\n"
    if !objectiveRows.isEmpty { text += stageTable + "\n" }
    if !rates.isEmpty { text += rateTable + "\n" }
    if !micro.isEmpty { text += microTable + "\n" }
    if counts != Counts() { text += countLines }
    if let throughput {
      text += "throughput  \(Readable.rate(throughput.messagesPerSecond)), "
      text += "\(Readable.time(throughput.nanoseconds)) a message, timing off\n"
    }
    // Only the passes over the engine have these.
    if throughput != nil {
      text += "allocations \(JSONValue.real(allocationsPerEvent).compact) an event, "
      text += "retains \(JSONValue.real(retainsPerEvent).compact) an event\n"
      text += "checksum    \(checksum)\n"
    }
    return text + objectivesText
  }

  private var stageTable: String {
    var table = TextTable([
      ("stage", .left), ("count", .right), ("p50", .right), ("p90", .right), ("p99", .right), ("p99.9", .right),
      ("max", .right), ("SLO p99", .right), ("target p50 / p99 / p99.9", .right), ("target", .left), ("SLO", .left),
    ])
    for row in objectiveRows {
      let objective = row.objective
      let targets = [objective?.targetP50, objective?.targetP99, objective?.targetP999].map(Readable.time)
      table.append([
        row.name, Readable.count(row.count), Readable.time(row.p50), Readable.time(row.p90), Readable.time(row.p99),
        Readable.time(row.p999), Readable.time(row.max), objective.map { "< " + Readable.time($0.slo) } ?? "–",
        targets.joined(separator: " / "), row.targetText,
        row.passes.map { $0 ? "pass" : "FAIL" } ?? "–",
      ])
    }
    return table.text
  }

  private var rateTable: String {
    var table = TextTable([
      ("offered", .right), ("achieved", .right), ("saturated", .left), ("p50", .right), ("p99", .right),
      ("p99.9", .right),
      ("max", .right),
    ])
    for row in rates {
      table.append([
        Readable.rate(Double(row.offered)), Readable.rate(row.achieved), row.isSaturated ? "yes" : "no",
        Readable.time(row.p50), Readable.time(row.p99), Readable.time(row.p999), Readable.time(row.max),
      ])
    }
    return table.text
  }

  private var microTable: String {
    var table = TextTable([
      ("micro", .left), ("min", .right), ("p50", .right), ("p90", .right), ("p99", .right), ("p99.9", .right),
      ("max", .right),
    ])
    for row in micro {
      func cell(_ value: Double?) -> String {
        value.map { row.unit == "ns" ? Readable.time($0) : Readable.rate($0) } ?? "–"
      }
      table.append([
        row.name, cell(row.min), cell(row.p50), cell(row.p90), cell(row.p99), cell(row.p999), cell(row.max),
      ])
    }
    return table.text
  }

  private var countLines: String {
    var text = "counts      \(Readable.count(counts.messages)) messages, \(Readable.count(counts.triggers)) triggers, "
    text += "\(Readable.count(counts.decisions)) decisions, \(Readable.count(counts.orders)) orders, "
    text += "\(Readable.count(counts.fills)) fills\n"
    if !counts.rejects.isEmpty {
      text +=
        "rejects     " + counts.rejects.map { "\($0.code) \(Readable.count($0.count))" }.joined(separator: ", ") + "\n"
    }
    return text
  }
}
