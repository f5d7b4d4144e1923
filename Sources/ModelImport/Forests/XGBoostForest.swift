internal import ModelInference
internal import TradingTypes

/// Reads XGBoost's JSON and UBJ models (1.7 to 3.x) as `Booster.save_model` writes them; both give the same forest.
///
/// Decisions and leaf numbers equal XGBoost's, and so do raw scores (`output_margin=True`): `x < t` becomes
/// `x <= nextDown(t)`, the sum is in single precision, starts from the margin of `base_score` and runs in tree order; a
/// dart tree's leaves are multiplied by its weight first, as XGBoost does.
///
/// **Early stopping.** `Booster.predict` uses all trees of the file, the scikit-learn classes those up to
/// `best_iteration`. A file that a scikit-learn class wrote says so, and is read as that class predicts; `rounds`
/// overrides it, and `notes` tells what was done.
///
/// - Source: XGBoost 3.2, `doc/model.schema`, `src/tree/tree_model.cc`, `src/common/categorical.h`; the link of each
///   objective and the order of the sum by comparison with the package.
public struct XGBoostForest {
  /// Which boosting rounds of an early-stopped model count.
  public enum Rounds: Hashable, Sendable {
    /// As the class predicts that wrote the file.
    case asSaved
    /// All of the file.
    case all
    /// Up to the best iteration, that one included; all where the file names none.
    case best
  }

  /// The model at `path`.
  public static func read(_ path: String, rounds: Rounds = .asSaved) throws(ImportError) -> ImportedModel {
    try model(ImportError.bytes(path), name: path, rounds: rounds)
  }

  /// The model that bytes hold.
  ///
  /// - Parameter name: what errors call it.
  /// - Throws: `ImportError` with the byte, or the place in the document.
  public static func model(
    _ bytes: [UInt8], name: String, rounds: Rounds = .asSaved
  ) throws(ImportError) -> ImportedModel {
    try model(bytes, document: nil, name: name, rounds: rounds)
  }

  /// The same, of bytes that were parsed before.
  static func model(
    _ bytes: [UInt8], document: DocumentValue?, name: String, rounds: Rounds
  ) throws(ImportError) -> ImportedModel {
    if bytes.starts(with: Array("binf".utf8)) || bytes.starts(with: Array("bs64".utf8)) || bytes.first != 0x7B {
      throw ImportError(
        file: name, place: "byte 0",
        expected: "XGBoost's JSON or UBJ, not its older binary format: load it with XGBoost and save_model() as .ubj")
    }
    let root: DocumentValue
    if let document { root = document } else { root = try DocumentValue.read(bytes, name: name) }
    var reader = XGBoostForest(root: DocumentPlace(root: root, file: name))
    var model = try reader.model(rounds: rounds)
    model.sourceSHA256 = ImportedModel.digest(of: bytes)
    return model
  }

  private let root: DocumentPlace
  private var notes: [String] = []

  private init(root: DocumentPlace) { self.root = root }

