extension DecisionForest {
  /// Forests that can ask the same columns, by their places in a list, and these columns.
  struct Sharing {
    var columns: [Column]
    var members: [Int]
  }

  /// Puts forests together wherever one search of the row then does for several.
  ///
  /// Columns of one feature with one rule for missing values become one, with the thresholds of both, as long as these
  /// fit 8 bits. The pair that saves most is joined first. A forest with categories, with two columns that could be
  /// one, or that would need wider tables of lookups, stays alone.
  ///
  /// - Precondition: the forests are sound.
  /// - Complexity: O(forests³ × thresholds × log thresholds).
  static func sharings(_ forests: [DecisionForest]) -> [Sharing] {
    var sharings = forests.enumerated().map { Sharing(columns: $1.askedColumns, members: [$0]) }
    while true {
      var best: (saving: Int, first: Int, second: Int, columns: [Column])?
      for first in sharings.indices {
        for second in sharings.indices where second > first {
          let (a, b) = (sharings[first], sharings[second])
          guard forests[a.members[0]].featureCount == forests[b.members[0]].featureCount,
            let columns = merged(a.columns, b.columns)
          else { continue }
          let saving = searchCost(a.columns) + searchCost(b.columns) - searchCost(columns)
          if saving > best?.saving ?? 0 { best = (saving, first, second, columns) }
        }
      }
      guard let best else { return sharings }
      // The second comes after the first, whose place stays.
      let members = sharings.remove(at: best.second).members
      sharings[best.first].columns = best.columns
      sharings[best.first].members += members
    }
  }

  /// The same forest asking `columns`, among which are its own or wider ones.
  ///
  /// - Precondition: every threshold that a node asks for is in a column of the same feature and rule.
  func asking(_ columns: [Column]) -> DecisionForest {
    var numbers: [ColumnKey: Int] = [:]
    for (number, column) in columns.enumerated() { if let key = ColumnKey(column) { numbers[key] = number } }
    // For each column of this forest, the new one and where its thresholds are now.
    let moves = self.columns.map { column -> (number: UInt16, tests: [UInt16])? in
      guard case .thresholds(let old, _) = column.sight, let number = ColumnKey(column).flatMap({ numbers[$0] }),
        case .thresholds(let new, _) = columns[number].sight
      else { return nil }
      var place = 0
      var tests: [UInt16] = []
      for threshold in old {
        while place < new.count, new[place] < threshold { place += 1 }
        // Below 255; a threshold that no node asks for may be missing.
        tests.append(UInt16(place))
      }
      return (UInt16(number), tests)
    }
    var forest = self
    forest.columns = columns
    for tree in forest.trees.indices {
      for node in forest.trees[tree].nodes.indices {
        let old = trees[tree].nodes[node]
        guard let move = moves[Int(old.column)] else { preconditionFailure("DecisionForest: a column to ask") }
        forest.trees[tree].nodes[node].column = move.number
        forest.trees[tree].nodes[node].test = move.tests[Int(old.test)]
      }
    }
    return forest
  }

  /// The columns that nodes ask.
  private var askedColumns: [Column] {
    var isAsked = [Bool](repeating: false, count: columns.count)
    for tree in trees {
      for node in tree.nodes { isAsked[Int(node.column)] = true }
    }
    return columns.indices.filter { isAsked[$0] }.map { columns[$0] }
  }

  /// What makes two columns of thresholds the same but for the thresholds.
  private struct ColumnKey: Hashable {
    var feature: Int
    var missing: Missing

    init?(_ column: Column) {
      guard case .thresholds(_, let missing) = column.sight else { return nil }
      (feature, self.missing) = (column.feature, missing)
    }
  }

  /// Comparisons of 16 thresholds that find the bins.
  private static func searchCost(_ columns: [Column]) -> Int {
    columns.reduce(0) { $0 + ($1.testCount <= 16 ? 1 : 2) }
  }

  private static func merged(_ first: [Column], _ second: [Column]) -> [Column]? {
    var columns = first
    var numbers: [ColumnKey: Int] = [:]
    for (number, column) in first.enumerated() {
      guard let key = ColumnKey(column), numbers.updateValue(number, forKey: key) == nil else { return nil }
    }
    var seen: Set<ColumnKey> = []
    for column in second {
      guard let key = ColumnKey(column), seen.insert(key).inserted else { return nil }
      guard let number = numbers[key] else {
        columns.append(column)
        continue
      }
      guard case .thresholds(let a, let missing) = columns[number].sight, case .thresholds(let b, _) = column.sight,
        let both = union(a, b)
      else { return nil }
      columns[number].sight = .thresholds(both, missing: missing)
    }
    // As many registers of lookups as each would need alone, and no more than the vector forms have.
    let registers = (columns.count + 63) / 64
    let alone = ((first.count + 63) / 64, (second.count + 63) / 64)
    return registers <= 2 && alone == (registers, registers) ? columns : nil
  }

  /// Ascending thresholds of both lists, or nil where they are too many for a column.
  private static func union(_ first: [Float], _ second: [Float]) -> [Float]? {
    var both: [Float] = []
    // Zeros of either sign are equal, and one of them does for both.
    for threshold in (first + second).sorted() where both.last != threshold { both.append(threshold) }
    return both.count <= thresholdCountMax ? both : nil
  }
}
