import CAllocationCounter
import Foundation
import LockFreeRings
import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: the table preset gives exactly the lots its page says, and no change for the worse makes a position larger.
// Method: cases worked out by hand, a plain twin over seeded inputs, and monotonicity over seeded inputs.
@Suite struct PositionSizerTests {
  let first = InstrumentID(index: 0)
  let arena = Arena(capacityBytes: 1 << 20)

  /// A sizer whose variance forecast is `annual` volatility squared: ω alone, so that it stays there.
  func sizer(annual: Double = 0.10, parameters: SizingParameters = SizingParameters()) throws -> PositionSizer {
    try PositionSizer(
      instrumentCount: 1, parameters: parameters,
      volatility: VolatilityParameters(omega: (annual * 100) * (annual * 100) / 98_280, alpha: 0, beta: 0),
      in: arena)
  }

  func inputs(
    bid: Int64 = 9_999, ask: Int64 = 10_000, equity: Int64 = 1_000_000, vix: Double = 20, mode: PolicyMode = .normal
  ) -> SizingInputs {
    var quote = BestQuote()
    quote.bid = DepthLevel(price: Price(nanos: bid * 10_000_000), quantity: Quantity(lots: 500))
    quote.ask = DepthLevel(price: Price(nanos: ask * 10_000_000), quantity: Quantity(lots: 500))
    quote.state = .normal
    return SizingInputs(
      instrument: Instrument(id: first, symbol: Symbol("AAA")!), policy: .standard(mode), equity: Money(units: equity),
      quote: quote, vix: vix, time: Timestamp(nanoseconds: 1_000), causeSequence: 42,
      nextClientOrderID: ClientOrderID(value: 7))
  }

  func signal(_ value: Double, _ confidence: Double = 0.5, direction: Double = 0.6) -> RegimeSignal {
    RegimeSignal(
      regime: .bull, probability: 1, signal: value, confidence: confidence, directionProbability: direction)
  }

  func intent(_ outcome: SizingOutcome) -> OrderIntent? {
    if case .intent(let intent) = outcome { return intent }
    return nil
  }

  func reason(_ outcome: SizingOutcome) -> SizingReason? {
    if case .noSize(let reason) = outcome { return reason }
    return nil
  }

  // p = 0.6, b = 1.5: Kelly = (0.9 − 0.4) / 1.5 = 1/3. A quarter is 1/12; × |0.4| × 0.5 = 1/60 of 600,000 = 10,000, which
  // is at most the 2 percent cap of 12,000 and the normal mode's 10,000.
  @Test func `a case by hand, long`() throws {
    var sizer = try sizer()
    let outcome = sizer.size(signal(0.4), inputs(equity: 300_000))
    let record = sizer.record
    #expect(abs(record.kelly - 1.0 / 3) < 1e-15)
    #expect(record.vixFactor == 1 && record.isVIXUsable && record.volatilityFactor == 1)
    #expect(abs(record.volatilityAnnual - 0.10) < 1e-15)
    #expect(abs(record.fraction - 1.0 / 60) < 1e-16)
    // 5,000 currency at 100 each: 49 or 50 lots, and the product lies a hair below 5,000.
    #expect(record.cap == .none)
    #expect(record.target.lots == Int64((record.fraction * 300_000 / 100).rounded(.down)))
    let order = try #require(intent(outcome))
    #expect(order.quantity == record.target && order.side == .buy)
    #expect(order.price == Price(nanos: 100_000_000_000))
    #expect(order.type == .limit && order.timeInForce == .immediateOrCancel && !order.isExit)
    #expect(order.clientOrderID.value == 7 && order.causeSequence == 42 && order.time.nanoseconds == 1_000)
  }

  private struct GoldenBinary: Decodable {
    struct Case: Decodable {
      let p: Double
      let b: Double
      let a: Double
      let f_clamped: Double
    }
    let binary: [Case]
  }

  @Test(.enabled(if: SharedData.file("golden/kelly.json") != nil, "shared golden files are missing"))
  func `the Kelly fraction equals the golden one where a lost trade costs one`() throws {
    let golden = try JSONDecoder().decode(
      GoldenBinary.self, from: Data(contentsOf: SharedData.file("golden/kelly.json")!))
    let cases = golden.binary.filter { $0.a == 1 }
    #expect(cases.count >= 5)
    for golden in cases {
      var parameters = SizingParameters()
      parameters.payoff = golden.b
      var sizer = try sizer(parameters: parameters)
      _ = sizer.size(signal(0.4, direction: golden.p), inputs())
      #expect(abs(sizer.record.kelly - golden.f_clamped) <= 1e-12, "p \(golden.p) b \(golden.b)")
    }
  }

