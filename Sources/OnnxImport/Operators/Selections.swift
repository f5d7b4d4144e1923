internal import ModelImport
internal import ModelInference

extension GraphReader {
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
    if case .chances(let view, let isSoftmax) = operand {
      // The chance of the second class is what two classes are reduced to.
      guard indices.scalar == 1, !isSoftmax || network.widths[view.value] == 2 else {
        throw node.refused("the chance of the second of two classes, or all of them")
      }
      return operand
    }
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
}
