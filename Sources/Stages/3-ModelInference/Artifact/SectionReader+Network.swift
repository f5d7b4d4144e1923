// Networks in a section; `LittleEndianBytes+Network` of ModelImport has the other side. Every list is no longer than what
// is left of the section before memory is asked for it, and every rule of the network is checked before it is returned.
extension SectionReader {
  /// A network in single precision.
  ///
  /// features, window, outputs (u32), link; a replacement for each missing feature (f32); operator count (u32), operators.
  mutating func neuralNetwork() throws(ArtifactError) -> NeuralNetwork {
    let head = try networkHead()
    let operatorCount = try count(1...NeuralNetwork.operatorCountMax, "a number of operators")
    var operators: [NeuralNetwork.Operator] = []
    for _ in 0..<operatorCount { operators.append(try networkOperator()) }
    let network = NeuralNetwork(
      featureCount: head.featureCount, window: head.window, missingValues: head.missingValues, operators: operators,
      outputCount: head.outputCount, link: head.link)
    if let fault = network.fault { throw refused(fault) }
    return network
  }

  /// A network with 8-bit products.
  ///
  /// As `neuralNetwork`, with the input's encoding before the operators (flags (1 divides, 2 is wide) and zero point (u32), centers and factors
  /// (f32), padding codes (u8)) and the encoding of each result after it.
  mutating func quantisedNetwork() throws(ArtifactError) -> QuantisedNetwork {
    let head = try networkHead()
    let flags = try count(0...3, "flags of the input")
    let zeroPoint = UInt8(try count(0...255, "a zero point"))
    let centers = try floats(head.featureCount, "centers")
    let factors = try floats(head.featureCount, "factors")
    let paddingCodes = try integers(UInt8.self, head.featureCount, "padding codes")
    try padding(to: 4)
    let operatorCount = try count(1...NeuralNetwork.operatorCountMax, "a number of operators")
    var operators: [QuantisedNetwork.Operator] = []
    var encodings: [QuantisedNetwork.Encoding?] = [nil]
    for _ in 0..<operatorCount {
      operators.append(try quantisedOperator())
      encodings.append(try encoding())
    }
    let network = QuantisedNetwork(
      featureCount: head.featureCount, window: head.window, missingValues: head.missingValues,
      input: QuantisedNetwork.Input(
        centers: centers, factors: factors, divides: flags & 1 == 1, zeroPoint: zeroPoint, paddingCodes: paddingCodes,
        isWide: flags & 2 == 2),
      operators: operators, encodings: encodings, outputCount: head.outputCount, link: head.link)
    if let fault = network.fault { throw refused(fault) }
    return network
  }

  /// From raw outputs to predictions: kind (u32), for a logistic one its scale (f64).
  mutating func link() throws(ArtifactError) -> Link {
    switch try count(0...3, "a kind of link") {
    case 0: return .identity
    case 1: return .logistic(scale: try double("the scale of the link"))
    case 2: return .softmax
    default: return .exponential
    }
  }

  private struct NetworkHead {
    var featureCount: Int
    var window: Int
    var outputCount: Int
    var link: Link
    var missingValues: [Float]
  }

  private mutating func networkHead() throws(ArtifactError) -> NetworkHead {
    try padding(to: 4)
    let featureCount = try count(1...NeuralNetwork.widthMax, "a number of features")
    let window = try count(1...NeuralNetwork.windowMax, "a number of rows")
    let outputCount = try count(1...256, "a number of outputs")
    let link = try link()
    let missingValues = try floats(featureCount, "values for missing features")
    return NetworkHead(
      featureCount: featureCount, window: window, outputCount: outputCount, link: link, missingValues: missingValues)
  }

  private mutating func networkOperator() throws(ArtifactError) -> NeuralNetwork.Operator {
    switch try count(0...9, "a kind of operator") {
    case 0:
      let (source, inputs, outputs) = (try value(), try width(), try width())
      let weights = try floats(inputs * outputs, "weights")
      let bias = try floats(outputs, "bias")
      return .dense(
        NeuralNetwork.Dense(
          source: source, inputs: inputs, outputs: outputs, weights: weights, bias: bias, activation: try activation()))
    case 1:
      let (source, inputs, outputs) = (try value(), try width(), try width())
      let (kernel, dilation) = (try taps(), try dilation())
      let weights = try floats(inputs * outputs * kernel, "weights")
      let bias = try floats(outputs, "bias")
      return .convolution(
        NeuralNetwork.Convolution(
          source: source, inputs: inputs, outputs: outputs, kernel: kernel, dilation: dilation, weights: weights,
          bias: bias, activation: try activation()))
    case 2:
      let (source, inputs, hidden) = (try value(), try width(), try width())
      let cell = try cell()
      let gates = cell.gateCount * hidden
      let inputWeights = try floats(gates * inputs, "input weights")
      let recurrentWeights = try floats(gates * hidden, "recurrent weights")
      let inputBias = try floats(gates, "input bias")
      return .recurrent(
        NeuralNetwork.Recurrent(
          source: source, cell: cell, inputs: inputs, hidden: hidden, inputWeights: inputWeights,
          recurrentWeights: recurrentWeights, inputBias: inputBias,
          recurrentBias: try floats(gates, "recurrent bias")))
    case 3:
      let (query, key, values) = (try value(), try value(), try value())
      let heads = try width()
      return .attention(query: query, key: key, value: values, heads: heads, scale: try float("a scale"))
    case 4:
      let (source, width) = (try value(), try width())
      let gain = try floats(width, "gains")
      let shift = try floats(width, "shifts")
      return .layerNormalisation(source: source, gain: gain, shift: shift, epsilon: try float("an epsilon"))
    case 5:
      let (source, width) = (try value(), try width())
      let gain = try floats(width, "gains")
      return .affine(source: source, gain: gain, shift: try floats(width, "shifts"))
    case 6:
      let first = try value()
      return .add(first, try value())
    case 7:
      let source = try value()
      return .activation(source: source, try activation())
    case 8:
      let source = try value()
      let length = try count(1...NeuralNetwork.windowMax * NeuralNetwork.widthMax, "a length of a table")
      return .positions(source: source, table: try floats(length, "positions"))
    default: return .lastRow(source: try value())
    }
  }

