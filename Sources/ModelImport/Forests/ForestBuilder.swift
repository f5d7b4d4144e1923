public import ModelInference

/// Gathers the trees of any tool into a `DecisionForest`: every feature gets its columns, every node its test.
///
/// A feature seen through one rule for missing values gets one column for each 255 of its distinct thresholds, in
/// ascending order; its sets of categories get one more. The order of the trees and of their leaves is kept.
public struct ForestBuilder: Sendable {
  /// What a node asks.
  public enum Test: Hashable, Sendable {
    /// `value <= threshold` goes left; the threshold is not NaN.
    case threshold(Float, missing: DecisionForest.Missing)
    /// A category of the set goes left: code `c` is bit `c % 32` of word `c / 32`.
    case categories([UInt32], rule: DecisionForest.CategoryRule)
  }

  /// A decision, before its feature has columns.
  public struct Node: Hashable, Sendable {
    /// The feature asked.
    public var feature: Int
    /// The question.
    public var test: Test
    /// Side of a missing value.
    public var missingGoesRight: Bool
    /// Child of the left side: a node where >= 0, the leaf `~left` otherwise.
    public var left: Int
    /// Child of the right side.
    public var right: Int

    /// A decision.
    public init(feature: Int, test: Test, missingGoesRight: Bool, left: Int, right: Int) {
      self.feature = feature
      self.test = test
      self.missingGoesRight = missingGoesRight
      self.left = left
      self.right = right
    }
  }

  /// A tree: the root is node 0, children come after their parents, a tree without nodes is its only leaf.
  public struct Tree: Hashable, Sendable {
    /// Decisions.
    public var nodes: [Node]
    /// Values, one more than nodes.
    public var leaves: [Double]
    /// What the tool calls each leaf; nil numbers them in order.
    public var leafNumbers: [UInt32]?

    /// A tree.
    public init(nodes: [Node], leaves: [Double], leafNumbers: [UInt32]? = nil) {
      self.nodes = nodes
      self.leaves = leaves
      self.leafNumbers = leafNumbers
    }
  }

  /// A feature and the rule it is seen through: what shares columns.
  private struct View: Hashable, Comparable {
    var feature: Int
    var rule: Int

    static func < (one: View, other: View) -> Bool {
      (one.feature, one.rule) < (other.feature, other.rule)
    }

    init(_ node: Node) {
      feature = node.feature
      switch node.test {
      case .threshold(_, let missing): rule = Int(missing.rawValue)
      case .categories(_, let kind): rule = 16 + Int(kind.rawValue)
      }
    }
  }

  /// Most sets of one column: nodes number them with 16 bits.
  private static let setCountMax = Int(Int16.max)

