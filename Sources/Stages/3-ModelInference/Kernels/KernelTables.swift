internal import CKernels
internal import LockFreeRings
internal import TradingTypes

// Sizes alone are safe to ask; the types are not, for the pointers inside.
private let martletTreesBytes = unsafe MemoryLayout<martlet_trees>.stride
private let martletNetworkBytes = unsafe MemoryLayout<martlet_network>.stride

/// The forms of the models that the kernels read, as lists; `place(in:)` copies one into arena memory.
struct TreeTables {
  var trees = 0
  var scale = 1.0
  var thresholds: [Float] = []
  var thresholdStart: [UInt32] = [0]
  var nodes: [martlet_node] = []
  var nodeStart: [UInt32] = [0]
  var leaves: [Double] = []
  var leafStart: [UInt32] = [0]
  var used = FeatureMask()
  var zeroIsMissing: FeatureMask
  var searchFeatures: [UInt8] = []
  var shortCount = 0
  var searchShort: [Float] = []
  var searchLong: [Float] = []
  var blocks: [UInt8] = []
  var blockSlots: [UInt32] = []
  var orderedLeaves: [Double] = []
  var orderedNumbers: [UInt8] = []

  init(_ model: TreeModel) {
    trees = model.trees.count
    scale = model.scale
    zeroIsMissing = model.zeroIsMissing
    for list in model.thresholds {
      thresholds += list
      thresholdStart.append(UInt32(thresholds.count))
    }
    for tree in model.trees {
      for node in tree.nodes {
        used[Int(node.feature)] = true
        nodes.append(
          martlet_node(
            feature: node.feature, bin: node.bin, missing_right: node.missingGoesRight ? 1 : 0, reserved: 0,
            left: node.left, right: node.right))
      }
      nodeStart.append(UInt32(nodes.count))
      leaves += tree.leaves
      leafStart.append(UInt32(leaves.count))
    }
    addSearch(model)
    if model.trees.allSatisfy({ $0.leaves.count <= Int(MARTLET_BLOCK_LEAVES) }) { addBlocks(model) }
  }

  /// Rows of 16 thresholds, padded with infinity, which no value exceeds.
  private mutating func addSearch(_ model: TreeModel) {
    let asked = model.thresholds.indices.filter { used[$0] }
    for slot in asked where model.thresholds[slot].count <= 16 {
      searchFeatures.append(UInt8(slot))
      let list = model.thresholds[slot]
      searchShort += list + [Float](repeating: .infinity, count: 16 - list.count)
    }
    shortCount = searchFeatures.count
    for slot in asked where model.thresholds[slot].count > 16 {
      searchFeatures.append(UInt8(slot))
      let list = model.thresholds[slot] + [Float](repeating: .infinity, count: 256 - model.thresholds[slot].count)
      searchLong += (0..<16).map { list[16 * $0 + 15] } + list
    }
  }

  /// Blocks of 64 trees, slot-major; padding compares with bin 255, which no bin exceeds.
  private mutating func addBlocks(_ model: TreeModel) {
    let width = Int(MARTLET_BLOCK_TREES)
    let slotBytes = Int(MARTLET_BLOCK_SLOT_BYTES)
    for first in stride(from: 0, to: model.trees.count, by: width) {
      let block = model.trees[first..<min(first + width, model.trees.count)]
      // A block of single leaves still has a slot, so that a block count of 0 means no block form.
      let slots = max(1, block.map(\.nodes.count).max() ?? 0)
      let base = blocks.count
      let empty = [UInt8](repeating: 0, count: width) + [UInt8](repeating: 255, count: slotBytes - width)
      for _ in 0..<slots { blocks += empty }
      blockSlots.append(UInt32(slots))
      for (lane, tree) in block.enumerated() {
        let (order, masks) = Self.bitvectors(tree)
        for (slot, node) in tree.nodes.enumerated() {
          let at = base + slot * slotBytes
          blocks[at + lane] = node.feature | (node.missingGoesRight ? 0x80 : 0)
          blocks[at + width + lane] = node.bin
          for byte in 0..<4 {
            blocks[at + 2 * width + 4 * lane + byte] = UInt8(truncatingIfNeeded: masks[slot] >> UInt32(8 * byte))
          }
        }
        let padding = Int(MARTLET_BLOCK_LEAVES) - order.count
        orderedLeaves += order.map { tree.leaves[$0] } + [Double](repeating: 0, count: padding)
        orderedNumbers += order.map { UInt8($0) } + [UInt8](repeating: 0, count: padding)
      }
    }
  }

