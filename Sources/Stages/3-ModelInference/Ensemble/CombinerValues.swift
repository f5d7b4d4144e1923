/// The numbers of a `Combiner` in a form that can be compared and kept in lists.
public struct CombinerValues: Hashable, Sendable {
  /// Weights of Bayesian model averaging, one a member.
  public var averageWeights: [Double]
  /// Weights of the logistic stack, one a member.
  public var stackWeights: [Double]
  /// Bias of the logistic stack.
  public var stackBias: Double
  /// Share of the stack in the logit.
  public var stackShare: Double
  /// Share of the average in the logit.
  public var averageShare: Double
  /// Platt's slope.
  public var calibrationSlope: Double
  /// Platt's intercept.
  public var calibrationIntercept: Double

  /// Weights and calibration.
  public init(
    averageWeights: [Double], stackWeights: [Double], stackBias: Double = 0, stackShare: Double = 0.6,
    averageShare: Double = 0.4, calibrationSlope: Double = 1, calibrationIntercept: Double = 0
  ) {
    self.averageWeights = averageWeights
    self.stackWeights = stackWeights
    self.stackBias = stackBias
    self.stackShare = stackShare
    self.averageShare = averageShare
    self.calibrationSlope = calibrationSlope
    self.calibrationIntercept = calibrationIntercept
  }

  /// The first rule the numbers break for `memberCount` members, or nil.
  public func fault(memberCount: Int) -> String? {
    guard memberCount >= 1, memberCount <= Combiner.capacity else { return "1 to \(Combiner.capacity) members" }
    guard averageWeights.count == memberCount, stackWeights.count == memberCount else {
      return "a weight of each kind for each of \(memberCount) members"
    }
    return Combiner(self).fault
  }
}

extension Combiner {
  /// The combiner with these numbers.
  ///
  /// - Precondition: the weights are as many as each other, 1 to 8.
  public init(_ values: CombinerValues) {
    precondition(values.averageWeights.count == values.stackWeights.count, "Combiner: weights come in pairs")
    self.init(count: values.averageWeights.count)
    for place in 0..<count {
      averageWeights[place] = values.averageWeights[place]
      stackWeights[place] = values.stackWeights[place]
    }
    stackBias = values.stackBias
    stackShare = values.stackShare
    averageShare = values.averageShare
    calibrationSlope = values.calibrationSlope
    calibrationIntercept = values.calibrationIntercept
  }
}
