import LockFreeRings
import ModelInference
import TradingTypes

/// Seeded quantised networks of every kind: random codes' weights with extremes, scales that keep values moderate.
struct NetworkKernelNetworks {
  typealias Operator = QuantisedNetwork.Operator
  typealias Cell = NeuralNetwork.Recurrent.Cell

  var random: SplitMix64
  /// Weights of ±127 only.
  var isExtreme = false
  var widths: [Int] = []
  var operators: [Operator] = []
  var encodings: [QuantisedNetwork.Encoding?] = [nil]
  let window: Int

  init(seed: UInt64, features: Int, window: Int, isExtreme: Bool = false) {
    random = SplitMix64(seed: seed)
    widths = [features]
    self.window = window
    self.isExtreme = isExtreme
  }

  mutating func float(_ scale: Float = 1) -> Float { Float(random.unit() * 2 - 1) * scale }
  mutating func floats(_ count: Int, _ scale: Float = 1, around center: Float = 0) -> [Float] {
    (0..<count).map { _ in center + float(scale) }
  }

  mutating func product(terms: Int, outputs: Int, gain: Float = 1) -> QuantisedNetwork.Product {
    let weights = (0..<terms * outputs).map { _ in
      isExtreme ? (random.below(8) == 0 ? Int8(-127) : 127) : Int8(random.below(255) - 127)
    }
    let unit = gain / (Float(terms).squareRoot() * 74 * 74) / (isExtreme ? 20 : 1)
    return QuantisedNetwork.Product(
      terms: terms, outputs: outputs, weights: weights,
      integerBias: (0..<outputs).map { _ in Int32(random.below(4000) - 2000) },
      scales: (0..<outputs).map { _ in unit * Float(0.5 + random.unit()) }, bias: floats(outputs, 0.3))
  }

  @discardableResult
  mutating func append(_ step: Operator, width: Int, encoding: QuantisedNetwork.Encoding? = nil) -> Int {
    operators.append(step)
    widths.append(width)
    encodings.append(encoding)
    return operators.count
  }

  /// Some encoding of value `value` that a product can read.
  mutating func encode(_ value: Int) {
    guard value > 0, encodings[value] == nil else { return }
    encodings[value] = QuantisedNetwork.Encoding(
      factor: random.below(3) == 0 ? 0.021 : 47, divides: false, zeroPoint: UInt8([0, 128, 117][random.below(3)]))
    if encodings[value]!.factor < 1 { encodings[value]!.divides = true }
  }

  mutating func dense(_ source: Int, _ outputs: Int, _ activation: NeuralNetwork.Activation = .identity) -> Int {
    encode(source)
    let product = product(terms: widths[source], outputs: outputs)
    return append(
      .dense(QuantisedNetwork.Dense(source: source, product: product, activation: activation)), width: outputs)
  }

  mutating func convolution(
    _ source: Int, _ outputs: Int, kernel: Int, dilation: Int, _ activation: NeuralNetwork.Activation = .relu
  ) -> Int {
    encode(source)
    let product = product(terms: widths[source] * kernel, outputs: outputs)
    return append(
      .convolution(
        QuantisedNetwork.Convolution(
          source: source, kernel: kernel, dilation: dilation, product: product, activation: activation)),
      width: outputs)
  }

  mutating func recurrent(_ source: Int, _ cell: Cell, _ hidden: Int) -> Int {
    encode(source)
    var input = product(terms: widths[source], outputs: cell.gateCount * hidden, gain: 2)
    let unread = cell.gateCount == 4 ? 4 * hidden : 2 * hidden
    for output in 0..<unread { input.bias[output] = 0 }
    let recurrent = product(terms: hidden, outputs: cell.gateCount * hidden, gain: 2)
    return append(
      .recurrent(
        QuantisedNetwork.Recurrent(source: source, cell: cell, hidden: hidden, input: input, recurrent: recurrent)),
      width: hidden, encoding: QuantisedNetwork.Encoding(factor: 127, zeroPoint: 128))
  }

