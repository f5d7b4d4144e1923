import Foundation
import LockFreeRings
import ModelImport
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: an artifact is loaded whole and right, or refused in one line. Method: round trips, then every kind of damage.
struct ArtifactTests {
  /// Two members, small enough to damage every bit of it.
  static func smallModel(seed: UInt64 = 3) -> EnsembleModel {
    var models = RandomModels(seed: seed)
    var trees = models.trees(count: 3, leaves: 5, zeroIsMissing: true)
    let asked = Set(trees.trees.flatMap { $0.nodes.map(\.feature) })
    for slot in trees.thresholds.indices where !asked.contains(UInt8(slot)) { trees.thresholds[slot] = [] }
    var required = FeatureMask()
    required[.spread] = true
    return EnsembleModel(
      members: [
        EnsembleModel.Member(kind: .trees(trees)),
        EnsembleModel.Member(kind: .network(models.network(hidden: [])), required: required),
      ],
      combiner: CombinerValues(averageWeights: [0.5, 0.5], stackWeights: [0.7, 0.4], stackBias: 0.01),
      metadata: ["name": "small", "member.0": "trees", "member.1": "network"])
  }

  static func smallBytes(rows count: Int = 2) throws -> [UInt8] {
    var models = RandomModels(seed: 4)
    return try ArtifactWriter.freeze(smallModel(), rows: (0..<count).map { _ in models.row(missingOneIn: 9) })
  }

  @Test func `what is written is read back`() throws {
    let model = Self.smallModel()
    let artifact = try ModelArtifact(bytes: Self.smallBytes(rows: 5))
    #expect(artifact.model == model)
    #expect(artifact.goldenRows.count == 5)
    #expect(try Self.smallBytes() == Self.smallBytes(), "the same model gives the same bytes")
  }

  @Test(arguments: Seeds.brief)
  func `random models survive the round trip`(seed: UInt64) throws {
    var models = RandomModels(seed: seed)
    let model = EnsembleModel(
      members: [
        EnsembleModel.Member(kind: .trees(models.trees(count: 20, leaves: 31)), required: models.mask(missingOneIn: 2)),
        EnsembleModel.Member(kind: .network(models.network(hidden: [17, 3]))),
        EnsembleModel.Member(kind: .trees(models.trees(count: 2, leaves: 60))),
      ],
      combiner: CombinerValues(averageWeights: [0.25, 0.25, 0.5], stackWeights: [1, 0, 2]), metadata: ["name": "x"])
    let artifact = try ModelArtifact(
      bytes: ArtifactWriter.freeze(model, rows: (0..<9).map { _ in models.row() }), name: "random")
    #expect(artifact.model == model, "seed \(seed)")
  }

