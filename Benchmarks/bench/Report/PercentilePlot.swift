import EngineTelemetry
import Glibc

/// One curve: the latency at each share of the values.
struct PercentileCurve: Equatable {
  /// A share and its latency.
  struct Point: Equatable {
    /// 1/(1 − p): 1, 10 for p90, 100 for p99.
    var odds: Double
    var nanoseconds: Int64
  }

  /// What it shows, such as `ingest, 100 k/s`.
  var name: String
  var points: [Point]

  /// Ten points for each factor of ten, as far as ten values lie above.
  init(_ name: String, _ histogram: borrowing LatencyHistogram) {
    self.name = name
    points = []
    let count = histogram.count
    guard count > 0 else { return }
    for step in 0... {
      // Of `count` values `above` lie above the share.
      let odds = pow(10, Double(step) / 10)
      let above = UInt64((Double(count) / odds).rounded(.down))
      guard above >= 10 || step == 0 else { break }
      let rank = max(1, count - min(count, above))
      points.append(Point(odds: odds, nanoseconds: histogram.value(atRank: rank)))
    }
  }
}

/// Percentile curves as an SVG image: the share on an axis of 1/(1 − p), the latency on a logarithmic one.
struct PercentilePlot {
  var title: String
  /// Below the title: the machine, the input.
  var subtitle: String
  var curves: [PercentileCurve]

  private let left = 90.0
  private let top = 70.0
  private let width = 720.0
  private let height = 440.0
  private let legendWidth = 260.0
  private let lineHeight = 18.0

  // Colours of equal weight that stay apart for most colour-blind readers; dashes tell the second round from the first.
  private let colours = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#7f5539", "#6a4c93",
  ]
  private let dashes = ["", "6 3", "2 2", "8 3 2 3"]

  /// The image.
  var svg: String {
    let drawn = curves.filter { !$0.points.isEmpty }
    let odds = drawn.flatMap(\.points).map(\.odds).max() ?? 10
    let decadesAcross = max(1, log10(odds).rounded(.up))
    // Times below a nanosecond are drawn at one.
    let times = drawn.flatMap(\.points).map { Double(max(1, $0.nanoseconds)) }
    let lowest = log10(times.min() ?? 1).rounded(.down)
    let highest = max(lowest + 1, log10(times.max() ?? 10).rounded(.up))

    func x(_ odds: Double) -> Double { left + width * log10(odds) / decadesAcross }
    func y(_ nanoseconds: Double) -> Double {
      top + height * (highest - log10(max(1, nanoseconds))) / (highest - lowest)
    }

    let legendBottom = top + lineHeight * Double(drawn.count) + 20
    let total = (across: left + width + legendWidth, down: max(top + height + 70, legendBottom))
    var svg = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(number(total.across))" height="\(number(total.down))" \
      viewBox="0 0 \(number(total.across)) \(number(total.down))" font-family="sans-serif" font-size="12">
      <rect width="100%" height="100%" fill="white"/>
      <text x="\(number(left))" y="28" font-size="18">\(escaped(title))</text>
      <text x="\(number(left))" y="48" fill="#555555">\(escaped(subtitle))</text>

      """
    // The grid: a line for each power of ten of the time, a faint one for 2 and 5 times it.
    for decade in Int(lowest)...Int(highest) {
      for factor in [1.0, 2, 5] where decade < Int(highest) || factor == 1 {
        let time = pow(10, Double(decade)) * factor
        let colour = factor == 1 ? "#bbbbbb" : "#eeeeee"
        svg += line(left, y(time), left + width, y(time), colour)
        svg += label(left - 8, y(time) + 4, "end", Readable.time(time), colour: factor == 1 ? "#000000" : "#888888")
      }
    }
    for decade in 0...Int(decadesAcross) {
      let place = x(pow(10, Double(decade)))
      svg += line(place, top, place, top + height, "#bbbbbb")
      svg += label(place, top + height + 18, "middle", share(decade))
    }
    svg += label(
      left + width / 2, top + height + 44, "middle", "share of the values at or below (axis: 1/(1 − p), logarithmic)")
    svg += """
      <text transform="translate(22 \(number(top + height / 2))) rotate(-90)" text-anchor="middle">latency (logarithmic)</text>

      """
    for (index, curve) in drawn.enumerated() {
      let style = style(of: index)
      // A point at the right end of each step: the latency holds up to that share.
      let points = curve.points.map { "\(number(x($0.odds))),\(number(y(Double($0.nanoseconds))))" }.joined(
        separator: " ")
      svg += "<polyline fill=\"none\" \(style) points=\"\(points)\"/>\n"
      let row = top + lineHeight * Double(index) + 8
      svg += "<path \(style) d=\"M\(number(left + width + 20)) \(number(row))h28\"/>\n"
      svg += label(left + width + 56, row + 4, "start", curve.name)
    }
    if drawn.isEmpty { svg += label(left + width / 2, top + height / 2, "middle", "nothing was measured") }
    return svg + "</svg>\n"
  }

  private func style(of index: Int) -> String {
    let dash = dashes[index / colours.count % dashes.count]
    let pattern = dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\""
    return "stroke=\"\(colours[index % colours.count])\" stroke-width=\"1.8\"\(pattern)"
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) -> String {
    "<path stroke=\"\(colour)\" d=\"M\(number(x1)) \(number(y1))L\(number(x2)) \(number(y2))\"/>\n"
  }

  private func label(_ x: Double, _ y: Double, _ anchor: String, _ text: String, colour: String = "#000000") -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" fill=\"\(colour)\">\(escaped(text))</text>\n"
  }

  /// 0 %, 90 %, 99 %, 99.9 %, …
  private func share(_ decade: Int) -> String {
    switch decade {
    case 0: "0 %"
    case 1: "90 %"
    case 2: "99 %"
    default: "99." + String(repeating: "9", count: decade - 2) + " %"
    }
  }

  /// With one decimal, so that equal input gives equal bytes.
  private func number(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

  private func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
      "\"", with: "&quot;")
  }
}
