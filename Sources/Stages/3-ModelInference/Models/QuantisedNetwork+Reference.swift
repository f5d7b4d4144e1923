/// Computes a quantised network, plainly: it defines every bit that the kernels give.
public struct QuantisedReference: Sendable {
  /// Everything computed for a window.
  public struct Trace: Hashable, Sendable {
    /// Every value, the input with missing entries replaced first: `[rows × width]`, row-major.
    public var values: [[Float]]
    /// The codes of every value that has an encoding or, value 0, that a product reads; empty elsewhere.
    public var codes: [[UInt8]]
    /// The low bytes of a wide input's codes, whose high bytes are `codes[0]`; empty where the input is not wide.
    public var lowCodes: [UInt8]
  }

  /// The network computed.
  public let network: QuantisedNetwork
  private let products: [[NetworkProducts]]
  private let inputIsEncoded: Bool

  /// Prepares a sound network.
  ///
  /// - Precondition: `network.fault` is nil.
  /// - Complexity: O(weights), allocates as much.
  public init(_ network: QuantisedNetwork) {
    precondition(network.fault == nil, "QuantisedReference: the network is sound")
    self.network = network
    inputIsEncoded = network.operators.contains { $0.encodedSource == 0 }
    products = network.operators.map { step in
      step.products.map { product in
        NetworkProducts(product.weights.map { Float($0) }, terms: product.terms)
      }
    }
  }

  /// Every value and its codes.
  ///
  /// - Parameter window: `[network.window][featureCount]`, the newest row last, NaN where there is no value.
  /// - Complexity: O(products), allocates.
  public func trace(_ window: [[Float]]) -> Trace {
    var values = [network.inputMatrix(window)]
    var codes = [network.inputCodes(values[0], isRead: inputIsEncoded)]
    let low = network.lowInputCodes(values[0], isRead: inputIsEncoded)
    for (number, step) in network.operators.enumerated() {
      switch step {
      case .single(let step): values.append(step.single(values))
      case .dense(let layer):
        let source = codes[layer.source]
        values.append(
          rows(of: source.rows, layer.product, layer.activation) { row in
            sums(number, 0, source.row(row), low: low.part(layer.source) { $0.row(row) }, of: layer.source)
          })
      case .convolution(let layer):
        let source = codes[layer.source]
        values.append(
          rows(of: source.rows, layer.product, layer.activation) { row in
            let taps = source.taps(row: row, kernel: layer.kernel, dilation: layer.dilation) { channel in
              layer.source == 0 ? network.input.paddingCodes[channel] : network.zeroPoint(of: layer.source)
            }
            let lowTaps = low.part(layer.source) {
              $0.taps(row: row, kernel: layer.kernel, dilation: layer.dilation) { _ in 0 }
            }
            return sums(number, 0, taps, low: lowTaps, of: layer.source)
          })
      case .recurrent(let layer):
        values.append(recurrent(layer, number, codes[layer.source], low: low))
      }
      codes.append(network.codes(of: values[number + 1], number + 1))
    }
    return Trace(values: values.map(\.numbers), codes: codes.map(\.numbers), lowCodes: low.numbers)
  }

  /// The last value: what the link turns into a prediction.
  ///
  /// - Parameter window: as `trace` takes it.
  public func predict(_ window: [[Float]]) -> [Float] { trace(window).values[network.operators.count] }

  /// `integerBias[o] + Σ (code − zeroPoint) × weights[o]`, of a wide code both bytes.
  ///
  /// - Parameters:
  ///   - low: low bytes of a wide code, or nil.
  ///   - value: where the codes come from.
  private func sums(_ step: Int, _ product: Int, _ codes: [UInt8], low: [UInt8]? = nil, of value: Int) -> [Int32] {
    let zeroPoint = Int(network.zeroPoint(of: value))
    let weights = products[step][product]
    var sums = weights.exactSums(codes.map { Float(Int($0) - zeroPoint) })
    if let low {
      let below = weights.exactSums(low.map { Float($0) })
      // In range: 512 terms of 16 bits at most.
      for output in sums.indices { sums[output] = 256 * sums[output] + below[output] }
    }
    return zip(sums, network.operators[step].products[product].integerBias).map { $0 + $1 }
  }

  private func rows(
    of count: Int, _ product: QuantisedNetwork.Product, _ activation: NeuralNetwork.Activation, sums: (Int) -> [Int32]
  ) -> NetworkMatrix<Float> {
    var numbers: [Float] = []
    numbers.reserveCapacity(count * product.outputs)
    for row in 0..<count { numbers += product.results(sums(row)).map(activation.value) }
    return NetworkMatrix(rows: count, width: product.outputs, numbers: numbers)
  }