  @Test func `a file is opened, and a missing one refused by name`() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-\(UUID().uuidString).martlet")
    defer { try? FileManager.default.removeItem(at: url) }
    let bytes = try Self.smallBytes()
    try Data(bytes).write(to: url)
    let artifact = try ModelArtifact.open(url.path)
    #expect(artifact.model == Self.smallModel() && artifact.byteCount == bytes.count && artifact.name == url.path)
    let error = #expect(throws: ArtifactError.self) { try ModelArtifact.open(url.path + ".none") }
    #expect(
      error?.description.contains("\(url.lastPathComponent).none: file, byte 0: expected a readable file") == true)
    #expect(throws: ArtifactError.self) { try ModelArtifact.open("/") }
    #expect(throws: ArtifactError.self) { try ModelArtifact.open("/dev/null") }
  }

  @Test func `every single flipped bit is refused`() throws {
    var bytes = try Self.smallBytes(rows: 1)
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
    let bytes = try Self.smallBytes(rows: 1)
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
    let whole = try Self.smallBytes(rows: 1)
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
    #expect(refusal([]) == "a.martlet: header, byte 0: expected 64 to 67108864 bytes, not 0")
    var magic = bytes
    magic[0] = 0
    #expect(refusal(magic) == "a.martlet: header, byte 0: expected the magic MARTLETM")
    var version = bytes
    version[8] = 9
    #expect(refusal(version) == "a.martlet: header, byte 8: expected version 1, not 9")
    var schema = bytes
    schema[16] ^= 1
    let own = hexadecimal(FeatureSlot.schemaHash)
    let other = hexadecimal(FeatureSlot.schemaHash ^ 1)
    #expect(refusal(Self.sealed(schema)) == "a.martlet: header, byte 16: expected feature schema \(own), not \(other)")
    let short = refusal(Array(bytes.dropLast()))
    #expect(short == "a.martlet: header, byte 24: expected a file of \(bytes.count) bytes, not \(bytes.count - 1)")
    var body = bytes
    body[bytes.count - 1] ^= 1
    #expect(
      refusal(body).hasSuffix("expected the checksum of the section") && refusal(body).contains("golden section 0"))
    #expect(refusal(Self.sealed(body)).hasSuffix("expected the bits of golden row 1 to repeat"))
  }

  static let faults = [
    "NaN leaf", "lost leaf", "no trees", "unsorted", "doubled", "too many thresholds", "scale", "weights",
    "negative weight", "weight count", "shares", "slope", "unknown slot", "no members", "metadata",
  ]

  @Test(arguments: faults)
  func `an unsound model is not written`(fault: String) {
    var model = Self.smallModel()
    switch fault {
    case "NaN leaf": Self.editTrees(&model) { $0.trees[0].leaves[0] = .nan }
    case "lost leaf": Self.editTrees(&model) { $0.trees[0].leaves.append(1) }
    case "no trees": Self.editTrees(&model) { $0.trees = [] }
    case "unsorted": Self.editTrees(&model) { $0.thresholds[1] = [2, 1] }
    case "doubled": Self.editTrees(&model) { $0.thresholds[1] = [2, 2] }
    case "too many thresholds": Self.editTrees(&model) { $0.thresholds[1] = (0..<256).map { Float($0) } }
    case "scale": Self.editTrees(&model) { $0.scale = -1 }
    case "weights": model.combiner.averageWeights = [0.5, 0.6]
    case "negative weight": model.combiner.stackWeights = [-0.5, 0.6]
    case "weight count": model.combiner.stackWeights = [1]
    case "shares": model.combiner.stackShare = 0.7
    case "slope": model.combiner.calibrationSlope = .infinity
    case "unknown slot": model.members[0].required[90] = true
    case "no members": model.members = []
    case "metadata": model.metadata["name"] = "line\nline"
    default: Issue.record("an unknown fault")
    }
    var models = RandomModels(seed: 1)
    let row = models.row()
    #expect(throws: ImportError.self, "\(fault)") { try ArtifactWriter.freeze(model, rows: [row]) }
  }

  static func editTrees(_ model: inout EnsembleModel, _ edit: (inout TreeModel) -> Void) {
    guard case .trees(var trees) = model.members[0].kind else { return }
    edit(&trees)
    model.members[0].kind = .trees(trees)
  }

  @Test func `a tree with a cycle, a shared leaf or an orphan is a fault`() {
    func model(_ nodes: [(Int16, Int16)]) -> TreeModel {
      var thresholds = [[Float]](repeating: [], count: 96)
      thresholds[0] = [0]
      return TreeModel(
        thresholds: thresholds, zeroIsMissing: FeatureMask(),
        trees: [
          TreeModel.Tree(
            nodes: nodes.map { TreeModel.Node(feature: 0, bin: 0, missingGoesRight: false, left: $0.0, right: $0.1) },
            leaves: [Double](repeating: 1, count: nodes.count + 1))
        ], scale: 1)
    }
    #expect(model([]).fault == nil)
    #expect(model([(-1, -2)]).fault == nil)
    #expect(model([(1, -1), (-2, -3)]).fault == nil)
    #expect(model([(0, -1)]).fault != nil)
    #expect(model([(-1, -1)]).fault != nil)
    #expect(model([(-1, -3)]).fault != nil)
    #expect(model([(1, 1), (-1, -2)]).fault != nil)
    #expect(model([(-1, -2), (1, -3)]).fault != nil)
    #expect(model([(5, -1)]).fault != nil)
  }

  @Test func `CRC-32C of the standard check text is E3069283`() {
    #expect(ArtifactFormat.checksum(Array("123456789".utf8)) == 0xE306_9283)
  }
}
