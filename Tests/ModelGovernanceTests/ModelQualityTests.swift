import Foundation
import ModelGovernance
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: the metrics are the golden ones. Method: every figure of the reference file at its tolerance.
struct ModelQualityGoldenTests {
  private func expect(_ quality: ModelQuality, equals golden: [String: Any], _ name: String) {
    let pairs: [(String, Double)] = [
      ("n", Double(quality.count)), ("correct", Double(quality.correct)), ("accuracy", quality.accuracy),
      ("ece15", quality.ece), ("mce15", quality.mce), ("ece15_top_label", quality.topLabelECE),
      ("ace15", quality.ace), ("brier", quality.brier), ("logloss", quality.logLoss),
    ]
    for (key, value) in pairs {
      #expect(abs(value - golden.number(key)) <= 1e-12, "\(name) \(key): \(value)")
    }
    let interval = quality.accuracyInterval()
    #expect(agree([interval.lower, interval.upper], golden.numbers("wilson95"), within: 1e-12), "\(name)")
    let bins = golden["bins"] as? [[String: Any]] ?? []
    #expect(bins.map { Int($0.number("bin")) } == quality.bins.map(\.bin), "\(name)")
    #expect(bins.map { Int($0.number("count")) } == quality.bins.map(\.count), "\(name)")
    #expect(agree(quality.bins.map(\.meanScore), bins.map { $0.number("mean_p") }, within: 1e-12), "\(name)")
    #expect(agree(quality.bins.map(\.frequency), bins.map { $0.number("freq") }, within: 1e-12), "\(name)")
    let report = PromotionGates().judge(quality)
    #expect(report.passed == (golden["gate_lower_bound"] as? Bool), "\(name)")
  }

  @Test(.enabled(if: Golden.isThere, "the golden figures are beside the checkout"))
  func `every metric of the four score lists and the worked example is the golden one`() throws {
    let direction = try Golden.direction()
    expect(
      try ModelQuality(scores: direction.scores, labels: direction.labels),
      equals: try Golden.object("direction_model"), "direction")
    let (scores, labels) = try Golden.classifier("test")
    expect(
      try ModelQuality(scores: scores, labels: labels), equals: try Golden.object("raw_scores"), "raw")
    let small = try Golden.object("worked_small")
    expect(
      try ModelQuality(scores: small.numbers("p"), labels: small.numbers("y").map { $0 == 1 }), equals: small, "worked")

    let fitted = try Golden.classifier("cal")
    let z = scores.map(CalibrationFit.logit)
    // With the reference's own parameters: two optimisers agree to 1e-8 only.
    let figures = try Golden.object("platt")
    let platt = Calibration.platt(slope: figures.number("A"), intercept: figures.number("B"))
    let plattScores = z.map { platt.probability(logit: $0) }
    expect(
      try ModelQuality(scores: plattScores, labels: labels), equals: try Golden.object("platt", "test"), "platt")
    let temperature = Calibration.platt(
      slope: 1 / (try Golden.object("temperature").number("T")), intercept: 0)
    let temperatureScores = z.map { temperature.probability(logit: $0) }
    expect(
      try ModelQuality(scores: temperatureScores, labels: labels), equals: try Golden.object("temperature", "test"),
      "temperature")
    let isotonic = try IsotonicFit(scores: fitted.scores, labels: fitted.labels)
    let isotonicScores = scores.map(isotonic.probability)
    expect(
      try ModelQuality(scores: isotonicScores, labels: labels), equals: try Golden.object("isotonic", "test"),
      "isotonic")
  }

