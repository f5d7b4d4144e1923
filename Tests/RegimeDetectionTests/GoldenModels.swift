import Foundation
import RegimeDetection
import TestSupport

/// The golden numbers of `hmm.json` that the filter must reach.
struct GoldenModel: Decodable {
  struct Parameters: Decodable {
    let startprob: [Double]
    let transmat: [[Double]]
    let means: [[Double]]
    let variances: [[Double]]

    func hidden() throws -> HiddenMarkovModel {
      try HiddenMarkovModel(
        start: startprob, transition: transmat, means: means.map { $0[0] }, variances: variances.map { $0[0] })
    }

    func model(floor: Double = 0) throws -> RegimeParameters {
      try RegimeParameters(
        start: startprob, transition: transmat, means: means.map { $0[0] }, variances: variances.map { $0[0] },
        transitionFloor: floor)
    }
  }
  struct Step: Decodable {
    let x: Double
    let filtered: [Double]
    let loglik_increment: Double
    let naive_density_underflow: Bool
  }
  struct Viterbi: Decodable {
    let logprob: Double
    let fnv1a64_of_state_bytes: String
    let counts: [Int]
    let transitions: Int
    let first_change_indices: [Int]
  }
  struct LabelSwitch: Decodable {
    let permutation: [Int]
    let converged_variances: [[Double]]
    let loglik: Double
  }
  struct ArgMax: Decodable {
    let fnv1a64_of_state_bytes: String
    let transitions: Int
  }
  let `init`: Parameters
  let em_loglik_first_30: [Double]
  let em_iterations_to_1e_9: Int
  let em_snapshots_after_iteration: [String: Parameters]
  let stationary_distribution: [Double]
  let expected_duration_days: [Double]
  let aic: Double
  let bic: Double
  let smoothed: [[Double]]
  let viterbi: Viterbi
  let smoothed_argmax: ArgMax
  let filtered_vs_smoothed_argmax_disagreements: Int
  let label_switch: LabelSwitch
  let converged: Parameters
  let converged_loglik: Double
  let indices: [Int]
  let filtered: [[Double]]
  let predicted_next: [[Double]]
  let loglik_increment: [Double]
  let sum_filtered: [Double]
  let sum_sq_filtered: [Double]
  let filtered_argmax: ArgMax
  let unscaled_forward_underflows_to_zero_at_index: Int
  let one_step_from_last: [Step]

  struct Stationary: Decodable { let loglik: Double }
  /// A model of two dimensions: the return, and the logarithm of the day's range as a volatility.
  struct Pair: Decodable {
    struct Begin: Decodable {
      let startprob: [Double]
      let transmat: [[Double]]
      let means: [[Double]]
      let variances_diag: [[Double]]
    }
    struct End: Decodable {
      let startprob: [Double]
      let transmat: [[Double]]
      let means: [[Double]]
      let covariances: [[[Double]]]
    }
    let first_5_rows: [[Double]]
    let sum_x1: Double
    let `init`: Begin
    let iterations: Int
    let em_loglik_history_first_20: [Double]
    let params: End
    let loglik_independent: Double
    let indices: [Int]
    let filtered: [[Double]]
    let smoothed: [[Double]]
    let viterbi: Viterbi

    func begin(_ form: HiddenMarkovModel.CovarianceForm) throws -> HiddenMarkovModel {
      try HiddenMarkovModel(
        start: `init`.startprob, transition: `init`.transmat, means: `init`.means,
        covariances: `init`.variances_diag.map { [$0[0], 0, 0, $0[1]] }, form: form)
    }

    func end(_ form: HiddenMarkovModel.CovarianceForm) throws -> HiddenMarkovModel {
      try HiddenMarkovModel(
        start: params.startprob, transition: params.transmat, means: params.means,
        covariances: params.covariances.map { matrix in
          let mean = (matrix[0][1] + matrix[1][0]) / 2
          return [matrix[0][0], mean, mean, matrix[1][1]]
        }, form: form)
    }
  }
  struct File: Decodable {
    struct Input: Decodable {
      let gauss2d_k3_diag: Pair
      let gauss2d_k3_full: Pair
      let gauss1d_k2: GoldenModel
      let gauss1d_k3: GoldenModel
      let statsmodels_markov_regression_k2: Stationary
    }
    let sp500: Input
  }

  /// Whether the shared files are there; tests that need them say so when they skip.
  static let isThere = SharedData.file("golden/hmm.json") != nil && SharedData.file("golden/sp500_returns.csv") != nil

  static func load() throws -> File.Input {
    try JSONDecoder().decode(File.self, from: Data(contentsOf: SharedData.file("golden/hmm.json")!)).sp500
  }

  /// The S&P 500 daily returns, percent.
  static func returns() throws -> [Double] {
    let text = try String(contentsOf: SharedData.file("golden/sp500_returns.csv")!, encoding: .utf8)
    return text.split(separator: "\n").dropFirst().map { Double($0.split(separator: ",")[1])! }
  }

  /// Each day's return and logarithm of its Parkinson volatility, row-major.
  static func pairs() throws -> [Double] {
    let text = try String(contentsOf: SharedData.file("golden/sp500_ohlcv.csv")!, encoding: .utf8)
    let bars = text.split(separator: "\n").dropFirst().map { $0.split(separator: ",").dropFirst().map { Double($0)! } }
    return zip(try returns(), bars.dropFirst()).flatMap { value, bar in
      [value, log(100 * log(bar[1] / bar[2]) / (4 * log(2)).squareRoot())]
    }
  }
}
