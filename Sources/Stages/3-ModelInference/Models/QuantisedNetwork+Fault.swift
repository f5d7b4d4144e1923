extension QuantisedNetwork.Operator {
  /// The values read.
  public var sources: [Int] {
    switch self {
    case .dense(let layer): [layer.source]
    case .convolution(let layer): [layer.source]
    case .recurrent(let layer): [layer.source]
    case .single(let step): step.sources
    }
  }

  /// The value a product reads as codes, or nil.
  public var encodedSource: Int? {
    switch self {
    case .dense(let layer): layer.source
    case .convolution(let layer): layer.source
    case .recurrent(let layer): layer.source
    case .single: nil
    }
  }

  /// Its products.
  public var products: [QuantisedNetwork.Product] {
    switch self {
    case .dense(let layer): [layer.product]
    case .convolution(let layer): [layer.product]
    case .recurrent(let layer): [layer.input, layer.recurrent]
    case .single: []
    }
  }

  /// Weights it carries.
  public var weightCount: Int {
    if case .single(let step) = self { return step.weightCount }
    return products.reduce(0) { $0 + $1.weights.count }
  }

  /// The shape of its result from those of its sources, or the rule it breaks.
  func result(of sources: [NeuralNetwork.Shape], window: Int) -> Result<NeuralNetwork.Shape, NetworkFault> {
    let shape = sources[0]
    func refuse(_ words: String) -> Result<NeuralNetwork.Shape, NetworkFault> { .failure(NetworkFault(words: words)) }
    let width: Int
    switch self {
    case .single(.dense), .single(.convolution), .single(.recurrent): return refuse("a step without products")
    case .single(let step): return step.result(of: sources, window: window)
    case .dense(let layer):
      guard layer.product.terms == shape.width else { return refuse("weights that fit \(shape.width) inputs") }
      guard layer.activation.isSound else { return refuse("a finite slope") }
      width = layer.product.outputs
    case .convolution(let layer):
      guard (1...64).contains(layer.kernel), (1...NeuralNetwork.windowMax).contains(layer.dilation),
        layer.product.terms == shape.width * layer.kernel
      else { return refuse("weights that fit \(shape.width) channels") }
      guard layer.activation.isSound else { return refuse("a finite slope") }
      width = layer.product.outputs
    case .recurrent(let layer):
      guard (1...NeuralNetwork.widthMax).contains(layer.hidden) else { return refuse("hidden units") }
      let gates = layer.cell.gateCount * layer.hidden
      guard layer.input.terms == shape.width, layer.input.outputs == gates, layer.recurrent.terms == layer.hidden,
        layer.recurrent.outputs == gates
      else { return refuse("weights that fit \(shape.width) inputs") }
      // A GRU reads the rows of its candidate only, an LSTM none.
      let unread = layer.cell.gateCount == 4 ? gates : 2 * layer.hidden
      guard layer.input.bias.prefix(unread).allSatisfy({ $0 == 0 }) else { return refuse("an input bias of 0") }
      width = layer.hidden
    }
    for product in products {
      if let fault = product.fault { return refuse(fault) }
    }
    guard (1...NeuralNetwork.widthMax).contains(width) else { return refuse("1 to \(NeuralNetwork.widthMax) outputs") }
    return .success(NeuralNetwork.Shape(rows: shape.rows, width: width))
  }
}

extension QuantisedNetwork.Product {
  /// The first rule it breaks, or nil.
  public var fault: String? {
    guard (1...QuantisedNetwork.termCountMax).contains(terms) else {
      return "1 to \(QuantisedNetwork.termCountMax) terms"
    }
    guard (1...4 * NeuralNetwork.widthMax).contains(outputs), weights.count == terms * outputs,
      integerBias.count == outputs, scales.count == outputs, bias.count == outputs
    else { return "weights, scales and bias of one shape" }
    guard weights.allSatisfy({ $0 >= -127 }) else { return "weights from -127 to 127" }
    guard integerBias.allSatisfy({ $0.magnitude <= 1 << 30 }) else { return "integer bias within 2^30" }
    guard scales.allSatisfy({ $0 >= 0 && $0 <= 1e20 }), bias.allSatisfy({ abs($0) <= 1e30 }) else {
      return "finite scales, not negative, and bias"
    }
    return nil
  }
}

