import Foundation
import PositionSizing
import TradingTypes

/// A fitted volatility model over its series as an SVG image: the returns within a band of two forecast standard deviations, and below
/// them the volatility.
///
/// Drawn like `FeaturePlot`, with its width, colours and axes. Where many rows share a column of pixels, returns show their range, so
/// that a single large one is seen, and the volatility its mean.
struct VolatilityPlot {
  private typealias Layout = FeaturePlot.Layout

  private static let heights = [260, 140]
  private static let gap = 40
  private static let tops = [Layout.top + Layout.headerHeight, Layout.top + Layout.headerHeight + 260 + 40]

  private let title: String
  private let axis: PlotAxis
  private let axisTitle: String
  private let fit: VolatilityFit
  /// Returns, then forecast standard deviations, both in percent.
  private var series = PlotSeries(seriesCount: 2)

  /// - Parameters:
  ///   - file: where the returns come from; a column `date` in order makes the axis one of time.
  ///   - returns: the fitted ones.
  init(_ file: NumberColumns, _ returns: [Double], _ fit: VolatilityFit, column: String) {
    let days = (file.texts("date") ?? []).compactMap { daysSinceEpoch($0) }
    let isDated = days.count == returns.count && zip(days, days.dropFirst()).allSatisfy(<=)
    axis = isDated ? .clock : .rows
    axisTitle = isDated ? "date" : "row"
    let name = file.path == "-" ? "standard input" : URL(fileURLWithPath: file.path).lastPathComponent
    title = "\(column) · \(name)"
    self.fit = fit
    for (row, variance) in fit.conditionalVariances(of: returns).enumerated() {
      let place = isDated ? days[row] * 86_400_000_000_000 : Int64(row)
      series.add(at: Timestamp(nanoseconds: place)) { number in
        PlotValue(number == 0 ? returns[row] : variance.squareRoot(), .valid)
      }
    }
  }

