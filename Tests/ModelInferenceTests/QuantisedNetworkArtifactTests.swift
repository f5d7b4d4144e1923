import LockFreeRings
import TestSupport
import Testing
import TradingTypes

@testable import ModelImport
@testable import ModelInference

struct QuantisedNetworkArtifactTests {
  private func reader(_ bytes: [UInt8]) -> SectionReader {
    SectionReader(ArtifactBytes(copying: bytes, name: "test"), section: "network 0", range: 0..<bytes.count)
  }

  private func read(_ bytes: [UInt8]) throws(ArtifactError) -> NeuralNetwork {
    var reader = reader(bytes)
    let network = try reader.neuralNetwork()
    try reader.finish()
    return network
  }

  private func readQuantised(_ bytes: [UInt8]) throws(ArtifactError) -> QuantisedNetwork {
    var reader = reader(bytes)
    let network = try reader.quantisedNetwork()
    try reader.finish()
    return network
  }

  private func bytes(_ network: NeuralNetwork) -> [UInt8] {
    var out = LittleEndianBytes()
    out.append(network)
    return out.bytes
  }

  private func bytes(_ network: QuantisedNetwork) -> [UInt8] {
    var out = LittleEndianBytes()
    out.append(network)
    return out.bytes
  }

  /// One of each kind and its quantised form.
  private func networks(seed: UInt64) throws -> [(float: NeuralNetwork, quantised: QuantisedNetwork)] {
    var networks = QuantisationNetworks(seed: seed)
    var list: [(float: NeuralNetwork, quantised: QuantisedNetwork)] = []
    for network in networks.everyKind() {
      let outcome = try Quantiser().quantise(network, windows: networks.windows(3, for: network))
      list.append((network, outcome.network))
    }
    return list
  }

  // Goal: what is written is read back whole. Method: networks of every kind, every activation and link, odd weights.
  @Test func `networks survive their bytes`() throws {
    for pair in try networks(seed: 31) {
      #expect(try read(bytes(pair.float)) == pair.float)
      #expect(try readQuantised(bytes(pair.quantised)) == pair.quantised)
    }
    let activations: [NeuralNetwork.Activation] = [
      .identity, .relu, .leakyReLU(slope: 0.25), .sigmoid, .tanh, .gelu, .silu, .geluTanh,
    ]
    for (place, link) in [Link.identity, .logistic(scale: 0.3), .softmax, .exponential].enumerated() {
      var network = NeuralNetwork(
        featureCount: 3, window: 1, missingValues: [1, 2, 3],
        operators: activations.enumerated().map { .activation(source: $0, $1) }, outputCount: 3, link: link)
      network.operators.append(.affine(source: place, gain: [1, 2, 3], shift: [0, 0, -0.5]))
      #expect(try read(bytes(network)) == network)
      var quantised = QuantisedNetwork(
        featureCount: 3, window: 1, missingValues: [0, 0, 1],
        input: QuantisedNetwork.Input(
          centers: [1, 2, 3], factors: [0.5, 1, 2], divides: true, zeroPoint: 7, paddingCodes: [1, 200, 3]),
        operators: network.operators.map { .single($0) },
        encodings: network.operators.map { _ in nil } + [QuantisedNetwork.Encoding(factor: 3, zeroPoint: 255)],
        outputCount: 3, link: link)
      quantised.encodings[2] = QuantisedNetwork.Encoding(factor: 0.25, divides: true, zeroPoint: 0)
      #expect(try readQuantised(bytes(quantised)) == quantised)
      (quantised.input.isWide, quantised.input.zeroPoint) = (true, 128)
      #expect(try readQuantised(bytes(quantised)) == quantised)
    }
  }

  // Goal: a section that ends early, or goes on, is refused. Method: prefixes of a small network, and a byte more.
  @Test func `truncated networks are refused`() throws {
    var networks = QuantisationNetworks(seed: 32)
    let network = networks.perceptron(2)
    let whole = bytes(network)
    let quantised = bytes(try Quantiser().quantise(network, windows: networks.windows(2, for: network)).network)
    // All of the head, then every so many bytes of the weights.
    for length in Array(0..<200) + Array(stride(from: 200, to: whole.count, by: 37)) {
      #expect(throws: ArtifactError.self) { try read(Array(whole.prefix(length))) }
    }
    for length in Array(0..<200) + Array(stride(from: 200, to: quantised.count, by: 37)) {
      #expect(throws: ArtifactError.self) { try readQuantised(Array(quantised.prefix(length))) }
    }
    #expect(throws: ArtifactError.self) { try read(whole + [0]) }
    #expect(throws: ArtifactError.self) { try readQuantised(quantised + [0]) }
  }

  // Goal: no bytes trap, and what is accepted is sound and runs. Method: seeded changes, most of them where counts stand.
  @Test(arguments: Seeds.brief) func `mutated networks are refused or sound`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var acceptedCount = 0
    for pair in try networks(seed: 33) {
      let float = bytes(pair.float)
      let quantised = bytes(pair.quantised)
      for _ in 0..<8 {
        if let network = try? read(mutated(float, &random)) {
          acceptedCount += 1
          #expect(network.fault == nil, "seed \(seed)")
          if network.window == 1 {
            _ = network.predictReference(network.zeros)
          }
        }
        if let network = try? readQuantised(mutated(quantised, &random)) {
          acceptedCount += 1
          #expect(network.fault == nil, "seed \(seed)")
          if network.window == 1 {
            _ = network.predictReference(network.zeros)
          }
        }
      }
    }
    // Most changes hit a weight, which any value of suits: the decoder is seen to accept, too.
    #expect(acceptedCount > 10)
  }

  private func mutated(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.below(2) {
      let place = random.below(random.below(2) == 0 ? min(bytes.count, 200) : bytes.count)
      switch random.below(3) {
      case 0: bytes[place] ^= 1 << UInt8(random.below(8))
      case 1: bytes[place] = [0, 1, 127, 128, 255][random.below(5)]
      default:
        for byte in place..<min(bytes.count, place + 4) { bytes[byte] = UInt8(random.below(256)) }
      }
    }
    return bytes
  }
}

extension NeuralNetwork {
  fileprivate var zeros: [[Float]] { [[Float]](repeating: [Float](repeating: 0, count: featureCount), count: window) }
}

extension QuantisedNetwork {
  fileprivate var zeros: [[Float]] { [[Float]](repeating: [Float](repeating: 0, count: featureCount), count: window) }
}
