internal import ModelInference

/// Puts a quantised network together from a float one, the ranges of its values, and the scales it brings along.
struct QuantisedBuilder {
  let folded: FoldedNetwork
  let ranges: CalibratedRanges
  let hints: QuantisationHints
  let widensInput: Bool

  private var float: NeuralNetwork { folded.network }

  func network() -> QuantisedNetwork {
    let input = input()
    let encodings = encodings()
    let operators = float.operators.enumerated().map { number, step in
      operation(number, step, input: input, encodings: encodings)
    }
    return QuantisedNetwork(
      featureCount: float.featureCount, window: float.window, missingValues: float.missingValues, input: input,
      operators: operators, encodings: encodings, outputCount: float.outputCount, link: float.link)
  }

  private func input() -> QuantisedNetwork.Input {
    var input: QuantisedNetwork.Input
    if let scale = hints.values[0] {
      let zeros = float.missingValues.map { _ in Float(0) }
      input = QuantisedNetwork.Input(
        centers: zeros, factors: zeros.map { _ in scale.step }, divides: true, zeroPoint: scale.zeroPoint)
    } else if widensInput, float.canWiden {
      return wideInput()
    } else {
      let steps = ranges.input.map { range in
        // A feature that never moved gets steps of its size, so that it may begin to.
        let width = range.upperBound - range.lowerBound
        let step = width > 0 ? width / 255 : max(abs(range.lowerBound), 1) / 127
        return min(max(step, 1e-18), 1e18)
      }
      // Half a step off the middle: codes reach 128 below it and 127 above.
      let centers = ranges.input.indices.map { feature in
        let range = ranges.input[feature]
        let width = range.upperBound - range.lowerBound
        return range.lowerBound + (width > 0 ? width / 2 + steps[feature] / 2 : 0)
      }
      input = QuantisedNetwork.Input(centers: centers, factors: steps.map { 1 / $0 })
    }
    input.paddingCodes = folded.paddings.indices.map { input.code(folded.paddings[$0], feature: $0) }
    return input
  }

  /// Steps of 2,048 to a standard deviation, or 52,000 to what was seen where that is more: the rest of the 16 bits is for
  /// what was not seen, and weights absorb what a feature typically moves, not how far it once went.
  private func wideInput() -> QuantisedNetwork.Input {
    var input = QuantisedNetwork.Input(centers: [], factors: [], paddingCodes: [], isWide: true)
    for (feature, span) in ranges.inputSpans.enumerated() {
      let width = span.range.upperBound - span.range.lowerBound
      let moved = max(width / 52_000, span.deviation / 2_048)
      let step = min(max(moved > 0 ? moved : max(abs(span.range.lowerBound), 1) / 32_767, 1e-18), 1e18)
      let middle = span.range.lowerBound + width / 2
      // The padding lies a whole number of high bytes from the center, so that it is coded without error.
      let padding = folded.paddings[feature]
      let bytes = ((middle - padding) / (256 * step)).rounded()
      let isNear = abs(bytes) <= 127
      input.centers.append(isNear ? padding + bytes * 256 * step : middle)
      input.factors.append(1 / step)
      input.paddingCodes.append(isNear ? UInt8(128 - Int(bytes)) : bytes > 0 ? 0 : 255)
    }
    return input
  }

  private func encodings() -> [QuantisedNetwork.Encoding?] {
    var encodings: [QuantisedNetwork.Encoding?] = [nil]
    for (number, step) in float.operators.enumerated() {
      guard let range = ranges.values[number + 1] else {
        encodings.append(nil)
        continue
      }
      if let scale = hints.values[number + 1] {
        encodings.append(QuantisedNetwork.Encoding(factor: scale.step, divides: true, zeroPoint: scale.zeroPoint))
      } else if case .lastRow(let source) = step, let encoding = encodings[source] {
        // The row has codes already.
        encodings.append(encoding)
      } else {
        encodings.append(QuantisedNetwork.Encoding(covering: range))
      }
    }
    return encodings
  }

  private func operation(
    _ number: Int, _ step: NeuralNetwork.Operator, input: QuantisedNetwork.Input,
    encodings: [QuantisedNetwork.Encoding?]
  ) -> QuantisedNetwork.Operator {
    func steps(_ source: Int, _ terms: Int, taps: Int = 1) -> TermSteps {
      TermSteps(source: source, terms: terms, taps: taps, input: input, encoding: encodings[source])
    }
    switch step {
    case .dense(let layer):
      let product = product(layer.weights, layer.bias, steps(layer.source, layer.inputs), number)
      return .dense(QuantisedNetwork.Dense(source: layer.source, product: product, activation: layer.activation))
    case .convolution(let layer):
      let steps = steps(layer.source, layer.inputs * layer.kernel, taps: layer.kernel)
      return .convolution(
        QuantisedNetwork.Convolution(
          source: layer.source, kernel: layer.kernel, dilation: layer.dilation,
          product: product(layer.weights, layer.bias, steps, number), activation: layer.activation))
    case .recurrent(let layer):
      return .recurrent(
        recurrent(layer, seen: steps(layer.source, layer.inputs), kept: steps(number + 1, layer.hidden)))
    default: return .single(step)
    }
  }

