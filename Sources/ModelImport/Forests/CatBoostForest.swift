internal import ModelInference

/// Reads CatBoost's JSON models (`save_model(…, format="json")`) over numerical features.
///
/// A value above a border sets a bit; bit k of the leaf's number belongs to the k-th split of an oblivious tree. Such a
/// tree becomes a perfect one that asks its last split first, so that leaves stand in the order of their numbers, and a
/// forest for each class where leaves hold one value a class. Trees of the other growing policies (Depthwise,
/// Lossguide) are read as they are. Raw scores equal CatBoost's bit for bit where it adds up one row at a time
/// (1e-12 relative is promised). Splits on categories, texts and embeddings are refused with the feature's name.
///
/// - Source: CatBoost 1.2.10, `catboost/libs/model/model_export/json_model_helpers.cpp`; borders, bits and the order of
///   the sum by comparison with the package.
public struct CatBoostForest {
  /// The model at `path`.
  public static func read(_ path: String) throws(ImportError) -> ImportedModel {
    try model(ImportError.bytes(path), name: path)
  }

  /// The model that bytes hold.
  ///
  /// - Parameter name: what errors call it.
  /// - Throws: `ImportError` with the byte, or the place in the document.
  public static func model(_ bytes: [UInt8], name: String) throws(ImportError) -> ImportedModel {
    try model(bytes, document: nil, name: name)
  }

  /// The same, of bytes that were parsed before.
  static func model(
    _ bytes: [UInt8], document: DocumentValue?, name: String
  ) throws(ImportError) -> ImportedModel {
    guard !bytes.starts(with: Array("CBM1".utf8)) else {
      throw ImportError(
        file: name, place: "byte 0",
        expected: "CatBoost's JSON, not its binary format: save it with save_model(path, format=\"json\")")
    }
    let root: DocumentValue
    if let document { root = document } else { root = try DocumentValue.read(bytes, name: name) }
    var forest = try CatBoostForest(root: DocumentPlace(root: root, file: name))
    var model = try forest.model()
    model.sourceSHA256 = ImportedModel.digest(of: bytes)
    return model
  }

  /// A numerical feature: its place in the row, and the side of a missing value.
  private struct Feature {
    var flat: Int
    var missingGoesRight: Bool
  }

  private let root: DocumentPlace
  private let names: [String]
  private let features: [Int: Feature]
  private var notes: [String] = []

  private init(root: DocumentPlace) throws(ImportError) {
    self.root = root
    let info = try root.member("features_info")
    var features: [Int: Feature] = [:]
    var names: [Int: String] = [:]
    for kind in ["float_features", "categorical_features", "text_features", "embedding_features"] {
      for place in try info.optional(kind)?.elements() ?? [] {
        let flat = try place.member("flat_feature_index").integer()
        guard (0..<DecisionForest.featureCountMax).contains(flat), names[flat] == nil else {
          throw place.refused("a flat_feature_index of its own below \(DecisionForest.featureCountMax)")
        }
        let name = try place.optional("feature_id")?.text() ?? ""
        names[flat] = name
        if kind == "float_features" {
          let treatment = try place.optional("nan_value_treatment")?.text() ?? "AsIs"
          guard ["AsIs", "AsFalse", "AsTrue"].contains(treatment) else {
            throw try place.member("nan_value_treatment").refused("AsIs, AsFalse or AsTrue")
          }
          // As it is, a NaN is above no border.
          let index = try place.member("feature_index").integer()
          features[index] = Feature(flat: flat, missingGoesRight: treatment == "AsTrue")
        }
      }
    }
    guard let last = names.keys.max() else { throw info.refused("float_features") }
    self.names = (0...last).map { names[$0] ?? "" }
    self.features = features
  }

  private mutating func model() throws(ImportError) -> ImportedModel {
    let trees: [ForestBuilder.Tree]
    let outputs: Int
    if let list = try root.optional("oblivious_trees") {
      (trees, outputs) = try Self.interleaved(list) { (place) throws(ImportError) in try oblivious(place) }
    } else {
      (trees, outputs) = try Self.interleaved(root.member("trees")) { (place) throws(ImportError) in try grown(place) }
    }
    var forest = ForestBuilder.forest(
      featureCount: names.count, trees: trees, outputCount: outputs, accumulation: .double,
      link: try link(outputs: outputs))
    let formula = try root.member("scale_and_bias")
    let parts = try formula.elements()
    guard parts.count == 2 else { throw formula.refused("a scale and a bias") }
    forest.scale = try parts[0].double()
    if case .list = parts[1].value {
      forest.bias = try parts[1].doubles()
    } else {
      forest.bias = [try parts[1].double()]
    }
    if forest.bias.count == 1, outputs > 1, forest.bias[0] == 0 {
      forest.bias = [Double](repeating: 0, count: outputs)
    }
    guard forest.bias.count == outputs else { throw formula.refused("a bias for each of the \(outputs) outputs") }
    if let fault = forest.fault { throw root.refused(fault) }

    var featureNames = names
    if names.contains("") {
      featureNames = names.enumerated().map { $1.isEmpty ? "f\($0)" : $1 }
      notes.append("features without a name are f and their column")
    }
    guard Set(featureNames).count == featureNames.count else {
      throw try root.member("features_info").refused("a name of its own for each feature")
    }
    return ImportedModel(
      kind: .catboost, featureNames: featureNames, outputNames: try classNames(outputs), model: .forest(forest),
      sourceSHA256: "", sourceVersion: try version(), notes: notes)
  }

