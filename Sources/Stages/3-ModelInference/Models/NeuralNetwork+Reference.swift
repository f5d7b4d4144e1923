/// Computes a network in single precision: what a quantised one is measured against, and what its tools answer with.
///
/// Weights are laid out once, at the start; sums are in single precision and functions `NetworkMath`'s. Not for the hot
/// path.
public struct NetworkReference: Sendable {
  /// The network computed.
  public let network: NeuralNetwork
  /// The products of each operator: none, one, or those of input and hidden state.
  private let products: [[NetworkProducts]]

  /// Prepares a sound network.
  ///
  /// - Precondition: `network.fault` is nil.
  /// - Complexity: O(weights), allocates as much.
  public init(_ network: NeuralNetwork) {
    precondition(network.fault == nil, "NetworkReference: the network is sound")
    self.network = network
    products = network.operators.map { step in
      switch step {
      case .dense(let layer):
        return [NetworkProducts(layer.weights, terms: layer.inputs)]
      case .convolution(let layer):
        return [NetworkProducts(layer.weights, terms: layer.inputs * layer.kernel)]
      case .recurrent(let layer):
        return [
          NetworkProducts(layer.inputWeights, terms: layer.inputs),
          NetworkProducts(layer.recurrentWeights, terms: layer.hidden),
        ]
      default: return []
      }
    }
  }

  /// Every value of the network, the input with missing entries replaced first: each `[rows × width]`, row-major.
  ///
  /// - Parameter window: `[network.window][featureCount]`, the newest row last, NaN where there is no value.
  /// - Complexity: O(products), allocates.
  public func values(_ window: [[Float]]) -> [[Float]] {
    var values = [network.inputMatrix(window)]
    for (number, step) in network.operators.enumerated() {
      switch step {
      case .dense(let layer):
        let source = values[layer.source]
        values.append(
          rows(of: source.rows, outputs: layer.outputs, layer.bias, layer.activation) {
            products[number][0].sums(source.row($0))
          })
      case .convolution(let layer):
        let source = values[layer.source]
        values.append(
          rows(of: source.rows, outputs: layer.outputs, layer.bias, layer.activation) { row in
            let taps = source.taps(row: row, kernel: layer.kernel, dilation: layer.dilation) { _ in 0 }
            return products[number][0].sums(taps)
          })
      case .recurrent(let layer):
        values.append(recurrent(layer, values[layer.source], products[number]))
      default: values.append(step.single(values))
      }
    }
    return values.map(\.numbers)
  }

  /// The last value: what the link turns into a prediction.
  ///
  /// - Parameter window: as `values` takes it.
  public func predict(_ window: [[Float]]) -> [Float] { values(window)[network.operators.count] }

  private func rows(
    of count: Int, outputs: Int, _ bias: [Float], _ activation: NeuralNetwork.Activation, sums: (Int) -> [Float]
  ) -> NetworkMatrix<Float> {
    var numbers: [Float] = []
    numbers.reserveCapacity(count * outputs)
    for row in 0..<count {
      for (output, sum) in sums(row).enumerated() { numbers.append(activation.value(sum + bias[output])) }
    }
    return NetworkMatrix(rows: count, width: outputs, numbers: numbers)
  }

  private func recurrent(
    _ layer: NeuralNetwork.Recurrent, _ source: NetworkMatrix<Float>, _ products: [NetworkProducts]
  ) -> NetworkMatrix<Float> {
    let units = layer.hidden
    var hidden = [Float](repeating: 0, count: units)
    var cells = hidden
    var numbers: [Float] = []
    for row in 0..<source.rows {
      let seen = zip(products[0].sums(source.row(row)), layer.inputBias).map { $0 + $1 }
      let before = zip(products[1].sums(hidden), layer.recurrentBias).map { $0 + $1 }
      switch layer.cell {
      case .lstm:
        for unit in 0..<units {
          let gates = (0..<4).map { seen[$0 * units + unit] + before[$0 * units + unit] }
          (cells[unit], hidden[unit]) = NetworkMath.lstmCell(
            input: gates[0], output: gates[1], forget: gates[2], candidate: gates[3], cell: cells[unit])
        }
      case .gru(let linearBeforeReset):
        let resets = (0..<units).map { NetworkMath.gate(seen[units + $0] + before[units + $0]) }
        var recalled = (0..<units).map { resets[$0] * before[2 * units + $0] }
        if !linearBeforeReset {
          let kept = (0..<units).map { resets[$0] * hidden[$0] }
          let sums = products[1].sums(kept)
          recalled = (2 * units..<3 * units).map { sums[$0] + layer.recurrentBias[$0] }
        }
        for unit in 0..<units {
          hidden[unit] = NetworkMath.gruState(
            update: seen[unit] + before[unit], candidate: seen[2 * units + unit] + recalled[unit],
            hidden: hidden[unit])
        }
      }
      numbers += hidden
    }
    return NetworkMatrix(rows: source.rows, width: units, numbers: numbers)
  }
}

extension NetworkProducts {
  /// Weights `[outputs × terms]`, row-major.
  init(_ weights: [Float], terms: Int) {
    self.init(terms: terms, outputs: weights.count / terms) { weights[$0 * terms + $1] }
  }
}

extension NeuralNetwork {
  /// Value 0 of a window.
  func inputMatrix(_ window: [[Float]]) -> NetworkMatrix<Float> {
    precondition(
      window.count == self.window && window.allSatisfy { $0.count == featureCount },
      "NeuralNetwork: \(self.window) rows of \(featureCount) features")
    let numbers = window.flatMap { row in zip(row, missingValues).map { $0.isNaN ? $1 : $0 } }
    return NetworkMatrix(rows: window.count, width: featureCount, numbers: numbers)
  }

  /// What the network predicts for a window before the link, in single precision.
  ///
  /// For many windows prepare a `NetworkReference` once.
  ///
  /// - Parameter window: `[window][featureCount]`, the newest row last, NaN where there is no value.
  /// - Precondition: `fault` is nil.
  public func predictReference(_ window: [[Float]]) -> [Float] { NetworkReference(self).predict(window) }
}
