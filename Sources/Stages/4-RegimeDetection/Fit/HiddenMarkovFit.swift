import TradingTypes

/// A hidden Markov model fitted to a series, and what the fit was like.
///
/// Off the hot path: a fit takes milliseconds and allocates when it begins. Same observations, same options, same bits.
public struct HiddenMarkovFit: Sendable {
  /// How to fit.
  public struct Options: Hashable, Sendable {
    /// Iterations at most.
    public var iterationsMax = 1_000
    /// The fit has converged when an iteration gains less log-likelihood than this. 0 runs until rounding takes over.
    public var gainMin = 1e-9
    /// Least transition probability after each iteration; 0 lets entries go to 0, as the plain algorithm does. A model for the
    /// hot path needs a positive one: a state that became impossible through rounding could otherwise never return.
    public var transitionFloor = RegimeParameters.transitionFloorStandard
    /// Least variance of a state, as a share of the variance of the whole series; a state that ends there has collapsed.
    public var varianceFloorShare = 1e-6
    /// Least expected number of observations in a state; below it the state has collapsed. nil: 5 for each dimension and 5 more.
    public var occupancyMin: Double?
    /// Least number of observations. nil: 10 for each free parameter.
    public var observationsMin: Int?
    /// Deterministic starts that are tried, 1 to 8.
    public var startCount = 8
    /// Iterations each start gets before the best one is run to its end.
    public var startIterations = 20

    /// The options of production.
    public init() {}

    /// No floor for transitions: the plain algorithm, for comparison with other programs.
    public static var plain: Options {
      var options = Options()
      options.transitionFloor = 0
      return options
    }

    /// The limits of an iteration over `series`.
    func limits(
      for series: ObservedSeries, _ stateCount: Int, _ form: HiddenMarkovModel.CovarianceForm
    ) throws(HiddenMarkovError) -> ExpectationMaximisation.Limits {
      guard (2...RegimeParameters.stateCountMax).contains(stateCount) else {
        throw .badRequest("\(stateCount) states, 2 to \(RegimeParameters.stateCountMax) expected")
      }
      guard iterationsMax >= 1, startIterations >= 1, (1...HiddenMarkovStarts.countMax).contains(startCount) else {
        throw .badRequest(
          "\(iterationsMax) and \(startIterations) iterations, \(startCount) starts; "
            + "1 or more and 1 to \(HiddenMarkovStarts.countMax) expected")
      }
      guard gainMin >= 0, transitionFloor >= 0, transitionFloor < 1 / Double(stateCount) else {
        throw .badRequest(
          "gain \(gainMin), transition floor \(transitionFloor); 0 or more, in [0, 1/\(stateCount)) expected")
      }
      guard varianceFloorShare >= 0, varianceFloorShare < 1, occupancyMin ?? 1 > 0 else {
        throw .badRequest(
          "variance floor \(varianceFloorShare), occupancy \(occupancyMin ?? 1); in [0, 1), above 0 expected")
      }
      let free = HiddenMarkovModel.freeParameterCount(
        stateCount: stateCount, dimensionCount: series.dimensionCount, form: form)
      let least = max(observationsMin ?? 10 * free, 2)
      guard series.count >= least else {
        throw .tooFewObservations(count: series.count, minimum: least, freeParameters: free)
      }
      for (place, variance) in series.variances.enumerated() {
        guard variance > HiddenMarkovModel.varianceMin else { throw .constant(dimension: place) }
      }
      if let outlier = series.outlier { throw outlier }
      return ExpectationMaximisation.Limits(
        transitionFloor: transitionFloor,
        varianceFloors: series.variances.map { max(varianceFloorShare * $0, HiddenMarkovModel.varianceMin) },
        occupancyMin: occupancyMin ?? 5 * Double(series.dimensionCount + 1))
    }
  }

  /// Where a fit began.
  public enum Start: Hashable, Sendable, CustomStringConvertible {
    /// The parameters that the caller gave.
    case given
    /// A deterministic start; see `HiddenMarkovStarts.model`.
    case quantiles(window: Int, share: Double)

    /// A word or two for a person.
    public var description: String {
      switch self {
      case .given: "given"
      case .quantiles(let window, let share): "quantiles of variance, window \(window), share \(share)"
      }
    }
  }

  /// The fitted model, states in canonical order.
  public let model: HiddenMarkovModel
  /// Its log-likelihood over the series.
  public let logLikelihood: Double
  /// The log-likelihood before each iteration, in order; never falls by more than rounding and floors can make it.
  public let history: [Double]
  /// Expected number of observations in each state.
  public let occupancy: [Double]
  /// Observations it was fitted to.
  public let observationCount: Int
  /// Whether the last iteration gained less than asked for.
  public let converged: Bool
  /// Where it began.
  public let start: Start

