import LockFreeRings
public import OrderBooks
public import TestSupport
public import TradingTypes

let cent = Price(nanos: 10_000_000)
let itchIncrement = Price(nanos: 100_000)

extension OrderBookSet: BookUnderTest {
  public func depth(of id: InstrumentID) -> DepthView { self[depth: id] }

  public func summaries(of id: InstrumentID, side: Side, count: Int) -> [ReferenceBook.Summary] {
    var summaries: [ReferenceBook.Summary] = []
    levels(of: id, side: side, count: count) { level in
      summaries.append(
        ReferenceBook.Summary(price: level.price.nanos, lots: level.quantity.lots, count: level.orderCount))
    }
    return summaries
  }

  public func queue(of id: InstrumentID, side: Side) -> [ReferenceBook.Entry] {
    var entries: [ReferenceBook.Entry] = []
    orders(of: id, side: side) { order in
      entries.append(ReferenceBook.Entry(reference: order.reference.value, lots: order.quantity.lots))
    }
    return entries
  }
}

/// Books of `capacity` in an arena of their own.
func makeBooks(_ capacity: BookCapacity) throws -> OrderBookSet {
  try OrderBookSet(
    capacity: capacity, feedIncrement: itchIncrement, tick: cent, in: Arena(capacityBytes: capacity.arenaBytes))
}

/// The slow twin with the limits of `capacity`.
func makeTwin(_ capacity: BookCapacity) -> ReferenceBook {
  ReferenceBook(
    instruments: capacity.instruments, ordersMax: capacity.orders, levelsMax: capacity.levels,
    quantityMax: capacity.quantityMax, priceMax: BookCapacity.priceMax)
}
