import Foundation
import TestSupport
import TradingTypes

/// Golden figures and real series beside the checkout; a test that lacks them skips and says so.
enum Golden {
  static let isThere = SharedData.file("golden/psi_ece.json") != nil

  /// The figures at a path of keys.
  static func object(_ path: String...) throws -> [String: Any] {
    let data = try Data(contentsOf: SharedData.folder.appendingPathComponent("golden/psi_ece.json"))
    var object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    for key in path { object = object[key] as? [String: Any] ?? [:] }
    return object
  }

  /// The list under a key of the whole.
  static func list(_ key: String) throws -> [[String: Any]] { try object()[key] as? [[String: Any]] ?? [] }

  /// A CSV file's rows without its header.
  static func rows(_ name: String) throws -> [[String]] {
    let text = try String(
      contentsOf: SharedData.folder.appendingPathComponent("golden/\(name)"), encoding: .utf8)
    return text.split(separator: "\n").dropFirst().map { $0.split(separator: ",").map(String.init) }
  }

  /// Scores and outcomes of one split of the classifier.
  static func classifier(_ split: String) throws -> (scores: [Double], labels: [Bool]) {
    let rows = try rows("calibration_scores.csv").filter { $0[0] == split }
    return (rows.map { Double($0[1]) ?? .nan }, rows.map { $0[2] == "1" })
  }

  /// Scores and outcomes of the weak model of S&P 500 direction.
  static func direction() throws -> (scores: [Double], labels: [Bool]) {
    let rows = try rows("direction_sp500.csv")
    return (rows.map { Double($0[1]) ?? .nan }, rows.map { $0[2] == "1" })
  }

  /// Daily returns as fractions of the years given, with their dates.
  static func returns(_ years: ClosedRange<Int>) throws -> [Double] {
    try rows("sp500_returns.csv").filter { years.contains(Int($0[0].prefix(4)) ?? 0) }.map {
      (Double($0[1]) ?? .nan) / 100
    }
  }
}

extension [String: Any] {
  func number(_ key: String) -> Double { (self[key] as? NSNumber)?.doubleValue ?? .nan }
  func numbers(_ key: String) -> [Double] { (self[key] as? [NSNumber] ?? []).map(\.doubleValue) }
}

/// Whether two lists agree within `tolerance` at every place.
func agree(_ left: [Double], _ right: [Double], within tolerance: Double) -> Bool {
  left.count == right.count && zip(left, right).allSatisfy { abs($0 - $1) <= tolerance }
}

/// Seeded scores and outcomes that follow them.
func randomScores(_ count: Int, seed: UInt64, levels: Int? = nil) -> (scores: [Double], labels: [Bool]) {
  var random = SplitMix64(seed: seed)
  let scores = (0..<count).map { _ in
    levels.map { Double(random.below($0 + 1)) / Double($0) } ?? random.unit()
  }
  return (scores, scores.map { random.unit() < $0 })
}
