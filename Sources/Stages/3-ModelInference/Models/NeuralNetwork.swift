/// A small network as imported, in single precision: operators over a window of rows, the newest row last.
///
/// Every value in it is a matrix `[rows × width]`, where rows is `window` or, after `lastRow`, 1. Value 0 is the input
/// with missing entries replaced; operator `k` makes value `k + 1` and reads earlier ones. All operators are causal: a
/// row of a result depends on that row and earlier ones only, which is what lets a tick reuse everything that was
/// computed when the bar before it closed.
///
/// ```
///  rows (f32, NaN = missing) ──► missing replaced ──► operators ──► value [1 × outputs] ──► link
/// ```
public struct NeuralNetwork: Hashable, Sendable {
  /// What is applied to each number of a result.
  public enum Activation: Hashable, Sendable {
    /// Nothing.
    case identity
    /// `max(x, 0)`.
    case relu
    /// `x` where positive, `slope × x` elsewhere.
    case leakyReLU(slope: Float)
    /// `1 / (1 + exp(−x))`.
    case sigmoid
    /// Hyperbolic tangent.
    case tanh
    /// `x Φ(x)` by the error function.
    case gelu
    /// `x Φ(x)` by the approximation with a hyperbolic tangent that exporters offer.
    case geluTanh
    /// `x × sigmoid(x)`.
    case silu
  }

  /// Row by row `activation(W x + b)`: Gemm, MatMul, 1×1 convolution.
  public struct Dense: Hashable, Sendable {
    /// The value read.
    public var source: Int
    /// Numbers in a row of it.
    public var inputs: Int
    /// Numbers in a row of the result.
    public var outputs: Int
    /// Float, `[outputs × inputs]`, row-major.
    public var weights: [Float]
    /// Float, `[outputs]`.
    public var bias: [Float]
    /// Applied to each sum.
    public var activation: Activation

    /// A layer.
    public init(
      source: Int, inputs: Int, outputs: Int, weights: [Float], bias: [Float], activation: Activation = .identity
    ) {
      self.source = source
      self.inputs = inputs
      self.outputs = outputs
      self.weights = weights
      self.bias = bias
      self.activation = activation
    }
  }

  /// A causal convolution along the rows: `y[t] = activation(b + Σ_k W[k] x[t − (kernel − 1 − k) × dilation])`, rows before
  /// the window are 0.
  public struct Convolution: Hashable, Sendable {
    /// The value read.
    public var source: Int
    /// Channels of it.
    public var inputs: Int
    /// Channels of the result.
    public var outputs: Int
    /// Taps; the last one reads the row itself.
    public var kernel: Int
    /// Rows between taps.
    public var dilation: Int
    /// Float, `[outputs × inputs × kernel]`, row-major (the order of ONNX).
    public var weights: [Float]
    /// Float, `[outputs]`.
    public var bias: [Float]
    /// Applied to each sum.
    public var activation: Activation

    /// A convolution.
    public init(
      source: Int, inputs: Int, outputs: Int, kernel: Int, dilation: Int, weights: [Float], bias: [Float],
      activation: Activation = .identity
    ) {
      self.source = source
      self.inputs = inputs
      self.outputs = outputs
      self.kernel = kernel
      self.dilation = dilation
      self.weights = weights
      self.bias = bias
      self.activation = activation
    }
  }

  /// A recurrent layer from a zero state; a row of the result is the hidden state after that row.
  public struct Recurrent: Hashable, Sendable {
    /// Which cell.
    public enum Cell: Hashable, Sendable {
      /// Gates in ONNX order input, output, forget, cell; sigmoid, tanh, tanh; no peepholes.
      case lstm
      /// Gates in ONNX order update, reset, hidden; `linearBeforeReset` as PyTorch exports it.
      case gru(linearBeforeReset: Bool)

      /// Gates a hidden unit has.
      public var gateCount: Int {
        switch self {
        case .lstm: 4
        case .gru: 3
        }
      }
    }

    /// The value read.
    public var source: Int
    /// The cell.
    public var cell: Cell
    /// Numbers in a row of it.
    public var inputs: Int
    /// Hidden units.
    public var hidden: Int
    /// Float, `[gates × hidden, inputs]`, row-major, gate by gate.
    public var inputWeights: [Float]
    /// Float, `[gates × hidden, hidden]`.
    public var recurrentWeights: [Float]
    /// Float, `[gates × hidden]`, beside the input's product.
    public var inputBias: [Float]
    /// Float, `[gates × hidden]`, beside the recurrent product.
    public var recurrentBias: [Float]

    /// A layer.
    public init(
      source: Int, cell: Cell, inputs: Int, hidden: Int, inputWeights: [Float], recurrentWeights: [Float],
      inputBias: [Float], recurrentBias: [Float]
    ) {
      self.source = source
      self.cell = cell
      self.inputs = inputs
      self.hidden = hidden
      self.inputWeights = inputWeights
      self.recurrentWeights = recurrentWeights
      self.inputBias = inputBias
      self.recurrentBias = recurrentBias
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
    /// Causal scaled dot-product attention: for each head `softmax(scale × q kᵀ) v` over the rows up to one's own; heads are
    /// equal slices of the width, joined again in the result.
    case attention(query: Int, key: Int, value: Int, heads: Int, scale: Float)
    /// Row by row `(x − mean) / sqrt(variance + epsilon) × gain + shift`, the population variance of the row.
    case layerNormalisation(source: Int, gain: [Float], shift: [Float], epsilon: Float)
    /// Row by row `x × gain + shift`, a number of each a column: a scaler, a batch normalisation.
    case affine(source: Int, gain: [Float], shift: [Float])
    /// The sum of two values of one shape.
    case add(Int, Int)
    /// A function of each number.
    case activation(source: Int, Activation)
    /// Adds row `t` of a learned table `[window × width]`.
    case positions(source: Int, table: [Float])
    /// The newest row.
    case lastRow(source: Int)
  }

  /// Most rows of a window.
  public static let windowMax = 512
  /// Most numbers in a row of any value.
  public static let widthMax = 1_024
  /// Most operators.
  public static let operatorCountMax = 256
  /// Most weights in all.
  public static let weightCountMax = 8 << 20

  /// Features of a row.
  public var featureCount: Int
  /// Rows a prediction reads.
  public var window: Int
  /// What stands in for a missing entry: the training mean, one value a feature.
  public var missingValues: [Float]
  /// The steps; the last makes `[1 × outputCount]`.
  public var operators: [Operator]
  /// Numbers predicted.
  public var outputCount: Int
  /// From the last value to prediction.
  public var link: Link

  /// A network; `fault` says whether it is sound.
  public init(
    featureCount: Int, window: Int, missingValues: [Float], operators: [Operator], outputCount: Int = 1, link: Link
  ) {
    self.featureCount = featureCount
    self.window = window
    self.missingValues = missingValues
    self.operators = operators
    self.outputCount = outputCount
    self.link = link
  }
}
