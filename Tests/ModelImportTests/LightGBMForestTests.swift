import ModelImport
import ModelInference
import Testing

// Goal: each rule of LightGBM's text format is kept, and what is not supported is refused. Method: a model of one split
// with one thing changed at a time; the whole is compared with the package in ParityTests.
struct LightGBMForestTests {
  private static func forest(_ text: String) throws -> DecisionForest {
    try #require(try LightGBMForest.model(Array(text.utf8), name: "m.txt").forest)
  }

  @Test(arguments: [
    // Of 0.1 the nearest single is above, so the one beneath must be taken.
    ("0.1", Float(0.1).nextDown), ("0.5", 0.5), ("inf", .infinity), ("-inf", -.infinity),
    ("1e300", .greatestFiniteMagnitude), ("-1e300", -.infinity), ("-0.1", Float(-0.1)),
    // Values up to 1e-35 are 0 for LightGBM: thresholds among them move to the border.
    ("0", 1e-35), ("1e-36", 1e-35), ("1.0000000180025095e-35", 1e-35), ("-1e-36", Float(-1e-35).nextDown),
    ("-1.0000000180025095e-35", Float(-1e-35).nextDown), ("-1e-300", Float(-1e-35).nextDown), ("1e-300", 1e-35),
    ("1.1e-35", ForestBuilder.roundedDown(1.1e-35)), ("-1.1e-35", ForestBuilder.roundedDown(-1.1e-35)),
  ])
  func `a threshold becomes the largest single below it, and none stands within 1e-35 of zero`(
    text: String, expected: Float
  ) throws {
    let forest = try Self.forest(SmallModels.lightGBM(threshold: text))
    #expect(forest.columns == [.init(feature: 1, sight: .thresholds([expected], missing: .never))])
    if let double = Double(text), abs(double) > 2e-35, expected.isFinite {
      #expect(Double(expected) <= double && Double(expected.nextUp) > double)
    }
  }

  // Missing type none ignores the default side and compares 0.
  @Test(arguments: [
    ("2", "0.5", true, true), ("0", "0.5", true, true), ("2", "-0.5", false, false), ("0", "-0.5", false, false),
    ("8", "0.5", false, true), ("10", "-0.5", true, false), ("4", "0.5", false, false), ("6", "-0.5", true, true),
  ])
  func `missing values and zeros go where LightGBM sends them`(
    type: String, threshold: String, nanGoesLeft: Bool, zeroGoesLeft: Bool
  ) throws {
    let forest = try Self.forest(SmallModels.lightGBM(threshold: threshold, type: type))
    #expect(forest.rawReference([0, .nan]) == [nanGoesLeft ? 0.25 : -0.75])
    for zero: Float in [0, -0.0, 1e-36, -1e-36, 1e-35, -1e-35] {
      #expect(forest.rawReference([0, zero]) == [zeroGoesLeft ? 0.25 : -0.75], "\(zero)")
    }
  }

  @Test func `leaves are taken as they are, and a single leaf is a tree`() throws {
    #expect(try Self.forest(SmallModels.lightGBM()).trees[0].leaves == [0.25, -0.75])
    let single = try Self.forest(SmallModels.lightGBM(leaves: 1))
    #expect(single.trees[0].nodes.isEmpty && single.rawReference([1, 2]) == [0.125])
  }

  private static let categorical = [
    ("num_cat=0", "num_cat=1\ncat_boundaries=0 2\ncat_threshold=5 2"), ("threshold=0.5", "threshold=0"),
    ("decision_type=2", "decision_type=1"),
  ]

  @Test(arguments: [
    (Float(0), true), (1, false), (2, true), (33, true), (34, false), (64, false), (1e9, false), (2.9, true),
    (-0.5, true), (-1, false), (.nan, false), (.infinity, false), (-.infinity, false), (1e-36, true),
  ])
  func `a category of the set goes left, all else goes right`(value: Float, goesLeft: Bool) throws {
    let forest = try Self.forest(SmallModels.lightGBM(Self.categorical))
    #expect(forest.columns == [.init(feature: 1, sight: .categories([[5, 2]], rule: .lightGBM))])
    #expect(forest.rawReference([0, value]) == [goesLeft ? 0.25 : -0.75])
  }

  @Test(arguments: [
    ("binary sigmoid:2", Link.logistic(scale: 2)), ("binary", .logistic(scale: 1)),
    ("cross_entropy", .logistic(scale: 1)), ("regression", .identity), ("regression_l1", .identity),
    ("huber", .identity), ("fair", .identity), ("quantile", .identity), ("mape", .identity), ("lambdarank", .identity),
    ("rank_xendcg", .identity), ("poisson", .exponential), ("gamma", .exponential), ("tweedie", .exponential),
  ])
  func `an objective names its link`(objective: String, link: Link) throws {
    let text = SmallModels.lightGBM([("binary sigmoid:1", objective)])
    #expect(try Self.forest(text).link == link)
  }

  @Test func `a model without an objective predicts its raw score and says so`() throws {
    let text = SmallModels.lightGBM([("objective=binary sigmoid:1\n", "")])
    let model = try LightGBMForest.model(Array(text.utf8), name: "m.txt")
    #expect(model.forest?.link == .identity && model.notes.count == 1)
  }

