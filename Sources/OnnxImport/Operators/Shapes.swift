internal import ModelImport
internal import ModelInference

extension GraphReader {
  /// Nodes that pass their input on.
  mutating func passed(_ node: GraphNode) throws(ImportError) -> Meaning {
    let operand = try meaning(node, 0)
    switch node.type {
    case "Cast":
      guard let element = Constant.Element(rawValue: Int32(clamping: node.integer("to", 1))) else {
        throw node.refused("a cast to a number")
      }
      if case .constant(var constant) = operand {
        constant.element = element
        return try known(constant.rounded(), node, "")
      }
      guard element == .float || element == .double else {
        throw node.refused("a cast of \(operand.words) to float or double, not \(element)")
      }
      return operand
    case "Dropout":
      if let isTraining = try constant(node, 2, "training_mode"), isTraining.scalar != 0 {
        throw node.refused("training_mode false: export in evaluation mode")
      }
      return operand
    default: return operand
    }
  }

  mutating func shape(_ node: GraphNode) throws(ImportError) -> Meaning {
    var operand = try meaning(node, 0)
    if dims(operand) == nil { operand = .view(try view(node, 0)) }
    guard let dims = dims(operand) else { throw node.refused("a tensor of known shape") }
    func clamped(_ place: Int) -> Int { min(max(place < 0 ? place + dims.count : place, 0), dims.count) }
    let start = clamped(node.integer("start", 0))
    let end = clamped(node.integer("end", dims.count))
    return .constant(.list(start < end ? Array(dims[start..<end]) : []))
  }

  /// Reshape, Flatten, Transpose, Unsqueeze, Squeeze, Expand.
  mutating func rearranged(_ node: GraphNode) throws(ImportError) -> Meaning {
    let operand = try meaning(node, 0)
    switch operand {
    case .forest, .chances: return operand
    default: break
    }
    guard let old = dims(operand) else { throw node.refused("a tensor of known shape, not \(operand.words)") }
    if node.type == "Transpose" {
      let order = node.integers("perm") ?? Array(old.indices.reversed())
      switch operand {
      case .constant(let constant): return try known(constant.transposed(order), node, "a permutation of the axes")
      case .quantised(let view):
        guard let result = view.transposed(order) else { throw node.refused("a permutation of the axes") }
        return .quantised(result)
      case .function(let view, let function):
        guard let result = view.transposed(order) else { throw node.refused("a permutation of the axes") }
        return .function(result, function)
      default:
        guard let result = try view(node, 0).transposed(order) else { throw node.refused("a permutation of the axes") }
        return .view(result)
      }
    }
    guard let new = try newDims(node, old), new.count <= 16 else {
      throw node.refused("a shape that holds as many numbers as \(old)")
    }
    switch operand {
    case .constant(let constant):
      if node.type == "Expand" { return try known(constant.expanded(to: new), node, "a shape that broadcasts") }
      return try known(constant.reshaped(new), node, "")
    case .function(let view, let function):
      if let result = view.reshaped(new, rows: network.rows[view.value]) { return .function(result, function) }
      let view = try applied(function, to: view, node)
      if let window = try flattened(node, view, new) { return window }
      return .view(try reshaped(node, view, new))
    case .quantised(let view): return .quantised(try reshaped(node, view, new))
    case .flattened(let view, let isTimeMajor, let old):
      guard new.filter({ $0 != 1 }) == old.filter({ $0 != 1 }) else {
        throw node.refused("no reshape of a flattened window")
      }
      return .flattened(view, isTimeMajor: isTimeMajor, dims: new)
    default:
      let view = try view(node, 0)
      if let window = try flattened(node, view, new) { return window }
      return .view(try reshaped(node, view, new))
    }
  }

  /// A whole window as one row, where the new shape says so.
  private mutating func flattened(_ node: GraphNode, _ view: View, _ dims: [Int]) throws(ImportError) -> Meaning? {
    let rows = network.rows[view.value]
    let axes = view.axes.filter { $0 != .one }
    let count = view.columnOrder.count
    guard rows > 1, view.isWhole, axes.count == 2, axes.contains(.time), dims.filter({ $0 != 1 }) == [rows * count]
    else {
      return nil
    }
    return .flattened(try packed(view, node), isTimeMajor: axes[0] == .time, dims: dims)
  }

  private func reshaped(_ node: GraphNode, _ view: View, _ dims: [Int]) throws(ImportError) -> View {
    guard let result = view.reshaped(dims, rows: network.rows[view.value]) else {
      throw node.refused(
        "a shape that keeps rows apart from columns, not \(view.dims(rows: network.rows[view.value])) to \(dims)")
    }
    return result
  }

  private mutating func newDims(_ node: GraphNode, _ old: [Int]) throws(ImportError) -> [Int]? {
    switch node.type {
    case "Reshape":
      let wanted = try neededConstant(node, 1, "shape").integers
      return Constant.reshaped(old, to: wanted, zeroKeeps: node.integer("allowzero", 0) == 0)
    case "Expand":
      let wanted = try neededConstant(node, 1, "shape").integers
      return Constant.broadcast(old, wanted)
    case "Flatten":
      let axis = node.integer("axis", 1)
      let place = axis < 0 ? axis + old.count : axis
      guard (0...old.count).contains(place) else { return nil }
      return [old[..<place].reduce(1, *), old[place...].reduce(1, *)]
    case "Unsqueeze":
      let axes = try integers(node, input: 1, attribute: "axes") ?? []
      let rank = old.count + axes.count
      guard rank <= 16 else { return nil }
      let places = Set(axes.compactMap { Constant.axis($0, of: rank) })
      guard places.count == axes.count else { return nil }
      var rest = old[...]
      return (0..<rank).map { places.contains($0) ? 1 : rest.removeFirst() }
    default:
      let axes = try integers(node, input: 1, attribute: "axes")
      let places = axes.map { list in Set(list.compactMap { Constant.axis($0, of: old.count) }) }
      let dropped = places ?? Set(old.indices.filter { old[$0] == 1 })
      guard dropped.allSatisfy({ old[$0] == 1 }) else { return nil }
      return old.indices.filter { !dropped.contains($0) }.map { old[$0] }
    }
  }
}
