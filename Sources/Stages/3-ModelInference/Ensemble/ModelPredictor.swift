internal import LockFreeRings
public import TradingTypes

/// A model of any features and outputs, run row by row off the hot path: what the tool and the loader use.
///
/// The same kernels, so the same bits as in `Ensemble`; a window is given whole every time.
public final class ModelPredictor {
  /// In which form networks run.
  public enum Precision: String, Hashable, Sendable, CaseIterable {
    /// 8-bit integers: what the engine runs.
    case int8
    /// Single precision, as trained.
    case float
  }

  /// What a model says of a window.
  public struct Prediction: Sendable {
    /// Raw scores of every member in order; 0 where a member does not take part.
    public var raw: [Double]
    /// Members that take part, a bit each.
    public var members: UInt32
    /// The score of the whole: the joined logit, or the raw scores of a single model.
    public var scores: [Double]
    /// What the scores predict: probabilities, or values of a regression; NaN where no member takes part.
    public var predictions: [Double]
    /// The forecast, where there is a combiner.
    public var forecast: Forecast?
  }

  private final class ForestRunner {
    let kernel: ForestKernel
    var row: KernelRow

    init(_ forest: DecisionForest, _ set: KernelSet) {
      let arena = Arena(
        capacityBytes: ForestKernel.arenaBytes(for: forest) + KernelRow.arenaBytes(featureCount: forest.featureCount))
      kernel = ForestKernel(forest, set: set, in: arena)
      row = KernelRow(featureCount: forest.featureCount, in: arena)
    }
  }

  private final class NetworkRunner {
    var kernel: NetworkKernel

    init(_ network: QuantisedNetwork, _ set: KernelSet) {
      kernel = NetworkKernel(network, set: set, in: Arena(capacityBytes: NetworkKernel.arenaBytes(for: network)))
    }
  }

  private enum Runner {
    case forest(ForestRunner)
    case network(NetworkRunner)
    case float(NeuralNetwork)
  }

  /// The model.
  public let model: EnsembleModel
  private let runners: [Runner]
  private var joint: JointKernel

  /// The model ready to run.
  ///
  /// - Parameters:
  ///   - precision: the form of networks that have both.
  /// - Precondition: the model is sound, and the processor has the instruction set.
  public init(_ model: EnsembleModel, kernels: KernelSet = .best, precision: Precision = .int8) {
    precondition(model.fault == nil && kernels.isSupported, "ModelPredictor: a sound model, a supported set")
    self.model = model
    let set = kernels.resolved
    runners = model.members.map { member in
      switch member.kind {
      case .forest(let forest): return .forest(ForestRunner(forest, set))
      case .network(let network):
        if let float = network.float, precision == .float || network.quantised == nil { return .float(float) }
        return .network(NetworkRunner(network.quantised!, set))
      }
    }
    joint = JointKernel(model, set: set, in: Arena(capacityBytes: JointKernel.arenaBytes(for: model)))
  }

  /// What the model says of a window of rows, the newest last.
  ///
  /// - Parameter window: Float, `[features]` each, NaN where there is no value; as many rows as `EnsembleModel.window`.
  /// - Complexity: O(model), allocates.
  public func prediction(_ window: ArraySlice<[Float]>) -> Prediction {
    precondition(window.count == model.window, "ModelPredictor: a whole window")
    let newest = window[window.endIndex - 1]
    var raw: [Double] = []
    var scores: [Double] = []
    var logits = InlineArray<8, Double>(repeating: 0)
    var present: UInt32 = 0
    for (number, member) in model.members.enumerated() {
      guard member.required.allSatisfy({ !newest[$0].isNaN }) else {
        raw += [Double](repeating: 0, count: member.outputCount)
        continue
      }
      let outputs = outputs(of: number, window)
      raw += outputs
      scores = outputs
      present |= 1 << UInt32(number)
      if let scale = member.logitScale { logits[number] = outputs[0] * scale }
    }
    guard model.combiner != nil else {
      // A single model that lacks what it requires says nothing.
      let member = model.members[0]
      let predictions =
        present == 0
        ? [Double](repeating: .nan, count: member.outputCount)
        : member.link.predictions(scores.map { $0 / member.divisor })
      return Prediction(
        raw: raw, members: present, scores: present == 0 ? raw : scores, predictions: predictions, forecast: nil)
    }
    let forecast = joint.forecast(logits, present: present)
    return Prediction(
      raw: raw, members: present, scores: [present == 0 ? 0 : joint.logit(logits, present: present)],
      predictions: [forecast.isUsable ? forecast.probabilityUp : .nan], forecast: forecast)
  }

  private func outputs(of number: Int, _ window: ArraySlice<[Float]>) -> [Double] {
    func rows(_ member: EnsembleModel.Member, _ inputs: [Int]) -> [[Float]] {
      window.suffix(member.window).map { row in inputs.map { row[$0] } }
    }
    let member = model.members[number]
    switch (runners[number], member.kind) {
    case (.forest(let runner), _):
      runner.row.load(window[window.endIndex - 1])
      var scores = [Double](repeating: 0, count: member.outputCount)
      var span = scores.mutableSpan
      runner.kernel.raw(runner.row, into: &span)
      return scores
    case (.network(let runner), .network(let network)):
      let flat = rows(member, network.inputs).flatMap(\.self)
      _ = runner.kernel.predictWindow(flat.span)
      return (0..<member.outputCount).map { Double(runner.kernel.output($0)) }
    case (.float(let float), .network(let network)):
      return float.predictReference(rows(member, network.inputs)).map { Double($0) }
    default: preconditionFailure("ModelPredictor: a network runs as one")
    }
  }

  /// The exit leaf of each tree in the trainer's numbers, the members' trees one after another; none for a network.
  ///
  /// - Complexity: O(trees), allocates.
  public func exitLeaves(_ row: [Float]) -> [UInt32] {
    runners.flatMap { runner -> [UInt32] in
      guard case .forest(let forest) = runner else { return [] }
      forest.row.load(row)
      return forest.kernel.exitLeaves(forest.row)
    }
  }

  /// Which layout each member's kernel chose, for reports.
  public var forms: [String] {
    runners.map { runner in
      switch runner {
      case .forest(let forest): forest.kernel.form.description
      case .network: "8-bit network"
      case .float: "single precision network"
      }
    }
  }
}
