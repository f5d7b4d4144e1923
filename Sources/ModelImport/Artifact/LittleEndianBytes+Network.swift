internal import ModelInference

// Networks as `SectionReader+Network` reads them back; its comments say what stands where.
extension LittleEndianBytes {
  mutating func append(_ network: NeuralNetwork) {
    appendHead(network.featureCount, network.window, network.outputCount, network.link, network.missingValues)
    append(UInt32(network.operators.count))
    for step in network.operators { append(step) }
  }

  mutating func append(_ network: QuantisedNetwork) {
    appendHead(network.featureCount, network.window, network.outputCount, network.link, network.missingValues)
    append(UInt32((network.input.divides ? 1 : 0) + (network.input.isWide ? 2 : 0)))
    append(UInt32(network.input.zeroPoint))
    append(floats: network.input.centers)
    append(floats: network.input.factors)
    network.input.paddingCodes.forEach { append($0) }
    pad(to: 4)
    append(UInt32(network.operators.count))
    for (number, step) in network.operators.enumerated() {
      append(step)
      append(network.encodings[number + 1])
    }
  }

  mutating func append(_ link: Link) {
    switch link {
    case .identity: append(UInt32(0))
    case .logistic(let scale):
      append(UInt32(1))
      append(scale)
    case .softmax: append(UInt32(2))
    case .exponential: append(UInt32(3))
    }
  }

  private mutating func appendHead(
    _ featureCount: Int, _ window: Int, _ outputCount: Int, _ link: Link, _ missingValues: [Float]
  ) {
    pad(to: 4)
    append(UInt32(featureCount))
    append(UInt32(window))
    append(UInt32(outputCount))
    append(link)
    append(floats: missingValues)
  }

  private mutating func append(_ step: NeuralNetwork.Operator) {
    switch step {
    case .dense(let layer):
      append(words: 0, layer.source, layer.inputs, layer.outputs)
      append(floats: layer.weights)
      append(floats: layer.bias)
      append(layer.activation)
    case .convolution(let layer):
      append(words: 1, layer.source, layer.inputs, layer.outputs, layer.kernel, layer.dilation)
      append(floats: layer.weights)
      append(floats: layer.bias)
      append(layer.activation)
    case .recurrent(let layer):
      append(words: 2, layer.source, layer.inputs, layer.hidden, layer.cell.code)
      append(floats: layer.inputWeights)
      append(floats: layer.recurrentWeights)
      append(floats: layer.inputBias)
      append(floats: layer.recurrentBias)
    case .attention(let query, let key, let value, let heads, let scale):
      append(words: 3, query, key, value, heads)
      append(scale)
    case .layerNormalisation(let source, let gain, let shift, let epsilon):
      append(words: 4, source, gain.count)
      append(floats: gain)
      append(floats: shift)
      append(epsilon)
    case .affine(let source, let gain, let shift):
      append(words: 5, source, gain.count)
      append(floats: gain)
      append(floats: shift)
    case .add(let first, let second): append(words: 6, first, second)
    case .activation(let source, let activation):
      append(words: 7, source)
      append(activation)
    case .positions(let source, let table):
      append(words: 8, source, table.count)
      append(floats: table)
    case .lastRow(let source): append(words: 9, source)
    }
  }

  private mutating func append(_ step: QuantisedNetwork.Operator) {
    switch step {
    case .dense(let layer):
      append(words: 0, layer.source)
      append(layer.product)
      append(layer.activation)
    case .convolution(let layer):
      append(words: 1, layer.source, layer.kernel, layer.dilation)
      append(layer.product)
      append(layer.activation)
    case .recurrent(let layer):
      append(words: 2, layer.source, layer.hidden, layer.cell.code)
      append(layer.input)
      append(layer.recurrent)
    case .single(let step):
      append(words: 3)
      append(step)
    }
  }

  private mutating func append(_ product: QuantisedNetwork.Product) {
    append(words: product.terms, product.outputs)
    product.integerBias.forEach { append($0) }
    append(floats: product.scales)
    append(floats: product.bias)
    product.weights.forEach { append($0) }
    pad(to: 4)
  }

  private mutating func append(_ encoding: QuantisedNetwork.Encoding?) {
    guard let encoding else { return append(words: 0) }
    append(words: 1, encoding.divides ? 1 : 0, Int(encoding.zeroPoint))
    append(encoding.factor)
  }

  private mutating func append(_ activation: NeuralNetwork.Activation) {
    switch activation {
    case .identity: append(words: 0)
    case .relu: append(words: 1)
    case .leakyReLU(let slope):
      append(words: 2)
      append(slope)
    case .sigmoid: append(words: 3)
    case .tanh: append(words: 4)
    case .gelu: append(words: 5)
    case .silu: append(words: 6)
    case .geluTanh: append(words: 7)
    }
  }

  private mutating func append(floats list: [Float]) { list.forEach { append($0) } }

  private mutating func append(words list: Int...) { list.forEach { append(UInt32($0)) } }
}

extension NeuralNetwork.Recurrent.Cell {
  fileprivate var code: Int {
    switch self {
    case .lstm: 0
    case .gru(let linearBeforeReset): linearBeforeReset ? 2 : 1
    }
  }
}
