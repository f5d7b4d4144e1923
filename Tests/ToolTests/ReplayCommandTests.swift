// Goal: `martlet replay` and `martlet features` repeat themselves byte for byte, and the journal holds what the summary counts.
// Method: the tool as a child process over a generated day; the journal is read by the library's own reader.

import EventJournal
import Foundation
import MarketIngest
import SignalFeatures
import TestSupport
import Testing
import TradingEngine
import TradingTypes

@Suite(.enabled(if: Tool.url != nil, needsTool)) struct ReplayCommandTests {
  // Each bar costs the built-in model a row: unoptimised, those of a minute are most of a run.
  private static let configuration = """
    {"bars": {"primary_s": 600}, "capacity": {"resting_orders": 8192, "window_ticks": 256, "open_orders": 256}}
    """

  /// What the tool says of the day, run once.
  private static let plain = Result {
    let folder = try Folder()
    return try Tool.run(day(folder))
  }

  private static func day(_ folder: Folder) throws -> [String] {
    let path = try folder.write(Fixture.bytes, "day.itch50")
    let configuration = try folder.write(Array(Self.configuration.utf8), "engine.json")
    return ["replay", "--feed", "itch50", "--input", path, "--config", configuration]
  }

  @Test func `the summary adds up and repeats`() throws {
    let folder = try Folder()
    let arguments = try Self.day(folder)
    let outcome = try Self.plain.get()
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    #expect(try Tool.run(arguments).output == outcome.output)
    let summary = try outcome.object()
    let stages = try #require(summary["stages"] as? [String: Int])
    #expect(Set(stages.keys) == ["ingest", "features", "inference", "regime", "sizing", "pretrade", "routing"])
    let verdicts = try #require(summary["verdicts"] as? [String: Int])
    let (triggers, decisions) = (summary["triggers"] as? Int, summary["decisions"] as? Int)
    #expect(triggers == decisions && triggers == verdicts.values.reduce(0, +))
    #expect(stages["ingest"] == Fixture.messages && stages["features"] == triggers)
    let order = ["ingest", "features", "inference", "regime", "sizing", "pretrade", "routing"].compactMap { stages[$0] }
    #expect(order == order.sorted(by: >) && (order.last ?? 0) > 0)
    #expect((summary["rejects"] as? [String: Int])?.values.reduce(0, +) == verdicts["rejected"])
    #expect((summary["state_hash"] as? String)?.count == 64 && (summary["decision_checksum"] as? String)?.count == 16)
    #expect(summary["timing"] == nil)
    // Profit is what its parts say, to the cent they are printed in.
    func money(_ name: String) throws -> Money {
      try #require((summary[name] as? String).flatMap { Money(decimal: $0) })
    }
    #expect(try money("profit") == money("realised") + money("unrealised") - money("fees"))

    let timed = try Tool.run(arguments + ["--timing"]).object()
    let timing = try #require(timed["timing"] as? [String: [String: Any]])
    #expect(
      timing["ingest"]?["count"] as? Int == Fixture.messages && timing["end_to_end"]?["count"] as? Int == triggers)
    #expect(timed["decision_checksum"] as? String == summary["decision_checksum"] as? String)
  }

  @Test func `a journal verifies clean and holds what the summary counts`() throws {
    let folder = try Folder()
    let arguments = try Self.day(folder)
    let directory = folder.file("journal").path
    let outcome = try Tool.run(arguments + ["--journal", directory])
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(try Self.plain.get().output == outcome.output)
    let summary = try outcome.object()
    #expect(try JournalReader.verify(directory: directory).end == .clean)
    var counts: [UInt16: Int] = [:]
    var fills = 0
    var sized = 0
    var checksum = FNV1a64()
    let report = try JournalReader.replay(directory: directory) { header, payload in
      counts[header.type, default: 0] += 1
      let bytes = ByteView(payload)
      func hash(_ places: Range<Int>) { for place in places { checksum.combine(bytes.byte(at: place)) } }
      switch JournalRecord(rawValue: header.type) {
      case .decision:
        // In memory: sequence, time, price, quantity, then instrument, verdict, check and side. An enumeration stands as the
        // place of its case, and verdicts count from 1.
        hash(0..<16)
        hash(32..<36)
        let verdict = DecisionVerdict(rawValue: UInt16(bytes.byte(at: 36)) + 1)
        sized += [.noSignal, .belowConfidence].contains(verdict) ? 0 : 1
        checksum.combine(UInt16(bytes.byte(at: 36)) + 1)
        hash(38..<41)
        hash(16..<32)
      case .childOrder:
        // Numbers of child and parent, time, then price, quantity, instrument, venue.
        hash(44..<46)
        hash(24..<40)
      case .execution:
        // The second case is a fill.
        if bytes.byte(at: 55) == 1 { fills += 1 }
      case .sizing:
        #expect(SizedDecision(journalPayload: payload) != nil)
      case .limitUse, .modelSwap, .refit, nil: Issue.record("a record of type \(header.type)")
      }
    }
    #expect(report.end == .clean && Int(report.lastSequence) == counts.values.reduce(0, +))
    #expect(counts[JournalRecord.decision.rawValue] == summary["decisions"] as? Int)
    // Every decision that got as far as stage 5 has its size before it.
    #expect(counts[JournalRecord.sizing.rawValue, default: 0] == sized && sized > 0)
    #expect(counts[JournalRecord.childOrder.rawValue] == summary["orders"] as? Int)
    #expect(fills == summary["fills"] as? Int && fills > 0)
    // The decisions of the journal are those of the run.
    #expect(checksum.hex == summary["decision_checksum"] as? String)
    // A folder that holds something is not written to.
    let again = try Tool.run(arguments + ["--journal", directory])
    #expect(again.code == 2 && again.errorLines.count == 1)
    let both = try Tool.run(arguments + ["--timing", "--journal", folder.file("second").path]).object()
    #expect(both["timing"] != nil)
  }

  @Test func `a sharded day's grants are repeated from its journal, and a wrong journal is refused`() throws {
    let folder = try Folder()
    let day = try folder.write(Fixture.bytes, "day.itch50")
    func configuration(_ name: String, _ topology: String, grossMax: Int) throws -> [String] {
      let text = """
        {"bars": {"primary_s": 600}, "capacity": {"resting_orders": 8192, "window_ticks": 256, "open_orders": 256},
         "limits": {"firm_gross_max": \(grossMax)}, "topology": \(topology)}
        """
      let path = try folder.write(Array(text.utf8), name)
      return ["replay", "--feed", "itch50", "--input", day, "--config", path]
    }
    let arguments = try configuration("sharded.json", #"{"layout": "sharded", "shards": 3}"#, grossMax: 20_000)
    let (first, second) = (folder.file("first").path, folder.file("second").path)
    let recorded = try Tool.run(arguments + ["--journal", first])
    #expect(recorded.code == 0, "\(recorded.error)")
    let repeated = try Tool.run(arguments + ["--repeat-grants", first])
    #expect(repeated.code == 0 && repeated.output == recorded.output, "\(repeated.error)")
    // The replay's own journal is the same record.
    let again = try Tool.run(arguments + ["--repeat-grants", first, "--journal", second])
    #expect(again.output == recorded.output)
    let uses = try LimitUse.recorded(inJournal: first)
    #expect(try LimitUse.recorded(inJournal: second) == uses)
    #expect(Set(uses.map(\.number)) == [0, 1])
    #expect(uses.contains { !$0.isGranted } && uses.contains { $0.isGranted && $0.amount > 0 })

    // Another limit grants something else: the record is left, and the line says at which ticket.
    let other = try configuration("wide.json", #"{"layout": "sharded", "shards": 3}"#, grossMax: 4_000_000)
    let diverged = try Tool.run(other + ["--repeat-grants", first])
    #expect(diverged.code == 1 && diverged.errorLines.count == 1 && diverged.error.contains("ticket"))
    let inline = try configuration("inline.json", #"{"layout": "inline"}"#, grossMax: 20_000)
    let noShards = try Tool.run(inline + ["--repeat-grants", first])
    #expect(noShards.code == 2 && noShards.error.contains("sharded expected with --repeat-grants"))
    let plain = folder.file("plain").path
    #expect(try Tool.run(inline + ["--journal", plain]).code == 0)
    let noUses = try Tool.run(arguments + ["--repeat-grants", plain])
    #expect(noUses.code == 2 && noUses.error.contains("no use of a shared limit found"))
    let missing = try Tool.run(arguments + ["--repeat-grants", folder.file("none").path])
    #expect(missing.code == 2 && missing.errorLines.count == 1)
  }

  @Test func `the printed configuration reads back and changes nothing`() throws {
    let folder = try Folder()
    let printed = try Tool.run(["replay", "--print-config"])
    #expect(printed.code == 0 && printed.text == EngineConfiguration().json)
    let path = try folder.write([UInt8](printed.output), "built-in.json")
    let again = try Tool.run(["replay", "--print-config", "--config", path])
    #expect(again.output == printed.output)
    let bad = try folder.write(Array("{\n\"mode\": \"bold\"}".utf8), "bad.json")
    let refused = try Tool.run(["replay", "--print-config", "--config", bad])
    #expect(refused.code == 2 && refused.errorLines.count == 1)
    #expect(refused.error.contains("bad.json: line 2, column 9: mode"))
    let missing = try Tool.run(["replay", "--print-config", "--config", folder.file("none.json").path])
    #expect(missing.code == 2 && missing.errorLines.count == 1)
  }

  // MARK: - Features

  @Test func `features repeat, and their header is the catalogue`() throws {
    let folder = try Folder()
    let path = try folder.write(Fixture.bytes, "day.itch50")
    let arguments = [
      "features", "--feed", "itch50", "--input", path, "--symbol", "AAAA", "--every", "25", "--bar", "1s,5m",
    ]
    let outcome = try Tool.run(arguments)
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    #expect(try Tool.run(arguments).output == outcome.output)
    let header = try #require(outcome.lines.first).split(separator: ",").map(String.init)
    let slots = FeatureSlot.allCases.map(\.name)
    #expect(Array(header.prefix(slots.count + 1)) == ["timestamp_ns"] + slots)
    #expect(header.last == "valid_mask")
    let frames = header.dropFirst(slots.count + 1).dropLast()
    #expect(!frames.isEmpty && frames.count % 2 == 0)
    #expect(frames.prefix(frames.count / 2).allSatisfy { $0.hasSuffix("@1s") })
    #expect(frames.suffix(frames.count / 2).allSatisfy { $0.hasSuffix("@5m") })
    #expect(outcome.lines.count > 50)
    for line in outcome.lines.dropFirst() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      #expect(fields.count == header.count)
      #expect(fields.last?.count == 24)
      #expect(!line.contains("nan") && !line.contains("inf"))
    }
    // Without further timeframes the first columns are the same.
    let plain = try Tool.run(Array(arguments.dropLast(2)))
    let short = plain.lines.map { $0.split(separator: ",", omittingEmptySubsequences: false).prefix(slots.count + 1) }
    let long = outcome.lines.map { $0.split(separator: ",", omittingEmptySubsequences: false).prefix(slots.count + 1) }
    #expect(short == long)
  }

  @Test func `bars of a file give the bar slots, a row a bar`() throws {
    let folder = try Folder()
    var random = SplitMix64(seed: 5)
    var text = "date,open,high,low,close,volume\n"
    var close: Int64 = 10_000
    func price(_ cents: Int64) -> String { "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)" }
    for day in 0..<60 {
      let open = close
      close += Int64(random.below(201)) - 100
      let (high, low) = (max(open, close) + Int64(random.below(50)), min(open, close) - Int64(random.below(50)))
      text += "day-\(day),\(price(open)),\(price(high)),\(price(low)),\(price(close)),\(1_000 + random.below(9_000))\n"
    }
    let path = try folder.write(Array(text.utf8), "bars.csv")
    let outcome = try Tool.run(["features", "--bars", path])
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    #expect(try Tool.run(["features", "--bars", path]).output == outcome.output)
    let header = try #require(outcome.lines.first).split(separator: ",")
    #expect(header.first == "date" && header.last == "valid_mask" && header.contains { $0 == FeatureSlot.rsi14.name })
    #expect(outcome.lines.count == 61)
    #expect(outcome.lines.dropFirst().enumerated().allSatisfy { $0.element.hasPrefix("day-\($0.offset),") })
    // Every seventh row is what it is among all.
    let some = try Tool.run(["features", "--bars", path, "--every", "7"])
    #expect(some.code == 0 && some.lines.dropFirst().elementsEqual((1...8).map { outcome.lines[7 * $0] }))
    let image = folder.file("same.svg").path
    for options in [
      ["--symbol", "GOOG"], ["--bar", "1s"], ["--context", path], ["--date", "2024-01-31"], ["--every", "0"],
      ["--plot", image, "--output", folder.url.path + "/./same.svg"],
    ] {
      let refused = try Tool.run(["features", "--bars", path] + options)
      #expect(refused.code == 2 && refused.errorLines.count == 1 && refused.output.isEmpty, "\(options)")
      #expect(refused.error.contains(options[0]), "\(options): \(refused.error)")
    }
    #expect(!FileManager.default.fileExists(atPath: image))
    for (bad, expected) in [
      ("date,open,high,low,close\n", "line 1"), ("date,open,high,low,close,volume\nd,1,2,3,1,5\n", "line 2"),
      ("date,open,high,low,close,volume\nd,1,2,0,1,5\n", "line 2"),
      ("date,open,high,low,close,volume\nd,1,2,1,1,-5\n", "volume"),
      ("", "line 1"),
    ] {
      let refused = try Tool.run(["features", "--bars", try folder.write(Array(bad.utf8), "bad.csv")])
      #expect(
        refused.code == 2 && refused.errorLines.count == 1 && refused.error.contains(expected),
        "\(bad): \(refused.error)")
    }
  }
}
