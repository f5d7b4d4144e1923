/// A table of text: columns as wide as their widest cell, numbers to the right.
struct TextTable {
  /// Where the cells of a column stand.
  enum Alignment { case left, right }

  private let headings: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// A table with these columns.
  init(_ columns: [(heading: String, alignment: Alignment)]) {
    headings = columns.map(\.heading)
    alignments = columns.map(\.alignment)
  }

  /// Adds a row.
  ///
  /// - Precondition: it has a cell for each column.
  mutating func append(_ row: [String]) {
    precondition(row.count == headings.count, "TextTable: a cell for each column")
    rows.append(row)
  }

  /// The lines, each ended by a line feed.
  var text: String {
    let widths = headings.indices.map { column in ([headings] + rows).map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      var line = ""
      for (column, cell) in cells.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += alignments[column] == .left ? cell + padding : padding + cell
        line += "  "
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }
    return line(headings) + line(widths.map { String(repeating: "-", count: $0) }) + rows.map(line).joined()
  }
}

/// Numbers as people read them.
enum Readable {
  /// Nanoseconds in the unit that leaves one to three digits before the point, three digits in all: `85 ns`, `1.25 µs`, `42 ms`.
  static func time(_ nanoseconds: Double) -> String {
    var value = nanoseconds
    var unit = "ns"
    // A thousandth below, so that 999.6 is 1 µs and not 1000 ns.
    for next in ["µs", "ms", "s"] where abs(value) >= 999.5 {
      value /= 1000
      unit = next
    }
    return "\(digits(value)) \(unit)"
  }

  /// The same; a dash where there is no value.
  static func time(_ nanoseconds: Int64?) -> String { nanoseconds.map { time(Double($0)) } ?? "–" }

  /// A rate: `5.12 M/s`.
  static func rate(_ perSecond: Double) -> String {
    var value = perSecond
    var unit = ""
    for next in [" k", " M", " G"] where abs(value) >= 999.5 {
      value /= 1000
      unit = next
    }
    return digits(value) + (unit.isEmpty ? " " : unit) + "/s"
  }

  /// A whole number with thousands apart: `1,234,567`.
  static func count(_ value: UInt64) -> String {
    var result = ""
    for (place, digit) in String(value).reversed().enumerated() {
      if place > 0, place % 3 == 0 { result = "," + result }
      result = String(digit) + result
    }
    return result
  }

  /// Three digits, without zeros at the end of a fraction.
  static func digits(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let decimals = abs(value) < 9.995 ? 2 : abs(value) < 99.95 ? 1 : 0
    let scale = [1.0, 10.0, 100.0][decimals]
    let scaled = Int64((abs(value) * scale).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(scaled)" }
    var fraction = String(scaled % Int64(scale))
    fraction = String(repeating: "0", count: decimals - fraction.count) + fraction
    while fraction.last == "0" { fraction.removeLast() }
    return "\(sign)\(scaled / Int64(scale))" + (fraction.isEmpty ? "" : "." + fraction)
  }
}
