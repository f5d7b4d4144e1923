import LockFreeRings
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: single operators have the reference's bits where numbers are at their corners. Method: networks of one operator,
// values of every magnitude, halves and saturation, in every instruction set.
struct NetworkKernelOperatorTests {
  private static func network(
    _ operators: [QuantisedNetwork.Operator], outputs: Int, window: Int = 1,
    encodings: [QuantisedNetwork.Encoding?]? = nil
  ) -> QuantisedNetwork {
    QuantisedNetwork(
      featureCount: outputs, window: window, missingValues: [Float](repeating: 0.25, count: outputs),
      input: QuantisedNetwork.Input(
        centers: [Float](repeating: 0, count: outputs), factors: [Float](repeating: 1, count: outputs)),
      operators: operators,
      encodings: encodings ?? [QuantisedNetwork.Encoding?](repeating: nil, count: operators.count + 1),
      outputCount: outputs, link: .identity)
  }

  private static let corners: [Float] = [
    0, -0.0, .leastNonzeroMagnitude, -.leastNormalMagnitude, 1e-20, -1e-7, 0.5, -0.5, 1, -1, 3.6048, -3.605, 7.6216,
    -7.7,
    15.3, -15.3, 86.9, -86.9, 87, -87, 88, -88, 89, -103.9, 1e3, -1e3, 1e30, -1e30, .greatestFiniteMagnitude,
    -.greatestFiniteMagnitude,
  ]

  private static func rows(_ width: Int, seed: UInt64) -> [[Float]] {
    var random = NetworkKernelNetworks(seed: seed, features: 1, window: 1)
    return (0..<6).map { round in
      (0..<width).map { place in
        round == 0 ? corners[place % corners.count] : random.float(Float([1, 8, 100, 1e10, 1e-30][round - 1]))
      }
    }
  }

  private static func compare(_ network: QuantisedNetwork, _ words: String, _ rows: [[Float]]) {
    #expect(network.fault == nil)
    for set in KernelSet.supported {
      var bench = NetworkKernelBench(network, set: set)
      for row in rows {
        let answer = bench.predict(row)
        let expected = bench.expected([row])
        #expect(answer == expected, "\(set), \(words)")
      }
    }
  }

  @Test(arguments: [37, 64])
  func `functions and sums of single numbers have the reference's bits`(width: Int) {
    var random = NetworkKernelNetworks(seed: 7, features: 1, window: 1)
    let rows = Self.rows(width, seed: 4)
    for activation in NetworkKernelNetworks.activations {
      Self.compare(
        Self.network([.single(.activation(source: 0, activation))], outputs: width), "\(activation)", rows)
    }
    let (gain, shift) = (random.floats(width, 2), random.floats(width, 2))
    Self.compare(
      Self.network([.single(.affine(source: 0, gain: gain, shift: shift))], outputs: width), "affine", rows)
    Self.compare(Self.network([.single(.add(0, 0))], outputs: width), "add", rows)
    Self.compare(
      Self.network([.single(.positions(source: 0, table: random.floats(width)))], outputs: width), "positions", rows)
    Self.compare(
      Self.network(
        [.single(.layerNormalisation(source: 0, gain: gain, shift: shift, epsilon: 1e-5))], outputs: width),
      "normalisation", rows.filter { $0.allSatisfy { abs($0) < 1e12 } })
  }

  // An identity matrix, so that codes come out as they are.
  @Test(arguments: [UInt8(0), 117, 128, 255], [false, true])
  func `halves round to even and far values saturate`(zeroPoint: UInt8, divides: Bool) {
    let width = 16
    let identity = (0..<width * width).map { Int8($0 % (width + 1) == 0 ? 1 : 0) }
    let product = QuantisedNetwork.Product(
      terms: width, outputs: width, weights: identity, scales: [Float](repeating: 1, count: width),
      bias: [Float](repeating: 0, count: width))
    let encoding = QuantisedNetwork.Encoding(factor: divides ? 0.5 : 2, divides: divides, zeroPoint: zeroPoint)
    let network = Self.network(
      [
        .single(.activation(source: 0, .identity)), .dense(QuantisedNetwork.Dense(source: 1, product: product)),
      ], outputs: width, encodings: [nil, encoding, nil])
    let direct = Self.network(
      [.dense(QuantisedNetwork.Dense(source: 0, product: product))], outputs: width)
    let halves = (0..<width).map { Float($0 - 8) / 4 }
    let far = (0..<width).map { Float($0 - 8) * 40.25 }
    let rows = [halves, halves.map { $0 * 2 }, far, far.map { $0 * 1e30 }]
    Self.compare(network, "zero point \(zeroPoint)", rows)
    Self.compare(direct, "input", rows)
    var bench = NetworkKernelBench(direct, set: .best)
    let answers = bench.predict([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 500, -500] + [Float](repeating: 0, count: 8))
    let expected: [Float] = [0, 2, 2, 0, -2, -2, 127, -128]
    #expect(answers.prefix(8).map { Float(bitPattern: $0) } == expected)
  }
}
