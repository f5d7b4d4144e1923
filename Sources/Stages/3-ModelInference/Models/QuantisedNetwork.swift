/// A small network with 8-bit products, as frozen; its operators mirror those of `NeuralNetwork`, value by value.
///
/// Every value is a matrix `[rows × width]` of Float as there. A value that a product reads exists also as codes:
/// unsigned 8-bit integers made by its `Encoding`. Whatever is not an integer sum is single precision with every
/// operation rounded by itself, in an order written down here and in `NetworkMath`, so that all kernels give the bits of
/// `predictReference`.
///
/// ```
///  row (f32, NaN = missing) ─► value 0 ─► codes (u8) ─► product (s8 weights, exact i32 sums)
///                                                           │ f32(sum) × scale[o] + bias[o]
///                                              codes ◄──────┴─► activation (f32) ─► … ─► [1 × outputs] (f32) ─► link
/// ```
///
/// - Source: Jacob et al. 2018, arXiv:1712.05877, section 2. Differs: weights are symmetric per output channel, biases are
///   Float, and results are requantised in Float.
public struct QuantisedNetwork: Hashable, Sendable {
  /// How numbers of a value become codes: `code = saturate(round_half_even(t) + zeroPoint)` to 0…255.
  ///
  /// `t = x × factor`, or `x / factor` where `divides`; then `larger(t, −512)` and `smaller(t, 512)` before it is rounded
  /// (saturates the same, and lets every processor convert; NaN becomes −512).
  public struct Encoding: Hashable, Sendable {
    /// Steps in one unit, positive; where `divides`, units in one step.
    public var factor: Float
    /// Whether `factor` divides: the rule of ONNX's QuantizeLinear, whose ties a reciprocal would miss.
    public var divides: Bool
    /// The code of 0.
    public var zeroPoint: UInt8

    /// An encoding.
    public init(factor: Float, divides: Bool = false, zeroPoint: UInt8) {
      self.factor = factor
      self.divides = divides
      self.zeroPoint = zeroPoint
    }

    /// Units in one step, as the scales of products were made from it.
    public var step: Float { divides ? factor : 1 / factor }

    /// The code of a number.
    public func code(_ x: Float) -> UInt8 {
      let t = divides ? x / factor : x * factor
      let bounded = NetworkMath.smaller(NetworkMath.larger(t, -512), 512)
      return UInt8(clamping: Int(bounded.rounded(.toNearestOrEven)) + Int(zeroPoint))
    }
  }

  /// How a row of value 0 becomes codes, a feature at a time: `x − centers[f]` by the encoding of factor `factors[f]`.
  ///
  /// Steps differ from feature to feature because the weights that read them have absorbed them, and biases the centers.
  ///
  /// A wide input has codes of 16 bits instead: `saturate(round_half_even(t) + 32,768)` to 0…65,535 with `t` bounded to
  /// ±70,000 before it is rounded. Its rounding is what a network of 8-bit products loses most by where features have
  /// heavy tails, and it leaves room beyond what was seen. A product reads both bytes of a code with the same weights:
  /// `sum[o] = integerBias[o] + 256 × Σ_k (high[k] − 128) × weights[o, k] + Σ_k low[k] × weights[o, k]`, an exact Int32;
  /// kernels may let partial sums wrap.
  public struct Input: Hashable, Sendable {
    /// Float, `[featureCount]`: subtracted first.
    public var centers: [Float]
    /// Float, `[featureCount]`: as `Encoding.factor`.
    public var factors: [Float]
    /// As `Encoding.divides`.
    public var divides: Bool
    /// The code of a feature at its center.
    public var zeroPoint: UInt8
    /// UInt8, `[featureCount]`: what a convolution over value 0 reads before the window; the high byte of a wide code, whose
    /// low byte is 0.
    public var paddingCodes: [UInt8]
    /// Whether codes have 16 bits; `zeroPoint` is 128 then.
    public var isWide: Bool

    /// Steps of the input.
    public init(
      centers: [Float], factors: [Float], divides: Bool = false, zeroPoint: UInt8 = 128, paddingCodes: [UInt8]? = nil,
      isWide: Bool = false
    ) {
      self.isWide = isWide
      self.centers = centers
      self.factors = factors
      self.divides = divides
      self.zeroPoint = zeroPoint
      self.paddingCodes = paddingCodes ?? [UInt8](repeating: zeroPoint, count: centers.count)
    }

