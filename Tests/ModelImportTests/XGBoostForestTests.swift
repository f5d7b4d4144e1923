import ModelImport
import ModelInference
import Testing

// Goal: each rule of XGBoost's documents is kept, and what is not supported is refused. Method: a model of two splits
// with one thing changed at a time; the whole is compared with the package in ParityTests.
struct XGBoostForestTests {
  private static func model(
    _ replacing: [(String, String)] = [], rounds: XGBoostForest.Rounds = .asSaved
  ) throws -> ImportedModel {
    try XGBoostForest.model(Array(SmallModels.xgboost(replacing).utf8), name: "m.json", rounds: rounds)
  }

  private static func forest(_ replacing: [(String, String)] = []) throws -> DecisionForest {
    try #require(model(replacing).forest)
  }

  @Test func `a value below the threshold goes left, an equal one right`() throws {
    let forest = try Self.forest()
    let threshold = Float(0.1)
    for (value, leaf) in [(threshold.nextDown, 0.25), (threshold, 1.5), (threshold.nextUp, 1.5), (.nan, 0.25)] {
      #expect(forest.rawReference([value, 0]) == [leaf], "\(value)")
    }
    #expect(forest.trees[0].leafNumbers == [1, 3, 4] && forest.accumulation == .single && forest.start == [0])
    let zero = try Self.forest([("[0.1, 0.25", "[0E0, 0.25")])
    #expect(zero.columns[0].sight == .thresholds([-.leastNonzeroMagnitude], missing: .nan))
    for value: Float in [0, -0.0] { #expect(zero.rawReference([value, 0]) == [1.5], "0 is not below 0") }
  }

  @Test(arguments: [
    (Float(0), 1.5), (33, 1.5), (1, -0.5), (63, -0.5), (64, -0.5), (1e9, -0.5), (0.9, 1.5), (33.5, 1.5), (-0.5, -0.5),
    (-1, -0.5), (.nan, 1.5),
  ])
  func `a listed category goes right, another or none such left`(value: Float, leaf: Double) throws {
    #expect(try Self.forest().rawReference([1, value]) == [leaf])
  }

  @Test(arguments: [
    ("[3E-1]", "binary:logistic", Double(Float(-0.84729785))), ("3E-1", "binary:logistic", Double(Float(-0.84729785))),
    ("5E-1", "reg:logistic", 0), ("[3E-1]", "binary:logitraw", Double(Float(0.3))),
    ("2", "count:poisson", Double(Float(0.6931472))), ("2", "reg:squarederror", 2), ("-2", "reg:squarederror", -2),
  ])
  func `the starting margin is the inverse link of base_score, however it is spelled`(
    base: String, objective: String, margin: Double
  ) throws {
    #expect(try Self.forest([("[5E-1]", base), ("binary:logistic", objective)]).start == [margin])
  }

  @Test(arguments: [
    ("binary:logistic", Link.logistic(scale: 1)), ("multi:softprob", .softmax), ("reg:gamma", .exponential),
    ("reg:tweedie", .exponential), ("survival:cox", .exponential), ("rank:ndcg", .identity),
    ("reg:pseudohubererror", .identity), ("binary:logitraw", .identity),
  ])
  func `an objective names its link`(objective: String, link: Link) throws {
    #expect(try Self.forest([("binary:logistic", objective)]).link == link)
  }

  @Test func `JSON and UBJ give the identical model`() throws {
    let text = SmallModels.xgboost()
    let json = try XGBoostForest.model(Array(text.utf8), name: "m")
    var ubj = try XGBoostForest.model(try SmallModels.ubj(text), name: "m")
    #expect(ubj.sourceSHA256 != json.sourceSHA256)
    ubj.sourceSHA256 = json.sourceSHA256
    #expect(ubj == json)
  }

  @Test func `older documents lack categories, types and places of iterations`() throws {
    let forest = try Self.forest([
      (
        "\"categories\": [0, 33], \"categories_nodes\": [2], \"categories_segments\": [0], \"categories_sizes\": [2],",
        ""
      ),
      ("\"split_type\": [0, 0, 1, 0, 0],", ""), ("\"iteration_indptr\": [0, 1],", ""), (",\n\"num_target\": \"1\"", ""),
      ("\"default_left\": [1, 0, 0, 0, 0]", "\"default_left\": [true, false, false, false, false]"),
    ])
    #expect(forest.columns.count == 2 && forest.rawReference([1, -1]) == [-0.5])
  }

  @Test func `nodes that no parent names are passed over`() throws {
    // Node 4 was deleted and node 5 took its place.
    let forest = try Self.forest([
      ("[2, -1, 4, -1, -1]", "[2, -1, 5, -1, -1, -1]"), ("[1, -1, 3, -1, -1]", "[1, -1, 3, -1, -1, -1]"),
      ("[1, 0, 0, 0, 0]", "[1, 0, 0, 0, 0, 0]"), ("[0, 0, 1, 0, 0]", "[0, 0, 1, 0, 0, 0]"),
      ("[0.1, 0.25, 0E0, -0.5, 1.5]", "[0.1, 0.25, 0E0, -0.5, 9, 1.5]"),
    ])
    #expect(forest.trees[0].leafNumbers == [1, 3, 5] && forest.rawReference([1, 0]) == [1.5])
  }

  @Test func `an early-stopped model is read as the class predicts that wrote it`() throws {
    let path = Parity.path("xgboost-stopped.json")
    let saved = try XGBoostForest.read(path)
    let all = try XGBoostForest.read(path, rounds: .all)
    let count = try #require(saved.forest?.trees.count)
    #expect(count < all.forest!.trees.count && saved.notes.contains { $0.contains("best_iteration") })
    #expect(try XGBoostForest.read(path, rounds: .best).forest == saved.forest)
    let booster = [("\"attributes\": {}", "\"attributes\": {\"best_iteration\": \"0\"}")]
    #expect(try Self.model(booster).notes.contains { $0.contains("all trees count") })
  }

  @Test func `more than 255 thresholds of a feature take more columns`() throws {
    let forest = try #require(XGBoostForest.read(Parity.path("xgboost-many-thresholds.ubj")).forest)
    #expect(forest.columnsOfFeature[0]! >= 2)
  }

  @Test func `features without names are numbered, and a note says so`() throws {
    let model = try Self.model([("[\"a\", \"b\"]", "[]")])
    let frame = try Self.model([
      (
        "\"iteration_indptr\"",
        "\"cats\": {\"enc\": [{\"offsets\": [], \"values\": []}, {\"offsets\": [0, 1], \"values\": [120]}]}, \"iteration_indptr\""
      )
    ])
    #expect(frame.notes.count == 1 && frame.notes[0].contains("the data frame's own categories"))
    #expect(model.featureNames == ["f0", "f1"] && model.notes.count == 1 && model.sourceVersion == "3.2.0")
  }

  @Test(arguments: [
    (
      "\"name\": \"gbtree\"", "\"name\": \"gblinear\"",
      "learner.gradient_booster.name: expected gbtree or dart: the linear"
    ),
    ("\"size_leaf_vector\": \"1\"", "\"size_leaf_vector\": \"3\"", "multi_strategy=multi_output_tree"),
    ("binary:logistic", "binary:hinge", "not binary:hinge"), ("[5E-1]", "[1E0]", "the objective can predict"),
    ("[5E-1]", "[x]", "base_score"), ("[5E-1]", "[5E-1,5E-1]", "one for each of the 1 outputs"),
    ("\"num_feature\": \"2\",", "\"num_feature\": \"0\",", "num_feature: expected 1 to 4096 features"),
    ("\"tree_info\": [0]", "\"tree_info\": [1]", "tree_info: expected classes below 1, not 1"),
    ("\"tree_info\": [0]", "\"tree_info\": []", "the class of each of the 1 trees"),
    ("[1, -1, 3, -1, -1]", "[1, -1, 0, -1, -1]", "trees[0]: expected one tree"),
    ("[1, -1, 3, -1, -1]", "[1, -1, 9, -1, -1]", "trees[0]: expected one tree"),
    ("[1, -1, 3, -1, -1]", "[1, -1, -7, -1, -1]", "trees[0]: expected one tree"),
    ("[0, 0, 1, 0, 0], \"split_type\"", "[2, 0, 1, 0, 0], \"split_type\"", "a feature below 2 in node 0, not 2"),
    ("\"split_type\": [0,", "\"split_type\": [2,", "split_type 0 or 1 in node 0, not 2"),
    ("[0, 33]", "[0, 16777216]", "categories from 0 to 16777215 in node 2"),
    ("\"categories_sizes\": [2]", "\"categories_sizes\": [3]", "categories of node 2 within the 2"),
    ("\"categories_nodes\": [2]", "\"categories_nodes\": [1]", "the categories of node 2"),
    ("[0.1, 0.25", "[0.1, NaN", "split_conditions[1]: expected a number, not NaN"),
    ("[0.1, 0.25", "[0.1, 1e39", "a finite value of leaf 1"), ("[0.1, 0.25", "[0.25", "5 elements, not 4"),
    ("[\"a\", \"b\"]", "[\"a\", \"a\"]", "2 different names"), ("\"learner\":", "\"learned\":", "the member learner"),
    ("\"version\": [3, 2, 0]}", "\"version\": [3, 2, 0]", "byte 1400"),
  ])
  func `what is not supported is refused in one line that says where`(old: String, new: String, words: String) {
    let error = #expect(throws: ImportError.self, "\(new)") { try Self.model([(old, new)]) }
    let line = error?.description ?? ""
    #expect(line.hasPrefix("m.json: ") && !line.contains("\n"), "\(line)")
    #expect(line.contains(words.hasPrefix("byte") ? "byte" : words), "\(line)")
  }

  @Test func `trees whose leaves hold a value an output are refused as such, not by their classes`() {
    let error = #expect(throws: ImportError.self) {
      try Self.model([
        ("\"size_leaf_vector\": \"1\"", "\"size_leaf_vector\": \"2\""),
        ("\"num_target\": \"1\"", "\"num_target\": \"2\""),
      ])
    }
    #expect(error?.description.contains("multi_strategy=multi_output_tree is not supported") == true, "\(error as Any)")
  }

