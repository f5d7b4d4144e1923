// The gamma function's logarithm and its first derivative, for likelihoods: from `log` alone, so that they too have the same bits on
// every machine.

extension DeterministicMath {
  /// ln Γ(x), with an absolute error below 1e-14 plus 4e-16 of the result.
  ///
  /// - Precondition: `0 < x <= 1e15`; outside, the answer is NaN.
  /// - Complexity: O(1), at most 10 steps up and two logarithms; no allocation.
  /// - Source: Abramowitz & Stegun 1964, 6.1.41 (Stirling's series) from 10 on, 6.1.15 below; the terms left out are below 3e-16.
  public static func logGamma(_ x: Double) -> Double {
    guard x > 0, x <= 1e15 else { return .nan }
    var shifted = x
    var product = 1.0
    while shifted < 10 {
      product *= shifted
      shifted += 1
    }
    let inverse = 1 / shifted
    let square = inverse * inverse
    let head = 1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square * (1.0 / 1680)))
    let tail = 1.0 / 1188 - square * (691.0 / 360_360 - square * (1.0 / 156))
    let square4 = (square * square) * (square * square)
    let series = inverse * (head + square4 * tail)
    let halfLogTwoPi = 0.918938533204672741780329736406
    return (shifted - 0.5) * log(shifted) - shifted + halfLogTwoPi + series - log(product)
  }

  /// ψ(x) = d ln Γ(x) / dx, with an absolute error below 1e-14 plus 4e-16 of the result.
  ///
  /// - Precondition: `0 < x <= 1e15`; outside, the answer is NaN.
  /// - Complexity: O(1), at most 10 steps up and one logarithm; no allocation.
  /// - Source: Abramowitz & Stegun 1964, 6.3.18 from 10 on, 6.3.5 below; the terms left out are below 5e-15.
  public static func digamma(_ x: Double) -> Double {
    guard x > 0, x <= 1e15 else { return .nan }
    var shifted = x
    var sum = 0.0
    while shifted < 10 {
      sum += 1 / shifted
      shifted += 1
    }
    let inverse = 1 / shifted
    let square = inverse * inverse
    let head = 1.0 / 12 - square * (1.0 / 120 - square * (1.0 / 252 - square * (1.0 / 240)))
    let tail = 1.0 / 132 - square * (691.0 / 32_760 - square * (1.0 / 12))
    let square4 = (square * square) * (square * square)
    return log(shifted) - 0.5 * inverse - square * (head + square4 * tail) - sum
  }
}
