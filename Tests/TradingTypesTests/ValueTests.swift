// Goal: the values that travel between stages hold what they promise. Method: layouts by size, every path of the order's life,
// every share of a split, every slot of the vector.
import TestSupport
import Testing
import TradingTypes

@Test func `messages and orders fit a cache line`() {
  #expect(MemoryLayout<MarketEvent>.size <= 64 && MemoryLayout<OrderIntent>.size <= 64)
  #expect(MemoryLayout<ChildOrder>.size <= 64 && MemoryLayout<ExecutionReport>.size <= 64)
}

@Test func `only kinds up to clear change a book`() {
  let changing = MarketEventKind.allCases.filter(\.changesBook)
  #expect(
    changing == [
      .addOrder, .executeOrder, .executeOrderAtPrice, .reduceOrder, .deleteOrder, .replaceOrder, .modifyOrder,
      .setLevel, .clearBook,
    ])
}

@Test func `slots count from 0 to 87 and their names are the schema`() {
  #expect(FeatureSlot.allCases.map(\.index) == Array(0..<88))
  #expect(Set(FeatureSlot.allCases.map(\.name)).count == 88)
  // A changed name or order breaks every trained model; this number may only change with the schema.
  var hash = FNV1a64()
  for byte in (FeatureSlot.allCases.map(\.name).joined(separator: "\0") + "\0").utf8 { hash.combine(byte) }
  #expect(FeatureSlot.schemaHash == hash.value)
}

@Test(arguments: Seeds.brief)
func `a mask is a set of slots`(seed: UInt64) {
  var random = SplitMix64(seed: seed)
  var mask = FeatureMask()
  var set: Set<Int> = []
  for _ in 0..<1000 {
    let slot = random.below(96)
    let isSet = random.below(2) == 0
    mask[slot] = isSet
    if isSet { set.insert(slot) } else { set.remove(slot) }
    #expect(mask[slot] == isSet, "seed \(seed)")
  }
  #expect((0..<96).filter { mask[$0] } == set.sorted(), "seed \(seed)")
  var part = FeatureMask()
  for slot in set.prefix(5) { part[slot] = true }
  #expect(mask.contains(part) && mask.contains(FeatureMask()), "seed \(seed)")
  let missing = (0..<96).first { !set.contains($0) }!
  part[missing] = true
  #expect(!mask.contains(part), "seed \(seed)")
  #expect(mask.hex.count == 24)
}

@Test func `a mask's digits have bit 0 rightmost`() {
  var mask = FeatureMask()
  mask[0] = true
  mask[95] = true
  #expect(mask.hex == "800000000000000000000001")
}

@Test func `a vector starts with nothing valid`() {
  var vector = FeatureVector()
  #expect((0..<96).allSatisfy { vector.values[$0] == 0 } && vector.valid == FeatureMask())
  vector[.vix] = 17
  #expect(vector.values[78] == 17 && vector[.vix] == 17)
}

