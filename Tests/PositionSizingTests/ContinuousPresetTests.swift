import LockFreeRings
import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: the continuous preset is a sizer like the table: the same orders, caps and reasons, every step of it in the record.
// Method: the golden path through the sizer, cases by hand, and the formulas in plain floating point over seeded inputs.
@Suite struct ContinuousPresetTests {
  let first = InstrumentID(index: 0)

  private func parameters(_ change: (inout SizingParameters) -> Void = { _ in }) -> SizingParameters {
    var parameters = SizingParameters()
    parameters.preset = .continuous
    parameters.equityShareMillionths = 1_000_000
    parameters.continuous.allowsShort = true
    change(&parameters)
    return parameters
  }

  /// A sizer that saw `bars` returns of `mean` percent and forecasts 1 percent a period.
  private func sizer(_ parameters: SizingParameters, mean: Double = 0.02, bars: Int = 250) throws -> PositionSizer {
    var sizer = try PositionSizer(
      instrumentCount: 1, parameters: parameters, volatility: VolatilityParameters(omega: 1, alpha: 0, beta: 0),
      in: Arena(capacityBytes: 1 << 20))
    for _ in 0..<bars { _ = sizer.stepVolatility(first, returnPercent: mean) }
    return sizer
  }

  private func inputs(equity: Int64 = 100_000, peak: Int64? = nil, vix: Double = 10) -> SizingInputs {
    var quote = BestQuote()
    quote.bid = DepthLevel(price: Price(nanos: 99_990_000_000), quantity: Quantity(lots: 500))
    quote.ask = DepthLevel(price: Price(nanos: 100_000_000_000), quantity: Quantity(lots: 500))
    var inputs = SizingInputs(
      instrument: Instrument(id: first, symbol: Symbol("AAA")!), policy: .standard(.normal),
      equity: Money(units: equity), peakEquity: Money(units: peak ?? equity), quote: quote, vix: vix,
      time: Timestamp(nanoseconds: 1_000))
    inputs.policy.positionNotionalMax = Money(units: 1 << 40)
    return inputs
  }

  private func signal(_ value: Double, _ confidence: Double = 1) -> RegimeSignal {
    RegimeSignal(regime: .bull, probability: 1, signal: value, confidence: confidence, directionProbability: 0.6)
  }

  private func reason(_ outcome: SizingOutcome) -> SizingReason? {
    if case .noSize(let reason) = outcome { return reason }
    return nil
  }

