import Foundation
import ModelGovernance
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: the fits are the golden ones, and what production uses is safe. Method: reference figures, plain twins on seeded scores,
// and inputs that tempt a fit to infinity.
struct CalibrationFitTests {
  @Test(.enabled(if: Golden.isThere, "the golden figures are beside the checkout"))
  func `Platt, temperature and isotonic are the golden fits`() throws {
    let (scores, labels) = try Golden.classifier("cal")
    let platt = try CalibrationFit.platt(scores: scores, labels: labels)
    let golden = try Golden.object("platt")
    guard case .platt(let slope, let intercept) = platt.calibration else {
      Issue.record("not Platt's")
      return
    }
    #expect(agree([slope, intercept], [golden.number("A"), golden.number("B")], within: 1e-7))
    #expect(agree([slope, intercept], [golden.number("sklearn_A"), golden.number("sklearn_B")], within: 1e-5))
    #expect(abs(platt.objective - golden.number("objective")) < 1e-9)

    let temperature = try CalibrationFit.temperature(scores: scores, labels: labels).calibration
    guard case .platt(let inverse, 0) = temperature else {
      Issue.record("not a temperature")
      return
    }
    let goldenTemperature = try Golden.object("temperature").number("T")
    #expect(abs(1 / inverse - goldenTemperature) < 1e-5)

    let fit = try IsotonicFit(scores: scores, labels: labels)
    let isotonic = try Golden.object("isotonic")
    #expect(agree(fit.x, isotonic.numbers("thresholds_x"), within: 1e-10))
    #expect(agree(fit.y, isotonic.numbers("thresholds_y"), within: 1e-10))
    let sum = try Golden.classifier("test").scores.map(fit.probability).reduce(0, +)
    #expect(abs(sum - isotonic.number("test_pred_sum")) < 1e-10 * 189)
    let error = #expect(throws: GovernanceError.self) { try fit.calibration() }
    #expect(error?.description == "isotonic: at least 1000 rows expected, 190 found; Platt's needs fewer")
  }

  @Test(arguments: Seeds.brief)
  func `no pair of numbers near Platt's answer has a smaller loss`(seed: UInt64) throws {
    let (scores, labels) = randomScores(300, seed: seed)
    let answer = try CalibrationFit.platt(scores: scores, labels: labels)
    guard case .platt(let slope, let intercept) = answer.calibration else { return }
    let positives = Double(labels.count { $0 })
    let negatives = 300 - positives
    func loss(_ a: Double, _ b: Double) -> Double {
      var sum = 0.0
      for (score, label) in zip(scores, labels) {
        let p = 1 / (1 + exp(-(a * CalibrationFit.logit(score) + b)))
        let target = label ? (positives + 1) / (positives + 2) : 1 / (negatives + 2)
        sum -= target * log(p) + (1 - target) * log(1 - p)
      }
      return sum
    }
    let best = loss(slope, intercept)
    #expect(abs(best - answer.objective) < 1e-9 * best, "seed \(seed)")
    for (da, db) in [(1e-4, 0.0), (-1e-4, 0), (0, 1e-4), (0, -1e-4), (1e-4, -1e-4), (-1e-4, 1e-4)] {
      #expect(loss(slope + da, intercept + db) > best, "seed \(seed)")
    }
    // The outcomes were drawn from the scores: the identity is nearly right.
    #expect(abs(slope - 1) < 0.5 && abs(intercept) < 0.5, "seed \(seed)")
  }

