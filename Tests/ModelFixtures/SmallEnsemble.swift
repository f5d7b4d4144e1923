public import ModelInference
internal import BuiltinModels
internal import ModelImport
internal import TradingTypes

/// The built-in ensemble cut down for debug builds: the first trees of each forest, and a recurrent network of eight units over
/// a window of five bars in place of the large one. Every kind of member, the same joining, a hundredth of the work.
public enum SmallEnsemble {
  private static let treeCount = 6

  /// The artifact, made once.
  public static func artifact() throws -> ModelArtifact { try made.get() }

  private static let made = Result { () throws in
    var model = try BuiltinModels.ensemble().model
    for place in model.members.indices {
      switch model.members[place].kind {
      case .forest(let forest): model.members[place].kind = .forest(cut(forest))
      case .network: model.members[place].kind = .network(try network(features: model.features))
      }
    }
    // A few trees agree with each other and say little: the calibration makes up for it, so that orders come.
    model.combiner?.calibration = .platt(slope: 8, intercept: 0)
    model.metadata = ["name": "small"]
    let rows = GoldenRowChoice.rows(for: model, count: 2)
    return try ModelArtifact(bytes: ArtifactWriter.freeze(model, golden: rows), name: "small.martlet")
  }

  /// The first trees, and the columns they ask.
  private static func cut(_ forest: DecisionForest) -> DecisionForest {
    var result = forest
    result.trees = Array(forest.trees.prefix(treeCount))
    let asked = Set(result.trees.flatMap { $0.nodes.map(\.column) }).sorted()
    result.columns = asked.map { forest.columns[Int($0)] }
    for tree in result.trees.indices {
      for node in result.trees[tree].nodes.indices {
        let column = result.trees[tree].nodes[node].column
        result.trees[tree].nodes[node].column = UInt16(asked.firstIndex(of: column)!)
      }
    }
    return result
  }

  private static func network(features: [String]) throws -> NetworkMember {
    let inputs = ["spread", "queueImbalance", "ofiNorm", "nma9"].compactMap { features.firstIndex(of: $0) }
    let hidden = 8
    var random = FixtureNumbers(state: 17)
    func numbers(_ count: Int, _ size: Float) -> [Float] { (0..<count).map { _ in random.next() * size } }
    let layer = NeuralNetwork.Recurrent(
      source: 0, cell: .lstm, inputs: inputs.count, hidden: hidden,
      inputWeights: numbers(4 * hidden * inputs.count, 0.5), recurrentWeights: numbers(4 * hidden * hidden, 0.4),
      inputBias: numbers(4 * hidden, 0.2), recurrentBias: [Float](repeating: 0, count: 4 * hidden))
    let head = NeuralNetwork.Dense(
      source: 2, inputs: hidden, outputs: 1, weights: numbers(hidden, 0.3), bias: [0])
    let float = NeuralNetwork(
      featureCount: inputs.count, window: 5, missingValues: [Float](repeating: 0, count: inputs.count),
      operators: [.recurrent(layer), .lastRow(source: 1), .dense(head)], link: .logistic(scale: 1))
    let windows = (0..<40).map { _ in (0..<5).map { _ in numbers(inputs.count, 2) } }
    return NetworkMember(inputs: inputs, quantised: try Quantiser().quantise(float, windows: windows).network)
  }
}

/// Seeded numbers from −1 to 1 (SplitMix64, Steele, Lea, Flood 2014).
private struct FixtureNumbers {
  var state: UInt64

  mutating func next() -> Float {
    // Wrapping: the generator is defined modulo 2^64.
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Float((z ^ (z >> 31)) >> 40) / Float(1 << 23) - 1
  }
}
