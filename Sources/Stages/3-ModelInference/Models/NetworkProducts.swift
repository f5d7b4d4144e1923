/// Weights of a product, sixteen outputs side by side, for the executors off the hot path.
struct NetworkProducts: Sendable {
  /// Numbers a sum reads.
  let terms: Int
  /// Sums.
  let outputs: Int
  /// `[outputs / 16, rounded up][terms]`: the weights of one term for sixteen outputs, 0 beyond the last.
  private let columns: [SIMD16<Float>]

  init(terms: Int, outputs: Int, weight: (_ output: Int, _ term: Int) -> Float) {
    self.terms = terms
    self.outputs = outputs
    let blockCount = (outputs + 15) / 16
    var columns = [SIMD16<Float>](repeating: .zero, count: blockCount * terms)
    for block in 0..<blockCount {
      for term in 0..<terms {
        var column = SIMD16<Float>.zero
        for lane in 0..<min(16, outputs - 16 * block) { column[lane] = weight(16 * block + lane, term) }
        columns[block * terms + term] = column
      }
    }
    self.columns = columns
  }

  /// `Σ_k x[k] × weights[o, k]` for `k` in some of the terms, in single precision.
  func sums(_ x: [Float], over range: Range<Int>) -> [Float] {
    var sums: [Float] = []
    sums.reserveCapacity(outputs + 15)
    for start in stride(from: 0, to: columns.count, by: terms) {
      var sum = SIMD16<Float>.zero
      for term in range { sum += columns[start + term] * x[term] }
      for lane in 0..<16 { sums.append(sum[lane]) }
    }
    sums.removeLast(sums.count - outputs)
    return sums
  }

  /// The sums over all terms.
  func sums(_ x: [Float]) -> [Float] { sums(x, over: 0..<terms) }

  /// The same sums of integers up to 255 in magnitude and integer weights up to 127, exactly.
  ///
  /// 512 × 255 × 127 is below 2^24, up to which single precision holds every integer: so each part is exact whatever its
  /// order, and the parts are added as integers.
  func exactSums(_ x: [Float]) -> [Int32] {
    var total = [Int32](repeating: 0, count: outputs)
    for start in stride(from: 0, to: terms, by: 512) {
      let part = sums(x, over: start..<min(start + 512, terms))
      for output in 0..<outputs { total[output] += Int32(part[output]) }
    }
    return total
  }
}

/// A value of a network while it is computed: `[rows × width]`, row-major.
struct NetworkMatrix<Number: Sendable>: Sendable {
  var rows: Int
  var width: Int
  var numbers: [Number]

  /// A copy of a row.
  func row(_ number: Int) -> [Number] { Array(numbers[number * width..<(number + 1) * width]) }

  /// What a convolution reads for a row, `[width × kernel]` in the order of its weights; `padding` before the window.
  func taps(row: Int, kernel: Int, dilation: Int, padding: (_ channel: Int) -> Number) -> [Number] {
    var taps: [Number] = []
    taps.reserveCapacity(width * kernel)
    for channel in 0..<width {
      for tap in 0..<kernel {
        let source = row - (kernel - 1 - tap) * dilation
        taps.append(source >= 0 ? numbers[source * width + channel] : padding(channel))
      }
    }
    return taps
  }
}

extension NeuralNetwork.Operator {
  /// The result of a step without products, with the operations and the order that `QuantisedNetwork` states.
  ///
  /// - Precondition: shapes agree, and it is none of dense, convolution and recurrent.
  func single(_ values: [NetworkMatrix<Float>]) -> NetworkMatrix<Float> {
    switch self {
    case .dense, .convolution, .recurrent:
      preconditionFailure("NeuralNetwork.Operator: a step without products")
    case .attention(let query, let key, let value, let heads, let scale):
      return Self.attention(values[query], values[key], values[value], heads: heads, scale: scale)
    case .layerNormalisation(let source, let gain, let shift, let epsilon):
      var result = values[source]
      for row in 0..<result.rows {
        let normal = Self.normalised(result.row(row), gain, shift, epsilon)
        result.numbers.replaceSubrange(row * result.width..<(row + 1) * result.width, with: normal)
      }
      return result
    case .affine(let source, let gain, let shift):
      var result = values[source]
      for place in result.numbers.indices {
        let column = place % result.width
        result.numbers[place] = NetworkMath.fused(result.numbers[place], gain[column], shift[column])
      }
      return result
    case .add(let first, let second):
      var result = values[first]
      for place in result.numbers.indices { result.numbers[place] += values[second].numbers[place] }
      return result
    case .activation(let source, let activation):
      var result = values[source]
      for place in result.numbers.indices { result.numbers[place] = activation.value(result.numbers[place]) }
      return result
    case .positions(let source, let table):
      var result = values[source]
      for place in result.numbers.indices { result.numbers[place] += table[place] }
      return result
    case .lastRow(let source):
      let matrix = values[source]
      return NetworkMatrix(rows: 1, width: matrix.width, numbers: matrix.row(matrix.rows - 1))
    }
  }

  private static func normalised(_ row: [Float], _ gain: [Float], _ shift: [Float], _ epsilon: Float) -> [Float] {
    let width = Float(row.count)
    let mean = NetworkMath.sum(row) / width
    let centred = row.map { $0 - mean }
    let variance = NetworkMath.sum(centred, times: centred) / width
    let inverse = 1 / (variance + epsilon).squareRoot()
    return centred.indices.map { NetworkMath.fused(centred[$0] * inverse, gain[$0], shift[$0]) }
  }

  private static func attention(
    _ query: NetworkMatrix<Float>, _ key: NetworkMatrix<Float>, _ value: NetworkMatrix<Float>, heads: Int, scale: Float
  ) -> NetworkMatrix<Float> {
    let width = query.width / heads
    var result = NetworkMatrix(rows: query.rows, width: query.width, numbers: query.numbers)
    for row in 0..<query.rows {
      for head in 0..<heads {
        let start = head * width
        let own = query.numbers[row * query.width + start..<row * query.width + start + width]
        let scores = (0...row).map { earlier in
          let other = key.numbers[earlier * key.width + start..<earlier * key.width + start + width]
          return NetworkMath.sum(own, times: other) * scale
        }
        var most = scores[0]
        for score in scores { most = NetworkMath.larger(score, most) }
        let powers = scores.map { NetworkMath.exp($0 - most) }
        let inverse = 1 / NetworkMath.sum(powers)
        var mixed = [Float](repeating: 0, count: width)
        for (earlier, power) in powers.enumerated() {
          let from = earlier * value.width + start
          for column in 0..<width {
            mixed[column] = NetworkMath.fused(power, value.numbers[from + column], mixed[column])
          }
        }
        for column in 0..<width { result.numbers[row * query.width + start + column] = mixed[column] * inverse }
      }
    }
    return result
  }
}
