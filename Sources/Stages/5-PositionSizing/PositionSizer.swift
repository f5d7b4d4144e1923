public import LockFreeRings
public import TradingTypes

/// Turns a regime-adjusted signal into an order for the difference between the wanted and the present position.
///
/// The parameters' preset gives the wanted share of equity. Then come, in this order and for either preset: the caps on the share of equity,
/// the mode's notional, the mode's leverage and the daily volume; lots, rounded toward zero; the no-trade band; the liquidity rules for an order
/// that makes the position larger. No rounding on the way increases a position.
/// - Complexity: O(1), about 60 ns; nothing allocates after `init`.
/// - Source: Kelly 1956 for the fraction, in the form with a payoff ratio of Thorp 2006, section 2; `ContinuousSizing` for its own.
@frozen public struct PositionSizer: ~Copyable {
  /// The preset's numbers.
  public let parameters: SizingParameters
  /// The variance forecasts.
  public var volatility: VolatilityFilter
  /// The mean returns of the continuous preset; under the table it takes no returns.
  public var means: ReturnWindow
  @usableFromInline var lastRecord = SizingRecord()
  // Borrowed without a copy.
  @usableFromInline let place = InPlace()

  /// A sizer whose variance forecasts start from the model's backcast.
  ///
  /// - Parameters:
  ///   - instrumentCount: instruments, positive; ids are below it.
  /// - Throws: `ConfigurationError` naming the number of `parameters` that breaks a rule.
  public init(
    instrumentCount: Int, parameters: SizingParameters = SizingParameters(), volatility: VolatilityParameters,
    in arena: Arena
  ) throws(ConfigurationError) {
    guard instrumentCount > 0 else {
      throw ConfigurationError("sizing: \(instrumentCount) instruments, 1 or more expected")
    }
    try parameters.validate()
    self.parameters = parameters
    self.volatility = VolatilityFilter(instrumentCount: instrumentCount, parameters: volatility, in: arena)
    let usesMeans = parameters.preset == .continuous
    means = ReturnWindow(
      instrumentCount: usesMeans ? instrumentCount : 1, length: usesMeans ? Int(parameters.meanBars) : 1, in: arena)
  }

  /// Every intermediate of the last `size`; those it did not reach are 0.
  @inlinable public var record: SizingRecord { lastRecord }

  /// Puts back the record of the last decision, after a dry run.
  @inlinable public mutating func restore(_ record: SizingRecord) { lastRecord = record }

  /// Takes the next primary bar's return of `id`, in percent; gives the variance forecast for the bar after it, percent².
  ///
  /// The same number is slot 48. See `VolatilityFilter.step`. Under the continuous preset the return also enters the mean.
  @inlinable public mutating func stepVolatility(_ id: InstrumentID, returnPercent: Double) -> Double {
    if parameters.preset == .continuous { means.step(id, returnPercent: returnPercent) }
    return volatility.step(id, returnPercent: returnPercent)
  }

  /// The order that takes the position of `inputs` to what `signal` is worth, or why there is none.
  ///
  /// Without a usable input, or too few past returns for the continuous preset, there is no order. A signal without an edge has the target 0: it closes what is open, whatever the liquidity. The no-trade band holds back every order but one
  /// that closes the position. The order is an immediate-or-cancel limit order at the opposite best price (plus
  /// `limitTicks`); it is an exit when it only reduces the position, open reducing orders counted.
  ///
  /// The target is valued at the least favourable of the order's limit and the quotes, so that its notional at any price it
  /// can trade at, or that is quoted, stays within the caps.
  ///
  /// - Precondition: `inputs.instrument.id` is below the number of instruments.
  @inlinable public mutating func size(_ signal: RegimeSignal, _ inputs: borrowing SizingInputs) -> SizingOutcome {
    lastRecord = SizingRecord()
    lastRecord.variance = volatility.variance(of: inputs.instrument.id)
    guard isSound(signal, inputs) else { return .noSize(.badInput) }
    lastRecord.preset = parameters.preset
    switch parameters.preset {
    case .table: setTableFraction(signal, inputs)
    case .continuous:
      // What cannot be computed is no reason to close either.
      guard setContinuousFraction(signal, inputs) else { return .noSize(lastRecord.nothing) }
    }
    guard lastRecord.fraction.isFinite else { return .noSize(.badInput) }

    let isLong = signal.signal > 0
    guard setNotional(isLong, inputs) else { return .noSize(.badInput) }
    if lastRecord.notional > .zero {
      let reference = isLong ? limitPrice(.buy, inputs) : shortReference(inputs)
      guard reference > .zero else { return .noSize(.noQuote) }
      lastRecord.referencePrice = reference
      guard applyLeverage(isLong, inputs, reference) else { return .noSize(.badInput) }
      setTarget(isLong, inputs, reference)
      if lastRecord.notional > .zero { lastRecord.nothing = .belowOneLot }
      applyVolume(inputs)
    }
    return order(inputs)
  }

  /// Whether every input is a number in its range: what NaN fails.
  @inlinable func isSound(_ signal: RegimeSignal, _ inputs: borrowing SizingInputs) -> Bool {
    let lotsMax: Int64 = 1 << 60
    // Guards, because a borrowed argument cannot enter the closure behind `&&`.
    guard signal.signal.magnitude <= 100, signal.confidence >= 0, signal.confidence <= 1,
      signal.directionProbability >= 0, signal.directionProbability <= 1,
      inputs.policy.sizeFactor >= 0, inputs.policy.sizeFactor <= 1000,
      inputs.policy.leverageMax >= 0, inputs.policy.leverageMax <= 1000,
      inputs.openBuy.lots >= 0, inputs.openBuy.lots <= lotsMax,
      inputs.openSell.lots >= 0, inputs.openSell.lots <= lotsMax,
      inputs.position.lots <= lotsMax, inputs.position.lots >= -lotsMax,
      inputs.equity.nanos < Int128(1) << 90, inputs.equity.nanos > -(Int128(1) << 90),
      inputs.instrument.averageDailyVolume.lots <= lotsMax,
      inputs.otherExposure >= .zero, inputs.otherExposure.nanos <= Int128(1) << 100
    else { return false }
    return true
  }
}
