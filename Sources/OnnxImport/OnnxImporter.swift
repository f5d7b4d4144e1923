public import ModelImport
internal import ModelInference
internal import TradingTypes

/// Reads ONNX files: networks into `NeuralNetwork`, trees of scikit-learn's export into `DecisionForest`.
///
/// Operator sets 9 to 22, ai.onnx.ml 1 to 4. A batch is one row of a table or one window `[time, feature]`. The graph's own input
/// names the features where it has one input a column; otherwise the caller does, or they are `f0`, `f1`, ….
public struct OnnxImporter: Sendable {
  /// What the file does not say.
  public struct Options: Hashable, Sendable {
    /// Names of the features in order, or nil to take what the file tells.
    public var featureNames: [String]?
    /// Rows of a window, where the graph leaves the time axis open.
    public var window: Int?
    /// What stands in for missing entries, one a feature; nil to take the graph's imputer, the centre of its scaler, or 0.
    public var missingValues: [Float]?
    /// The graph output to follow, or nil for the scores.
    public var outputName: String?

    /// Options.
    public init(
      featureNames: [String]? = nil, window: Int? = nil, missingValues: [Float]? = nil, outputName: String? = nil
    ) {
      self.featureNames = featureNames
      self.window = window
      self.missingValues = missingValues
      self.outputName = outputName
    }
  }

  private let options: Options

  /// An importer.
  public init(_ options: Options = Options()) { self.options = options }

  /// The model in a file of at most 64 MiB.
  public func read(_ path: String) throws(ImportError) -> ImportedModel { try read(OnnxFile.read(path), name: path) }

  /// The model in bytes.
  ///
  /// - Parameter name: what errors call the bytes.
  /// - Complexity: O(bytes × nodes) at worst; memory is bounded by 1 GiB for any input.
  public func read(_ bytes: [UInt8], name: String) throws(ImportError) -> ImportedModel {
    var imported = try read(OnnxFile.decode(bytes, name: name), name: name)
    var hash = SHA256()
    hash.combine(bytes)
    imported.sourceSHA256 = hash.hex
    return imported
  }

  /// The model of a decoded message; a refusal is one line, whatever names the file has.
  func read(_ model: OnnxModel, name: String) throws(ImportError) -> ImportedModel {
    do throws(ImportError) {
      return try interpreted(model, name: name)
    } catch {
      throw ImportError(file: name, place: Self.line(error.place), expected: Self.line(error.expected))
    }
  }

  private static func line(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(1_000).map {
      $0.value < 32 || (127..<160).contains($0.value) || $0.value == 0x2028 || $0.value == 0x2029 ? " " : Character($0)
    }
    return String(shown)
  }

  private func interpreted(_ model: OnnxModel, name: String) throws(ImportError) -> ImportedModel {
    let graph = try GraphOutline(model, file: name, outputName: options.outputName)
    var refusal: ImportError?
    for layout in try graph.layouts(window: options.window) {
      do {
        var imported = try read(graph, layout)
        imported.sourceVersion = graph.producer
        return imported
      } catch { refusal = refusal ?? error }
    }
    throw refusal ?? ImportError(file: name, place: "graph", expected: "an input of one row or one window")
  }

  private func read(_ graph: GraphOutline, _ layout: GraphOutline.Layout) throws(ImportError) -> ImportedModel {
    var reader = GraphReader(file: graph.file, opset: graph.opset, rows: layout.rows, features: layout.features)
    for (name, view) in layout.views { reader.meanings[name] = .view(view) }
    try reader.load(graph)
    for node in graph.nodes { try reader.read(node) }
    let names = try featureNames(graph, layout)
    guard let last = reader.meanings[graph.output] else {
      throw ImportError(file: graph.file, place: "output '\(graph.output)'", expected: "a node that makes it")
    }
    let place = "output '\(graph.output)'"
    func result(_ model: ImportedModel.Model, _ hints: QuantisationHints = QuantisationHints()) -> ImportedModel {
      var notes = reader.notes
      if options.featureNames == nil, graph.featureNames == nil, layout.features != graph.inputs.count {
        notes.append("the file names no features: they are f0, f1, …")
      }
      return ImportedModel(
        kind: .onnx, featureNames: names, outputNames: reader.classNames.isEmpty ? [graph.output] : reader.classNames,
        model: model, sourceSHA256: "", notes: notes, quantisationHints: hints)
    }
    if case .forest(let forest) = last {
      if let fault = forest.fault { throw ImportError(file: graph.file, place: "trees", expected: fault) }
      return result(.forest(forest))
    }
    let (value, link) = try reader.ended(last, place)
    let simplified = reader.network.simplified(last: value)
    let missing = try missingValues(reader, simplified.operators, layout.features, graph.file)
    var operators = simplified.operators
    if operators.isEmpty { operators = [.activation(source: 0, .identity)] }
    let network = NeuralNetwork(
      featureCount: layout.features, window: layout.rows, missingValues: missing, operators: operators,
      outputCount: reader.network.widths[value], link: link)
    if let fault = network.fault { throw ImportError(file: graph.file, place: "network", expected: fault) }
    return result(.network(network), simplified.hints)
  }

  private func featureNames(_ graph: GraphOutline, _ layout: GraphOutline.Layout) throws(ImportError) -> [String] {
    let names =
      options.featureNames ?? graph.featureNames
      ?? (layout.features == graph.inputs.count
        ? graph.inputs.map(\.name) : (0..<layout.features).map { "f\($0)" })
    guard names.count == layout.features, Set(names).count == names.count else {
      throw ImportError(
        file: graph.file, place: "feature names", expected: "\(layout.features) different names, not \(names.count)")
    }
    return names
  }

  private func missingValues(
    _ reader: GraphReader, _ operators: [NeuralNetwork.Operator], _ features: Int, _ file: String
  ) throws(ImportError) -> [Float] {
    if let given = options.missingValues {
      guard given.count == features else {
        throw ImportError(file: file, place: "missing values", expected: "\(features) numbers, not \(given.count)")
      }
      return given
    }
    if let imputed = reader.missingValues { return imputed.map { $0.isNaN ? 0 : $0 } }
    // A scaler in front: what it takes to 0 is the mean it was fitted on.
    if case .affine(0, let gain, let shift)? = operators.first {
      let centres = zip(gain, shift).map { -$1 / $0 }
      if centres.allSatisfy({ abs($0) <= 1e30 }) { return centres }
    }
    return [Float](repeating: 0, count: features)
  }
}
