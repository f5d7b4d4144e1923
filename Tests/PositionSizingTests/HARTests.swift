import CAllocationCounter
import Foundation
import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: HAR averages, fit and forecasts are right, and forecasts are positive. Method: plain sums, plain least squares by elimination over
// the raw regressors, and series made by the model.
@Suite struct HARTests {
  /// The forecast of the model with 0.1, 0.35, 0.3, 0.25.
  private func next(after values: [Double]) -> Double {
    let week: Double = values.suffix(5).reduce(0, +) / 5
    let month: Double = values.suffix(22).reduce(0, +) / 22
    let recent: Double = 0.1 + 0.35 * values[values.count - 1]
    return recent + 0.3 * week + 0.25 * month
  }

  /// Variances that the model makes, with multiplicative noise.
  private func series(_ count: Int, seed: UInt64) -> [Double] {
    var random = SplitMix64(seed: seed)
    var values = (0..<22).map { _ in 0.5 + random.unit() }
    while values.count < count {
      values.append(next(after: values) * (0.5 + random.unit()))
    }
    return values
  }

  /// The normal equations over the raw columns, by elimination with pivots: slow and plain.
  private func leastSquares(_ variances: [Double]) -> [Double] {
    var matrix = [[Double]](repeating: [Double](repeating: 0, count: 5), count: 4)
    for day in 22..<variances.count {
      let before = variances[..<day]
      let row = [
        1, before.last!, before.suffix(5).reduce(0, +) / 5, before.suffix(22).reduce(0, +) / 22, variances[day],
      ]
      for i in 0..<4 { for j in 0..<5 { matrix[i][j] += row[i] * row[j] } }
    }
    for column in 0..<4 {
      let pivot = (column..<4).max { abs(matrix[$0][column]) < abs(matrix[$1][column]) }!
      matrix.swapAt(column, pivot)
      for row in 0..<4 where row != column {
        let factor = matrix[row][column] / matrix[column][column]
        for j in 0..<5 { matrix[row][j] -= factor * matrix[column][j] }
      }
    }
    return (0..<4).map { matrix[$0][4] / matrix[$0][$0] }
  }

  @Test(arguments: Seeds.brief) func `averages are plain averages, whatever came before`(seed: UInt64) {
    let values = series(200, seed: seed).enumerated().map { $0 == 60 ? 1e12 : $1 }
    var state = HARState()
    for (day, value) in values.enumerated() {
      let isTaken = state.take(value)
      #expect(isTaken && state.daily == value && state.isReady == (day >= 21))
      let before = values[...day]
      for (average, days) in [(state.weekly, 5), (state.monthly, 22)] {
        let plain = before.suffix(days).reduce(0, +) / Double(min(days, before.count))
        #expect(abs(average / plain - 1) < 1e-14, "seed \(seed), day \(day)")
      }
    }
    let before = state
    for bad in [-1, .nan, .infinity, -.infinity, 1e301] {
      let isTaken = state.take(bad)
      #expect(!isTaken && state.observations == before.observations && state.monthly == before.monthly)
    }
  }

  @Test(arguments: Seeds.brief) func `a fit equals plain least squares`(seed: UInt64) throws {
    let values = series(600, seed: seed)
    let fit = try HARFit(values)
    let plain = leastSquares(values)
    let model = fit.parameters
    for (value, expected) in zip([model.constant, model.daily, model.weekly, model.monthly], plain) {
      #expect(abs(value - expected) < 1e-9, "seed \(seed)")
    }
    #expect(fit.observations == 578 && model.varianceMin == values.min())
    // R² by its definition.
    let mean = values[22...].reduce(0, +) / 578
    var (rest, total) = (0.0, 0.0)
    for day in 22..<600 {
      let state = HARState(after: values[..<day])
      let known: Double = plain[0] + plain[1] * state.daily
      let forecast: Double = known + plain[2] * state.weekly + plain[3] * state.monthly
      rest += (values[day] - forecast) * (values[day] - forecast)
      total += (values[day] - mean) * (values[day] - mean)
    }
    #expect(abs(fit.rSquared - (1 - rest / total)) < 1e-10)
  }

