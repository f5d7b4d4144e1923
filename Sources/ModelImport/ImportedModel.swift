public import ModelInference
internal import TradingTypes

/// A model as read from another tool's file: its values, its names, and where it came from.
public struct ImportedModel: Hashable, Sendable {
  /// Which tool wrote the file.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// LightGBM's text.
    case lightgbm
    /// XGBoost's JSON or UBJ.
    case xgboost
    /// CatBoost's JSON.
    case catboost
    /// An ONNX graph, of whichever tool exported it.
    case onnx
  }

  /// What was in the file.
  public enum Model: Hashable, Sendable {
    /// Decision trees.
    case forest(DecisionForest)
    /// A network in single precision.
    case network(NeuralNetwork)
  }

  /// The tool.
  public var kind: Kind
  /// Names of the inputs in the order of a row. A tool that writes none gets `f0`, `f1`, …, and `notes` says so.
  public var featureNames: [String]
  /// Names of the outputs, where the file tells them: classes of a classifier, outputs of a graph. Empty otherwise.
  public var outputNames: [String]
  /// The values.
  public var model: Model
  /// SHA-256 of the file's bytes, in hexadecimal.
  public var sourceSHA256: String
  /// Version of the tool, where the file tells it.
  public var sourceVersion: String?
  /// What was passed over and does not matter to a prediction, one line each.
  public var notes: [String]
  /// Where the model came from (run, model id, signature), as an MLflow directory tells it; empty otherwise.
  public var lineage: [String: String]
  /// How the file quantises the network's numbers; empty for one in plain floating point.
  public var quantisationHints: QuantisationHints

  /// A model with its origin.
  public init(
    kind: Kind, featureNames: [String], outputNames: [String] = [], model: Model, sourceSHA256: String,
    sourceVersion: String? = nil, notes: [String] = [], lineage: [String: String] = [:],
    quantisationHints: QuantisationHints = QuantisationHints()
  ) {
    self.kind = kind
    self.featureNames = featureNames
    self.outputNames = outputNames
    self.model = model
    self.sourceSHA256 = sourceSHA256
    self.sourceVersion = sourceVersion
    self.notes = notes
    self.lineage = lineage
    self.quantisationHints = quantisationHints
  }

  /// The forest, or nil for a network.
  public var forest: DecisionForest? {
    if case .forest(let forest) = model { return forest }
    return nil
  }

  /// The network, or nil for a forest.
  public var network: NeuralNetwork? {
    if case .network(let network) = model { return network }
    return nil
  }

  /// SHA-256 of a file's bytes, as `sourceSHA256` has it.
  static func digest(of bytes: [UInt8]) -> String {
    var hash = SHA256()
    hash.combine(bytes)
    return hash.hex
  }
}