    /// The code of a number of a feature (not missing: the replacement of a missing one is a number too).
    public func code(_ x: Float, feature: Int) -> UInt8 {
      Encoding(factor: factors[feature], divides: divides, zeroPoint: zeroPoint).code(x - centers[feature])
    }

    /// The wide code of a number of a feature.
    public func wideCode(_ x: Float, feature: Int) -> UInt16 {
      let offset = x - centers[feature]
      let t = divides ? offset / factors[feature] : offset * factors[feature]
      let bounded = NetworkMath.smaller(NetworkMath.larger(t, -70_000), 70_000)
      return UInt16(clamping: Int(bounded.rounded(.toNearestOrEven)) + 32_768)
    }
  }

  /// Integer weights and what turns their sums into numbers.
  ///
  /// `sum[o] = integerBias[o] + Σ_k (code[k] − zeroPoint) × weights[o, k]`, an exact Int32 whatever the order; kernels may
  /// start from `integerBias[o] − zeroPoint × Σ_k weights[o, k]`. Then `NetworkMath.fused(Float(sum[o]), scales[o],
  /// bias[o])`: the conversion, and what follows it at once, are rounded to nearest, ties to even.
  public struct Product: Hashable, Sendable {
    /// Codes a sum reads: inputs, times the taps of a convolution.
    public var terms: Int
    /// Sums.
    public var outputs: Int
    /// Int8, `[outputs × terms]`, row-major, −127…127.
    public var weights: [Int8]
    /// Int32, `[outputs]`, magnitudes up to 2^30; 0 unless an imported model brings it.
    public var integerBias: [Int32]
    /// Float, `[outputs]`: real units in one unit of the sum.
    public var scales: [Float]
    /// Float, `[outputs]`.
    public var bias: [Float]

    /// A product.
    public init(
      terms: Int, outputs: Int, weights: [Int8], integerBias: [Int32]? = nil, scales: [Float], bias: [Float]
    ) {
      self.terms = terms
      self.outputs = outputs
      self.weights = weights
      self.integerBias = integerBias ?? [Int32](repeating: 0, count: outputs)
      self.scales = scales
      self.bias = bias
    }
  }

  /// Row by row `activation(product)`.
  public struct Dense: Hashable, Sendable {
    /// The value read, as codes.
    public var source: Int
    /// `[outputs × inputs]`.
    public var product: Product
    /// Applied to each result, in Float.
    public var activation: NeuralNetwork.Activation

    /// A layer.
    public init(source: Int, product: Product, activation: NeuralNetwork.Activation = .identity) {
      self.source = source
      self.product = product
      self.activation = activation
    }
  }

  /// A causal convolution along the rows; rows before the window hold the zero point of the value read, or the input's
  /// padding codes.
  public struct Convolution: Hashable, Sendable {
    /// The value read, as codes.
    public var source: Int
    /// Taps; the last one reads the row itself.
    public var kernel: Int
    /// Rows between taps.
    public var dilation: Int
    /// `[outputs × inputs × kernel]`, row-major (the order of ONNX): `terms` is inputs × kernel.
    public var product: Product
    /// Applied to each result, in Float.
    public var activation: NeuralNetwork.Activation

    /// A convolution.
    public init(
      source: Int, kernel: Int, dilation: Int, product: Product, activation: NeuralNetwork.Activation = .identity
    ) {
      self.source = source
      self.kernel = kernel
      self.dilation = dilation
      self.product = product
      self.activation = activation
    }
  }

