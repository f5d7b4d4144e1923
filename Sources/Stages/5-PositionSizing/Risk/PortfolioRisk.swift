public import TradingTypes

/// A portfolio's risk: what it would have made, what a model of its assets' returns says, and simulated outcomes.
public struct PortfolioRisk: Sendable {
  /// Position of each asset: a share of equity, or an amount of currency; negative when short.
  public let positions: [Double]

  /// - Throws: `ConfigurationError` when there is no position or one is not finite.
  public init(positions: [Double]) throws(ConfigurationError) {
    guard !positions.isEmpty else { throw ConfigurationError("risk: no positions") }
    if let place = positions.firstIndex(where: { !$0.isFinite }) {
      throw ConfigurationError("risk: position \(place) is \(positions[place]), expected a finite number")
    }
    self.positions = positions
  }

  /// What today's positions would have made in each period.
  ///
  /// - Parameters:
  ///   - returns: `[periods × assets]`, as fractions.
  public func profits(over returns: [[Double]]) throws(ConfigurationError) -> [Double] {
    var profits: [Double] = []
    profits.reserveCapacity(returns.count)
    for (row, values) in returns.enumerated() {
      guard values.count == positions.count else {
        throw ConfigurationError("risk: row \(row) has \(values.count) returns, expected \(positions.count)")
      }
      var sum = 0.0
      for (position, value) in zip(positions, values) { sum += position * value }
      profits.append(sum)
    }
    return profits
  }

  /// Historical measures: the empirical distribution of `profits(over:)`.
  public func historical(_ returns: [[Double]], level: Double) throws(ConfigurationError) -> RiskMeasures {
    try RiskMeasures(profits: try profits(over: returns), level: level)
  }

  /// Parametric measures: normal profits, or Student's t with `degrees` of freedom, of the moments' mean and variance.
  public func parametric(
    _ moments: ReturnMoments, degrees: Double? = nil, level: Double
  ) throws(ConfigurationError) -> RiskMeasures {
    guard moments.count == positions.count else {
      throw ConfigurationError("risk: moments of \(moments.count) assets, expected \(positions.count)")
    }
    var mean = 0.0
    for (position, value) in zip(positions, moments.mean) { mean += position * value }
    let volatility = max(0, moments.covariance.quadratic(positions)).squareRoot()
    guard let degrees else { return try .normal(mean: mean, volatility: volatility, level: level) }
    return try .student(mean: mean, volatility: volatility, degrees: degrees, level: level)
  }

  /// Simulated profits of the moments' distribution: normal, or multivariate Student's t scaled to the same covariance.
  ///
  /// Every draw has its mirror image, so that the mean of the paths is that of the moments.
  ///
  /// - Parameters:
  ///   - degrees: of freedom, above 2; nil for normal returns.
  ///   - pathPairs: pairs of mirrored draws, 1 to 10⁷.
  ///   - seed: the same seed gives the same paths, on every machine.
  /// - Complexity: O(pathPairs × assets²).
  /// - Source: McNeil, Frey, Embrechts 2015, section 6.2 (normal mixtures); Marsaglia, Tsang 2000 for the mixing variable.
  public func simulatedProfits(
    _ moments: ReturnMoments, degrees: Double? = nil, pathPairs: Int, seed: UInt64
  ) throws(ConfigurationError) -> [Double] {
    guard moments.count == positions.count else {
      throw ConfigurationError("risk: moments of \(moments.count) assets, expected \(positions.count)")
    }
    guard (1...10_000_000).contains(pathPairs), degrees.map({ $0 > 2 && $0 < .infinity }) ?? true else {
      throw ConfigurationError(
        "risk: \(pathPairs) pairs of paths, \(degrees.map { "\($0)" } ?? "no") degrees of freedom, "
          + "expected 1 to 10000000 and above 2")
    }
    let factor = try CholeskyFactor(moments.covariance)
    // Positions seen through the factor: a draw then costs one product an asset.
    var loads = [Double](repeating: 0, count: positions.count)
    for row in positions.indices {
      for column in 0...row { loads[column] += positions[row] * factor.values[row * positions.count + column] }
    }
    var mean = 0.0
    for (position, value) in zip(positions, moments.mean) { mean += position * value }
    var random = RandomDraws(seed: seed)
    var profits: [Double] = []
    profits.reserveCapacity(2 * pathPairs)
    for _ in 0..<pathPairs {
      var sum = 0.0
      for load in loads { sum += load * random.normal() }
      if let degrees { sum *= ((degrees - 2) / (2 * random.gamma(degrees / 2))).squareRoot() }
      profits.append(mean + sum)
      profits.append(mean - sum)
    }
    return profits
  }
}

/// Normal and gamma draws from a seed.
struct RandomDraws {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// A number in (0, 1), never at its ends.
  private mutating func unit() -> Double { (Double(random.next() >> 12) + 0.5) * 0x1p-52 }

  mutating func normal() -> Double { NormalDistribution.quantile(unit()) }

  /// A draw of the gamma distribution with this shape, 1 or more, and scale 1.
  mutating func gamma(_ shape: Double) -> Double {
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let v = 1 + c * x
      guard v > 0 else { continue }
      let cubed = v * v * v
      if DeterministicMath.log(unit()) < 0.5 * x * x + d - d * cubed + d * DeterministicMath.log(cubed) {
        return d * cubed
      }
    }
  }
}