  /// The leaves from left to right, and for each node a mask without the leaves of its left subtree.
  private static func bitvectors(_ tree: TreeModel.Tree) -> (order: [Int], masks: [UInt32]) {
    var order: [Int] = []
    var masks = [UInt32](repeating: .max, count: tree.nodes.count)
    func visit(_ place: Int16) {
      guard place >= 0 else { return order.append(Int(~place)) }
      let node = tree.nodes[Int(place)]
      let first = order.count
      visit(node.left)
      for leaf in first..<order.count { masks[Int(place)] &= ~(0x8000_0000 >> UInt32(leaf)) }
      visit(node.right)
    }
    visit(tree.nodes.isEmpty ? ~0 : 0)
    return (order, masks)
  }

  /// Bytes of arena memory, padding included.
  var arenaBytes: Int {
    let counts = [
      4 * thresholds.count, 4 * thresholdStart.count, 8 * nodes.count, 4 * nodeStart.count, 8 * leaves.count,
      4 * leafStart.count, searchFeatures.count, 4 * searchShort.count, 4 * searchLong.count, blocks.count,
      4 * blockSlots.count, 8 * orderedLeaves.count, orderedNumbers.count, martletTreesBytes,
    ]
    return counts.reduce(0) { $0 + $1 + 2 * 128 }
  }

  func place(in arena: Arena) -> UnsafeRawPointer {
    let table = unsafe arena.room(for: martlet_trees.self)
    unsafe table.initialize(
      to: martlet_trees(
        tree_count: UInt32(trees), block_count: UInt32(blockSlots.count), thresholds: arena.copy(thresholds),
        threshold_start: arena.copy(thresholdStart), nodes: arena.copy(nodes), node_start: arena.copy(nodeStart),
        leaves: arena.copy(leaves), leaf_start: arena.copy(leafStart), used_low: used.low,
        used_high: UInt64(used.high), zero_missing_low: zeroIsMissing.low,
        zero_missing_high: UInt64(zeroIsMissing.high), search_features: arena.copy(searchFeatures),
        search_short_count: UInt32(shortCount), search_long_count: UInt32(searchFeatures.count - shortCount),
        search_short: arena.copy(searchShort), search_long: arena.copy(searchLong), blocks: arena.copy(blocks),
        block_slots: arena.copy(blockSlots), ordered_leaves: arena.copy(orderedLeaves),
        ordered_numbers: arena.copy(orderedNumbers)))
    return UnsafeRawPointer(table)
  }
}

/// The packed form of a network: `[inputs / 4][outputs][4]`, inputs padded to 4, outputs to 16.
struct NetworkTables {
  struct Layer {
    var inputs: Int
    var outputs: Int
    var weights: [Int8]
    var bias: [Int32]
    var scales: [Float]
  }

  let centers: [Float]
  let inverseSteps: [Float]
  let layers: [Layer]

  init(_ model: NeuralModel) {
    centers = model.centers
    inverseSteps = model.inverseSteps
    var width = FeatureVector.count
    layers = model.layers.map { layer in
      let outputs = (layer.outputs + 15) / 16 * 16
      var weights = [Int8](repeating: 0, count: width * outputs)
      for output in 0..<layer.outputs {
        for input in 0..<layer.inputs {
          weights[input / 4 * outputs * 4 + output * 4 + input % 4] = layer.weights[output * layer.inputs + input]
        }
      }
      defer { width = outputs }
      return Layer(
        inputs: width, outputs: outputs, weights: weights,
        bias: layer.bias + [Int32](repeating: 0, count: outputs - layer.outputs),
        scales: layer.scales + [Float](repeating: 0, count: outputs - layer.outputs))
    }
  }

  /// Bytes of arena memory, padding included.
  var arenaBytes: Int {
    let layerBytes = layers.reduce(0) { $0 + $1.weights.count + 8 * $1.bias.count + 3 * 256 }
    return layerBytes + 8 * centers.count + martletNetworkBytes + 3 * 256
  }

  func place(in arena: Arena) -> UnsafeRawPointer {
    let table = unsafe arena.room(for: martlet_network.self)
    unsafe table.initialize(to: martlet_network())
    unsafe table.pointee.layer_count = UInt32(layers.count)
    unsafe table.pointee.centers = arena.copy(centers)
    unsafe table.pointee.inverse_steps = arena.copy(inverseSteps)
    unsafe withUnsafeMutableBytes(of: &table.pointee.layers) { buffer in
      for (number, layer) in layers.enumerated() {
        // In bounds: a model has at most as many layers as the field.
        unsafe buffer.storeBytes(
          of: martlet_layer(
            inputs: UInt32(layer.inputs), outputs: UInt32(layer.outputs), weights: arena.copy(layer.weights),
            bias: arena.copy(layer.bias), scales: arena.copy(layer.scales)),
          toByteOffset: number * MemoryLayout<martlet_layer>.stride, as: martlet_layer.self)
      }
    }
    return UnsafeRawPointer(table)
  }
}
