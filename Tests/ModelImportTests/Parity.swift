import Foundation
import ModelImport
import ModelInference
import Testing

/// A parity fixture: a model file, rows, and what the library itself answers (Fixtures/models/parity.py).
struct Parity {
  struct Case {
    var row: [Float]
    var raw: [Double]
    var prediction: [Double]
    var leaves: [UInt32]
  }

  /// The folder of the fixtures.
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/models/parity")

  var names: [String] = []
  var cases: [Case] = []

  static func path(_ file: String) -> String { folder.appendingPathComponent(file).path }

  static func bytes(_ file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appendingPathComponent(file)))
  }

  init(_ kind: String) throws {
    let text = String(decoding: try Self.bytes("\(kind).csv"), as: UTF8.self)
    for line in text.split(separator: "\n") {
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      guard !names.isEmpty else {
        // The first kinds have no predictions.
        names = cells.prefix { $0 != "raw" }.map(String.init)
        continue
      }
      let width = names.count
      func numbers(_ cell: Substring) throws -> [Double] {
        try cell.split(separator: " ").map { try #require(Double($0)) }
      }
      cases.append(
        Case(
          row: try cells[..<width].map { $0.isEmpty ? .nan : try #require(Float($0)) },
          raw: try numbers(cells[width]), prediction: try numbers(cells[width + 1]),
          leaves: try cells[width + 2].split(separator: " ").map { try #require(UInt32($0)) }))
    }
  }
}

extension DecisionForest {
  /// The exit leaf of each tree by the trainer's number.
  func leafNumbers(_ row: [Float]) -> [UInt32] {
    zip(trees, exitLeavesReference(row)).map { $0.leafNumbers[$1] }
  }
}

/// Kinds of columns a forest has, for what a fixture must contain.
extension DecisionForest {
  var columnsOfFeature: [Int: Int] { columns.reduce(into: [:]) { $0[$1.feature, default: 0] += 1 } }

  var missingRules: Set<Missing> {
    Set(columns.compactMap { if case .thresholds(_, let missing) = $0.sight { missing } else { nil } })
  }
}