  private func recurrent(
    _ layer: NeuralNetwork.Recurrent, seen: TermSteps, kept: TermSteps
  ) -> QuantisedNetwork.Recurrent {
    var input = seen.product(layer.inputWeights, layer.inputBias)
    var recurrent = kept.product(layer.recurrentWeights, layer.recurrentBias)
    // Known before the row arrives, so all bias goes there, but the part of a GRU's candidate that the reset must not touch.
    let moved = layer.cell == .lstm ? input.outputs : 2 * layer.hidden
    for row in 0..<moved {
      recurrent.bias[row] += input.bias[row]
      input.bias[row] = 0
    }
    return QuantisedNetwork.Recurrent(
      source: layer.source, cell: layer.cell, hidden: layer.hidden, input: input, recurrent: recurrent)
  }

  private func product(
    _ weights: [Float], _ bias: [Float], _ steps: TermSteps, _ number: Int
  ) -> QuantisedNetwork.Product {
    guard steps.source > 0 || hints.values[0] != nil, let given = hints.weightScales[number],
      given.count == bias.count || given.count == 1, given.allSatisfy({ $0 >= 1e-20 && $0 <= 1e15 })
    else { return steps.product(weights, bias) }
    let scales = bias.indices.map { given[given.count == 1 ? 0 : $0] }
    var product = steps.product(weights, bias, scales: scales)
    if let integers = hints.integerBiases[number], integers.count == bias.count,
      integers.allSatisfy({ $0.magnitude <= 1 << 30 })
    {
      for output in bias.indices where product.scales[output] == steps.scale(of: scales[output]) {
        product.integerBias[output] = integers[output]
        product.bias[output] = 0
      }
    }
    return product
  }
}

/// What one code of each term of a product is worth.
struct TermSteps {
  let source: Int
  /// Units in one step of each term, and what the code of its zero point stands for.
  private let steps: [Double]
  private let centers: [Double]
  /// The step all terms share and scales carry; 1 where weights absorb each its own.
  private let shared: Double

  init(source: Int, terms: Int, taps: Int, input: QuantisedNetwork.Input, encoding: QuantisedNetwork.Encoding?) {
    self.source = source
    if source == 0, !input.divides {
      steps = (0..<terms).map { 1 / Double(input.factors[$0 / taps]) }
      centers = (0..<terms).map { Double(input.centers[$0 / taps]) }
      shared = 1
    } else {
      steps = [Double](repeating: 1, count: terms)
      centers = [Double](repeating: 0, count: terms)
      shared = source == 0 ? Double(input.factors[0]) : encoding.map { Double($0.step) } ?? 1
    }
  }

  /// Real units in one unit of a sum.
  func scale(of weightScale: Float) -> Float { Float(Double(weightScale) * shared) }

  /// Integer weights of `[outputs × terms]`, by given scales or, for a channel none fits, those that just hold its largest.
  func product(_ weights: [Float], _ bias: [Float], scales given: [Float]? = nil) -> QuantisedNetwork.Product {
    let terms = steps.count
    var codes: [Int8] = []
    codes.reserveCapacity(weights.count)
    var scales: [Float] = []
    var shifted: [Float] = []
    for output in bias.indices {
      let row = (0..<terms).map { Double(weights[output * terms + $0]) * steps[$0] }
      let most = row.reduce(0) { max($0, abs($1)) }
      // No weight at all: any scale is right.
      var scale = most > 0 ? Float(most / 127) : 1
      if let given, most <= Double(given[output]) * 127.5 { scale = given[output] }
      scale = max(scale, 1e-30)
      codes += row.map { Int8(max(-127, min(127, ($0 / Double(scale)).rounded(.toNearestOrEven)))) }
      scales.append(self.scale(of: scale))
      let offset = (0..<terms).reduce(0.0) { $0 + Double(weights[output * terms + $1]) * centers[$1] }
      shifted.append(Float(Double(bias[output]) + offset))
    }
    return QuantisedNetwork.Product(terms: terms, outputs: bias.count, weights: codes, scales: scales, bias: shifted)
  }
}

extension QuantisedNetwork.Encoding {
  /// Codes 0 to 255 over a range, widened to hold 0.
  init(covering range: ClosedRange<Float>) {
    let low = min(range.lowerBound, 0)
    let high = max(range.upperBound, 0)
    let width = high - low > 0 ? Double(high) - Double(low) : 1
    let step = min(max(width / 255, 1e-18), 1e18)
    let zeroPoint = (-Double(low) / step).rounded(.toNearestOrEven)
    self.init(factor: Float(1 / step), zeroPoint: UInt8(max(0, min(255, zeroPoint))))
  }
}

extension NeuralNetwork {
  /// Whether every product that reads value 0 may read 16 bits.
  fileprivate var canWiden: Bool {
    operators.allSatisfy { step in
      switch step {
      case .dense(let layer): layer.source > 0 || layer.inputs <= QuantisedNetwork.wideTermCountMax
      case .recurrent(let layer): layer.source > 0 || layer.inputs <= QuantisedNetwork.wideTermCountMax
      case .convolution(let layer):
        layer.source > 0 || layer.inputs * layer.kernel <= QuantisedNetwork.wideTermCountMax
      default: true
      }
    }
  }
}
