internal import ModelInference

/// A network whose scaler went into the products that read it.
struct FoldedNetwork {
  /// Predicts what the original does, up to rounding.
  var network: NeuralNetwork
  /// What a row before the window holds where a convolution reads value 0, a number a feature.
  var paddings: [Float]

  /// Folds leading affine steps of value 0 into the dense, recurrent and convolution layers that read them.
  ///
  /// A step that something else reads as well stays for it. A convolution's padding, 0 after the step, becomes
  /// `−shift / gain` before it; where that is no number, or convolutions disagree, nothing is folded.
  init(_ original: NeuralNetwork, isFolded: Bool = true) {
    network = original
    paddings = [Float](repeating: 0, count: original.featureCount)
    guard isFolded else { return }
    var isPadded = false
    let identity: (gain: [Float], shift: [Float]) = (
      gain: [Float](repeating: 1, count: original.featureCount), shift: paddings
    )
    // What each value is of value 0, where it is affine in it.
    var forms: [Int: (gain: [Float], shift: [Float])] = [:]
    for (number, step) in original.operators.enumerated() {
      if case .affine(let source, let gain, let shift) = step, source == 0 || forms[source] != nil {
        let before = forms[source] ?? identity
        forms[number + 1] = (
          gain: gain.indices.map { gain[$0] * before.gain[$0] },
          shift: gain.indices.map { before.shift[$0] * gain[$0] + shift[$0] }
        )
      }
      if case .lastRow(let source) = step, original.window == 1, let form = source == 0 ? identity : forms[source] {
        // Of one row it is that row.
        forms[number + 1] = form
      }
      if case .convolution(let layer) = step, layer.kernel > 1, layer.source == 0 || forms[layer.source] != nil {
        let wanted =
          forms[layer.source].map { form in form.gain.indices.map { 0 - form.shift[$0] / form.gain[$0] } }
          ?? [Float](repeating: 0, count: original.featureCount)
        guard wanted.allSatisfy({ abs($0) <= 1e30 }), !isPadded || wanted == paddings else {
          paddings = [Float](repeating: 0, count: original.featureCount)
          return
        }
        paddings = wanted
        isPadded = true
      }
    }
    guard !forms.isEmpty else { return }
    for number in network.operators.indices { network.operators[number].fold(forms) }
    network.removeUnread()
  }
}

extension NeuralNetwork.Operator {
  /// Reads value 0 instead of what is affine in it, where it is a product.
  fileprivate mutating func fold(_ forms: [Int: (gain: [Float], shift: [Float])]) {
    /// Weights that have absorbed the gain, and bias the shift; `taps` weights lie together for each input.
    func folded(
      _ weights: [Float], _ bias: [Float], taps: Int, _ form: (gain: [Float], shift: [Float])
    ) -> (weights: [Float], bias: [Float]) {
      let terms = weights.count / bias.count
      var bias = bias.map(Double.init)
      for (place, weight) in weights.enumerated() {
        bias[place / terms] += Double(weight) * Double(form.shift[place % terms / taps])
      }
      return (
        weights.indices.map { weights[$0] * form.gain[$0 % terms / taps] }, bias.map { Float($0) }
      )
    }
    switch self {
    case .dense(var layer):
      guard let form = forms[layer.source] else { return }
      (layer.weights, layer.bias) = folded(layer.weights, layer.bias, taps: 1, form)
      layer.source = 0
      self = .dense(layer)
    case .convolution(var layer):
      guard let form = forms[layer.source] else { return }
      (layer.weights, layer.bias) = folded(layer.weights, layer.bias, taps: layer.kernel, form)
      layer.source = 0
      self = .convolution(layer)
    case .recurrent(var layer):
      guard let form = forms[layer.source] else { return }
      (layer.inputWeights, layer.inputBias) = folded(layer.inputWeights, layer.inputBias, taps: 1, form)
      layer.source = 0
      self = .recurrent(layer)
    default: return
    }
  }

  /// Renumbers the values read.
  fileprivate mutating func renumber(_ number: (Int) -> Int) {
    switch self {
    case .dense(var layer):
      layer.source = number(layer.source)
      self = .dense(layer)
    case .convolution(var layer):
      layer.source = number(layer.source)
      self = .convolution(layer)
    case .recurrent(var layer):
      layer.source = number(layer.source)
      self = .recurrent(layer)
    case .attention(let query, let key, let value, let heads, let scale):
      self = .attention(query: number(query), key: number(key), value: number(value), heads: heads, scale: scale)
    case .layerNormalisation(let source, let gain, let shift, let epsilon):
      self = .layerNormalisation(source: number(source), gain: gain, shift: shift, epsilon: epsilon)
    case .affine(let source, let gain, let shift): self = .affine(source: number(source), gain: gain, shift: shift)
    case .add(let first, let second): self = .add(number(first), number(second))
    case .activation(let source, let activation): self = .activation(source: number(source), activation)
    case .positions(let source, let table): self = .positions(source: number(source), table: table)
    case .lastRow(let source): self = .lastRow(source: number(source))
    }
  }
}

extension NeuralNetwork {
  /// Drops the steps whose results nothing reads.
  fileprivate mutating func removeUnread() {
    var isRead = [Bool](repeating: false, count: operators.count + 1)
    isRead[operators.count] = true
    for number in operators.indices.reversed() where isRead[number + 1] {
      for source in operators[number].sources { isRead[source] = true }
    }
    var numbers = [0]
    var kept: [Operator] = []
    for (number, step) in operators.enumerated() {
      numbers.append(kept.count + 1)
      guard isRead[number + 1] else { continue }
      var step = step
      step.renumber { numbers[$0] }
      kept.append(step)
    }
    operators = kept
  }
}
