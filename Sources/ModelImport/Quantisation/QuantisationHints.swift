/// Scales that an imported network brings along: those of its QuantizeLinear and DequantizeLinear nodes.
///
/// The network itself stays in single precision, its weights dequantised; these say how its author quantised it, by the
/// numbering of `NeuralNetwork`. What they leave out is calibrated.
public struct QuantisationHints: Hashable, Sendable {
  /// Of one value.
  public struct Scale: Hashable, Sendable {
    /// Units in one step.
    public var step: Float
    /// The code of 0 as an unsigned one: the zero point of signed codes, plus 128.
    public var zeroPoint: UInt8

    /// A scale.
    public init(step: Float, zeroPoint: UInt8) {
      self.step = step
      self.zeroPoint = zeroPoint
    }
  }

  /// Of values read by products: value 0 is the input, value `k + 1` what operator `k` makes.
  public var values: [Int: Scale]
  /// Of a dense or convolution's weights, by operator: one a channel.
  public var weightScales: [Int: [Float]]
  /// A dense or convolution's bias by operator, in units of step × weight scale, where the file has it as integers.
  public var integerBiases: [Int: [Int32]]

  /// Scales; none unless given.
  public init(
    values: [Int: Scale] = [:], weightScales: [Int: [Float]] = [:], integerBiases: [Int: [Int32]] = [:]
  ) {
    self.values = values
    self.weightScales = weightScales
    self.integerBiases = integerBiases
  }

  /// Whether nothing is given.
  public var isEmpty: Bool { values.isEmpty && weightScales.isEmpty && integerBiases.isEmpty }
}
