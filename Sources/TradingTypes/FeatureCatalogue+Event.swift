extension FeatureCatalogue {
  /// Slots 0–36: book and trades.
  static let eventRows: [FeatureDefinition] = [
    FeatureDefinition("mid", "(b₁ + a₁)/2", window: "last", unit: "ticks", .event, .books(1)),
    FeatureDefinition("spread", "a₁ − b₁", window: "last", unit: "ticks", .event, .books(1)),
    FeatureDefinition(
      "relSpread", "1e4(a₁ − b₁)/m", window: "last", unit: "bps", .event, .books(1),
      source: "Roll 1984; Huang & Stoll 1996"),
    FeatureDefinition(
      "weightedMidDev", "1e4(w − m)/m, w = (b₁A₁ + a₁B₁)/(A₁ + B₁)", window: "last", unit: "bps", .event, .books(1),
      source: "Gatheral & Oomen 2010"),
    FeatureDefinition(
      "micropriceAdj", "g(queueImbalance, spread), a fitted 10 × 3 table of expected mid moves", window: "last",
      unit: "ticks", .event, .books(1), source: "Stoikov 2018"),
    FeatureDefinition(
      "queueImbalance", "(B₁ − A₁)/(B₁ + A₁)", window: "last", unit: "[−1,1]", .event, .books(1),
      source: "Gould & Bonart 2016"),
    FeatureDefinition(
      "depthImbalance3", "(ΣB − ΣA)/(ΣB + ΣA), k ≤ 3", window: "last", unit: "[−1,1]", .event, .books(1),
      source: "Cao, Hansch & Wang 2009"),
    FeatureDefinition(
      "depthImbalance5", "(ΣB − ΣA)/(ΣB + ΣA), k ≤ 5", window: "last", unit: "[−1,1]", .event, .books(1),
      source: "Cao, Hansch & Wang 2009"),
    FeatureDefinition(
      "depthImbalance10", "(ΣB − ΣA)/(ΣB + ΣA), k ≤ 10", window: "last", unit: "[−1,1]", .event, .books(1),
      source: "Cao, Hansch & Wang 2009"),
    FeatureDefinition(
      "expImbalance5", "depthImbalance5 with level k weighted e^(−(k−1)/2)", window: "last", unit: "[−1,1]", .event,
      .books(1), source: "Lipton, Pesavento & Sotiropoulos 2013; own weights"),
    FeatureDefinition(
      "bidLiqDistance", "1e4 ΣB(m − b)/(m ΣB), k ≤ 5", window: "last", unit: "bps", .event, .books(1),
      source: "Næs & Skjeltorp 2006"),
    FeatureDefinition(
      "askLiqDistance", "1e4 ΣA(a − m)/(m ΣA), k ≤ 5", window: "last", unit: "bps", .event, .books(1),
      source: "Næs & Skjeltorp 2006"),
    FeatureDefinition(
      "vampDev", "1e4(u − m)/m, u = Σ(bA + aB)/Σ(A + B), k ≤ 5", window: "last", unit: "bps", .event, .books(1),
      source: "Cont & de Larrard 2013, the idea"),
    FeatureDefinition(
      "bookSlope", "share of five levels' size reached per bps from m, mean over levels and sides", window: "last",
      unit: "1/bps", .event, .books(1), source: "Næs & Skjeltorp 2006"),
    FeatureDefinition(
      "ofiNorm", "Σe₁ / mean((B₁ + A₁)/2)", window: "50 events", unit: "ratio", .event, .books(50),
      source: "Cont, Kukanov & Stoikov 2014"),
    FeatureDefinition(
      "ofiDecay1s", "S ← S·2^(−Δt/1 s) + e₁", window: "half-life 1 s", unit: "size", .event, .books(2),
      source: "Cont, Kukanov & Stoikov 2014, decayed"),
    FeatureDefinition(
      "mlofi5", "Σ(e₁ + … + e₅)", window: "50 events", unit: "size", .event, .books(50),
      source: "Xu, Gould & Howison 2018"),
    FeatureDefinition(
      "ofiDecay10s", "S ← S·2^(−Δt/10 s) + e₁", window: "half-life 10 s", unit: "size", .event, .books(2),
      source: "Cont, Cucuringu & Zhang 2023"),
    FeatureDefinition(
      "cancelAddRatio", "cancels / max(adds, 1)", window: "100 events", unit: "ratio", .event, .events(100),
      source: "Hasbrouck & Saar 2009"),
    FeatureDefinition(
      "eventRate", "n/(t − t of n events ago), n = min(events − 1, 99)", window: "100 events", unit: "1/s", .event,
      .events(100), source: "Engle & Russell 1998"),
    FeatureDefinition(
      "spreadZ", "(spread − mean)/sd", window: "100 events", unit: "σ", .event, .books(100)),
    FeatureDefinition("logDepth1", "ln(1 + B₁ + A₁)", window: "last", unit: "log size", .event, .books(1)),
    FeatureDefinition(
      "timeSinceMidMove", "t − t of the last change of m", window: "last", unit: "s", .event, .books(1),
      source: "Cont & de Larrard 2013"),
    FeatureDefinition(
      "tradeSignEwma", "x ← 0.9x + 0.1d", window: "weight 0.1 a trade", unit: "[−1,1]", .event, .trades(1),
      source: "Lillo & Farmer 2004"),
    FeatureDefinition(
      "tradeImbalance20", "Σdv/Σv", window: "20 trades", unit: "[−1,1]", .event, .trades(20),
      source: "Chordia, Roll & Subrahmanyam 2002"),
    FeatureDefinition(
      "signedVolume20", "Σdv", window: "20 trades", unit: "size", .event, .trades(20),
      source: "Chordia, Roll & Subrahmanyam 2002"),
    FeatureDefinition(
      "signAutocorr1", "autocorrelation of d at lag 1", window: "50 trades", unit: "[−1,1]", .event, .trades(50),
      source: "Bouchaud et al. 2004"),
    FeatureDefinition(
      "vwapDev", "1e4(Σpv/Σv − m)/m", window: "30 trades", unit: "bps", .event, .trades(30),
      source: "Berkowitz, Logue & Noser 1988"),
    FeatureDefinition(
      "effectiveSpread", "2e4 d(p − m′)/m′", window: "last trade", unit: "bps", .event, .trades(1),
      source: "Huang & Stoll 1996"),
    FeatureDefinition(
      "realisedSpread5s", "2e4 d(p − m″)/m′, m″ the mid 5 s after the trade", window: "last trade older than 5 s",
      unit: "bps", .event, .other("1 trade and the 5 s after it"), source: "Huang & Stoll 1996"),
    FeatureDefinition(
      "priceImpact5s", "2e4 d(m″ − m′)/m′", window: "last trade older than 5 s", unit: "bps", .event,
      .other("1 trade and the 5 s after it"), source: "Huang & Stoll 1996"),
    FeatureDefinition(
      "kyleLambda", "slope of Δm to the next trade on dv, least squares", window: "30 pairs", unit: "ticks/size",
      .event, .trades(31), source: "Kyle 1985; Hasbrouck 1991"),
    FeatureDefinition(
      "vpin", "Σ|V_buy − V_sell|/(W·V)", window: "W = 5 buckets of V = 1,000 lots, configurable", unit: "[0,1]", .event,
      .other("W full buckets"), source: "Easley, López de Prado & O'Hara 2012"),
    FeatureDefinition(
      "hawkesBuy", "μ + αΣe^(−βΔt) over buys; μ 0.5, α 0.8, β 1.5, configurable", window: "decay β", unit: "1/s",
      .event,
      .trades(1), source: "Hawkes 1971; Bacry, Mastromatteo & Muzy 2015"),
    FeatureDefinition(
      "hawkesSell", "the same over sells", window: "decay β", unit: "1/s", .event, .trades(1),
      source: "Hawkes 1971; Bacry, Mastromatteo & Muzy 2015"),
    FeatureDefinition(
      "hawkesImbalance", "(hawkesBuy − hawkesSell)/(hawkesBuy + hawkesSell)", window: "decay β", unit: "[−1,1]", .event,
      .trades(1), source: "Hawkes 1971; Bacry, Mastromatteo & Muzy 2015"),
    FeatureDefinition(
      "durationEwma", "x ← 0.9x + 0.1Δt between trades", window: "weight 0.1 a trade", unit: "s", .event, .trades(2),
      source: "Engle & Russell 1998"),
  ]
}
