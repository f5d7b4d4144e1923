public import PositionSizing
public import RegimeDetection
public import TradingTypes

extension Refitter.Fits {
  /// The fits of stages 4 and 5: `RegimeRefit` and `VolatilityRefit` by their rules.
  ///
  /// - Parameters:
  ///   - regime: rules of the regime fit, or nil for no such fit.
  ///   - volatility: settings of the volatility fits, or nil for none; they name the equation, whatever that in force has.
  ///   - table: the filters' regime table.
  public static func standard(
    regime: RegimeRefit.Rules? = RegimeRefit.Rules(), volatility: VolatilityFitSettings? = VolatilityFitSettings(),
    table: RegimeTable
  ) -> Refitter.Fits {
    var fits = Refitter.Fits()
    if let regime { fits.regime = { window, inForce in refit(window, inForce, table, regime) } }
    if let volatility { fits.volatility = { window, inForce in refit(window, inForce, volatility) } }
    return fits
  }

  /// The same with the regime table and the equation of an engine's configuration.
  ///
  /// - Parameters:
  ///   - regime: rules of the regime fit, or nil for no such fit.
  ///   - errors: what the errors of the volatility fits are taken to be distributed like.
  /// - Throws: `ConfigurationError` where its regimes break a rule.
  public static func standard(
    for configuration: EngineConfiguration, regime: RegimeRefit.Rules? = RegimeRefit.Rules(),
    errors: ErrorDistribution = .normal
  ) throws(ConfigurationError) -> Refitter.Fits {
    standard(
      regime: regime, volatility: VolatilityFitSettings(configuration.volatility.model, errors: errors),
      table: try configuration.regimeTable())
  }

  private static func refit(
    _ window: [Double], _ inForce: VolatilityParameters, _ settings: VolatilityFitSettings
  ) -> RefitAnswer<VolatilityParameters> {
    let outcome = VolatilityRefit(window, settings, inForce: inForce)
    if let refusal = outcome.refusal { return .keep(reason: "volatility: \(refusal)") }
    return .replace(outcome.parameters)
  }

  private static func refit(
    _ window: [Double], _ inForce: RegimeParameters, _ table: RegimeTable, _ rules: RegimeRefit.Rules
  ) -> RefitAnswer<RegimeParameters> {
    do throws(RegimeRefit.Reason) {
      return .replace(try RegimeRefit.refit(window, inForce: inForce, table: table, rules: rules).parameters)
    } catch {
      return .keep(reason: error.description)
    }
  }
}

extension Refitter {
  /// A refitter for one desk that begins with the models of an engine's configuration.
  ///
  /// - Throws: `ConfigurationError` as above, or where the configuration's models break a rule.
  public init(
    _ publisher: consuming RefitPublisher, configuration: EngineConfiguration, schedule: Schedule = Schedule(),
    fits: Fits
  ) throws(ConfigurationError) {
    try self.init(RefitPublishers(publisher), configuration: configuration, schedule: schedule, fits: fits)
  }

  /// The same for the desks of all shards.
  ///
  /// - Throws: `ConfigurationError` as above, or where the configuration's models break a rule.
  public init(
    _ publishers: consuming RefitPublishers, configuration: EngineConfiguration, schedule: Schedule = Schedule(),
    fits: Fits
  ) throws(ConfigurationError) {
    try self.init(
      publishers, regime: configuration.regimeParameters(), table: configuration.regimeTable(),
      volatility: configuration.volatilityParameters(), schedule: schedule, fits: fits)
  }
}
