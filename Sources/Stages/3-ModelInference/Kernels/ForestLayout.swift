internal import CKernels

/// The trees of a forest laid out in one form, as lists.
struct ForestLayout {
  static let window = Int(MARTLET_WINDOW)

  let form: ForestForm
  let stride: Int
  var tables: [UInt8] = []
  var windows: [martlet_window] = []
  var roots: [UInt32] = []
  var places: [UInt8] = []
  var leafStart: [UInt32] = []
  var leaves: [Double] = []
  var leafNumbers: [UInt32] = []

  /// Lays the trees out, or nil where they do not fit the form.
  init?(_ lookups: ForestLookups, as form: ForestForm) {
    self.form = form
    stride = lookups.stride
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
      }
    if !isLaidOut { return nil }
  }

  /// Calls `body` with the first tree of each window and its trees.
  static func forEachWindow(
    _ trees: [ForestLookups.Tree], _ body: (_ first: Int, _ window: ArraySlice<ForestLookups.Tree>) -> Void
  ) {
    for first in Swift.stride(from: 0, to: trees.count, by: window) {
      body(first, trees[first..<min(first + window, trees.count)])
    }
  }

  /// The lookup of a node as the vector forms read it: with the side of a missing value in the bits that are free.
  func lookupByte(_ node: ForestLookups.Node) -> UInt8 {
    UInt8(node.lookup) | (node.missingGoesRight ? (stride == 64 ? 0xC0 : 0x80) : 0)
  }

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

  /// Trees of a window, the largest key first; notes the place of each.
  mutating func sort(_ trees: ArraySlice<ForestLookups.Tree>, by keys: [Int]) -> [Int] {
    let order = keys.indices.sorted { (-keys[$0], $0) < (-keys[$1], $1) }
    var place = [UInt8](repeating: 0, count: keys.count)
    // Below 64.
    for (position, tree) in order.enumerated() { place[tree] = UInt8(position) }
    places += place
    return order.map { trees.startIndex + $0 }
  }

  mutating func keepOrder(_ trees: ArraySlice<ForestLookups.Tree>) { places += (0..<UInt8(trees.count)) }

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
