internal import ModelImport
internal import ModelInference

/// Turns the flat lists of a TreeEnsemble node into a `DecisionForest` over single features.
struct ForestAssembly {
  let node: GraphNode
  let attributes: TreeAttributes
  let front: FeatureFront
  /// Which of the ensemble's outputs are kept, in order.
  let outputs: [Int]

  /// A branch asked of the feature itself: left where `value <= threshold`.
  private struct Question {
    var feature: Int
    var threshold: Float
    var missingGoesRight: Bool
    var left: Int
    var right: Int
  }

  private func question(_ branch: TreeAttributes.Branch, _ place: TreeAttributes.Place) throws(ImportError) -> Question
  {
    let words = "tree \(place.tree) node \(place.node)"
    guard front.columns.indices.contains(branch.feature) else {
      throw node.refused("\(words) to ask one of \(front.columns.count) features, not \(branch.feature)")
    }
    guard branch.value.isFinite else { throw node.refused("\(words) with a finite threshold") }
    let column = front.columns[branch.feature]
    guard let isReversed = column.isReversed else { throw node.refused("a scaler with finite scales that are not 0") }
    /// Whether the branch holds for a column's value; NaN never does by comparison.
    func holds(_ value: Float) -> Bool {
      switch branch.mode {
      case .lessOrEqual, .leaf: value <= branch.value
      case .less: value < branch.value
      case .greaterOrEqual: value >= branch.value
      case .greater: value > branch.value
      }
    }
    let isUpward = branch.mode == .greaterOrEqual || branch.mode == .greater
    // Small features make the branch hold, or the opposite.
    let holdsBelow = isUpward == isReversed
    guard let threshold = FeatureFront.Column.largest(where: { holds(column.value($0)) == holdsBelow }) else {
      throw node.refused("\(words) with a threshold that a feature can lie below")
    }
    let missingHolds = column.missing.map { holds(column.value($0)) } ?? branch.missingIsTrue
    return Question(
      feature: column.feature, threshold: threshold, missingGoesRight: missingHolds != holdsBelow,
      left: holdsBelow ? branch.whenTrue : branch.whenFalse, right: holdsBelow ? branch.whenFalse : branch.whenTrue)
  }

  private struct Flat {
    var questions: [Question] = []
    var left: [Int32] = []
    var right: [Int32] = []
    var leaves: [TreeAttributes.Place] = []
  }

  /// The tree in an order in which children follow their parents.
  private func flattened(_ tree: Int, root: Int) throws(ImportError) -> Flat {
    var flat = Flat()
    // Where a node has to be entered once it has a number: the parent and the side.
    var open: [(node: Int, parent: Int, isLeft: Bool)] = [(root, -1, true)]
    var seen: Set<Int> = []
    while let (number, parent, isLeft) = open.popLast() {
      let place = TreeAttributes.Place(tree: tree, node: number)
      guard let branch = attributes.branches[place], seen.insert(number).inserted else {
        throw node.refused("tree \(tree) to be a tree: node \(number) is missing or has two parents")
      }
      let reference: Int32
      if branch.mode == .leaf {
        reference = ~Int32(flat.leaves.count)
        flat.leaves.append(place)
      } else {
        let question = try question(branch, place)
        reference = Int32(flat.questions.count)
        flat.questions.append(question)
        flat.left.append(0)
        flat.right.append(0)
        open.append((question.right, Int(reference), false))
        open.append((question.left, Int(reference), true))
      }
      if parent >= 0 {
        if isLeft { flat.left[parent] = reference } else { flat.right[parent] = reference }
      }
      guard flat.leaves.count <= DecisionForest.leafCountMax else {
        throw node.refused("tree \(tree) with at most \(DecisionForest.leafCountMax) leaves")
      }
    }
    return flat
  }

