/// A network as a member: what it reads of the row, and its forms.
public struct NetworkMember: Hashable, Sendable {
  /// Features of the row that the network reads, in its order.
  public var inputs: [Int]
  /// The form in 8-bit integers, which the engine runs.
  public var quantised: QuantisedNetwork?
  /// The form in single precision, for comparison and offline use.
  public var float: NeuralNetwork?
  /// What a prediction sees of the past, for a network that looks back.
  public var mode: NetworkState.Mode

  /// A network; it has at least one of its forms.
  public init(
    inputs: [Int], quantised: QuantisedNetwork?, float: NeuralNetwork? = nil, mode: NetworkState.Mode = .windowed
  ) {
    self.inputs = inputs
    self.quantised = quantised
    self.float = float
    self.mode = mode
  }

  /// Rows it reads.
  public var window: Int { quantised?.window ?? float?.window ?? 1 }
  /// Whether it reads closed rows: a window of one row, or one without an operator along the rows, needs none.
  public var looksBack: Bool { window > 1 }
  /// Numbers it predicts.
  public var outputCount: Int { quantised?.outputCount ?? float?.outputCount ?? 0 }
  /// From its last value to prediction.
  public var link: Link { quantised?.link ?? float?.link ?? .identity }

  func fault(featureCount: Int) -> String? {
    guard inputs.allSatisfy({ (0..<featureCount).contains($0) }), Set(inputs).count == inputs.count else {
      return "inputs that are features of the row, each once"
    }
    guard quantised != nil || float != nil else { return "a network in 8-bit integers or single precision" }
    if let quantised {
      if let fault = quantised.fault { return fault }
      guard quantised.featureCount == inputs.count else { return "\(quantised.featureCount) inputs" }
    }
    if let float {
      if let fault = float.fault { return fault }
      guard float.featureCount == inputs.count else { return "\(float.featureCount) inputs" }
    }
    if let quantised, let float {
      guard quantised.window == float.window, quantised.outputCount == float.outputCount, quantised.link == float.link
      else { return "two forms of one network" }
    }
    return nil
  }
}