  @Test func `large category codes cannot take memory without bound`() {
    // 33 nodes of a code near 2^24: 2 MiB of set each.
    let nodes = 33
    func list(_ element: (Int) -> String) -> String { "[\((0..<2 * nodes + 1).map(element).joined(separator: ","))]" }
    let tree = """
      {"left_children": \(list { $0 < nodes ? "\(2 * $0 + 1)" : "-1" }),
      "right_children": \(list { $0 < nodes ? "\(2 * $0 + 2)" : "-1" }), "split_indices": \(list { _ in "0" }),
      "split_conditions": \(list { _ in "0" }), "default_left": \(list { _ in "0" }), "split_type": \(list { _ in "1" }),
      "categories": [\((0..<nodes).map { "\(16_777_215 - $0)" }.joined(separator: ","))],
      "categories_nodes": [\((0..<nodes).map { "\($0)" }.joined(separator: ","))],
      "categories_segments": [\((0..<nodes).map { "\($0)" }.joined(separator: ","))],
      "categories_sizes": [\((0..<nodes).map { _ in "1" }.joined(separator: ","))]}
      """
    let text = SmallModels.xgboost()
    let start = text.firstRange(of: "[{\"base_weights\"")!.lowerBound
    let end = text.firstRange(of: "},\n\"name\": \"gbtree\"")!.lowerBound
    let whole = text[..<start] + "[" + tree + "]" + text[end...]
    let error = #expect(throws: ImportError.self) { try XGBoostForest.model(Array(whole.utf8), name: "m") }
    #expect(error?.description.contains("smaller category codes") == true, "\(error?.description ?? "")")
  }

  @Test(arguments: ["binf\u{0}\u{0}\u{0}\u{3F}", "bs64", "\u{0}\u{0}\u{0}\u{3F}"])
  func `the older binary format is refused with the way out`(start: String) {
    let error = #expect(throws: ImportError.self) { try XGBoostForest.model(Array(start.utf8), name: "m.model") }
    #expect(error?.description.contains("save_model() as .ubj") == true)
  }

  @Test func `every truncated document of either spelling is refused`() throws {
    let json = Array(SmallModels.xgboost().utf8)
    let ubj = try SmallModels.ubj(SmallModels.xgboost())
    for bytes in [json, ubj] {
      #expect(throws: Never.self) { try XGBoostForest.model(bytes, name: "t") }
      for count in 0..<bytes.count {
        #expect(throws: ImportError.self, "\(count) bytes") {
          try XGBoostForest.model(Array(bytes[..<count]), name: "t")
        }
      }
    }
  }
}