  mutating func single(_ step: NeuralNetwork.Operator) -> Int { append(.single(step), width: widths[step.sources[0]]) }
  mutating func lastRow(_ source: Int) -> Int { single(.lastRow(source: source)) }

  mutating func normalise(_ source: Int) -> Int {
    let width = widths[source]
    return single(
      .layerNormalisation(
        source: source, gain: floats(width, 0.2, around: 1), shift: floats(width, 0.1), epsilon: 1e-5))
  }

  mutating func attention(_ source: Int, heads: Int) -> Int {
    let width = widths[source]
    let query = dense(source, width)
    let key = dense(source, width)
    let value = dense(source, width)
    return single(
      .attention(query: query, key: key, value: value, heads: heads, scale: 1 / Float(width / heads).squareRoot()))
  }

  mutating func finish(outputs: Int = 1) -> QuantisedNetwork {
    let features = widths[0]
    let centers = floats(features, 0.5)
    // Now and then the replacement is not the center.
    let missing = centers.map { random.below(4) == 0 ? $0 + 0.3 : $0 }
    return QuantisedNetwork(
      featureCount: features, window: window, missingValues: missing,
      input: QuantisedNetwork.Input(
        centers: centers, factors: floats(features, 10, around: 40),
        paddingCodes: (0..<features).map { _ in UInt8(random.below(256)) }),
      operators: operators, encodings: encodings, outputCount: outputs, link: .identity)
  }

  /// A window of rows with missing values, now and then a far one.
  mutating func rows(_ count: Int, features: Int) -> [[Float]] {
    (0..<count).map { _ in
      (0..<features).map { _ in
        switch random.below(20) {
        case 0: .nan
        case 1: float(1e6)
        case 2: -0.0
        default: float(2)
        }
      }
    }
  }

  // MARK: - Kinds

  static let activations: [NeuralNetwork.Activation] = [
    .identity, .relu, .leakyReLU(slope: 0.1), .sigmoid, .tanh, .gelu, .silu, .geluTanh,
  ]

  static func perceptron(
    seed: UInt64, _ widths: [Int], activation: NeuralNetwork.Activation = .relu, isExtreme: Bool = false
  ) -> QuantisedNetwork {
    var build = NetworkKernelNetworks(seed: seed, features: widths[0], window: 1, isExtreme: isExtreme)
    var value = 0
    for (place, width) in widths.dropFirst().enumerated() {
      value = build.dense(value, width, place + 2 < widths.count ? activation : .identity)
    }
    return build.finish(outputs: widths[widths.count - 1])
  }

  static func recurrent(
    seed: UInt64, _ cell: Cell, layers: Int, features: Int, hidden: Int, window: Int, isExtreme: Bool = false
  ) -> QuantisedNetwork {
    var build = NetworkKernelNetworks(seed: seed, features: features, window: window, isExtreme: isExtreme)
    var value = 0
    for _ in 0..<layers { value = build.recurrent(value, cell, hidden) }
    value = build.lastRow(value)
    build.encodings[value] = build.encodings[value - 1]
    value = build.dense(value, 1)
    return build.finish()
  }

  /// A recurrent network with steps before, between and behind the layers.
  static func recurrentChain(seed: UInt64, window: Int) -> QuantisedNetwork {
    var build = NetworkKernelNetworks(seed: seed, features: 11, window: window)
    var value = build.dense(0, 20, .tanh)
    value = build.recurrent(value, .lstm, 24)
    value = build.normalise(value)
    value = build.dense(value, 17, .gelu)
    value = build.recurrent(value, .gru(linearBeforeReset: true), 19)
    value = build.single(.activation(source: value, .silu))
    value = build.lastRow(value)
    value = build.dense(value, 2)
    return build.finish(outputs: 2)
  }

