public import TradingTypes

extension HiddenMarkovModel {
  /// Numbers that a fit is free to choose: start, transitions, means, variances and, in the full form, covariances.
  public var freeParameterCount: Int {
    Self.freeParameterCount(stateCount: stateCount, dimensionCount: dimensionCount, form: form)
  }

  /// The same for a model of this shape.
  public static func freeParameterCount(stateCount: Int, dimensionCount: Int, form: CovarianceForm) -> Int {
    let spread = form == .diagonal ? dimensionCount : dimensionCount * (dimensionCount + 1) / 2
    return stateCount - 1 + stateCount * (stateCount - 1) + stateCount * (dimensionCount + spread)
  }

  /// Variance of a dimension in a state.
  ///
  /// - Precondition: both are in range.
  public func variance(state: Int, dimension: Int = 0) -> Double {
    covariances[state][dimension * dimensionCount + dimension]
  }

  /// Akaike's criterion `2k − 2 ln L`; smaller is better.
  public func aic(logLikelihood: Double) -> Double { 2 * Double(freeParameterCount) - 2 * logLikelihood }

  /// The Bayesian criterion `k ln n − 2 ln L`; smaller is better.
  ///
  /// - Precondition: one observation or more.
  public func bic(logLikelihood: Double, observationCount: Int) -> Double {
    precondition(observationCount > 0, "HiddenMarkovModel: the criterion is of one observation or more")
    return Double(freeParameterCount) * DeterministicMath.log(Double(observationCount)) - 2 * logLikelihood
  }

  /// Mean number of observations in a row in each state, `1 / (1 − stay probability)`; infinite for a state that is never left.
  public var expectedDurations: [Double] {
    (0..<stateCount).map { state in
      // The sum of what leaves is more exact than 1 less what stays.
      let leaves = (0..<stateCount).reduce(0.0) { $1 == state ? $0 : $0 + transition[state][$1] }
      return leaves > 0 ? 1 / leaves : .infinity
    }
  }

  /// Long-run share of time in each state: the distribution that a transition leaves as it is.
  ///
  /// nil when the chain falls apart into parts that cannot be left, so that there is more than one.
  ///
  /// - Complexity: O(states³); subtraction-free, so small probabilities keep their digits.
  /// - Source: Grassmann, Taksar, Heyman 1985, "Regenerative analysis and steady state distributions for Markov chains",
  ///   Oper. Res. 33(5).
  public var stationaryDistribution: [Double]? {
    let states = 0..<stateCount
    var reaches = states.map { from in states.map { from == $0 || transition[from][$0] > 0 } }
    for middle in states {
      for from in states where reaches[from][middle] {
        for to in states where reaches[middle][to] { reaches[from][to] = true }
      }
    }
    // A state that can be left for good has no share. The others must reach each other.
    let lasting = states.filter { from in states.allSatisfy { !reaches[from][$0] || reaches[$0][from] } }
    guard lasting.allSatisfy({ reaches[lasting[0]][$0] }) else { return nil }
    var rates = lasting.map { from in lasting.map { transition[from][$0] } }
    for last in stride(from: lasting.count - 1, to: 0, by: -1) {
      let leaves = rates[last][..<last].reduce(0, +)
      for from in 0..<last {
        rates[from][last] /= leaves
        for to in 0..<last { rates[from][to] += rates[from][last] * rates[last][to] }
      }
    }
    var shares = [Double](repeating: 0, count: stateCount)
    shares[lasting[0]] = 1
    for place in lasting.indices.dropFirst() {
      shares[lasting[place]] = (0..<place).reduce(0) { $0 + shares[lasting[$1]] * rates[$1][place] }
    }
    let sum = shares.reduce(0, +)
    return sum.isFinite ? shares.map { $0 / sum } : nil
  }

  // MARK: - Order of the states

  /// Whether the states stand in canonical order: ascending variance of dimension 0, among equals ascending mean.
  public var isCanonical: Bool { canonicalOrder == Array(0..<stateCount) }

  /// The states in canonical order.
  public var canonicalOrder: [Int] {
    (0..<stateCount).sorted { one, other in
      let (left, right) = (variance(state: one), variance(state: other))
      if left != right { return left < right }
      return means[one][0] != means[other][0] ? means[one][0] < means[other][0] : one < other
    }
  }

  /// The same model with its states in canonical order, so that a refit cannot swap the roles of a regime table.
  public var canonical: HiddenMarkovModel { reordered(canonicalOrder) }

  /// The same model with its states in another order: state `n` is the one that was `order[n]`.
  ///
  /// - Precondition: `order` names every state once.
  public func reordered(_ order: [Int]) -> HiddenMarkovModel {
    precondition(order.sorted() == Array(0..<stateCount), "HiddenMarkovModel: an order names every state once")
    return HiddenMarkovModel(
      unchecked: order.map { start[$0] }, transition: order.map { from in order.map { transition[from][$0] } },
      means: order.map { means[$0] }, covariances: order.map { covariances[$0] }, form: form)
  }

  /// The model as the hot path runs it.
  ///
  /// - Parameters:
  ///   - transitionFloor: least transition probability; see `RegimeParameters`.
  /// - Throws: `ConfigurationError` for more than one dimension, or when two states have the same variance.
  public func regimeParameters(
    transitionFloor: Double = RegimeParameters.transitionFloorStandard
  ) throws(ConfigurationError) -> RegimeParameters {
    guard dimensionCount == 1 else {
      throw ConfigurationError("regime model: \(dimensionCount) dimensions, the filter of the hot path takes 1")
    }
    let model = canonical
    return try RegimeParameters(
      start: model.start, transition: model.transition, means: model.means.map { $0[0] },
      variances: model.covariances.map { $0[0] }, transitionFloor: transitionFloor)
  }
}