  @Test(.enabled(if: Golden.isThere, "the golden figures are beside the checkout"))
  func `the intervals and the rows needed are the golden ones`() throws {
    let gate = try Golden.object("accuracy_gate")
    for example in gate["wilson_examples"] as? [[String: Any]] ?? [] {
      let interval = WilsonInterval(correct: Int(example.number("correct")), count: Int(example.number("n")))
      #expect(agree([interval.lower, interval.upper], example.numbers("interval"), within: 1e-12), "\(example)")
    }
    let needed = gate["min_n_for_lower_bound_068"] as? [String: Any] ?? [:]
    #expect(needed.count == 4)
    for key in needed.keys {
      let count = WilsonInterval.neededCount(accuracy: Double(key) ?? 0, lowerBound: 0.68)
      #expect(count == Int(needed.number(key)), "\(key)")
    }
    let sizes = try Golden.list("ab_sample_size_80_20")
    #expect(sizes.count == 3)
    for size in sizes {
      let answer = SampleSize.compare(champion: size.number("champion"), challenger: size.number("challenger"))
      #expect(answer?.challenger == Int(size.number("n_challenger")), "\(size)")
      #expect(answer?.total == Int(size.number("n_total")), "\(size)")
    }
  }

  @Test(.enabled(if: Golden.isThere, "the golden figures are beside the checkout"))
  func `the weak model of market direction is rejected by the accuracy, although it is well calibrated`() throws {
    let (scores, labels) = try Golden.direction()
    let report = PromotionGates().judge(try ModelQuality(scores: scores, labels: labels))
    #expect(!report.passed)
    let gates = report.reasons.map { $0.prefix { $0 != ":" } }
    #expect(gates.contains("accuracy"))
    #expect(!gates.contains("calibration"))
    #expect(report.reasons[0].contains("952 of 1760 right"))
    #expect(abs(report.wilsonLower - 0.5176) < 1e-4)
  }
}

// Goal: the metrics outside the reference file. Method: plain twins on seeded scores with ties, and rows worked by hand.
struct ModelQualityTests {
  @Test(arguments: Seeds.brief)
  func `the area under the curve equals the share of pairs in order`(seed: UInt64) throws {
    let (scores, labels) = randomScores(150, seed: seed, levels: seed % 2 == 0 ? 7 : nil)
    let quality = try ModelQuality(scores: scores, labels: labels)
    var wins = 0.0
    var pairs = 0.0
    for (up, isUp) in zip(scores, labels) where isUp {
      for (down, isDown) in zip(scores, labels) where !isDown {
        wins += up > down ? 1 : up == down ? 0.5 : 0
        pairs += 1
      }
    }
    #expect(abs((quality.auc ?? .nan) - wins / pairs) < 1e-12, "seed \(seed)")
  }

  @Test(arguments: Seeds.brief)
  func `calibration errors equal a plain loop over the bins`(seed: UInt64) throws {
    let (scores, labels) = randomScores(400, seed: seed, levels: seed % 2 == 0 ? 30 : nil)
    let quality = try ModelQuality(scores: scores, labels: labels)
    var error = 0.0
    var worst = 0.0
    for bin in 0..<15 {
      let (low, high) = (Double(bin) / 15, Double(bin + 1) / 15)
      let rows = scores.indices.filter { (scores[$0] > low || bin == 0) && scores[$0] <= high }
      guard !rows.isEmpty else { continue }
      let mean = rows.map { scores[$0] }.reduce(0, +) / Double(rows.count)
      let share = Double(rows.count { labels[$0] }) / Double(rows.count)
      error += Double(rows.count) / 400 * abs(mean - share)
      worst = max(worst, abs(mean - share))
    }
    #expect(abs(quality.ece - error) < 1e-12, "seed \(seed)")
    #expect(abs(quality.mce - worst) < 1e-12, "seed \(seed)")
    // Scores from which the outcomes were drawn are nearly calibrated; turned around they are not.
    let turned = try ModelQuality(scores: scores.map { 1 - $0 }, labels: labels)
    #expect(quality.ece < 0.12 && turned.ece > 0.3, "seed \(seed)")
    #expect((quality.brierSkill ?? -1) > 0 && (turned.brierSkill ?? 1) < 0, "seed \(seed)")
  }

