import TradingTypes

/// What the distribution of the errors adds to a pass over the returns.
///
/// With x = e² / h, the log density of a return is `constant − ½ ln h − density(x)`, and `weight(x) = 2 · d density / dx`.
protocol ErrorTail {
  /// Adds the density of x and gives its weight.
  mutating func take(_ x: Double) -> Double
  /// Sum of the densities so far.
  var sum: Double { get }
  /// The constant part of one return's log density.
  var constant: Double { get }
  /// d/dν of all `count` log densities so far.
  func freedomSlope(count: Int) -> Double
  /// d/dν of one return's log density.
  func freedomScore(_ x: Double) -> Double
}

/// Standard normal errors: density ½ x.
struct NormalTail: ErrorTail {
  private var squares = 0.0

  @inline(__always) mutating func take(_ x: Double) -> Double {
    squares += x
    return 1
  }
  var sum: Double { 0.5 * squares }
  // −½ ln 2π.
  var constant: Double { -0.918938533204672741780329736406 }
  func freedomSlope(count: Int) -> Double { 0 }
  func freedomScore(_ x: Double) -> Double { 0 }
}

/// Student-t errors of variance 1: density (ν + 1)/2 · ln(1 + x / (ν − 2)).
struct StudentTail: ErrorTail {
  private let freedom: Double
  private let inverse: Double
  private let factor: Double
  private var product = LogProduct()
  private var shares = 0.0
  private let constantSlope: Double
  let constant: Double

  /// - Parameter freedom: ν, above 2.
  init(freedom: Double) {
    self.freedom = freedom
    inverse = 1 / (freedom - 2)
    factor = (freedom + 1) * inverse
    let (upper, lower) = (0.5 * (freedom + 1), 0.5 * freedom)
    constant =
      DeterministicMath.logGamma(upper) - DeterministicMath.logGamma(lower)
      - 0.5 * DeterministicMath.log(Double.pi * (freedom - 2))
    constantSlope = 0.5 * (DeterministicMath.digamma(upper) - DeterministicMath.digamma(lower)) - 0.5 * inverse
  }

  @inline(__always) mutating func take(_ x: Double) -> Double {
    let scaled = x * inverse
    let whole = 1 + scaled
    product.multiply(by: whole)
    let share = 1 / whole
    shares += scaled * share
    return factor * share
  }
  var sum: Double { 0.5 * (freedom + 1) * product.log }
  func freedomSlope(count: Int) -> Double {
    Double(count) * constantSlope - 0.5 * product.log + 0.5 * factor * shares
  }
  func freedomScore(_ x: Double) -> Double {
    let scaled = x * inverse
    return constantSlope - 0.5 * DeterministicMath.log(1 + scaled) + 0.5 * factor * scaled / (1 + scaled)
  }
}

/// What a pass collects beside the likelihood.
protocol ScoreCollector {
  /// Takes a return's derivatives: of its log density by ln h and, at fixed h, by μ; and those of ln h by the parameters.
  mutating func take(
    logVarianceSlope: Double, meanSlope: Double, x: Double, slopes: Slopes, tail: borrowing some ErrorTail)
}

/// Derivatives of ln h by μ, ω, α, γ, β.
struct Slopes {
  var mean = 0.0
  var omega = 0.0
  var alpha = 0.0
  var gamma = 0.0
  var beta = 0.0
}

/// Collects nothing: the optimiser of the compiler then drops the derivatives.
struct NoScores: ScoreCollector {
  @inline(__always) mutating func take(
    logVarianceSlope: Double, meanSlope: Double, x: Double, slopes: Slopes, tail: borrowing some ErrorTail
  ) {}
}

/// The sum of the scores: the gradient.
struct ScoreSum: ScoreCollector {
  var sums = Slopes()

  @inline(__always) mutating func take(
    logVarianceSlope: Double, meanSlope: Double, x: Double, slopes: Slopes, tail: borrowing some ErrorTail
  ) {
    sums.mean += logVarianceSlope * slopes.mean + meanSlope
    sums.omega += logVarianceSlope * slopes.omega
    sums.alpha += logVarianceSlope * slopes.alpha
    sums.gamma += logVarianceSlope * slopes.gamma
    sums.beta += logVarianceSlope * slopes.beta
  }
}

/// The sum of the scores' outer products: an estimate of the information matrix that is never negative.
/// - Source: Berndt, Hall, Hall & Hausman 1974.
struct ScoreProducts: ScoreCollector {
  var matrix = VolatilityMatrix()

  mutating func take(
    logVarianceSlope: Double, meanSlope: Double, x: Double, slopes: Slopes, tail: borrowing some ErrorTail
  ) {
    var score = VolatilityVector()
    score[Place.mean] = logVarianceSlope * slopes.mean + meanSlope
    score[Place.omega] = logVarianceSlope * slopes.omega
    score[Place.alpha] = logVarianceSlope * slopes.alpha
    score[Place.gamma] = logVarianceSlope * slopes.gamma
    score[Place.beta] = logVarianceSlope * slopes.beta
    score[Place.freedom] = tail.freedomScore(x)
    matrix.addProduct(score)
  }
}
