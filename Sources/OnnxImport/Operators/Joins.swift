internal import ModelImport
internal import ModelInference

extension GraphReader {
  mutating func concat(_ node: GraphNode) throws(ImportError) -> Meaning {
    var constants: [Constant] = []
    for place in node.inputs.indices {
      if case .constant(let constant) = try meaning(node, place) { constants.append(constant) }
    }
    if constants.count == node.inputs.count, let first = constants.first {
      guard let axis = Constant.axis(node.integer("axis", 0), of: first.dims.count) else {
        throw node.refused("an axis")
      }
      return try known(Constant.joined(constants, axis: axis), node, "tensors of one shape but for the axis")
    }
    if let both = try complement(node) { return both }
    var views: [View] = []
    for place in node.inputs.indices { views.append(try view(node, place)) }
    guard var result = views.first, let axis = Constant.axis(node.integer("axis", 0), of: result.rank) else {
      throw node.refused("an axis")
    }
    if views.count == 1 { return .view(result) }
    if axis < result.rank - 1, views.allSatisfy({ $0.axes == result.axes && $0.axes[axis] == .one }) {
      return .stack(views, axis: axis)
    }
    var columns = 0
    for view in views {
      var rest = view.axes
      guard rest.count == result.rank, view.rank - 1 == axis, view.leading == result.leading, view.leading <= 0,
        view.excess == result.excess, network.rows[view.value] == network.rows[result.value], rest[axis] != .time,
        view.columnAxes.allSatisfy({ $0.place == axis })
      else { throw node.refused("values joined along their columns, the last axis") }
      rest[axis] = result.axes[axis]
      guard rest == result.axes else { throw node.refused("values of one shape but for their columns") }
      columns += view.columnOrder.count
    }
    guard columns <= NeuralNetwork.widthMax else { throw node.refused("at most \(NeuralNetwork.widthMax) columns") }
    result.value = try joined(node, views)
    result.offset = 0
    result.axes[axis] = View.columns(columns)
    return .view(result)
  }

  /// Columns of several values side by side: of one value a choice, of several a sum of products with 0 and 1.
  private mutating func joined(_ node: GraphNode, _ views: [View]) throws(ImportError) -> Int {
    let orders = views.map(\.columnOrder)
    let all = Array(orders.joined())
    try requireRoom(node)
    if Set(views.map(\.value)).count == 1 {
      let value = network.selection(views[0].value, all)
      fronts[value] = fronts[views[0].value]?.selected(all)
      return value
    }
    var front = FeatureFront(count: 0)
    var isPlain = true
    for (view, order) in zip(views, orders) {
      if let part = fronts[view.value]?.selected(order) { front.append(part) } else { isPlain = false }
    }
    if isPlain {
      // Columns that are features but for scalers: one choice of features, one scaler.
      let value = network.selection(0, front.columns.map(\.feature))
      try requireRoom(node)
      let scaled = network.affine(
        value, gain: front.columns.map { $0.steps.reduce(1) { $0 * Double($1.scale) } },
        shift: front.columns.map { $0.steps.reduce(0) { ($0 - Double($1.offset)) * Double($1.scale) } })
      fronts[scaled] = front
      return scaled
    }
    var sum: Int?
    var start = 0
    for (view, order) in zip(views, orders) {
      try requireRoom(node)
      let width = network.widths[view.value]
      var weights = [Float](repeating: 0, count: all.count * width)
      for (place, column) in order.enumerated() { weights[(start + place) * width + column] = 1 }
      start += order.count
      let part = network.dense(view.value, weights: weights, bias: [Float](repeating: 0, count: all.count))
      sum = sum.map { network.add($0, part) } ?? part
    }
    guard let sum else { throw node.refused("something to join") }
    return sum
  }

  /// `[1 − p, p]`, as scikit-learn's export writes the probabilities of two classes.
  private mutating func complement(_ node: GraphNode) throws(ImportError) -> Meaning? {
    guard node.inputs.count == 2, case .function(let one, let first) = try meaning(node, 0),
      case .function(let two, let second) = try meaning(node, 1), one.value == two.value, one.offset == two.offset,
      one.columnAxes.isEmpty, case .activation(.sigmoid)? = second.steps?.last,
      zip(first.values, second.values).allSatisfy({ abs($0 + $1 - 1) < 1e-9 })
    else { return nil }
    var inner = second
    inner.steps?.removeLast()
    // The function before the logistic one, through its chain.
    var chain = ScalarFunction.identity
    for step in inner.steps ?? [] {
      switch step {
      case .activation(let activation): chain = chain.activated(activation)
      case .scale(let gain, let shift): chain = chain.scaled(gain: gain, shift: shift)
      }
    }
    return .chances(try packed(applied(chain, to: two, node), node), isSoftmax: false)
  }

  /// Rows of zeros before or after, which the next convolution takes up.
  mutating func pad(_ node: GraphNode) throws(ImportError) -> Meaning {
    guard node.text("mode", "constant") == "constant" else { throw node.refused("attribute mode = constant") }
    let pads = try integers(node, input: 1, attribute: "pads") ?? []
    let fill = try constant(node, 2, "value")?.scalar ?? Double(node.number("value", 0))
    let axes = try constant(node, 3, "axes")?.integers
    var result = try view(node, 0)
    let places = axes ?? Array(result.axes.indices)
    guard pads.count == 2 * places.count, fill == 0 else { throw node.refused("zeros, as many numbers as axes twice") }
    for (index, place) in places.enumerated() {
      let (before, after) = (pads[index], pads[index + places.count])
      if before == 0, after == 0 { continue }
      guard let axis = Constant.axis(place, of: result.rank), result.axes[axis] == .time, (0...4_096).contains(before),
        (0...4_096).contains(after), result.leading == 0, result.excess == 0
      else { throw node.refused("padding of rows only, in front of a convolution") }
      result.leading = before
      result.excess = after
    }
    return .view(result)
  }
}
