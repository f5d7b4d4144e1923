internal import ModelImport
internal import ModelInference

/// Operators of ai.onnx.ml that scikit-learn's export writes around its models.
extension GraphReader {
  /// `(x − offset) × scale`.
  mutating func scaler(_ node: GraphNode) throws(ImportError) -> Meaning {
    let view = try matrix(view(node, 0), node)
    let width = network.widths[view.value]
    func spread(_ list: [Float]) -> [Float] { list.count == 1 ? [Float](repeating: list[0], count: width) : list }
    let offset = spread(node.numbers("offset") ?? [0])
    let scale = spread(node.numbers("scale") ?? [1])
    guard offset.count == width, scale.count == width else { throw node.refused("an offset and scale of \(width)") }
    try requireRoom(node)
    let value = network.affine(
      view.value, gain: scale.map { Double($0) }, shift: zip(offset, scale).map { -Double($0) * Double($1) })
    if var front = fronts[view.value] {
      guard front.columns.allSatisfy({ $0.steps.count < 8 }) else { throw node.refused("at most 8 scalers in a row") }
      for column in front.columns.indices {
        front.columns[column].steps.append(FeatureFront.Step(offset: offset[column], scale: scale[column]))
      }
      fronts[value] = front
    }
    return .view(following(view, value: value))
  }

  /// Replaces NaN; read where it stands directly behind the input, because that is where entries are missing.
  mutating func imputer(_ node: GraphNode) throws(ImportError) -> Meaning {
    let view = try view(node, 0)
    let fill = node.numbers("imputed_value_floats") ?? []
    let columns = view.columnOrder
    guard let front = fronts[view.value], columns.allSatisfy({ front.columns[$0].steps.isEmpty }),
      view.value == 0 || view.columnAxes.count <= 1
    else { throw node.refused("Imputer directly behind the input") }
    guard node.number("replaced_value_float", .nan).isNaN else {
      throw node.refused("attribute replaced_value_float = NaN")
    }
    guard fill.count == 1 || fill.count == columns.count, fill.allSatisfy(\.isFinite) else {
      throw node.refused("attribute imputed_value_floats with \(columns.count) finite numbers")
    }
    var changed = front
    var values = missingValues ?? [Float](repeating: .nan, count: network.widths[0])
    for (place, column) in columns.enumerated() {
      let number = fill.count == 1 ? fill[0] : fill[place]
      let feature = front.columns[column].feature
      guard values[feature].isNaN || values[feature] == number else {
        throw node.refused("one replacement for feature \(feature), not \(values[feature]) and \(number)")
      }
      values[feature] = number
      changed.columns[column].missing = number
    }
    missingValues = values
    fronts[view.value] = changed
    return .view(view)
  }

  mutating func linearRegressor(_ node: GraphNode) throws(ImportError) -> Meaning {
    let targets = node.integer("targets", 1)
    let transform = node.text("post_transform", "NONE")
    guard transform == "NONE" else { throw node.refused("attribute post_transform = NONE, not \(transform)") }
    return .view(try linear(node, outputs: targets))
  }

  private mutating func linear(_ node: GraphNode, outputs: Int) throws(ImportError) -> View {
    let view = try matrix(view(node, 0), node)
    let width = network.widths[view.value]
    let weights = node.numbers("coefficients") ?? []
    let bias = node.numbers("intercepts") ?? [Float](repeating: 0, count: max(0, min(outputs, NeuralNetwork.widthMax)))
    guard (1...NeuralNetwork.widthMax).contains(outputs), weights.count == outputs * width, bias.count == outputs else {
      throw node.refused("\(outputs) × \(width) coefficients and \(outputs) intercepts")
    }
    try requireRoom(node)
    return following(view, value: network.dense(view.value, weights: weights, bias: bias), width: outputs)
  }

  /// Two classes give the logit of the second; more give softmax.
  mutating func linearClassifier(_ node: GraphNode) throws(ImportError) -> Meaning {
    let labels = node.texts("classlabels_strings") ?? (node.integers("classlabels_ints") ?? []).map { String($0) }
    classNames = labels
    let rows = (node.numbers("intercepts") ?? []).count
    let transform = node.text("post_transform", "NONE")
    let view = try linear(node, outputs: rows)
    switch (transform, rows, labels.count) {
    case ("LOGISTIC", 1, 2): return .chances(view, isSoftmax: false)
    case ("LOGISTIC", 2, 2):
      guard case .dense(let layer) = network.operators[view.value - 1] else { break }
      let half = layer.inputs
      let isMirrored =
        zip(layer.weights.prefix(half), layer.weights.suffix(half)).allSatisfy { $0 == -$1 }
        && layer.bias[0] == -layer.bias[1]
      guard isMirrored, let second = view.sliced(axis: view.rank - 1, start: 1, count: 1) else {
        throw node.refused("two classes with opposite coefficients")
      }
      return .chances(try packed(second, node), isSoftmax: false)
    case ("SOFTMAX", _, rows) where rows > 1: return .chances(view, isSoftmax: true)
    case ("NONE", _, rows): return .view(view)
    default: break
    }
    throw node.refused(
      "post_transform LOGISTIC with two classes, SOFTMAX or NONE, not \(transform) with \(rows) rows and \(labels.count) classes"
    )
  }
}
