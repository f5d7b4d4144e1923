internal import ModelImport
internal import ModelInference

extension GraphReader {
  /// `(x − mean) / sqrt(variance + epsilon) × scale + bias`, all constants: a gain and a shift a column.
  mutating func batchNormalisation(_ node: GraphNode) throws(ImportError) -> Meaning {
    try node.require("training_mode", 0)
    let view = try view(node, 0)
    let scale = try neededConstant(node, 1, "scale").values
    let bias = try neededConstant(node, 2, "bias").values
    let mean = try neededConstant(node, 3, "mean").values
    let variance = try neededConstant(node, 4, "variance").values
    let epsilon = Double(node.number("epsilon", 1e-5))
    // Channels are axis 1.
    let axes = view.columnAxes
    guard view.leading <= 0, axes.count <= 1, axes.allSatisfy({ $0.place == 1 }) else {
      throw node.refused("the channels in axis 1")
    }
    let packed = try packed(view, node)
    let width = network.widths[packed.value]
    guard [scale, bias, mean, variance].allSatisfy({ $0.count == width }) else {
      throw node.refused("\(width) numbers of each kind")
    }
    let gain = (0..<width).map { scale[$0] / (variance[$0] + epsilon).squareRoot() }
    let shift = (0..<width).map { bias[$0] - mean[$0] * gain[$0] }
    try requireRoom(node)
    return .view(following(packed, value: network.affine(packed.value, gain: gain, shift: shift)))
  }

  mutating func layerNormalisation(_ node: GraphNode) throws(ImportError) -> Meaning {
    let view = try matrix(view(node, 0), node)
    let axis = node.integer("axis", -1)
    guard axis == -1 || axis == view.rank - 1 else { throw node.refused("attribute axis = -1, the last") }
    let width = network.widths[view.value]
    let gain = try constant(node, 1, "scale")?.floats ?? [Float](repeating: 1, count: width)
    let shift = try constant(node, 2, "bias")?.floats ?? [Float](repeating: 0, count: width)
    guard gain.count == width, shift.count == width else { throw node.refused("a scale and bias of \(width)") }
    try requireRoom(node)
    let value = network.append(
      .layerNormalisation(source: view.value, gain: gain, shift: shift, epsilon: node.number("epsilon", 1e-5)),
      rows: network.rows[view.value], width: width)
    return .view(following(view, value: value))
  }

  /// The end of a normalisation in parts.
  mutating func normalised(_ node: GraphNode, _ view: View, epsilon: Double) throws(ImportError) -> View {
    let view = try matrix(view, node)
    let width = network.widths[view.value]
    try requireRoom(node)
    let value = network.append(
      .layerNormalisation(
        source: view.value, gain: [Float](repeating: 1, count: width), shift: [Float](repeating: 0, count: width),
        epsilon: Float(epsilon)), rows: network.rows[view.value], width: width)
    return following(view, value: value)
  }

  /// The mean over the columns, as a part of a normalisation.
  mutating func reduceMean(_ node: GraphNode) throws(ImportError) -> Meaning {
    let axes = try integers(node, input: 1, attribute: "axes") ?? []
    try node.require("keepdims", 1)
    func isLast(_ view: View) -> Bool { axes == [-1] || axes == [view.rank - 1] }
    switch try meaning(node, 0) {
    case .squares(let view) where isLast(view): return .variance(view, epsilon: 0)
    case .view(let view) where isLast(view): return .mean(view)
    case .function(let view, let function):
      // The normalised value is the function's result, so it gets a value of its own first.
      let applied = try applied(function, to: view, node)
      guard isLast(applied) else { break }
      if let name = node.input(0) { meanings[name] = .view(applied) }
      return .mean(applied)
    default: break
    }
    throw node.refused("the mean over the last axis, as in a layer normalisation")
  }

  /// Over attention scores, or over the numbers of the last value.
  mutating func softmax(_ node: GraphNode) throws(ImportError) -> Meaning {
    let axis = node.integer("axis", opset >= 13 ? -1 : 1)
    switch try meaning(node, 0) {
    case .scores(var scores):
      guard axis == -1 || axis == scores.query.rank - 1 else { throw node.refused("attribute axis = -1") }
      guard !scores.isNormalised else { throw node.refused("one softmax") }
      guard scores.isCausal else {
        throw node.refused("a causal mask (0 on and below the diagonal, at most -1e4 above) added to attention scores")
      }
      scores.isNormalised = true
      return .scores(scores)
    case .view, .function:
      let view = try matrix(view(node, 0), node)
      guard network.rows[view.value] == 1, view.rank >= 1, axis == -1 || axis == view.rank - 1 else {
        throw node.refused("Softmax in attention, or at the end over the outputs of one row")
      }
      return .chances(view, isSoftmax: true)
    case .forest(var forest) where forest.link == .identity && forest.outputCount > 1:
      forest.link = .softmax
      return .forest(forest)
    case let other: throw node.refused("a value of the network, not \(other.words)")
    }
  }

  /// scikit-learn's export divides probabilities by their sum, which is 1 already.
  func normalizer(_ node: GraphNode) throws(ImportError) -> Meaning {
    let operand = try meaning(node, 0)
    switch operand {
    case .chances, .forest: return operand
    default: throw node.refused("Normalizer after probabilities only")
    }
  }
}
