import ModelImport
import ModelInference
import Testing

// Goal: each rule of CatBoost's documents is kept, and what is not supported is refused. Method: a tree of two splits
// with one thing changed at a time; the whole is compared with the package in ParityTests.
struct CatBoostForestTests {
  private static func model(_ replacing: [(String, String)] = []) throws -> ImportedModel {
    try CatBoostForest.model(Array(SmallModels.catBoost(replacing).utf8), name: "m.json")
  }

  @Test func `bit k of the leaf's number is the k-th split, set above its border`() throws {
    let forest = try #require(Self.model().forest)
    for (row, leaf) in [([0.5, 0, 0.25], 0), ([0.75, 0, 0.25], 1), ([0.5, 0, 0.5], 2), ([0.75, 0, 0.5], 3)] {
      let row = row.map { Float($0) }
      #expect(forest.leafNumbers(row) == [UInt32(leaf)])
      #expect(forest.rawReference(row) == [Double(leaf + 1) * 2 + 0.5], "the sum times the scale, and the bias")
    }
  }

  @Test(arguments: [("AsTrue", UInt32(1)), ("AsFalse", 0), ("AsIs", 0)])
  func `a missing value is above every border only where the feature says so`(
    treatment: String, leaf: UInt32
  ) throws {
    let forest = try #require(Self.model([("\"AsTrue\"", "\"\(treatment)\"")]).forest)
    #expect(forest.leafNumbers([.nan, 0, 0]) == [leaf])
  }

  @Test func `names stand in the order of the row, an unused category among them`() throws {
    let model = try Self.model()
    #expect(model.featureNames == ["a", "venue", "b"] && model.outputNames == ["1"] && model.forest?.featureCount == 3)
    for (classes, name) in [("[false, true]", "true"), ("[0.5, 1.5]", "1.5"), ("[\"no\", \"yes\"]", "yes")] {
      #expect(try Self.model([("\"class_names\": [0, 1]", "\"class_names\": \(classes)")]).outputNames == [name])
    }
    let nameless = try Self.model([("\"feature_id\": \"a\"", "\"feature_id\": \"\"")])
    #expect(nameless.featureNames == ["f0", "venue", "b"] && nameless.notes.count == 1)
  }

  @Test func `leaves of several values are a tree for each class`() throws {
    let model = try Self.model([
      ("[1, 2, 3, 4], \"leaf_w", "[1, 10, 2, 20, 3, 30, 4, 40], \"leaf_w"), ("[2, [0.5]]", "[1, [0, 1]]"),
      ("Logloss", "MultiClass"), ("[0, 1]}", "[\"down\", \"up\"]}"),
    ])
    #expect(model.outputNames == ["down", "up"] && model.forest?.link == .softmax)
    #expect(model.forest?.rawReference([0.75, 0, 0]) == [2, 21])
  }

  @Test func `options may be a text that holds JSON, or none`() throws {
    let params = "{\"loss_function\": {\"type\": \"Logloss\"}}"
    let text = try Self.model([(params, "\"{\\\"loss_function\\\":{\\\"type\\\":\\\"Poisson\\\"}}\"")])
    #expect(text.forest?.link == .exponential)
    let none = try Self.model([(params, "null")])
    #expect(none.forest?.link == .identity && none.notes.contains { $0.contains("no loss function") })
  }

  @Test func `trees of the other growing policies are read as they are`() throws {
    let forest = try #require(Self.model(SmallModels.catBoostGrown).forest)
    #expect(forest.rawReference([0.5, 0, 0]) == [2.5] && forest.rawReference([0.75, 0, 0]) == [4.5])
  }

  @Test func `a tree without splits is its only leaf`() throws {
    let text = SmallModels.catBoost()
    let start = text.firstRange(of: "\"splits\"")!.lowerBound
    let end = text.firstRange(of: "}],\n\"scale")!.lowerBound
    let bare = (text[..<start] + "\"splits\": []" + text[end...]).replacing("[1, 2, 3, 4], \"l", with: "[7], \"l")
    #expect(try CatBoostForest.model(Array(bare.utf8), name: "m").forest?.rawReference([0, 0, 0]) == [14.5])
  }

  @Test(arguments: [
    (
      "\"float_feature_index\": 1, \"split_index\": 1, \"split_type\": \"FloatFeature\"",
      "\"cat_feature_index\": 0, \"value\": 7, \"split_type\": \"OneHotFeature\"", "OneHotFeature on the category venue"
    ),
    (
      "\"split_index\": 1, \"split_type\": \"FloatFeature\"", "\"split_type\": \"OnlineCtr\"",
      "oblivious_trees[0].splits[1]"
    ),
    ("\"float_feature_index\": 1,", "\"float_feature_index\": 7,", "a feature of float_features, not 7"),
    ("[1, 2, 3, 4], \"l", "[1, 2, 3], \"l", "leaf_values: expected 4 leaves of equal size, not 3 values"),
    ("[1, 2, 3, 4], \"l", "[1, 2, 3, 1e200], \"l", "tree 0 with finite leaves"),
    ("Logloss", "RMSEWithUncertainty", "not RMSEWithUncertainty"), ("[2, [0.5]]", "[2, [0.5, 1]]", "a bias for each"),
    ("[2, [0.5]]", "[2]", "a scale and a bias"), ("\"AsTrue\"", "\"AsMuch\"", "AsIs, AsFalse or AsTrue"),
    ("\"flat_feature_index\": 2", "\"flat_feature_index\": 0", "a flat_feature_index of its own"),
    ("\"feature_id\": \"b\"", "\"feature_id\": \"a\"", "a name of its own for each feature"),
    ("\"border\": 0.25", "\"border\": 1e39", "a border in single precision"),
  ])
  func `what is not supported is refused in one line that says where`(old: String, new: String, words: String) {
    let error = #expect(throws: ImportError.self, "\(new)") { try Self.model([(old, new)]) }
    let line = error?.description ?? ""
    #expect(line.hasPrefix("m.json: ") && line.contains(words) && !line.contains("\n"), "\(line)")
  }

  @Test func `the binary format is refused with the way out`() {
    let error = #expect(throws: ImportError.self) { try CatBoostForest.model(Array("CBM1".utf8), name: "m.cbm") }
    #expect(error?.description.contains("format=\"json\"") == true)
  }

  @Test func `every truncated document is refused`() {
    let bytes = Array(SmallModels.catBoost().utf8)
    for count in 0..<bytes.count {
      #expect(throws: ImportError.self, "\(count) bytes") {
        try CatBoostForest.model(Array(bytes[..<count]), name: "t")
      }
    }
  }
}
