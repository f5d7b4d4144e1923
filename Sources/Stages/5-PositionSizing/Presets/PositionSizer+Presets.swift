public import TradingTypes

// What each preset makes of signal and inputs: the wanted share of equity.
extension PositionSizer {
  /// The table preset, up to the wanted share of equity.
  @inlinable mutating func setTableFraction(_ signal: RegimeSignal, _ inputs: borrowing SizingInputs) {
    let p = signal.directionProbability
    let kelly = max(0, (p * parameters.payoff - (1 - p)) / parameters.payoff)
    // The comparisons are written so that NaN is unusable.
    let isUsable = isUsableVIX(inputs.vix, age: inputs.vixAge)
    var vixFactor = 1.0
    if isUsable {
      if inputs.vix > parameters.vixHigh {
        vixFactor = parameters.vixHighFactor
      } else if inputs.vix > parameters.vixRaised {
        vixFactor = parameters.vixRaisedFactor
      } else if inputs.vix < parameters.vixLow {
        vixFactor = parameters.vixLowFactor
      }
    }
    var annual = (lastRecord.variance * parameters.barsPerYear).squareRoot() / 100
    if !isUsable { annual *= parameters.volatilityPenaltyWithoutVIX }
    let volatilityFactor = min(1, parameters.volatilityTargetAnnual / annual)
    lastRecord.kelly = kelly
    lastRecord.isVIXUsable = isUsable
    lastRecord.vixFactor = vixFactor
    lastRecord.volatilityAnnual = annual
    lastRecord.volatilityFactor = volatilityFactor
    lastRecord.signalSize = signal.signal.magnitude
    lastRecord.confidence = signal.confidence
    lastRecord.modeFactor = inputs.policy.sizeFactor
    // The order of the factors is part of the answer: a replay must round alike.
    lastRecord.fraction =
      parameters.kellyFraction * kelly * vixFactor * volatilityFactor * signal.signal.magnitude * signal.confidence
      * inputs.policy.sizeFactor
  }

  /// The continuous preset, up to the wanted share of equity; false, with the reason, where it cannot say.
  ///
  /// The mean counts in the direction of the signal: where past returns and forecast disagree, nothing is held. The signal's size, its confidence
  /// and the mode's factor are the preset's multiplier, so that its caps hold after them.
  @inlinable mutating func setContinuousFraction(_ signal: RegimeSignal, _ inputs: borrowing SizingInputs) -> Bool {
    let id = inputs.instrument.id
    let count = means.count(of: id)
    let mean = means.mean(of: id)
    lastRecord.meanPercent = mean
    lastRecord.observations = Int64(count)
    lastRecord.signalSize = signal.signal.magnitude
    lastRecord.confidence = signal.confidence
    lastRecord.modeFactor = inputs.policy.sizeFactor
    guard count >= Int(parameters.meanBarsMin) else {
      lastRecord.nothing = .noHistory
      return false
    }
    let outcome = parameters.continuous.size(
      ContinuousSizing.Inputs(
        mean: (signal.signal < 0 ? -mean : mean) / 100, observations: Double(count),
        volatility: lastRecord.variance.squareRoot() / 100, vix: inputs.vix, vixAge: inputs.vixAge,
        equity: Double(approximating: inputs.equity.nanos), peak: Double(approximating: inputs.peakEquity.nanos),
        regimeMultiplier: signal.signal.magnitude * signal.confidence * inputs.policy.sizeFactor))
    lastRecord.continuous = outcome
    lastRecord.kelly = outcome.kelly
    lastRecord.isVIXUsable = outcome.volatilityVIX > 0
    lastRecord.volatilityAnnual = outcome.volatility * parameters.continuous.periodsPerYear.squareRoot()
    switch outcome.reason {
    case .badInput, .noVolatility:
      lastRecord.nothing = .badInput
      return false
    case .negativeEdge: lastRecord.nothing = .negativeEdge
    case .drawdownStop: lastRecord.nothing = .drawdownStop
    case .complete: break
    }
    // A negative fraction is an edge against the signal; a short signal is an edge that may be forbidden.
    guard outcome.fraction >= 0, signal.signal > 0 || parameters.continuous.allowsShort else {
      lastRecord.nothing = .negativeEdge
      return true
    }
    lastRecord.fraction = outcome.fraction
    return true
  }

  /// A VIX that says something: finite, positive, not absurd, not from the future and not stale.
  @inlinable func isUsableVIX(_ vix: Double, age: TimeSpan) -> Bool {
    vix > 0 && vix <= parameters.vixMax && age >= .zero && age <= parameters.vixAgeMax
  }
}
