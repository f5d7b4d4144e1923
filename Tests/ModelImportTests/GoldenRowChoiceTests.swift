import ModelImport
import ModelInference
import Testing

// Goal: golden rows that nobody brought ask a model where a wrong kernel would answer wrongly. Method: count what they hit.
struct GoldenRowChoiceTests {
  static func model() throws -> EnsembleModel {
    let forest = DecisionForest(
      featureCount: 4,
      columns: [
        DecisionForest.Column(feature: 0, sight: .thresholds([-1, 0.1, 7], missing: .nan)),
        DecisionForest.Column(feature: 1, sight: .categories([[1], [0, 1]], rule: .lightGBM)),
        DecisionForest.Column(feature: 3, sight: .thresholds([.greatestFiniteMagnitude, .infinity], missing: .nan)),
      ],
      trees: [
        DecisionForest.Tree(
          nodes: [DecisionForest.Node(column: 0, test: 1, missingGoesRight: true, left: ~0, right: ~1)],
          leaves: [-1, 1])
      ], link: .logistic(scale: 1))
    return EnsembleModel(
      features: ["a", "b", "unread", "d"],
      members: [
        EnsembleModel.Member(name: "trees", kind: .forest(forest)),
        EnsembleModel.Member(name: "net", kind: .network(try EnsembleAssemblyTests.network())),
      ], combiner: .equal(memberCount: 2), metadata: ["name": "m"])
  }

  @Test func `they are at thresholds and beside them, in every category, beyond the reach of codes, and have gaps`()
    throws
  {
    var model = try Self.model()
    var network = try #require(model.members[1].network)
    network.inputs = [2]
    model.members[1].kind = .network(network)
    let rows = GoldenRowChoice.rows(for: model, count: 600)
    #expect(rows.count == 601, "a row more than windows of two")
    #expect(rows.allSatisfy { $0.count == 4 && $0.allSatisfy { $0.isFinite || $0.isNaN } })
    let near: Set<Float> = Set([-1, 0.1, 7].flatMap { [$0, $0.nextUp, $0.nextDown] })
    #expect(Set(rows.map { $0[0] }.filter(\.isFinite)) == near)
    let codes = Set(rows.map { $0[1] }.filter(\.isFinite).map { ($0 + 0.5).rounded(.down) })
    #expect(codes.isSuperset(of: (0..<64).map { Float($0) }))
    let limits = Set(rows.map { $0[3] }.filter(\.isFinite))
    #expect(
      limits == [.greatestFiniteMagnitude, Float.greatestFiniteMagnitude.nextDown], "the next number is infinite")
    let input = try #require(network.quantised).input
    let width = rows.map { $0[2] }.filter(\.isFinite).map { abs($0 - input.centers[0]) }.max() ?? 0
    // Half of 255 steps is what the codes reach, where the range lies around the center.
    #expect(width > 4 && width < 8, "beyond what the calibration saw")
    for column in 0..<4 {
      let gaps = rows.count { $0[column].isNaN }
      #expect((15...70).contains(gaps), "column \(column): \(gaps)")
    }
    #expect(
      GoldenRowChoice.rows(for: model, count: 600).map { $0.map(\.bitPattern) } == rows.map { $0.map(\.bitPattern) })
  }

  @Test func `a feature that nothing reads is 0 or missing`() throws {
    let rows = GoldenRowChoice.rows(for: try Self.model(), count: 200)
    let gaps = rows.count { $0[2].isNaN }
    #expect(rows.allSatisfy { $0[2] == 0 || $0[2].isNaN } && (50...150).contains(gaps))
  }
}
