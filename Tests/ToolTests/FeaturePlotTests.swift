// Goal: a plot shows every row where it belongs, however many there are. Method: values planted at known times are looked for at their
// pixels; the decimation is compared with grouping all rows at the end; ticks and names against tables; every image is parsed as XML.

import Foundation
import TestSupport
import Testing
import TradingTypes

@testable import martlet

@Suite struct FeaturePlotTests {
  private typealias Layout = FeaturePlot.Layout
  private typealias Corner = PlotDocument.Corner
  private static let second: Int64 = 1_000_000_000

  private func time(_ seconds: Double) -> Timestamp {
    Timestamp(nanoseconds: 34_200 * Self.second + Int64(seconds * Double(Self.second)))
  }

  private func makePlot(_ slots: FeatureSlot..., title: String = "AAAA") -> FeaturePlot {
    FeaturePlot(slots.map { FeaturePlotColumn($0) }, title: title, axisTitle: "time of day")
  }

  @Test func `planted values land at their pixels`() {
    var plot = makePlot(.mid, .queueImbalance)
    for (seconds, value) in [(0.0, 0.0), (50, 1), (75, 0.5), (100, -1)] {
      plot.add(at: time(seconds)) { PlotValue($0.slot == .mid ? 1e6 : value, .valid) }
    }
    let document = PlotDocument(plot.finish().utf8)
    #expect(document.problem == nil && document.order == ["mid", "queueImbalance"])
    // Steps: a value holds until the next row. The second panel shows −1…1.
    let (left, top, height) = (Double(Layout.left), Double(Layout.panelTop(1)), Double(Layout.plotHeight))
    let (half, quarters, right) = (left + 545, left + 818, left + 1_090)
    #expect(
      document.corners("queueImbalance", "line") == [
        Corner(x: left, y: top + height / 2), Corner(x: half, y: top + height / 2), Corner(x: half, y: top),
        Corner(x: quarters, y: top), Corner(x: quarters, y: top + height / 4), Corner(x: right, y: top + height / 4),
        Corner(x: right, y: top + height),
      ])
    // A constant stands in the middle.
    let middle = Double(Layout.panelTop(0)) + height / 2
    #expect(document.corners("mid", "line").allSatisfy { $0?.y == middle })
    #expect(document.panels["queueImbalance"]?.text.contains("min −1   max 1   last −1") == true)
    #expect(document.panels["mid"]?.text.contains("ticks") == true)
    #expect(document.panels["mid"]?.text.contains("last 1,000,000") == true)
  }

  @Test func `a spike of one row among many is drawn at its column`() {
    var plot = makePlot(.queueImbalance)
    let count = 200_000
    for row in 0...count {
      plot.add(at: time(Double(row) * 0.1)) { _ in
        PlotValue(row == 3 * count / 10 ? 1 : 0.001 * Double(row % 7), .valid)
      }
    }
    #expect(plot.series.rowCount == count + 1)
    let document = PlotDocument(plot.finish().utf8)
    let top = Double(Layout.panelTop(0))
    let high = document.corners("queueImbalance", "range").filter { ($0?.y ?? 0) < top + 40 }
    #expect(high == [Corner(x: Double(Layout.left) + 327, y: top)])
    // The mean over the range: dense enough that it is drawn, and the spike is hardly in it.
    let mean = document.corners("queueImbalance", "line")
    #expect(mean.count > 1_000 && mean.allSatisfy { ($0?.y ?? 0) > top + 44 })
  }

  @Test func `lines stop where a slot is not valid, and grey says so`() {
    var plot = makePlot(.queueImbalance)
    // Warming for 20 s, valid for 40 s, stale for 20 s, valid again.
    for second in 0...100 {
      let state: PlotValue.State = second < 20 ? .warming : (60..<80).contains(second) ? .stale : .valid
      plot.add(at: time(Double(second))) { _ in PlotValue(0.5, state) }
    }
    let document = PlotDocument(plot.finish().utf8)
    let y = Double(Layout.panelTop(0) + Layout.plotHeight / 4)
    let (start, stop, again) = (90.0 + 218, 90.0 + 654, 90.0 + 872)
    let corners = document.corners("queueImbalance", "line")
    let pieces = corners.split(separator: nil).map { ($0.first, $0.last) }
    #expect(corners.allSatisfy { $0 == nil || $0?.y == y })
    #expect(pieces.count == 2)
    #expect(pieces.first?.0 == Corner(x: start, y: y) && pieces.first?.1 == Corner(x: stop, y: y))
    #expect(pieces.last?.0 == Corner(x: again, y: y) && pieces.last?.1 == Corner(x: 1_180, y: y))
    let bands = document.panels["queueImbalance"]?.bands ?? []
    #expect(bands.map(\.style) == ["warming", "stale"])
    #expect(bands.map(\.x) == [90, 90 + 654] && bands.map(\.width) == [218, 218])
    #expect(document.panels["queueImbalance"]?.text.contains("stale") == true)
  }

  @Test func `one valid row among stale ones is a dot between grey`() {
    var plot = makePlot(.queueImbalance)
    // Several rows share the dot's column of pixels.
    for row in 0...5_000 {
      plot.add(at: time(Double(row) / 50)) { _ in PlotValue(0, row == 2_500 ? .valid : .stale) }
    }
    let document = PlotDocument(plot.finish().utf8)
    let middle = 90 + 545
    #expect(
      document.corners("queueImbalance", "line") == [
        Corner(x: Double(middle), y: Double(Layout.panelTop(0) + Layout.plotHeight / 2))
      ])
    let bands = document.panels["queueImbalance"]?.bands ?? []
    #expect(bands.map(\.style) == ["stale", "stale"])
    #expect(bands.map(\.x) == [90, middle] && bands.map(\.width) == [545, 545])
  }

  @Test(arguments: Seeds.brief)
  func `decimated rows are all rows, grouped at the end`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var series = PlotSeries(seriesCount: 2)
    var rows: [(time: Timestamp, values: [PlotValue])] = []
    var now: Int64 = 1 << 40
    // Busy and quiet stretches, equal times, and times that run backwards and count as the newest.
    for _ in 0..<20_000 {
      now += random.below(100) == 0 ? Int64(random.below(1 << 30)) : Int64(random.below(1_000)) - 10
      let states: [PlotValue.State] = [.valid, .valid, .valid, .warming, .stale]
      let values = (0..<2).map { _ in
        PlotValue(Double(Int64(random.below(2_001)) - 1_000) / 4, states[random.below(states.count)])
      }
      let time = Timestamp(nanoseconds: now)
      series.add(at: time) { values[$0] }
      rows.append((max(time, rows.last?.time ?? time), values))
    }
    let start = rows[0].time
    let groups = Dictionary(grouping: rows) { ($0.time - start).nanoseconds >> Int64(series.shift) }
    #expect(series.end == rows.last?.time && series.rowCount == rows.count, "seed \(seed)")
    let last = (series.end - start).nanoseconds >> Int64(series.shift)
    #expect((PlotSeries.partCountMax / 2..<PlotSeries.partCountMax).contains(Int(last)), "seed \(seed)")
    for number in 0..<2 {
      let expected = groups.keys.sorted().map { key in
        let group = groups[key] ?? []
        let valid = group.map { $0.values[number] }.filter { $0.state == .valid }.map(\.value)
        var cell = PlotCell()
        cell.state = group.last?.values[number].state
        if let first = valid.first, let low = valid.min(), let high = valid.max(), let last = valid.last {
          (cell.first, cell.low, cell.high, cell.last) = (first, low, high, last)
          // Quarters: exact in any order.
          (cell.sum, cell.count) = (valid.reduce(0, +), valid.count)
        }
        return (group[0].time, cell)
      }
      let found = series.parts(of: number)
      #expect(found.map(\.time) == expected.map(\.0), "seed \(seed)")
      #expect(found.map(\.cell) == expected.map(\.1), "seed \(seed)")
      let total = series.totals[number]
      let valid = rows.map { $0.values[number] }.filter { $0.state == .valid }.map(\.value)
      #expect(total.low == valid.min() && total.high == valid.max() && total.last == valid.last, "seed \(seed)")
    }
  }

  @Test func `titles of any letters, no rows and one row are XML`() {
    let title = "A<B & \"C\" > 'D' \u{1} é"
    var plot = makePlot(.mid, .vix, title: title)
    #expect(PlotDocument(plot.finish().utf8).problem == nil)
    #expect(PlotDocument(plot.finish().utf8).texts.contains("no rows"))
    plot.add(at: time(1)) { $0.slot == .mid ? PlotValue(3, .valid) : PlotValue(0, .warming) }
    let document = PlotDocument(plot.finish().utf8)
    #expect(document.problem == nil)
    #expect(document.texts.first == "A<B & \"C\" > 'D'   é")
    #expect(document.corners("mid", "line").count == 1)
    #expect(document.corners("vix", "line").isEmpty && document.panels["vix"]?.text.contains("never valid") == true)
    // Equal rows, equal bytes.
    #expect(plot.finish() == plot.finish())
  }

  @Test func `any numbers fit their panel`() {
    let numbers = [
      0, -0.0, 1, .ulpOfOne, .leastNonzeroMagnitude, .leastNormalMagnitude, 1e15, 1e300, .greatestFiniteMagnitude,
    ]
    for slot in [FeatureSlot.mid, .vpin] {
      for left in numbers + numbers.map(-) {
        for right in numbers + numbers.map(-) {
          var plot = makePlot(slot)
          // Enough rows for a mean, and one that is no number and no value.
          for row in 0..<200 {
            plot.add(at: Timestamp(nanoseconds: Int64(row / 10))) { _ in
              PlotValue(row == 7 ? .nan : row % 2 == 0 ? left : right, .valid)
            }
          }
          let document = PlotDocument(plot.finish().utf8)
          #expect(document.problem == nil, "\(left), \(right)")
          let edges = Double(Layout.panelTop(0))...Double(Layout.panelTop(0) + Layout.plotHeight)
          let corners = document.corners(slot.name, "line")
          #expect(!corners.isEmpty && corners.allSatisfy { edges.contains($0?.y ?? 0) }, "\(left), \(right)")
        }
      }
    }
  }

  @Test func `names near a wrong one are told`() {
    func refusal(_ text: String) -> String? {
      do throws(ToolFailure) {
        _ = try FeaturePlotColumn.list(text, computed: { $0 != .breadthThrust }, frames: ["1s"])
        return nil
      } catch { return error.line }
    }
    for (text, parts) in [
      ("midd", ["--slots midd", "near it are mid"]), ("mid,spraed", ["near it are spread"]),
      ("NMA20", ["near it are nma20"]), ("imbalance", ["queueImbalance", "depthImbalance10"]),
      ("xylophone", ["Docs/Features.md"]), ("", ["Docs/Features.md"]), ("mid,,spread", ["no slot has this name"]),
      ("mid,mid", ["stands twice"]), ("breadthThrust", ["not computed"]), ("nma9@5m", ["5m is not computed", "1s"]),
      ("mid@1s", ["only slots of bars have timeframes"]), ("nma9@", ["timeframe"]),
    ] {
      let line = refusal(text) ?? "nothing refused"
      #expect(parts.allSatisfy(line.contains), "\(text): \(line)")
    }
    #expect(refusal(FeatureSlot.allCases.prefix(25).map(\.name).joined(separator: ","))?.contains("at most 24") == true)
    let columns = try? FeaturePlotColumn.list("nma9@1s,mid,nma9", computed: { _ in true }, frames: ["1s"])
    #expect(columns?.map(\.name) == ["nma9@1s", "mid", "nma9"])
    let hour = try? FeaturePlotColumn.list("nma9@60m", computed: { _ in true }, frames: ["1h"])
    #expect(hour?.map(\.name) == ["nma9@1h"])
    let distances = [
      ("", "abc", 3), ("abc", "acb", 1), ("spread", "spraed", 1), ("kitten", "sitting", 3), ("a", "a", 0),
    ]
    for (left, right, distance) in distances {
      #expect(FeaturePlotColumn.editDistance(Array(left.utf8), Array(right.utf8)) == distance)
      #expect(FeaturePlotColumn.editDistance(Array(right.utf8), Array(left.utf8)) == distance)
    }
  }
}
