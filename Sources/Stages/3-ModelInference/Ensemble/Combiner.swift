public import TradingTypes

/// Joins the members' logits into one calibrated forecast.
///
/// `logit = stackShare × meta + averageShare × Σ w·logit`, where meta is the logit of the stacking meta-learner, then the
/// calibration makes `p = P(up)` of it. Confidence is `max(p, 1 − p) × (1 − sd(member p) / 0.5)` with the population
/// standard deviation of the members that took part.
///
/// **A missing member** leaves its weight to the others in proportion: with W the sum of all weights and V that of the
/// present ones, each present weight is multiplied by W / V; where V is 0 every present member gets W / n. A logistic
/// stack and the average follow this rule each for itself, and the bias stays; a stack of trees sees the logit as
/// missing. With every member present no division happens.
@frozen public struct Combiner: BitwiseCopyable, Sendable {
  /// The most members.
  @inlinable public static var capacity: Int { 8 }

  /// Members there are.
  public let count: Int
  /// Weights of Bayesian model averaging; not negative, sum 1.
  @usableFromInline let averageWeights: InlineArray<8, Double>
  /// Weights of the logistic stack, 0 where trees are stacked.
  @usableFromInline let stackWeights: InlineArray<8, Double>
  @usableFromInline let stackBias: Double
  @usableFromInline let stackShare: Double
  @usableFromInline let averageShare: Double

  /// The combiner with these numbers.
  ///
  /// - Precondition: the numbers are sound.
  public init(_ values: CombinerValues) {
    count = values.averageWeights.count
    precondition(values.fault(memberCount: count) == nil, "Combiner: the values are sound")
    averageWeights = InlineArray { $0 < values.averageWeights.count ? values.averageWeights[$0] : 0 }
    if case .logistic(let weights, let bias) = values.stack {
      stackWeights = InlineArray { $0 < weights.count ? weights[$0] : 0 }
      stackBias = bias
    } else {
      stackWeights = InlineArray(repeating: 0)
      stackBias = 0
    }
    stackShare = values.stackShare
    averageShare = values.averageShare
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

  /// The logit of the logistic stack.
  @inlinable func stacked(_ logits: borrowing InlineArray<8, Double>, present: UInt32) -> Double {
    stackBias + weighted(logits, present: present, by: stackWeights)
  }

  /// The joined logit of the members in `present`, a bit each, before calibration.
  ///
  /// - Precondition: at least one member is present.
  @inlinable func joined(_ logits: borrowing InlineArray<8, Double>, present: UInt32, meta: Double) -> Double {
    stackShare * meta + averageShare * weighted(logits, present: present, by: averageWeights)
  }

  /// The forecast of a calibrated probability; unusable where a number is not finite.
  ///
  /// - Complexity: O(members), no allocation.
  @inlinable func forecast(
    _ logits: borrowing InlineArray<8, Double>, present: UInt32, probability: Double
  ) -> Forecast {
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
