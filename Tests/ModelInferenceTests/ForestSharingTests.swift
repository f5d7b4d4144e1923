import LockFreeRings
import TestSupport
import Testing
import TradingTypes

@testable import ModelInference

// Goal: forests that share one search of the row give the bits they give alone. Method: seeded forests over the same
// features, whose columns are parts of one grid, laid out together; the reference of each; odd values and holes.
struct ForestSharingTests {
  /// Forests over parts of the same columns, each column with some of its thresholds.
  private static func family(
    _ models: inout ForestModels, _ shapes: [ForestShape], over grid: [DecisionForest.Column]
  ) -> [DecisionForest] {
    shapes.map { shape in
      var columns: [DecisionForest.Column] = []
      for column in grid where models.random.below(9) > 0 {
        guard case .thresholds(let list, let missing) = column.sight else { continue }
        var part = list.filter { _ in models.random.below(3) > 0 }
        if part.isEmpty { part = [list[0]] }
        columns.append(DecisionForest.Column(feature: column.feature, sight: .thresholds(part, missing: missing)))
      }
      let accumulation: DecisionForest.Accumulation = models.random.below(2) == 0 ? .single : .double
      let trees = (0..<18).map { _ in models.tree(columns, shape, accumulation: accumulation) }
      return DecisionForest(
        featureCount: EnsembleModels.slots.count, columns: columns, trees: trees, accumulation: accumulation,
        link: .logistic(scale: 1))
    }
  }

  // Through an ensemble, which lays its forests out together.
  @Test(arguments: Seeds.brief.prefix(1), [20, 86])
  func `forests that share a search equal their references`(seed: UInt64, features: Int) {
    var models = ForestModels(seed: seed)
    let wish = ForestModels.Columns(features: features, columns: features, lengths: [2, 15, 16, 17, 60, 254, 255])
    let grid = models.columns(wish)
    let forests = Self.family(
      &models, [.perfect(6), .perfect(8), .leafWise(31), .leafWise(50), .chain(70)], over: grid)
    #expect(DecisionForest.sharings(forests).count == 1, "seed \(seed)")
    let model = EnsembleModel(
      features: EnsembleModels.slots,
      members: forests.enumerated().map { EnsembleModel.Member(name: "forest \($0)", kind: .forest($1)) },
      combiner: .equal(memberCount: forests.count)
    ).overSlots
    let rows = (0..<12).map { number in
      models.row(for: forests[number % forests.count], missingOneIn: [0, 0, 30, 3][number % 4]).map {
        $0.isInfinite ? 0 : $0
      }
    }
    for set in KernelSet.supported {
      let room = arena(for: model)
      var ensemble = Ensemble(model, kernels: set, in: room)
      #expect(room.usedBytes <= Ensemble.arenaBytes(for: model))
      for (number, values) in rows.enumerated() {
        guard let answer = ensemble.memberLogits(EnsembleModels.vector(values)) else {
          Issue.record("a finite row")
          continue
        }
        for (place, forest) in forests.enumerated() {
          let bits = answer.logits[place].bitPattern
          let expected = forest.rawReference(values)[0].bitPattern
          #expect(bits == expected, "seed \(seed), \(set), row \(number), forest \(place)")
        }
      }
    }
  }

  @Test func `only forests that ask alike share, and others stay as they are`() {
    var models = ForestModels(seed: 4)
    func forest(_ columns: [DecisionForest.Column], features: Int = 3) -> DecisionForest {
      let trees = (0..<30).map { _ in models.tree(columns, .perfect(4), accumulation: .double) }
      return DecisionForest(featureCount: features, columns: columns, trees: trees, link: .identity)
    }
    func columns(
      _ thresholds: ClosedRange<Int>, _ missing: DecisionForest.Missing = .nan, feature: Int = 0
    ) -> [DecisionForest.Column] {
      [DecisionForest.Column(feature: feature, sight: .thresholds(thresholds.map { Float($0) }, missing: missing))]
    }
    func members(_ forests: DecisionForest...) -> [[Int]] { DecisionForest.sharings(forests).map(\.members) }
    let first = forest(columns(1...100))
    #expect(members(first, forest(columns(51...150))) == [[0, 1]])
    // The same feature, seen in another way, gains nothing.
    #expect(members(first, forest(columns(51...150, .never))) == [[0], [1]])
    // 255 thresholds fit 8 bits, 256 do not.
    #expect(members(first, forest(columns(101...255))) == [[0, 1]])
    #expect(members(first, forest(columns(101...256))) == [[0], [1]])
    // Rows of another length.
    #expect(members(first, forest(columns(51...150), features: 4)) == [[0], [1]])
    // The one between stays alone, and the others keep their order.
    #expect(members(first, forest(columns(1...100, .never)), forest(columns(90...120))) == [[0, 2], [1]])
    let sets = [DecisionForest.Column(feature: 0, sight: .categories([[5]], rule: .lightGBM))]
    #expect(members(forest(sets), forest(sets)) == [[0], [1]])
    // Two columns of a feature that could be one.
    #expect(members(forest(columns(1...9) + columns(5...20)), first) == [[0], [1]])
  }
}
