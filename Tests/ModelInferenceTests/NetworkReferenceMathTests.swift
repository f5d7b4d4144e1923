import Glibc
import ModelInference
import Testing

struct NetworkReferenceMathTests {
  /// Floats from the smallest to `most` of both signs, spread over their bit patterns, and a fine linear grid.
  private func floats(upTo most: Float) -> [Float] {
    var list: [Float] = [0]
    for bits in stride(from: UInt32(1), to: most.bitPattern, by: 9_973) { list.append(Float(bitPattern: bits)) }
    for step in 0...60_000 { list.append(most * Float(step) / 60_000) }
    return list + list.map { -$0 }
  }

  /// The largest of `error` over the floats, and where it is.
  private func largest(_ floats: [Float], _ error: (Float) -> Double) -> (error: Double, at: Float) {
    var most = (error: 0.0, at: Float(0))
    for x in floats {
      let e = error(x)
      if !(e <= most.error) { most = (e, x) }
    }
    return most
  }

  // Goal: the errors that NetworkMath states. Method: against the C library in double precision.
  @Test func `functions keep their stated errors`() {
    let exponential = largest(floats(upTo: 87)) { abs(Double(NetworkMath.exp($0)) / Glibc.exp(Double($0)) - 1) }
    #expect(exponential.error <= 2.5e-7, "exp at \(exponential.at)")
    let tangent = largest(floats(upTo: 40)) { abs(Double(NetworkMath.tanh($0)) - Glibc.tanh(Double($0))) }
    #expect(tangent.error <= 6e-7, "tanh at \(tangent.at)")
    let relative = largest(floats(upTo: 7).filter { abs($0) > 1e-30 }) {
      abs(Double(NetworkMath.tanh($0)) / Glibc.tanh(Double($0)) - 1)
    }
    #expect(relative.error <= 6e-7, "tanh at \(relative.at)")
    let logistic = largest(floats(upTo: 86)) { abs(Double(NetworkMath.sigmoid($0)) * (1 + Glibc.exp(-Double($0))) - 1) }
    #expect(logistic.error <= 4e-7, "sigmoid at \(logistic.at)")
    let gate = largest(floats(upTo: 40)) { abs(Double(NetworkMath.gate($0)) - 1 / (1 + Glibc.exp(-Double($0)))) }
    #expect(gate.error <= 4e-7, "gate at \(gate.at)")
    let error = largest(floats(upTo: 10)) { abs(Double(NetworkMath.erf($0)) - Glibc.erf(Double($0))) }
    #expect(error.error <= 5e-7, "erf at \(error.at)")
    let gelu = largest(floats(upTo: 30)) { x in
      abs(Double(NetworkMath.gelu(x)) - Double(x) / 2 * (1 + Glibc.erf(Double(x) / 2.0.squareRoot())))
        / max(1, abs(Double(x)))
    }
    #expect(gelu.error <= 5e-7, "gelu at \(gelu.at)")
    let geluTanh = largest(floats(upTo: 30)) { x in
      let x = Double(x)
      let exact = x / 2 * (1 + Glibc.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      return abs(Double(NetworkMath.geluTanh(Float(x))) - exact) / max(1, abs(x))
    }
    #expect(geluTanh.error <= 5e-7, "geluTanh at \(geluTanh.at)")
    let silu = largest(floats(upTo: 86)) { x in
      abs(Double(NetworkMath.silu(x)) - Double(x) / (1 + Glibc.exp(-Double(x)))) / max(1, abs(Double(x)))
    }
    #expect(silu.error <= 4e-7, "silu at \(silu.at)")
  }

  // Goal: no special values come out of the tails. Method: ends of the range, infinities, zeros of both signs.
  @Test func `functions end exactly where they should`() {
    for x in [Float(8), 1e10, .infinity] {
      #expect(NetworkMath.tanh(x) == 1)
      #expect(NetworkMath.tanh(-x) == -1)
      #expect(NetworkMath.erf(x) == 1)
      #expect(NetworkMath.erf(-x) == -1)
      #expect(NetworkMath.gate(2 * x) == 1)
      #expect(NetworkMath.gate(-2 * x) == 0)
    }
    #expect(NetworkMath.tanh(NetworkMath.tanhClamp) == 1)
    #expect(NetworkMath.erf(NetworkMath.erfClamp) == 1)
    #expect(NetworkMath.exp(0) == 1)
    #expect(NetworkMath.exp(-0.0) == 1)
    #expect(NetworkMath.exp(.infinity) == NetworkMath.exp(88))
    #expect(NetworkMath.exp(-.infinity) == NetworkMath.exp(-87))
    #expect(NetworkMath.exp(-87).isNormal)
    #expect(NetworkMath.sigmoid(0) == 0.5)
    #expect(NetworkMath.tanh(-0.0).sign == .minus)
    #expect(NetworkMath.larger(-0.0, 0).sign == .plus)
    #expect(NeuralNetwork.Activation.relu.value(-0.0).sign == .plus)
    #expect(NeuralNetwork.Activation.leakyReLU(slope: 0.5).value(-2) == -1)
  }

  // Goal: the literals in the code are the published tables. Method: evaluate the tables by Horner's rule, bit by bit.
  @Test func `coefficient tables are the ones computed with`() {
    func polynomial(_ coefficients: [Float], _ y: Float) -> Float {
      coefficients.dropLast().reversed().reduce(coefficients[coefficients.count - 1]) { NetworkMath.fused($0, y, $1) }
    }
    for x in stride(from: Float(-3.5), through: 3.5, by: 0.001_3) {
      let y = x * x
      let tanh =
        (x * polynomial(NetworkMath.tanhNumerator, y)) / polynomial(NetworkMath.tanhDenominator, y)
      #expect(NetworkMath.tanh(x) == tanh)
      let erf = (x * polynomial(NetworkMath.erfNumerator, y)) / polynomial(NetworkMath.erfDenominator, y)
      #expect(NetworkMath.erf(x) == erf)
      let r = x / 11
      let series = NetworkMath.fused(polynomial(NetworkMath.expSeries, r), r * r, r) + 1
      #expect(NetworkMath.exp(r) == series)
    }
  }

  // Goal: five functions with two divisions are still an LSTM. Method: gates and cells against double precision.
  @Test func `cells agree with their formulas`() {
    func sigmoid(_ x: Float) -> Double { 1 / (1 + Glibc.exp(-Double(x))) }
    for step in 0..<20_000 {
      func draw(_ salt: Int) -> Float { Float((step * 7_919 + salt * 104_729) % 20_011) / 1_000 - 10 }
      let gates = (1...5).map(draw)
      let next = NetworkMath.lstmCell(
        input: gates[0], output: gates[1], forget: gates[2], candidate: gates[3], cell: gates[4])
      let cell = sigmoid(gates[2]) * Double(gates[4]) + sigmoid(gates[0]) * Glibc.tanh(Double(gates[3]))
      #expect(abs(Double(next.cell) - cell) <= 6e-6)
      #expect(abs(Double(next.hidden) - sigmoid(gates[1]) * Glibc.tanh(cell)) <= 6e-6)
      let state = NetworkMath.gruState(update: gates[0], candidate: gates[1], hidden: gates[2] / 10)
      let z = sigmoid(gates[0])
      #expect(abs(Double(state) - ((1 - z) * Glibc.tanh(Double(gates[1])) + z * Double(gates[2] / 10))) <= 2e-6)
    }
  }

  // Goal: the order of a sum. Method: terms whose sum depends on it, against lanes added by hand.
  @Test func `sums run in sixteen lanes and a fixed tree`() {
    let terms = (0..<45).map { Float($0 % 7) * 1e7 + Float($0) * 0.37 }
    var lanes = [Float](repeating: 0, count: 16)
    for (place, term) in terms.enumerated() { lanes[place % 16] += term }
    for half in [8, 4, 2, 1] { for lane in 0..<half { lanes[lane] += lanes[lane + half] } }
    #expect(NetworkMath.sum(terms) == lanes[0])
    #expect(NetworkMath.sum(terms + [0, 0, 0]) == lanes[0])
    #expect(NetworkMath.sum([-0.0]).sign == .plus)
    // The order matters for these: a plain sum gives other bits.
    #expect(terms.reduce(0, +) != lanes[0])
  }
}
