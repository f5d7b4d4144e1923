import TradingTypes

/// One panel of a plot: a slot's line, its axis, and where it was not valid.
struct FeaturePlotPanel {
  private typealias Layout = FeaturePlot.Layout
  /// Cells by columns of pixels.
  private typealias Cells = [(column: Int, cell: PlotCell)]

  /// With more valid rows than this in a column, on average, a line of all values is a block: then it is drawn light, and the mean over it.
  private static let denseRowCount = 4

  let column: FeaturePlotColumn
  /// Upper edge in pixels.
  let top: Int
  /// Times of the panel's edges.
  let start: Timestamp
  let end: Timestamp

  /// The values at the lower and the upper edge for a slot whose valid values lie in `total`.
  ///
  /// A unit that is a range fills the panel, and so that equal slots look equal; other slots get a margin of a twentieth.
  static func bounds(_ total: PlotCell, unit: String) -> (low: Double, high: Double) {
    let range: (Double, Double)? =
      switch unit {
      case "[−1,1]": (-1, 1)
      case "[0,1]": (0, 1)
      case "0–100": (0, 100)
      case "−100–100": (-100, 100)
      default: nil
      }
    if let range, !total.hasValue || (range.0...range.1).contains(total.low) && total.high <= range.1 { return range }
    guard total.hasValue else { return (0, 1) }
    // A line of one value, up to rounding, stands in the middle. The ends of the range of numbers are cut off, so that spans are numbers.
    let (low, high) = (max(total.low, -boundMax), min(total.high, boundMax))
    let least = max(1e-9 * max(high.magnitude, low.magnitude), 1e-300)
    let margin = high - low > least ? (high - low) / 20 : low == 0 && high == 0 ? 1 : least * 1e7
    return (low - margin, high + margin)
  }

  private static let boundMax = 1e300

  /// The panel as SVG.
  func svg(_ parts: [(time: Timestamp, cell: PlotCell)], total: PlotCell, timeTicks: [Timestamp]) -> String {
    let definition = column.slot.definition
    let bounds = Self.bounds(total, unit: definition.unit)
    let pixels = Double(Layout.plotHeight) / (bounds.high - bounds.low)
    func y(_ value: Double) -> Double {
      Double(top) + (bounds.high - min(max(value, bounds.low), bounds.high)) * pixels
    }

    let columns = Self.joined(parts.map { (FeaturePlot.column(of: $0.time, from: start, to: end), $0.cell) })
    var svg = "<g id=\"\(xmlEscaped(column.name))\">\n"
    svg +=
      "<rect class=\"panel\" x=\"\(Layout.left)\" y=\"\(top)\" width=\"\(Layout.plotWidth)\" height=\"\(Layout.plotHeight)\"/>\n"
    var grid = ""
    for time in timeTicks {
      grid += "M\(Layout.left + FeaturePlot.column(of: time, from: start, to: end)) \(top)v\(Layout.plotHeight)"
    }
    let ticks = total.hasValue ? PlotTicks.values(bounds.low, bounds.high, countMax: 5) : (values: [], step: 1)
    var labels = ""
    for value in ticks.values {
      let height = Self.number(y(value))
      if value.magnitude > ticks.step / 2 { grid += "M\(Layout.left) \(height)h\(Layout.plotWidth)" }
      labels +=
        "<text x=\"\(Layout.left - 8)\" y=\"\(Self.number(y(value) + 4))\" text-anchor=\"end\" class=\"soft\" font-size=\"11\">"
        + "\(PlotTicks.label(value, step: ticks.step))</text>\n"
    }
    if !grid.isEmpty { svg += "<path class=\"grid\" d=\"\(grid)\"/>\n" }
    if bounds.low < 0 && bounds.high > 0 {
      svg += "<path class=\"zero\" d=\"M\(Layout.left) \(Self.number(y(0)))h\(Layout.plotWidth)\"/>\n"
    }
    svg += labels + header(definition, total) + bands(columns)
    let isDense = total.count > Self.denseRowCount * columns.count
    func line(_ cells: Cells, _ style: String) -> String {
      let path = Self.path(cells, left: Layout.left, y: y)
      return path.isEmpty ? "" : "<path class=\"\(style) \(definition.kind.rawValue)\" d=\"\(path)\"/>\n"
    }
    svg += line(columns, isDense ? "range" : "line")
    if isDense { svg += line(Self.means(columns), "line") }
    return svg + "</g>\n"
  }

