public import TradingTypes

/// A Gaussian hidden Markov model with two to four states over one series: fixed parameters for the filter.
///
/// Invariant: states stand in ascending variance, so that a refit cannot swap the roles of the regime table.
@frozen public struct RegimeParameters: BitwiseCopyable, Sendable {
  /// States a model can have.
  @inlinable public static var stateCountMax: Int { 4 }
  /// The floor of the transition probabilities that production uses.
  @inlinable public static var transitionFloorStandard: Double { 1e-8 }

  /// States, 2 to 4.
  public let stateCount: Int
  /// Probability of each state before the first observation.
  public let start: InlineArray<4, Double>
  /// Probability of going from state i to state j, at `4 × i + j`.
  public let transition: InlineArray<16, Double>
  /// Mean of the observations of each state, percent.
  public let means: InlineArray<4, Double>
  /// Variance of the observations of each state, percent², ascending.
  public let variances: InlineArray<4, Double>
  /// `−½ ln(2π variance)` of each state.
  @usableFromInline let logPeaks: InlineArray<4, Double>
  /// `1 / (2 variance)` of each state.
  @usableFromInline let precisionHalves: InlineArray<4, Double>

  /// A model from fitted numbers.
  ///
  /// - Parameters:
  ///   - start: `[states]`, sums to 1.
  ///   - transition: `[states][states]`, row is the state left, each row sums to 1.
  ///   - means: `[states]`, percent.
  ///   - variances: `[states]`, percent², positive, strictly ascending.
  ///   - transitionFloor: least transition probability, rows are scaled back to 1. A fit may drive an entry to 0, and
  ///     a state that became impossible through rounding could then never return; 0 keeps the numbers as they are.
  /// - Throws: `ConfigurationError` naming the first number that breaks a rule.
  public init(
    start: [Double], transition: [[Double]], means: [Double], variances: [Double],
    transitionFloor: Double = RegimeParameters.transitionFloorStandard
  ) throws(ConfigurationError) {
    let count = start.count
    guard (2...Self.stateCountMax).contains(count) else {
      throw ConfigurationError("regime model: \(count) states, 2 to \(Self.stateCountMax) expected")
    }
    guard transition.count == count, means.count == count, variances.count == count else {
      throw ConfigurationError("regime model: \(count) transition rows, means and variances expected")
    }
    guard transitionFloor >= 0, transitionFloor < 1 / Double(count) else {
      throw ConfigurationError("regime model: transition floor \(transitionFloor), expected in [0, 1/\(count))")
    }
    try Self.check(distribution: start, count, "start probabilities")
    for state in 0..<count { try Self.check(distribution: transition[state], count, "transition row \(state)") }
    for state in 0..<count {
      guard means[state].isFinite, means[state].magnitude <= 1e6 else {
        throw ConfigurationError("regime model: mean \(state) is \(means[state]), expected within ±1e6")
      }
      guard variances[state] >= 1e-12, variances[state] <= 1e12 else {
        throw ConfigurationError("regime model: variance \(state) is \(variances[state]), expected 1e-12 to 1e12")
      }
      guard state == 0 || variances[state] > variances[state - 1] else {
        throw ConfigurationError("regime model: variance \(state) is not above the one before, ascending expected")
      }
    }
    stateCount = count
    var startPlaces = InlineArray<4, Double>(repeating: 0)
    var transitionPlaces = InlineArray<16, Double>(repeating: 0)
    var meanPlaces = InlineArray<4, Double>(repeating: 0)
    var variancePlaces = InlineArray<4, Double>(repeating: 1)
    var peaks = InlineArray<4, Double>(repeating: 0)
    var halves = InlineArray<4, Double>(repeating: 0)
    for state in 0..<count {
      startPlaces[state] = start[state]
      meanPlaces[state] = means[state]
      variancePlaces[state] = variances[state]
      peaks[state] = -0.5 * (DeterministicMath.log(2 * Double.pi) + DeterministicMath.log(variances[state]))
      halves[state] = 0.5 / variances[state]
      let row = transition[state]
      let floored = row.map { max($0, transitionFloor) }
      let isFloored = floored != row
      let sum = floored.reduce(0, +)
      for next in 0..<count { transitionPlaces[4 * state + next] = isFloored ? floored[next] / sum : row[next] }
    }
    self.start = startPlaces
    self.transition = transitionPlaces
    self.means = meanPlaces
    self.variances = variancePlaces
    logPeaks = peaks
    precisionHalves = halves
  }

  static func check(distribution: [Double], _ count: Int, _ name: String) throws(ConfigurationError) {
    guard distribution.count == count else {
      throw ConfigurationError("regime model: \(name) has \(distribution.count) entries, expected \(count)")
    }
    guard distribution.allSatisfy({ $0 >= 0 && $0 <= 1 }) else {
      throw ConfigurationError("regime model: \(name) \(distribution), each expected in [0, 1]")
    }
    let sum = distribution.reduce(0, +)
    guard abs(sum - 1) <= 1e-9 else {
      throw ConfigurationError("regime model: \(name) sum to \(sum), expected 1 within 1e-9")
    }
  }
}
