public import TradingTypes

/// A market that did not happen yet: shocks to instruments, to factors and to the VIX.
///
/// - SeeAlso: `Docs/Sizing.md` for the file they are read from.
public struct StressScenario: Hashable, Sendable {
  /// What it is called, and what it is about.
  public var name: String
  /// Return of an instrument by its symbol, as a fraction; −1 is a total loss. It stands in place of what the factors say.
  public var instruments: [String: Double]
  /// Return of a factor by its name, as a fraction.
  public var factors: [String: Double]
  /// Change of the VIX, in points.
  public var vixPoints: Double

  /// A scenario.
  ///
  /// - Throws: `ConfigurationError` for an empty name, a shock that is not finite, or an instrument that loses more than all.
  public init(
    name: String, instruments: [String: Double] = [:], factors: [String: Double] = [:], vixPoints: Double = 0
  ) throws(ConfigurationError) {
    guard !name.isEmpty else { throw ConfigurationError("stress: a scenario without a name") }
    for (key, shock) in instruments.sorted(by: { $0.key < $1.key }) where !(shock >= -1 && shock < .infinity) {
      throw ConfigurationError("stress \"\(name)\": instrument \(key) \(shock), expected a return of -1 or more")
    }
    for (key, shock) in factors.sorted(by: { $0.key < $1.key }) where !shock.isFinite {
      throw ConfigurationError("stress \"\(name)\": factor \(key) \(shock), expected a finite return")
    }
    guard vixPoints.isFinite else { throw ConfigurationError("stress \"\(name)\": VIX \(vixPoints), expected finite") }
    self.name = name
    self.instruments = instruments
    self.factors = factors
    self.vixPoints = vixPoints
  }
}

/// A position as a stress test sees it.
public struct StressPosition: Hashable, Sendable {
  /// The instrument's symbol.
  public var symbol: String
  /// Value of the position, in any unit; negative when short.
  public var value: Double
  /// Return of the instrument for a unit of each factor's return; a factor left out has no effect.
  public var betas: [String: Double]
  /// Change of the position's value for a point of the VIX, in the same unit.
  public var valuePerVIXPoint: Double

  /// A position.
  public init(symbol: String, value: Double, betas: [String: Double] = [:], valuePerVIXPoint: Double = 0) {
    self.symbol = symbol
    self.value = value
    self.betas = betas
    self.valuePerVIXPoint = valuePerVIXPoint
  }
}

/// What a scenario does to a portfolio.
public struct StressResult: Hashable, Sendable {
  /// The scenario's name.
  public let name: String
  /// Loss of the portfolio, in the unit of the positions; negative for a gain.
  public let loss: Double
  /// Loss of each position, in the order they were given.
  public let losses: [Double]
  /// Symbols that no shock, factor or change of the VIX of the scenario touches: looked at, and found unaffected.
  public let unmoved: [String]

  /// Applies `scenario`.
  ///
  /// An instrument's return is its own shock where there is one, else the sum over the factors of beta times shock, never below −1.
  ///
  /// - Throws: `ConfigurationError` when a position's number is not finite.
  public init(_ scenario: StressScenario, on positions: [StressPosition]) throws(ConfigurationError) {
    var losses: [Double] = []
    var unmoved: [String] = []
    for position in positions {
      guard position.value.isFinite, position.valuePerVIXPoint.isFinite, position.betas.values.allSatisfy(\.isFinite)
      else { throw ConfigurationError("stress: position \(position.symbol) has a number that is not finite") }
      var change = 0.0
      var isMoved = position.valuePerVIXPoint * scenario.vixPoints != 0
      if let shock = scenario.instruments[position.symbol] {
        change = shock
        isMoved = true
      } else {
        // In a fixed order: a sum in the order of a hash table differs from run to run.
        for (factor, beta) in position.betas.sorted(by: { $0.key < $1.key }) {
          guard let shock = scenario.factors[factor] else { continue }
          change += beta * shock
          isMoved = isMoved || beta != 0
        }
        change = max(-1, change)
      }
      if !isMoved { unmoved.append(position.symbol) }
      losses.append(-(position.value * change) - position.valuePerVIXPoint * scenario.vixPoints)
    }
    name = scenario.name
    self.losses = losses
    loss = losses.reduce(0, +)
    self.unmoved = unmoved
  }
}
