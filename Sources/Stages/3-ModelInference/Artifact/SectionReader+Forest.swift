// A forest as an artifact holds it; `LittleEndianBytes+Forest` has the other side.
//
// features u32, outputs u32, accumulation u8, link u8, two zero bytes, columns u32, trees u32, 0 u32;
// scale, divisor, link scale (f64), start and bias of each output (f64); then each column:
//   feature u16, sight u8 (0–2 thresholds with that rule for missing values, 3–4 categories with that rule), 0 u8,
//   count u16, 0 u16, then the thresholds (f32), or of each set a number of words (u32) and the words (u32);
// then each tree, nodes in preorder and leaves from the left:
//   leaves u32, form u8 (bit 0 leaves in double precision, bit 1 numbers follow, bit 2 oblivious), 0 u8 × 3,
//   nodes: column u16 with "the left child is a leaf" in bit 14 and "the right child" in bit 15, test u16 with the side
//   of a missing value in bit 15; of an oblivious tree one entry a level, bits 14 and 15 of the column 0;
//   padding to 4, leaves (f32 or f64), numbers (u32).
extension SectionReader {
  mutating func forest() throws(ArtifactError) -> DecisionForest {
    let featureCount = try count(1...DecisionForest.featureCountMax, "a number of features")
    let outputCount = try count(1...DecisionForest.outputCountMax, "a number of outputs")
    guard let accumulation = DecisionForest.Accumulation(rawValue: try integer(UInt8.self, "an accumulation")) else {
      throw refused("an accumulation of 0 or 1")
    }
    let linkCode = try integer(UInt8.self, "a link")
    try zero(UInt16.self)
    let columnCount = try count(0...DecisionForest.columnCountMax, "a number of columns")
    let treeCount = try count(1...DecisionForest.treeCountMax, "a number of trees")
    try padding(to: 8)
    let scale = try double("the scale")
    let divisor = try double("the divisor")
    let link = try link(code: linkCode, scale: double("the scale of the link"))
    var start: [Double] = []
    for _ in 0..<outputCount { start.append(try double("a start")) }
    var bias: [Double] = []
    for _ in 0..<outputCount { bias.append(try double("a bias")) }
    var columns: [DecisionForest.Column] = []
    for _ in 0..<columnCount { columns.append(try column()) }
    var trees: [DecisionForest.Tree] = []
    for _ in 0..<treeCount { trees.append(try tree()) }
    return DecisionForest(
      featureCount: featureCount, columns: columns, trees: trees, outputCount: outputCount, accumulation: accumulation,
      start: start, scale: scale, bias: bias, divisor: divisor, link: link)
  }

  /// A link from its code; codes without a scale carry 1.
  func link(code: UInt8, scale: Double) throws(ArtifactError) -> Link {
    switch code {
    case 1: return .logistic(scale: scale)
    case 0 where scale == 1: return .identity
    case 2 where scale == 1: return .softmax
    case 3 where scale == 1: return .exponential
    default: throw refused("a link from 0 to 3, with scale 1 unless logistic")
    }
  }

  mutating func zero<I: FixedWidthInteger & BitwiseCopyable>(_: I.Type) throws(ArtifactError) {
    guard try integer(I.self, "reserved bytes") == 0 else { throw refused("reserved bytes of 0") }
  }

  private mutating func column() throws(ArtifactError) -> DecisionForest.Column {
    let feature = Int(try integer(UInt16.self, "a feature"))
    let sight = try integer(UInt8.self, "a sight")
    try zero(UInt8.self)
    let count = Int(try integer(UInt16.self, "a number of tests"))
    try zero(UInt16.self)
    if let missing = DecisionForest.Missing(rawValue: sight) {
      var list: [Float] = []
      for _ in 0..<count { list.append(try threshold()) }
      return DecisionForest.Column(feature: feature, sight: .thresholds(list, missing: missing))
    }
    guard sight >= 3, let rule = DecisionForest.CategoryRule(rawValue: sight - 3) else {
      throw refused("a sight from 0 to 4")
    }
    var sets: [[UInt32]] = []
    for _ in 0..<count {
      let wordCount = try self.count(0...(1 << 19), "a number of words")
      var words: [UInt32] = []
      for _ in 0..<wordCount { words.append(try integer(UInt32.self, "a word of categories")) }
      sets.append(words)
    }
    return DecisionForest.Column(feature: feature, sight: .categories(sets, rule: rule))
  }

