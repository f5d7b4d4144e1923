internal import Foundation
internal import ModelImport
internal import ModelInference

extension GraphReader {
  /// One function of each number.
  mutating func unary(_ node: GraphNode) throws(ImportError) -> Meaning {
    let operand = try meaning(node, 0)
    if case .variance(let view, let epsilon) = operand, node.type == "Sqrt" {
      return .deviation(view, epsilon: epsilon)
    }
    let scalar: (Double) -> Double
    var activation: NeuralNetwork.Activation?
    switch node.type {
    case "Neg": scalar = { -$0 }
    case "Sqrt": scalar = { $0.squareRoot() }
    case "Exp": scalar = { exp($0) }
    case "Log": scalar = { log($0) }
    case "Reciprocal": scalar = { 1 / $0 }
    case "Abs": scalar = { abs($0) }
    case "Floor": scalar = { $0.rounded(.down) }
    case "Ceil": scalar = { $0.rounded(.up) }
    case "Erf": scalar = { erf($0) }
    default:
      let named = try self.activation(node)
      activation = named
      scalar = { ScalarFunction.value(of: named, $0) }
    }
    switch operand {
    case .constant(let constant):
      return try known(
        Constant(constant.element, constant.dims, constant.values.map { scalar($0) }).rounded(), node, "")
    case .view, .function:
      let (view, function) = function(of: operand)!
      if let activation { return .function(view, function.activated(activation)) }
      let steps: [ScalarFunction.Step]? = node.type == "Neg" ? [.scale(gain: -1, shift: 0)] : nil
      return .function(view, function.then(steps, scalar))
    case .forest(var forest):
      guard node.type == "Sigmoid", forest.link == .identity else {
        throw node.refused("after trees only Sigmoid, not \(node.type)")
      }
      forest.link = .logistic(scale: 1)
      return .forest(forest)
    default: throw node.refused("a value of the network, not \(operand.words)")
    }
  }

  private func activation(_ node: GraphNode) throws(ImportError) -> NeuralNetwork.Activation {
    switch node.type {
    case "Relu": return .relu
    case "Sigmoid": return .sigmoid
    case "Tanh": return .tanh
    case "Gelu":
      let form = node.text("approximate", "none")
      guard let known = ["none": NeuralNetwork.Activation.gelu, "tanh": .geluTanh][form] else {
        throw node.refused("attribute approximate = none or tanh, not \(form)")
      }
      return known
    case "LeakyRelu": return .leakyReLU(slope: node.number("alpha", 0.01))
    case "PRelu":
      let slopes = try neededConstant(node, 1, "slope").values
      guard let slope = slopes.first, slopes.allSatisfy({ $0 == slope }) else {
        throw node.refused("one slope for all")
      }
      return .leakyReLU(slope: Float(slope))
    default:
      guard node.number("alpha", 1) == 1 else { throw node.refused("attribute alpha = 1") }
      return .silu
    }
  }

  /// A view with the function that is to be applied to it.
  private func function(of meaning: Meaning) -> (View, ScalarFunction)? {
    switch meaning {
    case .view(let view): (view, .identity)
    case .function(let view, let function): (view, function)
    default: nil
    }
  }

  /// Add, Sub, Mul, Div, Pow.
  mutating func binary(_ node: GraphNode) throws(ImportError) -> Meaning {
    let (first, second) = (try meaning(node, 0), try meaning(node, 1))
    switch (first, second) {
    case (.constant(let first), .constant(let second)):
      let element = first.element
      // Whole numbers divide toward zero; `rounded` cuts off.
      return try known(
        Constant.combined(first, second, as: element, arithmetic(node)), node, "operands that broadcast")
    case (_, .constant(let constant)):
      if let known = try normalisationStep(node, first, constant) { return known }
      if case .scores(let scores) = first { return .scores(try changed(scores, constant, node)) }
      return try withConstant(node, first, constant, isFirst: false)
    case (.constant(let constant), _):
      if case .variance = second, node.type == "Add", let known = try normalisationStep(node, second, constant) {
        return known
      }
      if case .scores(let scores) = second, node.type == "Add" || node.type == "Mul" {
        return .scores(try changed(scores, constant, node))
      }
      return try withConstant(node, second, constant, isFirst: true)
    default: return try ofTwo(node, first, second)
    }
  }

  private func arithmetic(_ node: GraphNode) -> (Double, Double) -> Double {
    switch node.type {
    case "Add": { $0 + $1 }
    case "Sub": { $0 - $1 }
    case "Mul": { $0 * $1 }
    case "Div": { $0 / $1 }
    default: { pow($0, $1) }
    }
  }

  /// A step of a layer normalisation in parts: the square, and epsilon.
  private func normalisationStep(
    _ node: GraphNode, _ operand: Meaning, _ constant: Constant
  ) throws(ImportError) -> Meaning? {
    switch operand {
    case .centred(let view):
      guard node.type == "Pow", constant.scalar == 2 else {
        throw node.refused("the square of the distance from the mean")
      }
      return .squares(view)
    case .variance(let view, let epsilon):
      guard node.type == "Add", let more = constant.scalar else {
        throw node.refused("an epsilon added to the variance")
      }
      return .variance(view, epsilon: epsilon + more)
    case .deviation: throw node.refused("the distance from the mean divided by the deviation")
    default: return nil
    }
  }

