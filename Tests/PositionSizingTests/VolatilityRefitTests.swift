import LockFreeRings
import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: a refit either replaces the parameters and gives a state to go on from, or keeps them and says why.
// Method: a good window, then each kind of bad one; states against a filter that took the same returns.
@Suite struct VolatilityRefitTests {
  private let truth = [0.05, 0.05, 0.05, 0.1, 0.85, 0]

  @Test(arguments: VolatilityModel.allCases)
  func `a good window replaces the parameters, and the filter goes on from its state`(model: VolatilityModel) throws {
    let returns = ReferenceVolatility.series(1_500, .gjr, .normal, truth, seed: 11)
    let settings = VolatilityFitSettings(model)
    let first = try VolatilityFit(Array(returns.prefix(1_000)), settings)
    let refit = VolatilityRefit(Array(returns[250..<1_250]), settings, inForce: first.parameters)
    #expect(!refit.isStale && refit.refusal == nil)
    #expect(refit.parameters == refit.fit?.parameters && refit.parameters != first.parameters)

    // The seeded state is that of a filter restarted over the same returns.
    let id = InstrumentID(index: 0)
    let window = Array(returns[1_000..<1_250])
    let seeded = refit.state(after: Array(returns.prefix(1_250)))
    let start = refit.parameters.starting(from: VolatilityParameters.backcast(of: window)!)
    var filter = VolatilityFilter(instrumentCount: 1, parameters: start, in: Arena(capacityBytes: 1 << 12))
    for value in window { _ = filter.step(id, returnPercent: value) }
    #expect(filter.snapshot(of: id) == seeded && seeded.observations == 250)
    // And what the start left behind is gone: the state after all returns is nearly the same.
    let whole = refit.state(after: Array(returns.prefix(1_250)), seedCount: 1_250)
    #expect(abs(seeded.variance / whole.variance - 1) < 0.05)

    var live = VolatilityFilter(instrumentCount: 1, parameters: first.parameters, in: Arena(capacityBytes: 1 << 12))
    live.adopt(refit.parameters, seeded, of: id)
    #expect(live.step(id, returnPercent: 0.3) == filter.step(id, returnPercent: 0.3))
  }

  @Test func `a bad window keeps what is in force and is stale`() throws {
    let returns = ReferenceVolatility.series(1_000, .gjr, .normal, truth, seed: 12)
    let settings = VolatilityFitSettings(.gjr)
    let inForce = try VolatilityFit(returns, settings).parameters
    func changed(_ value: Double) -> [Double] { returns.enumerated().map { $0 == 500 ? value : $1 } }
    for (window, reason) in [
      (Array(returns.prefix(100)), VolatilityFitRefusal.tooFewReturns(count: 100, minimum: 250)),
      ([Double](repeating: 1, count: 500), .constant), (changed(.nan), .notFinite(index: 500)),
      (changed(-100), .totalLoss(index: 500, returnPercent: -100)),
    ] {
      let refit = VolatilityRefit(window, settings, inForce: inForce)
      #expect(refit.isStale && refit.refusal == reason && refit.fit == nil && refit.parameters == inForce)
    }
    let giant = VolatilityRefit(changed(5_000), settings, inForce: inForce)
    #expect(giant.isStale && giant.parameters == inForce)
    // A state can be made of a bad window too; what cannot be taken is left out.
    let state = giant.state(after: changed(.nan))
    #expect(state.variance.isFinite && state.variance > 0)
    #expect(giant.state(after: []).observations == 0)
  }
}
