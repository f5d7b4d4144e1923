import PositionSizing
import TradingTypes

/// The table preset as its page reads, step by step, in plain floating point with exact lots at the end.
struct ReferenceSizer {
  struct Answer: Equatable {
    var target: Int64
    var order: Int64
  }

  let parameters: SizingParameters

  /// Target and signed order lots (0 for none) at `variance`; `nil` for bad input.
  func answer(_ signal: RegimeSignal, _ inputs: SizingInputs, variance: Double) -> Answer? {
    let numbers = [signal.signal, signal.confidence, signal.directionProbability]
    guard numbers.allSatisfy(\.isFinite) else { return nil }
    let b = parameters.payoff
    let p = signal.directionProbability
    let q = 1 - p
    var f = 0.25 * max(0, (p * b - q) / b)
    var sigma = (variance * 98_280).squareRoot() / 100
    let isThere = inputs.vix.isFinite && inputs.vix > 0 && inputs.vix <= 200
    let isFresh = inputs.vixAge >= .zero && inputs.vixAge <= parameters.vixAgeMax
    if isThere && isFresh {
      if inputs.vix > 30 { f *= 0.5 } else if inputs.vix > 25 { f *= 0.7 } else if inputs.vix < 15 { f *= 1.2 }
    } else {
      sigma *= 1.25
    }
    f *= min(1, 0.15 / sigma)
    f *= abs(signal.signal)
    f *= signal.confidence
    f *= inputs.policy.sizeFactor

    let isLong = signal.signal > 0
    let tick = 10_000_000 * parameters.limitTicks
    let ask = inputs.quote.ask.price.nanos
    let bid = inputs.quote.bid.price.nanos
    let reference = isLong ? ask + tick : max(ask, bid)
    let lotValue = Double(reference) / 1e9 * Double(inputs.instrument.notionalMultiplier)
    let against = Double(isLong ? inputs.openSell.lots : inputs.openBuy.lots) * lotValue
    let equity = inputs.equity.real
    var notional = max(0, f * equity)
    notional = min(notional, max(0, equity * 0.02))
    notional = min(notional, inputs.policy.positionNotionalMax.real)
    notional = min(notional, max(0, inputs.policy.leverageMax * equity - inputs.otherExposure.real - against))
    let lots = Int64((notional / lotValue).rounded(.down))
    let target = isLong ? lots : -lots
    let difference = target - inputs.position.lots - inputs.openBuy.lots + inputs.openSell.lots
    let share = Int64(abs(Double(target)) * Double(parameters.noTradeShareMillionths) / 1e6)
    let band = max(parameters.noTradeLots, share)
    let isNew = inputs.position.lots == 0 && inputs.openBuy.lots == 0 && inputs.openSell.lots == 0
    if target != 0 && abs(difference) <= band { return Answer(target: target, order: 0) }
    if isNew && inputs.openPositions >= inputs.policy.openPositionsMax { return Answer(target: target, order: 0) }
    return Answer(target: target, order: difference)
  }
}