  @Test func `one row, one outcome and payoffs are answered`() throws {
    let one = try ModelQuality(scores: [0.5], labels: [true])
    #expect(one.accuracy == 0 && one.majorityAccuracy == 1 && one.brier == 0.25)
    #expect(one.auc == nil && one.brierSkill == nil && one.payoffAccuracy == nil)
    #expect(
      PromotionGates().judge(one).reasons.map { $0.prefix { $0 != ":" } } == [
        "accuracy", "calibration", "skill", "majority",
      ])
    let paid = try ModelQuality(scores: [0.9, 0.2, 0.7], labels: [true, true, true], payoffs: [1, -2, 5])
    #expect(paid.payoffAccuracy == 0.75)
    let unpaid = try ModelQuality(scores: [0.9], labels: [true], payoffs: [0])
    #expect(unpaid.payoffAccuracy == nil)
  }

  @Test func `what is no list of scores is refused in one line`() {
    let cases: [(scores: [Double], labels: [Bool], payoffs: [Double]?, line: String)] = [
      ([], [], nil, "scores: at least 1 row expected, none found"),
      ([0.1], [], nil, "labels: 1 rows expected, 0 found"),
      ([0.1, .nan], [true, true], nil, "scores: row 1: a probability in [0, 1] expected, nan found"),
      ([1.5], [true], nil, "scores: row 0: a probability in [0, 1] expected, 1.5 found"),
      ([0.5], [true], [], "payoffs: 1 rows expected, 0 found"),
      ([0.5], [true], [.infinity], "payoffs: row 0: a finite number expected, inf found"),
    ]
    for refused in cases {
      let error = #expect(throws: GovernanceError.self) {
        try ModelQuality(scores: refused.scores, labels: refused.labels, payoffs: refused.payoffs)
      }
      #expect(error?.description == refused.line)
    }
  }

  @Test func `a good model passes, and each gate fails by its name`() throws {
    let scores = (0..<2000).map { $0 % 2 == 0 ? 0.9 : 0.1 }
    // 10 % of either are wrong, as the scores say.
    let labels = (0..<2000).map { ($0 % 2 == 0) != ($0 % 20 >= 18) }
    let quality = try ModelQuality(scores: scores, labels: labels, payoffs: scores.map { _ in 1 })
    #expect(PromotionGates().judge(quality).passed)
    #expect(PromotionGates(wilsonLowerMin: 0.95).judge(quality).reasons.map { $0.hasPrefix("accuracy:") } == [true])
    #expect(PromotionGates(eceMax: 1e-30).judge(quality).reasons.map { $0.hasPrefix("calibration:") } == [true])
    #expect(PromotionGates(brierSkillMin: 0.9).judge(quality).reasons.map { $0.hasPrefix("skill:") } == [true])
    #expect(PromotionGates(payoffAccuracyMin: 0.95).judge(quality).reasons.map { $0.hasPrefix("payoff:") } == [true])
    let base = try ModelQuality(scores: labels.map { _ in 0.9 }, labels: labels.map { _ in true })
    #expect(PromotionGates(eceMax: 1).judge(base).reasons.map { $0.prefix { $0 != ":" } } == ["skill", "majority"])
    #expect(PromotionGates(confidence: 1).fault != nil && PromotionGates(eceMax: .nan).fault != nil)
  }

  @Test func `quantiles of the normal distribution invert its cumulative`() {
    #expect(abs(NormalDistribution.halfWidth(confidence: 0.95) - 1.959963984540054) < 1e-14)
    #expect(abs(NormalDistribution.quantile(0.8) - 0.8416212335729143) < 1e-14)
    for p in [1e-12, 1e-3, 0.3, 0.5, 0.9, 0.9999] {
      #expect(abs(NormalDistribution.cumulative(NormalDistribution.quantile(p)) / p - 1) < 1e-12)
    }
  }

  @Test func `no number of rows shows an accuracy that is not there`() {
    #expect(WilsonInterval.neededCount(accuracy: 0.68, lowerBound: 0.68) == nil)
    #expect(WilsonInterval.neededCount(accuracy: 0.5, lowerBound: 0.68) == nil)
    #expect(WilsonInterval.neededCount(accuracy: 1, lowerBound: 0.68) == 10)
    #expect(WilsonInterval(correct: 0, count: 0) == WilsonInterval(correct: 0, count: 0))
    #expect(WilsonInterval(correct: 0, count: 0).upper == 1)
    #expect(SampleSize.compare(champion: 0.6, challenger: 0.6) == nil)
  }
}
