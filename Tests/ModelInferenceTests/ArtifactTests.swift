import Foundation
import LockFreeRings
import ModelImport
import ModelInference
import Synchronization
import TestSupport
import Testing
import TradingTypes

// Goal: an artifact is loaded whole and right, or refused in one line. Method: round trips, then every kind of damage.
struct ArtifactTests {
  /// A forest and a network over two rows, small enough to damage every bit of it.
  static func smallModel(seed: UInt64 = 3) -> EnsembleModel {
    var models = EnsembleModels(seed: seed)
    var forest = models.forest(3, trees: 2, leaves: 4)
    forest.columns = forest.columns.map { column in
      guard case .thresholds(let list, let missing) = column.sight else { return column }
      return DecisionForest.Column(feature: column.feature, sight: .thresholds(list, missing: missing))
    }
    return EnsembleModel(
      features: ["spread", "own", "mid"],
      members: [
        EnsembleModel.Member(name: "forest", kind: .forest(forest), required: [1]),
        EnsembleModel.Member(
          name: "network",
          kind: .network(NetworkMember(inputs: [2, 0], quantised: models.network(2, window: 2), mode: .stateful))),
      ],
      combiner: CombinerValues(
        averageWeights: [0.5, 0.5], stack: .logistic(weights: [0.7, 0.4], bias: 0.01),
        calibration: .platt(slope: 1, intercept: 0.5)),
      metadata: ["name": "small", "kind": "ensemble"])
  }

  static func smallBytes(rows count: Int = 3) throws -> [UInt8] {
    var models = EnsembleModels(seed: 4)
    return try ArtifactWriter.freeze(smallModel(), golden: models.rows(count, features: 3))
  }

  @Test func `what is written is read back, trees in order`() throws {
    let artifact = try ModelArtifact(bytes: Self.smallBytes(rows: 6))
    #expect(artifact.model == Self.smallModel().inOrder)
    #expect(artifact.golden.rows.count == 6 && artifact.golden.answers.count == 5)
    #expect(artifact.catalogueHash == FeatureSlot.schemaHash)
    #expect(try Self.smallBytes() == Self.smallBytes(), "the same model gives the same bytes")
    #expect(artifact.sha256.count == 64)
  }

  @Test(arguments: Seeds.brief)
  func `random models survive the round trip`(seed: UInt64) throws {
    var models = EnsembleModels(seed: seed)
    let names = (0..<20).map { "feature \($0)" }
    for stacksTrees in [true, false] {
      var model = models.model(features: names, stacksTrees: stacksTrees)
      if stacksTrees { model.combiner?.calibration = .isotonic(x: [0, 0.5, 1], y: [0.01, 0.4, 0.99]) }
      let artifact = try ModelArtifact(
        bytes: ArtifactWriter.freeze(model, golden: models.rows(9, features: 20)), name: "random")
      var expected = model.inOrder
      if case .forest(var trees)? = expected.combiner?.stack {
        trees = trees.inOrder
        for place in trees.trees.indices {
          trees.trees[place].leafNumbers = (0..<UInt32(trees.trees[place].leaves.count)).map { $0 }
        }
        expected.combiner?.stack = .forest(trees)
      }
      #expect(artifact.model == expected, "seed \(seed)")
      #expect(artifact.catalogueHash == 0, "none of its features is a slot")
    }
  }

  // Goal: every form of a tree comes back: chains, perfect, oblivious, categories, several outputs, f32 leaves, numbers.
  @Test(arguments: Seeds.brief)
  func `forests of every shape survive the round trip`(seed: UInt64) throws {
    var models = ForestModels(seed: seed)
    let shapes: [ForestShape] = [
      .leafWise(60), .mixed(leaves: 9, levels: 4), .perfect(5), .oblivious(6), .chain(12), .leafWise(1),
    ]
    for shape in shapes {
      for accumulation in DecisionForest.Accumulation.allCases {
        let forest = models.forest(
          shape, trees: 3, columns: ForestModels.Columns(categoriesOneIn: 4), outputs: 2, accumulation: accumulation)
        let model = EnsembleModel(
          features: (0..<20).map { "f\($0)" }, members: [EnsembleModel.Member(name: "m", kind: .forest(forest))],
          metadata: ["name": "m"])
        let rows = (0..<20).map { _ in models.row(for: forest, missingOneIn: 9).map { $0.isInfinite ? 1 : $0 } }
        let artifact = try ModelArtifact(bytes: ArtifactWriter.freeze(model, golden: rows))
        guard case .forest(let read) = artifact.model.members[0].kind else { return }
        #expect(read == forest.inOrder, "\(shape), seed \(seed)")
        // In order, a forest answers as before, leaf by leaf.
        for row in rows {
          #expect(read.rawReference(row) == forest.rawReference(row))
          #expect(read.leafNumbersReference(row) == forest.leafNumbersReference(row))
        }
      }
    }
  }