  /// Iterations it took from its start.
  public var iterationCount: Int { history.count }
  /// Akaike's criterion.
  public var aic: Double { model.aic(logLikelihood: logLikelihood) }
  /// The Bayesian criterion.
  public var bic: Double { model.bic(logLikelihood: logLikelihood, observationCount: observationCount) }

  /// Fits from given parameters.
  ///
  /// - Parameters:
  ///   - observations: `[rows × dimensions]`, row-major, in order of time.
  ///   - model: where the fit starts.
  /// - Throws: `HiddenMarkovError` that says what is wrong with the series, or which state collapsed.
  /// - Complexity: O(iterations × observations × states²).
  public static func fit(
    _ observations: [Double], from model: HiddenMarkovModel, options: Options = Options()
  ) throws(HiddenMarkovError) -> HiddenMarkovFit {
    var run = try ExpectationMaximisation(observations, from: model, options: options)
    return try finish(&run, from: .given, options)
  }

  /// Fits from deterministic starts, and from `warm` where it is given; the best end is kept.
  ///
  /// Every start gets `startIterations`; the two with the highest likelihood are run on until they gain no more, and the one
  /// that ends higher is the answer. Starts whose states collapse are left out. See `HiddenMarkovStarts.model`.
  ///
  /// - Parameters:
  ///   - observations: `[rows × dimensions]`, row-major, in order of time.
  ///   - warm: parameters that are one more start, such as those in force.
  /// - Throws: `HiddenMarkovError` that says what is wrong with the series, or the collapse when every start ends in one.
  /// - Complexity: O(iterations × observations × states²).
  /// - Source: Biernacki, Celeux, Govaert 2003, "Choosing starting values for the EM algorithm", Comput. Stat. Data Anal. 41:
  ///   short runs first.
  public static func fit(
    _ observations: [Double], stateCount: Int, dimensionCount: Int = 1,
    form: HiddenMarkovModel.CovarianceForm = .diagonal, warm: HiddenMarkovModel? = nil, options: Options = Options()
  ) throws(HiddenMarkovError) -> HiddenMarkovFit {
    let series = try ObservedSeries(observations, dimensionCount: dimensionCount)
    let limits = try options.limits(for: series, stateCount, form)
    var starts: [(Start, HiddenMarkovModel)] = []
    if let warm {
      guard warm.stateCount == stateCount, warm.dimensionCount == dimensionCount, warm.form == form else {
        throw .badRequest(
          "a warm start of \(warm.stateCount) states and \(warm.dimensionCount) dimensions, "
            + "\(stateCount) and \(dimensionCount) expected")
      }
      starts.append((.given, warm))
    }
    for number in 0..<options.startCount {
      starts.append(HiddenMarkovStarts.model(number, of: series, stateCount, form, limits))
    }
    var run = ExpectationMaximisation(observations, starts[0].1, limits)
    var failure = HiddenMarkovError.constant(dimension: 0)
    var leads: [(start: Start, model: HiddenMarkovModel, logLikelihood: Double)] = []
    for (start, model) in starts {
      run.restart(from: model)
      do throws(HiddenMarkovError) {
        for _ in 0..<options.startIterations { _ = try run.iterate() }
        leads.append((start, model, try run.logLikelihood()))
      } catch { failure = error }
    }
    // Stable, so that equal likelihoods keep the order of the starts.
    leads = leads.enumerated().sorted {
      ($1.element.logLikelihood, $0.offset) < ($0.element.logLikelihood, $1.offset)
    }.map(\.element)
    var best: HiddenMarkovFit?
    for lead in leads {
      run.restart(from: lead.model)
      do throws(HiddenMarkovError) {
        let fit = try finish(&run, from: lead.start, options)
        // The second of two good ends decides; a collapse makes room for the next.
        guard let first = best else {
          best = fit
          continue
        }
        return fit.logLikelihood > first.logLikelihood ? fit : first
      } catch { failure = error }
    }
    guard let best else { throw failure }
    return best
  }

  /// Iterates until nothing is gained.
  private static func finish(
    _ run: inout ExpectationMaximisation, from start: Start, _ options: Options
  ) throws(HiddenMarkovError) -> HiddenMarkovFit {
    var history: [Double] = []
    var converged = false
    while history.count < options.iterationsMax, !converged {
      let logLikelihood = try run.iterate()
      if let before = history.last { converged = logLikelihood - before < options.gainMin }
      history.append(logLikelihood)
    }
    if let collapse = run.collapsedState() { throw collapse }
    let model = run.model
    let order = model.canonicalOrder
    return HiddenMarkovFit(
      model: model.reordered(order), logLikelihood: try run.logLikelihood(), history: history,
      occupancy: order.map { run.occupancy[$0] }, observationCount: run.observationCount, converged: converged,
      start: start)
  }
}