  @Test func `a long series gives back what made it`() throws {
    let model = try HARFit(series(40_000, seed: 9)).parameters
    #expect(abs(model.daily - 0.35) < 0.03 && abs(model.weekly - 0.3) < 0.05 && abs(model.monthly - 0.25) < 0.05)
  }

  @Test func `forecasts repeat themselves on their own answers, and stay positive`() throws {
    let model = try HARParameters(constant: 0.1, daily: 0.35, weekly: 0.3, monthly: 0.25, varianceMin: 0.01)
    var days = series(60, seed: 2)
    let forecasts = model.forecasts(HARState(after: days), horizon: 30)
    for value in forecasts {
      #expect(abs(value - next(after: days)) < 1e-12)
      days.append(value)
    }
    // The long-run level is 0.1 / (1 − 0.9) = 1.
    #expect(abs(model.forecasts(HARState(after: days), horizon: 500).last! - 1) < 1e-3)
    let odd = try HARParameters(constant: -1, daily: -2, weekly: 0.5, monthly: 0.5, varianceMin: 0.02)
    #expect(odd.forecasts(HARState(after: days), horizon: 5).allSatisfy { $0 >= 0.02 })
    #expect(odd.forecast(HARState()) == 0.02)
  }

  @Test func `bad series and numbers are refused`() {
    func refusal(_ values: [Double]) -> HARFitRefusal? {
      do {
        _ = try HARFit(values)
        return nil
      } catch { return error }
    }
    let good = series(300, seed: 1)
    #expect(refusal(good) == nil)
    #expect(refusal(Array(good.prefix(221))) == .tooFewVariances(count: 221, minimum: 222))
    for bad in [0, -1, Double.infinity, 1e7] {
      #expect(refusal(good + [bad]) == .badVariance(index: 300, value: bad))
    }
    if case .badVariance(300, _) = refusal(good + [.nan]) {} else { Issue.record("NaN was taken") }
    #expect(refusal([Double](repeating: 1, count: 300)) == .collinear)
    #expect(throws: ConfigurationError.self) {
      try HARParameters(constant: .nan, daily: 0, weekly: 0, monthly: 0, varianceMin: 1)
    }
    #expect(throws: ConfigurationError.self) {
      try HARParameters(constant: 0, daily: 0, weekly: 0, monthly: 0, varianceMin: 0)
    }
  }

  @Test(
    .enabled(
      if: SharedData.file("data/realized-vol/spy_realized_measures_2014-2018.csv") != nil, "shared data is missing"))
  func `real variances give what another program's least squares gives`() throws {
    let file = SharedData.file("data/realized-vol/spy_realized_measures_2014-2018.csv")!
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst()
    let variances = lines.compactMap { Double($0.split(separator: ",")[2]) }.map { $0 * 1e4 }
    let fit = try HARFit(variances)
    // NumPy's `lstsq` over the same rows.
    #expect(abs(fit.rSquared - 0.24479712937) < 1e-9)
    #expect(abs(fit.parameters.constant - 0.11211964) < 1e-8 && abs(fit.parameters.daily - 0.2957278) < 1e-7)
    #expect(abs(fit.parameters.weekly - 0.25660683) < 1e-8 && abs(fit.parameters.monthly - 0.20333364) < 1e-8)
  }

  @Test(.enabled(if: countsAllocations, "counts allocations in optimised builds")) func `days allocate nothing`() throws
  {
    let model = try HARParameters(constant: 0.1, daily: 0.35, weekly: 0.3, monthly: 0.25, varianceMin: 0.01)
    var state = HARState()
    var sum = 0.0
    func day(_ number: Int) {
      _ = state.take(Double(number % 7) + 0.5)
      sum += model.forecast(state)
    }
    day(0)
    let counts = counting { for number in 0..<1_000 { day(number) } }
    #expect(counts.allocations == 0 && sum > 0)
  }
}
