public import ModelInference

/// What a comparison with the reference concludes.
public enum DriftVerdict: String, Codable, Hashable, Sendable {
  /// No more different than the threshold allows.
  case ok
  /// The distribution has moved, or the values stopped coming.
  case drift
  /// Too few live values for a verdict: the index is large by chance then.
  case tooFew = "too_few"
}

/// When a difference is drift.
///
/// With a reference of 1,000 values the index exceeds 0.25 by chance in 31 % of samples of 50 values, 18 % of 60, 1.8 % of
/// 100 and none of 2,000 samples of 200: so nothing is concluded below 200.
public struct DriftThresholds: Codable, Hashable, Sendable {
  /// Drift above it.
  public var psiAlert: Double
  /// An alert clears at or below it.
  public var psiClear: Double
  /// Live values for a verdict.
  public var liveCountMin: Int

  /// The standard thresholds.
  public init(psiAlert: Double = 0.25, psiClear: Double = 0.1, liveCountMin: Int = 200) {
    self.psiAlert = psiAlert
    self.psiClear = psiClear
    self.liveCountMin = liveCountMin
  }

  /// The first rule the thresholds break, or nil.
  public var fault: String? {
    guard psiAlert > 0, psiAlert.isFinite, psiClear >= 0, psiClear <= psiAlert else {
      return "a positive alert, and a clearing index not above it"
    }
    return liveCountMin >= 1 ? nil : "at least 1 live value"
  }
}

/// How far a feature has moved from its reference.
public struct DriftReport: Codable, Hashable, Sendable {
  /// Finite values of the reference.
  public let referenceCount: Int
  /// Finite live values.
  public let liveCount: Int
  /// Population stability index.
  public let psi: Double
  /// The same with values below a tied lowest edge in a bin of their own; otherwise equal to `psi`.
  public let psiTied: Double
  /// What the index is on average when nothing changed; infinite without live values.
  public var psiNullMean: Double { DriftStatistics.psiNullMean(reference: referenceCount, live: liveCount) }
  /// Kolmogorov–Smirnov distance: over all values, or at the bins' edges where only counts are known.
  public let ks: Double
  /// The chance of such a distance without drift.
  public var ksChance: Double {
    DriftStatistics.ksChance(distance: ks, reference: referenceCount, live: liveCount)
  }
  /// Jensen–Shannon divergence, natural logarithm, from 0 to ln 2.
  public let jsd: Double
  /// Whether fewer than half of the live values came that the reference's share of gaps lets expect: a feature that is gone is
  /// drift however few values are left to compare.
  public let isLost: Bool
  /// The conclusion.
  public let verdict: DriftVerdict

  /// Compares counts of the window with the reference.
  ///
  /// - Parameters:
  ///   - live: values between the reference's counting edges, ten.
  ///   - ks: the exact distance where all values are at hand.
  ///   - expectedCount: values that the rows would have without a change, where rows are known.
  /// - Precondition: the thresholds are sound, and there are ten counts.
  public init(
    _ reference: DriftReference, live: [Int], ks: Double? = nil, expectedCount: Double = 0,
    thresholds: DriftThresholds = DriftThresholds()
  ) {
    precondition(thresholds.fault == nil, "DriftReport: the thresholds are sound")
    precondition(live.count == DriftReference.binCount, "DriftReport: ten counts")
    referenceCount = reference.count
    liveCount = live.reduce(0, +)
    let golden = (reference: reference.golden(reference.binCounts), live: reference.golden(live))
    psi = DriftStatistics.psi(reference: golden.reference, live: golden.live)
    psiTied = DriftStatistics.psi(reference: reference.binCounts, live: live)
    jsd = DriftStatistics.jsd(reference: golden.reference, live: golden.live)
    self.ks = ks ?? DriftStatistics.ks(referenceBins: reference.binCounts, liveBins: live)
    // Where gaps do not depend on each other, 200 expected values become fewer than 100 less than once in 10^13.
    isLost = expectedCount >= Double(thresholds.liveCountMin) && Double(2 * liveCount) < expectedCount
    verdict =
      if isLost {
        .drift
      } else if liveCount < thresholds.liveCountMin {
        .tooFew
      } else {
        max(psi, psiTied) > thresholds.psiAlert ? .drift : .ok
      }
  }