extension QuantisedNetwork.Encoding {
  /// Whether its factor is positive and neither it nor its reciprocal overflows.
  var isSound: Bool { factor >= 1e-20 && factor <= 1e20 }
}

extension NeuralNetwork.Activation {
  /// Whether its numbers are finite.
  var isSound: Bool { numbers.allSatisfy { abs($0) <= 1e30 } }
}

extension QuantisedNetwork {
  /// The shape of every value, the input first, or the first rule the network breaks.
  public func shapes() -> Result<[NeuralNetwork.Shape], NetworkFault> {
    func refuse(_ words: String) -> Result<[NeuralNetwork.Shape], NetworkFault> { .failure(NetworkFault(words: words)) }
    let widthMax = NeuralNetwork.widthMax
    guard (1...widthMax).contains(featureCount) else { return refuse("1 to \(widthMax) features") }
    guard (1...NeuralNetwork.windowMax).contains(window) else {
      return refuse("a window of 1 to \(NeuralNetwork.windowMax) rows")
    }
    guard missingValues.count == featureCount, missingValues.allSatisfy({ abs($0) <= 1e30 }) else {
      return refuse("a finite value for each missing feature")
    }
    guard input.centers.count == featureCount, input.centers.allSatisfy({ abs($0) <= 1e30 }),
      input.factors.count == featureCount,
      input.factors.allSatisfy({ Encoding(factor: $0, zeroPoint: 0).isSound }),
      input.paddingCodes.count == featureCount
    else { return refuse("a center, positive factor and padding code for each feature") }
    guard !input.isWide || input.zeroPoint == 128 else { return refuse("zero point 128 of a wide input") }
    guard (1...NeuralNetwork.operatorCountMax).contains(operators.count) else {
      return refuse("1 to \(NeuralNetwork.operatorCountMax) operators")
    }
    guard encodings.count == operators.count + 1, encodings[0] == nil,
      encodings.allSatisfy({ $0?.isSound ?? true })
    else { return refuse("a place for the encoding of each value, with positive factors") }
    var shapes = [NeuralNetwork.Shape(rows: window, width: featureCount)]
    var weightCount = 0
    for (number, step) in operators.enumerated() {
      weightCount += step.weightCount
      guard weightCount <= NeuralNetwork.weightCountMax else {
        return refuse("at most \(NeuralNetwork.weightCountMax) weights")
      }
      guard step.sources.allSatisfy({ (0...number).contains($0) }) else {
        return refuse("operator \(number) to read earlier values")
      }
      if let source = step.encodedSource, source > 0, encodings[source] == nil {
        return refuse("an encoding of value \(source), which operator \(number) reads")
      }
      if step.encodedSource == 0, input.isWide {
        let product = step.products[0]
        guard product.terms <= Self.wideTermCountMax, product.integerBias.allSatisfy({ $0 == 0 }) else {
          return refuse(
            "at most \(Self.wideTermCountMax) terms of a wide input, without integer bias, in operator \(number)")
        }
      }
      if case .recurrent = step, encodings[number + 1] == nil {
        return refuse("an encoding of the hidden state of operator \(number)")
      }
      if case .single(let step) = step, !step.numbers.allSatisfy({ $0.allSatisfy { abs($0) <= 1e30 } }) {
        return refuse("finite numbers in operator \(number)")
      }
      switch step.result(of: step.sources.map { shapes[$0] }, window: window) {
      case .failure(let fault): return refuse("\(fault.words) in operator \(number)")
      case .success(let shape): shapes.append(shape)
      }
    }
    guard shapes.last == NeuralNetwork.Shape(rows: 1, width: outputCount), (1...256).contains(outputCount) else {
      return refuse("a last value of one row and \(outputCount) numbers")
    }
    guard link.isSound else { return refuse("a positive link scale") }
    return .success(shapes)
  }

  /// The first rule the network breaks, or nil.
  public var fault: String? {
    if case .failure(let fault) = shapes() { return fault.words }
    return nil
  }
}
