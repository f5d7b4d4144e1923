import Foundation
import TestSupport

/// The golden numbers of `kelly.json` beside the pipeline: formulas, the empirical optimum, several assets.
struct GoldenKelly: Decodable {
  struct Binary: Decodable {
    let p: Double
    let b: Double
    let a: Double
    let f: Double
    let f_clamped: Double
  }
  struct Continuous: Decodable {
    let mu: Double
    let r: Double
    let sigma: Double
    let f: Double
    let growth_full: Double
    let growth_half: Double
    let growth_double: Double
  }
  struct Drawdown: Decodable {
    struct Probability: Decodable {
      let k: Double
      let a: Double
      let p: Double
    }
    struct Share: Decodable {
      let a: Double
      let beta: Double
      let k: Double
    }
    let prob: [Probability]
    let kmax: [Share]
  }
  struct Shrinkage: Decodable {
    struct Case: Decodable {
      let mu: Double
      let sigma: Double
      let n: Double
      let shrink: Double
    }
    let cases: [Case]
  }
  struct Empirical: Decodable {
    struct Series: Decodable {
      let f: Double
      let growth: Double
      let mu_over_var: Double
      let upper_bound: Double
      let n: Int
    }
    let sp500: Series
  }
  struct Assets: Decodable {
    struct BayesStein: Decodable {
      let weight: Double
      let grand_mean: Double
      let mean: [Double]
      let kelly: [Double]
    }
    struct LongOnly: Decodable {
      let f: [Double]
      let objective: Double
    }
    let n_obs: Int
    let mean: [Double]
    let cov_sample_ddof1: [[Double]]
    let full_kelly: [Double]
    let growth_rate_full: Double
    let half_kelly: [Double]
    let gross_leverage_full: Double
    let scaled_to_gross_2: [Double]
    let ledoit_wolf_shrinkage: Double
    let ledoit_wolf_cov: [[Double]]
    let kelly_ledoit_wolf_cov: [Double]
    let bayes_stein: BayesStein
    let long_only_sum_le_1: LongOnly
    let long_only_sum_le_2: LongOnly
  }
  struct Singular: Decodable {
    let cov: [[Double]]
    let mu: [Double]
    let ridge: Double
  }
  let binary: [Binary]
  let continuous: [Continuous]
  let drawdown_probability: Drawdown
  let shrinkage: Shrinkage
  let empirical_log_optimal: Empirical
  let multi_asset: Assets
  let multi_asset_last_120: Assets
  let singular_covariance: Singular

  static let isThere = ["kelly.json", "sp500_returns.csv", "french_factors_monthly.csv"].allSatisfy {
    SharedData.file("golden/\($0)") != nil
  }

  static func load() throws -> GoldenKelly {
    try JSONDecoder().decode(GoldenKelly.self, from: Data(contentsOf: SharedData.file("golden/kelly.json")!))
  }

  /// Columns of a golden CSV without its first one, as fractions.
  static func fractions(_ name: String, columns: Int) throws -> [[Double]] {
    let text = try String(contentsOf: SharedData.file("golden/\(name)")!, encoding: .utf8)
    return text.split(separator: "\n").dropFirst().map { line in
      line.split(separator: ",").dropFirst().prefix(columns).map { Double($0)! / 100 }
    }
  }
}

/// Whether two numbers agree to a share of the larger of them and 1e-300.
func agrees(_ value: Double, _ expected: Double, _ tolerance: Double) -> Bool {
  abs(value - expected) <= tolerance * max(abs(expected), 1e-300) || value == expected
}

func agrees(_ values: [Double], _ expected: [Double], _ tolerance: Double) -> Bool {
  let scale = expected.map(abs).max() ?? 1
  return values.count == expected.count && zip(values, expected).allSatisfy { abs($0 - $1) <= tolerance * scale }
}
