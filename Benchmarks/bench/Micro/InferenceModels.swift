import ModelImport
import ModelInference
import TradingTypes

/// Models of the inference league's shapes from a seed: their times are those of the shape, their answers mean nothing.
struct InferenceModels {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  private mutating func number(_ spread: Float) -> Float {
    // 24 bits from 0 to 1, then from −spread to spread.
    (Float(random.next() >> 40) / Float(1 << 24) * 2 - 1) * spread
  }

  private mutating func numbers(_ count: Int, _ spread: Float) -> [Float] { (0..<count).map { _ in number(spread) } }

  /// Rows, one after the other.
  mutating func rows(_ count: Int, width: Int) -> [Float] { numbers(count * width, 3) }

  /// Trees of `leaves` leaves, each split at a random leaf; about 190 thresholds a feature, as 500 trees have.
  mutating func forest(trees: Int, leaves: Int, features: Int) -> DecisionForest {
    let thresholdCount = 190
    let columns = (0..<features).map { feature in
      let list = (0..<thresholdCount).map { Float($0) * 6 / Float(thresholdCount) - 3 }
      return DecisionForest.Column(feature: feature, sight: .thresholds(list, missing: .nan))
    }
    let grown = (0..<trees).map { _ in tree(leaves: leaves, features: features, thresholds: thresholdCount) }
    return DecisionForest(featureCount: features, columns: columns, trees: grown, link: .logistic(scale: 1))
  }

  private mutating func tree(leaves: Int, features: Int, thresholds: Int) -> DecisionForest.Tree {
    var nodes: [DecisionForest.Node] = []
    // Where each leaf hangs: a node, and its side.
    var places: [(node: Int, isLeft: Bool)] = []
    for number in 0..<leaves - 1 {
      let child = Int32(number)
      if number > 0 {
        let place = places.remove(at: Int(random.next() % UInt64(places.count)))
        if place.isLeft { nodes[place.node].left = child } else { nodes[place.node].right = child }
      }
      nodes.append(
        DecisionForest.Node(
          column: UInt16(random.next() % UInt64(features)), test: UInt16(random.next() % UInt64(thresholds)),
          missingGoesRight: random.next() & 1 == 0, left: 0, right: 0))
      places += [(number, true), (number, false)]
    }
    for (leaf, place) in places.enumerated() {
      if place.isLeft { nodes[place.node].left = ~Int32(leaf) } else { nodes[place.node].right = ~Int32(leaf) }
    }
    return DecisionForest.Tree(nodes: nodes, leaves: numbers(leaves, 0.1).map(Double.init))
  }

  // MARK: - Networks

  private mutating func dense(
    _ source: Int, _ inputs: Int, _ outputs: Int, _ activation: NeuralNetwork.Activation = .identity
  ) -> NeuralNetwork.Operator {
    .dense(
      NeuralNetwork.Dense(
        source: source, inputs: inputs, outputs: outputs,
        weights: numbers(inputs * outputs, 1.7 / Float(inputs).squareRoot()), bias: numbers(outputs, 0.1),
        activation: activation))
  }

  private mutating func quantised(_ features: Int, _ window: Int, _ operators: [NeuralNetwork.Operator]) throws
    -> QuantisedNetwork
  {
    let network = NeuralNetwork(
      featureCount: features, window: window, missingValues: [Float](repeating: 0, count: features),
      operators: operators, link: .logistic(scale: 1))
    let windows = (0..<2).map { _ in (0..<window).map { _ in numbers(features, 3) } }
    return try Quantiser(correctsBias: false).quantise(network, windows: windows).network
  }

  /// 64-128-64-1.
  mutating func perceptron() throws -> QuantisedNetwork {
    try quantised(64, 1, [dense(0, 64, 128, .relu), dense(1, 128, 64, .relu), dense(2, 64, 1)])
  }

  /// One layer of 64 over 32 rows of 16.
  mutating func recurrent() throws -> QuantisedNetwork {
    let cell = NeuralNetwork.Recurrent(
      source: 0, cell: .lstm, inputs: 16, hidden: 64, inputWeights: numbers(256 * 16, 0.4),
      recurrentWeights: numbers(256 * 64, 0.2), inputBias: numbers(256, 0.1), recurrentBias: numbers(256, 0.1))
    return try quantised(16, 32, [.recurrent(cell), .lastRow(source: 1), dense(2, 64, 1)])
  }

  /// Four layers of 32 channels, three taps, dilations 1, 2, 4 and 8, over 32 rows of 16.
  mutating func convolutional() throws -> QuantisedNetwork {
    var operators: [NeuralNetwork.Operator] = []
    for (layer, dilation) in [1, 2, 4, 8].enumerated() {
      let inputs = layer == 0 ? 16 : 32
      operators.append(
        .convolution(
          NeuralNetwork.Convolution(
            source: layer, inputs: inputs, outputs: 32, kernel: 3, dilation: dilation,
            weights: numbers(32 * inputs * 3, 1 / Float(inputs).squareRoot()), bias: numbers(32, 0.1),
            activation: .relu)))
    }
    return try quantised(16, 32, operators + [.lastRow(source: 4), dense(5, 32, 1)])
  }

  /// Two layers of width 64, two heads, 128 inside, normalised before each part, over 32 rows of 16.
  mutating func transformer() throws -> QuantisedNetwork {
    let width = 64
    var operators = [dense(0, 16, width), .positions(source: 1, table: numbers(32 * width, 0.2))]
    var last = operators.count
    func normalised(_ source: Int) -> NeuralNetwork.Operator {
      .layerNormalisation(
        source: source, gain: [Float](repeating: 1, count: width), shift: [Float](repeating: 0, count: width),
        epsilon: 1e-5)
    }
    for _ in 0..<2 {
      let first = last + 1
      operators.append(normalised(last))
      for _ in 0..<3 { operators.append(dense(first, width, width)) }
      operators.append(.attention(query: first + 1, key: first + 2, value: first + 3, heads: 2, scale: 0.176_776_7))
      operators += [dense(first + 4, width, width), .add(last, first + 5), normalised(first + 6)]
      operators += [dense(first + 7, width, 128, .relu), dense(first + 8, 128, width), .add(first + 6, first + 9)]
      last = operators.count
    }
    operators += [.lastRow(source: last), dense(last + 1, width, 1)]
    return try quantised(16, 32, operators)
  }
}