@Test func `an order's life follows the picture and ends for good`() {
  let none = Quantity.zero
  let some = Quantity(lots: 5)
  #expect(OrderState.sent.after(.accepted, leaves: some) == .working)
  #expect(OrderState.sent.after(.filled, leaves: some) == .partlyFilled, "a fill may come before its ack")
  #expect(OrderState.partlyFilled.after(.accepted, leaves: some) == .partlyFilled)
  #expect(OrderState.working.after(.accepted, leaves: some) == nil)
  #expect(OrderState.working.after(.filled, leaves: none) == .filled)
  #expect(OrderState.partlyFilled.after(.cancelled, leaves: none) == .cancelled)
  #expect(OrderState.sent.after(.rejected, leaves: none) == .rejected)
  #expect(OrderState.working.after(.rejected, leaves: none) == nil)
  for state in OrderState.allCases where state.isFinal {
    for kind in ExecutionKind.allCases { #expect(state.after(kind, leaves: some) == nil, "\(state), \(kind)") }
  }
  #expect(OrderState.allCases.filter(\.isFinal) == [.filled, .cancelled, .rejected])
}

private func intent(lots: Int64 = 10) -> OrderIntent {
  OrderIntent(
    clientOrderID: ClientOrderID(value: 1), causeSequence: 9, time: Timestamp(nanoseconds: 5),
    instrument: InstrumentID(index: 2),
    side: .sell, price: Price(nanos: 7), quantity: Quantity(lots: lots))
}

@Test func `a plan holds eight children and refuses the ninth`() {
  let child = ChildOrder(
    part: intent(), clientOrderID: ClientOrderID(value: 2), venue: VenueID(index: 1), price: Price(nanos: 7),
    quantity: Quantity(lots: 3), isSweep: false)
  var plan = RoutePlan(filler: child)
  #expect(plan.count == 0 && plan.quantity == .zero)
  let answers = (0..<9).map { _ in plan.append(child) }
  #expect(answers == Array(repeating: true, count: 8) + [false])
  #expect(plan.quantity == Quantity(lots: 24) && child.parentID == ClientOrderID(value: 1) && child.side == .sell)
}

@Test func `a decision remembers its intent`() {
  let rejected = Decision(intent: intent(), verdict: .rejected, check: RiskCheck.priceCollar.rawValue)
  #expect(
    rejected.sequence == 9 && rejected.side == Side.sell.rawValue && rejected.quantity.lots == 10
      && rejected.check == 13)
  let early = Decision(
    sequence: 4, time: Timestamp(nanoseconds: 1), instrument: InstrumentID(index: 0), verdict: .noSignal)
  #expect(early.price == .zero && early.check == 0)
}

@Test(arguments: Seeds.brief)
func `shares of a split add up to the feed's size, and venues show what they hold`(seed: UInt64) throws {
  var random = SplitMix64(seed: seed)
  let split = try DisplaySplit([50, 30, 20])
  for _ in 0..<500 {
    let quantity = Quantity(lots: Int64(random.below(1_000_000)))
    let shares = (0..<3).map { split.share(quantity, venue: $0).lots }
    #expect(shares.reduce(0, +) == quantity.lots && shares.allSatisfy { $0 >= 0 }, "seed \(seed): \(quantity)")
    #expect(shares[1] == quantity.lots * 30 / 100 && shares[2] == quantity.lots * 20 / 100, "seed \(seed): \(quantity)")
  }
}

@Test func `a ladder leaves out levels of which a venue holds nothing`() throws {
  let split = try DisplaySplit([50, 30, 20])
  var depth = DepthView()
  depth.askCount = 2
  depth.asks[0] = DepthLevel(price: Price(nanos: 10), quantity: Quantity(lots: 4))
  depth.asks[1] = DepthLevel(price: Price(nanos: 11), quantity: Quantity(lots: 100))
  let third = split.ladder(of: VenueID(index: 2), taking: .buy, from: depth)
  #expect(third.count == 1 && third.levels[0].price.nanos == 11 && third.levels[0].quantity.lots == 20)
  let first = split.ladder(of: VenueID(index: 0), taking: .buy, from: depth)
  #expect(first.count == 2 && first.levels[0].quantity.lots == 3)
  #expect(split.ladder(of: VenueID(index: 0), taking: .sell, from: depth).count == 0)
}

@Test(arguments: [[], [100, 0, 0, 0, 0, 0, 0, 0, 0], [50, 49], [150, -50]] as [[Int64]])
func `a split that is none is refused`(shares: [Int64]) {
  #expect(throws: ConfigurationError.self) { try DisplaySplit(shares) }
}

