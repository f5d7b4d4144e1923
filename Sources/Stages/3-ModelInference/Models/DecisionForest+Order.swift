extension DecisionForest {
  /// The same forest with nodes in preorder and leaves from the left: how an artifact holds it.
  ///
  /// - Precondition: the forest is sound.
  /// - Complexity: O(nodes).
  public var inOrder: DecisionForest {
    var forest = self
    forest.trees = trees.map(\.inOrder)
    return forest
  }

  /// The same forest over other rows: feature `f` is found at `places[f]` of a row of `featureCount`.
  ///
  /// - Precondition: there is a place for each feature.
  public func reading(_ places: [Int], featureCount: Int) -> DecisionForest {
    precondition(places.count == self.featureCount, "DecisionForest: a place for each feature")
    var forest = self
    forest.featureCount = featureCount
    for index in forest.columns.indices { forest.columns[index].feature = places[forest.columns[index].feature] }
    return forest
  }
}

extension DecisionForest.Tree {
  /// Nodes in preorder, leaves from the left.
  var inOrder: DecisionForest.Tree {
    var ordered = DecisionForest.Tree(nodes: [], leaves: [], leafNumbers: [])
    // Children that are still to come, and the node and side that will name them.
    var rest: [(child: Int32, parent: Int, isRight: Bool)] = [(nodes.isEmpty ? ~0 : 0, -1, false)]
    while let (child, parent, isRight) = rest.popLast() {
      let place: Int32
      if child >= 0 {
        place = Int32(ordered.nodes.count)
        ordered.nodes.append(nodes[Int(child)])
        rest.append((nodes[Int(child)].right, Int(place), true))
        rest.append((nodes[Int(child)].left, Int(place), false))
      } else {
        place = ~Int32(ordered.leaves.count)
        ordered.leaves.append(leaves[Int(~child)])
        ordered.leafNumbers.append(leafNumbers[Int(~child)])
      }
      guard parent >= 0 else { continue }
      if isRight { ordered.nodes[parent].right = place } else { ordered.nodes[parent].left = place }
    }
    return ordered
  }
}

extension DecisionForest.Tree {
  /// The nodes, in preorder, of a tree that asks `levels[k]` everywhere on level `k`.
  static func obliviousNodes(_ levels: [DecisionForest.Node]) -> [DecisionForest.Node] {
    var nodes: [DecisionForest.Node] = []
    var leaf: Int32 = 0
    func grow(_ level: Int) -> Int32 {
      guard level < levels.count else {
        defer { leaf += 1 }
        return ~leaf
      }
      let place = nodes.count
      nodes.append(levels[level])
      nodes[place].left = grow(level + 1)
      nodes[place].right = grow(level + 1)
      return Int32(place)
    }
    _ = grow(0)
    return nodes
  }

  /// The decision of each level where every node of a level asks the same and all leaves lie on one level, else nil.
  ///
  /// - Precondition: the tree is in order.
  public var obliviousLevels: [DecisionForest.Node]? {
    guard leaves.count.nonzeroBitCount == 1 else { return nil }
    var levels: [DecisionForest.Node] = []
    var place: Int32 = nodes.isEmpty ? ~0 : 0
    while place >= 0, levels.count < 16 {
      levels.append(nodes[Int(place)])
      place = nodes[Int(place)].left
    }
    guard leaves.count == 1 << levels.count, Self.obliviousNodes(levels) == nodes else { return nil }
    // As kept, a level has no children.
    for level in levels.indices { (levels[level].left, levels[level].right) = (0, 0) }
    return levels
  }
}
