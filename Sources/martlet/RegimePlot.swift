import Foundation
import RegimeDetection
import TradingTypes

/// A fitted regime model as an SVG image: the summed series over its regimes in hindsight, and below what was known each day.
struct RegimePlot {
  private typealias Layout = FeaturePlot.Layout

  private static let seriesTop = 124
  private static let seriesHeight = 330
  private static let probabilityTop = seriesTop + seriesHeight + 42
  private static let probabilityHeight = 110
  private static let bottom = probabilityTop + probabilityHeight

  private let fit: HiddenMarkovFit
  private let title: String
  private let column: String
  /// The summed series, one more than there are rows: it begins with 0.
  private let sums: [Double]
  /// The most probable path.
  private let states: [Int]
  private let filtered: FilteredSeries
  /// Days of the rows, where the file has dates in order.
  private let days: [Int64]?

  init(
    _ file: NumberColumns, _ values: [Double], _ fit: HiddenMarkovFit, column: String
  ) throws(HiddenMarkovError) {
    self.fit = fit
    self.column = column
    title = file.path == "-" ? column : "\(column) · \(URL(fileURLWithPath: file.path).lastPathComponent)"
    sums = values.reduce(into: [0.0]) { $0.append($0[$0.count - 1] + $1) }
    states = try Hindsight.mostProbablePath(values, fit.model).states
    filtered = try FilteredSeries(values, fit.model)
    let dates = file.names.first { $0.lowercased() == "date" }.flatMap { file.texts($0) } ?? []
    let days = dates.compactMap { daysSinceEpoch($0) }
    let isDated = days.count == values.count && zip(days, days.dropFirst()).allSatisfy(<)
    self.days = isDated && days.count > 1 ? days : nil
  }