@Test func `a trade is printed at the right price and sign`() {
  let time = Timestamp(nanoseconds: 1)
  let resting = BookEffect(.applied, side: .sell, price: Price(nanos: 100), quantity: Quantity(lots: 3))
  let execution = MarketEvent(
    kind: .executeOrder, time: time, instrument: InstrumentID(index: 0), quantity: Quantity(lots: 3))
  let trade = TradePrint(execution, effect: resting)
  #expect(trade?.price.nanos == 100 && trade?.quantity.lots == 3 && trade?.sign == 1, "a resting sell was bought")
  #expect(TradePrint(execution, effect: BookEffect(.unknownOrder)) == nil)

  // A file of one level knows only two in three of the orders that trade; the line of the trade tells all that a trade is.
  var told = execution
  told.price = Price(nanos: 110)
  told.side = .buy
  #expect(TradePrint(told, effect: BookEffect(.unknownOrder)) == nil, "a price without a side")
  told.flags = [.hasSide, .printable]
  let unknown = TradePrint(told, effect: BookEffect(.unknownOrder))
  #expect(unknown?.price.nanos == 110 && unknown?.quantity.lots == 3 && unknown?.sign == -1, "a resting buy was sold")
  #expect(TradePrint(told, effect: resting)?.price.nanos == 100)
  #expect(TradePrint(told, effect: BookEffect(.unknownInstrument)) == nil)

  var atPrice = execution
  atPrice.kind = .executeOrderAtPrice
  atPrice.price = Price(nanos: 90)
  #expect(TradePrint(atPrice, effect: resting) == nil, "not printable")
  atPrice.flags = .printable
  #expect(TradePrint(atPrice, effect: resting)?.price.nanos == 90)

  var hidden = atPrice
  for kind in [MarketEventKind.trade, .crossTrade] {
    hidden.kind = kind
    #expect(TradePrint(hidden, effect: BookEffect(.ignored))?.sign == 0)
  }
  // A feed that opens with its last trades would count them at every subscription anew.
  hidden.flags = [.snapshot, .hasSide]
  #expect(TradePrint(hidden, effect: BookEffect(.ignored)) == nil, "of a snapshot")
  hidden.flags = .printable
  hidden.quantity = .zero
  #expect(TradePrint(hidden, effect: BookEffect(.ignored)) == nil, "an auction without a trade")
  hidden.kind = .brokenTrade
  #expect(TradePrint(hidden, effect: BookEffect(.ignored)) == nil)
}

@Test func `a depth view knows how its sides stand`() {
  var depth = DepthView()
  #expect(!depth.isTwoSided && !depth.isCrossed)
  depth.bidCount = 1
  depth.askCount = 1
  for (bid, ask, twoSided, crossed) in [(99, 101, true, false), (100, 100, false, false), (101, 99, false, true)] {
    depth.bids[0].price = Price(nanos: Int64(bid))
    depth.asks[0].price = Price(nanos: Int64(ask))
    #expect(depth.isTwoSided == twoSided && depth.isCrossed == crossed && depth.midNanosTwice == 200)
  }
}

@Test func `modes are bolder or more careful in every respect`() {
  let modes = PolicyMode.allCases.map { PolicySnapshot.standard($0) }
  for (bolder, careful) in zip(modes, modes.dropFirst()) {
    #expect(bolder.leverageMax > careful.leverageMax && bolder.riskPerTradeMax > careful.riskPerTradeMax)
    #expect(bolder.dailyDrawdownMax > careful.dailyDrawdownMax && bolder.openPositionsMax > careful.openPositionsMax)
    #expect(bolder.confidenceMin < careful.confidenceMin && bolder.sizeFactor > careful.sizeFactor)
    #expect(bolder.positionNotionalMax > careful.positionNotionalMax)
  }
  #expect(modes[1].leverageMax == 5 && modes[1].positionNotionalMax == Money(units: 10_000))
}

@Test func `limits that were never set permit nothing`() {
  let limits = LimitSet()
  #expect(limits.orderQuantityMax == .zero && limits.firmGrossMax == .zero && limits.sessionOrdersPerSecond == 0)
  #expect(KillState().level == .active && KillLevel.active < .reducing && KillLevel.reducing < .halted)
}

@Test func `a verdict passes exactly when no check refused`() {
  #expect(RiskVerdict.pass.isPass && !RiskVerdict.reject(.tick, limit: 1, observed: 2).isPass)
  #expect(RiskCheck.allCases.map(\.rawValue) == Array(1...35))
}

@Test func `a forecast's signal is its probability about the middle`() {
  #expect(Forecast(probabilityUp: 0.75, confidence: 1, members: 1).signal == 0.5)
  #expect(!Forecast.unusable.isUsable && Forecast.unusable.signal == 0)
}