  private mutating func withConstant(
    _ node: GraphNode, _ operand: Meaning, _ constant: Constant, isFirst: Bool
  ) throws(ImportError) -> Meaning {
    guard let (view, function) = function(of: operand) else {
      throw node.refused("values of the network and constants, not \(operand.words)")
    }
    if let number = constant.scalar, constant.dims.count <= view.rank {
      switch (node.type, isFirst) {
      case ("Add", _): return .function(view, function.scaled(gain: 1, shift: number))
      case ("Mul", _): return .function(view, function.scaled(gain: number, shift: 0))
      case ("Sub", false): return .function(view, function.scaled(gain: 1, shift: -number))
      case ("Sub", true): return .function(view, function.scaled(gain: -1, shift: number))
      case ("Div", false): return .function(view, function.scaled(gain: 1 / number, shift: 0))
      case ("Div", true): return .function(view, function.then(nil) { number / $0 })
      case ("Pow", false): return .function(view, function.then(nil) { pow($0, number) })
      default: throw node.refused("a constant exponent")
      }
    }
    let applied = try applied(function, to: view, node)
    return .view(try columnwise(node, applied, constant, isFirst: isFirst))
  }

  /// A number for each column, or for each row and column where it is added.
  private mutating func columnwise(
    _ node: GraphNode, _ view: View, _ constant: Constant, isFirst: Bool
  ) throws(ImportError) -> View {
    guard view.leading <= 0 else { throw node.refused("padding only in front of a convolution") }
    let packed = try packed(view, node)
    let dims = packed.dims(rows: network.rows[packed.value])
    guard constant.dims.count <= dims.count, Constant.broadcast(constant.dims, dims) == dims,
      let spread = constant.expanded(to: dims)
    else { throw node.refused("a constant of the shape \(dims) or broadcast to it, not \(constant.dims)") }
    let width = network.widths[packed.value]
    // Time to the front, columns in order behind it.
    var order = Array(dims.indices)
    if let time = packed.timeAxis {
      order.remove(at: time)
      order.insert(time, at: 0)
    }
    guard let sorted = spread.transposed(order) else { throw node.refused("a constant that broadcasts") }
    let rows = sorted.count / max(width, 1)
    let first = Array(sorted.values.prefix(width))
    let isSame = (1..<max(rows, 1)).allSatisfy { row in
      (0..<width).allSatisfy { sorted.values[row * width + $0] == first[$0] }
    }
    try requireRoom(node)
    guard isSame else {
      guard node.type == "Add", packed.isWhole, rows == network.rows[packed.value] else {
        throw node.refused("a constant that is the same for every row, or a table of positions added")
      }
      let value = network.append(
        .positions(source: packed.value, table: sorted.floats), rows: network.rows[packed.value], width: width)
      return following(packed, value: value)
    }
    let one = [Double](repeating: 1, count: width)
    let none = [Double](repeating: 0, count: width)
    let value: Int
    switch (node.type, isFirst) {
    case ("Add", _): value = network.affine(packed.value, gain: one, shift: first)
    case ("Mul", _): value = network.affine(packed.value, gain: first, shift: none)
    case ("Sub", false): value = network.affine(packed.value, gain: one, shift: first.map { -$0 })
    case ("Sub", true): value = network.affine(packed.value, gain: one.map { -$0 }, shift: first)
    case ("Div", false): value = network.affine(packed.value, gain: first.map { 1 / $0 }, shift: none)
    default: throw node.refused("a constant as the second operand")
    }
    return following(packed, value: value)
  }

  /// Two values of the network.
  private mutating func ofTwo(
    _ node: GraphNode, _ first: Meaning, _ second: Meaning
  ) throws(ImportError) -> Meaning {
    switch (node.type, first, second) {
    case ("Sub", .view(let view), .mean(let other)) where view == other: return .centred(view)
    case ("Sub", .function(let view, let function), .mean(let other)) where function.isIdentity && view == other:
      return .centred(view)
    case ("Mul", .centred(let view), .centred(let other)) where view == other: return .squares(view)
    case ("Div", .centred(let view), .deviation(let other, let epsilon)) where view == other:
      return .view(try normalised(node, view, epsilon: epsilon))
    default: break
    }
    guard let (left, leftFunction) = function(of: first), let (right, rightFunction) = function(of: second) else {
      throw node.refused("values of the network, not \(first.words) and \(second.words)")
    }
    if left == right, node.type != "Add" || !(leftFunction.isIdentity && rightFunction.isIdentity) {
      let combined = ScalarFunction.combined(leftFunction, rightFunction, arithmetic(node))
      // A residual path adds what the network computes on the way; what has no operator of its own is part of a function.
      let isPart = leftFunction.operations() == nil || rightFunction.operations() == nil
      if node.type != "Add" && node.type != "Sub" || isPart || combined.operations() != nil {
        return .function(left, combined)
      }
    }
    guard node.type == "Add" || node.type == "Sub" else {
      throw node.refused(
        "a sum of two values; their \(node.type) is none of Gelu, x × Sigmoid(x), attention or normalisation")
    }
    var one = try packed(applied(leftFunction, to: left, node), node)
    var two = try packed(applied(rightFunction, to: right, node), node)
    while one.rank < two.rank { one.axes.insert(.one, at: 0) }
    while two.rank < one.rank { two.axes.insert(.one, at: 0) }
    guard one.axes == two.axes, network.rows[one.value] == network.rows[two.value], one.leading <= 0, two.leading <= 0,
      one.excess == two.excess
    else { throw node.refused("two values of one shape") }
    // Rows that have fallen away on one side have on both.
    guard one.leading == two.leading else { throw node.refused("two values of the same rows") }
    if node.type == "Sub" {
      let width = network.widths[two.value]
      two.value = network.affine(
        two.value, gain: [Double](repeating: -1, count: width), shift: [Double](repeating: 0, count: width))
    }
    try requireRoom(node)
    return .view(following(one, value: network.add(one.value, two.value)))
  }
}
