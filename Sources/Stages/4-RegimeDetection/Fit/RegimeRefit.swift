import LockFreeRings
public import TradingTypes

/// Refits the regime model on a window of returns and says whether the new parameters may replace those in force.
///
/// A pure function: no thread, no clock, nothing kept. It answers with new parameters and a filter state that is ready to be
/// restored, or with the reason to keep what there is: refuse and keep. Labels cannot switch, because states stand in
/// ascending variance on both sides.
///
/// The window's last returns are held out: the candidate is fitted to those before, from the parameters in force and from
/// deterministic starts, and must then predict the held out ones better than the parameters in force do.
public enum RegimeRefit {
  /// When a refit is good enough.
  public struct Rules: Hashable, Sendable {
    /// How the candidate is fitted.
    public var fit: HiddenMarkovFit.Options
    /// Returns at the end of the window that the candidate does not see.
    public var holdoutCount = 63
    /// Least returns before them.
    public var trainingCountMin = 250
    /// The candidate's predictive log-likelihood of the held out returns must be above that of the parameters in force by
    /// more than this; a tenth keeps a swap from being made of rounding.
    public var holdoutGainMin = 0.1
    /// Least ratio of a state's variance to that of the one before: nearer ones would change places by chance.
    public var varianceRatioMin = 1.05
    /// Returns at the end of the window that seed the filter's new state.
    public var seedCount = 250

    /// The rules of production: half of the starts, and a gain of less than a thousandth of log-likelihood ends the fit.
    public init() {
      fit = HiddenMarkovFit.Options()
      fit.gainMin = 1e-3
      fit.startCount = 4
    }
  }

  /// What a refit found.
  public struct Report: Hashable, Sendable {
    /// Where the candidate's fit began.
    public let start: HiddenMarkovFit.Start
    /// Iterations from there.
    public let iterationCount: Int
    /// Log-likelihood of the candidate over the returns it was fitted to.
    public let logLikelihood: Double
    /// Log-likelihood of the held out returns under the candidate, each predicted from all before it.
    public let holdoutLogLikelihood: Double
    /// The same under the parameters in force.
    public let holdoutLogLikelihoodInForce: Double
    /// What the candidate gains on the held out returns.
    public var holdoutGain: Double { holdoutLogLikelihood - holdoutLogLikelihoodInForce }
  }

  /// New parameters, good enough to replace those in force.
  public struct Adoption: Sendable {
    /// The new parameters.
    public let parameters: RegimeParameters
    /// The filter's state after the window's last returns; see `reseed`.
    public let state: RegimeState
    /// How they were found.
    public let report: Report
  }

  /// Why the parameters in force stay.
  public enum Reason: Error, Equatable, Sendable, CustomStringConvertible {
    /// The window is too short to fit and to judge.
    case tooShort(count: Int, minimum: Int)
    /// The series cannot be fitted, or every start collapsed.
    case failed(HiddenMarkovError)
    /// The fit still gained when its iterations were used up.
    case notConverged(iterationCount: Int)
    /// Two states have nearly the same variance.
    case degenerate(state: Int, varianceRatio: Double)
    /// The candidate does not predict the held out returns better.
    case notBetter(Report)
    /// The rules, the table and the parameters do not go together.
    case refused(ConfigurationError)

    /// One line for a person.
    public var description: String {
      switch self {
      case .tooShort(let count, let minimum):
        "regime refit: \(count) returns, \(minimum) or more expected; parameters kept"
      case .failed(let error): "\(error); parameters kept"
      case .notConverged(let count):
        "regime refit: still gaining after \(count) iterations, convergence expected; parameters kept"
      case .degenerate(let state, let ratio):
        "regime refit: variance of state \(state) is \(ratio) of the one before, apart expected; parameters kept"
      case .notBetter(let report):
        "regime refit: \(report.holdoutLogLikelihood) on the held out returns against "
          + "\(report.holdoutLogLikelihoodInForce) in force, better expected; parameters kept"
      case .refused(let error): "\(error); parameters kept"
      }
    }
  }

