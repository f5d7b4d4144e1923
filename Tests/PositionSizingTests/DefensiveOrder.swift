import LockFreeRings
import PositionSizing
import TradingTypes

/// The property a sizer must have: nothing for the worse makes a position larger.
///
/// Draws cases, sizes each as it is and once for each thing that gets worse, and says where target or position grew.
struct DefensiveOrder: ~Copyable {
  /// What a test may put between the cases and the sizer: a planted fault.
  enum Fault: CaseIterable {
    case none, flippedVIX, flippedVolatility, flippedConfidence, flippedModes, flippedDrawdown
  }

  static let pairs = 256

  var sizer: PositionSizer
  var random: SplitMix64
  let fault: Fault
  // Made once: what a case is drawn from allocates nothing.
  let symbol = Symbol("AAA")!
  private(set) var held = 0
  private(set) var traded = 0

  /// Sizers of instruments in pairs: equal past returns, the second the more volatile.
  init(_ parameters: SizingParameters, seed: UInt64, fault: Fault = .none) throws {
    var random = SplitMix64(seed: seed)
    var sizer = try PositionSizer(
      instrumentCount: 2 * Self.pairs, parameters: parameters,
      volatility: VolatilityParameters(omega: 1, alpha: 0, beta: 0), in: Arena(capacityBytes: 8 << 20))
    let volatilities = (0..<Self.pairs).map { _ in
      let annual = 0.02 + random.unit()
      return [annual, annual + random.unit() * random.unit()]
    }
    let models = try volatilities.flatMap(\.self).map { annual in
      try VolatilityParameters(omega: annual * annual * 1e4 / parameters.barsPerYear, alpha: 0, beta: 0)
    }
    for (index, model) in models.enumerated() {
      let id = InstrumentID(index: UInt32(index))
      let mean = 0.02 * (Double(index / 2 % 50) / 50 - 0.3)
      for _ in 0..<250 { _ = sizer.stepVolatility(id, returnPercent: mean) }
      sizer.volatility.restart(id, with: model)
    }
    self.random = random
    self.fault = fault
    self.sizer = sizer
  }

  /// Parameters with all rules on, and different ones for each seed.
  static func parameters(_ preset: SizingPreset, seed: UInt64) -> SizingParameters {
    var random = SplitMix64(seed: seed)
    var parameters = SizingParameters()
    parameters.preset = preset
    parameters.continuous.allowsShort = true
    parameters.continuous.periodsPerYear = parameters.barsPerYear
    parameters.equityShareMillionths = [20_000, 1_000_000][random.below(2)]
    parameters.noTradeLots = Int64(random.below(4))
    parameters.noTradeShareMillionths = Int64(random.below(3)) * 50_000
    parameters.limitTicks = Int64(random.below(3))
    parameters.volumeShareMillionths = Int64(random.below(2)) * 100
    parameters.displayShareMillionths = Int64(random.below(2)) * 250_000
    parameters.spreadMillionthsMax = Int64(random.below(2)) * 500
    return parameters
  }

  private mutating func drawInputs(_ id: InstrumentID) -> SizingInputs {
    let bid = Int64(200 + random.below(20_000))
    var quote = BestQuote()
    func level(_ cents: Int64, _ lots: Int) -> DepthLevel {
      DepthLevel(price: Price(nanos: cents * 10_000_000), quantity: Quantity(lots: Int64(lots)))
    }
    quote.bid = level(bid, random.below(500))
    quote.ask = level(bid + Int64(random.below(12)), random.below(500))
    quote.state = .normal
    var terms = Instrument(id: id, symbol: symbol, averageDailyVolume: Quantity(lots: Int64(random.below(2_000_000))))
    if random.below(4) == 0 { terms.flags = [.tradable] }
    let equity = Money(units: Int64(1 + random.below(2_000_000)))
    var inputs = SizingInputs(
      instrument: terms, policy: .standard(PolicyMode(rawValue: UInt8(random.below(3)))!), equity: equity,
      peakEquity: Money(nanos: equity.nanos + equity.nanos * Int128(random.below(250)) / 1000), quote: quote,
      vix: 5 + 60 * random.unit(), time: Timestamp(nanoseconds: 1_000))
    if random.below(2) == 0 { inputs.position = Quantity(lots: Int64(random.below(200)) - 100) }
    if random.below(4) == 0 { inputs.openBuy = Quantity(lots: Int64(random.below(100))) }
    if random.below(4) == 0 { inputs.openSell = Quantity(lots: Int64(random.below(100))) }
    // Unusable for the case as it is and for what is worse alike: a VIX that goes missing has a rule of its own.
    if random.below(8) == 0 { inputs.vixAge = TimeSpan(nanoseconds: .max) }
    inputs.otherExposure = Money(units: Int64(random.below(4_000_000)))
    inputs.openPositions = Int64(random.below(35))
    return inputs
  }

