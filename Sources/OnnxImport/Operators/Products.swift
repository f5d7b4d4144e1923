internal import ModelImport
internal import ModelInference

extension GraphReader {
  /// `alpha × x W + beta × c`.
  mutating func gemm(_ node: GraphNode) throws(ImportError) -> Meaning {
    try node.require("transA", 0)
    let transposed = node.integer("transB", 0) != 0
    let weights = try neededConstant(node, 1, "matrix B")
    let bias = try constant(node, 2, "bias C")
    let alpha = Double(node.number("alpha", 1))
    let beta = Double(node.number("beta", 1))
    if case .flattened(let view, let isTimeMajor, let dims) = try meaning(node, 0) {
      var scaled = weights
      scaled.values = weights.values.map { $0 * alpha }
      var shift = bias
      shift?.values = bias?.values.map { $0 * beta } ?? []
      if transposed, let turned = scaled.transposed([1, 0]) { scaled = turned }
      return .view(try denseOverWindow(node, view, isTimeMajor, dims, scaled, shift))
    }
    let view = try matrix(view(node, 0), node)
    return .view(
      try dense(node, view, weights, isOutputFirst: transposed, bias, alpha: alpha, beta: beta))
  }

  mutating func matMul(_ node: GraphNode) throws(ImportError) -> Meaning {
    let (first, second) = (try meaning(node, 0), try meaning(node, 1))
    switch (first, second) {
    case (.scores(let scores), _): return .view(try attended(node, scores))
    case (.constant(let first), .constant(let second)):
      return try known(product(first, second), node, "two matrices that fit")
    case (.flattened(let view, let isTimeMajor, let dims), .constant(let weights)):
      return .view(try denseOverWindow(node, view, isTimeMajor, dims, weights, nil))
    case (_, .constant(let weights)):
      let view = try matrix(view(node, 0), node)
      return .view(try dense(node, view, weights, isOutputFirst: false, nil, alpha: 1, beta: 1))
    case (.constant, _): throw node.refused("the weights as the second operand")
    default: return .scores(try scores(node))
    }
  }

  private func product(_ first: Constant, _ second: Constant) -> Constant? {
    guard first.dims.count == 2, second.dims.count == 2, first.dims[1] == second.dims[0],
      let size = Constant.size([first.dims[0], second.dims[1]]), size * max(first.dims[1], 1) <= 1 << 27
    else { return nil }
    let (rows, inner, columns) = (first.dims[0], first.dims[1], second.dims[1])
    var result = Constant(first.element, [rows, columns], [Double](repeating: 0, count: size))
    for row in 0..<rows {
      for place in 0..<inner {
        let factor = first.values[row * inner + place]
        for column in 0..<columns {
          result.values[row * columns + column] += factor * second.values[place * columns + column]
        }
      }
    }
    return result.rounded()
  }

  /// A dense layer over the last axis.
  mutating func dense(
    _ node: GraphNode, _ view: View, _ weights: Constant, isOutputFirst: Bool, _ bias: Constant?, alpha: Double,
    beta: Double
  ) throws(ImportError) -> View {
    let inputs = network.widths[view.value]
    var matrix = weights
    // A vector gives one output and drops the axis; leading axes of one change nothing.
    let isVector = matrix.dims.count == 1
    if isVector { matrix.dims = [matrix.count, 1] }
    while matrix.dims.count > 2, matrix.dims[0] == 1 {
      matrix.dims.removeFirst()
      matrix.quantisation?.axis -= 1
    }
    if !isOutputFirst, matrix.dims.count == 2, let turned = matrix.transposed([1, 0]) { matrix = turned }
    guard matrix.dims.count == 2, matrix.dims[1] == inputs, (1...NeuralNetwork.widthMax).contains(matrix.dims[0]) else {
      throw node.refused(
        "weights for \(inputs) inputs and at most \(NeuralNetwork.widthMax) outputs, not \(weights.dims)")
    }
    let outputs = matrix.dims[0]
    var shift = [Double](repeating: 0, count: outputs)
    if let bias {
      guard let spread = bias.expanded(to: [1, outputs]), spread.count == outputs else {
        throw node.refused("a bias of \(outputs), not \(bias.dims)")
      }
      shift = spread.values.map { $0 * beta }
    }
    try requireRoom(node)
    let value = network.dense(
      view.value, weights: matrix.values.map { Float($0 * alpha) }, bias: shift.map { Float($0) })
    if alpha == 1 { network.weightSteps[value] = channelSteps(matrix, outputs: outputs) }
    if beta == 1, let bias, network.weightSteps[value] != nil {
      network.integerBiases[value] = wholeBias(bias, outputs)
    }
    var result = following(view, value: value, width: outputs)
    if isVector { result.axes.removeLast() }
    return result
  }

  /// A dense layer over a whole window: a convolution with a tap for each row, read at the newest one.
  private mutating func denseOverWindow(
    _ node: GraphNode, _ view: View, _ isTimeMajor: Bool, _ dims: [Int], _ weights: Constant, _ bias: Constant?
  ) throws(ImportError) -> View {
    let (rows, width) = (network.rows[view.value], network.widths[view.value])
    guard rows <= 64 else { throw node.refused("a flattened window of at most 64 rows, not \(rows)") }
    guard dims.last == rows * width, weights.dims.count == 2, weights.dims[0] == rows * width,
      (1...NeuralNetwork.widthMax).contains(weights.dims[1])
    else { throw node.refused("weights for \(rows * width) inputs, not \(weights.dims)") }
    let outputs = weights.dims[1]
    let shift = bias?.expanded(to: [1, outputs])?.floats ?? [Float](repeating: 0, count: outputs)
    guard shift.count == outputs, bias == nil || bias?.count ?? 0 <= outputs else {
      throw node.refused("a bias of \(outputs)")
    }
    var taps = [Float](repeating: 0, count: outputs * width * rows)
    for output in 0..<outputs {
      for column in 0..<width {
        for row in 0..<rows {
          let place = isTimeMajor ? row * width + column : column * rows + row
          taps[(output * width + column) * rows + row] = Float(weights.values[place * outputs + output])
        }
      }
    }
    try requireRoom(node)
    let value = network.append(
      .convolution(
        NeuralNetwork.Convolution(
          source: view.value, inputs: width, outputs: outputs, kernel: rows, dilation: 1, weights: taps, bias: shift)),
      rows: rows, width: outputs)
    let axes = dims.dropLast().map { _ in View.Axis.one } + [View.columns(outputs)]
    return View(value: network.lastRow(value), axes: axes)
  }

