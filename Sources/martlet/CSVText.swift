import TradingTypes

/// A small CSV input: a header, then rows of as many fields. Quoted fields are not needed by any input of ours and refused.
struct CSVText {
  let path: String
  let header: [Substring]
  let rows: [[Substring]]

  /// Reads `path` and checks its header.
  init(_ path: String, expecting names: [String]) throws {
    self.path = path
    guard let text = String(validating: try InputBytes.read(path), as: UTF8.self) else {
      throw ToolFailure.badInput("\(path): not valid UTF-8")
    }
    var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    if lines.last?.isEmpty == true { lines.removeLast() }
    guard let first = lines.first else {
      throw ToolFailure.badInput("\(path): line 1: a header expected, an empty file found")
    }
    let header = first.split(separator: ",", omittingEmptySubsequences: false)
    guard header.map({ $0.lowercased() }) == names else {
      throw ToolFailure.badInput("\(path): line 1: header \(names.joined(separator: ",")) expected, \(first) found")
    }
    self.header = header
    var rows: [[Substring]] = []
    for (index, line) in lines.dropFirst().enumerated() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields.count == header.count, !line.contains("\"") else {
        throw ToolFailure.badInput("\(path): line \(index + 2): \(header.count) plain fields expected, \(line) found")
      }
      rows.append(fields)
    }
    self.rows = rows
  }

  /// An error about field `column` of row `index`.
  func refusal(_ index: Int, _ column: Int, _ expected: String) -> ToolFailure {
    ToolFailure.badInput(
      "\(path): line \(index + 2), \(header[column]): \(expected) expected, \"\(rows[index][column])\" found")
  }
}

/// Context values for `martlet features`.
enum ContextFile {
  /// The events of `path` for the market and for `symbol`, which is instrument 0.
  static func read(_ path: String, symbol: String) throws -> [ContextEvent] {
    let file = try CSVText(path, expecting: ["timestamp_ns", "name", "symbol", "value"])
    var events: [ContextEvent] = []
    for (index, row) in file.rows.enumerated() {
      guard let time = Int64(row[0]), time >= events.last?.time.nanoseconds ?? .min else {
        throw file.refusal(index, 0, "nanoseconds, not before the row above,")
      }
      guard let kind = ContextEvent.Kind.allCases.first(where: { "\($0)" == row[1] }) else {
        throw file.refusal(index, 1, ContextEvent.Kind.allCases.map { "\($0)" }.joined(separator: ", "))
      }
      guard let value = Double(row[3]), value.isFinite else { throw file.refusal(index, 3, "a finite number") }
      guard row[2].isEmpty || row[2] == symbol else { continue }
      let instrument = row[2].isEmpty ? InstrumentID.none : InstrumentID(index: 0)
      events.append(ContextEvent(kind: kind, instrument: instrument, value: value, time: Timestamp(nanoseconds: time)))
    }
    return events
  }
}
