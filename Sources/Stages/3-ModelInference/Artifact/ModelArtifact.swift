internal import TradingTypes

/// A verified model artifact: its file was whole, its model is sound, and it gave the answers it carries.
///
/// The file is read once, when it is loaded; `Ensemble` copies what the kernels read into its arena, so a swap of
/// models never depends on the page cache, and nothing that happens to the file later can reach the hot path.
public struct ModelArtifact: Sendable {
  /// What it holds.
  public let model: EnsembleModel
  /// `FeatureSlot.schemaHash` of the catalogue its features were named by; 0 where none of them is a slot.
  public let catalogueHash: UInt64
  /// The rows that were checked, in the best kernels of this processor.
  public let golden: GoldenRows
  /// Length of the file.
  public let byteCount: Int
  /// SHA-256 of the file, in hexadecimal.
  public let sha256: String
  /// The file, or what its bytes were called.
  public let name: String

  /// Reads, verifies and loads the artifact at `path`.
  ///
  /// - Throws: `ArtifactError` for anything that is not a whole, sound artifact of this version whose golden rows hold;
  ///   never traps, whatever the bytes are.
  /// - Complexity: O(bytes); allocates.
  public static func open(_ path: String) throws(ArtifactError) -> ModelArtifact {
    try ModelArtifact(ArtifactBytes(reading: path))
  }

  /// Verifies and loads an artifact from memory.
  ///
  /// - Parameter name: what errors call it.
  /// - Throws: as `open`.
  public init(bytes: [UInt8], name: String = "artifact") throws(ArtifactError) {
    try self.init(ArtifactBytes(copying: bytes, name: name))
  }

  private init(_ bytes: ArtifactBytes) throws(ArtifactError) {
    let sections = try ArtifactSections(bytes)
    model = try sections.model()
    catalogueHash = sections.catalogueHash
    golden = try sections.goldenRows(for: model)
    byteCount = bytes.count
    sha256 = bytes.sha256
    name = bytes.name
    // The answers were made by the reference; what will run must repeat them. `onSlots` looks at other kernels when they are asked for.
    if let fault = golden.fault(in: model, kernels: .best) {
      throw ArtifactError(
        file: bytes.name, section: "golden rows", offsetBytes: sections.goldenOffset, expected: fault)
    }
  }

  /// The model over the slots of a feature vector: what the engine runs.
  ///
  /// - Parameters:
  ///   - customNames: names of slots 88–95 in order, a host's own features.
  ///   - kernels: those that will run it.
  /// - Throws: where a feature is no slot, the catalogue is another one, a network has no 8-bit form, the custom names are
  ///   too many or not names of their own, or the kernels do not repeat the golden rows.
  public func onSlots(customNames: [String] = [], kernels: KernelSet = .best) throws(ArtifactError) -> EnsembleModel {
    // The best ones did when it was loaded.
    if kernels.resolved != KernelSet.best.resolved, let fault = golden.fault(in: model, kernels: kernels) {
      throw ArtifactError(file: name, section: "golden rows", offsetBytes: 0, expected: fault)
    }
    func refused(_ expected: String) -> ArtifactError {
      ArtifactError(file: name, section: "features", offsetBytes: 0, expected: expected)
    }
    var slots = Dictionary(uniqueKeysWithValues: FeatureSlot.allCases.map { ($0.name, $0.index) })
    let customMax = FeatureVector.count - slots.count
    guard customNames.count <= customMax else {
      throw refused("at most \(customMax) custom names, not \(customNames.count)")
    }
    for (place, name) in customNames.enumerated() {
      let former = slots.updateValue(FeatureSlot.allCases.count + place, forKey: name)
      guard former == nil else { throw refused("custom names beside the slots', each once; \(name) is taken") }
    }
    var places: [Int] = []
    for feature in model.features {
      guard let slot = slots[feature] else {
        throw refused("features that are slots of the engine (Docs/Features.md, or custom ones); \(feature) is none")
      }
      places.append(slot)
    }
    guard catalogueHash == FeatureSlot.schemaHash || !model.features.contains(where: FeatureSlot.isName) else {
      throw refused(
        "the feature catalogue \(hexadecimal(FeatureSlot.schemaHash)), not \(hexadecimal(catalogueHash)): train again")
    }
    guard model.isBinary else { throw refused("a binary classifier: one output with a logistic link") }
    guard model.isQuantised else {
      throw refused("networks in 8-bit integers: import them again with calibration rows")
    }
    return model.reading(
      places, features: FeatureSlot.allCases.map(\.name) + customNames, featureCount: FeatureVector.count)
  }
}

extension FeatureSlot {
  /// Whether a slot has this name.
  static func isName(_ name: String) -> Bool { allCases.contains { $0.name == name } }
}

extension EnsembleModel {
  /// Whether it forecasts a direction: joined members, or one with a logit.
  public var isBinary: Bool { members.allSatisfy(\.isBinary) }

  /// Whether every network has its 8-bit form.
  public var isQuantised: Bool {
    members.allSatisfy { member in
      if case .network(let network) = member.kind { return network.quantised != nil }
      return true
    }
  }

  /// The same model over other rows: feature `f` is found at `places[f]` of a row of `featureCount`.
  ///
  /// - Parameter features: names of the first features of the new row; the rest get names of their own.
  public func reading(_ places: [Int], features: [String], featureCount: Int) -> EnsembleModel {
    var model = self
    model.features = features + (features.count..<featureCount).map { "slot \($0)" }
    for number in members.indices {
      model.members[number].required = members[number].required.map { places[$0] }.sorted()
      switch members[number].kind {
      case .forest(let forest):
        model.members[number].kind = .forest(forest.reading(places, featureCount: featureCount))
      case .network(var network):
        network.inputs = network.inputs.map { places[$0] }
        model.members[number].kind = .network(network)
      }
    }
    return model
  }
}