  /// The image; equal fits give equal bytes.
  func svg() -> String {
    let height = Self.bottom + Layout.bottom
    var svg = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(Layout.width)" height="\(height)" \
      viewBox="0 0 \(Layout.width) \(height)" font-family="Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif" \
      font-size="12">
      <style>
      \(FeaturePlot.style)
      \(Self.style)
      </style>
      <rect class="page" width="\(Layout.width)" height="\(height)"/>
      <text x="\(Layout.left)" y="34" class="ink" font-size="20" font-weight="bold">\(xmlEscaped(title))</text>
      <text x="\(Layout.left)" y="56" class="soft">\(xmlEscaped(subtitle))</text>

      """
    svg += legend() + seriesPanel() + probabilityPanel()
    for tick in timeTicks {
      svg +=
        "<text x=\"\(x(tick.place))\" y=\"\(Self.bottom + 19)\" text-anchor=\"middle\" class=\"ink\">\(tick.label)</text>\n"
    }
    return svg + """
      <text x="\(Layout.left + Layout.plotWidth / 2)" y="\(Self.bottom + 40)" text-anchor="middle" class="soft">\
      \(days == nil ? "row" : "date")</text>
      </svg>

      """
  }

  private var subtitle: String {
    let count = PlotTicks.grouped(fit.observationCount)
    let likelihood = PlotTicks.significant(fit.logLikelihood)
    let end =
      fit.converged ? "\(fit.iterationCount) iterations" : "not converged after \(fit.iterationCount) iterations"
    return "\(count) rows · \(fit.model.stateCount) states · log-likelihood \(likelihood) · \(end)"
  }

  /// A line a state: colour, volatility, mean, how long it lasts and its share of all rows.
  private func legend() -> String {
    let stationary = fit.model.stationaryDistribution
    let width = Layout.plotWidth / fit.model.stateCount
    var svg = "<g id=\"legend\">\n"
    for state in 0..<fit.model.stateCount {
      let left = Layout.left + state * width
      let deviation = PlotTicks.significant((fit.model.variance(state: state).squareRoot() * 1e3).rounded() / 1e3)
      let mean = PlotTicks.significant((fit.model.means[state][0] * 1e4).rounded() / 1e4)
      let stay = fit.model.expectedDurations[state]
      let rows = stay < 1e6 ? PlotTicks.significant((stay * 10).rounded() / 10) : "all"
      let share = stationary.map { " · \(Int(($0[state] * 100).rounded())) %" } ?? ""
      svg += """
        <rect class="\(tone(state))" x="\(left)" y="70" width="14" height="14"/>
        <text x="\(left + 20)" y="82" class="ink">state \(state)<tspan class="soft" dx="6">deviation \(deviation), \
        mean \(mean)</tspan></text>
        <text x="\(left + 20)" y="98" class="soft">stays \(rows) rows\(share)</text>

        """
    }
    return svg + "</g>\n"
  }

  /// The class of a state: the calmest is always blue and the wildest red.
  private func tone(_ state: Int) -> String {
    let tones = [[0, 3], [0, 2, 3], [0, 1, 2, 3]]
    return "tone\(tones[fit.model.stateCount - 2][state])"
  }

  // MARK: - Panels

  /// The summed series over bands of the most probable path.
  private func seriesPanel() -> String {
    var (low, high) = (sums.min() ?? 0, sums.max() ?? 1)
    let margin = max((high - low) / 20, 1e-9)
    (low, high) = (low - margin, high + margin)
    func y(_ value: Double) -> String {
      Self.number(Double(Self.seriesTop) + (high - value) / (high - low) * Double(Self.seriesHeight))
    }
    var svg = "<g id=\"series\">\n" + frame(Self.seriesTop, Self.seriesHeight)
    var first = 0
    for row in 1...states.count where row == states.count || states[row] != states[first] {
      let (from, to) = (x(Double(first)), x(Double(row)))
      // A regime of one row is seen too.
      svg +=
        "<rect class=\"\(tone(states[first])) band\" x=\"\(from)\" y=\"\(Self.seriesTop)\" width=\"\(max(1, to - from))\" height=\"\(Self.seriesHeight)\"/>\n"
      first = row
    }
    let ticks = PlotTicks.values(low, high, countMax: 8)
    var grid = ""
    for value in ticks.values {
      grid += "M\(Layout.left) \(y(value))h\(Layout.plotWidth)"
      svg +=
        "<text x=\"\(Layout.left - 8)\" y=\"\(y(value))\" dy=\"4\" text-anchor=\"end\" class=\"soft\" font-size=\"11\">\(PlotTicks.label(value, step: ticks.step))</text>\n"
    }
    svg += "<path class=\"grid\" d=\"\(grid)\"/>\n"
    svg += "<path class=\"sum\" d=\"\(linePath(y))\"/>\n"
    return svg + heading(Self.seriesTop, "\(column), summed", "bands: most probable path, in hindsight") + "</g>\n"
  }

  /// In each column of pixels from the lowest to the highest value.
  private func linePath(_ y: (Double) -> String) -> String {
    var path = ""
    var place = 0
    while place < sums.count {
      let column = x(Double(place))
      var (low, high, last) = (sums[place], sums[place], sums[place])
      while place < sums.count, x(Double(place)) == column {
        (low, high, last) = (min(low, sums[place]), max(high, sums[place]), sums[place])
        place += 1
      }
      path += "\(path.isEmpty ? "M" : "L")\(column) \(y(low))"
      if high > low { path += "V\(y(high))" + (last < high ? "V\(y(last))" : "") }
    }
    return path
  }

  /// Filtered probabilities, one above the other.
  private func probabilityPanel() -> String {
    let count = fit.model.stateCount
    var svg = "<g id=\"filtered\">\n" + frame(Self.probabilityTop, Self.probabilityHeight)
    // The mean of the rows of each column of pixels.
    var columns: [(column: Int, shares: [Double])] = []
    var row = 0
    while row < states.count {
      let column = x(Double(row) + 0.5)
      var shares = [Double](repeating: 0, count: count)
      var rows = 0.0
      while row < states.count, x(Double(row) + 0.5) == column {
        for (state, probability) in filtered.probabilities(at: row).enumerated() { shares[state] += probability }
        rows += 1
        row += 1
      }
      columns.append((column, shares.map { $0 / rows }))
    }
    // Each area reaches from its own upper edge to the bottom; the next one lies over it.
    for state in 0..<count {
      var path = ""
      for (column, shares) in columns {
        let height = shares[state...].reduce(0, +) * Double(Self.probabilityHeight)
        let top = Self.number(Double(Self.bottom) - min(height, Double(Self.probabilityHeight)))
        path += "\(path.isEmpty ? "M" : "L")\(column) \(top)"
      }
      if let first = columns.first, let last = columns.last {
        path += "L\(last.column) \(Self.bottom)H\(first.column)Z"
        svg += "<path class=\"\(tone(state))\" d=\"\(path)\"/>\n"
      }
    }
    for (share, label) in [(0.0, "0"), (0.5, "0.5"), (1, "1")] {
      let y = Self.number(Double(Self.bottom) - share * Double(Self.probabilityHeight) + 4)
      svg +=
        "<text x=\"\(Layout.left - 8)\" y=\"\(y)\" text-anchor=\"end\" class=\"soft\" font-size=\"11\">\(label)</text>\n"
    }
    let note = "filtered: what the rows up to each one say"
    return svg + heading(Self.probabilityTop, "probability of each state", note) + "</g>\n"
  }

  private func frame(_ top: Int, _ height: Int) -> String {
    "<rect class=\"panel\" x=\"\(Layout.left)\" y=\"\(top)\" width=\"\(Layout.plotWidth)\" height=\"\(height)\"/>\n"
  }

  private func heading(_ top: Int, _ name: String, _ note: String) -> String {
    """
    <text x="\(Layout.left)" y="\(top - 6)" class="ink" font-weight="bold" font-size="13">\(xmlEscaped(name))</text>
    <text x="\(Layout.left + Layout.plotWidth)" y="\(top - 6)" text-anchor="end" class="soft">\(note)</text>

    """
  }

  // MARK: - Places

  /// The column of pixels of a place among the rows: 0 is before the first, the number of rows after the last.
  private func x(_ place: Double) -> Int {
    var share = place / Double(max(1, states.count))
    if let days {
      let row = min(Int(place), days.count - 1)
      let next = row + 1 < days.count ? days[row + 1] : days[row] + 1
      let day = Double(days[row]) + (place - Double(row)) * Double(next - days[row])
      share = (day - Double(days[0])) / Double(days[days.count - 1] + 1 - days[0])
    }
    return Layout.left + Int((min(max(share, 0), 1) * Double(Layout.plotWidth)).rounded())
  }

  /// Round dates or rows, and the places among the rows where they stand.
  private var timeTicks: [(place: Double, label: String)] {
    let day: Int64 = 86_400_000_000_000
    guard let days else {
      return PlotAxis.rows.ticks(
        Timestamp(nanoseconds: 0), Timestamp(nanoseconds: Int64(states.count)), countMax: Layout.plotWidth / 75
      ).map { (Double($0.time.nanoseconds), $0.label) }
    }
    return PlotAxis.clock.ticks(
      Timestamp(nanoseconds: days[0] * day), Timestamp(nanoseconds: days[days.count - 1] * day),
      countMax: Layout.plotWidth / 75
    ).compactMap { tick in
      days.firstIndex { $0 >= tick.time.nanoseconds / day }.map { (Double($0), tick.label) }
    }
  }

  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
  }

  // From calm to wild, blue to red: apart for most colour-blind readers.
  private static let style = """
    .tone0 { fill: #4c8cc9 } .tone1 { fill: #9ac36b } .tone2 { fill: #e8a33d } .tone3 { fill: #c0392b }
    .band { fill-opacity: 0.38 } .sum { fill: none; stroke: #1c1c1c; stroke-width: 1.2; stroke-linejoin: round }
    @media (prefers-color-scheme: dark) { .sum { stroke: #f0f0f0 } .band { fill-opacity: 0.5 } }
    """
}
