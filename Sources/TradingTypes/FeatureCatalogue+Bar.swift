extension FeatureCatalogue {
  /// Slots 37–73: bars of the instrument.
  static let barRows: [FeatureDefinition] = [
    FeatureDefinition(
      "amihud", "1e9 · mean of |r|/(C·V) over bars with V > 0", window: "20 bars", unit: "1/currency", .bar, .bars(21),
      source: "Amihud 2002"),
    FeatureDefinition(
      "rollSpread", "2√max(−cov(ΔC, previous ΔC), 0)", window: "60 pairs", unit: "price", .bar, .bars(62),
      source: "Roll 1984"),
    FeatureDefinition(
      "corwinSchultz", "mean of the two-bar high-low estimate, each at least 0", window: "20 estimates", unit: "ratio",
      .bar, .bars(21), source: "Corwin & Schultz 2012"),
    FeatureDefinition(
      "realisedVar", "Σr²", window: "20 returns", unit: "var", .bar, .bars(21), source: "Andersen & Bollerslev 1998"),
    FeatureDefinition(
      "bipowerVar", "(π/2)Σ|r||previous r|", window: "20 products", unit: "var", .bar, .bars(22),
      source: "Barndorff-Nielsen & Shephard 2004"),
    FeatureDefinition(
      "jumpVar", "max(realisedVar − bipowerVar, 0)", window: "20 products", unit: "var", .bar, .bars(22),
      source: "Barndorff-Nielsen & Shephard 2004"),
    FeatureDefinition(
      "ewmaVar", "x ← 0.94x + 0.06r², from the first r²", window: "weight 0.06 a bar", unit: "var", .bar, .bars(2),
      source: "RiskMetrics 1996"),
    FeatureDefinition(
      "parkinson", "mean of ln²(H/L)/(4 ln 2)", window: "20 bars", unit: "var", .bar, .bars(20),
      source: "Parkinson 1980"
    ),
    FeatureDefinition(
      "garmanKlass", "mean of ½ln²(H/L) − (2 ln 2 − 1)ln²(C/O)", window: "20 bars", unit: "var", .bar, .bars(20),
      source: "Garman & Klass 1980"),
    FeatureDefinition(
      "rogersSatchell", "mean of ln(H/C)ln(H/O) + ln(L/C)ln(L/O)", window: "20 bars", unit: "var", .bar, .bars(20),
      source: "Rogers & Satchell 1991"),
    FeatureDefinition(
      "yangZhang", "var(ln(O/previous C)) + k·var(ln(C/O)) + (1 − k)·rogersSatchell, k = 0.34/(1.34 + 21/19)",
      window: "20 bars", unit: "var", .bar, .bars(21), source: "Yang & Zhang 2000"),
    FeatureDefinition(
      "garchVar", "GJR-GARCH(1,1) forecast of the next bar's variance", window: "recursive", unit: "var", .engine,
      .other("first value from the engine"), source: "Bollerslev 1986; Glosten, Jagannathan & Runkle 1993"),
    FeatureDefinition(
      "skew60", "m₃/m₂^1.5 of r, population moments", window: "60 returns", unit: "–", .bar, .bars(61),
      source: "Amaya et al. 2015"),
    FeatureDefinition(
      "kurt60", "m₄/m₂² − 3 of r, population moments", window: "60 returns", unit: "–", .bar, .bars(61),
      source: "Amaya et al. 2015"),
    FeatureDefinition(
      "autocorr1", "autocorrelation of r at lag 1", window: "60 returns", unit: "[−1,1]", .bar, .bars(61),
      source: "Campbell, Lo & MacKinlay 1997"),
    FeatureDefinition(
      "varianceRatio5", "var(overlapping sums of five r)/(5 var(r)), both unbiased", window: "250 returns",
      unit: "ratio", .bar, .bars(251), source: "Lo & MacKinlay 1988"),
    FeatureDefinition(
      "efficiencyRatio", "|C − C ten bars ago|/Σ|ΔC|", window: "10 changes", unit: "[0,1]", .bar, .bars(11),
      source: "Kaufman 1995"),
    FeatureDefinition("zScore20", "(C − mean)/sd", window: "20 bars", unit: "σ", .bar, .bars(20)),
    FeatureDefinition("drawdown250", "C/max(C) − 1", window: "250 bars", unit: "ratio", .bar, .bars(250)),
    FeatureDefinition(
      "absReturnQ90", "90 % quantile of |r|, linear between ranks", window: "100 returns", unit: "return", .bar,
      .bars(101)),
    FeatureDefinition(
      "rsi14", "100·G/(G + L), Wilder averages of rises and falls", window: "14 changes", unit: "0–100", .bar,
      .bars(15),
      source: "Wilder 1978"),
    FeatureDefinition(
      "natr14", "100·ATR14/C", window: "14 changes", unit: "%", .bar, .bars(15), source: "Wilder 1978"),
    FeatureDefinition(
      "macdHistNorm", "MACD(12,26,9) histogram/ATR14", window: "26 + 9 bars", unit: "ratio", .bar, .bars(34),
      source: "Appel 1979"),
    FeatureDefinition(
      "bollingerPctB", "(C − lower)/(upper − lower), bands mean ± 2 population sd", window: "20 bars", unit: "ratio",
      .bar, .bars(20), source: "Bollinger 1992"),
    FeatureDefinition(
      "adxSigned", "ADX14 · sign(DI⁺ − DI⁻)", window: "2 × 14 bars", unit: "−100–100", .bar, .bars(28),
      source: "Wilder 1978"),
    FeatureDefinition(
      "emaSlope", "ln(EMA5/EMA60), both from the first close", window: "60 bars", unit: "log ratio", .bar, .bars(60),
      source: "Moskowitz, Ooi & Pedersen 2012"),
    FeatureDefinition(
      "mfi14", "100 · rising money flow/all money flow", window: "14 changes", unit: "0–100", .bar, .bars(15),
      source: "Quong & Soudack 1989"),
    FeatureDefinition("nma9", "(C − SMA9)/SMA9", window: "9 bars", unit: "ratio", .bar, .bars(9)),
    FeatureDefinition("nma12", "(C − SMA12)/SMA12", window: "12 bars", unit: "ratio", .bar, .bars(12)),
    FeatureDefinition("nma20", "(C − SMA20)/SMA20", window: "20 bars", unit: "ratio", .bar, .bars(20)),
    FeatureDefinition("nma50", "(C − SMA50)/SMA50", window: "50 bars", unit: "ratio", .bar, .bars(50)),
    FeatureDefinition("nma200", "(C − SMA200)/SMA200", window: "200 bars", unit: "ratio", .bar, .bars(200)),
    FeatureDefinition("volumeZ60", "(V − mean)/sd", window: "60 bars", unit: "σ", .bar, .bars(60)),
    FeatureDefinition("return1", "C/C one bar ago − 1", window: "1 change", unit: "ratio", .bar, .bars(2)),
    FeatureDefinition("return5", "C/C five bars ago − 1", window: "5 changes", unit: "ratio", .bar, .bars(6)),
    FeatureDefinition("return20", "C/C twenty bars ago − 1", window: "20 changes", unit: "ratio", .bar, .bars(21)),
    FeatureDefinition("volatility20", "sd of return1", window: "20 returns", unit: "ratio", .bar, .bars(21)),
  ]
}
