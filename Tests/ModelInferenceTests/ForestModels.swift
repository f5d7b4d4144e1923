import LockFreeRings
import ModelInference
import TradingTypes

/// How the trees of a random forest grow.
enum ForestShape: Hashable, CustomStringConvertible {
  /// Random leaves are split again and again, up to some leaves.
  case leafWise(Int)
  /// Up to some leaves and levels; smaller trees among them, single leaves too.
  case mixed(leaves: Int, levels: Int)
  /// Every level full.
  case perfect(Int)
  /// Every level full, and one question a level.
  case oblivious(Int)
  /// One node below the other.
  case chain(Int)

  var description: String {
    switch self {
    case .leafWise(let leaves): "leaf-wise \(leaves)"
    case .mixed(let leaves, let levels): "mixed \(leaves) leaves \(levels) levels"
    case .perfect(let levels): "perfect \(levels)"
    case .oblivious(let levels): "oblivious \(levels)"
    case .chain(let levels): "chain \(levels)"
    }
  }
}

/// Seeded forests and rows, with the corners that matter made frequent.
struct ForestModels {
  var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// Columns: of features in turn, so that more columns than features means several a feature.
  struct Columns {
    var features = 20
    var columns = 20
    /// One in so many columns has categories; 0 for none.
    var categoriesOneIn = 0
    var missing: [DecisionForest.Missing] = DecisionForest.Missing.allCases
    var lengths = [1, 2, 7, 15, 16, 17, 31, 32, 33, 254, 255]
  }

  mutating func value() -> Float {
    switch random.below(14) {
    case 0: 0
    case 1: -0.0
    case 2: 1e-36
    case 3: -1e-34
    case 4: .leastNonzeroMagnitude
    case 5: 1e30 * Float(random.unit() - 0.5)
    case 6: Float(1e-35)
    case 7: -Float.leastNormalMagnitude
    default: Float(random.unit() * 8 - 4)
    }
  }

  mutating func columns(_ wish: Columns) -> [DecisionForest.Column] {
    (0..<wish.columns).map { number in
      let feature = number % wish.features
      if wish.categoriesOneIn > 0, number % wish.categoriesOneIn == 0 {
        let rule: DecisionForest.CategoryRule = random.below(2) == 0 ? .lightGBM : .xgboost
        let sets = (0..<1 + random.below(4)).map { _ in
          (0..<random.below(4)).map { _ in UInt32(truncatingIfNeeded: random.next()) }
        }
        return DecisionForest.Column(feature: feature, sight: .categories(sets, rule: rule))
      }
      let length = wish.lengths[random.below(wish.lengths.count)]
      var list = Set<Float>()
      while list.count < length {
        // No -0.0 beside 0: they are one threshold.
        let next = value() + 0
        list.insert(next)
      }
      let missing = wish.missing[random.below(wish.missing.count)]
      return DecisionForest.Column(feature: feature, sight: .thresholds(list.sorted(), missing: missing))
    }
  }

  mutating func node(_ columns: [DecisionForest.Column], left: Int, right: Int) -> DecisionForest.Node {
    let column = random.below(columns.count)
    return DecisionForest.Node(
      column: UInt16(column), test: UInt16(random.below(columns[column].testCount)),
      missingGoesRight: random.below(2) == 0, left: Int32(left), right: Int32(right))
  }

