// Goal: a program that reads the JSON finds every field of the contract with its type. Method: a real run of the whole bench over a
// small stream, read by a parser that is not ours.
import Foundation
import LockFreeRings
import ModelFixtures
import Testing

@testable import bench

/// A report over a stream of 20,000 messages, micro rows included.
private func makeReport() throws -> (report: BenchReport, curves: [PercentileCurve]) {
  try Bench.measure(
    BenchInput(messages: 20_000, symbols: 5, seed: 3), BenchArguments(["--seed", "3"]), effort: .brief,
    processors: ThreadConfiguration.allowedProcessors, notes: [], model: SmallEnsemble.artifact())
}

@Suite struct `The contract of bench's JSON` {
  @Test func `every field is there with its type, and every micro row runs`() throws {
    let (report, curves) = try makeReport()
    let root = try #require(
      try JSONSerialization.jsonObject(with: Data(report.json.document.utf8)) as? [String: Any])
    func object(_ name: String) throws -> [String: Any] { try #require(root[name] as? [String: Any], "\(name)") }
    func rows(_ name: String) throws -> [[String: Any]] { try #require(root[name] as? [[String: Any]], "\(name)") }
    func isNumberOrNull(_ value: Any?) -> Bool { value is NSNumber || value is NSNull }

    #expect(root["schema"] as? Int == 1 && root["seed"] as? UInt64 == 3)
    #expect((root["config_sha256"] as? String)?.count == 64 && (root["checksum"] as? String)?.count == 16)
    #expect(root["allocations_per_event"] is NSNumber && root["retains_per_event"] is NSNumber)
    #expect(try object("machine")["notes"] is [String])
    let input = try object("input")
    #expect(input["name"] is String && input["messages"] as? Int == 20_000)

    let counts = try object("counts")
    #expect(counts["messages"] as? Int == 20_000)
    let triggers = try #require(counts["triggers"] as? Int)
    #expect(triggers > 0 && counts["decisions"] as? Int == triggers)
    #expect(counts["orders"] is Int && counts["fills"] is Int && counts["rejects"] is [String: Int])

    let rates = try rows("rates")
    #expect(rates.count == 1 && rates[0]["offered"] as? Int == 100_000 && rates[0]["saturated"] is Bool)
    for field in ["achieved", "p50_ns", "p99_ns", "p999_ns", "max_ns"] { #expect(isNumberOrNull(rates[0][field])) }

    let latency = ["p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns", "slo_ns", "target_ns"]
    let stages = try rows("stages")
    #expect(
      stages.map { $0["name"] as? String } == [
        "ingest", "features", "inference", "regime", "sizing", "pretrade", "routing",
      ])
    for row in stages + [try object("end_to_end"), try object("tick_to_order")] {
      #expect(row["name"] is String && row["count"] is Int)
      for field in latency { #expect(isNumberOrNull(row[field]), "\(row["name"] ?? ""), \(field)") }
      #expect(row["count"] as? Int == 0 ? row["pass"] is NSNull : row["pass"] is Bool)
    }
    // A stage counts what reached it, so no stage counts more than the one before it.
    let reached = stages.compactMap { $0["count"] as? Int }
    #expect(reached[0] == report.stages[0].count && zip(reached, reached.dropFirst()).allSatisfy { $0 >= $1 })
    #expect(try object("end_to_end")["count"] as? Int == triggers)
    let throughput = try object("throughput")
    #expect(throughput["messages_per_s"] is NSNumber && throughput["ns_per_message"] is NSNumber)
    let hiccup = try object("hiccup")
    for field in ["p99_ns", "p999_ns", "max_ns"] { #expect(isNumberOrNull(hiccup[field])) }

    let micro = try rows("micro")
    for row in micro {
      #expect(row["name"] is String && ["ns", "items/s"].contains(row["unit"] as? String))
      #expect((row["p50"] as? Double ?? 0) > 0, "\(row)")
      for field in ["p90", "p99", "p999", "max", "min"] { #expect(isNumberOrNull(row[field])) }
    }
    let svg = PercentilePlot(title: "t", subtitle: input["name"] as? String ?? "", curves: curves).svg
    #expect(svg.contains(">ingest, 100 k/s<"))

    // The table has each row, and says nothing of those that nothing reached.
    let text = report.text
    for name in stages.compactMap({ $0["name"] as? String }) + micro.compactMap({ $0["name"] as? String }) {
      #expect(text.contains(name), "\(name)")
    }

    // Every micro row ran. Stream B takes seconds to make; the small model has no forest of 100 trees; a ring needs two processors.
    let expected = MicroBenchmarks.names.filter {
      !$0.hasSuffix(".B") && $0 != "inference.trees100"
        && (ThreadConfiguration.allowedProcessors.count > 1 || !$0.hasPrefix("ring"))
    }
    #expect(report.micro.map(\.name).sorted() == expected.sorted())
    #expect(Set(MicroBenchmarks.names).count == MicroBenchmarks.names.count)
  }
}
