public import TradingTypes

/// One input of a feature engine.
public enum MarketStep {
  /// A message with its book.
  case row(BookRow)
  /// A value from outside the market.
  case context(ContextEvent)
  /// Values for the slots that other stages own.
  case model(InstrumentID, garchVariance: Double, bear: Double, bull: Double)
}

/// A seeded market that also says what no feed should: prices, sizes, levels, times and context values of any bits.
public struct WildMarket {
  private var random: SplitMix64
  private var stream: RandomStream
  private let instruments: Int
  /// Times of any bits come from here on: a wild one holds an engine's clock for good, and every trade then closes a bar.
  public var hasWildTimes = false

  /// The market of a seed; one instrument more than `instruments` is named.
  public init(seed: UInt64, instruments: Int) {
    random = SplitMix64(seed: seed)
    stream = RandomStream(seed: seed)
    self.instruments = instruments
  }

  private mutating func wild() -> Int64 {
    switch random.below(6) {
    case 0: Int64(bitPattern: random.next())
    case 1: [Int64.min, .max, 0, -1, 1, 1 << 53, 1 << 40][random.below(7)]
    default: Int64(random.below(2_000_000)) * 1_000_000
    }
  }

  /// The next step.
  public mutating func next() -> MarketStep {
    let values = [Double.nan, .infinity, -1, 0.5, 2, 1e300]
    let id = InstrumentID(index: UInt32(random.below(instruments + 1)))
    switch random.below(40) {
    case 0:
      return .context(
        ContextEvent(
          kind: ContextEvent.Kind.allCases[random.below(4)], instrument: id, value: values[random.below(6)],
          time: Timestamp(nanoseconds: stream.time)))
    case 1:
      return .model(
        id, garchVariance: values[random.below(6)], bear: values[random.below(6)], bull: values[random.below(6)])
    default: break
    }
    var row = stream.next()
    row.event.instrument = id
    guard random.below(3) == 0 else { return .row(row) }
    row.event.price = Price(nanos: wild())
    row.event.quantity = Quantity(lots: wild())
    row.effect.price = Price(nanos: wild())
    row.effect.quantity = Quantity(lots: wild())
    row.effect.depthChanged = true
    for level in 0..<10 where random.below(3) == 0 {
      row.depth.bids[level] = DepthLevel(price: Price(nanos: wild()), quantity: Quantity(lots: wild()))
      row.depth.asks[level] = DepthLevel(price: Price(nanos: wild()), quantity: Quantity(lots: wild()))
    }
    row.depth.bidCount = Int32(random.below(11))
    row.depth.askCount = Int32(random.below(11))
    if hasWildTimes, random.below(100) == 0 { row.event.time = Timestamp(nanoseconds: wild()) }
    return .row(row)
  }
}
