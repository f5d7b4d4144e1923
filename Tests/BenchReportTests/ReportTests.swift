// Goal: programs read the JSON, people read the tables, both say what was measured. Method: golden texts of a made-up report,
// a parser that is not ours, and bounds on measured parts.
import EngineTelemetry
import Foundation
import LockFreeRings
import Testing
import TradingTypes

@testable import bench

private func histogram(_ values: [Int64], in arena: Arena = Arena(capacityBytes: 1 << 20)) -> LatencyHistogram {
  var histogram = LatencyHistogram(in: arena)
  for value in values { histogram.record(value) }
  return histogram
}

private func sample() -> BenchReport {
  var report = BenchReport(
    machine: MachineDescription(clock: TickClock(calibratingFor: 1), notes: ["a \"note\""]),
    configurationSHA256: "c0ffee",
    seed: .max, input: .init(name: "fixture", messages: 1000), checksum: "0123456789abcdef")
  report.counts = .init(
    messages: 1000, triggers: 500, decisions: 500, orders: 7, fills: 6,
    rejects: [.init(code: "tick", count: 2), .init(code: "lot", count: 1)])
  report.rates = [RateRow(offered: 100_000, achieved: 98_999.96, endToEnd: histogram([5000]))]
  report.stages = [LatencyRow("ingest", histogram(Array(1...1000)))]
  report.endToEnd = LatencyRow("end_to_end", histogram([]))
  report.tickToOrder = LatencyRow("tick_to_order", histogram([300_000_000]))
  report.throughput = .init(messagesPerSecond: 5_000_000.4, nanoseconds: 199.999)
  report.allocationsPerEvent = 0
  report.retainsPerEvent = 0.5
  report.hiccup = .init(p99: 30, p999: 40, max: 1_000_000)
  report.micro = [MicroRow(name: "policy.read", unit: "ns", min: 0.7, p50: 0.77, p99: 1)]
  return report
}