  /// Refits on `window`.
  ///
  /// - Parameters:
  ///   - window: returns in percent, in order of time, the newest last.
  ///   - inForce: the parameters in force: they are the warm start and what the candidate is compared with.
  ///   - table: the regime table of the filter.
  ///   - state: the filter's state now, whose regime in force stays; nil to begin from the seed alone.
  /// - Throws: `Reason` to keep the parameters in force.
  /// - Complexity: O(iterations × returns × states²), milliseconds; allocates.
  public static func refit(
    _ window: [Double], inForce: RegimeParameters, table: RegimeTable, state: RegimeState? = nil,
    rules: Rules = Rules()
  ) throws(Reason) -> Adoption {
    guard rules.holdoutCount >= 1, rules.trainingCountMin >= 1, rules.seedCount >= 1, rules.varianceRatioMin >= 1,
      rules.holdoutGainMin >= 0
    else {
      throw .refused(ConfigurationError("regime refit: rules \(rules), counts and ratio from 1, gain from 0 expected"))
    }
    let least = rules.trainingCountMin + rules.holdoutCount
    guard window.count >= least else { throw .tooShort(count: window.count, minimum: least) }
    let fit: HiddenMarkovFit
    do throws(HiddenMarkovError) {
      // The held out returns must be numbers as well: they seed the state.
      _ = try ObservedSeries(window, dimensionCount: 1)
      fit = try HiddenMarkovFit.fit(
        Array(window.dropLast(rules.holdoutCount)), stateCount: inForce.stateCount, warm: HiddenMarkovModel(inForce),
        options: rules.fit)
    } catch { throw .failed(error) }
    guard fit.converged else { throw .notConverged(iterationCount: fit.iterationCount) }
    for number in 1..<fit.model.stateCount {
      let ratio = fit.model.variance(state: number) / fit.model.variance(state: number - 1)
      guard ratio >= rules.varianceRatioMin else { throw .degenerate(state: number, varianceRatio: ratio) }
    }
    let (candidate, report, seeded): (RegimeParameters, Report, RegimeState)
    do throws(ConfigurationError) {
      candidate = try fit.model.regimeParameters(
        transitionFloor: max(rules.fit.transitionFloor, RegimeParameters.transitionFloorStandard))
      report = Report(
        start: fit.start, iterationCount: fit.iterationCount, logLikelihood: fit.logLikelihood,
        holdoutLogLikelihood: try predictive(window, rules.holdoutCount, candidate, table),
        holdoutLogLikelihoodInForce: try predictive(window, rules.holdoutCount, inForce, table))
      seeded = try reseed(window.suffix(rules.seedCount), candidate, table, keeping: state)
    } catch { throw .refused(error) }
    guard report.holdoutGain > rules.holdoutGainMin else { throw .notBetter(report) }
    return Adoption(parameters: candidate, state: seeded, report: report)
  }

  /// The filter's state after `returns` under other parameters.
  ///
  /// The filter begins at the model's start and takes the returns one by one. Where a state is to be kept, its regime in force
  /// stays, with the counts of flips and observations: a change of parameters alone switches nothing. What the new model
  /// thinks, `candidate` and for how many observations, is the new run's, so the next observation may switch by the rule.
  ///
  /// - Parameters:
  ///   - returns: percent, in order of time; 250 are enough for the start to be forgotten.
  ///   - now: the state under the old parameters, or nil.
  /// - Throws: `ConfigurationError` when the table is for another number of states.
  /// - Complexity: O(returns); allocates one filter.
  public static func reseed(
    _ returns: some Sequence<Double>, _ parameters: RegimeParameters, _ table: RegimeTable,
    keeping now: RegimeState? = nil
  ) throws(ConfigurationError) -> RegimeState {
    var filter = try makeFilter(parameters, table)
    for value in returns { filter.step(only, returnPercent: value) }
    var state = filter.snapshot(of: only)
    if let now {
      state.regime = now.regime
      state.flips = now.flips
      // A filter that has observed nothing would take its next return for the first.
      state.observations = max(now.observations, state.observations)
    }
    return state
  }

  /// The log-likelihood of the last `holdoutCount` returns, each predicted from all before it.
  private static func predictive(
    _ window: [Double], _ holdoutCount: Int, _ parameters: RegimeParameters, _ table: RegimeTable
  ) throws(ConfigurationError) -> Double {
    var filter = try makeFilter(parameters, table)
    for value in window.dropLast(holdoutCount) { filter.step(only, returnPercent: value) }
    let before = filter.logLikelihood(of: only)
    for value in window.suffix(holdoutCount) { filter.step(only, returnPercent: value) }
    return filter.logLikelihood(of: only) - before
  }

  private static var only: InstrumentID { InstrumentID(index: 0) }

  private static func makeFilter(
    _ parameters: RegimeParameters, _ table: RegimeTable
  ) throws(ConfigurationError) -> RegimeFilter {
    try RegimeFilter(
      instrumentCount: 1, parameters: parameters, table: table, in: Arena(capacityBytes: 1 << 12))
  }
}
