internal import CKernels

// Forms that walk: lock-step and blocks.
extension ForestLayout {
  /// Nodes of 8 bytes: lookup (24 bits), bin (8), left child (32); the right child follows the left one.
  mutating func addLockStep(_ trees: [ForestLookups.Tree]) -> Bool {
    // The first node belongs to no tree: the places of a group that has fewer than eight stay there.
    var nodes: [UInt64] = [Self.leafNode(0)]
    var rootNodes: [UInt32] = []
    for tree in trees {
      let start = nodes.count
      rootNodes.append(UInt32(start))
      leafStart.append(UInt32(leaves.count))
      var order: [(place: Int, node: Int)] = [(tree.root, start)]
      nodes.append(0)
      var next = 0
      while next < order.count {
        let (place, index) = order[next]
        next += 1
        guard place >= 0 else {
          nodes[index] = Self.leafNode(index)
          continue
        }
        let node = tree.nodes[place]
        let lookup = node.lookup + (node.missingGoesLeft ? stride : 0)
        nodes[index] = UInt64(lookup) | UInt64(node.bin) << 24 | UInt64(nodes.count) << 32
        order += [(node.left, nodes.count), (node.right, nodes.count + 1)]
        nodes += [0, 0]
      }
      // Leaves lie as the nodes do, so that the walk needs no second table.
      let firstLeaf = leaves.count
      leaves += [Double](repeating: 0, count: nodes.count - start)
      leafNumbers += [UInt32](repeating: 0, count: nodes.count - start)
      for (place, index) in order where place < 0 {
        leaves[firstLeaf + index - start] = tree.leaves[~place]
        leafNumbers[firstLeaf + index - start] = tree.leafNumbers[~place]
      }
    }
    // Children are counted in 32 bits, lookups in 24.
    precondition(nodes.count <= Int(UInt32.max) && stride <= 1 << 23, "ForestKernel: the forest fits 32-bit places")
    tables.reserveCapacity(8 * nodes.count)
    for node in nodes {
      for byte in 0..<8 { tables.append(UInt8(truncatingIfNeeded: node >> UInt64(8 * byte))) }
    }
    for (_, some) in windows(trees) {
      let order = sort(some, by: some.map(\.depth))
      roots += order.map { rootNodes[$0] } + [UInt32](repeating: 0, count: window - order.count)
      let groups = Swift.stride(from: 0, to: order.count, by: 8).map { trees[order[$0]].depth }
      addWindow(offset: 0, count: groups.count, rounds: groups)
    }
    return true
  }

  private static func leafNode(_ index: Int) -> UInt64 { 255 << 24 | UInt64(index) << 32 }

  /// Blocks of four levels: 16 lookups and 16 bins in heap order from place 1, then where each of 16 doors leads.
  mutating func addBlocks(_ trees: [ForestLookups.Tree]) -> Bool {
    var rootLines: [UInt32] = []
    var depths: [Int] = []
    let bytes = Int(MARTLET_BLOCK_BYTES)
    for tree in trees {
      let start = tables.count / bytes
      rootLines.append(UInt32(start))
      addLeaves(tree)
      // Lines of the tree, the nodes they begin with and the lines above them.
      var tops = [(place: tree.root, level: 1)]
      var next = 0
      while next < tops.count {
        let top = tops[next]
        let byte = tables.count
        next += 1
        addIdleNodes(16)
        tables += [UInt8](repeating: 0, count: 32)
        var heap = [Int?](repeating: nil, count: 32)
        heap[1] = top.place
        for index in 1..<16 {
          guard let place = heap[index] else { continue }
          if place >= 0 {
            let node = tree.nodes[place]
            set(node, at: byte + index, width: 16)
            (heap[2 * index], heap[2 * index + 1]) = (node.left, node.right)
          } else {
            // A leaf above the last level: idle nodes lead left.
            heap[2 * index] = place
          }
        }
        for door in 0..<16 {
          guard let place = heap[16 + door] else { continue }
          var exit = tops.count
          if place < 0 {
            exit = Int(MARTLET_BLOCK_LEAF) | ~place
          } else {
            guard exit < Int(MARTLET_BLOCK_LEAF), top.level < 16 else { return false }
            tops.append((place, top.level + 1))
          }
          tables[byte + 32 + 2 * door] = UInt8(exit & 255)
          tables[byte + 33 + 2 * door] = UInt8(exit >> 8)
        }
      }
      depths.append(tops.map(\.level).max() ?? 1)
    }
    for (first, some) in windows(trees) {
      let keys = Array(depths[first..<first + some.count])
      let order = sort(some, by: keys)
      roots += order.map { rootLines[$0] } + [UInt32](repeating: 0, count: window - order.count)
      let rounds = keys.max() ?? 1
      let walking = (0..<rounds).map { round in (keys.count { $0 > round } + 3) / 4 }
      addWindow(offset: 0, count: rounds, rounds: walking)
    }
    return true
  }

  /// Trees of at most eight levels as a block of four levels at the top and 16 below it.
  ///
  /// Upper blocks of four trees are 64 lookups and 64 bins; behind all of a window come the lower ones of each tree, 16
  /// lookups and 16 bins each. Leaves lie in heap order, 256 a tree.
  mutating func addTwoBlocks(_ trees: [ForestLookups.Tree]) -> Bool {
    guard trees.allSatisfy({ $0.depth <= 8 }) else { return false }
    for (_, some) in windows(trees) {
      keepOrder()
      let base = tables.count
      let groups = (some.count + 3) / 4
      for _ in 0..<groups { addIdleNodes() }
      let lower = tables.count
      for _ in 0..<64 * groups { addIdleNodes(16) }
      for (lane, tree) in some.enumerated() {
        var heap = [Int?](repeating: nil, count: 512)
        heap[1] = tree.root
        for index in 1..<256 {
          guard let place = heap[index] else { continue }
          guard place >= 0 else {
            // A leaf above the last level: idle nodes lead left.
            heap[2 * index] = place
            continue
          }
          let node = tree.nodes[place]
          (heap[2 * index], heap[2 * index + 1]) = (node.left, node.right)
          if index < 16 {
            set(node, at: base + lane / 4 * 128 + lane % 4 * 16 + index)
          } else {
            // The door into the block is the top of the path, the place inside it the rest behind a leading one.
            let below = index.bitWidth - index.leadingZeroBitCount - 5
            let block = 16 * lane + (index >> below) - 16
            set(node, at: lower + 32 * block + (1 << below | index & (1 << below - 1)), width: 16)
          }
        }
        addLeaves(tree, order: heap[256...].map { $0.map { ~$0 } ?? -1 })
      }
      addWindow(offset: base, count: groups)
    }
    return true
  }
}
