import RegimeDetection
import TestSupport
import Testing
import TradingTypes

// Goal: the fit walks the golden path step by step and ends where it ends; filter, smoother and path are the golden ones. Method: the S&P 500 returns from the golden start, the plain
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
    var options = HiddenMarkovFit.Options.plain
    // Debug builds walk a part of the way.
    if !countsAllocations { options.iterationsMax = 10 }
    let fit = try HiddenMarkovFit.fit(GoldenModel.returns(), from: turned, options: options)
    guard countsAllocations else {
      expectEqual(fit.model, try #require(golden.em_snapshots_after_iteration["10"]), within: 1e-8, "turned around")
      return
    }
    #expect(abs(fit.logLikelihood - golden.label_switch.loglik) <= 1e-6)
    expectEqual(fit.model, golden.converged, within: 1e-8, "turned around")
  }

  @Test(arguments: [2, 3]) func `deterministic starts find the best known optimum`(count: Int) throws {
    let golden = try golden(count)
    var options = HiddenMarkovFit.Options()
    if !countsAllocations { (options.startCount, options.startIterations, options.gainMin) = (2, 4, 1e-5) }
    let fit = try HiddenMarkovFit.fit(GoldenModel.returns(), stateCount: count, options: options)
    #expect(fit.converged && fit.logLikelihood >= golden.converged_loglik - 1e-4)
    expectEqual(fit.model, golden.converged, within: 1e-2, "from quantiles")
  }

  /// Name, transitions and counts of a path as the golden file has them.
  private func expectEqual(_ states: [Int], _ hash: String, _ transitions: Int, _ place: String) {
    var sum = FNV1a64()
    for state in states { sum.combine(UInt8(state)) }
    #expect(sum.hex == hash, "\(place)")
    #expect(zip(states, states.dropFirst()).count { $0 != $1 } == transitions, "\(place)")
  }

  @Test(arguments: [2, 3]) func `hindsight equals the golden one, path for path`(count: Int) throws {
    let golden = try golden(count)
    let returns = try GoldenModel.returns()
    let model = try golden.converged.hidden()
    let smoothed = try Hindsight.smoothed(returns, model)
    let filtered = try FilteredSeries(returns, model)
    for (place, row) in golden.indices.enumerated() {
      for state in 0..<count {
        #expect(abs(smoothed.values[row * count + state] - golden.smoothed[place][state]) <= 1e-9, "row \(row)")
        #expect(abs(filtered.probabilities[row * count + state] - golden.filtered[place][state]) <= 1e-9, "row \(row)")
      }
    }
    #expect(abs(smoothed.logLikelihood - golden.converged_loglik) <= 1e-6)
    #expect(abs(filtered.logLikelihood - golden.converged_loglik) <= 1e-6)
    let path = try Hindsight.mostProbablePath(returns, model)
    #expect(abs(path.logProbability - golden.viterbi.logprob) <= 1e-6)
    expectEqual(path.states, golden.viterbi.fnv1a64_of_state_bytes, golden.viterbi.transitions, "path")
    #expect(path.transitionCount == golden.viterbi.transitions)
    #expect((0..<count).map { state in path.states.count { $0 == state } } == golden.viterbi.counts)
    let changes = path.states.indices.dropFirst().filter { path.states[$0] != path.states[$0 - 1] }
    #expect(Array(changes.prefix(10)) == golden.viterbi.first_change_indices)
    let (behind, ahead) = (filtered.mostProbableStates, smoothed.mostProbableStates)
    expectEqual(
      behind, golden.filtered_argmax.fnv1a64_of_state_bytes, golden.filtered_argmax.transitions, "filtered")
    expectEqual(ahead, golden.smoothed_argmax.fnv1a64_of_state_bytes, golden.smoothed_argmax.transitions, "smoothed")
    #expect(zip(behind, ahead).count { $0 != $1 } == golden.filtered_vs_smoothed_argmax_disagreements)
  }

  @Test(arguments: HiddenMarkovModel.CovarianceForm.allCases)
  func `two dimensions give the golden answers`(form: HiddenMarkovModel.CovarianceForm) throws {
    let file = try GoldenModel.load()
    let golden = form == .full ? file.gauss2d_k3_full : file.gauss2d_k3_diag
    let pairs = try GoldenModel.pairs()
    for (row, values) in golden.first_5_rows.enumerated() {
      for (place, value) in values.enumerated() { #expect(abs(pairs[2 * row + place] - value) <= 1e-12) }
    }
    let model = try golden.end(form)
    let filtered = try FilteredSeries(pairs, model)
    let smoothed = try Hindsight.smoothed(pairs, model)
    for (place, row) in golden.indices.enumerated() {
      for state in 0..<3 {
        #expect(abs(filtered.probabilities[row * 3 + state] - golden.filtered[place][state]) <= 1e-9, "row \(row)")
        #expect(abs(smoothed.values[row * 3 + state] - golden.smoothed[place][state]) <= 1e-9, "row \(row)")
      }
    }
    #expect(abs(filtered.logLikelihood - golden.loglik_independent) <= 1e-6)
    let path = try Hindsight.mostProbablePath(pairs, model)
    #expect(abs(path.logProbability - golden.viterbi.logprob) <= 1e-6)
    expectEqual(path.states, golden.viterbi.fnv1a64_of_state_bytes, golden.viterbi.transitions, "path")
  }

  @Test(arguments: HiddenMarkovModel.CovarianceForm.allCases)
  func `two dimensions are fitted along the golden path`(form: HiddenMarkovModel.CovarianceForm) throws {
    let file = try GoldenModel.load()
    let golden = form == .full ? file.gauss2d_k3_full : file.gauss2d_k3_diag
    var run = try ExpectationMaximisation(GoldenModel.pairs(), from: golden.begin(form), options: .plain)
    // Debug builds walk a part of the way; the numbers at the end are those of the whole.
    let count = countsAllocations ? golden.iterations : golden.em_loglik_history_first_20.count
    for iteration in 0..<count {
      let logLikelihood = try run.iterate()
      guard iteration < golden.em_loglik_history_first_20.count else { continue }
      #expect(abs(logLikelihood - golden.em_loglik_history_first_20[iteration]) <= 1e-6, "iteration \(iteration)")
    }
    guard count == golden.iterations else { return }
    let (model, end) = (run.model, try golden.end(form))
    #expect(abs(try run.logLikelihood() - golden.loglik_independent) <= 1e-6)
    for state in 0..<3 {
      for (one, other) in zip(
        [model.start[state]] + model.transition[state] + model.means[state] + model.covariances[state],
        [end.start[state]] + end.transition[state] + end.means[state] + end.covariances[state])
      {
        #expect(abs(one - other) <= 1e-8, "state \(state)")
      }
    }
  }
}
