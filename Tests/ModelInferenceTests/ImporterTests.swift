import Foundation
import LockFreeRings
import ModelImport
import ModelInference
import TestSupport
import Testing
import TradingTypes

/// The folder of the parity files, beside the script that writes them.
private let parityFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("Fixtures/models/parity")

// Goal: an imported model answers as LightGBM does, bit for bit. Method: rows, scores and leaves that LightGBM's own
// Python package wrote (Fixtures/models/parity.py), half of the values on a threshold or one step beside it; then texts
// that must be refused.
struct LightGBMImporterTests {
  struct Case {
    var row: FeatureTable.Row
    var raw: Double
    var leaves: [UInt32]
  }

  static func cases(_ kind: String) throws -> [Case] {
    let text = try String(contentsOf: parityFolder.appendingPathComponent("\(kind).csv"), encoding: .utf8)
    return try text.split(separator: "\n").dropFirst().map { line in
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      var row = FeatureTable.Row(values: [Float](repeating: 0, count: 96), valid: FeatureMask())
      for slot in 0..<6 where !cells[slot].isEmpty {
        row.values[slot] = Float(try #require(Double(cells[slot])))
        row.valid[slot] = true
      }
      return Case(
        row: row, raw: try #require(Double(cells[6])),
        leaves: cells[cells.count - 1].split(separator: " ").map { UInt32($0)! })
    }
  }

  @Test(arguments: ["nan", "zero", "none"], KernelSet.supported)
  func `scores and leaves are LightGBM's own, for every missing type`(kind: String, set: KernelSet) throws {
    let model = try LightGBMImporter.read(parityFolder.appendingPathComponent("\(kind).txt").path)
    let whole = alone(.trees(model))
    let ensemble = Ensemble(whole, kernels: set, in: arena(for: whole))
    let cases = try Self.cases(kind)
    #expect(cases.count == 200)
    var missing = 0
    for (number, each) in cases.enumerated() {
      let raw = ensemble.rawScore(of: 0, each.row.vector)
      let leaves = ensemble.exitLeaves(of: 0, each.row.vector)
      #expect(raw?.bitPattern == each.raw.bitPattern, "\(kind), row \(number)")
      #expect(leaves == each.leaves, "\(kind), row \(number)")
      if each.row.valid.low != 0x3F { missing += 1 }
    }
    #expect(missing > 50, "rows with missing values are among them")
    #expect(model.scale == (kind == "zero" ? 2 : 1))
    #expect((model.zeroIsMissing != FeatureMask()) == (kind == "zero"))
  }

  /// A model of one tree with one split, and whatever is replaced in it.
  static func text(
    _ replacing: [(String, String)] = [], threshold: String = "0.5", type: String = "2", leaves: Int = 2
  ) -> String {
    var tree = """
      Tree=0
      num_leaves=\(leaves)
      num_cat=0
      split_feature=\(leaves > 1 ? "1" : "")
      threshold=\(leaves > 1 ? threshold : "")
      decision_type=\(leaves > 1 ? type : "")
      left_child=\(leaves > 1 ? "-1" : "")
      right_child=\(leaves > 1 ? "-2" : "")
      leaf_value=\(leaves > 1 ? "0.25 -0.75" : "0.125")
      is_linear=0
      shrinkage=0.1


      """
    for (old, new) in replacing { tree = tree.replacing(old, with: new) }
    var header = """
      tree
      version=v4
      num_class=1
      num_tree_per_iteration=1
      label_index=0
      max_feature_idx=1
      objective=binary sigmoid:1
      feature_names=mid spread
      feature_infos=[0:1] [0:1]
      tree_sizes=\(tree.utf8.count)


      """
    for (old, new) in replacing { header = header.replacing(old, with: new) }
    return header + tree + "end of trees\n"
  }

  @Test func `a threshold that is no single is rounded down`() throws {
    // 0.1 is below the nearest single, so the single beneath it must be taken.
    let model = try LightGBMImporter.model(text: Self.text(threshold: "0.1"), name: "t")
    #expect(model.thresholds[1] == [Float(0.1).nextDown] && Double(model.thresholds[1][0]) <= 0.1)
    let exact = try LightGBMImporter.model(text: Self.text(threshold: "0.5"), name: "t")
    #expect(exact.thresholds[1] == [0.5])
    let all = try LightGBMImporter.model(text: Self.text(threshold: "inf"), name: "t")
    #expect(all.thresholds[1] == [.greatestFiniteMagnitude])
    let large = try LightGBMImporter.model(text: Self.text(threshold: "1e300"), name: "t")
    #expect(large.thresholds[1] == [.greatestFiniteMagnitude])
  }

  @Test func `leaves are taken as they are, and a single leaf is a tree`() throws {
    let model = try LightGBMImporter.model(text: Self.text(), name: "t")
    #expect(model.trees[0].leaves == [0.25, -0.75])
    let single = try LightGBMImporter.model(text: Self.text(leaves: 1), name: "t")
    #expect(single.trees[0].nodes.isEmpty && single.trees[0].leaves == [0.125])
  }

  // Missing type none ignores the default side and compares 0.
  @Test(arguments: [
    ("2", "0.5", false), ("0", "0.5", false), ("2", "-0.5", true), ("0", "-0.5", true), ("8", "0.5", true),
    ("10", "-0.5", false), ("4", "0.5", true), ("6", "-0.5", false),
  ])
  func `a missing value goes where LightGBM sends it`(type: String, threshold: String, goesRight: Bool) throws {
    let model = try LightGBMImporter.model(text: Self.text(threshold: threshold, type: type), name: "t")
    #expect(model.trees[0].nodes[0].missingGoesRight == goesRight)
    #expect(model.zeroIsMissing[1] == (type == "4" || type == "6"))
  }

  @Test(arguments: [
    ("num_cat=0", "num_cat=1", "tree 0: expected numerical splits only"),
    ("is_linear=0", "is_linear=1", "tree 0: expected constant leaves"),
    ("num_class=1", "num_class=3", "num_class=1"),
    ("objective=binary", "objective=regression", "expected binary"),
    ("version=v4", "version=v3", "version=v4"),
    ("feature_names=mid spread", "feature_names=mid f1", "not f1"),
    ("max_feature_idx=1", "max_feature_idx=2", "max_feature_idx"),
    ("threshold=0.5", "threshold=-1e39", "single precision in node 0"),
    ("threshold=0.5", "threshold=x", "numbers of threshold"),
    ("leaf_value=0.25 -0.75", "leaf_value=0.25", "2 numbers of leaf_value"),
    ("leaf_value=0.25 -0.75", "leaf_value=0.25 nan", "tree 0 with finite leaves"),
    ("split_feature=1", "split_feature=2", "features of the header in node 0"),
    ("decision_type=2", "decision_type=1", "node 0 is categorical"),
    ("decision_type=2", "decision_type=12", "known decision_type"),
    ("left_child=-1", "left_child=0", "tree 0 with sound children"),
    ("left_child=-1", "left_child=-2", "tree 0 with sound leaves"),
    ("Tree=0", "Tree=1", "Tree=0"),
  ])
  func `what is not supported is refused in one line that says where`(old: String, new: String, words: String) {
    let text = Self.text([(old, new)])
    let error = #expect(throws: ImportError.self, "\(new)") { try LightGBMImporter.model(text: text, name: "m.txt") }
    #expect(
      error?.description.hasPrefix("m.txt: ") == true && error?.description.contains(words) == true,
      "\(error?.description ?? "")")
  }

