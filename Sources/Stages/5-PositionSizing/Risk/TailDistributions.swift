internal import TradingTypes

/// The standard normal distribution: same bits on every machine.
public enum NormalDistribution {
  /// The density at `x`.
  public static func density(_ x: Double) -> Double {
    0.39894228040143267794 * DeterministicMath.exp(-0.5 * x * x)
  }

  /// The x below which a share `probability` lies; relative error about 1e-16. NaN outside (0, 1).
  ///
  /// - Source: Wichura 1988, algorithm AS 241, routine PPND16.
  public static func quantile(_ probability: Double) -> Double {
    guard probability > 0, probability < 1 else { return .nan }
    let q = probability - 0.5
    if q.magnitude <= 0.425 {
      let r = 0.180625 - q * q
      return q * polynomial(r, centreAbove) / polynomial(r, centreBelow)
    }
    var r = (-DeterministicMath.log(q < 0 ? probability : 1 - probability)).squareRoot()
    let value: Double
    if r <= 5 {
      r -= 1.6
      value = polynomial(r, middleAbove) / polynomial(r, middleBelow)
    } else {
      r -= 5
      value = polynomial(r, tailAbove) / polynomial(r, tailBelow)
    }
    return q < 0 ? -value : value
  }

  /// Coefficients from the highest power down.
  private static func polynomial(_ x: Double, _ coefficients: [Double]) -> Double {
    var sum = 0.0
    for coefficient in coefficients { sum = sum * x + coefficient }
    return sum
  }

  private static let centreAbove = [
    2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
    1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080,
  ]
  private static let centreBelow = [
    5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
    5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1,
  ]
  private static let middleAbove = [
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258,
    3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734,
  ]
  private static let middleBelow = [
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1,
  ]
  private static let tailAbove = [
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
    2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720,
  ]
  private static let tailBelow = [
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
    1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1,
  ]
}

/// Student's t distribution with any number of degrees of freedom above 0.
public struct StudentDistribution: Hashable, Sendable {
  /// Degrees of freedom.
  public let degrees: Double
  private let logNormaliser: Double

  /// - Precondition: `degrees` is positive and finite.
  public init(degrees: Double) {
    precondition(degrees > 0 && degrees < .infinity, "StudentDistribution: the degrees are positive and finite")
    self.degrees = degrees
    logNormaliser =
      DeterministicMath.logGamma((degrees + 1) / 2) - DeterministicMath.logGamma(degrees / 2) - 0.5
      * DeterministicMath.log(.pi * degrees)
  }

  /// The density at `x`.
  public func density(_ x: Double) -> Double {
    DeterministicMath.exp(logNormaliser - (degrees + 1) / 2 * DeterministicMath.log(1 + x * x / degrees))
  }

  /// The share above `x`, for `x >= 0`.
  ///
  /// - Source: half the regularised incomplete beta function of `ν / (ν + x²)` at ν/2 and ½, by its continued fraction (Abramowitz,
  ///   Stegun 26.5.8, 26.7.1).
  public func tail(_ x: Double) -> Double {
    guard x > 0 else { return 0.5 }
    let y = degrees / (degrees + x * x)
    // The fraction converges fast on the side of the mode only.
    let (a, b) = (degrees / 2, 0.5)
    return y < (a + 1) / (a + b + 2)
      ? 0.5 * Self.beta(a, b, y, complement: x * x / (degrees + x * x))
      : 0.5 * (1 - Self.beta(b, a, x * x / (degrees + x * x), complement: y))
  }

  /// The x below which a share `probability` lies; NaN outside (0, 1).
  public func quantile(_ probability: Double) -> Double {
    guard probability > 0, probability < 1 else { return .nan }
    guard probability != 0.5 else { return 0 }
    let share = min(probability, 1 - probability)
    var low = 0.0
    var high = 1.0
    while tail(high) > share && high < 1e300 { (low, high) = (high, 2 * high) }
    var x = low + (high - low) / 2
    for _ in 0..<200 {
      let excess = tail(x) - share
      if excess > 0 { low = x } else { high = x }
      var next = x + excess / density(x)
      if !(next > low && next < high) { next = low + (high - low) / 2 }
      let step = (next - x).magnitude
      x = next
      if step <= 1e-15 * x { break }
    }
    return probability < 0.5 ? -x : x
  }

  private static func beta(_ a: Double, _ b: Double, _ x: Double, complement: Double) -> Double {
    guard x > 0 else { return 0 }
    let front = DeterministicMath.exp(
      DeterministicMath.logGamma(a + b) - DeterministicMath.logGamma(a) - DeterministicMath.logGamma(b) + a
        * DeterministicMath.log(x) + b * DeterministicMath.log(complement)
    )
    // Lentz's method; a term of 0 is moved to a small number.
    let tiny = 1e-300
    var c = 1.0
    var d = 1 - (a + b) * x / (a + 1)
    d = 1 / (d.magnitude < tiny ? tiny : d)
    var fraction = d
    for step in 1...10_000 {
      let m = Double(step)
      for isOdd in [false, true] {
        let term =
          isOdd
          ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
          : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 + term * d
        d = 1 / (d.magnitude < tiny ? tiny : d)
        c = 1 + term / c
        c = c.magnitude < tiny ? tiny : c
        fraction *= d * c
      }
      if (d * c - 1).magnitude < 1e-16 { break }
    }
    return front * fraction / a
  }
}
