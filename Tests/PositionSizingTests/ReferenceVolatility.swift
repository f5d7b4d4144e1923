import Foundation
import PositionSizing
import TradingTypes

/// The models as their authors wrote them, return by return with the system's functions: slow, and the definition of a right answer.
enum ReferenceVolatility {
  /// Log-likelihood and variances of `returns`; `point` is μ, ω, α, γ, β, ν.
  static func pass(
    _ returns: [Double], _ model: VolatilityModel, _ errors: ErrorDistribution, _ point: [Double], backcast: Double
  ) -> (value: Double, variances: [Double]) {
    let (mean, omega, alpha, gamma, beta, nu) = (point[0], point[1], point[2], point[3], point[4], point[5])
    var variances: [Double] = []
    var value = 0.0
    for index in returns.indices {
      let h: Double
      if index == 0 {
        h = model == .egarch ? exp(omega + beta * log(backcast)) : omega + (alpha + gamma / 2 + beta) * backcast
      } else {
        let (e, last) = (returns[index - 1] - mean, variances[index - 1])
        let z = e / sqrt(last)
        h =
          model == .egarch
          ? exp(omega + alpha * (abs(z) - sqrt(2 / .pi)) + gamma * z + beta * log(last))
          : omega + alpha * e * e + (e < 0 ? gamma * e * e : 0) + beta * last
      }
      variances.append(h)
      let e = returns[index] - mean
      switch errors {
      case .normal: value -= 0.5 * (log(2 * .pi) + log(h) + e * e / h)
      case .studentT:
        value += lgamma((nu + 1) / 2) - lgamma(nu / 2) - 0.5 * log(.pi * (nu - 2)) - 0.5 * log(h)
        value -= (nu + 1) / 2 * log(1 + e * e / (h * (nu - 2)))
      }
    }
    return (value, variances)
  }

  /// A series of the model itself, with normal or Student-t errors.
  static func series(
    _ count: Int, _ model: VolatilityModel, _ errors: ErrorDistribution, _ point: [Double], seed: UInt64
  ) -> [Double] {
    var random = SplitMix64(seed: seed)
    func uniform() -> Double { (Double(random.next() >> 11) + 0.5) * 0x1p-53 }
    func normal() -> Double { sqrt(-2 * log(uniform())) * cos(2 * .pi * uniform()) }
    func error() -> Double {
      guard errors == .studentT else { return normal() }
      // Bailey 1994: the polar form of a t variate, scaled to variance 1.
      let nu = point[5]
      return sqrt(nu * (pow(uniform(), -2 / nu) - 1)) * cos(2 * .pi * uniform()) * sqrt((nu - 2) / nu)
    }
    let (mean, omega, alpha, gamma, beta) = (point[0], point[1], point[2], point[3], point[4])
    var h = model == .egarch ? exp(omega / (1 - beta)) : omega / (1 - alpha - gamma / 2 - beta)
    return (0..<count).map { _ in
      let z = error()
      let e = z * sqrt(h)
      h =
        model == .egarch
        ? exp(omega + alpha * (abs(z) - sqrt(2 / .pi)) + gamma * z + beta * log(h))
        : omega + alpha * e * e + (e < 0 ? gamma * e * e : 0) + beta * h
      return mean + e
    }
  }
}
