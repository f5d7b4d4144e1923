import Foundation
import LockFreeRings
import RegimeDetection
import TestSupport
import Testing
import TradingTypes

// Goal: filter, smoother and path are right for every model. Method: small series, for which all paths can be listed one by one, and
// the filter of the hot path bit for bit.
@Suite struct HindsightTests {
  /// A model of random numbers.
  private func model(
    _ random: inout SplitMix64, dimensions: Int = 1, form: HiddenMarkovModel.CovarianceForm = .diagonal
  ) throws -> HiddenMarkovModel {
    let count = 2 + random.below(3)
    func distribution(_ random: inout SplitMix64) -> [Double] {
      let raw = (0..<count).map { _ in random.unit() + 0.02 }
      return raw.map { $0 / raw.reduce(0, +) }
    }
    let start = distribution(&random)
    let transition = (0..<count).map { _ in distribution(&random) }
    let means = (0..<count).map { _ in (0..<dimensions).map { _ in random.unit() - 0.5 } }
    let covariances = (0..<count).map { _ in
      // A matrix times its own turned around is positive definite.
      let root = (0..<dimensions * dimensions).map { _ in random.unit() - 0.3 }
      return (0..<dimensions * dimensions).map { place -> Double in
        let (row, column) = (place / dimensions, place % dimensions)
        if form == .diagonal && row != column { return 0 }
        let product = (0..<dimensions).map { root[row * dimensions + $0] * root[column * dimensions + $0] }.reduce(0, +)
        return product + (row == column ? 0.3 : 0)
      }
    }
    return try HiddenMarkovModel(
      start: start, transition: transition, means: means, covariances: covariances, form: form)
  }

  /// The logarithm of a Gaussian density, by elimination with the C library's functions.
  private func logDensity(_ x: [Double], _ mean: [Double], _ covariance: [Double]) -> Double {
    let count = x.count
    var matrix = covariance
    var rest = zip(x, mean).map { $0 - $1 }
    let distance = rest
    var logDeterminant = 0.0
    for pivot in 0..<count {
      logDeterminant += log(matrix[pivot * count + pivot])
      for row in (pivot + 1)..<max(count, pivot + 1) {
        let factor = matrix[row * count + pivot] / matrix[pivot * count + pivot]
        for column in pivot..<count { matrix[row * count + column] -= factor * matrix[pivot * count + column] }
        rest[row] -= factor * rest[pivot]
      }
    }
    var solved = rest
    for row in stride(from: count - 1, through: 0, by: -1) {
      for column in (row + 1)..<max(count, row + 1) { solved[row] -= matrix[row * count + column] * solved[column] }
      solved[row] /= matrix[row * count + row]
    }
    let square = zip(distance, solved).map { $0 * $1 }.reduce(0, +)
    return -0.5 * (Double(count) * log(2 * .pi) + logDeterminant + square)
  }

