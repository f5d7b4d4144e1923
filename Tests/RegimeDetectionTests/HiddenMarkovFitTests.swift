import CAllocationCounter
import Foundation
import RegimeDetection
import TestSupport
import Testing
import TradingTypes

// Goal: an iteration is the textbook's, a fit never gets worse, and every bad series is refused by name. Method: a plain twin over seeded
// models and series, and a series made for each refusal.
@Suite struct HiddenMarkovFitTests {
  private static let truth = try! HiddenMarkovModel(
    start: [1, 0], transition: [[0.97, 0.03], [0.06, 0.94]], means: [0.08, -0.1], variances: [0.5, 5])

  private func series(_ count: Int, seed: UInt64 = 4) -> [Double] {
    var simulation = SimulatedMarkov(Self.truth, seed: seed)
    return simulation.returns(count)
  }

  /// One iteration with everything in logarithms: forward, backward, every pair of states at every place.
  private func reference(_ x: [Double], _ model: HiddenMarkovModel) -> (logLikelihood: Double, HiddenMarkovModel) {
    let states = Array(0..<model.stateCount)
    func sum(_ logs: [Double]) -> Double {
      let top = logs.max()!
      return top == -.infinity ? top : top + log(logs.map { exp($0 - top) }.reduce(0, +))
    }
    func emit(_ row: Int, _ state: Int) -> Double {
      let (distance, variance) = (x[row] - model.means[state][0], model.variance(state: state))
      return -0.5 * log(2 * .pi * variance) - distance * distance / (2 * variance)
    }
    var forward = [states.map { log(model.start[$0]) + emit(0, $0) }]
    for row in 1..<x.count {
      forward.append(
        states.map { j in sum(states.map { forward[row - 1][$0] + log(model.transition[$0][j]) }) + emit(row, j) })
    }
    var backward = [[Double]](repeating: states.map { _ in 0 }, count: x.count)
    for row in stride(from: x.count - 2, through: 0, by: -1) {
      backward[row] = states.map { i in
        sum(states.map { log(model.transition[i][$0]) + emit(row + 1, $0) + backward[row + 1][$0] })
      }
    }
    let total = sum(forward[x.count - 1])
    let gamma = x.indices.map { row in states.map { exp(forward[row][$0] + backward[row][$0] - total) } }
    let counts = states.map { state in gamma.map { $0[state] }.reduce(0, +) }
    let means = states.map { state in zip(gamma, x).map { $0[state] * $1 }.reduce(0, +) / counts[state] }
    let variances = states.map { state in
      zip(gamma, x).map { $0[state] * ($1 - means[state]) * ($1 - means[state]) }.reduce(0, +) / counts[state]
    }
    let transition = states.map { i in
      let row = states.map { j in
        (0..<x.count - 1).map { place in
          exp(forward[place][i] + log(model.transition[i][j]) + emit(place + 1, j) + backward[place + 1][j] - total)
        }.reduce(0, +)
      }
      return row.map { $0 / row.reduce(0, +) }
    }
    func normal(_ distribution: [Double]) -> [Double] { distribution.map { $0 / distribution.reduce(0, +) } }
    return (
      total,
      try! HiddenMarkovModel(start: normal(gamma[0]), transition: transition, means: means, variances: variances)
    )
  }

