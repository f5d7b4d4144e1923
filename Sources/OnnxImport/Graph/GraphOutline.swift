internal import ModelImport
internal import ModelInference

/// What a file's graph consists of, before any node is read: inputs, the nodes that its scores need, and the ways to read the input.
struct GraphOutline {
  struct Input {
    var name: String
    /// Entries of each axis, nil where the file leaves it open.
    var dims: [Int?]
  }

  /// One way to see the inputs as rows and features.
  struct Layout {
    var rows: Int
    var features: Int
    var views: [(String, View)]
  }

  let file: String
  let opset: Int
  let producer: String?
  let featureNames: [String]?
  let inputs: [Input]
  let output: String
  let nodes: [GraphNode]
  let initialisers: [OnnxTensor]

  static let nodeCountMax = 20_000

  init(_ model: OnnxModel, file: String, outputName: String?) throws(ImportError) {
    func refused(_ place: String, _ expected: String) -> ImportError {
      ImportError(file: file, place: place, expected: expected)
    }
    self.file = file
    let graph = model.graph
    let version = model.opsetImport.first { $0.domain.isEmpty || $0.domain == "ai.onnx" }.map {
      Int(clamping: $0.version)
    }
    let learners = model.opsetImport.first { $0.domain == "ai.onnx.ml" }.map { Int(clamping: $0.version) }
    opset = version ?? 17
    guard (9...22).contains(opset) else { throw refused("operator set", "version 9 to 22, not \(opset)") }
    if let learners, !(1...4).contains(learners) { throw refused("ai.onnx.ml", "version 1 to 4, not \(learners)") }
    guard model.functions.isEmpty else { throw refused("functions", "none: export with functions inlined") }
    guard graph.sparseInitializer.isEmpty else { throw refused("initialisers", "dense tensors only") }
    guard graph.node.count <= Self.nodeCountMax else {
      throw refused("graph", "at most \(Self.nodeCountMax) nodes, not \(graph.node.count)")
    }
    let text = [model.producerName, model.producerVersion].filter { !$0.isEmpty }.joined(separator: " ")
    producer = text.isEmpty ? nil : text
    featureNames = Self.names(model.metadataProps)
    let known = Set(graph.initializer.map(\.name))
    inputs = graph.input.filter { !known.contains($0.name) }.map { input in
      let shape = input.type.tensorType.shape
      return Input(
        name: input.name, dims: shape.dim.map { $0.dimValue > 0 ? Int(clamping: $0.dimValue) : nil })
    }
    guard !inputs.isEmpty else { throw refused("graph", "an input") }
    for input in graph.input where !known.contains(input.name) {
      let type = input.type.tensorType.elemType
      guard [0, 1, 11].contains(type) else { throw refused("input '\(input.name)'", "numbers of type float") }
    }
    output = try Self.output(graph, named: outputName, file: file)
    (nodes, initialisers) = Self.needed(graph, for: output, file: file)
  }

  /// Feature names, where the file's metadata has them under a usual key: parted by commas, or as a JSON list of plain texts.
  private static func names(_ entries: [OnnxTextEntry]) -> [String]? {
    guard let text = entries.first(where: { ["feature_names", "features"].contains($0.key) })?.value else { return nil }
    let marks: Set<Character> = ["[", "]", "\"", "'", " "]
    let names = text.split(separator: ",").map { String($0.filter { !marks.contains($0) }) }
    return names.isEmpty || names.contains("") ? nil : names
  }

  /// The output of scores: named, or the only one that is not a class label.
  private static func output(_ graph: OnnxGraph, named name: String?, file: String) throws(ImportError) -> String {
    let names = graph.output.map(\.name)
    if let name {
      guard names.contains(name) else {
        throw ImportError(file: file, place: "output '\(name)'", expected: "one of \(names.joined(separator: ", "))")
      }
      return name
    }
    let scores = graph.output.filter { output in
      // Integers and texts are labels; maps of probabilities have no tensor type.
      let type = output.type.tensorType.elemType
      return type == 0 || type == 1 || type == 11 || type == 10
    }
    guard let first = scores.first else {
      throw ImportError(file: file, place: "graph", expected: "an output of floats")
    }
    guard scores.count == 1 else {
      throw ImportError(
        file: file, place: "graph",
        expected:
          "one output of floats, or the name of the one to follow: \(scores.map(\.name).joined(separator: ", "))")
    }
    return first.name
  }

  /// The nodes and initialisers that an output depends on, in the file's order.
  private static func needed(
    _ graph: OnnxGraph, for output: String, file: String
  ) -> (nodes: [GraphNode], initialisers: [OnnxTensor]) {
    var wanted: Set<String> = [output]
    var kept: [GraphNode] = []
    // Nodes are sorted: whoever makes a tensor stands before whoever reads it.
    for (number, node) in graph.node.enumerated().reversed() where node.output.contains(where: wanted.contains) {
      kept.append(GraphNode(node, number: number, file: file))
      for name in node.input where !name.isEmpty { wanted.insert(name) }
    }
    return (kept.reversed(), graph.initializer.filter { wanted.contains($0.name) })
  }

