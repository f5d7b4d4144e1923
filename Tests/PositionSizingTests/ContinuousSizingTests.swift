import Foundation
import LockFreeRings
import PositionSizing
import TestSupport
import Testing
import TradingTypes

/// The golden cases of the continuous preset.
struct GoldenPipeline: Decodable {
  struct Case: Decodable {
    struct Input: Decodable {
      let mu: Double?
      let nEff: Double
      let sigma_garch: Double?
      let vix: Double?
      let vix_age_s: Double
      let equity: Double
      let peak: Double
      let regimeMultiplier: Double
    }
    struct Config: Decodable {
      let kellyFraction: Double
      let maxLeverage: Double
      let targetVolAnnual: Double
      let vixScale: Double
      let vixMax: Double
      let vixStaleAfter_s: Double
      let stalePenalty: Double
      let sigmaFloor: Double
      let maxDrawdown: Double
      let allowShort: Bool
    }
    struct Expected: Decodable {
      let sigma: Double?
      let sigma_vix: Double?
      let full_kelly: Double?
      let shrink: Double?
      let after_fraction: Double?
      let vol_target_cap: Double?
      let drawdown_multiplier: Double?
      let f: Double
      let binding: String?
      let reason: String
    }
    let name: String
    let input: Input
    let config: Config
    let expected: Expected
  }
  struct Pipeline: Decodable { let cases: [Case] }
  struct Path: Decodable {
    let garch_params: [String: Double]
    let backcast: Double
    let days: Int
    let sum_f: Double
    let max_f: Double
    let days_zero: Int
    let final_equity: Double
  }
  let pipeline: Pipeline
  let end_to_end: Path

  static let isThere = ["kelly.json", "sp500_returns.csv", "vix.csv"].allSatisfy {
    SharedData.file("golden/\($0)") != nil
  }
  static func load() throws -> GoldenPipeline {
    try JSONDecoder().decode(GoldenPipeline.self, from: Data(contentsOf: SharedData.file("golden/kelly.json")!))
  }
  static func rows(_ name: String) throws -> [(date: String, value: Double?)] {
    let text = try String(contentsOf: SharedData.file("golden/\(name)")!, encoding: .utf8)
    return text.split(separator: "\n").dropFirst().map { line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      return (String(fields[0]), Double(fields[1]))
    }
  }
}

// Goal: the continuous preset gives the golden fractions, intermediates and reasons, and no NaN.
// Method: the 30 golden cases, the golden path over real returns and VIX closes, and broken inputs.
@Suite struct ContinuousSizingTests {
  private func isClose(_ value: Double, _ expected: Double?, _ tolerance: Double = 1e-12) -> Bool {
    guard let expected else { return true }
    return abs(value - expected) <= tolerance * max(1, abs(expected))
  }

