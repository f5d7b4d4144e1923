import Foundation
import ModelImport
import ModelInference
import Testing

@testable import OnnxImport

// Goal: trees ask the same question as the file, whatever the branch mode, the scaler in front and the missing value. Method: change
// modes, scales and sides of missing values of a converted pipeline at random; walk the file's own lists as ONNX defines them and
// compare the leaf of every tree, at thresholds and their neighbours too.
@Suite struct OnnxTreeTests {
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let word = (state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD
      return word ^ (word >> 33)
    }
  }

  private func attribute(_ node: OnnxNode, _ name: String) throws -> OnnxAttribute {
    try #require(node.attribute.first { $0.name == name })
  }

  private func set(_ node: inout OnnxNode, _ name: String, _ change: (inout OnnxAttribute) -> Void) {
    if let place = node.attribute.firstIndex(where: { $0.name == name }) {
      change(&node.attribute[place])
    } else {
      var attribute = OnnxAttribute()
      attribute.name = name
      change(&attribute)
      node.attribute.append(attribute)
    }
  }

  /// The number of the leaf that each tree ends in, by the file's lists.
  private func leaves(_ trees: OnnxNode, _ columns: [Float]) throws -> [UInt32] {
    let treeNumbers = try attribute(trees, "nodes_treeids").ints
    let nodes = try attribute(trees, "nodes_nodeids").ints
    let features = try attribute(trees, "nodes_featureids").ints
    let values = try attribute(trees, "nodes_values").floats
    let modes = try attribute(trees, "nodes_modes").strings.map { String(decoding: $0, as: UTF8.self) }
    let yes = try attribute(trees, "nodes_truenodeids").ints
    let no = try attribute(trees, "nodes_falsenodeids").ints
    let missing = try attribute(trees, "nodes_missing_value_tracks_true").ints
    var result: [UInt32] = []
    var start = 0
    while start < treeNumbers.count {
      var place = start
      while modes[place] != "LEAF" {
        let x = columns[Int(features[place])]
        let holds: Bool
        switch modes[place] {
        case "BRANCH_LEQ": holds = x <= values[place]
        case "BRANCH_LT": holds = x < values[place]
        case "BRANCH_GTE": holds = x >= values[place]
        default: holds = x > values[place]
        }
        let next = holds || (x.isNaN && missing[place] != 0) ? yes[place] : no[place]
        place = try #require(treeNumbers.indices.first { treeNumbers[$0] == treeNumbers[start] && nodes[$0] == next })
      }
      result.append(UInt32(nodes[place]))
      let tree = treeNumbers[start]
      start = treeNumbers[start...].firstIndex { $0 != tree } ?? treeNumbers.count
    }
    return result
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>, [true, false])
  func `every branch mode finds the file's leaf behind a scaler, with missing values and without`(
    seed: UInt64, hasImputer: Bool
  ) throws {
    var generator = Generator(state: seed)
    var model = try OnnxFile.decode(OnnxFixture.bytes("sk_scaled_trees"), name: "m")
    let tree = try #require(model.graph.node.firstIndex { $0.opType == "TreeEnsembleClassifier" })
    let scaler = try #require(model.graph.node.firstIndex { $0.opType == "Scaler" })
    let imputer = try #require(model.graph.node.firstIndex { $0.opType == "Imputer" })
    let names = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT"].map { Array($0.utf8) }
    let count = try attribute(model.graph.node[tree], "nodes_modes").strings.count
    set(&model.graph.node[tree], "nodes_modes") { modes in
      for place in modes.strings.indices where modes.strings[place] != .init("LEAF".utf8) {
        modes.strings[place] = .init(names.randomElement(using: &generator) ?? [])
      }
    }
    set(&model.graph.node[tree], "nodes_missing_value_tracks_true") { list in
      list.ints = (0..<count).map { _ in Int64.random(in: 0...1, using: &generator) }
    }
    set(&model.graph.node[tree], "nodes_values") { values in
      // Some thresholds of 0, where x < 0 becomes x <= the largest denormal below.
      for place in values.floats.indices where Int.random(in: 0..<6, using: &generator) == 0 {
        values.floats[place] = 0
      }
    }
    set(&model.graph.node[scaler], "scale") { scale in
      for place in scale.floats.indices where Bool.random(using: &generator) { scale.floats[place].negate() }
    }
    if !hasImputer { model.graph.node[scaler].input[0] = model.graph.node[imputer].input[0] }
    let changed = model
    let forest = try #require(try OnnxImporter().read(changed, name: "m").forest)
    let offset = try attribute(model.graph.node[scaler], "offset").floats
    let scale = try attribute(model.graph.node[scaler], "scale").floats
    let fill = try attribute(model.graph.node[imputer], "imputed_value_floats").floats
    var rows: [[Float]] = (0..<60).map { _ in
      (0..<6).map { _ in
        Int.random(in: 0..<5, using: &generator) == 0 ? .nan : Float.random(in: -3...3, using: &generator)
      }
    }
    for column in forest.columns {
      guard case .thresholds(let list, _) = column.sight else { continue }
      for threshold in list.prefix(6) {
        for value in [threshold, threshold.nextUp, threshold.nextDown, -0.0, .infinity, -.infinity] {
          var row = rows[rows.count % 60]
          row[column.feature] = value
          rows.append(row)
        }
      }
    }
    for row in rows {
      let columns = row.indices.map { place in
        let x = row[place].isNaN && hasImputer ? fill[place] : row[place]
        return (x - offset[place]) * scale[place]
      }
      let wanted = try leaves(model.graph.node[tree], columns)
      let exits = forest.exitLeavesReference(row)
      let found = zip(forest.trees, exits).map { $0.leafNumbers[$1] }
      try #require(found == wanted, "seed \(seed), row \(row)")
    }
  }

  @Test func `an average is the sum over the number of trees, and base values come after it`() throws {
    var model = try OnnxFile.decode(OnnxFixture.bytes("sk_boosting_regressor"), name: "m")
    let tree = try #require(model.graph.node.firstIndex { $0.opType == "TreeEnsembleRegressor" })
    set(&model.graph.node[tree], "base_values") { $0.floats = [0] }
    let plain = model
    let sums = try #require(try OnnxImporter().read(plain, name: "m").forest)
    set(&model.graph.node[tree], "aggregate_function") { $0.s = .init("AVERAGE".utf8) }
    set(&model.graph.node[tree], "base_values") { $0.floats = [2.5] }
    let average = model
    let forest = try #require(try OnnxImporter().read(average, name: "m").forest)
    let row: [Float] = [0.3, -1, 2, 0, 0.5, -0.2]
    let sum = sums.rawReference(row)[0]
    #expect(abs(forest.rawReference(row)[0] - (sum / Double(forest.trees.count) + 2.5)) < 1e-12)
  }

  @Test func `named inputs name the features, and the caller's names win`() throws {
    let fixture = try OnnxFixture("sk_inputs")
    #expect(fixture.model.featureNames == ["bid", "ask", "spread", "depth", "flow", "age"])
    let names = (0..<6).map { "slot\($0)" }
    let named = try OnnxImporter(.init(featureNames: names)).read(OnnxFixture.path("sk_inputs"))
    #expect(named.featureNames == names)
    let error = #expect(throws: ImportError.self) {
      try OnnxImporter(.init(featureNames: ["a"])).read(OnnxFixture.path("sk_inputs"))
    }
    #expect(error?.expected == "6 different names, not 1")
  }

  @Test func `other arithmetic in front of trees is refused`() throws {
    var model = try OnnxFile.decode(OnnxFixture.bytes("sk_scaled_trees"), name: "m")
    let scaler = try #require(model.graph.node.firstIndex { $0.opType == "Scaler" })
    model.graph.node[scaler].opType = "Relu"
    model.graph.node[scaler].domain = ""
    let changed = model
    let error = #expect(throws: ImportError.self) { try OnnxImporter().read(changed, name: "m") }
    #expect(error?.expected.contains("trees behind the input, a Scaler or an Imputer") == true)
  }

  @Test func `an imputer gives the network its missing values`() throws {
    let fixture = try OnnxFixture("sk_logistic")
    let network = try #require(fixture.model.network)
    #expect(network.missingValues.contains { $0 != 0 })
    let given = try OnnxImporter(.init(missingValues: [1, 2, 3, 4, 5, 6])).read(OnnxFixture.path("sk_logistic"))
    #expect(given.network?.missingValues == [1, 2, 3, 4, 5, 6])
  }
}
