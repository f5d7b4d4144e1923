internal import ModelImport
internal import ModelInference

/// The lists of a TreeEnsemble node, checked to be of one length.
struct TreeAttributes {
  /// What a branch asks; the true side is the left one in all but the last two.
  enum Mode: String {
    case leaf = "LEAF"
    case lessOrEqual = "BRANCH_LEQ"
    case less = "BRANCH_LT"
    case greaterOrEqual = "BRANCH_GTE"
    case greater = "BRANCH_GT"
  }

  struct Place: Hashable {
    var tree: Int
    var node: Int
  }

  struct Branch {
    var mode: Mode
    var feature: Int
    var value: Float
    var whenTrue: Int
    var whenFalse: Int
    var missingIsTrue: Bool
  }

  struct Weight {
    var output: Int
    var value: Float
  }

  var branches: [Place: Branch] = [:]
  /// Tree numbers in the order of their first node, with the root.
  var trees: [(tree: Int, root: Int)] = []
  var weights: [Place: [Weight]] = [:]

  init(_ node: GraphNode, isClassifier: Bool) throws(ImportError) {
    let trees = node.integers("nodes_treeids") ?? []
    let count = trees.count
    func list(_ name: String, _ list: [Int]?) throws(ImportError) -> [Int] {
      guard let list, list.count == count else { throw node.refused("attribute \(name) with \(count) entries") }
      return list
    }
    for name in [
      "nodes_values_as_tensor", "base_values_as_tensor", "class_weights_as_tensor", "target_weights_as_tensor",
    ]
    where node.has(name) {
      throw node.refused("numbers in single precision, not attribute \(name): convert with float inputs")
    }
    let nodes = try list("nodes_nodeids", node.integers("nodes_nodeids"))
    let features = try list("nodes_featureids", node.integers("nodes_featureids"))
    let yes = try list("nodes_truenodeids", node.integers("nodes_truenodeids"))
    let no = try list("nodes_falsenodeids", node.integers("nodes_falsenodeids"))
    let modes = node.texts("nodes_modes") ?? []
    let values = node.numbers("nodes_values") ?? []
    let missing = node.integers("nodes_missing_value_tracks_true") ?? []
    guard count > 0, modes.count == count, values.count == count, missing.isEmpty || missing.count == count else {
      throw node.refused("nodes_modes and nodes_values with \(count) entries")
    }
    guard count <= DecisionForest.treeCountMax * 256 else { throw node.refused("at most 4 Mi nodes") }
    var seen: Set<Int> = []
    for index in 0..<count {
      guard let mode = Mode(rawValue: modes[index]) else {
        throw node.refused(
          "tree \(trees[index]) node \(nodes[index]) of mode LEAF, BRANCH_LEQ, BRANCH_LT, BRANCH_GTE or BRANCH_GT, not \(modes[index])"
        )
      }
      let place = Place(tree: trees[index], node: nodes[index])
      let branch = Branch(
        mode: mode, feature: features[index], value: values[index], whenTrue: yes[index], whenFalse: no[index],
        missingIsTrue: !missing.isEmpty && missing[index] != 0)
      guard branches.updateValue(branch, forKey: place) == nil else {
        throw node.refused("tree \(place.tree) with one node \(place.node)")
      }
      if seen.insert(place.tree).inserted { self.trees.append((place.tree, place.node)) }
    }
    let prefix = isClassifier ? "class" : "target"
    let leafTrees = node.integers("\(prefix)_treeids") ?? []
    let leafNodes = node.integers("\(prefix)_nodeids") ?? []
    let outputs = node.integers("\(prefix)_ids") ?? []
    let amounts = node.numbers("\(prefix)_weights") ?? []
    guard leafNodes.count == leafTrees.count, outputs.count == leafTrees.count, amounts.count == leafTrees.count else {
      throw node.refused("\(prefix)_treeids, _nodeids, _ids and _weights of one length")
    }
    for index in leafTrees.indices {
      weights[Place(tree: leafTrees[index], node: leafNodes[index]), default: []]
        .append(Weight(output: outputs[index], value: amounts[index]))
    }
  }

  /// Outputs that any leaf adds to.
  var outputs: Set<Int> { Set(weights.values.joined().map(\.output)) }
}