  @Test(
    arguments: [
      // VIX, annual volatility, mode, factor of 1/60 × equity.
      (12.0, 0.10, PolicyMode.normal, 1.2), (15, 0.10, .normal, 1), (25, 0.10, .normal, 1), (25.01, 0.10, .normal, 0.7),
      (30, 0.10, .normal, 0.7), (30.01, 0.10, .normal, 0.5), (200, 0.10, .normal, 0.5), (20, 0.30, .normal, 0.5),
      (20, 0.60, .normal, 0.25), (20, 0.10, .aggressive, 1.5), (20, 0.10, .defensive, 0.7),
      (40, 0.30, .defensive, 0.175),
      // Unusable: factor 1 and the volatility a quarter higher; 0.15 / (0.24 × 1.25) = 0.5.
      (.nan, 0.24, .normal, 0.5), (0, 0.24, .normal, 0.5), (-3, 0.24, .normal, 0.5), (201, 0.24, .normal, 0.5),
      (.infinity, 0.24, .normal, 0.5), (.nan, 0.10, .normal, 1),
    ] as [(Double, Double, PolicyMode, Double)])
  func `the factors of the table`(vix: Double, annual: Double, mode: PolicyMode, factor: Double) throws {
    var sizer = try sizer(annual: annual)
    _ = sizer.size(signal(0.4), inputs(vix: vix, mode: mode))
    #expect(abs(sizer.record.fraction - factor / 60) < 1e-15)
  }

  @Test func `a stale or future VIX is unusable`() throws {
    var sizer = try sizer(annual: 0.24)
    for age in [SizingParameters().vixAgeMax + 1, TimeSpan(nanoseconds: -1)] {
      var inputs = inputs(vix: 40)
      inputs.vixAge = age
      _ = sizer.size(signal(0.4), inputs)
      #expect(!sizer.record.isVIXUsable)
      #expect(abs(sizer.record.fraction - 0.5 / 60) < 1e-15)
    }
  }

  @Test func `each cap decides in its turn`() throws {
    var sizer = try sizer()
    // 1.2 × 0.9 / 12 = 9 percent wanted of 100,000: 2 percent are 2,000.
    _ = sizer.size(signal(1.2, 0.9), inputs(equity: 100_000))
    #expect(sizer.record.cap == .equityShare && sizer.record.target.lots == 20)
    _ = sizer.size(signal(1.2, 0.9), inputs(equity: 10_000_000))
    #expect(sizer.record.cap == .positionNotional && sizer.record.target.lots == 100)
    // Leverage 5 × 100,000 with 499,000 in others leaves 1,000.
    var crowded = inputs(equity: 100_000)
    crowded.otherExposure = Money(units: 499_000)
    _ = sizer.size(signal(1.2, 0.9), crowded)
    #expect(sizer.record.cap == .leverage && sizer.record.target.lots == 10)
    crowded.otherExposure = Money(units: 600_000)
    let outcome = sizer.size(signal(1.2, 0.9), crowded)
    #expect(reason(outcome) == .noEdge && sizer.record.notional == .zero)
    // 10 lots of its own are not in its way.
    crowded.otherExposure = Money(units: 499_000)
    crowded.position = Quantity(lots: 10)
    _ = sizer.size(signal(1.2, 0.9), crowded)
    #expect(sizer.record.target.lots == 10)
    // Nor is what is open to make it; but 10 that are sold may not trade, and then 10 more would be 20.
    crowded.openBuy = Quantity(lots: 5)
    _ = sizer.size(signal(1.2, 0.9), crowded)
    #expect(sizer.record.target.lots == 10)
    (crowded.openBuy, crowded.openSell) = (.zero, Quantity(lots: 10))
    #expect(reason(sizer.size(signal(1.2, 0.9), crowded)) == .atTarget && sizer.record.target == .zero)
  }

  @Test func `a short is valued at the ask and sold at the bid`() throws {
    var sizer = try sizer()
    // 20 of 2,000 at 100.00 the ask; at the bid of 50.00 they would be 40.
    let outcome = sizer.size(signal(-1.2, 0.9), inputs(bid: 5_000, equity: 100_000))
    let order = try #require(intent(outcome))
    #expect(order.side == .sell && order.quantity.lots == 20 && order.price == Price(nanos: 50_000_000_000))
    #expect(sizer.record.target.lots == -20)
  }

