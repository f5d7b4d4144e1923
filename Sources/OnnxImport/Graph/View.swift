/// How a tensor of the graph lies on a value `[rows × width]` of the network.
///
/// Reshape, Transpose, Split and their like move no numbers here: they only change which entry of the tensor is which row and
/// column of the value. A batch is always one.
struct View: Hashable {
  /// What an axis of the tensor runs over.
  enum Axis: Hashable {
    /// One entry: the batch, or an axis added.
    case one
    /// The rows of the value.
    case time
    /// Columns, `stride` apart.
    case columns(count: Int, stride: Int)
  }

  /// The value, 0 for the network's input.
  var value: Int
  var axes: [Axis]
  /// The first column.
  var offset = 0
  /// Rows of zeros before the value's first row; below 0, rows that fell away at the start.
  var leading = 0
  /// Rows after the newest one, which mean nothing and have to be cut off again.
  var excess = 0

  /// A value as `[1, rows, width]`, or `[1, width]` where it has one row only.
  init(value: Int, rows: Int, width: Int) {
    self.value = value
    axes = rows > 1 ? [.one, .time, Self.columns(width)] : [.one, Self.columns(width)]
  }

  init(value: Int, axes: [Axis]) {
    self.value = value
    self.axes = axes
  }

  static func columns(_ count: Int, stride: Int = 1) -> Axis {
    count == 1 ? .one : .columns(count: count, stride: stride)
  }

  var rank: Int { axes.count }
  var timeAxis: Int? { axes.firstIndex(of: .time) }

  /// Entries of each axis.
  func dims(rows: Int) -> [Int] {
    axes.map { axis in
      switch axis {
      case .one: 1
      case .time: rows + leading + excess
      case .columns(let count, _): count
      }
    }
  }

  /// Axes of columns, with their places.
  var columnAxes: [(place: Int, count: Int, stride: Int)] {
    axes.enumerated().compactMap { place, axis in
      if case .columns(let count, let stride) = axis { return (place, count, stride) }
      return nil
    }
  }

  /// The value's columns in the order of the tensor's.
  var columnOrder: [Int] { Self.order(columnAxes.map { ($0.count, $0.stride) }, offset) }

  static func order(_ axes: [(count: Int, stride: Int)], _ offset: Int) -> [Int] {
    var order = [offset]
    for axis in axes {
      order = order.flatMap { start in (0..<axis.count).map { start + $0 * axis.stride } }
    }
    return order
  }

  /// Whether rows have been added or have fallen away.
  var isWhole: Bool { leading == 0 && excess == 0 }

  /// The same numbers under new dims, or nil where time and columns would mix.
  func reshaped(_ dims: [Int], rows: Int) -> View? {
    let old = zip(axes, self.dims(rows: rows)).filter { $0.1 != 1 }
    let new = dims.filter { $0 != 1 }
    var made: [Axis] = []
    var from = 0
    var to = 0
    while from < old.count || to < new.count {
      guard from < old.count, to < new.count else { return nil }
      var fromEnd = from + 1
      var toEnd = to + 1
      var left = old[from].1
      var right = new[to]
      while left != right {
        if left < right {
          guard fromEnd < old.count else { return nil }
          left *= old[fromEnd].1
          fromEnd += 1
        } else {
          guard toEnd < new.count, new[toEnd] > 0 else { return nil }
          right *= new[toEnd]
          toEnd += 1
        }
        guard left > 0, right > 0, left <= Constant.countMax, right <= Constant.countMax else { return nil }
      }
      guard let group = Self.regrouped(old[from..<fromEnd].map(\.0), into: Array(new[to..<toEnd])) else { return nil }
      made += group
      from = fromEnd
      to = toEnd
    }
    var result = self
    var place = 0
    result.axes = dims.map { dim in
      if dim == 1 { return .one }
      place += 1
      return made[place - 1]
    }
    return result
  }

  /// Axes that together have as many entries as `counts`, spread over these.
  private static func regrouped(_ axes: [Axis], into counts: [Int]) -> [Axis]? {
    if axes == [.time] { return counts.count == 1 ? [.time] : nil }
    // One run of columns, equally far apart.
    guard case .columns(_, var stride)? = axes.last else { return nil }
    var reach = stride
    for axis in axes.reversed() {
      guard case .columns(let count, let step) = axis, step == reach else { return nil }
      reach = step * count
    }
    var made: [Axis] = []
    for count in counts.reversed() {
      made.append(.columns(count: count, stride: stride))
      stride *= count
    }
    return made.reversed()
  }

  func transposed(_ order: [Int]) -> View? {
    guard order.sorted() == Array(axes.indices) else { return nil }
    var result = self
    result.axes = order.map { axes[$0] }
    return result
  }

  /// Entries of an axis of columns, in order.
  func sliced(axis: Int, start: Int, count: Int) -> View? {
    guard case .columns(let all, let stride) = axes[axis], start >= 0, count > 0, start + count <= all else {
      return nil
    }
    var result = self
    result.offset += start * stride
    result.axes[axis] = Self.columns(count, stride: stride)
    return result
  }
}
