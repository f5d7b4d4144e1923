extension NeuralNetwork {
  /// Rows and width of a value.
  public struct Shape: Hashable, Sendable {
    /// `window`, or 1.
    public var rows: Int
    /// Numbers in a row.
    public var width: Int
  }

  /// The shape of every value, the input first, or the first rule the network breaks.
  public func shapes() -> Result<[Shape], NetworkFault> {
    var shapes: [Shape] = []
    func refuse(_ words: String) -> Result<[Shape], NetworkFault> { .failure(NetworkFault(words: words)) }
    guard (1...Self.widthMax).contains(featureCount) else { return refuse("1 to \(Self.widthMax) features") }
    guard (1...Self.windowMax).contains(window) else { return refuse("a window of 1 to \(Self.windowMax) rows") }
    guard missingValues.count == featureCount, missingValues.allSatisfy(\.isFinite) else {
      return refuse("a finite value for each missing feature")
    }
    guard (1...Self.operatorCountMax).contains(operators.count) else {
      return refuse("1 to \(Self.operatorCountMax) operators")
    }
    shapes.append(Shape(rows: window, width: featureCount))
    var weightCount = 0
    for (number, step) in operators.enumerated() {
      weightCount += step.weightCount
      guard weightCount <= Self.weightCountMax else { return refuse("at most \(Self.weightCountMax) weights") }
      guard step.sources.allSatisfy({ (0...number).contains($0) }) else {
        return refuse("operator \(number) to read earlier values")
      }
      guard step.numbers.allSatisfy({ $0.allSatisfy { abs($0) <= 1e30 } }) else {
        return refuse("finite weights in operator \(number)")
      }
      switch step.result(of: step.sources.map { shapes[$0] }, window: window) {
      case .failure(let fault): return refuse("\(fault.words) in operator \(number)")
      case .success(let shape): shapes.append(shape)
      }
    }
    guard shapes.last == Shape(rows: 1, width: outputCount), (1...256).contains(outputCount) else {
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

/// A rule a network breaks, in words.
public struct NetworkFault: Error, Hashable, Sendable {
  /// What was expected.
  public var words: String
}

extension NeuralNetwork.Operator {
  /// The values read.
  public var sources: [Int] {
    switch self {
    case .dense(let layer): [layer.source]
    case .convolution(let layer): [layer.source]
    case .recurrent(let layer): [layer.source]
    case .attention(let query, let key, let value, _, _): [query, key, value]
    case .layerNormalisation(let source, _, _, _), .affine(let source, _, _), .activation(let source, _),
      .positions(let source, _), .lastRow(let source):
      [source]
    case .add(let first, let second): [first, second]
    }
  }

  /// Every number it carries.
  var numbers: [[Float]] {
    switch self {
    case .dense(let layer): [layer.weights, layer.bias, layer.activation.numbers]
    case .convolution(let layer): [layer.weights, layer.bias, layer.activation.numbers]
    case .recurrent(let layer):
      [layer.inputWeights, layer.recurrentWeights, layer.inputBias, layer.recurrentBias]
    case .attention(_, _, _, _, let scale): [[scale]]
    case .layerNormalisation(_, let gain, let shift, let epsilon): [gain, shift, [epsilon]]
    case .affine(_, let gain, let shift): [gain, shift]
    case .positions(_, let table): [table]
    case .activation(_, let activation): [activation.numbers]
    case .add, .lastRow: []
    }
  }

  /// Weights it carries.
  public var weightCount: Int { numbers.reduce(0) { $0 + $1.count } }

  /// The shape of its result from those of its sources, or the rule it breaks.
  func result(
    of sources: [NeuralNetwork.Shape], window: Int
  ) -> Result<NeuralNetwork.Shape, NetworkFault> {
    let shape = sources[0]
    func checked(_ isSound: Bool, _ words: String, width: Int, rows: Int? = nil) -> Result<
      NeuralNetwork.Shape, NetworkFault
    > {
      guard isSound, (1...NeuralNetwork.widthMax).contains(width) else { return .failure(NetworkFault(words: words)) }
      return .success(NeuralNetwork.Shape(rows: rows ?? shape.rows, width: width))
    }
    switch self {
    case .dense(let layer):
      return checked(
        layer.inputs == shape.width && layer.outputs > 0 && layer.weights.count == layer.inputs * layer.outputs
          && layer.bias.count == layer.outputs, "weights that fit \(shape.width) inputs", width: layer.outputs)
    case .convolution(let layer):
      return checked(
        layer.inputs == shape.width && layer.outputs > 0 && (1...64).contains(layer.kernel)
          && (1...NeuralNetwork.windowMax).contains(layer.dilation)
          && layer.weights.count == layer.inputs * layer.outputs * layer.kernel && layer.bias.count == layer.outputs,
        "weights that fit \(shape.width) channels", width: layer.outputs)
    case .recurrent(let layer):
      let gates = layer.cell.gateCount * layer.hidden
      return checked(
        layer.inputs == shape.width && layer.hidden > 0 && layer.inputWeights.count == gates * layer.inputs
          && layer.recurrentWeights.count == gates * layer.hidden && layer.inputBias.count == gates
          && layer.recurrentBias.count == gates, "weights that fit \(shape.width) inputs", width: layer.hidden)
    case .attention(_, _, _, let heads, let scale):
      return checked(
        sources.allSatisfy { $0 == shape } && heads >= 1 && shape.width % heads == 0 && scale > 0,
        "query, key and value of one shape that the heads divide", width: shape.width)
    case .layerNormalisation(_, let gain, let shift, let epsilon):
      return checked(
        gain.count == shape.width && shift.count == shape.width && epsilon > 0,
        "a gain and shift of \(shape.width) and a positive epsilon", width: shape.width)
    case .affine(_, let gain, let shift):
      return checked(
        gain.count == shape.width && shift.count == shape.width, "a gain and shift of \(shape.width)",
        width: shape.width)
    case .add: return checked(sources[1] == shape, "two values of one shape", width: shape.width)
    case .activation: return checked(true, "", width: shape.width)
    case .positions(_, let table):
      return checked(
        shape.rows == window && table.count == window * shape.width, "a table of \(window) rows", width: shape.width)
    case .lastRow: return checked(true, "", width: shape.width, rows: 1)
    }
  }
}

extension NeuralNetwork.Activation {
  /// Every number it carries.
  var numbers: [Float] {
    if case .leakyReLU(let slope) = self { return [slope] }
    return []
  }
}
