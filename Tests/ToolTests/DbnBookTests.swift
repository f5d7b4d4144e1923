// Goal: `martlet book --feed dbn` counts and keeps the books of a real day of order records. Method: the tool as a child process over the shared file;
// the counts are those that the table of the files states, the levels those of the exchange's own increments.

import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: Tool.url != nil, needsTool)) struct DbnBookTests {
  static let day = "data/cme-mbo-dbn/esh4_20231225.mbo.dbn"

  @Test(.enabled(if: SharedData.file(day) != nil, "the shared market data are not there"))
  func `a real day of orders has its stated messages, and no order is unknown`() throws {
    let path = SharedData.file(Self.day)!.path
    let outcome = try Tool.run(["book", "--feed", "dbn", "--input", path, "--summary"])
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    let summary = try outcome.object()
    #expect(summary["messages"] as? Int == 68_792 && summary["unknown_orders"] as? Int == 0)
    let types = try #require(summary["by_type"] as? [String: Int])
    #expect(types == ["A": 29_216, "C": 17_999, "M": 12_233, "F": 6_371, "T": 2_973])
    let rows = try Tool.run(["book", "--feed", "dbn", "--input", path, "--levels", "3", "--every", "5000"])
    let fields = rows.lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(fields.count > 10 && fields.allSatisfy { $0.count == 21 && $0[2] == "ESH4" })
    // Nine decimals, quarters of a point.
    for row in fields where !row[3].isEmpty {
      #expect([".000000000", ".250000000", ".500000000", ".750000000"].contains { row[3].hasSuffix($0) })
    }
  }

  @Test func `what is no DBN is refused with its place, and an incomplete record is told`() throws {
    let folder = try Folder()
    let refused = try Tool.run(["book", "--feed", "dbn", "--input", try folder.write(Array("no dbn".utf8), "x.dbn")])
    #expect(refused.code == 2 && refused.errorLines.count == 1 && refused.error.contains("x.dbn"))
    guard let file = SharedData.file(Self.day) else { return }
    let cut = try folder.write(Array(try Data(contentsOf: file).prefix(20_011)), "cut.dbn")
    let warned = try Tool.run(["book", "--feed", "dbn", "--input", cut, "--summary"])
    #expect(warned.code == 0 && warned.error.contains("warning") && warned.error.contains("offset"))
    #expect(try Tool.run(["book", "--feed", "dbn", "--input", cut, "--summary", "--strict"]).code == 2)
  }
}
