import Foundation
import LockFreeRings
import ModelDeployment
import ModelGovernance
import ModelImport
import TradingEngine
import TradingTypes

/// A registry's folder of a test's own, gone with it, with small models over the slots of a vector.
final class RegistryFixture: Sendable {
  static let name = "alpha"
  let folder: String

  /// A registry with `count` versions: the first one in force, the others in staging.
  init(versions count: Int = 3) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "martlet-deploy-\(UUID().uuidString)").path
    try ModelRegistry.create(folder)
    var registry = try ModelRegistry(folder, .writing)
    for number in 1...count {
      _ = try registry.add(Self.name, artifact: try Self.artifact(number), at: now())
      try registry.stage(Self.name, version: number, at: now())
    }
    try promote(1, in: &registry)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// The host's clock.
  func now() -> Timestamp { Timestamp(nanoseconds: SystemClocks.wallNanoseconds) }

  func path(_ name: String) -> String { "\(folder)-\(name)" }

  func registry(_ access: ModelRegistry.Access = .reading) throws -> ModelRegistry { try ModelRegistry(folder, access) }

  /// Gates, approval and promotion.
  func promote(_ version: Int) throws {
    var registry = try registry(.writing)
    try promote(version, in: &registry)
  }

  private func promote(_ version: Int, in registry: inout ModelRegistry) throws {
    let scores = (0..<2_000).map { $0 % 2 == 0 ? 0.9 : 0.1 }
    let labels = (0..<2_000).map { ($0 % 2 == 0) != ($0 % 20 >= 18) }
    let gates = PromotionGates(wilsonLowerMin: 0.68).judge(try ModelQuality(scores: scores, labels: labels))
    try registry.record(gates: gates, of: Self.name, version: version, at: now())
    try registry.approve(Self.name, version: version, reason: "a test", at: now())
    try registry.promote(Self.name, version: version, at: now())
  }

  /// The history's events about what an engine did: kind, version, the version before, value.
  func told() throws -> [Told] {
    try registry().events().filter { !$0.kind.changesRegistry }.map {
      Told(kind: $0.kind, version: $0.version, former: $0.formerVersion, value: $0.value)
    }
  }

  struct Told: Hashable {
    var kind: ModelEvent.Kind
    var version: Int
    var former: Int?
    var value: Double?
  }

  func desk(instruments: Int = 2, windowMax: Int = 4) throws -> ModelDesk {
    try ModelDesk(
      champion: DeskModel(Self.name, in: registry(), instrumentCount: instruments), windowMax: windowMax,
      in: Arena(capacityBytes: ModelDesk.arenaBytes(instrumentCount: instruments, windowMax: windowMax)))
  }

  // MARK: - Models

  /// Trees of one decision each over every slot; each version leans another way.
  static func model(_ version: Int) -> EnsembleModel {
    var random = SplitMix64(seed: UInt64(version))
    let names = FeatureSlot.allCases.map(\.name)
    let columns = names.indices.map { slot in
      DecisionForest.Column(
        feature: slot,
        sight: .thresholds([Float(random.unit()) - 1, Float(random.unit())], missing: .nan))
    }
    let trees = names.indices.map { slot in
      DecisionForest.Tree(
        nodes: [
          DecisionForest.Node(
            column: UInt16(slot), test: UInt16(random.below(2)), missingGoesRight: random.below(2) == 0, left: ~0,
            right: ~1)
        ], leaves: [(random.unit() - 0.5) * 2, (random.unit() - 0.5) * 2])
    }
    let forest = DecisionForest(
      featureCount: names.count, columns: columns, trees: trees, link: .logistic(scale: 1))
    return EnsembleModel(
      features: names, members: [EnsembleModel.Member(name: "trees", kind: .forest(forest))],
      metadata: ["name": "version \(version)"])
  }

  static func artifact(_ version: Int) throws -> [UInt8] {
    let row = (0..<FeatureSlot.allCases.count).map { Float($0 % 5) - 2 }
    return try ArtifactWriter.freeze(model(version), golden: [row])
  }
}
