// Goal: `martlet book --feed league` generates, reads and hashes one stream. Method: the tool as a child process, against the generator and the slow
// book of this package.

import FixtureStreams
import Foundation
import TestSupport
import Testing
import TradingTypes

@Suite(.enabled(if: Tool.url != nil, needsTool)) struct LeagueBookTests {
  private let generated = ["book", "--feed", "league", "--seed", "7", "--messages", "3000"]

  @Test func `a generated stream and the same from a file give the same rows and summary`() throws {
    let folder = try Folder()
    let bytes = LeagueStream.packed(seed: 7, messages: 3_000)
    let read = ["book", "--feed", "league", "--input", try folder.write(bytes, "league.bin")]
    for more in [["--summary"], ["--levels", "3", "--every", "100"], ["--only-changes", "--levels", "1"]] {
      let (one, two) = (try Tool.run(generated + more), try Tool.run(read + more))
      #expect(one.code == 0 && one.error.isEmpty && one.output == two.output, "\(more): \(one.error)\(two.error)")
    }
    let summary = try Tool.run(generated + ["--summary"]).object()
    var hash = SHA256()
    hash.combine(bytes)
    #expect(summary["sha256"] as? String == hash.hex)
    #expect(summary["messages"] as? Int == 3_000 && summary["crossed"] as? Int == 0)
    let types = try #require(summary["by_type"] as? [String: Int])
    #expect(Set(types.keys) == ["add", "modify", "delete"] && types.values.reduce(0, +) == 3_000)
  }

  @Test func `rows hold the best levels of a slow book, at the stream's own times`() throws {
    let outcome = try Tool.run(generated + ["--levels", "1"])
    var orders: [Int64: LeagueStream.Record] = [:]
    var stream = LeagueStream(seed: 7, messages: 3_000)
    var expected: [String] = []
    var bestChanges = 0
    while let record = stream.next() {
      orders[record.order] = record.action == .delete ? nil : record
      func level(_ side: Side) -> String {
        let prices = orders.values.filter { $0.side == side }.map(\.priceTicks)
        guard let best = side == .buy ? prices.max() : prices.min() else { return ",," }
        let there = orders.values.filter { $0.side == side && $0.priceTicks == best }
        return String(
          format: "%d.%02d,%d,%d", best / 100, best % 100, there.map { Int($0.quantity) }.reduce(0, +), there.count)
      }
      let row = level(.buy) + "," + level(.sell)
      let last = expected.last?.split(separator: ",", maxSplits: 3, omittingEmptySubsequences: false)[3]
      // Counts apart, as a change of the best is one of price or size.
      func touch(_ row: Substring) -> [Substring] {
        let fields = row.split(separator: ",", omittingEmptySubsequences: false)
        return [0, 1, 3, 4].map { fields[$0] }
      }
      if let last, touch(last) != touch(row[...]) { bestChanges += 1 }
      expected.append("\(expected.count + 1),\(1_700_000_000_000_000_000 + expected.count * 10_000),LEAGUE,\(row)")
    }
    #expect(outcome.lines.dropFirst().map(String.init) == expected)
    let summary = try Tool.run(generated + ["--summary"]).object()
    #expect(summary["best_changes"] as? Int == bestChanges)
  }

  @Test func `what does not fit together is refused in one line`() throws {
    for arguments in [
      ["book", "--feed", "itch50", "--input", "x", "--seed", "1"],
      ["book", "--feed", "league", "--input", "x", "--messages", "1"],
      ["book", "--feed", "league"], ["replay", "--feed", "league", "--input", "x"],
    ] {
      let outcome = try Tool.run(arguments)
      #expect(outcome.code == 2 && outcome.errorLines.count == 1, "\(arguments): \(outcome.error)")
    }
    let folder = try Folder()
    let cut = try folder.write(Array(LeagueStream.packed(messages: 10).dropLast(4)), "cut.bin")
    let warned = try Tool.run(["book", "--feed", "league", "--input", cut, "--summary"])
    #expect(warned.code == 0 && warned.error.contains("offset 162") && warned.error.contains("14 bytes"))
    #expect(try warned.object()["truncated_bytes"] as? Int == 14)
    #expect(try Tool.run(["book", "--feed", "league", "--input", cut, "--strict"]).code == 2)
  }
}
