internal import TradingTypes

/// Rows of feature values, as read from CSV: to calibrate on, to predict, to freeze as golden rows.
public struct FeatureTable: Hashable, Sendable {
  /// Names of the columns.
  public var features: [String]
  /// The rows, in file order: Float, NaN where a cell was empty.
  public var rows: [[Float]]

  /// A table of rows.
  public init(features: [String], rows: [[Float]]) {
    self.features = features
    self.rows = rows
  }

  /// Reads the columns named `features`, in that order, from CSV with a header; other columns are passed over.
  ///
  /// An empty cell, or `nan`, is missing. A column `valid_mask` (24 hexadecimal digits, as `martlet features` writes it)
  /// makes the slots of the catalogue without a bit missing too. Cells may be quoted as in RFC 4180, without line breaks
  /// inside. Numbers go through double to single precision, as a feature vector does; infinities are taken as they
  /// are, a number that is infinite only in single precision is refused.
  ///
  /// - Parameter name: what errors call the file.
  /// - Complexity: O(bytes); allocates.
  public init(csv bytes: [UInt8], name: String, features: [String]) throws(ImportError) {
    self.features = features
    rows = []
    var reader = CSVReader(bytes: bytes, name: name)
    guard let header = try reader.next() else {
      throw ImportError(file: name, place: "line 1", expected: "a header and rows, not an empty file")
    }
    let names = header.map { String(decoding: $0, as: UTF8.self) }
    var places: [Int] = []
    for feature in features {
      let found = names.indices.filter { names[$0] == feature }
      guard found.count == 1 else {
        let missing = features.filter { !names.contains($0) }
        let list = missing.prefix(3).joined(separator: ", ") + (missing.count > 3 ? ", …" : "")
        throw ImportError(
          file: name, place: "line 1",
          expected: found.isEmpty
            ? "columns for all \(features.count) features of the model; \(missing.count) missing: \(list)"
            : "one column \(feature), not \(found.count)")
      }
      places.append(found[0])
    }
    let mask = names.firstIndex(of: "valid_mask")
    let slots = Dictionary(uniqueKeysWithValues: FeatureSlot.allCases.map { ($0.name, $0.index) })
    while let cells = try reader.next() {
      guard cells.count == names.count else {
        // A line without anything is no row, unless a row is one cell.
        if cells.count == 1, cells[0].isEmpty { continue }
        throw ImportError(
          file: name, place: "line \(reader.line)", expected: "\(names.count) cells, not \(cells.count)")
      }
      let valid = try mask.map { column throws(ImportError) in try reader.mask(cells[column]) }
      var row: [Float] = []
      row.reserveCapacity(places.count)
      for (feature, place) in zip(features, places) {
        if let valid, let slot = slots[feature], !valid[slot] {
          row.append(.nan)
        } else {
          row.append(try reader.number(cells[place], column: feature))
        }
      }
      rows.append(row)
    }
    guard !rows.isEmpty else { throw ImportError(file: name, place: "line 2", expected: "a row") }
  }
}

/// Lines of comma-separated cells.
struct CSVReader {
  private let bytes: [UInt8]
  private let name: String
  private var offset = 0
  /// Number of the line that was read last, from 1.
  private(set) var line = 0

  init(bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
    // A byte order mark is no part of the first name.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
  }

  /// The cells of the next line, or nil at the end.
  mutating func next() throws(ImportError) -> [ArraySlice<UInt8>]? {
    guard offset < bytes.count else { return nil }
    line += 1
    var cells: [ArraySlice<UInt8>] = []
    while true {
      let cell = try cell()
      cells.append(cell)
      guard offset < bytes.count else { return cells }
      let separator = bytes[offset]
      offset += 1
      if separator == UInt8(ascii: ",") { continue }
      if separator == UInt8(ascii: "\r"), offset < bytes.count, bytes[offset] == UInt8(ascii: "\n") { offset += 1 }
      return cells
    }
  }

  /// A cell up to a comma or the end of the line.
  private mutating func cell() throws(ImportError) -> ArraySlice<UInt8> {
    let start = offset
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else {
      while offset < bytes.count, !isEnd(bytes[offset]) { offset += 1 }
      return bytes[start..<offset]
    }
    var text: [UInt8] = []
    offset += 1
    while offset < bytes.count {
      if bytes[offset] == UInt8(ascii: "\"") {
        offset += 1
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else {
          guard offset == bytes.count || isEnd(bytes[offset]) else { break }
          return text[...]
        }
      }
      // A line ends a line: its number is what errors tell.
      if bytes[offset] == UInt8(ascii: "\n") || bytes[offset] == UInt8(ascii: "\r") { break }
      text.append(bytes[offset])
      offset += 1
    }
    throw ImportError(file: name, place: "line \(line)", expected: "a closed quotation mark before the next cell")
  }

  private func isEnd(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }

  func number(_ cell: ArraySlice<UInt8>, column: String) throws(ImportError) -> Float {
    if cell.isEmpty { return .nan }
    let text = String(decoding: cell, as: UTF8.self)
    guard let value = Double(text), value.isInfinite || Float(value).isFinite || value.isNaN else {
      throw ImportError(
        file: name, place: "line \(line), \(column)", expected: "a number in single precision's range, not \(text)")
    }
    return Float(value)
  }

  func mask(_ cell: ArraySlice<UInt8>) throws(ImportError) -> FeatureMask {
    let text = String(decoding: cell, as: UTF8.self)
    guard text.utf8.count == 24, let high = UInt32(text.prefix(8), radix: 16),
      let low = UInt64(text.dropFirst(8), radix: 16)
    else {
      throw ImportError(file: name, place: "line \(line), valid_mask", expected: "24 hexadecimal digits")
    }
    return FeatureMask(low: low, high: high)
  }
}
