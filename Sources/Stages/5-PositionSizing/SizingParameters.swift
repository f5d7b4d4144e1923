public import TradingTypes

/// How the wanted share of equity is found.
@frozen public enum SizingPreset: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Kelly's fraction of the forecast's probability × the VIX table × the volatility target × signal × confidence × mode.
  case table = 0
  /// `ContinuousSizing`: the mean of past returns over their variance, shrunk; under a volatility target, a drawdown multiplier and a
  /// leverage cap. The forecast gives the direction and scales.
  case continuous = 1
}

/// The numbers of the presets and of the caps after them. The defaults are the table preset's own.
@frozen public struct SizingParameters: BitwiseCopyable, Hashable, Sendable {
  /// How the wanted share of equity is found.
  public var preset = SizingPreset.table
  /// The numbers of the continuous preset; the table does not read them.
  public var continuous = ContinuousSizing()
  /// Bars that the mean of the continuous preset is taken over, 1 to `ReturnWindow.lengthMax`.
  public var meanBars: Int64 = 250
  /// With fewer bars than this there is no mean and nothing is held, 1 to `meanBars`.
  public var meanBarsMin: Int64 = 60
  /// What a won trade brings per unit a lost one costs (b in Kelly's formula), positive.
  public var payoff = 1.5
  /// Share of the full Kelly fraction that is used, in [0, 1].
  public var kellyFraction = 0.25
  /// Annual volatility a position may have at full size, as a fraction.
  public var volatilityTargetAnnual = 0.15
  /// Bars of the primary timeframe in a year, which scale a bar's variance.
  public var barsPerYear = 98_280.0
  /// Factor on the volatility while the VIX is unusable, 1 or more.
  public var volatilityPenaltyWithoutVIX = 1.25
  /// Above this VIX the size is multiplied by `highFactor`.
  public var vixHigh = 30.0
  /// The factor above `vixHigh`.
  public var vixHighFactor = 0.5
  /// Above this VIX, up to `vixHigh`, the size is multiplied by `raisedFactor`.
  public var vixRaised = 25.0
  /// The factor above `vixRaised`.
  public var vixRaisedFactor = 0.7
  /// Below this VIX the size is multiplied by `lowFactor`.
  public var vixLow = 15.0
  /// The factor below `vixLow`.
  public var vixLowFactor = 1.2
  /// A VIX above this is unusable, as one that is not positive or not finite is.
  public var vixMax = 200.0
  /// A VIX older than this is unusable; a daily close has to last over a long weekend.
  public var vixAgeMax = TimeSpan.seconds(4 * 86_400)
  /// Most of the equity in one position, in millionths: a million at most, also where the continuous preset asks for more.
  public var equityShareMillionths: Int64 = 20_000
  /// A target that differs from the position by at most so many lots is left alone.
  public var noTradeLots: Int64 = 0
  /// A target that differs from the position by at most this share of itself, in millionths, is left alone.
  public var noTradeShareMillionths: Int64 = 0
  /// Most of the average daily volume in one position, in millionths; 0 for no such cap. With the cap, an instrument whose volume is not
  /// known has the target 0.
  public var volumeShareMillionths: Int64 = 0
  /// Most of the displayed size at the opposite best price that an order may take to make a position larger, in millionths; 0 for no such cap.
  public var displayShareMillionths: Int64 = 0
  /// Above this spread, in millionths of the mid, no order makes a position larger; 0 for no such rule. With the rule, neither does one
  /// while a side of the book is missing or the book is crossed.
  public var spreadMillionthsMax: Int64 = 0
  /// Ticks beyond the opposite best price that the limit allows, 0 to 100.
  public var limitTicks: Int64 = 0

  /// The preset's own numbers.
  public init() {}

  /// Throws `ConfigurationError` naming the first number that breaks a rule.
  ///
  /// The VIX factors must not rise with the VIX, so that more fear never means more risk.
  public func validate() throws(ConfigurationError) {
    func check(_ holds: Bool, _ rule: String) throws(ConfigurationError) {
      guard holds else { throw ConfigurationError("sizing: \(rule)") }
    }
    try check(payoff > 0 && payoff <= 1e6, "payoff is \(payoff), expected in (0, 1e6]")
    try check(kellyFraction >= 0 && kellyFraction <= 1, "kellyFraction is \(kellyFraction), expected in [0, 1]")
    try check(
      volatilityTargetAnnual > 0 && volatilityTargetAnnual <= 100,
      "volatilityTargetAnnual is \(volatilityTargetAnnual), expected in (0, 100]")
    try check(barsPerYear >= 1 && barsPerYear <= 1e9, "barsPerYear is \(barsPerYear), expected in [1, 1e9]")
    try check(
      volatilityPenaltyWithoutVIX >= 1 && volatilityPenaltyWithoutVIX <= 100,
      "volatilityPenaltyWithoutVIX is \(volatilityPenaltyWithoutVIX), expected in [1, 100]")
    try check(
      vixLow > 0 && vixLow <= vixRaised && vixRaised <= vixHigh && vixHigh <= vixMax && vixMax.isFinite,
      "VIX thresholds \(vixLow), \(vixRaised), \(vixHigh), \(vixMax), expected positive and ascending")
    try check(
      vixHighFactor >= 0 && vixHighFactor <= vixRaisedFactor && vixRaisedFactor <= 1 && vixLowFactor >= 1
        && vixLowFactor <= 10,
      "VIX factors \(vixLowFactor), 1, \(vixRaisedFactor), \(vixHighFactor), expected falling, at most 10")
    try check(vixAgeMax >= .zero, "vixAgeMax is negative")
    try check(
      (0...1_000_000).contains(equityShareMillionths),
      "equityShareMillionths is \(equityShareMillionths), expected 0 to 1000000")
    for (name, share) in [
      ("volumeShareMillionths", volumeShareMillionths), ("displayShareMillionths", displayShareMillionths),
      ("spreadMillionthsMax", spreadMillionthsMax),
    ] {
      try check((0...1_000_000).contains(share), "\(name) is \(share), expected 0 to 1000000")
    }
    try check(
      meanBars >= 1 && meanBars <= Int64(ReturnWindow.lengthMax) && meanBarsMin >= 1 && meanBarsMin <= meanBars,
      "meanBars \(meanBars), meanBarsMin \(meanBarsMin), expected 1 to \(ReturnWindow.lengthMax), the least not above")
    if preset == .continuous { try continuous.validate() }
    try check(noTradeLots >= 0, "noTradeLots is negative")
    try check(
      (0...1_000_000).contains(noTradeShareMillionths),
      "noTradeShareMillionths is \(noTradeShareMillionths), expected 0 to 1000000")
    try check((0...100).contains(limitTicks), "limitTicks is \(limitTicks), expected 0 to 100")
  }
}
