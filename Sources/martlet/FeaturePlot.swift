import TradingTypes

/// Chosen slots over time as an SVG image, one panel a slot above a shared time axis.
///
/// Rows are decimated while they are added: memory depends on the width of the image alone. Each column of pixels shows the first,
/// lowest, highest and last value of its rows, so a spike of a single row is seen; between rows a value holds, so lines are steps.
struct FeaturePlot {
  /// Where things stand, in pixels.
  enum Layout {
    static let width = 1_200
    /// The panels' own width: columns 0…`plotWidth`.
    static let plotWidth = 1_090
    static let left = 90
    static let top = 82
    static let headerHeight = 20
    static let plotHeight = 96
    static let gap = 14
    static let bottom = 52

    /// Upper edge of the panel with this number.
    static func panelTop(_ number: Int) -> Int {
      top + headerHeight + number * (headerHeight + plotHeight + gap)
    }
  }

  private let title: String
  /// Says what the times are, such as a date.
  private let axisTitle: String
  private let axis: PlotAxis
  /// The panels from top to bottom.
  let columns: [FeaturePlotColumn]
  private(set) var series: PlotSeries

  init(_ columns: [FeaturePlotColumn], title: String, axis: PlotAxis = .clock, axisTitle: String) {
    self.columns = columns
    self.title = title
    self.axis = axis
    self.axisTitle = axisTitle
    series = PlotSeries(seriesCount: columns.count)
  }

  /// Adds a row: the value of each column at `time`.
  mutating func add(at time: Timestamp, _ value: (FeaturePlotColumn) -> PlotValue) {
    series.add(at: time) { value(columns[$0]) }
  }

  /// The image of the rows so far; equal rows give equal bytes.
  func finish() -> String {
    let panelsBottom = Layout.panelTop(columns.count - 1) + Layout.plotHeight
    let height = panelsBottom + Layout.bottom
    var svg = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(Layout.width)" height="\(height)" \
      viewBox="0 0 \(Layout.width) \(height)" font-family="Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif" \
      font-size="12">
      <style>
      \(Self.style)
      </style>
      <rect class="page" width="\(Layout.width)" height="\(height)"/>
      <text x="\(Layout.left)" y="34" class="ink" font-size="20" font-weight="bold">\(xmlEscaped(title))</text>
      <text x="\(Layout.left)" y="56" class="soft">\(xmlEscaped(subtitle))</text>

      """
    // 75 pixels hold a date or a time of the day.
    let ticks =
      series.rowCount == 0 ? [] : axis.ticks(series.start, series.end, countMax: Layout.plotWidth / 75)
    for number in columns.indices {
      let panel = FeaturePlotPanel(
        column: columns[number], top: Layout.panelTop(number), start: series.start, end: series.end)
      svg += panel.svg(series.parts(of: number), total: series.totals[number], timeTicks: ticks.map(\.time))
    }
    for tick in ticks {
      let x = Layout.left + Self.column(of: tick.time, from: series.start, to: series.end)
      svg += "<text x=\"\(x)\" y=\"\(panelsBottom + 19)\" text-anchor=\"middle\" class=\"ink\">\(tick.label)</text>\n"
    }
    svg += """
      <text x="\(Layout.left + Layout.plotWidth / 2)" y="\(panelsBottom + 40)" text-anchor="middle" class="soft">\
      \(xmlEscaped(axisTitle))</text>
      </svg>

      """
    return svg
  }

  /// The column of pixels of a time, 0…`plotWidth`.
  static func column(of time: Timestamp, from start: Timestamp, to end: Timestamp) -> Int {
    let share = Double((time - start).nanoseconds) / Double(max(1, (end - start).nanoseconds))
    return Int((share * Double(Layout.plotWidth)).rounded())
  }

  private var subtitle: String {
    guard series.rowCount > 0 else { return "no rows" }
    let count = "\(PlotTicks.grouped(series.rowCount)) row\(series.rowCount == 1 ? "" : "s")"
    return "\(count) · dark: value, or its mean where many rows share a pixel; light: their range; grey: not valid"
  }

  // Colours by kind of slot, of equal weight and apart for most colour-blind readers; the page's own background, so that it can be read
  // on any other; darker where the reader's system asks for it and the viewer knows how.
  static let style = """
    .page { fill: #ffffff } .panel { fill: #fafafa; stroke: #c8c8c8 } .ink { fill: #1c1c1c } .soft { fill: #6b6b6b }
    .grid { stroke: #e3e3e3; fill: none } .zero { stroke: #a8a8a8; fill: none } .warming { fill: #dcdcdc } .stale { fill: #e6d8c8 }
    .line, .range { fill: none; stroke-width: 1.1; stroke-linejoin: round; stroke-linecap: round } .range { stroke-opacity: 0.35 }
    .event { stroke: #0067a5 } .bar { stroke: #c24e00 } .context { stroke: #00805e } .cross-section { stroke: #a8518a } .engine { stroke: #6a4c93 }
    @media (prefers-color-scheme: dark) {
    .page { fill: #16181b } .panel { fill: #1d2024; stroke: #4a4f55 } .ink { fill: #e8e8e8 } .soft { fill: #a0a4a8 }
    .grid { stroke: #30343a } .zero { stroke: #6a7077 } .warming { fill: #3a3e44 } .stale { fill: #4a4034 }
    .event { stroke: #5cb3ea } .bar { stroke: #f08a4b } .context { stroke: #3cc79c } .cross-section { stroke: #dd8fc2 } .engine { stroke: #b094dd }
    }
    """
}

/// `text` as it stands in XML; characters that XML does not know become spaces.
func xmlEscaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case _ where scalar.value < 32 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: result += " "
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