  static func convolutional(
    seed: UInt64, features: Int, channels: Int, dilations: [Int], window: Int, kernel: Int = 3, isResidual: Bool
  ) -> QuantisedNetwork {
    var build = NetworkKernelNetworks(seed: seed, features: features, window: window)
    var value = 0
    for dilation in dilations {
      let source = value
      value = build.convolution(value, channels, kernel: kernel, dilation: dilation)
      if isResidual, build.widths[source] == channels { value = build.single(.add(value, source)) }
    }
    value = build.lastRow(value)
    value = build.dense(value, 1)
    return build.finish()
  }

  static func transformer(
    seed: UInt64, features: Int, width: Int, heads: Int, layers: Int, feedForward: Int, window: Int,
    hasPositions: Bool = true
  ) -> QuantisedNetwork {
    var build = NetworkKernelNetworks(seed: seed, features: features, window: window)
    var value = build.dense(0, width)
    if hasPositions { value = build.single(.positions(source: value, table: build.floats(window * width, 0.5))) }
    for _ in 0..<layers {
      var inner = build.normalise(value)
      inner = build.attention(inner, heads: heads)
      inner = build.dense(inner, width)
      value = build.single(.add(value, inner))
      inner = build.normalise(value)
      inner = build.dense(inner, feedForward, .gelu)
      inner = build.dense(inner, width)
      value = build.single(.add(value, inner))
    }
    value = build.lastRow(value)
    value = build.normalise(value)
    value = build.dense(value, 1)
    return build.finish()
  }

  /// Everything at once: convolutions, attention and recurrence in one network, and operators over the newest row.
  static func mixed(seed: UInt64, window: Int) -> QuantisedNetwork {
    var build = NetworkKernelNetworks(seed: seed, features: 7, window: window)
    var value = build.convolution(0, 12, kernel: 2, dilation: 3, .sigmoid)
    value = build.single(.affine(source: value, gain: build.floats(12, 1), shift: build.floats(12, 0.2)))
    value = build.recurrent(value, .gru(linearBeforeReset: false), 12)
    value = build.attention(value, heads: 3)
    let newest = build.lastRow(value)
    value = build.single(.activation(source: newest, .leakyReLU(slope: 0.3)))
    value = build.convolution(value, 9, kernel: 3, dilation: 1, .tanh)
    value = build.recurrent(value, .lstm, 10)
    value = build.attention(value, heads: 2)
    value = build.dense(value, 3)
    return build.finish(outputs: 3)
  }

  /// The same network over an input of 16-bit codes.
  static func widened(_ network: QuantisedNetwork) -> QuantisedNetwork {
    var network = network
    network.input.isWide = true
    network.input.factors = network.input.factors.map { $0 * 200 }
    func narrow(_ product: inout QuantisedNetwork.Product) {
      product.integerBias = [Int32](repeating: 0, count: product.outputs)
      product.scales = product.scales.map { $0 / 200 }
    }
    for (place, step) in network.operators.enumerated() where step.encodedSource == 0 {
      switch step {
      case .dense(var layer):
        narrow(&layer.product)
        network.operators[place] = .dense(layer)
      case .convolution(var layer):
        narrow(&layer.product)
        network.operators[place] = .convolution(layer)
      case .recurrent(var layer):
        narrow(&layer.input)
        network.operators[place] = .recurrent(layer)
      case .single: break
      }
    }
    return network
  }

  /// A network of each kind, of a size for a debug build; some of them over wide inputs too.
  static func every(seed: UInt64) -> [(name: String, network: QuantisedNetwork)] {
    let narrow = everyNarrow(seed: seed)
    let alone = convolutional(seed: seed, features: 9, channels: 10, dilations: [2], window: 1, isResidual: false)
    let names: Set = ["perceptron", "two lstm", "gru after", "tcn", "wide tcn", "attention", "mixed", "window of one"]
    return narrow + [("wide input, alone", widened(alone))]
      + narrow.filter { names.contains($0.name) }.map { ("wide input, \($0.name)", widened($0.network)) }
  }

