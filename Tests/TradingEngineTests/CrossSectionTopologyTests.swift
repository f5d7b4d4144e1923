import BacktestHarness
import EngineTelemetry
import LockFreeRings
import ModelImport
import TestSupport
import Testing
import TradingEngine
import TradingTypes

// Goal: slots 85 and 86 are the same in every topology where it matters, at the decisions. Method: models that read nothing but one of
// the two, over a generated day of many instruments; the decisions depend on the slot, and on its every bit near the thresholds.
@Suite(.serialized) struct CrossSectionTopologyTests {
  /// Trees over one slot that give another logit in each of many ranges, and one more where it is missing.
  private func model(of slot: FeatureSlot, _ range: ClosedRange<Float>, blind: Bool = false) throws -> ModelArtifact {
    let count = 24
    let step = (range.upperBound - range.lowerBound) / Float(count)
    let thresholds = (0..<count).map { range.lowerBound + (Float($0) + 0.5) * step }
    // One decision a tree; ups and downs take turns, so that the sum changes its sign at each threshold.
    var trees = (0..<count).map { test in
      let value = blind ? 0 : (test % 2 == 0 ? 4.0 : -4.0)
      return DecisionForest.Tree(
        nodes: [
          DecisionForest.Node(column: 0, test: UInt16(test), missingGoesRight: false, left: ~0, right: ~1)
        ], leaves: [0, value])
    }
    trees.append(DecisionForest.Tree(nodes: [], leaves: [-2]))
    let forest = DecisionForest(
      featureCount: 1,
      columns: [DecisionForest.Column(feature: 0, sight: .thresholds(thresholds, missing: .nan))], trees: trees,
      link: .logistic(scale: 1))
    let model = EnsembleModel(
      features: [slot.name], members: [EnsembleModel.Member(name: "cross-section", kind: .forest(forest))],
      metadata: ["name": "cross-section"])
    return try ModelArtifact(bytes: ArtifactWriter.freeze(model, golden: [[0]]))
  }

  @Test(arguments: [(FeatureSlot.relativeStrength, Float(-2)...2), (.breadthThrust, 0.3...0.7)])
  func `models of the cross-section alone decide alike in every topology`(
    slot: FeatureSlot, range: ClosedRange<Float>
  ) throws {
    var day = try GeneratedDay(seed: 31, messages: 8_000, symbols: 4)
    day.setup.artifact = try model(of: slot, range, blind: true)
    let blind = try TopologyTests.run(day, .inline)
    day.setup.artifact = try model(of: slot, range)
    let expected = try TopologyTests.run(day, .inline)
    #expect(expected.prefix(16) != blind.prefix(16), "decisions depend on the slot")
    for topology in [EngineTopology.split, .sharded(count: 3)] {
      let got = try TopologyTests.run(day, topology)
      #expect(got == expected, "\(slot), \(topology)")
    }
    // Any partition will do, and reports that are due at a bar's end.
    day.setup.configuration.venueLatencyNanoseconds = 2_000_000_000
    let late = try TopologyTests.run(day, .inline)
    let map = try ShardMap([2, 0, 1, 2], count: 3)
    let got = try TopologyTests.run(day, .sharded(count: 3)) { $0.shardMap = map }
    #expect(got == late, "\(slot)")
  }
}
