/// A forest as its kernels ask it: nodes compare a *lookup*, one byte of the row, with a bin.
///
/// Lookups are the columns the trees use, those with at most 16 thresholds first, then each set of categories they ask
/// for, whose answer is a bin of 0 (left) or 1 (right). A missing value is the bin 255 of its column, so a column of 255
/// thresholds that can be missing takes two lookups, the last threshold one of its own.
struct ForestLookups {
  struct Node: Hashable {
    var lookup: Int
    var bin: UInt8
    // Whether a missing value goes left, where there is one; it goes right by its bin.
    var missingGoesLeft: Bool
    // A node where >= 0, the leaf `~left` otherwise.
    var left: Int
    var right: Int

    func asksTheSame(as other: Node) -> Bool {
      lookup == other.lookup && bin == other.bin && missingGoesLeft == other.missingGoesLeft
    }
  }

  struct Tree {
    var nodes: [Node]
    var leaves: [Double]
    var leafNumbers: [UInt32]
    // Most nodes between the root and a leaf.
    var depth: Int

    var root: Int { nodes.isEmpty ? ~0 : 0 }
  }

  /// A question to a set of categories; `missingGoesRight` only where the rule looks at it.
  struct CategoryTest: Hashable {
    var column: Int
    var test: Int
    var missingGoesRight: Bool
  }

  /// Columns of thresholds, as they are searched.
  var shortColumns: [DecisionForest.Column] = []
  var longColumns: [DecisionForest.Column] = []
  var categoryTests: [CategoryTest] = []
  var trees: [Tree] = []

  /// Thresholds of a column whose bins leave 255 free.
  private static let wholeMax = 254

  var count: Int { shortColumns.count + longColumns.count + categoryTests.count }
  /// Bytes of the lookups, up to a multiple of 64.
  var stride: Int { max(64, (count + 63) / 64 * 64) }

  /// - Parameter keepsAll: whether columns that no tree uses have lookups too.
  init(_ forest: DecisionForest, keepsAll: Bool = false) {
    var isUsed = [Bool](repeating: keepsAll, count: forest.columns.count)
    for tree in forest.trees {
      for node in tree.nodes { isUsed[Int(node.column)] = true }
    }
    // For each column the places of its parts, a long one counted from the end of the short ones.
    var shortOfColumn = [Int?](repeating: nil, count: forest.columns.count)
    var longOfColumn = shortOfColumn
    for (number, column) in forest.columns.enumerated() where isUsed[number] {
      guard case .thresholds(let list, let missing) = column.sight else { continue }
      let whole = missing == .never ? list.count : min(list.count, Self.wholeMax)
      for part in [list[..<whole], list[whole...]] where !part.isEmpty {
        let column = DecisionForest.Column(
          feature: column.feature, sight: .thresholds(Array(part), missing: missing))
        if part.count <= 16 {
          shortOfColumn[number] = shortColumns.count
          shortColumns.append(column)
        } else {
          longOfColumn[number] = longColumns.count
          longColumns.append(column)
        }
      }
    }
    var lookupOfTest: [CategoryTest: Int] = [:]
    let firstTest = shortColumns.count + longColumns.count
    trees = forest.trees.map { tree in
      var depths = [Int](repeating: 0, count: tree.nodes.count)
      var depth = 0
      let nodes = tree.nodes.enumerated().map { place, node in
        let children = [Int(node.left), Int(node.right)]
        // Children come after their parents.
        for child in children where child >= 0 { depths[child] = depths[place] + 1 }
        depth = max(depth, depths[place] + 1)
        let column = Int(node.column)
        var answer = Node(lookup: 0, bin: 0, missingGoesLeft: false, left: children[0], right: children[1])
        switch forest.columns[column].sight {
        case .thresholds(_, let missing):
          // Below 255: a column has at most 255 thresholds.
          answer.bin = UInt8(node.test)
          answer.missingGoesLeft = missing != .never && !node.missingGoesRight
          if let long = longOfColumn[column], missing == .never || node.test < Self.wholeMax {
            answer.lookup = shortColumns.count + long
          } else {
            // A short column, or the second part of a long one.
            answer.lookup = shortOfColumn[column]!
            if longOfColumn[column] != nil { answer.bin = 0 }
          }
        case .categories(_, let rule):
          let test = CategoryTest(
            column: column, test: Int(node.test), missingGoesRight: rule == .xgboost && node.missingGoesRight)
          if let known = lookupOfTest[test] {
            answer.lookup = known
          } else {
            answer.lookup = firstTest + categoryTests.count
            lookupOfTest[test] = answer.lookup
            categoryTests.append(test)
          }
        }
        return answer
      }
      return Tree(nodes: nodes, leaves: tree.leaves, leafNumbers: tree.leafNumbers, depth: depth)
    }
  }
}