  @Test func `a network in single precision is kept beside its 8-bit form, or alone`() throws {
    let float = NeuralNetwork(
      featureCount: 2, window: 1, missingValues: [0.5, 0],
      operators: [.dense(NeuralNetwork.Dense(source: 0, inputs: 2, outputs: 1, weights: [1, 2], bias: [0.25]))],
      link: .logistic(scale: 1))
    let quantised = try Quantiser().quantise(float, windows: [[[1, 2]], [[-1, 0.5]], [[0, 3]]]).network
    for form in [nil, quantised] {
      let model = EnsembleModel(
        features: ["a", "b"],
        members: [
          EnsembleModel.Member(name: "m", kind: .network(NetworkMember(inputs: [1, 0], quantised: form, float: float)))
        ], metadata: ["name": "m"])
      let artifact = try ModelArtifact(bytes: ArtifactWriter.freeze(model, golden: [[1, 2], [.nan, 3]]))
      #expect(artifact.model == model)
      let score = ModelPredictor(artifact.model, precision: .float).prediction([[2, 1]]).scores[0]
      // 1 × 1 + 2 × 2 + 0.25: the network reads b, then a.
      #expect(score == 5.25)
      let missing = ModelPredictor(artifact.model, precision: .float).prediction([[2, .nan]]).scores[0]
      #expect(missing == 4.75)
    }
  }