  @Test(.enabled(if: GoldenPipeline.isThere, "shared golden files are missing"))
  func `the golden cases`() throws {
    let reasons: [ContinuousSizing.Reason: String] = [
      .complete: "ok", .badInput: "badInput", .noVolatility: "noVolatility", .negativeEdge: "negativeEdge",
      .drawdownStop: "drawdownStop",
    ]
    let caps: [ContinuousSizing.Cap: String] = [.none: "none", .volatilityTarget: "volTarget", .leverage: "leverage"]
    let golden = try GoldenPipeline.load().pipeline.cases
    #expect(golden.count == 30)
    for golden in golden {
      var sizing = ContinuousSizing()
      sizing.kellyFraction = golden.config.kellyFraction
      sizing.leverageMax = golden.config.maxLeverage
      sizing.volatilityTargetAnnual = golden.config.targetVolAnnual
      sizing.vixScale = golden.config.vixScale
      sizing.vixMax = golden.config.vixMax
      sizing.vixAgeMax = .seconds(Int64(golden.config.vixStaleAfter_s))
      sizing.volatilityPenaltyWithoutVIX = golden.config.stalePenalty
      sizing.volatilityFloor = golden.config.sigmaFloor
      sizing.drawdownMax = golden.config.maxDrawdown
      sizing.allowsShort = golden.config.allowShort
      try sizing.validate()
      let input = golden.input
      let outcome = sizing.size(
        ContinuousSizing.Inputs(
          mean: input.mu ?? .nan, observations: input.nEff, volatility: input.sigma_garch ?? .nan,
          vix: input.vix ?? .nan, vixAge: .seconds(Int64(input.vix_age_s)), equity: input.equity, peak: input.peak,
          regimeMultiplier: input.regimeMultiplier))
      let expected = golden.expected
      #expect(isClose(outcome.fraction, expected.f), "\(golden.name)")
      #expect(isClose(outcome.volatility, expected.sigma), "\(golden.name)")
      #expect(isClose(outcome.volatilityVIX, expected.sigma_vix), "\(golden.name)")
      #expect(isClose(outcome.kelly, expected.full_kelly), "\(golden.name)")
      #expect(isClose(outcome.shrinkage, expected.shrink), "\(golden.name)")
      #expect(isClose(outcome.fractionWanted, expected.after_fraction), "\(golden.name)")
      #expect(isClose(outcome.volatilityCap, expected.vol_target_cap), "\(golden.name)")
      #expect(isClose(outcome.drawdownMultiplier, expected.drawdown_multiplier), "\(golden.name)")
      #expect(reasons[outcome.reason] == expected.reason, "\(golden.name)")
      if let binding = expected.binding { #expect(caps[outcome.cap] == binding, "\(golden.name)") }
    }
  }

  @Test(.enabled(if: GoldenPipeline.isThere, "shared golden files are missing"))
  func `the golden path over five years`() throws {
    let golden = try GoldenPipeline.load().end_to_end
    let returns = try GoldenPipeline.rows("sp500_returns.csv")
    let vix = Dictionary(uniqueKeysWithValues: try GoldenPipeline.rows("vix.csv").map { ($0.date, $0.value) })
    var filter = VolatilityFilter(
      instrumentCount: 1,
      parameters: try VolatilityParameters(
        mean: golden.garch_params["mu"]!, omega: golden.garch_params["omega"]!, alpha: golden.garch_params["alpha"]!,
        beta: golden.garch_params["beta"]!, backcast: golden.backcast),
      in: Arena(capacityBytes: 1 << 16))
    let sizing = ContinuousSizing()
    var equity = 1.0
    var peak = 1.0
    var before = 0.0
    var fractions: [Double] = []
    for (row, (date, value)) in returns.enumerated() {
      let forecast = filter.step(InstrumentID(index: 0), returnPercent: value!)
      guard date >= "2014-01-03" else { continue }
      equity *= 1 + before * value! / 100
      peak = max(peak, equity)
      let mean = returns[(row - 249)...row].reduce(0.0) { $0 + $1.value! } / 250 / 100
      let outcome = sizing.size(
        ContinuousSizing.Inputs(
          mean: mean, observations: 250, volatility: forecast.squareRoot() / 100, vix: (vix[date] ?? nil) ?? .nan,
          equity: equity, peak: peak))
      before = outcome.fraction
      fractions.append(before)
    }
    #expect(fractions.count == golden.days)
    #expect(isClose(fractions.reduce(0, +), golden.sum_f, 1e-9))
    #expect(isClose(fractions.max()!, golden.max_f, 1e-9))
    #expect(fractions.filter { $0 == 0 }.count == golden.days_zero)
    #expect(isClose(equity, golden.final_equity, 1e-9))
  }

  @Test(arguments: Seeds.brief) func `whatever goes in, a finite fraction within the caps comes out`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    func number() -> Double {
      let strange = [Double.nan, .infinity, -.infinity, 0, -0.0, 1e308, -1e308, .leastNonzeroMagnitude, -1]
      return random.below(3) == 0 ? strange[random.below(strange.count)] : (random.unit() - 0.3)
    }
    var sizing = ContinuousSizing()
    for _ in 0..<5_000 {
      sizing.allowsShort = random.below(2) == 0
      let outcome = sizing.size(
        ContinuousSizing.Inputs(
          mean: number(), observations: 250 * number(), volatility: number() / 50, vix: 100 * number(),
          vixAge: TimeSpan(nanoseconds: Int64(random.below(2_000_000_000_000)) - 1_000), equity: number(),
          peak: number(), regimeMultiplier: 3 * number()))
      let isFine =
        outcome.fraction.isFinite && abs(outcome.fraction) <= sizing.leverageMax
        && (sizing.allowsShort || outcome.fraction >= 0) && outcome.kelly.isFinite && outcome.shrinkage.isFinite
      #expect(isFine, "seed \(seed) \(outcome)")
    }
  }
}
