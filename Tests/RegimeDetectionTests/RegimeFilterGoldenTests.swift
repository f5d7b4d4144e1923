import LockFreeRings
import RegimeDetection
import TestSupport
import Testing
import TradingTypes

// Goal: the filter gives the numbers of two independent packages on real data.
// Method: run the S&P 500 returns through it at the golden parameters, no floor, and compare at the stated tolerances.
@Suite(.enabled(if: GoldenModel.isThere, "shared golden files are missing"))
struct RegimeFilterGoldenTests {
  private let first = InstrumentID(index: 0)

  private func filter(_ parameters: RegimeParameters) throws -> RegimeFilter {
    try RegimeFilter(
      instrumentCount: 1, parameters: parameters, table: .standard(stateCount: parameters.stateCount),
      in: Arena(capacityBytes: 1 << 16))
  }

  @Test(arguments: [2, 3]) func `filtered probabilities and likelihood equal the golden ones`(count: Int) throws {
    let golden = try count == 2 ? GoldenModel.load().gauss1d_k2 : GoldenModel.load().gauss1d_k3
    var filter = try filter(golden.converged.model())
    var likelihoodBefore = 0.0
    var hash = FNV1a64()
    var sums = [Double](repeating: 0, count: count)
    var squares = sums
    var place = 0
    var transitions = 0
    var argMaxBefore: Int?
    for (row, value) in try GoldenModel.returns().enumerated() {
      filter.step(first, returnPercent: value)
      let now = filter.stateProbabilities(of: first)
      var argMax = 0
      for state in 0..<count {
        sums[state] += now[state]
        squares[state] += now[state] * now[state]
        if now[state] > now[argMax] { argMax = state }
      }
      hash.combine(UInt8(argMax))
      if let argMaxBefore, argMaxBefore != argMax { transitions += 1 }
      argMaxBefore = argMax
      let likelihood = filter.logLikelihood(of: first)
      if place < golden.indices.count, golden.indices[place] == row {
        let predicted = filter.predictedProbabilities(of: first)
        for state in 0..<count {
          #expect(abs(now[state] - golden.filtered[place][state]) <= 1e-9, "row \(row) state \(state)")
          #expect(abs(predicted[state] - golden.predicted_next[place][state]) <= 1e-9, "row \(row) state \(state)")
        }
        #expect(abs(likelihood - likelihoodBefore - golden.loglik_increment[place]) <= 1e-8, "row \(row)")
        place += 1
      }
      likelihoodBefore = likelihood
    }
    #expect(place == golden.indices.count)
    #expect(abs(likelihoodBefore - golden.converged_loglik) <= 1e-6)
    #expect(hash.hex == golden.filtered_argmax.fnv1a64_of_state_bytes)
    #expect(transitions == golden.filtered_argmax.transitions)
    for state in 0..<count {
      #expect(abs(sums[state] - golden.sum_filtered[state]) <= 1e-6)
      #expect(abs(squares[state] - golden.sum_sq_filtered[state]) <= 1e-6)
    }
    #expect(filter.refusalCount == 0)
    #expect(filter.restartCount == 0)
  }

  @Test(arguments: [2, 3]) func `one more extreme return gives the golden answer and no NaN`(count: Int) throws {
    let golden = try count == 2 ? GoldenModel.load().gauss1d_k2 : GoldenModel.load().gauss1d_k3
    var filter = try filter(golden.converged.model())
    for value in try GoldenModel.returns() { filter.step(first, returnPercent: value) }
    let last = filter.snapshot(of: first)
    #expect(golden.one_step_from_last.contains { $0.x == -100 && $0.naive_density_underflow } || count == 3)
    for step in golden.one_step_from_last {
      try filter.restore(last, of: first)
      filter.step(first, returnPercent: step.x)
      let now = filter.stateProbabilities(of: first)
      for state in 0..<count { #expect(abs(now[state] - step.filtered[state]) <= 1e-9, "x \(step.x) state \(state)") }
      let increment = filter.logLikelihood(of: first) - last.logLikelihood
      #expect(abs(increment - step.loglik_increment) <= 1e-6, "x \(step.x)")
    }
  }

  @Test(arguments: [2, 3]) func `where the unscaled recursion has long reached zero the filter still sums to one`(
    count: Int
  ) throws {
    let golden = try count == 2 ? GoldenModel.load().gauss1d_k2 : GoldenModel.load().gauss1d_k3
    let model = try golden.converged.model()
    var filter = try filter(model)
    // The same recursion without scaling, to show that the data do reach zero.
    var unscaled = golden.converged.startprob
    var zeroAt: Int?
    for (row, value) in try GoldenModel.returns().prefix(600).enumerated() {
      let states = 0..<count
      let predicted =
        row == 0
        ? unscaled : states.map { j in states.map { unscaled[$0] * golden.converged.transmat[$0][j] }.reduce(0, +) }
      unscaled = states.map { state in
        let distance = value - model.means[state]
        let variance = model.variances[state]
        return predicted[state] * DeterministicMath.exp(-distance * distance / (2 * variance))
          / (2 * Double.pi * variance).squareRoot()
      }
      if zeroAt == nil, unscaled.allSatisfy({ $0 == 0 }) { zeroAt = row }
      filter.step(first, returnPercent: value)
      let now = filter.stateProbabilities(of: first)
      #expect(abs(now[0] + now[1] + now[2] + now[3] - 1) < 1e-12)
    }
    #expect(zeroAt == golden.unscaled_forward_underflows_to_zero_at_index)
  }

  @Test func `a stationary start gives the likelihood of the third package`() throws {
    let golden = try GoldenModel.load()
    let fitted = golden.gauss1d_k2.converged
    let leave = fitted.transmat[0][1]
    let enter = fitted.transmat[1][0]
    let parameters = try RegimeParameters(
      start: [enter / (leave + enter), leave / (leave + enter)], transition: fitted.transmat,
      means: fitted.means.map { $0[0] }, variances: fitted.variances.map { $0[0] }, transitionFloor: 0)
    var filter = try filter(parameters)
    for value in try GoldenModel.returns() { filter.step(first, returnPercent: value) }
    #expect(abs(filter.logLikelihood(of: first) - golden.statsmodels_markov_regression_k2.loglik) <= 1e-6)
  }
}