  /// Every way that the shapes of the inputs allow, the most usual one first.
  func layouts(window: Int?) throws(ImportError) -> [Layout] {
    if inputs.count > 1 { return [try columns()] }
    let input = inputs[0]
    func refused(_ expected: String) -> ImportError {
      ImportError(file: file, place: "input '\(input.name)'", expected: expected)
    }
    let words = input.dims.map { $0.map { String($0) } ?? "?" }.joined(separator: ", ")
    func layout(_ rows: Int?, _ features: Int?, _ axes: (Int) -> [View.Axis]) -> Layout? {
      guard let features, (1...NeuralNetwork.widthMax).contains(features), let rows = rows ?? window,
        (1...NeuralNetwork.windowMax).contains(rows)
      else { return nil }
      return Layout(rows: rows, features: features, views: [(input.name, View(value: 0, axes: axes(features)))])
    }
    func time(_ rows: Int?) -> View.Axis { (rows ?? window ?? 1) > 1 ? .time : .one }
    var found: [Layout?] = []
    let dims = input.dims
    func isBatch(_ dim: Int?) -> Bool { dim == nil || dim == 1 }
    switch dims.count {
    case 1: found.append(layout(1, dims[0]) { [View.columns($0)] })
    case 2:
      if isBatch(dims[0]) { found.append(layout(1, dims[1]) { [.one, View.columns($0)] }) }
      if dims[0] != 1 { found.append(layout(dims[0], dims[1]) { [time(dims[0]), View.columns($0)] }) }
    case 3:
      if isBatch(dims[0]) {
        found.append(layout(dims[1], dims[2]) { [.one, time(dims[1]), View.columns($0)] })
      }
      if isBatch(dims[1]) {
        found.append(layout(dims[0], dims[2]) { [time(dims[0]), .one, View.columns($0)] })
      }
      if isBatch(dims[0]) {
        found.append(layout(dims[2], dims[1]) { [.one, View.columns($0), time(dims[2])] })
      }
    default: throw refused("[feature], [batch, feature] or [batch, time, feature], not [\(words)]")
    }
    let layouts = found.compactMap { $0 }
    guard !layouts.isEmpty else {
      throw refused(
        "a batch of 1 or open, 1 to \(NeuralNetwork.widthMax) features and a fixed time axis of at most "
          + "\(NeuralNetwork.windowMax) rows (or the window given), not [\(words)]")
    }
    return layouts
  }

  /// Several inputs, each some columns of one row.
  private func columns() throws(ImportError) -> Layout {
    var views: [(String, View)] = []
    var start = 0
    for input in inputs {
      guard input.dims.count == 2, input.dims[0] == nil || input.dims[0] == 1, let count = input.dims[1],
        count + start <= NeuralNetwork.widthMax
      else {
        throw ImportError(
          file: file, place: "input '\(input.name)'",
          expected: "one input, or several [batch, columns] of one row; states of a network are not read as inputs")
      }
      var view = View(value: 0, axes: [.one, View.columns(count)])
      view.offset = start
      start += count
      views.append((input.name, view))
    }
    return Layout(rows: 1, features: start, views: views)
  }
}

extension GraphReader {
  /// The initialisers as constants.
  mutating func load(_ graph: GraphOutline) throws(ImportError) {
    var count = 0
    for tensor in graph.initialisers {
      let constant = try Constant(tensor, name: tensor.name, file: file)
      count += constant.count
      guard count <= 2 * Constant.countMax else {
        throw ImportError(file: file, place: "initialisers", expected: "at most \(2 * Constant.countMax) numbers")
      }
      meanings[tensor.name] = .constant(constant)
    }
  }

  /// The network's last value and its link, from what the graph's output means.
  mutating func ended(_ last: Meaning, _ place: String) throws(ImportError) -> (value: Int, link: Link) {
    let node = GraphNode(OnnxNode(), number: 0, file: file)
    func refused(_ expected: String) -> ImportError { ImportError(file: file, place: place, expected: expected) }
    var view: View
    var link = Link.identity
    switch last {
    case .view(let plain): view = plain
    case .function(let base, let function):
      if case .activation(.sigmoid)? = function.steps?.last {
        var inner = ScalarFunction.identity
        for step in function.steps?.dropLast() ?? [] {
          switch step {
          case .activation(let activation): inner = inner.activated(activation)
          case .scale(let gain, let shift): inner = inner.scaled(gain: gain, shift: shift)
          }
        }
        link = .logistic(scale: 1)
        view = try applied(inner, to: base, node)
        note("Sigmoid at the end: the raw score is the logit before it")
      } else {
        view = try applied(function, to: base, node)
      }
    case .chances(let base, let isSoftmax):
      view = base
      link = isSoftmax ? .softmax : .logistic(scale: 1)
    case let other: throw refused("scores, not \(other.words)")
    }
    view = try packed(view, node)
    guard network.rows[view.value] == 1 else {
      throw refused("one row: select the newest one in the graph")
    }
    if link == .softmax, network.widths[view.value] == 2 {
      note("Softmax of two classes: the raw score is the logit of the second, the difference of the two")
      view.value = difference(view.value)
      link = .logistic(scale: 1)
    }
    return (view.value, link)
  }

  /// The second number minus the first; a dense layer's rows are subtracted, not its results.
  private mutating func difference(_ value: Int) -> Int {
    var inner = value
    var (gain, shift) = ([Float](repeating: 1, count: 2), [Float](repeating: 0, count: 2))
    if value > 0, case .affine(let source, let own, let start) = network.operators[value - 1] {
      (inner, gain, shift) = (source, own, start)
    }
    if inner > 0, case .dense(let layer) = network.operators[inner - 1], network.scales[value] == nil,
      network.scales[inner] == nil
    {
      let weights = (0..<layer.inputs).map { layer.weights[layer.inputs + $0] * gain[1] - layer.weights[$0] * gain[0] }
      let bias = layer.bias[1] * gain[1] + shift[1] - (layer.bias[0] * gain[0] + shift[0])
      return network.dense(layer.source, weights: weights, bias: [bias])
    }
    return network.dense(value, weights: [-1, 1], bias: [0])
  }
}