  @Test func `separable, constant and single rows have finite fits`() throws {
    let cases: [(scores: [Double], labels: [Bool])] = [
      ([0, 0, 1, 1], [false, false, true, true]), ([0.5, 0.5, 0.5], [true, false, true]),
      ([0.3], [true]), ([1, 1, 1], [true, true, true]), ([0.9, 0.9], [false, false]),
      ([.leastNonzeroMagnitude, 1 - 0x1p-53], [false, true]),
    ]
    for (scores, labels) in cases {
      for fit in [
        try CalibrationFit.platt(scores: scores, labels: labels),
        try CalibrationFit.temperature(scores: scores, labels: labels),
      ] {
        #expect(fit.calibration.fault == nil && fit.objective.isFinite, "\(scores) \(fit)")
        let p = fit.calibration.probability(logit: 0.3)
        #expect(p > 0 && p < 1, "\(scores) \(fit)")
      }
      let isotonic = try IsotonicFit(scores: scores, labels: labels)
      #expect(isotonic.y.allSatisfy { $0 >= 0 && $0 <= 1 }, "\(scores)")
    }
    // One score over and over: the mean of Platt's targets, whatever the score.
    for score in [0.2, 0.9] {
      let constant = try CalibrationFit.platt(scores: [score, score, score, score], labels: [true, true, true, false])
      let mean = (3 * 4.0 / 5 + 1.0 / 3) / 4
      #expect(abs(constant.calibration.probability(logit: 7) - mean) < 1e-15)
    }
    for scores in [[0, 1], [0.5, 0.51]] {
      let error = #expect(throws: GovernanceError.self) {
        try CalibrationFit.platt(scores: scores, labels: [true, false])
      }
      #expect(error?.description.hasSuffix("would turn them around") == true)
    }
    #expect(throws: GovernanceError.self) { try CalibrationFit.platt(scores: [], labels: []) }
    #expect(throws: GovernanceError.self) { try CalibrationFit.temperature(scores: [.nan], labels: [true]) }
    #expect(throws: GovernanceError.self) { try IsotonicFit(scores: [0.5], labels: []) }
  }

  @Test(arguments: Seeds.brief)
  func `isotonic equals the largest of the least means over all ranges`(seed: UInt64) throws {
    let (scores, labels) = randomScores(60, seed: seed, levels: 25)
    let fit = try IsotonicFit(scores: scores, labels: labels)
    let levels = Set(scores).sorted()
    // The textbook form: y(i) = max over j ≤ i of min over k ≥ i of the mean of rows from level j to level k.
    for (place, level) in levels.enumerated() {
      let answer =
        (0...place).map { first in
          (place..<levels.count).map { last in
            let rows = scores.indices.filter { scores[$0] >= levels[first] && scores[$0] <= levels[last] }
            return Double(rows.count { labels[$0] }) / Double(rows.count)
          }.min() ?? 0
        }.max() ?? 0
      #expect(abs(fit.probability(of: level) - answer) < 1e-12, "seed \(seed) at \(level)")
    }
  }

  @Test(arguments: Seeds.brief)
  func `production's isotonic is sound, held within its range and near the fit`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    // Outcomes nearly in order of the scores: a long staircase that does not fit into 256 corners.
    let scores = (0..<6000).map { Double($0) / 6000 }
    let labels = (0..<6000).map { place in
      let block = place / 10
      return random.unit() < (block < 30 ? 0 : block > 570 ? 1 : Double(block) / 600)
    }
    let fit = try IsotonicFit(scores: scores, labels: labels)
    let calibration = try fit.calibration()
    #expect(calibration.fault == nil, "seed \(seed)")
    for row in stride(from: 0, to: 6000, by: 7) {
      let p = calibration.probability(logit: CalibrationFit.logit(scores[row]))
      #expect(p >= 0.001 && p <= 0.999 && abs(p - fit.probability(of: scores[row])) < 0.05, "seed \(seed) row \(row)")
    }
  }

  @Test func `more corners than production keeps are joined where it costs least`() throws {
    // 400 levels of 300 rows, each with its own share of outcomes.
    let levels = (0..<120_000).map { $0 / 300 }
    let many = try IsotonicFit(
      scores: levels.map { Double($0 + 1) / 401 }, labels: (0..<120_000).map { 4 * ($0 % 300) < 3 * levels[$0] })
    #expect(many.x.count == 400)
    let joined = try many.calibration()
    guard case .isotonic(let x, _) = joined else { return }
    #expect(joined.fault == nil && x.count <= 256 && x.count > 200)
    for level in 0..<400 {
      let score = Double(level + 1) / 401
      let p = joined.probability(logit: CalibrationFit.logit(score))
      #expect(abs(p - many.probability(of: score)) < 0.01, "level \(level)")
    }
  }
}
