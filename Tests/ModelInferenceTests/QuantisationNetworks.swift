import LockFreeRings
import ModelInference
import TradingTypes

/// Seeded networks of every kind, their weights scaled so that signals neither die nor explode, and rows for them.
struct QuantisationNetworks {
  var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// About normal: the sum of twelve uniform numbers.
  mutating func normal() -> Float { Float((0..<12).reduce(0.0) { sum, _ in sum + random.unit() } - 6) }

  mutating func weights(_ count: Int, terms: Int, gain: Float = 1) -> [Float] {
    let scale = gain / Float(terms).squareRoot()
    return (0..<count).map { _ in normal() * scale }
  }

  mutating func dense(
    _ source: Int, _ inputs: Int, _ outputs: Int, _ activation: NeuralNetwork.Activation = .identity, gain: Float = 1
  ) -> NeuralNetwork.Operator {
    .dense(
      NeuralNetwork.Dense(
        source: source, inputs: inputs, outputs: outputs, weights: weights(inputs * outputs, terms: inputs, gain: gain),
        bias: weights(outputs, terms: 10), activation: activation))
  }

  mutating func convolution(
    _ source: Int, _ inputs: Int, _ outputs: Int, kernel: Int, dilation: Int,
    _ activation: NeuralNetwork.Activation = .relu
  ) -> NeuralNetwork.Operator {
    .convolution(
      NeuralNetwork.Convolution(
        source: source, inputs: inputs, outputs: outputs, kernel: kernel, dilation: dilation,
        weights: weights(inputs * outputs * kernel, terms: inputs * kernel, gain: 1.4),
        bias: weights(outputs, terms: 10), activation: activation))
  }

  mutating func recurrent(
    _ source: Int, _ cell: NeuralNetwork.Recurrent.Cell, _ inputs: Int, _ hidden: Int
  ) -> NeuralNetwork.Operator {
    let gates = cell.gateCount * hidden
    return .recurrent(
      NeuralNetwork.Recurrent(
        source: source, cell: cell, inputs: inputs, hidden: hidden,
        inputWeights: weights(gates * inputs, terms: inputs, gain: 1.5),
        recurrentWeights: weights(gates * hidden, terms: hidden), inputBias: weights(gates, terms: 10),
        recurrentBias: weights(gates, terms: 10)))
  }

  /// A scaler in front, as pipelines have it: its features are far from 0 and of many sizes.
  mutating func scaler(_ source: Int, _ features: Int) -> NeuralNetwork.Operator {
    .affine(
      source: source, gain: (0..<features).map { scale(of: $0) }, shift: (0..<features).map { _ in 0.2 * normal() })
  }

  private func scale(of feature: Int) -> Float { [1, 0.01, 30, 1][feature % 4] }

  private mutating func network(
    _ features: Int, _ window: Int, _ operators: [NeuralNetwork.Operator], outputs: Int = 1
  ) -> NeuralNetwork {
    NeuralNetwork(
      featureCount: features, window: window, missingValues: (0..<features).map { 0.1 / scale(of: $0) },
      operators: operators, outputCount: outputs, link: outputs == 1 ? .logistic(scale: 1) : .softmax)
  }

  /// A scaler and three dense layers of one row.
  mutating func perceptron(_ features: Int = 16, outputs: Int = 1) -> NeuralNetwork {
    let operators = [
      scaler(0, features), dense(1, features, 32, .relu, gain: 1.4), dense(2, 32, 20, .leakyReLU(slope: 0.1)),
      dense(3, 20, outputs, gain: 2),
    ]
    return network(features, 1, operators, outputs: outputs)
  }

