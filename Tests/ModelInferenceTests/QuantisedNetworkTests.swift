import ModelImport
import ModelInference
import Testing
import TradingTypes

struct QuantisedNetworkTests {
  private func product(_ weights: [Int8], terms: Int, bias: [Float]? = nil, integerBias: [Int32]? = nil)
    -> QuantisedNetwork.Product
  {
    let outputs = weights.count / terms
    return QuantisedNetwork.Product(
      terms: terms, outputs: outputs, weights: weights, integerBias: integerBias,
      scales: [Float](repeating: 1, count: outputs), bias: bias ?? [Float](repeating: 0, count: outputs))
  }

  /// One dense layer of unit steps: its result is the integer sum.
  private func layer(
    _ product: QuantisedNetwork.Product, activation: NeuralNetwork.Activation = .identity, window: Int = 1
  ) -> QuantisedNetwork {
    let zeros = [Float](repeating: 0, count: product.terms)
    var operators: [QuantisedNetwork.Operator] = [
      .dense(QuantisedNetwork.Dense(source: 0, product: product, activation: activation))
    ]
    if window > 1 { operators.append(.single(.lastRow(source: 1))) }
    return QuantisedNetwork(
      featureCount: product.terms, window: window, missingValues: zeros,
      input: QuantisedNetwork.Input(centers: zeros, factors: zeros.map { _ in 1 }), operators: operators,
      encodings: [QuantisedNetwork.Encoding?](repeating: nil, count: operators.count + 1),
      outputCount: product.outputs, link: .identity)
  }

  private func quantised(_ network: NeuralNetwork, seed: UInt64) throws -> QuantisedNetwork {
    var networks = QuantisationNetworks(seed: seed)
    let windows = networks.windows(20, for: network)
    return try Quantiser(calibration: .minimumMaximum).quantise(network, windows: windows).network
  }

