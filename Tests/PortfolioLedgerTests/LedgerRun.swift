import PortfolioLedger
import TestSupport
import TradingTypes

/// What a run of random steps uses: small numbers, so that positions flip and tables fill.
struct LedgerRun {
  let configuration: LedgerConfiguration
  var random: SplitMix64
  var nextNumber: UInt64 = 1

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    var instruments: [Instrument] = []
    for index in 0..<4 {
      let lotUnits: Int64 = index == 2 ? 100 : 1
      let multiplier: Int64 = index == 3 ? 50 : 1
      let instrument = Instrument(
        id: InstrumentID(index: UInt32(index)), symbol: Symbol("S\(index)")!, lotUnits: lotUnits,
        contractMultiplier: multiplier, sector: UInt16(index / 2))
      instruments.append(instrument)
    }
    configuration = LedgerConfiguration(
      instruments: instruments, venueCount: 3, openOrderCapacity: 16, sectorCount: 2, strategyCount: 3,
      accountCount: 2, startingCash: Money(units: 1_000_000))
  }

  mutating func child() -> ChildOrder {
    // Mostly rising numbers, sometimes an old one.
    var number = nextNumber
    if random.below(12) == 0 { number = UInt64(random.below(Int(nextNumber) + 1)) } else { nextNumber += 1 }
    let isMarket = random.below(6) == 0
    let intent = OrderIntent(
      clientOrderID: ClientOrderID(value: number), causeSequence: 0, time: Timestamp(nanoseconds: 0),
      instrument: InstrumentID(index: UInt32(random.below(20) == 0 ? 9 : random.below(4))),
      strategy: StrategyID(index: UInt16(random.below(40) == 0 ? 70 : random.below(3))),
      account: AccountID(index: UInt16(random.below(2))), side: random.below(2) == 0 ? .buy : .sell,
      price: isMarket ? .zero : price(), quantity: Quantity(lots: Int64(random.below(30)) - 1),
      type: isMarket ? .market : .limit)
    return ChildOrder(
      part: intent, clientOrderID: intent.clientOrderID, venue: VenueID(index: UInt16(random.below(3))),
      price: intent.price, quantity: intent.quantity, isSweep: false)
  }

  mutating func price() -> Price { Price(nanos: Int64(random.below(100_000_000_000)) + 1) }

  mutating func report(_ order: ChildOrder) -> ExecutionReport {
    var order = order
    if random.below(25) == 0 { order.side = order.side.opposite }
    let kinds: [ExecutionKind] = [.accepted, .filled, .filled, .filled, .cancelled, .rejected]
    return ExecutionReport(
      kinds[random.below(kinds.count)], of: order, time: Timestamp(nanoseconds: 0), price: price(),
      quantity: Quantity(lots: Int64(random.below(15))), leaves: .zero,
      feeNanos: Int64(random.below(1_000_000)) - 300_000)
  }
}
