import CAllocationCounter
import LockFreeRings
import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: variance forecasts equal those of an independent package at its parameters, and bad returns change nothing.
// Method: the golden series at the stated tolerance of 1e-10, and small cases.
@Suite struct VolatilityFilterTests {
  private let first = InstrumentID(index: 0)
  private let arena = Arena(capacityBytes: 1 << 16)

  @Test(
    .enabled(if: GoldenVolatility.isThere, "shared golden files are missing"),
    arguments: VolatilityCase.allCases)
  func `variances equal the golden ones`(name: VolatilityCase) throws {
    let golden = try GoldenVolatility.load()
    let returns = try GoldenVolatility.returns()
    let backcast = try #require(VolatilityParameters.backcast(of: returns))
    #expect(abs(backcast / golden.backcast - 1) <= 1e-12)
    let model = golden.models[name.rawValue]!
    for (named, expected, isFit) in [
      (model.params, model.conditional_variance_at, true),
      (model.fixed_param_check.params, model.fixed_param_check.conditional_variance_at, false),
    ] {
      var filter = VolatilityFilter(
        instrumentCount: 1, parameters: try name.parameters(named, backcast: golden.backcast), in: arena)
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

// Goal: EGARCH steps as its equation says, and no finite return can take any filter where a later one is not understood.
@Suite struct VolatilityFilterEdgeTests {
  private let id = InstrumentID(index: 0)

  private func models() throws -> [VolatilityParameters] {
    [
      try VolatilityParameters(.garch, omega: 1e-8, alpha: 0.1, beta: 0.8),
      try VolatilityParameters(omega: 1e-8, alpha: 0, beta: 0),
      try VolatilityParameters(.gjr, omega: 0.02, alpha: 0, gamma: 0.3, beta: 0.8),
      try VolatilityParameters(.egarch, omega: 0.001, alpha: 0.13, gamma: -0.15, beta: 0.98),
      try VolatilityParameters(.egarch, omega: -0.1, alpha: 0.1, gamma: -2, beta: 0.9),
      try VolatilityParameters(.egarch, omega: 10, alpha: -2, gamma: 2, beta: 0.9999, backcast: 1e6),
    ]
  }

  @Test func `an EGARCH step by hand`() throws {
    let model = try VolatilityParameters(
      .egarch, mean: 0.5, omega: 0.1, alpha: 0.2, gamma: -0.1, beta: 0.9, backcast: 1)
    #expect(model.persistence == 0.9)
    #expect(abs(model.startVariance - DeterministicMath.exp(0.1)) < 1e-14)
    var filter = VolatilityFilter(instrumentCount: 1, parameters: model, in: Arena(capacityBytes: 1 << 12))
    let z = (1.5 - 0.5) / DeterministicMath.exp(0.05)
    let log = 0.1 + 0.2 * (z - (2 / Double.pi).squareRoot()) - 0.1 * z + 0.9 * 0.1
    #expect(abs(filter.step(id, returnPercent: 1.5) / DeterministicMath.exp(log) - 1) < 1e-13)
    // The long-run level, where no backcast is given.
    #expect(
      abs(try VolatilityParameters(.egarch, omega: 0.1, alpha: 0, beta: 0.9).backcast - DeterministicMath.exp(1))
        < 1e-13)
  }

  @Test(arguments: Seeds.brief) func `variances are positive and finite whatever comes`(seed: UInt64) throws {
    for model in try models() {
      var filter = VolatilityFilter(instrumentCount: 1, parameters: model, in: Arena(capacityBytes: 1 << 12))
      var random = SplitMix64(seed: seed)
      let strange = [0, 1e-300, 1e300, -1e300, 1e150, 100, -100, .nan, .infinity, -.infinity, .greatestFiniteMagnitude]
      for step in 0..<2_000 {
        let value = random.below(4) == 0 ? strange[random.below(strange.count)] : random.unit() * 4 - 2
        let before = filter.snapshot(of: id)
        let variance = filter.step(id, returnPercent: value)
        #expect(variance > 0 && variance.isFinite, "seed \(seed), \(model), step \(step)")
        if !value.isFinite { #expect(filter.snapshot(of: id) == before) }
        if model.model == .egarch {
          #expect(filter.snapshot(of: id).logVariance.magnitude <= VolatilityParameters.logVarianceMax)
        }
      }
      // A thousand calm returns later the forecast moves again with each of them.
      for _ in 0..<1_000 { _ = filter.step(id, returnPercent: random.unit() - 0.5) }
      let observations = filter.snapshot(of: id).observations
      _ = filter.step(id, returnPercent: 0.25)
      #expect(filter.snapshot(of: id).observations == observations + 1)
    }
  }

  @Test func `a snapshot goes on bit for bit, and a wrong one is refused`() throws {
    for model in try models() {
      var filter = VolatilityFilter(instrumentCount: 1, parameters: model, in: Arena(capacityBytes: 1 << 12))
      for step in 0..<50 { _ = filter.step(id, returnPercent: Double(step % 7) - 3) }
      var other = VolatilityFilter(instrumentCount: 1, parameters: model, in: Arena(capacityBytes: 1 << 12))
      try other.restore(filter.snapshot(of: id), of: id)
      for step in 0..<50 {
        #expect(
          filter.step(id, returnPercent: Double(step % 5) - 2) == other.step(id, returnPercent: Double(step % 5) - 2))
      }
    }
    let model = try VolatilityParameters(.egarch, omega: 0, alpha: 0.1, beta: 0.9)
    var filter = VolatilityFilter(instrumentCount: 1, parameters: model, in: Arena(capacityBytes: 1 << 12))
    #expect(throws: ConfigurationError.self) {
      try filter.restore(VolatilityState(variance: 2, observations: 1, logVariance: 0), of: id)
    }
  }

  @Test(.enabled(if: countsAllocations, "counts allocations in optimised builds"))
  func `steps of every model allocate nothing`() throws {
    for model in try models() {
      var filter = VolatilityFilter(instrumentCount: 1, parameters: model, in: Arena(capacityBytes: 1 << 12))
      let state = VolatilityState(model)
      _ = filter.step(id, returnPercent: 1)
      let counts = counting {
        for step in 0..<1_000 { _ = filter.step(id, returnPercent: Double(step % 9) - 4) }
        filter.adopt(model, state, of: id)
      }
      #expect(counts.allocations == 0)
    }
  }

  @Test func `bad EGARCH parameters are named`() {
    for (omega, alpha, gamma, beta) in [
      (11, 0, 0, 0.9), (.nan, 0, 0, 0.9), (0, 3, 0, 0.9), (0, 0, -3, 0.9), (0, 0, 0, 1), (0, 0, 0, -0.1),
      (0, 0, 0, 0.999),
    ] as [(Double, Double, Double, Double)] {
      #expect(throws: ConfigurationError.self) {
        try VolatilityParameters(.egarch, omega: omega, alpha: alpha, gamma: gamma, beta: beta)
      }
    }
    #expect(throws: ConfigurationError.self) {
      try VolatilityParameters(.garch, omega: 1, alpha: 0.1, gamma: 0.1, beta: 0.5)
    }
  }
}