@Suite struct `Report of bench` {
  @Test func `the fields stand in the order of the contract`() {
    guard case .object(let fields) = sample().json else {
      Issue.record("a report is an object")
      return
    }
    #expect(
      fields.map(\.name) == [
        "schema", "machine", "config_sha256", "seed", "input", "counts", "rates", "retains_per_event", "stages",
        "end_to_end",
        "tick_to_order", "throughput", "allocations_per_event", "hiccup", "micro", "checksum",
      ])
    let texts = Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value.compact) })
    #expect(texts["seed"] == "18446744073709551615")
    #expect(
      texts["counts"]
        == #"{"messages": 1000, "triggers": 500, "decisions": 500, "orders": 7, "fills": 6, "rejects": {"tick": 2, "lot": 1}}"#
    )
    #expect(
      texts["rates"]
        == #"[{"offered": 100000, "achieved": 99000, "saturated": true, "p50_ns": null, "p99_ns": null, "p999_ns": null, "max_ns": 5000}]"#
    )
    #expect(
      texts["stages"]
        == #"[{"name": "ingest", "count": 1000, "p50_ns": 501, "p90_ns": 903, "p99_ns": 991, "p999_ns": null, "max_ns": 1000, "slo_ns": 10000000, "target_ns": 300, "pass": true}]"#
    )
    #expect(
      texts["end_to_end"]
        == #"{"name": "end_to_end", "count": 0, "p50_ns": null, "p90_ns": null, "p99_ns": null, "p999_ns": null, "max_ns": null, "slo_ns": 200000000, "target_ns": 8000, "pass": null}"#
    )
    #expect(texts["throughput"] == #"{"messages_per_s": 5000000, "ns_per_message": 200}"#)
    #expect(texts["retains_per_event"] == "0.5" && texts["allocations_per_event"] == "0")
    #expect(
      texts["micro"]
        == #"[{"name": "policy.read", "unit": "ns", "p50": 0.77, "p90": null, "p99": 1, "p999": null, "max": null, "min": 0.7}]"#
    )
  }

  @Test func `another parser reads the document`() throws {
    let parsed = try JSONSerialization.jsonObject(with: Data(sample().json.document.utf8)) as? [String: Any]
    let machine = parsed?["machine"] as? [String: Any]
    #expect(machine?["notes"] as? [String] == ["a \"note\""])
    #expect((machine?["cores"] as? Int ?? 0) > 0)
    #expect(parsed?["checksum"] as? String == "0123456789abcdef")
  }

  @Test func `odd text and numbers stay valid JSON`() throws {
    let text = "\"\\\n\r\t\u{1}\u{1F}é😀"
    let value = JSONValue.object([
      .init(text, .array([.text(text), .real(.nan), .real(-0.5), .real(1e300), .bool(false), .null]))
    ])
    let parsed = try JSONSerialization.jsonObject(with: Data(value.document.utf8)) as? [String: [Any]]
    #expect(parsed?[text]?[0] as? String == text)
    #expect(parsed?[text]?[1] is NSNull)
    #expect(parsed?[text]?[2] as? Double == -0.5 && parsed?[text]?[3] as? Double == 1e300)
    #expect(JSONValue.array([]).document == "[]\n" && JSONValue.object([]).compact == "{}")
  }

  @Test func `a breached objective is named, and a missing p99 is judged by the largest value`() {
    let report = sample()
    #expect(report.breaches == ["tick_to_order"])
    #expect(
      report.text.contains("objectives  BREACHED: tick_to_order; NOT MEASURED, nothing got there: end_to_end\n"))
    let gate = LatencyRow("pretrade", histogram(Array(repeating: 49_000, count: 999) + [90_000]))
    #expect(gate.passes == true && gate.missedTargets == ["p50", "p99"])
    #expect(LatencyRow("pretrade", histogram([50_000])).passes == false)
    #expect(LatencyRow("unheard.of", histogram([50_000])).passes == nil)
  }

  @Test func `a row that nothing reached is neither met nor passed`() {
    var report = sample()
    let empty = LatencyRow("end_to_end", histogram([]))
    #expect(empty.passes == nil && empty.missedTargets.isEmpty && empty.targetText == "–")
    let line = report.text.split(separator: "\n").first { $0.hasPrefix("end_to_end") } ?? ""
    #expect(!line.contains("met") && !line.contains("pass") && line.hasSuffix("–"), "\(line)")
    report.tickToOrder = nil
    #expect(report.breaches.isEmpty && report.unmeasured == ["end_to_end"])
    #expect(!report.text.contains("all met"))
    report.keep { $0 == "ingest" }
    #expect(report.endToEnd == nil && report.text.contains("objectives  all met\n"))
    report.keep { _ in false }
    #expect(report.objectiveRows.isEmpty && !report.text.contains("objectives"))
    // Few values: only what can be judged is called met.
    #expect(LatencyRow("ingest", histogram(Array(repeating: 20, count: 30))).targetText == "met: p50")
    #expect(LatencyRow("ingest", histogram(Array(repeating: 20, count: 10_000))).targetText == "met")
  }

  @Test func `every stage has an objective and each is in order`() {
    #expect(Objective.all.map(\.name) == PipelineStage.allCases.map(\.name) + ["end_to_end", "tick_to_order"])
    for objective in Objective.all {
      #expect(
        objective.targetP50 < objective.targetP99 && objective.targetP99 < objective.targetP999, "\(objective.name)")
      #expect(objective.targetP999 < objective.slo, "\(objective.name)")
      #expect(objective.publishedP99.map { $0 < objective.slo } ?? true, "\(objective.name)")
    }
  }

  @Test(arguments: [
    (0.0, "0 ns"), (0.77, "0.77 ns"), (85, "85 ns"), (999.4, "999 ns"), (999.6, "1 µs"), (1250, "1.25 µs"),
    (42_000, "42 µs"),
    (99_960, "100 µs"), (9_996, "10 µs"), (187e6, "187 ms"), (1.5e9, "1.5 s"), (123e9, "123 s"), (-1250, "-1.25 µs"),
  ])
  func `times are read at a glance`(nanoseconds: Double, text: String) { #expect(Readable.time(nanoseconds) == text) }

  @Test func `counts and rates are read at a glance`() {
    #expect(Readable.count(0) == "0" && Readable.count(999) == "999" && Readable.count(1_234_567) == "1,234,567")
    #expect(
      Readable.rate(5_120_000) == "5.12 M/s" && Readable.rate(12) == "12 /s" && Readable.rate(100_000) == "100 k/s")
  }

  @Test func `columns line up`() {
    var table = TextTable([("name", .left), ("n", .right)])
    table.append(["µ", "1"])
    table.append(["longer", "1000"])
    #expect(table.text == "name       n\n------  ----\nµ          1\nlonger  1000\n")
  }

  @Test func `the plot is well-formed and has a curve for each row`() throws {
    var random = SplitMix64(seed: 7)
    let values = (0..<20_000).map { _ in Int64(random.next() >> UInt64(40 + random.below(20))) }
    let plot = PercentilePlot(
      title: "A < B & \"C\"", subtitle: "machine",
      curves: [PercentileCurve("ingest", histogram(values)), PercentileCurve("empty", histogram([]))])
    let svg = plot.svg
    #expect(svg.contains("A &lt; B &amp; &quot;C&quot;") && svg.contains(">ingest<") && !svg.contains(">empty<"))
    #expect(svg.components(separatedBy: "<polyline").count == 2 && svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
    #expect(svg.contains(">99.9 %<") && svg == plot.svg && !svg.contains("nan") && !svg.contains("inf"))
    let curve = PercentileCurve("ingest", histogram(values))
    // 20,000 values: ten lie above odds of 2,000, which is step 33 of ten a decade.
    #expect(curve.points.count == 34)
    #expect(
      zip(curve.points, curve.points.dropFirst()).allSatisfy { $0.nanoseconds <= $1.nanoseconds && $0.odds < $1.odds })
    #expect(PercentilePlot(title: "", subtitle: "", curves: []).svg.contains("nothing was measured"))
  }

  @Test func `messages are due at equal distances and none before its time`() {
    let clock = TickClock(calibratingFor: 2)
    for rate in [Int64(1), 7, 100_000, 1_000_000_000] {
      let pacer = OpenLoopPacer(clock: clock, rate: rate, start: 1000)
      #expect(pacer.due(0) == 1000)
      for index in [UInt64(1), 1000, 100_000_000] {
        let ticks = Double(pacer.due(index) - 1000)
        #expect(
          abs(ticks - Double(index) * clock.ticksPerSecond / Double(rate)) <= 1 + Double(index) * 1e-6,
          "\(rate), \(index)")
      }
    }
    let pacer = OpenLoopPacer(clock: clock, rate: 100_000, startingIn: 100_000)
    for index in 0..<100 as Range<UInt64> {
      let due = pacer.wait(for: index)
      #expect(clock.now() >= due && due == pacer.due(index))
      let isDue = pacer.isDue(index)
      #expect(isDue)
    }
    #expect(!pacer.isDue(1_000_000_000))
    // A hundred messages take a millisecond at least; a slow machine takes longer, never less.
    #expect(pacer.achieved(messages: 100, until: clock.now()) <= 101_100)
    #expect(pacer.achieved(messages: 100, until: pacer.due(100)).rounded() == 100_000)
  }

  @Test func `the hiccup baseline lasts as long as asked and keeps every gap`() {
    let clock = TickClock(calibratingFor: 2)
    var gaps = histogram([])
    let start = clock.now()
    HiccupBaseline.measure(seconds: 0.05, clock: clock, into: &gaps)
    let taken = clock.nanoseconds(from: start, to: clock.now())
    let sum = Int64(gaps.nanosecondsSum)
    #expect(taken >= 50_000_000 && sum <= taken && sum >= 40_000_000)
    let hiccup = BenchReport.Hiccup(gaps)
    #expect(hiccup.max != nil && hiccup.p99! <= hiccup.max!)
  }

  @Test func `the machine is described`() {
    let machine = MachineDescription(
      clock: TickClock(calibratingFor: 1), pinnedProcessor: 0, notes: ["numa: first touch"])
    #expect(!machine.processor.isEmpty && !machine.kernel.isEmpty && machine.memoryBytes > 0)
    #expect(machine.configuration == (OptimisedRestart.isDebug ? "debug" : "release"))
    #expect(machine.text.contains("pinned to processor 0") && machine.text.contains("note        numa: first touch"))
  }
}
