import Foundation
import LockFreeRings
import PositionSizing
import RegimeDetection
import TradingTypes

/// Our side of the quant league: reads a work file, and measures every workload once for each line it is sent.
///
/// The file, numbers of 64 bits: returns, EM iterations, iterations and gain of a fit; the returns; for 2 and 3 states start, transition,
/// means, variances; for GARCH, GJR and EGARCH mu, omega, alpha, gamma, beta. A line of JSON for each workload, then an empty one:
///
///     {"name":"em.K2","ns":61000.0,"answer":-7132.1}
@main struct QuantLeague {
  var returns: [Double] = []
  var iterationCount = 0
  var fitIterationCount = 0
  var fitGain = 0.0
  var starts: [HiddenMarkovModel] = []
  var volatilities: [VolatilityParameters] = []

  static func main() {
    let arguments = CommandLine.arguments
    guard arguments.count == 2 else { fail("usage: quantleague WORK.f64") }
    guard let data = FileManager.default.contents(atPath: arguments[1]) else { fail("\(arguments[1]) is not readable") }
    do {
      let league = try QuantLeague([UInt8](data))
      while readLine() != nil {
        try league.measure()
        print("")
        fflush(nil)
      }
    } catch { fail("\(error)") }
  }

  static func fail(_ text: String) -> Never {
    print("league: \(text)")
    exit(2)
  }

  init(_ bytes: [UInt8]) throws {
    var place = 0
    func next() -> Double {
      guard place + 8 <= bytes.count else { Self.fail("the work file ends at byte \(bytes.count)") }
      var bits: UInt64 = 0
      for byte in 0..<8 { bits |= UInt64(bytes[place + byte]) << UInt64(8 * byte) }
      place += 8
      return Double(bitPattern: bits)
    }
    func list(_ count: Int) -> [Double] { (0..<count).map { _ in next() } }
    let count = Int(next())
    iterationCount = Int(next())
    fitIterationCount = Int(next())
    fitGain = next()
    returns = list(count)
    for states in [2, 3] {
      let start = list(states)
      let transition = (0..<states).map { _ in list(states) }
      starts.append(
        try HiddenMarkovModel(start: start, transition: transition, means: list(states), variances: list(states)))
    }
    let backcast = VolatilityParameters.backcast(of: returns)
    for model in [VolatilityModel.garch, .gjr, .egarch] {
      let numbers = list(5)
      volatilities.append(
        try VolatilityParameters(
          model, mean: numbers[0], omega: numbers[1], alpha: numbers[2], gamma: numbers[3], beta: numbers[4],
          backcast: backcast))
    }
  }

  func measure() throws {
    for model in [VolatilityModel.garch, .gjr, .egarch] {
      for errors in [ErrorDistribution.normal, .studentT] {
        let settings = VolatilityFitSettings(model, errors: errors)
        let start = Self.now()
        let fit = try VolatilityFit(returns, settings)
        tell("fit.\(model).\(errors == .normal ? "normal" : "t")", Self.now() - start, fit.logLikelihood)
      }
    }
    for model in starts {
      var run = try ExpectationMaximisation(returns, from: model, options: .plain)
      var last = 0.0
      var start = Self.now()
      for _ in 0..<iterationCount { last = try run.iterate() }
      tell("em.K\(model.stateCount)", (Self.now() - start) / Double(iterationCount), last)
      var options = HiddenMarkovFit.Options.plain
      options.iterationsMax = fitIterationCount
      options.gainMin = fitGain
      start = Self.now()
      let fit = try HiddenMarkovFit.fit(returns, from: model, options: options)
      tell("fit.hmm.K\(model.stateCount)", Self.now() - start, fit.history.last ?? .nan)
      try steps(of: model)
    }
    for (parameters, name) in zip(volatilities, ["garch", "gjr", "egarch"]) { steps(of: parameters, name) }
  }

  /// A million returns, a step each; the answer is the filtered probability of the first state after the last return of a first walk.
  private func steps(of model: HiddenMarkovModel) throws {
    let parameters = try model.regimeParameters(transitionFloor: 0)
    let roles = [[Regime.bull, .bear], [.bull, .sideways, .bear]][model.stateCount - 2]
    var filter = try RegimeFilter(
      instrumentCount: 1, parameters: parameters, table: RegimeTable(roles: roles),
      in: Arena(capacityBytes: 1 << 16))
    let id = InstrumentID(index: 0)
    for value in returns { filter.step(id, returnPercent: value) }
    let answer = filter.stateProbabilities(of: id)[0]
    let rounds = 1_000_000 / returns.count
    let start = Self.now()
    for _ in 0..<rounds { for value in returns { filter.step(id, returnPercent: value) } }
    tell("step.hmm.K\(model.stateCount)", (Self.now() - start) / Double(rounds * returns.count), answer)
  }

  private func steps(of parameters: VolatilityParameters, _ name: String) {
    var filter = VolatilityFilter(instrumentCount: 1, parameters: parameters, in: Arena(capacityBytes: 1 << 16))
    let id = InstrumentID(index: 0)
    for value in returns { _ = filter.step(id, returnPercent: value) }
    let answer = filter.variance(of: id)
    let rounds = 1_000_000 / returns.count
    var sum = 0.0
    let start = Self.now()
    for _ in 0..<rounds { for value in returns { sum += filter.step(id, returnPercent: value) } }
    let end = Self.now()
    // The sum is looked at, so that no step is left out.
    if !sum.isFinite { Self.fail("\(name): a variance is not finite") }
    tell("step.\(name)", (end - start) / Double(rounds * returns.count), answer)
  }

  private func tell(_ name: String, _ nanoseconds: Double, _ answer: Double) {
    print("{\"name\":\"\(name)\",\"ns\":\(nanoseconds),\"answer\":\(answer)}")
  }

  /// Nanoseconds that this program, one thread, has had of a processor: `clock` counts microseconds on POSIX.
  private static func now() -> Double { Double(clock()) * 1_000 }
}