  /// Above the panel: name, unit, window, then the range of the valid values.
  private func header(_ definition: FeatureDefinition, _ total: PlotCell) -> String {
    let baseline = top - 6
    let unit = definition.unit == "–" ? "no unit" : definition.unit
    // What looks at the last value alone needs no word.
    let window = definition.window == "last" ? "" : " · " + definition.window
    let numbers =
      total.hasValue
      ? [("min", total.low), ("max", total.high), ("last", total.last)].map { name, value in
        "\(name) <tspan class=\"ink\">\(PlotTicks.significant(value))</tspan>"
      }.joined(separator: "   ") : "never valid"
    return """
      <text x="\(Layout.left)" y="\(baseline)" class="soft"><tspan class="ink" font-weight="bold" font-size="13">\
      \(xmlEscaped(column.name))</tspan><tspan dx="10">\(xmlEscaped(unit + window))</tspan></text>
      <text x="\(Layout.left + Layout.plotWidth)" y="\(baseline)" text-anchor="end" class="soft" xml:space="preserve">\(numbers)</text>

      """
  }

  /// Parts that fall into one column of pixels, joined.
  private static func joined(_ parts: Cells) -> Cells {
    var result: Cells = []
    for part in parts {
      if result.last?.column == part.column {
        result[result.count - 1].cell.append(part.cell)
      } else {
        result.append(part)
      }
    }
    return result
  }

  /// The cells with their mean in place of their values; before columns without rows the last value stays, because it holds.
  private static func means(_ columns: Cells) -> Cells {
    columns.indices.map { place in
      var (column, cell) = columns[place]
      (cell.first, cell.low, cell.high) = (cell.mean, cell.mean, cell.mean)
      if place + 1 == columns.count || columns[place + 1].column == column + 1 { cell.last = cell.mean }
      return (column, cell)
    }
  }

  /// Where the newest row is not valid, until a valid one comes.
  private func bands(_ columns: Cells) -> String {
    var svg = ""
    var open: (state: PlotValue.State, column: Int)?
    func close(at column: Int) {
      guard let band = open, column > band.column else { return }
      let (x, width) = (Layout.left + band.column, column - band.column)
      svg +=
        "<rect class=\"\(band.state)\" x=\"\(x)\" y=\"\(top)\" width=\"\(width)\" height=\"\(Layout.plotHeight)\"/>\n"
      guard width >= 52 else { return }
      svg +=
        "<text x=\"\(x + width / 2)\" y=\"\(top + Layout.plotHeight / 2 + 4)\" text-anchor=\"middle\" class=\"soft\" font-size=\"11\">\(band.state)</text>\n"
    }
    for (column, cell) in columns {
      guard let state = cell.state else { continue }
      if open?.state == state && !cell.hasValue { continue }
      close(at: column)
      open = state == .valid ? nil : (state, column)
    }
    close(at: Layout.plotWidth)
    return svg
  }

  /// Steps: in each column to the first value, over the lowest and highest, to the last, which holds until the next column.
  private static func path(_ columns: Cells, left: Int, y: (Double) -> Double) -> String {
    var path = ""
    // Where the pen is, as written; nil while it is up.
    var height: String?
    func go(to value: Double) {
      let next = number(y(value))
      guard next != height else { return }
      path += "V" + next
      height = next
    }
    for (column, cell) in columns {
      let x = left + column
      if height != nil { path += "H\(x)" }
      if cell.hasValue {
        if height == nil {
          height = number(y(cell.first))
          // The empty step makes a dot of a value that stands alone.
          path += "M\(x) \(height!)h0"
        }
        go(to: cell.first)
        go(to: cell.low)
        go(to: cell.high)
        go(to: cell.last)
      }
      if cell.state != .valid { height = nil }
    }
    return path
  }

  /// A place in the image with at most one decimal.
  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
  }
}
