internal import TradingTypes

/// A small network of 8-bit dense layers, ReLU between them, one output: a logit.
///
/// Inputs enter as `128 + round((value − center) × inverseStep)` saturated to 0…255, a missing one as 128, which is the
/// training mean. Sums are exact 32-bit integers; the zero points are folded into the bias; the last layer is never
/// requantised.
public struct NeuralModel: Hashable, Sendable {
  /// A dense layer.
  public struct Layer: Hashable, Sendable {
    /// Activations read.
    public var inputs: Int
    /// Activations made.
    public var outputs: Int
    /// Int8, `[outputs × inputs]`, row-major.
    public var weights: [Int8]
    /// Int32, `[outputs]`, in units of the sums, zero point correction included.
    public var bias: [Int32]
    /// Float, `[outputs]`: sum × scale is the next activation in steps, or the logit in the last layer.
    public var scales: [Float]

    /// A layer.
    public init(inputs: Int, outputs: Int, weights: [Int8], bias: [Int32], scales: [Float]) {
      self.inputs = inputs
      self.outputs = outputs
      self.weights = weights
      self.bias = bias
      self.scales = scales
    }
  }

  /// Most layers.
  public static let layerCountMax = 4
  /// Most outputs of a layer.
  public static let widthMax = 256

  /// Training mean of each of the 96 slots.
  public var centers: [Float]
  /// Steps in one unit of each slot.
  public var inverseSteps: [Float]
  /// The layers; the first reads 96, the last makes 1.
  public var layers: [Layer]

  /// A network; `fault` says whether it is sound.
  public init(centers: [Float], inverseSteps: [Float], layers: [Layer]) {
    self.centers = centers
    self.inverseSteps = inverseSteps
    self.layers = layers
  }

  /// The first rule the network breaks, or nil.
  public var fault: String? {
    guard centers.count == FeatureVector.count, centers.allSatisfy(\.isFinite) else { return "96 finite centers" }
    guard inverseSteps.count == FeatureVector.count, inverseSteps.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      return "96 positive finite steps"
    }
    guard (1...Self.layerCountMax).contains(layers.count) else { return "1 to \(Self.layerCountMax) layers" }
    var width = FeatureVector.count
    for (number, layer) in layers.enumerated() {
      guard layer.inputs == width else { return "\(width) inputs of layer \(number)" }
      guard (1...Self.widthMax).contains(layer.outputs) else {
        return "1 to \(Self.widthMax) outputs of layer \(number)"
      }
      guard layer.weights.count == layer.inputs * layer.outputs, layer.bias.count == layer.outputs,
        layer.scales.count == layer.outputs
      else { return "the shapes of layer \(number) to agree" }
      // 2^30 leaves room for 256 × 255 × 128 < 2^24 in every sum.
      guard layer.bias.allSatisfy({ abs(Int($0)) <= 1 << 30 }) else { return "bias within 2^30 in layer \(number)" }
      // 1e6 keeps every logit finite.
      guard layer.scales.allSatisfy({ $0 >= 0 && $0 <= 1e6 }) else { return "scales from 0 to 1e6 in layer \(number)" }
      width = layer.outputs
    }
    guard width == 1 else { return "1 output" }
    return nil
  }
}
