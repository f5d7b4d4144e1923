internal import ModelInference

/// Reads LightGBM's text models (versions 3 and 4) as `Booster.save_model` writes them.
///
/// Decisions equal LightGBM's on the same values in single precision, and so do raw scores, bit for bit: thresholds are
/// rounded down to the largest single that is not above them, leaf values are taken as they are (shrinkage and the
/// starting average are already in them), and the sum runs in tree order. Before it decides, LightGBM turns every
/// magnitude up to 1e-35 into 0; thresholds in that range move to its border, which is the same thing.
/// Linear leaves, JSON dumps and objectives without a `Link` are refused.
///
/// - Source: LightGBM 4.7, `src/io/tree.cpp`, `src/boosting/gbdt_model_text.cpp` and `include/LightGBM/tree.h` for the
///   meaning of the fields; the order of the sum by comparison with the package.
public struct LightGBMForest {
  private let name: String
  private let lines: LightGBMLines
  private var notes: [String] = []

  /// The model at `path`.
  public static func read(_ path: String) throws(ImportError) -> ImportedModel {
    try model(ImportError.bytes(path), name: path)
  }

  /// The model that bytes hold.
  ///
  /// - Parameter name: what errors call it.
  /// - Throws: `ImportError` with the line, or the tree and the node.
  public static func model(_ bytes: [UInt8], name: String) throws(ImportError) -> ImportedModel {
    if bytes.first == 0x7B {
      throw ImportError(
        file: name, place: "byte 0", expected: "LightGBM's text, not its JSON dump: save it with save_model()")
    }
    var reader = LightGBMForest(name: name, lines: LightGBMLines(bytes, name: name))
    return try reader.model(digest: ImportedModel.digest(of: bytes))
  }

  private init(name: String, lines: LightGBMLines) {
    self.name = name
    self.lines = lines
  }

  private func refused(_ place: String, _ expected: String) -> ImportError {
    ImportError(file: name, place: place, expected: expected)
  }

  private mutating func model(digest: String) throws(ImportError) -> ImportedModel {
    guard lines.count > 0, lines[0] == "tree" else { throw refused("line 1", "the word tree of a LightGBM text model") }
    let header = try lines.block(from: 1, place: "header")
    guard let version = header.fields["version"], ["v3", "v4"].contains(version) else {
      throw refused("header", "version=v3 or version=v4, not \(header.fields["version"]?.prefix(20) ?? "none")")
    }
    let names = try featureNames(header)
    let outputs = try header.integer("num_tree_per_iteration", in: 1...DecisionForest.outputCountMax)
    let trees = try trees(from: header.next, header: header, featureCount: names.count)
    guard !trees.isEmpty, trees.count % outputs == 0 else {
      throw refused("end of trees", "trees, \(outputs) an iteration, not \(trees.count)")
    }
    var forest = ForestBuilder.forest(
      featureCount: names.count, trees: trees, outputCount: outputs, accumulation: .double,
      link: try link(header, outputs: outputs))
    if header.fields["average_output"] != nil { forest.divisor = Double(trees.count / outputs) }
    if let fault = forest.fault { throw refused("model", fault) }
    return ImportedModel(
      kind: .lightgbm, featureNames: names, model: .forest(forest), sourceSHA256: digest, sourceVersion: version,
      notes: notes)
  }

  private func featureNames(_ header: LightGBMLines.Block) throws(ImportError) -> [String] {
    let names = header.words("feature_names")
    let last = try header.integer("max_feature_idx", in: 0...DecisionForest.featureCountMax - 1)
    guard names.count == last + 1, Set(names).count == names.count else {
      throw refused("header", "\(last + 1) different names in feature_names, not \(Set(names).count)")
    }
    return names
  }

  /// What the objective makes of a raw score.
  private mutating func link(_ header: LightGBMLines.Block, outputs: Int) throws(ImportError) -> Link {
    let words = header.words("objective")
    guard let objective = words.first else {
      notes.append("no objective in the file (a custom one): predictions are raw scores")
      return .identity
    }
    func parameter(_ key: String) -> String? {
      words.dropFirst().first { $0.hasPrefix("\(key):") }.map { String($0.dropFirst(key.utf8.count + 1)) }
    }
    func sigmoid() throws(ImportError) -> Double {
      guard let text = parameter("sigmoid") else { return 1 }
      guard let value = Double(text), value.isFinite, value > 0 else {
        throw refused("objective", "a positive sigmoid")
      }
      return value
    }
    switch objective {
    case "binary": return .logistic(scale: try sigmoid())
    case "cross_entropy": return .logistic(scale: 1)
    case "multiclass", "multiclassova":
      guard outputs > 1, parameter("num_class") == "\(outputs)" else {
        throw refused("objective", "num_class:\(outputs) as num_tree_per_iteration has it")
      }
      return objective == "multiclass" ? .softmax : .logistic(scale: try sigmoid())
    case "regression" where words.contains("sqrt"):
      throw refused("objective", "a regression without reg_sqrt: its square of the raw score is no known link")
    case "regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg":
      return .identity
    case "poisson", "gamma", "tweedie": return .exponential
    default:
      throw refused(
        "objective",
        "binary, cross_entropy, multiclass, multiclassova, a regression, poisson, gamma, tweedie, lambdarank or "
          + "rank_xendcg, not \(objective.prefix(40))")
    }
  }

  private mutating func trees(
    from start: Int, header: LightGBMLines.Block, featureCount: Int
  ) throws(ImportError) -> [ForestBuilder.Tree] {
    let sizes = header.words("tree_sizes").map { Int($0) }
    var trees: [ForestBuilder.Tree] = []
    var line = start
    while line < lines.count, lines.starts(line, with: "Tree=") {
      let number = trees.count
      guard lines[line] == "Tree=\(number)" else { throw refused("line \(line + 1)", "Tree=\(number)") }
      guard number < DecisionForest.treeCountMax else {
        throw refused("line \(line + 1)", "at most \(DecisionForest.treeCountMax) trees")
      }
      let block = try lines.block(from: line + 1, place: "tree \(number)")
      let size = lines.byteCount(line..<block.next)
      guard number < sizes.count, sizes[number] == size else {
        let listed = number < sizes.count ? sizes[number].map { "\($0)" } ?? "no number" : "none"
        throw refused("tree \(number)", "as many bytes as tree_sizes tells (\(listed)), not \(size)")
      }
      trees.append(try LightGBMTree(block, featureCount: featureCount).tree)
      line = block.next
    }
    guard line < lines.count, lines[line] == "end of trees" else { throw refused("line \(line + 1)", "end of trees") }
    guard trees.count == sizes.count else {
      throw refused("header", "tree_sizes of the \(trees.count) trees that follow, not \(sizes.count)")
    }
    for line in line..<lines.count where lines.starts(line, with: "pandas_categorical:") {
      if lines[line] != "pandas_categorical:null" && lines[line] != "pandas_categorical:[]" {
        notes.append("pandas_categorical passed over: a category is given as its place in that list")
      }
    }
    return trees
  }
}
