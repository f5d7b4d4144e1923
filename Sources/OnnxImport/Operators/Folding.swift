internal import Foundation
internal import ModelImport

extension GraphReader {
  /// Nodes that only compute with constants; `Where` also masks attention scores.
  mutating func folded(_ node: GraphNode) throws(ImportError) -> Meaning {
    switch node.type {
    case "Constant": return try constantNode(node)
    case "ConstantOfShape":
      let dims = try neededConstant(node, 0, "shape").integers
      var fill = Constant(.float, [1], [0])
      if let tensor = node.tensor("value") { fill = try Constant(tensor, name: "value", file: file) }
      guard let size = Constant.size(dims), let value = fill.values.first else {
        throw node.refused("a shape of at most \(Constant.countMax) numbers")
      }
      return try known(Constant(fill.element, dims, [Double](repeating: value, count: size)), node, "")
    case "Range":
      let start = try neededConstant(node, 0, "start")
      let limit = try neededConstant(node, 1, "limit").values.first ?? .nan
      let step = try neededConstant(node, 2, "step").values.first ?? .nan
      let first = start.values.first ?? .nan
      let count = ((limit - first) / step).rounded(.up)
      guard count.isFinite, count <= Double(Constant.countMax) else { throw node.refused("a finite range") }
      let size = max(0, Int(count))
      return try known(Constant(start.element, [size], (0..<size).map { first + Double($0) * step }), node, "")
    case "Trilu":
      let matrix = try neededConstant(node, 0, "matrix")
      let diagonal = try constant(node, 1, "diagonal")?.integers.first ?? 0
      guard matrix.dims.count >= 2, diagonal.magnitude <= Constant.countMax else { throw node.refused("a matrix") }
      let (height, width) = (matrix.dims[matrix.dims.count - 2], matrix.dims[matrix.dims.count - 1])
      let keepsUpper = node.integer("upper", 1) != 0
      var result = matrix
      for place in matrix.values.indices {
        let (row, column) = (place / width % height, place % width)
        if keepsUpper ? column < row + diagonal : column > row + diagonal { result.values[place] = 0 }
      }
      return try known(result, node, "")
    case "Where": return try chosen(node)
    case "Not": return try logical(node) { $0 == 0 }
    case "IsNaN":
      if case .scores = try meaning(node, 0) { return .constant(Constant(.bool, [], [0])) }
      return try logical(node) { $0.isNaN }
    case "Size":
      guard let dims = dims(try meaning(node, 0)) else { throw node.refused("a tensor of known shape") }
      return .constant(Constant(.int64, [], [Double(dims.reduce(1, *))]))
    case "ReduceProd":
      let operand = try neededConstant(node, 0, "operand")
      guard operand.dims.count <= 1 else { throw node.refused("a list") }
      return .constant(Constant(operand.element, [], [operand.values.reduce(1, *)]).rounded())
    default: return try comparison(node)
    }
  }

  private func constantNode(_ node: GraphNode) throws(ImportError) -> Meaning {
    if let tensor = node.tensor("value") {
      return .constant(try Constant(tensor, name: node.outputs.first ?? "", file: file))
    }
    if let list = node.integers("value_ints") { return .constant(.list(list)) }
    if let list = node.numbers("value_floats") {
      return .constant(Constant(.float, [list.count], list.map { Double($0) }))
    }
    if node.has("value_int") { return .constant(Constant(.int64, [], [Double(node.integer("value_int", 0))])) }
    if node.has("value_float") { return .constant(Constant(.float, [], [Double(node.number("value_float", 0))])) }
    // Class names of a classifier: nothing that a score depends on.
    return .unusable("text")
  }

  private mutating func logical(_ node: GraphNode, _ test: (Double) -> Bool) throws(ImportError) -> Meaning {
    let operand = try neededConstant(node, 0, "operand")
    return try known(Constant(.bool, operand.dims, operand.values.map { test($0) ? 1 : 0 }), node, "")
  }

  private mutating func comparison(_ node: GraphNode) throws(ImportError) -> Meaning {
    let first = try neededConstant(node, 0, "operand")
    let second = try neededConstant(node, 1, "operand")
    let function: (Double, Double) -> Double
    var isBool = true
    switch node.type {
    case "Equal": function = { $0 == $1 ? 1 : 0 }
    case "Greater": function = { $0 > $1 ? 1 : 0 }
    case "Less": function = { $0 < $1 ? 1 : 0 }
    case "GreaterOrEqual": function = { $0 >= $1 ? 1 : 0 }
    case "LessOrEqual": function = { $0 <= $1 ? 1 : 0 }
    case "And": function = { $0 != 0 && $1 != 0 ? 1 : 0 }
    case "Or": function = { $0 != 0 || $1 != 0 ? 1 : 0 }
    default:
      isBool = false
      switch node.type {
      case "Min": function = { min($0, $1) }
      case "Max": function = { max($0, $1) }
      default:
        let isRemainder = node.integer("fmod", 0) != 0
        function = { isRemainder ? fmod($0, $1) : $0 - ($0 / $1).rounded(.down) * $1 }
      }
    }
    return try known(
      Constant.combined(first, second, as: isBool ? .bool : nil, function), node, "operands that broadcast")
  }

  /// `Where` over constants, or with a causal mask over attention scores.
  private mutating func chosen(_ node: GraphNode) throws(ImportError) -> Meaning {
    let condition = try neededConstant(node, 0, "condition")
    let (yes, no) = (try meaning(node, 1), try meaning(node, 2))
    switch (yes, no) {
    case (.constant(let yes), .constant(let no)):
      guard let pair = Constant.broadcast(yes.dims, no.dims), let all = Constant.broadcast(condition.dims, pair),
        let cover = condition.expanded(to: all), let left = yes.expanded(to: all), let right = no.expanded(to: all)
      else { throw node.refused("operands that broadcast") }
      let values = cover.values.indices.map { cover.values[$0] != 0 ? left.values[$0] : right.values[$0] }
      return try known(Constant(yes.element, all, values), node, "")
    case (.scores(let scores), .constant(let fill)):
      if scores.isNormalised, condition.values.allSatisfy({ $0 != 0 }) { return .scores(scores) }
      let mask = Constant(.float, condition.dims, condition.values.map { $0 != 0 ? 0 : fill.values.first ?? 0 })
      return .scores(try masked(scores, mask, node))
    case (.constant(let fill), .scores(let scores)):
      // A softmax over a row that is masked whole would be no number; a causal row never is.
      if scores.isNormalised, condition.values.allSatisfy({ $0 == 0 }) { return .scores(scores) }
      let mask = Constant(.float, condition.dims, condition.values.map { $0 != 0 ? fill.values.first ?? 0 : 0 })
      return .scores(try masked(scores, mask, node))
    default: throw node.refused("constants, or attention scores and a mask")
    }
  }
}