  /// A recurrent layer from a zero state; gates in the order of `NeuralNetwork.Recurrent.Cell`, a row of either product a
  /// gate of a unit. Its result is the hidden state, and the codes of the result are what the recurrent product reads.
  ///
  /// With `sx` and `sh` the Int32 sums of both products, for every gate row `r`:
  /// ```
  ///  before[r] = fused(Float(sh[r]), recurrent.scales[r], recurrent.bias[r])      known before the row arrives
  ///  gate[r]   = fused(Float(sx[r]), input.scales[r], before[r])
  /// ```
  /// LSTM: `NetworkMath.lstmCell` of the four gates and the cell state, which stays Float. All of `input.bias` is 0 and is
  /// not read.
  ///
  /// GRU: `update = gate[z]`, `reset = NetworkMath.gate(gate[r])`. `input.bias` is read for the rows of the candidate only:
  /// `seen = fused(Float(sx[n]), input.scales[n], input.bias[n])`. Linear before reset: `candidate = fused(reset, before[n],
  /// seen)`, `before[n]` as above. Otherwise the product reads the codes of `reset × h` for those rows:
  /// `candidate = seen + before[n]`. Then `NetworkMath.gruState(update, candidate, h)`.
  public struct Recurrent: Hashable, Sendable {
    /// The value read, as codes.
    public var source: Int
    /// The cell.
    public var cell: NeuralNetwork.Recurrent.Cell
    /// Hidden units.
    public var hidden: Int
    /// `[gates × hidden, inputs]`.
    public var input: Product
    /// `[gates × hidden, hidden]`; reads codes by the encoding of this operator's own result.
    public var recurrent: Product

    /// A layer.
    public init(source: Int, cell: NeuralNetwork.Recurrent.Cell, hidden: Int, input: Product, recurrent: Product) {
      self.source = source
      self.cell = cell
      self.hidden = hidden
      self.input = input
      self.recurrent = recurrent
    }
  }

  /// One step of the network.
  public enum Operator: Hashable, Sendable {
    /// Row by row `W x + b`.
    case dense(Dense)
    /// Along the rows.
    case convolution(Convolution)
    /// Along the rows, with memory.
    case recurrent(Recurrent)
    /// A step without weights to multiply by, in single precision: any of `NeuralNetwork.Operator` but the three above.
    ///
    /// - attention, for row `t` and each head: `s[j] = dot(q[t], k[j]) × scale` for `j` in `0...t` (`NetworkMath.sum(_:times:)`,
    ///   lane by place in the head); `m` the largest; `e[j] = exp(s[j] − m)`; `z = sum(e)`, lane by `j`;
    ///   `result[d] = (e[0] × v[0][d] + e[1] × v[1][d] + …) × (1 / z)`, fused in ascending order of `j` from +0.
    /// - layerNormalisation: `mean = sum(x) / Float(width)`; `d = x − mean`; `variance = sum(d, times: d) / Float(width)`;
    ///   `r = 1 / sqrt(variance + epsilon)`; `fused(d × r, gain, shift)`.
    /// - affine: `fused(x, gain, shift)`. add: `first + second`. positions: `x + table`. activation: `Activation.value`.
    case single(NeuralNetwork.Operator)
  }

  /// Most codes a sum reads: with an integer bias up to 2^30, no partial sum passes 2^31.
  ///
  /// `2^30 + 2 × 16,384 × 255 × 127 = 2,134,921,216 < 2^31`, the zero point's part counted beside the codes'.
  public static let termCountMax = 16_384
  /// Most codes of a wide input a sum reads: 512 × 32,768 × 127 < 2^31.
  public static let wideTermCountMax = 512

  /// Features of a row.
  public var featureCount: Int
  /// Rows a prediction reads.
  public var window: Int
  /// What stands in for a missing entry (NaN), one finite value a feature.
  public var missingValues: [Float]
  /// How value 0 becomes codes, where a product reads it.
  public var input: Input
  /// The steps; the last makes `[1 × outputCount]`, in Float.
  public var operators: [Operator]
  /// `[operators.count + 1]`: the encoding of each value that a product reads, and of every recurrent result; nil
  /// elsewhere and for value 0.
  public var encodings: [Encoding?]
  /// Numbers predicted.
  public var outputCount: Int
  /// From the last value to prediction.
  public var link: Link

  /// A network; `fault` says whether it is sound.
  public init(
    featureCount: Int, window: Int, missingValues: [Float], input: Input, operators: [Operator],
    encodings: [Encoding?], outputCount: Int = 1, link: Link
  ) {
    self.featureCount = featureCount
    self.window = window
    self.missingValues = missingValues
    self.input = input
    self.operators = operators
    self.encodings = encodings
    self.outputCount = outputCount
    self.link = link
  }
}
