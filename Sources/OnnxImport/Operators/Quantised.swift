internal import ModelImport
internal import ModelInference

extension GraphReader {
  private struct Parameters {
    var scales: [Double]
    var zeroPoints: [Double]
    var element: Constant.Element
    var axis: Int
  }

  private func parameters(_ node: GraphNode, rank: Int) throws(ImportError) -> Parameters {
    let scale = try neededConstant(node, 1, "scale")
    let zero = try constant(node, 2, "zero point")
    let element = zero?.element ?? .uint8
    guard scale.dims.count <= 1, !scale.values.isEmpty, scale.values.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw node.refused("positive scales, one or one a channel (block quantisation is not read)")
    }
    guard node.integer("block_size", 0) == 0 else { throw node.refused("no attribute block_size") }
    let zeros = zero?.values ?? [Double](repeating: 0, count: scale.count)
    guard zeros.count == scale.count else { throw node.refused("a zero point for each scale") }
    let axis = Constant.axis(node.integer("axis", 1), of: rank)
    guard scale.count == 1 || axis != nil else { throw node.refused("an axis of \(rank)") }
    return Parameters(scales: scale.values, zeroPoints: zeros, element: element, axis: axis ?? 0)
  }

  /// `saturate(round_half_even(x / scale) + zero point)`.
  mutating func quantised(_ node: GraphNode) throws(ImportError) -> Meaning {
    if case .constant(var constant) = try meaning(node, 0) {
      let parameters = try parameters(node, rank: constant.dims.count)
      constant.values = try each(node, constant, parameters) { value, scale, zero in
        let whole = Double((Float(value) / Float(scale)).rounded(.toNearestOrEven)) + zero
        return min(max(whole, parameters.element.range.lowerBound), parameters.element.range.upperBound)
      }
      constant.element = parameters.element
      return try known(constant, node, "")
    }
    let view = try view(node, 0)
    let parameters = try parameters(node, rank: view.rank)
    guard parameters.scales.count == 1, [.uint8, .int8].contains(parameters.element), view.leading <= 0,
      let zero = Int(exactly: parameters.zeroPoints[0])
    else { throw node.refused("one scale and a zero point of type uint8 or int8 for a value") }
    let code = parameters.element == .int8 ? zero + 128 : zero
    guard (0...255).contains(code) else { throw node.refused("a zero point within its type") }
    var packed = try packed(view, node)
    // A zero point at the lower end cuts negative numbers off: quantisers drop a Relu in front of it, so it comes back here.
    if code == 0, !network.isNonNegative(packed.value) {
      try requireRoom(node)
      packed.value = network.activation(packed.value, .relu)
    }
    let scale = QuantisationHints.Scale(step: Float(parameters.scales[0]), zeroPoint: UInt8(code))
    if let known = network.scales[packed.value], known != scale {
      throw node.refused("one scale for a value; it already has \(known.step)")
    }
    network.scales[packed.value] = scale
    return .quantised(packed)
  }

  mutating func dequantised(_ node: GraphNode) throws(ImportError) -> Meaning {
    switch try meaning(node, 0) {
    case .constant(var constant):
      let parameters = try parameters(node, rank: constant.dims.count)
      constant.values = try each(node, constant, parameters) { value, scale, zero in
        Double(Float(value - zero) * Float(scale))
      }
      constant.element = .float
      constant.quantisation = Constant.Quantisation(
        scales: parameters.scales, zeroPoints: parameters.zeroPoints, axis: parameters.axis)
      return try known(constant, node, "")
    case .quantised(let view):
      let parameters = try parameters(node, rank: view.rank)
      let zero = Int(exactly: parameters.zeroPoints[0]).map { parameters.element == .int8 ? $0 + 128 : $0 }
      guard parameters.scales.count == 1, let known = network.scales[view.value],
        known.step == Float(parameters.scales[0]), Int(known.zeroPoint) == zero
      else { throw node.refused("the scale and zero point that the value was quantised with") }
      return .view(view)
    case let other: throw node.refused("quantised numbers, not \(other.words)")
    }
  }

  /// A function of each number and of the scale and zero point of its channel.
  private func each(
    _ node: GraphNode, _ constant: Constant, _ parameters: Parameters, _ function: (Double, Double, Double) -> Double
  ) throws(ImportError) -> [Double] {
    let scales = parameters.scales
    if scales.count == 1 {
      return constant.values.map { function($0, scales[0], parameters.zeroPoints[0]) }
    }
    guard constant.dims.indices.contains(parameters.axis), constant.dims[parameters.axis] == scales.count else {
      throw node.refused("\(scales.count) channels along axis \(parameters.axis), not \(constant.dims)")
    }
    let inner = max(1, constant.dims[(parameters.axis + 1)...].reduce(1, *))
    return constant.values.enumerated().map { place, value in
      let channel = place / inner % scales.count
      return function(value, scales[channel], parameters.zeroPoints[channel])
    }
  }
}