  /// One tree an output, in the order of the file.
  private static func interleaved(
    _ place: DocumentPlace, _ read: (DocumentPlace) throws(ImportError) -> [ForestBuilder.Tree]
  ) throws(ImportError) -> (trees: [ForestBuilder.Tree], outputs: Int) {
    var all: [ForestBuilder.Tree] = []
    var outputs = 0
    for each in try place.elements() {
      let trees = try read(each)
      if outputs == 0 { outputs = trees.count }
      guard trees.count == outputs, outputs <= DecisionForest.outputCountMax else {
        throw each.refused("leaves of \(max(1, outputs)) values, at most \(DecisionForest.outputCountMax)")
      }
      guard all.count + outputs <= DecisionForest.treeCountMax else {
        throw each.refused("at most \(DecisionForest.treeCountMax) trees times outputs")
      }
      all += trees
    }
    guard outputs > 0 else { throw place.refused("a tree") }
    return (all, outputs)
  }

  private func question(_ split: DocumentPlace) throws(ImportError) -> (feature: Feature, test: ForestBuilder.Test) {
    let type = try split.optional("split_type")?.text() ?? "FloatFeature"
    guard type == "FloatFeature" else {
      throw split.refused("a split on a numerical feature: \(try other(split, type))")
    }
    let index = try split.member("float_feature_index").integer()
    guard let feature = features[index] else { throw split.refused("a feature of float_features, not \(index)") }
    // Borders are singles, written with the digits of a double.
    let border = try split.member("border").single()
    guard border.isFinite else { throw split.refused("a border in single precision") }
    return (feature, .threshold(border, missing: .nan))
  }

  /// What another split asks, for the refusal.
  private func other(_ split: DocumentPlace, _ type: String) throws(ImportError) -> String {
    guard let index = try split.optional("cat_feature_index")?.integer() else { return "\(type.prefix(40)) is none" }
    for place in try root.member("features_info").optional("categorical_features")?.elements() ?? [] {
      let flat = try place.member("flat_feature_index").integer()
      if try place.optional("feature_index")?.integer() == index, names.indices.contains(flat) {
        return "\(type.prefix(40)) on the category \(names[flat].isEmpty ? "in column \(flat)" : names[flat])"
      }
    }
    return "\(type.prefix(40)) on category \(index)"
  }

  /// A perfect tree for each class, the last split at the root.
  private func oblivious(_ place: DocumentPlace) throws(ImportError) -> [ForestBuilder.Tree] {
    var splits: [(feature: Feature, test: ForestBuilder.Test)] = []
    for split in try place.optional("splits")?.elements() ?? [] {
      splits.append(try question(split))
      guard splits.count <= 15 else { throw place.refused("at most 15 splits") }
    }
    let values = try place.member("leaf_values").doubles()
    let leafCount = 1 << splits.count
    guard !values.isEmpty, values.count % leafCount == 0 else {
      throw try place.member("leaf_values").refused("\(leafCount) leaves of equal size, not \(values.count) values")
    }
    var nodes: [ForestBuilder.Node] = []
    nodes.reserveCapacity(leafCount - 1)
    for (level, (feature, test)) in splits.reversed().enumerated() {
      for place in (1 << level) - 1..<(2 << level) - 1 {
        let isLast = level == splits.count - 1
        let child = 2 * place + 1
        // Below the last level stand the leaves, numbered from 0.
        let left = isLast ? ~(child - (leafCount - 1)) : child
        let right = isLast ? ~(child + 1 - (leafCount - 1)) : child + 1
        nodes.append(
          .init(
            feature: feature.flat, test: test, missingGoesRight: feature.missingGoesRight, left: left, right: right))
      }
    }
    let outputs = values.count / leafCount
    return (0..<outputs).map { output in
      ForestBuilder.Tree(nodes: nodes, leaves: (0..<leafCount).map { values[$0 * outputs + output] })
    }
  }

