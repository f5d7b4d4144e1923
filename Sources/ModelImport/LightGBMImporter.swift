public import ModelInference
internal import TradingTypes

/// Reads LightGBM's text models (version 4): numerical trees of a binary classifier.
///
/// Decisions equal LightGBM's on the same values in single precision, and so do raw scores, bit for bit: thresholds are
/// rounded down to the largest single that is not above them, leaf values are taken as they are (shrinkage is already
/// in them), and the sum runs in tree order. Categorical splits, linear leaves and several classes are refused.
///
/// - Source: LightGBM 4, `src/io/tree.cpp` and `src/boosting/gbdt_model_text.cpp` for the meaning of the fields.
public struct LightGBMImporter {
  private let name: String
  private let lines: [Substring]

  /// The model at `path`.
  public static func read(_ path: String) throws(ImportError) -> TreeModel {
    try model(text: ImportError.text(path), name: path)
  }

  /// The model a text holds.
  ///
  /// - Parameter name: what errors call it.
  public static func model(text: String, name: String) throws(ImportError) -> TreeModel {
    try LightGBMImporter(name: name, lines: text.split(separator: "\n", omittingEmptySubsequences: false)).model()
  }

  private func refused(_ place: String, _ expected: String) -> ImportError {
    ImportError(file: name, place: place, expected: expected)
  }

  /// A block of lines `key=value`, or bare keys, up to a blank line.
  private struct Block {
    var place: String
    var firstLine: Int
    var fields: [Substring: Substring] = [:]
  }

  private func block(from start: Int, until isEnd: (Substring) -> Bool) -> (block: Block, next: Int) {
    var block = Block(place: "line \(start + 1)", firstLine: start)
    var line = start
    while line < lines.count, !isEnd(lines[line]) {
      let text = lines[line]
      if let split = text.firstIndex(of: "=") {
        block.fields[text[..<split]] = text[text.index(after: split)...]
      } else if !text.isEmpty {
        block.fields[text] = ""
      }
      line += 1
    }
    return (block, line)
  }

  private func model() throws(ImportError) -> TreeModel {
    let (header, treesStart) = block(from: 0) { $0.hasPrefix("Tree=") || $0 == "end of trees" }
    guard lines.first == "tree" else { throw refused("line 1", "the word tree") }
    guard header.fields["version"] == "v4" else { throw refused("header", "version=v4") }
    for key: Substring in ["num_class", "num_tree_per_iteration"] {
      guard header.fields[key] == "1" else { throw refused("header", "\(key)=1: one class") }
    }
    let slots = try slots(header)
    let sigmoid = try sigmoid(header)
    let sizes = (header.fields["tree_sizes"] ?? "").split(separator: " ").map { Int($0) }

    var parsed: [SourceTree] = []
    var line = treesStart
    while line < lines.count, lines[line].hasPrefix("Tree=") {
      guard lines[line] == "Tree=\(parsed.count)" else { throw refused("line \(line + 1)", "Tree=\(parsed.count)") }
      let (body, next) = block(from: line + 1) { $0.hasPrefix("Tree=") || $0 == "end of trees" }
      let size = lines[line..<next].reduce(0) { $0 + $1.utf8.count + 1 }
      guard parsed.count < sizes.count, sizes[parsed.count] == size else {
        throw refused(
          "tree \(parsed.count)",
          "the \(sizes.count > parsed.count ? sizes[parsed.count] ?? 0 : 0) bytes of tree_sizes, not \(size)")
      }
      parsed.append(try SourceTree(body.fields, tree: parsed.count, slots: slots, refused: refused))
      line = next
    }
    guard line < lines.count, lines[line] == "end of trees" else { throw refused("line \(line + 1)", "end of trees") }
    guard parsed.count == sizes.count, !parsed.isEmpty else {
      throw refused("header", "tree_sizes of as many trees as follow")
    }
    let divisor = header.fields["average_output"] == nil ? 1.0 : Double(parsed.count)
    return try frozen(parsed, scale: sigmoid / divisor)
  }

  private func slots(_ header: Block) throws(ImportError) -> [Int] {
    let known = Dictionary(uniqueKeysWithValues: FeatureSlot.allCases.map { ($0.name, $0.index) })
    var slots: [Int] = []
    for feature in (header.fields["feature_names"] ?? "").split(separator: " ") {
      guard let slot = known[String(feature)] else {
        throw refused("feature_names", "names of feature slots, not \(feature)")
      }
      slots.append(slot)
    }
    guard Set(slots).count == slots.count, header.fields["max_feature_idx"].flatMap({ Int($0) }) == slots.count - 1
    else {
      throw refused("feature_names", "max_feature_idx + 1 different names")
    }
    return slots
  }

  private func sigmoid(_ header: Block) throws(ImportError) -> Double {
    let objective = (header.fields["objective"] ?? "").split(separator: " ")
    guard objective.first == "binary" else { throw refused("objective", "binary") }
    for word in objective.dropFirst() where word.hasPrefix("sigmoid:") {
      guard let value = Double(word.dropFirst(8)), value.isFinite, value > 0 else {
        throw refused("objective", "a positive sigmoid")
      }
      return value
    }
    return 1
  }

