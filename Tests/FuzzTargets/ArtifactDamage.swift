import ModelImport
import ModelInference
import TradingTypes

/// Damage to a small artifact that has every kind of section, operator and tree: what the loader must refuse, or bear.
public struct ArtifactDamage {
  /// What came of it.
  public struct Tally: Sendable {
    /// Damaged files tried.
    public var tried = 0
    /// Those that were refused.
    public var refused = 0

    /// Nothing tried.
    public init() {}
  }

  /// The artifact.
  public let whole: [UInt8]
  private var random: SplitMix64

  /// The artifact, and damage by `seed`.
  public init(seed: UInt64) throws {
    whole = try ArtifactWriter.freeze(Self.model(), golden: Self.rows(4))
    random = SplitMix64(seed: seed)
  }

  /// Whether bytes are an artifact.
  public func loads(_ bytes: [UInt8]) -> Bool { (try? ModelArtifact(bytes: bytes)) != nil }

  // MARK: - Damage that checksums see

  /// Every file cut short: all must be refused.
  public func truncations() -> Tally {
    var tally = Tally()
    for count in 0..<whole.count { tally.add(Array(whole[..<count])) }
    return tally
  }

  /// `count` single flipped bits at random places: all must be refused.
  public mutating func flips(_ count: Int) -> Tally {
    var tally = Tally()
    var bytes = whole
    for _ in 0..<count {
      let bit = random.below(bytes.count * 8)
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      tally.add(bytes)
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    }
    return tally
  }

  // MARK: - Damage that only rules see

  /// `count` files with one to three damaged places and right checksums: any may load, then it must answer; none may trap.
  public mutating func resealed(_ count: Int) -> Tally {
    var tally = Tally()
    for _ in 0..<count {
      var bytes = whole
      for _ in 0...random.below(3) { damage(&bytes) }
      tally.add(Self.sealed(bytes))
    }
    return tally
  }

  private mutating func damage(_ bytes: inout [UInt8]) {
    switch random.below(4) {
    case 0: bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
    case 1: bytes[random.below(bytes.count)] = [0, 1, 127, 128, 255][random.below(5)]
    case 2:
      // Counts, indices and singles stand on borders of four bytes.
      let words: [UInt32] = [
        0, 1, 2, 7, 255, 256, 32_767, 32_768, 65_535, 1 << 20, 1 << 31, .max, Float.infinity.bitPattern,
        Float.nan.bitPattern, Float(1e30).bitPattern, Float(-1e30).bitPattern, Float.leastNonzeroMagnitude.bitPattern,
      ]
      Self.write(words[random.below(words.count)], into: &bytes, at: 4 * random.below(bytes.count / 4))
    default:
      // Fields of one place in another: sound numbers where they do not belong.
      let count = min(4 * (1 + random.below(8)), bytes.count)
      let (from, to) = (random.below(bytes.count - count + 1), random.below(bytes.count - count + 1))
      bytes.replaceSubrange(to..<(to + count), with: Array(bytes[from..<(from + count)]))
    }
  }

