import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: right everywhere, not only where someone looked. Method: seeded inputs against the plain twin, and properties.
extension PositionSizerTests {
  @Test(arguments: Seeds.brief) func `the sizer equals its plain twin`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var traded = 0
    for _ in 0..<2_000 {
      var parameters = SizingParameters()
      parameters.noTradeLots = Int64(random.below(4))
      parameters.noTradeShareMillionths = Int64(random.below(3)) * 50_000
      parameters.limitTicks = Int64(random.below(3))
      var sizer = try sizer(annual: 0.02 + random.unit(), parameters: parameters)
      let (signal, inputs) = draw(&random)
      let outcome = sizer.size(signal, inputs)
      let variance = sizer.record.variance
      let twin = ReferenceSizer(parameters: parameters).answer(signal, inputs, variance: variance)
      let expected = try #require(twin)
      // The twin's last product may round the other way exactly at a lot.
      #expect(abs(sizer.record.target.lots - expected.target) <= 1, "seed \(seed)")
      guard sizer.record.target.lots == expected.target else { continue }
      let order = intent(outcome)
      #expect((order.map { $0.side.sign * $0.quantity.lots } ?? 0) == expected.order, "seed \(seed)")
      traded += order == nil ? 0 : 1
    }
    #expect(traded > 500, "seed \(seed)")
  }

  private func draw(_ random: inout SplitMix64) -> (RegimeSignal, SizingInputs) {
    let bid = Int64(200 + random.below(20_000))
    var inputs = inputs(
      bid: bid, ask: bid + Int64(random.below(5)), equity: Int64(random.below(2_000_000)),
      vix: [Double.nan, 0, 12, 20, 27, 35][random.below(6)], mode: PolicyMode.allCases[random.below(3)])
    inputs.position = Quantity(lots: Int64(random.below(200)) - 100)
    if random.below(3) == 0 { inputs.position = .zero }
    if random.below(3) == 0 { inputs.openBuy = Quantity(lots: Int64(random.below(30))) }
    if random.below(3) == 0 { inputs.openSell = Quantity(lots: Int64(random.below(30))) }
    inputs.otherExposure = Money(units: Int64(random.below(4_000_000)))
    inputs.openPositions = Int64(random.below(35))
    let direction = 0.35 + 0.6 * random.unit()
    return (signal(2.4 * (random.unit() - 0.5), random.unit(), direction: direction), inputs)
  }

  @Test(arguments: Seeds.brief) func `nothing for the worse makes the target larger`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<1_000 {
      let annual = 0.02 + random.unit()
      var sizer = try sizer(annual: annual)
      var (signal, inputs) = draw(&random)
      inputs.vix = 10 + 25 * random.unit()
      _ = sizer.size(signal, inputs)
      let target = sizer.record.target.lots.magnitude
      func isNotLarger(_ what: String, _ sizer: borrowing PositionSizer) {
        let now = sizer.record.target.lots.magnitude
        #expect(now <= target, "seed \(seed): \(what)")
      }
      var worse = inputs
      worse.vix += 30 * random.unit()
      _ = sizer.size(signal, worse)
      isNotLarger("VIX up", sizer)
      var wilder = try self.sizer(annual: annual + random.unit())
      _ = wilder.size(signal, inputs)
      isNotLarger("volatility up", wilder)
      var doubtful = signal
      doubtful.confidence *= random.unit()
      _ = sizer.size(doubtful, inputs)
      isNotLarger("confidence down", sizer)
      signal.directionProbability *= random.unit()
      _ = sizer.size(signal, inputs)
      isNotLarger("probability down", sizer)
      if let mode = PolicyMode(rawValue: inputs.policy.mode.rawValue + 1) {
        worse = inputs
        worse.policy = .standard(mode)
        _ = sizer.size(signal, worse)
        isNotLarger("more defensive", sizer)
      }
      worse = inputs
      worse.otherExposure += Money(units: Int64(random.below(1_000_000)))
      _ = sizer.size(signal, worse)
      isNotLarger("more exposure", sizer)
    }
  }

  @Test(arguments: Seeds.brief) func `the target's value stays within every cap`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<1_000 {
      var sizer = try sizer(annual: 0.02 + random.unit())
      let (signal, inputs) = draw(&random)
      _ = sizer.size(signal, inputs)
      let record = sizer.record
      let high = max(inputs.quote.ask.price, inputs.quote.bid.price)
      let value = Money(notional: high, Quantity(lots: Int64(record.target.lots.magnitude)), multiplier: 1)!
      #expect(value <= inputs.policy.positionNotionalMax, "seed \(seed)")
      #expect(value.nanos * 50 <= max(0, inputs.equity.nanos), "seed \(seed)")
      #expect(value.real <= record.fraction * inputs.equity.real * (1 + 1e-12) + 1e-9, "seed \(seed)")
    }
  }

  @Test(arguments: Seeds.brief) func `the equity share and its lots are exact at every size`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var small = 0
    var large = 0
    for _ in 0..<1_000 {
      var parameters = SizingParameters()
      parameters.equityShareMillionths = Int64(random.below(100_000))
      var sizer = try sizer(annual: 0.02, parameters: parameters)
      var inputs = inputs(bid: 9_999, ask: Int64(10_000 + random.below(1_000)))
      // 13 to 83 bits: below and beyond what 64 bits hold.
      let word: UInt64 = random.next() >> 1 | 1 << 62
      inputs.equity = Money(nanos: (Int128(word) << 20) >> Int128(random.below(70)))
      inputs.policy.sizeFactor = 100
      inputs.policy.leverageMax = 1_000
      inputs.policy.positionNotionalMax = .max
      _ = sizer.size(signal(1, 1, direction: 0.95), inputs)
      let record = sizer.record
      let share = inputs.equity.nanos * Int128(parameters.equityShareMillionths) / 1_000_000
      #expect(record.cap == .equityShare && record.notional.nanos == share, "seed \(seed)")
      guard share > 0 else { continue }
      let lots = min(share / Int128(record.referencePrice.nanos), Int128(1) << 60)
      #expect(Int128(record.target.lots) == lots, "seed \(seed)")
      small += share < Int128(Int64.max) && lots > 0 ? 1 : 0
      large += share > Int128(Int64.max) ? 1 : 0
    }
    #expect(small > 50 && large > 50, "seed \(seed)")
  }
}