  private mutating func quantisedOperator() throws(ArtifactError) -> QuantisedNetwork.Operator {
    switch try count(0...3, "a kind of quantised operator") {
    case 0:
      let source = try value()
      let product = try product()
      return .dense(QuantisedNetwork.Dense(source: source, product: product, activation: try activation()))
    case 1:
      let (source, kernel, dilation) = (try value(), try taps(), try dilation())
      let product = try product()
      return .convolution(
        QuantisedNetwork.Convolution(
          source: source, kernel: kernel, dilation: dilation, product: product, activation: try activation()))
    case 2:
      let (source, hidden, cell) = (try value(), try width(), try cell())
      let input = try product()
      return .recurrent(
        QuantisedNetwork.Recurrent(
          source: source, cell: cell, hidden: hidden, input: input, recurrent: try product()))
    default: return .single(try networkOperator())
    }
  }

  /// terms, outputs (u32); integer bias (i32), scales, bias (f32); weights (i8), padded to 4 bytes.
  private mutating func product() throws(ArtifactError) -> QuantisedNetwork.Product {
    let terms = try count(1...QuantisedNetwork.termCountMax, "a number of terms")
    let outputs = try count(1...4 * NeuralNetwork.widthMax, "a number of outputs")
    let integerBias = try integers(Int32.self, outputs, "integer bias")
    let scales = try floats(outputs, "scales")
    let bias = try floats(outputs, "bias")
    let weights = try integers(Int8.self, terms * outputs, "weights")
    try padding(to: 4)
    return QuantisedNetwork.Product(
      terms: terms, outputs: outputs, weights: weights, integerBias: integerBias, scales: scales, bias: bias)
  }

  /// 0, or 1 with whether it divides and the zero point (u32 each) and the factor (f32).
  private mutating func encoding() throws(ArtifactError) -> QuantisedNetwork.Encoding? {
    guard try flag("whether a value has codes") else { return nil }
    let divides = try flag("whether steps divide")
    let zeroPoint = UInt8(try count(0...255, "a zero point"))
    return QuantisedNetwork.Encoding(factor: try float("a factor"), divides: divides, zeroPoint: zeroPoint)
  }

  private mutating func activation() throws(ArtifactError) -> NeuralNetwork.Activation {
    switch try count(0...7, "a kind of activation") {
    case 0: return .identity
    case 1: return .relu
    case 2: return .leakyReLU(slope: try float("a slope"))
    case 3: return .sigmoid
    case 4: return .tanh
    case 5: return .gelu
    case 6: return .silu
    default: return .geluTanh
    }
  }

  private mutating func cell() throws(ArtifactError) -> NeuralNetwork.Recurrent.Cell {
    switch try count(0...2, "a kind of cell") {
    case 0: return .lstm
    case 1: return .gru(linearBeforeReset: false)
    default: return .gru(linearBeforeReset: true)
    }
  }

  private mutating func value() throws(ArtifactError) -> Int {
    try count(0...NeuralNetwork.operatorCountMax, "a value's number")
  }

  private mutating func width() throws(ArtifactError) -> Int { try count(1...NeuralNetwork.widthMax, "a width") }

  private mutating func taps() throws(ArtifactError) -> Int { try count(1...64, "a number of taps") }

  private mutating func dilation() throws(ArtifactError) -> Int {
    try count(1...NeuralNetwork.windowMax, "a dilation")
  }

  private mutating func flag(_ what: String) throws(ArtifactError) -> Bool { try count(0...1, what) == 1 }

  private mutating func floats(_ count: Int, _ what: String) throws(ArtifactError) -> [Float] {
    guard count <= (end - offset) / MemoryLayout<Float>.size else { throw refused("\(count) \(what)") }
    var list: [Float] = []
    list.reserveCapacity(count)
    for _ in 0..<count { list.append(try float(what)) }
    return list
  }

  private mutating func integers<I: FixedWidthInteger & BitwiseCopyable>(
    _: I.Type, _ count: Int, _ what: String
  ) throws(ArtifactError) -> [I] {
    guard count <= (end - offset) / MemoryLayout<I>.size else { throw refused("\(count) \(what)") }
    var list: [I] = []
    list.reserveCapacity(count)
    for _ in 0..<count { list.append(try integer(I.self, what)) }
    return list
  }
}
