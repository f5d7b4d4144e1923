/// How members are joined, as values: weights, the stacking meta-learner and the calibration.
public struct CombinerValues: Hashable, Sendable {
  /// The stacking meta-learner: from the members' logits to one logit.
  public enum Stack: Hashable, Sendable {
    /// `bias + Σ weight × logit`; weights are not negative, their sum is positive.
    case logistic(weights: [Double], bias: Double)
    /// Trees over the members' logits in single precision, NaN where a member does not take part; a logistic link.
    case forest(DecisionForest)
  }

  /// Weights of Bayesian model averaging, one a member: not negative, sum 1.
  public var averageWeights: [Double]
  /// The meta-learner.
  public var stack: Stack
  /// Share of the stack in the logit.
  public var stackShare: Double
  /// Share of the average in the logit.
  public var averageShare: Double
  /// From the joined logit to the probability.
  public var calibration: Calibration

  /// Weights and calibration.
  public init(
    averageWeights: [Double], stack: Stack, stackShare: Double = 0.6, averageShare: Double = 0.4,
    calibration: Calibration = .identity
  ) {
    self.averageWeights = averageWeights
    self.stack = stack
    self.stackShare = stackShare
    self.averageShare = averageShare
    self.calibration = calibration
  }

  /// Equal weights for `memberCount` members: what a single model gets.
  ///
  /// All of it the stack's: shares of 0.6 and 0.4 would move one logit in twenty by a unit in the last place, and a model alone
  /// says in the engine what it says elsewhere.
  public static func equal(memberCount: Int) -> CombinerValues {
    let weights = [Double](repeating: 1 / Double(memberCount), count: memberCount)
    return CombinerValues(
      averageWeights: weights, stack: .logistic(weights: weights, bias: 0), stackShare: 1, averageShare: 0)
  }

  /// The first rule the numbers break for `memberCount` members, or nil.
  public func fault(memberCount: Int) -> String? {
    guard (1...Combiner.capacity).contains(memberCount) else { return "1 to \(Combiner.capacity) members" }
    guard averageWeights.count == memberCount else { return "an average weight for each of \(memberCount) members" }
    guard averageWeights.allSatisfy({ $0 >= 0 && $0 <= 1 }), abs(averageWeights.reduce(0, +) - 1) <= 1e-9 else {
      return "average weights from 0 to 1 of sum 1"
    }
    switch stack {
    case .logistic(let weights, let bias):
      guard weights.count == memberCount else { return "a stack weight for each of \(memberCount) members" }
      guard weights.allSatisfy({ $0 >= 0 && $0 <= 1e6 }), weights.reduce(0, +) > 0, abs(bias) <= 1e6 else {
        return "stack weights from 0 to 1e6 of positive sum and a bias within 1e6"
      }
    case .forest(let forest):
      guard forest.featureCount == memberCount, forest.outputCount == 1, case .logistic = forest.link else {
        return "a meta-learner with one output and a logistic link over \(memberCount) members"
      }
      if let fault = forest.fault { return "a meta-learner with \(fault)" }
    }
    guard stackShare >= 0, averageShare >= 0, abs(stackShare + averageShare - 1) <= 1e-9 else {
      return "shares of sum 1"
    }
    return calibration.fault
  }
}
