import LockFreeRings
import ModelImport
import ModelInference
import TradingTypes

/// Seeded models and rows, with the corners that matter made frequent.
struct RandomModels {
  var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func value() -> Float {
    switch random.below(12) {
    case 0: 0
    case 1: -0.0
    case 2: 1e-36
    case 3: -1e-34
    case 4: .leastNonzeroMagnitude
    case 5: 1e30 * Float(random.unit() - 0.5)
    default: Float(random.unit() * 8 - 4)
    }
  }

  mutating func mask(missingOneIn rate: Int) -> FeatureMask {
    var mask = FeatureMask()
    for slot in 0..<88 { mask[slot] = rate == 0 || random.below(rate) != 0 }
    return mask
  }

  mutating func row(missingOneIn rate: Int = 5) -> FeatureTable.Row {
    var values = (0..<88).map { _ in value() }
    values += [Float](repeating: 0, count: 8)
    return FeatureTable.Row(values: values, valid: mask(missingOneIn: rate))
  }

  /// Trees of up to `leaves` leaves; a leaf is split again and again, as LightGBM grows them.
  mutating func trees(count: Int, leaves: Int, zeroIsMissing: Bool = false) -> TreeModel {
    var thresholds: [[Float]] = (0..<FeatureVector.count).map { slot in
      // All lengths: none, one row of 16 and its borders, many, and the most there can be.
      let lengths = [1, 2, 7, 15, 16, 17, 31, 32, 33, 200, 254, 255]
      guard slot < 88 else { return [] }
      var list = Set<Float>()
      let length = lengths[random.below(lengths.count)]
      while list.count < length { list.insert(value()) }
      return list.sorted()
    }
    for slot in thresholds.indices where random.below(4) == 0 { thresholds[slot] = [] }
    if thresholds.allSatisfy(\.isEmpty) { thresholds[3] = [0] }
    let asked = thresholds.indices.filter { !thresholds[$0].isEmpty }
    var trees: [TreeModel.Tree] = []
    for _ in 0..<count {
      let leafCount = 1 + random.below(leaves)
      var nodes: [TreeModel.Node] = []
      // Where each leaf hangs: node and side.
      var hooks: [(node: Int, isLeft: Bool)?] = [nil]
      while hooks.count < leafCount {
        let leaf = random.below(hooks.count)
        let slot = asked[random.below(asked.count)]
        let place = nodes.count
        if let hook = hooks[leaf] {
          if hook.isLeft { nodes[hook.node].left = Int16(place) } else { nodes[hook.node].right = Int16(place) }
        }
        nodes.append(
          TreeModel.Node(
            feature: UInt8(slot), bin: UInt8(random.below(thresholds[slot].count)),
            missingGoesRight: random.below(2) == 0, left: Int16(~leaf), right: Int16(~hooks.count)))
        hooks[leaf] = (place, true)
        hooks.append((place, false))
      }
      trees.append(TreeModel.Tree(nodes: nodes, leaves: (0..<leafCount).map { _ in random.unit() - 0.5 }))
    }
    return TreeModel(
      thresholds: thresholds, zeroIsMissing: zeroIsMissing ? mask(missingOneIn: 2) : FeatureMask(), trees: trees,
      scale: 0.5 + random.unit())
  }

  /// A network with these hidden widths; weights are extreme now and then.
  mutating func network(hidden: [Int], allExtreme: Bool = false) -> NeuralModel {
    var layers: [NeuralModel.Layer] = []
    var width = FeatureVector.count
    for (number, outputs) in (hidden + [1]).enumerated() {
      let weights = (0..<(width * outputs)).map { _ -> Int8 in
        if allExtreme || random.below(4) == 0 { return [-128, -127, 127][random.below(3)] }
        return Int8(random.below(255) - 127)
      }
      let isLast = number == hidden.count
      layers.append(
        NeuralModel.Layer(
          inputs: width, outputs: outputs, weights: weights,
          bias: (0..<outputs).map { _ in Int32(random.below(200_000) - 100_000) },
          scales: (0..<outputs).map { _ in isLast ? 1 : Float(random.unit() * 0.002) }))
      width = outputs
    }
    return NeuralModel(
      centers: (0..<96).map { $0 < 88 ? Float(random.unit() - 0.5) : 0 },
      inverseSteps: (0..<96).map { _ in Float(1 + random.unit() * 60) }, layers: layers)
  }
}

/// An ensemble of one member, which gives its logit unchanged.
func alone(_ kind: EnsembleModel.Member.Kind, required: FeatureMask = FeatureMask()) -> EnsembleModel {
  EnsembleModel(
    members: [EnsembleModel.Member(kind: kind, required: required)],
    combiner: CombinerValues(averageWeights: [1], stackWeights: [1]), metadata: ["name": "test"])
}

/// An arena that fits a model.
func arena(for model: EnsembleModel) -> Arena { Arena(capacityBytes: Ensemble.arenaBytes(for: model)) }

// MARK: - Slow twins

/// The exit leaves by comparing values with thresholds; no bins.
func exitLeavesReference(_ model: TreeModel, _ row: FeatureTable.Row) -> [Int] {
  model.trees.map { tree in
    var place = tree.nodes.isEmpty ? ~0 : 0
    while place >= 0 {
      let node = tree.nodes[place]
      let slot = Int(node.feature)
      let value = abs(row.values[slot]) <= 1e-35 ? 0 : row.values[slot]
      let isMissing = !row.valid[slot] || (model.zeroIsMissing[slot] && value == 0)
      let goesLeft = isMissing ? !node.missingGoesRight : value <= model.thresholds[slot][Int(node.bin)]
      place = Int(goesLeft ? node.left : node.right)
    }
    return ~place
  }
}

/// The sum of the exit leaves in tree order.
func rawSumReference(_ model: TreeModel, _ row: FeatureTable.Row) -> Double {
  zip(model.trees, exitLeavesReference(model, row)).reduce(0.0) { $0 + $1.0.leaves[$1.1] }
}

/// The logit of a network by plain loops over row-major weights.
func logitReference(_ model: NeuralModel, _ row: FeatureTable.Row) -> Float {
  var inputs = (0..<96).map { slot -> Int in
    guard row.valid[slot] else { return 128 }
    let steps = ((row.values[slot] - model.centers[slot]) * model.inverseSteps[slot]).rounded(.toNearestOrEven)
    return 128 + Int(min(max(steps, -128), 127))
  }
  for (number, layer) in model.layers.enumerated() {
    let sums = (0..<layer.outputs).map { output in
      (0..<layer.inputs).reduce(Int(layer.bias[output])) {
        $0 + Int(layer.weights[output * layer.inputs + $1]) * inputs[$1]
      }
    }
    if number == model.layers.count - 1 { return Float(sums[0]) * layer.scales[0] }
    inputs = zip(sums, layer.scales).map { Int(min(max((Float($0) * $1).rounded(.toNearestOrEven), 0), 255)) }
  }
  return .nan
}
