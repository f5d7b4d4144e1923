internal import ModelInference

// `SectionReader+Forest` has the layout.
extension LittleEndianBytes {
  /// Adds a forest, its trees put in order.
  ///
  /// - Parameter leafNumbers: whether the trainer's numbers of the leaves are kept; without them leaves count from the
  ///   left.
  mutating func append(_ forest: DecisionForest, leafNumbers: Bool = true) {
    append(UInt32(forest.featureCount))
    append(UInt32(forest.outputCount))
    append(forest.accumulation.rawValue)
    append(forest.link.code)
    append(UInt16(0))
    append(UInt32(forest.columns.count))
    append(UInt32(forest.trees.count))
    pad(to: 8)
    append(forest.scale)
    append(forest.divisor)
    append(forest.link.scale)
    forest.start.forEach { append($0) }
    forest.bias.forEach { append($0) }
    for column in forest.columns { append(column) }
    for tree in forest.inOrder.trees { append(tree, leafNumbers: leafNumbers) }
  }

  private mutating func append(_ column: DecisionForest.Column) {
    append(UInt16(column.feature))
    switch column.sight {
    case .thresholds(let list, let missing):
      append(missing.rawValue)
      append(UInt8(0))
      append(UInt16(list.count))
      append(UInt16(0))
      list.forEach { append($0) }
    case .categories(let sets, let rule):
      append(3 + rule.rawValue)
      append(UInt8(0))
      append(UInt16(sets.count))
      append(UInt16(0))
      for set in sets {
        append(UInt32(set.count))
        set.forEach { append($0) }
      }
    }
  }

  private mutating func append(_ tree: DecisionForest.Tree, leafNumbers: Bool) {
    let isSingle = tree.leaves.allSatisfy { Double(Float($0)) == $0 }
    let hasNumbers = leafNumbers && tree.leafNumbers != (0..<UInt32(tree.leaves.count)).map { $0 }
    let levels = tree.leaves.count > 1 ? tree.obliviousLevels : nil
    append(UInt32(tree.leaves.count))
    append(UInt8((isSingle ? 0 : 1) | (hasNumbers ? 2 : 0) | (levels == nil ? 0 : 4)))
    append(UInt8(0))
    append(UInt16(0))
    for node in levels ?? tree.nodes {
      append(node.column | (node.left < 0 ? 0x4000 : 0) | (node.right < 0 ? 0x8000 : 0))
      append(node.test | (node.missingGoesRight ? 0x8000 : 0))
    }
    pad(to: 4)
    for leaf in tree.leaves {
      if isSingle { append(Float(leaf)) } else { append(leaf) }
    }
    if hasNumbers { tree.leafNumbers.forEach { append($0) } }
  }
}

extension Link {
  /// How an artifact calls it.
  var code: UInt8 {
    switch self {
    case .identity: 0
    case .logistic: 1
    case .softmax: 2
    case .exponential: 3
    }
  }

  /// Its scale, 1 where it has none.
  var scale: Double {
    if case .logistic(let scale) = self { return scale }
    return 1
  }
}