  @Test func `every truncated text is refused`() throws {
    let text = Array(Self.text().utf8)
    _ = try LightGBMImporter.model(text: String(decoding: text, as: UTF8.self), name: "t")
    for count in 0..<(text.count - 1) {
      let part = String(decoding: text[..<count], as: UTF8.self)
      #expect(throws: ImportError.self, "\(count) bytes") { try LightGBMImporter.model(text: part, name: "t") }
    }
  }

  @Test func `256 thresholds of one feature are refused`() {
    let trees = (0..<256).map { number in
      """
      Tree=\(number)
      num_leaves=2
      num_cat=0
      split_feature=0
      threshold=\(number)
      decision_type=2
      left_child=-1
      right_child=-2
      leaf_value=0 1


      """
    }
    let header = """
      tree
      version=v4
      num_class=1
      num_tree_per_iteration=1
      max_feature_idx=0
      objective=binary
      feature_names=mid

      """
    func text(_ count: Int) -> String {
      header + "tree_sizes=" + trees.prefix(count).map { String($0.utf8.count) }.joined(separator: " ") + "\n\n"
        + trees.prefix(count).joined() + "end of trees\n"
    }
    #expect(throws: Never.self) { try LightGBMImporter.model(text: text(255), name: "t") }
    let error = #expect(throws: ImportError.self) { try LightGBMImporter.model(text: text(256), name: "t") }
    #expect(error?.description.contains("at most 255 thresholds, not 256") == true)
  }
}