  /// The bytes with every checksum made right, so that only the rules behind them are left to refuse.
  public static func sealed(_ damaged: [UInt8]) -> [UInt8] {
    var bytes = damaged
    func number(_ at: Int, _ count: Int) -> UInt64 {
      (0..<count).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) }
    }
    let (header, entry) = (ArtifactFormat.headerBytes, ArtifactFormat.entryBytes)
    let sections = Int(min(number(12, 4), UInt64((bytes.count - header) / entry)))
    for place in 0..<sections {
      let at = header + entry * place
      let (start, length) = (number(at + 8, 8), number(at + 16, 8))
      guard start <= UInt64(bytes.count), length <= UInt64(bytes.count) - start else { continue }
      write(ArtifactFormat.checksum(Array(bytes[Int(start)..<Int(start + length)])), into: &bytes, at: at + 24)
    }
    write(ArtifactFormat.checksum(Array(bytes[header..<(header + entry * sections)])), into: &bytes, at: 32)
    write(ArtifactFormat.checksum(Array(bytes[..<60])), into: &bytes, at: 60)
    return bytes
  }

  private static func write(_ value: UInt32, into bytes: inout [UInt8], at place: Int) {
    for byte in 0..<4 { bytes[place + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
  }

  // MARK: - The artifact

  /// Rows, the last with gaps.
  private static func rows(_ count: Int) -> [[Float]] {
    (0..<count).map { (row: Int) -> [Float] in
      (0..<3).map { (column: Int) -> Float in
        row == count - 1 && column == 1 ? Float.nan : Float((row * 7 + column * 5) % 11) / 4 - 1
      }
    }
  }

  private static func model() throws -> EnsembleModel {
    let network = float()
    let windows = (0..<4).map { (start: Int) -> [[Float]] in
      (0..<3).map { (row: Int) -> [Float] in [Float(start + row) / 3 - 1, Float(start * row % 5) / 2] }
    }
    return EnsembleModel(
      features: ["spread", "own", "mid"],
      members: [
        EnsembleModel.Member(name: "trees", kind: .forest(forest()), required: [0]),
        EnsembleModel.Member(
          name: "network",
          kind: .network(
            NetworkMember(
              inputs: [2, 0], quantised: try Quantiser().quantise(network, windows: windows).network, float: network))),
      ],
      combiner: CombinerValues(
        averageWeights: [0.25, 0.75], stack: .forest(stack()),
        calibration: .isotonic(x: [0, 0.4, 0.6, 1], y: [0.01, 0.3, 0.7, 0.99])),
      metadata: ["name": "small", "kind": "ensemble"])
  }

  private static func node(_ column: UInt16, _ test: UInt16, _ left: Int32, _ right: Int32) -> DecisionForest.Node {
    DecisionForest.Node(column: column, test: test, missingGoesRight: test % 2 == 0, left: left, right: right)
  }

  /// A chain, an oblivious tree, and a single leaf, over every kind of column.
  private static func forest() -> DecisionForest {
    DecisionForest(
      featureCount: 3,
      columns: [
        DecisionForest.Column(feature: 0, sight: .thresholds([-1, 0, 0.5], missing: .nan)),
        DecisionForest.Column(feature: 1, sight: .thresholds([0.25], missing: .nanOrZero)),
        DecisionForest.Column(feature: 2, sight: .thresholds([-0.5, 1], missing: .never)),
        DecisionForest.Column(feature: 1, sight: .categories([[5], [1, 2]], rule: .lightGBM)),
      ],
      trees: [
        DecisionForest.Tree(
          nodes: [node(0, 0, 1, -4), node(3, 1, -1, 2), node(2, 1, -2, -3)], leaves: [0.1, -0.2, 0.3, 1.5],
          leafNumbers: [3, 0, 2, 1]),
        DecisionForest.Tree(
          nodes: [node(0, 1, 1, 2), node(1, 0, -1, -2), node(1, 0, -3, -4)], leaves: [1, 2, 3, -4]),
        DecisionForest.Tree(nodes: [], leaves: [0.5]),
      ], link: .logistic(scale: 2))
  }

  private static func stack() -> DecisionForest {
    DecisionForest(
      featureCount: 2,
      columns: [
        DecisionForest.Column(feature: 0, sight: .thresholds([0, 0.5], missing: .nan)),
        DecisionForest.Column(feature: 1, sight: .thresholds([0], missing: .nan)),
      ], trees: [DecisionForest.Tree(nodes: [node(0, 1, -1, 1), node(1, 0, -2, -3)], leaves: [-0.5, 0.25, 0.75])],
      link: .logistic(scale: 1))
  }

  /// Every operator there is, over windows of three rows.
  private static func float() -> NeuralNetwork {
    func list(_ count: Int) -> [Float] {
      (0..<count).map { (place: Int) -> Float in Float(place * 37 % 17) / 16 - 0.5 }
    }
    func recurrent(_ source: Int, _ cell: NeuralNetwork.Recurrent.Cell) -> NeuralNetwork.Operator {
      let gates = 4 * cell.gateCount
      return .recurrent(
        NeuralNetwork.Recurrent(
          source: source, cell: cell, inputs: 4, hidden: 4, inputWeights: list(gates * 4),
          recurrentWeights: list(gates * 4), inputBias: list(gates), recurrentBias: list(gates)))
    }
    return NeuralNetwork(
      featureCount: 2, window: 3, missingValues: [0.5, 0],
      operators: [
        .dense(
          NeuralNetwork.Dense(
            source: 0, inputs: 2, outputs: 4, weights: list(8), bias: list(4), activation: .leakyReLU(slope: 0.1))),
        .convolution(
          NeuralNetwork.Convolution(
            source: 1, inputs: 4, outputs: 4, kernel: 2, dilation: 1, weights: list(32), bias: list(4),
            activation: .silu)),
        .positions(source: 2, table: list(12)),
        .attention(query: 3, key: 3, value: 3, heads: 2, scale: 0.7),
        .add(3, 4),
        .layerNormalisation(source: 5, gain: [1, 0.5, 2, 1], shift: list(4), epsilon: 1e-5),
        recurrent(6, .lstm), recurrent(7, .gru(linearBeforeReset: true)), recurrent(8, .gru(linearBeforeReset: false)),
        .lastRow(source: 9),
        .affine(source: 10, gain: [1, 2, -1, 0.5], shift: list(4)),
        .activation(source: 11, .tanh),
        .dense(NeuralNetwork.Dense(source: 12, inputs: 4, outputs: 1, weights: list(4), bias: [0.1])),
      ], link: .logistic(scale: 1))
  }
}

extension ArtifactDamage.Tally {
  /// Loads the bytes, and asks what loads for answers in every form.
  mutating func add(_ bytes: [UInt8]) {
    tried += 1
    guard let artifact = try? ModelArtifact(bytes: bytes) else {
      refused += 1
      return
    }
    let model = artifact.model
    precondition(model.fault == nil, "what loads is sound")
    for precision in ModelPredictor.Precision.allCases {
      let predictor = ModelPredictor(model, precision: precision)
      for value: Float in [0, .nan, .infinity, -1e30] {
        let row = [Float](repeating: value, count: model.features.count)
        let window = [[Float]](repeating: row, count: model.window)
        _ = predictor.prediction(window[...])
        precondition(predictor.exitLeaves(row).count <= 1 << 20, "a leaf a tree")
      }
    }
  }
}
