/// Decision trees as frozen: boosted or averaged, of one output or several; a raw score is the sum of one leaf a tree.
///
/// Trees ask *columns*, not features. A column is a feature seen in one way: through at most 255 ascending thresholds
/// and one rule for missing values, or through sets of categories. A feature with more thresholds, or with two rules,
/// has more columns than one. The *bin* of a value in a column is the number of thresholds strictly below it, so
/// `value <= thresholds[k]` exactly when `bin <= k`: binning loses nothing.
///
/// ```
///  row (f32, NaN = missing) ──► columns ──► bins (u8) ──► trees ──► leaves (f64) ──► sum in tree order ──► link
/// ```
public struct DecisionForest: Hashable, Sendable {
  /// When a value counts as missing.
  public enum Missing: UInt8, Hashable, Sendable, CaseIterable {
    /// Never: a NaN is compared as 0 (LightGBM's missing type none).
    case never = 0
    /// A NaN is missing.
    case nan = 1
    /// A NaN, and a magnitude up to 1e-35 (LightGBM's missing type zero).
    case nanOrZero = 2
  }

  /// Which library's reading of category values holds.
  public enum CategoryRule: UInt8, Hashable, Sendable, CaseIterable {
    /// Truncated toward zero; NaN and what is negative then go right, and so does a code beyond the set.
    case lightGBM = 0
    /// NaN takes the node's default side; a negative value and a code beyond the set go left.
    case xgboost = 1
  }

  /// How a column sees its feature.
  public enum Sight: Hashable, Sendable {
    /// Thresholds, strictly ascending, 1 to 255; the first may be minus infinity, the last infinity.
    case thresholds([Float], missing: Missing)
    /// Sets of category codes that go left: code `c` is bit `c % 32` of word `c / 32`.
    case categories([[UInt32]], rule: CategoryRule)
  }

  /// A feature seen in one way.
  public struct Column: Hashable, Sendable {
    /// The feature, as an index into the row.
    public var feature: Int
    /// How it is seen.
    public var sight: Sight

    /// A column.
    public init(feature: Int, sight: Sight) {
      self.feature = feature
      self.sight = sight
    }

    /// Tests that a node can choose from: thresholds, or sets.
    public var testCount: Int {
      switch sight {
      case .thresholds(let list, _): list.count
      case .categories(let sets, _): sets.count
      }
    }
  }

  /// A decision: left where `value <= thresholds[test]`, or where the category is in `sets[test]`.
  public struct Node: Hashable, Sendable {
    /// The column asked.
    public var column: UInt16
    /// The threshold or the set of the column.
    public var test: UInt16
    /// Side of a missing value.
    public var missingGoesRight: Bool
    /// Child of the left side: a node where >= 0, the leaf `~left` otherwise.
    public var left: Int32
    /// Child of the right side.
    public var right: Int32

    /// A decision.
    public init(column: UInt16, test: UInt16, missingGoesRight: Bool, left: Int32, right: Int32) {
      self.column = column
      self.test = test
      self.missingGoesRight = missingGoesRight
      self.left = left
      self.right = right
    }
  }

  /// One tree: the root is node 0, children come after their parents, a tree without nodes is its only leaf.
  public struct Tree: Hashable, Sendable {
    /// Decisions.
    public var nodes: [Node]
    /// Values, one more than nodes.
    public var leaves: [Double]
    /// What the trainer calls each leaf: LightGBM's leaf index, XGBoost's node id, CatBoost's leaf number.
    public var leafNumbers: [UInt32]

    /// A tree; leaves are numbered in their order unless told otherwise.
    public init(nodes: [Node], leaves: [Double], leafNumbers: [UInt32]? = nil) {
      self.nodes = nodes
      self.leaves = leaves
      self.leafNumbers = leafNumbers ?? (0..<UInt32(leaves.count)).map { $0 }
    }
  }

  /// How leaves are added up.
  public enum Accumulation: UInt8, Hashable, Sendable, CaseIterable {
    /// In double precision.
    case double = 0
    /// In single precision, each leaf and each partial sum a Float.
    case single = 1
  }

  /// Most trees.
  public static let treeCountMax = 16_384
  /// Most leaves of a tree.
  public static let leafCountMax = 32_768
  /// Most thresholds of a column: bins are 8 bits.
  public static let thresholdCountMax = 255
  /// Most features of a row.
  public static let featureCountMax = 4_096
  /// Most columns.
  public static let columnCountMax = 8_192
  /// Most outputs.
  public static let outputCountMax = 256

  /// Features of a row.
  public var featureCount: Int
  /// What the nodes ask.
  public var columns: [Column]
  /// The trees, in the order of the sum; tree `t` adds to output `t % outputCount`.
  public var trees: [Tree]
  /// Raw scores a row gets.
  public var outputCount: Int
  /// How leaves are added up.
  public var accumulation: Accumulation
  /// What each sum starts from (XGBoost's margin), one value an output.
  public var start: [Double]
  /// The raw score is `sum × scale + bias` (CatBoost); 1 elsewhere.
  public var scale: Double
  /// The same formula's bias, one value an output; 0 elsewhere.
  public var bias: [Double]
  /// The link reads `raw / divisor`: the number of iterations of a random forest, 1 elsewhere.
  public var divisor: Double
  /// From raw score to prediction.
  public var link: Link

  /// A forest; `fault` says whether it is sound.
  public init(
    featureCount: Int, columns: [Column], trees: [Tree], outputCount: Int = 1, accumulation: Accumulation = .double,
    start: [Double]? = nil, scale: Double = 1, bias: [Double]? = nil, divisor: Double = 1, link: Link
  ) {
    self.featureCount = featureCount
    self.columns = columns
    self.trees = trees
    self.outputCount = outputCount
    self.accumulation = accumulation
    self.start = start ?? [Double](repeating: 0, count: outputCount)
    self.scale = scale
    self.bias = bias ?? [Double](repeating: 0, count: outputCount)
    self.divisor = divisor
    self.link = link
  }
}
