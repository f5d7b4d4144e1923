import TradingTypes

/// Fits a hidden Markov model to a series, an iteration at a time: Baum–Welch.
///
/// Off the hot path. `HiddenMarkovFit` runs it from several starts until it gains no more; use this to watch single iterations.
///
/// The densities of an observation are divided by one of them, and forward and backward variables by their total wherever it grows small or large,
/// so that neither a long series nor an outlier makes them underflow. Variances are taken in two passes, `Σγ(x − μ)² / Σγ` around
/// the new mean, with no prior.
/// - Complexity: an iteration is O(observations × states²); memory is 128 bytes an observation, taken in `init`.
/// - Source: Rabiner 1989, "A tutorial on hidden Markov models", sections III C and V A. Differs: backward variables are divided by
///   their own total, not by the forward scale, so that a state the forward pass rules out cannot make them overflow.
public struct ExpectationMaximisation: ~Copyable {
  /// Observations in the series.
  public let observationCount: Int
  /// Expected number of observations in each state by the last iteration; 0 from the number of states on.
  public private(set) var occupancy = InlineArray<4, Double>(repeating: 0)
  /// Iterations so far.
  public private(set) var iterationCount = 0
  private let observations: [Double]
  private let dimensions: Int
  private let form: HiddenMarkovModel.CovarianceForm
  private let limits: Limits
  private var chain: MarkovChain
  private var scalar: ScalarEmissions
  private var vector: VectorEmissions
  private var pass: MarkovChain.Pass

  /// What an iteration may not go below.
  struct Limits {
    var transitionFloor: Double
    var varianceFloors: [Double]
    var occupancyMin: Double
  }

  /// - Precondition: the observations were checked for the model.
  init(_ observations: [Double], _ model: HiddenMarkovModel, _ limits: Limits) {
    self.observations = observations
    self.limits = limits
    dimensions = model.dimensionCount
    form = model.form
    observationCount = observations.count / model.dimensionCount
    chain = MarkovChain(model)
    scalar = ScalarEmissions(model)
    vector = VectorEmissions(model)
    pass = MarkovChain.Pass(count: observationCount)
  }

  /// A fit that starts from `model`.
  ///
  /// - Parameters:
  ///   - observations: `[rows × dimensions]`, row-major; finite, within ±1e6.
  ///   - model: where the fit starts; its states keep their order.
  ///   - options: floors; what concerns starts and stopping is not used.
  /// - Throws: `HiddenMarkovError` when the series cannot be fitted: too short, constant, not finite.
  /// - Complexity: O(observations); takes all memory.
  public init(
    _ observations: [Double], from model: HiddenMarkovModel, options: HiddenMarkovFit.Options = .init()
  ) throws(HiddenMarkovError) {
    let series = try ObservedSeries(observations, dimensionCount: model.dimensionCount)
    self.init(observations, model, try options.limits(for: series, model.stateCount, model.form))
  }

  /// The parameters as they are now, states in the order of the start.
  public var model: HiddenMarkovModel {
    let states = 0..<chain.stateCount
    let square = dimensions * dimensions
    return HiddenMarkovModel(
      unchecked: states.map { chain.start[$0] },
      transition: states.map { state in states.map { chain.rows[state][$0] } },
      means: states.map { state in
        dimensions == 1 ? [scalar.means[state]] : Array(vector.means[state * dimensions..<(state + 1) * dimensions])
      },
      covariances: states.map { state in
        dimensions == 1 ? [scalar.variances[state]] : Array(vector.covariances[state * square..<(state + 1) * square])
      },
      form: form)
  }

  /// Begins anew from other parameters of the same shape; the memory is kept.
  ///
  /// - Precondition: as many states and dimensions as before.
  mutating func restart(from model: HiddenMarkovModel) {
    precondition(
      model.stateCount == chain.stateCount && model.dimensionCount == dimensions && model.form == form,
      "ExpectationMaximisation: a model of the same shape")
    chain = MarkovChain(model)
    scalar = ScalarEmissions(model)
    vector = VectorEmissions(model)
    iterationCount = 0
  }

  // MARK: - An iteration

  /// One iteration: expectation under the parameters, then the parameters most likely under it.
  ///
  /// - Returns: the log-likelihood of the parameters before the iteration.
  /// - Throws: `HiddenMarkovError` when a state collapsed or an observation is impossible; the parameters are then of no use.
  /// - Complexity: O(observations × states²), no allocation.
  public mutating func iterate() throws(HiddenMarkovError) -> Double {
    let logLikelihood = try expect()
    try maximise()
    iterationCount += 1
    return logLikelihood
  }

  /// The log-likelihood of the parameters as they are now.
  ///
  /// - Throws: `HiddenMarkovError.impossible`.
  /// - Complexity: O(observations × states²), no allocation.
  public mutating func logLikelihood() throws(HiddenMarkovError) -> Double {
    let shifts = fillDensities()
    return shifts + (try chain.logLikelihood(pass.densities))
  }

  private mutating func expect() throws(HiddenMarkovError) -> Double {
    let shifts = fillDensities()
    let logLikelihood = try pass.run(chain)
    if let row = pass.rowWithoutTransitions { throw .impossible(row: row + 1) }
    for state in 0..<chain.stateCount { occupancy[state] = pass.occupancy[state] }
    return shifts + logLikelihood
  }

  /// The densities at every observation; the sum of the logarithms that they were divided by.
  private mutating func fillDensities() -> Double {
    dimensions == 1 ? scalar.fill(&pass.densities, at: observations) : vector.fill(&pass.densities, at: observations)
  }

  private mutating func maximise() throws(HiddenMarkovError) {
    var counts = StateVector(repeating: 1)
    for state in 0..<chain.stateCount {
      counts[state] = occupancy[state]
      guard occupancy[state] >= limits.occupancyMin else { throw collapse(of: state) }
    }
    if dimensions == 1 {
      scalar.maximise(pass.posteriors, counts, at: observations, varianceFloor: limits.varianceFloors[0])
    } else if let state = vector.maximise(
      pass.posteriors, counts, at: observations, varianceFloors: limits.varianceFloors)
    {
      throw collapse(of: state)
    }
    chain.start = pass.posteriors[0]
    for state in 0..<chain.stateCount {
      let leaves = pass.transitions[state].total
      // A state that is only the last observation's keeps its row.
      guard leaves > 0 else { continue }
      var row = pass.transitions[state] / leaves
      if limits.transitionFloor > 0 {
        for next in 0..<chain.stateCount { row[next] = max(row[next], limits.transitionFloor) }
        row /= row.total
      }
      chain.rows[state] = row
    }
  }

  /// The state whose variance stands at its floor, if there is one.
  func collapsedState() -> HiddenMarkovError? {
    for state in 0..<chain.stateCount {
      for place in 0..<dimensions where variance(state, place) <= limits.varianceFloors[place] {
        return collapse(of: state)
      }
    }
    return nil
  }

  private func collapse(of state: Int) -> HiddenMarkovError {
    .collapsed(state: state, occupancy: occupancy[state], variance: variance(state, 0))
  }

  private func variance(_ state: Int, _ place: Int) -> Double {
    dimensions == 1
      ? scalar.variances[state] : vector.covariances[(state * dimensions + place) * dimensions + place]
  }
}