  private mutating func model(rounds: Rounds) throws(ImportError) -> ImportedModel {
    let learner = try root.member("learner")
    let parameters = try learner.member("learner_model_param")
    let featureCount = try parameters.member("num_feature").integer()
    guard (1...DecisionForest.featureCountMax).contains(featureCount) else {
      throw try parameters.member("num_feature").refused("1 to \(DecisionForest.featureCountMax) features")
    }
    let classes = try parameters.optional("num_class")?.integer() ?? 0
    let targets = try parameters.optional("num_target")?.integer() ?? 1
    let outputs = max(1, classes, targets)
    guard outputs <= DecisionForest.outputCountMax, classes <= 1 || targets <= 1 else {
      throw parameters.refused("at most \(DecisionForest.outputCountMax) classes or targets, not both")
    }

    let (booster, weights) = try trees(learner)
    // Before their classes are counted: such trees have none.
    for tree in try booster.member("trees").elements().prefix(1) { try XGBoostTree.checkLeafSize(tree) }
    let order = try treeOrder(booster, outputs: outputs, learner: learner, rounds: rounds)
    for encoding in try booster.optional("cats")?.optional("enc")?.elements() ?? [] {
      guard case .table = encoding.value, let offsets = try encoding.optional("offsets"),
        try !offsets.elements().isEmpty
      else { continue }
      notes.append("the data frame's own categories passed over: a category is given as its place in their list")
      break
    }
    let list = try booster.member("trees").elements()
    var sets = XGBoostTree.SetBudget()
    var sources: [ForestBuilder.Tree] = []
    sources.reserveCapacity(order.count)
    for number in order {
      sources.append(
        try XGBoostTree(
          list[number], weight: weights.isEmpty ? nil : weights[number], featureCount: featureCount, sets: &sets
        ).tree)
    }

    let objective = try XGBoostObjective(learner, outputs: outputs)
    if let note = objective.note { notes.append(note) }
    var forest = ForestBuilder.forest(
      featureCount: featureCount, trees: sources, outputCount: outputs, accumulation: .single, link: objective.link)
    forest.start = try objective.margins(parameters.member("base_score"), outputs: outputs)
    if let fault = forest.fault { throw root.refused(fault) }
    return ImportedModel(
      kind: .xgboost, featureNames: try featureNames(learner, featureCount), model: .forest(forest), sourceSHA256: "",
      sourceVersion: try root.optional("version")?.integers().map(String.init).joined(separator: "."), notes: notes)
  }

  /// The trees' own table, and the weight of each tree where there are any (dart).
  private func trees(_ learner: DocumentPlace) throws(ImportError) -> (booster: DocumentPlace, weights: [Float]) {
    let booster = try learner.member("gradient_booster")
    let name = try booster.member("name")
    switch try name.text() {
    case "gbtree": return (try booster.member("model"), [])
    case "dart":
      let model = try booster.member("gbtree").member("model")
      let weights = try booster.member("weight_drop").singles()
      let count = try model.member("trees").elements().count
      guard weights.count == count else {
        throw try booster.member("weight_drop").refused("a weight for each of the \(count) trees")
      }
      return (model, weights)
    case "gblinear": throw name.refused("gbtree or dart: the linear booster gblinear is not a forest")
    case let other: throw name.refused("gbtree or dart, not \(other.prefix(40))")
    }
  }

  /// The trees that count, reordered so that tree `t` belongs to output `t % outputs`.
  ///
  /// Each output keeps its own order, which is the order of its sum; XGBoost puts the parallel trees of a class beside
  /// each other, which changes nothing but the numbering.
  private mutating func treeOrder(
    _ booster: DocumentPlace, outputs: Int, learner: DocumentPlace, rounds: Rounds
  ) throws(ImportError) -> [Int] {
    let info = try booster.member("tree_info")
    let groups = try info.integers()
    let count = try booster.member("trees").elements().count
    guard groups.count == count, count > 0 else { throw info.refused("the class of each of the \(count) trees") }
    let kept = try treesKept(booster, count: count, outputs: outputs, learner: learner, rounds: rounds)
    var byOutput = [[Int]](repeating: [], count: outputs)
    for (tree, group) in groups.prefix(kept).enumerated() {
      guard byOutput.indices.contains(group) else { throw info.refused("classes below \(outputs), not \(group)") }
      byOutput[group].append(tree)
    }
    guard byOutput.allSatisfy({ $0.count == byOutput[0].count }), !byOutput[0].isEmpty else {
      throw info.refused("as many trees for each of the \(outputs) classes")
    }
    let order = byOutput[0].indices.flatMap { round in byOutput.map { $0[round] } }
    if order != Array(0..<kept) {
      notes.append("parallel trees of several classes: trees are renumbered, one class after the other")
    }
    return order
  }

