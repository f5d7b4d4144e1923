internal import Foundation

/// The file `MLmodel` of an MLflow directory: which file holds the model, and where it came from.
///
/// A strict reader of the YAML that MLflow writes: block maps by indentation, plain and quoted scalars, folded over
/// several lines where long. Lists and other values are passed over. Texts and depth are bounded by the file, 1 MiB.
///
/// - Source: MLflow documentation, "MLflow Models", storage format.
public struct MLflowDirectory: Hashable, Sendable {
  /// The model file's path.
  public var modelPath: String
  /// Its format, as the flavour tells.
  public var format: ModelImporter.Format
  /// Run, model id, versions and signature, under the names `mlflow.run_id` and so on.
  public var lineage: [String: String]

  /// Reads the directory at `path`.
  ///
  /// - Throws: `ImportError` for a flavour that cannot be imported, with what to do instead.
  public init(_ path: String) throws(ImportError) {
    let file = "\(path)/MLmodel"
    let bytes = try ImportError.bytes(file)
    try self.init(bytes, name: file, directory: path)
    guard FileManager.default.fileExists(atPath: modelPath) else {
      throw ImportError(file: file, place: "flavors", expected: "the file \(modelPath) that it names")
    }
  }

  /// The same from the bytes of the file.
  ///
  /// - Parameter directory: where the model file lies.
  public init(_ bytes: [UInt8], name: String, directory: String) throws(ImportError) {
    let values = try Self.scalars(bytes, name: name)
    func refused(_ place: String, _ expected: String) -> ImportError {
      ImportError(file: name, place: place, expected: expected)
    }
    // A key may be anything between its quotes, so nothing is taken for granted of its parts.
    let flavours = Set(
      values.keys.filter { $0.hasPrefix("flavors.") }.map { String($0.dropFirst(8).prefix { $0 != "." }) })
    let known = ModelImporter.Format.allCases.filter { $0 != .mlflow && flavours.contains($0.rawValue) }
    guard let format = known.first else {
      if flavours.contains("sklearn") {
        throw refused("flavors.sklearn", "an ONNX export: convert the pipeline with skl2onnx and import that file")
      }
      throw refused(
        "flavors",
        "lightgbm, xgboost, catboost or onnx, not \(flavours.sorted().joined(separator: ", ").prefix(80))")
    }
    let key = "flavors.\(format.rawValue)"
    guard let data = values["\(key).data"] ?? values["\(key).model_file"], !data.isEmpty else {
      throw refused(key, "the key data with the name of the model file")
    }
    guard !data.hasPrefix("/"), !data.split(separator: "/").contains("..") else {
      throw refused("\(key).data", "a file of the directory, not \(data.prefix(80))")
    }
    if data.hasSuffix(".pkl") {
      throw refused("\(key).data", "the library's own format, not a pickle: log the booster instead of the wrapper")
    }
    if let saved = values["\(key).save_format"], format == .catboost, saved != "json" {
      throw refused("\(key).save_format", "json, not \(saved.prefix(40)): log the model with format=\"json\"")
    }
    self.format = format
    modelPath = "\(directory)/\(data)"
    lineage = [:]
    let library = ["lightgbm": "lgb_version", "xgboost": "xgb_version", "catboost": "catboost_version"]
    for (kept, source) in [
      ("run_id", "run_id"), ("model_uuid", "model_uuid"), ("model_id", "model_id"),
      ("mlflow_version", "mlflow_version"), ("utc_time_created", "utc_time_created"),
      ("artifact_path", "artifact_path"), ("signature.inputs", "signature.inputs"),
      ("signature.outputs", "signature.outputs"),
      ("library_version", "\(key).\(library[format.rawValue] ?? "onnx_version")"),
    ] {
      if let value = values[source], !value.isEmpty, value != "null" { lineage["mlflow.\(kept)"] = value }
    }
  }

  /// Every scalar by its dotted path.
  static func scalars(_ bytes: [UInt8], name: String) throws(ImportError) -> [String: String] {
    func refused(_ line: Int, _ expected: String) -> ImportError {
      ImportError(file: name, place: "line \(line + 1)", expected: expected)
    }
    guard bytes.count <= 1 << 20 else { throw refused(0, "at most 1 MiB") }
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
      String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
    }
    var values: [String: String] = [:]
    var parents: [(indent: Int, key: String)] = []
    var number = 0
    while number < lines.count {
      let line = lines[number]
      let start = number
      number += 1
      let content = line.drop { $0 == " " }
      let indent = line.utf8.count - content.utf8.count
      // Lists are no business of ours, and neither are comments and document marks.
      if content.isEmpty || content.hasPrefix("#") || content.hasPrefix("-") || line.hasPrefix("...") { continue }
      guard !content.hasPrefix("\t") else { throw refused(start, "spaces, not tabs") }
      // Something deeper than a scalar's key is the rest of a plain scalar, which we do not need.
      guard let colon = content.firstIndex(of: ":"),
        content.index(after: colon) == content.endIndex || content[content.index(after: colon)] == " "
      else { continue }
      while let last = parents.last, last.indent >= indent { parents.removeLast() }
      guard parents.count < 16 else { throw refused(start, "at most 16 levels") }
      let key = unquoted(content[..<colon])
      guard key.utf8.count <= 128 else { throw refused(start, "a key of at most 128 bytes") }
      let path = (parents.map(\.key) + [key]).joined(separator: ".")
      var text = String(content[content.index(after: colon)...].drop { $0 == " " })
      if let quote = text.first, quote == "'" || quote == "\"" {
        // MLflow folds a long quoted text: its lines are joined by one space.
        while !isClosed(text, quote), number < lines.count {
          let rest = lines[number].drop { $0 == " " }
          if !rest.isEmpty { text += " " + rest }
          number += 1
        }
        guard isClosed(text, quote), quote == "\"" || isWhole(text) else { throw refused(start, "a closing quote") }
      }
      if text.isEmpty {
        parents.append((indent, key))
      } else {
        guard values.updateValue(unquoted(text[...]), forKey: path) == nil else {
          throw refused(start, "\(path.prefix(80)) once")
        }
      }
    }
    return values
  }

  /// Whether a text that begins with a quote ends with it; a doubled single quote and an escaped one do not end it.
  private static func isClosed(_ text: String, _ quote: Character) -> Bool {
    let body = text.dropFirst().utf8.reversed().drop { $0 == 0x20 }
    guard body.first == quote.asciiValue else { return false }
    let mark: UInt8 = quote == "'" ? 0x27 : 0x5C
    let run = body.dropFirst(quote == "'" ? 0 : 1).prefix { $0 == mark }.count
    return quote == "'" ? run % 2 == 1 : run % 2 == 0
  }

  /// Whether every single quote inside a text in single quotes is doubled.
  private static func isWhole(_ text: String) -> Bool {
    var run = 0
    for byte in text.utf8.dropFirst().reversed().drop(while: { $0 == 0x20 }).dropFirst() {
      if byte == 0x27 {
        run += 1
      } else {
        guard run % 2 == 0 else { return false }
        run = 0
      }
    }
    return run % 2 == 0
  }

  private static func unquoted(_ text: Substring) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    guard text.count >= 2, let quote = text.first, quote == text.last, quote == "'" || quote == "\"" else {
      return String(text)
    }
    let body = text.dropFirst().dropLast()
    return String(quote == "'" ? body.replacing("''", with: "'") : body.replacing("\\\"", with: "\""))
  }
}
