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
      return .function(try reshaped(node, view, new), function)
    case .quantised(let view): return .quantised(try reshaped(node, view, new))
    default: return .view(try reshaped(node, view(node, 0), new))
    }
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

  mutating func slice(_ node: GraphNode) throws(ImportError) -> Meaning {
    let starts: [Int]
    let ends: [Int]
    var axes: [Int]?
    var steps: [Int]?
    if let first = node.integers("starts"), let last = node.integers("ends") {
      (starts, ends, axes) = (first, last, node.integers("axes"))
    } else {
      starts = try neededConstant(node, 1, "start").integers
      ends = try neededConstant(node, 2, "end").integers
      axes = try constant(node, 3, "axes")?.integers
      steps = try constant(node, 4, "steps")?.integers
    }
    var operand = try meaning(node, 0)
    guard var old = dims(operand) else { throw node.refused("a tensor of known shape, not \(operand.words)") }
    let places = axes ?? Array(starts.indices)
    let by = steps ?? [Int](repeating: 1, count: starts.count)
    guard starts.count == ends.count, places.count == starts.count, by.count == starts.count, starts.count <= 16 else {
      throw node.refused("a start and an end for each axis")
    }
    for index in starts.indices {
      guard let axis = Constant.axis(places[index], of: old.count), by[index] != 0, by[index].magnitude <= 1 << 24
      else {
        throw node.refused("an axis of \(old.count) and a step")
      }
      let length = old[axis]
      func bounded(_ place: Int, _ low: Int, _ high: Int) -> Int {
        min(max(place < 0 ? place + length : place, low), high)
      }
      let isForward = by[index] > 0
      let start = isForward ? bounded(starts[index], 0, length) : bounded(starts[index], 0, length - 1)
      // An end far below 0 means through the first entry.
      let end = isForward ? bounded(ends[index], 0, length) : bounded(ends[index], -1, length - 1)
      let count = max(0, (end - start + by[index] - (isForward ? 1 : -1)) / by[index])
      switch operand {
      case .constant(let constant):
        operand = try known(
          constant.sliced(axis: axis, start: start, step: by[index], count: count), node, "entries inside the tensor")
      case .stack(let views, axis) where count == 1 && views.indices.contains(start): operand = .view(views[start])
      case .function(let view, let function):
        operand = .function(try cut(node, view, axis, start, by[index], count), function)
      default: operand = .view(try cut(node, view(node, 0, operand), axis, start, by[index], count))
      }
      old = dims(operand) ?? old
    }
    return operand
  }

  private mutating func view(_ node: GraphNode, _ place: Int, _ meaning: Meaning) throws(ImportError) -> View {
    if case .view(let view) = meaning { return view }
    return try view(node, place)
  }

  /// Some entries of one axis of a value.
  mutating func cut(
    _ node: GraphNode, _ view: View, _ axis: Int, _ start: Int, _ step: Int, _ count: Int
  ) throws(ImportError) -> View {
    let length = view.dims(rows: network.rows[view.value])[axis]
    if start == 0, count == length, step == 1 { return view }
    guard count > 0 else { throw node.refused("at least one entry") }
    guard step == 1 else { throw node.refused("steps of 1 along a value of the network") }
    guard view.axes[axis] == .time else {
      guard let result = view.sliced(axis: axis, start: start, count: count) else {
        throw node.refused("entries \(start) to \(start + count - 1) of \(length)")
      }
      return result
    }
    var result = view
    result.leading -= start
    result.excess -= length - start - count
    let rows = network.rows[view.value]
    if count == 1, result.excess == 0, result.leading == 1 - rows {
      result = try newest(node, view, axis)
      result.axes.insert(.one, at: axis)
      return result
    }
    guard result.excess >= 0 else { throw node.refused("the newest row kept: only older ones may be cut off") }
    return result
  }

  /// The newest row; its axis goes.
  mutating func newest(_ node: GraphNode, _ view: View, _ axis: Int) throws(ImportError) -> View {
    try requireRoom(node)
    var result = view
    result.value = network.lastRow(view.value)
    result.axes.remove(at: axis)
    result.leading = 0
    result.excess = 0
    return result
  }

  /// Gather, and ArrayFeatureExtractor, which takes along the last axis.
  mutating func gather(_ node: GraphNode) throws(ImportError) -> Meaning {
    let indices = try neededConstant(node, 1, "list of indices")
    let operand = try meaning(node, 0)
    if case .chances = operand { return operand }
    guard let old = dims(operand), !old.isEmpty else {
      throw node.refused("a tensor of known shape, not \(operand.words)")
    }
    let isExtractor = node.type == "ArrayFeatureExtractor"
    guard let axis = isExtractor ? old.count - 1 : Constant.axis(node.integer("axis", 0), of: old.count) else {
      throw node.refused("an axis of \(old.count)")
    }
    if case .constant(let constant) = operand {
      return try known(constant.taken(axis: axis, indices), node, "indices below \(old[axis])")
    }
    let places = indices.integers.map { $0 < 0 ? $0 + old[axis] : $0 }
    if case .stack(let views, axis) = operand, indices.dims.count <= 1, places.count == 1,
      views.indices.contains(places[0])
    {
      var result = views[places[0]]
      if indices.dims.isEmpty { result.axes.remove(at: axis) }
      return .view(result)
    }
    guard indices.dims.count <= 1 || isExtractor, !places.isEmpty, places.allSatisfy({ (0..<old[axis]).contains($0) })
    else { throw node.refused("indices below \(old[axis])") }
    let keepsAxis = !indices.dims.isEmpty
    let view = try view(node, 0)
    switch view.axes[axis] {
    case .time:
      guard places.count == 1, places[0] - view.leading == network.rows[view.value] - 1 else {
        throw node.refused("the newest row")
      }
      var result = try newest(node, view, axis)
      if keepsAxis { result.axes.insert(.one, at: axis) }
      return .view(result)
    case .one:
      var result = view
      guard places.count == 1 else { throw node.refused("one entry of an axis of one") }
      if !keepsAxis { result.axes.remove(at: axis) }
      return .view(result)
    case .columns(let count, let stride):
      if places.count == 1 {
        var result = view
        result.offset += places[0] * stride
        if keepsAxis { result.axes[axis] = .one } else { result.axes.remove(at: axis) }
        return .view(result)
      }
      guard view.columnAxes.count == 1, places.count <= NeuralNetwork.widthMax else {
        throw node.refused("a list of columns of a plain matrix, \(count) of them")
      }
      try requireRoom(node)
      let columns = places.map { view.offset + $0 * stride }
      var result = view
      result.value = network.selection(view.value, columns)
      fronts[result.value] = fronts[view.value]?.selected(columns)
      result.offset = 0
      result.axes[axis] = View.columns(columns.count)
      return .view(result)
    }
  }

  mutating func split(_ node: GraphNode) throws(ImportError) -> [Meaning] {
    let operand = try meaning(node, 0)
    guard let old = dims(operand), let axis = Constant.axis(node.integer("axis", 0), of: old.count) else {
      throw node.refused("an axis of a tensor of known shape")
    }
    let parts = node.outputs.count
    let even = parts > 0 ? (old[axis] + parts - 1) / parts : 0
    let sizes =
      try integers(node, input: 1, attribute: "split")
      ?? (0..<parts).map { max(0, min(even, old[axis] - $0 * even)) }
    guard sizes.count == parts, sizes.allSatisfy({ (1...old[axis]).contains($0) }), sizes.reduce(0, +) == old[axis]
    else {
      throw node.refused("parts that make up \(old[axis])")
    }
    var results: [Meaning] = []
    var start = 0
    for size in sizes {
      if case .constant(let constant) = operand {
        results.append(
          try known(constant.sliced(axis: axis, start: start, step: 1, count: size), node, "parts inside the tensor"))
      } else {
        results.append(.view(try cut(node, view(node, 0), axis, start, 1, size)))
      }
      start += size
    }
    return results
  }

  mutating func concat(_ node: GraphNode) throws(ImportError) -> Meaning {
    var constants: [Constant] = []
    for place in node.inputs.indices {
      if case .constant(let constant) = try meaning(node, place) { constants.append(constant) }
    }
    if constants.count == node.inputs.count, let first = constants.first {
      guard let axis = Constant.axis(node.integer("axis", 0), of: first.dims.count) else {
        throw node.refused("an axis")
      }
      return try known(Constant.joined(constants, axis: axis), node, "tensors of one shape but for the axis")
    }
    if let both = try complement(node) { return both }
    var views: [View] = []
    for place in node.inputs.indices { views.append(try view(node, place)) }
    guard var result = views.first, let axis = Constant.axis(node.integer("axis", 0), of: result.rank) else {
      throw node.refused("an axis")
    }
    if views.count == 1 { return .view(result) }
    if axis < result.rank - 1, views.allSatisfy({ $0.axes == result.axes && $0.axes[axis] == .one }) {
      return .stack(views, axis: axis)
    }
    var columns = 0
    for view in views {
      var rest = view.axes
      guard rest.count == result.rank, view.rank - 1 == axis, view.leading == result.leading, view.leading <= 0,
        view.excess == result.excess, network.rows[view.value] == network.rows[result.value], rest[axis] != .time,
        view.columnAxes.allSatisfy({ $0.place == axis })
      else { throw node.refused("values joined along their columns, the last axis") }
      rest[axis] = result.axes[axis]
      guard rest == result.axes else { throw node.refused("values of one shape but for their columns") }
      columns += view.columnOrder.count
    }
    guard columns <= NeuralNetwork.widthMax else { throw node.refused("at most \(NeuralNetwork.widthMax) columns") }
    result.value = try joined(node, views)
    result.offset = 0
    result.axes[axis] = View.columns(columns)
    return .view(result)
  }

  /// Columns of several values side by side: of one value a choice, of several a sum of products with 0 and 1.
  private mutating func joined(_ node: GraphNode, _ views: [View]) throws(ImportError) -> Int {
    let orders = views.map(\.columnOrder)
    let all = Array(orders.joined())
    try requireRoom(node)
    if Set(views.map(\.value)).count == 1 {
      let value = network.selection(views[0].value, all)
      fronts[value] = fronts[views[0].value]?.selected(all)
      return value
    }
    var front = FeatureFront(count: 0)
    var isPlain = true
    for (view, order) in zip(views, orders) {
      if let part = fronts[view.value]?.selected(order) { front.append(part) } else { isPlain = false }
    }
    var sum: Int?
    var start = 0
    for (view, order) in zip(views, orders) {
      try requireRoom(node)
      let width = network.widths[view.value]
      var weights = [Float](repeating: 0, count: all.count * width)
      for (place, column) in order.enumerated() { weights[(start + place) * width + column] = 1 }
      start += order.count
      let part = network.dense(view.value, weights: weights, bias: [Float](repeating: 0, count: all.count))
      sum = sum.map { network.add($0, part) } ?? part
    }
    guard let sum else { throw node.refused("something to join") }
    fronts[sum] = isPlain ? front : nil
    return sum
  }

  /// `[1 − p, p]`, as scikit-learn's export writes the probabilities of two classes.
  private mutating func complement(_ node: GraphNode) throws(ImportError) -> Meaning? {
    guard node.inputs.count == 2, case .function(let one, let first) = try meaning(node, 0),
      case .function(let two, let second) = try meaning(node, 1), one.value == two.value, one.offset == two.offset,
      one.columnAxes.isEmpty, case .activation(.sigmoid)? = second.steps?.last,
      zip(first.values, second.values).allSatisfy({ abs($0 + $1 - 1) < 1e-9 })
    else { return nil }
    var inner = second
    inner.steps?.removeLast()
    // The function before the logistic one, through its chain.
    var chain = ScalarFunction.identity
    for step in inner.steps ?? [] {
      switch step {
      case .activation(let activation): chain = chain.activated(activation)
      case .scale(let gain, let shift): chain = chain.scaled(gain: gain, shift: shift)
      }
    }
    return .chances(try packed(applied(chain, to: two, node), node), isSoftmax: false)
  }

  /// Rows of zeros before or after, which the next convolution takes up.
  mutating func pad(_ node: GraphNode) throws(ImportError) -> Meaning {
    guard node.text("mode", "constant") == "constant" else { throw node.refused("attribute mode = constant") }
    let pads = try integers(node, input: 1, attribute: "pads") ?? []
    let fill = try constant(node, 2, "value")?.scalar ?? Double(node.number("value", 0))
    let axes = try constant(node, 3, "axes")?.integers
    var result = try view(node, 0)
    let places = axes ?? Array(result.axes.indices)
    guard pads.count == 2 * places.count, fill == 0 else { throw node.refused("zeros, as many numbers as axes twice") }
    for (index, place) in places.enumerated() {
      let (before, after) = (pads[index], pads[index + places.count])
      if before == 0, after == 0 { continue }
      guard let axis = Constant.axis(place, of: result.rank), result.axes[axis] == .time, (0...4_096).contains(before),
        (0...4_096).contains(after), result.leading == 0, result.excess == 0
      else { throw node.refused("padding of rows only, in front of a convolution") }
      result.leading = before
      result.excess = after
    }
    return .view(result)
  }
}
