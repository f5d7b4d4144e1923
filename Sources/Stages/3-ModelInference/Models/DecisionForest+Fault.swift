extension DecisionForest {
  /// The first rule the forest breaks, or nil: shapes, order, ranges, and that each tree is one tree.
  public var fault: String? {
    guard (1...Self.featureCountMax).contains(featureCount) else { return "1 to \(Self.featureCountMax) features" }
    guard columns.count <= Self.columnCountMax else { return "at most \(Self.columnCountMax) columns" }
    for (number, column) in columns.enumerated() {
      if let fault = fault(of: column) { return "\(fault) in column \(number)" }
    }
    guard (1...Self.outputCountMax).contains(outputCount) else { return "1 to \(Self.outputCountMax) outputs" }
    guard (1...Self.treeCountMax).contains(trees.count), trees.count % outputCount == 0 else {
      return "1 to \(Self.treeCountMax) trees, as many for each output"
    }
    guard start.count == outputCount, bias.count == outputCount, (start + bias).allSatisfy({ abs($0) <= 1e100 }) else {
      return "a finite start and bias for each output"
    }
    guard scale.isFinite, divisor.isFinite, abs(scale) <= 1e6, divisor > 0, link.isSound else {
      return "a finite scale, and a positive divisor and link scale"
    }
    for (number, tree) in trees.enumerated() {
      if let fault = fault(of: tree) { return "tree \(number) with \(fault)" }
    }
    return nil
  }

  private func fault(of column: Column) -> String? {
    guard (0..<featureCount).contains(column.feature) else { return "a feature of the row" }
    switch column.sight {
    case .thresholds(let list, _):
      guard (1...Self.thresholdCountMax).contains(list.count) else {
        return "1 to \(Self.thresholdCountMax) thresholds"
      }
      // Infinite ones are sound: every number is at most infinity, and only minus infinity is at most itself.
      guard list.allSatisfy({ !$0.isNaN }), zip(list, list.dropFirst()).allSatisfy(<) else {
        return "ascending thresholds that are numbers"
      }
    case .categories(let sets, _):
      guard (1...Int(UInt16.max)).contains(sets.count) else { return "1 to 65,535 sets of categories" }
      // 2^19 words of 32 bits hold every code below 2^24, which is what a Float can count to.
      guard sets.allSatisfy({ $0.count <= 1 << 19 }) else { return "categories below 2^24" }
    }
    return nil
  }

  private func fault(of tree: Tree) -> String? {
    guard (1...Self.leafCountMax).contains(tree.leaves.count) else { return "1 to \(Self.leafCountMax) leaves" }
    guard tree.nodes.count == tree.leaves.count - 1 else { return "one node fewer than leaves" }
    guard tree.leafNumbers.count == tree.leaves.count else { return "a number for each leaf" }
    // Magnitudes are bounded so that no sum of leaves can overflow: 16,384 × 1e33 < 3.4e38.
    let most = accumulation == .single ? 1e33 : 1e100
    guard tree.leaves.allSatisfy({ abs($0) <= most }) else { return "finite leaves up to \(most)" }
    if accumulation == .single, !tree.leaves.allSatisfy({ Double(Float($0)) == $0 }) {
      return "leaves in single precision"
    }
    var nodeSeen = [Bool](repeating: false, count: tree.nodes.count)
    var leafSeen = [Bool](repeating: false, count: tree.leaves.count)
    for (place, node) in tree.nodes.enumerated() {
      guard Int(node.column) < columns.count, Int(node.test) < columns[Int(node.column)].testCount else {
        return "a threshold or set for node \(place)"
      }
      for child in [node.left, node.right] {
        if child >= 0 {
          // Children after parents, each seen once: no cycle, one root.
          guard child > place, child < nodeSeen.count, !nodeSeen[Int(child)] else { return "sound children" }
          nodeSeen[Int(child)] = true
        } else {
          let leaf = Int(~child)
          guard leaf < leafSeen.count, !leafSeen[leaf] else { return "sound leaves" }
          leafSeen[leaf] = true
        }
      }
    }
    return nil
  }
}
