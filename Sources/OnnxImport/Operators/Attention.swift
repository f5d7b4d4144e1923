internal import ModelImport
internal import ModelInference

extension GraphReader {
  /// Queries `[…, heads, time, part]` times keys `[…, heads, part, time]`.
  mutating func scores(_ node: GraphNode) throws(ImportError) -> Scores {
    let (query, key) = (try view(node, 0), try view(node, 1))
    let rank = query.rank
    guard rank >= 2, key.rank == rank, query.axes[rank - 2] == .time, key.axes[rank - 1] == .time, query.isWhole,
      key.isWhole, query.axes[rank - 1] != .time, key.axes[rank - 2] != .time,
      network.rows[query.value] == network.rows[key.value]
    else {
      throw node.refused(
        "a constant matrix, or attention: queries [batch, heads, time, part] times keys [batch, heads, part, time]")
    }
    return Scores(query: query, key: key, scale: 1)
  }

  /// Scores times a scale, or with a mask added.
  func changed(_ scores: Scores, _ constant: Constant, _ node: GraphNode) throws(ImportError) -> Scores {
    var result = scores
    if node.type == "Add" { return try masked(scores, constant, node) }
    guard let number = constant.scalar, !scores.isNormalised, !scores.isCausal, node.type == "Mul" || node.type == "Div"
    else { throw node.refused("attention scores times one number, before the mask") }
    result.scale *= node.type == "Mul" ? number : 1 / number
    return result
  }

  /// A mask of zeros on and below the diagonal and of large negative numbers above it.
  func masked(_ scores: Scores, _ mask: Constant, _ node: GraphNode) throws(ImportError) -> Scores {
    guard !scores.isNormalised else { throw node.refused("the mask before the softmax") }
    let rows = network.rows[scores.query.value]
    if mask.values.allSatisfy({ $0 == 0 }) { return scores }
    guard mask.dims.count >= 2, mask.dims.suffix(2) == [rows, rows], mask.count % (rows * rows) == 0 else {
      throw node.refused("a mask [\(rows), \(rows)], not \(mask.dims)")
    }
    for (place, value) in mask.values.enumerated() {
      let (row, column) = (place / rows % rows, place % rows)
      guard column <= row ? value == 0 : value <= -1e4 else {
        throw node.refused("a causal mask: 0 on and below the diagonal, at most -1e4 above")
      }
    }
    var result = scores
    result.isCausal = true
    return result
  }

  /// Weights of the softmax times values `[…, heads, time, part]`.
  mutating func attended(_ node: GraphNode, _ scores: Scores) throws(ImportError) -> View {
    let value = try view(node, 1)
    let rank = value.rank
    guard scores.isNormalised, rank == scores.query.rank, value.axes[rank - 2] == .time, value.isWhole else {
      throw node.refused("a softmax over causal scores, times values [batch, heads, time, part]")
    }
    guard scores.scale > 0, scores.scale.isFinite else { throw node.refused("a positive scale") }
    let query = try headed(node, scores.query, part: rank - 1)
    let key = try headed(node, scores.key, part: rank - 2)
    let values = try headed(node, value, part: rank - 1)
    guard query.heads == key.heads, key.heads == values.heads, query.axis == key.axis, key.axis == values.axis,
      network.widths[query.value] == network.widths[key.value],
      network.widths[key.value] == network.widths[values.value]
    else { throw node.refused("as many heads, of one width, in queries, keys and values") }
    try requireRoom(node)
    let width = network.widths[values.value]
    let result = network.append(
      .attention(
        query: query.value, key: key.value, value: values.value, heads: query.heads, scale: Float(scores.scale)),
      rows: network.rows[values.value], width: width)
    var view = value
    view.value = result
    view.offset = 0
    if let axis = values.axis { view.axes[axis] = View.columns(values.heads, stride: width / values.heads) }
    view.axes[rank - 1] = View.columns(width / values.heads)
    return view
  }

  /// A value whose columns are those of the view, head by head.
  private mutating func headed(
    _ node: GraphNode, _ view: View, part: Int
  ) throws(ImportError) -> (value: Int, heads: Int, axis: Int?) {
    var heads = (count: 1, stride: 0)
    var axis: Int?
    var width = (count: 1, stride: 1)
    for column in view.columnAxes {
      if column.place == part {
        width = (column.count, column.stride)
      } else {
        guard axis == nil, column.place < view.rank - 2 else { throw node.refused("one axis of heads before time") }
        heads = (column.count, column.stride)
        axis = column.place
      }
    }
    try requireRoom(node)
    return (network.selection(view.value, View.order([heads, width], view.offset)), heads.count, axis)
  }
}
