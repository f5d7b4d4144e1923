/// Something that happened to a model, small enough for a bus or a journal record: 48 bytes of plain values.
///
/// The long form, with names and reasons, is the registry's; the two meet in `model` and `version`.
@frozen public struct ModelNotice: BitwiseCopyable, Hashable, Sendable {
  /// What happened. The numbers are stored and never change their meaning.
  @frozen public enum Kind: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
    /// A version came into the registry.
    case registered = 1
    /// A version stands ready for the gates and the shadow.
    case staged = 2
    /// Somebody approved a version.
    case approved = 3
    /// A version became the production version.
    case promoted = 4
    /// The former production version came back.
    case rolledBack = 5
    /// A version was put away.
    case archived = 6
    /// An engine runs another model from here on.
    case swapped = 7
    /// A challenger takes its share of the decisions from here on; `value` is the share.
    case challengerStarted = 8
    /// The challenger takes no decisions any more.
    case challengerStopped = 9
    /// Champion and shadow named different directions; `value` is the share of a block of decisions.
    case shadowDisagreement = 10
    /// A feature drifted; `value` is its stability index.
    case driftAlert = 11
    /// A feature is back; `value` is its stability index.
    case driftCleared = 12
    /// A version passed the gates; `value` is the lower bound of its accuracy.
    case gatePassed = 13
    /// A version failed a gate; `value` is the lower bound of its accuracy.
    case gateFailed = 14
  }

  /// First 64 bits of the artifact's SHA-256, first byte highest; 0 where no model is meant.
  public var model: UInt64
  /// What belongs to the kind; 0 where nothing does.
  public var value: Double
  /// Event time.
  public var time: Timestamp
  /// The version in the registry, from 1; 0 where it is unknown.
  public var version: UInt32
  /// The instrument, or `.none` for all.
  public var instrument: InstrumentID
  /// The feature slot of a drift notice, or `UInt16.max`.
  public var slot: UInt16
  /// What happened.
  public var kind: Kind

  /// A notice of `kind` at `time`.
  @inlinable public init(
    _ kind: Kind, model: UInt64 = 0, version: UInt32 = 0, instrument: InstrumentID = .none, slot: UInt16 = .max,
    value: Double = 0, at time: Timestamp
  ) {
    self.model = model
    self.value = value
    self.time = time
    self.version = version
    self.instrument = instrument
    self.slot = slot
    self.kind = kind
  }

  /// The `model` of an artifact whose SHA-256 begins with these hexadecimal digits, or nil where they are none or fewer than 16.
  public static func model(sha256 digits: some StringProtocol) -> UInt64? {
    let first = digits.prefix(16)
    guard first.utf8.count == 16, first.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
    return UInt64(first, radix: 16)
  }
}
