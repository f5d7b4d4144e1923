internal import ModelImport
internal import ModelInference

/// Reads a graph node by node: what is known becomes a constant, what moves through becomes operators of a network.
struct GraphReader {
  let file: String
  let opset: Int
  var meanings: [String: Meaning] = [:]
  var network: NetworkBuilder
  var notes: [String] = []
  /// Numbers that stand in for missing entries, where the graph has an imputer.
  var missingValues: [Float]?
  /// How the columns of a value come from single features, for trees behind a scaler; by the value's number.
  var fronts: [Int: FeatureFront]
  /// Class names of a classifier.
  var classNames: [String] = []
  private struct Applied: Hashable {
    var view: View
    var function: ScalarFunction
  }

  /// Functions that already have a value.
  private var applied: [Applied: View] = [:]
  /// Known numbers that nodes have read so far.
  var numbersRead = 0
  /// Numbers that constant folding may still make.
  private var budget = 1 << 26

  init(file: String, opset: Int, rows: Int, features: Int) {
    self.file = file
    self.opset = opset
    network = NetworkBuilder(rows: rows, width: features)
    fronts = rows == 1 ? [0: FeatureFront(count: features)] : [:]
  }

  /// The meaning of an input.
  func meaning(_ node: GraphNode, _ place: Int) throws(ImportError) -> Meaning {
    guard let name = node.input(place) else { throw node.refused("an input \(place)") }
    guard let meaning = meanings[name] else { throw node.refused("input '\(name)' to be made by an earlier node") }
    if case .unusable(let words) = meaning { throw node.refused("no use of \(words)") }
    return meaning
  }

  /// The input's numbers, or nil where it is left out.
  func constant(_ node: GraphNode, _ place: Int, _ what: String) throws(ImportError) -> Constant? {
    guard node.input(place) != nil else { return nil }
    guard let constant = try meaning(node, place).constant else { throw node.refused("a constant \(what)") }
    return constant
  }

  func neededConstant(_ node: GraphNode, _ place: Int, _ what: String) throws(ImportError) -> Constant {
    guard let constant = try constant(node, place, what) else { throw node.refused("a constant \(what)") }
    return constant
  }

  /// Numbers from an input in newer operator sets, from an attribute in older ones.
  func integers(_ node: GraphNode, input: Int, attribute: String) throws(ImportError) -> [Int]? {
    if let list = node.integers(attribute) { return list }
    return try constant(node, input, attribute)?.integers
  }

  /// The input as it lies on a value; functions of one number become operators here.
  mutating func view(_ node: GraphNode, _ place: Int) throws(ImportError) -> View {
    let meaning = try meaning(node, place)
    switch meaning {
    case .view(let view): return view
    case .function(let view, let function): return try applied(function, to: view, node)
    default: throw node.refused("a value of the network as input \(place), not \(meaning.words)")
    }
  }

  /// Whether a value may be added.
  func requireRoom(_ node: GraphNode) throws(ImportError) {
    if network.isFull { throw node.refused("at most \(NeuralNetwork.operatorCountMax) operators and 8 Mi weights") }
  }

  /// Counts the numbers of a new constant.
  mutating func known(_ constant: Constant?, _ node: GraphNode, _ expected: String) throws(ImportError) -> Meaning {
    guard let constant else { throw node.refused(expected) }
    budget -= constant.count + 16
    guard budget >= 0 else { throw node.refused("less arithmetic on constants") }
    return .constant(constant)
  }

  /// The same columns in the tensor's own order, on a value that has no others.
  mutating func packed(_ view: View, _ node: GraphNode) throws(ImportError) -> View {
    try requireRoom(node)
    var result = view
    let columns = view.columnOrder
    result.value = network.selection(view.value, columns)
    fronts[result.value] = fronts[view.value]?.selected(columns)
    result.offset = 0
    var stride = 1
    for axis in view.columnAxes.reversed() {
      result.axes[axis.place] = .columns(count: axis.count, stride: stride)
      stride *= axis.count
    }
    return result
  }

  /// The view as `[…, rows, width]` with all columns in the last axis.
  mutating func matrix(_ view: View, _ node: GraphNode) throws(ImportError) -> View {
    guard view.leading <= 0 else { throw node.refused("padding only in front of a convolution") }
    let axes = view.columnAxes
    guard axes.count <= 1, axes.allSatisfy({ $0.place == view.rank - 1 }), view.rank >= 1, view.axes.last != .time
    else {
      throw node.refused("the columns in the last axis")
    }
    return try packed(view, node)
  }

  /// The view of a new value that has the same axes.
  func following(_ view: View, value: Int) -> View {
    var result = view
    result.value = value
    return result
  }

  /// The view of a new value with other columns in the last axis.
  func following(_ view: View, value: Int, width: Int) -> View {
    var result = view
    result.value = value
    result.axes[view.rank - 1] = View.columns(width)
    return result
  }

  /// Emits a function of one number.
  mutating func applied(
    _ function: ScalarFunction, to view: View, _ node: GraphNode
  ) throws(ImportError) -> View {
    if function.isIdentity { return view }
    let key = Applied(view: view, function: function)
    if let known = applied[key] { return known }
    guard let steps = function.operations() else {
      throw node.refused(
        "before it a function the network has: Relu, LeakyRelu, Sigmoid, Tanh, Gelu, x × Sigmoid(x), or a scale and shift"
      )
    }
    guard view.leading <= 0 else { throw node.refused("padding only in front of a convolution") }
    var result = try packed(view, node)
    for step in steps {
      try requireRoom(node)
      switch step {
      case .activation(let activation): result.value = network.activation(result.value, activation)
      case .scale(let gain, let shift):
        let width = network.widths[result.value]
        result.value = network.affine(
          result.value, gain: [Double](repeating: gain, count: width), shift: [Double](repeating: shift, count: width))
      }
    }
    applied[key] = result
    return result
  }

  mutating func note(_ line: String) {
    if !notes.contains(line) { notes.append(line) }
  }

  /// Dims of a tensor, the batch being one.
  func dims(_ meaning: Meaning) -> [Int]? {
    switch meaning {
    case .constant(let constant): return constant.dims
    case .view(let view), .function(let view, _), .quantised(let view), .centred(let view), .squares(let view),
      .chances(let view, _):
      return view.dims(rows: network.rows[view.value])
    case .flattened(_, _, let dims): return dims
    case .stack(let views, let axis):
      var dims = views[0].dims(rows: network.rows[views[0].value])
      dims[axis] = views.count
      return dims
    default: return nil
    }
  }
}