  /// Target, and the position after the order and those that are open, in the direction of the signal.
  private mutating func measure(_ signal: RegimeSignal, _ inputs: SizingInputs) -> (target: Int64, position: Int64) {
    var (signal, inputs) = (signal, inputs)
    switch fault {
    case .none: break
    case .flippedVIX: inputs.vix = 130 - inputs.vix
    case .flippedVolatility:
      inputs.instrument.id = InstrumentID(index: inputs.instrument.id.index ^ 1)
    case .flippedConfidence: signal.confidence = 1 - signal.confidence
    case .flippedModes:
      inputs.policy.sizeFactor = 2 - inputs.policy.sizeFactor
      inputs.policy.positionNotionalMax = Money(units: 100_000)
    case .flippedDrawdown: inputs.peakEquity = Money(nanos: inputs.equity.nanos * 9 / 4 - inputs.peakEquity.nanos)
    }
    let outcome = sizer.size(signal, inputs)
    let sign: Int64 = signal.signal < 0 ? -1 : 1
    var position = Self.expectedLots(inputs)
    if case .intent(let intent) = outcome {
      position += intent.side.sign * intent.quantity.lots
      traded += 1
    }
    held += sizer.record.target.lots != 0 ? 1 : 0
    return (sign * sizer.record.target.lots, sign * position)
  }

  /// The position once what is open has traded.
  private static func expectedLots(_ inputs: SizingInputs) -> Int64 {
    inputs.position.lots + inputs.openBuy.lots - inputs.openSell.lots
  }

  /// The first of `count` cases in which something for the worse makes a target or a position larger; nil where there is none.
  mutating func firstFailure(of count: Int) -> String? {
    for index in 0..<count {
      let id = InstrumentID(index: UInt32(2 * random.below(Self.pairs)))
      var inputs = drawInputs(id)
      let value = 2.4 * (random.unit() - 0.5)
      let signal = RegimeSignal(
        regime: .bull, probability: 1, signal: value, confidence: random.unit(),
        directionProbability: 0.35 + 0.6 * random.unit())
      // A position on the other side is not made larger or smaller by a smaller target; only targets are compared then.
      let expected = Self.expectedLots(inputs)
      let isComparable = expected == 0 || (expected > 0) == (value > 0)
      if random.below(8) == 0 { inputs.openPositions = inputs.policy.openPositionsMax - 1 }
      let base = measure(signal, inputs)
      for kind in 0..<9 {
        var worse = inputs
        var weaker = signal
        switch kind {
        case 0: worse.vix += (200 - worse.vix) * random.unit() * random.unit()
        case 1: worse.instrument.id = InstrumentID(index: id.index + 1)
        case 2: weaker.confidence *= random.unit()
        case 3:
          guard let mode = PolicyMode(rawValue: inputs.policy.mode.rawValue + 1) else { continue }
          worse.policy = .standard(mode)
        case 4: worse.peakEquity.nanos += worse.equity.nanos * Int128(random.below(100)) / 1000
        case 5: worse.otherExposure += Money(units: Int64(random.below(1_000_000)))
        case 6:
          worse.instrument.averageDailyVolume.lots = Int64(
            Double(worse.instrument.averageDailyVolume.lots) * random.unit())
        case 7:
          worse.quote.ask.quantity.lots = Int64(random.below(Int(worse.quote.ask.quantity.lots) + 1))
          worse.quote.bid.quantity.lots = Int64(random.below(Int(worse.quote.bid.quantity.lots) + 1))
          // A side that is gone cannot be traded, which may leave a larger position open.
          guard worse.quote.ask.quantity.lots > 0, worse.quote.bid.quantity.lots > 0 else { continue }
        default:
          if value > 0 {
            worse.quote.bid.price.nanos -= 10_000_000 * Int64(random.below(10))
          } else {
            worse.quote.ask.price.nanos += 10_000_000 * Int64(random.below(10))
          }
        }
        let now = measure(weaker, worse)
        // In the direction of the signal: a target is never on the other side.
        guard now.target <= base.target, now.target >= 0, !isComparable || now.position <= base.position else {
          return "case \(index), kind \(kind): target \(base.target) -> \(now.target), "
            + "position \(base.position) -> \(now.position)\n\(signal)\n\(inputs)\n\(worse)"
        }
      }
    }
    return nil
  }
}
