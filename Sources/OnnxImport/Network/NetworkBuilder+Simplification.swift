internal import ModelImport
internal import ModelInference

extension NetworkBuilder {
  /// What is left when normalisations and biases are folded into weights, functions into layers, and unread values are dropped.
  ///
  /// A value that the file quantises is kept as it is, because its numbers are what the hints speak of.
  struct Simplified {
    var operators: [NeuralNetwork.Operator]
    var hints: QuantisationHints
  }

  func simplified(last: Int) -> Simplified {
    var made = self
    var last = last
    // What stands in for a value that was folded away.
    var stands = Array(0...operators.count)
    for number in operators.indices {
      made.operators[number] = made.operators[number].renumbered { stands[$0] }
      let value = number + 1
      let uses = made.uses(last: last)
      if case .affine(let source, let gain, let shift) = made.operators[number],
        gain.allSatisfy({ $0 == 1 }), shift.allSatisfy({ $0 == 0 }), made.scales[value] == nil
      {
        stands[value] = source
        if last == value { last = source }
        continue
      }
      for source in made.operators[number].sources.prefix(1) where source > 0 && uses[source] == 1 {
        guard made.scales[source] == nil, last != source,
          let joined = made.operators[source - 1].followed(by: made.operators[number])
            ?? made.composed(made.operators[source - 1], made.operators[number], source, value)
        else { continue }
        var steps = made.weightSteps[source]
        var biases = made.integerBiases[source]
        if case .affine(_, let gain, _) = made.operators[number] {
          steps = steps.map { steps in zip(steps, gain).map { $0 * abs($1) } }
          biases = nil
        }
        made.operators[number] = joined
        made.weightSteps[value] = steps
        made.integerBiases[value] = biases
      }
    }
    return made.compacted(last: last)
  }

  /// Two dense layers in a row as one, where that takes no more weights and no scales of a file get lost.
  private func composed(
    _ first: NeuralNetwork.Operator, _ next: NeuralNetwork.Operator, _ source: Int, _ value: Int
  ) -> NeuralNetwork.Operator? {
    guard case .dense(let inner) = first, case .dense(var outer) = next, inner.activation == .identity,
      weightSteps[source] == nil, weightSteps[value] == nil,
      outer.outputs * inner.inputs <= inner.weights.count + outer.weights.count,
      outer.weights.count * inner.inputs <= 1 << 24
    else { return nil }
    var weights = [Float](repeating: 0, count: outer.outputs * inner.inputs)
    for output in 0..<outer.outputs {
      var sums = [Double](repeating: 0, count: inner.inputs)
      var shift = Double(outer.bias[output])
      for middle in 0..<outer.inputs {
        let factor = Double(outer.weights[output * outer.inputs + middle])
        shift += factor * Double(inner.bias[middle])
        for input in 0..<inner.inputs { sums[input] += factor * Double(inner.weights[middle * inner.inputs + input]) }
      }
      for input in 0..<inner.inputs { weights[output * inner.inputs + input] = Float(sums[input]) }
      outer.bias[output] = Float(shift)
    }
    outer.weights = weights
    outer.inputs = inner.inputs
    outer.source = inner.source
    return .dense(outer)
  }

  /// How often each value is read, counting only what the last one needs.
  private func uses(last: Int) -> [Int] {
    var uses = [Int](repeating: 0, count: operators.count + 1)
    uses[last] = 1
    for number in operators.indices.reversed() where uses[number + 1] > 0 {
      for source in operators[number].sources { uses[source] += 1 }
    }
    return uses
  }

  private func compacted(last: Int) -> Simplified {
    let uses = uses(last: last)
    var numbers = [Int](repeating: 0, count: operators.count + 1)
    var kept: [NeuralNetwork.Operator] = []
    var hints = QuantisationHints()
    hints.values[0] = scales[0]
    for number in operators.indices where uses[number + 1] > 0 {
      kept.append(operators[number].renumbered { numbers[$0] })
      numbers[number + 1] = kept.count
      hints.values[kept.count] = scales[number + 1]
      hints.weightScales[kept.count - 1] = weightSteps[number + 1]
      hints.integerBiases[kept.count - 1] = integerBiases[number + 1]
    }
    return Simplified(operators: kept, hints: hints)
  }
}

extension NeuralNetwork.Operator {
  /// The operator with other numbers for the values it reads.
  func renumbered(_ number: (Int) -> Int) -> NeuralNetwork.Operator {
    switch self {
    case .dense(var layer):
      layer.source = number(layer.source)
      return .dense(layer)
    case .convolution(var layer):
      layer.source = number(layer.source)
      return .convolution(layer)
    case .recurrent(var layer):
      layer.source = number(layer.source)
      return .recurrent(layer)
    case .attention(let query, let key, let value, let heads, let scale):
      return .attention(query: number(query), key: number(key), value: number(value), heads: heads, scale: scale)
    case .layerNormalisation(let source, let gain, let shift, let epsilon):
      return .layerNormalisation(source: number(source), gain: gain, shift: shift, epsilon: epsilon)
    case .affine(let source, let gain, let shift): return .affine(source: number(source), gain: gain, shift: shift)
    case .add(let first, let second): return .add(number(first), number(second))
    case .activation(let source, let activation): return .activation(source: number(source), activation)
    case .positions(let source, let table): return .positions(source: number(source), table: table)
    case .lastRow(let source): return .lastRow(source: number(source))
    }
  }

  /// One operator that does this one and then the next, or nil.
  func followed(by next: NeuralNetwork.Operator) -> NeuralNetwork.Operator? {
    switch (self, next) {
    case (.dense(var layer), .activation(_, let activation)) where layer.activation == .identity:
      layer.activation = activation
      return .dense(layer)
    case (.convolution(var layer), .activation(_, let activation)) where layer.activation == .identity:
      layer.activation = activation
      return .convolution(layer)
    case (.dense(var layer), .affine(_, let gain, let shift)) where layer.activation == .identity:
      layer.weights = Self.scaled(layer.weights, by: gain)
      layer.bias = Self.moved(layer.bias, gain, shift)
      return .dense(layer)
    case (.convolution(var layer), .affine(_, let gain, let shift)) where layer.activation == .identity:
      layer.weights = Self.scaled(layer.weights, by: gain)
      layer.bias = Self.moved(layer.bias, gain, shift)
      return .convolution(layer)
    case (.affine(let source, let first, let start), .affine(_, let gain, let shift)):
      return .affine(source: source, gain: zip(first, gain).map { $0 * $1 }, shift: Self.moved(start, gain, shift))
    case (.layerNormalisation(let source, let first, let start, let epsilon), .affine(_, let gain, let shift)):
      return .layerNormalisation(
        source: source, gain: zip(first, gain).map { $0 * $1 }, shift: Self.moved(start, gain, shift), epsilon: epsilon)
    default: return nil
    }
  }

  /// Each output's weights times its gain.
  private static func scaled(_ weights: [Float], by gain: [Float]) -> [Float] {
    let block = weights.count / max(gain.count, 1)
    return weights.indices.map { Float(Double(weights[$0]) * Double(gain[$0 / max(block, 1)])) }
  }

  private static func moved(_ start: [Float], _ gain: [Float], _ shift: [Float]) -> [Float] {
    start.indices.map { Float(Double(start[$0]) * Double(gain[$0]) + Double(shift[$0])) }
  }
}
