"""Slots that are recomputed here, by their index in the feature vector."""

EVENT_NAMES = """
mid spread relSpread weightedMidDev micropriceAdj queueImbalance depthImbalance3 depthImbalance5 depthImbalance10
expImbalance5 bidLiqDistance askLiqDistance vampDev bookSlope ofiNorm ofiDecay1s mlofi5 ofiDecay10s cancelAddRatio
eventRate spreadZ logDepth1 timeSinceMidMove tradeSignEwma tradeImbalance20 signedVolume20 signAutocorr1 vwapDev
effectiveSpread realisedSpread5s priceImpact5s kyleLambda vpin hawkesBuy hawkesSell hawkesImbalance durationEwma
""".split()

# Slot 48, the volatility model's forecast, is another stage's and not here.
BAR_NAMES = """
amihud rollSpread corwinSchultz realisedVar bipowerVar jumpVar ewmaVar parkinson garmanKlass rogersSatchell yangZhang
garchVar skew60 kurt60 autocorr1 varianceRatio5 efficiencyRatio zScore20 drawdown250 absReturnQ90 rsi14 natr14
macdHistNorm bollingerPctB adxSigned emaSlope mfi14 nma9 nma12 nma20 nma50 nma200 volumeZ60 return1 return5 return20
volatility20
""".split()

SLOTS = {name: index for index, name in enumerate(EVENT_NAMES)}
SLOTS |= {name: index for index, name in enumerate(BAR_NAMES, 37) if name != "garchVar"}
SLOTS["sessionFraction"] = 87

BAR_SLOTS = [name for name in BAR_NAMES if name != "garchVar"]
