/// The slots of a `FeatureVector`. An index never changes once released.
///
/// Made from `FeatureCatalogue`, which says more; after a change there
/// `UPDATE_GOLDEN=1 swift test --filter FeatureCatalogueTests` rewrites this file.
@frozen public enum FeatureSlot: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Slot 0: (b₁ + a₁)/2; last; ticks.
  case mid = 0
  /// Slot 1: a₁ − b₁; last; ticks.
  case spread = 1
  /// Slot 2: 1e4(a₁ − b₁)/m; last; bps.
  case relSpread = 2
  /// Slot 3: 1e4(w − m)/m, w = (b₁A₁ + a₁B₁)/(A₁ + B₁); last; bps.
  case weightedMidDev = 3
  /// Slot 4: g(queueImbalance, spread), a fitted 10 × 3 table of expected mid moves; last; ticks.
  case micropriceAdj = 4
  /// Slot 5: (B₁ − A₁)/(B₁ + A₁); last; [−1,1].
  case queueImbalance = 5
  /// Slot 6: (ΣB − ΣA)/(ΣB + ΣA), k ≤ 3; last; [−1,1].
  case depthImbalance3 = 6
  /// Slot 7: (ΣB − ΣA)/(ΣB + ΣA), k ≤ 5; last; [−1,1].
  case depthImbalance5 = 7
  /// Slot 8: (ΣB − ΣA)/(ΣB + ΣA), k ≤ 10; last; [−1,1].
  case depthImbalance10 = 8
  /// Slot 9: depthImbalance5 with level k weighted e^(−(k−1)/2); last; [−1,1].
  case expImbalance5 = 9
  /// Slot 10: 1e4 ΣB(m − b)/(m ΣB), k ≤ 5; last; bps.
  case bidLiqDistance = 10
  /// Slot 11: 1e4 ΣA(a − m)/(m ΣA), k ≤ 5; last; bps.
  case askLiqDistance = 11
  /// Slot 12: 1e4(u − m)/m, u = Σ(bA + aB)/Σ(A + B), k ≤ 5; last; bps.
  case vampDev = 12
  /// Slot 13: share of five levels' size reached per bps from m, mean over levels and sides; last; 1/bps.
  case bookSlope = 13
  /// Slot 14: Σe₁ / mean((B₁ + A₁)/2); 50 events; ratio.
  case ofiNorm = 14
  /// Slot 15: S ← S·2^(−Δt/1 s) + e₁; half-life 1 s; size.
  case ofiDecay1s = 15
  /// Slot 16: Σ(e₁ + … + e₅); 50 events; size.
  case mlofi5 = 16
  /// Slot 17: S ← S·2^(−Δt/10 s) + e₁; half-life 10 s; size.
  case ofiDecay10s = 17
  /// Slot 18: cancels / max(adds, 1); 100 events; ratio.
  case cancelAddRatio = 18
  /// Slot 19: n/(t − t of n events ago), n = min(events − 1, 99); 100 events; 1/s.
  case eventRate = 19
  /// Slot 20: (spread − mean)/sd; 100 events; σ.
  case spreadZ = 20
  /// Slot 21: ln(1 + B₁ + A₁); last; log size.
  case logDepth1 = 21
  /// Slot 22: t − t of the last change of m; last; s.
  case timeSinceMidMove = 22
  /// Slot 23: x ← 0.9x + 0.1d; weight 0.1 a trade; [−1,1].
  case tradeSignEwma = 23
  /// Slot 24: Σdv/Σv; 20 trades; [−1,1].
  case tradeImbalance20 = 24
  /// Slot 25: Σdv; 20 trades; size.
  case signedVolume20 = 25
  /// Slot 26: autocorrelation of d at lag 1; 50 trades; [−1,1].
  case signAutocorr1 = 26
  /// Slot 27: 1e4(Σpv/Σv − m)/m; 30 trades; bps.
  case vwapDev = 27
  /// Slot 28: 2e4 d(p − m′)/m′; last trade; bps.
  case effectiveSpread = 28
  /// Slot 29: 2e4 d(p − m″)/m′, m″ the mid 5 s after the trade; last trade older than 5 s; bps.
  case realisedSpread5s = 29
  /// Slot 30: 2e4 d(m″ − m′)/m′; last trade older than 5 s; bps.
  case priceImpact5s = 30
  /// Slot 31: slope of Δm to the next trade on dv, least squares; 30 pairs; ticks/size.
  case kyleLambda = 31
  /// Slot 32: Σ|V_buy − V_sell|/(W·V); W = 5 buckets of V = 1,000 lots, configurable; [0,1].
  case vpin = 32
  /// Slot 33: μ + αΣe^(−βΔt) over buys; μ 0.5, α 0.8, β 1.5, configurable; decay β; 1/s.
  case hawkesBuy = 33
  /// Slot 34: the same over sells; decay β; 1/s.
  case hawkesSell = 34
  /// Slot 35: (hawkesBuy − hawkesSell)/(hawkesBuy + hawkesSell); decay β; [−1,1].
  case hawkesImbalance = 35
  /// Slot 36: x ← 0.9x + 0.1Δt between trades; weight 0.1 a trade; s.
  case durationEwma = 36
  /// Slot 37: 1e9 · mean of |r|/(C·V) over bars with V > 0; 20 bars; 1/currency.
  case amihud = 37
  /// Slot 38: 2√max(−cov(ΔC, previous ΔC), 0); 60 pairs; price.
  case rollSpread = 38
  /// Slot 39: mean of the two-bar high-low estimate, each at least 0; 20 estimates; ratio.
  case corwinSchultz = 39
  /// Slot 40: Σr²; 20 returns; var.
  case realisedVar = 40
  /// Slot 41: (π/2)Σ|r||previous r|; 20 products; var.
  case bipowerVar = 41
  /// Slot 42: max(realisedVar − bipowerVar, 0); 20 products; var.
  case jumpVar = 42
  /// Slot 43: x ← 0.94x + 0.06r², from the first r²; weight 0.06 a bar; var.
  case ewmaVar = 43
  /// Slot 44: mean of ln²(H/L)/(4 ln 2); 20 bars; var.
  case parkinson = 44
  /// Slot 45: mean of ½ln²(H/L) − (2 ln 2 − 1)ln²(C/O); 20 bars; var.
  case garmanKlass = 45
  /// Slot 46: mean of ln(H/C)ln(H/O) + ln(L/C)ln(L/O); 20 bars; var.
  case rogersSatchell = 46
  /// Slot 47: var(ln(O/previous C)) + k·var(ln(C/O)) + (1 − k)·rogersSatchell, k = 0.34/(1.34 + 21/19); 20 bars; var.
  case yangZhang = 47
  /// Slot 48: GJR-GARCH(1,1) forecast of the next bar's variance; recursive; var.
  case garchVar = 48
  /// Slot 49: m₃/m₂^1.5 of r, population moments; 60 returns; no unit.
  case skew60 = 49
  /// Slot 50: m₄/m₂² − 3 of r, population moments; 60 returns; no unit.
  case kurt60 = 50
  /// Slot 51: autocorrelation of r at lag 1; 60 returns; [−1,1].
  case autocorr1 = 51
  /// Slot 52: var(overlapping sums of five r)/(5 var(r)), both unbiased; 250 returns; ratio.
  case varianceRatio5 = 52
  /// Slot 53: |C − C ten bars ago|/Σ|ΔC|; 10 changes; [0,1].
  case efficiencyRatio = 53
  /// Slot 54: (C − mean)/sd; 20 bars; σ.
  case zScore20 = 54
  /// Slot 55: C/max(C) − 1; 250 bars; ratio.
  case drawdown250 = 55
  /// Slot 56: 90 % quantile of |r|, linear between ranks; 100 returns; return.
  case absReturnQ90 = 56
  /// Slot 57: 100·G/(G + L), Wilder averages of rises and falls; 14 changes; 0–100.
  case rsi14 = 57
  /// Slot 58: 100·ATR14/C; 14 changes; %.
  case natr14 = 58
  /// Slot 59: MACD(12,26,9) histogram/ATR14; 26 + 9 bars; ratio.
  case macdHistNorm = 59
  /// Slot 60: (C − lower)/(upper − lower), bands mean ± 2 population sd; 20 bars; ratio.
  case bollingerPctB = 60
  /// Slot 61: ADX14 · sign(DI⁺ − DI⁻); 2 × 14 bars; −100–100.
  case adxSigned = 61
  /// Slot 62: ln(EMA5/EMA60), both from the first close; 60 bars; log ratio.
  case emaSlope = 62
  /// Slot 63: 100 · rising money flow/all money flow; 14 changes; 0–100.
  case mfi14 = 63
  /// Slot 64: (C − SMA9)/SMA9; 9 bars; ratio.
  case nma9 = 64
  /// Slot 65: (C − SMA12)/SMA12; 12 bars; ratio.
  case nma12 = 65
  /// Slot 66: (C − SMA20)/SMA20; 20 bars; ratio.
  case nma20 = 66
  /// Slot 67: (C − SMA50)/SMA50; 50 bars; ratio.
  case nma50 = 67
  /// Slot 68: (C − SMA200)/SMA200; 200 bars; ratio.
  case nma200 = 68
  /// Slot 69: (V − mean)/sd; 60 bars; σ.
  case volumeZ60 = 69
  /// Slot 70: C/C one bar ago − 1; 1 change; ratio.
  case return1 = 70
  /// Slot 71: C/C five bars ago − 1; 5 changes; ratio.
  case return5 = 71
  /// Slot 72: C/C twenty bars ago − 1; 20 changes; ratio.
  case return20 = 72
  /// Slot 73: sd of return1; 20 returns; ratio.
  case volatility20 = 73
  /// Slot 74: last score, the instrument's own before the market's; last; [−1,1].
  case sentiment = 74
  /// Slot 75: a + b·sentiment, the least squares of return1 on the sentiment a bar before; 252 pairs; ratio.
  case sentimentCalibrated = 75
  /// Slot 76: sentiment · volumeZ60; 60 bars; no unit.
  case sentimentVolume = 76
  /// Slot 77: change of sentiment since the last bar; 1 bar; no unit.
  case sentimentMomentum = 77
  /// Slot 78: last level; last; points.
  case vix = 78
  /// Slot 79: change of vix since the last bar; 1 bar; points.
  case vixChange = 79
  /// Slot 80: last 10-year yield; last; percent.
  case yield10y = 80
  /// Slot 81: 10-year less 2-year yield; last; percent.
  case yieldCurve = 81
  /// Slot 82: filtered probability of the bear regime after the last bar; last; [0,1].
  case regimeBear = 82
  /// Slot 83: the same of the sideways regime; last; [0,1].
  case regimeSideways = 83
  /// Slot 84: the same of the bull regime; last; [0,1].
  case regimeBull = 84
  /// Slot 85: (return20 − mean)/sd over the engine's instruments; last bar; σ.
  case relativeStrength = 85
  /// Slot 86: EMA10 of advances/(advances + declines) over the engine's instruments; 10 bars; [0,1].
  case breadthThrust = 86
  /// Slot 87: (t − open)/(close − open), within 0…1; last; [0,1].
  case sessionFraction = 87
}