  // Mean 0.02 %, volatility 1 %: Kelly 2, shrinkage 250 · 0.02² / (1 + 250 · 0.02²) = 1/11, half of it: 1/11 again. Times |0.5| and 0.8.
  @Test func `a case by hand, and its record`() throws {
    var sizer = try sizer(parameters())
    let outcome = sizer.size(signal(0.5, 0.8), inputs())
    let record = sizer.record
    #expect(record.preset == .continuous && record.observations == 250)
    #expect(abs(record.meanPercent - 0.02) < 1e-12)
    #expect(abs(record.kelly - 2) < 1e-9 && abs(record.continuous.shrinkage - 1.0 / 11) < 1e-9)
    #expect(record.continuous.volatility == 0.01 && record.isVIXUsable)
    #expect(abs(record.volatilityAnnual - 0.01 * 252.0.squareRoot()) < 1e-12)
    #expect(record.signalSize == 0.5 && record.confidence == 0.8 && record.modeFactor == 1)
    #expect(record.continuous.drawdownMultiplier == 1 && record.continuous.cap == .none && record.cap == .none)
    #expect(abs(record.fraction - 0.4 / 11) < 1e-9)
    // 3,636 of 100,000 at 100 each.
    guard case .intent(let order) = outcome else { return #expect(Bool(false), "\(outcome)") }
    #expect(order.quantity.lots == 36 && order.side == .buy && record.target.lots == 36)
  }

  @Test func `forecast and past must agree, and shorts must be allowed`() throws {
    var rising = try sizer(parameters())
    #expect(reason(rising.size(signal(-0.5), inputs())) == .negativeEdge)
    #expect(rising.record.continuous.fraction < 0 && rising.record.fraction == 0)
    var falling = try sizer(parameters(), mean: -0.02)
    #expect(reason(falling.size(signal(0.5), inputs())) == .negativeEdge)
    guard case .intent(let short) = falling.size(signal(-0.5, 0.8), inputs()) else { return #expect(Bool(false)) }
    #expect(short.side == .sell && short.quantity.lots == 36)
    var forbidden = try sizer(parameters { $0.continuous.allowsShort = false }, mean: -0.02)
    #expect(reason(forbidden.size(signal(-0.5), inputs())) == .negativeEdge)
    // What is held closes.
    var holding = inputs()
    holding.position = Quantity(lots: -10)
    guard case .intent(let closing) = forbidden.size(signal(-0.5), holding) else { return #expect(Bool(false)) }
    #expect(closing.side == .buy && closing.quantity.lots == 10 && closing.isExit)
  }

  @Test func `too few bars give no order, and close nothing`() throws {
    var early = try sizer(parameters { $0.meanBarsMin = 60 }, bars: 59)
    var holding = inputs()
    holding.position = Quantity(lots: 10)
    #expect(reason(early.size(signal(0.5), holding)) == .noHistory)
    #expect(early.record.observations == 59)
    _ = early.stepVolatility(first, returnPercent: 0.02)
    #expect(reason(early.size(signal(0.5), inputs())) != .noHistory)
  }

  @Test func `the drawdown shrinks the position and at its limit closes it`() throws {
    var sizer = try sizer(parameters())
    _ = sizer.size(signal(0.5, 0.8), inputs(equity: 90_000, peak: 100_000))
    let multiplier = sizer.record.continuous.drawdownMultiplier
    #expect(abs(multiplier - 5.0 / 9) < 1e-12)
    #expect(abs(sizer.record.fraction - 0.4 / 11 * multiplier) < 1e-9)
    for peak in [125_000, 200_000, 0] as [Int64] {
      #expect(reason(sizer.size(signal(0.5), inputs(peak: peak))) == .drawdownStop, "\(peak)")
      var holding = inputs(peak: peak)
      holding.position = Quantity(lots: 10)
      guard case .intent(let closing) = sizer.size(signal(0.5), holding) else { return #expect(Bool(false)) }
      #expect(closing.side == .sell && closing.quantity.lots == 10 && closing.isExit)
    }
  }

  @Test func `the VIX counts where it is above the forecast, and its absence makes the volatility larger`() throws {
    var sizer = try sizer(parameters())
    for (vix, volatility) in [(40.0, 0.4 / 252.0.squareRoot()), (.nan, 0.0125), (0, 0.0125), (201, 0.0125), (5, 0.01)] {
      _ = sizer.size(signal(0.5), inputs(vix: vix))
      #expect(abs(sizer.record.continuous.volatility - volatility) < 1e-15, "\(vix)")
    }
    var old = inputs(vix: 40)
    old.vixAge = .seconds(901)
    _ = sizer.size(signal(0.5), old)
    #expect(sizer.record.continuous.volatility == 0.0125 && !sizer.record.isVIXUsable)
  }

  @Test(
    .enabled(if: GoldenKelly.isThere && SharedData.file("golden/vix.csv") != nil, "shared golden files are missing"))
  func `the golden path through the sizer`() throws {
    let returns = try GoldenPipeline.rows("sp500_returns.csv")
    let vix = Dictionary(uniqueKeysWithValues: try GoldenPipeline.rows("vix.csv").map { ($0.date, $0.value) })
    let golden = try GoldenPipeline.load().end_to_end
    let model = try VolatilityParameters(
      mean: golden.garch_params["mu"]!, omega: golden.garch_params["omega"]!, alpha: golden.garch_params["alpha"]!,
      beta: golden.garch_params["beta"]!, backcast: golden.backcast)
    var sizer = try PositionSizer(
      instrumentCount: 1, parameters: parameters { $0.continuous.allowsShort = false }, volatility: model,
      in: Arena(capacityBytes: 1 << 20))
    var (equity, peak, before, sum, most, zeros, days) = (1.0, 1.0, 0.0, 0.0, 0.0, 0, 0)
    for (date, value) in returns {
      _ = sizer.stepVolatility(first, returnPercent: value!)
      guard date >= "2014-01-03" else { continue }
      equity *= 1 + before * value! / 100
      peak = max(peak, equity)
      var inputs = inputs(vix: (vix[date] ?? nil) ?? .nan)
      inputs.equity = Money(nanos: Int128(equity * 1e18))
      inputs.peakEquity = Money(nanos: Int128(peak * 1e18))
      _ = sizer.size(signal(1), inputs)
      before = sizer.record.fraction
      sum += before
      most = max(most, before)
      zeros += before == 0 ? 1 : 0
      days += 1
    }
    #expect(days == golden.days && zeros == golden.days_zero)
    #expect(agrees(sum, golden.sum_f, 1e-9) && agrees(most, golden.max_f, 1e-9))
    #expect(agrees(equity, golden.final_equity, 1e-9))
  }

  @Test(arguments: Seeds.brief) func `the preset equals its formulas in plain numbers`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var held = 0
    for _ in 0..<40 {
      let mean = 0.3 * (random.unit() - 0.4)
      let parameters = parameters {
        $0.continuous.kellyFraction = random.unit()
        $0.continuous.leverageMax = 2 * random.unit()
        $0.continuous.volatilityTargetAnnual = 0.05 + 0.3 * random.unit()
        $0.continuous.vixScale = 0.5 + random.unit()
        $0.continuous.drawdownMax = 0.1 + 0.5 * random.unit()
        $0.equityShareMillionths = Int64(random.below(1_000_001))
      }
      var sizer = try sizer(parameters, mean: mean)
      for _ in 0..<20 {
        let vix = [Double.nan, 5 + 60 * random.unit()][random.below(2)]
        var inputs = inputs(peak: 100_000 + Int64(random.below(30_000)), vix: vix)
        inputs.policy.sizeFactor = 1.5 * random.unit()
        inputs.instrument.averageDailyVolume = Quantity(lots: 1_000_000)
        let signal = signal(2.4 * (random.unit() - 0.5), random.unit())
        _ = sizer.size(signal, inputs)

        let rule = parameters.continuous
        let sigmaVIX = vix.isNaN ? 0 : rule.vixScale * vix / 100 / 252.0.squareRoot()
        let sigma = vix.isNaN ? 0.0125 : max(0.01, sigmaVIX)
        let edge = mean / 100 * (signal.signal < 0 ? -1 : 1)
        let evidence = 250 * edge * edge / sigma / sigma
        var f = rule.kellyFraction * evidence / (1 + evidence) * edge / sigma / sigma
        f *= abs(signal.signal) * signal.confidence * inputs.policy.sizeFactor
        f = min(f, rule.volatilityTargetAnnual / 252.0.squareRoot() / sigma)
        let kept = 1 - rule.drawdownMax
        let (w, m) = (100_000.0, inputs.peakEquity.real)
        f *= min(1, max(0, (w - kept * m) / (w * (1 - kept))))
        f = max(0, min(f, rule.leverageMax))
        // The mean is an integer of 2^-40 percent, and a small one enters to the third power.
        #expect(abs(sizer.record.fraction - f) <= 1e-9 * max(f, 1e-2), "seed \(seed)")
        let notional = min(f, Double(parameters.equityShareMillionths) / 1e6) * w
        #expect(abs(Double(sizer.record.target.lots.magnitude) - (notional / 100).rounded(.down)) <= 1, "seed \(seed)")
        held += sizer.record.target.lots != 0 ? 1 : 0
      }
    }
    #expect(held > 50, "seed \(seed): \(held)")
  }
}