  mutating func tree(
    _ columns: [DecisionForest.Column], _ shape: ForestShape, accumulation: DecisionForest.Accumulation
  )
    -> DecisionForest.Tree
  {
    var nodes: [DecisionForest.Node] = []
    // Where each leaf hangs: node, side and level.
    var hooks: [(node: Int, isLeft: Bool, level: Int)] = [(-1, true, 0)]
    func split(_ leaf: Int, _ fresh: DecisionForest.Node) {
      let place = nodes.count
      let hook = hooks[leaf]
      if hook.node >= 0 {
        if hook.isLeft { nodes[hook.node].left = Int32(place) } else { nodes[hook.node].right = Int32(place) }
      }
      var fresh = fresh
      (fresh.left, fresh.right) = (Int32(~leaf), Int32(~hooks.count))
      nodes.append(fresh)
      hooks[leaf] = (place, true, hook.level + 1)
      hooks.append((place, false, hook.level + 1))
    }
    switch shape {
    case .leafWise(let leaves):
      while hooks.count < leaves { split(random.below(hooks.count), node(columns, left: 0, right: 0)) }
    case .mixed(let leaves, let levels):
      let count = 1 + random.below(leaves)
      for _ in 0..<4 * leaves where hooks.count < count {
        let leaf = random.below(hooks.count)
        if hooks[leaf].level < levels { split(leaf, node(columns, left: 0, right: 0)) }
      }
    case .perfect(let levels), .oblivious(let levels):
      var isOblivious = false
      if case .oblivious = shape { isOblivious = true }
      for _ in 0..<levels {
        let shared = node(columns, left: 0, right: 0)
        for leaf in 0..<hooks.count { split(leaf, isOblivious ? shared : node(columns, left: 0, right: 0)) }
      }
    case .chain(let levels):
      for _ in 0..<levels {
        split(random.below(2) == 0 ? hooks.count - 1 : max(0, hooks.count - 2), node(columns, left: 0, right: 0))
      }
    }
    let leaves = hooks.map { _ in
      let leaf = (random.unit() - 0.5) * 2
      return accumulation == .single ? Double(Float(leaf)) : leaf
    }
    let numbers = leaves.indices.map { UInt32($0 * 3 + 7) }
    return DecisionForest.Tree(nodes: nodes, leaves: leaves, leafNumbers: numbers)
  }

  mutating func forest(
    _ shape: ForestShape, trees: Int, columns wish: Columns = Columns(), outputs: Int = 1,
    accumulation: DecisionForest.Accumulation = .double
  ) -> DecisionForest {
    let columns = columns(wish)
    let list = (0..<trees * outputs).map { _ in tree(columns, shape, accumulation: accumulation) }
    return DecisionForest(
      featureCount: wish.features, columns: columns, trees: list, outputCount: outputs, accumulation: accumulation,
      start: (0..<outputs).map { _ in random.unit() }, scale: 0.5 + random.unit(),
      bias: (0..<outputs).map { _ in random.unit() }, link: .identity)
  }

  /// A row for a forest: values at thresholds and one step beside them, category codes, corners, holes.
  mutating func row(for forest: DecisionForest, missingOneIn rate: Int) -> [Float] {
    var row = (0..<forest.featureCount).map { _ in value() }
    for column in forest.columns {
      switch column.sight {
      case .thresholds(let list, _):
        let threshold = list[random.below(list.count)]
        switch random.below(6) {
        case 0: row[column.feature] = threshold
        case 1: row[column.feature] = threshold.nextUp
        case 2: row[column.feature] = threshold.nextDown
        case 3: row[column.feature] = Float(random.unit() * 8 - 4)
        default: break
        }
      case .categories:
        let codes: [Float] = [0, -0.0, 3.7, -0.5, -1, -2, 200, 1e9, .infinity, 31, 32, 63.5]
        row[column.feature] =
          random.below(2) == 0 ? codes[random.below(codes.count)] : Float(random.below(110))
      }
    }
    for feature in row.indices {
      if random.below(40) == 0 { row[feature] = random.below(2) == 0 ? .infinity : -.infinity }
      if rate > 0, random.below(rate) == 0 { row[feature] = .nan }
    }
    return row
  }
}

extension DecisionForest {
  /// The exit leaves of the reference, as the trainer numbers them.
  func leafNumbersReference(_ row: [Float]) -> [UInt32] {
    zip(trees, exitLeavesReference(row)).map { $0.leafNumbers[$1] }
  }
}
