internal import ModelInference

/// One tree of an XGBoost document: parallel arrays, one element a node; a node without a left child is a leaf, and its
/// value stands where others have their threshold.
struct XGBoostTree {
  /// Words that sets of categories may still take: one large code claims many, so a document gets a limit.
  struct SetBudget {
    var wordsLeft = 1 << 24
  }

  private(set) var tree: ForestBuilder.Tree

  init(
    _ place: DocumentPlace, weight: Float?, featureCount: Int, sets: inout SetBudget
  ) throws(ImportError) {
    try Self.checkLeafSize(place)
    let lefts = try place.member("left_children").integers()
    let count = lefts.count
    guard (1...2 * DecisionForest.leafCountMax).contains(count) else {
      throw try place.member("left_children").refused("1 to \(2 * DecisionForest.leafCountMax) nodes")
    }
    func ofEach<Element>(
      _ key: String, _ read: (DocumentPlace) throws(ImportError) -> [Element]
    ) throws(ImportError) -> [Element] {
      let list = try place.member(key)
      let values = try read(list)
      guard values.count == count else { throw list.refused("\(count) elements, not \(values.count)") }
      return values
    }
    let rights = try ofEach("right_children") { (list) throws(ImportError) in try list.integers() }
    let features = try ofEach("split_indices") { (list) throws(ImportError) in try list.integers() }
    let values = try ofEach("split_conditions") { (list) throws(ImportError) in try list.singles() }
    let defaults = try ofEach("default_left") { (list) throws(ImportError) in try list.integers() }
    let types =
      try place.optional("split_type") == nil
      ? [Int](repeating: 0, count: count)
      : try ofEach("split_type") {
        (list) throws(ImportError) in try list.integers()
      }
    let categories = types.contains(1) ? try Self.categories(place) : [:]

    let order = ForestBuilder.levels(count: count) { node in
      lefts[node] == -1 ? nil : (lefts[node], rights[node])
    }
    guard let order else { throw place.refused("one tree: children within the nodes, each with one parent") }

    tree = ForestBuilder.Tree(nodes: [], leaves: [], leafNumbers: order.leaves.map { UInt32($0) })
    for leaf in order.leaves {
      let value = weight.map { $0 * values[leaf] } ?? values[leaf]
      guard value.isFinite else { throw place.refused("a finite value of leaf \(leaf)") }
      tree.leaves.append(Double(value))
    }
    for node in order.nodes {
      guard (0..<featureCount).contains(features[node]) else {
        throw place.refused("a feature below \(featureCount) in node \(node), not \(features[node])")
      }
      let test: ForestBuilder.Test
      switch types[node] {
      case 0:
        // `x < t` is `x <= nextDown(t)` for every single x; of t = 0 that is the smallest denormal below 0.
        test = .threshold(values[node].nextDown, missing: .nan)
      case 1:
        guard let codes = categories[node] else { throw place.refused("the categories of node \(node)") }
        test = .categories(try Self.leftSet(codes, node: node, place, &sets), rule: .xgboost)
      default: throw place.refused("split_type 0 or 1 in node \(node), not \(types[node])")
      }
      tree.nodes.append(
        ForestBuilder.Node(
          feature: features[node], test: test, missingGoesRight: defaults[node] == 0, left: order.codes[lefts[node]],
          right: order.codes[rights[node]]))
    }
  }

  /// Refuses a tree whose leaves hold a value for each output.
  static func checkLeafSize(_ place: DocumentPlace) throws(ImportError) {
    if let parameters = try place.optional("tree_param"), let size = try parameters.optional("size_leaf_vector") {
      guard try size.integer() <= 1 else {
        throw size.refused("leaves of one value: multi_strategy=multi_output_tree is not supported")
      }
    }
  }

  /// The codes that go right, of each categorical node.
  private static func categories(_ place: DocumentPlace) throws(ImportError) -> [Int: ArraySlice<Int>] {
    let codes = try place.member("categories").integers()
    let nodes = try place.member("categories_nodes").integers()
    let starts = try place.member("categories_segments").integers()
    let sizes = try place.member("categories_sizes").integers()
    guard nodes.count == starts.count, nodes.count == sizes.count else {
      throw place.refused("categories_nodes, categories_segments and categories_sizes of one length")
    }
    var found: [Int: ArraySlice<Int>] = [:]
    for (node, (start, size)) in zip(nodes, zip(starts, sizes)) {
      guard start >= 0, size >= 1, start <= codes.count, size <= codes.count - start,
        found.updateValue(codes[start..<start + size], forKey: node) == nil
      else { throw place.refused("categories of node \(node) within the \(codes.count) that are listed") }
    }
    return found
  }

  /// XGBoost lists what goes right, and sends a code beyond the words of its list left, as our rule does.
  private static func leftSet(
    _ codes: ArraySlice<Int>, node: Int, _ place: DocumentPlace, _ sets: inout SetBudget
  ) throws(ImportError) -> [UInt32] {
    guard let least = codes.min(), let most = codes.max(), least >= 0, most < 1 << 24 else {
      throw place.refused("categories from 0 to \(1 << 24 - 1) in node \(node)")
    }
    sets.wordsLeft -= most / 32 + 1
    guard sets.wordsLeft >= 0 else { throw place.refused("smaller category codes: sets of at most 64 MiB in all") }
    var words = [UInt32](repeating: .max, count: most / 32 + 1)
    for code in codes { words[code / 32] &= ~(1 << UInt32(code % 32)) }
    return words
  }
}
