import ModelImport
import ModelInference
import Testing

// Goal: an imported forest answers as the library that trained it. Method: rows, scores, predictions and leaves that
// the libraries' own packages wrote (Fixtures/models/parity.py), half of the values on a threshold or one step beside
// it, others zero, denormal, near 1e-35, infinite or missing; compared with the plain walk that defines every kernel.
struct ParityTests {
  static let lightgbm = [
    "nan", "zero", "none", "lightgbm-missing", "lightgbm-zero-missing", "lightgbm-never-missing", "lightgbm-tiny",
    "lightgbm-sigmoid", "lightgbm-categorical", "lightgbm-pandas", "lightgbm-multiclass", "lightgbm-ova",
    "lightgbm-forest", "lightgbm-forest-multiclass", "lightgbm-single-leaf", "lightgbm-no-average", "lightgbm-dart",
    "lightgbm-regression", "lightgbm-poisson", "lightgbm-cross-entropy", "lightgbm-stopped",
    "lightgbm-many-thresholds", "lightgbm-v3",
  ]

  @Test(arguments: lightgbm)
  func `scores and leaves are LightGBM's own, bit for bit`(kind: String) throws {
    let model = try ModelImporter.read(path: Parity.path("\(kind).txt"))
    let forest = try #require(model.forest)
    let parity = try Parity(kind)
    #expect(model.kind == .lightgbm && model.featureNames == parity.names && parity.cases.count >= 100)
    for (number, each) in parity.cases.enumerated() {
      let raw = forest.rawReference(each.row)
      #expect(raw.map(\.bitPattern) == each.raw.map(\.bitPattern), "\(kind), row \(number)")
      #expect(forest.leafNumbers(each.row) == each.leaves, "\(kind), row \(number)")
      for (ours, theirs) in zip(forest.predictions(raw: raw), each.prediction) {
        #expect(abs(ours - theirs) <= 1e-14 + 1e-13 * abs(theirs), "\(kind), row \(number)")
      }
    }
  }

  static let xgboost: [(kind: String, spellings: [String])] = [
    ("xgboost-binary", ["json", "ubj"]), ("xgboost-base-score-scalar", ["json"]), ("xgboost-regression", ["json"]),
    ("xgboost-logitraw", ["json"]), ("xgboost-poisson", ["json"]), ("xgboost-multiclass", ["json", "ubj"]),
    ("xgboost-multiclass-parallel", ["json"]), ("xgboost-forest", ["json"]), ("xgboost-dart", ["json", "ubj"]),
    ("xgboost-lossguide", ["json"]), ("xgboost-pruned", ["json"]), ("xgboost-categorical", ["json", "ubj"]),
    ("xgboost-stopped", ["json", "ubj"]), ("xgboost-many-thresholds", ["ubj"]), ("xgboost-1.7", ["json", "ubj"]),
  ]

  @Test(arguments: xgboost)
  func `scores and leaves are XGBoost's own, bit for bit, from JSON and from UBJ`(
    kind: String, spellings: [String]
  ) throws {
    let models = try spellings.map { spelling in
      try ModelImporter.read(path: Parity.path("\(kind).\(spelling)"))
    }
    #expect(models.allSatisfy { $0.model == models[0].model && $0.featureNames == models[0].featureNames })
    let forest = try #require(models[0].forest)
    let parity = try Parity(kind)
    #expect(models[0].kind == .xgboost && models[0].featureNames == parity.names && parity.cases.count >= 100)
    for (number, each) in parity.cases.enumerated() {
      let raw = forest.rawReference(each.row)
      #expect(raw == each.raw, "\(kind), row \(number)")
      var leaves = forest.leafNumbers(each.row)
      if kind == "xgboost-multiclass-parallel" {
        // Of the file: an iteration of 6 trees, 2 for each of the 3 classes. Of the forest: class after class.
        leaves = leaves.indices.map { tree in leaves[tree / 6 * 6 + tree % 2 * 3 + tree % 6 / 2] }
      }
      #expect(leaves == each.leaves, "\(kind), row \(number)")
      for (ours, theirs) in zip(forest.predictions(raw: raw), each.prediction) {
        // Theirs is in single precision, and its logistic function is an approximation.
        #expect(abs(ours - theirs) <= 1e-7 + 1e-6 * abs(theirs), "\(kind), row \(number)")
      }
    }
  }

  static let catboost = [
    "catboost-missing-lowest", "catboost-missing-highest", "catboost-never-missing", "catboost-regression",
    "catboost-multiclass", "catboost-one-versus-all", "catboost-poisson", "catboost-lossguide", "catboost-depthwise",
  ]

  @Test(arguments: catboost)
  func `scores are CatBoost's own within 1e-12, and leaves are equal`(kind: String) throws {
    let model = try ModelImporter.read(path: Parity.path("\(kind).json"))
    let forest = try #require(model.forest)
    let parity = try Parity(kind)
    #expect(model.kind == .catboost && model.featureNames == parity.names && parity.cases.count >= 100)
    #expect(model.sourceVersion == "1.2.10")
    var isEqual = true
    for (number, each) in parity.cases.enumerated() {
      let raw = forest.rawReference(each.row)
      for (ours, theirs) in zip(raw, each.raw) {
        #expect(abs(ours - theirs) <= 1e-12 * abs(theirs), "\(kind), row \(number)")
        isEqual = isEqual && ours == theirs
      }
      // Every class has the tree; CatBoost counts it once.
      let leaves = forest.leafNumbers(each.row)
      #expect(
        stride(from: 0, to: leaves.count, by: forest.outputCount).map { leaves[$0] } == each.leaves,
        "\(kind), row \(number)")
      for (ours, theirs) in zip(forest.predictions(raw: raw), each.prediction) {
        #expect(abs(ours - theirs) <= 1e-14 + 1e-12 * abs(theirs), "\(kind), row \(number)")
      }
    }
    #expect(isEqual, "\(kind): more than promised, bit for bit")
  }
}