  /// A tree of another growing policy, as nested objects: `{"split", "left", "right"}`, a leaf `{"value", "weight"}`.
  private func grown(_ place: DocumentPlace) throws(ImportError) -> [ForestBuilder.Tree] {
    var nodes: [ForestBuilder.Node] = []
    var leaves: [[Double]] = []
    // Level by level, as CatBoost numbers nodes; the links are set once the child has its place.
    var queue: [(place: DocumentPlace, parent: Int, isRight: Bool)] = [(place, -1, false)]
    var head = 0
    while head < queue.count {
      let (each, parent, isRight) = queue[head]
      head += 1
      let code: Int
      if let split = try each.optional("split") {
        let (feature, test) = try question(split)
        code = nodes.count
        nodes.append(
          .init(feature: feature.flat, test: test, missingGoesRight: feature.missingGoesRight, left: 0, right: 0))
        queue.append((try each.member("left"), code, false))
        queue.append((try each.member("right"), code, true))
      } else {
        let value = try each.member("value")
        code = ~leaves.count
        if case .list = value.value { leaves.append(try value.doubles()) } else { leaves.append([try value.double()]) }
        guard leaves.count <= DecisionForest.leafCountMax else {
          throw place.refused("at most \(DecisionForest.leafCountMax) leaves")
        }
      }
      if parent >= 0 {
        if isRight { nodes[parent].right = code } else { nodes[parent].left = code }
      }
    }
    guard let outputs = leaves.first?.count, outputs > 0, leaves.allSatisfy({ $0.count == outputs }) else {
      throw place.refused("leaves of equal size")
    }
    let numbers = Self.leafNumbers(nodes, count: leaves.count)
    return (0..<outputs).map { output in
      ForestBuilder.Tree(nodes: nodes, leaves: leaves.map { $0[output] }, leafNumbers: numbers)
    }
  }

  /// CatBoost's own numbers of leaves: in depth, left before right, but a child that is a leaf before one that is not.
  private static func leafNumbers(_ nodes: [ForestBuilder.Node], count: Int) -> [UInt32] {
    var numbers = [UInt32](repeating: 0, count: count)
    var next: UInt32 = 0
    var waiting = nodes.isEmpty ? [] : [0]
    while let place = waiting.popLast() {
      let children = [nodes[place].left, nodes[place].right]
      for child in children where child < 0 {
        numbers[~child] = next
        next += 1
      }
      waiting += children.reversed().filter { $0 >= 0 }
    }
    return numbers
  }

  // MARK: - What the model is for

  private mutating func link(outputs: Int) throws(ImportError) -> Link {
    var parameters = try root.optional("model_info")?.optional("params")
    if case .text(let text)? = parameters?.value {
      // Older versions write their options as a text that holds JSON.
      var reader = JSONReader(Array(text.utf8), name: root.file)
      let options = try? reader.document()
      parameters = options.map { DocumentPlace(root: $0, file: root.file) }
    }
    guard let loss = try parameters?.optional("loss_function")?.optional("type") else {
      notes.append("no loss function in the file: predictions are raw scores")
      return .identity
    }
    switch try loss.text() {
    case "Logloss", "CrossEntropy", "MultiClassOneVsAll", "MultiLogloss", "MultiCrossEntropy", "Focal":
      return .logistic(scale: 1)
    case "MultiClass": return .softmax
    case "Poisson", "Tweedie": return .exponential
    case "RMSE", "MAE", "Quantile", "MAPE", "Lq", "Huber", "Expectile", "MultiRMSE", "MultiQuantile", "QueryRMSE",
      "QuerySoftMax", "PairLogit", "PairLogitPairwise", "YetiRank",
      "YetiRankPairwise", "StochasticRank", "LambdaMart", "StochasticFilter":
      return .identity
    case let other:
      throw loss.refused(
        "Logloss, CrossEntropy, MultiClass, MultiClassOneVsAll, RMSE, Poisson or another known loss, not "
          + "\(other.prefix(40))")
    }
  }

  /// Names of the outputs of a classifier: one a class, or that of the second class for a single output.
  private func classNames(_ outputs: Int) throws(ImportError) -> [String] {
    guard let names = try root.optional("model_info")?.optional("class_params")?.optional("class_names") else {
      return []
    }
    var texts: [String] = []
    for name in try names.elements() {
      switch name.value {
      case .text(let text): texts.append(text)
      case .integer(let number): texts.append("\(number)")
      case .boolean(let flag): texts.append("\(flag)")
      case .real(let number, _): texts.append("\(number)")
      default: return []
      }
    }
    if outputs == 1, texts.count == 2 { return [texts[1]] }
    return texts.count == outputs ? texts : []
  }

  /// The tag of the build, as `catboost_version_info` has it.
  private func version() throws(ImportError) -> String? {
    let info = try root.optional("model_info")?.optional("catboost_version_info")?.text() ?? ""
    guard let tag = info.split(separator: "\n").first(where: { $0.contains("Branch: tags/v") }) else { return nil }
    return String(tag.split(separator: "/").last?.dropFirst() ?? "")
  }
}