  /// The image; equal fits of equal rows give equal bytes.
  func svg() -> String {
    let bottom = Self.tops[1] + Self.heights[1]
    let height = bottom + Layout.bottom
    var svg = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(Layout.width)" height="\(height)" \
      viewBox="0 0 \(Layout.width) \(height)" font-family="Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif" \
      font-size="12">
      <style>
      \(FeaturePlot.style)
      .band { fill: #c24e00; fill-opacity: 0.22 }
      </style>
      <rect class="page" width="\(Layout.width)" height="\(height)"/>
      <text x="\(Layout.left)" y="34" class="ink" font-size="20" font-weight="bold">\(xmlEscaped(title))</text>
      <text x="\(Layout.left)" y="56" class="soft">\(xmlEscaped(subtitle))</text>

      """
    let ticks = axis.ticks(series.start, series.end, countMax: Layout.plotWidth / 75)
    let (returns, deviations) = (columns(0), columns(1))
    svg += returnsPanel(returns, deviations, ticks)
    svg += volatilityPanel(deviations, ticks)
    for tick in ticks {
      let x = Layout.left + FeaturePlot.column(of: tick.time, from: series.start, to: series.end)
      svg += "<text x=\"\(x)\" y=\"\(bottom + 19)\" text-anchor=\"middle\" class=\"ink\">\(tick.label)</text>\n"
    }
    svg += """
      <text x="\(Layout.left + Layout.plotWidth / 2)" y="\(bottom + 40)" text-anchor="middle" class="soft">\
      \(axisTitle)</text>
      </svg>

      """
    return svg
  }

  private var subtitle: String {
    let names: [VolatilityModel: String] = [.garch: "GARCH(1,1)", .gjr: "GJR-GARCH(1,1)", .egarch: "EGARCH(1,1)"]
    var text = "\(names[fit.parameters.model] ?? ""), "
    text +=
      fit.degreesOfFreedom.map { "Student-t errors with \(PlotTicks.significant($0)) degrees of freedom" }
      ?? "normal errors"
    text += " · \(PlotTicks.grouped(fit.observations)) rows"
    return text + " · log-likelihood \(PlotTicks.significant(fit.logLikelihood))"
  }

  /// The cells of a series by columns of pixels.
  private func columns(_ number: Int) -> [(column: Int, cell: PlotCell)] {
    var result: [(column: Int, cell: PlotCell)] = []
    for part in series.parts(of: number) {
      let column = FeaturePlot.column(of: part.time, from: series.start, to: series.end)
      if result.last?.column == column {
        result[result.count - 1].cell.append(part.cell)
      } else {
        result.append((column, part.cell))
      }
    }
    return result
  }

  private func returnsPanel(
    _ returns: [(column: Int, cell: PlotCell)], _ deviations: [(column: Int, cell: PlotCell)], _ ticks: [PlotAxis.Tick]
  ) -> String {
    let mean = fit.parameters.mean
    let total = series.totals[0]
    let reach = max(total.high - mean, mean - total.low, 2 * (deviations.map(\.cell.mean).max() ?? 0)) * 1.05
    let scale = Scale(low: mean - reach, high: mean + reach, top: Self.tops[0], height: Self.heights[0])
    var svg = frame("returns", "percent · band: mean ± 2 forecast standard deviations", total, scale, ticks)
    // There along the upper edge, back along the lower one.
    let upper = deviations.map { "\(Layout.left + $0.column) \(scale.text(mean + 2 * $0.cell.mean))" }
    let lower = deviations.reversed().map { "\(Layout.left + $0.column) \(scale.text(mean - 2 * $0.cell.mean))" }
    svg += "<path class=\"band\" d=\"M\((upper + lower).joined(separator: "L"))Z\"/>\n"
    var bars = ""
    for (column, cell) in returns {
      let (low, high) = (min(cell.low, mean), max(cell.high, mean))
      bars += "M\(Layout.left + column) \(scale.text(high))V\(scale.text(low))"
    }
    return svg + "<path class=\"line event\" d=\"\(bars)\"/>\n</g>\n"
  }

  private func volatilityPanel(_ deviations: [(column: Int, cell: PlotCell)], _ ticks: [PlotAxis.Tick]) -> String {
    let total = series.totals[1]
    let scale = Scale(low: 0, high: total.high * 1.05, top: Self.tops[1], height: Self.heights[1])
    let line = deviations.map { "\(Layout.left + $0.column) \(scale.text($0.cell.mean))" }.joined(separator: "L")
    return frame("volatility", "percent · forecast standard deviation of each row", total, scale, ticks)
      + "<path class=\"line bar\" d=\"M\(line)\"/>\n</g>\n"
  }

  /// Opens a panel: its edge, grid, tick labels and header.
  private func frame(
    _ name: String, _ legend: String, _ total: PlotCell, _ scale: Scale, _ ticks: [PlotAxis.Tick]
  ) -> String {
    var grid = ""
    for tick in ticks {
      let x = Layout.left + FeaturePlot.column(of: tick.time, from: series.start, to: series.end)
      grid += "M\(x) \(scale.top)v\(scale.height)"
    }
    let values = PlotTicks.values(scale.low, scale.high, countMax: 7)
    var labels = ""
    for value in values.values {
      grid += "M\(Layout.left) \(scale.text(value))h\(Layout.plotWidth)"
      labels +=
        "<text x=\"\(Layout.left - 8)\" y=\"\(Int(scale.y(value)) + 4)\" text-anchor=\"end\" class=\"soft\" font-size=\"11\">"
        + "\(PlotTicks.label(value, step: values.step))</text>\n"
    }
    let numbers = [("min", total.low), ("max", total.high), ("last", total.last)].map { name, value in
      "\(name) <tspan class=\"ink\">\(PlotTicks.significant(value))</tspan>"
    }.joined(separator: "   ")
    return """
      <g id="\(name)">
      <rect class="panel" x="\(Layout.left)" y="\(scale.top)" width="\(Layout.plotWidth)" height="\(scale.height)"/>
      <path class="grid" d="\(grid)"/>
      \(labels)<text x="\(Layout.left)" y="\(scale.top - 6)" class="soft"><tspan class="ink" font-weight="bold" \
      font-size="13">\(name)</tspan><tspan dx="10">\(legend)</tspan></text>
      <text x="\(Layout.left + Layout.plotWidth)" y="\(scale.top - 6)" text-anchor="end" class="soft" \
      xml:space="preserve">\(numbers)</text>

      """
  }

  /// Where values stand in a panel.
  private struct Scale {
    let low: Double
    let high: Double
    let top: Int
    let height: Int

    func y(_ value: Double) -> Double {
      Double(top) + (high - min(max(value, low), high)) / (high - low) * Double(height)
    }
    /// With at most one decimal.
    func text(_ value: Double) -> String {
      let tenths = Int((y(value) * 10).rounded())
      return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
  }
}
