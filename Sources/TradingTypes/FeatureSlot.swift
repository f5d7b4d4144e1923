/// The slots of a `FeatureVector`. An index never changes once released.
///
/// This table is the one source of names and order: the CSV header, the documentation and the schema hash of model
/// artifacts come from it. Formulas and sources stand beside the code in `SignalFeatures`.
@frozen public enum FeatureSlot: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Slot 0; ticks.
  case mid = 0
  /// Slot 1; ticks.
  case spread = 1
  /// Slot 2; bps.
  case relSpread = 2
  /// Slot 3; bps.
  case weightedMidDev = 3
  /// Slot 4; ticks.
  case micropriceAdj = 4
  /// Slot 5; [−1,1].
  case queueImbalance = 5
  /// Slot 6; [−1,1].
  case depthImbalance3 = 6
  /// Slot 7; [−1,1].
  case depthImbalance5 = 7
  /// Slot 8; [−1,1].
  case depthImbalance10 = 8
  /// Slot 9; [−1,1].
  case expImbalance5 = 9
  /// Slot 10; bps.
  case bidLiqDistance = 10
  /// Slot 11; bps.
  case askLiqDistance = 11
  /// Slot 12; bps.
  case vampDev = 12
  /// Slot 13; 1/bps.
  case bookSlope = 13
  /// Slot 14; ratio.
  case ofiNorm = 14
  /// Slot 15; size.
  case ofiDecay1s = 15
  /// Slot 16; size.
  case mlofi5 = 16
  /// Slot 17; size.
  case ofiDecay10s = 17
  /// Slot 18; ratio.
  case cancelAddRatio = 18
  /// Slot 19; 1/s.
  case eventRate = 19
  /// Slot 20; σ.
  case spreadZ = 20
  /// Slot 21; log size.
  case logDepth1 = 21
  /// Slot 22; s.
  case timeSinceMidMove = 22
  /// Slot 23; [−1,1].
  case tradeSignEwma = 23
  /// Slot 24; [−1,1].
  case tradeImbalance20 = 24
  /// Slot 25; size.
  case signedVolume20 = 25
  /// Slot 26; [−1,1].
  case signAutocorr1 = 26
  /// Slot 27; bps.
  case vwapDev = 27
  /// Slot 28; bps.
  case effectiveSpread = 28
  /// Slot 29; bps.
  case realisedSpread5s = 29
  /// Slot 30; bps.
  case priceImpact5s = 30
  /// Slot 31; ticks/size.
  case kyleLambda = 31
  /// Slot 32; [0,1].
  case vpin = 32
  /// Slot 33; 1/s.
  case hawkesBuy = 33
  /// Slot 34; 1/s.
  case hawkesSell = 34
  /// Slot 35; [−1,1].
  case hawkesImbalance = 35
  /// Slot 36; s.
  case durationEwma = 36
  /// Slot 37; 1/currency.
  case amihud = 37
  /// Slot 38; price.
  case rollSpread = 38
  /// Slot 39; ratio.
  case corwinSchultz = 39
  /// Slot 40; var.
  case realisedVar = 40
  /// Slot 41; var.
  case bipowerVar = 41
  /// Slot 42; var.
  case jumpVar = 42
  /// Slot 43; var.
  case ewmaVar = 43
  /// Slot 44; var.
  case parkinson = 44
  /// Slot 45; var.
  case garmanKlass = 45
  /// Slot 46; var.
  case rogersSatchell = 46
  /// Slot 47; var.
  case yangZhang = 47
  /// Slot 48; var.
  case garchVar = 48
  /// Slot 49; no unit.
  case skew60 = 49
  /// Slot 50; no unit.
  case kurt60 = 50
  /// Slot 51; [−1,1].
  case autocorr1 = 51
  /// Slot 52; ratio.
  case varianceRatio5 = 52
  /// Slot 53; [0,1].
  case efficiencyRatio = 53
  /// Slot 54; σ.
  case zScore20 = 54
  /// Slot 55; ratio.
  case drawdown250 = 55
  /// Slot 56; return.
  case absReturnQ90 = 56
  /// Slot 57; 0–100.
  case rsi14 = 57
  /// Slot 58; %.
  case natr14 = 58
  /// Slot 59; ratio.
  case macdHistNorm = 59
  /// Slot 60; ratio.
  case bollingerPctB = 60
  /// Slot 61; −100–100.
  case adxSigned = 61
  /// Slot 62; log ratio.
  case emaSlope = 62
  /// Slot 63; 0–100.
  case mfi14 = 63
  /// Slot 64; ratio.
  case nma9 = 64
  /// Slot 65; ratio.
  case nma12 = 65
  /// Slot 66; ratio.
  case nma20 = 66
  /// Slot 67; ratio.
  case nma50 = 67
  /// Slot 68; ratio.
  case nma200 = 68
  /// Slot 69; σ.
  case volumeZ60 = 69
  /// Slot 70; ratio.
  case return1 = 70
  /// Slot 71; ratio.
  case return5 = 71
  /// Slot 72; ratio.
  case return20 = 72
  /// Slot 73; ratio.
  case volatility20 = 73
  /// Slot 74; [−1,1].
  case sentiment = 74
  /// Slot 75; ratio.
  case sentimentCalibrated = 75
  /// Slot 76; no unit.
  case sentimentVolume = 76
  /// Slot 77; no unit.
  case sentimentMomentum = 77
  /// Slot 78; points.
  case vix = 78
  /// Slot 79; points.
  case vixChange = 79
  /// Slot 80; percent.
  case yield10y = 80
  /// Slot 81; percent.
  case yieldCurve = 81
  /// Slot 82; [0,1].
  case regimeBear = 82
  /// Slot 83; [0,1].
  case regimeSideways = 83
  /// Slot 84; [0,1].
  case regimeBull = 84
  /// Slot 85; σ.
  case relativeStrength = 85
  /// Slot 86; [0,1].
  case breadthThrust = 86
  /// Slot 87; [0,1].
  case sessionFraction = 87

  /// Its place in the vector.
  @inlinable public var index: Int { Int(rawValue) }

  /// Its name in CSV headers and model artifacts.
  public var name: String { "\(self)" }

  /// FNV-1a 64 over every name in order, each ended by a zero byte: what a model was trained for.
  public static var schemaHash: UInt64 {
    var hash = FNV1a64()
    for slot in allCases {
      for byte in slot.name.utf8 { hash.combine(byte) }
      hash.combine(UInt8(0))
    }
    return hash.value
  }
}