  /// The forest, its link the identity and its bias 0.
  func forest() throws(ImportError) -> DecisionForest {
    guard attributes.trees.count * outputs.count <= DecisionForest.treeCountMax else {
      throw node.refused("at most \(DecisionForest.treeCountMax) trees")
    }
    var flats: [Flat] = []
    var leafCount = 0
    var thresholds: [Int: Set<Float>] = [:]
    for (tree, root) in attributes.trees {
      let flat = try flattened(tree, root: root)
      // -0 and 0 are one threshold.
      for question in flat.questions { thresholds[question.feature, default: []].insert(question.threshold + 0) }
      flats.append(flat)
      leafCount += flat.leaves.count * outputs.count
      guard leafCount <= Constant.countMax else {
        throw node.refused("at most \(Constant.countMax) leaves times outputs")
      }
    }
    var columns: [DecisionForest.Column] = []
    var first: [Int: Int] = [:]
    var sorted: [Int: [Float]] = [:]
    for feature in thresholds.keys.sorted() {
      let list = thresholds[feature, default: []].sorted()
      sorted[feature] = list
      first[feature] = columns.count
      for start in stride(from: 0, to: list.count, by: DecisionForest.thresholdCountMax) {
        let part = Array(list[start..<min(start + DecisionForest.thresholdCountMax, list.count)])
        columns.append(DecisionForest.Column(feature: feature, sight: .thresholds(part, missing: .nan)))
      }
    }
    var trees: [DecisionForest.Tree] = []
    for flat in flats {
      var nodes: [DecisionForest.Node] = []
      for (place, question) in flat.questions.enumerated() {
        let list = sorted[question.feature] ?? []
        let rank = lowerBound(list, question.threshold)
        let column = (first[question.feature] ?? 0) + rank / DecisionForest.thresholdCountMax
        guard column <= DecisionForest.columnCountMax else { throw node.refused("fewer thresholds") }
        nodes.append(
          DecisionForest.Node(
            column: UInt16(column), test: UInt16(rank % DecisionForest.thresholdCountMax),
            missingGoesRight: question.missingGoesRight, left: flat.left[place], right: flat.right[place]))
      }
      let numbers = flat.leaves.map { UInt32(truncatingIfNeeded: $0.node) }
      for output in outputs {
        let leaves = flat.leaves.map { place in
          // What one leaf adds to one output several times is one sum.
          Double((attributes.weights[place] ?? []).reduce(Float(0)) { $1.output == output ? $0 + $1.value : $0 })
        }
        trees.append(DecisionForest.Tree(nodes: nodes, leaves: leaves, leafNumbers: numbers))
      }
    }
    let features = 1 + (front.columns.map(\.feature).max() ?? 0)
    return DecisionForest(
      featureCount: features, columns: columns, trees: trees, outputCount: outputs.count, accumulation: .single,
      link: .identity)
  }

  private func lowerBound(_ list: [Float], _ value: Float) -> Int {
    var low = 0
    var high = list.count
    while low < high {
      let middle = (low + high) / 2
      if list[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension GraphReader {
  /// TreeEnsembleRegressor and TreeEnsembleClassifier.
  mutating func forest(_ node: GraphNode, isClassifier: Bool) throws(ImportError) -> DecisionForest {
    let view = try view(node, 0)
    guard let front = fronts[view.value]?.selected(view.columnOrder) else {
      throw node.refused(
        "trees behind the input, a Scaler or an Imputer: other arithmetic does not fold into thresholds exactly")
    }
    let attributes = try TreeAttributes(node, isClassifier: isClassifier)
    let transform = node.text("post_transform", "NONE")
    let base = (node.numbers("base_values") ?? []).map { Double($0) }
    let labels = node.texts("classlabels_strings") ?? (node.integers("classlabels_int64s") ?? []).map { String($0) }
    let used = attributes.outputs
    var outputs: [Int]
    if isClassifier {
      classNames = labels
      // With two classes and weights for one of them the score is the second's.
      outputs = labels.count == 2 ? [used.count == 1 ? used.first ?? 0 : 1] : Array(labels.indices)
    } else {
      outputs = Array(0..<max(0, min(node.integer("n_targets", 1), DecisionForest.outputCountMax + 1)))
    }
    let isOneSided = isClassifier && labels.count == 2 && used.count == 1
    guard (1...DecisionForest.outputCountMax).contains(outputs.count),
      used.allSatisfy({ $0 >= 0 && $0 < max(outputs.count, labels.count) })
    else { throw node.refused("1 to \(DecisionForest.outputCountMax) outputs") }
    if isClassifier, labels.count == 2, used.count > 1, transform == "SOFTMAX" { outputs = [0, 1] }
    var forest = try ForestAssembly(node: node, attributes: attributes, front: front, outputs: outputs).forest()
    forest.featureCount = network.widths[0]
    switch node.text("aggregate_function", "SUM") {
    case "SUM": break
    case "AVERAGE": forest.scale = 1 / Double(attributes.trees.count)
    case let other: throw node.refused("attribute aggregate_function = SUM or AVERAGE, not \(other)")
    }
    let kept: [Double]
    switch base.count {
    case 0: kept = outputs.map { _ in 0 }
    case 1 where outputs.count == 1: kept = base
    case let count where count > (outputs.max() ?? 0): kept = outputs.map { base[$0] }
    default: throw node.refused("a base value for each output, not \(base.count)")
    }
    forest.bias = kept
    switch transform {
    case "NONE": break
    case "LOGISTIC" where isOneSided || !isClassifier: forest.link = .logistic(scale: 1)
    case "SOFTMAX" where outputs.count > 1: forest.link = .softmax
    default:
      throw node.refused(
        "attribute post_transform = NONE, LOGISTIC with one score, or SOFTMAX with several, not \(transform)")
    }
    if isOneSided, transform == "NONE" {
      note(
        "two classes with one score: the prediction is that of class \(labels.last ?? "1"), its probability where leaves hold some"
      )
    }
    return forest
  }
}
