internal import CKernels

/// The trees of a forest laid out in one form, as lists.
struct ForestLayout {
  let form: ForestForm
  let stride: Int
  /// Trees of a window.
  let window: Int
  var tables: [UInt8] = []
  var windows: [martlet_window] = []
  var roots: [UInt32] = []
  /// The place of each tree in its window, and the tree at each place; whole windows.
  var places: [UInt8] = []
  var order: [UInt8] = []
  /// Leaves from one tree to the next, 0 where that varies.
  var leafStride = 0
  var leafStart: [UInt32] = []
  var leaves: [Double] = []
  var leafNumbers: [UInt32] = []

  /// Lays the trees out, or nil where they do not fit the form.
  init?(_ lookups: ForestLookups, as form: ForestForm) {
    self.form = form
    stride = lookups.stride
    // Half a window keeps the last additions, which nothing hides, few; many trees gain nothing from it.
    let isHalved = (form == .doubling || form == .wholeTree) && lookups.trees.count <= 128
    window = Int(MARTLET_WINDOW) / (isHalved ? 2 : 1)
    guard form == .lockStep || lookups.count <= Int(MARTLET_LOOKUPS) else { return nil }
    let trees = lookups.trees
    let isLaidOut =
      switch form {
      case .lockStep: addLockStep(trees)
      case .oblivious: addOblivious(trees)
      case .eightTrees: addHeaps(trees, levelsMax: 3)
      case .wholeTree: addHeaps(trees, levelsMax: 6)
      case .blocks: addBlocks(trees)
      case .doubling: addDoubling(trees)
      case .bitvectors32: addBitvectors(trees, bits: 32)
      case .bitvectors64: addBitvectors(trees, bits: 64)
      case .twoBlocks: addTwoBlocks(trees)
      }
    if !isLaidOut { return nil }
    spaceLeaves()
  }

  /// Puts the leaves of the trees at one distance, unless that would waste more than the leaves take.
  private mutating func spaceLeaves() {
    let ends = leafStart.dropFirst().map { Int($0) } + [leaves.count]
    let widest = zip(leafStart, ends).map { $1 - Int($0) }.max() ?? 0
    guard widest * leafStart.count <= 2 * leaves.count + 1024 else { return }
    var spaced = [Double](repeating: 0, count: widest * leafStart.count)
    var numbers = [UInt32](repeating: 0, count: widest * leafStart.count)
    for (tree, end) in ends.enumerated() {
      for (offset, leaf) in (Int(leafStart[tree])..<end).enumerated() {
        spaced[widest * tree + offset] = leaves[leaf]
        numbers[widest * tree + offset] = leafNumbers[leaf]
      }
      leafStart[tree] = UInt32(widest * tree)
    }
    (leaves, leafNumbers, leafStride) = (spaced, numbers, widest)
  }

  /// The first tree of each window, and its trees.
  func windows(_ trees: [ForestLookups.Tree]) -> [(first: Int, trees: ArraySlice<ForestLookups.Tree>)] {
    Swift.stride(from: 0, to: trees.count, by: window).map { ($0, trees[$0..<min($0 + window, trees.count)]) }
  }

  /// The lookup of a node as the vector forms read it: with the side of a missing value in the highest bit.
  func lookupByte(_ node: ForestLookups.Node) -> UInt8 { UInt8(node.lookup) | (node.missingGoesLeft ? 0x80 : 0) }

  /// Rows of `width` lookups and as many bins behind them; a node that is never set never goes right.
  mutating func addIdleNodes(_ width: Int = 64) {
    tables += [UInt8](repeating: 0, count: width) + [UInt8](repeating: 255, count: width)
  }

  mutating func set(_ node: ForestLookups.Node, at byte: Int, width: Int = 64) {
    tables[byte] = lookupByte(node)
    tables[byte + width] = node.bin
  }

  /// The leaves of a tree as they are.
  mutating func addLeaves(_ tree: ForestLookups.Tree) {
    leafStart.append(UInt32(leaves.count))
    leaves += tree.leaves
    leafNumbers += tree.leafNumbers
  }

  /// Some leaves of a tree in another order; -1 for a place that no row reaches.
  mutating func addLeaves(_ tree: ForestLookups.Tree, order: [Int]) {
    leafStart.append(UInt32(leaves.count))
    leaves += order.map { $0 < 0 ? 0 : tree.leaves[$0] }
    leafNumbers += order.map { $0 < 0 ? 0 : tree.leafNumbers[$0] }
  }

  /// Places the trees of a window, the largest key first, and gives them in that order.
  mutating func sort(_ trees: ArraySlice<ForestLookups.Tree>, by keys: [Int]) -> [Int] {
    let sorted = keys.indices.sorted { (-keys[$0], $0) < (-keys[$1], $1) } + Array(keys.count..<window)
    var place = [UInt8](repeating: 0, count: window)
    // Below 64.
    for (position, tree) in sorted.enumerated() { place[tree] = UInt8(position) }
    places += place
    order += sorted.map { UInt8($0) }
    return sorted.prefix(keys.count).map { trees.startIndex + $0 }
  }

  mutating func keepOrder() {
    places += (0..<UInt8(window))
    order += (0..<UInt8(window))
  }

  mutating func addWindow(offset: Int, count: Int, width: Int = 0, rounds: [Int] = []) {
    func round(_ index: Int) -> UInt16 { index < rounds.count ? UInt16(rounds[index]) : 0 }
    windows.append(
      martlet_window(
        offset: UInt64(offset), count: UInt32(count), width: UInt32(width),
        rounds: (
          round(0), round(1), round(2), round(3), round(4), round(5), round(6), round(7), round(8), round(9), round(10),
          round(11), round(12), round(13), round(14), round(15)
        )))
  }
}