  /// Columns and trees of a forest whose other values are the caller's.
  ///
  /// - Returns: a forest with `featureCount`, `columns`, `trees` and `outputCount` set, and the defaults elsewhere. It
  ///   may break a rule: `DecisionForest.fault` says which.
  /// - Complexity: O(nodes × log nodes).
  public static func forest(
    featureCount: Int, trees: [Tree], outputCount: Int, accumulation: DecisionForest.Accumulation, link: Link
  ) -> DecisionForest {
    var thresholds: [View: Set<Float>] = [:]
    var sets: [View: [[UInt32]: Int]] = [:]
    for tree in trees {
      for node in tree.nodes {
        switch node.test {
        case .threshold(let value, _): thresholds[View(node), default: []].insert(value)
        case .categories(let set, _):
          let view = View(node)
          let place = sets[view]?.count ?? 0
          if sets[view]?[set] == nil { sets[view, default: [:]][set] = place }
        }
      }
    }

    var columns: [DecisionForest.Column] = []
    var thresholdPlace: [View: (firstColumn: Int, size: Int, places: [Float: Int])] = [:]
    var setColumn: [View: Int] = [:]
    for view in (Array(thresholds.keys) + Array(sets.keys)).sorted() {
      if let values = thresholds[view] {
        let list = values.sorted()
        let pieces = (list.count - 1) / DecisionForest.thresholdCountMax + 1
        let size = (list.count - 1) / pieces + 1
        let places = Dictionary(uniqueKeysWithValues: list.enumerated().map { ($1, $0) })
        thresholdPlace[view] = (columns.count, size, places)
        let missing = DecisionForest.Missing(rawValue: UInt8(view.rule)) ?? .never
        for start in stride(from: 0, to: list.count, by: size) {
          let piece = Array(list[start..<min(start + size, list.count)])
          columns.append(.init(feature: view.feature, sight: .thresholds(piece, missing: missing)))
        }
      } else if let places = sets[view] {
        setColumn[view] = columns.count
        let list = places.sorted { $0.value < $1.value }.map(\.key)
        let rule = DecisionForest.CategoryRule(rawValue: UInt8(view.rule - 16)) ?? .lightGBM
        for start in stride(from: 0, to: list.count, by: setCountMax) {
          let piece = Array(list[start..<min(start + setCountMax, list.count)])
          columns.append(.init(feature: view.feature, sight: .categories(piece, rule: rule)))
        }
      }
    }

    func placed(_ node: Node) -> DecisionForest.Node {
      let view = View(node)
      var column = 0
      var test = 0
      switch node.test {
      case .threshold(let value, _):
        if let (first, size, places) = thresholdPlace[view], let place = places[value] {
          (column, test) = (first + place / size, place % size)
        }
      case .categories(let set, _):
        if let first = setColumn[view], let place = sets[view]?[set] {
          (column, test) = (first + place / setCountMax, place % setCountMax)
        }
      }
      // Clamped, so that what is too large is a fault of the forest and not a trap: limits are far below.
      return DecisionForest.Node(
        column: UInt16(clamping: column), test: UInt16(clamping: test), missingGoesRight: node.missingGoesRight,
        left: Int32(clamping: node.left), right: Int32(clamping: node.right))
    }
    return DecisionForest(
      featureCount: featureCount, columns: columns,
      trees: trees.map { tree in
        DecisionForest.Tree(nodes: tree.nodes.map(placed), leaves: tree.leaves, leafNumbers: tree.leafNumbers)
      }, outputCount: outputCount, accumulation: accumulation, link: link)
  }

  /// The largest single that is not above a double: `x <= double` and `x <= single` are one question for every single x.
  ///
  /// Minus infinity where the double is below what single precision reaches.
  /// - Source: treelite issue 115 shows what rounding to nearest breaks: rows exactly at a threshold.
  public static func roundedDown(_ threshold: Double) -> Float {
    let nearest = Float(threshold)
    return Double(nearest) > threshold ? nearest.nextDown : nearest
  }
}

extension ForestBuilder {
  /// Brings the nodes of a tree that names them by any number into the order of `Tree`: parents first, level by level,
  /// leaves as they are met.
  ///
  /// - Parameters:
  ///   - count: nodes and leaves there are, numbered from 0; 0 is the root.
  ///   - children: both children of a node, nil of a leaf.
  /// - Returns: the numbers of the nodes and of the leaves in their new order, and the new code of each number; nil
  ///   where a number is out of range or met twice.
  static func levels(
    count: Int, children: (Int) -> (left: Int, right: Int)?
  ) -> (nodes: [Int], leaves: [Int], codes: [Int])? {
    var codes = [Int?](repeating: nil, count: count)
    var nodes: [Int] = []
    var leaves: [Int] = []
    var queue = [0]
    var head = 0
    while head < queue.count {
      let number = queue[head]
      head += 1
      guard codes.indices.contains(number), codes[number] == nil else { return nil }
      if let (left, right) = children(number) {
        codes[number] = nodes.count
        nodes.append(number)
        queue.append(left)
        queue.append(right)
      } else {
        codes[number] = ~leaves.count
        leaves.append(number)
      }
    }
    return (nodes, leaves, codes.map { $0 ?? 0 })
  }
}
