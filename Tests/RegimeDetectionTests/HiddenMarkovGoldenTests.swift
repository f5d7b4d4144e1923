import RegimeDetection
import TestSupport
import Testing
import TradingTypes

// Goal: the fit walks the golden path step by step and ends where it ends. Method: the S&P 500 returns from the golden start, the plain
// algorithm without floors, every number at its stated tolerance.
@Suite(.enabled(if: GoldenModel.isThere, "shared golden files are missing"))
struct HiddenMarkovGoldenTests {
  private func golden(_ count: Int) throws -> GoldenModel {
    try count == 2 ? GoldenModel.load().gauss1d_k2 : GoldenModel.load().gauss1d_k3
  }

  private func expectEqual(
    _ model: HiddenMarkovModel, _ golden: GoldenModel.Parameters, within tolerance: Double, _ place: String
  ) {
    for state in 0..<model.stateCount {
      #expect(abs(model.start[state] - golden.startprob[state]) <= tolerance, "\(place): start \(state)")
      #expect(abs(model.means[state][0] - golden.means[state][0]) <= tolerance, "\(place): mean \(state)")
      #expect(
        abs(model.variance(state: state) - golden.variances[state][0]) <= tolerance, "\(place): variance \(state)")
      for next in 0..<model.stateCount {
        let difference = abs(model.transition[state][next] - golden.transmat[state][next])
        #expect(difference <= tolerance, "\(place): transition \(state), \(next)")
      }
    }
  }

  @Test(arguments: [2, 3]) func `every iteration gives the golden parameters and likelihood`(count: Int) throws {
    let golden = try golden(count)
    var run = try ExpectationMaximisation(GoldenModel.returns(), from: golden.`init`.hidden(), options: .plain)
    var compared = 0
    for iteration in 1...50 {
      let logLikelihood = try run.iterate()
      if iteration <= golden.em_loglik_first_30.count {
        #expect(abs(logLikelihood - golden.em_loglik_first_30[iteration - 1]) <= 1e-6, "iteration \(iteration)")
      }
      guard let snapshot = golden.em_snapshots_after_iteration["\(iteration)"] else { continue }
      expectEqual(run.model, snapshot, within: 1e-8, "iteration \(iteration)")
      compared += 1
    }
    #expect(compared == golden.em_snapshots_after_iteration.count && compared >= 6)
  }

  @Test(arguments: [2, 3]) func `the fit converges where the golden one does`(count: Int) throws {
    let golden = try golden(count)
    let fit = try HiddenMarkovFit.fit(GoldenModel.returns(), from: golden.`init`.hidden(), options: .plain)
    #expect(fit.converged && fit.iterationCount == golden.em_iterations_to_1e_9)
    #expect(abs(fit.logLikelihood - golden.converged_loglik) <= 1e-6)
    expectEqual(fit.model, golden.converged, within: 1e-8, "converged")
    #expect(abs(fit.aic - golden.aic) <= 1e-5 && abs(fit.bic - golden.bic) <= 1e-5)
    let stationary = try #require(fit.model.stationaryDistribution)
    let durations = fit.model.expectedDurations
    for state in 0..<count {
      #expect(abs(stationary[state] - golden.stationary_distribution[state]) <= 1e-7)
      #expect(abs(durations[state] - golden.expected_duration_days[state]) <= 1e-4)
    }
    #expect(zip(fit.history, fit.history.dropFirst()).allSatisfy { $1 > $0 - 1e-9 })
  }

  @Test(arguments: [2, 3]) func `a start with its labels turned around gives the same answer`(count: Int) throws {
    let golden = try golden(count)
    let turned = try golden.`init`.hidden().reordered(golden.label_switch.permutation)
    #expect(!turned.isCanonical)
    let fit = try HiddenMarkovFit.fit(GoldenModel.returns(), from: turned, options: .plain)
    #expect(abs(fit.logLikelihood - golden.label_switch.loglik) <= 1e-6)
    expectEqual(fit.model, golden.converged, within: 1e-8, "turned around")
  }

  @Test(arguments: [2, 3]) func `deterministic starts find the best known optimum`(count: Int) throws {
    let golden = try golden(count)
    let fit = try HiddenMarkovFit.fit(GoldenModel.returns(), stateCount: count)
    #expect(fit.converged && fit.logLikelihood >= golden.converged_loglik - 1e-4)
    expectEqual(fit.model, golden.converged, within: 1e-3, "from quantiles")
  }
}
