internal import ModelInference
public import TradingTypes

/// Rows of feature values, as read from CSV: to calibrate on, and to freeze as golden rows.
public struct FeatureTable: Hashable, Sendable {
  /// One row; a slot that is not valid was empty, and its value is 0.
  public struct Row: Hashable, Sendable {
    /// 96 values, narrowed to single precision, ties to even.
    public var values: [Float]
    /// Slots that had a value.
    public var valid: FeatureMask

    /// A row.
    public init(values: [Float], valid: FeatureMask) {
      self.values = values
      self.valid = valid
    }

    /// The row as the ensemble takes it.
    public var vector: FeatureVector { GoldenRow(values: values, valid: valid).vector }
  }

  /// The rows, in file order.
  public var rows: [Row]

  /// A table of rows.
  public init(rows: [Row]) { self.rows = rows }

  /// Reads a CSV file with a header; columns named as feature slots are read, others are passed over, empty is missing.
  ///
  /// A column `valid_mask` (24 hexadecimal digits, as `martlet features` writes it) makes the slots without a bit
  /// missing too. Cells may be quoted as in RFC 4180, without line breaks inside. A number that is not finite in single
  /// precision is refused.
  public static func read(_ path: String) throws(ImportError) -> FeatureTable {
    try FeatureTable(csv: ImportError.text(path), name: path)
  }

  /// The same from text.
  public init(csv text: String, name: String) throws(ImportError) {
    rows = []
    var slots: [Int?]?
    var maskColumn: Int?
    let names = Dictionary(uniqueKeysWithValues: FeatureSlot.allCases.map { ($0.name, $0.index) })
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.hasSuffix("\r") ? line.dropLast() : line
      if line.isEmpty { continue }
      let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(Self.unquoted)
      guard let columns = slots else {
        slots = cells.map { names[$0] }
        maskColumn = cells.firstIndex(of: "valid_mask")
        let found = slots!.compactMap { $0 }
        guard !found.isEmpty, Set(found).count == found.count else {
          throw ImportError(file: name, place: "line 1", expected: "columns named as feature slots, each once")
        }
        continue
      }
      guard cells.count == columns.count else {
        throw ImportError(
          file: name, place: "line \(number + 1)", expected: "\(columns.count) cells, not \(cells.count)")
      }
      var row = Row(values: [Float](repeating: 0, count: FeatureVector.count), valid: FeatureMask())
      for (slot, cell) in zip(columns, cells) where slot != nil && !cell.isEmpty {
        // Through double and then to single: the rounding of the border, not that of the text.
        guard let value = Double(cell), Float(value).isFinite else {
          throw ImportError(file: name, place: "line \(number + 1)", expected: "finite numbers, not \(cell)")
        }
        row.values[slot!] = Float(value)
        row.valid[slot!] = true
      }
      if let maskColumn {
        let digits = cells[maskColumn]
        guard digits.utf8.count == 24, let high = UInt32(digits.prefix(8), radix: 16),
          let low = UInt64(digits.dropFirst(8), radix: 16)
        else {
          throw ImportError(file: name, place: "line \(number + 1)", expected: "24 hexadecimal digits of valid_mask")
        }
        row.valid = FeatureMask(low: row.valid.low & low, high: row.valid.high & high)
      }
      rows.append(row)
    }
    guard slots != nil, !rows.isEmpty else {
      throw ImportError(file: name, place: "line 1", expected: "a header and a row")
    }
  }

  private static func unquoted(_ cell: Substring) -> String {
    guard cell.count >= 2, cell.hasPrefix("\""), cell.hasSuffix("\"") else { return String(cell) }
    return String(cell.dropFirst().dropLast().replacing("\"\"", with: "\""))
  }
}
