import Foundation
import LockFreeRings
import PositionSizing
import TestSupport
import Testing
import TradingTypes

/// The golden numbers of `garch.json` that the filter must reach.
private struct GoldenVolatility: Decodable {
  struct Model: Decodable {
    struct Check: Decodable {
      let params: [String: Double]
      let conditional_variance_at: [Double]
    }
    let params: [String: Double]
    let conditional_variance_at: [Double]
    let conditional_vol_sum: Double
    let conditional_variance_max: Double
    let conditional_variance_argmax: Int
    let forecast_variance_h1_5: [Double]
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
  static func returns() throws -> [Double] {
    let text = try String(contentsOf: SharedData.file("golden/sp500_returns.csv")!, encoding: .utf8)
    return text.split(separator: "\n").dropFirst().map { Double($0.split(separator: ",")[1])! }
  }
}

// Goal: variance forecasts equal those of an independent package at its parameters, and bad returns change nothing.
// Method: the golden series at the stated tolerance of 1e-10, and small cases.
@Suite struct VolatilityFilterTests {
  private let first = InstrumentID(index: 0)
  private let arena = Arena(capacityBytes: 1 << 16)

  private func parameters(_ named: [String: Double], backcast: Double?) throws -> VolatilityParameters {
    try VolatilityParameters(
      mean: named["mu"]!, omega: named["omega"]!, alpha: named["alpha"]!, gamma: named["gamma"] ?? 0,
      beta: named["beta"]!, backcast: backcast)
  }

  @Test(
    .enabled(if: GoldenVolatility.isThere, "shared golden files are missing"),
    arguments: ["GARCH_normal", "GARCH_t", "GJR_normal", "GJR_t"])
  func `variances equal the golden ones`(name: String) throws {
    let golden = try GoldenVolatility.load()
    let returns = try GoldenVolatility.returns()
    let backcast = try #require(VolatilityParameters.backcast(of: returns))
    #expect(abs(backcast / golden.backcast - 1) <= 1e-12)
    let model = golden.models[name]!
    for (named, expected, isFit) in [
      (model.params, model.conditional_variance_at, true),
      (model.fixed_param_check.params, model.fixed_param_check.conditional_variance_at, false),
    ] {
      var filter = VolatilityFilter(
        instrumentCount: 1, parameters: try parameters(named, backcast: golden.backcast), in: arena)
      var variances: [Double] = []
      for value in returns {
        variances.append(filter.variance(of: first))
        let next = filter.step(first, returnPercent: value)
        #expect(next == filter.variance(of: first))
      }
      for (place, row) in golden.indices.enumerated() {
        #expect(abs(variances[row] / expected[place] - 1) <= 1e-10, "\(name) row \(row)")
      }
      guard isFit else { continue }
      #expect(abs(filter.variance(of: first) / model.forecast_variance_h1_5[0] - 1) <= 1e-10)
      #expect(abs(variances.max()! / model.conditional_variance_max - 1) <= 1e-10)
      #expect(variances.firstIndex(of: variances.max()!) == model.conditional_variance_argmax)
      #expect(abs(variances.map { $0.squareRoot() }.reduce(0, +) / model.conditional_vol_sum - 1) <= 1e-10)
    }
  }

  @Test func `what is not a number is refused, counted, and changes nothing`() throws {
    var filter = VolatilityFilter(
      instrumentCount: 2, parameters: try VolatilityParameters(omega: 0.02, alpha: 0.1, beta: 0.8), in: arena)
    let before = filter.step(first, returnPercent: 1)
    for value in [Double.nan, .infinity, -.infinity, 1e200] {
      #expect(filter.step(first, returnPercent: value) == before)
    }
    #expect(filter.refusalCount == 4)
    #expect(filter.snapshot(of: first).observations == 1)
    // By hand: long-run variance 0.02 / 0.1 = 0.2; first forecast 0.02 + 0.9 × 0.2 = 0.2; then 0.02 + 0.1 + 0.16.
    #expect(abs(before - 0.28) < 1e-15)
    #expect(abs(filter.variance(of: InstrumentID(index: 1)) - 0.2) < 1e-15)
  }

  @Test func `a negative error weighs more under GJR`() throws {
    let model = try VolatilityParameters(mean: 0.5, omega: 0.02, alpha: 0.05, gamma: 0.1, beta: 0.8, backcast: 1)
    var filter = VolatilityFilter(instrumentCount: 2, parameters: model, in: arena)
    #expect(abs(model.startVariance - (0.02 + 0.05 + 0.05 + 0.8)) < 1e-15)
    #expect(abs(filter.step(first, returnPercent: 1.5) - (0.02 + 0.05 + 0.8 * 0.92)) < 1e-15)
    #expect(abs(filter.step(InstrumentID(index: 1), returnPercent: -0.5) - (0.02 + 0.15 + 0.8 * 0.92)) < 1e-15)
  }

  @Test func `snapshot, restore and restart`() throws {
    let model = try VolatilityParameters(omega: 0.02, alpha: 0.1, beta: 0.8)
    var filter = VolatilityFilter(instrumentCount: 2, parameters: model, in: arena)
    let second = InstrumentID(index: 1)
    for step in 0..<10 { _ = filter.step(first, returnPercent: Double(step) - 4) }
    try filter.restore(filter.snapshot(of: first), of: second)
    #expect(filter.step(first, returnPercent: 2) == filter.step(second, returnPercent: 2))
    #expect(throws: ConfigurationError.self) {
      try filter.restore(VolatilityState(variance: .nan, observations: 0), of: second)
    }
    filter.restart(second, with: try VolatilityParameters(omega: 0.02, alpha: 0.1, beta: 0.8, backcast: 4))
    #expect(abs(filter.variance(of: second) - 3.62) < 1e-15)
    #expect(filter.parameters(of: second).backcast == 4)
  }

  @Test func `bad parameters are named`() {
    let cases: [(Double, Double, Double, Double, Double?)] = [
      (0, 0.1, 0, 0.8, nil), (-1, 0.1, 0, 0.8, nil), (.nan, 0.1, 0, 0.8, nil), (0.02, -0.1, 0, 0.8, nil),
      (0.02, 0.1, -0.1, 0.8, nil), (0.02, 0.3, 0, 0.8, nil), (0.02, 0.1, 0.3, 0.8, nil), (0.02, 0.1, 0, 1, nil),
      (0.02, 0.098, 0, 0.9, nil), (0.02, 0.1, 0, 0.8, 0), (0.02, 0.1, 0, 0.8, .nan), (0.02, 0.1, 0, 0.8, .infinity),
    ]
    for (index, (omega, alpha, gamma, beta, backcast)) in cases.enumerated() {
      #expect(throws: ConfigurationError.self, "case \(index)") {
        try VolatilityParameters(omega: omega, alpha: alpha, gamma: gamma, beta: beta, backcast: backcast)
      }
    }
    #expect(throws: ConfigurationError.self) { try VolatilityParameters(mean: .nan, omega: 1, alpha: 0, beta: 0) }
    #expect(VolatilityParameters.backcast(of: []) == nil)
    #expect(VolatilityParameters.backcast(of: [1, 1, 1]) == nil)
    #expect(VolatilityParameters.backcast(of: [1, .nan]) == nil)
  }
}