  @Test func `the limit goes the configured ticks through the quote`() throws {
    var parameters = SizingParameters()
    parameters.limitTicks = 3
    var sizer = try sizer(parameters: parameters)
    let buy = try #require(intent(sizer.size(signal(1.2, 0.9), inputs())))
    #expect(buy.price == Price(nanos: 100_030_000_000))
    let sell = try #require(intent(sizer.size(signal(-1.2, 0.9), inputs())))
    #expect(sell.price == Price(nanos: 99_960_000_000))
    // Across the threshold of 1.00: two steps of a cent down to it, then one of a hundredth of a cent.
    let edge = try #require(intent(sizer.size(signal(-1.2, 0.9), inputs(bid: 102, ask: 103))))
    #expect(edge.price == Price(nanos: 999_900_000))
  }

  @Test func `what is open counts, and an exit is one only when it only reduces`() throws {
    var sizer = try sizer()
    var held = inputs(equity: 100_000)
    held.position = Quantity(lots: 30)
    let reduce = try #require(intent(sizer.size(signal(1.2, 0.9), held)))
    #expect(reduce.side == .sell && reduce.quantity.lots == 10 && reduce.isExit)
    held.openSell = Quantity(lots: 10)
    #expect(reason(sizer.size(signal(1.2, 0.9), held)) == .atTarget)
    held.openSell = Quantity(lots: 4)
    let rest = try #require(intent(sizer.size(signal(1.2, 0.9), held)))
    #expect(rest.quantity.lots == 6 && rest.isExit)
    let flip = try #require(intent(sizer.size(signal(-1.2, 0.9), held)))
    #expect(flip.quantity.lots == 46 && flip.side == .sell && !flip.isExit)
    let close = try #require(intent(sizer.size(signal(0), held)))
    #expect(close.quantity.lots == 26 && close.isExit)
    held.openSell = .zero
    held.openBuy = Quantity(lots: 5)
    let both = try #require(intent(sizer.size(signal(0), held)))
    #expect(both.quantity.lots == 35 && !both.isExit, "the open buy has not filled yet")
    held.openBuy = Quantity(lots: 3)
    held.openSell = Quantity(lots: 4)
    let crowded = try #require(intent(sizer.size(signal(0), held)))
    #expect(crowded.quantity.lots == 29 && !crowded.isExit, "with the open sell it could sell 33 of 30")
  }

  @Test func `reasons for no order`() throws {
    var parameters = SizingParameters()
    parameters.noTradeLots = 5
    parameters.noTradeShareMillionths = 500_000
    var sizer = try sizer(parameters: parameters)
    #expect(reason(sizer.size(signal(0.4, direction: 0.4), inputs())) == .noEdge)
    #expect(reason(sizer.size(signal(0.4), inputs(equity: 1_000))) == .belowOneLot)
    #expect(reason(sizer.size(signal(0.4), inputs(equity: -1_000))) == .noEdge)
    #expect(reason(sizer.size(signal(1.2, 0.9), inputs(equity: 20_000))) == .withinBand, "4 lots, band 5")
    var held = inputs(equity: 100_000)
    held.position = Quantity(lots: 10)
    #expect(reason(sizer.size(signal(1.2, 0.9), held)) == .withinBand, "10 of 20 lots, band half")
    held.position = Quantity(lots: 9)
    #expect(intent(sizer.size(signal(1.2, 0.9), held))?.quantity.lots == 11)
    held.position = Quantity(lots: 3)
    #expect(intent(sizer.size(signal(0), held))?.quantity.lots == 3, "closing passes the band")
    var full = inputs()
    full.openPositions = 20
    #expect(reason(sizer.size(signal(0.4), full)) == .openPositionsMax)
    full.position = Quantity(lots: 1)
    #expect(intent(sizer.size(signal(0.4), full)) != nil)
    var empty = inputs()
    empty.quote = BestQuote()
    #expect(reason(sizer.size(signal(0.4), empty)) == .noQuote)
    #expect(reason(sizer.size(signal(-0.4), empty)) == .noQuote)
    empty.position = Quantity(lots: 10)
    #expect(reason(sizer.size(signal(0), empty)) == .noQuote)
    var round = inputs(equity: 100_000)
    round.instrument.flags = .tradable
    #expect(reason(sizer.size(signal(1.2, 0.9), round)) == .belowOrderMinimum, "20 lots, round lot 100")
    var large = inputs()
    large.instrument.orderQuantityMax = Quantity(lots: 30)
    #expect(intent(sizer.size(signal(1.2, 0.9), large))?.quantity.lots == 30)
  }

