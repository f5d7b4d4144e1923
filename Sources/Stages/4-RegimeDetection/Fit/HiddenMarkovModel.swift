public import TradingTypes

/// A hidden Markov model with Gaussian emissions: two to four states, one to eight dimensions.
///
/// For fits and research. What the hot path runs is `RegimeParameters`, which `regimeParameters` makes of a model of one dimension.
/// Invariant: every number is finite, distributions sum to 1, covariances are symmetric and positive definite.
/// - Source: Rabiner 1989, "A tutorial on hidden Markov models", section IV A; Hamilton 1989.
public struct HiddenMarkovModel: Hashable, Sendable {
  /// Which covariances a state's Gaussian may have.
  public enum CovarianceForm: String, Hashable, Sendable, CaseIterable {
    /// The dimensions are independent given the state.
    case diagonal
    /// Any symmetric positive definite matrix.
    case full
  }

  /// Dimensions an observation can have.
  public static let dimensionCountMax = 8
  /// Least variance of a dimension.
  public static let varianceMin = 1e-12
  /// Greatest variance of a dimension.
  public static let varianceMax = 1e12

  /// States, 2 to 4.
  public let stateCount: Int
  /// Dimensions of an observation, 1 to 8.
  public let dimensionCount: Int
  /// Which covariances the states may have.
  public let form: CovarianceForm
  /// Probability of each state at the first observation, `[states]`.
  public let start: [Double]
  /// Probability of going from one state to another, `[states][states]`, row is the state left.
  public let transition: [[Double]]
  /// Mean of each state, `[states][dimensions]`, in the unit of the observations.
  public let means: [[Double]]
  /// Covariance of each state, `[states][dimensions × dimensions]`, row-major, in the unit of the observations squared.
  public let covariances: [[Double]]

  /// A model of any number of dimensions; its states keep the order they are given in.
  ///
  /// - Parameters:
  ///   - start: `[states]`, sums to 1.
  ///   - transition: `[states][states]`, each row sums to 1.
  ///   - means: `[states][dimensions]`, within ±1e6.
  ///   - covariances: `[states][dimensions × dimensions]`, row-major; variances 1e-12 to 1e12.
  ///   - form: `diagonal` expects zeros off the diagonal.
  /// - Throws: `ConfigurationError` naming the first number that breaks a rule.
  /// - Complexity: O(states × dimensions³).
  public init(
    start: [Double], transition: [[Double]], means: [[Double]], covariances: [[Double]], form: CovarianceForm
  ) throws(ConfigurationError) {
    let count = start.count
    guard (2...RegimeParameters.stateCountMax).contains(count) else {
      throw ConfigurationError("hidden Markov model: \(count) states, 2 to \(RegimeParameters.stateCountMax) expected")
    }
    guard transition.count == count, means.count == count, covariances.count == count else {
      throw ConfigurationError("hidden Markov model: \(count) transition rows, means and covariances expected")
    }
    let dimensions = means[0].count
    guard (1...Self.dimensionCountMax).contains(dimensions) else {
      throw ConfigurationError("hidden Markov model: \(dimensions) dimensions, 1 to \(Self.dimensionCountMax) expected")
    }
    try RegimeParameters.check(distribution: start, count, "start probabilities")
    for state in 0..<count {
      try RegimeParameters.check(distribution: transition[state], count, "transition row \(state)")
      try Self.check(mean: means[state], dimensions, state)
      try Self.check(covariance: covariances[state], dimensions, state, form)
    }
    stateCount = count
    dimensionCount = dimensions
    self.form = form
    self.start = start
    self.transition = transition
    self.means = means
    self.covariances = covariances
  }

  /// A model of one dimension.
  ///
  /// - Parameters:
  ///   - start: `[states]`, sums to 1.
  ///   - transition: `[states][states]`, each row sums to 1.
  ///   - means: `[states]`.
  ///   - variances: `[states]`, positive, in any order.
  /// - Throws: `ConfigurationError` naming the first number that breaks a rule.
  public init(
    start: [Double], transition: [[Double]], means: [Double], variances: [Double]
  ) throws(ConfigurationError) {
    try self.init(
      start: start, transition: transition, means: means.map { [$0] }, covariances: variances.map { [$0] },
      form: .diagonal)
  }

  /// The model of the hot path as one for research.
  public init(_ parameters: borrowing RegimeParameters) {
    let states = 0..<parameters.stateCount
    let numbers = copy parameters
    stateCount = parameters.stateCount
    dimensionCount = 1
    form = .diagonal
    start = states.map { numbers.start[$0] }
    transition = states.map { state in states.map { numbers.transition[4 * state + $0] } }
    means = states.map { [numbers.means[$0]] }
    covariances = states.map { [numbers.variances[$0]] }
  }

  /// A model whose numbers another one has already shown to be right.
  init(
    unchecked start: [Double], transition: [[Double]], means: [[Double]], covariances: [[Double]],
    form: CovarianceForm
  ) {
    stateCount = start.count
    dimensionCount = means[0].count
    self.form = form
    self.start = start
    self.transition = transition
    self.means = means
    self.covariances = covariances
  }

  private static func check(mean: [Double], _ dimensions: Int, _ state: Int) throws(ConfigurationError) {
    guard mean.count == dimensions else {
      throw ConfigurationError("hidden Markov model: mean \(state) has \(mean.count) entries, expected \(dimensions)")
    }
    guard mean.allSatisfy({ $0.isFinite && $0.magnitude <= 1e6 }) else {
      throw ConfigurationError("hidden Markov model: mean \(state) is \(mean), each expected within ±1e6")
    }
  }

  private static func check(
    covariance: [Double], _ dimensions: Int, _ state: Int, _ form: CovarianceForm
  ) throws(ConfigurationError) {
    let name = "hidden Markov model: covariance \(state)"
    guard covariance.count == dimensions * dimensions else {
      throw ConfigurationError("\(name) has \(covariance.count) entries, expected \(dimensions * dimensions)")
    }
    for row in 0..<dimensions {
      let variance = covariance[row * dimensions + row]
      guard variance >= varianceMin, variance <= varianceMax else {
        throw ConfigurationError("\(name): variance \(row) is \(variance), expected \(varianceMin) to \(varianceMax)")
      }
      for column in 0..<row {
        let (one, other) = (covariance[row * dimensions + column], covariance[column * dimensions + row])
        guard one.isFinite, one == other, form == .full || one == 0 else {
          let expected = form == .full ? "finite and equal expected" : "0 expected in a diagonal model"
          throw ConfigurationError("\(name): entries (\(row), \(column)) are \(one) and \(other), \(expected)")
        }
      }
    }
    guard CholeskyFactor(covariance, dimensions) != nil else {
      throw ConfigurationError("\(name) is not positive definite")
    }
  }
}