  private mutating func treesKept(
    _ booster: DocumentPlace, count: Int, outputs: Int, learner: DocumentPlace, rounds: Rounds
  ) throws(ImportError) -> Int {
    guard let attributes = try learner.optional("attributes"), let best = try attributes.optional("best_iteration")
    else { return count }
    let iteration = try best.integer()
    let isScikit = try attributes.optional("scikit_learn") != nil
    guard rounds == .best || rounds == .asSaved && isScikit else {
      notes.append("best_iteration is \(iteration); all trees count, as Booster.predict does")
      return count
    }
    let parallel = try booster.member("gbtree_model_param").optional("num_parallel_tree")?.integer() ?? 1
    guard iteration >= 0, iteration < count, parallel >= 1, parallel <= count else {
      throw best.refused("an iteration of the file")
    }
    var kept = (iteration + 1) * outputs * parallel
    if let places = try booster.optional("iteration_indptr")?.integers(), iteration + 1 < places.count {
      kept = places[iteration + 1]
    }
    guard (1...count).contains(kept) else { throw best.refused("an iteration of the file") }
    if kept < count { notes.append("\(count - kept) trees after best_iteration \(iteration) are left out") }
    return kept
  }

  private mutating func featureNames(_ learner: DocumentPlace, _ count: Int) throws(ImportError) -> [String] {
    if let place = try learner.optional("feature_names") {
      var names: [String] = []
      for element in try place.elements() { names.append(try element.text()) }
      if !names.isEmpty {
        guard names.count == count, Set(names).count == count else { throw place.refused("\(count) different names") }
        return names
      }
    }
    notes.append("no feature names in the file: f0, f1, … in the order of the columns")
    return (0..<count).map { "f\($0)" }
  }
}

/// What an XGBoost objective makes of `base_score` and of raw scores.
struct XGBoostObjective {
  private enum Start { case identity, logit, logarithm }

  let link: Link
  private(set) var note: String?
  private let start: Start

  init(_ learner: DocumentPlace, outputs: Int) throws(ImportError) {
    let name = try learner.member("objective").member("name")
    switch try name.text() {
    case "binary:logistic", "reg:logistic": (link, start) = (.logistic(scale: 1), .logit)
    case "multi:softprob": (link, start) = (.softmax, .identity)
    case "multi:softmax":
      (link, start) = (.softmax, .identity)
      note = "multi:softmax predicts a class; here its probabilities are predicted"
    case "count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft":
      (link, start) = (.exponential, .logarithm)
    case "binary:logitraw", "reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror",
      "reg:absoluteerror", "reg:quantileerror", "reg:expectileerror", "rank:pairwise", "rank:ndcg", "rank:map":
      (link, start) = (.identity, .identity)
    case let other:
      throw name.refused(
        "binary:logistic, binary:logitraw, multi:softprob, multi:softmax, count:poisson, a reg:, rank: or survival: "
          + "objective, not \(other.prefix(40))")
    }
  }

  /// Where the sum of each output starts: `base_score`, one number or a bracketed list, through the inverse link.
  func margins(_ place: DocumentPlace, outputs: Int) throws(ImportError) -> [Double] {
    var texts: [Substring]
    switch place.value {
    case .text(let text):
      texts = text.drop { $0 == "[" }.split(separator: ",").map { $0.prefix { $0 != "]" } }
    case .real(_, let single): texts = ["\(single)"]
    case .integer(let number): texts = ["\(number)"]
    default: throw place.refused("a number or a list of numbers in a text")
    }
    if texts.count == 1 { texts = [Substring](repeating: texts[0], count: outputs) }
    guard texts.count == outputs else { throw place.refused("one number, or one for each of the \(outputs) outputs") }
    var margins: [Double] = []
    for text in texts {
      guard let base = Float(text.filter { $0 != " " }), base.isFinite, let margin = margin(base) else {
        throw place.refused(start == .identity ? "finite numbers" : "numbers that the objective can predict")
      }
      margins.append(Double(margin))
    }
    return margins
  }

  /// In the precision and order of the package: the quotient in single precision, the logarithm rounded to it.
  private func margin(_ base: Float) -> Float? {
    switch start {
    case .identity: return base
    case .logit: return base > 0 && base < 1 ? -Float(DeterministicMath.log(Double(1 / base - 1))) : nil
    case .logarithm: return base > 0 ? Float(DeterministicMath.log(Double(base))) : nil
    }
  }
}
