// Goal: real ITCH files give the books that an independent program gives, every row of them. Method: `martlet book` against Fixtures/references/itch_book.py,
// which shares nothing with the decoder or the books; byte by byte. Messages about orders from before a file's start change nothing in either.

import Foundation
import TestSupport
import Testing

@Suite(.enabled(if: Tool.url != nil, needsTool)) struct ItchReferenceTests {
  struct File: Sendable, CustomTestStringConvertible {
    var name: String
    var rows: Int
    var testDescription: String { name }
    var url: URL? { SharedData.file("data/itch50/\(name).itch50") }
  }

  static let files = [
    File(name: "aapl_20200130_locate13_first10k", rows: 9_705),
    File(name: "nasdaq_20191230_0930_first1000", rows: 588),
    File(name: "aapl_20191230_0935_first30k_restored", rows: 27_218),
  ]
  static let python = URL(fileURLWithPath: "/usr/bin/env")
  static let hasPython = (try? Tool.run(executable: python, ["python3", "--version"]).code) == 0

  @Test(
    .enabled(if: hasPython, "python3 is not here"),
    .enabled(if: files.allSatisfy { $0.url != nil }, "the shared ITCH files are not here"), arguments: files)
  func `every row of a real file is that of a slow program of its own`(file: File) throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Fixtures/references/itch_book.py").standardized.path
    let path = try #require(file.url).path
    let expected = try Tool.run(executable: Self.python, ["python3", script, path, "10"])
    let found = try Tool.run(["book", "--feed", "itch50", "--input", path, "--levels", "10"])
    #expect(expected.code == 0 && found.code == 0, "\(expected.error)\(found.error)")
    #expect(found.lines.count == file.rows + 1)
    #expect(found.output == expected.output)
  }
}
