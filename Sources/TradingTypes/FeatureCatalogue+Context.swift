extension FeatureCatalogue {
  /// Slots 74–87: what comes from outside the market, from other stages and from all instruments together, and the session.
  static let contextRows: [FeatureDefinition] = [
    FeatureDefinition(
      "sentiment", "last score, the instrument's own before the market's", window: "last", unit: "[−1,1]", .context,
      .other("1 score")),
    FeatureDefinition(
      "sentimentCalibrated", "a + b·sentiment, the least squares of return1 on the sentiment a bar before",
      window: "252 pairs", unit: "ratio", .bar, .other("253 bars from the first score on")),
    FeatureDefinition(
      "sentimentVolume", "sentiment · volumeZ60", window: "60 bars", unit: "–", .bar, .other("60 bars and 1 score")),
    FeatureDefinition(
      "sentimentMomentum", "change of sentiment since the last bar", window: "1 bar", unit: "–", .bar,
      .other("2 bars from the first score on")),
    FeatureDefinition("vix", "last level", window: "last", unit: "points", .context, .other("1 level")),
    FeatureDefinition(
      "vixChange", "change of vix since the last bar", window: "1 bar", unit: "points", .bar,
      .other("2 bars from the first level on")),
    FeatureDefinition("yield10y", "last 10-year yield", window: "last", unit: "percent", .context, .other("1 yield")),
    FeatureDefinition(
      "yieldCurve", "10-year less 2-year yield", window: "last", unit: "percent", .context, .other("1 yield of each")),
    FeatureDefinition(
      "regimeBear", "filtered probability of the bear regime after the last bar", window: "last", unit: "[0,1]",
      .engine, .other("first value from the engine"), source: "Hamilton 1989"),
    FeatureDefinition(
      "regimeSideways", "the same of the sideways regime", window: "last", unit: "[0,1]", .engine,
      .other("first value from the engine"), source: "Hamilton 1989"),
    FeatureDefinition(
      "regimeBull", "the same of the bull regime", window: "last", unit: "[0,1]", .engine,
      .other("first value from the engine"), source: "Hamilton 1989"),
    FeatureDefinition(
      "relativeStrength", "(return20 − mean)/sd over the engine's instruments", window: "last bar", unit: "σ",
      .crossSection, .other("21 bars of it and of another instrument"), source: "Jegadeesh & Titman 1993"),
    FeatureDefinition(
      "breadthThrust", "EMA10 of advances/(advances + declines) over the engine's instruments", window: "10 bars",
      unit: "[0,1]", .crossSection, .other("10 bars"), source: "Zweig 1986"),
    FeatureDefinition(
      "sessionFraction", "(t − open)/(close − open), within 0…1", window: "last", unit: "[0,1]", .event,
      .other("nothing")),
  ]
}