  // Goal: ties go to the even step, on both sides of zero. Method: halves.
  @Test func `codes round half to even`() {
    let encoding = QuantisedNetwork.Encoding(factor: 1, zeroPoint: 128)
    let halves: [(Float, UInt8)] = [
      (0.5, 128), (1.5, 130), (2.5, 130), (-0.5, 128), (-1.5, 126), (-2.5, 126), (0.500_000_1, 129),
      (-0.500_000_1, 127), (-0.0, 128), (.leastNonzeroMagnitude, 128),
    ]
    for (number, code) in halves { #expect(encoding.code(number) == code, "\(number)") }
    // The zero point comes after rounding: with an odd one the ties are the same.
    let odd = QuantisedNetwork.Encoding(factor: 1, zeroPoint: 3)
    #expect(odd.code(0.5) == 3)
    #expect(odd.code(1.5) == 5)
  }

  // Goal: a division is not a multiplication by the reciprocal. Method: numbers where the two differ by a code.
  @Test func `dividing encoding keeps ties that a reciprocal loses`() {
    let step: Float = 0.1 / 3
    let divides = QuantisedNetwork.Encoding(factor: step, divides: true, zeroPoint: 0)
    let multiplies = QuantisedNetwork.Encoding(factor: 1 / step, zeroPoint: 0)
    var differences = 0
    for half in 0..<2_500 {
      // Exact ties of the division, and neighbours.
      let x = (Float(half / 10) + 0.5) * step + Float(half % 10 - 5) * 1e-8
      #expect(divides.code(x) == UInt8((x / step).rounded(.toNearestOrEven)))
      if divides.code(x) != multiplies.code(x) { differences += 1 }
    }
    #expect(differences > 0)
    #expect(divides.step == step)
  }

  // Goal: no number is out of reach. Method: ends, infinities, NaN and what no integer holds.
  @Test func `codes saturate`() {
    let encoding = QuantisedNetwork.Encoding(factor: 2, zeroPoint: 100)
    let ends: [(Float, UInt8)] = [
      (77.5, 255), (77.4, 255), (77, 254), (78, 255), (1e30, 255), (.infinity, 255), (-50, 0), (-49.5, 1), (-51, 0),
      (-1e30, 0), (-.infinity, 0), (.nan, 0),
    ]
    for (number, code) in ends { #expect(encoding.code(number) == code, "\(number)") }
  }

  // Goal: sums are exact where 16-bit partial sums would saturate. Method: weights ±127 against codes 255 and 0, at a
  // length past the 512 terms that single precision holds.
  @Test func `extreme weights and codes sum exactly`() {
    for terms in [2, 511, 512, 513, 1_024] {
      let network = layer(
        product([Int8](repeating: 127, count: terms) + [Int8](repeating: -127, count: terms), terms: terms))
      #expect(network.fault == nil)
      let high = network.predictReference([[Float](repeating: 1e9, count: terms)])
      #expect(high == [Float(Int32(terms * 127 * 127)), -Float(Int32(terms * 127 * 127))])
      let low = network.predictReference([[Float](repeating: -1e9, count: terms)])
      #expect(low == [-Float(Int32(terms * 128 * 127)), Float(Int32(terms * 128 * 127))])
    }
    // From zero point 0 the codes reach 255.
    let terms = 1_024
    var network = layer(product([Int8](repeating: 127, count: terms), terms: terms, integerBias: [1 << 30]))
    network.input.zeroPoint = 0
    #expect(network.fault == nil)
    let sum = network.predictReference([[Float](repeating: 1e9, count: terms)])
    #expect(sum == [Float(Int32(1 << 30) + Int32(terms * 127 * 255))])
  }

  // Goal: a wide input's codes and sums are exact. Method: ties and ends of the code; 512 weights ±127 at both ends, and random
  // rows against a plain integer loop.
  @Test func `wide input sums exactly`() {
    let input = QuantisedNetwork.Input(centers: [10], factors: [2], isWide: true)
    let codes: [(Float, UInt16)] = [
      (10, 32_768), (10.25, 32_768), (10.75, 32_770), (9.75, 32_768), (9.25, 32_766), (16_393.5, 65_535),
      (1e9, 65_535), (-16_374, 0), (-1e9, 0), (.infinity, 65_535), (-.infinity, 0),
    ]
    for (number, code) in codes { #expect(input.wideCode(number, feature: 0) == code, "\(number)") }
    for terms in [1, 512] {
      var network = layer(
        product([Int8](repeating: 127, count: terms) + [Int8](repeating: -127, count: terms), terms: terms))
      network.input.isWide = true
      #expect(network.fault == nil)
      let low = network.predictReference([[Float](repeating: -1e9, count: terms)])
      #expect(low == [-Float(Int32(terms * 32_768 * 127)), Float(Int32(terms * 32_768 * 127))])
    }
    var random = QuantisationNetworks(seed: 77)
    let weights = (0..<300 * 5).map { _ in Int8(random.random.below(255) - 127) }
    var network = layer(product(weights, terms: 300))
    network.input.isWide = true
    let row = (0..<300).map { _ in Float(random.random.below(70_000) - 35_000) }
    let sums = (0..<5).map { output in
      (0..<300).reduce(0) { sum, term in
        sum + max(-32_768, min(32_767, Int(row[term]))) * Int(weights[output * 300 + term])
      }
    }
    #expect(network.predictReference([row]) == sums.map { Float(Int32($0)) })
    let trace = QuantisedReference(network).trace([row])
    let first = UInt16(trace.codes[0][0]) << 8 | UInt16(trace.lowCodes[0])
    #expect(first == network.input.wideCode(row[0], feature: 0))
  }

  // Goal: the executor's sums in single precision are the integers. Method: random codes against a plain integer loop.
  @Test(arguments: [UInt64(1), 2]) func `sums equal a plain integer loop`(seed: UInt64) {
    var random = QuantisationNetworks(seed: seed)
    for terms in [1, 3, 17, 600] {
      let outputs = 19
      let weights = (0..<terms * outputs).map { _ in Int8(random.random.below(255) - 127) }
      let bias = (0..<outputs).map { _ in Int32(random.random.below(2_000) - 1_000) }
      let network = layer(product(weights, terms: terms, integerBias: bias))
      let row = (0..<terms).map { _ in Float(random.random.below(300) - 150) }
      let codes = row.map { max(-128, min(127, Int32($0))) }
      let sums = (0..<outputs).map { output in
        (0..<terms).reduce(bias[output]) { $0 + codes[$1] * Int32(weights[output * terms + $1]) }
      }
      #expect(network.predictReference([row]) == sums.map { Float($0) }, "seed \(seed)")
    }
  }

  // Goal: behind the conversion there is one rounding. Method: a bias that is the rounded product, with its sign changed:
  // what is left is what rounding took from it.
  @Test func `scale and bias round together`() {
    var network = layer(product([127, 0], terms: 2, bias: [0]))
    guard case .dense(var dense) = network.operators[0] else { return }
    let sum = Float(127 * 3)
    dense.product.scales = [0.1]
    dense.product.bias = [-(sum * 0.1)]
    network.operators[0] = .dense(dense)
    let remainder = (-(sum * Float(0.1))).addingProduct(sum, 0.1)
    #expect(remainder != 0)
    #expect(network.predictReference([[3, 9]]) == [remainder])
  }

  // Goal: a wide code is never read by more terms than its sums hold. Method: one too many, and an integer bias.
  @Test func `wide input bounds its products`() {
    var network = layer(product([Int8](repeating: 1, count: 513), terms: 513))
    #expect(network.fault == nil)
    network.input.isWide = true
    #expect(network.fault?.contains("at most 512 terms of a wide input") == true)
    network = layer(product([1], terms: 1, integerBias: [1]))
    network.input.isWide = true
    #expect(network.fault?.contains("without integer bias") == true)
  }

  // Goal: −0.0 is 0 and a missing entry its replacement, in codes as in numbers. Method: compare traces.
  @Test func `missing entries and negative zero`() {
    var network = layer(product([3, 5], terms: 2))
    network.missingValues = [7, -2]
    network.input.centers = [7, 0]
    let reference = QuantisedReference(network)
    let trace = reference.trace([[.nan, .nan]])
    #expect(trace.codes[0] == [128, 126])
    #expect(trace.values[0] == [7, -2])
    #expect(trace == reference.trace([[7, -2]]))
    #expect(reference.trace([[7, -0.0]]).codes == reference.trace([[7, 0]]).codes)
    #expect(reference.predict([[7, -0.0]])[0].sign == .plus)
  }

  // Goal: the last dense layer is not requantised. Method: results far beyond any code.
  @Test func `last layer goes straight to float`() {
    let network = layer(product([127], terms: 1))
    #expect(network.predictReference([[100]]) == [12_700])
    #expect(QuantisedReference(network).trace([[100]]).codes[1].isEmpty)
  }

  // Goal: rows before the window are zero points. Method: a convolution reaching far before it, by hand.
  @Test func `convolution over a window shorter than its field`() {
    var network = layer(product([1], terms: 1), window: 3)
    network.operators = [
      .convolution(
        QuantisedNetwork.Convolution(
          source: 0, kernel: 3, dilation: 2, product: product([1, 10, 100], terms: 3), activation: .identity)),
      .convolution(
        QuantisedNetwork.Convolution(source: 1, kernel: 2, dilation: 5, product: product([7, 1], terms: 2))),
      .single(.lastRow(source: 2)),
    ]
    network.encodings = [nil, QuantisedNetwork.Encoding(factor: 0.1, zeroPoint: 9), nil, nil]
    #expect(network.fault == nil)
    let reference = QuantisedReference(network)
    let trace = reference.trace([[1], [2], [3]])
    #expect(trace.values[1] == [100, 200, 310])
    // 10, 20 and 31 steps above the zero point.
    #expect(trace.codes[1] == [19, 29, 40])
    #expect(trace.values[2] == [10, 20, 31])
    // Where the input has padding codes, they stand before the window instead.
    network.input.paddingCodes = [130]
    #expect(QuantisedReference(network).trace([[1], [2], [3]]).values[1] == [122, 222, 312])
  }

  // Goal: a recurrent layer of a window is one step after the other. Method: prefixes of a longer window of equal rows.
  @Test(arguments: [
    NeuralNetwork.Recurrent.Cell.lstm, .gru(linearBeforeReset: true), .gru(linearBeforeReset: false),
  ])
  func `recurrent steps are the rows of the window`(cell: NeuralNetwork.Recurrent.Cell) throws {
    var networks = QuantisationNetworks(seed: 21)
    let network = networks.recurrent(cell, layers: 2)
    let whole = try quantised(network, seed: 4)
    let window = networks.windows(1, for: network)[0]
    let trace = QuantisedReference(whole).trace(window)
    for length in [1, 2, 5] {
      var shorter = whole
      shorter.window = length
      let steps = QuantisedReference(shorter).trace(Array(window.prefix(length)))
      for value in 0...2 {
        #expect(steps.values[value] == Array(trace.values[value].prefix(steps.values[value].count)))
      }
    }
    // The state starts from the code of 0, and the first row does not see what comes later.
    #expect(whole.encodings[1] != nil)
  }

  // Goal: an LSTM row is what the formulas say. Method: one unit by hand, with the sums done as integers.
  @Test func `recurrent gate adds input part to what was known before`() {
    var network = layer(product([1], terms: 1), window: 2)
    var input = product([10, 20, -30, 40], terms: 1)
    input.scales = [0.01, 0.02, 0.03, 0.005]
    var recurrent = product([5, -6, 7, 8], terms: 1, bias: [0.1, 0.2, 0.3, 0.4])
    recurrent.scales = [0.001, 0.002, 0.003, 0.004]
    network.operators[0] = .recurrent(
      QuantisedNetwork.Recurrent(source: 0, cell: .lstm, hidden: 1, input: input, recurrent: recurrent))
    let encoding = QuantisedNetwork.Encoding(factor: 127, zeroPoint: 128)
    network.encodings[1] = encoding
    #expect(network.fault == nil)
    var hidden: Float = 0
    var cell: Float = 0
    for x in [Float(2), -3] {
      let h = Int(encoding.code(hidden)) - 128
      let gates = (0..<4).map { row -> Float in
        let recalled = Float(h * Int(recurrent.weights[row]))
        let before = recurrent.bias[row].addingProduct(recalled, recurrent.scales[row])
        return before.addingProduct(Float(Int(x) * Int(input.weights[row])), input.scales[row])
      }
      (cell, hidden) = NetworkMath.lstmCell(
        input: gates[0], output: gates[1], forget: gates[2], candidate: gates[3], cell: cell)
    }
    #expect(network.predictReference([[2], [-3]]) == [hidden])
  }

  // Goal: a later row never reaches back, in values and in codes. Method: change the newest row.
  @Test func `quantised operators are causal`() throws {
    var networks = QuantisationNetworks(seed: 12)
    for network in networks.everyKind() where network.window > 1 {
      let reference = QuantisedReference(try quantised(network, seed: 3))
      var window = networks.windows(1, for: network)[0]
      let before = reference.trace(window)
      window[network.window - 1] = networks.row(network.featureCount, missingOneIn: 0).map { $0 + 1 }
      let after = reference.trace(window)
      #expect(before.values.last != after.values.last)
      for value in before.values.indices where before.values[value].count % network.window == 0 {
        let earlier = before.values[value].count / network.window * (network.window - 1)
        #expect(before.values[value][..<earlier] == after.values[value][..<earlier])
        #expect(before.codes[value].prefix(earlier) == after.codes[value].prefix(earlier))
      }
    }
  }

  // Goal: an unsound network is told so. Method: break one rule at a time.
  @Test func `faults name the rule`() throws {
    var networks = QuantisationNetworks(seed: 2)
    let sound = try quantised(networks.recurrent(.lstm, layers: 1), seed: 1)
    #expect(sound.fault == nil)
    func broken(_ change: (inout QuantisedNetwork) -> Void) -> String? {
      var network = sound
      change(&network)
      return network.fault
    }
    func recurrent(_ change: (inout QuantisedNetwork.Recurrent) -> Void) -> String? {
      broken { network in
        guard case .recurrent(var layer) = network.operators[0] else { return }
        change(&layer)
        network.operators[0] = .recurrent(layer)
      }
    }
    #expect(broken { $0.encodings[1] = nil } == "an encoding of the hidden state of operator 0")
    #expect(broken { $0.encodings[2] = nil } == "an encoding of value 2, which operator 2 reads")
    #expect(broken { $0.encodings.removeLast() }?.contains("encoding of each value") == true)
    #expect(broken { $0.input.factors[0] = 0 }?.contains("positive factor") == true)
    #expect(broken { $0.input.centers[0] = .nan }?.contains("center") == true)
    #expect(broken { ($0.input.isWide, $0.input.zeroPoint) = (true, 1) } == "zero point 128 of a wide input")
    #expect(broken { $0.outputCount = 2 }?.contains("last value") == true)
    #expect(broken { $0.window = 0 }?.contains("window") == true)
    #expect(broken { $0.operators[1] = .single(.lastRow(source: 9)) }?.contains("earlier values") == true)
    let float = NeuralNetwork.Dense(source: 1, inputs: 18, outputs: 18, weights: [], bias: [])
    #expect(broken { $0.operators[1] = .single(.dense(float)) }?.contains("step without products") == true)
    #expect(recurrent { $0.input.weights[0] = -128 } == "weights from -127 to 127 in operator 0")
    #expect(recurrent { $0.input.scales[0] = .infinity }?.contains("finite scales") == true)
    #expect(recurrent { $0.recurrent.bias[0] = .nan }?.contains("finite scales") == true)
    #expect(recurrent { $0.input.integerBias[0] = .min } == "integer bias within 2^30 in operator 0")
    #expect(recurrent { $0.input.bias[0] = 1 } == "an input bias of 0 in operator 0")
    #expect(recurrent { $0.hidden = 17 }?.contains("weights that fit") == true)
    #expect(recurrent { $0.recurrent.weights.removeLast() } == "weights, scales and bias of one shape in operator 0")
  }
}