  /// A number that may be infinite.
  private mutating func threshold() throws(ArtifactError) -> Float {
    let value = Float(bitPattern: try integer(UInt32.self, "a threshold"))
    guard !value.isNaN else { throw refused("a threshold that is a number") }
    return value
  }

  private mutating func tree() throws(ArtifactError) -> DecisionForest.Tree {
    let leafCount = try count(1...DecisionForest.leafCountMax, "a number of leaves")
    let form = try integer(UInt8.self, "the form of a tree")
    guard form <= 7 else { throw refused("the form of a tree from 0 to 7") }
    try zero(UInt8.self)
    try zero(UInt16.self)
    let nodes = form & 4 == 0 ? try preorderNodes(leafCount) : try levels(leafCount)
    try padding(to: 4)
    var leaves: [Double] = []
    for _ in 0..<leafCount { leaves.append(form & 1 == 1 ? try double("a leaf") : Double(try float("a leaf"))) }
    var numbers: [UInt32]?
    if form & 2 == 2 {
      var list: [UInt32] = []
      for _ in 0..<leafCount { list.append(try integer(UInt32.self, "the number of a leaf")) }
      numbers = list
    }
    return DecisionForest.Tree(nodes: nodes, leaves: leaves, leafNumbers: numbers)
  }

  private mutating func decision() throws(ArtifactError) -> (node: DecisionForest.Node, sides: UInt16) {
    let column = try integer(UInt16.self, "a column")
    let test = try integer(UInt16.self, "a test")
    let node = DecisionForest.Node(
      column: column & 0x3FFF, test: test & 0x7FFF, missingGoesRight: test >> 15 == 1, left: 0, right: 0)
    return (node, column >> 14)
  }

  private mutating func preorderNodes(_ leafCount: Int) throws(ArtifactError) -> [DecisionForest.Node] {
    var nodes: [DecisionForest.Node] = []
    // Right children that are still to come, innermost last; a leaf is given out as it is met.
    var waiting: [Int] = []
    var leaf: Int32 = 0
    for place in 0..<(leafCount - 1) {
      var (node, sides) = try decision()
      if place > 0 {
        // The node before took this one as its left child, or the innermost waiting node takes it as its right.
        if nodes[place - 1].left == 0 {
          nodes[place - 1].left = Int32(place)
        } else {
          guard let parent = waiting.popLast() else { throw refused("one tree") }
          nodes[parent].right = Int32(place)
        }
      }
      if sides & 1 == 1 {
        node.left = ~leaf
        leaf += 1
        if sides & 2 == 2 {
          node.right = ~leaf
          leaf += 1
        }
      }
      nodes.append(node)
      if sides & 2 == 0 {
        waiting.append(place)
      } else if sides & 1 == 0 {
        // Its leaf comes after everything below its left child.
        waiting.append(~place)
      }
      // What waits with a leaf is done as soon as nothing below it is left.
      if sides & 3 == 3 {
        while let last = waiting.last, last < 0 {
          nodes[~last].right = ~leaf
          leaf += 1
          waiting.removeLast()
        }
      }
    }
    guard waiting.isEmpty, leaf == leafCount || leafCount == 1 else { throw refused("one tree") }
    return nodes
  }

  private mutating func levels(_ leafCount: Int) throws(ArtifactError) -> [DecisionForest.Node] {
    let depth = leafCount.trailingZeroBitCount
    guard leafCount == 1 << depth else { throw refused("a power of two of leaves in an oblivious tree") }
    var levels: [DecisionForest.Node] = []
    for _ in 0..<depth {
      let (node, sides) = try decision()
      guard sides == 0 else { throw refused("a level without leaves") }
      levels.append(node)
    }
    return DecisionForest.Tree.obliviousNodes(levels)
  }
}
