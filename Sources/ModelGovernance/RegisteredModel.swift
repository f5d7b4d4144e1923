/// Where a version stands.
public enum ModelStage: String, Codable, Hashable, Sendable, CaseIterable {
  /// Registered, nothing more.
  case none
  /// Under test: gates, shadow, share of decisions.
  case staging
  /// In force; at most one version of a name.
  case production
  /// Put away.
  case archived
}

/// An artifact by its content.
public struct ArtifactReference: Codable, Hashable, Sendable {
  /// SHA-256, 64 lower-case hexadecimal digits: also its file's name.
  public let sha256: String
  /// Its size.
  public let bytes: Int

  /// The artifact with this hash and size.
  public init(sha256: String, bytes: Int) {
    self.sha256 = sha256
    self.bytes = bytes
  }

  /// The first rule it breaks, or nil.
  var fault: String? {
    let isHash = sha256.utf8.count == 64 && sha256.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    return isHash && bytes > 0 ? nil : "a SHA-256 and a positive size"
  }
}

/// Where a version comes from.
public struct ModelLineage: Codable, Hashable, Sendable {
  /// The version of the same name it was developed from.
  public var parentVersion: Int?
  /// SHA-256 of the trainer's file it was imported from.
  public var sourceSHA256: String?
  /// SHA-256 of the training data.
  public var dataSHA256: String?
  /// The commit of the training code.
  public var code: String?

  private enum CodingKeys: String, CodingKey {
    case code
    case parentVersion = "parent_version"
    case sourceSHA256 = "source_sha256"
    case dataSHA256 = "data_sha256"
  }

  /// A lineage; what is unknown is left out.
  public init(
    parentVersion: Int? = nil, sourceSHA256: String? = nil, dataSHA256: String? = nil, code: String? = nil
  ) {
    self.parentVersion = parentVersion
    self.sourceSHA256 = sourceSHA256
    self.dataSHA256 = dataSHA256
    self.code = code
  }
}

/// That somebody took responsibility for a version, and what the gates had said of it.
public struct ModelApproval: Codable, Hashable, Sendable {
  /// Who, where the caller told.
  public let actor: String?
  /// Why.
  public let reason: String
  /// When, in nanoseconds since the Unix epoch.
  public let timeNanoseconds: Int64
  /// Rows the gates had judged.
  public let rowCount: Int
  /// The lower bound of the accuracy they had found.
  public let wilsonLower: Double

  private enum CodingKeys: String, CodingKey {
    case actor, reason
    case timeNanoseconds = "time_ns"
    case rowCount = "rows"
    case wilsonLower = "wilson_lower"
  }
}

/// A version of a model.
public struct ModelVersion: Codable, Hashable, Sendable {
  /// Its number, from 1, never used again.
  public let number: Int
  /// What runs.
  public let artifact: ArtifactReference
  /// When it was registered, in nanoseconds since the Unix epoch.
  public let timeNanoseconds: Int64
  /// What its owner says of it.
  public let metadata: [String: String]
  /// Where it comes from.
  public let lineage: ModelLineage
  /// Where it stands.
  public internal(set) var stage: ModelStage
  /// What the gates said last.
  public internal(set) var gates: GateReport?
  /// Who approved it on those gates.
  public internal(set) var approval: ModelApproval?

  private enum CodingKeys: String, CodingKey {
    case number, artifact, metadata, lineage, stage, gates, approval
    case timeNanoseconds = "time_ns"
  }
}

/// A name and its versions.
public struct RegisteredModel: Codable, Hashable, Sendable {
  /// The name.
  public let name: String
  /// Its versions, version n at place n − 1.
  public internal(set) var versions: [ModelVersion]
  /// The version in force, or nil.
  public internal(set) var production: Int?
  /// Versions that were in force before, the last one at the end: where a rollback goes.
  public internal(set) var former: [Int]

  /// Whether `name` can be one: 1 to 64 letters, digits, `.`, `_` and `-` of ASCII, not beginning with a dot.
  public static func isName(_ name: String) -> Bool {
    let isPlain = name.utf8.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
    }
    return isPlain && (1...64).contains(name.utf8.count) && !name.hasPrefix(".")
  }
}