  /// Compares two lists of values; those that are not finite are missing, and many more of them than in the reference are
  /// drift (`isLost`).
  ///
  /// - Throws: a reference without a finite value.
  /// - Complexity: O(values log values).
  public static func compare(
    reference: [Double], live: [Double], thresholds: DriftThresholds = DriftThresholds()
  ) throws(GovernanceError) -> DriftReport {
    let sorted = reference.filter(\.isFinite).sorted()
    let sortedLive = live.filter(\.isFinite).sorted()
    let distribution = try DriftReference(sorted: sorted)
    return DriftReport(
      distribution, live: distribution.counts(of: sortedLive),
      ks: DriftStatistics.ks(sortedReference: sorted, sortedLive: sortedLive),
      expectedCount: Double(live.count) * Double(sorted.count) / Double(reference.count), thresholds: thresholds)
  }

  /// Compares the window of a counter with its reference.
  ///
  /// - Precondition: the counter was made with the reference's counting edges.
  public init(
    _ reference: DriftReference, _ counter: DriftCounter, thresholds: DriftThresholds = DriftThresholds()
  ) {
    let counts = counter.binCounts
    self.init(
      reference, live: (0..<DriftReference.binCount).map { Int(counts[$0]) }, thresholds: thresholds)
  }
}

/// Drift of one feature compared within each regime: volatile days against volatile days.
///
/// Real returns exceed the alert in half of all windows of 60 days only because calm and volatile days come in runs; within a regime
/// that is no drift.
public struct RegimeDriftReport: Codable, Hashable, Sendable {
  /// One report a regime; nil where the reference has no value of it.
  public let regimes: [DriftReport?]

  /// Compares values within their regimes.
  ///
  /// - Parameters:
  ///   - referenceRegimes: the regime of each reference value, from 0.
  ///   - liveRegimes: the regime of each live value, from 0.
  ///   - regimeCount: regimes there are.
  /// - Throws: lists of unequal length, or a regime outside the count.
  public static func compare(
    reference: [Double], referenceRegimes: [Int], live: [Double], liveRegimes: [Int], regimeCount: Int,
    thresholds: DriftThresholds = DriftThresholds()
  ) throws(GovernanceError) -> RegimeDriftReport {
    guard reference.count == referenceRegimes.count, live.count == liveRegimes.count else {
      throw GovernanceError("regimes: one for each value expected")
    }
    guard (referenceRegimes + liveRegimes).allSatisfy({ $0 >= 0 && $0 < regimeCount }) else {
      throw GovernanceError("regimes: numbers below \(regimeCount) expected")
    }
    var reports: [DriftReport?] = []
    for regime in 0..<regimeCount {
      let here = reference.indices.filter { referenceRegimes[$0] == regime }
      guard here.contains(where: { reference[$0].isFinite }) else {
        reports.append(nil)
        continue
      }
      let now = live.indices.filter { liveRegimes[$0] == regime }
      reports.append(
        try .compare(reference: here.map { reference[$0] }, live: now.map { live[$0] }, thresholds: thresholds))
    }
    return RegimeDriftReport(regimes: reports)
  }

  /// Drift where any regime drifts; too few where no regime has enough values.
  public var verdict: DriftVerdict {
    let verdicts = regimes.compactMap { $0?.verdict }
    if verdicts.contains(.drift) { return .drift }
    return verdicts.contains(.ok) ? .ok : .tooFew
  }
}

/// Turns reports on a feature into an alert and its end: an alert stays until the index has fallen to the clearing threshold, so that
/// one that lingers around the alert does not ring at every look.
public struct DriftAlarm: Codable, Hashable, Sendable {
  /// What a report changed.
  public enum Change: String, Codable, Hashable, Sendable {
    /// An alert began.
    case alert
    /// The alert ended.
    case cleared
  }

  /// Whether an alert stands.
  public private(set) var isRinging = false
  /// When.
  public let thresholds: DriftThresholds

  /// Silent.
  ///
  /// - Precondition: the thresholds are sound.
  public init(thresholds: DriftThresholds = DriftThresholds()) {
    precondition(thresholds.fault == nil, "DriftAlarm: the thresholds are sound")
    self.thresholds = thresholds
  }

  /// Takes a report in; what changed, or nil. One with too few values changes nothing, unless they are lost.
  public mutating func hear(_ report: DriftReport) -> Change? {
    guard report.isLost || report.liveCount >= thresholds.liveCountMin else { return nil }
    let index = report.isLost ? .infinity : max(report.psi, report.psiTied)
    if !isRinging, index > thresholds.psiAlert {
      isRinging = true
      return .alert
    }
    if isRinging, index <= thresholds.psiClear {
      isRinging = false
      return .cleared
    }
    return nil
  }
}