  private func recurrent(
    _ layer: QuantisedNetwork.Recurrent, _ number: Int, _ source: NetworkMatrix<UInt8>, low: NetworkMatrix<UInt8>
  ) -> NetworkMatrix<Float> {
    let units = layer.hidden
    // A recurrent result has an encoding: the network is sound.
    guard let encoding = network.encodings[number + 1] else { return NetworkMatrix(rows: 0, width: 0, numbers: []) }
    func recalled(_ state: [Float]) -> [Float] {
      layer.recurrent.results(sums(number, 1, state.map(encoding.code), of: number + 1))
    }
    var hidden = [Float](repeating: 0, count: units)
    var cells = hidden
    var numbers: [Float] = []
    for row in 0..<source.rows {
      let before = recalled(hidden)
      let sums = sums(
        number, 0, source.row(row), low: low.part(layer.source) { $0.row(row) }, of: layer.source)
      func gate(_ row: Int, _ more: [Float]) -> Float {
        NetworkMath.fused(Float(sums[row]), layer.input.scales[row], more[row])
      }
      let gates = sums.indices.map { gate($0, before) }
      switch layer.cell {
      case .lstm:
        for unit in 0..<units {
          (cells[unit], hidden[unit]) = NetworkMath.lstmCell(
            input: gates[unit], output: gates[units + unit], forget: gates[2 * units + unit],
            candidate: gates[3 * units + unit], cell: cells[unit])
        }
      case .gru(let linearBeforeReset):
        let resets = (0..<units).map { NetworkMath.gate(gates[units + $0]) }
        let shown = (2 * units..<3 * units).map { gate($0, layer.input.bias) }
        let kept = linearBeforeReset ? before : recalled((0..<units).map { resets[$0] * hidden[$0] })
        for unit in 0..<units {
          let past = kept[2 * units + unit]
          let candidate =
            linearBeforeReset ? NetworkMath.fused(resets[unit], past, shown[unit]) : shown[unit] + past
          hidden[unit] = NetworkMath.gruState(update: gates[unit], candidate: candidate, hidden: hidden[unit])
        }
      }
      numbers += hidden
    }
    return NetworkMatrix(rows: source.rows, width: units, numbers: numbers)
  }
}

extension QuantisedNetwork.Product {
  /// `Float(sum) × scale + bias` of each sum.
  func results(_ sums: [Int32]) -> [Float] {
    sums.indices.map { NetworkMath.fused(Float(sums[$0]), scales[$0], bias[$0]) }
  }
}

extension QuantisedNetwork {
  /// Value 0 of a window.
  func inputMatrix(_ window: [[Float]]) -> NetworkMatrix<Float> {
    precondition(
      window.count == self.window && window.allSatisfy { $0.count == featureCount },
      "QuantisedNetwork: \(self.window) rows of \(featureCount) features")
    let numbers = window.flatMap { row in zip(row, missingValues).map { $0.isNaN ? $1 : $0 } }
    return NetworkMatrix(rows: window.count, width: featureCount, numbers: numbers)
  }

  func inputCodes(_ matrix: NetworkMatrix<Float>, isRead: Bool) -> NetworkMatrix<UInt8> {
    let codes: [UInt8] =
      isRead
      ? matrix.numbers.indices.map { place in
        let (number, feature) = (matrix.numbers[place], place % matrix.width)
        return input.isWide
          ? UInt8(input.wideCode(number, feature: feature) >> 8) : input.code(number, feature: feature)
      } : []
    return NetworkMatrix(rows: matrix.rows, width: matrix.width, numbers: codes)
  }

  /// The low bytes of a wide input's codes; no rows where it is not wide.
  func lowInputCodes(_ matrix: NetworkMatrix<Float>, isRead: Bool) -> NetworkMatrix<UInt8> {
    guard isRead, input.isWide else { return NetworkMatrix(rows: 0, width: matrix.width, numbers: []) }
    let codes = matrix.numbers.indices.map {
      UInt8(truncatingIfNeeded: input.wideCode(matrix.numbers[$0], feature: $0 % matrix.width))
    }
    return NetworkMatrix(rows: matrix.rows, width: matrix.width, numbers: codes)
  }

  func codes(of matrix: NetworkMatrix<Float>, _ value: Int) -> NetworkMatrix<UInt8> {
    let codes = encodings[value].map { encoding in matrix.numbers.map(encoding.code) }
    return NetworkMatrix(rows: matrix.rows, width: matrix.width, numbers: codes ?? [])
  }

  /// The code that stands for 0, or for the center of the input.
  func zeroPoint(of value: Int) -> UInt8 { value == 0 ? input.zeroPoint : encodings[value]?.zeroPoint ?? 0 }

  /// What the network predicts for a window before the link: the integer executor, whose bits every kernel repeats.
  ///
  /// For many windows prepare a `QuantisedReference` once.
  ///
  /// - Parameter window: `[window][featureCount]`, the newest row last, NaN where there is no value.
  /// - Precondition: `fault` is nil.
  public func predictReference(_ window: [[Float]]) -> [Float] { QuantisedReference(self).predict(window) }
}

extension NetworkMatrix<UInt8> {
  /// What `read` takes of low bytes where a value has them: value 0 of a wide input.
  fileprivate func part(_ value: Int, read: (Self) -> [UInt8]) -> [UInt8]? {
    value == 0 && rows > 0 ? read(self) : nil
  }
}