  /// Gives every feature its own sorted thresholds and every node its bin.
  private func frozen(_ trees: [SourceTree], scale: Double) throws(ImportError) -> TreeModel {
    var sets = [Set<Float>](repeating: [], count: FeatureVector.count)
    var zeroIsMissing = [Bool?](repeating: nil, count: FeatureVector.count)
    for (number, tree) in trees.enumerated() {
      for node in tree.nodes {
        sets[node.slot].insert(node.threshold)
        guard zeroIsMissing[node.slot] ?? node.zeroIsMissing == node.zeroIsMissing else {
          throw refused("tree \(number)", "one missing type for each feature")
        }
        zeroIsMissing[node.slot] = node.zeroIsMissing
      }
    }
    var mask = FeatureMask()
    for slot in 0..<FeatureVector.count {
      guard sets[slot].count <= TreeModel.thresholdCountMax else {
        throw refused(
          "feature \(FeatureSlot.allCases[slot].name)",
          "at most 255 thresholds, not \(sets[slot].count): train with max_bin=255")
      }
      mask[slot] = zeroIsMissing[slot] == true
    }
    let thresholds = sets.map { $0.sorted() }
    let places = thresholds.map { list in Dictionary(uniqueKeysWithValues: list.enumerated().map { ($1, UInt8($0)) }) }
    let model = TreeModel(
      thresholds: thresholds, zeroIsMissing: mask,
      trees: trees.map { tree in
        TreeModel.Tree(
          nodes: tree.nodes.map { node in
            TreeModel.Node(
              feature: UInt8(node.slot), bin: places[node.slot][node.threshold]!,
              missingGoesRight: node.missingGoesRight, left: node.left, right: node.right)
          }, leaves: tree.leaves)
      }, scale: scale)
    if let fault = model.fault { throw refused("model", fault) }
    return model
  }
}

/// One tree as the text has it, with thresholds rounded down and missing directions settled.
private struct SourceTree {
  struct Node {
    var slot: Int
    var threshold: Float
    var missingGoesRight: Bool
    var zeroIsMissing: Bool
    var left: Int16
    var right: Int16
  }

  var nodes: [Node] = []
  var leaves: [Double] = []

  init(
    _ fields: [Substring: Substring], tree: Int, slots: [Int], refused: (String, String) -> ImportError
  ) throws(ImportError) {
    func numbers<N>(_ key: Substring, _ count: Int, _ parse: (Substring) -> N?) throws(ImportError) -> [N] {
      let words = (fields[key] ?? "").split(separator: " ")
      let parsed = words.compactMap(parse)
      guard words.count == count, parsed.count == count else {
        throw refused("tree \(tree)", "\(count) numbers of \(key)")
      }
      return parsed
    }
    guard let leafCount = fields["num_leaves"].flatMap({ Int($0) }), (1...TreeModel.leafCountMax).contains(leafCount)
    else {
      throw refused("tree \(tree)", "num_leaves from 1 to \(TreeModel.leafCountMax)")
    }
    guard fields["num_cat"] == "0" else {
      throw refused("tree \(tree)", "numerical splits only: categorical ones are not supported")
    }
    guard fields["is_linear"] ?? "0" == "0" else {
      throw refused("tree \(tree)", "constant leaves: linear ones are not supported")
    }
    leaves = try numbers("leaf_value", leafCount) { Double($0) }
    // A tree of one leaf has empty node fields.
    let count = leafCount - 1
    let features = try numbers("split_feature", count) { Int($0) }
    let thresholds = try numbers("threshold", count) { Double($0) }
    let types = try numbers("decision_type", count) { Int($0) }
    let lefts = try numbers("left_child", count) { Int16($0) }
    let rights = try numbers("right_child", count) { Int16($0) }
    for place in 0..<count {
      guard slots.indices.contains(features[place]) else {
        throw refused("tree \(tree)", "features of the header in node \(place)")
      }
      let type = types[place]
      guard (0...15).contains(type), type >> 2 != 3 else {
        throw refused("tree \(tree)", "a known decision_type in node \(place)")
      }
      guard type & 1 == 0 else {
        throw refused("tree \(tree)", "numerical splits only: node \(place) is categorical")
      }
      // The largest single not above the threshold: `x <= t` is then the same question for every single x.
      let nearest = Float(thresholds[place])
      // Infinity means that every value goes left: so does the largest single, for no row holds more.
      let isAbove = Double(nearest) > thresholds[place] || nearest == .infinity
      let threshold = isAbove ? nearest.nextDown : nearest
      guard threshold.isFinite else {
        throw refused("tree \(tree)", "a threshold within single precision in node \(place)")
      }
      let defaultsLeft = type & 2 != 0
      // Missing type none compares a missing value as 0 and ignores the default side.
      let missingGoesLeft = type >> 2 == 0 ? 0 <= thresholds[place] : defaultsLeft
      nodes.append(
        Node(
          slot: slots[features[place]], threshold: threshold, missingGoesRight: !missingGoesLeft,
          zeroIsMissing: type >> 2 == 1, left: lefts[place], right: rights[place]))
    }
  }
}
