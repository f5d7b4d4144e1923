public import TradingTypes

/// What an artifact holds, as values: written by `ArtifactWriter`, read by `ModelArtifact`.
public struct EnsembleModel: Hashable, Sendable {
  /// One member.
  public struct Member: Hashable, Sendable {
    /// How it computes.
    public enum Kind: Hashable, Sendable {
      /// Boosted trees.
      case trees(TreeModel)
      /// A network of 8-bit layers.
      case network(NeuralModel)
    }

    /// How it computes.
    public var kind: Kind
    /// Slots without which it does not take part.
    public var required: FeatureMask

    /// A member.
    public init(kind: Kind, required: FeatureMask = FeatureMask()) {
      self.kind = kind
      self.required = required
    }

    /// The first rule it breaks, or nil.
    public var fault: String? {
      guard required.high >> UInt32(FeatureSlot.allCases.count - 64) == 0 else {
        return "only known slots to be required"
      }
      return switch kind {
      case .trees(let model): model.fault
      case .network(let model): model.fault
      }
    }
  }

  /// The members, 1 to 8.
  public var members: [Member]
  /// How they are joined, a weight of each kind for each member.
  public var combiner: CombinerValues
  /// Names and origins: lower-case keys; `member.N` names member N.
  public var metadata: [String: String]

  /// A model.
  public init(members: [Member], combiner: CombinerValues, metadata: [String: String] = [:]) {
    self.members = members
    self.combiner = combiner
    self.metadata = metadata
  }
}

/// A row an artifact carries, with the bits that every machine must give for it.
public struct GoldenRow: Hashable, Sendable {
  /// 96 values.
  public var values: [Float]
  /// Slots that are valid.
  public var valid: FeatureMask
  /// Bits of each member's logit, as a double; 0 where the member does not take part.
  public var logits: [UInt64]
  /// Members that take part.
  public var members: UInt32
  /// Bits of the probability.
  public var probabilityUp: UInt64
  /// Bits of the confidence.
  public var confidence: UInt64

  /// A row and its answers.
  public init(
    values: [Float], valid: FeatureMask, logits: [UInt64] = [], members: UInt32 = 0, probabilityUp: UInt64 = 0,
    confidence: UInt64 = 0
  ) {
    self.values = values
    self.valid = valid
    self.logits = logits
    self.members = members
    self.probabilityUp = probabilityUp
    self.confidence = confidence
  }

  /// The row as the ensemble takes it.
  public var vector: FeatureVector {
    var vector = FeatureVector()
    for (slot, value) in values.prefix(FeatureVector.count).enumerated() { vector.values[slot] = Double(value) }
    vector.valid = valid
    return vector
  }
}

/// A verified model artifact: its file was whole, made for this feature schema, sound, and gave the answers it carries.
///
/// The file is mapped only while it is loaded; `Ensemble` copies what the kernels read into its arena, so a swap of
/// models never depends on the page cache, and nothing that happens to the file later can reach the hot path.
public struct ModelArtifact: Sendable {
  /// What it holds.
  public let model: EnsembleModel
  /// The rows that were checked, with the scalar kernels.
  public let goldenRows: [GoldenRow]
  /// Length of the file.
  public let byteCount: Int
  /// The file, or what its bytes were called.
  public let name: String

  /// Maps, verifies and loads the artifact at `path`.
  ///
  /// - Throws: `ArtifactError` for anything that is not a whole, sound artifact of this version and feature schema
  ///   whose golden rows hold; never traps, whatever the bytes are.
  /// - Complexity: O(bytes); allocates, and maps the file while it runs.
  public static func open(_ path: String) throws(ArtifactError) -> ModelArtifact {
    try ModelArtifact(ArtifactBytes(mapping: path))
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
    goldenRows = try sections.goldenRows(memberCount: model.members.count)
    byteCount = bytes.count
    name = bytes.name
    if let fault = GoldenRow.firstFault(of: goldenRows, in: model) {
      throw ArtifactError(
        file: bytes.name, section: "golden rows", offsetBytes: sections.goldenOffset, expected: fault)
    }
  }
}
