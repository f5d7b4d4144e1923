public import TradingTypes

/// Boosted decision trees over binned features, as frozen: the answer is the sum of one leaf a tree.
///
/// A row's bin of a feature is the number of the model's own thresholds of it strictly below the value, so
/// `value <= thresholds[k]` exactly when `bin <= k`: binning loses nothing.
public struct TreeModel: Hashable, Sendable {
  /// A decision: left where the bin is at most `bin`, or where the value is missing and `missingGoesRight` is false.
  public struct Node: Hashable, Sendable {
    /// Slot of the feature vector.
    public var feature: UInt8
    /// The largest bin that goes left; thresholds[feature][bin] in values.
    public var bin: UInt8
    /// Side of a missing value.
    public var missingGoesRight: Bool
    /// Child of the left side: a node where >= 0, the leaf `~left` otherwise.
    public var left: Int16
    /// Child of the right side.
    public var right: Int16

    /// A decision.
    public init(feature: UInt8, bin: UInt8, missingGoesRight: Bool, left: Int16, right: Int16) {
      self.feature = feature
      self.bin = bin
      self.missingGoesRight = missingGoesRight
      self.left = left
      self.right = right
    }
  }

  /// One tree: children come after their parents, and a tree without nodes is its only leaf.
  public struct Tree: Hashable, Sendable {
    /// Decisions, the root first.
    public var nodes: [Node]
    /// Values, one more than nodes.
    public var leaves: [Double]

    /// A tree.
    public init(nodes: [Node], leaves: [Double]) {
      self.nodes = nodes
      self.leaves = leaves
    }
  }

  /// Most trees a model may have.
  public static let treeCountMax = 4096
  /// Most leaves a tree may have; up to 32 run in the vector kernels, larger ones are walked.
  public static let leafCountMax = 1024
  /// Most thresholds of one feature: bins are 8 bits.
  public static let thresholdCountMax = 255

  /// Thresholds of each of the 96 slots, strictly ascending.
  public var thresholds: [[Float]]
  /// Features where a value within 1e-35 of zero counts as missing.
  public var zeroIsMissing: FeatureMask
  /// The trees, in the order of the sum.
  public var trees: [Tree]
  /// The logit is the sum times this.
  public var scale: Double

  /// A model; `fault` says whether it is sound.
  public init(thresholds: [[Float]], zeroIsMissing: FeatureMask, trees: [Tree], scale: Double) {
    self.thresholds = thresholds
    self.zeroIsMissing = zeroIsMissing
    self.trees = trees
    self.scale = scale
  }

  /// The first rule the model breaks, or nil: shapes, order, ranges, and that each tree is one tree.
  public var fault: String? {
    guard thresholds.count == FeatureVector.count else { return "thresholds of 96 slots" }
    for (slot, list) in thresholds.enumerated() {
      guard list.count <= Self.thresholdCountMax else { return "at most 255 thresholds of slot \(slot)" }
      guard list.allSatisfy(\.isFinite), zip(list, list.dropFirst()).allSatisfy(<) else {
        return "finite ascending thresholds of slot \(slot)"
      }
    }
    guard (1...Self.treeCountMax).contains(trees.count) else { return "1 to \(Self.treeCountMax) trees" }
    guard scale.isFinite, scale > 0 else { return "a positive finite scale" }
    for (number, tree) in trees.enumerated() {
      if let fault = fault(of: tree) { return "tree \(number) with \(fault)" }
    }
    return nil
  }

  private func fault(of tree: Tree) -> String? {
    guard (1...Self.leafCountMax).contains(tree.leaves.count) else { return "1 to \(Self.leafCountMax) leaves" }
    guard tree.nodes.count == tree.leaves.count - 1 else { return "one node fewer than leaves" }
    // Magnitudes are bounded so that no sum of leaves can overflow.
    guard tree.leaves.allSatisfy({ abs($0) <= 1e100 }) else { return "finite leaves up to 1e100" }
    var nodeSeen = [Bool](repeating: false, count: tree.nodes.count)
    var leafSeen = [Bool](repeating: false, count: tree.leaves.count)
    for (place, node) in tree.nodes.enumerated() {
      guard node.feature < FeatureVector.count, node.bin < thresholds[Int(node.feature)].count else {
        return "a threshold for node \(place)"
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
