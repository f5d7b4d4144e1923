import Foundation
import ModelGovernance
import TestSupport
import Testing
import TradingTypes

// Goal: looking at every decision does not promote a challenger that is no better, and one that is gets through. Method: the
// integral by quadrature, and seeded runs that stop at the first verdict.
struct SequentialTests {
  @Test(arguments: [(0, 0), (1, 0), (0, 1), (5, 2), (2, 5), (40, 40), (60, 30), (30, 60), (0, 200)])
  func `the evidence is the mixture's integral`(challengerOnly: Int, championOnly: Int) {
    var test = PairedSequentialTest()
    for _ in 0..<challengerOnly { test.record(championIsRight: false, challengerIsRight: true) }
    for _ in 0..<championOnly { test.record(championIsRight: true, challengerIsRight: false) }
    for _ in 0..<7 { test.record(championIsRight: true, challengerIsRight: true) }
    #expect(test.count == challengerOnly + championOnly + 7)
    var sum = 0.0
    let steps = 20_000
    for step in 0..<steps {
      let q = 0.5 + (Double(step) + 0.5) / Double(2 * steps)
      sum += pow(2 * q, Double(challengerOnly)) * pow(2 * (1 - q), Double(championOnly)) / Double(steps)
    }
    #expect(abs(test.logEvidence - log(sum)) < 1e-5, "\(test.logEvidence) \(log(sum))")
    #expect(test.logEvidenceMax >= 0 && test.logEvidenceMax >= test.logEvidence)
  }

  @Test func `a shadow that is no better is promoted in at most one run of twenty, however often one looks`() {
    var promoted = 0
    for run in 0..<200 {
      var random = SplitMix64(seed: UInt64(run) + 1)
      var test = PairedSequentialTest()
      for _ in 0..<1500 where !test.isBetter() {
        test.record(championIsRight: random.unit() < 0.68, challengerIsRight: random.unit() < 0.68)
      }
      promoted += test.isBetter() ? 1 : 0
    }
    // 5 % of 200 is 10; the mixture stops short of it, and a test that looked at a fixed bound of 1.96 would see about 60.
    #expect(promoted <= 10, "\(promoted)")
    #expect(promoted > 0, "\(promoted)")
  }

  @Test func `a shadow that is clearly better is promoted, one that is worse never`() {
    for seed in Seeds.brief {
      var random = SplitMix64(seed: seed)
      var better = PairedSequentialTest()
      var worse = PairedSequentialTest()
      for _ in 0..<3000 {
        let isRight = random.unit() < 0.68
        better.record(championIsRight: isRight, challengerIsRight: random.unit() < 0.78)
        worse.record(championIsRight: isRight, challengerIsRight: random.unit() < 0.58)
      }
      #expect(better.isBetter(significance: 0.01) && better.pValue < 0.01, "seed \(seed)")
      #expect(!worse.isBetter() && worse.logEvidence < 0, "seed \(seed)")
    }
  }

  @Test func `a split of decisions promotes rarely without a difference and surely with one`() {
    var promoted = 0
    for run in 0..<200 {
      var random = SplitMix64(seed: UInt64(run) + 7)
      var test = SplitSequentialTest()
      for _ in 0..<4000 where !test.isBetter() {
        test.record(isChallenger: random.below(5) == 0, isRight: random.unit() < 0.68)
      }
      promoted += test.isBetter() ? 1 : 0
    }
    #expect(promoted <= 10, "\(promoted)")
    for seed in Seeds.brief {
      var random = SplitMix64(seed: seed)
      var better = SplitSequentialTest(expectedDifference: 0.05)
      var worse = better
      for _ in 0..<20_000 {
        let isChallenger = random.below(5) == 0
        better.record(isChallenger: isChallenger, isRight: random.unit() < (isChallenger ? 0.75 : 0.68))
        worse.record(isChallenger: isChallenger, isRight: random.unit() < (isChallenger ? 0.6 : 0.68))
      }
      #expect(better.isBetter() && better.difference > 0.03, "seed \(seed)")
      #expect(!worse.isBetter() && worse.pValue > 0.05, "seed \(seed)")
    }
  }

  @Test func `few decisions give no verdict, even all right`() {
    var test = SplitSequentialTest()
    #expect(test.difference == 0 && test.pValue == 1 && !test.isBetter())
    for _ in 0..<99 {
      test.record(isChallenger: true, isRight: true)
      for _ in 0..<4 { test.record(isChallenger: false, isRight: false) }
    }
    #expect(!test.isBetter())
    test.record(isChallenger: true, isRight: true)
    #expect(test.isBetter())
  }
}