  @Test(arguments: Seeds.brief) func `all three agree with the list of all paths`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for form in [HiddenMarkovModel.CovarianceForm.diagonal, .full] {
      let dimensions = 1 + random.below(3)
      let model = try model(&random, dimensions: dimensions, form: form)
      let length = 5
      let rows = (0..<length).map { _ in (0..<dimensions).map { _ in 4 * (random.unit() - 0.5) } }
      var sums = [[Double]](repeating: [Double](repeating: 0, count: model.stateCount), count: length)
      var prefixes = sums
      var total = 0.0
      var best = (logProbability: -Double.infinity, path: [Int]())
      var pathCount = 1
      for _ in 0..<length { pathCount *= model.stateCount }
      for number in 0..<pathCount {
        var path: [Int] = []
        var rest = number
        for _ in 0..<length {
          path.append(rest % model.stateCount)
          rest /= model.stateCount
        }
        var logProbability = 0.0
        for (row, state) in path.enumerated() {
          logProbability += log(row == 0 ? model.start[state] : model.transition[path[row - 1]][state])
          logProbability += logDensity(rows[row], model.means[state], model.covariances[state])
          // Each prefix comes once for every way to go on.
          if path[(row + 1)...].allSatisfy({ $0 == 0 }) { prefixes[row][state] += exp(logProbability) }
        }
        total += exp(logProbability)
        for (row, state) in path.enumerated() { sums[row][state] += exp(logProbability) }
        if logProbability > best.logProbability { best = (logProbability, path) }
      }
      let flat = rows.flatMap { $0 }
      let smoothed = try Hindsight.smoothed(flat, model)
      let path = try Hindsight.mostProbablePath(flat, model)
      let filtered = try FilteredSeries(flat, model)
      #expect(abs(smoothed.logLikelihood - log(total)) < 1e-10, "seed \(seed)")
      #expect(abs(filtered.logLikelihood - log(total)) < 1e-10, "seed \(seed)")
      #expect(path.states == best.path && abs(path.logProbability - best.logProbability) < 1e-10, "seed \(seed)")
      for row in 0..<length {
        let prefix = prefixes[row].reduce(0, +)
        for state in 0..<model.stateCount {
          let (smooth, filter) = (smoothed.values[row * model.stateCount + state], filtered.probabilities)
          #expect(abs(smooth - sums[row][state] / total) < 1e-12, "seed \(seed)")
          #expect(abs(filter[row * model.stateCount + state] - prefixes[row][state] / prefix) < 1e-12, "seed \(seed)")
        }
      }
    }
  }

  @Test(arguments: Seeds.brief) func `the series' filter is the hot path's, bit for bit`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let model = try model(&random).canonical
    let parameters = try model.regimeParameters()
    let roles = [Regime](repeating: .bull, count: model.stateCount)
    var filter = try RegimeFilter(
      instrumentCount: 1, parameters: parameters, table: RegimeTable(roles: roles), in: Arena(capacityBytes: 1 << 12))
    let returns = (0..<300).map { (random.unit() - 0.5) * ($0 % 50 == 0 ? 200 : 6) }
    let series = try FilteredSeries(returns, HiddenMarkovModel(parameters))
    for (row, value) in returns.enumerated() {
      filter.step(InstrumentID(index: 0), returnPercent: value)
      let now = filter.stateProbabilities(of: InstrumentID(index: 0))
      for (state, probability) in series.probabilities(at: row).enumerated() {
        #expect(probability.bitPattern == now[state].bitPattern, "seed \(seed) row \(row)")
      }
    }
    let total = filter.logLikelihood(of: InstrumentID(index: 0))
    #expect(series.logLikelihood.bitPattern == total.bitPattern, "seed \(seed)")
  }

  @Test func `what the filter survives, hindsight names`() throws {
    // State 1 cannot be reached; state 0 cannot explain 100.
    let model = try HiddenMarkovModel(
      start: [1, 0], transition: [[1, 0], [0, 1]], means: [0, 0], variances: [0.1, 10])
    let series = [0.1, 0.2, 100, 0.1]
    #expect(throws: HiddenMarkovError.impossible(row: 2)) { try Hindsight.smoothed(series, model) }
    let filtered = try FilteredSeries(series, model)
    #expect(filtered.restartCount == 1 && filtered.mostProbableStates == [0, 0, 1, 1])
    // In logarithms the far tail of state 0 still has a density.
    #expect(try Hindsight.mostProbablePath(series, model).states == [0, 0, 0, 0])
    #expect(throws: HiddenMarkovError.notFinite(row: 1, dimension: 0)) { try FilteredSeries([0, .nan], model) }
    #expect(throws: HiddenMarkovError.tooFewObservations(count: 0, minimum: 1, freeParameters: 0)) {
      try Hindsight.mostProbablePath([], model)
    }
    #expect(throws: HiddenMarkovError.outOfRange(row: 0, dimension: 0, value: -1e7)) {
      try Hindsight.smoothed([-1e7], model)
    }
    #expect(try FilteredSeries([], model).probabilities.isEmpty)
  }

  // Past and future of the rows before the outlier share hardly any probability; which state it was is certain all the same.
  @Test func `an outlier that a model can hardly explain is smoothed`() throws {
    let model = try HiddenMarkovModel(
      start: [1, 0], transition: [[1, 0], [0.05, 0.95]], means: [0, 0], variances: [1, 400])
    var random = SplitMix64(seed: 38)
    let calm = (0..<200).map { _ in 2 * (random.unit() + random.unit() - 1) }
    for tenth in 330...384 {
      for place in [1, 60, 199] {
        var series = calm
        series[place] = Double(tenth) / 10
        let smoothed = try Hindsight.smoothed(series, model)
        #expect((0..<200).allSatisfy { abs(smoothed.values[2 * $0] - 1) < 1e-12 }, "\(tenth), \(place)")
        #expect(smoothed.logLikelihood.isFinite)
      }
    }
  }

  @Test func `a loss of everything has a finite answer`() throws {
    let model = try HiddenMarkovModel(
      start: [0.5, 0.5], transition: [[0.98, 0.02], [0.03, 0.97]], means: [0.07, -0.07], variances: [0.47, 3.26])
    let series = [0.1, -0.2, 0.3, -100, 0.1, 0.2]
    let smoothed = try Hindsight.smoothed(series, model)
    #expect(smoothed.values.allSatisfy { $0 >= 0 && $0 <= 1 } && smoothed.logLikelihood.isFinite)
    #expect(smoothed.mostProbableStates[3] == 1)
    #expect(try Hindsight.mostProbablePath(series, model).states[3] == 1)
    #expect(try FilteredSeries(series, model).probabilities.allSatisfy(\.isFinite))
  }
}