  private static func everyNarrow(seed: UInt64) -> [(name: String, network: QuantisedNetwork)] {
    [
      ("perceptron", perceptron(seed: seed, [13, 150, 20, 2])),
      ("lstm", recurrent(seed: seed, .lstm, layers: 1, features: 5, hidden: 20, window: 7)),
      ("two lstm", recurrent(seed: seed, .lstm, layers: 2, features: 9, hidden: 16, window: 12)),
      ("gru", recurrent(seed: seed, .gru(linearBeforeReset: true), layers: 2, features: 6, hidden: 18, window: 6)),
      (
        "gru after",
        recurrent(seed: seed, .gru(linearBeforeReset: false), layers: 1, features: 6, hidden: 33, window: 2)
      ),
      ("chain", recurrentChain(seed: seed, window: 9)),
      (
        "tcn",
        convolutional(seed: seed, features: 6, channels: 8, dilations: [1, 2, 4], window: 16, isResidual: false)
      ),
      (
        "residual tcn",
        convolutional(seed: seed, features: 8, channels: 8, dilations: [1, 2, 4], window: 15, isResidual: true)
      ),
      (
        "wide tcn",
        convolutional(seed: seed, features: 6, channels: 9, dilations: [1, 2, 4, 8], window: 16, isResidual: true)
      ),
      (
        "transformer",
        transformer(seed: seed, features: 5, width: 24, heads: 2, layers: 2, feedForward: 30, window: 9)
      ),
      (
        "attention",
        transformer(
          seed: seed, features: 5, width: 20, heads: 4, layers: 1, feedForward: 16, window: 18, hasPositions: false)
      ),
      ("mixed", mixed(seed: seed, window: 10)),
      ("window of one", recurrent(seed: seed, .lstm, layers: 2, features: 5, hidden: 20, window: 1)),
    ]
  }
}

/// A kernel with its arena, a row to fill, and the reference beside it.
struct NetworkKernelBench: ~Copyable {
  let network: QuantisedNetwork
  let reference: QuantisedReference
  let arena: Arena
  var kernel: NetworkKernel
  var row: KernelRow

  init(_ network: QuantisedNetwork, set: KernelSet) {
    self.network = network
    reference = QuantisedReference(network)
    let bytes =
      NetworkKernel.arenaBytes(for: network)
      + NetworkState.Mode.allCases.reduce(0) { $0 + 3 * NetworkKernel.arenaBytes(for: network, mode: $1) }
    arena = Arena(capacityBytes: bytes + KernelRow.arenaBytes(featureCount: network.featureCount))
    kernel = NetworkKernel(network, set: set, in: arena)
    row = KernelRow(featureCount: network.featureCount, in: arena)
  }

  mutating func predict(_ values: [Float]) -> [UInt32] {
    row.load(values)
    _ = kernel.predict(row)
    return outputs()
  }

  mutating func predict(_ values: [Float], _ state: inout NetworkState) -> [UInt32] {
    row.load(values)
    _ = kernel.predict(row, &state)
    return outputs()
  }

  mutating func predictClosing(_ values: [Float], _ state: inout NetworkState) -> [UInt32] {
    row.load(values)
    _ = kernel.predictClosing(row, &state)
    return outputs()
  }

  mutating func close(_ values: [Float], _ state: inout NetworkState) {
    row.load(values)
    kernel.close(row, &state)
  }

  mutating func predictWindow(_ rows: [[Float]]) -> [UInt32] {
    let flat = rows.flatMap { $0 }
    _ = kernel.predictWindow(flat.span)
    return outputs()
  }

  func outputs() -> [UInt32] { (0..<network.outputCount).map { kernel.output($0).bitPattern } }
  func expected(_ window: [[Float]]) -> [UInt32] { reference.predict(window).map(\.bitPattern) }

  /// The `count` newest of `rows`, with rows of missing values in front where there are fewer.
  func newest(_ count: Int, of rows: [[Float]]) -> [[Float]] {
    let missing = [Float](repeating: .nan, count: network.featureCount)
    return [[Float]](repeating: missing, count: max(0, count - rows.count)) + rows.suffix(count)
  }
}
