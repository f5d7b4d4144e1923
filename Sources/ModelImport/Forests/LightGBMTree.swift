internal import ModelInference

/// One tree of a LightGBM text model.
///
/// `decision_type`: bit 0 categorical, bit 1 missing goes left, bits 2 and 3 the missing type (none, zero, NaN).
struct LightGBMTree {
  private(set) var tree: ForestBuilder.Tree

  init(_ block: LightGBMLines.Block, featureCount: Int) throws(ImportError) {
    let leafCount = try block.integer("num_leaves", in: 1...DecisionForest.leafCountMax)
    let setCount = try block.integer("num_cat", in: 0...leafCount)
    guard block.fields["is_linear"] ?? "0" == "0" else {
      throw block.refused("constant leaves: linear trees (linear_tree=true) are not supported")
    }
    let leaves = try block.numbers("leaf_value", leafCount) { Double($0) }
    if let leaf = leaves.firstIndex(where: { !$0.isFinite }) { throw block.refused("a finite value of leaf \(leaf)") }
    // A tree of one leaf has empty node fields, and older files leave them out.
    let count = leafCount - 1
    let features = try block.numbers("split_feature", count) { Int($0) }
    let thresholds = try block.numbers("threshold", count) { Double($0) }
    let types = try block.numbers("decision_type", count) { Int($0) }
    let lefts = try block.numbers("left_child", count) { Int32($0) }
    let rights = try block.numbers("right_child", count) { Int32($0) }
    let sets = setCount == 0 ? [] : try Self.sets(block, setCount)

    tree = ForestBuilder.Tree(nodes: [], leaves: leaves)
    tree.nodes.reserveCapacity(count)
    for place in 0..<count {
      guard (0..<featureCount).contains(features[place]) else {
        throw block.refused("a feature of the header in node \(place), not \(features[place])")
      }
      let type = types[place]
      guard (0...15).contains(type), type >> 2 != 3 else {
        throw block.refused("a known decision_type in node \(place), not \(type)")
      }
      let test: ForestBuilder.Test
      var missingGoesRight = type & 2 == 0
      if type & 1 == 1 {
        guard let number = Int(exactly: thresholds[place]), sets.indices.contains(number) else {
          throw block.refused("the number of one of \(sets.count) sets of categories in node \(place)")
        }
        test = .categories(sets[number], rule: .lightGBM)
        // What is missing is in no set; the side stands here so that equal questions are equal values.
        missingGoesRight = true
      } else {
        let missing: DecisionForest.Missing = [.never, .nanOrZero, .nan][type >> 2]
        guard !thresholds[place].isNaN else { throw block.refused("a number as threshold of node \(place)") }
        let threshold = Self.single(thresholds[place])
        test = .threshold(threshold, missing: missing)
        // Missing type none compares a NaN as 0 and ignores the side written beside it.
        if missing == .never { missingGoesRight = threshold < 0 }
      }
      tree.nodes.append(
        ForestBuilder.Node(
          feature: features[place], test: test, missingGoesRight: missingGoesRight, left: Int(lefts[place]),
          right: Int(rights[place])))
    }
  }

  /// The threshold for single precision. An infinite one is LightGBM's way to part missing values from all others.
  ///
  /// LightGBM hands its trees only values beyond ±1e-35 (1e-35 in single precision, widened) and 0 for all the others.
  /// A threshold t in [0, 1e-35] then takes all of them left, as the border 1e-35 itself does; one in [-1e-35, 0) takes
  /// all of them right, as the single just below -1e-35 does.
  static func single(_ threshold: Double) -> Float {
    let border = Float(1e-35)
    if abs(threshold) <= Double(border) { return threshold >= 0 ? border : (-border).nextDown }
    return ForestBuilder.roundedDown(threshold)
  }

  private static func sets(_ block: LightGBMLines.Block, _ count: Int) throws(ImportError) -> [[UInt32]] {
    let borders = try block.numbers("cat_boundaries", count + 1) { Int($0) }
    let wordCount = (block.fields["cat_threshold"] ?? "").utf8.split(separator: 0x20).count
    let words = try block.numbers("cat_threshold", wordCount) { UInt32($0) }
    guard borders.first == 0, borders.last == wordCount, zip(borders, borders.dropFirst()).allSatisfy(<=) else {
      throw block.refused("ascending cat_boundaries from 0 to the \(wordCount) words of cat_threshold")
    }
    return zip(borders, borders.dropFirst()).map { Array(words[$0..<$1]) }
  }
}
