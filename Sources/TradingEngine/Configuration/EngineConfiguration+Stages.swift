internal import PositionSizing
internal import RegimeDetection
internal import SignalFeatures
public import TradingTypes

// The configuration in the terms of each stage.
extension EngineConfiguration {
  /// The venues as a directory, ids in the order of the configuration.
  public func venueDirectory() throws(ConfigurationError) -> VenueDirectory {
    var directory: [Venue] = []
    for (index, setting) in venues.enumerated() {
      guard let symbol = Symbol(setting.name) else {
        throw ConfigurationError("venue \"\(setting.name)\": 1 to 16 printable characters expected")
      }
      directory.append(
        Venue(
          id: VenueID(index: UInt16(index)), symbol: symbol, takeFee: setting.takeFee, fixedFee: setting.fixedFee,
          isProtected: setting.isProtected))
    }
    return try VenueDirectory(directory)
  }

  /// How the venues share one feed's displayed size.
  public func displaySplit() throws(ConfigurationError) -> DisplaySplit {
    try DisplaySplit(venues.map(\.sharePercent))
  }

  func features(midnight: Timestamp, increment: Price) -> FeatureConfiguration {
    var features = FeatureConfiguration()
    features.priceIncrement = increment
    features.dayStart = midnight
    features.primaryBars = .time(.seconds(bars.primarySeconds))
    features.furtherBars = bars.further
    features.sessionOpen = .seconds(bars.sessionOpenSeconds)
    features.sessionClose = .seconds(bars.sessionCloseSeconds)
    return features
  }

  func regimeParameters() throws(ConfigurationError) -> RegimeParameters {
    try RegimeParameters(
      start: regime.start, transition: regime.transition, means: regime.means, variances: regime.variances)
  }

  func bookHealthRules() throws(ConfigurationError) -> BookHealthRules {
    try BookHealthRules(
      windowMessages: Int(books.unknownOrdersWindow), unknownOrderMax: Int(books.unknownOrdersMax),
      crossedMax: books.crossedMax, allowsLocked: books.allowsLocked)
  }

  func regimeTable() throws(ConfigurationError) -> RegimeTable {
    let presets: [Int: [Regime]] = [2: [.bull, .bear], 3: [.bull, .sideways, .bear]]
    func rule(_ multiplier: Double) -> RegimeRule {
      RegimeRule(multiplier: multiplier, style: multiplier < 0 ? .meanReversion : .momentum)
    }
    return try RegimeTable(
      roles: regime.roles.isEmpty ? presets[regime.variances.count] ?? [] : regime.roles,
      rules: [
        .bear: rule(regime.bearMultiplier), .sideways: rule(regime.sidewaysMultiplier),
        .bull: rule(regime.bullMultiplier),
      ],
      hysteresis: RegimeHysteresis(
        probabilityMin: regime.switchProbability, observationsMin: Int32(clamping: regime.switchBars)))
  }

  func volatilityParameters() throws(ConfigurationError) -> VolatilityParameters {
    try VolatilityParameters(
      volatility.model, mean: volatility.mean, omega: volatility.omega, alpha: volatility.alpha,
      gamma: volatility.gamma,
      beta: volatility.beta, backcast: volatility.initialVariance)
  }

  func sizingParameters() -> SizingParameters {
    var parameters = SizingParameters()
    parameters.payoff = sizing.payoffRatio
    parameters.kellyFraction = sizing.kellyFraction
    parameters.volatilityTargetAnnual = sizing.volatilityTargetAnnual
    parameters.barsPerYear = 98_280 * 60 / Double(bars.primarySeconds)
    parameters.equityShareMillionths = Int64((sizing.equityShareMax * 1e6).rounded(.down))
    parameters.noTradeLots = sizing.bandLots
    parameters.noTradeShareMillionths = Int64((sizing.bandShare * 1e6).rounded(.up))
    parameters.limitTicks = sizing.aggressionTicks
    parameters.vixAgeMax = .seconds(sizing.vixAgeSecondsMax)
    // Limits are rounded down, but never to 0, which is none.
    func millionths(_ share: Double) -> Int64 { share > 0 ? max(1, Int64((share * 1e6).rounded(.down))) : 0 }
    parameters.volumeShareMillionths = millionths(sizing.volumeShareMax)
    parameters.displayShareMillionths = millionths(sizing.displayShareMax)
    parameters.spreadMillionthsMax = millionths(sizing.spreadBasisPointsMax / 1e4)
    parameters.preset = sizing.isContinuous ? .continuous : .table
    parameters.meanBars = continuousSizing.meanBars
    parameters.meanBarsMin = continuousSizing.meanBarsMin
    parameters.continuous.kellyFraction = continuousSizing.kellyFraction
    parameters.continuous.leverageMax = continuousSizing.leverageMax
    parameters.continuous.volatilityTargetAnnual = sizing.volatilityTargetAnnual
    parameters.continuous.periodsPerYear = parameters.barsPerYear
    parameters.continuous.vixScale = continuousSizing.vixScale
    parameters.continuous.vixAgeMax = parameters.vixAgeMax
    parameters.continuous.drawdownMax = continuousSizing.drawdownMax
    parameters.continuous.allowsShort = continuousSizing.allowsShort
    return parameters
  }
}
