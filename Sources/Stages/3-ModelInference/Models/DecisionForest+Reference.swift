extension DecisionForest {
  /// The exit leaf of each tree, as an index into its leaves: the plain walk that defines every answer.
  ///
  /// - Parameter row: Float, `[featureCount]`, NaN where there is no value.
  /// - Complexity: O(trees × depth × log thresholds), allocates. Not for the hot path.
  public func exitLeavesReference(_ row: [Float]) -> [Int] {
    precondition(row.count == featureCount, "DecisionForest: a value for each feature")
    return trees.map { tree in
      var place: Int32 = tree.nodes.isEmpty ? ~0 : 0
      while place >= 0 {
        let node = tree.nodes[Int(place)]
        place = goesLeft(node, row[columns[Int(node.column)].feature]) ? node.left : node.right
      }
      return Int(~place)
    }
  }

  /// The raw scores, one an output, summed in tree order.
  public func rawReference(_ row: [Float]) -> [Double] {
    let exits = exitLeavesReference(row)
    return (0..<outputCount).map { output in
      let leaves = stride(from: output, to: trees.count, by: outputCount).map { trees[$0].leaves[exits[$0]] }
      let sum: Double
      switch accumulation {
      case .double: sum = leaves.reduce(start[output], +)
      case .single: sum = Double(leaves.reduce(Float(start[output])) { $0 + Float($1) })
      }
      return sum * scale + bias[output]
    }
  }

  /// What the raw scores predict.
  public func predictions(raw: [Double]) -> [Double] { link.predictions(raw.map { $0 / divisor }) }

  private func goesLeft(_ node: Node, _ value: Float) -> Bool {
    switch columns[Int(node.column)].sight {
    case .thresholds(let list, let missing):
      let threshold = list[Int(node.test)]
      switch missing {
      case .never: return (value.isNaN ? 0 : value) <= threshold
      case .nan: return value.isNaN ? !node.missingGoesRight : value <= threshold
      case .nanOrZero:
        return value.isNaN || abs(value) <= 1e-35 ? !node.missingGoesRight : value <= threshold
      }
    case .categories(let sets, let rule):
      return goesLeft(sets[Int(node.test)], rule, value, missingGoesRight: node.missingGoesRight)
    }
  }

  private func goesLeft(_ set: [UInt32], _ rule: CategoryRule, _ value: Float, missingGoesRight: Bool) -> Bool {
    switch rule {
    case .lightGBM:
      // Truncation makes -0.5 the category 0.
      guard value > -1, value < Float(32 * set.count), !set.isEmpty else { return false }
    case .xgboost:
      if value.isNaN { return !missingGoesRight }
      guard value >= 0, value < Float(32 * set.count) else { return true }
    }
    let code = Int(value)
    return set[code / 32] >> UInt32(code % 32) & 1 == 1
  }
}
