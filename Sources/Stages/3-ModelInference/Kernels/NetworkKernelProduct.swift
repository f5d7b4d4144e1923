internal import CKernels
internal import LockFreeRings

/// A product in the order the kernels read it, as lists; `place(in:)` copies one into arena memory.
///
/// ```
/// weights: [ tile of 64 channels | … | last tile of 16, 32, 48 or 64 ], a tile = [inputs / 4][channels][4]
/// ```
struct NetworkKernelProduct {
  let inputs: Int
  let channels: Int
  /// Bytes from the high to the low byte of a wide code that it reads, or 0.
  let low: Int
  private let weights: [Int8]
  private let start: [Int32]
  private let scales: [Float]
  private let bias: [Float]
  private let activation: NeuralNetwork.Activation

  /// - Parameters:
  ///   - terms: which term of `product` each input reads, nil for padding.
  ///   - channels: which output of `product` each channel is, nil for padding.
  ///   - codes: the code that stands for 0 of each term. All terms are counted where sums start, those of `terms` or not:
  ///     a term that is left out and always holds `fixed[term]` is added there.
  ///   - low: bytes from the high to the low byte of the wide codes it reads, 0 where codes have 8 bits.
  ///   - halved: channels whose results are halved, which a power of two does exactly.
  ///   - fixed: the code a term that `terms` leaves out holds, nil where another product adds it.
  init(
    _ product: QuantisedNetwork.Product, terms: [Int?], channels: [Int?], zeroPoint: UInt8,
    low: Int = 0, fixed: [UInt8?]? = nil, halved: (_ channel: Int) -> Bool = { _ in false },
    activation: NeuralNetwork.Activation = .identity
  ) {
    let terms = terms + [Int?](repeating: nil, count: (8 - terms.count % 8) % 8)
    let channels = channels + [Int?](repeating: nil, count: (16 - channels.count % 16) % 16)
    var weights = [Int8](repeating: 0, count: terms.count * channels.count)
    for tile in stride(from: 0, to: channels.count, by: 64) {
      let wide = min(64, channels.count - tile)
      for lane in 0..<wide {
        guard let output = channels[tile + lane] else { continue }
        for (input, term) in terms.enumerated() {
          guard let term else { continue }
          weights[tile * terms.count + input / 4 * wide * 4 + lane * 4 + input % 4] =
            product.weights[output * product.terms + term]
        }
      }
    }
    self.weights = weights
    inputs = terms.count
    self.channels = channels.count
    self.low = low
    // Zero points and padding of wide codes are high bytes.
    let unit: Int32 = low > 0 ? 256 : 1
    start = channels.map { output in
      guard let output else { return 0 }
      var sum = product.integerBias[output]
      for term in 0..<product.terms {
        // Bounded by `termCountMax` and `wideTermCountMax`: no partial sum leaves Int32.
        sum +=
          unit * (Int32(fixed?[term] ?? 0) - Int32(zeroPoint)) * Int32(product.weights[output * product.terms + term])
      }
      return sum
    }
    func results(_ numbers: [Float]) -> [Float] {
      channels.indices.map { channel in
        channels[channel].map { halved(channel) ? 0.5 * numbers[$0] : numbers[$0] } ?? 0
      }
    }
    scales = results(product.scales)
    bias = results(product.bias)
    self.activation = activation
  }

  /// Bytes of a row of what it reads where that is gathered for it: high bytes, then low ones.
  var patchStride: Int { low > 0 ? 2 * low : inputs }

  /// Bytes of arena memory, padding included.
  var arenaBytes: Int { weights.count + 12 * channels + 5 * 256 }

  /// A copy in arena memory, which stays as long as the arena.
  func place(in arena: Arena) -> UnsafePointer<martlet_net_product> {
    let (kind, slope) = activation.kernelForm
    let table = unsafe arena.room(for: martlet_net_product.self)
    // The lists are as long as the kernels read them: padded above.
    unsafe table.initialize(
      to: martlet_net_product(
        inputs: UInt32(inputs), low: UInt32(low), channels: UInt32(channels), weights: arena.copy(weights),
        start: arena.copy(start), scale: arena.copy(scales), bias: arena.copy(bias), activation: kind, slope: slope))
    return unsafe UnsafePointer(table)
  }

  /// Units in blocks of 16, all gates of a block together: what the cells read.
  static func gateChannels(gates: Int, units: Int) -> [Int?] {
    let padded = (units + 15) / 16 * 16
    return (0..<gates * padded).map { channel in
      let unit = channel / (16 * gates) * 16 + channel % 16
      return unit < units ? channel / 16 % gates * units + unit : nil
    }
  }
}

extension NeuralNetwork.Activation {
  /// Its number in the kernels, and its slope.
  var kernelForm: (kind: UInt32, slope: Float) {
    switch self {
    case .identity: (UInt32(MARTLET_NET_IDENTITY), 0)
    case .relu: (UInt32(MARTLET_NET_RELU), 0)
    case .leakyReLU(let slope): (UInt32(MARTLET_NET_LEAKY_RELU), slope)
    case .sigmoid: (UInt32(MARTLET_NET_SIGMOID), 0)
    case .tanh: (UInt32(MARTLET_NET_TANH), 0)
    case .gelu: (UInt32(MARTLET_NET_GELU), 0)
    case .geluTanh: (UInt32(MARTLET_NET_GELU_TANH), 0)
    case .silu: (UInt32(MARTLET_NET_SILU), 0)
    }
  }
}

extension QuantisedNetwork.Encoding {
  /// As the kernels read it.
  var kernelForm: martlet_net_codes {
    martlet_net_codes(factor: factor, zero_point: Int32(zeroPoint), divides: divides)
  }
}
