import Foundation

/// Columns of numbers of a CSV input with a header: an empty field is missing, anything else a finite number.
struct NumberColumns {
  let path: String
  /// The header's names, as written.
  let names: [String]
  private let lines: [ArraySlice<UInt8>]

  /// Reads `path` and its header.
  init(_ path: String) throws {
    self.path = path
    let bytes = try InputBytes.read(path)
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw ToolFailure.badInput("\(path): not valid UTF-8")
    }
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
      $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0
    }
    if lines.last?.isEmpty == true { lines.removeLast() }
    guard let header = lines.first else {
      throw ToolFailure.badInput("\(path): line 1: a header expected, an empty file found")
    }
    // A mark of byte order, which some programs put first, is no part of a name.
    let text = String(decoding: header.starts(with: [0xEF, 0xBB, 0xBF]) ? header.dropFirst(3) : header, as: UTF8.self)
    let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\"" }
    names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard isPlain, names.allSatisfy({ !$0.isEmpty }), Set(names).count == names.count else {
      throw ToolFailure.badInput("\(path): line 1: distinct plain names expected, \(text) found")
    }
    self.lines = Array(lines.dropFirst())
  }

  /// Rows there are.
  var rowCount: Int { lines.count }

  /// An error about a field.
  func refusal(_ row: Int, _ name: String, _ expected: String) -> ToolFailure {
    ToolFailure.badInput("\(path): line \(row + 2), \(name): \(expected) expected")
  }

  /// The fields of the column called `wanted` as they are written; nil where there is no such column, or a row is shorter.
  func texts(_ wanted: String) -> [String]? {
    guard let place = names.firstIndex(of: wanted) else { return nil }
    var texts: [String] = []
    for line in lines {
      let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
      guard place < fields.count else { return nil }
      texts.append(String(decoding: fields[place], as: UTF8.self))
    }
    return texts
  }

  /// The values of the columns called `wanted`, a list a column; NaN where a field is empty.
  func values(_ wanted: [String]) throws -> [[Double]] {
    let places = try wanted.map { name in
      guard let place = names.firstIndex(of: name) else {
        throw ToolFailure.badInput(
          "\(path): line 1: a column \(name) expected, \(names.joined(separator: ",")) found")
      }
      return place
    }
    var columns = [[Double]](repeating: [], count: wanted.count)
    for (row, line) in lines.enumerated() {
      let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
      guard fields.count == names.count else {
        throw ToolFailure.badInput("\(path): line \(row + 2): \(names.count) fields expected, \(fields.count) found")
      }
      for (column, place) in places.enumerated() {
        if fields[place].isEmpty {
          columns[column].append(.nan)
          continue
        }
        let text = String(decoding: fields[place], as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
          throw refusal(row, wanted[column], "a finite number or an empty field, not \"\(text)\",")
        }
        columns[column].append(value)
      }
    }
    return columns
  }
}

extension OutputText {
  /// Adds a number of JSON: null where it is none.
  func write(json value: Double?) {
    if let value, value.isFinite { write(value) } else { write("null") }
  }
}
