internal import CKernels

// Forms that compare every node and find the leaves in the masks.
extension ForestLayout {
  /// Levels of 64 trees, the root's first: bit k of a leaf's place is the decision of level k.
  mutating func addOblivious(_ trees: [ForestLookups.Tree]) -> Bool {
    var levels: [[ForestLookups.Node]] = []
    for tree in trees {
      guard let list = Self.obliviousLevels(tree), list.count <= 15 else { return false }
      levels.append(list)
      let order = (0..<1 << list.count).map { bits in
        var place = tree.root
        var level = 0
        while place >= 0 {
          place = bits >> level & 1 == 1 ? tree.nodes[place].right : tree.nodes[place].left
          level += 1
        }
        return ~place
      }
      addLeaves(tree, order: order)
    }
    for (first, some) in windows(trees) {
      keepOrder()
      let base = tables.count
      let count = levels[first..<first + some.count].map(\.count).max() ?? 0
      for _ in 0..<count { addIdleNodes() }
      for lane in 0..<some.count {
        for (level, node) in levels[first + lane].enumerated() { set(node, at: base + 128 * level + lane) }
      }
      addWindow(offset: base, count: count)
    }
    return true
  }

  /// One node of each level where the tree is perfect and all nodes of a level ask the same.
  static func obliviousLevels(_ tree: ForestLookups.Tree) -> [ForestLookups.Node]? {
    guard tree.depth <= 15, tree.leaves.count == 1 << tree.depth else { return nil }
    var levels: [ForestLookups.Node] = []
    var places = [tree.root]
    while places[0] >= 0 {
      guard places.allSatisfy({ $0 >= 0 }) else { return nil }
      let nodes = places.map { tree.nodes[$0] }
      guard nodes.allSatisfy({ $0.asksTheSame(as: nodes[0]) }) else { return nil }
      levels.append(nodes[0])
      places = nodes.flatMap { [$0.left, $0.right] }
    }
    return places.allSatisfy { $0 < 0 } ? levels : nil
  }

  /// Perfect trees in heap order: of three levels from bit 0, eight in a row; of six from bit 1, one in a row.
  mutating func addHeaps(_ trees: [ForestLookups.Tree], levelsMax: Int) -> Bool {
    let depth = trees.map(\.depth).max() ?? 0
    guard depth <= levelsMax else { return false }
    let isShared = levelsMax == 3
    let levels = isShared ? 3 : depth
    for (_, some) in windows(trees) {
      keepOrder()
      let base = tables.count
      let rows = isShared ? (some.count + 7) / 8 : some.count
      for _ in 0..<rows { addIdleNodes() }
      for (lane, tree) in some.enumerated() {
        let byte = isShared ? base + lane / 8 * 128 + lane % 8 * 8 - 1 : base + 128 * lane
        var heap = [Int?](repeating: nil, count: 2 << levels)
        heap[1] = tree.root
        for index in 1..<(1 << levels) {
          guard let place = heap[index] else { continue }
          if place >= 0 {
            let node = tree.nodes[place]
            set(node, at: byte + index)
            (heap[2 * index], heap[2 * index + 1]) = (node.left, node.right)
          } else {
            heap[2 * index] = place
          }
        }
        addLeaves(tree, order: heap[(1 << levels)...].map { $0.map { ~$0 } ?? -1 })
      }
      addWindow(offset: base, count: rows, width: levels)
    }
    return true
  }

  /// Registers of 64 nodes: lookups, bins, left and right children; bit 7 of a child marks a node.
  mutating func addDoubling(_ trees: [ForestLookups.Tree]) -> Bool {
    let most = trees.map(\.nodes.count).max() ?? 0
    guard most <= 64 else { return false }
    let width = most <= 16 ? 4 : most <= 32 ? 2 : 1
    for tree in trees { addLeaves(tree) }
    for (_, some) in windows(trees) {
      let order = sort(some, by: some.map(\.depth))
      let base = tables.count
      let batches = (order.count + 4 * width - 1) / (4 * width)
      for _ in 0..<4 * batches {
        addIdleNodes()
        tables += [UInt8](repeating: 0, count: 128)
      }
      for register in 0..<4 * batches {
        let byte = base + 256 * register
        var free = width
        for (lane, number) in order.dropFirst(register * width).prefix(width).enumerated() {
          let tree = trees[number]
          // The root is byte `lane`; the others follow where there is room. At most 64 in all.
          var bytes = [lane]
          for _ in tree.nodes.dropFirst() {
            bytes.append(free)
            free += 1
          }
          func code(_ child: Int) -> UInt8 { child >= 0 ? 0x80 | UInt8(bytes[child]) : UInt8(~child) }
          for (place, node) in tree.nodes.enumerated() {
            let at = byte + bytes[place]
            set(node, at: at)
            // Below 255: no node has the bin 255.
            tables[at + 64] = 254 - node.bin
            (tables[at + 128], tables[at + 192]) = (code(node.left), code(node.right))
          }
        }
      }
      let rounds = (0..<batches).map { batch in
        let depth = trees[order[batch * 4 * width]].depth
        // Steps after r rounds: 2^r.
        return depth <= 1 ? 0 : Int.bitWidth - (depth - 1).leadingZeroBitCount
      }
      addWindow(offset: base, count: batches, width: width, rounds: rounds)
    }
    return true
  }

  /// Rows of 64 nodes, one a tree, and the leaves each keeps where it goes right; the first leaf is the highest bit.
  mutating func addBitvectors(_ trees: [ForestLookups.Tree], bits: Int) -> Bool {
    guard trees.allSatisfy({ $0.leaves.count <= bits }) else { return false }
    for (_, some) in windows(trees) {
      keepOrder()
      let base = tables.count
      // Registers of masks: 1, 2, 4 or 8.
      var width = 1
      while 512 / bits * width < some.count { width *= 2 }
      let row = 128 + 64 * width
      let slots = some.map(\.nodes.count).max() ?? 0
      for _ in 0..<slots {
        addIdleNodes()
        tables += [UInt8](repeating: 255, count: 64 * width)
      }
      for (lane, tree) in some.enumerated() {
        let (order, kept) = Self.bitvectors(tree)
        addLeaves(tree, order: order)
        for (slot, node) in tree.nodes.enumerated() {
          set(node, at: base + slot * row + lane)
          // Bits from the top of 64; a mask of 32 is the upper half.
          let mask = kept[slot] >> UInt64(64 - bits)
          for byte in 0..<bits / 8 {
            tables[base + slot * row + 128 + bits / 8 * lane + byte] = UInt8(
              truncatingIfNeeded: mask >> UInt64(8 * byte))
          }
        }
      }
      addWindow(offset: base, count: slots, width: width)
    }
    return true
  }

  /// The leaves from left to right, and for each node a mask without the leaves of its left subtree.
  private static func bitvectors(_ tree: ForestLookups.Tree) -> (order: [Int], kept: [UInt64]) {
    var order: [Int] = []
    var kept = [UInt64](repeating: .max, count: tree.nodes.count)
    func visit(_ place: Int) {
      guard place >= 0 else { return order.append(~place) }
      let first = order.count
      visit(tree.nodes[place].left)
      for leaf in first..<order.count { kept[place] &= ~(1 << UInt64(63 - leaf)) }
      visit(tree.nodes[place].right)
    }
    visit(tree.root)
    return (order, kept)
  }
}
