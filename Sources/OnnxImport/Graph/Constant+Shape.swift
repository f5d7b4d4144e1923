/// Shape arithmetic and rearrangement of known tensors; nil where the operands do not fit.
extension Constant {
  /// The row-major step of each axis.
  static func strides(_ dims: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: dims.count)
    for axis in dims.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * dims[axis + 1] }
    return strides
  }

  /// The axis a signed number names, or nil.
  static func axis(_ axis: Int, of rank: Int) -> Int? {
    let place = axis < 0 ? axis + rank : axis
    return (0..<rank).contains(place) ? place : nil
  }

  /// New dims from the operand of Reshape: 0 keeps a dim, −1 takes what is left.
  static func reshaped(_ old: [Int], to wanted: [Int], zeroKeeps: Bool = true) -> [Int]? {
    guard wanted.count <= 16, wanted.count(where: { $0 == -1 }) <= 1, let size = size(old) else { return nil }
    var dims = wanted
    for (place, dim) in wanted.enumerated() where dim == 0 && zeroKeeps {
      guard place < old.count else { return nil }
      dims[place] = old[place]
    }
    if let open = dims.firstIndex(of: -1) {
      guard let rest = self.size(dims.enumerated().filter { $0.offset != open }.map(\.element)), rest > 0,
        size % rest == 0
      else { return nil }
      dims[open] = size / rest
    }
    return self.size(dims) == size ? dims : nil
  }

  /// Dims that both broadcast to, or nil.
  static func broadcast(_ first: [Int], _ second: [Int]) -> [Int]? {
    let rank = max(first.count, second.count)
    var dims: [Int] = []
    for axis in 0..<rank {
      let left = axis - (rank - first.count)
      let right = axis - (rank - second.count)
      let a = left >= 0 ? first[left] : 1
      let b = right >= 0 ? second[right] : 1
      guard a == b || a == 1 || b == 1 else { return nil }
      dims.append(a == 1 ? b : a)
    }
    return size(dims) == nil ? nil : dims
  }

  /// The entries read in the order of new dims, each through its own step; a step of 0 repeats.
  func gathered(_ dims: [Int], steps: [Int], offset: Int = 0) -> Constant? {
    guard let size = Self.size(dims) else { return nil }
    var result = Constant(element, dims, [])
    result.values.reserveCapacity(size)
    guard size > 0 else { return result }
    var counter = [Int](repeating: 0, count: dims.count)
    var place = offset
    for _ in 0..<size {
      guard values.indices.contains(place) else { return nil }
      result.values.append(values[place])
      var axis = dims.count - 1
      while axis >= 0 {
        counter[axis] += 1
        place += steps[axis]
        if counter[axis] < dims[axis] { break }
        place -= steps[axis] * dims[axis]
        counter[axis] = 0
        axis -= 1
      }
    }
    return result
  }

  func expanded(to dims: [Int]) -> Constant? {
    guard let all = Self.broadcast(self.dims, dims) else { return nil }
    let strides = Self.strides(self.dims)
    let shift = all.count - self.dims.count
    let steps = all.indices.map { axis in
      axis < shift || self.dims[axis - shift] == 1 ? 0 : strides[axis - shift]
    }
    return gathered(all, steps: steps)
  }

  func transposed(_ order: [Int]) -> Constant? {
    guard order.sorted() == Array(dims.indices) else { return nil }
    let strides = Self.strides(dims)
    var result = gathered(order.map { dims[$0] }, steps: order.map { strides[$0] })
    if var quantisation, let axis = order.firstIndex(of: quantisation.axis) {
      quantisation.axis = axis
      result?.quantisation = quantisation
    }
    return result
  }

  func reshaped(_ dims: [Int]) -> Constant {
    var result = self
    result.dims = dims
    // Along which axis the scales run is lost unless there is one scale.
    if let quantisation, quantisation.scales.count > 1, dims != self.dims { result.quantisation = nil }
    return result
  }

  /// Entries `start, start + step, …` of an axis, `count` of them.
  func sliced(axis: Int, start: Int, step: Int, count: Int) -> Constant? {
    guard dims.indices.contains(axis) else { return nil }
    let strides = Self.strides(dims)
    var newDims = dims
    newDims[axis] = count
    var steps = strides
    steps[axis] = strides[axis] * step
    return gathered(newDims, steps: steps, offset: start * strides[axis])
  }

  /// Entries of an axis named by whole numbers of any shape.
  func taken(axis: Int, _ indices: Constant) -> Constant? {
    guard dims.indices.contains(axis) else { return nil }
    let outer = dims[..<axis].reduce(1, *)
    let inner = dims[(axis + 1)...].reduce(1, *)
    let places = indices.integers.map { $0 < 0 ? $0 + dims[axis] : $0 }
    guard places.allSatisfy({ (0..<dims[axis]).contains($0) }) else { return nil }
    let newDims = Array(dims[..<axis]) + indices.dims + Array(dims[(axis + 1)...])
    guard Self.size(newDims) != nil else { return nil }
    var result = Constant(element, newDims, [])
    for block in 0..<outer {
      for place in places {
        let start = (block * dims[axis] + place) * inner
        result.values += values[start..<(start + inner)]
      }
    }
    return result
  }

  static func joined(_ parts: [Constant], axis: Int) -> Constant? {
    guard let first = parts.first, first.dims.indices.contains(axis) else { return nil }
    var dims = first.dims
    dims[axis] = 0
    for part in parts {
      var rest = part.dims
      guard rest.count == dims.count else { return nil }
      dims[axis] += rest[axis]
      rest[axis] = dims[axis]
      guard rest == dims else { return nil }
    }
    guard size(dims) != nil else { return nil }
    let outer = dims[..<axis].reduce(1, *)
    var result = Constant(first.element, dims, [])
    for block in 0..<outer {
      for part in parts {
        let length = part.count / max(outer, 1)
        result.values += part.values[(block * length)..<((block + 1) * length)]
      }
    }
    return result
  }

  /// Entry by entry over both, broadcast.
  static func combined(
    _ first: Constant, _ second: Constant, as element: Element? = nil, _ function: (Double, Double) -> Double
  ) -> Constant? {
    guard let dims = broadcast(first.dims, second.dims), let left = first.expanded(to: dims),
      let right = second.expanded(to: dims)
    else { return nil }
    return Constant(element ?? first.element, dims, zip(left.values, right.values).map { function($0, $1) }).rounded()
  }
}