  @Test func `averaged trees divide by iterations and keep the sum as raw score`() throws {
    let forest = try Self.forest(SmallModels.lightGBM([("label_index=0", "label_index=0\naverage_output")]))
    #expect(forest.divisor == 1)
    let parity = try LightGBMForest.read(Parity.path("lightgbm-forest-multiclass.txt")).forest
    #expect(parity?.divisor == 3 && parity?.outputCount == 3 && parity?.trees.count == 9)
  }

  @Test func `lines may end as on another system`() throws {
    let text = SmallModels.lightGBM()
    #expect(try Self.forest(text.replacing("\n", with: "\r\n")) == Self.forest(text))
  }

  @Test func `the file tells version, names, its digest and what was passed over`() throws {
    let text = SmallModels.lightGBM() + "\npandas_categorical:[[\"a\", \"b\"]]\n"
    let model = try LightGBMForest.model(Array(text.utf8), name: "m.txt")
    #expect(model.sourceVersion == "v4" && model.featureNames == ["first", "second"])
    #expect(model.sourceSHA256.count == 64 && model.notes.count == 1 && model.notes[0].contains("pandas_categorical"))
    #expect(try LightGBMForest.read(Parity.path("lightgbm-v3.txt")).sourceVersion == "v3")
    let pandas = try LightGBMForest.read(Parity.path("lightgbm-pandas.txt"))
    #expect(pandas.notes.contains { $0.contains("pandas_categorical") })
  }

  @Test func `more than 255 thresholds of a feature take more columns`() throws {
    let forest = try #require(LightGBMForest.read(Parity.path("lightgbm-many-thresholds.txt")).forest)
    #expect(forest.columnsOfFeature[0]! >= 2, "one column holds 255 thresholds")
    let rules = try #require(LightGBMForest.read(Parity.path("nan.txt")).forest)
    #expect(rules.missingRules.count == 2, "a feature seen by two rules for missing values")
  }

  @Test(arguments: [
    ("num_cat=0", "num_cat=1", "tree 0: expected 2 numbers of cat_boundaries"),
    ("is_linear=0", "is_linear=1", "tree 0: expected constant leaves"),
    ("num_tree_per_iteration=1", "num_tree_per_iteration=3", "end of trees: expected trees, 3 an iteration"),
    ("objective=binary sigmoid:1", "objective=regression sqrt", "reg_sqrt"),
    ("objective=binary sigmoid:1", "objective=cross_entropy_lambda", "not cross_entropy_lambda"),
    ("sigmoid:1", "sigmoid:-1", "objective: expected a positive sigmoid"),
    ("objective=binary sigmoid:1", "objective=multiclass num_class:3", "num_class:1"),
    ("version=v4", "version=v2", "header: expected version=v3 or version=v4, not v2"),
    ("feature_names=first second", "feature_names=first first", "2 different names"),
    ("max_feature_idx=1", "max_feature_idx=2", "3 different names"),
    ("max_feature_idx=1", "max_feature_idx=x", "max_feature_idx from 0 to 4095"),
    ("threshold=0.5", "threshold=x", "tree 0: expected numbers of threshold, not x"),
    ("threshold=0.5", "threshold=nan", "tree 0: expected a number as threshold of node 0"),
    ("leaf_value=0.25 -0.75", "leaf_value=0.25", "2 numbers of leaf_value, not 1"),
    ("leaf_value=0.25 -0.75", "leaf_value=0.25 nan", "a finite value of leaf 1"),
    ("split_feature=1", "split_feature=2", "a feature of the header in node 0, not 2"),
    ("decision_type=2", "decision_type=1", "the number of one of 0 sets of categories in node 0"),
    ("decision_type=2", "decision_type=12", "a known decision_type in node 0, not 12"),
    ("left_child=-1", "left_child=0", "tree 0 with sound children"),
    ("left_child=-1", "left_child=-2", "tree 0 with sound leaves"),
    ("left_child=-1", "left_child=-2147483648", "tree 0 with sound leaves"),
    ("shrinkage=0.1", "num_leaves=2", ": expected num_leaves once"), ("Tree=0", "Tree=1", "expected Tree=0"),
    ("tree_sizes=", "tree_sizes=9", "tree 0: expected as many bytes as tree_sizes tells"),
    ("tree\nversion", "forest\nversion", "line 1: expected the word tree"),
  ])
  func `what is not supported is refused in one line that says where`(old: String, new: String, words: String) {
    let text = SmallModels.lightGBM([(old, new)])
    let error = #expect(throws: ImportError.self, "\(new)") {
      try LightGBMForest.model(Array(text.utf8), name: "m.txt")
    }
    let line = error?.description ?? ""
    #expect(line.hasPrefix("m.txt: ") && line.contains(words) && !line.contains("\n"), "\(line)")
  }

  @Test func `a JSON dump is refused with the way to a text`() {
    let error = #expect(throws: ImportError.self) {
      try LightGBMForest.model(Array("{\"name\":\"tree\"}".utf8), name: "m.json")
    }
    #expect(error?.description.contains("save_model()") == true)
  }

  @Test func `every truncated text is refused`() {
    let text = Array(SmallModels.lightGBM(Self.categorical).utf8)
    #expect(throws: Never.self) { try LightGBMForest.model(text, name: "t") }
    for count in 0..<(text.count - 1) {
      #expect(throws: ImportError.self, "\(count) bytes") { try LightGBMForest.model(Array(text[..<count]), name: "t") }
    }
  }
}
