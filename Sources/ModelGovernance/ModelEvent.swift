internal import Foundation
public import TradingTypes

/// Something that happened to a model: a line of the registry's history.
public struct ModelEvent: Codable, Hashable, Sendable {
  /// What happened.
  public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    /// A version came into the registry.
    case registered
    /// A version stands ready for the gates and the shadow.
    case staged
    /// Somebody approved a version.
    case approved
    /// A version became the production version.
    case promoted
    /// The former production version came back.
    case rolledBack = "rolled_back"
    /// A version was put away.
    case archived
    /// An engine runs another model from here on.
    case swapped
    /// A challenger takes its share of the decisions from here on; `value` is the share.
    case challengerStarted = "challenger_started"
    /// The challenger takes no decisions any more.
    case challengerStopped = "challenger_stopped"
    /// Champion and shadow named different directions; `value` is the share of decisions where they did.
    case shadowDisagreement = "shadow_disagreement"
    /// The feature `subject` drifted; `value` is its stability index.
    case driftAlert = "drift_alert"
    /// The feature `subject` is back; `value` is its stability index.
    case driftCleared = "drift_cleared"
    /// A version passed the gates.
    case gatePassed = "gate_passed"
    /// A version failed a gate.
    case gateFailed = "gate_failed"

    /// Whether it changes what the registry holds, beside being told.
    public var changesRegistry: Bool {
      switch self {
      case .registered, .staged, .approved, .promoted, .rolledBack, .archived, .gatePassed, .gateFailed: true
      default: false
      }
    }

    /// The same in the small form.
    public var notice: ModelNotice.Kind {
      switch self {
      case .registered: .registered
      case .staged: .staged
      case .approved: .approved
      case .promoted: .promoted
      case .rolledBack: .rolledBack
      case .archived: .archived
      case .swapped: .swapped
      case .challengerStarted: .challengerStarted
      case .challengerStopped: .challengerStopped
      case .shadowDisagreement: .shadowDisagreement
      case .driftAlert: .driftAlert
      case .driftCleared: .driftCleared
      case .gatePassed: .gatePassed
      case .gateFailed: .gateFailed
      }
    }
  }

  /// Number in the history, from 1; set by the registry.
  public internal(set) var sequence: Int = 0
  /// SHA-256 of the line before, empty for the first; set by the registry.
  public internal(set) var previous: String = ""
  /// When, in nanoseconds since the Unix epoch.
  public var timeNanoseconds: Int64
  /// What happened.
  public var kind: Kind
  /// The model's name.
  public var model: String
  /// Its version, from 1.
  public var version: Int
  /// The version that made room.
  public var formerVersion: Int?
  /// The artifact of a registered version.
  public var artifact: ArtifactReference?
  /// What its owner says of a registered version.
  public var metadata: [String: String]?
  /// Where a registered version comes from.
  public var lineage: ModelLineage?
  /// What the gates said.
  public var gates: GateReport?
  /// Who did it.
  public var actor: String?
  /// Why.
  public var reason: String?
  /// The feature or instrument it is about.
  public var subject: String?
  /// What belongs to the kind.
  public var value: Double?

  private enum CodingKeys: String, CodingKey {
    case sequence, previous, kind, model, version, artifact, metadata, lineage, gates, actor, reason, subject, value
    case timeNanoseconds = "time_ns"
    case formerVersion = "former_version"
  }

  /// Something that happened to `version` of `model` at `time`.
  public init(
    _ kind: Kind, model: String, version: Int, at time: Timestamp, actor: String? = nil, reason: String? = nil,
    subject: String? = nil, value: Double? = nil
  ) {
    self.kind = kind
    self.model = model
    self.version = version
    timeNanoseconds = time.nanoseconds
    self.actor = actor
    self.reason = reason
    self.subject = subject
    self.value = value
  }

  /// The event as a line of JSON, keys in alphabetical order, without the line's end.
  ///
  /// - Throws: a value that is not finite.
  public func line() throws(GovernanceError) -> String { try RegistryJSON.text(self) }

  /// The small form, for an artifact whose SHA-256 the registry knows.
  public func notice(sha256: String, slot: UInt16 = .max, instrument: InstrumentID = .none) -> ModelNotice {
    ModelNotice(
      kind.notice, model: ModelNotice.model(sha256: sha256) ?? 0, version: UInt32(clamping: version),
      instrument: instrument, slot: slot, value: value ?? gates?.wilsonLower ?? 0,
      at: Timestamp(nanoseconds: timeNanoseconds))
  }
}

/// JSON as the registry writes it: one line, keys in alphabetical order.
enum RegistryJSON {
  static func text(_ value: some Encodable) throws(GovernanceError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
      throw GovernanceError("event: finite numbers expected")
    }
  }

  static func value<Value: Decodable>(_ type: Value.Type, _ bytes: some Sequence<UInt8>) -> Value? {
    try? JSONDecoder().decode(type, from: Data(bytes))
  }
}
