public import TradingTypes

/// A seeded stream of messages with their books: mostly two-sided, at times thin, empty, locked or crossed, at times late.
public struct RandomStream {
  public var random: SplitMix64
  public var time: Int64 = 34_200_000_000_000
  var depth = DepthView()
  var mid: Int64 = 10_000
  var sequence: UInt64 = 0
  /// Messages may come before their predecessor.
  public var isDisorderly = true

  /// The stream of a seed.
  public init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    rebuild(levels: 10)
  }

  /// Ten or fewer fresh levels a side around the mid, prices in steps of 1e-4.
  mutating func rebuild(levels: Int) {
    depth = DepthView()
    var bid = mid - Int64(random.below(3))
    var ask = mid + 1 + Int64(random.below(3))
    for level in 0..<levels {
      depth.bids[level] = DepthLevel(
        price: Price(nanos: bid * 100_000), quantity: Quantity(lots: Int64(1 + random.below(500))))
      depth.asks[level] = DepthLevel(
        price: Price(nanos: ask * 100_000), quantity: Quantity(lots: Int64(1 + random.below(500))))
      bid -= Int64(1 + random.below(4))
      ask += Int64(1 + random.below(4))
    }
    depth.bidCount = Int32(levels)
    depth.askCount = Int32(levels)
  }

  /// Changes the book in one of many ways.
  mutating func move() {
    switch random.below(40) {
    case 0:
      mid += Int64(random.below(7)) - 3
      rebuild(levels: 10)
    case 1: rebuild(levels: 1 + random.below(10))
    case 2:
      // One side empty.
      let empty = DepthView()
      if random.below(2) == 0 {
        depth.bids = empty.bids
        depth.bidCount = 0
      } else {
        depth.asks = empty.asks
        depth.askCount = 0
      }
    case 3: if depth.askCount > 0 { depth.bids[0].price = Price(nanos: depth.asks[0].price.nanos + 100_000) }
    case 4: if depth.askCount > 0 && depth.bidCount > 0 { depth.bids[0].price = depth.asks[0].price }
    case 5: depth = DepthView()
    default:
      guard depth.bidCount > 0, depth.askCount > 0 else { return rebuild(levels: 10) }
      if depth.bids[0].price >= depth.asks[0].price { return rebuild(levels: 10) }
      let level = random.below(Int(min(depth.bidCount, depth.askCount)))
      let lots = Quantity(lots: Int64(1 + random.below(500)))
      if random.below(2) == 0 { depth.bids[level].quantity = lots } else { depth.asks[level].quantity = lots }
    }
  }

  /// The next message.
  public mutating func next() -> BookRow {
    let kinds: [MarketEventKind] = [
      .addOrder, .addOrder, .deleteOrder, .reduceOrder, .replaceOrder, .executeOrder, .executeOrderAtPrice, .trade,
      .modifyOrder, .setLevel, .crossTrade, .tradingStatus, .brokenTrade, .clearBook, .information,
    ]
    let kind = kinds[random.below(random.below(4) == 0 ? kinds.count : 10)]
    let before = depth
    if kind.changesBook { move() }
    if random.below(5) > 0 { time += Int64(random.below(400_000_000)) }
    let late = isDisorderly && random.below(50) == 0 ? Int64(random.below(1_000_000_000)) : 0
    sequence += 1
    let side: Side = random.below(2) == 0 ? .buy : .sell
    let price = Price(nanos: (mid + Int64(random.below(9)) - 4) * 100_000)
    let quantity = Quantity(lots: Int64(random.below(kind == .trade ? 3_000 : 600)))
    var flags: MarketEventFlags = random.below(4) > 0 ? .printable : []
    if random.below(3) > 0 { flags.insert(.hasSide) }
    if random.below(40) == 0 { flags.insert(.snapshot) }
    let event = MarketEvent(
      kind: kind, sequence: sequence, time: Timestamp(nanoseconds: time - late), instrument: InstrumentID(index: 0),
      side: side, price: price, quantity: quantity, flags: flags)
    let isChanged = !areEqual(depth, before, levels: 10)
    let effect = BookEffect(
      kind.changesBook ? (random.below(30) == 0 ? .unknownOrder : .applied) : .ignored, side: side, price: price,
      quantity: quantity, bestChanged: !areEqual(depth, before, levels: 1), depthChanged: isChanged)
    return BookRow(event: event, effect: effect, depth: depth)
  }

  /// The next `count` messages.
  public mutating func rows(_ count: Int) -> [BookRow] { (0..<count).map { _ in next() } }
}