  /// A step for each output, where the weights come from DequantizeLinear along axis 0 or with one step for all.
  func channelSteps(_ weights: Constant, outputs: Int) -> [Float]? {
    guard let quantisation = weights.quantisation, quantisation.zeroPoints.allSatisfy({ $0 == 0 }) else { return nil }
    if quantisation.scales.count == 1 { return [Float](repeating: Float(quantisation.scales[0]), count: outputs) }
    guard quantisation.axis == 0, quantisation.scales.count == outputs else { return nil }
    return quantisation.scales.map { Float($0) }
  }

  func wholeBias(_ bias: Constant, _ outputs: Int) -> [Int32]? {
    guard let quantisation = bias.quantisation, bias.count == outputs,
      quantisation.scales.count == 1 || quantisation.scales.count == outputs
    else { return nil }
    var whole: [Int32] = []
    for (place, value) in bias.values.enumerated() {
      let scale = quantisation.scales.count == 1 ? quantisation.scales[0] : quantisation.scales[place]
      guard let number = Int32(exactly: (value / scale).rounded()) else { return nil }
      whole.append(number)
    }
    return whole
  }

  /// One-dimensional, stride 1, and causal: what is padded or has fallen away is on the left.
  mutating func convolution(_ node: GraphNode) throws(ImportError) -> Meaning {
    let view = try view(node, 0)
    let weights = try neededConstant(node, 1, "weights W")
    let bias = try constant(node, 2, "bias B")
    guard weights.dims.count == 3, view.rank == 3, view.columnAxes.allSatisfy({ $0.place == 1 }), view.axes[1] != .time
    else {
      throw node.refused("a convolution along time: input [batch, channels, time], weights [outputs, inputs, taps]")
    }
    guard (node.integers("strides") ?? [1]) == [1] else { throw node.refused("attribute strides = [1]") }
    let padding = node.text("auto_pad", "NOTSET")
    guard ["NOTSET", "VALID"].contains(padding) else {
      throw node.refused("attribute auto_pad = NOTSET, not \(padding)")
    }
    let pads = node.integers("pads") ?? [0, 0]
    let dilations = node.integers("dilations") ?? [1]
    let groups = node.integer("group", 1)
    let packed = try packed(view, node)
    let inputs = network.widths[packed.value]
    let (outputs, share, kernel) = (weights.dims[0], weights.dims[1], weights.dims[2])
    guard pads.count == 2, pads.allSatisfy({ (0...4_096).contains($0) }), dilations.count == 1,
      (1...NeuralNetwork.windowMax).contains(dilations[0]), (1...64).contains(kernel),
      (1...NeuralNetwork.widthMax).contains(outputs), groups >= 1, share >= 1, share == inputs / groups,
      inputs % groups == 0, outputs % groups == 0
    else {
      throw node.refused("weights for \(inputs) channels, 1 to 64 taps, at most \(NeuralNetwork.widthMax) outputs")
    }
    let reach = dilations[0] * (kernel - 1)
    var result = packed
    if packed.leading >= 0, packed.leading + pads[0] == reach {
      result.leading = 0
    } else if packed.leading <= 0, pads[0] == 0 {
      result.leading -= reach
    } else {
      throw node.refused("causal padding: \(reach) rows of zeros on the left, not \(packed.leading + pads[0]), or none")
    }
    result.excess += pads[1]
    let rows = network.rows[packed.value]
    guard rows + result.leading > 0 else { throw node.refused("a window longer than the convolutions reach") }
    let shift = bias?.floats ?? [Float](repeating: 0, count: outputs)
    guard shift.count == outputs else { throw node.refused("a bias of \(outputs)") }
    var spread = weights.floats
    if groups > 1 {
      guard outputs * inputs * kernel <= NeuralNetwork.weightCountMax else { throw node.refused("fewer channels") }
      spread = [Float](repeating: 0, count: outputs * inputs * kernel)
      for output in 0..<outputs {
        let first = output / (outputs / groups) * share
        for place in 0..<(share * kernel) {
          spread[(output * inputs + first) * kernel + place] = Float(weights.values[output * share * kernel + place])
        }
      }
    }
    try requireRoom(node)
    if kernel == 1 {
      result.value = network.dense(packed.value, weights: spread, bias: shift)
    } else {
      result.value = network.append(
        .convolution(
          NeuralNetwork.Convolution(
            source: packed.value, inputs: inputs, outputs: outputs, kernel: kernel, dilation: dilations[0],
            weights: spread, bias: shift)), rows: rows, width: outputs)
    }
    network.weightSteps[result.value] = channelSteps(weights, outputs: outputs)
    if let bias { network.integerBiases[result.value] = wholeBias(bias, outputs) }
    result.axes[1] = View.columns(outputs)
    return .view(result)
  }
}
