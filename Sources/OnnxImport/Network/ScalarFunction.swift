internal import Foundation
internal import ModelInference

/// A function of one number that the graph builds up node by node, known by what it gives at chosen points.
///
/// Exporters write GELU or SiLU in many orders of Mul, Add, Div, Erf, Tanh and Sigmoid. Comparing results at the points recognises
/// every one of them.
struct ScalarFunction: Hashable {
  /// What a chain of nodes did to one number, in order.
  enum Step: Hashable {
    case scale(gain: Double, shift: Double)
    case activation(NeuralNetwork.Activation)
  }

  /// Where functions are compared: both sides of 0, within what activations bend, away from whole numbers.
  static let points: [Double] = [
    -7.9, -6.3, -5.1, -4.2, -3.3, -2.7, -2.1, -1.6, -1.2, -1, -0.8, -0.55, -0.3, -0.15, -0.04, 0, 0.03, 0.11, 0.27, 0.5,
    0.77, 1, 1.3, 1.75, 2.2, 2.9, 3.4, 4.1, 5.3, 6.6, 8.2,
  ]

  /// Values at the points.
  var values: [Double]
  /// The chain, where every node was one that the network has an operator for.
  var steps: [Step]?

  /// The number itself.
  static let identity = ScalarFunction(values: points, steps: [])

  func then(_ steps: [Step]?, _ function: (Double) -> Double) -> ScalarFunction {
    var chain: [Step]?
    if let own = self.steps, let steps, own.count < 32 { chain = own + steps }
    return ScalarFunction(values: values.map { function($0) }, steps: chain)
  }

  func scaled(gain: Double, shift: Double) -> ScalarFunction {
    then([.scale(gain: gain, shift: shift)]) { $0 * gain + shift }
  }

  func activated(_ activation: NeuralNetwork.Activation) -> ScalarFunction {
    then([.activation(activation)]) { Self.value(of: activation, $0) }
  }

  static func combined(
    _ first: ScalarFunction, _ second: ScalarFunction, _ function: (Double, Double) -> Double
  ) -> ScalarFunction {
    ScalarFunction(values: zip(first.values, second.values).map { function($0, $1) }, steps: nil)
  }

  static func value(of activation: NeuralNetwork.Activation, _ x: Double) -> Double {
    switch activation {
    case .identity: x
    case .relu: max(x, 0)
    case .leakyReLU(let slope): x > 0 ? x : Double(slope) * x
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: Foundation.tanh(x)
    case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
    case .geluTanh: 0.5 * x * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .silu: x / (1 + exp(-x))
    }
  }

  /// Those that a function is compared with; the two of GELU are 5e-4 apart, far more than the comparison allows.
  private static let activations: [NeuralNetwork.Activation] = [.relu, .sigmoid, .tanh, .gelu, .geluTanh, .silu]

  private func isNear(_ function: (Double) -> Double) -> Bool {
    zip(Self.points, values).allSatisfy { point, value in
      let wanted = function(point)
      return abs(value - wanted) <= 2e-6 * max(1, abs(wanted))
    }
  }

  var isIdentity: Bool { values == Self.points }

  /// What the network does to get the function; nil where it has nothing that gives it.
  func operations() -> [Step]? {
    for activation in Self.activations where isNear({ Self.value(of: activation, $0) }) {
      return [.activation(activation)]
    }
    if let steps { return steps }
    // A line through two of the points.
    let shift = values[Self.points.firstIndex(of: 0)!]
    let gain = values[Self.points.firstIndex(of: 1)!] - shift
    if isNear({ gain * $0 + shift }) { return [.scale(gain: gain, shift: shift)] }
    for activation in Self.activations {
      // The same stretched: from its values at 1 and −2.1.
      let high = Self.value(of: activation, 1)
      let low = Self.value(of: activation, -2.1)
      let gain = (values[Self.points.firstIndex(of: 1)!] - values[Self.points.firstIndex(of: -2.1)!]) / (high - low)
      let shift = values[Self.points.firstIndex(of: 1)!] - gain * high
      if gain.isFinite, shift.isFinite, isNear({ gain * Self.value(of: activation, $0) + shift }) {
        return [.activation(activation), .scale(gain: gain, shift: shift)]
      }
    }
    return nil
  }
}
