import CAllocationCounter
import EngineTelemetry
import LockFreeRings
import PositionSizing
import RegimeDetection
import TradingTypes

/// The fits beside the hot path: one operation is a whole fit, or one iteration of it.
extension MicroBenchmarks {
  static let quantNames = ["garch.fit", "egarch.fit", "hmm.em"]
  /// Returns of a fit, as many as there are in twenty years of days.
  static let quantReturnCount = 5_030

  func quantRows(notes: inout [String], _ isSelected: (String) -> Bool) throws -> [MicroRow] {
    var rows: [MicroRow] = []
    let returns = Self.quantReturns()
    for name in Self.quantNames where isSelected(name) {
      switch name {
      case "garch.fit": rows.append(try fit(.garch, .normal, returns).row(name))
      case "egarch.fit": rows.append(try fit(.egarch, .studentT, returns).row(name))
      default:
        let (timing, allocations) = try expectationMaximisation(returns)
        notes.append("\(name): three states, \(returns.count) returns, \(allocations) allocations an iteration")
        rows.append(timing.row(name))
      }
    }
    return rows
  }

  /// Seeded returns, calm and wild by turns, percent.
  private static func quantReturns() -> [Double] {
    var random = SplitMix64(seed: 5)
    var variance = 1.0
    return (0..<quantReturnCount).map { _ in
      // Twelve uniform numbers are nearly normal.
      let error = (0..<12).reduce(-6.0) { sum, _ in sum + random.unit() }
      let value = variance.squareRoot() * error
      variance = 0.02 + (value < 0 ? 0.13 : 0.03) * value * value + 0.9 * variance
      return 0.04 + value
    }
  }

  /// A fit from the grid's start.
  @inline(never) private func fit(
    _ model: VolatilityModel, _ errors: ErrorDistribution, _ returns: [Double]
  ) throws -> MicroTiming {
    var timing = MicroTiming(effort, clock: clock, operations: 1)
    let settings = VolatilityFitSettings(model, errors: errors)
    while timing.goesOn {
      let start = clock.now()
      let fit = try VolatilityFit(returns, settings)
      timing.add(from: start, to: clock.now(), operations: 1)
      keep(fit.logLikelihood)
    }
    return timing
  }

  /// An iteration of EM, and what it allocates.
  @inline(never) private func expectationMaximisation(
    _ returns: [Double]
  ) throws -> (timing: MicroTiming, allocations: UInt64) {
    var timing = MicroTiming(effort, clock: clock, operations: 1)
    let model = try HiddenMarkovModel(
      start: [0.4, 0.3, 0.3], transition: [[0.96, 0.02, 0.02], [0.02, 0.96, 0.02], [0.02, 0.02, 0.96]],
      means: [0.05, 0, -0.1], variances: [0.4, 1.2, 5])
    var run = try ExpectationMaximisation(returns, from: model)
    _ = try run.iterate()
    var allocations: UInt64 = 0
    while timing.goesOn {
      martlet_count_begin()
      let start = clock.now()
      let logLikelihood = try run.iterate()
      let end = clock.now()
      allocations = max(allocations, martlet_count_end().allocations)
      timing.add(from: start, to: end, operations: 1)
      keep(logLikelihood)
    }
    return (timing, allocations)
  }
}
