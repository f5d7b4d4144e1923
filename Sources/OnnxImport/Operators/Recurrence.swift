internal import ModelImport
internal import ModelInference

extension GraphReader {
  /// LSTM and GRU, forward, from a zero state.
  mutating func recurrent(_ node: GraphNode) throws(ImportError) -> [Meaning] {
    let isLSTM = node.type == "LSTM"
    let direction = node.text("direction", "forward")
    guard direction == "forward" else { throw node.refused("attribute direction = forward, not \(direction)") }
    try node.require("input_forget", 0)
    guard !node.has("clip") else { throw node.refused("no attribute clip") }
    let standard = isLSTM ? ["Sigmoid", "Tanh", "Tanh"] : ["Sigmoid", "Tanh"]
    let names = node.texts("activations") ?? standard
    guard names.map({ $0.lowercased() }) == standard.map({ $0.lowercased() }) else {
      throw node.refused("activations \(standard.joined(separator: ", ")), not \(names.joined(separator: ", "))")
    }
    let isBatchFirst = node.integer("layout", 0) == 1
    let view = try view(node, 0)
    let timeAxis = isBatchFirst ? 1 : 0
    let rows = network.rows[view.value]
    guard view.rank == 3, view.isWhole, view.columnAxes.allSatisfy({ $0.place == 2 }), view.axes[2] != .time,
      rows == 1 || view.axes[timeAxis] == .time
    else {
      throw node.refused(
        "an input \(isBatchFirst ? "[batch, time, feature]" : "[time, batch, feature]") of whole windows")
    }
    let packed = try packed(view, node)
    let inputs = network.widths[packed.value]
    let weights = try neededConstant(node, 1, "W")
    let recurrence = try neededConstant(node, 2, "R")
    let gates = isLSTM ? 4 : 3
    guard recurrence.dims.count == 3, recurrence.dims[0] == 1, (1...NeuralNetwork.widthMax).contains(recurrence.dims[2])
    else {
      throw node.refused("recurrent weights [1, \(gates) × hidden, hidden] of at most \(NeuralNetwork.widthMax) units")
    }
    let hidden = recurrence.dims[2]
    guard recurrence.dims[1] == gates * hidden, weights.dims == [1, gates * hidden, inputs],
      node.integer("hidden_size", hidden) == hidden
    else { throw node.refused("weights [1, \(gates * hidden), \(inputs)], not \(weights.dims)") }
    let bias = try constant(node, 3, "B")?.floats ?? [Float](repeating: 0, count: 2 * gates * hidden)
    guard bias.count == 2 * gates * hidden else { throw node.refused("a bias of \(2 * gates * hidden)") }
    if let lengths = try constant(node, 4, "sequence_lens"), lengths.values.contains(where: { $0 != Double(rows) }) {
      throw node.refused("whole windows: sequence_lens absent or \(rows)")
    }
    for place in isLSTM ? [5, 6] : [5] {
      guard node.input(place) != nil else { continue }
      guard let state = try meaning(node, place).constant, state.values.allSatisfy({ $0 == 0 }) else {
        throw node.refused("an initial state of zeros; states are kept by the runtime, not handed through the graph")
      }
    }
    guard node.input(7) == nil else { throw node.refused("no peepholes (input P)") }
    try requireRoom(node)
    let value = network.append(
      .recurrent(
        NeuralNetwork.Recurrent(
          source: packed.value,
          cell: isLSTM ? .lstm : .gru(linearBeforeReset: node.integer("linear_before_reset", 0) != 0), inputs: inputs,
          hidden: hidden, inputWeights: weights.floats, recurrentWeights: recurrence.floats,
          inputBias: Array(bias.prefix(gates * hidden)), recurrentBias: Array(bias.suffix(gates * hidden)))),
      rows: rows, width: hidden)
    let time: View.Axis = rows > 1 ? .time : .one
    let columns = View.columns(hidden)
    let all = View(value: value, axes: isBatchFirst ? [.one, time, .one, columns] : [time, .one, .one, columns])
    var results: [Meaning] = [.view(all)]
    if node.outputs.count > 1, !node.outputs[1].isEmpty {
      results.append(.view(View(value: network.lastRow(value), axes: [.one, .one, columns])))
    } else {
      results.append(.unusable("the last hidden state"))
    }
    return results + [.unusable("the last cell state")]
  }
}