  @Test func `a file is opened, and a missing one refused by name`() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString).martlet")
    defer { try? FileManager.default.removeItem(at: url) }
    let bytes = try Self.smallBytes()
    try Data(bytes).write(to: url)
    let artifact = try ModelArtifact.open(url.path)
    #expect(artifact.model == Self.smallModel().inOrder && artifact.byteCount == bytes.count)
    #expect(artifact.name == url.path)
    let error = #expect(throws: ArtifactError.self) { try ModelArtifact.open(url.path + ".none") }
    #expect(
      error?.description.contains("\(url.lastPathComponent).none: file, byte 0: expected a readable file") == true)
    #expect(throws: ArtifactError.self) { try ModelArtifact.open("/") }
    #expect(throws: ArtifactError.self) { try ModelArtifact.open("/dev/null") }
    let pipe = url.path + ".pipe"
    defer { try? FileManager.default.removeItem(atPath: pipe) }
    // The path is a C string for the call only.
    try #require(unsafe mkfifo(pipe, 0o600) == 0)
    let refusal = #expect(throws: ArtifactError.self) { try ModelArtifact.open(pipe) }
    #expect(refusal?.expected == "a regular file", "and not waited for")
  }

  // Goal: a file that changes while it is loaded ends nothing. Method: another thread empties it and writes it again all the time.
  @Test func `a file that another program writes is loaded whole or refused`() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString).martlet")
    defer { try? FileManager.default.removeItem(at: url) }
    let bytes = Data(try Self.smallBytes())
    try bytes.write(to: url)
    let digest = try ModelArtifact.open(url.path).sha256
    let isDone = Flag()
    let writer = Thread {
      guard let handle = try? FileHandle(forWritingTo: url) else { return }
      while !isDone.value.load(ordering: .acquiring) {
        try? handle.truncate(atOffset: 0)
        try? handle.write(contentsOf: bytes.prefix(bytes.count / 2))
        try? handle.write(contentsOf: bytes.dropFirst(bytes.count / 2))
      }
    }
    writer.start()
    var refused = 0
    for _ in 0..<300 {
      do throws(ArtifactError) {
        let loaded = try ModelArtifact.open(url.path)
        #expect(loaded.sha256 == digest)
      } catch { refused += 1 }
    }
    isDone.value.store(true, ordering: .releasing)
    while !writer.isFinished { usleep(1_000) }
    #expect(refused > 0, "the writer was seen at work")
  }

  private final class Flag: Sendable {
    let value = Atomic<Bool>(false)
  }

  @Test func `every single flipped bit is refused`() throws {
    var bytes = try Self.smallBytes(rows: 2)
    var loaded: [Int] = []
    for bit in 0..<(bytes.count * 8) {
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      if (try? ModelArtifact(bytes: bytes)) != nil { loaded.append(bit) }
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    }
    #expect(loaded.isEmpty, "bits that may flip, of \(bytes.count * 8)")
    #expect((try? ModelArtifact(bytes: bytes)) != nil)
  }

  @Test func `every shorter and every longer file is refused`() throws {
    let bytes = try Self.smallBytes(rows: 2)
    let loaded = (0..<bytes.count).filter { (try? ModelArtifact(bytes: Array(bytes[..<$0]))) != nil }
    #expect(loaded.isEmpty, "lengths that loaded, of \(bytes.count)")
    #expect(throws: ArtifactError.self) { try ModelArtifact(bytes: bytes + [0]) }
  }

  /// Recomputes every checksum, so that only the rules behind them are left to refuse.
  static func sealed(_ damaged: [UInt8]) -> [UInt8] {
    var bytes = damaged
    func number(_ at: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }
    func write(_ value: UInt32, _ at: Int) {
      for byte in 0..<4 { bytes[at + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)) }
    }
    let sections = min(number(12, 4), (bytes.count - 64) / 32)
    for place in 0..<sections {
      let start = number(64 + 32 * place + 8, 4)
      let end = start + number(64 + 32 * place + 16, 4)
      guard start <= end, end <= bytes.count else { continue }
      write(ArtifactFormat.checksum(Array(bytes[start..<end])), 64 + 32 * place + 24)
    }
    write(ArtifactFormat.checksum(Array(bytes[64..<(64 + 32 * sections)])), 32)
    write(ArtifactFormat.checksum(Array(bytes[..<60])), 60)
    return bytes
  }

  // Goal: the loader is total even where checksums hold. Method: random damage, resealed; it may load, and never traps.
  @Test(arguments: Seeds.brief)
  func `damage behind right checksums is refused or harmless, never a trap`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let whole = try Self.smallBytes(rows: 2)
    var refused = 0
    for _ in 0..<150 {
      var bytes = whole
      for _ in 0...random.below(3) {
        let place = random.below(bytes.count)
        bytes[place] =
          random.below(2) == 0 ? UInt8(truncatingIfNeeded: random.next()) : [0, 255, 127, 128][random.below(4)]
      }
      if (try? ModelArtifact(bytes: Self.sealed(bytes))) == nil { refused += 1 }
    }
    #expect(refused > 75, "seed \(seed): golden rows or rules catch most damage, here \(refused) of 150")
  }

  @Test func `the error names file, section, byte and what was expected`() throws {
    func refusal(_ bytes: [UInt8]) -> String {
      do {
        _ = try ModelArtifact(bytes: bytes, name: "a.martlet")
        return "loaded"
      } catch { return error.description }
    }
    let bytes = try Self.smallBytes()
    #expect(refusal([]) == "a.martlet: file, byte 0: expected 64 to 67108864 bytes, not 0")
    var magic = bytes
    magic[0] = 0
    #expect(refusal(magic) == "a.martlet: header, byte 0: expected the magic MARTLETM")
    var version = bytes
    version[8] = 9
    #expect(refusal(version) == "a.martlet: header, byte 8: expected version 2, not 9")
    var schema = bytes
    schema[16] ^= 1
    let own = hexadecimal(Self.smallModel().schemaHash)
    let other = hexadecimal(Self.smallModel().schemaHash ^ 1)
    #expect(
      refusal(Self.sealed(schema))
        == "a.martlet: header, byte 16: expected the hash \(own) of the feature names, not \(other)")
    let short = refusal(Array(bytes.dropLast()))
    #expect(short == "a.martlet: header, byte 24: expected a file of \(bytes.count) bytes, not \(bytes.count - 1)")
    var body = bytes
    body[bytes.count - 1] ^= 1
    #expect(
      refusal(body).hasSuffix("expected the checksum of the section") && refusal(body).contains("golden section 0"))
    let kernels = KernelSet.best.resolved
    #expect(
      refusal(Self.sealed(body)).hasSuffix("expected the bits of golden answer 1 to repeat in the \(kernels) kernels"))
  }

  static let faults = [
    "NaN leaf", "lost leaf", "no trees", "unsorted", "doubled", "too many thresholds", "divisor", "weights",
    "negative weight", "weight count", "shares", "slope", "unknown feature", "no members", "metadata", "same features",
    "no combiner", "wrong inputs", "no form", "golden width", "golden infinity", "no window",
  ]

  @Test(arguments: faults)
  func `an unsound model is not written`(fault: String) {
    var model = Self.smallModel()
    var models = EnsembleModels(seed: 1)
    var rows = models.rows(3, features: 3)
    func editForest(_ edit: (inout DecisionForest) -> Void) {
      guard case .forest(var forest) = model.members[0].kind else { return }
      edit(&forest)
      model.members[0].kind = .forest(forest)
    }
    func editNetwork(_ edit: (inout NetworkMember) -> Void) {
      guard case .network(var network) = model.members[1].kind else { return }
      edit(&network)
      model.members[1].kind = .network(network)
    }
    func thresholds(_ list: [Float]) {
      editForest { $0.columns[0] = DecisionForest.Column(feature: 0, sight: .thresholds(list, missing: .nan)) }
    }
    switch fault {
    case "NaN leaf": editForest { $0.trees[0].leaves[0] = .nan }
    case "lost leaf": editForest { $0.trees[0].leaves.append(1) }
    case "no trees": editForest { $0.trees = [] }
    case "unsorted": thresholds([2, 1])
    case "doubled": thresholds([2, 2])
    case "too many thresholds": thresholds((0..<256).map { Float($0) })
    case "divisor": editForest { $0.divisor = 0 }
    case "weights": model.combiner?.averageWeights = [0.5, 0.6]
    case "negative weight": model.combiner?.stack = .logistic(weights: [-0.5, 0.6], bias: 0)
    case "weight count": model.combiner?.stack = .logistic(weights: [1], bias: 0)
    case "shares": model.combiner?.stackShare = 0.7
    case "slope": model.combiner?.calibration = .platt(slope: .infinity, intercept: 0)
    case "unknown feature": model.members[0].required = [3]
    case "no members": model.members = []
    case "metadata": model.metadata["name"] = "line\nline"
    case "same features": model.features = ["spread", "mid", "mid"]
    case "no combiner": model.combiner = nil
    case "wrong inputs": editNetwork { $0.inputs = [0, 3] }
    case "no form": editNetwork { $0.quantised = nil }
    case "golden width": rows[1] = [1, 2]
    case "golden infinity": rows[1] = [1, 2, .infinity]
    case "no window": rows = [rows[0]]
    default: Issue.record("an unknown fault")
    }
    #expect(throws: ImportError.self, "\(fault)") { try ArtifactWriter.freeze(model, golden: rows) }
  }

  @Test func `a tree with a cycle, a shared leaf or an orphan is a fault`() {
    func forest(_ nodes: [(Int32, Int32)]) -> DecisionForest {
      DecisionForest(
        featureCount: 1, columns: [DecisionForest.Column(feature: 0, sight: .thresholds([0], missing: .nan))],
        trees: [
          DecisionForest.Tree(
            nodes: nodes.map {
              DecisionForest.Node(column: 0, test: 0, missingGoesRight: false, left: $0.0, right: $0.1)
            }, leaves: [Double](repeating: 1, count: nodes.count + 1))
        ], link: .identity)
    }
    #expect(forest([]).fault == nil)
    #expect(forest([(-1, -2)]).fault == nil)
    #expect(forest([(1, -1), (-2, -3)]).fault == nil)
    #expect(forest([(0, -1)]).fault != nil)
    #expect(forest([(-1, -1)]).fault != nil)
    #expect(forest([(-1, -3)]).fault != nil)
    #expect(forest([(1, 1), (-1, -2)]).fault != nil)
    #expect(forest([(-1, -2), (1, -3)]).fault != nil)
    #expect(forest([(5, -1)]).fault != nil)
  }

  @Test func `CRC-32C of the standard check text is E3069283`() {
    #expect(ArtifactFormat.checksum(Array("123456789".utf8)) == 0xE306_9283)
  }
}

extension EnsembleModel {
  /// The model with the trees of its members in order, as an artifact holds them.
  var inOrder: EnsembleModel {
    var model = self
    for place in members.indices {
      if case .forest(let forest) = members[place].kind { model.members[place].kind = .forest(forest.inOrder) }
    }
    return model
  }
}
