internal import Foundation

/// What a model must show before it may trade.
///
/// Accuracy is judged by the lower end of its interval, because a point estimate on few rows proves nothing; a low calibration error
/// alone proves nothing either (a forecast of the base rate has none), so the scores must also beat the base rate and the
/// more frequent outcome.
public struct PromotionGates: Codable, Hashable, Sendable {
  /// Least lower end of the accuracy's interval.
  public var wilsonLowerMin: Double
  /// Confidence of that interval.
  public var confidence: Double
  /// The calibration error must be below it.
  public var eceMax: Double
  /// The Brier skill must be above it.
  public var brierSkillMin: Double
  /// Whether the accuracy must be above that of always naming the more frequent outcome.
  public var mustBeatMajority: Bool
  /// The payoff-weighted accuracy must be above it, where payoffs are known.
  public var payoffAccuracyMin: Double

  /// The standard gates.
  public init(
    wilsonLowerMin: Double = 0.68, confidence: Double = 0.95, eceMax: Double = 0.05, brierSkillMin: Double = 0,
    mustBeatMajority: Bool = true, payoffAccuracyMin: Double = 0.5
  ) {
    self.wilsonLowerMin = wilsonLowerMin
    self.confidence = confidence
    self.eceMax = eceMax
    self.brierSkillMin = brierSkillMin
    self.mustBeatMajority = mustBeatMajority
    self.payoffAccuracyMin = payoffAccuracyMin
  }

  /// The first rule the gates break, or nil.
  public var fault: String? {
    guard wilsonLowerMin >= 0, wilsonLowerMin < 1 else { return "a least lower end in [0, 1)" }
    guard confidence > 0, confidence < 1 else { return "a confidence between 0 and 1" }
    guard eceMax > 0, eceMax <= 1 else { return "a greatest calibration error in (0, 1]" }
    guard brierSkillMin.isFinite, brierSkillMin < 1 else { return "a least Brier skill below 1" }
    guard payoffAccuracyMin >= 0, payoffAccuracyMin < 1 else { return "a least payoff accuracy in [0, 1)" }
    return nil
  }

  /// Judges a model by its quality.
  ///
  /// - Precondition: `fault` is nil.
  public func judge(_ quality: ModelQuality) -> GateReport {
    precondition(fault == nil, "PromotionGates: the gates are sound")
    let interval = quality.accuracyInterval(confidence: confidence)
    var reasons: [String] = []
    if interval.lower < wilsonLowerMin {
      let needed = WilsonInterval.neededCount(
        accuracy: quality.accuracy, lowerBound: wilsonLowerMin, confidence: confidence)
      let advice =
        needed.map { "at this accuracy \($0) rows would show it" } ?? "no number of rows shows it at this accuracy"
      reasons.append(
        "accuracy: the lower bound \(Self.text(interval.lower)) is below \(Self.text(wilsonLowerMin)): "
          + "\(quality.correct) of \(quality.count) right (\(Self.text(quality.accuracy))); \(advice)")
    }
    if quality.ece >= eceMax {
      reasons.append("calibration: the error \(Self.text(quality.ece)) is not below \(Self.text(eceMax))")
    }
    if let skill = quality.brierSkill {
      if skill <= brierSkillMin {
        reasons.append(
          "skill: the Brier skill \(Self.text(skill)) over the base rate is not above \(Self.text(brierSkillMin))")
      }
    } else {
      reasons.append("skill: unknown, because all \(quality.count) rows had the same outcome")
    }
    if mustBeatMajority, quality.accuracy <= quality.majorityAccuracy {
      reasons.append(
        "majority: the accuracy \(Self.text(quality.accuracy)) is not above the "
          + "\(Self.text(quality.majorityAccuracy)) of always naming the more frequent outcome")
    }
    if let payoffAccuracy = quality.payoffAccuracy, payoffAccuracy <= payoffAccuracyMin {
      reasons.append(
        "payoff: the payoff-weighted accuracy \(Self.text(payoffAccuracy)) is not above "
          + "\(Self.text(payoffAccuracyMin))")
    }
    return GateReport(gates: self, quality: quality, wilsonLower: interval.lower, reasons: reasons)
  }

  private static func text(_ value: Double) -> String { String(format: "%.4f", value) }
}

/// What the gates said, and by what.
public struct GateReport: Codable, Hashable, Sendable {
  /// The gates.
  public let gates: PromotionGates
  /// What they judged.
  public let quality: ModelQuality
  /// Lower end of the accuracy's interval.
  public let wilsonLower: Double
  /// Each gate that did not pass, in words that begin with its name.
  public let reasons: [String]

  /// Whether every gate passed.
  public var passed: Bool { reasons.isEmpty }
}