  @Test func `no input that is not a number becomes an order`() throws {
    var sizer = try sizer()
    for bad in [Double.nan, .infinity, -.infinity] {
      #expect(reason(sizer.size(signal(bad), inputs())) == .badInput)
      #expect(reason(sizer.size(signal(0.4, bad), inputs())) == .badInput)
      #expect(reason(sizer.size(signal(0.4, direction: bad), inputs())) == .badInput)
      var policy = inputs()
      policy.policy.sizeFactor = bad
      #expect(reason(sizer.size(signal(0.4), policy)) == .badInput)
      policy = inputs()
      policy.policy.leverageMax = bad
      #expect(reason(sizer.size(signal(0.4), policy)) == .badInput)
    }
    var extreme = inputs()
    extreme.equity = .max
    #expect(reason(sizer.size(signal(0.4), extreme)) == .badInput)
    extreme = inputs()
    extreme.position = Quantity(lots: .min)
    #expect(reason(sizer.size(signal(0.4), extreme)) == .badInput)
    extreme = inputs()
    extreme.quote.ask.price = Price(nanos: .max)
    #expect(reason(sizer.size(signal(0.4), extreme)) == .noQuote)
    // 2^60 lots at nearly 2^61 times 2^6, beside 2^100: a difference of these has no place in 128 bits.
    extreme = inputs()
    extreme.quote.ask.price = Price(nanos: (1 << 61) - 1)
    extreme.instrument.contractMultiplier = 64
    extreme.openSell = Quantity(lots: 1 << 60)
    extreme.otherExposure = Money(nanos: 1 << 100)
    #expect(reason(sizer.size(signal(0.4), extreme)) == .badInput)
    extreme = inputs()
    extreme.instrument.contractMultiplier = .max
    #expect(reason(sizer.size(signal(0.4), extreme)) == .belowOneLot)
  }

  @Test func `bad configuration is named`() {
    let changes: [(inout SizingParameters) -> Void] = [
      { $0.payoff = 0 }, { $0.payoff = .nan }, { $0.kellyFraction = -0.1 }, { $0.kellyFraction = 1.1 },
      { $0.volatilityTargetAnnual = 0 }, { $0.barsPerYear = .infinity }, { $0.volatilityPenaltyWithoutVIX = 0.9 },
      { $0.vixLow = 26 }, { $0.vixHighFactor = 0.8 }, { $0.vixLowFactor = 0.9 }, { $0.vixMax = .infinity },
      { $0.equityShareMillionths = 1_000_001 }, { $0.noTradeLots = -1 }, { $0.noTradeShareMillionths = -1 },
      { $0.limitTicks = 101 }, { $0.vixAgeMax = TimeSpan(nanoseconds: -1) }, { $0.volumeShareMillionths = 1_000_001 },
      { $0.displayShareMillionths = -1 }, { $0.spreadMillionthsMax = -1 }, { $0.meanBars = 513 },
      { $0.meanBarsMin = 0 },
      { $0.meanBarsMin = 251 },
      {
        $0.preset = .continuous
        $0.continuous.drawdownMax = 1
      },
    ]
    for (index, change) in changes.enumerated() {
      var parameters = SizingParameters()
      change(&parameters)
      #expect(throws: ConfigurationError.self, "case \(index)") { try parameters.validate() }
    }
  }

  @Test(.enabled(if: countsAllocations)) func `sizing and stepping allocate nothing`() throws {
    var sizer = try sizer()
    let inputs = inputs()
    var lots: Int64 = 0
    func work() {
      for step in 0..<1000 {
        _ = sizer.stepVolatility(first, returnPercent: Double(step % 7) / 10)
        if case .intent(let intent) = sizer.size(signal(Double(step % 5) / 4 - 0.5), inputs) {
          lots += intent.quantity.lots
        }
      }
    }
    work()
    let counts = counting { work() }
    #expect(counts.allocations == 0, "lots \(lots)")
  }
}

private func + (span: TimeSpan, nanoseconds: Int64) -> TimeSpan {
  TimeSpan(nanoseconds: span.nanoseconds + nanoseconds)
}