  @Test(arguments: Seeds.brief) func `an iteration equals the textbook's`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for count in 2...4 {
      func distribution() -> [Double] {
        let raw = (0..<count).map { _ in random.unit() + 0.05 }
        return raw.map { $0 / raw.reduce(0, +) }
      }
      let start = distribution()
      let transition = (0..<count).map { _ in distribution() }
      let model = try HiddenMarkovModel(
        start: start, transition: transition, means: (0..<count).map { _ in random.unit() - 0.5 },
        variances: (0..<count).map { 0.2 + Double($0) + random.unit() })
      let x = (0..<120).map { (random.unit() - 0.5) * ($0 % 15 == 0 ? 25 : 5) }
      var options = HiddenMarkovFit.Options.plain
      (options.observationsMin, options.occupancyMin) = (100, 1e-3)
      var run = try ExpectationMaximisation(x, from: model, options: options)
      let logLikelihood = try run.iterate()
      let (expected, twin) = reference(x, model)
      #expect(abs(logLikelihood - expected) < 1e-9, "seed \(seed), \(count) states")
      for state in 0..<count {
        for (one, other) in zip(
          [run.model.start[state], run.model.means[state][0], run.model.variance(state: state)]
            + run.model.transition[state],
          [twin.start[state], twin.means[state][0], twin.variance(state: state)] + twin.transition[state])
        {
          #expect(abs(one - other) < 1e-9 * max(1, abs(other)), "seed \(seed), \(count) states")
        }
      }
    }
  }

  @Test(arguments: Seeds.brief) func `no iteration loses likelihood, and a fit is the same every time`(seed: UInt64)
    throws
  {
    let x = series(400, seed: seed)
    var options = HiddenMarkovFit.Options()
    (options.startCount, options.startIterations, options.gainMin) = (2, 5, 1e-4)
    for count in 2...3 {
      let fit: HiddenMarkovFit
      do { fit = try HiddenMarkovFit.fit(x, stateCount: count, options: options) } catch {
        // Three states in a series of two may end in a collapse, which is said.
        guard case .collapsed = error, count == 3 else { throw error }
        continue
      }
      #expect(zip(fit.history, fit.history.dropFirst()).allSatisfy { $1 > $0 - 1e-6 }, "seed \(seed)")
      #expect(fit.model.isCanonical && abs(fit.occupancy.reduce(0, +) - 400) < 1e-6, "seed \(seed)")
      #expect(fit.logLikelihood >= fit.history[fit.history.count - 1] - 1e-6, "seed \(seed)")
      let again = try HiddenMarkovFit.fit(x, stateCount: count, options: options)
      #expect(again.model == fit.model && again.history == fit.history, "seed \(seed)")
    }
  }

  @Test func `every bad series is refused by name`() {
    func refusal(_ x: [Double], _ count: Int = 2, dimensions: Int = 1) -> HiddenMarkovError? {
      do {
        _ = try HiddenMarkovFit.fit(x, stateCount: count, dimensionCount: dimensions)
        return nil
      } catch { return error }
    }
    let good = series(300)
    #expect(refusal(Array(good.prefix(69))) == .tooFewObservations(count: 69, minimum: 70, freeParameters: 7))
    #expect(refusal([]) == .tooFewObservations(count: 0, minimum: 70, freeParameters: 7))
    #expect(refusal(Array(good.prefix(139)), 3) == .tooFewObservations(count: 139, minimum: 140, freeParameters: 14))
    #expect(refusal(Array(repeating: 1.3, count: 300)) == .constant(dimension: 0))
    #expect(refusal(Array(repeating: 0, count: 300)) == .constant(dimension: 0))
    for (value, expected) in [
      (Double.nan, HiddenMarkovError.notFinite(row: 7, dimension: 0)), (.infinity, .notFinite(row: 7, dimension: 0)),
      (-1e7, .outOfRange(row: 7, dimension: 0, value: -1e7)),
    ] {
      var x = good
      x[7] = value
      #expect(refusal(x) == expected)
    }
    var outlier = good
    outlier[150] = 1e5
    #expect(refusal(outlier) == .outlier(row: 150, dimension: 0, value: 1e5))
    outlier[150] = -100
    #expect(refusal(outlier) == .outlier(row: 150, dimension: 0, value: -100))
    // Five far away hold a fifth each, and take a state for themselves.
    for row in 0..<5 { outlier[50 * row + 25] = 1e3 + Double(row) }
    outlier[150] = 0
    guard case .collapsed(_, let occupancy, _) = refusal(outlier) else {
      Issue.record("five outliers: \(String(describing: refusal(outlier)))")
      return
    }
    #expect(occupancy < 10)
    #expect(refusal(good, 5) != nil && refusal(good, 2, dimensions: 9) != nil)
    #expect(refusal(Array(good.prefix(299)), 2, dimensions: 2) == .badRequest("299 values are no rows of 2"))
  }

  @Test func `a loss of everything is refused where it rules the series, and taken where it does not`() throws {
    var x = series(500)
    x[250] = -100
    #expect(throws: HiddenMarkovError.outlier(row: 250, dimension: 0, value: -100)) {
      try HiddenMarkovFit.fit(x, from: Self.truth)
    }
    // In a series of ten times the deviation it is one of many.
    x = series(500).map { 10 * $0 }
    x[250] = -100
    let wide = try HiddenMarkovModel(
      start: Self.truth.start, transition: Self.truth.transition, means: [0.8, -1], variances: [50, 500])
    let fit = try HiddenMarkovFit.fit(x, from: wide)
    #expect(fit.logLikelihood.isFinite && fit.model.variance(state: 1) < 2_000)
  }

  @Test func `zero transitions stay zero, the floor lifts them, and what they rule out is named`() throws {
    let x = series(300)
    let never = try HiddenMarkovModel(
      start: [0.5, 0.5], transition: [[1, 0], [0.1, 0.9]], means: [0, 0], variances: [3, 1])
    var run = try ExpectationMaximisation(x, from: never, options: .plain)
    for _ in 0..<2 { _ = try run.iterate() }
    #expect(run.model.transition[0] == [1, 0])
    var floored = try ExpectationMaximisation(x, from: never)
    _ = try floored.iterate()
    #expect(floored.model.transition[0][1] > 0.9e-8)
    // The only state there can be does not explain 900 at all; two of them, so that none holds half of the squares.
    var outlier = x
    (outlier[20], outlier[21], outlier[22]) = (900, -900, 900)
    let narrow = try HiddenMarkovModel(
      start: [1, 0], transition: [[1, 0], [0.1, 0.9]], means: [0, 0], variances: [1, 1e6])
    var impossible = try ExpectationMaximisation(outlier, from: narrow, options: .plain)
    #expect {
      _ = try impossible.iterate()
    } throws: {
      $0 as? HiddenMarkovError == .impossible(row: 20)
    }
  }

  @Test func `facts of a model worked out by hand`() throws {
    let model = try HiddenMarkovModel(
      start: [0.5, 0.5], transition: [[0.9, 0.1], [0.3, 0.7]], means: [0.1, -0.1], variances: [2, 1])
    #expect(!model.isCanonical && model.canonicalOrder == [1, 0])
    #expect(model.canonical.transition[0][0] == 0.7 && model.canonical.means == [[-0.1], [0.1]])
    let shares = try #require(model.stationaryDistribution)
    #expect(abs(shares[0] - 0.75) < 1e-15 && abs(shares[1] - 0.25) < 1e-15)
    #expect(abs(model.expectedDurations[0] - 10) < 1e-12 && abs(model.expectedDurations[1] - 1 / 0.3) < 1e-12)
    #expect(model.freeParameterCount == 7)
    #expect(HiddenMarkovModel.freeParameterCount(stateCount: 3, dimensionCount: 2, form: .full) == 2 + 6 + 6 + 9)
    #expect(model.aic(logLikelihood: -10) == 34)
    // A state that is left for good has no share; two that are never left make the long run unknown.
    func chain(_ rows: [[Double]]) throws -> HiddenMarkovModel {
      let count = rows.count
      return try HiddenMarkovModel(
        start: (0..<count).map { $0 == 0 ? 1 : 0 }, transition: rows, means: Array(repeating: 0, count: count),
        variances: (1...count).map(Double.init))
    }
    #expect(try chain([[0.5, 0.5], [0, 1]]).stationaryDistribution == [0, 1])
    #expect(try chain([[0.5, 0.5], [0, 1]]).expectedDurations == [2, .infinity])
    #expect(try chain([[1, 0], [0, 1]]).stationaryDistribution == nil)
    #expect(try chain([[0, 1, 0], [1, 0, 0], [0.2, 0.3, 0.5]]).stationaryDistribution == [0.5, 0.5, 0])
    #expect(throws: ConfigurationError.self) {
      try HiddenMarkovModel(
        start: [0.5, 0.5], transition: [[0.9, 0.1], [0.3, 0.7]], means: [[0, 0], [0, 0]],
        covariances: [[1, 2, 2, 1], [1, 0, 0, 1]], form: .full)
    }
    #expect(throws: ConfigurationError.self) {
      try HiddenMarkovModel(
        start: [0.5, 0.5], transition: [[0.9, 0.1], [0.3, 0.7]], means: [[0, 0], [0, 0]],
        covariances: [[1, 0.5, 0.5, 1], [1, 0, 0, 1]], form: .diagonal)
    }
  }

  @Test(.enabled(if: countsAllocations)) func `an iteration allocates nothing`() throws {
    var run = try ExpectationMaximisation(series(2_000), from: Self.truth)
    var failed = false
    func work() { for _ in 0..<5 { do { _ = try run.iterate() } catch { failed = true } } }
    work()
    let counts = counting { work() }
    #expect(counts.allocations == 0 && !failed)
  }
}
