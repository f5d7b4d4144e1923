import Foundation
import PositionSizing
import TestSupport

/// The golden numbers of `garch.json`.
struct GoldenVolatility: Decodable {
  struct Model: Decodable {
    struct Check: Decodable {
      let params: [String: Double]
      let loglik: Double
      let conditional_variance_at: [Double]
    }
    let params: [String: Double]
    let loglik: Double
    let persistence: Double
    let conditional_variance_at: [Double]
    let conditional_vol_sum: Double
    let conditional_variance_max: Double
    let conditional_variance_argmax: Int
    let forecast_variance_h1_5: [Double]
    let std_resid_at: [Double]
    let fixed_param_check: Check
  }
  struct File: Decodable {
    struct Input: Decodable {
      let backcast: Double
      let indices: [Int]
      let models: [String: Model]
    }
    let sp500: Input
  }
  static let isThere = SharedData.file("golden/garch.json") != nil && SharedData.file("golden/sp500_returns.csv") != nil
  static func load() throws -> File.Input {
    try JSONDecoder().decode(File.self, from: Data(contentsOf: SharedData.file("golden/garch.json")!)).sp500
  }
  /// The S&P 500 daily returns, percent.
  static func returns() throws -> [Double] {
    let text = try String(contentsOf: SharedData.file("golden/sp500_returns.csv")!, encoding: .utf8)
    return text.split(separator: "\n").dropFirst().map { Double($0.split(separator: ",")[1])! }
  }
}

/// The models of the golden file: each equation under each distribution.
enum VolatilityCase: String, CaseIterable, CustomStringConvertible, Sendable {
  case GARCH_normal, GARCH_t, GJR_normal, GJR_t, EGARCH_normal, EGARCH_t

  var description: String { rawValue }
  var model: VolatilityModel {
    rawValue.hasPrefix("GARCH") ? .garch : rawValue.hasPrefix("GJR") ? .gjr : .egarch
  }
  var errors: ErrorDistribution { rawValue.hasSuffix("_t") ? .studentT : .normal }

  func parameters(_ named: [String: Double], backcast: Double?) throws -> VolatilityParameters {
    try VolatilityParameters(
      model, mean: named["mu"]!, omega: named["omega"]!, alpha: named["alpha"]!, gamma: named["gamma"] ?? 0,
      beta: named["beta"]!, backcast: backcast)
  }
}
