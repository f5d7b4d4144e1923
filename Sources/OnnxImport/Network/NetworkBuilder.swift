internal import ModelImport
internal import ModelInference

/// The network as it is put together: operators in the order of the graph, and what the file told about their numbers.
struct NetworkBuilder {
  var operators: [NeuralNetwork.Operator] = []
  /// Rows and width of each value, the input first.
  var rows: [Int]
  var widths: [Int]
  /// How a value was quantised, by its number.
  var scales: [Int: QuantisationHints.Scale] = [:]
  /// Steps of the weights of the operator that makes a value, by the value's number.
  var weightSteps: [Int: [Float]] = [:]
  /// Its bias as the file's whole numbers, likewise.
  var integerBiases: [Int: [Int32]] = [:]

  /// Most operators before simplification, and most weights.
  static let operatorCountMax = 2_048
  private(set) var weightCount = 0

  init(rows: Int, width: Int) {
    self.rows = [rows]
    widths = [width]
  }

  /// Whether another operator fits.
  var isFull: Bool { operators.count >= Self.operatorCountMax || weightCount > NeuralNetwork.weightCountMax }

  mutating func append(_ operation: NeuralNetwork.Operator, rows: Int, width: Int) -> Int {
    operators.append(operation)
    self.rows.append(rows)
    widths.append(width)
    weightCount += operation.weightCount
    return operators.count
  }

  mutating func affine(_ source: Int, gain: [Double], shift: [Double]) -> Int {
    append(
      .affine(source: source, gain: gain.map { Float($0) }, shift: shift.map { Float($0) }), rows: rows[source],
      width: widths[source])
  }

  mutating func activation(_ source: Int, _ activation: NeuralNetwork.Activation) -> Int {
    append(.activation(source: source, activation), rows: rows[source], width: widths[source])
  }

  mutating func lastRow(_ source: Int) -> Int {
    if rows[source] == 1 { return source }
    return append(.lastRow(source: source), rows: 1, width: widths[source])
  }

  mutating func add(_ first: Int, _ second: Int) -> Int {
    append(.add(first, second), rows: rows[first], width: widths[first])
  }

  /// Whether a value cannot be below 0, as far as the operator that makes it tells.
  func isNonNegative(_ value: Int) -> Bool {
    guard value > 0, case .activation(_, let activation) = operators[value - 1] else { return false }
    return activation == .relu || activation == .sigmoid
  }

  /// A dense layer from weights `[outputs × inputs]`.
  mutating func dense(_ source: Int, weights: [Float], bias: [Float]) -> Int {
    append(
      .dense(
        NeuralNetwork.Dense(
          source: source, inputs: widths[source], outputs: bias.count, weights: weights, bias: bias)),
      rows: rows[source], width: bias.count)
  }

  /// A value that has the chosen columns of another, in this order.
  ///
  /// Rows of a weight matrix can be chosen, and so can entries of what follows it; anywhere else a product with 0 and 1 chooses.
  mutating func selection(_ source: Int, _ columns: [Int], depth: Int = 0) -> Int {
    guard columns != Array(0..<widths[source]) else { return source }
    func chosen(_ list: [Float], block: Int = 1) -> [Float] {
      columns.flatMap { list[($0 * block)..<(($0 + 1) * block)] }
    }
    if source > 0, depth < 16, scales[source] == nil {
      switch operators[source - 1] {
      case .dense(var layer):
        layer.weights = chosen(layer.weights, block: layer.inputs)
        layer.bias = chosen(layer.bias)
        layer.outputs = columns.count
        let value = append(.dense(layer), rows: rows[source], width: columns.count)
        weightSteps[value] = weightSteps[source].map { chosen($0) }
        integerBiases[value] = integerBiases[source].map { list in columns.map { list[$0] } }
        return value
      case .affine(let inner, let gain, let shift):
        let narrow = selection(inner, columns, depth: depth + 1)
        return append(
          .affine(source: narrow, gain: chosen(gain), shift: chosen(shift)), rows: rows[source], width: columns.count)
      case .activation(let inner, let activation):
        let narrow = selection(inner, columns, depth: depth + 1)
        return append(.activation(source: narrow, activation), rows: rows[source], width: columns.count)
      default: break
      }
    }
    var weights = [Float](repeating: 0, count: columns.count * widths[source])
    for (row, column) in columns.enumerated() { weights[row * widths[source] + column] = 1 }
    return dense(source, weights: weights, bias: [Float](repeating: 0, count: columns.count))
  }
}
