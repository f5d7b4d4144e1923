// Goal: `martlet features --plot` writes a whole image or none, says what is wrong with a request, and leaves the rows as they are.
// Method: the tool as a child process over a generated day and over bars; the image is parsed as XML.

import Foundation
import TestSupport
import Testing
import TradingTypes

@Suite(.enabled(if: Tool.url != nil, needsTool)) struct FeaturePlotCommandTests {
  private func day(_ folder: Folder) throws -> [String] {
    let path = try folder.write(Fixture.bytes, "day.itch50")
    return ["features", "--feed", "itch50", "--input", path, "--symbol", "AAAA", "--bar", "1s"]
  }

  private func bars(_ folder: Folder, date: (Int) -> String) throws -> [String] {
    var text = "date,open,high,low,close,volume\n"
    for day in 0..<80 { text += "\(date(day)),10,12,9,\(10 + day % 3),\(100 + day % 7)\n" }
    return ["features", "--bars", try folder.write(Array(text.utf8), "bars.csv")]
  }

  @Test func `a day is drawn, twice alike, without rows`() throws {
    let folder = try Folder()
    let image = folder.file("day.svg")
    let arguments = try day(folder) + ["--plot", image.path]
    let outcome = try Tool.run(arguments)
    #expect(outcome.code == 0 && outcome.error.isEmpty && outcome.output.isEmpty, "\(outcome.error)")
    let bytes = try Data(contentsOf: image)
    let document = PlotDocument(bytes)
    #expect(document.problem == nil)
    #expect(document.order == ["mid", "spread", "queueImbalance", "ofiNorm", "tradeImbalance20", "nma20"])
    #expect(document.texts.first == "AAAA · day.itch50")
    #expect(!document.corners("mid", "line").isEmpty)

    let again = try Tool.run(arguments + ["--force", "--slots", "mid,nma9@1s", "--date", "2024-01-31"])
    #expect(again.code == 0, "\(again.error)")
    let chosen = PlotDocument(try Data(contentsOf: image))
    #expect(chosen.order == ["mid", "nma9@1s"] && chosen.texts.last == "time of day, 2024-01-31")
    #expect(chosen.panels["nma9@1s"]?.text.contains("ratio · 9 bars") == true)
    _ = try Tool.run(arguments + ["--force"])
    #expect(try Data(contentsOf: image) == bytes)
  }

  @Test func `rows are the same with an image and without`() throws {
    let folder = try Folder()
    let (image, rows) = (folder.file("day.svg"), folder.file("rows.csv"))
    let arguments = try day(folder) + ["--every", "50"]
    let plain = try Tool.run(arguments)
    let drawn = try Tool.run(arguments + ["--plot", image.path, "--output", rows.path])
    #expect(drawn.code == 0 && drawn.output.isEmpty, "\(drawn.error)")
    #expect(try Data(contentsOf: rows) == plain.output)
    let printed = try Tool.run(arguments + ["--plot", image.path, "--output", "-", "--force"])
    #expect(printed.output == plain.output)
    // The image shows the printed rows: as many, and the last mid is the last row's.
    let document = PlotDocument(try Data(contentsOf: image))
    #expect(document.texts.contains { $0.hasPrefix("\(plain.lines.count - 1) rows") })
    let last = try #require(plain.lines.last?.split(separator: ",", omittingEmptySubsequences: false)[1])
    let shown = document.panels["mid"]?.text.filter { $0 != "," }
    #expect(shown?.contains("last \(last)") == true, "\(last), \(shown ?? "")")
  }

  @Test func `bars are drawn by date, and by number where they have none`() throws {
    let folder = try Folder()
    for (date, axis) in [
      ({ day in "2024-0\(day / 28 + 1)-\(day % 28 + 10 < 29 ? day % 28 + 10 : 10)" }, "bar"),
      ({ day in "2024-0\(day / 28 + 1)-\(day % 28 < 9 ? "0" : "")\(day % 28 + 1)" }, "date"),
      ({ day in "day-\(day)" }, "bar"),
    ] as [((Int) -> String, String)] {
      let image = folder.file("\(axis).svg")
      let arguments = try bars(folder, date: date) + ["--plot", image.path, "--force"]
      let outcome = try Tool.run(arguments)
      #expect(outcome.code == 0 && outcome.output.isEmpty, "\(outcome.error)")
      let document = PlotDocument(try Data(contentsOf: image))
      #expect(document.problem == nil && document.texts.last == axis)
      #expect(document.order.first == "nma20" && !document.corners("nma20", "line").isEmpty)
      #expect(document.panels["drawdown250"]?.text.contains("never valid") == true)
    }
    let refused = try Tool.run(
      try bars(folder) { "day-\($0)" } + ["--plot", folder.file("none.svg").path, "--slots", "nma20,mid"])
    #expect(refused.code == 2 && refused.error.contains("--slots mid: this slot is not computed here"))
  }

  @Test func `what cannot be drawn is refused, and no file is left behind`() throws {
    let folder = try Folder()
    let image = folder.file("day.svg")
    let arguments = try day(folder)
    for (options, parts) in [
      (["--plot", image.path, "--slots", "midd"], ["--slots midd", "mid"]),
      (["--plot", image.path, "--slots", "nma9@5m"], ["--slots nma9@5m", "1s expected"]),
      (["--slots", "mid"], ["--slots", "--plot"]),
      (["--plot", image.path, "--output", image.path], ["both name"]),
      (["--plot", folder.file("no/such/folder.svg").path], ["not writable"]),
    ] {
      let outcome = try Tool.run(arguments + options)
      #expect(outcome.code == 2 && outcome.errorLines.count == 1, "\(outcome.error)")
      #expect(parts.allSatisfy(outcome.error.contains), "\(outcome.error)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["day.itch50"])
    try Data("mine".utf8).write(to: image)
    let refused = try Tool.run(arguments + ["--plot", image.path])
    #expect(refused.code == 2 && refused.error.contains("exists already; --force overwrites it"))
    #expect(try Data(contentsOf: image) == Data("mine".utf8))
    let forced = try Tool.run(arguments + ["--plot", image.path, "--force"])
    let document = PlotDocument(try Data(contentsOf: image))
    #expect(forced.code == 0 && document.problem == nil)
  }
}
