import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: the tally is the plain sum over all decisions. Method: seeded pairs of forecasts kept in a list, unusable ones among them.
struct ShadowTallyTests {
  private func forecast(_ random: inout SplitMix64) -> Forecast {
    let kind = random.below(12)
    if kind == 0 { return .unusable }
    let p = kind == 1 ? Double.nan : kind == 2 ? 0.5 : random.unit()
    return Forecast(probabilityUp: p, confidence: 0.5, members: 1)
  }

  @Test(arguments: Seeds.brief)
  func `every figure equals the sum over the list`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var tally = ShadowTally()
    var usable: [(champion: Double, shadow: Double)] = []
    var differed = 0
    for _ in 0..<500 {
      let (champion, shadow) = (forecast(&random), forecast(&random))
      differed += tally.record(champion: champion, shadow: shadow) ? 1 : 0
      guard champion.isUsable, shadow.isUsable, !champion.probabilityUp.isNaN, !shadow.probabilityUp.isNaN else {
        continue
      }
      usable.append((champion.probabilityUp, shadow.probabilityUp))
    }
    let disagreed = usable.count { ($0.champion > 0.5) != ($0.shadow > 0.5) }
    #expect(tally.compared == usable.count && tally.unusable == 500 - usable.count, "seed \(seed)")
    #expect(tally.disagreed == disagreed && differed == disagreed && disagreed > 50, "seed \(seed)")
    #expect(tally.disagreement == Double(disagreed) / Double(usable.count), "seed \(seed)")
    let differences = usable.map { $0.shadow - $0.champion }
    #expect(tally.distanceMax == differences.map(abs).max(), "seed \(seed)")
    #expect(abs(tally.differenceMean - differences.reduce(0, +) / Double(usable.count)) < 1e-12, "seed \(seed)")
    let square = differences.map { $0 * $0 }.reduce(0, +) / Double(usable.count)
    #expect(abs(tally.distanceRootMeanSquare - square.squareRoot()) < 1e-12, "seed \(seed)")
  }

  @Test func `nothing compared is zero everywhere`() {
    var tally = ShadowTally()
    tally.record(champion: .unusable, shadow: .unusable)
    #expect(tally.disagreement == 0 && tally.differenceMean == 0 && tally.distanceRootMeanSquare == 0)
    #expect(tally.unusable == 1 && tally.compared == 0)
  }
}
