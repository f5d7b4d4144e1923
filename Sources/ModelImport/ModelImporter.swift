internal import Foundation

/// Reads a model of any tool that can be imported: the format by name, or told from the content.
public enum ModelImporter {
  /// What a file can be.
  public enum Format: String, Hashable, Sendable, CaseIterable {
    /// LightGBM's text, version 3 or 4.
    case lightgbm
    /// XGBoost's JSON or UBJ.
    case xgboost
    /// CatBoost's JSON.
    case catboost
    /// An ONNX graph.
    case onnx
    /// A directory with a file `MLmodel`.
    case mlflow
  }

  /// Reads ONNX files: a module of its own does, so that nobody else links what it needs.
  public typealias OnnxReader = (_ path: String) throws(ImportError) -> ImportedModel

  /// The model at `path`.
  ///
  /// - Parameters:
  ///   - format: what it is; nil tells it from the content, never from the name.
  ///   - rounds: which rounds of an early-stopped XGBoost model count.
  ///   - onnx: reads ONNX files; without it they are refused.
  /// - Throws: `ImportError`, one line with the file, the place and what was expected.
  public static func read(
    path: String, format: Format? = nil, rounds: XGBoostForest.Rounds = .asSaved, onnx: OnnxReader? = nil
  ) throws(ImportError) -> ImportedModel {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else {
      throw ImportError(file: path, place: "file", expected: "a file or an MLflow directory")
    }
    let isDirectory = attributes[.type] as? FileAttributeType == .typeDirectory
    if format == .mlflow || format == nil && isDirectory {
      let directory = try MLflowDirectory(path)
      var model = try read(path: directory.modelPath, format: directory.format, rounds: rounds, onnx: onnx)
      model.lineage = directory.lineage
      return model
    }
    let bytes = try ImportError.bytes(path)
    // A document is parsed once, to tell what it is and to read it.
    var document: DocumentValue?
    if format == nil, bytes.first == 0x7B { document = try? DocumentValue.read(bytes, name: path) }
    let chosen: Format
    if let format {
      chosen = format
    } else {
      chosen = try self.format(of: bytes, document: document, name: path)
    }
    switch chosen {
    case .lightgbm: return try LightGBMForest.model(bytes, name: path)
    case .xgboost: return try XGBoostForest.model(bytes, document: document, name: path, rounds: rounds)
    case .catboost: return try CatBoostForest.model(bytes, document: document, name: path)
    case .onnx, .mlflow:
      guard let onnx else {
        throw ImportError(
          file: path, place: "file", expected: "a format other than ONNX: its reader is not linked here")
      }
      return try onnx(path)
    }
  }

  /// Tells the format of a file from its bytes, or what to do with one that cannot be read.
  ///
  /// - Parameter name: what errors call it.
  public static func format(of bytes: [UInt8], name: String) throws(ImportError) -> Format {
    try format(of: bytes, document: nil, name: name)
  }

  private static func format(
    of bytes: [UInt8], document: DocumentValue?, name: String
  ) throws(ImportError) -> Format {
    func starts(_ text: String) -> Bool { bytes.starts(with: Array(text.utf8)) }
    func refused(_ expected: String) -> ImportError { ImportError(file: name, place: "byte 0", expected: expected) }
    guard !bytes.isEmpty else { throw refused("a model, not an empty file") }
    if starts("tree\n") || starts("tree\r\n") { return .lightgbm }
    if UBJReader.looksLikeUBJ(bytes) { return .xgboost }
    if starts("binf") || starts("bs64") {
      throw refused("XGBoost's JSON or UBJ, not its older binary format: save_model() it as .ubj")
    }
    if starts("CBM1") {
      throw refused("CatBoost's JSON, not its binary format: save_model(path, format=\"json\")")
    }
    // What Python pickles from protocol 2 on.
    if bytes.count > 1, bytes[0] == 0x80, (2...5).contains(bytes[1]) {
      throw refused("a model in its own format, not a Python pickle: save it with the library, or export it to ONNX")
    }
    if starts("PK\u{3}\u{4}") || starts("\u{1F}\u{8B}") { throw refused("a model, not an archive: unpack it first") }
    if bytes[0] == 0x7B, let root = document ?? (try? DocumentValue.read(bytes, name: name)),
      case .table(let members) = root
    {
      if members["learner"] != nil { return .xgboost }
      if members["oblivious_trees"] != nil || members["trees"] != nil && members["features_info"] != nil {
        return .catboost
      }
      if members["tree_info"] != nil, members["num_tree_per_iteration"] != nil { return .lightgbm }
      throw refused("the JSON of XGBoost (learner) or of CatBoost (oblivious_trees)")
    }
    if bytes[0] == 0x7B { throw refused("a JSON or UBJ document that is whole") }
    // Field 1 of a protobuf, a small number: the IR version that every ONNX file begins with.
    if bytes.count > 16, bytes[0] == 0x08, (3...32).contains(bytes[1]) { return .onnx }
    throw refused("a LightGBM text, an XGBoost JSON or UBJ, a CatBoost JSON, an ONNX file or an MLflow directory")
  }
}