  /// A scaler and recurrent layers, then the newest row.
  mutating func recurrent(
    _ cell: NeuralNetwork.Recurrent.Cell, layers: Int, features: Int = 9, hidden: Int = 18, window: Int = 12
  ) -> NeuralNetwork {
    var operators = [scaler(0, features)]
    for layer in 0..<layers { operators.append(recurrent(layer + 1, cell, layer == 0 ? features : hidden, hidden)) }
    operators.append(.lastRow(source: layers + 1))
    operators.append(dense(layers + 2, hidden, 1, gain: 4))
    return network(features, window, operators)
  }

  /// Residual blocks of dilated convolutions; the first convolution reads the scaled input.
  mutating func temporal(features: Int = 6, channels: Int = 12, window: Int = 16) -> NeuralNetwork {
    var operators = [
      scaler(0, features), convolution(1, features, channels, kernel: 3, dilation: 1),
      convolution(2, channels, channels, kernel: 3, dilation: 1), dense(1, features, channels),
      .add(3, 4), .activation(source: 5, .relu),
    ]
    for dilation in [2, 4] {
      let source = operators.count
      operators.append(convolution(source, channels, channels, kernel: 3, dilation: dilation))
      operators.append(convolution(source + 1, channels, channels, kernel: 3, dilation: dilation, .silu))
      operators.append(.add(source, source + 2))
      operators.append(.activation(source: source + 3, .relu))
    }
    operators.append(.lastRow(source: operators.count))
    operators.append(dense(operators.count, channels, 1, gain: 2))
    return network(features, window, operators)
  }

  /// Encoder layers of a causal transformer, normalised after each half.
  mutating func transformer(
    features: Int = 7, width: Int = 16, heads: Int = 2, layers: Int = 2, window: Int = 10
  ) -> NeuralNetwork {
    var operators = [scaler(0, features), dense(1, features, width)]
    operators.append(.positions(source: 2, table: weights(window * width, terms: 4)))
    for _ in 0..<layers {
      let source = operators.count
      for _ in 0..<3 { operators.append(dense(source, width, width)) }
      let scale = 1 / Float(width / heads).squareRoot()
      operators.append(
        .attention(query: source + 1, key: source + 2, value: source + 3, heads: heads, scale: scale))
      operators.append(dense(source + 4, width, width))
      operators.append(.add(source, source + 5))
      operators.append(normalisation(source + 6, width))
      operators.append(dense(source + 7, width, 2 * width, .gelu))
      operators.append(dense(source + 8, 2 * width, width))
      operators.append(.add(source + 7, source + 9))
      operators.append(normalisation(source + 10, width))
    }
    operators.append(.lastRow(source: operators.count))
    operators.append(dense(operators.count, width, 1, gain: 2))
    return network(features, window, operators)
  }

  private mutating func normalisation(_ source: Int, _ width: Int) -> NeuralNetwork.Operator {
    .layerNormalisation(
      source: source, gain: (0..<width).map { _ in 1 + 0.1 * normal() }, shift: weights(width, terms: 20),
      epsilon: 1e-5)
  }

  /// One of each kind.
  mutating func everyKind() -> [NeuralNetwork] {
    [
      perceptron(), perceptron(outputs: 3), recurrent(.lstm, layers: 1), recurrent(.lstm, layers: 2),
      recurrent(.gru(linearBeforeReset: true), layers: 1), recurrent(.gru(linearBeforeReset: false), layers: 2),
      temporal(), transformer(),
    ]
  }

  /// A row: mostly normal in what the scaler makes of it, some values in the tails, one in `rate` missing.
  mutating func row(_ features: Int, missingOneIn rate: Int = 20) -> [Float] {
    (0..<features).map { feature in
      if rate > 0, random.below(rate) == 0 { return Float.nan }
      let tail: Float = random.below(50) == 0 ? 2 : 1
      return (normal() * tail) / scale(of: feature)
    }
  }

  /// Windows for a network.
  mutating func windows(_ count: Int, for network: NeuralNetwork, missingOneIn rate: Int = 20) -> [[[Float]]] {
    (0..<count).map { _ in (0..<network.window).map { _ in row(network.featureCount, missingOneIn: rate) } }
  }
}