// Goal: quantising keeps the answer. Method: random networks against their own floating point twin, by the bounds of
// the design.
struct NetworkImporterTests {
  static func json(seed: UInt64, widths: [Int] = [64, 32, 1]) -> String {
    var random = SplitMix64(seed: seed)
    func normal() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + random.unit() } }
    func list(_ count: Int, _ value: () -> Double) -> String {
      "[" + (0..<count).map { _ in String(value()) }.joined(separator: ",") + "]"
    }
    let names = FeatureSlot.allCases.map { "\"\($0.name)\"" }.joined(separator: ",")
    var inputs = 88
    let layers = widths.map { outputs -> String in
      let rows = (0..<outputs).map { _ in list(inputs) { normal() / Double(inputs).squareRoot() } }
      inputs = outputs
      return "{\"weights\":[\(rows.joined(separator: ","))],\"bias\":\(list(outputs) { normal() * 0.1 })}"
    }
    let mean = list(88, normal)
    let deviation = list(88) { 0.5 + random.unit() * 100 }
    return """
      {"features":[\(names)],"mean":\(mean),"deviation":\(deviation),"layers":[\(layers.joined(separator: ","))]}
      """
  }

  @Test(arguments: Seeds.brief.prefix(3))
  func `the 8-bit network stays near the one it came from`(seed: UInt64) throws {
    let float = try FloatNetwork(json: Self.json(seed: seed), name: "n")
    var random = SplitMix64(seed: seed)
    let rows = (0..<120).map { _ -> FeatureTable.Row in
      var row = FeatureTable.Row(values: [Float](repeating: 0, count: 96), valid: FeatureMask())
      for slot in 0..<88 {
        row.values[slot] = Float(float.mean[slot] + float.deviation[slot] * (random.unit() * 6 - 3))
        row.valid[slot] = random.below(10) != 0
      }
      return row
    }
    let model = try float.quantised(on: rows)
    let whole = alone(.network(model))
    let ensemble = Ensemble(whole, in: arena(for: whole))
    let expected = rows.map { float.activations($0).last![0] }
    let actual = rows.map { ensemble.memberLogits($0.vector)!.logits[0] }
    let mean = expected.reduce(0, +) / Double(expected.count)
    let deviation = (expected.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(expected.count)).squareRoot()
    let errors = zip(expected, actual).map { abs($0 - $1) }
    let rms = (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
    #expect(rms <= 0.03 * deviation, "seed \(seed): rms \(rms), deviation \(deviation)")
    #expect(errors.max()! <= 0.25, "seed \(seed)")
  }

  @Test func `a missing input counts as its mean`() throws {
    let float = try FloatNetwork(json: Self.json(seed: 1, widths: [3, 1]), name: "n")
    var row = FeatureTable.Row(
      values: (0..<96).map { Float(float.mean[$0]) }, valid: FeatureMask(low: .max, high: 0xFF_FFFF))
    let model = try float.quantised(on: [row])
    let whole = alone(.network(model))
    let ensemble = Ensemble(whole, in: arena(for: whole))
    let atMean = ensemble.memberLogits(row.vector)!.logits[0]
    row.values = [Float](repeating: 1e9, count: 96)
    row.valid = FeatureMask()
    #expect(ensemble.memberLogits(row.vector)!.logits[0] == atMean)
  }

  @Test(arguments: [
    ("", "JSON"), ("{}", "JSON"), (json(seed: 2).replacing("\"mid\"", with: "\"middle\""), "names of feature slots"),
    (json(seed: 2, widths: [4]), "one output"), (json(seed: 2, widths: [4, 4, 4, 4, 1]), "1 to 4 layers"),
    (json(seed: 2, widths: [300, 1]), "up to 256 rows"),
  ])
  func `a network that cannot be read is refused`(text: String, words: String) {
    let error = #expect(throws: ImportError.self) { try FloatNetwork(json: text, name: "n.json") }
    #expect(error?.description.hasPrefix("n.json: ") == true && error?.description.contains(words) == true)
  }

  @Test func `a table of features reads empty cells and the validity mask as missing`() throws {
    let mask = FeatureMask(low: 0b10).hex
    let table = try FeatureTable(
      csv: "timestamp_ns,mid,\"spread\",valid_mask\n1,2.5,,\(mask)\n2,7,0.1,\(mask)\n", name: "t")
    #expect(table.rows.count == 2)
    #expect(table.rows[0].valid == FeatureMask())
    #expect(table.rows[1].valid == FeatureMask(low: 0b10) && table.rows[1].values[1] == Float(0.1))
    for text in [
      "", "x,y\n1,2\n", "mid,mid\n1,2\n", "mid,spread\n1\n", "mid\nnan\n", "mid\n1e39\n", "mid,valid_mask\n1,00\n",
    ] {
      #expect(throws: ImportError.self, "\(text)") { try FeatureTable(csv: text, name: "t") }
    }
  }
}
