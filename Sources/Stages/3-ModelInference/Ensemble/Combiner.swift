public import TradingTypes

/// Joins the members' logits into one calibrated forecast.
///
/// `logit = stackShare × meta + averageShare × Σ w·logit`, `meta = stackBias + Σ s·logit`, then
/// `p = sigmoid(slope × logit + intercept)`, and confidence is `max(p, 1 − p) × (1 − sd(member p) / 0.5)` with the
/// population standard deviation of the members that took part.
///
/// **A missing member** leaves its weight to the others in proportion: with W the sum of all weights and V that of the
/// present ones, each present weight is multiplied by W / V; where V is 0 every present member gets W / n. The stack
/// and the average follow this rule each for itself; the bias stays. With every member present no division happens.
@frozen public struct Combiner: BitwiseCopyable, Sendable {
  /// The most members.
  @inlinable public static var capacity: Int { 8 }

  /// Members there are.
  public var count: Int
  /// Weights of Bayesian model averaging; not negative, sum 1.
  public var averageWeights: InlineArray<8, Double>
  /// Weights of the logistic stack; not negative, sum positive.
  public var stackWeights: InlineArray<8, Double>
  /// Bias of the logistic stack.
  public var stackBias: Double
  /// Share of the stack.
  public var stackShare: Double
  /// Share of the average.
  public var averageShare: Double
  /// Platt's slope.
  public var calibrationSlope: Double
  /// Platt's intercept.
  public var calibrationIntercept: Double

  /// Equal weights for `count` members, no calibration.
  ///
  /// - Precondition: `1 <= count <= 8`.
  public init(count: Int) {
    precondition(count >= 1 && count <= Combiner.capacity, "Combiner: from 1 to 8 members")
    self.count = count
    averageWeights = InlineArray { $0 < count ? 1 / Double(count) : 0 }
    stackWeights = averageWeights
    stackBias = 0
    stackShare = 0.6
    averageShare = 0.4
    calibrationSlope = 1
    calibrationIntercept = 0
  }

  /// The first rule the combiner breaks, or nil.
  public var fault: String? {
    guard count >= 1, count <= Self.capacity else { return "1 to 8 members" }
    var average = 0.0
    var stack = 0.0
    for place in 0..<Self.capacity {
      let weights = [averageWeights[place], stackWeights[place]]
      guard weights.allSatisfy({ $0 >= 0 && $0 <= 1e6 }) else { return "weights from 0 to 1e6" }
      guard place < count || weights == [0, 0] else { return "no weights beyond the members" }
      average += weights[0]
      stack += weights[1]
    }
    guard abs(average - 1) <= 1e-9 else { return "average weights of sum 1" }
    guard stack > 0 else { return "stack weights of positive sum" }
    guard stackShare >= 0, averageShare >= 0, abs(stackShare + averageShare - 1) <= 1e-9 else {
      return "shares of sum 1"
    }
    guard [stackBias, calibrationSlope, calibrationIntercept].allSatisfy({ abs($0) <= 1e6 }) else {
      return "bias, slope and intercept within 1e6"
    }
    return nil
  }

  /// The weighted sum over the present members, by the rule for missing ones.
  @inlinable func weighted(
    _ logits: borrowing InlineArray<8, Double>, present: UInt32, by weights: borrowing InlineArray<8, Double>
  ) -> Double {
    var all = 0.0
    var here = 0.0
    var sum = 0.0
    var presentCount = 0
    for place in 0..<count {
      all += weights[place]
      guard present >> UInt32(place) & 1 == 1 else { continue }
      here += weights[place]
      sum += weights[place] * logits[place]
      presentCount += 1
    }
    if presentCount == count { return sum }
    if here > 0 { return sum * (all / here) }
    var plain = 0.0
    for place in 0..<count where present >> UInt32(place) & 1 == 1 { plain += logits[place] }
    return plain * (all / Double(presentCount))
  }

  /// The forecast of the members in `present`, a bit each; unusable where there is none, or a number is not finite.
  ///
  /// - Complexity: O(members), no allocation.
  @inlinable public func forecast(
    _ logits: borrowing InlineArray<8, Double>, present: UInt32
  ) -> Forecast {
    // Only members that exist: the shift is at most 8.
    let present = present & ((1 << UInt32(truncatingIfNeeded: count)) - 1)
    guard present != 0 else { return .unusable }
    let meta = stackBias + weighted(logits, present: present, by: stackWeights)
    let average = weighted(logits, present: present, by: averageWeights)
    let logit = stackShare * meta + averageShare * average
    let probability = DeterministicMath.sigmoid(calibrationSlope * logit + calibrationIntercept)

    var members = InlineArray<8, Double>(repeating: 0)
    var sum = 0.0
    var presentCount = 0.0
    for place in 0..<count where present >> UInt32(place) & 1 == 1 {
      members[place] = DeterministicMath.sigmoid(logits[place])
      sum += members[place]
      presentCount += 1
    }
    let mean = sum / presentCount
    var squares = 0.0
    for place in 0..<count where present >> UInt32(place) & 1 == 1 {
      squares += (members[place] - mean) * (members[place] - mean)
    }
    let deviation = (squares / presentCount).squareRoot()
    let agreement = 1 - deviation / 0.5
    let confidence = (probability > 0.5 ? probability : 1 - probability) * (agreement > 0 ? agreement : 0)
    guard probability.isFinite, confidence.isFinite else { return .unusable }
    return Forecast(probabilityUp: probability, confidence: confidence, members: present)
  }
}
